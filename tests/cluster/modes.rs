//! How objects are observed: one watch for everybody, lists by the clock, lists for want of the right to watch.

use std::time::Instant;

use k8s_openapi::jiff::Timestamp;
use serde_json::json;

use crate::harness::plane::users::Rule;
use crate::harness::{Aggregated, GROUPS, Plane, Request, Scene, rule, until};

tests![
    twenty_metrics_over_one_kind_need_one_watch_and_no_further_list,
    a_polled_metric_lists_once_a_period_and_watches_nothing,
    a_metric_that_changes_its_mode_keeps_its_series,
    without_the_right_to_watch_objects_are_listed_until_it_is_given,
    an_aggregated_kind_is_followed_and_one_that_cannot_be_watched_is_listed,
];

fn twenty_metrics_over_one_kind_need_one_watch_and_no_further_list() {
    const PODS: usize = 50;
    let plane = Plane::shared();
    let scene = Scene::on(&plane, "twenty").args(&["--rewind-check", "1s"]).start();
    let client = scene.client();
    let pods: Vec<_> =
        (0..PODS).map(|number| scene.pod(&format!("p{number:02}")).phase("Pending").create(client)).collect();
    let attributes = json!([{"name": "phase", "fieldPath": "status.phase"}]);
    let began = Instant::now();
    let metrics: Vec<_> = (0..20)
        .map(|number| {
            let rest = format!("object.metadata.name != 'p{number:02}'");
            scene.declare(&format!("twenty-{number:02}"), json!({"projections": attributes, "filter": rest}))
        })
        .collect();
    let declaring = began.elapsed();
    metrics.iter().for_each(|metric| scene.wait_ready(metric));
    scene.sees("twenty_07", &[("phase=\"Pending\"", PODS as f64 - 1.0)]);

    let lists = |scene: &Scene<'_>| {
        let requests = scene.plane.requests(&scene.user).into_iter();
        requests.filter(Request::reads_all).collect::<Vec<_>>()
    };
    let before = lists(&scene);
    let of_pods = before.iter().filter(|request| request.resource == "pods").count();
    // Those that are declared within a tenth of a second of each other share a list.
    let most = 2 + declaring.as_millis() / 100;
    assert!(of_pods as u128 <= most, "a first list, and few more in {declaring:?}: {before:#?}");
    for pod in &pods {
        client.patch_status(pod, &json!({"phase": "Running"}));
    }
    for number in 0..20 {
        scene.sees(&format!("twenty_{number:02}"), &[("phase=\"Running\"", PODS as f64 - 1.0)]);
    }
    until("a look whether history went back", || {
        let looks = scene.requests("list", "pods").len();
        if looks > of_pods { Ok(()) } else { Err(format!("{looks} lists")) }
    });
    assert_eq!(lists(&scene), before, "nothing was listed meanwhile, of any kind");
    assert_eq!(scene.requests("watch", "pods").len(), 1, "ever");
    assert_eq!(scene.open_watches("pods").len(), 1);
}

fn a_polled_metric_lists_once_a_period_and_watches_nothing() {
    let plane = Plane::shared();
    let scene = Scene::on(&plane, "polled").start();
    let client = scene.client();
    scene.pod("a").create(client);
    let metric = scene.declare("polled-pods", json!({"mode": "Polling", "interval": "2s"}));
    scene.wait_ready(&metric);
    scene.sees("polled_pods", &[("", 1.0)]);
    assert_eq!(client.read(&metric).unwrap()["status"]["mode"], "Polling");
    scene.pod("b").create(client);
    scene.sees("polled_pods", &[("", 2.0)]);
    let lists = until("five lists", || {
        let lists = scene.requests("list", "pods");
        if lists.len() >= 5 { Ok(lists) } else { Err(format!("{lists:#?}\n{}", scene.operator.tail())) }
    });
    let times = lists.iter().map(|request| request.at.parse::<Timestamp>().unwrap());
    let times: Vec<i64> = times.map(Timestamp::as_millisecond).collect();
    // The first may be early, when the metric came; a busy machine makes them late, never early.
    let early = times[1..].windows(2).filter(|pair| pair[1] - pair[0] < 1_900).count();
    assert_eq!(early, 0, "{times:?}");
    assert!(scene.requests("watch", "pods").is_empty());
    assert!(lists.iter().all(|list| list.query.contains_key("limit")), "page by page: {lists:#?}");
}

fn a_metric_that_changes_its_mode_keeps_its_series() {
    let plane = Plane::shared();
    let scene = Scene::on(&plane, "mode").start();
    let client = scene.client();
    scene.pod("a").create(client);
    let metric = scene.declare("mode-pods", json!({}));
    let neighbour = scene.declare("mode-neighbour", json!({}));
    scene.wait_ready(&metric);
    scene.wait_ready(&neighbour);
    scene.sees("mode_pods", &[("", 1.0)]);
    let sampling = scene.operator.sample(&["mode_pods"]);
    let mut pods = 1.0;
    for mode in ["Polling", "EventDriven", "Polling", "EventDriven"] {
        scene.declare("mode-pods", json!({"mode": mode, "interval": "1s"}));
        scene.wait_ready(&metric);
        client.wait(&metric, "the mode in status", |metric| {
            if metric["status"]["mode"] == mode { Ok(()) } else { Err(metric["status"]["mode"].to_string()) }
        });
        pods += 1.0;
        scene.pod(&format!("p{pods}")).create(client);
        scene.sees("mode_pods", &[("", pods)]);
    }
    let states = sampling.end();
    let counts: Vec<f64> = states.iter().map(|state| state["mode_pods{}"]).collect();
    assert_eq!(counts, [1.0, 2.0, 3.0, 4.0, 5.0], "no dip, nothing twice: {states:#?}");
    assert_eq!(scene.requests("watch", "pods").len(), 1, "the neighbour kept it open all the time");
    scene.wait_ready(&neighbour);
}

/// What the operator needs to read what is declared and to say what becomes of it.
pub(super) fn own_rights() -> Vec<Rule> {
    vec![
        rule(&GROUPS.join(","), "*", "*"),
        rule("apiextensions.k8s.io", "customresourcedefinitions", "get,list,watch"),
        rule("apiregistration.k8s.io", "apiservices", "get,list,watch"),
        rule("", "namespaces", "get,list,watch"),
    ]
}

fn without_the_right_to_watch_objects_are_listed_until_it_is_given() {
    let plane = Plane::shared();
    let rights = |of_pods: &str| [own_rights(), vec![rule("", "pods", of_pods)]].concat();
    let user = plane.user_with(&rights("list"));
    // Lists that take the place of a watch are as far apart as watches are old, at most.
    let scene = Scene::on(&plane, "listonly").user(user.clone()).args(&["--watch-age", "2s"]).start();
    let client = scene.client();
    scene.pod("a").create(client);
    let metric = scene.declare("listonly-pods", json!({}));
    let message = scene.wait_reason(&metric, "Synced", "WatchForbidden");
    assert!(message.contains("pods.v1") && message.contains("watch"), "{message}");
    client.wait_condition(&metric, "Ready", "True");
    scene.sees("listonly_pods", &[("", 1.0)]);
    assert_eq!(client.read(&metric).unwrap()["status"]["mode"], "Polling", "the mode in effect");
    scene.pod("b").create(client);
    scene.sees("listonly_pods", &[("", 2.0)]);

    plane.allow(&user, &rights("list,watch"));
    scene.wait_reason(&metric, "Synced", "ListComplete");
    assert_eq!(client.read(&metric).unwrap()["status"]["mode"], "EventDriven");
    scene.pod("c").create(client);
    scene.sees("listonly_pods", &[("", 3.0)]);
    // And taken again, which is noticed when the watch is opened anew.
    plane.allow(&user, &rights("list"));
    scene.wait_reason(&metric, "Synced", "WatchForbidden");
    scene.pod("d").create(client);
    scene.sees("listonly_pods", &[("", 4.0)]);
}

fn an_aggregated_kind_is_followed_and_one_that_cannot_be_watched_is_listed() {
    let plane = Plane::shared();
    let scene = Scene::on(&plane, "aggregated").start();
    let namespace = scene.namespace.clone();
    let target = |kind: &Aggregated| json!({"group": kind.group, "kind": kind.kind});
    let gadgets = Aggregated::install(&plane, "Gadget");
    let gauges = Aggregated::install_unwatchable(&plane, "Gauge");
    gadgets.put(&namespace, "one", &json!({"size": 2}));
    gauges.put(&namespace, "one", &json!({"size": 3}));
    let size = json!({"fieldPath": "spec.size", "type": "integer", "aggregation": "sum"});
    let watched = scene.declare("aggregated-gadgets", json!({"target": target(&gadgets), "valueFrom": size}));
    let listed = scene.declare("aggregated-gauges", json!({"target": target(&gauges), "valueFrom": size}));
    scene.wait_ready(&watched);
    scene.wait_ready(&listed);
    scene.sees("aggregated_gadgets", &[("", 2.0)]);
    scene.sees("aggregated_gauges", &[("", 3.0)]);
    gadgets.put(&namespace, "one", &json!({"size": 5}));
    gadgets.put(&namespace, "two", &json!({"size": 7}));
    scene.sees("aggregated_gadgets", &[("", 12.0)]);
    gadgets.delete(&namespace, "one");
    scene.sees("aggregated_gadgets", &[("", 7.0)]);
    assert_eq!(scene.open_watches("gadgets").len(), 1);
    assert!(scene.requests("watch", "gauges").is_empty(), "discovery says that it cannot be watched");

    // Its server ends; whatever else is served goes on.
    scene.pod("a").create(scene.client());
    let pods = scene.declare("aggregated-pods", json!({}));
    gadgets.stop();
    scene.wait_reason(&watched, "Ready", "MonitoringFailed");
    scene.wait_ready(&pods);
    scene.wait_ready(&listed);
    scene.sees("aggregated_gadgets", &[]);
    scene.sees("aggregated_pods", &[("", 1.0)]);
}

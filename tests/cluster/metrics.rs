//! Metrics that are edited, broken, mended, deleted, declared twice.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::sampling::State;
use crate::harness::sink::point::Value as Point;
use crate::harness::{GROUPS, Plane, Scene, Sink, until};

tests![
    an_edited_metric_goes_from_its_old_series_to_its_new_ones_in_one_step,
    a_metric_that_is_edited_to_nonsense_keeps_its_numbers_until_it_is_mended,
    a_metric_that_is_deleted_is_gone_at_once_and_comes_back_under_its_name,
    both_groups_are_served_alike_and_never_the_same_series_twice,
    a_name_belongs_to_the_older_metric_and_then_to_its_heir,
    metrics_that_come_and_go_leave_nothing_behind,
];

/// `pods{phase="Running"}` → 7, and so on.
fn state(series: &[(&str, f64)]) -> State {
    series.iter().map(|(series, value)| ((*series).to_owned(), *value)).collect()
}

#[allow(
    clippy::too_many_lines,
    reason = "one Metric through all its edits, each from where the last one left it"
)]
fn an_edited_metric_goes_from_its_old_series_to_its_new_ones_in_one_step() {
    let plane = Plane::shared();
    let scene = Scene::on(&plane, "edited").start();
    let client = scene.client();
    let make = |name: &str, team: &str| {
        let pod = scene.pod(name).label("team", team).annotation("size", "5").phase("Running");
        pod.create(client);
    };
    [("a", "red"), ("b", "red"), ("c", "blue")].iter().for_each(|(name, team)| make(name, team));
    client.create(&json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"namespace": scene.namespace, "name": "settings"},
    }));
    let size = |of: &str| json!({"expression": "int(object.metadata.annotations.size)", "type": "integer", "aggregation": of});
    let team = || json!([{"name": "team", "fieldPath": "metadata.labels.team"}]);
    // What changes, and what follows.
    let edits: Vec<(Value, State)> = vec![
        (
            json!({"projections": [{"name": "phase", "fieldPath": "status.phase"}]}),
            state(&[("edited{phase=\"Running\"}", 3.0)]),
        ),
        (
            json!({"projections": team()}),
            state(&[("edited{team=\"blue\"}", 1.0), ("edited{team=\"red\"}", 2.0)]),
        ),
        (
            json!({"projections": team(), "name": "renamed"}),
            state(&[("renamed{team=\"blue\"}", 1.0), ("renamed{team=\"red\"}", 2.0)]),
        ),
        (
            json!({"projections": team(), "filter": "object.metadata.name != 'a'"}),
            state(&[("edited{team=\"blue\"}", 1.0), ("edited{team=\"red\"}", 1.0)]),
        ),
        (
            json!({"projections": team(), "valueFrom": size("sum")}),
            state(&[("edited{team=\"blue\"}", 5.0), ("edited{team=\"red\"}", 10.0)]),
        ),
        (
            json!({"projections": team(), "valueFrom": size("max")}),
            state(&[("edited{team=\"blue\"}", 5.0), ("edited{team=\"red\"}", 5.0)]),
        ),
        (json!({"valueFrom": size("max"), "unit": "By"}), state(&[("edited_bytes{}", 5.0)])),
        (
            json!({"target": {"kind": "ConfigMap", "version": "v1"}, "filter": "object.metadata.name == 'settings'"}),
            state(&[("edited{}", 1.0)]),
        ),
        (json!({"labelSelector": "team=blue"}), state(&[("edited{}", 1.0)])),
        (json!({"labelSelector": "team=red"}), state(&[("edited{}", 2.0)])),
    ];
    let mut before: Option<State> = None;
    for (spec, after) in edits {
        let sampling = scene.operator.sample(&["edited", "edited_bytes", "renamed"]);
        let spec = json!({"name": spec.get("name").unwrap_or(&json!("edited")), "spec": spec});
        let (name, mut spec) = (spec["name"].clone(), spec["spec"].clone());
        spec["name"] = name;
        let metric = scene.declare("edited", spec);
        scene.wait_ready(&metric);
        until(&format!("{after:?}"), || {
            let page = scene.operator.metrics();
            let of = |series: &String| {
                let (name, labels) = series.trim_end_matches('}').split_once('{').unwrap();
                page.family(name).get(labels).copied()
            };
            let is_there = after.iter().all(|(series, value)| of(series) == Some(*value));
            if is_there { Ok(()) } else { Err(scene.operator.tail()) }
        });
        let states = sampling.end();
        let expected: Vec<State> = [before.unwrap_or_default(), after.clone()].into_iter().collect();
        let expected = if expected[0] == expected[1] { vec![after.clone()] } else { expected };
        assert_eq!(states, expected, "neither a dip nor a ghost");
        before = Some(after);
    }
}

fn a_metric_that_is_edited_to_nonsense_keeps_its_numbers_until_it_is_mended() {
    let plane = Plane::shared();
    let scene = Scene::on(&plane, "broken").start();
    let client = scene.client();
    scene.pod("a").create(client);
    let metric = scene.declare("broken-pods", json!({}));
    let other = scene.declare("broken-other", json!({}));
    scene.sees("broken_pods", &[("", 1.0)]);
    let mut pods = 1.0;
    for (part, place) in [
        (json!({"filter": "objct.metadata.name == 'a'"}), "spec.filter"),
        (json!({"filter": "object.metadata.name =="}), "spec.filter"),
        (
            json!({"projections": [{"name": "a", "fieldPath": "metadata.name"}, {"name": "b", "fieldPath": "{.metadata["}]}),
            "spec.projections[1].fieldPath",
        ),
        (json!({"interval": "soon"}), "spec.interval"),
        (json!({"flush": {"debounce": "-1s"}}), "spec.flush.debounce"),
        (json!({"labelSelector": "app in web"}), "spec.labelSelector"),
        (
            json!({"valueFrom": {"expression": "size(object", "type": "integer", "aggregation": "sum"}}),
            "spec.valueFrom.expression",
        ),
    ] {
        scene.declare("broken-pods", part.clone());
        let message = scene.wait_reason(&metric, "Ready", "InvalidSpec");
        assert!(message.contains(place), "{part}: {message}");
        // What it meant before goes on.
        pods += 1.0;
        scene.pod(&format!("p{pods}")).create(client);
        scene.sees("broken_pods", &[("", pods)]);
    }
    scene.sees("broken_other", &[("", pods)]);
    scene.wait_ready(&other);
    scene.declare("broken-pods", json!({"filter": "object.metadata.name == 'a'"}));
    scene.wait_ready(&metric);
    scene.sees("broken_pods", &[("", 1.0)]);
}

fn a_metric_that_is_deleted_is_gone_at_once_and_comes_back_under_its_name() {
    let plane = Plane::shared();
    let scene = Scene::on(&plane, "deleted").args(&["--heartbeat", "10m"]).start();
    let client = scene.client();
    scene.pod("a").create(client);
    // A debounce that would show if anything waited for it.
    let slow = json!({"flush": {"debounce": "10m"}});
    let metric = scene.declare("deleted-pods", json!({}));
    let other = scene.declare("deleted-other", json!({}));
    scene.sees("deleted_pods", &[("", 1.0)]);
    scene.declare("deleted-pods", slow);
    scene.wait_ready(&metric);
    let began = Instant::now();
    client.delete(&metric);
    scene.sees("deleted_pods", &[]);
    let took = began.elapsed();
    assert!(took < Duration::from_secs(10), "{took:?}");
    scene.sees("deleted_other", &[("", 1.0)]);
    // The last that is interested lets go of the watch.
    client.delete(&other);
    until("no watch of Pods", || {
        let open = scene.open_watches("pods");
        if open.is_empty() { Ok(()) } else { Err(format!("{open:#?}\n{}", scene.operator.tail())) }
    });
    scene.pod("b").create(client);
    let metric = scene.declare("deleted-pods", json!({}));
    scene.wait_ready(&metric);
    scene.sees("deleted_pods", &[("", 2.0)]);
    // Gone and there again before anybody looked.
    client.delete(&metric);
    scene.declare("deleted-pods", json!({"filter": "object.metadata.name == 'b'"}));
    scene.wait_ready(&metric);
    scene.sees("deleted_pods", &[("", 1.0)]);
}

fn both_groups_are_served_alike_and_never_the_same_series_twice() {
    let plane = Plane::shared();
    let scene = Scene::on(&plane, "groups").start();
    let client = scene.client();
    scene.pod("a").create(client);
    let [new, old] = GROUPS.map(|group| scene.metric_in(group, "groups-pods", &json!({})));
    client.apply(&old);
    scene.wait_ready(&old);
    scene.sees("groups_pods", &[("", 1.0)]);
    // As one who moves from the old group to the new one does it. A page with a series twice fails to be read.
    client.apply(&new);
    let message = scene.wait_reason(&new, "Ready", "NameConflict");
    assert!(message.contains("other API group"), "{message}");
    scene.wait_ready(&old);
    scene.sees("groups_pods", &[("", 1.0)]);
    client.delete(&old);
    scene.wait_ready(&new);
    scene.sees("groups_pods", &[("", 1.0)]);
    // Other metrics of one name share it, and are told apart.
    let other = scene.metric_in(GROUPS[1], "groups-other", &json!({"name": "groups_pods"}));
    client.apply(&other);
    scene.wait_ready(&other);
    let own = |name: &str| {
        format!("celemetry_metric_name=\"{name}\",celemetry_metric_namespace=\"{}\"", scene.namespace)
    };
    scene.sees("groups_pods", &[(&own("groups-other"), 1.0), (&own("groups-pods"), 1.0)]);
}

fn a_name_belongs_to_the_older_metric_and_then_to_its_heir() {
    let plane = Plane::shared();
    let scene = Scene::on(&plane, "names").start();
    let client = scene.client();
    scene.pod("a").create(client);
    let elder = scene.declare("names-1", json!({"name": "names.pods"}));
    scene.wait_ready(&elder);
    // Another unit, and another name that Prometheus cannot tell from the elder's.
    let other_unit = scene.declare("names-2", json!({"name": "names.pods", "unit": "By"}));
    let message = scene.wait_reason(&other_unit, "Ready", "NameConflict");
    assert!(
        message.contains("spec.name") && message.contains("names-1") && message.contains("unit"),
        "{message}"
    );
    let same_text = scene.declare("names-3", json!({"name": "names_pods"}));
    let message = scene.wait_reason(&same_text, "Exported", "NameConflict");
    assert!(message.contains("names-1"), "{message}");
    let reserved = scene.declare("names-4", json!({"name": "celemetry_pods"}));
    scene.wait_reason(&reserved, "Ready", "InvalidMetricName");
    scene.wait_ready(&elder);
    scene.sees("names_pods", &[("", 1.0)]);
    scene.sees("names_pods_bytes", &[]);
    scene.sees("celemetry_pods", &[]);

    client.delete(&elder);
    scene.wait_ready(&other_unit);
    scene.sees("names_pods_bytes", &[("", 1.0)]);
    scene.wait_ready(&same_text);
    scene.sees("names_pods", &[("", 1.0)]);
    // An edit gives up a name as well.
    scene.declare("names-4", json!({"name": "names_more"}));
    scene.wait_ready(&reserved);
    scene.sees("names_more", &[("", 1.0)]);
}

fn metrics_that_come_and_go_leave_nothing_behind() {
    const METRICS: usize = 20;
    const ROUNDS: usize = 8;
    let plane = Plane::shared();
    let scene = Scene::on(&plane, "fleeting").args(&["--heartbeat", "10m"]).start();
    let (client, sink) = (scene.client(), Sink::start());
    scene.declare_sink("default", &sink.http());
    ["a", "b"].iter().for_each(|name| drop(scene.pod(name).label("team", name).create(client)));
    let kinds = ["Pod", "ConfigMap", "Service"];
    let spec = |round: usize, number: usize| {
        let label = ["metadata.labels.team", "metadata.name"][(round + number) % 2];
        json!({"target": {"kind": kinds[(round / 2 + number) % 3], "version": "v1"}, "dataSinkRef": {},
            "projections": [{"name": "label", "fieldPath": label}],
            "filter": if round % 4 == 3 { "objct" } else { "true" }})
    };
    let mut resident = 0;
    for round in 0..ROUNDS {
        for number in 0..METRICS {
            scene.declare(&format!("fleeting-{number}"), spec(round, number));
        }
        if round % 2 == 1 {
            for number in 0..METRICS {
                client.delete(&scene.metric(&format!("fleeting-{number}"), &json!({})));
            }
        }
        if round == 1 {
            resident = scene.operator.usage().resident;
        }
    }
    until("the end of all series, watches and metrics", || {
        let page = scene.operator.metrics();
        let left = [page.sum("celemetry_metrics", &[]), page.sum("celemetry_series", &[])];
        let watches = ["pods", "configmaps", "services"].map(|kind| scene.open_watches(kind).len());
        let known =
            (0..METRICS).map(|number| sink.series(&format!("fleeting_{number}")).len()).sum::<usize>();
        match (left, watches, known) {
            ([0.0, 0.0], [0, 0, 0], 0) => Ok(()),
            other => Err(format!("{other:?}\n{}", scene.operator.tail())),
        }
    });
    let grown = scene.operator.usage().resident.saturating_sub(resident);
    assert!(grown < 32 << 20, "{grown} bytes more than after the first of {ROUNDS} rounds");
    // It is as good as new.
    scene.declare("fleeting-0", json!({"dataSinkRef": {}}));
    sink.wait_value("fleeting_0", &[], Point::Integer(2));
}

//! What comes and goes: objects of a Metric, and what each does to its series.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::{Plane, Scene, until};

tests![
    an_object_counts_from_its_creation_to_its_deletion_and_again_when_it_is_made_anew,
    an_object_that_is_relabelled_out_of_the_selector_leaves,
    a_count_without_attributes_is_zero_at_no_match_and_nothing_else_is,
    a_value_moves_from_series_to_series_in_one_step_within_the_debounce,
    sums_and_extremes_follow_every_change_of_an_object,
    series_beyond_the_limit_are_one_and_no_total_is_wrong,
];

/// The attribute `phase` of Pods.
fn by_phase() -> Value {
    json!([{"name": "phase", "fieldPath": "status.phase"}])
}

fn an_object_counts_from_its_creation_to_its_deletion_and_again_when_it_is_made_anew() {
    let plane = Plane::shared();
    let scene = Scene::on(&plane, "objects").start();
    let client = scene.client();
    let metric = scene.declare("objects-pods", json!({"projections": by_phase()}));
    scene.wait_ready(&metric);
    scene.sees("objects_pods", &[]);

    let web = scene.pod("web").phase("Running").create(client);
    scene.sees("objects_pods", &[("phase=\"Running\"", 1.0)]);
    client.patch_status(&web, &json!({"phase": "Failed"}));
    scene.sees("objects_pods", &[("phase=\"Failed\"", 1.0)]);
    client.delete(&web);
    scene.sees("objects_pods", &[]);
    scene.pod("web").phase("Succeeded").create(client);
    scene.sees("objects_pods", &[("phase=\"Succeeded\"", 1.0)]);
    // Both within one debounce: never two objects, never none for good.
    client.delete(&web);
    scene.pod("web").phase("Running").create(client);
    scene.sees("objects_pods", &[("phase=\"Running\"", 1.0)]);

    let status = client.wait(&metric, "the number of objects in status", |metric| {
        let status = &metric["status"];
        if status["series"].is_number() && status["mode"] == "EventDriven" {
            Ok(())
        } else {
            Err(String::new())
        }
    });
    assert_eq!(status["status"]["observedGeneration"], 1, "{status:#}");
}

fn an_object_that_is_relabelled_out_of_the_selector_leaves() {
    let plane = Plane::shared();
    let scene = Scene::on(&plane, "selected").start();
    let client = scene.client();
    let of_web = scene.declare("selected-web", json!({"labelSelector": "app=web,tier!=test"}));
    let of_others = scene.declare("selected-others", json!({"labelSelector": "app notin (web)"}));
    scene.wait_ready(&of_web);
    scene.wait_ready(&of_others);
    let web = scene.pod("web").label("app", "web").create(client);
    scene.sees("selected_web", &[("", 1.0)]);
    for (labels, web_pods) in [
        (json!({"app": "database"}), 0.0),
        (json!({"app": "web"}), 1.0),
        (json!({"tier": "test"}), 0.0),
        (json!({"tier": "live"}), 1.0),
        (json!({"app": null}), 0.0),
    ] {
        let after = client.patch(&web, &json!({"metadata": {"labels": labels}}));
        let is_other = after.pointer("/metadata/labels/app") != Some(&json!("web"));
        scene.sees("selected_web", &[("", web_pods)]);
        scene.sees("selected_others", &[("", f64::from(u8::from(is_other)))]);
    }
}

fn a_count_without_attributes_is_zero_at_no_match_and_nothing_else_is() {
    let plane = Plane::shared();
    let scene = Scene::on(&plane, "none").start();
    let client = scene.client();
    let one = json!({"expression": "1", "type": "integer"});
    let aggregate = |of: &str| {
        let mut value = one.clone();
        value["aggregation"] = json!(of);
        value
    };
    let count = scene.declare("none-count", json!({}));
    let attributed = scene.declare("none-attributed", json!({"projections": by_phase()}));
    let rest = ["sum", "min", "max", "mean"]
        .map(|of| scene.declare(&format!("none-{of}"), json!({"valueFrom": aggregate(of)})));
    for metric in [&count, &attributed].into_iter().chain(&rest) {
        scene.wait_ready(metric);
    }
    let no_more_than_the_count = || {
        scene.sees("none_count", &[("", 0.0)]);
        for name in ["none_attributed", "none_sum", "none_min", "none_max", "none_mean"] {
            scene.sees(name, &[]);
        }
    };
    no_more_than_the_count();
    let web = scene.pod("web").create(client);
    scene.sees("none_count", &[("", 1.0)]);
    for of in ["sum", "min", "max", "mean"] {
        scene.sees(&format!("none_{of}"), &[("", 1.0)]);
    }
    client.delete(&web);
    no_more_than_the_count();
}

fn a_value_moves_from_series_to_series_in_one_step_within_the_debounce() {
    const PODS: usize = 5;
    let plane = Plane::shared();
    // Nothing but the debounce lets anything leave.
    let scene = Scene::on(&plane, "moves").args(&["--heartbeat", "10m"]).start();
    let client = scene.client();
    let metric = scene.declare("moves-pods", json!({"projections": by_phase(), "flush": {"debounce": "1s"}}));
    scene.wait_ready(&metric);
    let pods: Vec<Value> =
        (0..PODS).map(|number| scene.pod(&format!("p{number}")).phase("Running").create(client)).collect();
    scene.sees("moves_pods", &[("phase=\"Running\"", PODS as f64)]);

    let sampling = scene.operator.sample(&["moves_pods"]);
    let began = Instant::now();
    client.patch_status(&pods[0], &json!({"phase": "Failed"}));
    scene.sees("moves_pods", &[("phase=\"Failed\"", 1.0), ("phase=\"Running\"", 4.0)]);
    let took = began.elapsed();
    assert!(took < Duration::from_secs(10), "{took:?} is more than a debounce and a busy machine explain");
    let states = sampling.end();
    let totals: Vec<f64> = states.iter().map(|state| state.values().sum()).collect();
    assert_eq!(
        totals, [PODS as f64; 2],
        "from one state to the other, and no Pod twice or nowhere: {states:#?}"
    );
}

fn sums_and_extremes_follow_every_change_of_an_object() {
    let plane = Plane::shared();
    let scene = Scene::on(&plane, "amounts").start();
    let client = scene.client();
    let priority = "int(object.metadata.annotations.priority)";
    let value = |of: &str| json!({"expression": priority, "type": "integer", "aggregation": of});
    for of in ["sum", "min", "max", "mean"] {
        let metric = scene.declare(&format!("amounts-{of}"), json!({"valueFrom": value(of)}));
        scene.wait_ready(&metric);
    }
    let see = |sum: f64, min: f64, max: f64, mean: f64| {
        for (of, number) in [("sum", sum), ("min", min), ("max", max), ("mean", mean)] {
            scene.sees(&format!("amounts_{of}"), &[("", number)]);
        }
    };
    let make = |name: &str, priority: &str| scene.pod(name).annotation("priority", priority).create(client);
    let set = |pod: &Value, priority: Value| {
        client.patch(pod, &json!({"metadata": {"annotations": {"priority": priority}}}));
    };
    let (low, high) = (make("low", "2"), make("high", "10"));
    see(12.0, 2.0, 10.0, 6.0);
    set(&high, json!("4"));
    see(6.0, 2.0, 4.0, 3.0);
    set(&low, json!("8"));
    see(12.0, 4.0, 8.0, 6.0);
    // Without a value an object is left out.
    set(&low, json!("much"));
    see(4.0, 4.0, 4.0, 4.0);
    set(&low, json!(null));
    client.delete(&high);
    for of in ["sum", "min", "max", "mean"] {
        scene.sees(&format!("amounts_{of}"), &[]);
    }
}

fn series_beyond_the_limit_are_one_and_no_total_is_wrong() {
    const PODS: usize = 12;
    let plane = Plane::shared();
    let scene = Scene::on(&plane, "limited").start();
    let client = scene.client();
    let by_name = json!([{"name": "name", "fieldPath": "metadata.name"}]);
    let metric =
        scene.declare("limited-pods", json!({"projections": by_name.clone(), "limits": {"maxSeries": 5}}));
    let neighbour = scene.declare("limited-neighbour", json!({"projections": by_name}));
    scene.wait_ready(&metric);
    let pods: Vec<Value> =
        (0..PODS).map(|number| scene.pod(&format!("p{number:02}")).create(client)).collect();
    scene.wait_reason(&metric, "WithinLimits", "SeriesLimitExceeded");
    let totals = |pods: usize| {
        until("every Pod in some series", || {
            let page = scene.operator.metrics();
            let (series, total) = (page.family("limited_pods"), page.sum("limited_pods", &[]));
            let overflow = page.find("limited_pods", &[("otel_metric_overflow", "true")]).len();
            let is_right = total == pods as f64 && overflow == 1 && series.len() <= 6;
            if is_right { Ok(()) } else { Err(format!("{series:?}")) }
        });
    };
    totals(PODS);
    for (number, pod) in pods.iter().enumerate().take(4) {
        client.delete(pod);
        totals(PODS - number - 1);
    }
    // It is a matter of this Metric, which goes on otherwise.
    scene.wait_ready(&metric);
    scene.wait_reason(&neighbour, "WithinLimits", "WithinLimits");
    until("a series of the neighbour for each Pod", || {
        match scene.operator.metrics().family("limited_neighbour").len() {
            series if series == PODS - 4 => Ok(()),
            series => Err(format!("{series}")),
        }
    });
    scene.declare("limited-pods", json!({"projections": [{"name": "name", "fieldPath": "metadata.name"}]}));
    scene.wait_reason(&metric, "WithinLimits", "WithinLimits");
    until("a series for each Pod", || match scene.operator.metrics().family("limited_pods").len() {
        8 => Ok(()),
        series => Err(format!("{series}")),
    });
}

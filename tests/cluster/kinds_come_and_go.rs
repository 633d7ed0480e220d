//! Kinds that are installed after their Metric, change their version, vanish and return.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::sampling::State;
use crate::harness::{Kind, Plane, Scene, kind, until};

tests![
    a_kind_that_is_installed_after_its_metric_has_series_within_seconds,
    a_kind_that_vanishes_takes_its_series_along_and_comes_back_without_ghosts,
    a_kind_in_a_new_version_is_counted_once,
    a_kind_whose_stored_version_changes_is_counted_once,
];

/// A Metric over the kind in whichever version, with the sum of its sizes.
fn sizes(kind: &Kind) -> Value {
    let size = json!({"fieldPath": "spec.size", "type": "integer", "aggregation": "sum"});
    json!({"target": {"group": kind.group, "kind": kind.kind}, "valueFrom": size})
}

fn a_kind_that_is_installed_after_its_metric_has_series_within_seconds() {
    let plane = Plane::shared();
    let scene = Scene::on(&plane, "later").start();
    let client = scene.client();
    let kind = Kind::new("Widget");
    let metric = scene.declare("later-sizes", sizes(&kind));
    let message = scene.wait_reason(&metric, "Synced", "TargetNotFound");
    assert!(message.contains("spec.target") && message.contains("widget"), "{message}");
    scene.wait_reason(&metric, "Ready", "MonitoringFailed");
    scene.sees("later_sizes", &[]);
    let kind = kind.install(client);
    let began = Instant::now();
    client.create(&kind.object(Some(&scene.namespace), "one", json!({"size": 3})));
    scene.sees("later_sizes", &[("", 3.0)]);
    let took = began.elapsed();
    assert!(took < Duration::from_secs(14), "{took:?}: it was found by chance");
    scene.wait_ready(&metric);
}

fn a_kind_that_vanishes_takes_its_series_along_and_comes_back_without_ghosts() {
    let plane = Plane::shared();
    let scene = Scene::on(&plane, "vanishes").start();
    let client = scene.client();
    let kind = Kind::new("Widget").install(client);
    let metric = scene.declare("vanishes-sizes", sizes(&kind));
    let pods = scene.declare("vanishes-pods", json!({}));
    client.create(&kind.object(Some(&scene.namespace), "one", json!({"size": 3})));
    scene.sees("vanishes_sizes", &[("", 3.0)]);
    kind.remove(client);
    scene.wait_reason(&metric, "Synced", "TargetNotFound");
    scene.sees("vanishes_sizes", &[]);
    let kind = kind.install(client);
    client.create(&kind.object(Some(&scene.namespace), "two", json!({"size": 4})));
    scene.sees("vanishes_sizes", &[("", 4.0)]);
    scene.wait_ready(&metric);
    scene.wait_ready(&pods);
    client.create(&kind.object(Some(&scene.namespace), "three", json!({"size": 5})));
    scene.sees("vanishes_sizes", &[("", 9.0)]);
    assert_eq!(scene.open_watches("widgets").len(), 1);
}

/// What all series made together, each time that changed. Where there were none it is less than nothing.
fn sums(states: &[State]) -> Vec<f64> {
    let sum = |state: &State| if state.is_empty() { -1.0 } else { state.values().sum() };
    states.iter().map(sum).collect()
}

/// The versions that are watched now.
fn watched(scene: &Scene<'_>) -> Vec<String> {
    scene.open_watches("widgets").into_iter().map(|request| request.version).collect()
}

fn wait_watched(scene: &Scene<'_>, version: &str) {
    until(&format!("one watch, of {version}"), || match watched(scene) {
        watched if watched == [version] => Ok(()),
        other => Err(format!("{other:?}\n{}", scene.operator.tail())),
    });
}

fn a_kind_in_a_new_version_is_counted_once() {
    let plane = Plane::shared();
    let scene = Scene::on(&plane, "version").start();
    let client = scene.client();
    let kind = Kind::new("Widget").install(client);
    for name in ["a", "b"] {
        client.create(&kind.object(Some(&scene.namespace), name, json!({"size": 1})));
    }
    let any = scene.declare("version-any", sizes(&kind));
    let mut of_v1 = sizes(&kind);
    of_v1["target"]["version"] = json!("v1");
    let first = scene.declare("version-first", of_v1);
    for metric in [&any, &first] {
        scene.wait_ready(metric);
    }
    scene.sees("version_any", &[("", 2.0)]);
    assert_eq!(watched(&scene), ["v1"], "both need one watch");
    let sampling = scene.operator.sample(&["version_any"]);

    // A new version that is preferred, and the old one goes on being served.
    let both = kind.clone().versions(&["v2", "v1"]).install(client);
    until("watches of both versions", || {
        let mut versions = watched(&scene);
        versions.sort();
        if versions == ["v1", "v2"] {
            Ok(())
        } else {
            Err(format!("{versions:?}\n{}", scene.operator.tail()))
        }
    });
    client.create(&both.object(Some(&scene.namespace), "c", json!({"size": 1})));
    scene.sees("version_any", &[("", 3.0)]);
    scene.sees("version_first", &[("", 3.0)]);

    // The old version is served no more: who named it has nothing, who did not has everything.
    let mut definition = both.definition();
    definition["spec"]["versions"][1]["served"] = json!(false);
    client.apply(&definition);
    scene.wait_reason(&first, "Synced", "TargetNotFound");
    scene.sees("version_first", &[]);
    scene.wait_ready(&any);
    wait_watched(&scene, "v2");
    client.create(&both.object(Some(&scene.namespace), "d", json!({"size": 1})));
    scene.sees("version_any", &[("", 4.0)]);
    let values = sums(&sampling.end());
    assert_eq!(values, [2.0, 3.0, 4.0], "never in two versions, never in none");
}

fn a_kind_whose_stored_version_changes_is_counted_once() {
    let plane = Plane::shared();
    let scene = Scene::on(&plane, "stored").start();
    let client = scene.client();
    let old = Kind::new("Widget").versions(&["v1beta1", "v1"]).install(client);
    client.create(&old.object(Some(&scene.namespace), "a", json!({"size": 1})));
    let metric = scene.declare("stored-sizes", sizes(&old));
    scene.sees("stored_sizes", &[("", 1.0)]);
    wait_watched(&scene, "v1");
    let sampling = scene.operator.sample(&["stored_sizes"]);
    let new = old.clone().versions(&["v1", "v1beta1"]);
    kind::install(client, &new.definition());
    // Written again, in the version that is stored now.
    for (kind, name) in [(&old, "b"), (&new, "c")] {
        client.create(&kind.object(Some(&scene.namespace), name, json!({"size": 1})));
    }
    client.patch(&new.object(Some(&scene.namespace), "a", json!({})), &json!({"spec": {"size": 11}}));
    scene.sees("stored_sizes", &[("", 13.0)]);
    scene.wait_ready(&metric);
    wait_watched(&scene, "v1");
    let values = sums(&sampling.end());
    assert!(values.is_sorted() && values[0] == 1.0, "{values:?}");
}

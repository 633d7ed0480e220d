//! What leaves: an operator, a real Collector, and what a backend behind it then knows.

use serde_json::{Value as Json, json};

use crate::harness::sink::point::{Attributes, attributes};
use crate::harness::{Collector, Kind, Plane, Point, Scene, Sink, Value, until};

tests![
    points_reach_the_collector_over_either_protocol,
    each_profile_has_shapes_names_and_attributes_of_its_own,
    a_series_leaves_the_sink_that_it_is_edited_away_from,
    all_series_are_sent_again_at_the_heartbeat,
    metrics_of_one_name_are_told_apart_while_they_must_be,
    a_target_that_is_gone_is_withdrawn_at_the_sink_and_comes_back,
];

pub(super) const RUNNING: &[(&str, &str)] = &[("phase", "Running")];
pub(super) const FAILED: &[(&str, &str)] = &[("phase", "Failed")];

/// The attribute `phase` of Pods.
pub(super) fn by_phase() -> Json {
    json!([{"name": "phase", "fieldPath": "status.phase"}])
}

/// What makes a Metric be sent to the DataSink of this name.
pub(super) fn to(sink: &str) -> Json {
    json!({"name": sink})
}

fn points_reach_the_collector_over_either_protocol() {
    let plane = Plane::shared();
    let client = plane.client();
    let system = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "kube-system"}});
    let system = client.wait(&system, "the namespace kube-system", |_| Ok(()));
    let sink = Sink::start();
    let collector = Collector::before(&sink);
    let scene =
        Scene::on(&plane, "collected").args(&["--heartbeat", "10m", "--cluster-name", "shop"]).start();
    let web = scene.pod("web").phase("Running").create(client);
    scene.pod("database").phase("Running").create(client);
    for (protocol, endpoint) in [("http", collector.http()), ("grpc", collector.grpc())] {
        let name = format!("k8s.pods.{protocol}");
        let data_sink = scene.declare_sink(protocol, &endpoint);
        let spec = json!({"name": name, "projections": by_phase(), "dataSinkRef": to(protocol),
            "description": "Pods by phase."});
        let metric = scene.declare(&format!("collected-{protocol}"), spec);
        let point = sink.wait_value(&name, RUNNING, Value::Integer(2));
        let said = [&point.unit, &point.kind, &point.description, &point.scope].map(String::as_str);
        let scope = concat!("celemetry/", env!("CARGO_PKG_VERSION"));
        assert_eq!(said, ["{pod}", "sum cumulative", "Pods by phase.", scope]);
        assert!(0 < point.start && point.start <= point.time, "{point:?}");
        let resource = |key: &str| point.resource.get(key).map(String::as_str);
        assert_eq!(resource("service.name"), Some("celemetry"));
        assert_eq!(resource("k8s.cluster.name"), Some("shop"));
        assert_eq!(resource("k8s.cluster.uid"), system["metadata"]["uid"].as_str());
        scene.wait_reason(&metric, "Exported", "ExportSucceeded");
        scene.wait_ready(&metric);
        scene.wait_reason(&data_sink, "Ready", "ExportSucceeded");

        client.patch_status(&web, &json!({"phase": "Failed"}));
        sink.wait_series(&name, &[(RUNNING, Value::Integer(1)), (FAILED, Value::Integer(1))]);
        // In one request, so that no backend sees the Pod twice or nowhere.
        let failed = attributes(FAILED);
        let requests = sink.requests();
        let of_change = requests.iter().find(|request| {
            request.points.iter().any(|point| point.name == name && point.attributes == failed)
        });
        let together: Vec<&Attributes> =
            of_change.unwrap().points.iter().map(|point| &point.attributes).collect();
        assert!(together.contains(&&attributes(RUNNING)), "{of_change:?}");
        client.patch_status(&web, &json!({"phase": "Running"}));
        sink.wait_series(&name, &[(RUNNING, Value::Integer(2))]);
        assert_eq!(sink.latest(&name, FAILED).unwrap().value, Value::Withdrawn);
        client.wait(&metric, "the time of the last export", |metric| {
            if metric["status"]["lastExportTime"].is_string() { Ok(()) } else { Err(String::new()) }
        });

        client.delete(&metric);
        sink.wait_series(&name, &[]);
        assert_eq!(sink.latest(&name, RUNNING).unwrap().value, Value::Withdrawn);
    }
}

/// How a point looks, attributes aside.
fn look(point: &Point) -> (String, String, Value) {
    (point.kind.clone(), point.unit.clone(), point.value)
}

fn each_profile_has_shapes_names_and_attributes_of_its_own() {
    let plane = Plane::shared();
    let client = plane.client();
    let kind = Kind::new("Crate").install(client);
    let sink = Sink::start();
    let collector = Collector::before(&sink);
    let integer = |of: &str| json!({"fieldPath": "spec.size", "type": "integer", "aggregation": of});
    let others = |path: &str, kind: &str| json!({"fieldPath": path, "type": kind, "aggregation": "max"});
    let gauge = |value: i64| ("gauge", "", Value::Integer(value));
    // 2026-01-02T03:04:05Z
    let made = 1_767_323_045;
    // What is asked for, as it leaves in profile native, and in both of upstream's.
    let metrics = [
        ("count", json!({}), ("sum cumulative", "{crate}", Value::Integer(2)), gauge(2)),
        ("sum", integer("sum"), ("sum cumulative", "kg", Value::Integer(7)), gauge(7)),
        ("max", integer("max"), ("gauge", "kg", Value::Integer(4)), gauge(4)),
        ("mean", integer("mean"), ("gauge", "kg", Value::Double(3.5)), gauge(3)),
        ("made", others("spec.made", "timestamp"), ("gauge", "s", Value::Integer(made)), gauge(made)),
        // Upstream knows no quantities, and halves of them are no integers.
        (
            "load",
            others("spec.load", "quantity"),
            ("gauge", "kg", Value::Double(0.5)),
            ("gauge", "", Value::Double(0.5)),
        ),
    ];
    for profile in ["native", "upstream-v1", "upstream-v1.2"] {
        let hint = format!("shape-{}", profile.replace('.', "-"));
        let scene = Scene::on(&plane, &hint).profile(profile).args(&["--cluster-name", "shop"]).start();
        scene.declare_sink("default", &collector.grpc());
        for (name, size) in [("a", 3), ("b", 4)] {
            let spec = json!({"size": size, "made": "2026-01-02T03:04:05Z", "load": "500m", "color": "red"});
            client.create(&kind.object(Some(&scene.namespace), name, spec));
        }
        let mut own = vec![("color", "red")];
        if profile != "native" {
            own.extend([
                ("cluster", "shop"),
                ("group", &*kind.group),
                ("resource", "Crate"),
                ("version", "v1"),
            ]);
        }
        for (metric, value_from, native, upstream) in &metrics {
            let (point_kind, unit, value) = if profile == "native" { native } else { upstream };
            let name = format!("{profile}.{metric}");
            let mut spec = json!({
                "name": name, "target": {"group": kind.group, "version": "v1", "kind": "Crate"}, "dataSinkRef": {},
                "description": "Crates.", "projections": [{"name": "color", "fieldPath": "spec.color"}],
            });
            if *metric != "count" {
                spec["valueFrom"] = value_from.clone();
                spec["unit"] = json!("kg");
            }
            scene.declare(metric, spec);
            let point = sink.wait_value(&name, &own, *value);
            assert_eq!(look(&point), ((*point_kind).to_owned(), (*unit).to_owned(), *value), "{name}");
            let scope = concat!("celemetry/", env!("CARGO_PKG_VERSION"));
            let said = if profile == "native" { [scope, "Crates."] } else { ["metric", ""] };
            assert_eq!([&*point.scope, &*point.description], said, "{name}");
        }
        wait_page(&scene, profile);
    }
}

/// Waits until the page shows the sum as the profile has it.
#[track_caller]
fn wait_page(scene: &Scene<'_>, profile: &str) {
    let namespace = &*scene.namespace;
    let (name, labels): (&str, &[(&str, &str)]) = match profile {
        "native" => ("native_sum_kg", &[("color", "red")]),
        "upstream-v1" => (
            "metrics_operator_resource_count",
            &[("metric_name", "upstream-v1.sum"), ("extra_labels", "{\"color\":\"red\"}")],
        ),
        _ => ("upstream_v1_2_sum", &[("color", "red"), ("namespace", namespace), ("cluster", "shop")]),
    };
    until(&format!("{name} on /metrics"), || {
        let page = scene.operator.metrics();
        let found: Vec<f64> = page.find(name, labels).iter().map(|sample| sample.value).collect();
        if found == [7.0] { Ok(()) } else { Err(format!("{found:?}: {page:#?}")) }
    });
}

fn a_series_leaves_the_sink_that_it_is_edited_away_from() {
    let plane = Plane::shared();
    let scene = Scene::on(&plane, "edited-away").args(&["--heartbeat", "10m"]).start();
    let client = scene.client();
    let (first, second) = (Sink::start(), Sink::start());
    scene.declare_sink("first", &first.http());
    scene.declare_sink("second", &second.grpc());
    scene.pod("a").phase("Running").create(client);
    let declare = |part: Json| {
        let mut spec = json!({"name": "away.pods", "projections": by_phase(), "dataSinkRef": to("first")});
        spec.as_object_mut().unwrap().extend(part.as_object().unwrap().clone());
        scene.declare("away", spec)
    };
    let one = Value::Integer(1);
    let metric = declare(json!({}));
    first.wait_series("away.pods", &[(RUNNING, one)]);
    declare(json!({"name": "away.renamed"}));
    first.wait_series("away.renamed", &[(RUNNING, one)]);
    first.wait_series("away.pods", &[]);
    declare(json!({"projections": null}));
    first.wait_series("away.pods", &[(&[], one)]);
    first.wait_series("away.renamed", &[]);
    declare(json!({"dataSinkRef": to("second")}));
    second.wait_series("away.pods", &[(RUNNING, one)]);
    first.wait_series("away.pods", &[]);
    declare(json!({"dataSinkRef": null}));
    second.wait_series("away.pods", &[]);
    scene.wait_reason(&metric, "Exported", "ScrapeOnly");
    scene.sees("away_pods", &[("phase=\"Running\"", 1.0)]);
    declare(json!({}));
    first.wait_series("away.pods", &[(RUNNING, one)]);
    scene.wait_reason(&metric, "Exported", "ExportSucceeded");
}

fn all_series_are_sent_again_at_the_heartbeat() {
    let plane = Plane::shared();
    for (heartbeat, interval) in [("1s", json!(null)), ("10m", json!("1s"))] {
        let scene = Scene::on(&plane, "heartbeat").args(&["--heartbeat", heartbeat]).start();
        let sink = Sink::start();
        scene.declare_sink("default", &sink.http());
        scene.pod("a").phase("Running").create(scene.client());
        let spec =
            |interval: Json| json!({"projections": by_phase(), "dataSinkRef": {}, "interval": interval});
        scene.declare("heartbeat-beats", spec(interval.clone()));
        scene.declare("heartbeat-rests", spec(json!(null)));
        let beats = until("three points of a series that does not change", || {
            let points = sink.history("heartbeat_beats", RUNNING);
            if points.len() >= 3 {
                Ok(points)
            } else {
                Err(format!("{points:#?}\n{}", scene.operator.tail()))
            }
        });
        assert!(beats.iter().all(|point| point.value == Value::Integer(1) && point.start == beats[0].start));
        assert!(beats.windows(2).all(|pair| pair[0].time < pair[1].time), "{beats:#?}");
        if heartbeat == "10m" {
            assert_eq!(sink.history("heartbeat_rests", RUNNING).len(), 1, "nothing asks for it again");
        }
    }
}

fn metrics_of_one_name_are_told_apart_while_they_must_be() {
    let plane = Plane::shared();
    let scene = Scene::on(&plane, "apart").args(&["--heartbeat", "10m"]).start();
    let sink = Sink::start();
    scene.declare_sink("default", &sink.grpc());
    let client = scene.client();
    scene.pod("a").phase("Running").create(client);
    scene.pod("b").phase("Failed").create(client);
    let of = |phase: &str| json!({"name": "apart.pods", "dataSinkRef": {}, "filter": format!("object.status.phase == '{phase}'")});
    scene.declare("apart-running", of("Running"));
    sink.wait_series("apart.pods", &[(&[], Value::Integer(1))]);
    let failed = scene.declare("apart-failed", of("Failed"));
    let own = |name: &'static str| {
        [("celemetry.metric.name", name), ("celemetry.metric.namespace", &*scene.namespace)]
    };
    let both = [own("apart-failed"), own("apart-running")];
    sink.wait_series("apart.pods", &[(&both[0], Value::Integer(1)), (&both[1], Value::Integer(1))]);
    client.delete(&failed);
    sink.wait_series("apart.pods", &[(&[], Value::Integer(1))]);
}

fn a_target_that_is_gone_is_withdrawn_at_the_sink_and_comes_back() {
    let plane = Plane::shared();
    let client = plane.client();
    let scene = Scene::on(&plane, "gone").args(&["--heartbeat", "10m"]).start();
    let sink = Sink::start();
    scene.declare_sink("default", &sink.http());
    let kind = Kind::new("Parcel").install(client);
    let parcel = |name: &str| kind.object(Some(&scene.namespace), name, json!({}));
    client.create(&parcel("a"));
    client.create(&parcel("b"));
    let target = json!({"group": kind.group, "kind": "Parcel"});
    let metric = scene.declare("gone-parcels", json!({"target": target, "dataSinkRef": {}}));
    sink.wait_series("gone_parcels", &[(&[], Value::Integer(2))]);
    scene.wait_ready(&metric);
    kind.remove(client);
    scene.wait_reason(&metric, "Synced", "TargetNotFound");
    sink.wait_series("gone_parcels", &[]);
    let kind = kind.clone().install(client);
    client.create(&kind.object(Some(&scene.namespace), "c", json!({})));
    sink.wait_series("gone_parcels", &[(&[], Value::Integer(1))]);
    scene.wait_ready(&metric);
}

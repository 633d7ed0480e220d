//! What a real API server makes of our statuses and Events.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use celemetry::api::{Group, MetricStatus};
use celemetry::cluster::connect::{Settings, connect};
use celemetry::controller::Mode;
use celemetry::controller::lease::Leadership;
use celemetry::controller::status::{
    DataSinkFacts, ExportFailure, Lookup, MetricFacts, MetricStatusSlot, ObjectRef, SinkState, SourceFacts,
    SourceState, StatusHandle, StatusWriter, TargetState,
};
use celemetry::telemetry::Telemetry;
use k8s_openapi::jiff::Timestamp;
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::harness::plane::User;
use crate::harness::{Answer, Plane, Scene, Sink, runtime, until, until_equal};

tests![
    a_status_stands_as_it_was_computed_in_both_groups,
    a_status_takes_the_place_of_what_metrics_operator_left,
    an_event_stands_beside_its_object_and_repeats,
    what_fails_and_what_is_mended_are_events_of_the_objects_concerned,
    an_operator_to_whom_nothing_happens_asks_for_nothing_and_writes_nothing,
];

/// A writer that leads, as this user.
fn writer(plane: &Plane, user: &User) -> StatusHandle {
    let kubeconfig = plane.kubeconfig(user);
    let _inside = runtime().enter();
    let settings = Settings { kubeconfig: Some(kubeconfig), ..Settings::default() };
    let client = runtime().block_on(connect(&settings)).unwrap().client;
    let (_, leads) = watch::channel(true);
    let (writer, handle) = StatusWriter::new(client, Leadership::of(leads), Arc::new(Telemetry::default()));
    runtime().spawn(writer.run());
    handle
}

fn metric(namespace: &str, name: &str, group: Group) -> Value {
    json!({
        "apiVersion": group.api_version(), "kind": "Metric",
        "metadata": {"namespace": namespace, "name": name},
        "spec": {"name": "k8s.pod.count", "target": {"kind": "Pod", "version": "v1"}},
    })
}

fn reference(object: &Value, kind: &'static str) -> ObjectRef {
    let text = |field: &str| object["metadata"][field].as_str().unwrap().to_owned();
    let group = object["apiVersion"].as_str().unwrap().split('/').next().unwrap();
    ObjectRef {
        group: Group::named(group).unwrap(),
        kind,
        namespace: text("namespace"),
        name: text("name"),
        uid: text("uid"),
    }
}

/// Facts of which every field of a status comes.
fn healthy() -> MetricFacts {
    let now = Timestamp::now();
    let source =
        SourceFacts { name: "pods.v1".into(), state: SourceState::Live, since: now, withdrawn: false };
    let mut engine = celemetry_engine::MetricStatus { series: 2, matched_objects: 3, ..Default::default() };
    engine.errors.count = 1;
    engine.errors.last_message = Some("spec.filter: no such key".into());
    engine.errors.last_object = Some("v1/Pod/shop/web-1".into());
    MetricFacts {
        reconciled: true,
        target: TargetState::Resolved { sources: vec![source] },
        first_list_complete: true,
        sink: SinkState::Healthy,
        engine: Some(engine),
        last_export: Some(now),
        lookup: Some(Lookup::default()),
        ..MetricFacts::first_sight(1, Mode::EventDriven, now)
    }
}

fn failing() -> MetricFacts {
    let sink = SinkState::Failing { failure: ExportFailure::Timeout, since: Timestamp::now() };
    MetricFacts { sink, ..healthy() }
}

fn stands(plane: &Plane, object: &Value, slot: &MetricStatusSlot) -> Value {
    let expected = serde_json::to_value(slot.status()).unwrap();
    plane.client().wait(object, "the status", |now| match now["status"] == expected {
        true => Ok(()),
        false => Err(format!("expected {expected:#}")),
    })
}

fn a_status_stands_as_it_was_computed_in_both_groups() {
    let plane = Plane::shared();
    let namespace = plane.namespace("status");
    let handle = writer(&plane, &plane.operator_user());
    for group in Group::ALL {
        let made = plane.client().create(&metric(&namespace, "pods", group));
        let mut slot = handle.metric(reference(&made, "Metric"), None);
        slot.set(&healthy());
        let stored = stands(&plane, &made, &slot);
        assert_eq!(stored["metadata"]["generation"], 1, "a status is no edit");
        let managers = stored["metadata"]["managedFields"].as_array().unwrap();
        let ours = managers.iter().find(|entry| entry["manager"] == "celemetry").unwrap();
        assert_eq!((&ours["subresource"], &ours["operation"]), (&json!("status"), &json!("Apply")));
        slot.set(&failing());
        stands(&plane, &made, &slot);

        let sink = json!({
            "apiVersion": group.api_version(), "kind": "DataSink",
            "metadata": {"namespace": namespace, "name": "default"},
            "spec": {"connection": {"endpoint": "grpc://127.0.0.1:4317"}},
        });
        let made = plane.client().create(&sink);
        let mut slot = handle.data_sink(reference(&made, "DataSink"), None);
        let (now, state) = (Timestamp::now(), SinkState::Healthy);
        slot.set(&DataSinkFacts { generation: 1, now, known_since: now, errors: vec![], state });
        plane.client().wait_condition(&made, "Ready", "True");
    }
}

fn a_status_takes_the_place_of_what_metrics_operator_left() {
    let plane = Plane::shared();
    let namespace = plane.namespace("status");
    let made = plane.client().create(&metric(&namespace, "old", Group::OpenControlPlane));
    let condition = |kind: &str, status: &str| {
        let time = "2020-01-01T00:00:00Z";
        json!({"type": kind, "status": status, "reason": "Old", "message": "", "lastTransitionTime": time})
    };
    let conditions = [condition("Ready", "True"), condition("Creating", "True")];
    let old = json!({
        "conditions": conditions, "ready": "True",
        "observation": {"timestamp": "2020-01-01T00:00:00Z", "latestValue": "7"},
    });
    let stored = plane.client().patch_status(&made, &old);
    let previous: MetricStatus = serde_json::from_value(stored["status"].clone()).unwrap();
    let handle = writer(&plane, &plane.operator_user());
    let mut slot = handle.metric(reference(&made, "Metric"), Some(&previous));
    slot.set(&healthy());
    let stored = stands(&plane, &made, &slot);
    let conditions = stored["status"]["conditions"].as_array().unwrap();
    let ready = conditions.iter().find(|condition| condition["type"] == "Ready").unwrap();
    assert_eq!(ready["lastTransitionTime"], "2020-01-01T00:00:00Z");
    assert!(conditions.iter().all(|condition| condition["type"] != "Creating"), "{conditions:#?}");
}

fn an_event_stands_beside_its_object_and_repeats() {
    let plane = Plane::shared();
    let namespace = plane.namespace("status");
    let made = plane.client().create(&metric(&namespace, "pods", Group::OpenControlPlane));
    let handle = writer(&plane, &plane.operator_user());
    let mut slot = handle.metric(reference(&made, "Metric"), None);
    slot.set(&failing());
    let events = || {
        let mut events: Vec<_> = plane
            .client()
            .list("events.k8s.io/v1", "Event", Some(&namespace))
            .iter()
            .map(|event| format!("{} {} {}", event["type"], event["reason"], event["series"]["count"]))
            .collect();
        events.sort();
        events
    };
    until_equal("the Event", &vec![r#""Warning" "MetricFailed" null"#.to_owned()], events);
    slot.set(&healthy());
    slot.set(&failing());
    let expected =
        [r#""Normal" "MetricAvailable" null"#.to_owned(), r#""Warning" "MetricFailed" 2"#.to_owned()];
    until_equal("its repetition", &expected.to_vec(), events);
    let text = plane
        .kubectl(&plane.operator_user())
        .args(["describe", "metrics.metrics.open-control-plane.io", "pods", "--namespace", &namespace])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&text.stdout).into_owned();
    assert!(text.contains("MetricFailed") && text.contains("Metric-controller"), "{text}");
}

/// The Events about an object: type, reason and action.
fn events_of(scene: &Scene<'_>, declared: &Value) -> BTreeSet<String> {
    let stored = scene.client().read(declared).unwrap();
    let events = scene.client().list("events.k8s.io/v1", "Event", Some(&scene.namespace)).into_iter();
    let of_it = events.filter(|event| event["regarding"]["uid"] == stored["metadata"]["uid"]);
    of_it
        .map(|event| {
            assert_eq!(event["regarding"]["kind"], declared["kind"]);
            assert_eq!(event["reportingInstance"], "replica-1", "{event:#}");
            let text = |field: &str| event[field].as_str().unwrap().to_owned();
            assert!(!text("note").contains("canary"), "{event:#}");
            format!("{} {} {}", text("type"), text("reason"), text("action"))
        })
        .collect()
}

fn what_fails_and_what_is_mended_are_events_of_the_objects_concerned() {
    let plane = Plane::shared();
    let scene = Scene::on(&plane, "events").env("POD_NAME", "replica-1").args(&["--heartbeat", "1s"]).start();
    let (client, sink) = (scene.client(), Sink::start());
    let wait = |declared: &Value, expected: &[&str]| {
        let expected: BTreeSet<String> = expected.iter().map(|one| (*one).to_owned()).collect();
        until_equal("the Events", &expected, || events_of(&scene, declared));
    };
    let (failed, available) =
        ("Warning MetricFailed ReconcileMetric", "Normal MetricAvailable ReconcileMetric");
    let lost = "Warning DataSinkFetchError GetDataSinkCredentials";
    let keyless = "Warning SecretKeyNotFound GetDataSinkCredentials";
    let unicorns = scene.declare("events-unicorns", json!({"target": {"kind": "Unicorn"}}));
    wait(&unicorns, &[failed]);
    let metric = scene.declare("events-pods", json!({"dataSinkRef": {}}));
    wait(&metric, &[lost]);
    let secret = client.create(&scene.secret("token", &json!({"other": "canary"})));
    let key = json!({"apiKey": {"secretKeyRef": {"name": "token", "key": "key"}}});
    let data_sink = scene.declare_sink_with("default", &sink.http(), &key);
    wait(&data_sink, &[keyless]);
    wait(&metric, &[lost, keyless]);
    client.patch(&secret, &json!({"stringData": {"key": "canary"}}));
    let sink_available = "Normal DataSinkAvailable ReconcileDataSink";
    wait(&data_sink, &[keyless, sink_available]);
    wait(&metric, &[lost, keyless, available]);
    sink.answer(Answer::Status(503));
    wait(&data_sink, &[keyless, sink_available, "Warning DataSinkFailed ReconcileDataSink"]);
    wait(&metric, &[lost, keyless, available, failed]);
    wait(&unicorns, &[failed]);
}

fn an_operator_to_whom_nothing_happens_asks_for_nothing_and_writes_nothing() {
    let plane = Plane::own();
    let scene = Scene::on(&plane, "quiet").args(&["--heartbeat", "1s"]).start();
    let (client, sink) = (scene.client(), Sink::start());
    let data_sink = scene.declare_sink("default", &sink.http());
    let pod = scene.pod("a").phase("Running").create(client);
    let by_phase = json!([{"name": "phase", "fieldPath": "status.phase"}]);
    let metric = scene.declare("quiet-pods", json!({"dataSinkRef": {}, "projections": by_phase}));
    scene.wait_ready(&metric);
    scene.wait_reason(&metric, "Exported", "ExportSucceeded");
    scene.wait_reason(&data_sink, "Ready", "ExportSucceeded");
    let requests = || plane.requests(&scene.user);
    let written = |of: &str| {
        let of_status = requests().into_iter().filter(|one| one.subresource == "status" && one.name == of);
        of_status.count()
    };
    assert!((1..=4).contains(&written("quiet-pods")), "{} writes to get there", written("quiet-pods"));
    assert!((1..=3).contains(&written("default")), "{} writes to get there", written("default"));
    // Heartbeats pass and objects change; what is written about them can wait, and what was written is no news. Only the
    // server is asked a few times what it serves.
    let heard = sink.requests().len();
    let mut silence = (requests().len(), Instant::now());
    until("five seconds without a request", || {
        let phase = if sink.requests().len() % 2 == 0 { "Running" } else { "Failed" };
        client.patch_status(&pod, &json!({"phase": phase}));
        let now = requests();
        if now.len() != silence.0 {
            silence = (now.len(), Instant::now());
        }
        if silence.1.elapsed() >= Duration::from_secs(5) { Ok(()) } else { Err(format!("{:#?}", now.last())) }
    });
    assert!(sink.requests().len() > heard + 3, "it was awake");
    let before = requests();
    let lists = before.iter().filter(|request| request.resource == "pods" && request.reads_all()).count();
    assert_eq!(lists, 1, "no status that was written led to a list");
    // Metadata that somebody writes are no edit of the Metric: nothing is listed or compiled anew.
    client.patch(&metric, &json!({"metadata": {"annotations": {"note": "looked at"}}}));
    let other = scene.declare("quiet-other", json!({}));
    scene.wait_ready(&other);
    assert_eq!(client.read(&metric).unwrap()["metadata"]["generation"], 1);
    let written = requests().into_iter().skip(before.len());
    let written: Vec<_> =
        written.filter(|one| one.subresource == "status" && one.name == "quiet-pods").collect();
    assert!(written.is_empty(), "{written:#?}");
}

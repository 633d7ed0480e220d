//! Which changes are Events, and how they reach an API server.

use std::sync::Arc;

use tokio::sync::watch;

use super::server::{AT_ONCE, Asked, Server, client};
use super::*;
use crate::api::DataSinkStatus;
use crate::controller::lease::Leadership;
use crate::controller::status::event::{of_data_sink, of_metric};
use crate::controller::status::facts::{DataSinkFacts, ExportFailure, NameState, SinkDefect, SourceFault};
use crate::controller::status::{StatusHandle, StatusWriter, data_sink_status, metric_status};
use crate::telemetry::Telemetry;

const SECOND: Duration = Duration::from_secs(1);

fn conditions(facts: &MetricFacts) -> Vec<Condition> {
    metric_status(facts, &MetricStatus::default()).conditions
}

fn unusable(defect: SinkDefect) -> MetricFacts {
    MetricFacts { sink: SinkState::Unusable(defect), ..healthy() }
}

fn failing(failure: ExportFailure) -> MetricFacts {
    MetricFacts { sink: SinkState::Failing { failure, since: at(0) }, ..healthy() }
}

fn source_fails(fault: SourceFault) -> MetricFacts {
    let state = SourceState::Failed { fault, message: String::new() };
    MetricFacts { target: TargetState::Resolved { sources: vec![source("pods.v1", state)] }, ..healthy() }
}

fn overflowing() -> MetricFacts {
    let engine = celemetry_engine::MetricStatus { overflowing: true, ..Default::default() };
    MetricFacts { engine: Some(engine), ..healthy() }
}

fn listing() -> MetricFacts {
    MetricFacts { first_list_complete: false, ..healthy() }
}

#[test]
fn what_begins_and_what_ends_is_an_event_and_nothing_else() {
    let name = || String::from("ops/key");
    let taken = || MetricFacts { name: NameState::Taken("is taken".into()), ..healthy() };
    let secret = || unusable(SinkDefect::SecretNotFound { name: name() });
    let key = || unusable(SinkDefect::SecretKeyNotFound { name: name(), key: "k".into() });
    let sink = || unusable(SinkDefect::DataSinkNotFound { name: name() });
    let timeout = || failing(ExportFailure::Timeout);
    let unseen = || MetricFacts { reconciled: false, ..healthy() };
    for (before, after, expected) in [
        (None, unseen(), ""),
        (None, healthy(), "Normal MetricAvailable ReconcileMetric"),
        (Some(listing()), healthy(), "Normal MetricAvailable ReconcileMetric"),
        (Some(timeout()), healthy(), "Normal MetricAvailable ReconcileMetric"),
        (Some(healthy()), healthy(), ""),
        (Some(healthy()), listing(), ""),
        (Some(healthy()), failing(ExportFailure::PointsRejected), ""),
        (None, timeout(), "Warning MetricFailed ReconcileMetric"),
        (Some(healthy()), timeout(), "Warning MetricFailed ReconcileMetric"),
        (Some(timeout()), timeout(), ""),
        (Some(timeout()), failing(ExportFailure::Refused), ""),
        (Some(timeout()), taken(), "Warning MetricFailed ReconcileMetric"),
        (Some(taken()), source_fails(SourceFault::Forbidden), "Warning MetricFailed ReconcileMetric"),
        (
            Some(source_fails(SourceFault::Forbidden)),
            source_fails(SourceFault::NotFound),
            "Warning MetricFailed ReconcileMetric",
        ),
        (Some(healthy()), sink(), "Warning DataSinkFetchError GetDataSinkCredentials"),
        (Some(sink()), secret(), "Warning DataSinkFetchError GetDataSinkCredentials"),
        (Some(secret()), key(), "Warning SecretKeyNotFound GetDataSinkCredentials"),
        (Some(key()), key(), ""),
        (Some(healthy()), overflowing(), "Warning SeriesLimitExceeded ReconcileMetric"),
        (Some(overflowing()), overflowing(), ""),
        (Some(overflowing()), healthy(), "Normal WithinLimits ReconcileMetric"),
    ] {
        let before = before.map(|facts| conditions(&facts)).unwrap_or_default();
        let said = of_metric(&before, &conditions(&after));
        let said: Vec<_> = said
            .iter()
            .map(|said| {
                let kind = if said.warning { "Warning" } else { "Normal" };
                format!("{kind} {} {}", said.reason, said.action)
            })
            .collect();
        assert_eq!(said.join(", "), expected, "{:?} to {:?}", before.first(), conditions(&after).first());
    }
}

#[test]
fn data_sinks_have_events_too() {
    let conditions = |state| {
        let facts = DataSinkFacts { generation: 1, now: at(0), known_since: at(0), errors: vec![], state };
        data_sink_status(&facts, &DataSinkStatus::default()).conditions
    };
    let failing = |failure| SinkState::Failing { failure, since: at(0) };
    let secret = || SinkState::Unusable(SinkDefect::SecretNotFound { name: "a/b".into() });
    let key = || SinkState::Unusable(SinkDefect::SecretKeyNotFound { name: "a/b".into(), key: "k".into() });
    for (before, after, expected) in [
        (SinkState::NotAsked, SinkState::Healthy, "DataSinkAvailable"),
        (SinkState::Healthy, failing(ExportFailure::Refused), "DataSinkFailed"),
        (failing(ExportFailure::Refused), failing(ExportFailure::Timeout), ""),
        (failing(ExportFailure::Refused), secret(), "DataSinkFetchError"),
        (secret(), key(), "SecretKeyNotFound"),
        (key(), SinkState::NotTried, "DataSinkAvailable"),
        (SinkState::NotTried, SinkState::Healthy, ""),
    ] {
        let said = of_data_sink(&conditions(before.clone()), &conditions(after));
        assert_eq!(said.map_or("", |said| said.reason), expected, "{before:?}");
    }
}

struct Running {
    handle: StatusHandle,
    server: Server,
    telemetry: Arc<Telemetry>,
    _leader: watch::Sender<bool>,
}

fn start() -> Running {
    let (client, server) = client();
    let (leader, following) = watch::channel(true);
    let telemetry = Arc::new(Telemetry::default());
    let (writer, handle) = StatusWriter::new(client, Leadership::of(following), Arc::clone(&telemetry));
    tokio::spawn(writer.reporting_as("celemetry-0").run());
    Running { handle, server, telemetry, _leader: leader }
}

async fn events(server: &mut Server, time: Duration) -> Vec<Asked> {
    let asked = server.asked_for(time).await;
    asked.into_iter().filter(|asked| asked.uri.contains("events.k8s.io")).collect()
}

fn reading(telemetry: &Telemetry, name: &str) -> u64 {
    let readings = telemetry.readings(0, 0);
    readings.iter().find(|reading| reading.name == name).expect("the metric exists").value
}

#[tokio::test(start_paused = true)]
async fn an_event_is_created_beside_its_object() {
    let Running { handle, mut server, telemetry, .. } = start();
    let mut slot = handle.metric(object("pods"), None);
    slot.set(&unusable(SinkDefect::SecretKeyNotFound { name: "ops/key".into(), key: "token".into() }));
    let asked = events(&mut server, SECOND).await;
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].method, http::Method::POST);
    assert!(asked[0].uri.starts_with("/apis/events.k8s.io/v1/namespaces/shop/events"), "{}", asked[0].uri);
    let body = &asked[0].body;
    let name = body["metadata"]["name"].as_str().unwrap();
    assert!(name.starts_with("pods.") && name.len() == "pods.".len() + 16, "{name}");
    assert_eq!(body["metadata"]["namespace"], "shop");
    for (field, expected) in [
        ("type", "Warning"),
        ("reason", "SecretKeyNotFound"),
        ("action", "GetDataSinkCredentials"),
        ("note", "Secret ops/key of the sink has no key 'token'"),
        ("reportingController", "Metric-controller"),
        ("reportingInstance", "celemetry-0"),
    ] {
        assert_eq!(body[field], expected, "{field}");
    }
    let regarding = serde_json::json!({
        "apiVersion": "metrics.open-control-plane.io/v1alpha1", "kind": "Metric",
        "namespace": "shop", "name": "pods", "uid": "uid-of-pods",
    });
    assert_eq!(body["regarding"], regarding);
    assert!(body["eventTime"].is_string());
    assert_eq!(reading(&telemetry, "celemetry_events_published_total"), 1);
}

#[tokio::test(start_paused = true)]
async fn what_happens_again_is_a_series_and_after_a_while_a_new_event() {
    let Running { handle, mut server, .. } = start();
    let mut slot = handle.metric(object("pods"), None);
    let mut asked = vec![];
    for pause in [1, 1, 361] {
        slot.set(&failing(ExportFailure::Timeout));
        slot.set(&healthy());
        asked.extend(events(&mut server, pause * SECOND).await);
    }
    slot.set(&failing(ExportFailure::Timeout));
    asked.extend(events(&mut server, SECOND).await);
    let said: Vec<_> = asked
        .iter()
        .map(|asked| format!("{} {}{}", asked.method, asked.body["reason"], asked.body["series"]["count"]))
        .collect();
    let new = ["POST \"MetricFailed\"null", "POST \"MetricAvailable\"null"];
    let again = |count| [format!("PATCH null{count}"), format!("PATCH null{count}")];
    let expected: Vec<_> = new
        .map(String::from)
        .into_iter()
        .chain(again(2))
        .chain(again(3))
        .chain([String::from("POST \"MetricFailed\"null")])
        .collect();
    assert_eq!(said, expected);
    let name = asked[0].body["metadata"]["name"].as_str().unwrap();
    assert!(asked[2].uri.contains(&format!("/events/{name}?")), "{}", asked[2].uri);
}

#[tokio::test(start_paused = true)]
async fn another_fault_under_the_same_reason_is_another_event() {
    let Running { handle, mut server, .. } = start();
    let mut slot = handle.metric(object("pods"), None);
    slot.set(&source_fails(SourceFault::Forbidden));
    slot.set(&source_fails(SourceFault::NotFound));
    let asked = events(&mut server, SECOND).await;
    let notes: Vec<_> = asked.iter().filter_map(|asked| asked.body["note"].as_str()).collect();
    assert!(notes.len() == 2 && notes[0].contains("no right") && notes[1].contains("not serve"), "{notes:?}");
}

#[tokio::test(start_paused = true)]
async fn an_event_that_is_gone_is_created_anew() {
    let Running { handle, mut server, .. } = start();
    server.answer(|asked| (if asked.uri.contains("/events/") { 404 } else { 200 }, AT_ONCE));
    let mut slot = handle.metric(object("pods"), None);
    for facts in [failing(ExportFailure::Timeout), healthy(), failing(ExportFailure::Timeout)] {
        slot.set(&facts);
    }
    let methods: Vec<_> =
        events(&mut server, SECOND).await.iter().map(|asked| asked.method.to_string()).collect();
    assert_eq!(methods, ["POST", "POST", "PATCH", "POST"]);
}

#[tokio::test(start_paused = true)]
async fn an_object_that_flaps_for_hours_fills_no_etcd() {
    let Running { handle, mut server, telemetry, .. } = start();
    let mut slot = handle.metric(object("pods"), None);
    let mut asked = 0;
    for _ in 0..600 {
        slot.set(&failing(ExportFailure::Timeout));
        slot.set(&healthy());
        asked += events(&mut server, 6 * SECOND).await.len();
    }
    // An hour: the burst of 25, and one every five minutes.
    assert!((25..=25 + 12).contains(&asked), "{asked}");
    let dropped = reading(&telemetry, "celemetry_events_dropped_total");
    assert_eq!(asked as u64 + dropped, 1200);
}

#[tokio::test(start_paused = true)]
async fn events_that_are_refused_or_too_many_are_dropped_and_counted() {
    let Running { handle, mut server, telemetry, .. } = start();
    server.answer(|asked| (if asked.uri.contains("events.k8s.io") { 403 } else { 200 }, AT_ONCE));
    let mut slots: Vec<_> = (0..2000).map(|n| handle.metric(object(&format!("m{n}")), None)).collect();
    for slot in &mut slots {
        slot.set(&failing(ExportFailure::Timeout));
    }
    assert_eq!(reading(&telemetry, "celemetry_events_dropped_total"), 2000 - 1024);
    let asked = events(&mut server, 120 * SECOND).await;
    assert_eq!(asked.len(), 1024);
    assert_eq!(reading(&telemetry, "celemetry_events_dropped_total"), 2000);
}

#[tokio::test(start_paused = true)]
async fn notes_and_names_keep_to_the_api_servers_limits() {
    let Running { handle, mut server, .. } = start();
    let name = format!("{}.{}", "a".repeat(235), "b".repeat(17));
    let mut slot = handle.metric(object(&name), None);
    let error = crate::controller::LowerError {
        place: "spec.filter".into(),
        line: 1,
        column: 1,
        message: "é".repeat(400),
    };
    slot.set(&MetricFacts { errors: vec![error; 100], ..healthy() });
    let asked = events(&mut server, SECOND).await;
    assert!(asked[0].body["note"].as_str().unwrap().len() <= 1024);
    let name = asked[0].body["metadata"]["name"].as_str().unwrap();
    assert!(name.len() <= 253 && name.starts_with(&"a".repeat(235)), "{name}");
    assert!(!name.contains("..") && !name.contains("-."), "{name}");
}

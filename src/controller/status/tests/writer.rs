//! The writer against an API server that answers as it is told, on a clock that nobody waits for.

use std::sync::Arc;

use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::server::{AT_ONCE, Server, client};
use super::*;
use crate::api::DataSinkStatus;
use crate::controller::lease::Leadership;
use crate::controller::status::facts::{DataSinkFacts, ExportFailure};
use crate::controller::status::{StatusHandle, StatusWriter, metric_status};
use crate::telemetry::Telemetry;

struct Running {
    handle: StatusHandle,
    server: Server,
    leader: watch::Sender<bool>,
    telemetry: Arc<Telemetry>,
    writer: JoinHandle<()>,
}

fn start(leads: bool) -> Running {
    let (client, server) = client();
    let (leader, following) = watch::channel(leads);
    let telemetry = Arc::new(Telemetry::default());
    let (writer, handle) = StatusWriter::new(client, Leadership::of(following), Arc::clone(&telemetry));
    let writer = tokio::spawn(writer.reporting_as("celemetry-0").run());
    // Statuses only: an Event is another request.
    Running { handle, server, leader, telemetry, writer }
}

fn reading(telemetry: &Telemetry, name: &str) -> u64 {
    let readings = telemetry.readings(0, 0);
    readings.iter().find(|reading| reading.name == name).expect("the metric exists").value
}

fn failing() -> MetricFacts {
    let sink = SinkState::Failing { failure: ExportFailure::Timeout, since: at(0) };
    MetricFacts { sink, ..healthy() }
}

/// Requests for statuses, without those for Events.
fn statuses(asked: Vec<server::Asked>) -> Vec<server::Asked> {
    asked.into_iter().filter(|asked| asked.uri.contains("/status")).collect()
}

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn a_status_is_applied_to_the_subresource_by_force() {
    let Running { handle, mut server, .. } = start(true);
    let mut slot = handle.metric(object("pods"), None);
    slot.set(&healthy());
    let asked = statuses(server.asked_for(SECOND).await);
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].method, http::Method::PATCH);
    assert_eq!(asked[0].content_type, "application/apply-patch+yaml");
    let (path, query) = asked[0].uri.split_once('?').unwrap();
    assert_eq!(path, "/apis/metrics.open-control-plane.io/v1alpha1/namespaces/shop/metrics/pods/status");
    let query: Vec<_> = query.split('&').filter(|part| !part.is_empty()).collect();
    assert_eq!(query, ["force=true", "fieldManager=celemetry"]);
    let body = &asked[0].body;
    assert_eq!(body["apiVersion"], "metrics.open-control-plane.io/v1alpha1");
    assert_eq!(body["kind"], "Metric");
    assert_eq!(body["metadata"], serde_json::json!({ "namespace": "shop", "name": "pods" }));
    assert_eq!(body["status"], serde_json::to_value(slot.status()).unwrap());
}

#[tokio::test(start_paused = true)]
async fn a_data_sink_has_a_status_too_in_the_old_group_as_well() {
    let Running { handle, mut server, .. } = start(true);
    let object = ObjectRef { group: Group::OpenMcp, kind: "DataSink", ..object("default") };
    let mut slot = handle.data_sink(object, Some(&DataSinkStatus::default()));
    let state = SinkState::Healthy;
    slot.set(&DataSinkFacts { generation: 3, now: at(0), known_since: at(0), errors: vec![], state });
    let asked = statuses(server.asked_for(SECOND).await);
    assert!(
        asked[0]
            .uri
            .starts_with("/apis/metrics.openmcp.cloud/v1alpha1/namespaces/shop/datasinks/default/status?")
    );
    assert_eq!(asked[0].body["status"]["conditions"][0]["reason"], "ExportSucceeded");
    assert_eq!(asked[0].body["status"]["observedGeneration"], 3);
}

#[tokio::test(start_paused = true)]
async fn of_many_statuses_in_a_row_the_last_is_written_once() {
    let Running { handle, mut server, telemetry, .. } = start(true);
    let mut slot = handle.metric(object("pods"), None);
    for facts in [healthy(), failing(), healthy(), failing()] {
        slot.set(&facts);
    }
    let asked = statuses(server.asked_for(50 * SECOND).await);
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].body["status"]["ready"], "False");
    assert_eq!(reading(&telemetry, "celemetry_status_writes_total"), 1);
    assert_eq!(reading(&telemetry, "celemetry_statuses_waiting"), 0);
}

#[tokio::test(start_paused = true)]
async fn what_was_seen_at_first_sight_is_not_written_again() {
    let Running { handle, mut server, .. } = start(true);
    let status = metric_status(&healthy(), &MetricStatus::default());
    let mut slot = handle.metric(object("pods"), Some(&status));
    slot.set(&healthy());
    assert_eq!(server.asked_for(1000 * SECOND).await.len(), 0);
    // A figure waits for its minute.
    let engine = celemetry_engine::MetricStatus { series: 99, ..Default::default() };
    slot.set(&MetricFacts { engine: Some(engine), ..healthy() });
    slot.set(&MetricFacts { now: at(1), ..healthy() });
    assert_eq!(server.asked_for(1000 * SECOND).await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_standby_writes_nothing_and_says_nothing_until_it_leads() {
    let Running { handle, mut server, leader, .. } = start(false);
    let mut slot = handle.metric(object("pods"), None);
    slot.set(&healthy());
    slot.set(&failing());
    assert_eq!(server.asked_for(1000 * SECOND).await.len(), 0);
    leader.send(true).unwrap();
    let asked = server.asked_for(SECOND).await;
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].body["status"]["ready"], "False");
    leader.send(false).unwrap();
    slot.set(&healthy());
    assert_eq!(server.asked_for(1000 * SECOND).await.len(), 0);
    // Another leader may have written anything meanwhile.
    slot.set(&failing());
    leader.send(true).unwrap();
    assert_eq!(statuses(server.asked_for(SECOND).await).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_takeover_keeps_the_times_of_the_leader_before() {
    let Running { handle, server: _server, leader, .. } = start(false);
    let mut slot = handle.metric(object("pods"), None);
    slot.set(&MetricFacts { now: at(500), ..healthy() });
    slot.stored(&metric_status(&healthy(), &MetricStatus::default()));
    slot.set(&MetricFacts { now: at(600), ..healthy() });
    let ready = |slot: &crate::controller::status::MetricStatusSlot| {
        Condition::find(&slot.status().conditions, "Ready").unwrap().last_transition_time.clone()
    };
    assert_eq!(ready(&slot), "2026-11-24T12:00:00Z");
    // And who leads knows better than what comes back from the API server late.
    leader.send(true).unwrap();
    slot.set(&MetricFacts { now: at(700), ..failing() });
    slot.stored(&metric_status(&healthy(), &MetricStatus::default()));
    assert_eq!(slot.status().ready.as_deref(), Some("False"));
}

#[tokio::test(start_paused = true)]
async fn a_takeover_says_of_the_sink_what_the_leader_before_did_until_it_is_tried() {
    let Running { handle, server: _server, leader, .. } = start(false);
    let mut slot = handle.metric(object("pods"), None);
    let untried = |seconds| MetricFacts { now: at(seconds), sink: SinkState::NotTried, ..healthy() };
    let exported = |slot: &crate::controller::status::MetricStatusSlot| {
        Condition::find(&slot.status().conditions, "Exported").unwrap().reason.clone()
    };
    // A standby that has been there for long.
    slot.set(&untried(5_000));
    slot.stored(&metric_status(&healthy(), &MetricStatus::default()));
    slot.set(&untried(5_001));
    leader.send(true).unwrap();
    slot.set(&untried(5_002));
    assert_eq!(exported(&slot), "ExportSucceeded");
    slot.set(&untried(6_000));
    assert_eq!(exported(&slot), "NotTriedYet");
}

#[tokio::test(start_paused = true)]
async fn a_write_that_is_refused_is_tried_again_until_it_stands() {
    for refusal in [409, 422, 429, 500, 503, 403] {
        let Running { handle, mut server, telemetry, .. } = start(true);
        let mut refusals = 3;
        server.answer(move |asked| {
            refusals -= i32::from(asked.uri.contains("/status"));
            (if refusals >= 0 { refusal } else { 200 }, AT_ONCE)
        });
        let mut slot = handle.metric(object("pods"), None);
        slot.set(&healthy());
        let asked = statuses(server.asked_for(1000 * SECOND).await);
        assert_eq!(asked.len(), 4, "{refusal}");
        let pauses: Vec<_> = asked.windows(2).map(|pair| (pair[1].at - pair[0].at).as_secs()).collect();
        assert!(pauses.is_sorted() && pauses[2] >= 4, "{refusal}: {pauses:?}");
        assert_eq!(reading(&telemetry, "celemetry_status_write_failures_total"), 3);
    }
}

#[tokio::test(start_paused = true)]
async fn an_api_server_that_hangs_holds_up_nobody_for_ever() {
    let Running { handle, mut server, .. } = start(true);
    server.answer(|asked| (200, if asked.uri.contains("/hangs") { 10_000 * SECOND } else { AT_ONCE }));
    let mut slots: Vec<_> =
        (0..20).map(|n| handle.metric(object(&format!("{}{n}", ["hangs", "works"][n % 2])), None)).collect();
    for slot in &mut slots {
        slot.set(&healthy());
    }
    let asked = statuses(server.asked_for(30 * SECOND).await);
    let works = asked.iter().filter(|asked| asked.uri.contains("/works")).count();
    assert_eq!(works, 10, "each is written once");
}

#[tokio::test(start_paused = true)]
async fn what_is_gone_is_not_written_again_and_a_successor_is() {
    let Running { handle, mut server, .. } = start(true);
    server.answer(|_| (404, AT_ONCE));
    let mut slot = handle.metric(object("pods"), None);
    slot.set(&healthy());
    assert_eq!(statuses(server.asked_for(SECOND).await).len(), 1);
    slot.set(&failing());
    assert_eq!(statuses(server.asked_for(1000 * SECOND).await).len(), 0);
    drop(slot);
    server.answer(|_| (200, AT_ONCE));
    let mut slot = handle.metric(ObjectRef { uid: "another".into(), ..object("pods") }, None);
    slot.set(&healthy());
    assert_eq!(statuses(server.asked_for(SECOND).await).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_slot_that_is_dropped_is_forgotten() {
    let Running { handle, mut server, .. } = start(true);
    server.answer(|_| (503, AT_ONCE));
    let mut slot = handle.metric(object("pods"), None);
    slot.set(&healthy());
    assert!(!server.asked_for(SECOND).await.is_empty());
    drop(slot);
    assert_eq!(statuses(server.asked_for(1000 * SECOND).await).len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_lost_lead_calls_back_what_is_under_way() {
    let Running { handle, mut server, leader, telemetry, .. } = start(true);
    server.answer(|_| (200, 5 * SECOND));
    let mut slot = handle.metric(object("pods"), None);
    slot.set(&healthy());
    server.asked().await;
    leader.send(false).unwrap();
    server.asked_for(20 * SECOND).await;
    assert_eq!(reading(&telemetry, "celemetry_status_writes_total"), 0);
}

#[tokio::test(start_paused = true)]
async fn the_writer_ends_with_its_handles_and_goes_on_without_whoever_decides_about_the_lead() {
    let Running { handle, mut server, leader, writer, .. } = start(true);
    drop(leader);
    let mut slot = handle.metric(object("pods"), None);
    slot.set(&healthy());
    assert_eq!(statuses(server.asked_for(SECOND).await).len(), 1);
    drop(handle);
    assert!(!writer.is_finished());
    drop(slot);
    tokio::time::timeout(SECOND, writer).await.expect("it ends").expect("it does not panic");
}

#[tokio::test(start_paused = true)]
async fn a_thousand_metrics_whose_sink_fails_are_told_within_two_minutes() {
    let Running { handle, mut server, .. } = start(true);
    let status = metric_status(&healthy(), &MetricStatus::default());
    let mut slots: Vec<_> =
        (0..1000).map(|n| handle.metric(object(&format!("m{n}")), Some(&status))).collect();
    for slot in &mut slots {
        slot.set(&failing());
    }
    let asked = statuses(server.asked_for(120 * SECOND).await);
    assert_eq!(asked.len(), 1000);
    let first = asked[0].at;
    let within_a_second = asked.iter().filter(|asked| asked.at < first + SECOND).count();
    assert!((50..=60).contains(&within_a_second), "{within_a_second}");
}

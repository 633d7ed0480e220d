//! The coordinator under a paused clock: time passes only where a test says so.

use std::sync::Arc;
use std::time::Duration;

use celemetry_engine::Options;
use celemetry_engine::change::{Change, Origin, SourceId};
use celemetry_engine::definition::{Definition, MetricInfo, TextForm};
use celemetry_engine::row::{Decoder, Defaults};
use celemetry_engine::snapshot::{MetricId, Number, Snapshot};
use tokio::sync::watch;
use tokio::time::{Instant, advance, sleep, timeout};

use super::debounce::Schedule;
use super::{Handle, MetricUpdateCoordinator, Registration, Settings, Stopped};

const SECOND: Duration = Duration::from_secs(1);

fn start() -> Handle {
    let settings = Settings {
        engine: Options::default(),
        heartbeat: Duration::from_secs(60),
        on_failure: Box::new(|_| {}),
        telemetry: Arc::default(),
    };
    let (coordinator, handle) = MetricUpdateCoordinator::new(settings);
    tokio::spawn(coordinator.run());
    handle
}

fn count(name: &str, sources: &[SourceId]) -> Registration {
    let definition = Definition {
        info: Arc::new(MetricInfo { name: name.into(), ..MetricInfo::default() }),
        tenant: "shop".into(),
        labels: vec![],
        fields: vec![],
        namespaces: None,
        filter: None,
        for_each: None,
        projections: vec![],
        value: None,
        text: TextForm::Native,
        max_series: 10_000,
    };
    let schedule = Schedule { debounce: SECOND, interval: Duration::from_secs(600) };
    Registration { definition, sources: sources.to_vec(), schedule }
}

async fn send(handle: &Handle, source: SourceId, change: Change) {
    handle.changes().send((source, change)).await.unwrap();
}

async fn pod(handle: &Handle, source: SourceId, name: &str) -> Change {
    let plan = handle.plans(source).await.unwrap().unwrap().borrow().clone();
    let object = format!(
        r#"{{"apiVersion":"v1","kind":"Pod","metadata":{{"namespace":"shop","name":"{name}","uid":"{name}"}}}}"#
    );
    let row = Decoder::new(plan).decode(object.as_bytes(), Defaults::default()).unwrap();
    Change::Upsert { row, origin: Origin::Watch }
}

async fn begin(handle: &Handle, source: SourceId) {
    let epoch = handle.plans(source).await.unwrap().unwrap().borrow().epoch();
    send(handle, source, Change::Begin { epoch }).await;
}

/// One source that is complete, with one metric that counts its objects.
async fn listed() -> (Handle, SourceId, MetricId) {
    let handle = start();
    let source = handle.add_source().await.unwrap();
    let metric = handle.register(count("pods", &[source])).await.unwrap().unwrap();
    begin(&handle, source).await;
    send(&handle, source, Change::End).await;
    handle.flush().await.unwrap();
    (handle, source, metric)
}

fn total(snapshot: &Snapshot, metric: MetricId) -> Option<i64> {
    match snapshot.metrics.get(&metric)?.iter().next()?.number {
        Number::Integer(n) => Some(n),
        Number::Double(_) => None,
    }
}

async fn next(snapshots: &mut watch::Receiver<Arc<Snapshot>>) -> Arc<Snapshot> {
    snapshots.changed().await.unwrap();
    snapshots.borrow_and_update().clone()
}

#[tokio::test(start_paused = true)]
async fn a_change_is_published_one_debounce_later_and_later_changes_join_it() {
    let (handle, source, metric) = listed().await;
    let mut snapshots = handle.snapshots();
    snapshots.mark_unchanged();
    let changed = Instant::now();
    send(&handle, source, pod(&handle, source, "web-1").await).await;
    sleep(Duration::from_millis(700)).await;
    send(&handle, source, pod(&handle, source, "web-2").await).await;
    let snapshot = next(&mut snapshots).await;
    assert_eq!(changed.elapsed().as_millis() / 10, 100);
    assert_eq!(total(&snapshot, metric), Some(2));
}

#[tokio::test(start_paused = true)]
async fn nothing_is_published_before_the_first_list_is_complete() {
    let handle = start();
    let source = handle.add_source().await.unwrap();
    let metric = handle.register(count("pods", &[source])).await.unwrap().unwrap();
    begin(&handle, source).await;
    send(&handle, source, pod(&handle, source, "web-1").await).await;
    assert_eq!(total(&handle.flush().await.unwrap(), metric), None);
    send(&handle, source, Change::End).await;
    assert_eq!(total(&handle.flush().await.unwrap(), metric), Some(1));
}

#[tokio::test(start_paused = true)]
async fn a_flush_sees_every_change_sent_before_it() {
    let (handle, source, metric) = listed().await;
    for n in 0..500 {
        send(&handle, source, pod(&handle, source, &format!("web-{n}")).await).await;
    }
    assert_eq!(total(&handle.flush().await.unwrap(), metric), Some(500));
}

#[tokio::test(start_paused = true)]
async fn series_are_published_again_at_every_heartbeat() {
    let (handle, _, _) = listed().await;
    let mut snapshots = handle.snapshots();
    sleep(2 * SECOND).await;
    snapshots.mark_unchanged();
    let quiet = Instant::now();
    next(&mut snapshots).await;
    assert!(quiet.elapsed() <= Duration::from_secs(60));
    next(&mut snapshots).await;
    assert!(quiet.elapsed() > Duration::from_secs(60));
}

#[tokio::test(start_paused = true)]
async fn five_hundred_registrations_publish_one_plan() {
    let handle = start();
    let source = handle.add_source().await.unwrap();
    let mut plans = handle.plans(source).await.unwrap().unwrap();
    plans.mark_unchanged();
    for n in 0..500 {
        handle.register(count(&format!("pods{n}"), &[source])).await.unwrap().unwrap();
    }
    assert!(!plans.has_changed().unwrap());
    plans.changed().await.unwrap();
    let epoch = plans.borrow_and_update().epoch();
    assert!(epoch > 0);
    assert!(timeout(30 * SECOND, plans.changed()).await.is_err(), "a second plan was published");
}

#[tokio::test(start_paused = true)]
async fn whoever_asks_for_plans_gets_the_newest_at_once() {
    let handle = start();
    let source = handle.add_source().await.unwrap();
    let before = handle.plans(source).await.unwrap().unwrap().borrow().epoch();
    handle.register(count("pods", &[source])).await.unwrap().unwrap();
    assert!(handle.plans(source).await.unwrap().unwrap().borrow().epoch() > before);
}

#[tokio::test(start_paused = true)]
async fn a_removed_metric_leaves_the_snapshot_at_once() {
    let (handle, _, metric) = listed().await;
    let mut snapshots = handle.snapshots();
    snapshots.mark_unchanged();
    handle.remove(metric).await.unwrap();
    assert!(!next(&mut snapshots).await.metrics.contains_key(&metric));
}

#[tokio::test(start_paused = true)]
async fn shutdown_applies_and_flushes_what_waits_and_then_refuses() {
    let (handle, source, metric) = listed().await;
    let snapshots = handle.snapshots();
    send(&handle, source, pod(&handle, source, "web-1").await).await;
    handle.shut_down().await;
    assert_eq!(handle.status(metric).await.err(), Some(Stopped));
    assert_eq!(total(&snapshots.borrow(), metric), Some(1));
}

#[tokio::test(start_paused = true)]
async fn the_coordinator_ends_with_its_last_handle() {
    let (coordinator, handle) = MetricUpdateCoordinator::new(Settings {
        engine: Options::default(),
        heartbeat: Duration::from_secs(60),
        on_failure: Box::new(|_| {}),
        telemetry: Arc::default(),
    });
    let task = tokio::spawn(coordinator.run());
    drop(handle.clone());
    advance(SECOND).await;
    assert!(!task.is_finished());
    drop(handle);
    task.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_unknown_source_has_no_plans() {
    assert!(start().plans(SourceId(7)).await.unwrap().is_none());
}

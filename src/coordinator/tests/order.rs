//! What comes before what: requests, deadlines and changes that wait at the same time.

use super::*;

/// A coordinator that makes a step when a test says so, with a source that is complete and a metric that counts it.
async fn paused() -> (MetricUpdateCoordinator, Handle, SourceId, MetricId) {
    let (mut coordinator, handle) = MetricUpdateCoordinator::new(settings());
    let (source, _) = tokio::join!(handle.add_source(), coordinator.step());
    let source = source.unwrap();
    let (metric, _) = tokio::join!(handle.register(count("pods", &[source])), coordinator.step());
    list(&mut coordinator, &handle, source, 0).await;
    coordinator.step().await;
    // What appears for the first time is flushed at once.
    coordinator.step().await;
    (coordinator, handle, source, metric.unwrap().unwrap())
}

/// Sends a whole list of so many objects, which nobody applies yet.
async fn list(coordinator: &mut MetricUpdateCoordinator, handle: &Handle, source: SourceId, objects: usize) {
    let (plans, _) = tokio::join!(handle.plans(source), coordinator.step());
    let plan = plans.unwrap().unwrap().borrow().clone();
    send(handle, source, Change::Begin { epoch: plan.epoch() }).await;
    let mut decoder = Decoder::new(plan);
    for n in 0..objects {
        let object = format!(r#"{{"kind":"Pod","metadata":{{"uid":"{source:?}-{n}"}}}}"#);
        let row = decoder.decode(object.as_bytes(), Defaults::default()).unwrap();
        send(handle, source, Change::Upsert { row, origin: Origin::List }).await;
    }
    send(handle, source, Change::End).await;
}

fn shown(coordinator: &mut MetricUpdateCoordinator, metric: MetricId) -> Option<i64> {
    total(&coordinator.engine.flush_all(), metric)
}

#[tokio::test(start_paused = true)]
async fn a_barrier_answers_once_everything_sent_before_is_applied_and_flushes_nothing() {
    let (mut coordinator, handle, source, metric) = paused().await;
    let mut snapshots = handle.snapshots();
    snapshots.mark_unchanged();
    list(&mut coordinator, &handle, source, 500).await;
    let (settled, _) = tokio::join!(handle.settle(), coordinator.step());
    settled.unwrap();
    assert_eq!(coordinator.engine.status(metric).unwrap().matched_objects, 500);
    assert!(!snapshots.has_changed().unwrap());
}

#[tokio::test(start_paused = true)]
async fn a_source_that_goes_does_not_overtake_the_list_of_the_one_that_replaces_it() {
    let (mut coordinator, handle, old, metric) = paused().await;
    list(&mut coordinator, &handle, old, 300).await;
    let (new, _) = tokio::join!(handle.add_source(), coordinator.step());
    let new = new.unwrap();
    let (edited, _) = tokio::join!(handle.edit(metric, count("pods", &[new])), coordinator.step());
    edited.unwrap().unwrap();
    let (settled, _) = tokio::join!(handle.settle(), coordinator.step());
    settled.unwrap();
    assert_eq!(shown(&mut coordinator, metric), Some(300));
    list(&mut coordinator, &handle, new, 300).await;
    handle.remove_source(old).await.unwrap();
    coordinator.step().await;
    assert_eq!(shown(&mut coordinator, metric), Some(300), "the metric dips");
    assert_eq!(coordinator.engine.footprint().objects, 300);
}

#[tokio::test(start_paused = true)]
async fn what_arrives_of_a_source_that_has_gone_is_dropped() {
    let (mut coordinator, handle, source, metric) = paused().await;
    handle.remove_source(source).await.unwrap();
    coordinator.step().await;
    send(&handle, source, Change::Begin { epoch: 1 }).await;
    send(&handle, source, Change::End).await;
    coordinator.step().await;
    assert_eq!(coordinator.engine.footprint().sources, 0);
    assert_eq!(shown(&mut coordinator, metric), Some(0));
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_requests_holds_up_neither_changes_nor_deadlines() {
    let (mut coordinator, handle, source, metric) = paused().await;
    // The first flush of the metric waits for its debounce, and so it goes on until nothing is due.
    while coordinator.debounce.next_deadline().is_some_and(|due| due.0 < 10 * SECOND) {
        coordinator.step().await;
    }
    let mut snapshots = handle.snapshots();
    snapshots.mark_unchanged();
    list(&mut coordinator, &handle, source, 300).await;
    for _ in 0..crate::coordinator::CONTROL_CAPACITY {
        handle.remove(MetricId(99)).await.unwrap();
    }
    for _ in 0..3 {
        coordinator.step().await;
    }
    assert_eq!(coordinator.engine.status(metric).unwrap().matched_objects, 300);
    assert!(!snapshots.has_changed().unwrap());
    advance(2 * SECOND).await;
    coordinator.step().await;
    assert_eq!(total(&snapshots.borrow_and_update(), metric), Some(300));
    assert!(!coordinator.control.is_empty(), "the flood has ended too early to show anything");
}

#[tokio::test(start_paused = true)]
async fn registrations_beside_a_list_leave_it_whole_and_wait_for_their_own() {
    let (mut coordinator, handle, source, metric) = paused().await;
    list(&mut coordinator, &handle, source, 300).await;
    let (late, _) = tokio::join!(handle.register(count("late", &[source])), coordinator.step());
    let late = late.unwrap().unwrap();
    let (edited, _) = tokio::join!(handle.edit(late, count("later", &[source])), coordinator.step());
    edited.unwrap().unwrap();
    let (settled, _) = tokio::join!(handle.settle(), coordinator.step());
    settled.unwrap();
    assert_eq!((shown(&mut coordinator, metric), shown(&mut coordinator, late)), (Some(300), None));
    list(&mut coordinator, &handle, source, 200).await;
    let (settled, _) = tokio::join!(handle.settle(), coordinator.step());
    settled.unwrap();
    assert_eq!((shown(&mut coordinator, metric), shown(&mut coordinator, late)), (Some(200), Some(200)));
}

#[tokio::test(start_paused = true)]
async fn what_is_asked_of_metrics_and_sources_that_are_gone_leaves_nothing_behind() {
    let (mut coordinator, handle, source, metric) = paused().await;
    handle.remove(metric).await.unwrap();
    handle.remove_source(source).await.unwrap();
    coordinator.step().await;
    coordinator.step().await;
    let (edited, _) = tokio::join!(handle.edit(metric, count("pods", &[source])), coordinator.step());
    edited.unwrap().unwrap();
    // What metrics cost is told once more, without the one that is gone.
    assert_eq!(coordinator.next_deadline(), coordinator.accounts_due);
    advance(5 * SECOND).await;
    coordinator.step().await;
    assert_eq!(coordinator.next_deadline(), None);
    let (registered, _) = tokio::join!(handle.register(count("pods", &[source])), coordinator.step());
    registered.unwrap().unwrap();
    assert_eq!(coordinator.epochs.next_deadline(), None);
}

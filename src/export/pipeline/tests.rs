//! Pipelines under a paused clock, with a sink that answers as it is told.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};

use celemetry_engine::definition::MetricInfo;
use celemetry_engine::snapshot::{Attributes, MetricShape, MetricTable, Number};
use hyper::body::Bytes;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use prost::Message;
use tokio::time::{sleep, timeout};

use super::*;
use crate::export::transport::{Credential, Endpoint, Failure, Outcome};

const SECOND: Duration = Duration::from_secs(1);
const PODS: MetricId = MetricId(0);

/// What a sink got and when, and what it will answer.
#[derive(Default)]
struct Log {
    /// Seconds since the start, and the values in the order in which they came: -1 is a withdrawal.
    requests: Vec<(f64, Vec<i64>)>,
    answers: VecDeque<Answer>,
    connections: usize,
}

#[derive(Clone, Debug)]
enum Answer {
    After(Duration, Outcome),
    Never,
}

#[derive(Clone)]
struct Fake {
    log: Arc<Mutex<Log>>,
    start: Instant,
}

impl task::Transport for Fake {
    async fn send(&mut self, message: Bytes) -> Outcome {
        let answer = {
            let mut log = self.log.lock().unwrap();
            let at = self.start.elapsed().as_secs_f64();
            log.requests.push((at, values(&message)));
            log.answers.pop_front()
        };
        match answer {
            None => accepted(),
            Some(Answer::After(delay, outcome)) => {
                sleep(delay).await;
                outcome
            }
            Some(Answer::Never) => std::future::pending().await,
        }
    }
}

fn values(message: &[u8]) -> Vec<i64> {
    let request = ExportMetricsServiceRequest::decode(message).unwrap();
    let metrics = request.resource_metrics.iter().flat_map(|r| &r.scope_metrics).flat_map(|s| &s.metrics);
    let points = metrics.flat_map(|metric| match metric.data.as_ref().unwrap() {
        Data::Sum(sum) => sum.data_points.clone(),
        other => panic!("{other:?}"),
    });
    use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value::AsInt;
    points.map(|point| if let Some(AsInt(value)) = point.value { value } else { -1 }).collect()
}

fn accepted() -> Outcome {
    Outcome::Accepted { rejected: 0, message: None }
}

fn retry(after: Option<u64>) -> Answer {
    let failure = Failure::Http(503);
    Answer::After(Duration::ZERO, Outcome::Retry { failure, after: after.map(Duration::from_secs) })
}

fn dropped(failure: Failure) -> Answer {
    Answer::After(Duration::ZERO, Outcome::Dropped { failure })
}

fn target(key: &str) -> SinkTarget {
    SinkTarget {
        endpoint: Endpoint::parse("http://otel:4318").unwrap(),
        api_key: Some(Credential::new(key.as_bytes()).unwrap()),
        certificate: None,
        ca: None,
    }
}

/// An exporter, what it reads, and the sink.
struct World {
    exporter: Exporter,
    snapshots: watch::Sender<Arc<Snapshot>>,
    active: watch::Sender<bool>,
    /// What the clock says of the lead.
    holds: Arc<AtomicBool>,
    fake: Fake,
    telemetry: Arc<Telemetry>,
}

impl World {
    fn new(is_active: bool) -> Self {
        let (snapshots, receiver) = watch::channel(Arc::default());
        let (active, is_active) = watch::channel(is_active);
        let telemetry = Arc::new(Telemetry::default());
        let settings = Settings {
            profile: Profile::Native,
            resource: vec![],
            started: SystemTime::UNIX_EPOCH,
            heartbeat: 60 * SECOND,
            policy: AddressPolicy::default(),
            telemetry: Arc::clone(&telemetry),
        };
        let holds = Arc::new(AtomicBool::new(true));
        let asked = Arc::clone(&holds);
        let lead = Lead { active: is_active, holds: Arc::new(move || asked.load(Ordering::Relaxed)) };
        let exporter = Exporter::new(settings, receiver, lead);
        World {
            exporter,
            snapshots,
            active,
            holds,
            fake: Fake { log: Arc::default(), start: Instant::now() },
            telemetry,
        }
    }

    fn open(&self) -> Sink {
        let fake = self.fake.clone();
        self.exporter.open_with("team/sink", target("a"), move |_| {
            fake.log.lock().unwrap().connections += 1;
            fake.clone()
        })
    }

    /// A sink to which the metric is routed.
    fn routed(&self) -> (Sink, Route) {
        let sink = self.open();
        let route = sink.handle().route(PODS, 600 * SECOND);
        (sink, route)
    }

    /// Publishes the metric with these values, one series each.
    fn publish(&self, values: &[i64]) {
        let info = Arc::new(MetricInfo { name: "pods".to_owned(), ..MetricInfo::default() });
        let mut table = MetricTable::new(info, MetricShape::CountOfObjects);
        for (slot, value) in (0..).zip(values) {
            let attributes = Attributes::new([(Arc::from("n"), slot.to_string().into())]);
            table.insert(slot, Arc::new(attributes), Number::Integer(*value));
        }
        let metrics = [(PODS, Arc::new(table))].into_iter().collect();
        self.snapshots.send_replace(Arc::new(Snapshot { metrics, ..Snapshot::default() }));
    }

    fn answer(&self, answers: impl IntoIterator<Item = Answer>) {
        self.fake.log.lock().unwrap().answers.extend(answers);
    }

    /// What arrived since the last time this was asked.
    async fn arrived(&self) -> Vec<(f64, Vec<i64>)> {
        sleep(Duration::from_millis(1)).await;
        std::mem::take(&mut self.fake.log.lock().unwrap().requests)
    }

    async fn values(&self) -> Vec<Vec<i64>> {
        self.arrived().await.into_iter().map(|(_, values)| values).collect()
    }
}

fn failing(health: &watch::Receiver<Health>) -> Option<Failure> {
    match health.borrow().state {
        State::Failing { failure, .. } => Some(failure),
        State::Untried | State::Healthy { .. } => None,
    }
}

#[tokio::test(start_paused = true)]
async fn what_changes_leaves_at_once_and_everything_at_the_heartbeat() {
    let world = World::new(true);
    world.publish(&[1, 2]);
    let (sink, route) = world.routed();
    assert_eq!((sink.health().borrow().state, *route.exported().borrow()), (State::Untried, None));
    assert_eq!(world.values().await, [[1, 2]]);
    world.publish(&[1, 3]);
    assert_eq!(world.values().await, [[3]]);
    world.publish(&[1]);
    assert_eq!(world.values().await, [[-1]]);
    assert!(matches!(sink.health().borrow().state, State::Healthy { .. }));
    assert!(route.exported().borrow().is_some());
    sleep(121 * SECOND).await;
    let beats = world.arrived().await;
    assert_eq!(beats.iter().map(|(_, values)| values.clone()).collect::<Vec<_>>(), [[1], [1]]);
    assert!((beats[1].0 - beats[0].0 - 60.0).abs() < 0.1, "{beats:?}");
    assert_eq!(sink.health().borrow().counts, Counts { sent: 6, ..Counts::default() });
}

#[tokio::test(start_paused = true)]
async fn one_request_is_on_its_way_at_a_time_and_the_next_holds_the_latest_values() {
    let world = World::new(true);
    world.answer([Answer::After(5 * SECOND, accepted())]);
    world.publish(&[0]);
    let (_sink, _route) = world.routed();
    for value in 1..5 {
        sleep(SECOND).await;
        world.publish(&[value]);
    }
    assert_eq!(world.values().await, [[0]]);
    sleep(SECOND).await;
    assert_eq!(world.values().await, [[4]]);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_may_be_repeated_is_repeated_later_with_the_latest_values() {
    let world = World::new(true);
    world.answer([retry(None), retry(None), retry(Some(7))]);
    world.publish(&[1, 2]);
    let (sink, route) = world.routed();
    assert_eq!(world.values().await, [[1, 2]]);
    assert_eq!(failing(&sink.health()), Some(Failure::Http(503)));
    world.publish(&[5, 2]);
    sleep(4 * SECOND).await;
    let arrived = world.arrived().await;
    assert_eq!(arrived.iter().map(|(_, values)| values.clone()).collect::<Vec<_>>(), [[5, 2], [5, 2]]);
    assert!(arrived[0].0 >= 0.1 && arrived[0].0 <= 1.1, "{arrived:?}");
    sleep(20 * SECOND).await;
    let last = world.arrived().await;
    assert_eq!(last.len(), 1);
    assert!((last[0].0 - arrived[1].0 - 7.0).abs() < 0.01, "asked for 7 s: {arrived:?} {last:?}");
    assert_eq!(sink.health().borrow().counts, Counts { sent: 2, retries: 3, ..Counts::default() });
    assert!(route.exported().borrow().is_some() && failing(&sink.health()).is_none());
}

#[tokio::test(start_paused = true)]
async fn a_request_that_must_not_be_repeated_is_dropped_and_counted_and_the_next_change_is_sent() {
    let world = World::new(true);
    world.answer([dropped(Failure::Http(401)), dropped(Failure::Http(400))]);
    world.publish(&[1, 2]);
    let (sink, _route) = world.routed();
    sleep(30 * SECOND).await;
    assert_eq!(world.values().await, [[1, 2]]);
    assert!(sink.health().borrow().credentials_refused);
    world.publish(&[1, 3]);
    assert_eq!(world.values().await, [[3]]);
    assert_eq!(failing(&sink.health()), Some(Failure::Http(400)));
    assert!(!sink.health().borrow().credentials_refused);
    assert_eq!(sink.health().borrow().counts.dropped, 3);
    sleep(31 * SECOND).await;
    assert_eq!(world.values().await, [[1, 3]]);
    let dropped = |reading: &&crate::telemetry::Reading| reading.name.contains("export_dropped");
    assert_eq!(world.telemetry.readings(0, 0).iter().find(dropped).unwrap().value, 3);
}

#[tokio::test(start_paused = true)]
async fn partial_success_is_not_repeated() {
    let world = World::new(true);
    let partial = Outcome::Accepted { rejected: 1, message: Some("too old".to_owned()) };
    world.answer([Answer::After(Duration::ZERO, partial)]);
    world.publish(&[1, 2]);
    let (sink, _route) = world.routed();
    sleep(30 * SECOND).await;
    assert_eq!(world.values().await, [[1, 2]]);
    assert_eq!(sink.health().borrow().counts, Counts { sent: 2, rejected: 1, ..Counts::default() });
    assert!(failing(&sink.health()).is_none());
}

#[tokio::test(start_paused = true)]
async fn a_sink_that_takes_small_requests_only_gets_them_from_then_on() {
    let world = World::new(true);
    let too_large = || Answer::After(Duration::ZERO, Outcome::TooLarge { failure: Failure::Http(413) });
    world.answer([too_large(), too_large()]);
    world.publish(&[1; 2000]);
    let (sink, _route) = world.routed();
    let sizes: Vec<_> = world.values().await.iter().map(Vec::len).collect();
    assert_eq!((sizes[0], sizes[2..].iter().sum::<usize>()), (2000, 2000));
    assert!(sizes[1] < 1100 && sizes[2..].iter().all(|size| *size < 550), "{sizes:?}");
    sleep(60 * SECOND).await;
    assert!(world.values().await.iter().all(|values| values.len() < 550));
    assert_eq!(sink.health().borrow().counts, Counts { sent: 4000, ..Counts::default() });
}

#[tokio::test(start_paused = true)]
async fn a_follower_sends_nothing_and_a_new_leader_everything() {
    let world = World::new(false);
    world.publish(&[1, 2, 3]);
    let (_sink, _route) = world.routed();
    sleep(200 * SECOND).await;
    // One vanishes while another process leads, or nobody.
    world.publish(&[1, 2]);
    assert_eq!(world.values().await, [[0; 0]; 0]);
    world.active.send_replace(true);
    assert_eq!(world.values().await, [[-1, 1, 2]]);
    world.answer([Answer::Never]);
    world.publish(&[1, 5]);
    assert_eq!(world.values().await, [[5]]);
    world.active.send_replace(false);
    sleep(200 * SECOND).await;
    world.publish(&[1, 6]);
    assert_eq!(world.values().await, [[0; 0]; 0]);
    world.active.send_replace(true);
    assert_eq!(world.values().await, [[1, 6]]);
    sleep(59 * SECOND).await;
    assert_eq!(world.values().await, [[0; 0]; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_process_whose_lead_has_run_out_by_the_clock_sends_nothing_though_nobody_has_told_it() {
    let world = World::new(true);
    world.publish(&[1]);
    let (_sink, _route) = world.routed();
    assert_eq!(world.values().await, [[1]]);
    world.holds.store(false, Ordering::Relaxed);
    world.publish(&[2]);
    sleep(10 * SECOND).await;
    assert_eq!(world.values().await, [[0; 0]; 0]);
    world.holds.store(true, Ordering::Relaxed);
    sleep(SECOND).await;
    assert_eq!(world.values().await, [[2]]);
}

#[tokio::test(start_paused = true)]
async fn another_target_gets_everything_at_once_and_an_equal_one_changes_nothing() {
    let world = World::new(true);
    world.answer([retry(Some(250))]);
    world.publish(&[1, 2]);
    let (sink, _route) = world.routed();
    assert_eq!(world.values().await, [[1, 2]]);
    sink.set_target(target("a"));
    assert_eq!(world.values().await, [[0; 0]; 0]);
    sink.set_target(target("b"));
    assert_eq!(world.values().await, [[1, 2]]);
    world.answer([Answer::Never]);
    world.publish(&[1, 3]);
    assert_eq!(world.values().await, [[3]]);
    sink.set_target(target("c"));
    assert_eq!(world.values().await, [[1, 3]]);
    assert_eq!(world.fake.log.lock().unwrap().connections, 3);
}

#[tokio::test(start_paused = true)]
async fn a_route_that_is_dropped_withdraws_unless_another_has_taken_its_place() {
    let world = World::new(true);
    world.publish(&[1, 2]);
    let (sink, first) = world.routed();
    assert_eq!(world.values().await, [[1, 2]]);
    let exported = *first.exported().borrow();
    let second = sink.handle().route(PODS, 10 * SECOND);
    assert_eq!(*second.exported().borrow(), exported);
    drop(first);
    assert_eq!(world.values().await, [[0; 0]; 0]);
    sleep(11 * SECOND).await;
    assert_eq!(world.values().await, [[1, 2]]);
    drop(second);
    assert_eq!(world.values().await, [[-1, -1]]);
}

#[tokio::test(start_paused = true)]
async fn at_the_end_what_is_pending_is_sent_once_and_nothing_is_withdrawn() {
    let world = World::new(true);
    world.answer([retry(Some(100)), retry(Some(100))]);
    world.publish(&[1]);
    let (_sink, route) = world.routed();
    assert_eq!(world.values().await, [[1]]);
    // In the middle of the back-off, and with a snapshot that the pipeline has not looked at.
    world.publish(&[2]);
    world.exporter.finish(2 * SECOND).await;
    drop(route);
    assert_eq!(world.values().await, [[2]]);
    sleep(200 * SECOND).await;
    assert_eq!(world.values().await, [[0; 0]; 0]);
    // It has ended: whatever is asked of it leads nowhere, and no other pipeline sends anything either.
    let (_late, _route) = world.routed();
    assert_eq!(world.values().await, [[0; 0]; 0]);
    world.exporter.finish(2 * SECOND).await;
}

#[tokio::test(start_paused = true)]
async fn a_sink_that_hangs_does_not_hold_up_the_end_beyond_the_deadline() {
    let world = World::new(true);
    world.answer([Answer::Never]);
    world.publish(&[1]);
    let (sink, _route) = world.routed();
    assert_eq!(world.values().await, [[1]]);
    let start = Instant::now();
    sink.finish(2 * SECOND).await;
    assert_eq!(start.elapsed(), 2 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_pipeline_ends_with_its_sink() {
    let world = World::new(true);
    world.publish(&[1]);
    let (sink, route) = world.routed();
    let mut health = sink.health();
    let handle = sink.handle();
    assert_eq!(world.values().await, [[1]]);
    drop(sink);
    let ended = async { while health.changed().await.is_ok() {} };
    timeout(SECOND, ended).await.expect("the task is gone");
    drop(route);
    drop(handle.route(PODS, SECOND));
    world.publish(&[2]);
    assert_eq!(world.values().await, [[0; 0]; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_sink_that_hangs_delays_no_other() {
    let world = World::new(true);
    world.publish(&[1]);
    world.answer([Answer::Never]);
    let (_hanging, _first) = world.routed();
    assert_eq!(world.values().await, [[1]]);
    let (_working, _second) = world.routed();
    assert_eq!(world.values().await, [[1]]);
    world.publish(&[2]);
    assert_eq!(world.values().await, [[2]]);
}

#[tokio::test(start_paused = true)]
async fn a_sink_that_was_away_for_long_gets_the_truth_in_one_flush() {
    let world = World::new(true);
    let (sink, _route) = world.routed();
    world.answer(vec![retry(None); 6000]);
    for second in 0..600 {
        world.publish(&[second; 1000]);
        sleep(SECOND).await;
    }
    let tries = world.values().await.len();
    // 15 s apart on the average, 30 s at most.
    assert!((20..=90).contains(&tries), "{tries} tries in 10 minutes");
    world.fake.log.lock().unwrap().answers.clear();
    world.publish(&[-7; 1000]);
    sleep(31 * SECOND).await;
    let arrived = world.values().await;
    assert!(arrived.len() == 1 && arrived[0] == vec![-7; 1000], "{} requests", arrived.len());
    assert!(matches!(sink.health().borrow().state, State::Healthy { .. }));
}

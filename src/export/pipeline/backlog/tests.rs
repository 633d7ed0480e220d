//! The backlog against a receiver and a naive reading of what it should hold.

use std::collections::{BTreeMap, BTreeSet};

use celemetry_engine::definition::{Aggregation, MetricInfo, ValueKind};
use celemetry_engine::snapshot::{Attributes, MetricShape, Number};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::metrics::v1::NumberDataPoint;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value;
use proptest::prelude::*;
use prost::Message;

use super::*;
use crate::export::otlp::request::Envelope;
use crate::export::profile::Profile;

/// What a receiver tells series apart by.
type Key = (String, BTreeMap<String, String>);

/// Who receives: the last value of each series, or that it was withdrawn.
type Receiver = BTreeMap<Key, Option<i64>>;

const HEARTBEAT: Duration = Duration::from_secs(60);
const INTERVAL: Duration = Duration::from_secs(600);

fn envelope() -> Envelope {
    Envelope::new(Profile::Native, &[("service.name".to_owned(), "celemetry".to_owned())], 1)
}

fn key_of(name: &str, point: &NumberDataPoint) -> Key {
    let text = |any: &Any| match any {
        Any::StringValue(text) => text.clone(),
        other => panic!("{other:?}"),
    };
    let pairs = point.attributes.iter().map(|pair| {
        (pair.key.clone(), text(pair.value.as_ref().and_then(|value| value.value.as_ref()).unwrap()))
    });
    let attributes: BTreeMap<_, _> = pairs.collect();
    assert_eq!(attributes.len(), point.attributes.len(), "an attribute twice");
    (name.to_owned(), attributes)
}

/// The points of a request, none twice.
fn decode(message: &[u8]) -> Receiver {
    let request = ExportMetricsServiceRequest::decode(message).unwrap();
    let mut points = Receiver::new();
    for metric in request.resource_metrics.iter().flat_map(|r| &r.scope_metrics).flat_map(|s| &s.metrics) {
        let data_points = match metric.data.as_ref().unwrap() {
            Data::Sum(sum) => &sum.data_points,
            Data::Gauge(gauge) => &gauge.data_points,
            other => panic!("{other:?}"),
        };
        assert!(!data_points.is_empty());
        for point in data_points {
            let value = match point.value {
                Some(Value::AsInt(integer)) => Some(integer),
                None if point.flags == 1 => None,
                _ => panic!("{point:?}"),
            };
            assert_eq!(points.insert(key_of(&metric.name, point), value), None, "a series twice");
        }
    }
    assert!(!points.is_empty(), "an empty envelope");
    points
}

/// Metrics as the engine would have them, and what is published of them.
struct World {
    tables: BTreeMap<u64, MetricTable>,
    published: Snapshot,
    routed: BTreeSet<u64>,
    receiver: Receiver,
    backlog: Backlog,
    in_flight: Option<Request>,
    /// Whether another leader exports while this one does not.
    other_lives: bool,
    /// Whether a batch was dropped, so that the sink has the truth only after the next heartbeat.
    was_refused: bool,
    now: Instant,
}

#[derive(Clone, Debug)]
enum Step {
    Put(u64, u8, i64),
    Take(u64, u8),
    /// Every series stands elsewhere.
    Rebuild(u64, u32),
    /// Another name, shape, or both.
    Rename(u64, u8, bool),
    Vanish(u64),
    Publish,
    Route(u64),
    Unroute(u64),
    Send,
    Answer(Answer),
    Sleep(u64),
    Lead(bool),
    /// The other leader is killed.
    Kill,
    /// The sink is another, which knows nothing.
    Move,
    /// From now on requests hold few points, or one.
    Shrink(usize),
}

#[derive(Clone, Copy, Debug)]
enum Answer {
    Taken,
    Lost,
    /// The sink took it, but its answer did not arrive.
    TakenUnheard,
    Refused,
}

fn step() -> impl Strategy<Value = Step> {
    let answers = [Answer::Taken, Answer::Taken, Answer::Lost, Answer::TakenUnheard, Answer::Refused];
    prop_oneof![
        12 => (0..4u64, 0..8u8, 0..3i64).prop_map(|(metric, name, number)| Step::Put(metric, name, number)),
        6 => (0..4u64, 0..8u8).prop_map(|(metric, name)| Step::Take(metric, name)),
        1 => (0..4u64, 0..40u32).prop_map(|(metric, shift)| Step::Rebuild(metric, shift)),
        1 => (0..4u64, 0..2u8, any::<bool>()).prop_map(|(metric, name, max)| Step::Rename(metric, name, max)),
        1 => (0..4u64).prop_map(Step::Vanish),
        8 => Just(Step::Publish),
        3 => (0..4u64).prop_map(Step::Route),
        1 => (0..4u64).prop_map(Step::Unroute),
        8 => Just(Step::Send),
        8 => proptest::sample::select(answers.to_vec()).prop_map(Step::Answer),
        2 => (0..10u64).prop_map(Step::Sleep),
        1 => any::<bool>().prop_map(Step::Lead),
        1 => Just(Step::Kill),
        1 => Just(Step::Move),
        1 => (0..1000usize).prop_map(Step::Shrink),
    ]
}

/// Names of which some pairs share one; metric 3 has an attribute of its own that others' series may have too.
fn info(metric: u64, name: u8) -> Arc<MetricInfo> {
    let base = [("b".to_owned(), "x".to_owned())];
    Arc::new(MetricInfo {
        source: format!("Metric/team/{metric}"),
        namespace: "team".to_owned(),
        object: metric.to_string(),
        name: format!("m{name}"),
        scope: "celemetry".to_owned(),
        base_attributes: if metric == 3 { base.to_vec() } else { vec![] },
        ..MetricInfo::default()
    })
}

fn attributes(metric: u64, name: u8) -> Arc<Attributes> {
    let pair = |name: &str, text: &str| (Arc::from(name), Box::from(text));
    let a = pair("a", &(name % 4).to_string());
    let b = (name >= 4 && metric != 3).then(|| pair("b", "x"));
    Arc::new(Attributes::new([a].into_iter().chain(b)))
}

fn shape(is_max: bool) -> MetricShape {
    let max = MetricShape::Aggregate(ValueKind::Integer, Aggregation::Max);
    if is_max { max } else { MetricShape::CountOfObjects }
}

impl World {
    fn new(now: Instant) -> Self {
        World {
            tables: (0..4).map(|metric| (metric, MetricTable::new(info(metric, 0), shape(false)))).collect(),
            published: Snapshot::default(),
            routed: BTreeSet::new(),
            receiver: Receiver::new(),
            backlog: Backlog::new(HEARTBEAT, true),
            in_flight: None,
            other_lives: false,
            was_refused: false,
            now,
        }
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Put(metric, name, number) => self.put(metric, name, number),
            Step::Take(metric, name) => {
                let table = self.table(metric);
                let slot = table
                    .iter()
                    .find(|series| *series.attributes == attributes(metric, name))
                    .map(|s| s.slot);
                slot.map(|slot| table.remove(slot));
            }
            Step::Rebuild(metric, shift) => self.rebuild(metric, |slot| (slot + shift) % 40, None),
            Step::Rename(metric, name, is_max) => {
                self.rebuild(metric, |slot| slot, Some((info(metric, name), shape(is_max))));
            }
            Step::Vanish(metric) => drop(self.tables.remove(&metric)),
            Step::Publish => self.publish(),
            Step::Route(metric) => {
                self.routed.insert(metric);
                self.backlog.route(MetricId(metric), INTERVAL, &self.published, self.now);
                self.other_leads();
            }
            Step::Unroute(metric) => {
                self.routed.remove(&metric);
                self.backlog.unroute(MetricId(metric), self.now);
                self.other_leads();
            }
            Step::Send if self.in_flight.is_none() => {
                let limit = self.backlog.limit;
                self.in_flight = self.backlog.request(&envelope(), 2);
                if let Some(Request { message, batch }) = &self.in_flight {
                    assert!(batch.points == 1 || message.len() <= limit);
                    assert_eq!(decode(message).len(), batch.points);
                }
            }
            Step::Send => {}
            Step::Answer(answer) => self.answer(answer),
            Step::Sleep(seconds) => self.sleep(seconds),
            Step::Lead(leads) => self.lead(leads),
            Step::Kill => self.other_lives = false,
            Step::Shrink(limit) => self.backlog.limit = limit,
            Step::Move => {
                self.in_flight = None;
                self.receiver.clear();
                self.backlog.start_over();
                self.other_leads();
            }
        }
    }

    fn table(&mut self, metric: u64) -> &mut MetricTable {
        self.tables.entry(metric).or_insert_with(|| MetricTable::new(info(metric, 0), shape(false)))
    }

    fn put(&mut self, metric: u64, name: u8, number: i64) {
        let table = self.table(metric);
        let own = attributes(metric, name);
        let known = table.iter().find(|series| *series.attributes == own).map(|series| series.slot);
        match known {
            Some(slot) => drop(table.replace(slot, Number::Integer(number))),
            None => {
                let free = (0..).find(|slot| table.get(*slot).is_none()).unwrap();
                table.insert(free, own, Number::Integer(number));
            }
        }
    }

    fn rebuild(
        &mut self,
        metric: u64,
        slot: impl Fn(u32) -> u32,
        other: Option<(Arc<MetricInfo>, MetricShape)>,
    ) {
        let table = self.table(metric);
        let (info, shape) = other.unwrap_or((table.info.clone(), table.shape));
        let mut rebuilt = MetricTable::new(info, shape);
        for series in table.iter() {
            rebuilt.insert(slot(series.slot), series.attributes.clone(), series.number);
        }
        *table = rebuilt;
    }

    fn publish(&mut self) {
        for (metric, table) in &self.tables {
            let published = self.published.metrics.get(&MetricId(*metric));
            let is_new = published.is_none_or(|published| {
                published.info != table.info
                    || published.shape != table.shape
                    || !table.difference(published).is_empty()
            });
            if is_new {
                self.published.metrics.insert(MetricId(*metric), Arc::new(table.clone()));
            }
        }
        self.published.metrics.retain(|metric, _| self.tables.contains_key(&metric.0));
        self.backlog.show(&self.published, self.now);
        self.other_leads();
    }

    fn answer(&mut self, answer: Answer) {
        let Some(Request { message, batch }) = self.in_flight.take() else { return };
        if matches!(answer, Answer::Taken | Answer::TakenUnheard) {
            self.receiver.extend(decode(&message));
        }
        match answer {
            Answer::Taken => self.backlog.acknowledge(&batch),
            Answer::Lost | Answer::TakenUnheard => self.backlog.put_back(&batch),
            Answer::Refused => {
                self.was_refused = true;
                self.backlog.drop_batch(&batch, self.now);
            }
        }
    }

    fn sleep(&mut self, seconds: u64) {
        self.now += Duration::from_secs(seconds);
        assert_eq!(self.backlog.advance(self.now), 0, "nothing is given up in this short time");
    }

    fn lead(&mut self, leads: bool) {
        if leads && !self.backlog.is_active {
            self.backlog.activate(self.now);
        } else if !leads && self.backlog.is_active {
            self.in_flight = None;
            self.backlog.deactivate();
            self.other_lives = true;
            self.other_leads();
        }
    }

    /// While this process does not export another does, without fail and at once.
    fn other_leads(&mut self) {
        if !self.backlog.is_active && self.other_lives {
            assert!(self.backlog.request(&envelope(), 2).is_none());
            let live = self.live();
            self.receiver.values_mut().for_each(|value| *value = None);
            self.receiver.extend(live);
        }
    }

    /// What the receiver should hold of the metrics that are routed to it.
    fn live(&self) -> Receiver {
        let tables: Vec<_> =
            self.published.metrics.iter().filter(|(id, _)| self.routed.contains(&id.0)).collect();
        let merged = |table: &MetricTable, own: &Attributes| -> BTreeMap<String, String> {
            let own = own.iter().map(|(name, text)| (name.to_owned(), text.to_owned()));
            table.info.base_attributes.iter().cloned().chain(own).collect()
        };
        let mut live = Receiver::new();
        for (id, table) in &tables {
            for series in table.iter() {
                let mut attributes = merged(table, series.attributes);
                let is_shared = tables.iter().any(|(other, others)| {
                    other != id
                        && others.info.name == table.info.name
                        && others.iter().any(|series| merged(others, series.attributes) == attributes)
                });
                if is_shared {
                    attributes.insert("celemetry.metric.name".to_owned(), table.info.object.clone());
                    attributes.insert("celemetry.metric.namespace".to_owned(), table.info.namespace.clone());
                }
                let Number::Integer(number) = series.number else { unreachable!() };
                live.insert((table.info.name.clone(), attributes), Some(number));
            }
        }
        live
    }

    /// The sink takes everything; where it has refused something, until the next heartbeat.
    fn settle(&mut self) {
        self.answer(Answer::Lost);
        self.lead(true);
        self.drain();
        if self.was_refused {
            self.sleep(61);
            self.drain();
        }
    }

    fn drain(&mut self) {
        loop {
            self.step(&Step::Send);
            if self.in_flight.is_none() {
                return;
            }
            self.answer(Answer::Taken);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn in_the_end_the_receiver_holds_what_is_live_and_knows_what_is_gone(
        steps in prop::collection::vec(step(), 0..60)
    ) {
        let mut world = World::new(Instant::now());
        steps.iter().for_each(|step| world.step(step));
        world.settle();
        let live = world.live();
        let held: Receiver = world.receiver.iter().filter(|(_, value)| value.is_some()).map(|(k, v)| (k.clone(), *v)).collect();
        prop_assert_eq!(held, live);
        prop_assert!(world.backlog.withdrawals.is_empty() && !world.backlog.is_pending());
    }
}

/// A world with one metric of the series `0..series`, published and routed.
fn one_metric(series: u8) -> World {
    let mut world = World::new(Instant::now());
    (0..series).for_each(|name| world.put(0, name, 0));
    world.publish();
    world.step(&Step::Route(0));
    world
}

fn points(world: &mut World) -> Receiver {
    match world.backlog.request(&envelope(), 2) {
        None => Receiver::new(),
        Some(request) => {
            let points = decode(&request.message);
            world.backlog.acknowledge(&request.batch);
            points
        }
    }
}

#[test]
fn what_did_not_change_is_not_sent_before_the_heartbeat() {
    let mut world = one_metric(3);
    assert_eq!(points(&mut world).len(), 3);
    world.put(0, 1, 7);
    world.publish();
    assert_eq!(points(&mut world).into_values().collect::<Vec<_>>(), [Some(7)]);
    world.publish();
    assert!(!world.backlog.is_pending());
    assert_eq!(world.backlog.next_deadline(), Some(world.now + HEARTBEAT));
    world.sleep(59);
    assert!(!world.backlog.is_pending());
    world.sleep(1);
    assert_eq!(points(&mut world).len(), 3);
}

#[test]
fn a_metric_s_own_interval_shortens_its_heartbeat_and_none_is_below_a_second() {
    let mut world = one_metric(1);
    let deadline = |world: &mut World, interval| {
        world.backlog.route(MetricId(0), interval, &Snapshot::default(), world.now);
        world.backlog.next_deadline().map(|deadline| deadline - world.now)
    };
    assert_eq!(deadline(&mut world, Duration::from_secs(10)), Some(Duration::from_secs(10)));
    assert_eq!(deadline(&mut world, Duration::ZERO), Some(Duration::from_secs(1)));
}

#[test]
fn a_series_that_the_sink_never_heard_of_is_not_withdrawn() {
    let mut world = one_metric(2);
    world.step(&Step::Take(0, 0));
    world.publish();
    assert!(world.backlog.withdrawals.is_empty());
    assert_eq!(points(&mut world).len(), 1);
    world.step(&Step::Take(0, 1));
    world.publish();
    assert_eq!(points(&mut world).into_values().collect::<Vec<_>>(), [None]);
    assert!(world.backlog.withdrawals.is_empty());
}

#[test]
fn a_series_that_moved_or_came_back_is_still_known_to_the_sink() {
    let mut world = one_metric(2);
    assert_eq!(points(&mut world).len(), 2);
    world.step(&Step::Rebuild(0, 5));
    world.publish();
    world.step(&Step::Take(0, 0));
    world.publish();
    // One comes back before the sink was told that it is gone, and goes again before it was sent.
    world.put(0, 0, 9);
    world.publish();
    world.step(&Step::Take(0, 0));
    world.step(&Step::Take(0, 1));
    world.publish();
    assert_eq!(points(&mut world).into_values().collect::<Vec<_>>(), [None, None]);
}

#[test]
fn a_metric_that_is_no_longer_routed_is_withdrawn_and_one_that_is_routed_twice_is_not_sent_twice() {
    let mut world = one_metric(3);
    assert_eq!(points(&mut world).len(), 3);
    world.step(&Step::Route(0));
    assert!(!world.backlog.is_pending());
    world.step(&Step::Unroute(0));
    assert_eq!(points(&mut world).into_values().collect::<Vec<_>>(), [None; 3]);
    assert_eq!(world.backlog.next_deadline(), None);
}

#[test]
fn a_batch_that_is_dropped_comes_again_with_the_heartbeat() {
    let mut world = one_metric(2);
    let refused = world.backlog.request(&envelope(), 2).unwrap().batch;
    world.backlog.drop_batch(&refused, world.now);
    assert!(!world.backlog.is_pending());
    world.sleep(60);
    assert_eq!(points(&mut world).len(), 2);
}

#[test]
fn requests_are_halved_until_the_sink_takes_them_and_no_further_than_makes_sense() {
    let mut world = one_metric(0);
    let table = world.table(0);
    for slot in 0..2000 {
        let own = Attributes::new([(Arc::from("a"), slot.to_string().into())]);
        table.insert(slot, Arc::new(own), Number::Integer(0));
    }
    world.publish();
    let mut sizes = vec![];
    loop {
        let Request { message, batch } = world.backlog.request(&envelope(), 2).unwrap();
        sizes.push((message.len(), batch.points));
        if !world.backlog.split(&batch) {
            world.backlog.drop_batch(&batch, world.now);
            break;
        }
    }
    assert!(sizes.windows(2).all(|pair| pair[1].0 <= (pair[0].0 / 2).max(SMALLEST_LIMIT)), "{sizes:?}");
    let (last, dropped) = sizes[sizes.len() - 1];
    assert!(last <= SMALLEST_LIMIT && last > SMALLEST_LIMIT * 9 / 10 && sizes.len() > 3, "{sizes:?}");
    let mut rest = 0;
    while world.backlog.is_pending() {
        rest += points(&mut world).len();
    }
    assert_eq!(rest + dropped, 2000);
}

#[test]
fn metrics_take_turns_where_not_all_fit_into_one_request() {
    let mut world = World::new(Instant::now());
    for metric in 0..3 {
        (0..8).for_each(|name| world.put(metric, name, 0));
        world.rebuild(metric, |slot| slot, Some((info(metric, metric as u8), shape(false))));
    }
    world.publish();
    (0..3).for_each(|metric| world.step(&Step::Route(metric)));
    world.backlog.limit = 600;
    let mut seen = vec![];
    for number in 0..9 {
        // The first metric changes all the time.
        (0..8).for_each(|name| world.put(0, name, number));
        world.publish();
        seen.extend(points(&mut world).into_keys().map(|(name, _)| name));
    }
    for name in ["m0", "m1", "m2"] {
        assert!(seen.iter().filter(|seen| *seen == name).count() >= 8, "{name} in {seen:?}");
    }
}

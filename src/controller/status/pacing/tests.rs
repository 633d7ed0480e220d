//! When statuses are written: single rules, and everything against a naive reading of the rules.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::api::{Condition, Cost, Group, MetricStatus};

const SECOND: Duration = Duration::from_secs(1);

fn object(name: impl std::fmt::Display) -> Arc<ObjectRef> {
    let (namespace, uid) = (String::from("shop"), String::new());
    Arc::new(ObjectRef {
        group: Group::OpenControlPlane,
        kind: "Metric",
        namespace,
        name: name.to_string(),
        uid,
    })
}

/// A status with these conditions, figures and times.
fn content([conditions, figures, freshness]: [i64; 3]) -> Content {
    let condition = Condition { reason: conditions.to_string(), ..Condition::default() };
    Content::Metric(Box::new(MetricStatus {
        conditions: vec![condition],
        series: Some(figures),
        cost: Some(Cost { events: Some(freshness), ..Cost::default() }),
        ..MetricStatus::default()
    }))
}

/// A leader's pacing in which `names` have been written as `content([0, 0, 0])` at `now`.
fn written(names: &[&str], now: Instant) -> Pacing {
    let mut pacing = Pacing::new(true);
    for name in names {
        pacing.declare(&object(name), Some(content([0; 3])), now);
    }
    pacing
}

/// The names of what is written until `end`, each with its seconds after `start`; every write succeeds at once.
fn run(pacing: &mut Pacing, start: Instant, end: Instant) -> Vec<(String, u64)> {
    let mut writes = vec![];
    let mut now = start;
    while now <= end {
        while let Some(write) = pacing.next(now) {
            writes.push((write.object.name.clone(), (now - start).as_secs()));
            pacing.finished(&write.object, Outcome::Written, now);
        }
        match pacing.wake(now) {
            Some(wake) => now = wake.max(now + Duration::from_millis(1)),
            None => break,
        }
    }
    writes
}

#[test]
fn conditions_leave_at_once_figures_after_a_minute_and_heartbeats_after_five() {
    for (wanted, from, to) in
        [([1, 0, 0], 0, 0), ([1, 1, 1], 0, 0), ([0, 1, 1], 60, 75), ([0, 0, 1], 300, 375)]
    {
        let start = Instant::now();
        let mut pacing = written(&["a"], start);
        pacing.set(&object("a"), content(wanted), start);
        let writes = run(&mut pacing, start, start + 1000 * SECOND);
        assert!(matches!(&writes[..], [(_, at)] if (from..=to).contains(at)), "{wanted:?}: {writes:?}");
    }
}

#[test]
fn what_is_written_already_is_not_written() {
    let start = Instant::now();
    let mut pacing = written(&["a"], start);
    pacing.set(&object("a"), content([0; 3]), start);
    assert_eq!(pacing.wake(start), None);
    // And what has turned back before it was written is not, either.
    pacing.set(&object("a"), content([1, 0, 0]), start);
    pacing.set(&object("a"), content([0; 3]), start);
    assert_eq!((pacing.next(start), pacing.wake(start)), (None, None));
}

#[test]
fn a_first_status_leaves_at_once() {
    let start = Instant::now();
    let mut pacing = Pacing::new(true);
    pacing.declare(&object("a"), None, start);
    assert_eq!(pacing.next(start), None);
    pacing.set(&object("a"), content([0; 3]), start);
    assert_eq!(pacing.next(start).map(|write| write.content), Some(content([0; 3])));
}

#[test]
fn a_thousand_that_change_at_once_leave_at_ten_a_second_after_a_burst_of_fifty() {
    let names: Vec<_> = (0..1000).map(|n| format!("{n:04}")).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let start = Instant::now();
    let mut pacing = written(&names, start);
    for name in &names {
        pacing.set(&object(name), content([1, 0, 0]), start);
    }
    assert_eq!(pacing.waiting(), 1000);
    let writes = run(&mut pacing, start, start + 1000 * SECOND);
    assert_eq!(writes.len(), 1000);
    let within = |seconds| writes.iter().filter(|(_, at)| *at < seconds).count();
    assert_eq!([1, 2, 11].map(within), [59, 69, 159]);
    assert!(writes.is_sorted(), "the order is not by time and name");
}

#[test]
fn figures_of_many_are_spread_over_a_quarter_of_a_minute() {
    let names: Vec<_> = (0..50).map(|n| n.to_string()).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let start = Instant::now();
    let mut pacing = written(&names, start);
    for name in &names {
        pacing.set(&object(name), content([0, 1, 0]), start);
    }
    let mut in_second = BTreeMap::new();
    for (_, at) in run(&mut pacing, start, start + 100 * SECOND) {
        *in_second.entry(at).or_insert(0) += 1;
    }
    assert_eq!(in_second.values().sum::<i32>(), 50);
    assert!(in_second.len() > 10 && in_second.values().all(|count| *count < 12), "{in_second:?}");
}

#[test]
fn conditions_pass_figures_and_find_a_reserve() {
    let names: Vec<_> = (0..200).map(|n| n.to_string()).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let (start, mut now) = (Instant::now(), Instant::now() + 100 * SECOND);
    let mut pacing = written(&names, start);
    for name in &names[..150] {
        pacing.set(&object(name), content([0, 1, 0]), start);
    }
    let figures = std::iter::from_fn(|| pacing.next(now)).count();
    assert_eq!(figures, 50 - RESERVE as usize);
    for name in &names[150..] {
        pacing.set(&object(name), content([1, 0, 0]), now);
    }
    let conditions: Vec<_> = std::iter::from_fn(|| pacing.next(now)).collect();
    assert_eq!(conditions.len(), RESERVE as usize);
    now += SECOND;
    let more: Vec<_> = std::iter::from_fn(|| pacing.next(now)).collect();
    assert!(more.len() == 10 && more.iter().all(|write| write.content == content([1, 0, 0])));
}

#[test]
fn who_flaps_is_told_five_times_and_then_every_ten_seconds() {
    let start = Instant::now();
    let mut pacing = written(&["flapping", "quiet"], start);
    let mut writes = vec![];
    for step in 0..600 {
        let now = start + step * Duration::from_millis(100);
        pacing.set(&object("flapping"), content([i64::from(step % 2) + 1, 0, 0]), now);
        while let Some(write) = pacing.next(now) {
            writes.push(step / 10);
            pacing.finished(&write.object, Outcome::Written, now);
        }
    }
    assert_eq!(writes, [0, 0, 0, 0, 0, 10, 20, 30, 40, 50]);
}

#[test]
fn who_changes_often_loses_no_place_to_who_changes_once() {
    let start = Instant::now();
    let mut pacing = written(&["a", "b"], start);
    pacing.writes = Bucket::full(SECOND, 1);
    pacing.writes.take(start);
    pacing.set(&object("b"), content([1, 0, 0]), start);
    for millis in 1..1000 {
        pacing.set(&object("a"), content([1, 0, 0]), start + Duration::from_millis(1));
        pacing.set(&object("b"), content([1, millis, 0]), start + Duration::from_millis(millis as u64));
    }
    assert_eq!(pacing.next(start + SECOND).map(|write| write.object.name.clone()), Some("b".into()));
}

#[test]
fn only_a_leader_writes_and_a_new_one_writes_everything() {
    let start = Instant::now();
    let mut pacing = written(&["a", "b"], start);
    for name in ["a", "b"] {
        pacing.set(&object(name), content([0; 3]), start);
    }
    pacing.set_leader(false, start);
    pacing.set(&object("b"), content([1, 0, 0]), start);
    assert_eq!((pacing.next(start), pacing.wake(start), pacing.waiting()), (None, None, 0));
    pacing.set_leader(true, start + SECOND);
    let writes = run(&mut pacing, start + SECOND, start + 2 * SECOND);
    assert_eq!(writes, [("a".into(), 0), ("b".into(), 0)]);
    assert_eq!(run(&mut pacing, start + SECOND, start + 1000 * SECOND), []);
}

#[test]
fn a_failed_write_is_tried_again_ever_more_rarely() {
    let (start, mut now) = (Instant::now(), Instant::now());
    let mut pacing = written(&["a"], start);
    pacing.set(&object("a"), content([1, 0, 0]), now);
    let mut pauses = vec![];
    for _ in 0..12 {
        let write = pacing.next(now).expect("it is due");
        // What changes meanwhile hurries nothing.
        pacing.set(&object("a"), content([pauses.len() as i64 + 2, 0, 0]), now);
        pacing.finished(&write.object, Outcome::Failed, now);
        let next = pacing.wake(now).expect("it is tried again");
        pauses.push((next - now).as_secs_f64());
        now = next;
    }
    for (at, pause) in pauses.iter().enumerate() {
        let least = f64::from(1 << at.min(9)).min(300.0).max(if at > 5 { 10.0 } else { 0.0 });
        assert!((least..=least * 1.25).contains(pause), "{at}: {pause} of {pauses:?}");
    }
    let write = pacing.next(now).expect("it is due");
    pacing.finished(&write.object, Outcome::Written, now);
    assert_eq!(pacing.wake(now), None);
}

#[test]
fn what_may_have_been_written_all_the_same_is_written_over() {
    let start = Instant::now();
    let mut pacing = written(&["a"], start);
    pacing.set(&object("a"), content([1, 0, 0]), start);
    let write = pacing.next(start).expect("it is due");
    pacing.set(&object("a"), content([0; 3]), start);
    pacing.finished(&write.object, Outcome::Failed, start);
    let again = pacing.next(start + 2 * SECOND).map(|write| write.content);
    assert_eq!(again, Some(content([0; 3])));
}

#[test]
fn what_is_gone_is_left_alone_until_it_is_declared_again() {
    let start = Instant::now();
    let mut pacing = written(&["a"], start);
    pacing.set(&object("a"), content([1, 0, 0]), start);
    let write = pacing.next(start).expect("it is due");
    pacing.finished(&write.object, Outcome::Missing, start);
    pacing.set(&object("a"), content([2, 0, 0]), start);
    assert_eq!(pacing.wake(start), None);
    pacing.declare(&object("a"), None, start);
    pacing.set(&object("a"), content([2, 0, 0]), start);
    assert!(pacing.next(start).is_some());
}

#[test]
fn one_write_of_an_object_is_under_way_at_a_time() {
    let start = Instant::now();
    let mut pacing = written(&["a"], start);
    pacing.set(&object("a"), content([1, 0, 0]), start);
    let first = pacing.next(start).expect("it is due");
    pacing.set(&object("a"), content([2, 0, 0]), start);
    assert_eq!(pacing.next(start), None);
    // Not even when the object goes and comes back meanwhile.
    pacing.remove(&object("a"));
    pacing.declare(&object("a"), Some(content([2, 0, 0])), start);
    pacing.set(&object("a"), content([2, 0, 0]), start);
    assert_eq!(pacing.next(start), None);
    pacing.finished(&first.object, Outcome::Written, start);
    assert_eq!(pacing.next(start).map(|write| write.content), Some(content([2, 0, 0])));
}

#[test]
fn a_late_write_of_a_dead_object_is_written_over_by_its_successor() {
    let start = Instant::now();
    let mut pacing = written(&["a", "b"], start);
    let successor = Arc::new(ObjectRef { uid: "another".into(), ..(*object("a")).clone() });
    pacing.set(&object("a"), content([1, 0, 0]), start);
    let late = pacing.next(start).expect("it is due");
    pacing.remove(&object("a"));
    pacing.declare(&successor, None, start);
    pacing.set(&successor, content([2, 0, 0]), start);
    let write = pacing.next(start).expect("it is due");
    pacing.finished(&write.object, Outcome::Written, start);
    assert_eq!(pacing.wake(start), None);
    pacing.finished(&late.object, Outcome::Written, start);
    let again = Write { object: successor, content: content([2, 0, 0]) };
    assert_eq!((pacing.next(start), pacing.wake(start)), (Some(again), None));
}

#[test]
fn what_is_removed_is_forgotten() {
    let start = Instant::now();
    let mut pacing = written(&["a", "b"], start);
    for name in ["a", "b"] {
        pacing.set(&object(name), content([1, 0, 0]), start);
    }
    let write = pacing.next(start).expect("it is due");
    pacing.remove(&object("a"));
    pacing.remove(&object("b"));
    pacing.finished(&write.object, Outcome::Written, start);
    assert!(pacing.objects.is_empty() && pacing.conditions.is_empty() && pacing.figures.is_empty());
}

/// The rules read one by one, over plain lists and with times in milliseconds.
#[derive(Default)]
struct Naive {
    leader: bool,
    objects: BTreeMap<u8, NaiveObject>,
    writes: Vec<u64>,
}

#[derive(Clone, Default)]
struct NaiveObject {
    desired: Option<[i64; 3]>,
    /// Everything that the API server may hold; `None` for the unknown.
    held: Vec<Option<[i64; 3]>>,
    in_flight: Option<[i64; 3]>,
    urgent_since: Option<u64>,
    written_at: u64,
    writes: Vec<u64>,
    failures: u32,
    not_before: u64,
    missing: bool,
    removed: bool,
}

/// What is left in a bucket at a time, in tokens of `interval` milliseconds, replayed from the start.
fn level(writes: &[u64], interval: u64, burst: u64, now: u64) -> u64 {
    let (mut level, mut last) = (burst * interval, 0);
    for write in writes {
        level = (level + (write - last)).min(burst * interval) - interval;
        last = *write;
    }
    (level + (now - last)).min(burst * interval)
}

/// The first time from `now` on at which a bucket holds as many tokens as `least`, if nothing was taken after it.
fn ready(writes: &[u64], (interval, burst): (u64, u64), least: u64, now: u64) -> u64 {
    let Some(last) = writes.last() else { return now };
    let full_at = last + burst * interval - level(writes, interval, burst, *last);
    now.max(full_at.saturating_sub((burst - least) * interval))
}

impl NaiveObject {
    fn new(stored: Option<[i64; 3]>, now: u64) -> Self {
        NaiveObject { held: vec![stored], written_at: now, ..NaiveObject::default() }
    }

    fn urgency(&self) -> Option<usize> {
        let desired = self.desired?;
        // The first part that differs: 0 for conditions.
        let differs = |held: &Option<[i64; 3]>| match held {
            Some(held) => (0..3).find(|part| held[*part] != desired[*part]),
            None => Some(0),
        };
        self.held.iter().filter_map(differs).min()
    }

    fn note(&mut self, now: u64) {
        self.urgent_since = (self.urgency() == Some(0)).then(|| self.urgent_since.unwrap_or(now));
    }

    fn due(&self, key: u8) -> Option<(bool, u64, u8)> {
        if self.in_flight.is_some() || self.missing || self.removed {
            return None;
        }
        let after = |seconds: u64| {
            let part = jitter(&object(key), Duration::from_secs(seconds) / 4, 0);
            self.written_at * 1_000_000 + seconds * 1_000_000_000 + part.as_nanos() as u64
        };
        let (urgent, at) = match self.urgency()? {
            0 => (true, ready(&self.writes, (10_000, 5), 1, self.urgent_since.unwrap()) * 1_000_000),
            1 => (false, after(60)),
            _ => (false, after(300)),
        };
        Some((urgent, at.max(self.not_before), key))
    }
}

impl Naive {
    /// The first candidate of each kind, with the nanosecond at which it may go.
    fn candidates(&self) -> Vec<(bool, u64, u8)> {
        let mut due: Vec<_> = self.objects.iter().filter_map(|(key, object)| object.due(*key)).collect();
        due.sort_unstable_by_key(|(urgent, at, key)| (!urgent, *at, *key));
        let first = |kind: bool| due.iter().find(|(urgent, ..)| *urgent == kind).copied();
        let rated = |(urgent, at, key): (bool, u64, u8)| {
            let least = if urgent { 1 } else { u64::from(RESERVE) + 1 };
            (urgent, at.max(ready(&self.writes, (100, 50), least, 0) * 1_000_000), key)
        };
        [first(true), first(false)].into_iter().flatten().filter(|_| self.leader).map(rated).collect()
    }

    fn next(&mut self, now: u64) -> Option<(u8, [i64; 3])> {
        let (urgent, _, key) = self.candidates().into_iter().find(|(_, at, _)| *at <= now * 1_000_000)?;
        self.writes.push(now);
        let object = self.objects.get_mut(&key)?;
        if urgent {
            object.writes.push(now);
        }
        object.in_flight = object.desired;
        Some((key, object.desired?))
    }

    fn finished(&mut self, key: u8, outcome: Outcome, now: u64) {
        let Some(object) = self.objects.get_mut(&key) else { return };
        let Some(content) = object.in_flight.take() else { return };
        if object.removed {
            self.objects.remove(&key);
            return;
        }
        match outcome {
            Outcome::Written => {
                let writes = std::mem::take(&mut object.writes);
                let desired = object.desired;
                *object = NaiveObject { writes, desired, ..NaiveObject::new(Some(content), now) };
            }
            Outcome::Failed => {
                let pause = Duration::from_secs((1 << object.failures.min(16)).min(300));
                object.failures += 1;
                let part = jitter(&super::tests::object(key), pause / 4, object.failures);
                object.not_before = now * 1_000_000 + (pause + part).as_nanos() as u64;
                object.held.push(Some(content));
            }
            Outcome::Missing => object.missing = true,
        }
        object.note(now);
    }
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Declare(u8, Option<[i64; 3]>),
    Set(u8, [i64; 3]),
    Remove(u8),
    Lead(bool),
    Finish(u8, Outcome, bool),
    Sleep(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let key = || 0..6_u8;
    let status = || [0..3_i64, 0..3, 0..3];
    let outcome = prop_oneof![
        4 => Just(Outcome::Written),
        2 => Just(Outcome::Failed),
        1 => Just(Outcome::Missing),
    ];
    prop_oneof![
        2 => (key(), prop::option::of(status())).prop_map(|(key, stored)| Step::Declare(key, stored)),
        6 => (key(), status()).prop_map(|(key, status)| Step::Set(key, status)),
        1 => key().prop_map(Step::Remove),
        1 => prop::bool::weighted(0.7).prop_map(Step::Lead),
        6 => (key(), outcome, any::<bool>()).prop_map(|(key, outcome, arrived)| Step::Finish(key, outcome, arrived)),
        2 => (0..200_u64).prop_map(Step::Sleep),
        2 => (0..100_000_u64).prop_map(Step::Sleep),
    ]
}

/// What an API server holds.
type Stored = BTreeMap<u8, [i64; 3]>;

struct Both {
    pacing: Pacing,
    naive: Naive,
    stored: Stored,
    start: Instant,
    now: u64,
}

impl Both {
    fn new() -> Self {
        let (pacing, start) = (Pacing::new(true), Instant::now());
        Both {
            pacing,
            naive: Naive { leader: true, ..Naive::default() },
            stored: Stored::new(),
            start,
            now: 0,
        }
    }

    fn at(&self) -> Instant {
        self.start + Duration::from_millis(self.now)
    }

    fn apply(&mut self, step: Step) {
        let (at, now) = (self.at(), self.now);
        match step {
            Step::Declare(key, stored) => {
                // What the API server holds is what a controller sees at first sight.
                let stored = self.stored.get(&key).copied().filter(|_| stored.is_some());
                self.pacing.declare(&object(key), stored.map(content), at);
                let before = self.naive.objects.get(&key);
                let in_flight = before.and_then(|object| object.in_flight);
                let known = stored.filter(|_| before.is_none());
                self.naive.objects.insert(key, NaiveObject { in_flight, ..NaiveObject::new(known, now) });
            }
            Step::Set(key, status) => {
                self.pacing.set(&object(key), content(status), at);
                if let Some(object) = self.naive.objects.get_mut(&key) {
                    object.desired = Some(status);
                    object.note(now);
                }
            }
            Step::Remove(key) => {
                self.pacing.remove(&object(key));
                if let Some(object) = self.naive.objects.get_mut(&key) {
                    object.removed = true;
                }
                self.naive.objects.retain(|_, object| !object.removed || object.in_flight.is_some());
            }
            Step::Lead(leader) => self.lead(leader),
            Step::Finish(key, outcome, arrived) => {
                let content = self.naive.objects.get(&key).and_then(|object| object.in_flight);
                if let Some(content) = content.filter(|_| outcome == Outcome::Written || arrived) {
                    self.stored.insert(key, content);
                }
                self.pacing.finished(&object(key), outcome, at);
                self.naive.finished(key, outcome, now);
            }
            Step::Sleep(millis) => self.now += millis,
        }
    }

    fn lead(&mut self, leader: bool) {
        if std::mem::replace(&mut self.naive.leader, leader) != leader {
            for object in self.naive.objects.values_mut() {
                (object.held, object.in_flight) = (vec![None], None);
                object.note(self.now);
            }
            self.naive.objects.retain(|_, object| !object.removed);
            if leader {
                // The leader before wrote what it liked.
                self.stored.values_mut().for_each(|stored| *stored = [9; 3]);
            }
        }
        self.pacing.set_leader(leader, self.at());
    }
}

proptest! {
    #[test]
    fn writes_equal_those_of_the_naive_reading(steps in prop::collection::vec(step(), 1..120)) {
        let mut both = Both::new();
        for step in steps {
            both.apply(step);
            while let Some(write) = both.pacing.next(both.at()) {
                let (key, status) = both.naive.next(both.now).expect("the naive reading writes, too");
                prop_assert_eq!(write, Write { object: object(key), content: content(status) });
            }
            prop_assert_eq!(both.naive.next(both.now), None);
            let wake = both.naive.candidates().into_iter().map(|(_, at, _)| at.max(both.now * 1_000_000)).min();
            let wake = wake.map(|nanos| both.start + Duration::from_nanos(nanos));
            prop_assert_eq!(both.pacing.wake(both.at()), wake);
        }
    }

    #[test]
    fn in_the_end_everything_is_as_it_should_be(steps in prop::collection::vec(step(), 1..120)) {
        let mut both = Both::new();
        for step in steps {
            both.apply(step);
            while both.pacing.next(both.at()).is_some() {
                both.naive.next(both.now);
            }
        }
        both.apply(Step::Lead(true));
        for key in 0..6 {
            both.apply(Step::Finish(key, Outcome::Written, true));
        }
        for _ in 0..1000 {
            let Some(wake) = both.pacing.wake(both.at()) else { break };
            both.now = (wake - both.start).as_nanos().div_ceil(1_000_000) as u64;
            while let Some(write) = both.pacing.next(both.at()) {
                both.naive.next(both.now);
                let key = write.object.name.parse().unwrap();
                both.apply(Step::Finish(key, Outcome::Written, true));
            }
        }
        prop_assert_eq!(both.pacing.wake(both.at()), None);
        for (key, object) in both.naive.objects.iter().filter(|(_, object)| !object.missing) {
            if let Some(desired) = object.desired {
                prop_assert_eq!(both.stored.get(key), Some(&desired));
            }
        }
    }
}

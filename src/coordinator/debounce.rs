//! When each metric is flushed: a debounce after its first change that has not left yet, and a heartbeat.
//!
//! In: which metric changed at what time. Out: the next deadline, and what is due at a given time. Must never know:
//! clocks, tasks, the engine. Pure: time is an argument.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use celemetry_engine::snapshot::MetricId;

/// Decides when metrics are flushed.
///
/// Invariant: `changes` and `beats` hold exactly the deadlines that `metrics` holds, in time order.
#[derive(Debug)]
pub struct Debounce {
    heartbeat: Duration,
    metrics: BTreeMap<MetricId, Timing>,
    changes: BTreeSet<(Moment, MetricId)>,
    beats: BTreeSet<(Moment, MetricId)>,
}

/// How often a metric may, and must, be flushed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// A metric is flushed this long after its first change that has not left yet.
    pub debounce: Duration,
    /// The metric's own upper bound of the heartbeat: `spec.interval`.
    pub interval: Duration,
}

/// A time: how long after the start of the process. Only the coordinator reads a clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(pub Duration);

/// What is to be flushed now; both lists are in the order of metric numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Due {
    /// Metrics whose debounce has run out.
    pub changed: Vec<MetricId>,
    /// Metrics whose every series is to be sent again.
    pub heartbeat: Vec<MetricId>,
}

/// The deadlines of one metric.
#[derive(Clone, Copy, Debug)]
struct Timing {
    schedule: Schedule,
    change: Option<Moment>,
    beat: Moment,
}

/// No heartbeat is more frequent than this, whatever an interval says: a heartbeat sends every series again.
const SHORTEST_HEARTBEAT: Duration = Duration::from_secs(1);

// === impl Debounce ===

impl Debounce {
    /// Without metrics. `heartbeat` bounds every metric's own interval from above.
    pub fn new(heartbeat: Duration) -> Self {
        Debounce { heartbeat, metrics: BTreeMap::new(), changes: BTreeSet::new(), beats: BTreeSet::new() }
    }

    /// Adds a metric, or gives a known one another schedule; its heartbeat starts anew, and a change that waits goes
    /// on waiting for its old deadline or the new debounce, whichever ends first.
    pub fn insert(&mut self, metric: MetricId, schedule: Schedule, now: Moment) {
        let waiting = self.remove(metric);
        let beat = now.after(self.period(schedule));
        let change = waiting.map(|deadline| deadline.min(now.after(schedule.debounce)));
        self.metrics.insert(metric, Timing { schedule, change, beat });
        self.beats.insert((beat, metric));
        if let Some(deadline) = change {
            self.changes.insert((deadline, metric));
        }
    }

    /// Forgets a metric and says when its waiting change would have left.
    pub fn remove(&mut self, metric: MetricId) -> Option<Moment> {
        let timing = self.metrics.remove(&metric)?;
        self.beats.remove(&(timing.beat, metric));
        let deadline = timing.change?;
        self.changes.remove(&(deadline, metric));
        Some(deadline)
    }

    /// A metric changed. Only the first change sets a deadline: later ones join it and delay nothing.
    pub fn changed(&mut self, metric: MetricId, now: Moment) {
        if let Some(timing) = self.metrics.get_mut(&metric)
            && timing.change.is_none()
        {
            let deadline = now.after(timing.schedule.debounce);
            timing.change = Some(deadline);
            self.changes.insert((deadline, metric));
        }
    }

    /// A metric has something to show for the first time: nobody waits for the first numbers longer than they take.
    pub fn appeared(&mut self, metric: MetricId, now: Moment) {
        self.flushed(metric);
        if let Some(timing) = self.metrics.get_mut(&metric) {
            timing.change = Some(now);
            self.changes.insert((now, metric));
        }
    }

    /// A metric was flushed out of turn: nothing of it waits any more.
    pub fn flushed(&mut self, metric: MetricId) {
        if let Some(timing) = self.metrics.get_mut(&metric)
            && let Some(deadline) = timing.change.take()
        {
            self.changes.remove(&(deadline, metric));
        }
    }

    /// When something is due next.
    pub fn next_deadline(&self) -> Option<Moment> {
        let first = |set: &BTreeSet<(Moment, MetricId)>| set.first().map(|(deadline, _)| *deadline);
        first(&self.changes).into_iter().chain(first(&self.beats)).min()
    }

    /// Takes what is due at `now`. A heartbeat that was slept through is made up for once, not many times.
    pub fn due(&mut self, now: Moment) -> Due {
        let heartbeat = take_until(&mut self.beats, now);
        for metric in &heartbeat {
            let schedule = self.metrics[metric].schedule;
            let beat = now.after(self.period(schedule));
            self.beats.insert((beat, *metric));
            if let Some(timing) = self.metrics.get_mut(metric) {
                timing.beat = beat;
            }
        }
        let changed = take_until(&mut self.changes, now);
        for metric in &changed {
            if let Some(timing) = self.metrics.get_mut(metric) {
                timing.change = None;
            }
        }
        Due { changed, heartbeat }
    }

    fn period(&self, schedule: Schedule) -> Duration {
        schedule.interval.min(self.heartbeat).max(SHORTEST_HEARTBEAT)
    }
}

/// Takes the entries up to and at `now`, and gives their metrics in order.
fn take_until(set: &mut BTreeSet<(Moment, MetricId)>, now: Moment) -> Vec<MetricId> {
    let later = set.split_off(&(Moment(now.0.saturating_add(Duration::from_nanos(1))), MetricId(0)));
    let mut due: Vec<_> = std::mem::replace(set, later).into_iter().map(|(_, metric)| metric).collect();
    due.sort_unstable();
    due
}

// === impl Moment, Due ===

impl Moment {
    /// The moment `delay` later; the end of time where that overflows.
    pub fn after(self, delay: Duration) -> Moment {
        Moment(self.0.saturating_add(delay))
    }
}

impl Due {
    /// Whether nothing is due.
    pub fn is_empty(&self) -> bool {
        self.changed.is_empty() && self.heartbeat.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const A: MetricId = MetricId(1);
    const B: MetricId = MetricId(2);

    fn at(millis: u64) -> Moment {
        Moment(Duration::from_millis(millis))
    }

    fn schedule(debounce: u64, interval: u64) -> Schedule {
        Schedule { debounce: Duration::from_millis(debounce), interval: Duration::from_millis(interval) }
    }

    fn one_metric() -> Debounce {
        let mut debounce = Debounce::new(Duration::from_secs(60));
        debounce.insert(A, schedule(1_000, 600_000), at(0));
        debounce
    }

    #[test]
    fn the_first_change_sets_the_deadline_and_later_ones_do_not_move_it() {
        let mut debounce = one_metric();
        debounce.changed(A, at(100));
        debounce.changed(A, at(1_099));
        assert_eq!(debounce.next_deadline(), Some(at(1_100)));
        assert!(debounce.due(at(1_099)).is_empty());
        assert_eq!(debounce.due(at(1_100)).changed, [A]);
        assert!(debounce.due(at(1_100)).is_empty());
    }

    #[test]
    fn a_change_after_the_flush_waits_a_debounce_of_its_own() {
        let mut debounce = one_metric();
        debounce.changed(A, at(0));
        assert_eq!(debounce.due(at(5_000)).changed, [A]);
        debounce.changed(A, at(5_001));
        assert_eq!(debounce.next_deadline(), Some(at(6_001)));
    }

    #[test]
    fn the_heartbeat_is_the_smaller_of_interval_and_flag_and_no_change_moves_it() {
        let mut debounce = Debounce::new(Duration::from_secs(60));
        debounce.insert(A, schedule(1_000, 10_000), at(0));
        debounce.insert(B, schedule(1_000, 600_000), at(0));
        debounce.changed(A, at(9_500));
        assert_eq!(debounce.due(at(10_000)), Due { changed: vec![], heartbeat: vec![A] });
        assert_eq!(debounce.due(at(10_500)), Due { changed: vec![A], heartbeat: vec![] });
        assert_eq!(debounce.due(at(60_000)).heartbeat, [A, B]);
        assert_eq!(debounce.next_deadline(), Some(at(70_000)));
    }

    #[test]
    fn an_interval_of_zero_does_not_beat_without_end() {
        let mut debounce = Debounce::new(Duration::from_secs(60));
        debounce.insert(A, schedule(0, 0), at(0));
        assert_eq!(debounce.next_deadline(), Some(at(1_000)));
    }

    #[test]
    fn what_appears_is_due_at_once() {
        let mut debounce = one_metric();
        debounce.changed(A, at(100));
        debounce.appeared(A, at(200));
        assert_eq!(debounce.due(at(200)).changed, [A]);
        assert!(debounce.due(at(5_000)).changed.is_empty());
        debounce.appeared(B, at(5_000));
        assert!(debounce.due(at(5_000)).changed.is_empty());
    }

    #[test]
    fn a_removed_metric_is_never_due() {
        let mut debounce = one_metric();
        debounce.changed(A, at(0));
        debounce.remove(A);
        debounce.changed(A, at(1));
        assert_eq!(debounce.next_deadline(), None);
        assert!(debounce.due(at(1_000_000)).is_empty());
    }

    #[test]
    fn an_edited_metric_keeps_its_waiting_change() {
        let mut debounce = one_metric();
        debounce.changed(A, at(0));
        debounce.insert(A, schedule(200, 600_000), at(500));
        assert_eq!(debounce.due(at(700)).changed, [A]);
    }

    #[derive(Clone, Debug)]
    enum Step {
        Insert(u64, u64, u64),
        Remove(u64),
        Change(u64),
        Flushed(u64),
        Sleep(u64),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            (0..4u64, 0..3_000u64, 0..100_000u64).prop_map(|(m, d, i)| Step::Insert(m, d, i)),
            (0..4u64).prop_map(Step::Remove),
            (0..4u64).prop_map(Step::Change),
            (0..4u64).prop_map(Step::Flushed),
            (0..40_000u64).prop_map(Step::Sleep),
        ]
    }

    /// The rules read one by one over a plain list: metric, debounce, period, waiting since, last beat.
    #[derive(Default)]
    struct Naive(Vec<(u64, u64, u64, Option<u64>, u64)>);

    impl Naive {
        fn deadline(&self) -> Option<u64> {
            self.0.iter().flat_map(|m| [m.3, Some(m.4 + m.2)]).flatten().min()
        }

        fn take(&mut self, metric: u64) -> Option<u64> {
            let at = self.0.iter().position(|m| m.0 == metric)?;
            self.0.remove(at).3
        }

        fn due(&mut self, now: u64) -> Due {
            self.0.sort_unstable();
            let mut due = Due::default();
            for m in &mut self.0 {
                if m.4 + m.2 <= now {
                    due.heartbeat.push(MetricId(m.0));
                    m.4 = now;
                }
                if m.3.is_some_and(|deadline| deadline <= now) {
                    due.changed.push(MetricId(m.0));
                    m.3 = None;
                }
            }
            due
        }
    }

    proptest! {
        #[test]
        fn deadlines_equal_those_of_the_naive_reading(steps in prop::collection::vec(step(), 1..60)) {
            let mut debounce = Debounce::new(Duration::from_secs(60));
            let (mut naive, mut now) = (Naive::default(), 0);
            for step in steps {
                match step {
                    Step::Insert(m, d, i) => {
                        let waiting = naive.take(m);
                        naive.0.push((m, d, i.clamp(1_000, 60_000), waiting.map(|w| w.min(now + d)), now));
                        debounce.insert(MetricId(m), schedule(d, i), at(now));
                    }
                    Step::Remove(m) => {
                        prop_assert_eq!(debounce.remove(MetricId(m)), naive.take(m).map(at));
                    }
                    Step::Change(m) => {
                        if let Some(known) = naive.0.iter_mut().find(|known| known.0 == m) {
                            known.3 = known.3.or(Some(now + known.1));
                        }
                        debounce.changed(MetricId(m), at(now));
                    }
                    Step::Flushed(m) => {
                        if let Some(known) = naive.0.iter_mut().find(|known| known.0 == m) {
                            known.3 = None;
                        }
                        debounce.flushed(MetricId(m));
                    }
                    Step::Sleep(millis) => {
                        now += millis;
                        prop_assert_eq!(debounce.due(at(now)), naive.due(now));
                    }
                }
                prop_assert_eq!(debounce.next_deadline(), naive.deadline().map(at));
            }
        }
    }
}

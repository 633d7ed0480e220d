//! When sources are told of a new field plan, and so to list again: registrations are gathered for a second, and
//! metrics that left their series limit are readmitted rarely.
//!
//! In: which source's plan was raised, or who wants to be evaluated anew, at what time. Out: the next deadline, and what is due
//! at a given time. Must never know: clocks, tasks, the engine, field plans. Pure: time is an argument.

use std::collections::BTreeMap;
use std::time::Duration;

use celemetry_engine::change::SourceId;

use super::debounce::Moment;

/// Decides when plans are published and overflow is readmitted, per source.
#[derive(Debug, Default)]
pub struct Epochs {
    sources: BTreeMap<SourceId, Pace>,
}

/// What is to be done now; both lists are in the order of source numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DueEpochs {
    /// Sources to which the newest plan is to be published.
    pub publish: Vec<SourceId>,
    /// Sources whose epoch is to be raised, and published, so that folded series are told apart again.
    pub readmit: Vec<SourceId>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Pace {
    /// When a raised plan is published, unless it is raised again before.
    publish: Option<Moment>,
    /// When it is published however often it is raised.
    publish_by: Option<Moment>,
    /// When a wanted readmission happens.
    readmit: Option<Moment>,
    /// Before this, no readmission happens.
    closed_until: Option<Moment>,
}

/// Registrations that follow each other within this time share one relist, so that one metric is not kept waiting.
pub const QUIET: Duration = Duration::from_millis(100);

/// Registrations within this time of the first one share one relist, so that 500 new metrics cost one LIST.
pub const GATHERING: Duration = Duration::from_secs(1);

/// At most one readmission a source within this time: each costs a LIST, and a metric at its limit may cross it often.
pub const READMISSION_PAUSE: Duration = Duration::from_secs(600);

// === impl Epochs ===

impl Epochs {
    /// The plan of `source` was raised. It is published once that has not happened again for a moment.
    pub fn raised(&mut self, source: SourceId, now: Moment) {
        let pace = self.sources.entry(source).or_default();
        let latest = *pace.publish_by.get_or_insert(now.after(GATHERING));
        pace.publish = Some(now.after(QUIET).min(latest));
    }

    /// Whether a raised plan of `source` is about to be published.
    pub fn waits(&self, source: SourceId) -> bool {
        self.sources.get(&source).is_some_and(|pace| pace.publish.is_some())
    }

    /// The newest plan of `source` was published out of turn: nothing of it waits any more.
    pub fn published(&mut self, source: SourceId) {
        if let Some(pace) = self.sources.get_mut(&source) {
            (pace.publish, pace.publish_by) = (None, None);
        }
    }

    /// Every object of `source` is to be evaluated anew: a metric over it is well below its series limit again, or something
    /// that is held of an object was found to be wrong.
    pub fn readmission_wanted(&mut self, source: SourceId, now: Moment) {
        let pace = self.sources.entry(source).or_default();
        let open = pace.closed_until.map_or(now, |until| until.max(now));
        pace.readmit.get_or_insert(open);
    }

    /// Forgets a source.
    pub fn remove(&mut self, source: SourceId) {
        self.sources.remove(&source);
    }

    /// When something is due next.
    pub fn next_deadline(&self) -> Option<Moment> {
        self.sources.values().flat_map(|pace| [pace.publish, pace.readmit]).flatten().min()
    }

    /// Takes what is due at `now`.
    pub fn due(&mut self, now: Moment) -> DueEpochs {
        let mut due = DueEpochs::default();
        for (source, pace) in &mut self.sources {
            if pace.readmit.is_some_and(|deadline| deadline <= now) {
                *pace = Pace { closed_until: Some(now.after(READMISSION_PAUSE)), ..Pace::default() };
                due.readmit.push(*source);
            } else if pace.publish.is_some_and(|deadline| deadline <= now) {
                (pace.publish, pace.publish_by) = (None, None);
                due.publish.push(*source);
            }
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: SourceId = SourceId(1);

    fn at(secs: u64) -> Moment {
        Moment(Duration::from_secs(secs))
    }

    fn millis(millis: u64) -> Moment {
        Moment(Duration::from_millis(millis))
    }

    #[test]
    fn a_raise_is_published_once_no_other_follows_for_a_moment() {
        let mut epochs = Epochs::default();
        epochs.raised(A, millis(10_000));
        epochs.raised(A, millis(10_090));
        assert_eq!(epochs.next_deadline(), Some(millis(10_190)));
        assert_eq!(epochs.due(millis(10_189)), DueEpochs::default());
        assert_eq!(epochs.due(millis(10_190)).publish, [A]);
        assert_eq!(epochs.next_deadline(), None);
    }

    #[test]
    fn raises_without_end_are_published_each_second() {
        let mut epochs = Epochs::default();
        let mut published = vec![];
        for now in (0..3_000).step_by(50) {
            epochs.raised(A, millis(now));
            if !epochs.due(millis(now)).publish.is_empty() {
                published.push(now);
            }
        }
        assert_eq!(published, [1_000, 2_050]);
    }

    #[test]
    fn a_plan_published_out_of_turn_is_not_published_again() {
        let mut epochs = Epochs::default();
        epochs.raised(A, at(10));
        epochs.published(A);
        assert_eq!(epochs.next_deadline(), None);
    }

    #[test]
    fn readmission_is_immediate_the_first_time_and_then_waits_ten_minutes() {
        let mut epochs = Epochs::default();
        epochs.readmission_wanted(A, at(10));
        assert_eq!(epochs.due(at(10)).readmit, [A]);
        epochs.readmission_wanted(A, at(20));
        epochs.readmission_wanted(A, at(30));
        assert_eq!(epochs.next_deadline(), Some(at(610)));
        assert_eq!(epochs.due(at(609)), DueEpochs::default());
        assert_eq!(epochs.due(at(610)).readmit, [A]);
        assert_eq!(epochs.next_deadline(), None);
    }

    #[test]
    fn readmission_takes_a_waiting_registration_along() {
        let mut epochs = Epochs::default();
        epochs.raised(A, at(10));
        epochs.readmission_wanted(A, at(10));
        assert_eq!(epochs.due(at(10)), DueEpochs { publish: vec![], readmit: vec![A] });
        assert_eq!(epochs.next_deadline(), None);
    }

    #[test]
    fn a_removed_source_is_never_due() {
        let mut epochs = Epochs::default();
        epochs.raised(A, at(10));
        epochs.remove(A);
        assert_eq!(epochs.due(at(100)), DueEpochs::default());
    }
}

//! Which of the sources that a target means a metric is to count now.
//!
//! In: what the target means, how its sources are doing, the time. Out: sources to count, or none. Must never know:
//! definitions, the coordinator. Pure.
//!
//! A source that fails keeps what it has shown until it is stale; then the metric goes on without it, and without any
//! source its series are withdrawn. A source that fails and has never shown a list is not waited for: the others are
//! counted without it.

use std::time::Duration;

use celemetry_engine::change::SourceId;
use tokio::time::Instant;

use crate::cluster::feed::{Phase, SourceState};

/// What is known of a target's sources.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Sight {
    /// Nothing yet.
    Unknown,
    /// The target has meant nothing since then.
    Blind {
        /// Since when.
        since: Instant,
    },
    /// These.
    Sources(Vec<(SourceId, SourceState)>),
}

/// What is to be done with a metric.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Placement {
    /// Leave it as it is.
    Keep,
    /// Take it away: what it says is too old.
    Withdraw,
    /// Let it count the objects of these sources.
    Place(Vec<SourceId>),
}

/// Decides, and says when to decide again unless something happens before.
pub(super) fn decide(sight: &Sight, now: Instant, stale_after: Duration) -> (Placement, Option<Instant>) {
    match sight {
        Sight::Unknown => (Placement::Keep, None),
        Sight::Blind { since } => match *since + stale_after {
            stale if stale <= now => (Placement::Withdraw, None),
            stale => (Placement::Keep, Some(stale)),
        },
        Sight::Sources(sources) => {
            let stale = |state: &SourceState| stale_at(state, stale_after).is_some_and(|stale| stale <= now);
            let ids = |wanted: &dyn Fn(&SourceState) -> bool| -> Vec<SourceId> {
                sources.iter().filter(|(_, state)| wanted(state)).map(|(source, _)| *source).collect()
            };
            let mut fresh = ids(&|state| !stale(state) && !was_never_seen(state));
            if fresh.is_empty() {
                fresh = ids(&|state| !stale(state));
            }
            let next =
                sources.iter().filter_map(|(_, state)| stale_at(state, stale_after)).filter(|at| *at > now);
            let placement = if fresh.is_empty() { Placement::Withdraw } else { Placement::Place(fresh) };
            (placement, next.min())
        }
    }
}

/// Whether what a source has shown is too old to be told.
pub(super) fn is_stale(state: &SourceState, now: Instant, stale_after: Duration) -> bool {
    stale_at(state, stale_after).is_some_and(|stale| stale <= now)
}

fn was_never_seen(state: &SourceState) -> bool {
    !state.synced && matches!(state.phase, Phase::Failed { .. })
}

/// From when on what a source has shown is too old, if that is to come.
pub(super) fn stale_at(state: &SourceState, stale_after: Duration) -> Option<Instant> {
    match &state.phase {
        Phase::Failed { since, .. } => Some(*since + stale_after),
        Phase::Listing | Phase::Watching | Phase::Polling { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::fault::{Fault, FaultClass};

    const STALE_AFTER: Duration = Duration::from_secs(300);

    fn watching(id: u32) -> (SourceId, SourceState) {
        (SourceId(id), SourceState { phase: Phase::Watching, synced: true, ..SourceState::default() })
    }

    fn failed(id: u32, since: Instant) -> (SourceId, SourceState) {
        let phase = Phase::Failed {
            fault: Fault::new(FaultClass::Forbidden, "no"),
            since,
            since_time: std::time::SystemTime::UNIX_EPOCH,
        };
        (SourceId(id), SourceState { phase, synced: true, ..SourceState::default() })
    }

    #[test]
    fn a_failed_source_counts_until_it_is_stale() {
        let start = Instant::now();
        let stale = start + STALE_AFTER;
        let sight = Sight::Sources(vec![watching(1), failed(2, start)]);
        let both = Placement::Place(vec![SourceId(1), SourceId(2)]);
        assert_eq!(decide(&sight, start, STALE_AFTER), (both, Some(stale)));
        assert_eq!(decide(&sight, stale, STALE_AFTER), (Placement::Place(vec![SourceId(1)]), None));
    }

    #[test]
    fn a_source_that_fails_before_its_first_list_holds_up_no_other() {
        let start = Instant::now();
        let never = |id: u32| {
            let (id, state) = failed(id, start);
            (id, SourceState { synced: false, ..state })
        };
        let place = |sight: Vec<_>| decide(&Sight::Sources(sight), start, STALE_AFTER).0;
        assert_eq!(place(vec![watching(1), never(2)]), Placement::Place(vec![SourceId(1)]));
        assert_eq!(place(vec![never(1), never(2)]), Placement::Place(vec![SourceId(1), SourceId(2)]));
    }

    #[test]
    fn without_a_source_that_is_fresh_a_metric_is_withdrawn() {
        let start = Instant::now();
        let sight = Sight::Sources(vec![failed(1, start)]);
        assert_eq!(decide(&sight, start + STALE_AFTER, STALE_AFTER), (Placement::Withdraw, None));
    }

    #[test]
    fn a_target_that_means_nothing_any_more_is_given_the_same_time() {
        let start = Instant::now();
        let sight = Sight::Blind { since: start };
        assert_eq!(decide(&sight, start, STALE_AFTER), (Placement::Keep, Some(start + STALE_AFTER)));
        assert_eq!(decide(&sight, start + STALE_AFTER, STALE_AFTER), (Placement::Withdraw, None));
    }

    #[test]
    fn what_is_not_known_yet_changes_nothing() {
        assert_eq!(decide(&Sight::Unknown, Instant::now(), STALE_AFTER), (Placement::Keep, None));
    }
}

//! What a young process leaves standing of what an earlier one said, so that a restart or a takeover flips nothing.
//!
//! In: the conditions before, and how long a generation is known. Out: conditions that stand. Must never know: what
//! they are about.

use std::time::Duration;

use k8s_openapi::jiff::{SignedDuration, Timestamp};

use super::verdict::Verdict;
use crate::api::Condition;

/// How long conditions are left standing at most while nothing new is known: time for a first list and a first
/// heartbeat of 60 s.
pub(super) const HOLD: Duration = Duration::from_secs(120);

/// The conditions before.
#[derive(Clone, Copy, Debug)]
pub(super) struct Held<'p> {
    before: &'p [Condition],
    generation: i64,
    young: bool,
}

// === impl Held ===

impl<'p> Held<'p> {
    /// The conditions before, at `now`, for a generation that this process has known since `known_since`.
    pub(super) fn new(
        before: &'p [Condition],
        generation: i64,
        known_since: Timestamp,
        now: Timestamp,
    ) -> Self {
        let young =
            now.duration_since(known_since) < SignedDuration::try_from(HOLD).unwrap_or(SignedDuration::MAX);
        Held { before, generation, young }
    }

    /// Every condition before, where there are any of this generation: nothing was looked at yet.
    pub(super) fn all(self) -> Option<Vec<Condition>> {
        let stand = !self.before.is_empty() && self.before.iter().all(|condition| self.may_stand(condition));
        stand.then(|| self.before.to_vec())
    }

    /// The condition before, where `verdict` is provisional and the reason before is one of `standing`; otherwise the
    /// verdict.
    pub(super) fn or(self, verdict: Verdict, standing: &[&str], now: Timestamp) -> Condition {
        match Condition::find(self.before, verdict.aspect) {
            Some(before)
                if verdict.provisional
                    && self.may_stand(before)
                    && standing.contains(&before.reason.as_str()) =>
            {
                before.clone()
            }
            _ => verdict.into_condition(self.generation, now),
        }
    }

    fn may_stand(self, before: &Condition) -> bool {
        self.young && before.observed_generation == Some(self.generation)
    }
}

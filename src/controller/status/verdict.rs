//! What is to be said under one condition, and what a fault is.
//!
//! In: words. Out: conditions with their times. Must never know: what the words are about.

use k8s_openapi::jiff::Timestamp;

use crate::api::Condition;
use crate::api::condition::{FALSE, LONGEST_MESSAGE, TRUE, UNKNOWN};
use crate::controller::message::lines;

/// One condition, without its times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    /// The condition's type.
    pub(super) aspect: &'static str,
    /// `True`, `False` or `Unknown`.
    pub(super) status: &'static str,
    /// For programs.
    pub(super) reason: &'static str,
    /// For people, a line each.
    pub(super) message: Vec<String>,
    /// Whether it only says that something is still being looked at.
    pub(super) provisional: bool,
}

/// One thing that keeps an object from being ready.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    /// The reason under Ready: upstream's, where upstream has one.
    pub(super) ready: &'static str,
    /// The reason under the condition that is about it: ours, and exact.
    pub(super) reason: &'static str,
    /// One line for people.
    pub(super) message: String,
}

/// An instant as statuses hold it: RFC 3339 in UTC, whole seconds, as `metav1.Time`.
pub(super) fn text_of(time: Timestamp) -> String {
    Timestamp::from_second(time.as_second()).unwrap_or(time).to_string()
}

// === impl Verdict ===

impl Verdict {
    /// It holds.
    pub(super) fn holds(aspect: &'static str, reason: &'static str, message: impl Into<String>) -> Self {
        Verdict { aspect, status: TRUE, reason, message: vec![message.into()], provisional: false }
    }

    /// It does not hold.
    pub(super) fn fails(aspect: &'static str, reason: &'static str, message: impl Into<String>) -> Self {
        Verdict { aspect, status: FALSE, reason, message: vec![message.into()], provisional: false }
    }

    /// Nobody can say yet.
    pub(super) fn open(aspect: &'static str, reason: &'static str, message: impl Into<String>) -> Self {
        Verdict { aspect, status: UNKNOWN, reason, message: vec![message.into()], provisional: true }
    }

    /// It does not hold, for the reason of the first fault; every fault is told. `None` where there is none.
    pub(super) fn of_faults<'f>(
        aspect: &'static str,
        faults: impl IntoIterator<Item = &'f Fault>,
    ) -> Option<Self> {
        let faults: Vec<&Fault> = faults.into_iter().collect();
        let message = faults.iter().map(|fault| fault.message.clone()).collect();
        let first = faults.first()?;
        Some(Verdict { aspect, status: FALSE, reason: first.reason, message, provisional: false })
    }

    /// As a condition that begins now.
    pub(super) fn into_condition(self, generation: i64, now: Timestamp) -> Condition {
        Condition {
            type_: self.aspect.to_owned(),
            status: self.status.to_owned(),
            reason: self.reason.to_owned(),
            message: lines(&self.message, LONGEST_MESSAGE),
            last_transition_time: text_of(now),
            observed_generation: Some(generation),
        }
    }
}

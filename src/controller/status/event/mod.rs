//! Events: what begins and what ends with a change of conditions.
//!
//! In: the conditions before and after. Out: what is worth an Event; publishing is next door. Must never know: what
//! the conditions are about. Pure.
//!
//! | what | type | reason | action |
//! | --- | --- | --- | --- |
//! | a Metric is ready, and was not | Normal | `MetricAvailable` | `ReconcileMetric` |
//! | a Metric is not ready, and was, or for another reason | Warning | `MetricFailed` | `ReconcileMetric` |
//! | — for want of its DataSink or a Secret | Warning | `DataSinkFetchError` | `GetDataSinkCredentials` |
//! | — for want of a key in a Secret | Warning | `SecretKeyNotFound` | `GetDataSinkCredentials` |
//! | a Metric has left its limits | Warning | the reason of WithinLimits | `ReconcileMetric` |
//! | a Metric is within its limits again | Normal | `WithinLimits` | `ReconcileMetric` |
//! | a DataSink is ready, and was not | Normal | `DataSinkAvailable` | `ReconcileDataSink` |
//! | a DataSink is not ready, and was, or for another reason | Warning | `DataSinkFailed` | `ReconcileDataSink` |
//! | — for want of a Secret | Warning | `DataSinkFetchError` | `GetDataSinkCredentials` |
//! | — for want of a key in a Secret | Warning | `SecretKeyNotFound` | `GetDataSinkCredentials` |
//!
//! Reasons, actions and the reporter of a Metric's are upstream's where upstream has them; what it calls type "Error",
//! which no API server takes, is a Warning. What was so before this process, and still is, is no Event.

mod correlation;
mod publisher;

use std::sync::Arc;

use super::sink::EXPORT_FAILURES;
use super::slot::ObjectRef;
use crate::api::Condition;
use crate::api::condition::{FALSE, TRUE, aspect, reason};
use crate::controller::message::lines;

pub(super) use publisher::Publisher;

/// The most that `note` may hold: a limit of the API server, in bytes.
const LONGEST_NOTE: usize = 1024;

/// Something worth an Event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Notice {
    /// What it is about.
    pub(super) object: Arc<ObjectRef>,
    /// Who says it: the controller's name.
    pub(super) reporter: &'static str,
    /// How it is said.
    pub(super) said: Said,
}

/// The words of an Event.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Said {
    /// Whether it is a Warning; otherwise it is Normal.
    pub(super) warning: bool,
    /// For programs.
    pub(super) reason: &'static str,
    /// What was being done.
    pub(super) action: &'static str,
    /// For people.
    pub(super) note: String,
}

/// The words that one kind of object uses.
struct Words {
    available: &'static str,
    failed: &'static str,
    action: &'static str,
}

const METRIC: Words =
    Words { available: "MetricAvailable", failed: "MetricFailed", action: "ReconcileMetric" };
const DATA_SINK: Words =
    Words { available: "DataSinkAvailable", failed: "DataSinkFailed", action: "ReconcileDataSink" };
/// Who reports what befalls Metrics: upstream's name.
pub(super) const METRIC_REPORTER: &str = "Metric-controller";
/// Who reports what befalls DataSinks.
pub(super) const DATA_SINK_REPORTER: &str = "DataSink-controller";

/// The action that is at fault where a DataSink or a Secret is missing.
const CREDENTIALS: &str = "GetDataSinkCredentials";

/// What is worth an Event when a Metric's conditions change.
pub(super) fn of_metric(before: &[Condition], after: &[Condition]) -> Vec<Said> {
    let ready = of_ready(before, after, &METRIC);
    ready.into_iter().chain(of_limits(before, after)).collect()
}

/// What is worth an Event when a DataSink's conditions change.
pub(super) fn of_data_sink(before: &[Condition], after: &[Condition]) -> Option<Said> {
    of_ready(before, after, &DATA_SINK)
}

fn of_ready(before: &[Condition], after: &[Condition], words: &Words) -> Option<Said> {
    let [was, is] = [before, after].map(|conditions| Condition::find(conditions, aspect::READY));
    let is = is?;
    let was_it = |status| was.is_some_and(|was| was.status == status);
    if is.status == TRUE && !was_it(TRUE) {
        return Some(said(false, words.available, words.action, is));
    }
    if is.status != FALSE || (was_it(FALSE) && fault(before) == fault(after)) {
        return None;
    }
    let (reason, action) = match fault(after)[1] {
        reason::SECRET_KEY_NOT_FOUND => ("SecretKeyNotFound", CREDENTIALS),
        reason::DATA_SINK_NOT_FOUND
        | reason::SECRET_NOT_FOUND
        | reason::SECRET_FORBIDDEN
        | reason::SECRET_UNREADABLE => ("DataSinkFetchError", CREDENTIALS),
        _ => (words.failed, words.action),
    };
    Some(said(true, reason, action, is))
}

/// Which fault it is that Ready is false for: its reason, and the exact one of the condition that is about it. A sink
/// whose requests fail now in one way and now in another has one fault.
fn fault(conditions: &[Condition]) -> [&str; 2] {
    let reason_of = |aspect| Condition::find(conditions, aspect).map_or("", |found| found.reason.as_str());
    let ready = reason_of(aspect::READY);
    match ready {
        reason::DATA_SINK_UNAVAILABLE | reason::OTLP_CLIENT_CREATION_FAILED => {
            [ready, reason_of(aspect::EXPORTED)]
        }
        reason::MONITORING_FAILED => [ready, reason_of(aspect::SYNCED)],
        // The Ready of a DataSink is exact itself.
        exact if EXPORT_FAILURES.contains(&exact) => [reason::METRIC_EXPORT_FAILED, ""],
        exact => [exact, exact],
    }
}

fn of_limits(before: &[Condition], after: &[Condition]) -> Option<Said> {
    let [was, is] = [before, after].map(|conditions| Condition::find(conditions, aspect::WITHIN_LIMITS));
    let is = is?;
    let was_outside = was.is_some_and(|was| was.status == FALSE);
    match (is.status.as_str(), was_outside) {
        (FALSE, false) if is.reason == reason::SUM_BEYOND_64_BITS => {
            Some(said(true, reason::SUM_BEYOND_64_BITS, METRIC.action, is))
        }
        (FALSE, false) => Some(said(true, reason::SERIES_LIMIT_EXCEEDED, METRIC.action, is)),
        (TRUE, true) => Some(said(false, reason::WITHIN_LIMITS, METRIC.action, is)),
        _ => None,
    }
}

fn said(warning: bool, reason: &'static str, action: &'static str, condition: &Condition) -> Said {
    let message: Vec<_> = condition.message.lines().collect();
    Said { warning, reason, action, note: lines(&message, LONGEST_NOTE) }
}

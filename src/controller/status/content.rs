//! What is written into a status, and how urgently.
//!
//! In: statuses. Out: how far one is from another, and the JSON of the `status` field. Must never know: who writes it,
//! and when.

use serde_json::{Value, json};

use crate::api::condition::TRUE;
use crate::api::{Condition, DataSinkStatus, MetricStatus};

/// The status of an object of any kind.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Content {
    /// Of a Metric.
    Metric(Box<MetricStatus>),
    /// Of a DataSink, which has nothing but conditions.
    DataSink(DataSinkStatus),
}

/// How urgently one status is to replace another, from the least.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Urgency {
    /// Only times and costs differ: what every heartbeat changes.
    Freshness,
    /// Figures differ.
    Figures,
    /// Conditions differ, or the generation or mode that they are about.
    Conditions,
}

// === impl Content ===

impl Content {
    /// How urgently this is to replace `other`; `None` where they are the same.
    pub(super) fn urgency_over(&self, other: &Content) -> Option<Urgency> {
        match (self, other) {
            (Content::Metric(this), Content::Metric(other)) => urgency_of_metric(this, other),
            _ => (self != other).then_some(Urgency::Conditions),
        }
    }

    /// As the field `status`.
    pub(super) fn json(&self) -> Value {
        match self {
            Content::Metric(status) => json!(status),
            Content::DataSink(status) => json!(status),
        }
    }
}

fn urgency_of_metric(this: &MetricStatus, other: &MetricStatus) -> Option<Urgency> {
    let heads =
        |status: &MetricStatus| (status.ready.clone(), status.observed_generation, status.mode.clone());
    if faults(&this.conditions) != faults(&other.conditions) || heads(this) != heads(other) {
        Some(Urgency::Conditions)
    } else if without_freshness(this) != without_freshness(other) {
        Some(Urgency::Figures)
    } else if this != other {
        Some(Urgency::Freshness)
    } else {
        None
    }
}

/// The conditions without the messages of those that hold: what is said there are reservations, which may count
/// something.
fn faults(conditions: &[Condition]) -> Vec<Condition> {
    let mut conditions = conditions.to_vec();
    conditions.iter_mut().filter(|condition| condition.status == TRUE).for_each(|one| one.message.clear());
    conditions
}

/// The status without what changes at every heartbeat. That a time is there at all is no matter of freshness.
fn without_freshness(status: &MetricStatus) -> MetricStatus {
    let mut status = status.clone();
    let forget = |time: &mut Option<String>| {
        if let Some(time) = time {
            time.clear();
        }
    };
    forget(&mut status.last_export_time);
    status.cost = None;
    if let Some(observation) = &mut status.observation {
        forget(&mut observation.timestamp);
        observation.target_lookup_duration_millis = None;
        observation.target_lookup_cache_hits = None;
    }
    status
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{Cost, Observation};

    fn condition(status: &str, reason: &str, message: &str) -> Vec<Condition> {
        let [type_, status, reason, message] = ["Synced", status, reason, message].map(String::from);
        vec![Condition { type_, status, reason, message, ..Condition::default() }]
    }

    fn seen(timestamp: &str, value: &str) -> Option<Observation> {
        let [timestamp, latest_value] = [timestamp, value].map(|text| Some(text.to_owned()));
        Some(Observation { timestamp, latest_value, ..Observation::default() })
    }

    fn before() -> MetricStatus {
        MetricStatus {
            conditions: condition("False", "Forbidden", "a"),
            observation: seen("1", "7"),
            last_export_time: Some("1".into()),
            ..MetricStatus::default()
        }
    }

    #[test]
    fn faults_are_urgent_figures_are_not_and_heartbeats_least() {
        type Change = fn(&mut MetricStatus);
        let rows: &[(Change, Option<Urgency>)] = &[
            (|_| {}, None),
            (|s| s.conditions = condition("True", "Forbidden", "a"), Some(Urgency::Conditions)),
            (|s| s.conditions = condition("False", "Stale", "a"), Some(Urgency::Conditions)),
            (|s| s.conditions = condition("False", "Forbidden", "b"), Some(Urgency::Conditions)),
            (|s| s.observed_generation = Some(2), Some(Urgency::Conditions)),
            (|s| s.mode = Some("Polling".into()), Some(Urgency::Conditions)),
            (|s| s.series = Some(1), Some(Urgency::Figures)),
            (|s| s.observation = seen("1", "8"), Some(Urgency::Figures)),
            (|s| s.last_export_time = None, Some(Urgency::Figures)),
            (|s| s.observation = seen("2", "7"), Some(Urgency::Freshness)),
            (|s| s.last_export_time = Some("2".into()), Some(Urgency::Freshness)),
            (|s| s.cost = Some(Cost::default()), Some(Urgency::Freshness)),
        ];
        let content = |status| Content::Metric(Box::new(status));
        for (at, (change, expected)) in rows.iter().enumerate() {
            let mut after = before();
            change(&mut after);
            assert_eq!(content(after).urgency_over(&content(before())), *expected, "row {at}");
        }
    }

    #[test]
    fn a_reservation_that_counts_hurries_nobody() {
        let status = |message| {
            let conditions = condition("True", "Degraded", message);
            Content::Metric(Box::new(MetricStatus { conditions, ..MetricStatus::default() }))
        };
        assert_eq!(status("2 times").urgency_over(&status("1 time")), Some(Urgency::Figures));
    }
}

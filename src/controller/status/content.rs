//! What is written into a status, and how urgently.
//!
//! In: statuses. Out: how far one is from another, and the JSON of the `status` field. Must never know: who writes it,
//! and when.

use serde_json::{Value, json};

use crate::api::{DataSinkStatus, MetricStatus};

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
    if this.conditions != other.conditions || heads(this) != heads(other) {
        Some(Urgency::Conditions)
    } else if without_freshness(this) != without_freshness(other) {
        Some(Urgency::Figures)
    } else if this != other {
        Some(Urgency::Freshness)
    } else {
        None
    }
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

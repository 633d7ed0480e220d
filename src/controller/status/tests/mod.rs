//! What is said of which facts, and how it reaches an API server.

mod metric;
mod history;
mod data_sink;
mod server;
mod writer;
mod events;

use std::time::Duration;

use k8s_openapi::jiff::Timestamp;

use super::facts::{MetricFacts, SinkState, SourceFacts, SourceState, TargetState};
use super::slot::ObjectRef;
use crate::api::{Condition, Group, MetricStatus};
use crate::controller::Mode;

/// A time this many seconds after noon of a day.
fn at(seconds: i64) -> Timestamp {
    let noon: Timestamp = "2026-11-24T12:00:00Z".parse().unwrap();
    noon + Duration::from_secs(seconds.unsigned_abs())
}

fn source(name: &str, state: SourceState) -> SourceFacts {
    SourceFacts { name: name.into(), state, since: at(0), withdrawn: false }
}

/// A Metric of generation 1 that nothing is wrong with, at noon, to a process that has long known it.
fn healthy() -> MetricFacts {
    let sources = vec![source("pods.v1", SourceState::Live)];
    MetricFacts {
        reconciled: true,
        known_since: "2026-11-24T00:00:00Z".parse().unwrap(),
        target: TargetState::Resolved { sources },
        first_list_complete: true,
        sink: SinkState::Healthy,
        engine: Some(celemetry_engine::MetricStatus { series: 2, matched_objects: 3, ..Default::default() }),
        ..MetricFacts::first_sight(1, Mode::EventDriven, at(0))
    }
}

/// A condition as `Status Reason`.
fn said(conditions: &[Condition], aspect: &str) -> String {
    let condition = Condition::find(conditions, aspect).expect("every condition is always there");
    format!("{} {}", condition.status, condition.reason)
}

fn message<'s>(status: &'s MetricStatus, aspect: &str) -> &'s str {
    &Condition::find(&status.conditions, aspect).expect("every condition is always there").message
}

fn object(name: &str) -> ObjectRef {
    ObjectRef {
        group: Group::OpenControlPlane,
        kind: "Metric",
        namespace: "shop".into(),
        name: name.into(),
        uid: format!("uid-of-{name}"),
    }
}

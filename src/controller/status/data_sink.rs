//! The status of a DataSink.
//!
//! In: facts, and the status before. Out: the status now. Must never know: clocks, API servers, any wire. Pure.

use super::facts::{DataSinkFacts, ExportFailure, SinkState};
use super::held::Held;
use super::sink::{self, EXPORT_FAILURES};
use super::verdict::Verdict;
use crate::api::condition::{aspect, reason};
use crate::api::{Condition, DataSinkStatus};

/// The status of a DataSink. Its one condition Ready holds while its endpoint is valid, its credentials are readable,
/// and requests are taken. It keeps the time of its last transition from `previous`.
pub fn data_sink_status(facts: &DataSinkFacts, previous: &DataSinkStatus) -> DataSinkStatus {
    let held = Held::new(&previous.conditions, facts.generation, facts.known_since, facts.now);
    let verdict = ready(facts);
    let unseen = matches!(facts.state, SinkState::NotAsked | SinkState::NotRead) && verdict.provisional;
    let conditions = held.all().filter(|_| unseen).unwrap_or_else(|| {
        let standing = [&[reason::EXPORT_SUCCEEDED], EXPORT_FAILURES].concat();
        Condition::merge(&previous.conditions, vec![held.or(verdict, &standing, facts.now)])
    });
    DataSinkStatus { conditions, observed_generation: Some(facts.generation) }
}

fn ready(facts: &DataSinkFacts) -> Verdict {
    let aspect = aspect::READY;
    if !facts.errors.is_empty() {
        let message = facts.errors.iter().map(ToString::to_string).collect();
        return Verdict { message, ..Verdict::fails(aspect, reason::INVALID_SPEC, "") };
    }
    let fault = sink::fault(&facts.state);
    match (&facts.state, fault) {
        (SinkState::Failing { failure: ExportFailure::PointsRejected, .. }, Some(fault)) => {
            Verdict::holds(aspect, fault.reason, fault.message)
        }
        (_, Some(fault)) => Verdict::fails(aspect, fault.reason, fault.message),
        (SinkState::NotAsked | SinkState::NotRead, None) => {
            Verdict::open(aspect, reason::RECONCILING, "nothing is known of this generation yet")
        }
        (SinkState::NotTried, None) => Verdict {
            provisional: true,
            ..Verdict::holds(aspect, reason::NOT_TRIED_YET, "usable; nothing was sent to it yet")
        },
        (_, None) => Verdict::holds(aspect, reason::EXPORT_SUCCEEDED, "it took the last request"),
    }
}

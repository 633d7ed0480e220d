//! One line for every row of a DataSink's faults, and what a restart leaves standing.

use super::*;
use crate::api::DataSinkStatus;
use crate::controller::LowerError;
use crate::controller::status::data_sink_status;
use crate::controller::status::facts::{DataSinkFacts, ExportFailure, SinkDefect};

fn facts(state: SinkState) -> DataSinkFacts {
    DataSinkFacts { generation: 1, now: at(0), known_since: at(0), errors: vec![], state }
}

fn ready(status: &DataSinkStatus) -> String {
    assert_eq!(status.conditions.len(), 1);
    said(&status.conditions, "Ready")
}

#[test]
fn ready_says_which_fault_it_is() {
    let name = || "ops/key".to_owned();
    let failing = |failure| SinkState::Failing { failure, since: at(0) };
    for (state, expected) in [
        (SinkState::NotAsked, "Unknown Reconciling"),
        (SinkState::NotTried, "True NotTriedYet"),
        (SinkState::Healthy, "True ExportSucceeded"),
        (failing(ExportFailure::PointsRejected), "True PointsRejected"),
        (failing(ExportFailure::Refused), "False EndpointRefused"),
        (failing(ExportFailure::Tls), "False TLSError"),
        (failing(ExportFailure::Throttled), "False SinkThrottled"),
        (SinkState::Unusable(SinkDefect::SecretNotFound { name: name() }), "False SecretNotFound"),
        (SinkState::Unusable(SinkDefect::SecretForbidden { name: name() }), "False SecretForbidden"),
        (
            SinkState::Unusable(SinkDefect::SecretKeyNotFound { name: name(), key: "k".into() }),
            "False SecretKeyNotFound",
        ),
        (SinkState::Unusable(SinkDefect::InvalidEndpoint { message: "x".into() }), "False InvalidEndpoint"),
        (SinkState::Unusable(SinkDefect::ForbiddenAddress { host: "x".into() }), "False EndpointForbidden"),
    ] {
        let status = data_sink_status(&facts(state), &DataSinkStatus::default());
        assert_eq!(ready(&status), expected);
        assert_eq!(status.observed_generation, Some(1));
    }
    let error =
        LowerError { place: "spec.connection".into(), line: 0, column: 0, message: "is missing".into() };
    let invalid = DataSinkFacts { errors: vec![error], ..facts(SinkState::NotAsked) };
    let status = data_sink_status(&invalid, &DataSinkStatus::default());
    assert_eq!(ready(&status), "False InvalidSpec");
    assert_eq!(status.conditions[0].message, "spec.connection: is missing");
}

#[test]
fn a_restart_flips_nothing_until_the_sink_had_its_chance() {
    let failing = SinkState::Failing { failure: ExportFailure::Refused, since: at(0) };
    for state in [SinkState::Healthy, failing] {
        let before = data_sink_status(&facts(state), &DataSinkStatus::default());
        let young = |state, now| DataSinkFacts { now: at(now), known_since: at(1000), ..facts(state) };
        let seen = data_sink_status(&young(SinkState::NotAsked, 1000), &before);
        assert_eq!(seen, before);
        assert_eq!(data_sink_status(&young(SinkState::NotTried, 1119), &seen), before);
        assert_eq!(ready(&data_sink_status(&young(SinkState::NotTried, 1120), &seen)), "True NotTriedYet");
    }
    let missing = SinkState::Unusable(SinkDefect::SecretNotFound { name: "a/b".into() });
    let before = data_sink_status(&facts(missing), &DataSinkStatus::default());
    let young = DataSinkFacts { now: at(1001), known_since: at(1000), ..facts(SinkState::NotTried) };
    assert_eq!(ready(&data_sink_status(&young, &before)), "True NotTriedYet");
}

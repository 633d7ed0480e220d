//! What a pipeline says of itself, in the words of a status.
//!
//! In: the health of a pipeline. Out: the state of a sink. Must never know: who shows it.

use k8s_openapi::jiff::Timestamp;

use crate::controller::status::{ExportFailure, SinkState};
use crate::export::pipeline::{Health, State};
use crate::export::transport::Failure;

/// The health of a pipeline, as a status tells it.
pub(super) fn sink_state(health: &Health) -> SinkState {
    let failing = |failure, since| SinkState::Failing {
        failure,
        since: Timestamp::try_from(since).unwrap_or_default(),
    };
    match (health.state, health.rejecting) {
        (State::Untried, _) => SinkState::NotTried,
        (State::Healthy { .. }, None) => SinkState::Healthy,
        (State::Healthy { .. }, Some(since)) => failing(ExportFailure::PointsRejected, since),
        (State::Failing { since, failure }, _) => failing(export_failure(failure), since),
    }
}

fn export_failure(failure: Failure) -> ExportFailure {
    match failure {
        Failure::Unresolvable => ExportFailure::NotResolved,
        Failure::ForbiddenAddress => ExportFailure::ForbiddenAddress,
        Failure::Refused | Failure::Unreachable | Failure::Closed => ExportFailure::Refused,
        Failure::Timeout => ExportFailure::Timeout,
        Failure::Protocol => ExportFailure::InvalidResponse,
        Failure::CertificateName => ExportFailure::CertificateName,
        Failure::CertificateExpired => ExportFailure::CertificateExpired,
        Failure::CertificateUntrusted => ExportFailure::CertificateUntrusted,
        Failure::Tls => ExportFailure::Tls,
        Failure::ClientCertificateRefused => ExportFailure::Unauthenticated,
        Failure::Http(status) => of_http(status),
        Failure::Grpc(code) => of_grpc(code),
    }
}

fn of_http(status: u16) -> ExportFailure {
    match status {
        401 => ExportFailure::Unauthenticated,
        403 => ExportFailure::PermissionDenied,
        404 | 405 => ExportFailure::NotFound,
        413 => ExportFailure::TooLarge,
        429 => ExportFailure::Throttled,
        500.. => ExportFailure::Unavailable,
        _ => ExportFailure::Rejected,
    }
}

/// By the numbers of gRPC's status codes.
fn of_grpc(code: i32) -> ExportFailure {
    match code {
        4 => ExportFailure::Timeout,
        5 | 12 => ExportFailure::NotFound,
        7 => ExportFailure::PermissionDenied,
        8 => ExportFailure::Throttled,
        1 | 10 | 13..=15 => ExportFailure::Unavailable,
        16 => ExportFailure::Unauthenticated,
        _ => ExportFailure::Rejected,
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    #[test]
    fn a_sink_that_takes_requests_but_not_every_point_is_told_apart() {
        let (since, state) = (SystemTime::UNIX_EPOCH, State::Healthy { since: SystemTime::UNIX_EPOCH });
        let health = Health { state, rejecting: Some(since), ..Health::default() };
        let failing = SinkState::Failing {
            failure: ExportFailure::PointsRejected,
            since: Timestamp::try_from(since).unwrap(),
        };
        assert_eq!(sink_state(&health), failing);
        assert_eq!(sink_state(&Health { rejecting: None, ..health }), SinkState::Healthy);
    }

    #[test]
    fn failures_are_told_in_classes() {
        for (failure, expected) in [
            (Failure::Refused, ExportFailure::Refused),
            (Failure::CertificateName, ExportFailure::CertificateName),
            (Failure::Http(401), ExportFailure::Unauthenticated),
            (Failure::Http(429), ExportFailure::Throttled),
            (Failure::Http(503), ExportFailure::Unavailable),
            (Failure::Http(400), ExportFailure::Rejected),
            (Failure::Grpc(16), ExportFailure::Unauthenticated),
            (Failure::Grpc(14), ExportFailure::Unavailable),
            (Failure::Grpc(8), ExportFailure::Throttled),
            (Failure::Grpc(3), ExportFailure::Rejected),
        ] {
            assert_eq!(export_failure(failure), expected, "{failure:?}");
        }
    }
}

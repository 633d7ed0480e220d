//! What is wrong with the way out, in words.
//!
//! In: the state of a sink. Out: at most one fault. Must never know: who asks for the sink, any wire.

use super::facts::{ExportFailure, SinkDefect, SinkState};
use super::verdict::{Fault, text_of};
use crate::api::condition::reason;

/// Every reason for which a request is not taken, or not whole.
pub(super) const EXPORT_FAILURES: &[&str] = &[
    reason::ENDPOINT_REFUSED,
    reason::ENDPOINT_NOT_RESOLVED,
    reason::ENDPOINT_FORBIDDEN,
    reason::TLS_ERROR,
    reason::EXPORT_TIMEOUT,
    reason::SINK_UNAVAILABLE,
    reason::SINK_THROTTLED,
    reason::UNAUTHENTICATED,
    reason::PERMISSION_DENIED,
    reason::ENDPOINT_NOT_FOUND,
    reason::EXPORT_REJECTED,
    reason::POINTS_REJECTED,
    reason::REQUEST_TOO_LARGE,
    reason::INVALID_RESPONSE,
];

/// Every reason for which a sink cannot even be tried, and no request could have failed.
pub(super) const DEFECTS: &[&str] = &[
    reason::DATA_SINK_NOT_FOUND,
    reason::INVALID_DATA_SINK,
    reason::INVALID_ENDPOINT,
    reason::SECRET_NOT_FOUND,
    reason::SECRET_KEY_NOT_FOUND,
    reason::SECRET_FORBIDDEN,
    reason::SECRET_UNREADABLE,
    reason::INVALID_CREDENTIALS,
];

/// The reason under Ready for one under Exported.
pub(super) fn ready_reason(exported: &str) -> &'static str {
    match exported {
        reason::DATA_SINK_NOT_FOUND
        | reason::SECRET_NOT_FOUND
        | reason::SECRET_KEY_NOT_FOUND
        | reason::SECRET_FORBIDDEN
        | reason::SECRET_UNREADABLE => reason::DATA_SINK_UNAVAILABLE,
        reason::INVALID_DATA_SINK | reason::INVALID_ENDPOINT | reason::INVALID_CREDENTIALS => {
            reason::OTLP_CLIENT_CREATION_FAILED
        }
        _ => reason::METRIC_EXPORT_FAILED,
    }
}

/// What is wrong with a sink.
pub(super) fn fault(state: &SinkState) -> Option<Fault> {
    match state {
        SinkState::NotAsked | SinkState::NotRead | SinkState::NotTried | SinkState::Healthy => None,
        SinkState::Unusable(defect) => Some(of_defect(defect)),
        SinkState::Failing { failure, since } => {
            let (reason, what) = of_failure(*failure);
            let message = format!("{what}, since {}", text_of(*since));
            Some(Fault { ready: reason::METRIC_EXPORT_FAILED, reason, message })
        }
    }
}

fn of_defect(defect: &SinkDefect) -> Fault {
    let (reason, message) = match defect {
        SinkDefect::DataSinkNotFound { name } => {
            (reason::DATA_SINK_NOT_FOUND, format!("DataSink {name} does not exist"))
        }
        SinkDefect::InvalidDataSink { name } => {
            (reason::INVALID_DATA_SINK, format!("the spec of DataSink {name} is defective: see its status"))
        }
        SinkDefect::InvalidEndpoint { message } => {
            (reason::INVALID_ENDPOINT, format!("the sink's endpoint is invalid: {message}"))
        }
        SinkDefect::ForbiddenAddress { host } => {
            let message = format!("the sink's host '{host}' is at an address that sinks may not have");
            // No request has failed of it.
            let ready = reason::OTLP_CLIENT_CREATION_FAILED;
            return Fault { ready, reason: reason::ENDPOINT_FORBIDDEN, message };
        }
        SinkDefect::SecretNotFound { name } => {
            (reason::SECRET_NOT_FOUND, format!("Secret {name} of the sink does not exist"))
        }
        SinkDefect::SecretKeyNotFound { name, key } => {
            (reason::SECRET_KEY_NOT_FOUND, format!("Secret {name} of the sink has no key '{key}'"))
        }
        SinkDefect::SecretForbidden { name } => {
            let message = format!("no right to read Secret {name} of the sink: it needs the verb get");
            (reason::SECRET_FORBIDDEN, message)
        }
        SinkDefect::SecretUnreadable { name } => {
            let message = format!("Secret {name} of the sink cannot be read: the API server does not answer");
            (reason::SECRET_UNREADABLE, message)
        }
        SinkDefect::InvalidCredentials { name, message } => {
            let message = format!("Secret {name} of the sink cannot be used: {message}");
            (reason::INVALID_CREDENTIALS, message)
        }
    };
    Fault { ready: ready_reason(reason), reason, message }
}

fn of_failure(failure: ExportFailure) -> (&'static str, &'static str) {
    match failure {
        ExportFailure::Refused => (reason::ENDPOINT_REFUSED, "the sink takes no connections"),
        ExportFailure::NotResolved => (reason::ENDPOINT_NOT_RESOLVED, "the sink's host has no address"),
        ExportFailure::ForbiddenAddress => {
            (reason::ENDPOINT_FORBIDDEN, "the sink's host is at an address that sinks may not have")
        }
        ExportFailure::CertificateName => {
            (reason::TLS_ERROR, "the sink's certificate is of another name than its host's")
        }
        ExportFailure::CertificateExpired => (reason::TLS_ERROR, "the sink's certificate is not valid now"),
        ExportFailure::CertificateUntrusted => {
            (reason::TLS_ERROR, "the sink's certificate comes from nobody who is trusted")
        }
        ExportFailure::Tls => (reason::TLS_ERROR, "no TLS comes about with the sink"),
        ExportFailure::Timeout => (reason::EXPORT_TIMEOUT, "the sink does not answer in time"),
        ExportFailure::Unavailable => (reason::SINK_UNAVAILABLE, "the sink says that it cannot serve"),
        ExportFailure::Throttled => (reason::SINK_THROTTLED, "the sink asks for fewer requests"),
        ExportFailure::Unauthenticated => {
            (reason::UNAUTHENTICATED, "the sink does not accept the credentials")
        }
        ExportFailure::PermissionDenied => {
            (reason::PERMISSION_DENIED, "the sink does not permit this with these credentials")
        }
        ExportFailure::NotFound => {
            (reason::ENDPOINT_NOT_FOUND, "there is nothing at the path of the sink's endpoint")
        }
        ExportFailure::Rejected => (reason::EXPORT_REJECTED, "the sink refuses requests for good"),
        ExportFailure::PointsRejected => {
            (reason::POINTS_REJECTED, "the sink takes requests, but refuses some of their points")
        }
        ExportFailure::TooLarge => {
            (reason::REQUEST_TOO_LARGE, "the sink does not take even small requests: too large")
        }
        ExportFailure::InvalidResponse => (reason::INVALID_RESPONSE, "the sink's answers are none of OTLP's"),
    }
}

//! The spans of celemetry's own traces: every name once, here.
//!
//! In: what is worked on. Out: spans of `tracing`, which are traces where those are sent (see
//! [`push`](super::push)), and whose fields stand in every log line within them. Must never know: who works.

use tracing::Span;
use tracing::field::Empty;

/// The target of these spans, by which they are told from those of libraries.
pub(super) const TARGET: &str = "celemetry::trace";

/// An object of one of our kinds is brought into effect.
pub fn reconcile(kind: &str, namespace: &str, name: &str) -> Span {
    tracing::info_span!(target: TARGET, "reconcile", kind, namespace, name, otel.status_code = Empty)
}

/// All objects of a resource are listed.
pub fn list(resource: &str) -> Span {
    tracing::info_span!(target: TARGET, "list", resource, otel.kind = "client", otel.status_code = Empty)
}

/// Series are sent to a sink.
pub fn export(sink: &str) -> Span {
    tracing::info_span!(target: TARGET, "export", sink, otel.kind = "client", otel.status_code = Empty)
}

/// The work of `span` did not succeed.
pub fn failed(span: &Span) {
    span.record("otel.status_code", "ERROR");
}

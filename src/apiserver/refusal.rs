//! What an API server says where it does not do what was asked.
//!
//! In: reasons. Out: a Status as JSON. Must never know: requests.

use std::fmt;

use hyper::StatusCode;
use serde_json::json;

/// Why something is not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) code: StatusCode,
    reason: &'static str,
    message: String,
}

// === impl Refusal ===

impl Refusal {
    pub(super) fn not_found(what: impl fmt::Display) -> Self {
        Refusal { code: StatusCode::NOT_FOUND, reason: "NotFound", message: format!("{what} not found") }
    }

    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Refusal { code: StatusCode::BAD_REQUEST, reason: "BadRequest", message: message.into() }
    }

    pub(super) fn read_only() -> Self {
        let message = "the simulated cluster can only be read".to_owned();
        Refusal { code: StatusCode::METHOD_NOT_ALLOWED, reason: "MethodNotAllowed", message }
    }

    /// History does not reach back so far.
    pub(super) fn expired(version: u64, oldest: u64) -> Self {
        let message = format!("too old resource version: {version} ({oldest})");
        Refusal { code: StatusCode::GONE, reason: "Expired", message }
    }

    /// History has not come so far.
    pub(super) fn too_new(version: u64, newest: u64) -> Self {
        let message = format!("Too large resource version: {version}, current: {newest}");
        Refusal { code: StatusCode::GATEWAY_TIMEOUT, reason: "Timeout", message }
    }

    /// As the body of an answer, or the object of an ERROR event.
    pub(super) fn status(&self) -> String {
        let Refusal { code, reason, message } = self;
        let status = json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": message, "reason": reason, "code": code.as_u16(),
        });
        status.to_string()
    }
}

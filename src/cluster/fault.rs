//! Why an API server did not do what was asked, sorted by what can be done about it.
//!
//! In: HTTP statuses, `Status` objects, errors of the transport. Out: [`Fault`]s with words for people. Must never know:
//! who asked, metrics.

use std::time::Duration;

use http::{HeaderMap, StatusCode};
use serde::Deserialize;

/// A request that failed, or a watch that reported a failure.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Fault {
    /// What can be done about it.
    pub class: FaultClass,
    /// For people: one line, of bounded length, without anything of an object.
    pub message: String,
    /// How long the server asks to be left alone.
    pub retry_after: Option<Duration>,
}

/// What can be done about a [`Fault`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FaultClass {
    /// The server does not know who asks.
    Unauthorized,
    /// The server knows who asks, and does not allow it.
    Forbidden,
    /// There is no such resource.
    NotFound,
    /// The position in history is too old: list again.
    Expired,
    /// The server has no time now.
    Throttled,
    /// The server is at fault, or what it depends on.
    Server,
    /// No answer came, or it broke off.
    Unreachable,
    /// The server refuses what it is asked: a selector that it does not know.
    Invalid,
    /// The answer is not what the protocol says, or too long.
    Malformed,
}

/// The part of a `metav1.Status` that tells what happened.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Status {
    code: u16,
    reason: String,
    message: String,
}

/// Longest message that is passed on, in characters.
const LONGEST_MESSAGE: usize = 300;

/// The longest pause that a server may ask for.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

// === impl Fault ===

impl Fault {
    /// A fault that concerns this end.
    pub fn new(class: FaultClass, message: impl Into<String>) -> Self {
        Fault { class, message: one_line(&message.into()), retry_after: None }
    }

    /// What an answer with an error status says.
    pub fn of_answer(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Self {
        let told: Status = serde_json::from_slice(body).unwrap_or_default();
        let class = class(status.as_u16(), &told);
        let seconds =
            headers.get(http::header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
        let message = match told.message.as_str() {
            "" => format!("the API server answers {status}"),
            message => message.to_owned(),
        };
        let retry_after = seconds.map(|seconds| Duration::from_secs(seconds).min(LONGEST_PAUSE));
        Fault { retry_after, ..Fault::new(class, message) }
    }

    /// What kube's client says. Its own text for a failed request would repeat the whole `Status`.
    pub fn of_kube(error: &kube::Error) -> Self {
        match error {
            kube::Error::Api(status) => {
                let told = Status {
                    code: status.code,
                    reason: status.reason.clone(),
                    message: status.message.clone(),
                };
                Fault::new(class(told.code, &told), told.message)
            }
            kube::Error::SerdeError(_) => Fault::new(FaultClass::Malformed, "the answer cannot be read"),
            other => Fault::of_transport(other),
        }
    }

    /// What kube's watcher says.
    pub fn of_watcher(error: &kube::runtime::watcher::Error) -> Self {
        use kube::runtime::watcher::Error;
        match error {
            Error::InitialListFailed(error) | Error::WatchStartFailed(error) | Error::WatchFailed(error) => {
                Fault::of_kube(error)
            }
            Error::WatchError(status) => {
                let message = status.message.clone();
                let told = Status { code: status.code, reason: status.reason.clone(), message };
                Fault::new(class(told.code, &told), told.message)
            }
            other => Fault::of_transport(other),
        }
    }

    /// What the `Status` in an ERROR event says.
    pub fn of_event(status: &[u8]) -> Self {
        let told: Status = serde_json::from_slice(status).unwrap_or_default();
        let message = if told.message.is_empty() { "the watch reports an error" } else { &told.message };
        Fault::new(class(told.code, &told), message)
    }

    /// What an error below HTTP says. The innermost causes tell most: "connection refused", "certificate expired".
    pub fn of_transport(error: &(dyn std::error::Error + 'static)) -> Self {
        let mut causes = vec![];
        let mut next = Some(error);
        while let Some(cause) = next {
            let text = cause.to_string();
            // Wrappers repeat what they wrap.
            if causes.last().is_none_or(|last: &String| !last.ends_with(&text)) {
                causes.push(text);
            }
            next = cause.source();
        }
        Fault::new(FaultClass::Unreachable, causes.join(": "))
    }
}

/// Kubernetes' reasons are finer than HTTP's codes: a watch says `Expired` with code 410 in an event of code 200. A
/// position that the server has not reached yet is no use either: its history was set back, or it is another server
/// that is behind; client-go lists anew as well.
fn class(code: u16, told: &Status) -> FaultClass {
    match (code, told.reason.as_str()) {
        (410, _) | (_, "Expired" | "Gone") => FaultClass::Expired,
        _ if told.message.contains("Too large resource version") => FaultClass::Expired,
        (401, _) => FaultClass::Unauthorized,
        (403, _) => FaultClass::Forbidden,
        (404 | 405, _) => FaultClass::NotFound,
        (400 | 422, _) => FaultClass::Invalid,
        (429, _) => FaultClass::Throttled,
        (500.., _) => FaultClass::Server,
        _ => FaultClass::Malformed,
    }
}

/// Control characters are escaped, and what is longer than anyone reads is cut.
pub(super) fn one_line(text: &str) -> String {
    let mut line: String = text.chars().take(LONGEST_MESSAGE).flat_map(printable).collect();
    if text.chars().nth(LONGEST_MESSAGE).is_some() {
        line.push('…');
    }
    line
}

fn printable(character: char) -> impl Iterator<Item = char> {
    let escaped = character.is_control().then(|| character.escape_default());
    let plain = escaped.is_none().then_some(character);
    escaped.into_iter().flatten().chain(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(status: u16, body: &str, class: FaultClass, message: &str) {
        let status = StatusCode::from_u16(status).unwrap();
        let fault = Fault::of_answer(status, &HeaderMap::new(), body.as_bytes());
        assert_eq!((fault.class, fault.message.as_str()), (class, message), "{body}");
    }

    #[test]
    fn answers_are_sorted_by_what_can_be_done() {
        check(403, r#"{"message":"no","reason":"Forbidden"}"#, FaultClass::Forbidden, "no");
        check(404, "<html>", FaultClass::NotFound, "the API server answers 404 Not Found");
        check(410, "", FaultClass::Expired, "the API server answers 410 Gone");
        check(400, r#"{"reason":"Expired","message":"old"}"#, FaultClass::Expired, "old");
        check(429, "{}", FaultClass::Throttled, "the API server answers 429 Too Many Requests");
        check(503, "{}", FaultClass::Server, "the API server answers 503 Service Unavailable");
        check(401, "{}", FaultClass::Unauthorized, "the API server answers 401 Unauthorized");
        let ahead = r#"{"message":"Timeout: Too large resource version: 9, current: 3","reason":"Timeout"}"#;
        check(504, ahead, FaultClass::Expired, "Timeout: Too large resource version: 9, current: 3");
        check(422, "{}", FaultClass::Invalid, "the API server answers 422 Unprocessable Entity");
    }

    #[test]
    fn an_error_event_is_sorted_by_its_code_and_reason() {
        let event = |text: &str| Fault::of_event(text.as_bytes()).class;
        assert_eq!(event(r#"{"code":410,"reason":"Expired","message":"too old"}"#), FaultClass::Expired);
        assert_eq!(event(r#"{"code":500}"#), FaultClass::Server);
        assert_eq!(event("1"), FaultClass::Malformed);
    }

    #[test]
    fn a_pause_that_is_asked_for_is_kept_within_a_bound() {
        let headers =
            |value: &str| [(http::header::RETRY_AFTER, value.parse().unwrap())].into_iter().collect();
        let pause = |value| Fault::of_answer(StatusCode::TOO_MANY_REQUESTS, &headers(value), b"").retry_after;
        assert_eq!(pause("7"), Some(Duration::from_secs(7)));
        assert_eq!(pause("100000"), Some(LONGEST_PAUSE));
        assert_eq!(pause("soon"), None);
    }

    #[test]
    fn a_hostile_message_stays_one_short_line() {
        let fault = Fault::new(FaultClass::Server, format!("a\nb\u{1b}[2J{}", "x".repeat(1_000)));
        assert!(fault.message.starts_with("a\\nb\\u{1b}[2J"));
        assert!(!fault.message.contains('\n') && fault.message.chars().count() < 350);
    }

    #[test]
    fn causes_of_the_transport_are_told_once_each() {
        let inner = std::io::Error::other("connection refused");
        let outer = std::io::Error::new(std::io::ErrorKind::ConnectionRefused, inner);
        assert_eq!(Fault::of_transport(&outer).message, "connection refused");
    }
}

//! OTLP over gRPC: requests, and what answers mean.
//!
//! In: a message; an answer. Out: a request; an outcome. Must never know: connections, clocks.
//!
//! One call with one message each way needs little of gRPC ("gRPC over HTTP2", "Requests" and "Responses"), so it is here
//! rather than a client's: a sink's trailers are hostile input, and tonic 0.14 panics at one that is not base64.
//!
//! Rules: OpenTelemetry Protocol, "OTLP/gRPC Response"; which codes are retried is a table there.

use std::time::Duration;

use base64::Engine;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use hyper::body::Bytes;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, TE, USER_AGENT};
use hyper::{HeaderMap, Method, Request, StatusCode, Uri};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceResponse;
use prost::Message;

use super::client::{NAME, REQUEST_TIMEOUT, authorization};
use super::exchange::{Body, Payload, payload};
use super::{Failure, Outcome, SinkTarget};

/// What stands before a message: whether it is compressed, and its length.
const PREFIX: usize = 5;

const OK: i32 = 0;
const CANCELLED: i32 = 1;
const UNKNOWN: i32 = 2;
const DEADLINE_EXCEEDED: i32 = 4;
const PERMISSION_DENIED: i32 = 7;
const RESOURCE_EXHAUSTED: i32 = 8;
const ABORTED: i32 = 10;
const OUT_OF_RANGE: i32 = 11;
const UNIMPLEMENTED: i32 = 12;
const INTERNAL: i32 = 13;
const UNAVAILABLE: i32 = 14;
const DATA_LOSS: i32 = 15;
const UNAUTHENTICATED: i32 = 16;

/// `google.rpc.Status`, as far as it is of use.
#[derive(Clone, PartialEq, Message)]
struct Status {
    #[prost(message, repeated, tag = "3")]
    details: Vec<Any>,
}

/// `google.protobuf.Any`
#[derive(Clone, PartialEq, Message)]
struct Any {
    #[prost(string, tag = "1")]
    type_url: String,
    #[prost(bytes = "vec", tag = "2")]
    value: Vec<u8>,
}

/// `google.rpc.RetryInfo`
#[derive(Clone, PartialEq, Message)]
struct RetryInfo {
    #[prost(message, optional, tag = "1")]
    retry_delay: Option<Delay>,
}

/// `google.protobuf.Duration`
#[derive(Clone, PartialEq, Message)]
struct Delay {
    #[prost(int64, tag = "1")]
    seconds: i64,
    #[prost(int32, tag = "2")]
    nanos: i32,
}

/// Standard base64 whose padding may be missing, as gRPC has it.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The request that carries `message`.
pub(super) fn request(target: &SinkTarget, message: Bytes) -> Request<Payload> {
    let endpoint = &target.endpoint;
    let uri = Uri::builder()
        .scheme(if endpoint.encrypted { "https" } else { "http" })
        .authority(endpoint.authority.as_str())
        .path_and_query(endpoint.path.clone())
        .build();
    let request = Request::builder()
        .method(Method::POST)
        .uri(uri.expect("endpoints are checked when they are read"))
        .header(TE, "trailers")
        .header(CONTENT_TYPE, "application/grpc")
        .header("grpc-timeout", format!("{}m", REQUEST_TIMEOUT.as_millis()))
        .header(USER_AGENT, NAME);
    let request = match &target.api_key {
        Some(key) => request.header(AUTHORIZATION, authorization(key)),
        None => request,
    };
    let length = u32::try_from(message.len()).expect("requests are limited far below 2^32 bytes");
    let mut prefix = [0; PREFIX];
    prefix[1..].copy_from_slice(&length.to_be_bytes());
    let prefix = Bytes::copy_from_slice(&prefix);
    request.body(payload(prefix, message)).expect("endpoints and credentials are checked when they are read")
}

/// What an answer means. An answer without a message has its status in its headers.
pub(super) fn outcome(status: StatusCode, headers: &HeaderMap, body: &Body) -> Outcome {
    let trailers = if headers.contains_key("grpc-status") { headers } else { &body.trailers };
    match trailers.get("grpc-status") {
        Some(code) => match code.to_str().ok().and_then(|code| code.parse().ok()).unwrap_or(UNKNOWN) {
            OK => succeeded(&body.bytes),
            code => failed(code, trailers),
        },
        // A sink that answers with more than anyone would read has not answered.
        None if body.is_cut => Outcome::Dropped { failure: Failure::Protocol },
        None if status == StatusCode::OK => failed(UNKNOWN, trailers),
        None if status == StatusCode::PAYLOAD_TOO_LARGE => {
            Outcome::TooLarge { failure: Failure::Http(status.as_u16()) }
        }
        None => failed(code_of(status), trailers),
    }
}

/// What a proxy's answer means: gRPC, "HTTP to gRPC Status Code Mapping".
fn code_of(status: StatusCode) -> i32 {
    match status.as_u16() {
        400 => INTERNAL,
        401 => UNAUTHENTICATED,
        403 => PERMISSION_DENIED,
        404 => UNIMPLEMENTED,
        429 | 502 | 503 | 504 => UNAVAILABLE,
        _ => UNKNOWN,
    }
}

fn failed(code: i32, trailers: &HeaderMap) -> Outcome {
    let failure = Failure::Grpc(code);
    let after = retry_info(trailers);
    match code {
        RESOURCE_EXHAUSTED | OUT_OF_RANGE if after.is_none() && says_too_large(trailers) => {
            Outcome::TooLarge { failure }
        }
        CANCELLED | DEADLINE_EXCEEDED | ABORTED | OUT_OF_RANGE | UNAVAILABLE | DATA_LOSS => {
            Outcome::Retry { failure, after }
        }
        RESOURCE_EXHAUSTED if after.is_some() => Outcome::Retry { failure, after },
        _ => Outcome::Dropped { failure },
    }
}

fn succeeded(bytes: &[u8]) -> Outcome {
    let message = match bytes {
        [0, a, b, c, d, rest @ ..] => {
            let length = u32::from_be_bytes([*a, *b, *c, *d]) as usize;
            rest.get(..length).unwrap_or_default()
        }
        // No message, or one that is compressed although we do not ask for that: it says nothing to us.
        _ => &[],
    };
    let response = ExportMetricsServiceResponse::decode(message).unwrap_or_default();
    let partial = response.partial_success.unwrap_or_default();
    Outcome::accepted(partial.rejected_data_points, &partial.error_message)
}

/// When the sink wants to be asked again, if it says so.
fn retry_info(trailers: &HeaderMap) -> Option<Duration> {
    let details = BASE64.decode(trailers.get("grpc-status-details-bin")?.as_bytes()).ok()?;
    let details = Status::decode(&*details).ok()?.details;
    let info = details.iter().find(|any| any.type_url.ends_with("/google.rpc.RetryInfo"))?;
    let delay = RetryInfo::decode(&*info.value).ok()?.retry_delay.unwrap_or_default();
    let (seconds, nanos) = (u64::try_from(delay.seconds).ok()?, u32::try_from(delay.nanos).ok()?);
    Some(Duration::from_secs(seconds).saturating_add(Duration::from_nanos(nanos.into())))
}

/// Whether the status says that the message was too large, in the words of gRPC's own libraries: Go and C++ "received
/// message larger than max", Java "message exceeds maximum size", tonic "message length too large". There is no code for it.
fn says_too_large(trailers: &HeaderMap) -> bool {
    let message = trailers.get("grpc-message").map(|message| message.as_bytes().to_ascii_lowercase());
    let message = String::from_utf8(message.unwrap_or_default()).unwrap_or_default().replace("%20", " ");
    ["larger than max", "exceeds maximum size", "too large"].iter().any(|words| message.contains(words))
}

#[cfg(test)]
mod tests {
    use hyper::header::{HeaderName, HeaderValue};

    use super::*;

    fn trailers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &str)| {
            (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())
        };
        pairs.iter().map(pair).collect()
    }

    /// An answer that ended with these trailers.
    fn ended(pairs: &[(&'static str, &str)]) -> Outcome {
        let body = Body { trailers: trailers(pairs), ..Body::default() };
        outcome(StatusCode::OK, &HeaderMap::new(), &body)
    }

    fn details(delay: Option<Delay>) -> String {
        let other = Any { type_url: "type.googleapis.com/google.rpc.DebugInfo".to_owned(), value: vec![1] };
        let info = Any {
            type_url: "type.googleapis.com/google.rpc.RetryInfo".to_owned(),
            value: RetryInfo { retry_delay: delay }.encode_to_vec(),
        };
        BASE64.encode(Status { details: vec![other, info] }.encode_to_vec())
    }

    #[test]
    fn codes_mean_what_the_specification_says() {
        for code in 1..20 {
            let failure = Failure::Grpc(code);
            let expected = match code {
                1 | 4 | 10 | 11 | 14 | 15 => Outcome::Retry { failure, after: None },
                _ => Outcome::Dropped { failure },
            };
            let code = code.to_string();
            assert_eq!(ended(&[("grpc-status", &code)]), expected, "{code}");
            let in_headers = outcome(StatusCode::OK, &trailers(&[("grpc-status", &code)]), &Body::default());
            assert_eq!(in_headers, expected, "{code}");
        }
        for nonsense in ["", "x", "-", "99999999999"] {
            let dropped = Outcome::Dropped { failure: Failure::Grpc(UNKNOWN) };
            assert_eq!(ended(&[("grpc-status", nonsense)]), dropped, "{nonsense}");
        }
        assert_eq!(ended(&[]), Outcome::Dropped { failure: Failure::Grpc(UNKNOWN) });
    }

    #[test]
    fn a_proxy_s_status_is_one_of_grpc_s() {
        for (status, code, is_retried) in [
            (400, INTERNAL, false),
            (401, UNAUTHENTICATED, false),
            (403, PERMISSION_DENIED, false),
            (404, UNIMPLEMENTED, false),
            (429, UNAVAILABLE, true),
            (502, UNAVAILABLE, true),
            (503, UNAVAILABLE, true),
            (504, UNAVAILABLE, true),
            (302, UNKNOWN, false),
            (500, UNKNOWN, false),
        ] {
            let failure = Failure::Grpc(code);
            let retry = Outcome::Retry { failure, after: None };
            let expected = if is_retried { retry } else { Outcome::Dropped { failure } };
            let status = StatusCode::from_u16(status).unwrap();
            assert_eq!(outcome(status, &HeaderMap::new(), &Body::default()), expected, "{status}");
        }
        let too_large = Outcome::TooLarge { failure: Failure::Http(413) };
        assert_eq!(outcome(StatusCode::PAYLOAD_TOO_LARGE, &HeaderMap::new(), &Body::default()), too_large);
    }

    #[test]
    fn resource_exhausted_is_retried_only_with_retry_info() {
        let failure = Failure::Grpc(RESOURCE_EXHAUSTED);
        let exhausted = |details: &str| {
            ended(&[("grpc-status", "8"), ("grpc-message", "quota"), ("grpc-status-details-bin", details)])
        };
        let seconds = |seconds, nanos| details(Some(Delay { seconds, nanos }));
        for (details, expected) in [
            (seconds(7, 500_000_000), Some(Duration::from_millis(7500))),
            (seconds(7, 0).trim_end_matches('=').to_owned(), Some(Duration::from_secs(7))),
            (seconds(i64::MAX, i32::MAX), Some(Duration::new(i64::MAX as u64 + 2, 147_483_647))),
            (details(None), Some(Duration::ZERO)),
            (seconds(-1, 0), None),
            (seconds(0, -1), None),
            ("not base64!".to_owned(), None),
            (BASE64.encode([0xff; 9]), None),
            (BASE64.encode(Status::default().encode_to_vec()), None),
            (String::new(), None),
        ] {
            let expected = match expected {
                Some(_) => Outcome::Retry { failure, after: expected },
                None => Outcome::Dropped { failure },
            };
            assert_eq!(exhausted(&details), expected, "{details}");
        }
    }

    #[test]
    fn a_message_that_was_too_large_is_known_by_the_words_of_grpc_s_libraries() {
        let told = |code: &str, message: &str| ended(&[("grpc-status", code), ("grpc-message", message)]);
        for (code, message, is_known) in [
            ("8", "grpc: received message larger than max (5000000 vs. 4194304)", true),
            ("8", "gRPC message exceeds maximum size 4194304: 5000000", true),
            (
                "11",
                "Error, decoded message length too large: found 5000000 bytes, the limit is: 4194304",
                true,
            ),
            ("11", "Error,%20decoded%20message%20length%20too%20large", true),
            ("8", "quota exceeded", false),
            ("11", "cursor out of range", false),
            ("13", "message too large", false),
        ] {
            let is_too_large = matches!(told(code, message), Outcome::TooLarge { .. });
            assert_eq!(is_too_large, is_known, "{code} {message}");
        }
    }

    #[test]
    fn a_success_may_be_partial_and_may_be_unreadable() {
        let partial = opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsPartialSuccess {
            rejected_data_points: 3,
            error_message: "too old".to_owned(),
        };
        let message = ExportMetricsServiceResponse { partial_success: Some(partial) }.encode_to_vec();
        let framed = |flag: u8, length: usize| {
            let length = u32::try_from(length).unwrap().to_be_bytes();
            [&[flag], &length[..], &message[..]].concat()
        };
        let whole = Outcome::accepted(3, "too old");
        let nothing = Outcome::accepted(0, "");
        for (bytes, expected) in [
            (framed(0, message.len()), whole),
            (framed(1, message.len()), nothing.clone()),
            (framed(0, message.len() + 1), nothing.clone()),
            (framed(0, 1_000_000_000), nothing.clone()),
            (vec![0, 0, 0, 0], nothing.clone()),
            (vec![], nothing),
        ] {
            let body = Body { bytes, trailers: trailers(&[("grpc-status", "0")]), is_cut: false };
            assert_eq!(outcome(StatusCode::OK, &HeaderMap::new(), &body), expected);
        }
        let cut = Body { is_cut: true, ..Body::default() };
        let dropped = Outcome::Dropped { failure: Failure::Protocol };
        assert_eq!(outcome(StatusCode::OK, &HeaderMap::new(), &cut), dropped);
    }
}

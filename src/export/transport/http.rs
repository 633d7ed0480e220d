//! OTLP over HTTP: requests, and what answers mean.
//!
//! In: a message; an answer. Out: a request; an outcome. Must never know: connections, clocks.
//!
//! Rules: OpenTelemetry Protocol, "OTLP/HTTP Response": 429, 502, 503 and 504 are retried, with `Retry-After` if there is
//! one; every other failure is not. Redirects are not followed, since they lead where nobody has checked the address.

use std::time::{Duration, SystemTime};

use hyper::body::Bytes;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, RETRY_AFTER, USER_AGENT};
use hyper::http::uri::Uri;
use hyper::{HeaderMap, Method, Request, StatusCode};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceResponse;
use prost::Message;

use super::client::{NAME, authorization};
use super::exchange::{Body, Payload, payload};
use super::{Failure, Outcome, SinkTarget};

/// The request that carries `message`.
pub(super) fn request(target: &SinkTarget, message: Bytes) -> Request<Payload> {
    let request = Request::builder()
        .method(Method::POST)
        .uri(Uri::from(target.endpoint.path.clone()))
        .header(HOST, &target.endpoint.authority)
        .header(CONTENT_TYPE, "application/x-protobuf")
        .header(USER_AGENT, NAME);
    let request = match &target.api_key {
        Some(key) => request.header(AUTHORIZATION, authorization(key)),
        None => request,
    };
    request
        .body(payload(Bytes::new(), message))
        .expect("endpoints and credentials are checked when they are read")
}

/// What a status other than success means.
pub(super) fn failed(status: StatusCode, headers: &HeaderMap, now: SystemTime) -> Outcome {
    let failure = Failure::Http(status.as_u16());
    match status {
        StatusCode::PAYLOAD_TOO_LARGE => Outcome::TooLarge { failure },
        StatusCode::TOO_MANY_REQUESTS
        | StatusCode::BAD_GATEWAY
        | StatusCode::SERVICE_UNAVAILABLE
        | StatusCode::GATEWAY_TIMEOUT => Outcome::Retry { failure, after: retry_after(headers, now) },
        _ => Outcome::Dropped { failure },
    }
}

/// What the body of a success says. One that cannot be read says nothing: the request was taken all the same.
pub(super) fn succeeded(body: &Body) -> Outcome {
    let response = ExportMetricsServiceResponse::decode(&*body.bytes).unwrap_or_default();
    let partial = response.partial_success.unwrap_or_default();
    Outcome::accepted(partial.rejected_data_points, &partial.error_message)
}

/// Seconds, or the time until a date: RFC 9110, 10.2.3. A date that has passed is no time at all.
fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(text).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;

    use super::*;

    #[test]
    fn statuses_mean_what_the_specification_says() {
        for status in 300..600 {
            let failure = Failure::Http(status);
            let expected = match status {
                413 => Outcome::TooLarge { failure },
                429 | 502 | 503 | 504 => Outcome::Retry { failure, after: None },
                _ => Outcome::Dropped { failure },
            };
            let status = StatusCode::from_u16(status).unwrap();
            assert_eq!(failed(status, &HeaderMap::new(), SystemTime::now()), expected);
        }
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = httpdate::parse_http_date("Tue, 24 Nov 2026 12:00:00 GMT").unwrap();
        for (text, expected) in [
            ("7", Some(7)),
            (" 0 ", Some(0)),
            ("18446744073709551615", Some(u64::MAX)),
            ("18446744073709551616", None),
            ("-1", None),
            ("1.5", None),
            ("soon", None),
            ("", None),
            ("Tue, 24 Nov 2026 12:00:09 GMT", Some(9)),
            ("Tuesday, 24-Nov-26 12:01:00 GMT", Some(60)),
            ("Tue, 24 Nov 2026 11:00:00 GMT", Some(0)),
        ] {
            let headers = HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_str(text).unwrap())]);
            let Outcome::Retry { after, .. } = failed(StatusCode::SERVICE_UNAVAILABLE, &headers, now) else {
                unreachable!()
            };
            assert_eq!(after, expected.map(Duration::from_secs), "{text}");
        }
    }

    #[test]
    fn a_success_may_be_partial_and_may_be_unreadable() {
        let partial = opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsPartialSuccess {
            rejected_data_points: 3,
            error_message: "too old".to_owned(),
        };
        let whole = ExportMetricsServiceResponse { partial_success: Some(partial) }.encode_to_vec();
        for (bytes, expected) in [
            (whole, Outcome::accepted(3, "too old")),
            (vec![], Outcome::accepted(0, "")),
            (vec![0xff; 100], Outcome::accepted(0, "")),
        ] {
            assert_eq!(succeeded(&Body { bytes, ..Body::default() }), expected);
        }
    }
}

//! What a sink answers, by order.
//!
//! In: an [`Answer`], and whether it was asked over HTTP or gRPC. Out: the response in that protocol.

use std::convert::Infallible;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD_NO_PAD;
use futures_util::stream;
use http::{HeaderMap, HeaderValue, Response};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Bytes, Frame};
use opentelemetry_proto::tonic::collector::metrics::v1::{
    ExportMetricsPartialSuccess, ExportMetricsServiceResponse,
};
use prost::Message;

/// How a request is answered.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Answer {
    /// Taken.
    Accept,
    /// Taken in part: HTTP 200, gRPC OK, with this many points rejected.
    Partial { rejected: i64, message: String },
    /// An HTTP status; over gRPC the code that OpenTelemetry maps it to.
    Status(u16),
    /// An HTTP status, with `Retry-After` as it stands here: seconds or a date.
    RetryAfter(u16, String),
    /// Taken if it has at most so many bytes; otherwise 413, and over gRPC what gRPC's own libraries say then.
    AtMost(usize),
    /// 307 to this URL; over gRPC the code that this is mapped to.
    Redirect(String),
    /// A gRPC status. Over HTTP it is 500.
    Grpc(tonic::Code),
    /// gRPC RESOURCE_EXHAUSTED or UNAVAILABLE with RetryInfo; over HTTP 429 or 503 with `Retry-After` in seconds.
    RetryInfo(tonic::Code, Duration),
    /// The connection is closed without a word.
    Close,
    /// Nothing, for as long as the client waits.
    Hang,
    /// The headers, and then nothing.
    HangAfterHeaders,
    /// 200 with a body of so many bytes, which is no message.
    Huge(usize),
}

pub(super) type Body = UnsyncBoxBody<Bytes, Infallible>;

/// google.rpc.Status, as `grpc-status-details-bin` carries it.
#[derive(Clone, PartialEq, Message)]
struct Details {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
    #[prost(message, repeated, tag = "3")]
    details: Vec<Wrapped>,
}

/// google.protobuf.Any.
#[derive(Clone, PartialEq, Message)]
struct Wrapped {
    #[prost(string, tag = "1")]
    type_url: String,
    #[prost(bytes, tag = "2")]
    value: Vec<u8>,
}

/// google.rpc.RetryInfo.
#[derive(Clone, PartialEq, Message)]
struct RetryInfo {
    #[prost(message, optional, tag = "1")]
    retry_delay: Option<Delay>,
}

/// google.protobuf.Duration.
#[derive(Clone, PartialEq, Message)]
struct Delay {
    #[prost(int64, tag = "1")]
    seconds: i64,
    #[prost(int32, tag = "2")]
    nanos: i32,
}

fn whole(bytes: Vec<u8>) -> Body {
    Full::new(Bytes::from(bytes)).boxed_unsync()
}

/// A body that never comes.
fn never() -> Body {
    StreamBody::new(stream::pending::<Result<Frame<Bytes>, Infallible>>()).boxed_unsync()
}

/// So many bytes, made while they are sent.
fn huge(size: usize) -> Body {
    const PART: usize = 64 * 1024;
    let part = |left: usize| {
        let length = left.min(PART);
        let frame = Frame::data(Bytes::from(vec![b'x'; length]));
        (length > 0).then(|| (Ok::<_, Infallible>(frame), left - length))
    };
    StreamBody::new(stream::unfold(size, move |left| std::future::ready(part(left)))).boxed_unsync()
}

/// The message of a success.
fn success(answer: &Answer) -> Vec<u8> {
    let partial_success = match answer {
        Answer::Partial { rejected, message } => Some(ExportMetricsPartialSuccess {
            rejected_data_points: *rejected,
            error_message: message.clone(),
        }),
        _ => None,
    };
    ExportMetricsServiceResponse { partial_success }.encode_to_vec()
}

/// `grpc-status-details-bin`.
fn details(code: tonic::Code, delay: Duration) -> HeaderValue {
    let seconds = i64::try_from(delay.as_secs()).unwrap();
    let nanos = i32::try_from(delay.subsec_nanos()).unwrap();
    let info = RetryInfo { retry_delay: Some(Delay { seconds, nanos }) };
    let info = Wrapped {
        type_url: "type.googleapis.com/google.rpc.RetryInfo".to_owned(),
        value: info.encode_to_vec(),
    };
    let details = Details { code: code as i32, message: "as told".to_owned(), details: vec![info] };
    HeaderValue::from_str(&BASE64_STANDARD_NO_PAD.encode(details.encode_to_vec())).unwrap()
}

// === impl Answer ===

impl Answer {
    /// Whether what was sent counts as received.
    pub(super) fn takes(&self) -> bool {
        matches!(self, Self::Accept | Self::Partial { .. })
    }

    /// What is answered to a request of so many bytes.
    pub(super) fn to(self, bytes: usize) -> Self {
        match self {
            Self::AtMost(limit) if bytes <= limit => Self::Accept,
            other => other,
        }
    }

    /// As OTLP over HTTP. `None` closes the connection.
    pub(super) fn over_http(&self) -> Option<Response<Body>> {
        let of_type = Response::builder().header("content-type", "application/x-protobuf");
        let failed = |status: u16| of_type_status(status, whole(vec![]));
        Some(match self {
            Self::Accept | Self::Partial { .. } => of_type.body(whole(success(self))).unwrap(),
            Self::Status(status) => failed(*status),
            Self::RetryAfter(status, when) => with_retry_after(failed(*status), when),
            Self::Redirect(to) => with_header(failed(307), "location", to),
            Self::AtMost(_) => failed(413),
            Self::Grpc(_) => failed(500),
            Self::RetryInfo(code, delay) => {
                let status = if *code == tonic::Code::ResourceExhausted { 429 } else { 503 };
                with_retry_after(failed(status), &delay.as_secs().to_string())
            }
            Self::HangAfterHeaders => of_type.body(never()).unwrap(),
            Self::Huge(size) => of_type.body(huge(*size)).unwrap(),
            Self::Close | Self::Hang => return None,
        })
    }

    /// As OTLP over gRPC. `None` closes the connection.
    pub(super) fn over_grpc(&self) -> Option<Response<Body>> {
        let of_type = Response::builder().header("content-type", "application/grpc");
        let failed = |code: tonic::Code| {
            let headers = Response::builder().header("content-type", "application/grpc");
            headers
                .header("grpc-status", code as i32)
                .header("grpc-message", "as told")
                .body(whole(vec![]))
                .unwrap()
        };
        Some(match self {
            Self::Accept | Self::Partial { .. } => {
                let message = success(self);
                let mut frame = vec![0];
                frame.extend(u32::try_from(message.len()).unwrap().to_be_bytes());
                frame.extend(message);
                let trailers = HeaderMap::from_iter([("grpc-status".parse().unwrap(), HeaderValue::from(0))]);
                let frames =
                    [Ok::<_, Infallible>(Frame::data(Bytes::from(frame))), Ok(Frame::trailers(trailers))];
                of_type.body(StreamBody::new(stream::iter(frames)).boxed_unsync()).unwrap()
            }
            Self::Status(status) | Self::RetryAfter(status, _) => failed(code_of(*status)),
            Self::Redirect(_) => failed(code_of(307)),
            Self::AtMost(_) => {
                let response = failed(tonic::Code::ResourceExhausted);
                with_header(response, "grpc-message", "grpc: received message larger than max")
            }
            Self::Grpc(code) => failed(*code),
            Self::RetryInfo(code, delay) => {
                let mut response = failed(*code);
                response.headers_mut().insert("grpc-status-details-bin", details(*code, *delay));
                response
            }
            Self::HangAfterHeaders => of_type.body(never()).unwrap(),
            // A frame that says how long it is, and is.
            Self::Huge(size) => {
                let mut head = vec![0];
                head.extend(u32::try_from(*size).unwrap().to_be_bytes());
                let head = stream::iter([Ok::<_, Infallible>(Frame::data(Bytes::from(head)))]);
                let rest = huge(*size).into_data_stream();
                let rest = futures_util::StreamExt::map(rest, |part| part.map(Frame::data));
                of_type
                    .body(StreamBody::new(futures_util::StreamExt::chain(head, rest)).boxed_unsync())
                    .unwrap()
            }
            Self::Close | Self::Hang => return None,
        })
    }
}

fn of_type_status(status: u16, body: Body) -> Response<Body> {
    Response::builder().status(status).header("content-type", "application/x-protobuf").body(body).unwrap()
}

fn with_retry_after(response: Response<Body>, when: &str) -> Response<Body> {
    with_header(response, "retry-after", when)
}

fn with_header(mut response: Response<Body>, name: &'static str, value: &str) -> Response<Body> {
    response.headers_mut().insert(name, HeaderValue::from_str(value).unwrap());
    response
}

/// What a gRPC client makes of an HTTP status.
fn code_of(status: u16) -> tonic::Code {
    match status {
        400 => tonic::Code::InvalidArgument,
        401 => tonic::Code::Unauthenticated,
        403 => tonic::Code::PermissionDenied,
        404 => tonic::Code::Unimplemented,
        429 | 502..=504 => tonic::Code::Unavailable,
        _ => tonic::Code::Unknown,
    }
}

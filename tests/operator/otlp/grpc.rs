//! Requests over gRPC, answered by another implementation: tonic's.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use celemetry::export::otlp::request::{Envelope, Point, RequestBuilder};
use celemetry::export::profile::Profile;
use celemetry::export::transport::{Credential, Failure, Outcome, SinkTarget};
use celemetry_engine::snapshot::Number;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Bytes, Frame};
use hyper::header::HeaderValue;
use hyper::service::service_fn;
use hyper::{HeaderMap, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use opentelemetry_proto::tonic::collector::metrics::v1::metrics_service_server::{
    MetricsService, MetricsServiceServer,
};
use opentelemetry_proto::tonic::collector::metrics::v1::{
    ExportMetricsPartialSuccess, ExportMetricsServiceRequest, ExportMetricsServiceResponse,
};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tonic::codegen::Service;
use tonic::{Code, Status};

use super::server::{Reply, Server, client, endless, send, target, whole};
use crate::snapshots::{COUNT, attributes, metric};

/// Keeps the requests and answers as it is told.
#[derive(Clone, Default)]
struct Tonic {
    requests: Arc<Mutex<Vec<tonic::Request<ExportMetricsServiceRequest>>>>,
    answers: Arc<Mutex<Vec<Status>>>,
}

#[tonic::async_trait]
impl MetricsService for Tonic {
    async fn export(
        &self,
        request: tonic::Request<ExportMetricsServiceRequest>,
    ) -> Result<tonic::Response<ExportMetricsServiceResponse>, Status> {
        self.requests.lock().unwrap().push(request);
        let answer = self.answers.lock().unwrap().pop();
        match answer {
            Some(status) => Err(status),
            None => Ok(tonic::Response::new(ExportMetricsServiceResponse {
                partial_success: Some(ExportMetricsPartialSuccess {
                    rejected_data_points: 1,
                    error_message: "one is enough".to_owned(),
                }),
            })),
        }
    }
}

impl Tonic {
    /// Serves one connection after the other until the set goes.
    async fn serve(&self, limit: usize) -> (SocketAddr, JoinSet<()>) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = MetricsServiceServer::new(self.clone()).max_decoding_message_size(limit);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let server = server.clone();
                let service = service_fn(move |request| server.clone().call(request));
                let http2 = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
                let _ = http2.serve_connection(TokioIo::new(stream), service).await;
            }
        });
        (address, tasks)
    }
}

/// An export request of one point with an attribute of so many bytes.
fn message(size: usize) -> Bytes {
    let table = metric("pods", ["k8s.pods", "", ""], COUNT, &[]);
    let own = attributes(&[("a", &"x".repeat(size))]);
    let envelope = Envelope::new(Profile::Native, &[], 1);
    let mut builder = RequestBuilder::new(&envelope, 2, usize::MAX);
    let number = Some(Number::Integer(7));
    assert!(builder.push(&Point { info: &table.info, shape: COUNT, own: &own, is_apart: false, number }));
    builder.finish().unwrap().0
}

#[tokio::test]
async fn tonic_reads_a_request_and_its_answer_is_understood() {
    let tonic = Tonic::default();
    let (address, _tasks) = tonic.serve(1 << 22).await;
    let api_key = Some(Credential::new(b"secret").unwrap());
    let mut client = client(SinkTarget { api_key, ..target(&format!("grpc://{address}/ignored")) });
    let partial = Outcome::Accepted { rejected: 1, message: Some("one is enough".to_owned()) };
    // The server has one connection at a time: the second request finds the first one's.
    for _ in 0..2 {
        assert_eq!(client.send(message(3 << 20)).await, partial);
    }
    let requests = tonic.requests.lock().unwrap();
    let header = |name: &str| requests[1].metadata().get(name).unwrap().to_str().unwrap();
    assert_eq!(header("authorization"), "Api-Token secret");
    assert!(header("user-agent").starts_with("celemetry/"));
    assert_eq!(header("grpc-timeout"), "10000m");
    let metric = &requests[1].get_ref().resource_metrics[0].scope_metrics[0].metrics[0];
    assert_eq!((requests.len(), metric.name.as_str()), (2, "k8s.pods"));
}

#[tokio::test]
async fn every_status_of_tonic_s_is_understood() {
    let tonic = Tonic::default();
    let (address, _tasks) = tonic.serve(1 << 22).await;
    let mut client = client(target(&format!("grpc://{address}")));
    for code in (1..=16).map(Code::from_i32) {
        tonic.answers.lock().unwrap().push(Status::new(code, "größer % as it should be"));
        let failure = Failure::Grpc(code as i32);
        let is_retried = matches!(
            code,
            Code::Cancelled
                | Code::DeadlineExceeded
                | Code::Aborted
                | Code::OutOfRange
                | Code::Unavailable
                | Code::DataLoss
        );
        let retry = Outcome::Retry { failure, after: None };
        let expected = if is_retried { retry } else { Outcome::Dropped { failure } };
        assert_eq!(client.send(message(1)).await, expected, "{code}");
    }
}

#[tokio::test]
async fn a_message_beyond_tonic_s_limit_is_too_large() {
    let (address, _tasks) = Tonic::default().serve(1000).await;
    let mut client = client(target(&format!("grpc://{address}")));
    assert!(matches!(client.send(message(2000)).await, Outcome::TooLarge { .. }));
    assert!(matches!(client.send(message(1)).await, Outcome::Accepted { .. }));
}

fn answer(headers: &[(&'static str, &'static str)], body: super::server::Body) -> Reply {
    let mut response = Response::new(body);
    let pairs = headers.iter().map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value)));
    response.headers_mut().extend(pairs.collect::<HeaderMap>());
    Reply::With(response)
}

#[tokio::test]
async fn hostile_trailers_are_a_failure_and_not_the_end() {
    let replies = |number| match number {
        0 => answer(&[("grpc-status", "8"), ("grpc-status-details-bin", "not base64!")], whole("")),
        1 => answer(
            &[("grpc-status", "14"), ("grpc-message", "%ff%"), ("grpc-status-details-bin", "////")],
            whole(""),
        ),
        2 => answer(&[("content-type", "text/html")], whole("<html>")),
        3 => {
            let mut trailers = HeaderMap::new();
            trailers.insert("grpc-status", HeaderValue::from_bytes(b"\xff").unwrap());
            let frames =
                [Ok(Frame::data(Bytes::from_static(b"\0\xff\xff\xff\xff"))), Ok(Frame::trailers(trailers))];
            answer(&[], StreamBody::new(futures_util::stream::iter(frames)).boxed_unsync())
        }
        4 => answer(&[], endless(1 << 20, Duration::ZERO)),
        _ => answer(&[("grpc-status", "0")], whole("")),
    };
    let server = Server::start(None, replies).await;
    let mut client = client(target(&format!("grpc://{}", server.address)));
    for expected in [
        Outcome::Dropped { failure: Failure::Grpc(8) },
        Outcome::Retry { failure: Failure::Grpc(14), after: None },
        Outcome::Dropped { failure: Failure::Grpc(2) },
        Outcome::Dropped { failure: Failure::Grpc(2) },
        Outcome::Dropped { failure: Failure::Protocol },
        Outcome::Accepted { rejected: 0, message: None },
    ] {
        assert_eq!(client.send(message(1)).await, expected);
    }
}

#[tokio::test]
async fn a_sink_that_closes_or_speaks_http_1_is_tried_again() {
    let server = Server::start(None, |_| Reply::Close).await;
    let retry = |failure| Outcome::Retry { failure, after: None };
    assert_eq!(send(target(&format!("grpc://{}", server.address))).await, retry(Failure::Closed));
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let speaks = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        tokio::io::AsyncWriteExt::write_all(&mut stream, b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
    });
    let outcome = send(target(&format!("grpc://{address}"))).await;
    assert!(
        matches!(outcome, Outcome::Retry { failure: Failure::Closed | Failure::Protocol, .. }),
        "{outcome:?}"
    );
    speaks.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_sink_that_hangs_runs_out_of_time() {
    let server = Server::start(None, |_| Reply::Hang).await;
    let expected = Outcome::Retry { failure: Failure::Timeout, after: None };
    assert_eq!(send(target(&format!("grpc://{}", server.address))).await, expected);
}

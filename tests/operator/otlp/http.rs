//! Requests over HTTP, and what becomes of them.

use std::time::Duration;

use celemetry::export::transport::{AddressPolicy, Client, Credential, Failure, Outcome, SinkTarget};
use hyper::Response;
use hyper::body::Bytes;
use opentelemetry_proto::tonic::collector::metrics::v1::{
    ExportMetricsPartialSuccess, ExportMetricsServiceResponse,
};
use prost::Message;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::server::{Reply, Server, client, endless, send, status, target, whole};

fn accepted() -> Outcome {
    Outcome::Accepted { rejected: 0, message: None }
}

fn retry(failure: Failure) -> Outcome {
    Outcome::Retry { failure, after: None }
}

#[tokio::test]
async fn a_request_goes_to_exactly_the_given_path_with_the_token_over_one_connection() {
    let server = Server::start(None, |_| Reply::With(status(200))).await;
    let url = format!("http://{}/api/v2/otlp?a=b", server.address);
    let api_key = Some(Credential::new(b"dt0c01.secret\n").unwrap());
    let mut client = client(SinkTarget { api_key, ..target(&url) });
    for _ in 0..3 {
        assert_eq!(client.send(Bytes::from_static(b"message")).await, accepted());
    }
    let requests = server.requests();
    assert_eq!((requests.len(), server.connections()), (3, 1));
    for request in requests {
        assert_eq!((request.path.as_str(), &*request.body), ("/api/v2/otlp?a=b", &b"message"[..]));
        let header = |name: &str| request.headers[name].to_str().unwrap().to_owned();
        assert_eq!(header("authorization"), "Api-Token dt0c01.secret");
        assert_eq!(header("content-type"), "application/x-protobuf");
        assert_eq!(header("host"), server.address.to_string());
        assert_eq!(header("user-agent"), concat!("celemetry/", env!("CARGO_PKG_VERSION")));
        assert_eq!(header("content-length"), "7");
    }
}

#[tokio::test]
async fn a_request_without_path_or_token_has_the_default_path_and_no_token() {
    let server = Server::start(None, |_| Reply::With(status(200))).await;
    assert_eq!(send(target(&format!("http://{}", server.address))).await, accepted());
    let requests = server.requests();
    assert_eq!(requests[0].path, "/v1/metrics");
    assert!(!requests[0].headers.contains_key("authorization"));
}

#[tokio::test]
async fn answers_mean_what_the_specification_says() {
    let partial = ExportMetricsServiceResponse {
        partial_success: Some(ExportMetricsPartialSuccess {
            rejected_data_points: 2,
            error_message: "too old".to_owned(),
        }),
    };
    let partial = Bytes::from(partial.encode_to_vec());
    let replies = move |number| {
        let with = |code, name, value: &str| {
            Response::builder().status(code).header(name, value).body(whole("")).unwrap()
        };
        Reply::With(match number {
            0 => Response::new(whole(partial.clone())),
            1 => with(429, "retry-after", "7"),
            2 => with(302, "location", "/elsewhere"),
            3 => status(413),
            4 => Response::builder().status(400).body(endless(1, Duration::from_secs(3600))).unwrap(),
            _ => status(202),
        })
    };
    let server = Server::start(None, replies).await;
    let mut client = client(target(&format!("http://{}", server.address)));
    for expected in [
        Outcome::Accepted { rejected: 2, message: Some("too old".to_owned()) },
        Outcome::Retry { failure: Failure::Http(429), after: Some(Duration::from_secs(7)) },
        Outcome::Dropped { failure: Failure::Http(302) },
        Outcome::TooLarge { failure: Failure::Http(413) },
        // Its body never ends, and nobody waits for it.
        Outcome::Dropped { failure: Failure::Http(400) },
        accepted(),
    ] {
        assert_eq!(client.send(Bytes::from_static(b"message")).await, expected);
    }
    assert_eq!((server.requests().len(), server.connections()), (6, 2));
}

#[tokio::test]
async fn an_address_that_is_forbidden_is_never_connected_to() {
    let server = Server::start(None, |_| Reply::With(status(200))).await;
    let forbidden = retry(Failure::ForbiddenAddress);
    for host in ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]"] {
        let url = format!("http://{host}:{}", server.address.port());
        let mut client = Client::new(target(&url), AddressPolicy::default());
        assert_eq!(client.send(Bytes::new()).await, forbidden, "{host}");
    }
    for host in
        ["169.254.169.254", "[fe80::1]", "[fd00:ec2::254]", "[::ffff:169.254.169.254]", "0.0.0.0", "[::]"]
    {
        assert_eq!(
            send(target(&format!("http://{host}:{}", server.address.port()))).await,
            forbidden,
            "{host}"
        );
    }
    assert_eq!(server.connections(), 0);
    assert_eq!(send(target(&format!("http://localhost:{}", server.address.port()))).await, accepted());
}

#[tokio::test]
async fn a_sink_that_nobody_is_at_is_tried_again() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    assert_eq!(send(target(&format!("http://{address}"))).await, retry(Failure::Refused));
}

#[tokio::test]
async fn a_connection_that_is_closed_without_an_answer_is_tried_again() {
    let server = Server::start(None, |_| Reply::Close).await;
    assert_eq!(send(target(&format!("http://{}", server.address))).await, retry(Failure::Closed));
}

#[tokio::test]
async fn a_sink_that_closes_its_connections_between_requests_is_no_failure() {
    let close = |_| Reply::With(Response::builder().header("connection", "close").body(whole("")).unwrap());
    let server = Server::start(None, close).await;
    let mut client = client(target(&format!("http://{}", server.address)));
    for _ in 0..5 {
        assert_eq!(client.send(Bytes::from_static(b"message")).await, accepted());
    }
    assert_eq!((server.requests().len(), server.connections()), (5, 5));
}

#[tokio::test]
async fn what_is_no_http_is_a_failure_of_the_protocol() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let speaks = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        assert!(stream.read(&mut [0; 1000]).await.unwrap() > 0);
        stream.write_all(b"500 syntax error\r\n\r\n").await.unwrap();
        stream
    });
    assert_eq!(send(target(&format!("http://{address}"))).await, retry(Failure::Protocol));
    speaks.await.unwrap();
}

/// Under a paused clock a timeout passes as soon as nothing else happens.
#[tokio::test(start_paused = true)]
async fn a_sink_that_hangs_or_drips_runs_out_of_time() {
    let drip = || Response::new(endless(1, Duration::from_secs(1)));
    let replies = move |number| if number == 0 { Reply::Hang } else { Reply::With(drip()) };
    let server = Server::start(None, replies).await;
    let mut client = client(target(&format!("http://{}", server.address)));
    for _ in 0..2 {
        let start = tokio::time::Instant::now();
        assert_eq!(client.send(Bytes::from_static(b"message")).await, retry(Failure::Timeout));
        assert_eq!(start.elapsed(), Duration::from_secs(10));
    }
}

#[tokio::test]
async fn a_success_with_more_of_an_answer_than_anyone_reads_is_a_success_and_the_end_of_the_connection() {
    let replies = |_| Reply::With(Response::new(endless(1 << 20, Duration::ZERO)));
    let server = Server::start(None, replies).await;
    let mut client = client(target(&format!("http://{}", server.address)));
    for _ in 0..2 {
        assert_eq!(client.send(Bytes::from_static(b"message")).await, accepted());
    }
    assert_eq!(server.connections(), 2);
}

//! The HTTP server, asked over plain TCP.

use std::io::{ErrorKind, Read};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use celemetry::admin::{Readiness, Server, Settings, Shows, Sources};
use celemetry::export::profile::Profile;
use celemetry::export::prometheus::Format;
use celemetry::telemetry::Telemetry;
use celemetry_engine::snapshot::{Number, Snapshot};
use flate2::read::GzDecoder;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

use crate::oracle;
use crate::snapshots::{COUNT, metric, snapshot};

/// A server on a free port, and what it shows.
struct Running {
    address: SocketAddr,
    snapshot: watch::Sender<Arc<Snapshot>>,
    readiness: watch::Sender<Readiness>,
    shutdown: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

struct Answer {
    status: u16,
    head: String,
    body: Vec<u8>,
}

fn free_port() -> Settings {
    Settings { listen: SocketAddr::from(([127, 0, 0, 1], 0)), ..Settings::default() }
}

fn pods(number: i64) -> Arc<Snapshot> {
    let series: &[(&[(&str, &str)], _)] = &[(&[("phase", "Running")], Number::Integer(number))];
    Arc::new(snapshot([metric("pods", ["k8s.pods", "{pod}", "Pods."], COUNT, series)]))
}

/// More than all buffers between a server and a client hold.
fn great() -> Arc<Snapshot> {
    let text = "x".repeat(1 << 20);
    let names: Vec<_> = (0..32).map(|number| format!("n{number}")).collect();
    let pairs: Vec<_> = names.iter().map(|name| (name.as_str(), text.as_str())).collect();
    Arc::new(snapshot([metric("great", ["great", "", ""], COUNT, &[(&pairs, Number::Integer(1))])]))
}

fn waiting(names: &[&str]) -> Readiness {
    Readiness { waiting: names.iter().map(|name| (*name).to_owned()).collect() }
}

async fn start(settings: Settings, first: Arc<Snapshot>) -> Running {
    let (snapshot, shown) = watch::channel(first);
    let (readiness, read) = watch::channel(waiting(&["pods.v1: first list"]));
    let (shutdown, until) = oneshot::channel::<()>();
    let telemetry = Arc::new(Telemetry::default());
    let sources = Sources { snapshot: shown, readiness: read, profile: Profile::Native, telemetry };
    let server = Server::bind(settings).await.unwrap();
    let address = server.address();
    let task = tokio::spawn(server.serve(sources, async { until.await.unwrap_or_default() }));
    Running { address, snapshot, readiness, shutdown, task }
}

impl Running {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// One request on a connection of its own.
    async fn ask(&self, method: &str, path: &str, headers: &str) -> Answer {
        let mut stream = self.connect().await;
        send(&mut stream, method, path, &format!("{headers}Connection: close\r\n")).await;
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).await.unwrap();
        answer(&bytes)
    }

    async fn get(&self, path: &str, headers: &str) -> Answer {
        self.ask("GET", path, headers).await
    }
}

async fn send(stream: &mut TcpStream, method: &str, path: &str, headers: &str) {
    let request = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
}

fn answer(bytes: &[u8]) -> Answer {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").expect("a head") + 4;
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap().to_lowercase();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, head, body: bytes[end..].to_vec() }
}

impl Answer {
    fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")))
    }
}

#[tokio::test]
async fn metrics_come_in_the_format_that_is_asked_for() {
    let server = start(free_port(), pods(3)).await;
    for (accept, format) in [
        ("", Format::Text),
        ("Accept: */*\r\n", Format::Text),
        ("Accept: text/plain\r\n", Format::Text),
        ("Accept: application/openmetrics-text; version=1.0.0\r\n", Format::OpenMetrics),
        ("Accept: text/plain;q=0.1\r\nAccept: application/openmetrics-text;q=0.2\r\n", Format::OpenMetrics),
    ] {
        let answer = server.get("/metrics", accept).await;
        assert_eq!((answer.status, answer.header("content-type")), (200, Some(format.content_type())));
        let (length, page) = (answer.header("content-length").map(String::from), answer.text());
        assert_eq!(length, Some(page.len().to_string()));
        assert!(page.contains("\nk8s_pods{phase=\"Running\"} 3\n"), "{page}");
        assert!(page.contains("\ncelemetry_series 1\n"), "{page}");
        let read = oracle::parse(&page, format.content_type()).unwrap();
        assert_eq!(read.lint, Vec::<String>::new());
    }
}

#[tokio::test]
async fn gzip_only_for_those_who_take_it() {
    let server = start(free_port(), pods(3)).await;
    let plain = server.get("/metrics", "Accept-Encoding: gzip;q=0\r\n").await;
    let packed = server.get("/metrics", "Accept-Encoding: br, gzip\r\n").await;
    assert_eq!((plain.header("content-encoding"), packed.header("content-encoding")), (None, Some("gzip")));
    let mut unpacked = String::new();
    GzDecoder::new(&packed.body[..]).read_to_string(&mut unpacked).unwrap();
    assert_eq!(unpacked, plain.text());
    assert_eq!(packed.header("vary"), Some("accept, accept-encoding"));
}

#[tokio::test]
async fn head_gives_the_head_of_get() {
    let server = start(free_port(), pods(3)).await;
    for path in ["/metrics", "/healthz", "/readyz"] {
        let (get, head) = (server.get(path, "").await, server.ask("HEAD", path, "").await);
        assert_eq!((head.status, head.text().as_str()), (get.status, ""));
        for name in ["content-type", "content-length"] {
            assert_eq!(head.header(name), get.header(name), "{path}");
        }
    }
}

#[tokio::test]
async fn other_paths_and_methods_are_refused() {
    let server = start(free_port(), pods(3)).await;
    for (method, path, status) in [
        ("GET", "/", 404),
        ("GET", "/metrics/", 404),
        ("POST", "/nowhere", 404),
        ("POST", "/metrics", 405),
        ("DELETE", "/healthz", 405),
        ("GET", "/metrics?name=x", 200),
    ] {
        let answer = server.ask(method, path, "").await;
        assert_eq!(answer.status, status, "{method} {path}");
        assert_eq!(answer.header("allow").is_some(), status == 405);
    }
}

#[tokio::test]
async fn ready_once_it_is_said_and_healthy_always() {
    let server = start(free_port(), pods(3)).await;
    assert_eq!(server.get("/readyz", "").await.status, 503);
    assert_eq!(server.get("/healthz", "").await.status, 200);
    server.readiness.send_replace(Readiness::default());
    assert_eq!(server.get("/readyz", "").await.status, 200);
    server.readiness.send_replace(waiting(&["pods.v1: first list"]));
    assert_eq!(server.get("/readyz", "").await.status, 503);
}

#[tokio::test]
async fn who_is_not_ready_says_what_is_waited_for() {
    let server = start(free_port(), pods(3)).await;
    let page = |answer: Answer| (answer.status, answer.text());
    let expected = "not ready, waiting for:\npods.v1: first list\n".to_owned();
    assert_eq!(page(server.get("/readyz", "").await), (503, expected));
    let long = "ä".repeat(200);
    server.readiness.send_replace(waiting(&["a\nb\u{1b}[31m", &long]));
    let cut = "ä".repeat(128);
    let expected = format!("not ready, waiting for:\na\u{fffd}b\u{fffd}[31m\n{cut}…\n");
    assert_eq!(page(server.get("/readyz", "").await), (503, expected));
    server.readiness.send_replace(waiting(&["x"; 102]));
    assert!(server.get("/readyz", "").await.text().ends_with("x\nand 2 more\n"));
    server.readiness.send_replace(Readiness::default());
    assert_eq!(page(server.get("/readyz", "").await), (200, "ok\n".to_owned()));
}

#[tokio::test]
async fn an_address_serves_what_it_is_for() {
    for (shows, served) in [
        (Shows::All, ["/metrics", "/healthz", "/readyz"].as_slice()),
        (Shows::Metrics, &["/metrics"]),
        (Shows::Probes, &["/healthz", "/readyz"]),
    ] {
        let server = start(Settings { shows, ..free_port() }, pods(3)).await;
        server.readiness.send_replace(Readiness::default());
        for path in ["/metrics", "/healthz", "/readyz"] {
            let status = if served.contains(&path) { 200 } else { 404 };
            assert_eq!(server.get(path, "").await.status, status, "{shows:?} {path}");
        }
    }
}

#[tokio::test]
async fn every_page_shows_the_latest_snapshot() {
    let server = start(free_port(), pods(3)).await;
    server.snapshot.send_replace(pods(4));
    assert!(server.get("/metrics", "").await.text().contains("k8s_pods{phase=\"Running\"} 4\n"));
    server.snapshot.send_replace(Arc::default());
    assert!(!server.get("/metrics", "").await.text().contains("k8s_pods"));
}

#[tokio::test]
async fn one_connection_serves_many_requests() {
    let server = start(free_port(), pods(3)).await;
    let mut stream = server.connect().await;
    for _ in 0..3 {
        send(&mut stream, "GET", "/healthz", "").await;
        let mut bytes = vec![0; 1024];
        let mut read = 0;
        while !bytes[..read].ends_with(b"\r\n\r\nok\n") {
            read += stream.read(&mut bytes[read..]).await.unwrap();
        }
    }
}

#[tokio::test]
async fn who_reads_slowly_keeps_nobody_waiting() {
    let server = start(free_port(), great()).await;
    let mut slow = server.connect().await;
    send(&mut slow, "GET", "/metrics", "").await;
    slow.read_exact(&mut [0]).await.unwrap();
    assert_eq!(server.get("/healthz", "").await.status, 200);
    assert!(server.get("/metrics", "").await.body.len() > 32 << 20);
}

/// With room for one connection, another is served only once the first is gone.
#[tokio::test]
async fn who_does_not_read_an_answer_in_time_is_cut_off() {
    let limits = Settings { max_connections: 1, answer_timeout: Duration::from_millis(50), ..free_port() };
    let server = start(limits, great()).await;
    let mut slow = server.connect().await;
    send(&mut slow, "GET", "/metrics", "").await;
    slow.read_exact(&mut [0]).await.unwrap();
    assert_eq!(server.get("/healthz", "").await.status, 200);
    let mut rest = Vec::new();
    // Whether the end is orderly or a reset depends on what the kernel had already sent.
    let _ = slow.read_to_end(&mut rest).await;
    assert!(rest.len() < 32 << 20, "{}", rest.len());
}

#[tokio::test]
async fn who_does_not_ask_in_time_is_cut_off() {
    let limits = Settings { max_connections: 1, head_timeout: Duration::from_millis(50), ..free_port() };
    let server = start(limits, pods(3)).await;
    for begun in ["", "GET /healthz HTTP/1.1\r\nHost: local", "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"] {
        let mut idle = server.connect().await;
        idle.write_all(begun.as_bytes()).await.unwrap();
        assert_eq!(server.get("/healthz", "").await.status, 200, "{begun}");
    }
}

#[tokio::test]
async fn connections_beyond_the_limit_wait_for_a_place() {
    let server = start(Settings { max_connections: 1, ..free_port() }, pods(3)).await;
    let mut first = server.connect().await;
    let mut buffer = [0; 1024];
    send(&mut first, "GET", "/healthz", "").await;
    assert!(first.read(&mut buffer).await.unwrap() > 0);
    let mut second = server.connect().await;
    send(&mut second, "GET", "/healthz", "").await;
    send(&mut first, "GET", "/healthz", "").await;
    assert!(first.read(&mut buffer).await.unwrap() > 0);
    assert!(second.try_read(&mut buffer).is_err_and(|error| error.kind() == ErrorKind::WouldBlock));
    drop(first);
    assert!(second.read(&mut buffer).await.unwrap() > 0);
}

#[tokio::test]
async fn nonsense_ends_its_connection_and_nothing_else() {
    let server = start(free_port(), pods(3)).await;
    let long = format!("GET /metrics HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(1 << 20));
    for nonsense in ["\0\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/9\r\n\r\n", long.as_str()] {
        let mut stream = server.connect().await;
        // The server may close before it has read everything, so neither side of this need succeed.
        let _ = stream.write_all(nonsense.as_bytes()).await;
        let _ = stream.read_to_end(&mut Vec::new()).await;
        assert_eq!(server.get("/healthz", "").await.status, 200);
    }
}

#[tokio::test]
async fn shutdown_closes_idle_connections_and_finishes_answers() {
    let server = start(free_port(), great()).await;
    let (mut idle, mut busy) = (server.connect().await, server.connect().await);
    send(&mut idle, "GET", "/healthz", "").await;
    assert!(idle.read(&mut [0; 1024]).await.unwrap() > 0);
    send(&mut busy, "GET", "/metrics", "").await;
    busy.read_exact(&mut [0]).await.unwrap();
    server.shutdown.send(()).unwrap();
    assert_eq!(idle.read(&mut [0; 1]).await.unwrap(), 0);
    assert!(TcpStream::connect(server.address).await.is_err());
    let mut rest = Vec::new();
    busy.read_to_end(&mut rest).await.unwrap();
    assert!(rest.len() > 32 << 20 && rest.ends_with(b"} 1\n"));
    server.task.await.unwrap();
}

#[tokio::test]
async fn shutdown_does_not_wait_for_ever() {
    let limits = Settings { drain_timeout: Duration::from_millis(50), ..free_port() };
    let server = start(limits, great()).await;
    let mut slow = server.connect().await;
    send(&mut slow, "GET", "/metrics", "").await;
    slow.read_exact(&mut [0]).await.unwrap();
    server.shutdown.send(()).unwrap();
    server.task.await.unwrap();
}

#[tokio::test]
async fn an_address_that_is_taken_is_named() {
    let server = start(free_port(), pods(3)).await;
    let taken = Settings { listen: server.address, ..Settings::default() };
    let error = Server::bind(taken).await.unwrap_err();
    assert_eq!(error.address, server.address);
    assert!(error.to_string().starts_with(&format!("cannot listen on {}: ", server.address)), "{error}");
}

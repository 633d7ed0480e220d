//! An OTLP sink that keeps everything it gets, and answers as told: HTTP and gRPC on one port, plain or TLS.
//!
//! In: export requests; orders of a test. Out: requests and points, in the order in which they arrived.

use std::collections::{BTreeMap, VecDeque};
use std::io::Read;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use http_body_util::BodyExt;
use hyper::body::{Buf, Bytes, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use prost::Message;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;
use tokio_rustls::TlsAcceptor;

use super::authority::Identity;
use super::proxy::listen;
use super::{port, runtime, until};

pub(crate) mod answer;
pub(crate) mod point;

use answer::{Answer, Body};
use point::{Attributes, Point, Value, attributes};

/// A sink on loopback. Gone when it goes out of scope.
pub(crate) struct Sink {
    address: SocketAddr,
    state: Arc<State>,
    acceptor: Mutex<Option<AbortHandle>>,
}

struct State {
    tls: Option<TlsAcceptor>,
    orders: Mutex<Orders>,
    requests: Mutex<Vec<Request>>,
}

struct Orders {
    /// For the next requests, one each.
    once: VecDeque<Answer>,
    /// For all others.
    always: Answer,
    /// Whether connections are accepted and then left alone.
    deaf: bool,
}

/// A request that arrived whole.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) arrived: Instant,
    pub(crate) grpc: bool,
    /// Names in lower case.
    pub(crate) headers: BTreeMap<String, String>,
    /// On the wire, compressed or not.
    pub(crate) bytes: usize,
    pub(crate) points: Vec<Point>,
    pub(crate) answer: Answer,
}

/// The path of OTLP over HTTP.
const HTTP_PATH: &str = "/v1/metrics";
/// The path of OTLP over gRPC.
const GRPC_PATH: &str = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export";

// === impl Sink ===

impl Sink {
    /// A sink that takes everything.
    pub(crate) fn start() -> Self {
        Self::start_with(None)
    }

    /// The same over TLS.
    pub(crate) fn start_tls(identity: &Identity) -> Self {
        Self::start_with(Some(TlsAcceptor::from(Arc::new(identity.server()))))
    }

    fn start_with(tls: Option<TlsAcceptor>) -> Self {
        let orders = Orders { once: VecDeque::new(), always: Answer::Accept, deaf: false };
        let state = State { tls, orders: Mutex::new(orders), requests: Mutex::new(vec![]) };
        let sink = Self { address: port::free(), state: Arc::new(state), acceptor: Mutex::new(None) };
        sink.open();
        sink
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL for OTLP over HTTP, path included.
    pub(crate) fn http(&self) -> String {
        let scheme = if self.state.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}{HTTP_PATH}", self.address)
    }

    /// The URL for OTLP over gRPC, as a DataSink has it.
    pub(crate) fn grpc(&self) -> String {
        let scheme = if self.state.tls.is_some() { "grpcs" } else { "grpc" };
        format!("{scheme}://{}", self.address)
    }

    /// From now on, every request is answered like this.
    pub(crate) fn answer(&self, answer: Answer) {
        self.state.orders().always = answer;
    }

    /// The next requests are answered like this, one each.
    pub(crate) fn answer_once(&self, answers: impl IntoIterator<Item = Answer>) {
        self.state.orders().once.extend(answers);
    }

    /// From now on, connections are accepted and nothing is read from them, nor any handshake made; or no longer.
    pub(crate) fn deaf(&self, deaf: bool) {
        self.state.orders().deaf = deaf;
    }

    /// Refuses connections from now on, and ends those that are open.
    pub(crate) fn close(&self) {
        if let Some(acceptor) = self.acceptor().take() {
            acceptor.abort();
            until("the port to be closed", || {
                std::net::TcpStream::connect(self.address).map_or(Ok(()), |_| Err("still open".to_owned()))
            });
        }
    }

    /// Accepts connections again, on the same port.
    pub(crate) fn open(&self) {
        let mut acceptor = self.acceptor();
        if acceptor.is_none() {
            let listener = runtime().block_on(async { listen(self.address) });
            *acceptor = Some(runtime().spawn(accept(listener, self.state.clone())).abort_handle());
        }
    }

    /// Everything that arrived, however it was answered.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.state.requests().clone()
    }

    /// Waits until there are at least so many requests, and returns all.
    #[track_caller]
    pub(crate) fn wait_requests(&self, count: usize) -> Vec<Request> {
        until(&format!("{count} requests"), || {
            let requests = self.requests();
            if requests.len() >= count { Ok(requests) } else { Err(format!("{requests:#?}")) }
        })
    }

    /// Every point of a request that was accepted, or accepted in part.
    pub(crate) fn points(&self) -> Vec<Point> {
        let requests = self.state.requests();
        let taken = requests.iter().filter(|request| request.answer.takes());
        taken.flat_map(|request| request.points.clone()).collect()
    }

    /// Every point of one series that was accepted, of exactly these attributes.
    pub(crate) fn history(&self, name: &str, of: &[(&str, &str)]) -> Vec<Point> {
        let of = attributes(of);
        self.points().into_iter().filter(|point| point.name == name && point.attributes == of).collect()
    }

    /// The newest point of one series.
    pub(crate) fn latest(&self, name: &str, of: &[(&str, &str)]) -> Option<Point> {
        self.history(name, of).pop()
    }

    /// The series of a metric that live, with their newest values: what a backend would show.
    pub(crate) fn series(&self, name: &str) -> BTreeMap<Attributes, Value> {
        let mut series = BTreeMap::new();
        for point in self.points().into_iter().filter(|point| point.name == name) {
            match point.value {
                Value::Withdrawn => series.remove(&point.attributes),
                value => series.insert(point.attributes, value),
            };
        }
        series
    }

    /// Waits until the newest point of a series has this value, and returns it.
    #[track_caller]
    pub(crate) fn wait_value(&self, name: &str, of: &[(&str, &str)], value: Value) -> Point {
        until(&format!("{name}{of:?} {value:?}"), || match self.latest(name, of) {
            Some(point) if point.value == value => Ok(point),
            other => Err(format!("{other:?}; series: {:?}", self.series(name))),
        })
    }

    /// Waits until exactly these series of a metric live, with these values.
    #[track_caller]
    pub(crate) fn wait_series(&self, name: &str, expected: &[(&[(&str, &str)], Value)]) {
        let expected = expected.iter().map(|(of, value)| (attributes(of), *value)).collect();
        super::until_equal(&format!("the series of {name}"), &expected, || self.series(name));
    }

    fn acceptor(&self) -> MutexGuard<'_, Option<AbortHandle>> {
        self.acceptor.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        if let Some(acceptor) = self.acceptor().take() {
            acceptor.abort();
        }
    }
}

// === impl State ===

impl State {
    fn orders(&self) -> MutexGuard<'_, Orders> {
        self.orders.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn requests(&self) -> MutexGuard<'_, Vec<Request>> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next_answer(&self) -> Answer {
        let mut orders = self.orders();
        orders.once.pop_front().unwrap_or_else(|| orders.always.clone())
    }

    /// Keeps a request and answers it. An error closes the connection.
    async fn take(&self, request: http::Request<Incoming>) -> Result<http::Response<Body>, String> {
        let (head, body) = request.into_parts();
        let body = body.collect().await.map_err(|error| error.to_string())?.to_bytes();
        let arrived = Instant::now();
        let header = |name: &http::HeaderName, value: &http::HeaderValue| {
            (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        let headers: BTreeMap<_, _> = head.headers.iter().map(|(name, value)| header(name, value)).collect();
        let grpc = match head.uri.path() {
            HTTP_PATH => false,
            GRPC_PATH => true,
            other => return Err(format!("nothing is served at {other}")),
        };
        let bytes = body.len();
        let message = if grpc { unframed(body)? } else { plain(body, headers.get("content-encoding"))? };
        let message = ExportMetricsServiceRequest::decode(message).map_err(|error| error.to_string())?;
        let (answer, points) = (self.next_answer().to(bytes), point::points(message, arrived));
        self.requests().push(Request { arrived, grpc, headers, bytes, points, answer: answer.clone() });
        if answer == Answer::Hang {
            std::future::pending::<()>().await;
        }
        let response = if grpc { answer.over_grpc() } else { answer.over_http() };
        response.ok_or_else(|| "closed, as told".to_owned())
    }
}

/// The one message of a gRPC request.
fn unframed(mut body: Bytes) -> Result<Bytes, String> {
    if body.len() < 5 {
        return Err("no gRPC frame".to_owned());
    }
    let (compressed, length) = (body.get_u8(), body.get_u32());
    if body.len() != length as usize {
        return Err(format!("a gRPC frame of {length} bytes has {}", body.len()));
    }
    if compressed == 1 { gunzipped(&body) } else { Ok(body) }
}

fn plain(body: Bytes, encoding: Option<&String>) -> Result<Bytes, String> {
    match encoding.map(String::as_str) {
        None | Some("identity") => Ok(body),
        Some("gzip") => gunzipped(&body),
        Some(other) => Err(format!("{other} is not understood")),
    }
}

fn gunzipped(bytes: &[u8]) -> Result<Bytes, String> {
    let mut plain = vec![];
    flate2::read::GzDecoder::new(bytes).read_to_end(&mut plain).map_err(|error| error.to_string())?;
    Ok(Bytes::from(plain))
}

/// Its connections end with it.
async fn accept(listener: TcpListener, state: Arc<State>) {
    let mut connections = tokio::task::JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        connections.spawn(connection(stream, state.clone()));
    }
}

async fn connection(stream: TcpStream, state: Arc<State>) {
    if state.orders().deaf {
        std::future::pending::<()>().await;
    }
    match &state.tls {
        None => serve(stream, &state).await,
        Some(tls) => {
            // A client that does not like the certificate ends the handshake: that is its answer.
            if let Ok(stream) = tls.accept(stream).await {
                serve(stream, &state).await;
            }
        }
    }
}

async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, state: &Arc<State>) {
    let service = service_fn(|request| {
        let state = state.clone();
        async move { state.take(request).await }
    });
    let server = auto::Builder::new(TokioExecutor::new());
    // Ends when the client goes, or an answer says so.
    let _ = server.serve_connection(TokioIo::new(stream), service).await;
}

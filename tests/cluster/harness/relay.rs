//! The API server with words put into its mouth: what a real one says rarely, or never.
//!
//! In: requests, which are passed on, with the headers they came with. Out: the server's answers, or those that a test has
//! laid down for a verb on a resource. Unlike `proxy` it ends TLS, with a certificate of the plane's authority.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures_util::stream::{self, Stream};
use http::{Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::task::AbortHandle;
use tokio_rustls::TlsAcceptor;

use super::client::{Connections, connections};
use super::plane::Plane;
use super::proxy::listen;
use super::{port, runtime};

/// A relay on loopback, in front of a plane's API server.
pub(crate) struct Relay {
    address: SocketAddr,
    state: Arc<State>,
    acceptor: AbortHandle,
}

struct State {
    server: SocketAddr,
    upstream: Connections,
    orders: Mutex<BTreeMap<Asked, Orders>>,
    /// Every request, in order.
    heard: Mutex<Vec<(Asked, Instant)>>,
}

/// What a request wants: the verb, `list`, `watch`, `get` or a method in small letters, and the resource in plural.
type Asked = (String, String);

#[derive(Default)]
struct Orders {
    /// For the next requests, one each.
    once: VecDeque<Reply>,
    /// Those that were begun, and whose words are still to come.
    begun: usize,
    /// For all others; `None` passes them.
    always: Option<Reply>,
}

/// How a request is answered.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Reply {
    /// By the server.
    Pass,
    /// Not at all, until another order is given.
    Hang,
    /// Not by the server.
    Instead { status: u16, headers: Vec<(String, String)>, body: Vec<u8> },
    /// By the server up to so many lines of its body; then these bytes; then as `end` says. A body that ends before is the
    /// server's alone, and the next one is tried.
    After { lines: usize, bytes: Vec<u8>, end: End },
}

/// How a body goes on after something was put into it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum End {
    /// With what the server says.
    GoOn,
    /// Not at all: it is complete.
    Close,
    /// Not at all, and the connection breaks.
    Break,
}

/// Words of `once` that are to be spoken within a body. They are for the next request where that ends before.
struct Words {
    state: Arc<State>,
    asked: Asked,
    reply: Reply,
    are_spoken: bool,
}

type Body = UnsyncBoxBody<Bytes, String>;

/// How often a request that hangs is looked at.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

// === impl Reply ===

impl Reply {
    /// A status with the object that API servers send along.
    pub(crate) fn status(status: u16, reason: &str) -> Self {
        let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        Self::Instead { status, headers, body: status_object(status, reason).into_bytes() }
    }

    /// 410 as the status line: the version asked for, or the page, is no longer known.
    pub(crate) fn gone() -> Self {
        Self::status(410, "Expired")
    }

    /// 429 with `Retry-After` in seconds.
    pub(crate) fn throttled(seconds: u32) -> Self {
        match Self::status(429, "TooManyRequests") {
            Self::Instead { status, mut headers, body } => {
                headers.push(("retry-after".to_owned(), seconds.to_string()));
                Self::Instead { status, headers, body }
            }
            other => other,
        }
    }

    /// An ERROR event after so many events of the server, and the end of the watch.
    pub(crate) fn error_event(lines: usize, status: u16, reason: &str) -> Self {
        let event = format!("{{\"type\":\"ERROR\",\"object\":{}}}\n", status_object(status, reason));
        Self::After { lines, bytes: event.into_bytes(), end: End::Close }
    }

    /// The connection breaks after so many events.
    pub(crate) fn broken(lines: usize) -> Self {
        Self::After { lines, bytes: vec![], end: End::Break }
    }
}

fn status_object(status: u16, reason: &str) -> String {
    let message = format!("as told: {reason}");
    json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": message, "reason": reason, "code": status,
    })
    .to_string()
}

// === impl Relay ===

impl Relay {
    /// Passes everything to the plane's API server.
    pub(crate) fn before(plane: &Plane) -> Self {
        let state = Arc::new(State {
            server: plane.address(),
            upstream: connections(plane.authority().client()),
            orders: Mutex::new(BTreeMap::new()),
            heard: Mutex::new(vec![]),
        });
        let tls = TlsAcceptor::from(Arc::new(plane.authority().identity(&["127.0.0.1"]).server()));
        let address = port::free();
        let listener = runtime().block_on(async { listen(address) });
        let acceptor = runtime().spawn(accept(listener, tls, state.clone())).abort_handle();
        Self { address, state, acceptor }
    }

    /// Where clients connect to.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The next requests of this verb on this resource are answered like this, one each. Verbs are `list`, `watch`, `get`,
    /// `post`, `put`, `patch` and `delete`; every page of a list is a request.
    pub(crate) fn once(&self, verb: &str, resource: &str, replies: impl IntoIterator<Item = Reply>) {
        self.state.orders().entry(asked(verb, resource)).or_default().once.extend(replies);
    }

    /// From now on, requests of this verb on this resource are answered like this, beside those of `once`.
    pub(crate) fn always(&self, verb: &str, resource: &str, reply: Reply) {
        self.state.orders().entry(asked(verb, resource)).or_default().always = Some(reply);
    }

    /// From now on, everything passes.
    pub(crate) fn pass(&self) {
        self.state.orders().clear();
    }

    /// When requests of this verb on this resource came, however they were answered.
    pub(crate) fn heard(&self, verb: &str, resource: &str) -> Vec<Instant> {
        let heard = self.state.heard.lock().unwrap_or_else(PoisonError::into_inner);
        let of_it = heard.iter().filter(|(what, _)| *what == asked(verb, resource));
        of_it.map(|(_, when)| *when).collect()
    }

    /// Whether every reply of `once` was given, to its last word.
    pub(crate) fn is_spent(&self) -> bool {
        self.state.orders().values().all(|orders| orders.once.is_empty() && orders.begun == 0)
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.acceptor.abort();
    }
}

fn asked(verb: &str, resource: &str) -> Asked {
    (verb.to_owned(), resource.to_owned())
}

/// What a request wants. A path of another form than resources have gives itself as the resource.
fn wanted(request: &http::request::Parts) -> Asked {
    let path = request.uri.path();
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    let parts = match parts.as_slice() {
        ["api", _, rest @ ..] | ["apis", _, _, rest @ ..] => rest,
        _ => &[],
    };
    // `namespaces/NAME` alone is an object, followed by anything it is where objects are.
    let parts = match parts {
        ["namespaces", _, rest @ ..] if !rest.is_empty() => rest,
        all => all,
    };
    let watch = request
        .uri
        .query()
        .is_some_and(|query| query.split('&').any(|pair| matches!(pair, "watch=true" | "watch=1")));
    let verb = match (request.method.as_str(), parts) {
        ("GET", [_]) if watch => "watch".to_owned(),
        ("GET", [_]) => "list".to_owned(),
        (method, _) => method.to_lowercase(),
    };
    (verb, parts.first().map_or(path, |resource| *resource).to_owned())
}

// === impl State ===

impl State {
    fn orders(&self) -> MutexGuard<'_, BTreeMap<Asked, Orders>> {
        self.orders.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How a request is to be answered, as soon as it is; and its words if they are to be spoken once.
    async fn reply(self: &Arc<Self>, asked: &Asked) -> (Reply, Option<Words>) {
        loop {
            match self.next_reply(asked) {
                (Reply::Hang, _) => tokio::time::sleep(LOOK_AGAIN).await,
                reply => return reply,
            }
        }
    }

    fn next_reply(self: &Arc<Self>, asked: &Asked) -> (Reply, Option<Words>) {
        let mut all = self.orders();
        let Some(orders) = all.get_mut(asked) else { return (Reply::Pass, None) };
        let Some(reply) = orders.once.pop_front() else {
            return (orders.always.clone().unwrap_or(Reply::Pass), None);
        };
        let words = matches!(reply, Reply::After { .. }).then(|| {
            orders.begun += 1;
            let (state, asked) = (self.clone(), asked.clone());
            Words { state, asked, reply: reply.clone(), are_spoken: false }
        });
        (reply, words)
    }

    async fn answer(self: Arc<Self>, request: http::Request<Incoming>) -> Result<Response<Body>, String> {
        let (head, body) = request.into_parts();
        let asked = wanted(&head);
        let now = (asked.clone(), Instant::now());
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).push(now);
        let (reply, words) = self.reply(&asked).await;
        match reply {
            Reply::Hang => unreachable!("that was waited for"),
            Reply::Instead { status, headers, body } => {
                let mut response = Response::builder().status(status);
                for (name, value) in headers {
                    response = response.header(name, value);
                }
                Ok(response
                    .body(Full::new(Bytes::from(body)).map_err(|never| match never {}).boxed_unsync())
                    .unwrap())
            }
            Reply::Pass => Ok(self
                .ask(head, body)
                .await?
                .map(|body| body.map_err(|error| error.to_string()).boxed_unsync())),
            Reply::After { lines, bytes, end } => {
                let (mut head, body) = self.ask(head, body).await?.into_parts();
                head.headers.remove("content-length");
                let (bytes, rest) = (Bytes::from(bytes), Bytes::new());
                let spoken = Spoken { body, lines: Some(lines), bytes, words, end, rest };
                Ok(Response::from_parts(head, StreamBody::new(spoken.parts()).boxed_unsync()))
            }
        }
    }

    /// What the server answers.
    async fn ask(
        &self,
        mut head: http::request::Parts,
        body: Incoming,
    ) -> Result<Response<Incoming>, String> {
        let body = body.collect().await.map_err(|error| error.to_string())?.to_bytes();
        let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
        head.uri = format!("https://{}{path}", self.server).parse().unwrap();
        head.version = http::Version::HTTP_11;
        // Lines are counted, so they must not be compressed; lengths and hosts are the connection's.
        for name in ["accept-encoding", "content-length", "host"] {
            head.headers.remove(name);
        }
        let answer = self.upstream.request(http::Request::from_parts(head, Full::new(body))).await;
        let mut answer = answer.map_err(|error| format!("{error:?}"))?;
        for name in ["transfer-encoding", "connection"] {
            answer.headers_mut().remove(name);
        }
        Ok(answer)
    }
}

/// A body that a test speaks in.
struct Spoken {
    body: Incoming,
    /// How many lines are still to pass; `None` once the words are spoken.
    lines: Option<usize>,
    bytes: Bytes,
    words: Option<Words>,
    end: End,
    /// What the server has said after the last of those lines.
    rest: Bytes,
}

// === impl Spoken ===

impl Spoken {
    /// The first lines of the server's, then the words, then what `end` says.
    fn parts(self) -> impl Stream<Item = Result<Frame<Bytes>, String>> {
        stream::unfold(self, |mut spoken| async {
            let part = spoken.next().await?;
            Some((part.map(Frame::data), spoken))
        })
    }

    async fn next(&mut self) -> Option<Result<Bytes, String>> {
        match (self.lines, self.end) {
            (Some(0), _) => {
                self.lines = None;
                if let Some(mut words) = self.words.take() {
                    words.are_spoken = true;
                }
                return Some(Ok(std::mem::take(&mut self.bytes)));
            }
            (None, End::Close) => return None,
            (None, End::Break) => return Some(Err("broken, as told".to_owned())),
            (None, End::GoOn) if !self.rest.is_empty() => return Some(Ok(std::mem::take(&mut self.rest))),
            _ => {}
        }
        let part = match self.body.frame().await?.map(Frame::into_data) {
            Ok(Ok(part)) => part,
            Ok(Err(_trailers)) => return None,
            Err(error) => return Some(Err(error.to_string())),
        };
        Some(Ok(self.up_to_the_last_line(part)))
    }

    /// As much of `part` as is to pass before the words are spoken; the rest is kept.
    fn up_to_the_last_line(&mut self, mut part: Bytes) -> Bytes {
        let Some(left) = self.lines else { return part };
        let ends = part.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1);
        let ends: Vec<usize> = ends.take(left).collect();
        self.lines = Some(left - ends.len());
        if left == ends.len() {
            self.rest = part.split_off(*ends.last().expect("there was at least one line to come"));
        }
        part
    }
}

impl Drop for Words {
    fn drop(&mut self) {
        let mut all = self.state.orders();
        // None where everything passes by now.
        let Some(orders) = all.get_mut(&self.asked).filter(|orders| orders.begun > 0) else { return };
        orders.begun -= 1;
        if !self.are_spoken {
            orders.once.push_front(self.reply.clone());
        }
    }
}

/// Its connections end with it.
async fn accept(listener: TcpListener, tls: TlsAcceptor, state: Arc<State>) {
    let mut connections = tokio::task::JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let (tls, state) = (tls.clone(), state.clone());
        connections.spawn(async move {
            let Ok(stream) = tls.accept(stream).await else { return };
            let service = service_fn(|request| {
                let state = state.clone();
                state.answer(request)
            });
            let server = auto::Builder::new(TokioExecutor::new());
            // Ends when the client goes, or an answer says so.
            let _ = server.serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

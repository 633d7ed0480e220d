//! A sink on loopback that keeps what it gets and answers as told, over HTTP/1.1 or HTTP/2, plain or TLS.
//!
//! In: orders of a test. Out: requests, connections.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use celemetry::export::transport::{AddressPolicy, Client, Endpoint, Outcome, SinkTarget};
use futures_util::stream;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::service::service_fn;
use hyper::{HeaderMap, Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

pub(super) type Body = UnsyncBoxBody<Bytes, Infallible>;

/// What arrived whole.
pub(super) struct Received {
    pub(super) path: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// What is answered.
pub(super) enum Reply {
    With(Response<Body>),
    /// The connection is closed without a word.
    Close,
    /// Nothing ever.
    Hang,
}

#[derive(Default)]
struct State {
    requests: Vec<Received>,
    connections: usize,
}

/// A server that ends with it.
pub(super) struct Server {
    pub(super) address: SocketAddr,
    state: Arc<Mutex<State>>,
    _accepting: JoinSet<()>,
}

type Replies = Arc<dyn Fn(usize) -> Reply + Send + Sync>;

impl Server {
    /// Answers the n-th request, from 0, with what `replies` gives.
    pub(super) async fn start(
        tls: Option<ServerConfig>,
        replies: impl Fn(usize) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::<Mutex<State>>::default();
        let tls = tls.map(|config| TlsAcceptor::from(Arc::new(config)));
        let mut accepting = JoinSet::new();
        accepting.spawn(accept(listener, tls, state.clone(), Arc::new(replies)));
        Server { address, state, _accepting: accepting }
    }

    pub(super) fn requests(&self) -> Vec<Received> {
        std::mem::take(&mut self.state.lock().unwrap().requests)
    }

    pub(super) fn connections(&self) -> usize {
        self.state.lock().unwrap().connections
    }
}

async fn accept(listener: TcpListener, tls: Option<TlsAcceptor>, state: Arc<Mutex<State>>, replies: Replies) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        state.lock().unwrap().connections += 1;
        let (tls, state, replies) = (tls.clone(), state.clone(), replies.clone());
        connections.spawn(async move {
            match tls {
                None => serve(stream, state, replies).await,
                Some(tls) => {
                    // A handshake that fails is what the client is asked about.
                    if let Ok(stream) = tls.accept(stream).await {
                        serve(stream, state, replies).await;
                    }
                }
            }
        });
    }
}

async fn serve<S>(stream: S, state: Arc<Mutex<State>>, replies: Replies)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request: Request<Incoming>| {
        let (state, replies) = (state.clone(), replies.clone());
        async move {
            let (head, body) = request.into_parts();
            let body = body.collect().await.map_err(|error| error.to_string())?.to_bytes();
            let path = head.uri.path_and_query().unwrap().to_string();
            let number = {
                let mut state = state.lock().unwrap();
                state.requests.push(Received { path, headers: head.headers, body });
                state.requests.len() - 1
            };
            match replies(number) {
                Reply::With(response) => Ok(response),
                Reply::Close => Err("closed, as told".to_owned()),
                Reply::Hang => std::future::pending().await,
            }
        }
    });
    let _ = auto::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await;
}

pub(super) fn whole(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).boxed_unsync()
}

/// An answer with a status and nothing else.
pub(super) fn status(status: u16) -> Response<Body> {
    Response::builder().status(status).body(whole("")).unwrap()
}

/// A body that goes on for ever: so many bytes every so often.
pub(super) fn endless(size: usize, pause: Duration) -> Body {
    let part = move |()| async move {
        tokio::time::sleep(pause).await;
        Some((Ok(Frame::data(Bytes::from(vec![0; size]))), ()))
    };
    StreamBody::new(stream::unfold((), part)).boxed_unsync()
}

pub(super) fn target(url: &str) -> SinkTarget {
    let endpoint = Endpoint::parse(url).unwrap();
    SinkTarget { endpoint, api_key: None, certificate: None, ca: None }
}

pub(super) fn client(target: SinkTarget) -> Client {
    Client::new(target, AddressPolicy { allow_loopback: true })
}

/// Sends one request with a client of its own.
pub(super) async fn send(target: SinkTarget) -> Outcome {
    client(target).send(Bytes::from_static(b"message")).await
}

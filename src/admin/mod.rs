//! The administrative HTTP server: `/metrics`, `/healthz`, `/readyz`, at one address or at two.
//!
//! In: the latest snapshot, what is waited for before the program is ready. Out: HTTP/1.1. Must never know: who flushes, clusters, kinds.
//!
//! Bounds: at most [`Settings::max_connections`] at once, further ones wait in the kernel's queue; a request's head must
//! come within [`Settings::head_timeout`], an answer must be taken within [`Settings::answer_timeout`], otherwise the
//! connection is closed. Pages are rendered off the tasks that serve connections, two at a time.

mod negotiate;
mod patience;
mod respond;

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use celemetry_engine::snapshot::Snapshot;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;

use crate::admin::patience::Patience;
use crate::admin::respond::Pages;
use crate::export::profile::Profile;
use crate::telemetry::Telemetry;

/// Where to listen, and the bounds.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The address; port 0 picks a free one. Default 127.0.0.1:9464, OpenTelemetry's port for Prometheus exporters.
    pub listen: SocketAddr,
    /// What is served there.
    pub shows: Shows,
    /// Connections served at once, each of which can hold one page in memory. Default 32: scrapers and probes need a
    /// handful.
    pub max_connections: usize,
    /// How long a client may take to send the head of a request, also while it keeps a connection open between two.
    /// Default 60 s: Prometheus scrapes at least once a minute as a rule, and so keeps its connection.
    pub head_timeout: Duration,
    /// How long a client may take to read an answer. Default 30 s: Prometheus gives up after 10 s by default.
    pub answer_timeout: Duration,
    /// How long answers under way may take after shutdown began. Default 5 s.
    pub drain_timeout: Duration,
}

/// Which paths an address serves. Scrapers and probes may have their own, so that a network policy can tell them apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Shows {
    /// All of them.
    #[default]
    All,
    /// `/metrics`.
    Metrics,
    /// `/healthz` and `/readyz`.
    Probes,
}

/// What the program waits for before it is ready.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Readiness {
    /// One text for each thing that is waited for; ready where there is none.
    pub waiting: Vec<String>,
}

/// What the server shows.
#[derive(Clone, Debug)]
pub struct Sources {
    /// The latest snapshot.
    pub snapshot: watch::Receiver<Arc<Snapshot>>,
    /// What `/readyz` says.
    pub readiness: watch::Receiver<Readiness>,
    /// The conventions of the page.
    pub profile: Profile,
    /// The counters behind celemetry's own metrics.
    pub telemetry: Arc<Telemetry>,
}

/// The address could not be listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}: {cause}")]
pub struct BindError {
    /// The address as it was asked for.
    pub address: SocketAddr,
    /// What the system said.
    #[source]
    pub cause: std::io::Error,
}

/// A server that listens and does not answer yet.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    settings: Settings,
}

/// How long to wait after the system refused a connection for want of file descriptors or memory.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The most that is buffered of a request's head.
const MAX_HEAD: usize = 64 * 1024;

/// Listens on [`Settings::listen`] and answers until `shutdown` completes.
///
/// # Errors
/// If the address cannot be listened on. Nothing that a client does ends the server.
pub async fn serve(
    settings: Settings,
    sources: Sources,
    shutdown: impl Future<Output = ()>,
) -> Result<(), BindError> {
    Server::bind(settings).await?.serve(sources, shutdown).await;
    Ok(())
}

// === impl Settings ===

impl Default for Settings {
    fn default() -> Self {
        Settings {
            listen: SocketAddr::from(([127, 0, 0, 1], 9464)),
            shows: Shows::All,
            max_connections: 32,
            head_timeout: Duration::from_secs(60),
            answer_timeout: Duration::from_secs(30),
            drain_timeout: Duration::from_secs(5),
        }
    }
}

// === impl Shows, Readiness ===

impl Shows {
    /// Whether `path` is served.
    fn includes(self, path: &str) -> bool {
        let (metrics, probes) = (path == "/metrics", ["/healthz", "/readyz"].contains(&path));
        match self {
            Shows::All => metrics || probes,
            Shows::Metrics => metrics,
            Shows::Probes => probes,
        }
    }
}

impl Readiness {
    /// Whether nothing is waited for.
    pub fn is_ready(&self) -> bool {
        self.waiting.is_empty()
    }
}

// === impl Server ===

impl Server {
    /// Listens; connections wait until [`serve`](Self::serve).
    ///
    /// # Errors
    /// If the address is taken, not this machine's, or not allowed.
    pub async fn bind(settings: Settings) -> Result<Self, BindError> {
        let error = |cause| BindError { address: settings.listen, cause };
        let listener = TcpListener::bind(settings.listen).await.map_err(error)?;
        let address = listener.local_addr().map_err(error)?;
        Ok(Server { listener, address, settings })
    }

    /// The address, with the port that was picked.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until `shutdown` completes, then lets answers under way finish, up to the drain timeout.
    pub async fn serve(self, sources: Sources, shutdown: impl Future<Output = ()>) {
        let (closing, closed) = watch::channel(false);
        let slots = Arc::new(Semaphore::new(self.settings.max_connections));
        let pages = Arc::new(Pages::new(sources, self.settings.shows));
        let mut connections = JoinSet::new();
        let mut shutdown = std::pin::pin!(shutdown);
        loop {
            let (stream, slot) = tokio::select! {
                () = &mut shutdown => break,
                accepted = self.accept(&slots) => accepted,
                Some(_) = connections.join_next() => continue,
            };
            connections.spawn(connection(stream, slot, pages.clone(), self.settings.clone(), closed.clone()));
        }
        drop(self.listener);
        closing.send_replace(true);
        let drained = async { while connections.join_next().await.is_some() {} };
        // What has not finished by then is dropped with the set, which closes its connection.
        let _ = tokio::time::timeout(self.settings.drain_timeout, drained).await;
    }

    async fn accept(&self, slots: &Arc<Semaphore>) -> (TcpStream, OwnedSemaphorePermit) {
        let slot = slots.clone().acquire_owned().await.expect("the semaphore is never closed");
        loop {
            match self.listener.accept().await {
                Ok((stream, _)) => return (stream, slot),
                // The client went away while it waited.
                Err(error) if error.kind() == ErrorKind::ConnectionAborted => {}
                Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
            }
        }
    }
}

/// Serves one connection until it or the server closes; what goes wrong concerns this client alone.
async fn connection(
    stream: TcpStream,
    _slot: OwnedSemaphorePermit,
    pages: Arc<Pages>,
    settings: Settings,
    mut closing: watch::Receiver<bool>,
) {
    // A failure costs milliseconds at worst.
    let _ = stream.set_nodelay(true);
    let stream = TokioIo::new(Patience::new(stream, settings.answer_timeout));
    let service = service_fn(move |request| {
        let pages = pages.clone();
        async move { Ok::<_, std::convert::Infallible>(pages.answer(&request).await) }
    });
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(settings.head_timeout)
        .max_buf_size(MAX_HEAD)
        .serve_connection(stream, service);
    let mut serving = std::pin::pin!(serving);
    let done = tokio::select! {
        _ = &mut serving => true,
        _ = closing.wait_for(|closing| *closing) => false,
    };
    if !done {
        serving.as_mut().graceful_shutdown();
        let _ = serving.await;
    }
}

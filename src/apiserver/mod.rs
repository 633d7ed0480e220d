//! A simulated cluster as an API server on loopback: to be listed and watched, with nothing to be written.
//!
//! In: a [`Store`], requests over HTTP. Out: discovery, lists in pages, watches, streaming lists, as Kubernetes documents
//! them under "API concepts". Must never know: who asks, metrics, the engine.
//!
//! What differs from an API server: later pages of a list show the state of their own moment, not of the first page's;
//! a watch from the list's resourceVersion makes that good. There are no rights, no label selectors, and the only field
//! selectors are those of name and namespace.

mod store;
mod refusal;
mod request;
mod discovery;
mod answer;
mod watching;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::sleep;

pub use store::Store;

/// A server that listens and does not answer yet.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
}

/// The address cannot be served at.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// Everybody could ask.
    #[error("{0} is no loopback address: the simulated API server asks nobody who they are")]
    NotLoopback(SocketAddr),
    /// The system refuses.
    #[error("cannot listen on {address}: {cause}")]
    Refused {
        /// As it was asked for.
        address: SocketAddr,
        /// What the system says.
        #[source]
        cause: std::io::Error,
    },
}

// === impl Server ===

impl Server {
    /// Listens; connections wait until [`serve`](Self::serve).
    ///
    /// # Errors
    /// Where the address is not of this machine alone, or is taken.
    pub async fn bind(address: SocketAddr) -> Result<Self, BindError> {
        if !address.ip().is_loopback() {
            return Err(BindError::NotLoopback(address));
        }
        let refused = |cause| BindError::Refused { address, cause };
        let listener = TcpListener::bind(address).await.map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        Ok(Server { listener, address })
    }

    /// The address, with the port that was picked.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A kubeconfig whose current context is this server.
    pub fn kubeconfig(&self) -> String {
        let server = format!("http://{}", self.address);
        format!(
            "{KUBECONFIG_HEAD}\napiVersion: v1\nkind: Config\ncurrent-context: simulated\n\
             clusters:\n- name: simulated\n  cluster: {{server: \"{server}\"}}\n\
             contexts:\n- name: simulated\n  context: {{cluster: simulated, user: anyone, namespace: shop}}\n\
             users:\n- name: anyone\n  user: {{}}\n"
        )
    }

    /// Answers until it is dropped, and every watch with it.
    pub async fn serve(self, store: Arc<Store>) {
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                accepted = self.listener.accept(), if connections.len() < MOST_CONNECTIONS => match accepted {
                    Ok((stream, _)) => drop(connections.spawn(connection(stream, Arc::clone(&store)))),
                    // The client went away while it waited, or the system is short of descriptors.
                    Err(_) => sleep(ACCEPT_PAUSE).await,
                },
                Some(_) = connections.join_next() => {}
            }
        }
    }
}

/// Connections at once, each of which may be a watch. Further ones wait in the kernel's queue.
const MOST_CONNECTIONS: usize = 1_000;

/// How long to wait after a connection could not be taken.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The first line of every kubeconfig that is written here, by which it is known again.
pub const KUBECONFIG_HEAD: &str = "# A simulated cluster; written by celemetry demo.";

/// Serves one connection until it closes; what goes wrong concerns this client alone.
async fn connection(stream: TcpStream, store: Arc<Store>) {
    // A failure costs milliseconds at worst.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| {
        let store = Arc::clone(&store);
        async move { Ok::<_, Infallible>(answer::answer(&store, &request)) }
    });
    let serving =
        http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service);
    let _ = serving.await;
}

#[cfg(test)]
mod tests;

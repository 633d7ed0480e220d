//! A wire between a client and a server that a test can cut, darken and restore. What passes is not looked at.
//!
//! In: connections. Out: the same bytes, or nothing, or a reset.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::AbortHandle;

use super::{port, runtime};

/// A TCP proxy on loopback, in front of one server.
pub(crate) struct Proxy {
    address: SocketAddr,
    wire: Arc<Wire>,
    acceptor: Mutex<Option<AbortHandle>>,
}

struct Wire {
    server: SocketAddr,
    /// What happens to new connections.
    dark: watch::Sender<bool>,
    /// What happens to those that are open: each looks for a newer order than the one that it began under.
    order: watch::Sender<Order>,
    open: watch::Sender<usize>,
}

/// Given to all connections that are open at that moment.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Order {
    Pass,
    /// Keep the connection and deliver nothing more on it, for good.
    Darken,
    /// End it by a reset.
    Cut,
}

// === impl Proxy ===

impl Proxy {
    /// Passes everything to `server`.
    pub(crate) fn before(server: SocketAddr) -> Self {
        let wire = Wire {
            server,
            dark: watch::Sender::new(false),
            order: watch::Sender::new(Order::Pass),
            open: watch::Sender::new(0),
        };
        let proxy = Self { address: port::free(), wire: Arc::new(wire), acceptor: Mutex::new(None) };
        proxy.pass();
        proxy
    }

    /// Where clients connect to.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// New connections pass. What is dark stays dark.
    pub(crate) fn pass(&self) {
        self.wire.dark.send_replace(false);
        let mut acceptor = self.acceptor.lock().unwrap_or_else(PoisonError::into_inner);
        if acceptor.as_ref().is_none_or(AbortHandle::is_finished) {
            let listener = runtime().block_on(async { listen(self.address) });
            *acceptor = Some(runtime().spawn(accept(listener, self.wire.clone())).abort_handle());
        }
    }

    /// Resets all connections. New ones pass, or not, as before.
    pub(crate) fn cut(&self) {
        self.wire.order.send_replace(Order::Cut);
    }

    /// Delivers nothing more on the connections that are open, and does not close them: a peer that is gone without a
    /// word. New ones pass, or not, as before.
    pub(crate) fn darken(&self) {
        self.wire.order.send_replace(Order::Darken);
    }

    /// Delivers nothing more, on the connections that are open and on new ones, which are accepted.
    pub(crate) fn black_hole(&self) {
        self.wire.dark.send_replace(true);
        self.darken();
    }

    /// Resets all connections and refuses new ones.
    pub(crate) fn refuse(&self) {
        if let Some(acceptor) = self.acceptor.lock().unwrap_or_else(PoisonError::into_inner).take() {
            acceptor.abort();
            super::until("the port to be closed", || {
                std::net::TcpStream::connect(self.address).map_or(Ok(()), |_| Err("still open".to_owned()))
            });
        }
        self.cut();
    }

    /// Connections that are open, dark ones included.
    pub(crate) fn open(&self) -> usize {
        *self.wire.open.borrow()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        if let Some(acceptor) = self.acceptor.lock().unwrap_or_else(PoisonError::into_inner).take() {
            acceptor.abort();
        }
        self.cut();
    }
}

/// Listens on a port that was ours before: connections of then may still be closing.
pub(super) fn listen(address: SocketAddr) -> TcpListener {
    let listener = super::until("the port", || {
        std::net::TcpListener::bind(address).map_err(|error| format!("{address}: {error}"))
    });
    listener.set_nonblocking(true).unwrap();
    TcpListener::from_std(listener).unwrap()
}

async fn accept(listener: TcpListener, wire: Arc<Wire>) {
    while let Ok((client, _)) = listener.accept().await {
        // Connections outlive the listener: `refuse` cuts them itself. From here on no order is missed.
        let orders = wire.order.subscribe();
        wire.open.send_modify(|open| *open += 1);
        tokio::spawn(connection(client, wire.clone(), orders));
    }
}

async fn connection(mut client: TcpStream, wire: Arc<Wire>, mut orders: watch::Receiver<Order>) {
    let dark = *wire.dark.borrow();
    let reset = if dark {
        wait_for_cut(&mut orders).await;
        true
    } else {
        match TcpStream::connect(wire.server).await {
            Ok(server) => carry(&mut client, server, &mut orders).await,
            Err(_) => true,
        }
    };
    if reset {
        // An error means that it is gone already.
        let _ = client.set_zero_linger();
    }
    drop(client);
    wire.open.send_modify(|open| *open -= 1);
}

/// Carries bytes until both have closed, or an order ends it: then the connection is to be reset.
async fn carry(client: &mut TcpStream, mut server: TcpStream, orders: &mut watch::Receiver<Order>) -> bool {
    let order = tokio::select! {
        _ = copy_bidirectional(client, &mut server) => return false,
        order = newer(orders) => order,
    };
    if order == Order::Darken {
        wait_for_cut(orders).await;
    }
    let _ = server.set_zero_linger();
    true
}

/// The next order to connections that are open by now.
async fn newer(orders: &mut watch::Receiver<Order>) -> Order {
    // The sender is in the wire that the connection holds: it cannot be gone.
    let _ = orders.changed().await;
    *orders.borrow_and_update()
}

async fn wait_for_cut(orders: &mut watch::Receiver<Order>) {
    while newer(orders).await != Order::Cut {}
}

//! A client of one sink, which keeps its connection between requests.
//!
//! In: requests, one at a time. Out: what became of each. Must never know: points, when a request is repeated.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use hyper::body::{Body, Bytes};
use hyper::header::HeaderValue;
use rustls::ClientConfig;
use tokio::time::timeout;

use super::endpoint::Protocol;
use super::exchange::Connection;
use super::{AddressPolicy, Credential, Failure, Outcome, SinkTarget, grpc, http, tls};

/// Sends requests to one sink.
pub struct Client {
    target: SinkTarget,
    policy: AddressPolicy,
    tls: Option<Arc<ClientConfig>>,
    connection: Option<Connection>,
}

/// How long a request may take, from the look-up of the name to the last byte of the answer: the default of
/// OpenTelemetry's exporters, and so of metrics-operator.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// Who we say we are.
pub(super) const NAME: &str = concat!("celemetry/", env!("CARGO_PKG_VERSION"));

// === impl Client ===

impl Client {
    /// A client that has not connected yet.
    pub fn new(target: SinkTarget, policy: AddressPolicy) -> Self {
        let tls = target.endpoint.encrypted.then(|| tls::config(&target));
        Client { target, policy, tls, connection: None }
    }

    /// Sends an encoded export request and waits for its answer, up to [`REQUEST_TIMEOUT`]. Where the future is dropped
    /// the connection is closed, and the sink may or may not have taken the request.
    pub async fn send(&mut self, message: Bytes) -> Outcome {
        match timeout(REQUEST_TIMEOUT, self.attempt(message)).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(failure)) => Outcome::retry(failure),
            Err(_) => Outcome::retry(Failure::Timeout),
        }
    }

    async fn attempt(&mut self, message: Bytes) -> Result<Outcome, Failure> {
        if let Some(connection) = self.connection.take().filter(|connection| !connection.is_closed()) {
            match self.exchange(connection, message.clone()).await {
                // A sink may close an idle connection at the moment at which it is used again. Should it have taken the
                // request, it gets the same points twice, which changes nothing.
                Err(Failure::Closed) => {}
                done => return done,
            }
        }
        let connection = Connection::open(&self.target.endpoint, self.policy, self.tls.as_ref()).await?;
        self.exchange(connection, message).await
    }

    /// The connection is kept if the answer was read to its end.
    async fn exchange(&mut self, mut connection: Connection, message: Bytes) -> Result<Outcome, Failure> {
        let outcome = match self.target.endpoint.protocol {
            Protocol::Http => {
                let (head, body) = connection.send(http::request(&self.target, message)).await?.into_parts();
                if !head.status.is_success() {
                    // Its body is for people, and may never end.
                    if body.is_end_stream() {
                        self.connection = Some(connection);
                    }
                    return Ok(http::failed(head.status, &head.headers, SystemTime::now()));
                }
                let body = connection.read(body).await?;
                (http::succeeded(&body), body.is_cut)
            }
            Protocol::Grpc => {
                let (head, body) = connection.send(grpc::request(&self.target, message)).await?.into_parts();
                let body = connection.read(body).await?;
                (grpc::outcome(head.status, &head.headers, &body), body.is_cut)
            }
        };
        let (outcome, is_cut) = outcome;
        if !is_cut {
            self.connection = Some(connection);
        }
        Ok(outcome)
    }
}

/// The value of the header by which sinks know us. Marked as sensitive, so that no table of HTTP/2 keeps it.
pub(super) fn authorization(key: &Credential) -> HeaderValue {
    let text = zeroize::Zeroizing::new(format!("Api-Token {}", key.reveal()));
    let mut value = HeaderValue::from_str(&text).expect("a credential is visible ASCII");
    value.set_sensitive(true);
    value
}

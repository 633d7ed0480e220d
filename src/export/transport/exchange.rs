//! One connection to a sink: a request in, an answer out.
//!
//! In: an endpoint and requests. Out: answers, their bodies up to a limit. Must never know: what either means.

use std::sync::Arc;

use http_body_util::{BodyExt, Full};
use hyper::body::{Buf, Bytes, Incoming};
use hyper::client::conn::{http1, http2};
use hyper::{HeaderMap, Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use prost::bytes::buf::Chain;
use rustls::ClientConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::AbortHandle;
use tokio_rustls::TlsConnector;

use super::connect::connect;
use super::endpoint::{Endpoint, Protocol};
use super::stream::{Noted, NotingStream};
use super::{AddressPolicy, Failure, tls};

/// What is sent: a head that the protocol adds, and the message.
pub(super) type Payload = Full<Chain<Bytes, Bytes>>;

/// The most that is read of an answer's body, as OTLP's reference clients do: answers have a few hundred bytes.
const BODY_LIMIT: usize = 4 * 1024 * 1024;

/// The most that an answer's headers may have.
const HEAD_LIMIT: u32 = 64 * 1024;

/// An open connection. Closed when it goes.
pub(super) struct Connection {
    sender: Sender,
    driver: AbortHandle,
    /// How TLS failed on it, if it did.
    noted: Noted,
}

enum Sender {
    Http1(http1::SendRequest<Payload>),
    Http2(http2::SendRequest<Payload>),
}

/// The body of an answer, as far as it was read.
#[derive(Debug, Default)]
pub(super) struct Body {
    pub(super) bytes: Vec<u8>,
    pub(super) trailers: HeaderMap,
    /// Whether it was cut at the limit.
    pub(super) is_cut: bool,
}

/// What stands before a message and the message, as one body.
pub(super) fn payload(head: Bytes, message: Bytes) -> Payload {
    Full::new(head.chain(message))
}

// === impl Connection ===

impl Connection {
    pub(super) async fn open(
        endpoint: &Endpoint,
        policy: AddressPolicy,
        tls: Option<&Arc<ClientConfig>>,
    ) -> Result<Self, Failure> {
        let stream = connect(endpoint, policy).await?;
        let noted = Noted::default();
        let Some(config) = tls else { return Self::over(stream, endpoint.protocol, noted).await };
        let connecting = TlsConnector::from(Arc::clone(config)).connect(endpoint.server_name(), stream);
        let stream = connecting.await.map_err(|error| tls::failure_in(&error).unwrap_or(Failure::Closed))?;
        let stream = NotingStream { stream, noted: Arc::clone(&noted) };
        Self::over(stream, endpoint.protocol, noted).await
    }

    async fn over<S>(stream: S, protocol: Protocol, noted: Noted) -> Result<Self, Failure>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let io = TokioIo::new(stream);
        let (sender, driver) = match protocol {
            Protocol::Http => {
                let opened = http1::handshake(io).await;
                let (sender, driver) = opened.map_err(|error| failure_of(&error, &noted))?;
                // How it ends shows at the sender.
                (Sender::Http1(sender), tokio::spawn(async move { drop(driver.await) }))
            }
            Protocol::Grpc => {
                let opened = http2::Builder::new(TokioExecutor::new())
                    .timer(TokioTimer::new())
                    .max_header_list_size(HEAD_LIMIT)
                    .handshake(io)
                    .await;
                let (sender, driver) = opened.map_err(|error| failure_of(&error, &noted))?;
                (Sender::Http2(sender), tokio::spawn(async move { drop(driver.await) }))
            }
        };
        Ok(Connection { sender, driver: driver.abort_handle(), noted })
    }

    /// Whether it is known to be of no use any more.
    pub(super) fn is_closed(&self) -> bool {
        match &self.sender {
            Sender::Http1(sender) => sender.is_closed(),
            Sender::Http2(sender) => sender.is_closed(),
        }
    }

    /// Sends a request and waits for the head of its answer.
    pub(super) async fn send(&mut self, request: Request<Payload>) -> Result<Response<Incoming>, Failure> {
        let answered = match &mut self.sender {
            Sender::Http1(sender) => match sender.ready().await {
                Ok(()) => sender.send_request(request).await,
                Err(error) => Err(error),
            },
            Sender::Http2(sender) => match sender.ready().await {
                Ok(()) => sender.send_request(request).await,
                Err(error) => Err(error),
            },
        };
        answered.map_err(|error| failure_of(&error, &self.noted))
    }

    /// Reads the body of an answer to its end or to the limit.
    pub(super) async fn read(&self, mut incoming: Incoming) -> Result<Body, Failure> {
        let mut body = Body::default();
        while let Some(frame) = incoming.frame().await {
            let frame = frame.map_err(|error| failure_of(&error, &self.noted))?;
            match frame.into_data() {
                Ok(data) if body.bytes.len() + data.len() > BODY_LIMIT => {
                    body.is_cut = true;
                    return Ok(body);
                }
                Ok(data) => body.bytes.extend_from_slice(&data),
                Err(frame) => body.trailers = frame.into_trailers().unwrap_or_default(),
            }
        }
        Ok(body)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

fn failure_of(error: &hyper::Error, noted: &Noted) -> Failure {
    let otherwise = || if error.is_parse() { Failure::Protocol } else { Failure::Closed };
    noted.get().copied().unwrap_or_else(otherwise)
}

//! The HTTP client below kube's.
//!
//! In: kube's configuration. Out: a client whose connections are bounded in silence, not in time. Must never know: what
//! is asked.
//!
//! kube's own stack repeats what fails up to fifteen times unseen, logs whole answers, and its sockets never notice a
//! peer that is gone. So the layers are put together here, from kube's parts.

use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::{HeaderValue, Request, Response, Uri};
use hyper::body::Incoming;
use hyper::rt::{Read, Write};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::legacy::connect::{Connection, HttpConnector};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use kube::client::{Body, ClientBuilder, ConfigExt};
use kube::{Client, Config};
use tower_service::Service;

use super::fault::{self, ConnectError};
use super::token::{Authorized, TokenFile};

/// How long it may take until a connection stands, TLS included. An API server that is there needs milliseconds.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a connection may be silent before the peer is asked for a sign of life.
const KEEPALIVE_AFTER: Duration = Duration::from_secs(30);

/// How long it is waited for each sign of life, of three.
const KEEPALIVE_EVERY: Duration = Duration::from_secs(10);

/// How long what was sent may stay unacknowledged: as long as a silent peer has.
const UNACKNOWLEDGED: Duration = Duration::from_secs(60);

type AnyError = Box<dyn std::error::Error + Send + Sync>;

/// A boxed future.
type Boxed<T, E> = Pin<Box<dyn Future<Output = Result<T, E>> + Send>>;

/// A connector that gives up in time.
#[derive(Clone, Debug)]
struct InTime<C>(C);

/// The HTTP client as a service whose errors have no type.
#[derive(Clone, Debug)]
struct Http<C>(legacy::Client<C, Body>);

/// Puts a client together; runs a kubeconfig's credential plugin.
///
/// # Errors
/// Where certificates, credentials or the proxy cannot be used.
pub(super) fn client(mut config: Config) -> Result<Client, ConnectError> {
    // Another part of the process may have said the same before.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let agent = HeaderValue::from_static(concat!("celemetry/", env!("CARGO_PKG_VERSION")));
    config.headers.push((http::header::USER_AGENT, agent));
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_keepalive(Some(KEEPALIVE_AFTER));
    tcp.set_keepalive_interval(Some(KEEPALIVE_EVERY));
    tcp.set_keepalive_retries(Some(3));
    tcp.set_tcp_user_timeout(Some(UNACKNOWLEDGED));
    match config.proxy_url.clone() {
        None => over(tcp, config),
        Some(proxy) if proxy.scheme_str() == Some("http") => over(tunnel(proxy, tcp), config),
        Some(proxy) => Err(ConnectError::Proxy(without_user(&proxy))),
    }
}

/// Leads through a proxy, with the user and password of its URL.
fn tunnel(proxy: Uri, tcp: HttpConnector) -> Tunnel<HttpConnector> {
    use hyper_util::client::proxy::matcher::Matcher;
    // The matcher knows how a URL's user becomes a header.
    let matched = Matcher::builder().all(proxy.to_string()).build();
    let user = matched.intercept(&Uri::from_static("https://any")).and_then(|i| i.basic_auth().cloned());
    let tunnel = Tunnel::new(proxy, tcp);
    match user {
        Some(user) => tunnel.with_auth(user),
        None => tunnel,
    }
}

/// A proxy's URL without what may be a password.
fn without_user(proxy: &Uri) -> String {
    let host = proxy.authority().map(|authority| authority.as_str().rsplit('@').next().unwrap_or_default());
    format!("{}://{}", proxy.scheme_str().unwrap_or_default(), host.unwrap_or_default())
}

fn over<C>(connector: C, mut config: Config) -> Result<Client, ConnectError>
where
    C: Service<Uri> + Clone + Send + Sync + 'static,
    C::Response: Connection + Read + Write + Send + Unpin + 'static,
    C::Future: Send + 'static,
    C::Error: Into<AnyError> + Send + Sync + std::error::Error + 'static,
{
    let file = take_token_file(&mut config);
    let refused = |error: kube::Error| fault::credentials(&error);
    let auth = config.auth_layer().map_err(refused)?;
    let headers = config.extra_headers_layer().map_err(refused)?;
    let tls = config.rustls_https_connector_with_connector(connector).map_err(refused)?;
    let http = legacy::Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        // A connection that has died in silence costs the request that is sent over it: few are kept, and not for long.
        .pool_max_idle_per_host(2)
        .pool_idle_timeout(Duration::from_secs(15))
        .build(InTime(tls));
    let (http, base, namespace) = (Http(http), config.base_uri_layer(), config.default_namespace.clone());
    Ok(match (file, auth) {
        (Some(file), _) => {
            let token = TokenFile::open(&file).map_err(ConnectError::Credentials)?;
            let http = Authorized::new(http, token);
            ClientBuilder::new(http, namespace).with_layer(&headers).with_layer(&base).build()
        }
        (None, Some(auth)) => {
            let http = ClientBuilder::new(http, namespace).with_layer(&auth);
            http.with_layer(&headers).with_layer(&base).build()
        }
        (None, None) => ClientBuilder::new(http, namespace).with_layer(&headers).with_layer(&base).build(),
    })
}

/// The token file, if it is what kube would use: whatever else identifies the user goes first.
fn take_token_file(config: &mut Config) -> Option<PathBuf> {
    let auth = &mut config.auth_info;
    let is_basic = auth.username.is_some() && auth.password.is_some();
    if auth.auth_provider.is_some() || is_basic || auth.token.is_some() {
        return None;
    }
    let file = auth.token_file.take()?;
    auth.exec = None;
    Some(file.into())
}

// === impl InTime, Http ===

impl<C> Service<Uri> for InTime<C>
where
    C: Service<Uri>,
    C::Future: Send + 'static,
    C::Response: 'static,
    C::Error: Into<AnyError>,
{
    type Response = C::Response;
    type Error = AnyError;
    type Future = Boxed<C::Response, AnyError>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), AnyError>> {
        self.0.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, server: Uri) -> Self::Future {
        let connecting = self.0.call(server);
        Box::pin(async move {
            match tokio::time::timeout(CONNECT_TIMEOUT, connecting).await {
                Ok(connected) => connected.map_err(Into::into),
                Err(_) => Err(std::io::Error::from(std::io::ErrorKind::TimedOut).into()),
            }
        })
    }
}

impl<C> Service<Request<Body>> for Http<C>
where
    C: legacy::connect::Connect + Clone + Send + Sync + 'static,
{
    type Response = Response<Incoming>;
    type Error = AnyError;
    type Future = Boxed<Response<Incoming>, AnyError>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), AnyError>> {
        // The pool opens another connection where all are in use.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let answering = self.0.request(request);
        Box::pin(async move { answering.await.map_err(Into::into) })
    }
}

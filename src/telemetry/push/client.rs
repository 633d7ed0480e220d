//! HTTP for the SDK of OpenTelemetry, whose threads know no tokio.
//!
//! In: whole requests. Out: whole answers, in time and of bounded size. Must never know: what is sent.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio::runtime::Handle;

use super::PushError;

/// Sends requests on a tokio runtime, whatever thread asks for it.
#[derive(Clone, Debug)]
pub(super) struct Client {
    http: legacy::Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    runtime: Handle,
    timeout: Duration,
}

/// The largest answer that is read: OTLP's answers are a few bytes.
const LARGEST_ANSWER: usize = 4 << 20;

// === impl Client ===

impl Client {
    /// A client that trusts the authorities in `certificate`, as PEM, or those of the system.
    ///
    /// # Errors
    /// Where there are none.
    pub(super) fn new(
        runtime: Handle,
        timeout: Duration,
        certificate: Option<&[u8]>,
    ) -> Result<Self, PushError> {
        let problem =
            |problem: String| PushError::Variable { variable: "OTEL_EXPORTER_OTLP_CERTIFICATE", problem };
        let builder = HttpsConnectorBuilder::new();
        let builder = match certificate {
            None => builder.with_native_roots().map_err(|error| PushError::Refused(error.to_string()))?,
            Some(pem) => {
                let mut roots = RootCertStore::empty();
                for certificate in CertificateDer::pem_slice_iter(pem) {
                    let certificate = certificate.map_err(|error| problem(error.to_string()))?;
                    roots.add(certificate).map_err(|error| problem(error.to_string()))?;
                }
                if roots.is_empty() {
                    return Err(problem("holds no certificate".to_owned()));
                }
                let provider = Arc::new(rustls::crypto::ring::default_provider());
                let config = ClientConfig::builder_with_provider(provider)
                    .with_safe_default_protocol_versions()
                    .map_err(|error| PushError::Refused(error.to_string()))?;
                builder.with_tls_config(config.with_root_certificates(roots).with_no_client_auth())
            }
        };
        let connector = builder.https_or_http().enable_http1().build();
        let http =
            legacy::Client::builder(TokioExecutor::new()).pool_timer(TokioTimer::new()).build(connector);
        Ok(Client { http, runtime, timeout })
    }

    async fn send(self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let (head, body) = request.into_parts();
        let exchange = async {
            let answer = self.http.request(Request::from_parts(head, Full::new(body))).await?;
            let (head, body) = answer.into_parts();
            let body = Limited::new(body, LARGEST_ANSWER).collect().await?.to_bytes();
            Ok(Response::from_parts(head, body))
        };
        tokio::time::timeout(self.timeout, exchange).await?
    }
}

impl HttpClient for Client {
    fn send_bytes<'c, 'f>(
        &'c self,
        request: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 'f>>
    where
        'c: 'f,
        Self: 'f,
    {
        let sending = self.runtime.spawn(self.clone().send(request));
        // A task that panicked, or a runtime that has ended, is an error like any other.
        Box::pin(async move { sending.await? })
    }
}

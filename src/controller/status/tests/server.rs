//! An API server that answers as it is told, behind a real client.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use kube::client::Body;
use tokio::sync::mpsc;
use tokio::time::Instant;

/// What was asked, and when.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) at: Instant,
    pub(super) method: http::Method,
    pub(super) uri: String,
    pub(super) content_type: String,
    pub(super) body: serde_json::Value,
}

/// How the server answers: a status, after a time.
pub(super) type Answer = (u16, Duration);

/// The answers of the server; called with what is asked.
type Script = Box<dyn FnMut(&Asked) -> Answer + Send>;

/// The server's side of a client.
pub(super) struct Server {
    asked: mpsc::UnboundedReceiver<Asked>,
    script: Arc<Mutex<Script>>,
}

#[derive(Clone)]
struct Connection {
    asked: mpsc::UnboundedSender<Asked>,
    script: Arc<Mutex<Script>>,
}

pub(super) const AT_ONCE: Duration = Duration::ZERO;

/// A client, and the server that it talks to, which takes everything at once until told otherwise.
pub(super) fn client() -> (kube::Client, Server) {
    let (sender, asked) = mpsc::unbounded_channel();
    let script: Arc<Mutex<Script>> = Arc::new(Mutex::new(Box::new(|_| (200, AT_ONCE))));
    let connection = Connection { asked: sender, script: Arc::clone(&script) };
    (kube::Client::new(connection, "default"), Server { asked, script })
}

// === impl Server ===

impl Server {
    /// From now on it answers like this.
    pub(super) fn answer(&self, script: impl FnMut(&Asked) -> Answer + Send + 'static) {
        *self.script.lock().unwrap() = Box::new(script);
    }

    /// The next request, for which the test waits no longer than ten minutes of its own clock.
    pub(super) async fn asked(&mut self) -> Asked {
        let asked = tokio::time::timeout(Duration::from_secs(600), self.asked.recv());
        asked.await.expect("something is asked in time").expect("the client is there")
    }

    /// What is asked from now on for this long.
    pub(super) async fn asked_for(&mut self, time: Duration) -> Vec<Asked> {
        let end = Instant::now() + time;
        let mut all = vec![];
        while let Ok(Some(asked)) = tokio::time::timeout_at(end, self.asked.recv()).await {
            all.push(asked);
        }
        all
    }
}

// === impl Connection ===

impl tower_service::Service<http::Request<Body>> for Connection {
    type Response = http::Response<Full<hyper::body::Bytes>>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let connection = self.clone();
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let body = body.collect().await.expect("the body is there").to_bytes();
            let asked = Asked {
                at: Instant::now(),
                method: parts.method,
                uri: parts.uri.to_string(),
                content_type: String::from_utf8_lossy(parts.headers["content-type"].as_bytes()).into_owned(),
                body: serde_json::from_slice(&body).expect("the body is JSON"),
            };
            let (status, pause) = (connection.script.lock().unwrap())(&asked);
            // The test may be over.
            let _ = connection.asked.send(asked);
            tokio::time::sleep(pause).await;
            let body = if status < 300 { "{}" } else { "no" };
            let response = http::Response::builder().status(status).body(Full::from(body));
            Ok(response.expect("the status is one"))
        })
    }
}

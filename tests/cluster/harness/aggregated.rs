//! A kind that no definition declares: served by a server of its own, by way of the API server's aggregation layer.
//!
//! In: objects, laid down by a test. Out: discovery, lists, watches. The API server authorizes, and passes requests on.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::stream;
use http::Response;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio_rustls::TlsAcceptor;

use super::client::{merge, plural};
use super::plane::Plane;
use super::proxy::listen;
use super::{port, runtime, until};

/// A namespaced kind in version `v1` of a group of its own. Its server stops when this goes.
pub(crate) struct Aggregated {
    pub(crate) group: String,
    pub(crate) kind: String,
    state: Arc<State>,
    acceptor: AbortHandle,
}

struct State {
    group: String,
    kind: String,
    /// Whether it can be watched; otherwise discovery says so too.
    watchable: bool,
    history: Mutex<Vec<Event>>,
    /// How many events there are.
    length: watch::Sender<usize>,
}

/// Something that happened. Its resource version is its place in the history, from 1.
#[derive(Clone)]
struct Event {
    kind: &'static str,
    object: Value,
}

type Body = UnsyncBoxBody<Bytes, String>;

// === impl Aggregated ===

impl Aggregated {
    /// Serves a kind that can be listed and watched.
    #[track_caller]
    pub(crate) fn install(plane: &Plane, kind: &str) -> Self {
        Self::install_with(plane, kind, true)
    }

    /// Serves a kind that can be listed only, as that of metrics-server.
    #[track_caller]
    pub(crate) fn install_unwatchable(plane: &Plane, kind: &str) -> Self {
        Self::install_with(plane, kind, false)
    }

    fn install_with(plane: &Plane, kind: &str, watchable: bool) -> Self {
        let namespace = plane.namespace("aggregated");
        let group = format!("{namespace}.example.org");
        let state = Arc::new(State {
            group: group.clone(),
            kind: kind.to_owned(),
            watchable,
            history: Mutex::new(vec![]),
            length: watch::Sender::new(0),
        });
        let authority = plane.authority();
        let tls = authority.identity(&[&format!("server.{namespace}.svc")]).server();
        let address = port::free();
        let listener = runtime().block_on(async { listen(address) });
        let acceptor = accept(listener, TlsAcceptor::from(Arc::new(tls)), state.clone());
        let acceptor = runtime().spawn(acceptor).abort_handle();
        declare(plane, &namespace, &group, address);
        Self { group, kind: kind.to_owned(), state, acceptor }
    }

    /// `group/version`.
    pub(crate) fn api_version(&self) -> String {
        format!("{}/v1", self.group)
    }

    /// Creates or replaces an object. Returns it as it is served.
    pub(crate) fn put(&self, namespace: &str, name: &str, spec: &Value) -> Value {
        let object = json!({"metadata": {"namespace": namespace, "name": name, "uid": format!("uid-{name}")}, "spec": spec});
        let exists = self.state.objects().contains_key(&(namespace.to_owned(), name.to_owned()));
        self.state.tell(if exists { "MODIFIED" } else { "ADDED" }, object)
    }

    /// Deletes an object.
    pub(crate) fn delete(&self, namespace: &str, name: &str) {
        let object = self.state.objects().remove(&(namespace.to_owned(), name.to_owned()));
        self.state.tell("DELETED", object.expect("only what is there can be deleted"));
    }

    /// The server is gone; its APIService stays, and answers 503.
    pub(crate) fn stop(&self) {
        self.acceptor.abort();
    }
}

impl Drop for Aggregated {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Tells the API server where the group is served, and waits until it serves it.
#[track_caller]
fn declare(plane: &Plane, namespace: &str, group: &str, address: SocketAddr) {
    use base64::Engine;
    let client = plane.client();
    let port = address.port();
    // The only kind of service that leads to loopback.
    client.create(&json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"namespace": namespace, "name": "server"},
        "spec": {"type": "ExternalName", "externalName": "localhost", "ports": [{"port": port}]},
    }));
    let authority = base64::prelude::BASE64_STANDARD.encode(plane.authority().pem());
    let service = json!({
        "apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService", "metadata": {"name": format!("v1.{group}")},
        "spec": {
            "group": group, "version": "v1", "groupPriorityMinimum": 100, "versionPriority": 100, "caBundle": authority,
            "service": {"namespace": namespace, "name": "server", "port": port},
        },
    });
    client.create(&service);
    client.wait_condition(&service, "Available", "True");
    let path = format!("/apis/{group}/v1");
    until("the group to be served", || {
        let response = client.send(&http::Method::GET, &path, "application/json", String::new())?;
        if response.status == 200 { Ok(()) } else { Err(format!("{}\n{}", response.status, response.body)) }
    });
}

// === impl State ===

impl State {
    fn history(&self) -> MutexGuard<'_, Vec<Event>> {
        self.history.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is there now, by namespace and name.
    fn objects(&self) -> BTreeMap<(String, String), Value> {
        let mut objects = BTreeMap::new();
        for event in self.history().iter() {
            let text = |field: &str| event.object["metadata"][field].as_str().unwrap_or_default().to_owned();
            let key = (text("namespace"), text("name"));
            match event.kind {
                "DELETED" => objects.remove(&key),
                _ => objects.insert(key, event.object.clone()),
            };
        }
        objects
    }

    fn tell(&self, kind: &'static str, object: Value) -> Value {
        let mut history = self.history();
        let version = (history.len() + 1).to_string();
        let head = json!({"apiVersion": format!("{}/v1", self.group), "kind": self.kind});
        let object = merge(merge(object, head), json!({"metadata": {"resourceVersion": version}}));
        history.push(Event { kind, object: object.clone() });
        self.length.send_replace(history.len());
        object
    }

    fn discovery(&self) -> Value {
        let verbs: &[&str] = if self.watchable { &["get", "list", "watch"] } else { &["get", "list"] };
        json!({
            "kind": "APIResourceList", "apiVersion": "v1", "groupVersion": format!("{}/v1", self.group),
            "resources": [{
                "name": plural(&self.kind), "singularName": self.kind.to_lowercase(), "namespaced": true,
                "kind": self.kind, "verbs": verbs,
            }],
        })
    }

    fn list(&self, namespace: Option<&str>) -> Value {
        let version = self.history().len().to_string();
        let within = |key: &(String, String)| namespace.is_none_or(|namespace| namespace == key.0);
        let items: Vec<Value> =
            self.objects().into_iter().filter(|(key, _)| within(key)).map(|(_, object)| object).collect();
        json!({
            "apiVersion": format!("{}/v1", self.group), "kind": format!("{}List", self.kind),
            "metadata": {"resourceVersion": version}, "items": items,
        })
    }

    /// Every event after `version`, as they come.
    fn watch(self: &Arc<Self>, namespace: Option<String>, version: usize) -> Body {
        let state = (self.clone(), self.length.subscribe(), version);
        let lines = stream::unfold(state, move |(state, mut length, seen)| {
            let namespace = namespace.clone();
            async move {
                length.wait_for(|length| *length > seen).await.ok()?;
                let event = state.history()[seen].clone();
                let elsewhere =
                    namespace.is_some_and(|within| event.object["metadata"]["namespace"] != json!(within));
                let line = format!("{}\n", json!({"type": event.kind, "object": event.object}));
                let line = if elsewhere { Bytes::new() } else { Bytes::from(line) };
                Some((Ok::<_, String>(Frame::data(line)), (state, length, seen + 1)))
            }
        });
        StreamBody::new(lines).boxed_unsync()
    }

    fn answer(self: &Arc<Self>, request: &http::Request<Incoming>) -> Response<Body> {
        let query: BTreeMap<&str, &str> = request
            .uri()
            .query()
            .unwrap_or_default()
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .collect();
        let plural = plural(&self.kind);
        let parts: Vec<&str> = request.uri().path().trim_matches('/').split('/').collect();
        let found = match parts.as_slice() {
            ["apis", group, "v1", rest @ ..] if *group == self.group => match rest {
                [] => Some((None, true)),
                [resource] if *resource == plural => Some((None, false)),
                ["namespaces", namespace, resource] if *resource == plural => Some((Some(*namespace), false)),
                _ => None,
            },
            _ => None,
        };
        let json = |status: u16, body: &Value| {
            let body =
                Full::new(Bytes::from(body.to_string())).map_err(|never| match never {}).boxed_unsync();
            Response::builder().status(status).header("content-type", "application/json").body(body).unwrap()
        };
        let watch = matches!(query.get("watch"), Some(&"true" | &"1"));
        match found {
            Some((_, true)) => json(200, &self.discovery()),
            Some((namespace, false)) if watch && self.watchable => {
                let version =
                    query.get("resourceVersion").and_then(|version| version.parse().ok()).unwrap_or(0);
                let body = self.watch(namespace.map(str::to_owned), version);
                Response::builder().header("content-type", "application/json").body(body).unwrap()
            }
            Some(_) if watch => {
                json(405, &json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 405}))
            }
            Some((namespace, false)) => json(200, &self.list(namespace)),
            None => {
                json(404, &json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 404}))
            }
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
                let answer = state.answer(&request);
                async move { Ok::<_, String>(answer) }
            });
            let server = auto::Builder::new(TokioExecutor::new());
            let _ = server.serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

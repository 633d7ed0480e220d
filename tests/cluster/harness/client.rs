//! A small client of the API server: any object as JSON, blocking, without caches or retries.
//!
//! In: objects, each of which also says where it is: its `apiVersion`, `kind`, `metadata.namespace` and `metadata.name`.
//! An object without a namespace is cluster-scoped. Out: what the server answers. It shares no code with what is tested.

use std::net::SocketAddr;
use std::time::Duration;

use http::{Method, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client as Pool;
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};

use super::page::Page;
use super::runtime;
use super::wait::until;

/// Sends requests as one user.
#[derive(Clone)]
pub(crate) struct Client {
    server: SocketAddr,
    token: String,
    pool: Connections,
}

/// HTTP/1.1 over TLS to whoever is asked.
pub(super) type Connections = Pool<HttpsConnector<HttpConnector>, Full<Bytes>>;

/// What the server answered.
#[derive(Clone, Debug)]
pub(crate) struct Response {
    pub(crate) status: StatusCode,
    pub(crate) body: String,
}

/// How the body of a PATCH is meant.
const MERGE: &str = "application/merge-patch+json";
const APPLY: &str = "application/apply-patch+yaml";
const JSON: &str = "application/json";

/// No answer takes longer, unless the server is stopped.
const DEADLINE: Duration = Duration::from_secs(30);

/// Connections that trust what `tls` says.
pub(super) fn connections(tls: rustls::ClientConfig) -> Connections {
    let connector =
        hyper_rustls::HttpsConnectorBuilder::new().with_tls_config(tls).https_only().enable_http1().build();
    Pool::builder(hyper_util::rt::TokioExecutor::new()).build(connector)
}

/// `base` with `patch` merged into it: maps key by key, everything else replaced.
pub(crate) fn merge(mut base: Value, patch: Value) -> Value {
    match (base.as_object_mut(), patch) {
        (Some(into), Value::Object(patch)) => {
            for (key, value) in patch {
                let old = into.remove(&key).unwrap_or(Value::Null);
                into.insert(key, merge(old, value));
            }
            base
        }
        (_, patch) => patch,
    }
}

/// The plural of a kind by the rule that core kinds follow, and test kinds too.
pub(crate) fn plural(kind: &str) -> String {
    let lower = kind.to_lowercase();
    match lower.as_str() {
        "endpoints" => lower,
        _ if lower.ends_with('s') => format!("{lower}es"),
        _ if lower.ends_with('y') => format!("{}ies", &lower[..lower.len() - 1]),
        _ => format!("{lower}s"),
    }
}

/// Where a collection is: `/api/v1/namespaces/shop/pods`. Without a namespace: cluster-scoped, or all namespaces.
pub(crate) fn collection(api_version: &str, kind: &str, namespace: Option<&str>) -> String {
    let root = if api_version.contains('/') { "/apis" } else { "/api" };
    let within = namespace.map(|name| format!("namespaces/{name}/")).unwrap_or_default();
    format!("{root}/{api_version}/{within}{}", plural(kind))
}

fn collection_of(object: &Value) -> String {
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str);
    let (version, kind) = (text("/apiVersion").expect("an apiVersion"), text("/kind").expect("a kind"));
    collection(version, kind, text("/metadata/namespace"))
}

/// The path of an object.
pub(crate) fn path(object: &Value) -> String {
    format!("{}/{}", collection_of(object), object["metadata"]["name"].as_str().expect("a name"))
}

// === impl Client ===

impl Client {
    pub(crate) fn new(server: SocketAddr, token: &str, tls: rustls::ClientConfig) -> Self {
        Self { server, token: token.to_owned(), pool: connections(tls) }
    }

    /// The same connections as another user.
    pub(crate) fn with_token(&self, token: &str) -> Self {
        Self { token: token.to_owned(), ..self.clone() }
    }

    /// Any request. An error means that there was no whole answer.
    pub(crate) fn send(
        &self,
        method: &Method,
        path: &str,
        content_type: &str,
        body: String,
    ) -> Result<Response, String> {
        let request = http::Request::builder()
            .method(method)
            .uri(format!("https://{}{path}", self.server))
            .header("authorization", format!("Bearer {}", self.token))
            .header("content-type", content_type)
            .header("user-agent", "celemetry-test")
            .body(Full::new(Bytes::from(body)))
            .unwrap();
        let exchange = async {
            let response = self.pool.request(request).await.map_err(|error| format!("{error:?}"))?;
            let status = response.status();
            let body = response.into_body().collect().await.map_err(|error| format!("{error:?}"))?;
            let body = String::from_utf8_lossy(&body.to_bytes()).into_owned();
            Ok(Response { status, body })
        };
        runtime().block_on(async {
            tokio::time::timeout(DEADLINE, exchange)
                .await
                .unwrap_or_else(|_| Err(format!("after {DEADLINE:?}")))
        })
    }

    /// What must succeed.
    #[track_caller]
    fn must(&self, method: &Method, path: &str, content_type: &str, body: &Value) -> Value {
        let response = self.send(method, path, content_type, body.to_string());
        let response = response.unwrap_or_else(|error| panic!("{method} {path}: {error}"));
        assert!(response.status.is_success(), "{method} {path}: {}\n{}", response.status, response.body);
        serde_json::from_str(&response.body).unwrap()
    }

    /// Creates it. Returns it as it is stored.
    #[track_caller]
    pub(crate) fn create(&self, object: &Value) -> Value {
        self.must(&Method::POST, &collection_of(object), JSON, object)
    }

    /// Creates it, which must be refused with 4xx. Returns the reason.
    #[track_caller]
    pub(crate) fn refused(&self, object: &Value) -> String {
        let response = self.send(&Method::POST, &collection_of(object), JSON, object.to_string()).unwrap();
        assert!(response.status.is_client_error(), "{}\n{}", response.status, response.body);
        let status: Value = serde_json::from_str(&response.body).unwrap();
        status["message"].as_str().unwrap().to_owned()
    }

    /// Creates it, or makes it so, by server-side apply.
    #[track_caller]
    pub(crate) fn apply(&self, object: &Value) -> Value {
        self.must(&Method::PATCH, &format!("{}?fieldManager=test&force=true", path(object)), APPLY, object)
    }

    /// Merges `patch` into it. The object only says which one is meant.
    #[track_caller]
    pub(crate) fn patch(&self, object: &Value, patch: &Value) -> Value {
        self.must(&Method::PATCH, &path(object), MERGE, patch)
    }

    /// Merges `status` into its status, through the subresource as a kubelet would.
    #[track_caller]
    pub(crate) fn patch_status(&self, object: &Value, status: &Value) -> Value {
        self.must(&Method::PATCH, &format!("{}/status", path(object)), MERGE, &json!({"status": status}))
    }

    /// Deletes it at once, without grace.
    #[track_caller]
    pub(crate) fn delete(&self, object: &Value) {
        let options = json!({"gracePeriodSeconds": 0, "propagationPolicy": "Background"});
        self.must(&Method::DELETE, &path(object), JSON, &options);
    }

    /// The object as it is now, if it exists.
    #[track_caller]
    pub(crate) fn read(&self, object: &Value) -> Option<Value> {
        let path = path(object);
        let response = self.send(&Method::GET, &path, JSON, String::new());
        let response = response.unwrap_or_else(|error| panic!("GET {path}: {error}"));
        if response.status == StatusCode::NOT_FOUND {
            return None;
        }
        assert!(response.status.is_success(), "GET {path}: {}\n{}", response.status, response.body);
        Some(serde_json::from_str(&response.body).unwrap())
    }

    /// The JSON at a path, query included.
    #[track_caller]
    pub(crate) fn get(&self, path: &str) -> Value {
        self.must(&Method::GET, path, JSON, &Value::Null)
    }

    /// The items of a collection; without a namespace, of all.
    #[track_caller]
    pub(crate) fn list(&self, api_version: &str, kind: &str, namespace: Option<&str>) -> Vec<Value> {
        let list = self.get(&collection(api_version, kind, namespace));
        list["items"].as_array().unwrap().clone()
    }

    /// Waits until the object exists and `is` says `Ok`, and returns it.
    #[track_caller]
    pub(crate) fn wait(
        &self,
        object: &Value,
        what: &str,
        is: impl Fn(&Value) -> Result<(), String>,
    ) -> Value {
        until(what, || {
            let now = self.read(object).ok_or_else(|| format!("no {}", path(object)))?;
            is(&now).map(|()| now.clone()).map_err(|why| format!("{why}\n{now:#}"))
        })
    }

    /// Waits until the object has this condition with this status, `"True"`, `"False"` or `"Unknown"`; returns the
    /// condition.
    #[track_caller]
    pub(crate) fn wait_condition(&self, object: &Value, kind: &str, status: &str) -> Value {
        let find = |object: &Value| {
            let conditions = object.pointer("/status/conditions").and_then(Value::as_array).cloned();
            conditions.unwrap_or_default().into_iter().find(|condition| condition["type"] == kind)
        };
        let holds = |object: &Value| match find(object) {
            Some(condition) if condition["status"] == status => Ok(()),
            _ => Err(format!("no condition {kind}={status}")),
        };
        let object = self.wait(object, &format!("condition {kind}={status}"), holds);
        find(&object).unwrap()
    }

    /// Waits until the server says that it is ready.
    #[track_caller]
    pub(crate) fn wait_ready(&self) {
        until("the API server's readiness", || {
            match self.send(&Method::GET, "/readyz", JSON, String::new())? {
                response if response.status == StatusCode::OK => Ok(()),
                response => Err(format!("{}\n{}", response.status, response.body)),
            }
        });
    }

    /// The API server's own metrics: `apiserver_longrunning_requests{verb="WATCH",…}` and the like.
    #[track_caller]
    pub(crate) fn metrics(&self) -> Page {
        let response = self.send(&Method::GET, "/metrics", JSON, String::new()).unwrap();
        assert!(response.status.is_success(), "{}\n{}", response.status, response.body);
        Page::parse(&response.body)
    }
}

//! The documents in which an API server describes its kinds.
//!
//! In: an API server. Out: where the document of each group and version is, and what such a document says, as JSON.
//! Must never know: what is made of schemas, metrics.

use std::collections::BTreeMap;
use std::time::Duration;

use http::Request;
use kube::Client;
use serde::Deserialize;
use serde_json::Value;
use tokio::time::timeout;

use super::answer::fetch_at_most;
use super::fault::{Fault, FaultClass};

/// Where the documents are, by group and version; the core group's name is empty. A path changes with its document.
pub type Documents = BTreeMap<(String, String), String>;

/// What the server says of all documents together.
#[derive(Deserialize)]
struct Root {
    paths: BTreeMap<String, Entry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    #[serde(rename = "serverRelativeURL")]
    url: String,
}

/// Where all documents are.
const ROOT: &str = "/openapi/v3";

/// The longest document, and the longest answer about all of them. Kubernetes' own are below 3 MB.
const LONGEST_DOCUMENT: usize = 32 * 1024 * 1024;

/// How long an answer may take in all: nobody waits for it.
const PATIENCE: Duration = Duration::from_secs(60);

/// Asks where the documents are.
///
/// # Errors
/// Where the server cannot be asked, or does not publish any.
pub async fn documents(client: &Client) -> Result<Documents, Fault> {
    let root: Root = read(client, ROOT).await?;
    let documents = root.paths.into_iter().filter_map(|(path, entry)| {
        let version = match path.strip_prefix("apis/") {
            Some(path) => path.split_once('/')?,
            None => ("", path.strip_prefix("api/")?),
        };
        // Nothing else is asked of a server because a server says so.
        let is_document = entry.url.starts_with("/openapi/v3/") && !entry.url.contains("/../");
        is_document.then(|| ((version.0.to_owned(), version.1.to_owned()), entry.url))
    });
    Ok(documents.collect())
}

/// Fetches the document at a path that [`documents`] has named.
///
/// # Errors
/// Where it cannot be had, is no JSON, or too long.
pub async fn document(client: &Client, path: &str) -> Result<Value, Fault> {
    read(client, path).await
}

/// Reads an answer beside everything else: a document is long.
async fn read<T: serde::de::DeserializeOwned + Send + 'static>(
    client: &Client,
    path: &str,
) -> Result<T, Fault> {
    let malformed = |error: &dyn std::fmt::Display| Fault::new(FaultClass::Malformed, error.to_string());
    let request = Request::get(path).body(vec![]).map_err(|error| malformed(&error))?;
    let fetching = fetch_at_most(client, request, LONGEST_DOCUMENT);
    let bytes = timeout(PATIENCE, fetching).await.map_err(|_| {
        Fault::new(FaultClass::Unreachable, "the API server takes too long to describe its kinds")
    })??;
    let parsed = tokio::task::spawn_blocking(move || serde_json::from_slice(&bytes)).await;
    parsed.map_err(|error| malformed(&error))?.map_err(|error| malformed(&error))
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use http::Response;
    use http_body_util::Full;
    use hyper::body::Bytes;
    use kube::client::Body;

    use super::*;

    /// A client of a server that gives one answer.
    fn client(answer: &'static str) -> Client {
        let service = tower::service_fn(move |_: Request<Body>| async move {
            Ok::<_, Infallible>(Response::new(Full::new(Bytes::from_static(answer.as_bytes()))))
        });
        Client::new(service, "default")
    }

    #[tokio::test]
    async fn documents_are_found_by_group_and_version() {
        let answer = r#"{"paths": {
            "api/v1": {"serverRelativeURL": "/openapi/v3/api/v1?hash=A"},
            "apis/apps/v1": {"serverRelativeURL": "/openapi/v3/apis/apps/v1?hash=B"},
            "apis/apps": {"serverRelativeURL": "/openapi/v3/apis/apps?hash=C"},
            "version": {"serverRelativeURL": "/openapi/v3/version?hash=D"},
            "apis/odd/v1": {"serverRelativeURL": "http://elsewhere/openapi/v3/apis/odd/v1"},
            "apis/worse/v1": {"serverRelativeURL": "/openapi/v3/../../api/v1/secrets"}}}"#;
        let found = documents(&client(answer)).await.unwrap();
        let found: Vec<_> =
            found.iter().map(|((group, version), path)| (&**group, &**version, &**path)).collect();
        assert_eq!(
            found,
            [("", "v1", "/openapi/v3/api/v1?hash=A"), ("apps", "v1", "/openapi/v3/apis/apps/v1?hash=B"),]
        );
    }

    #[tokio::test]
    async fn what_is_no_answer_is_a_fault() {
        for answer in ["", "{}", "[]", "{\"paths\": 1}", "{\"paths\": {\"a\": {}}}"] {
            let fault = documents(&client(answer)).await.unwrap_err();
            assert_eq!(fault.class, FaultClass::Malformed, "{answer}");
        }
    }
}

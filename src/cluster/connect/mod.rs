//! From a kubeconfig, or from inside a cluster, to a client of its API server.
//!
//! In: a file, the environment, a service account's files. Out: a [`Client`], and the cluster's name. Must never know:
//! what is asked of the server.
//!
//! The client repeats nothing by itself and bounds no answer: a watch lives as long as it likes, and whoever asks knows
//! best how long to wait and when to ask again. What it does bound is silence below that: connecting, and a peer that
//! acknowledges nothing any more.

mod fault;
mod kubeconfig;
mod token;
mod transport;

use std::path::PathBuf;
use std::time::Duration;

use k8s_openapi::api::core::v1::Namespace;
use kube::{Api, Client, Config};

pub use fault::{ConnectError, in_words};

/// Which cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// A kubeconfig. Without one: those that `KUBECONFIG` names, else the cluster that this process runs in, else
    /// `~/.kube/config`. This is the order of controller-runtime, so that a manifest of metrics-operator means the same.
    pub kubeconfig: Option<PathBuf>,
    /// The cluster's name in series. Default: the host in the URL of the API server.
    pub cluster_name: Option<String>,
}

/// A cluster that can be asked.
#[derive(Clone)]
pub struct Connected {
    /// The client; cheap to clone.
    pub client: Client,
    /// The cluster's name in series.
    pub cluster: String,
    /// The URL of the API server, for messages.
    pub server: String,
    /// The namespace of the kubeconfig's context, or of the service account.
    pub namespace: String,
}

/// How long the server may take to answer the few questions that are asked here.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// Makes a client. Asks the server nothing yet; a kubeconfig's credential plugin is run.
///
/// # Errors
/// Where there is nothing to connect to, or the configuration or its credentials cannot be read.
pub async fn connect(settings: &Settings) -> Result<Connected, ConnectError> {
    let settings = settings.clone();
    // Files are read and a credential plugin may ask its user something.
    let making = tokio::task::spawn_blocking(move || {
        let config = kubeconfig::configuration(settings.kubeconfig.as_deref())?;
        let cluster = settings.cluster_name.unwrap_or_else(|| name_of(&config));
        let server = config.cluster_url.to_string().trim_end_matches('/').to_owned();
        let namespace = config.default_namespace.clone();
        let client = transport::client(config)?;
        Ok(Connected { client, cluster, server, namespace })
    });
    making.await.unwrap_or(Err(ConnectError::Interrupted))
}

/// The name that metrics-operator gives a cluster: the host in the URL of its API server, where this machine is
/// `localhost`.
fn name_of(config: &Config) -> String {
    let host = config.cluster_url.host().unwrap_or_default();
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    if host == "127.0.0.1" { "localhost".to_owned() } else { host.to_owned() }
}

// === impl Connected ===

impl Connected {
    /// Asks the server for its version, which it tells everybody whom it lets in at all.
    ///
    /// # Errors
    /// Where it cannot be reached, is not trusted, refuses the credentials or is no API server.
    pub async fn check(&self) -> Result<String, ConnectError> {
        let unreachable = |why| ConnectError::Unreachable { server: self.server.clone(), why };
        match tokio::time::timeout(ANSWER_TIMEOUT, self.client.apiserver_version()).await {
            Ok(Ok(version)) => Ok(version.git_version),
            Ok(Err(error)) => Err(unreachable(in_words(&error))),
            Err(_) => Err(unreachable(format!("no answer within {} s", ANSWER_TIMEOUT.as_secs()))),
        }
    }

    /// What stays the same of a cluster when everything else about it changes: the UID of its namespace `kube-system`.
    /// `None` without the right to read it.
    pub async fn uid(&self) -> Option<String> {
        let namespaces = Api::<Namespace>::all(self.client.clone());
        let asked = tokio::time::timeout(ANSWER_TIMEOUT, namespaces.get_metadata("kube-system")).await;
        asked.ok()?.ok()?.metadata.uid
    }
}

impl std::fmt::Debug for Connected {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Connected { cluster, server, namespace, client: _ } = self;
        f.debug_struct("Connected")
            .field("cluster", cluster)
            .field("server", server)
            .field("namespace", namespace)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;

//! The namespaces of a cluster and their labels: a source of metadata alone.
//!
//! In: an API server. Out: the labels of every namespace, as they change. Must never know: metrics, what labels decide.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use futures_util::{StreamExt, pin_mut};
use k8s_openapi::api::core::v1::Namespace;
use kube::core::PartialObjectMeta;
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, Client, ResourceExt};
use tokio::sync::watch;

/// The labels of each namespace.
pub type Namespaces = BTreeMap<String, BTreeMap<String, String>>;

/// The namespaces of a cluster. They are followed from the first look on; clone it freely.
#[derive(Clone)]
pub struct NamespaceLabels(Arc<Shared>);

struct Shared {
    client: Client,
    followed: OnceLock<watch::Receiver<Option<Arc<Namespaces>>>>,
}

/// What a list under way has shown, and what is known.
#[derive(Debug)]
struct Known {
    namespaces: Namespaces,
    /// `Some` while a list is under way; so it is at the start.
    listed: Option<Namespaces>,
}

// === impl NamespaceLabels ===

impl NamespaceLabels {
    /// The namespaces of the cluster behind `client`.
    pub fn new(client: Client) -> Self {
        NamespaceLabels(Arc::new(Shared { client, followed: OnceLock::new() }))
    }

    /// The labels of every namespace, as they change; `None` before the first complete list. A cluster that cannot be
    /// seen keeps its last value.
    pub fn watch(&self) -> watch::Receiver<Option<Arc<Namespaces>>> {
        let start = || {
            let (sender, receiver) = watch::channel(None);
            tokio::spawn(follow(self.0.client.clone(), sender));
            receiver
        };
        self.0.followed.get_or_init(start).clone()
    }
}

impl std::fmt::Debug for NamespaceLabels {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NamespaceLabels").finish_non_exhaustive()
    }
}

async fn follow(client: Client, sender: watch::Sender<Option<Arc<Namespaces>>>) {
    let api: Api<PartialObjectMeta<Namespace>> = Api::all(client);
    let events = watcher(api, watcher::Config::default()).default_backoff();
    pin_mut!(events);
    let mut known = Known { namespaces: Namespaces::new(), listed: Some(Namespaces::new()) };
    while let Some(event) = events.next().await {
        match event {
            Ok(event) => known.apply(event),
            Err(error) => {
                let fault = super::fault::Fault::of_watcher(&error);
                tracing::warn!(%fault, "the namespaces cannot be seen");
            }
        }
        if known.listed.is_none() {
            sender.send_if_modified(|now| {
                let differs = now.as_deref() != Some(&known.namespaces);
                if differs {
                    *now = Some(Arc::new(known.namespaces.clone()));
                }
                differs
            });
        }
    }
}

// === impl Known ===

impl Known {
    fn apply(&mut self, event: watcher::Event<PartialObjectMeta<Namespace>>) {
        let entry =
            |namespace: PartialObjectMeta<Namespace>| (namespace.name_any(), namespace.labels().clone());
        match event {
            watcher::Event::Init => self.listed = Some(Namespaces::new()),
            watcher::Event::InitApply(namespace) => {
                self.listed.get_or_insert_default().extend([entry(namespace)]);
            }
            watcher::Event::InitDone => self.namespaces = self.listed.take().unwrap_or_default(),
            watcher::Event::Apply(namespace) => self.namespaces.extend([entry(namespace)]),
            watcher::Event::Delete(namespace) => drop(self.namespaces.remove(&namespace.name_any())),
        }
    }
}

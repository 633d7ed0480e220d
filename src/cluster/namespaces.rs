//! The namespaces of a cluster and their labels: a source of metadata alone.
//!
//! In: an API server. Out: the labels of every namespace, as they change, and how their
//! source is doing. Must never know: metrics, what labels decide.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use k8s_openapi::api::core::v1::Namespace;
use kube::core::PartialObjectMeta;
use kube::runtime::watcher;
use kube::{Api, Client, ResourceExt};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::events::{Events, Missed};
use super::feed::{Phase, SourceState};
use super::informer::Pace;

/// The labels of each namespace.
pub type Namespaces = BTreeMap<String, BTreeMap<String, String>>;

/// What is seen of the namespaces of a cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NamespacesSeen {
    /// The labels of every namespace, as they were seen last; `None` before the first complete list.
    pub labels: Option<Arc<Namespaces>>,
    /// How the source is doing.
    pub state: SourceState,
}

/// The namespaces of a cluster. They are followed from the first look on; clone it freely.
#[derive(Clone)]
pub struct NamespaceLabels(Arc<Shared>);

struct Shared {
    client: Client,
    pace: Pace,
    followed: OnceLock<watch::Receiver<NamespacesSeen>>,
}

/// What a list under way has shown, and what is known.
#[derive(Debug)]
struct Known {
    namespaces: Namespaces,
    /// `Some` while a list is under way; so it is at the start.
    listed: Option<Namespaces>,
}

/// The longest pause before they are looked for again: a right that is given now is missed by somebody now.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// A watch that works again says so only by its next event. A fault that is not met again for so long, several pauses
/// and requests, has passed.
const MENDED_AFTER: Duration = Duration::from_secs(30);

/// What namespaces are called among sources.
pub const NAMESPACES: &str = "namespaces.v1";

// === impl NamespaceLabels ===

impl NamespaceLabels {
    /// The namespaces of the cluster behind `client`.
    pub fn new(client: Client, pace: Pace) -> Self {
        NamespaceLabels(Arc::new(Shared { client, pace, followed: OnceLock::new() }))
    }

    /// The namespaces, as they change. A cluster that cannot be seen keeps its last labels.
    pub fn watch(&self) -> watch::Receiver<NamespacesSeen> {
        let start = || {
            let (sender, receiver) = watch::channel(NamespacesSeen::default());
            let api: Api<PartialObjectMeta<Namespace>> = Api::all(self.0.client.clone());
            tokio::spawn(follow(Events::new(api, &self.0.pace, LONGEST_PAUSE), sender));
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

/// Follows until nobody looks any more.
async fn follow(mut events: Events<PartialObjectMeta<Namespace>>, sender: watch::Sender<NamespacesSeen>) {
    let mut known = Known { namespaces: Namespaces::new(), listed: Some(Namespaces::new()) };
    let mut mended_at = None;
    loop {
        let event = tokio::select! {
            () = sender.closed() => return,
            event = events.next() => event,
            () = passed(mended_at) => {
                mended_at = None;
                sender.send_modify(|seen| seen.state.phase = Phase::Watching);
                continue;
            }
        };
        match event {
            Ok(event) => {
                known.apply(event);
                if known.listed.is_none() {
                    mended_at = None;
                    show(&sender, &known.namespaces);
                }
            }
            Err(Missed { fault, is_news }) => {
                if is_news {
                    tracing::warn!(%fault, "the namespaces cannot be seen");
                }
                sender.send_modify(|seen| seen.state.fail(fault));
                mended_at = known.listed.is_none().then(|| Instant::now() + MENDED_AFTER);
            }
        }
    }
}

fn show(sender: &watch::Sender<NamespacesSeen>, namespaces: &Namespaces) {
    sender.send_if_modified(|seen| {
        let differs = seen.labels.as_deref() != Some(namespaces);
        let was_failing = seen.state.phase != Phase::Watching;
        if differs {
            seen.labels = Some(Arc::new(namespaces.clone()));
        }
        seen.state = SourceState { phase: Phase::Watching, synced: true, ..SourceState::default() };
        differs || was_failing
    });
}

async fn passed(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => std::future::pending().await,
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

//! The namespaces of a cluster and their labels: a source of metadata alone.
//!
//! In: an API server. Out: the labels of every namespace, as they change, and how their
//! source is doing. Must never know: metrics, what labels decide.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1::Namespace;
use kube::core::PartialObjectMeta;
use kube::runtime::watcher;
use kube::{Api, Client, ResourceExt};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::events::{Events, Missed};
use super::fault::Fault;
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
#[derive(Clone, Debug)]
pub struct NamespaceLabels {
    seen: watch::Receiver<NamespacesSeen>,
    wanted: Arc<watch::Sender<bool>>,
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
    /// The namespaces of the cluster behind `client`, and what is to run for it. That ends when every handle is gone.
    pub fn new(client: Client, pace: Pace) -> (Self, impl Future<Output = ()> + Send + 'static) {
        let (sender, seen) = watch::channel(NamespacesSeen::default());
        let wanted = Arc::new(watch::Sender::new(false));
        let mut first_look = wanted.subscribe();
        let following = async move {
            if first_look.wait_for(|wanted| *wanted).await.is_ok() {
                let api: Api<PartialObjectMeta<Namespace>> = Api::all(client);
                follow(Events::new(api, &pace, LONGEST_PAUSE), sender).await;
            }
        };
        (NamespaceLabels { seen, wanted }, following)
    }

    /// The namespaces, as they change. A cluster that cannot be seen keeps its last labels.
    pub fn watch(&self) -> watch::Receiver<NamespacesSeen> {
        self.wanted.send_if_modified(|wanted| !std::mem::replace(wanted, true));
        self.seen.clone()
    }
}

/// Follows until nobody looks any more.
async fn follow(mut events: Events<PartialObjectMeta<Namespace>>, sender: watch::Sender<NamespacesSeen>) {
    let mut known = Known { namespaces: Namespaces::new(), listed: Some(Namespaces::new()) };
    let (mut mended_at, mut missed) = (None, 0);
    loop {
        let event = tokio::select! {
            () = sender.closed() => return,
            event = events.next() => event,
            () = passed(mended_at) => {
                (mended_at, missed) = (None, 0);
                show(&sender, &known.namespaces);
                continue;
            }
        };
        match event {
            Ok(event) => {
                known.apply(event);
                if known.listed.is_none() {
                    (mended_at, missed) = (None, 0);
                    show(&sender, &known.namespaces);
                }
            }
            Err(Missed { fault, is_news }) => {
                if is_news {
                    tracing::warn!(%fault, "the namespaces cannot be seen");
                }
                missed += 1;
                // A watch that broke and is opened again at once has missed nothing.
                if missed > 1 || known.listed.is_some() {
                    fail(&sender, fault);
                }
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

fn fail(sender: &watch::Sender<NamespacesSeen>, fault: Fault) {
    sender.send_if_modified(|seen| {
        let before = seen.state.clone();
        seen.state.fail(fault);
        seen.state != before
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

//! What joins a source of objects to whoever takes its changes, and what others see of it.
//!
//! In: nothing. Out: types. Must never know: who takes changes, metrics.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use celemetry_engine::audit::{Seen, Verdict};
use celemetry_engine::change::{Change, SourceId};
use celemetry_engine::row::FieldPlan;
use futures_util::future::BoxFuture;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::fault::Fault;

/// Opens and closes sources where changes are taken.
pub trait Intake: Clone + Send + Sync + 'static {
    /// A new source; `None` where nobody takes changes any more.
    fn open(&self) -> impl Future<Output = Option<Feed>> + Send;

    /// The source is gone with all its objects. Called after its informer has ended and sends no more.
    fn close(&self, source: SourceId) -> impl Future<Output = ()> + Send;
}

/// Where the changes of one source go, and how they are to be decoded.
#[derive(Clone, Debug)]
pub struct Feed {
    /// Which source.
    pub source: SourceId,
    /// Its field plans, the newest at once. A plan of a later epoch than that of the last `Begin` asks for a list.
    pub plans: watch::Receiver<Arc<FieldPlan>>,
    /// The epoch of the plan that was there when the source was opened, before anything could be registered.
    pub opened: u32,
    /// Bounded: while it is full, a list is not read, and of what is watched only the latest of each object waits.
    pub changes: mpsc::Sender<(SourceId, Change)>,
    /// Who can tell whether what is held of an object is right.
    pub auditor: Arc<dyn Auditor>,
}

/// Compares objects that were looked at again with what is held of them.
pub trait Auditor: std::fmt::Debug + Send + Sync {
    /// Compares, once every change that was sent before has been applied.
    fn compare(&self, source: SourceId, seen: Seen) -> BoxFuture<'static, Verdict>;

    /// Is told what has come of it. Must not block.
    fn found(&self, source: SourceId, finding: Finding);
}

/// What has come of looking at an object again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// What is held of it is right.
    Equal,
    /// It is wrong, and not because of an event that is under way.
    Mismatch {
        /// What people call the object.
        object: String,
        /// In which metrics.
        verdict: Verdict,
    },
    /// It could not be told.
    Skipped(Skipped),
}

/// Why it could not be told whether what is held of an object is right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Skipped {
    /// A list was under way or wanted, so that what is held may be behind.
    Unsettled,
    /// The object changed from look to look.
    Moving,
    /// The API server did not show it.
    Refused,
    /// It cannot be decoded.
    Undecodable,
}

/// How a source is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceState {
    /// What it is doing.
    pub phase: Phase,
    /// Whether a list has been complete, so that its objects are known.
    pub synced: bool,
    /// Why a list beside the watch failed: objects are seen as before, but not by who came to want them since.
    pub list_fault: Option<Fault>,
    /// Objects that cannot be decoded as they are now; what was last read of them stands.
    pub undecodable: usize,
}

/// What a source is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The first list is under way, or the first after a failure.
    Listing,
    /// Every change arrives as it happens.
    Watching,
    /// The objects are listed so often, because that is what was asked for, or because they cannot be watched.
    Polling {
        /// The time between two lists.
        every: Duration,
        /// Why they are not watched, where that was asked for.
        instead_of_watching: Option<Fault>,
    },
    /// The objects cannot be seen now; it is being tried again.
    Failed {
        /// Why.
        fault: Fault,
        /// Since when.
        since: Instant,
        /// The same for people, by the clock on the wall at that time.
        since_time: SystemTime,
    },
}

/// Namespaces whose objects are to be looked at again. A set, so that asking is never refused and never waits.
#[derive(Clone, Debug)]
pub(super) struct Reviews(Arc<watch::Sender<BTreeSet<String>>>);

// === impl SourceState, Reviews ===

impl Default for SourceState {
    fn default() -> Self {
        SourceState { phase: Phase::Listing, synced: false, list_fault: None, undecodable: 0 }
    }
}

impl SourceState {
    /// The objects cannot be seen; since when is kept where they could not before.
    pub(super) fn fail(&mut self, fault: Fault) {
        let (since, since_time) = match &self.phase {
            Phase::Failed { since, since_time, .. } => (*since, *since_time),
            _ => (Instant::now(), SystemTime::now()),
        };
        self.phase = Phase::Failed { fault, since, since_time };
    }
}

impl Reviews {
    pub(super) fn new() -> Self {
        Reviews(Arc::new(watch::Sender::new(BTreeSet::new())))
    }

    /// Asks for the objects of these namespaces.
    pub(super) fn ask(&self, namespaces: impl IntoIterator<Item = String>) {
        self.0.send_modify(|asked| asked.extend(namespaces));
    }

    /// Waits until something is asked for, and takes it.
    pub(super) async fn take(&self) -> BTreeSet<String> {
        let mut asked = self.0.subscribe();
        // The sender is held here, so the wait cannot fail.
        let _ = asked.wait_for(|asked| !asked.is_empty()).await;
        let mut taken = BTreeSet::new();
        self.0.send_modify(|asked| std::mem::swap(asked, &mut taken));
        taken
    }
}

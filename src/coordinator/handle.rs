//! What others hold of the coordinator.
//!
//! In: requests. Out: messages on the coordinator's channels. Must never know: the engine itself.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use celemetry_engine::MetricStatus;
use celemetry_engine::audit::{Seen, Verdict};
use celemetry_engine::change::{Change, SourceId};
use celemetry_engine::error::CompileError;
use celemetry_engine::row::FieldPlan;
use celemetry_engine::snapshot::{MetricId, Snapshot};
use tokio::sync::{mpsc, oneshot, watch};

use super::{Control, Registration};

/// The way to the coordinator; clone it freely. When the last one goes the coordinator flushes and ends.
#[derive(Clone, Debug)]
pub struct Handle {
    changes: mpsc::Sender<(SourceId, Change)>,
    control: mpsc::Sender<Control>,
    snapshots: watch::Receiver<Arc<Snapshot>>,
}

/// The coordinator has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the coordinator has ended")]
pub struct Stopped;

// === impl Handle ===

impl Handle {
    pub(super) fn new(
        changes: mpsc::Sender<(SourceId, Change)>,
        control: mpsc::Sender<Control>,
        snapshots: watch::Receiver<Arc<Snapshot>>,
    ) -> Self {
        Handle { changes, control, snapshots }
    }

    /// Where changes go. Bounded: a send waits while [`CHANGE_CAPACITY`](super::CHANGE_CAPACITY) changes wait.
    pub fn changes(&self) -> mpsc::Sender<(SourceId, Change)> {
        self.changes.clone()
    }

    /// The latest snapshot, and its successors. A reader that is slow misses snapshots, but no state.
    pub fn snapshots(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.snapshots.clone()
    }

    /// A new source, without objects; it counts as incomplete until its first `End`.
    ///
    /// # Errors
    /// Where the coordinator has ended; so do all other requests.
    pub async fn add_source(&self) -> Result<SourceId, Stopped> {
        self.ask(Control::AddSource).await
    }

    /// The newest field plan of a source, and its successors. A plan whose epoch is above that of the source's last
    /// `Begin` asks for a relist. `None` for a source that is not there.
    ///
    /// # Errors
    /// See [`add_source`](Self::add_source).
    pub async fn plans(&self, source: SourceId) -> Result<Option<watch::Receiver<Arc<FieldPlan>>>, Stopped> {
        self.ask(|reply| Control::Plans(source, reply)).await
    }

    /// Takes a source away, with everything its objects contributed, once every change that was sent before has been
    /// applied; what arrives of it later is dropped. Metrics bound to it go on without it, so a metric that is to move
    /// without a dip is edited first, and its old source goes once its status is no longer pending.
    ///
    /// # Errors
    /// See [`add_source`](Self::add_source).
    pub async fn remove_source(&self, source: SourceId) -> Result<(), Stopped> {
        self.tell(Control::RemoveSource(source)).await
    }

    /// Registers a metric. The inner result holds every defect of its definition.
    ///
    /// # Errors
    /// See [`add_source`](Self::add_source).
    pub async fn register(
        &self,
        registration: Registration,
    ) -> Result<Result<MetricId, Vec<CompileError>>, Stopped> {
        self.ask(|reply| Control::Register(Box::new(registration), reply)).await
    }

    /// Gives a metric another definition. Where that does not compile the old one stays.
    ///
    /// # Errors
    /// See [`add_source`](Self::add_source).
    pub async fn edit(
        &self,
        metric: MetricId,
        registration: Registration,
    ) -> Result<Result<(), Vec<CompileError>>, Stopped> {
        self.ask(|reply| Control::Edit(metric, Box::new(registration), reply)).await
    }

    /// Lets a metric count objects of these namespaces and no others; `None` is everywhere. Answered once that is so, and
    /// then the objects of every namespace that enters or leaves are to be sent again, as
    /// [`Origin::Review`](celemetry_engine::change::Origin::Review), unless a list of the source begins meanwhile.
    /// Nothing happens if there is no such metric.
    ///
    /// # Errors
    /// See [`add_source`](Self::add_source).
    pub async fn set_namespaces(
        &self,
        metric: MetricId,
        namespaces: Option<BTreeSet<String>>,
    ) -> Result<(), Stopped> {
        self.ask(|reply| Control::SetNamespaces(metric, namespaces, reply)).await
    }

    /// Takes a metric away; its series vanish at once.
    ///
    /// # Errors
    /// See [`add_source`](Self::add_source).
    pub async fn remove(&self, metric: MetricId) -> Result<(), Stopped> {
        self.tell(Control::Remove(metric)).await
    }

    /// Applies every change that was sent before, flushes all metrics and gives their snapshot.
    ///
    /// # Errors
    /// See [`add_source`](Self::add_source).
    pub async fn flush(&self) -> Result<Arc<Snapshot>, Stopped> {
        self.ask(Control::Flush).await
    }

    /// Waits until every change that was sent before has been applied. Flushes nothing.
    ///
    /// # Errors
    /// See [`add_source`](Self::add_source).
    pub async fn settle(&self) -> Result<(), Stopped> {
        self.ask(Control::Settle).await
    }

    /// What is known of these metrics at one moment; those that are not there are left out.
    ///
    /// # Errors
    /// See [`add_source`](Self::add_source).
    pub async fn statuses(
        &self,
        metrics: Vec<MetricId>,
    ) -> Result<BTreeMap<MetricId, MetricStatus>, Stopped> {
        self.ask(|reply| Control::Statuses(metrics, reply)).await
    }

    /// What is known of a metric.
    ///
    /// # Errors
    /// See [`add_source`](Self::add_source).
    pub async fn status(&self, metric: MetricId) -> Result<Option<MetricStatus>, Stopped> {
        self.ask(|reply| Control::Status(metric, reply)).await
    }

    /// Compares an object with what is held of it, once every change that was sent before has been applied. Changes
    /// nothing.
    ///
    /// # Errors
    /// See [`add_source`](Self::add_source).
    pub async fn audit(&self, source: SourceId, seen: Seen) -> Result<Verdict, Stopped> {
        self.ask(|reply| Control::Audit(source, Box::new(seen), reply)).await
    }

    /// Takes a difference for proven: it is counted, and a new field plan of the source asks for a list in which every
    /// object is evaluated anew, at once or, where that was not long ago, later. Gives who declares the metrics that differ.
    ///
    /// # Errors
    /// See [`add_source`](Self::add_source).
    pub async fn mend(&self, source: SourceId, verdict: Verdict) -> Result<Vec<String>, Stopped> {
        self.ask(|reply| Control::Mend(source, verdict, reply)).await
    }

    /// Ends the coordinator after a last flush. Requests that arrive later find it stopped.
    pub async fn shut_down(&self) {
        // Refused only by a coordinator that has ended already.
        let _ = self.tell(Control::Shutdown).await;
    }

    async fn tell(&self, control: Control) -> Result<(), Stopped> {
        self.control.send(control).await.map_err(|_| Stopped)
    }

    async fn ask<T>(&self, request: impl FnOnce(oneshot::Sender<T>) -> Control) -> Result<T, Stopped> {
        let (reply, answer) = oneshot::channel();
        self.tell(request(reply)).await?;
        answer.await.map_err(|_| Stopped)
    }
}

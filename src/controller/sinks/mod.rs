//! DataSinks become pipelines: where metrics are sent, with which credentials.
//!
//! In: declared DataSinks; the Secrets that they name, read by name and never listed or watched. Out: for each the way
//! to its pipeline and how it is doing; its status. Must never know: metrics, how anything is sent.

mod credentials;
mod health;
mod task;

use std::collections::{BTreeMap, BTreeSet};
use std::panic::resume_unwind;
use std::sync::Arc;

use kube::Client;
use serde_json::Value;
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinError, JoinSet};

use super::declared::{DeclaredEvent, DeclaredKind, ObjectName, Scope};
use super::status::{SinkState, StatusHandle};
use crate::export::pipeline::{Exporter, SinkHandle};
use task::SinkTask;

pub(super) use task::object_ref;

/// The kind DataSink.
pub const DATA_SINK: DeclaredKind = DeclaredKind { kind: "DataSink", plural: "datasinks" };

/// All DataSinks, as metrics see them. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Sinks {
    views: Arc<BTreeMap<ObjectName, watch::Receiver<SinkView>>>,
    is_complete: bool,
}

/// A DataSink, as metrics see it.
#[derive(Clone)]
pub struct SinkView {
    /// The way to its pipeline; `None` while nothing may be sent.
    pub pipeline: Option<SinkHandle>,
    /// How many pipelines there have been: another number is another pipeline.
    pub opened: u64,
    /// How it is doing.
    pub state: SinkState,
}

/// Keeps a task for each DataSink.
pub struct SinkController {
    client: Client,
    exporter: Exporter,
    status: StatusHandle,
    tasks: BTreeMap<ObjectName, Task>,
    running: JoinSet<()>,
    /// Whose first lists are still to come.
    incomplete: BTreeSet<Scope>,
    sinks: watch::Sender<Sinks>,
}

/// A DataSink's task. Dropping the sender ends it.
struct Task {
    declared: watch::Sender<Arc<Value>>,
    /// The object with its latest status. Wakes nobody.
    stored: watch::Sender<Arc<Value>>,
    view: watch::Receiver<SinkView>,
}

// === impl Sinks ===

impl Sinks {
    /// The DataSink of this name.
    pub fn get(&self, name: &ObjectName) -> Option<&watch::Receiver<SinkView>> {
        self.views.get(name)
    }

    /// Whether all that are declared are here: before that, one that is missing may only not be known yet.
    pub fn is_complete(&self) -> bool {
        self.is_complete
    }
}

// === impl SinkController ===

impl SinkController {
    /// A controller without DataSinks, and what metrics see of it. `incomplete` are the lists that are to come.
    pub fn new(
        client: Client,
        exporter: Exporter,
        status: StatusHandle,
        incomplete: BTreeSet<Scope>,
    ) -> (Self, watch::Receiver<Sinks>) {
        let (sinks, receiver) = watch::channel(Sinks::default());
        let (tasks, running) = (BTreeMap::new(), JoinSet::new());
        (SinkController { client, exporter, status, tasks, running, incomplete, sinks }, receiver)
    }

    /// Runs until no more events come.
    ///
    /// # Panics
    /// Where a DataSink's task has.
    pub async fn run(mut self, mut events: mpsc::Receiver<DeclaredEvent>) {
        loop {
            let event = tokio::select! {
                event = events.recv() => event,
                Some(ended) = self.running.join_next() => match ended.map_err(JoinError::try_into_panic) {
                    Err(Ok(panic)) => resume_unwind(panic),
                    _ => continue,
                },
            };
            let Some(event) = event else { return };
            match event {
                DeclaredEvent::Applied(name, value) => self.applied(name, *value),
                DeclaredEvent::Touched(name, value) => {
                    if let Some(task) = self.tasks.get(&name) {
                        task.stored.send_replace(Arc::new(*value));
                    }
                }
                DeclaredEvent::Gone(name) => {
                    // Its sender goes with the entry, which ends the task.
                    if self.tasks.remove(&name).is_some() {
                        self.publish();
                    }
                }
                DeclaredEvent::Complete(scope) => {
                    if self.incomplete.remove(&scope) && self.incomplete.is_empty() {
                        self.publish();
                    }
                }
            }
        }
    }

    fn applied(&mut self, name: ObjectName, value: Value) {
        let value = Arc::new(value);
        if let Some(task) = self.tasks.get(&name) {
            task.declared.send_replace(value);
            return;
        }
        let (stored, latest) = watch::channel(Arc::clone(&value));
        let (declared, receiver) = watch::channel(value);
        let (sender, view) =
            watch::channel(SinkView { pipeline: None, opened: 0, state: SinkState::NotRead });
        let task = SinkTask::new(&self.client, &self.exporter, &self.status, name.clone(), sender);
        self.running.spawn(task.run(receiver, latest));
        self.tasks.insert(name, Task { declared, stored, view });
        self.publish();
    }

    fn publish(&self) {
        let views = self.tasks.iter().map(|(name, task)| (name.clone(), task.view.clone()));
        let is_complete = self.incomplete.is_empty();
        self.sinks.send_replace(Sinks { views: Arc::new(views.collect()), is_complete });
    }
}

impl std::fmt::Debug for SinkView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SinkView").field("state", &self.state).finish_non_exhaustive()
    }
}

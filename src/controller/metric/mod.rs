//! EventDrivenController: one task for each declared Metric.
//!
//! In: declared Metrics as they come, change and go. Out: registrations at the coordinator, interests at the informers,
//! routes to the sinks, status. Must never know: the insides of any of these.
//!
//! A Metric's task holds everything that exists because of the Metric, as guards; when the Metric is deleted the task
//! ends, and all of that with it. So deletion has no code of its own, and one Metric's trouble is no other's.

mod declaration;
mod placement;
mod placing;
mod fitting;
mod routing;
mod task;
mod facts;

use std::collections::{BTreeMap, BTreeSet};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use celemetry_engine::snapshot::Snapshot;
use futures_util::FutureExt;
use serde_json::Value;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use super::declared::{DeclaredEvent, DeclaredKind, ObjectName, Scope};
use super::lower::{Mode, Profile};
use super::names::Names;
use super::schema::PublishedSchemas;
use super::sinks::Sinks;
use super::sinks::object_ref;
use super::status::{MetricFacts, MetricStatusSlot, StatusHandle};
use super::tenancy::Tenancy;
use crate::cluster::manager::DynamicInformerManager;
use crate::cluster::namespaces::NamespaceLabels;
use crate::coordinator::Handle;
use declaration::Declaration;
use task::MetricTask;

/// The kind Metric.
pub const METRIC: DeclaredKind = DeclaredKind { kind: "Metric", plural: "metrics" };

/// What every Metric's task works with.
pub struct Context {
    /// Where metrics are registered.
    pub coordinator: Handle,
    /// The latest snapshot, which tells when a first list is complete.
    pub snapshots: watch::Receiver<Arc<Snapshot>>,
    /// Where objects come from.
    pub informers: DynamicInformerManager,
    /// What is known of them beforehand.
    pub schemas: PublishedSchemas,
    /// The labels of namespaces.
    pub namespaces: NamespaceLabels,
    /// Who has which name.
    pub names: Names,
    /// Where series go; `None` where DataSinks are not followed, and a Metric may name any.
    pub sinks: Option<watch::Receiver<Sinks>>,
    /// Who is told what becomes of Metrics.
    pub reporter: Arc<dyn Reporter>,
    /// How Metrics are read.
    pub settings: Settings,
}

/// Is told what becomes of Metrics: the writer of their status, or a terminal.
pub trait Reporter: Send + Sync {
    /// A Metric is declared, and its task begins.
    fn open(&self, name: &ObjectName, value: &Value) -> Box<dyn Report>;
}

/// Is told what becomes of one Metric. Dropped when the Metric is gone.
pub trait Report: Send {
    /// What is known now. Called often, also when nothing has changed; must not block.
    fn set(&mut self, facts: &MetricFacts);

    /// The object as it is stored now, with a status that somebody has written.
    fn stored(&mut self, _value: &Value) {}

    /// Whether somebody else may be writing it.
    fn follows(&self) -> bool {
        false
    }
}

/// How Metrics are read.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The process's profile.
    pub profile: Profile,
    /// The mode of a Metric that names none.
    pub default_mode: Mode,
    /// What the cluster is called in attributes.
    pub cluster: String,
    /// The namespace of DataSinks that Metrics name.
    pub config_namespace: String,
    /// What a Metric may see.
    pub tenancy: Tenancy,
    /// Whether what Secrets hold may be read.
    pub allow_secret_data: bool,
    /// How long series stand after the source of their objects was seen last.
    pub stale_after: Duration,
}

/// Keeps a task for each Metric.
pub struct EventDrivenController {
    context: Arc<Context>,
    tasks: BTreeMap<ObjectName, Task>,
    /// Followers that have not told everything yet.
    incomplete: BTreeSet<Scope>,
    unsettled: Unsettled,
    /// How many tasks there have been.
    started: u64,
}

/// A Metric's task. Dropping the sender ends it.
struct Task {
    declared: watch::Sender<Arc<Value>>,
    /// The object with its latest status. Wakes nobody.
    stored: watch::Sender<Arc<Value>>,
    task: JoinHandle<()>,
}

/// What a Metric's task is told.
#[derive(Clone)]
struct Inbox {
    /// The Metric as it was written last.
    declared: watch::Receiver<Arc<Value>>,
    /// The same with its latest status.
    stored: watch::Receiver<Arc<Value>>,
}

/// What is not ready yet: the Metrics whose first list is under way.
#[derive(Clone, Debug)]
pub struct Unsettled(Arc<watch::Sender<BTreeSet<Awaited>>>);

/// Something that is waited for before the program is ready.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Awaited {
    /// What it is, for people.
    pub name: String,
    /// Tells a Metric from one that was declared before it under the same name.
    number: u64,
}

// === impl EventDrivenController ===

impl EventDrivenController {
    /// A controller without Metrics, and what it waits for. `incomplete` are those that will tell of Metrics.
    pub fn new(context: Context, incomplete: BTreeSet<Scope>) -> (Self, watch::Receiver<BTreeSet<Awaited>>) {
        let waiting = incomplete.iter().map(listing).collect();
        let unsettled = Unsettled(Arc::new(watch::Sender::new(waiting)));
        let waiting = unsettled.0.subscribe();
        let context = Arc::new(context);
        let tasks = BTreeMap::new();
        (EventDrivenController { context, tasks, incomplete, unsettled, started: 0 }, waiting)
    }

    /// Runs until no more events come. Then nothing of the Metrics is given up: the process ends.
    pub async fn run(mut self, mut events: mpsc::Receiver<DeclaredEvent>) {
        while let Some(event) = events.recv().await {
            match event {
                DeclaredEvent::Applied(name, value) => self.applied(name, *value),
                DeclaredEvent::Touched(name, value) => {
                    if let Some(task) = self.tasks.get(&name) {
                        task.stored.send_replace(Arc::new(*value));
                    }
                }
                // The sender goes with the entry, which ends the task. A Metric of the same name that follows gets a
                // task of its own, and may find its predecessor's series for a moment.
                DeclaredEvent::Gone(name) => drop(self.tasks.remove(&name)),
                DeclaredEvent::Complete(scope) => {
                    if self.incomplete.remove(&scope) {
                        self.unsettled.settle(&listing(&scope));
                    }
                }
            }
        }
        for task in self.tasks.values() {
            task.task.abort();
        }
    }

    fn applied(&mut self, name: ObjectName, value: Value) {
        let value = Arc::new(value);
        if let Some(task) = self.tasks.get(&name) {
            task.declared.send_replace(value);
            return;
        }
        let (stored, latest) = watch::channel(Arc::clone(&value));
        let (declared, inbox) = watch::channel(value);
        let inbox = Inbox { declared: inbox, stored: latest };
        self.started += 1;
        let awaited = Awaited { name: format!("{name} of {}", name.group.name()), number: self.started };
        self.unsettled.wait_for(awaited.clone());
        let (context, unsettled) = (Arc::clone(&self.context), self.unsettled.clone());
        let supervised = supervise(context, name.clone(), inbox, move || unsettled.settle(&awaited));
        self.tasks.insert(name, Task { declared, stored, task: tokio::spawn(supervised) });
    }
}

fn listing((group, namespace): &Scope) -> Awaited {
    let within = namespace.as_ref().map(|namespace| format!(" in {namespace}")).unwrap_or_default();
    Awaited { name: format!("the list of Metrics of {}{within}", group.name()), number: 0 }
}

/// Runs a Metric's task until the Metric is gone. A panic is a defect of ours that this Metric has met: it is told in
/// the Metric's status, and disturbs no other. The task begins anew when the Metric is edited.
async fn supervise(context: Arc<Context>, name: ObjectName, mut inbox: Inbox, settle: impl Fn()) {
    let mut tried: Option<Arc<Value>> = None;
    loop {
        let running =
            async { MetricTask::new(Arc::clone(&context), name.clone(), inbox.clone()).run(&settle).await };
        if AssertUnwindSafe(running).catch_unwind().await.is_ok() {
            settle();
            return;
        }
        let value = Arc::clone(&inbox.declared.borrow_and_update());
        // It may have been edited since the task looked.
        if !tried.replace(Arc::clone(&value)).is_some_and(|tried| Arc::ptr_eq(&tried, &value)) {
            continue;
        }
        let declaration = Declaration::broken(&value);
        let mut report = context.reporter.open(&name, &value);
        report.set(&declaration.facts());
        settle();
        if inbox.declared.changed().await.is_err() {
            return;
        }
    }
}

// === impl Unsettled ===

impl Unsettled {
    fn wait_for(&self, awaited: Awaited) {
        self.0.send_if_modified(|waiting| waiting.insert(awaited));
    }

    /// It is complete, in a failed state that is told, or gone.
    fn settle(&self, awaited: &Awaited) {
        self.0.send_if_modified(|waiting| waiting.remove(awaited));
    }
}

// === impl Reporter, Report ===

impl Reporter for StatusHandle {
    fn open(&self, name: &ObjectName, value: &Value) -> Box<dyn Report> {
        let previous = serde_json::from_value(value["status"].clone()).ok();
        Box::new(self.metric(object_ref(name, value), previous.as_ref()))
    }
}

impl Report for MetricStatusSlot {
    fn set(&mut self, facts: &MetricFacts) {
        MetricStatusSlot::set(self, facts);
    }

    fn stored(&mut self, value: &Value) {
        if let Ok(status) = serde_json::from_value(value["status"].clone()) {
            MetricStatusSlot::stored(self, &status);
        }
    }

    fn follows(&self) -> bool {
        MetricStatusSlot::follows(self)
    }
}

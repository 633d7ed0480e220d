//! MetricUpdateCoordinator: the one task that owns the engine.
//!
//! In: changes of sources, and control (registrations, flushes, shutdown). Out: a snapshot per flush and the newest
//! field plan per source, each on a watch channel. Must never know: Kubernetes, what feeds it, who exports.
//!
//! Nothing here waits for a network or a disk: a slow sink or cluster delays only itself.

pub mod debounce;
pub mod epochs;
mod handle;
mod accounts;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use celemetry_engine::audit::{Seen, Verdict};
use celemetry_engine::change::{Change, SourceId};
use celemetry_engine::definition::{Definition, MetricInfo};
use celemetry_engine::error::CompileError;
use celemetry_engine::row::FieldPlan;
use celemetry_engine::snapshot::{MetricId, Snapshot};
use celemetry_engine::{Engine, Failure, MetricStatus, Options};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;

use debounce::{Debounce, Moment, Schedule};
use epochs::Epochs;
pub use handle::{Handle, Stopped};

use crate::telemetry::Telemetry;

/// Owns the engine, and with it every number.
///
/// Invariant: one task, so no lock; a change is applied completely before the next event is looked at.
pub struct MetricUpdateCoordinator {
    engine: Engine,
    debounce: Debounce,
    epochs: Epochs,
    metrics: BTreeMap<MetricId, Metric>,
    /// Sources of which something is held that was found to be wrong: their objects are to be evaluated anew.
    doubted: BTreeSet<SourceId>,
    plans: BTreeMap<SourceId, watch::Sender<Arc<FieldPlan>>>,
    snapshots: watch::Sender<Arc<Snapshot>>,
    failures: Box<dyn FailureListener>,
    telemetry: Arc<Telemetry>,
    changes: mpsc::Receiver<(SourceId, Change)>,
    control: mpsc::Receiver<Control>,
    started: Instant,
    dirty: Vec<MetricId>,
    /// When it is told what metrics cost, if that has changed since.
    accounts_due: Option<Moment>,
}

/// How the coordinator works.
pub struct Settings {
    /// How the engine works.
    pub engine: Options,
    /// At least this often every series is sent again; 60 s on the command line.
    pub heartbeat: Duration,
    /// Told of every expression that has no value for an object.
    pub failures: Box<dyn FailureListener>,
    /// Counts the flushes.
    pub telemetry: Arc<Telemetry>,
}

/// Knows which expressions have no value for which objects. Called on the coordinator's task: must not block.
pub trait FailureListener: Send {
    /// A change of a source is about to be applied. The failures that follow, up to the next change, are of its object.
    fn applying(&mut self, source: SourceId, change: &Change);

    /// An expression has no value for the object of the change.
    fn failed(&mut self, failure: &Failure<'_>);
}

/// A metric as it is registered.
#[derive(Clone, Debug)]
pub struct Registration {
    /// What it means.
    pub definition: Definition,
    /// Where its objects come from.
    pub sources: Vec<SourceId>,
    /// When it is flushed.
    pub schedule: Schedule,
}

/// Everything that can happen to the coordinator.
#[derive(Debug)]
pub enum Event {
    /// Changes of sources, in order: as many as waited, up to a batch.
    Changes(Vec<(SourceId, Change)>),
    /// Somebody wants something.
    Control(Control),
    /// A deadline has passed.
    Tick,
    /// Nobody is left, or the process ends: apply what waits, flush everything, end.
    Shutdown,
}

/// What may be asked of the coordinator. Answers to askers that have gone are dropped.
#[derive(Debug)]
pub enum Control {
    /// A new source.
    AddSource(oneshot::Sender<SourceId>),
    /// The field plans of a source, the newest at once.
    Plans(SourceId, oneshot::Sender<Option<watch::Receiver<Arc<FieldPlan>>>>),
    /// Apply every change that was sent before this; then the source is gone, with everything its objects contributed.
    RemoveSource(SourceId),
    /// A new metric.
    Register(Box<Registration>, oneshot::Sender<Result<MetricId, Vec<CompileError>>>),
    /// Another definition of a metric; where it does not compile the old one stays.
    Edit(MetricId, Box<Registration>, oneshot::Sender<Result<(), Vec<CompileError>>>),
    /// The metric counts objects of these namespaces and no others.
    SetNamespaces(MetricId, Option<BTreeSet<String>>, oneshot::Sender<()>),
    /// The metric is gone.
    Remove(MetricId),
    /// Apply every change that was sent before this, then flush all metrics.
    Flush(oneshot::Sender<Arc<Snapshot>>),
    /// Apply every change that was sent before this, and flush nothing.
    Settle(oneshot::Sender<()>),
    /// What is known of a metric.
    Status(MetricId, oneshot::Sender<Option<MetricStatus>>),
    /// What is known of these metrics, where they are there.
    Statuses(Vec<MetricId>, oneshot::Sender<BTreeMap<MetricId, MetricStatus>>),
    /// Apply every change that was sent before this, then compare an object with what is held of it.
    Audit(SourceId, Box<Seen>, oneshot::Sender<Verdict>),
    /// Something is held of an object of this source that is wrong, in these metrics: evaluate the source anew, and name
    /// the metrics.
    Mend(SourceId, Verdict, oneshot::Sender<Vec<String>>),
    /// End.
    Shutdown,
}

#[derive(Debug)]
struct Metric {
    info: Arc<MetricInfo>,
    sources: Vec<SourceId>,
    max_series: usize,
    /// Whether its first lists are complete, so that it has been flushed or is about to be.
    shown: bool,
    /// How many objects were found of which it held something wrong.
    mismatches: u64,
}

/// Changes that may wait before the engine, at under a kilobyte each. When full the sender waits: a file or pipe is
/// read no further, an informer coalesces on its own side.
pub const CHANGE_CAPACITY: usize = 1024;

/// Requests that may wait. When full the asker waits.
pub const CONTROL_CAPACITY: usize = 64;

/// Changes applied between two looks at control and clock, and after each request: large enough to make those free,
/// small enough that neither waits longer than a fraction of a millisecond.
const BATCH: usize = 128;

/// A metric that overflowed is readmitted once its series are this many per cent of its limit, or fewer.
const READMISSION_PERCENT: usize = 80;

// === impl MetricUpdateCoordinator ===

impl MetricUpdateCoordinator {
    /// A coordinator and the handle to it. It does nothing until [`run`](Self::run) is polled.
    pub fn new(settings: Settings) -> (MetricUpdateCoordinator, Handle) {
        let (change_sender, changes) = mpsc::channel(CHANGE_CAPACITY);
        let (control_sender, control) = mpsc::channel(CONTROL_CAPACITY);
        let (snapshots, receiver) = watch::channel(Arc::default());
        let coordinator = MetricUpdateCoordinator {
            engine: Engine::new(settings.engine),
            debounce: Debounce::new(settings.heartbeat),
            epochs: Epochs::default(),
            metrics: BTreeMap::new(),
            doubted: BTreeSet::new(),
            plans: BTreeMap::new(),
            snapshots,
            failures: settings.failures,
            telemetry: settings.telemetry,
            changes,
            control,
            started: Instant::now(),
            dirty: Vec::new(),
            accounts_due: None,
        };
        (coordinator, Handle::new(change_sender, control_sender, receiver))
    }

    /// Runs until it is shut down or every handle is gone.
    pub async fn run(mut self) {
        while self.step().await {}
    }

    /// Waits for the next event and handles it. Tells whether there may be more.
    async fn step(&mut self) -> bool {
        match self.next().await {
            Event::Changes(changes) => self.apply(changes),
            Event::Control(control) => {
                self.control(control);
                self.let_others_through();
            }
            Event::Tick => self.tick(),
            Event::Shutdown => {
                self.flush_all();
                return false;
            }
        }
        true
    }

    /// A flood of requests holds up neither deadlines nor changes: each of them lets a batch pass.
    fn let_others_through(&mut self) {
        if self.next_deadline().is_some_and(|deadline| deadline <= self.now()) {
            self.tick();
        }
        self.apply_waiting(BATCH);
    }

    /// The next event: control before deadlines before changes, so that a flood of changes holds up neither.
    async fn next(&mut self) -> Event {
        let deadline = self.next_deadline();
        let started = self.started;
        let tick = async move {
            match deadline.and_then(|moment| started.checked_add(moment.0)) {
                Some(instant) => tokio::time::sleep_until(instant).await,
                None => std::future::pending().await,
            }
        };
        let mut batch = Vec::new();
        tokio::select! {
            biased;
            control = self.control.recv() => match control {
                Some(Control::Shutdown) | None => Event::Shutdown,
                Some(control) => Event::Control(control),
            },
            () = tick => Event::Tick,
            // A handle holds senders of both channels, so this one never closes before the other.
            _ = self.changes.recv_many(&mut batch, BATCH) => Event::Changes(batch),
        }
    }

    fn next_deadline(&self) -> Option<Moment> {
        let deadlines = [self.debounce.next_deadline(), self.epochs.next_deadline(), self.accounts_due];
        deadlines.into_iter().flatten().min()
    }

    fn now(&self) -> Moment {
        Moment(self.started.elapsed())
    }

    /// Applies what was sent before now, up to `most` changes.
    fn apply_waiting(&mut self, most: usize) {
        let waiting = self.changes.len().min(most);
        let changes = std::iter::from_fn(|| self.changes.try_recv().ok()).take(waiting).collect();
        self.apply(changes);
    }

    fn apply(&mut self, changes: Vec<(SourceId, Change)>) {
        if !changes.is_empty() {
            self.note_cost();
        }
        for (source, change) in changes {
            let failures = &mut *self.failures;
            failures.applying(source, &change);
            self.engine.apply(source, change, &mut |failure| failures.failed(failure));
            self.note_wanted_list(source);
        }
        self.note_dirty();
    }

    /// The engine itself may want a list: for objects whose evaluation was cut short, or after a list that is void.
    fn note_wanted_list(&mut self, source: SourceId) {
        if self.engine.wants_list(source) && self.plans.contains_key(&source) && !self.epochs.waits(source) {
            self.epochs.raised(source, self.now());
        }
    }

    /// Starts the debounce of every metric that has become dirty; one whose first lists are complete is due at once.
    fn note_dirty(&mut self) {
        let now = self.now();
        self.engine.take_dirty(&mut self.dirty);
        for metric in self.dirty.drain(..) {
            match self.metrics.get_mut(&metric).filter(|known| !known.shown) {
                Some(known) if self.engine.status(metric).is_some_and(|status| status.ready) => {
                    known.shown = true;
                    self.debounce.appeared(metric, now);
                }
                _ => self.debounce.changed(metric, now),
            }
        }
    }

    fn control(&mut self, control: Control) {
        // An answer that cannot be delivered has nobody who waits for it.
        match control {
            Control::AddSource(reply) => drop(reply.send(self.add_source())),
            Control::Plans(source, reply) => drop(reply.send(self.plans(source))),
            Control::RemoveSource(source) => self.remove_source(source),
            Control::Register(registration, reply) => drop(reply.send(self.register(*registration))),
            Control::Edit(metric, registration, reply) => drop(reply.send(self.edit(metric, *registration))),
            Control::SetNamespaces(metric, namespaces, reply) => {
                self.engine.set_namespaces(metric, namespaces);
                let _ = reply.send(());
            }
            Control::Remove(metric) => self.remove(metric),
            Control::Flush(reply) => drop(reply.send(self.flush_all())),
            Control::Settle(reply) => {
                self.apply_waiting(usize::MAX);
                let _ = reply.send(());
            }
            Control::Status(metric, reply) => drop(reply.send(self.engine.status(metric))),
            Control::Statuses(metrics, reply) => drop(reply.send(self.statuses(&metrics))),
            Control::Audit(source, seen, reply) => {
                self.apply_waiting(usize::MAX);
                let _ = reply.send(self.engine.audit(source, &seen));
            }
            Control::Mend(source, verdict, reply) => drop(reply.send(self.mend(source, verdict))),
            Control::Shutdown => {}
        }
    }

    fn add_source(&mut self) -> SourceId {
        let source = self.engine.add_source();
        if let Some(plan) = self.engine.field_plan(source) {
            self.plans.insert(source, watch::Sender::new(plan));
        }
        source
    }

    /// Whoever asks for plans is about to list, so what waits is published now.
    fn plans(&mut self, source: SourceId) -> Option<watch::Receiver<Arc<FieldPlan>>> {
        self.publish_plan(source);
        Some(self.plans.get(&source)?.subscribe())
    }

    /// Publishes the newest plan of a source, unless it is known already.
    fn publish_plan(&mut self, source: SourceId) {
        self.epochs.published(source);
        if let Some(plans) = self.plans.get(&source)
            && self.engine.wants_list(source)
            && let Some(plan) = self.engine.field_plan(source)
        {
            plans.send_replace(plan);
        }
    }

    /// What was sent before may complete a metric's move to another source, or be of this one: it comes first.
    fn remove_source(&mut self, source: SourceId) {
        self.apply_waiting(usize::MAX);
        if self.plans.remove(&source).is_some() {
            self.engine.remove_source(source);
            self.epochs.remove(source);
            self.doubted.remove(&source);
            self.note_dirty();
        }
    }

    fn register(&mut self, registration: Registration) -> Result<MetricId, Vec<CompileError>> {
        let Registration { definition, sources, schedule } = registration;
        let metric = self.engine.register(&definition, &sources)?;
        self.registered(metric, Metric::new(&definition, sources), schedule);
        Ok(metric)
    }

    fn edit(&mut self, metric: MetricId, registration: Registration) -> Result<(), Vec<CompileError>> {
        let Some(known) = self.metrics.get(&metric) else { return Ok(()) };
        let Metric { shown, mismatches, .. } = *known;
        let Registration { definition, sources, schedule } = registration;
        self.engine.edit(metric, &definition, &sources)?;
        let edited = Metric { shown, mismatches, ..Metric::new(&definition, sources) };
        self.registered(metric, edited, schedule);
        Ok(())
    }

    fn registered(&mut self, metric: MetricId, known: Metric, schedule: Schedule) {
        let now = self.now();
        for source in known.sources.iter().filter(|source| self.plans.contains_key(source)) {
            self.epochs.raised(*source, now);
        }
        self.metrics.insert(metric, known);
        self.debounce.insert(metric, schedule, now);
        self.note_dirty();
        self.note_cost();
    }

    /// The metric's series vanish in a flush of their own, since no deadline of it is left.
    fn remove(&mut self, metric: MetricId) {
        if let Some(known) = self.metrics.remove(&metric) {
            self.debounce.remove(metric);
            self.engine.remove(metric);
            for source in known.sources {
                self.note_wanted_list(source);
            }
            self.flush(&[metric]);
            self.note_cost();
        }
    }

    fn tick(&mut self) {
        let now = self.now();
        let due = self.debounce.due(now);
        if !due.is_empty() {
            // A heartbeat of what has never been shown has nothing to send.
            let beats = due.heartbeat.into_iter().filter(|metric| self.is_shown(*metric));
            let mut metrics: Vec<_> = due.changed.into_iter().chain(beats).collect();
            metrics.sort_unstable();
            metrics.dedup();
            if !metrics.is_empty() {
                self.flush(&metrics);
                self.look_for_ended_overflow(&metrics, now);
            }
        }
        self.tell_due_accounts(now);
        let due = self.epochs.due(now);
        for source in &due.readmit {
            if self.doubted.remove(source) || self.wants_readmission(*source) {
                self.engine.readmit(*source);
            }
        }
        for source in due.publish.into_iter().chain(due.readmit) {
            self.publish_plan(source);
        }
    }

    fn is_shown(&self, metric: MetricId) -> bool {
        self.metrics.get(&metric).is_some_and(|known| known.shown)
    }

    fn flush(&mut self, metrics: &[MetricId]) {
        for metric in metrics {
            self.debounce.flushed(*metric);
        }
        self.telemetry.count_flush();
        self.snapshots.send_replace(self.engine.flush(metrics));
    }

    /// Applies what was sent before now, so that whoever asks sees the effect of its own changes, and flushes all.
    fn flush_all(&mut self) -> Arc<Snapshot> {
        self.apply_waiting(usize::MAX);
        for metric in self.metrics.keys() {
            self.debounce.flushed(*metric);
        }
        self.telemetry.count_flush();
        self.tell_accounts();
        let snapshot = self.engine.flush_all();
        self.snapshots.send_replace(Arc::clone(&snapshot));
        snapshot
    }

    fn look_for_ended_overflow(&mut self, metrics: &[MetricId], now: Moment) {
        for metric in metrics {
            if let Some(known) = self.metrics.get(metric)
                && self.has_room_again(*metric, known)
            {
                for source in known.sources.iter().filter(|source| self.plans.contains_key(source)) {
                    self.epochs.readmission_wanted(*source, now);
                }
            }
        }
    }

    /// Counts a mismatch, and lets the source evaluate every object anew: what a missed event has left wrong, and what
    /// anything else has. As rarely as series are readmitted, since each costs a LIST.
    fn mend(&mut self, source: SourceId, verdict: Verdict) -> Vec<String> {
        let Verdict::Differs(metrics) = verdict else { return vec![] };
        self.note_cost();
        if self.plans.contains_key(&source) {
            self.doubted.insert(source);
            self.epochs.readmission_wanted(source, self.now());
        }
        let mut names = vec![];
        for metric in metrics {
            if let Some(known) = self.metrics.get_mut(&metric) {
                known.mismatches += 1;
                names.push(known.info.source.clone());
            }
        }
        names
    }

    fn statuses(&self, metrics: &[MetricId]) -> BTreeMap<MetricId, MetricStatus> {
        metrics.iter().filter_map(|metric| Some((*metric, self.engine.status(*metric)?))).collect()
    }

    /// Whether series are folded that would find room if they were told apart.
    fn has_room_again(&self, metric: MetricId, known: &Metric) -> bool {
        let status = self.engine.status(metric).unwrap_or_default();
        status.overflowing && !status.crowded && status.series * 100 < known.max_series * READMISSION_PERCENT
    }

    /// A source waits long for its readmission; by then a list may have come for another reason.
    fn wants_readmission(&self, source: SourceId) -> bool {
        let over = |known: &Metric| known.sources.contains(&source);
        self.metrics.iter().any(|(metric, known)| over(known) && self.has_room_again(*metric, known))
    }
}

// === impl Metric ===

impl Metric {
    /// A metric of which no series was shown yet.
    fn new(definition: &Definition, sources: Vec<SourceId>) -> Self {
        let (info, max_series) = (Arc::clone(&definition.info), definition.max_series);
        Metric { info, sources, max_series, shown: false, mismatches: 0 }
    }
}

#[cfg(test)]
mod tests;

//! One pipeline a sink: what changed leaves at once, everything leaves at the heartbeat, and what the sink did not take
//! leaves again.
//!
//! In: the latest snapshot, which metrics are routed to the sink, its target, whether this process is the one that
//! exports. Out: export requests, at most one at a time; the sink's health. Must never know: Kubernetes, who declares
//! metrics and sinks.
//!
//! A pipeline reads the latest snapshot and compares it with the one it has read before, so a slow sink skips snapshots
//! and misses no state; nothing waits for it, and it waits for no other.

mod slots;
mod withdrawals;
mod backlog;
mod backoff;
mod health;
mod task;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, SystemTime};

use celemetry_engine::snapshot::{MetricId, Snapshot};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::export::otlp::request::Envelope;
use crate::export::profile::Profile;
use crate::export::transport::{AddressPolicy, Client, SinkTarget};
use crate::telemetry::Telemetry;

pub use health::{Counts, Health, State};
use task::Task;

/// What all pipelines of a process have in common.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The conventions that points follow.
    pub profile: Profile,
    /// The resource attributes, each name once.
    pub resource: Vec<(String, String)>,
    /// When the process started: the start time of every point.
    pub started: SystemTime,
    /// At least this often every series is sent again; a metric's own interval may ask for more. 60 s on the command line.
    pub heartbeat: Duration,
    /// Where sinks may be.
    pub policy: AddressPolicy,
    /// Counts what pipelines do.
    pub telemetry: Arc<Telemetry>,
}

/// Opens pipelines. Clone it freely.
#[derive(Clone)]
pub struct Exporter(Arc<Shared>);

struct Shared {
    settings: Settings,
    envelope: Arc<Envelope>,
    snapshots: watch::Receiver<Arc<Snapshot>>,
    lead: Lead,
    open: Mutex<Open>,
    broken: watch::Sender<bool>,
}

/// Whether this process is the one that exports.
#[derive(Clone)]
pub struct Lead {
    /// Whether it does, and every change of that.
    pub active: watch::Receiver<bool>,
    /// Whether it does at this very moment, by the clock as well: a process that stood still learns late that another
    /// has taken over. Asked before every request.
    pub holds: Arc<dyn Fn() -> bool + Send + Sync>,
}

/// The pipelines that are open, to be finished together.
#[derive(Default)]
struct Open {
    pipelines: Vec<Weak<watch::Sender<Demand>>>,
    /// Whether they have been, so that no further one comes to send anything.
    is_finished: bool,
}

/// An open pipeline. Where it is dropped the pipeline ends at once and sends nothing more.
pub struct Sink {
    handle: SinkHandle,
}

/// A way to route metrics to a sink. Does not keep its pipeline open: where that has ended, routes lead nowhere.
#[derive(Clone)]
pub struct SinkHandle {
    demand: Arc<watch::Sender<Demand>>,
    health: watch::Receiver<Health>,
}

/// A metric's way to a sink. Where it is dropped the metric's series are withdrawn there; after [`Exporter::finish`] or
/// [`Sink::finish`] they are not.
pub struct Route {
    demand: Arc<watch::Sender<Demand>>,
    metric: MetricId,
    number: u64,
    exported: watch::Receiver<Option<SystemTime>>,
}

/// What is asked of a pipeline: a state, so that whoever asks never waits, and no queue can fill.
#[derive(Clone)]
struct Demand {
    target: SinkTarget,
    routes: BTreeMap<MetricId, Wish>,
    end: Option<End>,
    next: u64,
}

/// That a metric be routed here.
#[derive(Clone)]
struct Wish {
    /// Which [`Route`] wishes it: the latest for the metric.
    number: u64,
    interval: Duration,
    exported: Arc<watch::Sender<Option<SystemTime>>>,
}

/// How a pipeline ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// At once.
    Now,
    /// Once what is pending has been sent, each point once, or time has run out.
    Flushed(Instant),
}

/// How long the last requests of a pipeline may take, by default. A sink that works answers within milliseconds; one that
/// hangs holds up the next leader no longer than two debounces.
pub const FINISH_DEADLINE: Duration = Duration::from_secs(2);

// === impl Lead ===

impl Lead {
    /// Whoever exports alone.
    pub fn always() -> Self {
        // The receivers keep the last value of a sender that is gone.
        Lead { active: watch::channel(true).1, holds: Arc::new(|| true) }
    }
}

// === impl Exporter ===

impl Exporter {
    /// Pipelines that read `snapshots` and send while this process has the lead.
    pub fn new(settings: Settings, snapshots: watch::Receiver<Arc<Snapshot>>, lead: Lead) -> Self {
        let started = unix_nanos(settings.started);
        let envelope = Arc::new(Envelope::new(settings.profile, &settings.resource, started));
        let open = Mutex::default();
        let broken = watch::Sender::new(false);
        Exporter(Arc::new(Shared { settings, envelope, snapshots, lead, open, broken }))
    }

    /// Opens a pipeline to a sink; `name` is for logs. Nothing is sent before a metric is routed to it, and nothing at all
    /// after [`finish`](Self::finish).
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn open(&self, name: &str, target: SinkTarget) -> Sink {
        let policy = self.0.settings.policy;
        self.open_with(name, target, move |target| Client::new(target.clone(), policy))
    }

    fn open_with<T: task::Transport>(
        &self,
        name: &str,
        target: SinkTarget,
        connect: impl Fn(&SinkTarget) -> T + Send + 'static,
    ) -> Sink {
        let mut open = self.0.open.lock().unwrap_or_else(PoisonError::into_inner);
        let end = open.is_finished.then_some(End::Now);
        let (demand, demands) = watch::channel(Demand { target, routes: BTreeMap::new(), end, next: 0 });
        let demand = Arc::new(demand);
        let (health_sender, health) = watch::channel(Health::default());
        open.pipelines.retain(|demand| demand.strong_count() > 0);
        open.pipelines.push(Arc::downgrade(&demand));
        drop(open);
        let task = Task::new(&self.0, name, demands, health_sender, connect);
        let broken = self.0.broken.clone();
        let running = tokio::spawn(task.run());
        tokio::spawn(async move {
            // Nobody aborts it, so an error is a panic.
            if running.await.is_err() {
                broken.send_replace(true);
            }
        });
        Sink { handle: SinkHandle { demand, health } }
    }

    /// Waits until a pipeline has panicked: its sink would never get anything again.
    pub async fn broken(&self) {
        // The sender is held here, so the wait cannot fail.
        let _ = self.0.broken.subscribe().wait_for(|broken| *broken).await;
    }

    /// Finishes all open pipelines at once, as [`Sink::finish`] does, and for good. Call it before routes and sinks are
    /// dropped.
    pub async fn finish(&self, deadline: Duration) {
        let open: Vec<_> = {
            let mut open = self.0.open.lock().unwrap_or_else(PoisonError::into_inner);
            open.is_finished = true;
            open.pipelines.iter().filter_map(Weak::upgrade).collect()
        };
        let until = Instant::now() + deadline;
        for demand in &open {
            end(demand, End::Flushed(until));
        }
        for demand in &open {
            demand.closed().await;
        }
    }
}

// === impl Sink ===

impl Sink {
    /// A way to route metrics here.
    pub fn handle(&self) -> SinkHandle {
        self.handle.clone()
    }

    /// Where the sink is from now on, and how it knows us. Where that is something else than before, the connection and
    /// the back-off begin anew, and everything is sent.
    pub fn set_target(&self, target: SinkTarget) {
        self.handle.demand.send_if_modified(|demand| {
            let is_other = demand.target != target;
            demand.target = target;
            is_other
        });
    }

    /// What is known of the sink. Changes with every answer.
    pub fn health(&self) -> watch::Receiver<Health> {
        self.handle.health()
    }

    /// Sends what is pending as of the latest snapshot, each point once, and ends; after `deadline` it ends anyhow. Nothing
    /// is withdrawn: the next process goes on with the same series.
    pub async fn finish(self, deadline: Duration) {
        end(&self.handle.demand, End::Flushed(Instant::now() + deadline));
        self.handle.demand.closed().await;
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        end(&self.handle.demand, End::Now);
    }
}

// === impl SinkHandle, Route ===

impl SinkHandle {
    /// Routes a metric to the sink, whose series are all sent, and again at least every `interval`. A second route for
    /// the same metric takes the place of the first: nothing is sent for that, and dropping the first does nothing.
    pub fn route(&self, metric: MetricId, interval: Duration) -> Route {
        let mut route = None;
        self.demand.send_modify(|demand| {
            let number = demand.next;
            demand.next += 1;
            let earlier = demand.routes.get(&metric).map(|wish| Arc::clone(&wish.exported));
            let exported = earlier.unwrap_or_default();
            route = Some((number, exported.subscribe()));
            demand.routes.insert(metric, Wish { number, interval, exported });
        });
        let (number, exported) = route.expect("the closure has run");
        Route { demand: Arc::clone(&self.demand), metric, number, exported }
    }

    /// What is known of the sink. Changes with every answer.
    pub fn health(&self) -> watch::Receiver<Health> {
        self.health.clone()
    }
}

impl Route {
    /// When the sink last acknowledged a point of the metric; `None` until it has, and for ever where there is no series.
    pub fn exported(&self) -> watch::Receiver<Option<SystemTime>> {
        self.exported.clone()
    }
}

impl Drop for Route {
    fn drop(&mut self) {
        self.demand.send_if_modified(|demand| {
            let is_mine = demand.routes.get(&self.metric).is_some_and(|wish| wish.number == self.number);
            if is_mine {
                demand.routes.remove(&self.metric);
            }
            is_mine
        });
    }
}

/// Ends a pipeline. The first end counts: one that is finishing is not cut short by its sink going out of scope.
fn end(demand: &watch::Sender<Demand>, how: End) {
    demand.send_if_modified(|demand| {
        let is_first = demand.end.is_none();
        demand.end.get_or_insert(how);
        is_first
    });
}

/// Nanoseconds since 1970; 0 for a clock that stands before it.
fn unix_nanos(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;

//! Wiring of a program that reads a stream: `run --events`.
//!
//! In: lowered Metrics and settings. Out: a running program and, at its end, the last snapshot. Must never know: how
//! anything is done.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use celemetry_engine::MetricStatus;
use celemetry_engine::audit::{Seen, Verdict};
use celemetry_engine::change::SourceId;
use celemetry_engine::error::CompileError;
use celemetry_engine::snapshot::{MetricId, Snapshot};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use super::{engine_options, until_true};
use crate::admin::{self, Readiness, Server};
use crate::cluster::reread::Rereader;
use crate::cluster::router::Route;
use crate::cluster::stream::{Opened, Placed, Stream, Summary};
use crate::cluster::target::Target;
use crate::controller::{self, Lowered};
use crate::coordinator::debounce::Schedule;
use crate::coordinator::{self, FailureListener, Handle, MetricUpdateCoordinator, Registration, Stopped};
use crate::export::profile::Profile;
use crate::telemetry::Telemetry;

/// What runs, and how.
pub struct Settings {
    /// The Metrics, in the order of their numbers.
    pub metrics: Vec<Lowered>,
    /// At least this often every series is sent again.
    pub heartbeat: Duration,
    /// Serves the series, if there is one.
    pub server: Option<Server>,
    /// The conventions of the page that is served.
    pub profile: Profile,
    /// Told of every expression that has no value for an object.
    pub failures: Box<dyn FailureListener>,
}

/// The task that reads a stream.
pub type StreamTask = JoinHandle<Summary>;

/// A running program, whose objects are still to come.
#[derive(Debug)]
pub struct Running {
    /// The metrics that run, in the order of [`Settings::metrics`].
    pub metrics: Vec<MetricId>,
    routes: Vec<Route>,
    handle: Handle,
    coordinator: JoinHandle<()>,
    server: Option<JoinHandle<()>>,
    closing: watch::Sender<bool>,
}

/// Compares objects that are shown again with what is held of them.
#[derive(Debug)]
pub struct Auditor {
    rereader: Rereader,
    handle: Handle,
}

/// An object, and whether what is held of it is right.
#[derive(Clone, Debug)]
pub struct Compared {
    /// What people call it: `v1/Pod/shop/web-1`.
    pub object: String,
    /// At all sources that mean it.
    pub verdict: Verdict,
}

/// Why a program does not run.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A Metric does not compile.
    #[error("{metric}: {}", errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Compile {
        /// The object that declares it.
        metric: String,
        /// Every defect.
        errors: Vec<CompileError>,
    },
    /// The coordinator ended before its time.
    #[error(transparent)]
    Stopped(#[from] Stopped),
}

/// The sources that metrics need: one for each distinct target, in the order of the targets.
pub fn sources_by_target<'m>(metrics: impl IntoIterator<Item = &'m Lowered>) -> BTreeSet<Target> {
    metrics.into_iter().map(|metric| target_of(&metric.target)).collect()
}

/// The target as `cluster` has it.
pub fn target_of(target: &controller::Target) -> Target {
    Target::new(target.group.as_deref(), target.version.as_deref(), target.kind.as_deref())
}

/// Starts everything but the reading, so that nothing arrives before someone is there to take it.
///
/// # Errors
/// Where a Metric does not compile.
pub async fn start(settings: Settings) -> Result<Running, StartError> {
    let telemetry = Arc::new(Telemetry::default());
    let (coordinator, handle) = MetricUpdateCoordinator::new(coordinator::Settings {
        engine: engine_options(true),
        heartbeat: settings.heartbeat,
        failures: settings.failures,
        telemetry: Arc::clone(&telemetry),
    });
    let coordinator = tokio::spawn(coordinator.run());
    let (closing, closed) = watch::channel(false);
    let server = settings.server.map(|server| {
        let readiness = readiness(&handle, settings.metrics.len());
        let snapshot = handle.snapshots();
        let sources = admin::Sources { snapshot, readiness, profile: settings.profile, telemetry };
        tokio::spawn(server.serve(sources, until_true(closed)))
    });
    let (metrics, routes) = register(&handle, settings.metrics).await?;
    Ok(Running { metrics, routes, handle, coordinator, server, closing })
}

async fn register(handle: &Handle, metrics: Vec<Lowered>) -> Result<(Vec<MetricId>, Vec<Route>), StartError> {
    let mut sources: BTreeMap<Target, SourceId> = BTreeMap::new();
    for target in sources_by_target(&metrics) {
        sources.insert(target, handle.add_source().await?);
    }
    let mut ids = vec![];
    for metric in metrics {
        let source = metric.definition.info.source.clone();
        let registration = Registration {
            sources: vec![sources[&target_of(&metric.target)]],
            definition: metric.definition,
            schedule: Schedule { debounce: metric.debounce, interval: metric.interval },
        };
        let registered = handle.register(registration).await?;
        ids.push(registered.map_err(|errors| StartError::Compile { metric: source, errors })?);
    }
    let mut routes = vec![];
    for (target, source) in sources {
        let plans = handle.plans(source).await?.ok_or(Stopped)?;
        let plan = Arc::clone(&plans.borrow());
        routes.push(Route { target, source, plan });
    }
    Ok((ids, routes))
}

/// Ready means that the first list of every metric is complete.
fn readiness(handle: &Handle, metrics: usize) -> watch::Receiver<Readiness> {
    let mut snapshots = handle.snapshots();
    let waiting = vec!["the first list of every Metric".to_owned()];
    let (sender, readiness) = watch::channel(Readiness { waiting });
    tokio::spawn(async move {
        if snapshots.wait_for(|snapshot| snapshot.metrics.len() >= metrics).await.is_ok() {
            sender.send_replace(Readiness::default());
        }
        // The receivers see the last value of a sender that is gone.
    });
    readiness
}

// === impl Running ===

impl Running {
    /// Reads `input`, whose first list counts as complete after `sync_after` without input. What is odd about it goes
    /// into `notices`.
    pub fn read(&self, input: Opened, sync_after: Duration, notices: mpsc::Sender<Placed>) -> StreamTask {
        let (routes, changes) = (self.routes.clone(), self.handle.changes());
        tokio::spawn(Stream { input, routes, sync_after, changes, notices }.run())
    }

    /// Compares objects that are shown again with what is held of them.
    pub fn auditor(&self) -> Auditor {
        Auditor { rereader: Rereader::new(self.routes.clone()), handle: self.handle.clone() }
    }

    /// The latest snapshot, and its successors.
    pub fn snapshots(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.handle.snapshots()
    }

    /// Applies what was read, flushes everything and publishes it.
    ///
    /// # Errors
    /// Where the coordinator has ended.
    pub async fn flush(&self) -> Result<Arc<Snapshot>, Stopped> {
        self.handle.flush().await
    }

    /// What is known of a metric; `None` where it or the coordinator is gone.
    pub async fn status(&self, metric: MetricId) -> Option<MetricStatus> {
        self.handle.status(metric).await.ok().flatten()
    }

    /// Ends everything in the order of the path, and gives the last snapshot.
    pub async fn finish(self) -> Arc<Snapshot> {
        let snapshots = self.handle.snapshots();
        self.handle.shut_down().await;
        // A coordinator that panicked has left its last snapshot all the same.
        let _ = self.coordinator.await;
        self.closing.send_replace(true);
        if let Some(server) = self.server {
            let _ = server.await;
        }
        Arc::clone(&*snapshots.borrow())
    }
}

// === impl Auditor ===

impl Auditor {
    /// Compares an object as it is now, once everything that was read before has been applied. `None` where no Metric is
    /// over objects of its kind, or nobody can be asked.
    pub async fn compare(&mut self, object: &[u8]) -> Option<Compared> {
        let seen = self.rereader.read(object).ok()?;
        let name = seen.iter().find_map(|(_, seen)| match seen {
            Seen::There(row) => Some(row.label()),
            Seen::Gone(_) => None,
        });
        let (mut differing, mut is_settled) = (vec![], true);
        for (source, seen) in seen {
            match self.handle.audit(source, seen).await.ok()? {
                Verdict::Equal => {}
                Verdict::Unsettled => is_settled = false,
                Verdict::Differs(metrics) => differing.extend(metrics),
            }
        }
        let verdict = match (differing.is_empty(), is_settled) {
            (false, _) => Verdict::Differs(differing),
            (true, true) => Verdict::Equal,
            (true, false) => Verdict::Unsettled,
        };
        Some(Compared { object: name?, verdict })
    }
}

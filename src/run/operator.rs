//! Wiring of a program that follows a cluster: the operator, and `run` over Metrics from files.
//!
//! In: a connection, settings, where Metrics are declared. Out: a running program and, at its end, the last snapshot.
//! Must never know: how anything is done.

use std::collections::BTreeSet;
use std::panic::resume_unwind;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use celemetry_engine::change::{Change, SourceId};
use celemetry_engine::snapshot::Snapshot;
use celemetry_engine::{Failure, Options, SeriesLimits};
use serde_json::Value;
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinError, JoinHandle, JoinSet};

use super::coordinated::Coordinated;
use super::{engine_options, until_true};
use crate::admin::{self, Readiness, Server};
use crate::api::Group;
use crate::cluster::connect::Connected;
use crate::cluster::informer::Pace;
use crate::cluster::manager::{self, DynamicInformerManager};
use crate::cluster::namespaces::NamespaceLabels;
use crate::controller::declared::{self, DeclaredEvent, DeclaredKind, ObjectName, Scope};
use crate::controller::lease::{Election, Leadership};
use crate::controller::metric::{self, Awaited, Context, EventDrivenController, METRIC, Reporter};
use crate::controller::names::Names;
use crate::controller::schema::PublishedSchemas;
use crate::controller::sinks::{DATA_SINK, SinkController, Sinks};
use crate::controller::status::StatusWriter;
use crate::coordinator::{self, FailureListener, Handle, MetricUpdateCoordinator};
use crate::export::pipeline::{self, Exporter, Lead};
use crate::export::profile::Profile;
use crate::export::transport::AddressPolicy;
use crate::telemetry::Telemetry;

/// What runs, and how.
pub struct Settings {
    /// The cluster.
    pub connected: Connected,
    /// Where Metrics are declared.
    pub declared: Declaring,
    /// How Metrics are read.
    pub metrics: metric::Settings,
    /// The conventions of what leaves.
    pub profile: Profile,
    /// Attributes of the resource in OTLP.
    pub resource: Vec<(String, String)>,
    /// At least this often every series is sent again.
    pub heartbeat: Duration,
    /// How many series may be live.
    pub series: SeriesLimits,
    /// How API servers are treated.
    pub pace: Pace,
    /// How many objects are looked at again each minute, and compared with what is held of them.
    pub audits_per_minute: u32,
    /// Which addresses sinks may have.
    pub policy: AddressPolicy,
    /// Who leads, where several run.
    pub election: Election,
    /// What tells this process from its replicas, as Events name it.
    pub instance: String,
    /// Serve the series and the probes.
    pub servers: Vec<Server>,
    /// The counters of the process.
    pub telemetry: Arc<Telemetry>,
}

/// Where Metrics are declared.
pub enum Declaring {
    /// In the cluster, with DataSinks and status.
    Cluster {
        /// Metrics of these namespaces alone are followed; of all where there are none.
        namespaces: BTreeSet<String>,
    },
    /// Here, once; what becomes of them is told to the reporter, and nothing is written in the cluster.
    Here(Vec<(ObjectName, Value)>, Arc<dyn Reporter>),
}

/// A running program.
pub struct Running {
    coordinator: Handle,
    coordinating: JoinHandle<()>,
    exporter: Exporter,
    election: Election,
    readiness: watch::Receiver<Readiness>,
    closing: watch::Sender<bool>,
    servers: JoinSet<()>,
    /// Controllers and what feeds them: they end with the program.
    tasks: JoinSet<()>,
}

/// Failures are counted by the engine, and shown in status.
struct Counted;

/// Declared objects that may wait for their controller, one kind each. When full their reading waits.
const DECLARED_CAPACITY: usize = 256;

/// Starts everything, downstream first, so that nothing arrives before someone is there to take it.
pub fn start(settings: Settings) -> Running {
    let Settings { connected, telemetry, election, .. } = settings;
    let (coordinator, handle) = MetricUpdateCoordinator::new(coordinator::Settings {
        engine: Options { series: settings.series, ..engine_options(true) },
        heartbeat: settings.heartbeat,
        failures: Box::new(Counted),
        telemetry: Arc::clone(&telemetry),
    });
    let coordinating = tokio::spawn(coordinator.run());
    let leadership = election.leadership();
    let leader = leadership.watch();
    let holds = leadership.clone();
    let lead = Lead { active: leader.clone(), holds: Arc::new(move || holds.holds()) };
    let pipelines = pipeline::Settings {
        profile: settings.profile,
        resource: settings.resource,
        started: SystemTime::now(),
        heartbeat: settings.heartbeat,
        policy: settings.policy,
        telemetry: Arc::clone(&telemetry),
    };
    let exporter = Exporter::new(pipelines, handle.snapshots(), lead);
    let controlling = Controlling {
        client: connected.client,
        coordinator: handle.clone(),
        exporter: exporter.clone(),
        leadership,
        instance: settings.instance,
        telemetry: Arc::clone(&telemetry),
        pace: settings.pace,
        audits_per_minute: settings.audits_per_minute,
        profile: settings.profile,
        tasks: JoinSet::new(),
    };
    let (mut tasks, waiting) = controlling.start(settings.metrics, settings.declared);
    let readiness = readiness(&mut tasks, waiting);
    let (closing, closed) = watch::channel(false);
    let shown = shown_by_leader(&mut tasks, handle.snapshots(), leader, closed.clone());
    let mut servers = JoinSet::new();
    for server in settings.servers {
        let sources = admin::Sources {
            snapshot: shown.clone(),
            readiness: readiness.clone(),
            profile: settings.profile,
            telemetry: Arc::clone(&telemetry),
        };
        servers.spawn(server.serve(sources, until_true(closed.clone())));
    }
    Running { coordinator: handle, coordinating, exporter, election, readiness, closing, servers, tasks }
}

/// What controllers are joined to.
struct Controlling {
    client: kube::Client,
    coordinator: Handle,
    exporter: Exporter,
    leadership: Leadership,
    instance: String,
    telemetry: Arc<Telemetry>,
    pace: Pace,
    audits_per_minute: u32,
    profile: Profile,
    tasks: JoinSet<()>,
}

impl Controlling {
    /// Starts informers and controllers. Gives their tasks, and what is waited for before all is ready.
    fn start(
        mut self,
        settings: metric::Settings,
        declaring: Declaring,
    ) -> (JoinSet<()>, watch::Receiver<BTreeSet<Awaited>>) {
        let intake = Coordinated::new(self.coordinator.clone(), Arc::clone(&self.telemetry));
        let informing =
            manager::Settings { pace: self.pace.clone(), audits_per_minute: self.audits_per_minute };
        let (informers, keeping) = DynamicInformerManager::new(self.client.clone(), intake, informing);
        self.tasks.spawn(keeping);
        let (sinks, reporter) = match &declaring {
            Declaring::Cluster { namespaces } => {
                self.sinks(scopes(namespaces, Some(&settings.config_namespace)))
            }
            Declaring::Here(_, reporter) => (None, Arc::clone(reporter)),
        };
        let (namespaces, following) = NamespaceLabels::new(self.client.clone(), self.pace.clone());
        self.tasks.spawn(following);
        let (schemas, looking) = PublishedSchemas::new(self.client.clone(), informers.redefinitions());
        self.tasks.spawn(looking);
        let context = Context {
            snapshots: self.coordinator.snapshots(),
            coordinator: self.coordinator.clone(),
            informers,
            schemas,
            namespaces,
            names: Names::new(self.profile),
            sinks,
            reporter,
            settings,
        };
        let scopes = match &declaring {
            Declaring::Cluster { namespaces } => scopes(namespaces, None),
            Declaring::Here(..) => BTreeSet::new(),
        };
        let (controller, waiting) = EventDrivenController::new(context, scopes.clone());
        let (events, inbox) = mpsc::channel(DECLARED_CAPACITY);
        self.tasks.spawn(controller.run(inbox));
        match declaring {
            Declaring::Cluster { .. } => self.follow(METRIC, scopes, &events),
            Declaring::Here(metrics, _) => drop(self.tasks.spawn(declare(metrics, events))),
        }
        (self.tasks, waiting)
    }

    /// DataSinks and the writer of status.
    fn sinks(&mut self, scopes: BTreeSet<Scope>) -> (Option<watch::Receiver<Sinks>>, Arc<dyn Reporter>) {
        let (writer, status) =
            StatusWriter::new(self.client.clone(), self.leadership.clone(), Arc::clone(&self.telemetry));
        self.tasks.spawn(writer.reporting_as(&self.instance).run());
        let (controller, sinks) =
            SinkController::new(self.client.clone(), self.exporter.clone(), status.clone(), scopes.clone());
        let (events, inbox) = mpsc::channel(DECLARED_CAPACITY);
        self.follow(DATA_SINK, scopes, &events);
        self.tasks.spawn(controller.run(inbox));
        (Some(sinks), Arc::new(status))
    }

    fn follow(&mut self, kind: DeclaredKind, scopes: BTreeSet<Scope>, events: &mpsc::Sender<DeclaredEvent>) {
        for (group, namespace) in scopes {
            let (client, pace) = (self.client.clone(), self.pace.clone());
            self.tasks.spawn(declared::follow(client, (group, kind), namespace, pace, events.clone()));
        }
    }
}

/// Both groups, in each of these namespaces and one more, or in all where none are named.
fn scopes(namespaces: &BTreeSet<String>, more: Option<&String>) -> BTreeSet<Scope> {
    let within: BTreeSet<Option<String>> = match namespaces.is_empty() {
        true => BTreeSet::from([None]),
        false => namespaces.iter().chain(more).cloned().map(Some).collect(),
    };
    Group::ALL.iter().flat_map(|group| within.iter().map(|namespace| (*group, namespace.clone()))).collect()
}

/// Declares Metrics that are known, and no others. The channel stays open: closed, it would end the controller.
async fn declare(metrics: Vec<(ObjectName, Value)>, events: mpsc::Sender<DeclaredEvent>) {
    for (name, value) in metrics {
        // Refused only by a controller that has ended.
        let _ = events.send(DeclaredEvent::Applied(name, Box::new(value))).await;
    }
    events.closed().await;
}

/// Ready from the first time on that nothing is waited for: a Metric that is declared later makes no replica unready,
/// since that would take everybody's series from those who scrape it.
fn readiness(
    tasks: &mut JoinSet<()>,
    mut waiting: watch::Receiver<BTreeSet<Awaited>>,
) -> watch::Receiver<Readiness> {
    let of = |waiting: &BTreeSet<Awaited>| Readiness {
        waiting: waiting.iter().map(|awaited| awaited.name.clone()).collect(),
    };
    let (sender, readiness) = watch::channel(of(&waiting.borrow_and_update()));
    tasks.spawn(async move {
        loop {
            let now = of(&waiting.borrow_and_update());
            let is_ready = now.waiting.is_empty();
            sender.send_replace(now);
            if is_ready || waiting.changed().await.is_err() {
                break;
            }
        }
        sender.closed().await;
    });
    readiness
}

/// The series as a page shows them: those of a replica that does not lead would be there twice. Whoever is still being
/// served at the end is shown the last ones.
fn shown_by_leader(
    tasks: &mut JoinSet<()>,
    mut snapshots: watch::Receiver<Arc<Snapshot>>,
    mut leader: watch::Receiver<bool>,
    closed: watch::Receiver<bool>,
) -> watch::Receiver<Arc<Snapshot>> {
    let (sender, shown) = watch::channel(Arc::default());
    tasks.spawn(async move {
        let mut closed = pin!(until_true(closed));
        loop {
            let leads = *leader.borrow_and_update();
            let snapshot = Arc::clone(&snapshots.borrow_and_update());
            sender.send_replace(if leads { snapshot } else { Arc::default() });
            tokio::select! {
                biased;
                () = &mut closed => return,
                changed = snapshots.changed() => if changed.is_err() {
                    return;
                },
                // Who leads for ever has nobody who could say otherwise.
                Ok(()) = leader.changed() => {}
                else => return,
            }
        }
    });
    shown
}

/// The first task that has panicked; tasks that end are no failure.
async fn failed(tasks: &mut JoinSet<()>) -> JoinError {
    loop {
        match tasks.join_next().await {
            Some(Err(error)) => return error,
            Some(Ok(())) => {}
            None => std::future::pending().await,
        }
    }
}

// === impl Running ===

impl Running {
    /// The latest snapshot, and its successors.
    pub fn snapshots(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.coordinator.snapshots()
    }

    /// What is waited for before the program counts as ready.
    pub fn readiness(&self) -> watch::Receiver<Readiness> {
        self.readiness.clone()
    }

    /// Waits for ever, unless something the program cannot do without has failed.
    ///
    /// # Panics
    /// Then, as whatever has panicked: half a program would show numbers that nobody keeps right. Whoever started it
    /// starts it anew.
    pub async fn watch_over(&mut self) {
        let panicked = tokio::select! {
            ended = &mut self.coordinating => ended.err(),
            ended = failed(&mut self.tasks) => Some(ended),
            ended = failed(&mut self.servers) => Some(ended),
            () = self.exporter.broken() => panic!("a pipeline has panicked"),
        };
        match panicked.map(JoinError::try_into_panic) {
            Some(Ok(panic)) => resume_unwind(panic),
            _ => panic!("a part of the program has ended by itself"),
        }
    }

    /// Ends everything: what has changed is sent, the lease given back, nothing withdrawn, since a successor goes on with
    /// the same series. Gives the last snapshot.
    pub async fn finish(mut self) -> Arc<Snapshot> {
        // A coordinator that has ended has nothing more to flush.
        let last = self
            .coordinator
            .flush()
            .await
            .unwrap_or_else(|_| Arc::clone(&self.coordinator.snapshots().borrow()));
        self.exporter.finish(pipeline::FINISH_DEADLINE).await;
        // Whoever scrapes meets nobody rather than a page without series, which would say that they are gone; a slow reader
        // holds up no successor.
        self.closing.send_replace(true);
        let drained = async { while self.servers.join_next().await.is_some() {} };
        tokio::join!(drained, self.election.release());
        // First the coordinator: what ends after it takes no metric away.
        self.coordinator.shut_down().await;
        // A coordinator that panicked has left its last snapshot all the same.
        let _ = self.coordinating.await;
        self.tasks.shutdown().await;
        last
    }
}

// === impl Counted ===

impl FailureListener for Counted {
    fn applying(&mut self, _: SourceId, _: &Change) {}

    fn failed(&mut self, _: &Failure<'_>) {}
}

//! One Metric for as long as it is declared.
//!
//! In: the Metric as it is written; what its target, name, sink and namespaces mean now. Out: what should be registered,
//! watched and routed is; status. Must never know: other Metrics.
//!
//! Everything is decided anew whenever anything changes, from what holds then; nothing depends on the order in which it
//! changed. What is held already and still right is left alone.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use celemetry_engine::definition::{Definition, MetricInfo};
use celemetry_engine::snapshot::{MetricShape, Snapshot};
use futures_util::future::select_all;
use serde_json::Value;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};
use tracing::Instrument;

use super::declaration::{Declaration, shape, wanted};
use super::placement::{Placement, Sight, decide};
use super::{Context, METRIC, Report, Unsettled};
use crate::cluster::feed::SourceState;
use crate::cluster::manager::{Interest, Observed, Resolution, Wanted};
use crate::cluster::namespaces::Namespaces;
use crate::controller::declared::ObjectName;
use crate::controller::lower::{LowerError, Lowered};
use crate::controller::names::{Claim, Verdict};
use crate::controller::registered::Registered;
use crate::controller::sinks::{SinkView, Sinks};
use crate::coordinator::Registration;
use crate::coordinator::debounce::Schedule;
use crate::export::pipeline::Route;
use crate::telemetry::span;

/// The task of one Metric.
pub(super) struct MetricTask {
    pub(super) context: Arc<Context>,
    pub(super) name: ObjectName,
    inbox: watch::Receiver<Arc<Value>>,
    unsettled: Unsettled,
    pub(super) report: Box<dyn Report>,
    pub(super) declaration: Declaration,
    /// The fields by which the server selects the target's objects, as far as they were asked for.
    selectable: Vec<String>,
    pub(super) watched: Option<Watched>,
    pub(super) claimed: Option<Claimed>,
    pub(super) placed: Option<Placed>,
    /// A registration that does not compile, and is not tried again.
    pub(super) refused: Option<Refused>,
    pub(super) routed: Option<Routed>,
    /// The DataSink that the Metric names, as it is now.
    pub(super) sink: Option<(ObjectName, watch::Receiver<SinkView>)>,
    namespaces: Option<watch::Receiver<Option<Arc<Namespaces>>>>,
    sinks: watch::Receiver<Sinks>,
    snapshots: watch::Receiver<Arc<Snapshot>>,
    /// Since when the target has meant nothing.
    pub(super) blind_since: Option<Instant>,
    /// When to decide again although nothing changes.
    decide_at: Option<Instant>,
}

/// An interest in the target, and what is seen of it.
pub(super) struct Watched {
    wanted: Wanted,
    _interest: Interest,
    pub(super) resolution: watch::Receiver<Resolution>,
    /// How the sources of the latest resolution are doing.
    pub(super) states: Vec<watch::Receiver<SourceState>>,
}

/// A claim to the metric's name.
pub(super) struct Claimed {
    info: Arc<MetricInfo>,
    shape: MetricShape,
    pub(super) verdict: watch::Receiver<Verdict>,
    _claim: Claim,
}

/// A registration, and the sources that it needs.
pub(super) struct Placed {
    pub(super) registered: Registered,
    /// What is registered, without namespaces.
    definition: Definition,
    schedule: Schedule,
    namespaces: Option<BTreeSet<String>>,
    pub(super) sources: Vec<Observed>,
    /// Sources of the definition before, which count until the new one has seen its lists.
    former: Vec<Observed>,
    /// Whether the definition has seen its lists.
    pub(super) complete: bool,
}

/// A registration that does not compile.
pub(super) struct Refused {
    definition: Definition,
    pub(super) errors: Vec<LowerError>,
}

/// A way to a sink.
pub(super) struct Routed {
    sink: ObjectName,
    opened: u64,
    interval: Duration,
    pub(super) route: Route,
}

/// The task has nobody to work for any more.
pub(super) struct Ended;

/// How often the counters of a status are looked at.
const LOOK: Duration = Duration::from_secs(15);

/// Namespaces that are listed one by one when a metric comes to count them. Beyond it the whole kind is listed once.
const MOST_REVIEWED: usize = 20;

// === impl MetricTask ===

impl MetricTask {
    pub(super) fn new(
        context: Arc<Context>,
        name: ObjectName,
        mut inbox: watch::Receiver<Arc<Value>>,
        unsettled: Unsettled,
    ) -> Self {
        let value = Arc::clone(&inbox.borrow_and_update());
        let report = context.reporter.open(&name, &value);
        let declaration = Declaration::new(&value, &context.settings, &[]);
        let (sinks, snapshots) = (context.sinks.clone(), context.snapshots.clone());
        MetricTask {
            context,
            name,
            inbox,
            unsettled,
            report,
            declaration,
            selectable: vec![],
            watched: None,
            claimed: None,
            placed: None,
            refused: None,
            routed: None,
            sink: None,
            namespaces: None,
            sinks,
            snapshots,
            blind_since: None,
            decide_at: None,
        }
    }

    /// Runs until the Metric is gone, or nobody works for it any more.
    pub(super) async fn run(mut self) {
        // An error is a part of the process that has ended, and so does this.
        let ObjectName { namespace, name, .. } = self.name.clone();
        let traced = || span::reconcile(METRIC.kind, &namespace, &name);
        while self.reconcile().instrument(traced()).await.is_ok() {
            match self.wait().await {
                Wake::Something => {}
                Wake::Declared(value) => {
                    self.selectable.clear();
                    self.declaration = Declaration::new(&value, &self.context.settings, &[]);
                }
                Wake::Gone => break,
            }
        }
        self.unsettled.settle(&self.name.to_string());
    }

    async fn reconcile(&mut self) -> Result<(), Ended> {
        self.claim();
        self.watch().await?;
        let now = Instant::now();
        let sight = self.sight(now);
        let (placement, decide_at) = self.placement(&sight, now);
        self.decide_at = decide_at;
        match placement {
            Placement::Keep => {}
            Placement::Withdraw => {
                self.routed = None;
                self.placed = None;
            }
            Placement::Place(sources) => {
                let observed = self.observed();
                let wanted = observed.into_iter().filter(|seen| sources.contains(&seen.source)).collect();
                self.place(wanted).await?;
            }
        }
        self.complete().await?;
        self.route();
        if self.tell(&sight, now).await? {
            self.unsettled.settle(&self.name.to_string());
        }
        Ok(())
    }

    /// Claims the metric's name; of a Metric with defects the claim before stands.
    fn claim(&mut self) {
        let Some(lowered) = &self.declaration.lowered else { return };
        let (info, shape) = (&lowered.definition.info, shape(lowered));
        if self.claimed.as_ref().is_some_and(|claimed| claimed.info == *info && claimed.shape == shape) {
            return;
        }
        // First the old claim goes: a metric does not stand in its own way.
        self.claimed = None;
        let claim = self.context.names.claim(Arc::clone(info), shape, self.declaration.created);
        self.claimed =
            Some(Claimed { info: Arc::clone(info), shape, verdict: claim.verdict(), _claim: claim });
    }

    /// Becomes interested in what the Metric wants to see. The sources of what it wanted before are held elsewhere.
    async fn watch(&mut self) -> Result<(), Ended> {
        self.learn_selectable().await?;
        let Some(lowered) = &self.declaration.lowered else { return Ok(()) };
        let wanted = wanted(lowered);
        if self.watched.as_ref().is_some_and(|watched| watched.wanted == wanted) {
            return Ok(());
        }
        let interest = self.context.informers.want(wanted.clone()).await.map_err(|_| Ended)?;
        let resolution = interest.resolution();
        self.watched = Some(Watched { wanted, _interest: interest, resolution, states: vec![] });
        Ok(())
    }

    /// A field selector that not all is known of may be one of fields that a definition names.
    async fn learn_selectable(&mut self) -> Result<(), Ended> {
        let Some(lowered) = &self.declaration.lowered else { return Ok(()) };
        if lowered.field_selector.is_none() || !self.selectable.is_empty() {
            return Ok(());
        }
        let fields =
            self.context.informers.selectable_fields(wanted(lowered).target).await.map_err(|_| Ended)?;
        if !fields.is_empty() {
            self.declaration.lower(&self.context.settings, &fields);
            self.selectable = fields;
        }
        Ok(())
    }

    /// What is seen of the target now.
    fn sight(&mut self, now: Instant) -> Sight {
        let Some(watched) = &mut self.watched else { return Sight::Unknown };
        let resolution = watched.resolution.borrow_and_update().clone();
        let found = match resolution {
            Resolution::Pending => return Sight::Unknown,
            Resolution::Unknown(_) | Resolution::Unresolved(_) => {
                watched.states.clear();
                return Sight::Blind { since: *self.blind_since.get_or_insert(now) };
            }
            Resolution::Found(found) => found,
        };
        self.blind_since = None;
        watched.states = found.iter().map(|observed| observed.state.clone()).collect();
        let mut states = watched.states.iter_mut();
        let state = |observed: &Observed| {
            let state = states.next().map(|state| state.borrow_and_update().clone());
            (observed.source, state.unwrap_or_default())
        };
        Sight::Sources(found.iter().map(state).collect())
    }

    fn observed(&self) -> Vec<Observed> {
        match self.watched.as_ref().map(|watched| watched.resolution.borrow().clone()) {
            Some(Resolution::Found(found)) => found,
            _ => vec![],
        }
    }

    fn placement(&mut self, sight: &Sight, now: Instant) -> (Placement, Option<Instant>) {
        if self.claimed.as_mut().is_some_and(|claimed| claimed.verdict.borrow_and_update().is_some()) {
            return (Placement::Withdraw, None);
        }
        if self.declaration.lowered.is_none() {
            return (Placement::Keep, None);
        }
        decide(sight, now, self.context.settings.stale_after)
    }

    /// Lets the metric count the objects of these sources as the Metric says.
    async fn place(&mut self, sources: Vec<Observed>) -> Result<(), Ended> {
        let Some(lowered) = self.declaration.lowered.clone() else { return Ok(()) };
        let Some(namespaces) = self.counted_namespaces(&lowered) else { return Ok(()) };
        let schedule = Schedule { debounce: lowered.debounce, interval: lowered.interval };
        let definition = Definition { namespaces: None, ..lowered.definition };
        if self.refused.as_ref().is_some_and(|refused| refused.definition == definition) {
            return Ok(());
        }
        let registration = Registration {
            definition: Definition { namespaces: namespaces.clone(), ..definition.clone() },
            sources: sources.iter().map(|observed| observed.source).collect(),
            schedule,
        };
        let outcome = match &mut self.placed {
            None => {
                let registered = Registered::new(&self.context.coordinator, registration).await;
                registered.map_err(|_| Ended)?.map(|registered| {
                    let (former, complete) = (vec![], false);
                    let placed = Placed {
                        registered,
                        definition: definition.clone(),
                        schedule,
                        namespaces,
                        sources,
                        former,
                        complete,
                    };
                    self.placed = Some(placed);
                })
            }
            Some(placed) if placed.is(&definition, schedule, &sources) => {
                self.refused = None;
                return placed.set_namespaces(namespaces, registration).await;
            }
            Some(placed) => {
                let edited = placed.registered.edit(registration).await.map_err(|_| Ended)?;
                edited.map(|()| placed.became(definition.clone(), schedule, namespaces, sources))
            }
        };
        self.refused = outcome.err().map(|errors| Refused { definition, errors });
        Ok(())
    }

    /// The namespaces whose objects count: `Some(None)` for all, `None` where that is not known yet.
    fn counted_namespaces(&mut self, lowered: &Lowered) -> Option<Option<BTreeSet<String>>> {
        let counted = if lowered.namespace_selector.is_some() {
            let labels = self.namespaces.get_or_insert_with(|| self.context.namespaces.watch());
            let labels = labels.borrow_and_update().clone()?;
            lowered.counted_namespaces(labels.iter().map(|(name, labels)| (name.as_str(), labels)))
        } else {
            self.namespaces = None;
            lowered.counted_namespaces([])
        };
        let tenant = self.declaration.namespaces_of_tenant(self.context.settings.tenancy);
        Some(match (counted, tenant) {
            (Some(counted), Some(tenant)) => Some(counted.intersection(&tenant).cloned().collect()),
            (counted, tenant) => counted.or(tenant),
        })
    }

    /// Notes when the definition has seen its lists, and gives up the sources of the one before.
    async fn complete(&mut self) -> Result<(), Ended> {
        let Some(placed) = &mut self.placed else { return Ok(()) };
        if placed.complete && placed.former.is_empty() {
            return Ok(());
        }
        // Whatever completes it shows in a snapshot later than this one.
        self.snapshots.borrow_and_update();
        self.context.coordinator.settle().await.map_err(|_| Ended)?;
        let status = self.context.coordinator.status(placed.registered.id()).await.map_err(|_| Ended)?;
        placed.complete = status.is_some_and(|status| status.ready && !status.pending);
        if placed.complete {
            placed.former.clear();
        }
        Ok(())
    }

    /// Sends the series where the Metric says. The new way is there before the old one goes.
    fn route(&mut self) {
        self.find_sink();
        let view = self.sink.as_mut().map(|(name, view)| (name.clone(), view.borrow_and_update().clone()));
        let pipeline = view.and_then(|(name, view)| Some((name, view.opened, view.pipeline?)));
        let (Some(placed), Some((sink, opened, pipeline))) = (&self.placed, pipeline) else {
            self.routed = None;
            return;
        };
        let interval = placed.schedule.interval;
        let is_right =
            |routed: &Routed| routed.sink == sink && routed.opened == opened && routed.interval == interval;
        if !self.routed.as_ref().is_some_and(is_right) {
            let route = pipeline.route(placed.registered.id(), interval);
            self.routed = Some(Routed { sink, opened, interval, route });
        }
    }

    /// Finds the DataSink that the Metric names: of its own group, or of the other.
    fn find_sink(&mut self) {
        let named = match &self.declaration.lowered {
            Some(lowered) => lowered.data_sink.clone(),
            // With a defect the way before stands.
            None => return,
        };
        let Some(name) = named else {
            self.sink = None;
            return;
        };
        let namespace = self.declaration.namespace_of_sinks(&self.context.settings);
        let sinks = self.sinks.borrow_and_update().clone();
        let found = crate::api::Group::ALL
            .into_iter()
            .map(|group| ObjectName { group, namespace: namespace.clone(), name: name.clone() })
            .filter_map(|name| Some((name.clone(), sinks.get(&name)?.clone())))
            .min_by_key(|(name, _)| name.group != self.name.group);
        if self.sink.as_ref().map(|(name, _)| name) != found.as_ref().map(|(name, _)| name) {
            self.sink = found;
        } else if let (Some((_, held)), Some((_, found))) = (&mut self.sink, found)
            && !held.same_channel(&found)
        {
            // The same name is another DataSink by now.
            *held = found;
        }
    }

    /// Waits until something changes that the Metric depends on.
    async fn wait(&mut self) -> Wake {
        let until = Instant::now() + LOOK;
        let until = self.decide_at.map_or(until, |at| at.min(until));
        let is_incomplete =
            self.placed.as_ref().is_some_and(|placed| !placed.complete || !placed.former.is_empty());
        let (resolution, states) = match &mut self.watched {
            Some(watched) => (Some(&mut watched.resolution), &mut watched.states[..]),
            None => (None, &mut [][..]),
        };
        tokio::select! {
            declared = self.inbox.changed() => match declared {
                Ok(()) => Wake::Declared(Arc::clone(&self.inbox.borrow_and_update())),
                Err(_) => Wake::Gone,
            },
            () = changed(resolution) => Wake::Something,
            () = any_changed(states) => Wake::Something,
            () = changed(self.claimed.as_mut().map(|claimed| &mut claimed.verdict)) => Wake::Something,
            () = changed(Some(&mut self.sinks)) => Wake::Something,
            () = changed(self.sink.as_mut().map(|(_, view)| view)) => Wake::Something,
            () = changed(self.namespaces.as_mut()) => Wake::Something,
            () = changed(Some(&mut self.snapshots)), if is_incomplete => Wake::Something,
            () = sleep_until(until) => Wake::Something,
        }
    }
}

/// Why a task goes on.
enum Wake {
    Something,
    Declared(Arc<Value>),
    Gone,
}

/// Waits for another value; for ever where there is none to wait for.
async fn changed<T>(receiver: Option<&mut watch::Receiver<T>>) {
    let changed = match receiver {
        Some(receiver) => receiver.changed().await.is_ok(),
        None => false,
    };
    if !changed {
        std::future::pending::<()>().await;
    }
}

async fn any_changed(states: &mut [watch::Receiver<SourceState>]) {
    if states.is_empty() {
        return std::future::pending().await;
    }
    select_all(states.iter_mut().map(|state| Box::pin(changed(Some(state))))).await;
}

// === impl Placed ===

impl Placed {
    /// Whether this is registered, as far as it does not concern namespaces.
    fn is(&self, definition: &Definition, schedule: Schedule, sources: &[Observed]) -> bool {
        let ids = |sources: &[Observed]| sources.iter().map(|observed| observed.source).collect::<Vec<_>>();
        self.definition == *definition && self.schedule == schedule && ids(&self.sources) == ids(sources)
    }

    /// Lets the metric count other namespaces: their objects are looked at again, or everything where they are many.
    async fn set_namespaces(
        &mut self,
        namespaces: Option<BTreeSet<String>>,
        registration: Registration,
    ) -> Result<(), Ended> {
        let differing: Vec<String> = match (&self.namespaces, &namespaces) {
            (before, after) if before == after => return Ok(()),
            (Some(before), Some(after)) => before.symmetric_difference(after).cloned().collect(),
            _ => vec![],
        };
        if differing.is_empty() || differing.len() > MOST_REVIEWED {
            // It compiled before, and namespaces are no expressions.
            let _ = self.registered.edit(registration).await.map_err(|_| Ended)?;
            self.complete = false;
        } else {
            self.registered.set_namespaces(namespaces.clone()).await.map_err(|_| Ended)?;
            for source in &self.sources {
                source.review(differing.clone());
            }
        }
        self.namespaces = namespaces;
        Ok(())
    }

    fn became(
        &mut self,
        definition: Definition,
        schedule: Schedule,
        namespaces: Option<BTreeSet<String>>,
        sources: Vec<Observed>,
    ) {
        self.former.append(&mut self.sources);
        self.former.retain(|old| !sources.iter().any(|new| new.source == old.source));
        self.sources = sources;
        (self.definition, self.schedule, self.namespaces) = (definition, schedule, namespaces);
        self.complete = false;
    }
}

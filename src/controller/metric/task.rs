//! One Metric for as long as it is declared.
//!
//! In: the Metric as it is written; what its target, name, sink and namespaces mean now. Out: what should be registered,
//! watched and routed is; status. Must never know: other Metrics.
//!
//! Everything is decided anew whenever anything changes, from what holds then; nothing depends on the order in which it
//! changed. What is held already and still right is left alone.

use std::sync::Arc;
use std::time::Duration;

use celemetry_engine::definition::MetricInfo;
use celemetry_engine::snapshot::{MetricId, MetricShape, MetricTable, Snapshot};
use futures_util::future::select_all;
use serde_json::Value;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};
use tracing::Instrument;

use super::declaration::{Declaration, shape, wanted};
use super::fitting::Fitted;
use super::placement::{Placement, Sight, decide, stale_at};
use super::placing::{Placed, Refused, is_outside_namespaces};
use super::routing::Routed;
use super::{Context, Inbox, METRIC, Report};
use crate::cluster::feed::SourceState;
use crate::cluster::manager::{Interest, Observed, Resolution, Wanted};
use crate::cluster::namespaces::NamespacesSeen;
use crate::cluster::resource::Resource;
use crate::controller::declared::ObjectName;
use crate::controller::names::{Claim, Verdict};
use crate::controller::sinks::{SinkView, Sinks};
use crate::controller::tenancy::Tenancy;
use crate::telemetry::span;

/// The task of one Metric.
pub(super) struct MetricTask {
    pub(super) context: Arc<Context>,
    pub(super) name: ObjectName,
    pub(super) inbox: Inbox,
    pub(super) report: Box<dyn Report>,
    pub(super) declaration: Declaration,
    /// The fields by which the server selects the target's objects, as far as they were asked for.
    selectable: Vec<String>,
    /// When to ask for them again.
    selectable_due: Option<Instant>,
    /// The kinds that they were asked for.
    selectable_of: Vec<Resource>,
    pub(super) watched: Option<Watched>,
    pub(super) claimed: Option<Claimed>,
    pub(super) placed: Option<Placed>,
    /// What of the Metric fits no object of its target.
    pub(super) fitted: Fitted,
    /// A registration that does not compile, and is not tried again.
    pub(super) refused: Option<Refused>,
    pub(super) routed: Option<Routed>,
    /// The DataSink that the Metric names, as it is now.
    pub(super) sink: Option<(ObjectName, watch::Receiver<SinkView>)>,
    /// The namespaces of the cluster, where they decide what counts.
    pub(super) namespaces: Option<watch::Receiver<NamespacesSeen>>,
    pub(super) sinks: Option<watch::Receiver<Sinks>>,
    pub(super) snapshots: watch::Receiver<Arc<Snapshot>>,
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

/// The task has nobody to work for any more.
pub(super) struct Ended;

/// How long no answer about selectable fields is good for, before they are asked for again.
const ASK_AGAIN: Duration = Duration::from_secs(60);

/// How often the counters of a status are looked at.
const LOOK: Duration = Duration::from_secs(15);

// === impl MetricTask ===

impl MetricTask {
    pub(super) fn new(context: Arc<Context>, name: ObjectName, mut inbox: Inbox) -> Self {
        let value = Arc::clone(&inbox.declared.borrow_and_update());
        let report = context.reporter.open(&name, &value);
        let declaration = Declaration::new(&value, &context.settings, &[]);
        let (sinks, snapshots) = (context.sinks.clone(), context.snapshots.clone());
        MetricTask {
            context,
            name,
            inbox,
            report,
            declaration,
            selectable: vec![],
            selectable_due: None,
            selectable_of: vec![],
            watched: None,
            claimed: None,
            placed: None,
            fitted: Fitted::default(),
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

    /// Runs until the Metric is gone, or nobody works for it any more. `settle` is called while nothing is waited for.
    pub(super) async fn run(mut self, settle: impl Fn()) {
        // An error is a part of the process that has ended, and so does this.
        let ObjectName { namespace, name, .. } = self.name.clone();
        let traced = || span::reconcile(METRIC.kind, &namespace, &name);
        while let Ok(is_settled) = self.reconcile().instrument(traced()).await {
            if is_settled {
                settle();
            }
            match self.wait().await {
                Wake::Something => {}
                Wake::Stored(value) => self.report.stored(&value),
                Wake::Declared(value) => {
                    self.selectable.clear();
                    (self.selectable_due, self.refused) = (None, None);
                    self.fitted.forget();
                    self.declaration = Declaration::new(&value, &self.context.settings, &[]);
                }
                Wake::Gone => break,
            }
        }
    }

    /// Makes what is so as the Metric wants it now. Gives whether nothing is waited for.
    async fn reconcile(&mut self) -> Result<bool, Ended> {
        self.claim();
        self.watch().await?;
        let now = Instant::now();
        let sight = self.sight(now);
        self.fit().await;
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
        self.tell(&sight, now).await
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
        let now = Instant::now();
        if self.selectable_due.is_some_and(|due| now < due) {
            return Ok(());
        }
        self.selectable_due = Some(now + ASK_AGAIN);
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
        let resources = found.iter().map(|observed| observed.resource.clone()).collect();
        if self.selectable_of != resources {
            // Other kinds may have other fields.
            (self.selectable_due, self.selectable_of) = (None, resources);
        }
        watched.states = found.iter().map(|observed| observed.state.clone()).collect();
        let mut states = watched.states.iter_mut();
        let state = |observed: &Observed| {
            let state = states.next().map(|state| state.borrow_and_update().clone());
            (observed.source, state.unwrap_or_default())
        };
        Sight::Sources(found.iter().map(state).collect())
    }

    pub(super) fn observed(&self) -> Vec<Observed> {
        match self.watched.as_ref().map(|watched| watched.resolution.borrow().clone()) {
            Some(Resolution::Found(found)) => found,
            _ => vec![],
        }
    }

    fn placement(&mut self, sight: &Sight, now: Instant) -> (Placement, Option<Instant>) {
        if self.claimed.as_mut().is_some_and(|claimed| claimed.verdict.borrow_and_update().is_some()) {
            return (Placement::Withdraw, None);
        }
        match &self.declaration.lowered {
            None => return (Placement::Keep, None),
            Some(lowered) if lowered.namespace_selector.is_none() => self.namespaces = None,
            Some(_) => {}
        }
        if self.is_beyond_tenant() {
            return (Placement::Withdraw, None);
        }
        let stale_after = self.context.settings.stale_after;
        let (placement, decide_at) = decide(sight, now, stale_after);
        // What counts is not known where namespaces decide it and have not been seen for too long.
        match self.namespaces.as_ref().and_then(|seen| stale_at(&seen.borrow().state, stale_after)) {
            Some(stale) if stale <= now => (Placement::Withdraw, decide_at),
            stale => (placement, decide_at.into_iter().chain(stale).min()),
        }
    }

    /// Whether the target is in no namespace, and the Metric may see its own namespace alone.
    pub(super) fn is_beyond_tenant(&self) -> bool {
        self.context.settings.tenancy == Tenancy::Namespaced && is_outside_namespaces(&self.observed())
    }

    /// Waits until something changes that the Metric depends on.
    async fn wait(&mut self) -> Wake {
        let until = Instant::now() + LOOK;
        let until = self.decide_at.map_or(until, |at| at.min(until));
        let registered = self.placed.as_ref().map(|placed| placed.registered.id());
        let table = self.placed.as_ref().and_then(|placed| placed.table.clone());
        let is_incomplete =
            self.placed.as_ref().is_some_and(|placed| !placed.complete || !placed.former.is_empty());
        let (resolution, states) = match &mut self.watched {
            Some(watched) => (Some(&mut watched.resolution), &mut watched.states[..]),
            None => (None, &mut [][..]),
        };
        let follows = self.report.follows();
        tokio::select! {
            () = changed(Some(&mut self.inbox.stored)), if follows => {
                Wake::Stored(Arc::clone(&self.inbox.stored.borrow_and_update()))
            }
            declared = self.inbox.declared.changed() => match declared {
                Ok(()) => Wake::Declared(Arc::clone(&self.inbox.declared.borrow_and_update())),
                Err(_) => Wake::Gone,
            },
            () = changed(resolution) => Wake::Something,
            () = any_changed(states) => Wake::Something,
            () = any_changed(&mut self.fitted.schemas) => Wake::Something,
            () = changed(self.claimed.as_mut().map(|claimed| &mut claimed.verdict)) => Wake::Something,
            () = changed(self.sinks.as_mut()) => Wake::Something,
            () = changed(self.sink.as_mut().map(|(_, view)| view)) => Wake::Something,
            () = changed(self.namespaces.as_mut()) => Wake::Something,
            () = other_table(&mut self.snapshots, registered, table), if is_incomplete => Wake::Something,
            () = sleep_until(until) => Wake::Something,
        }
    }
}

/// Why a task goes on.
enum Wake {
    Something,
    /// Whoever leads has written the status.
    Stored(Arc<Value>),
    Declared(Arc<Value>),
    Gone,
}

/// Waits until a snapshot has another table of the metric than this. Snapshots in which others alone have changed wake
/// nobody: thousands of Metrics may wait for their lists.
async fn other_table(
    snapshots: &mut watch::Receiver<Arc<Snapshot>>,
    metric: Option<MetricId>,
    table: Option<Arc<MetricTable>>,
) {
    let Some(metric) = metric else { return std::future::pending().await };
    let is_other = |snapshot: &Arc<Snapshot>| match (snapshot.metrics.get(&metric), &table) {
        (Some(now), Some(before)) => !Arc::ptr_eq(now, before),
        (now, before) => now.is_some() != before.is_some(),
    };
    if snapshots.wait_for(is_other).await.is_err() {
        std::future::pending::<()>().await;
    }
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

async fn any_changed<T: Send + Sync>(states: &mut [watch::Receiver<T>]) {
    if states.is_empty() {
        return std::future::pending().await;
    }
    select_all(states.iter_mut().map(|state| Box::pin(changed(Some(state))))).await;
}

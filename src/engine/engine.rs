//! The engine: metrics and sources are registered here; changes come in, snapshots go out.
//!
//! In: definitions, sources, changes. Out: snapshots, status, field plans for decoders. Must never know: where objects
//! come from, who reads snapshots, what time it is.
//!
//! `apply` is in [`crate::apply`], `flush` in [`crate::flush`], definitions come to work in [`crate::instances`].

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::change::SourceId;
use crate::definition::Definition;
use crate::error::CompileError;
use crate::expression::Memory;
use crate::index::InstanceId;
use crate::metric::{Cost, Instance, Metric, MetricStatus};
use crate::plan::Meter;
use crate::row::{FieldPlan, HashSeed};
use crate::snapshot::{MetricId, Snapshot, Vanished};
use crate::source::{Contribution, Source};
use crate::tenant::Tenants;

/// How an engine works.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// The key of all hashes. Random in production, since hashed texts are chosen by tenants. It shows in no result.
    pub seed: HashSeed,
    /// Whether only the metrics that the index names are evaluated. Without it every metric is evaluated on every
    /// object, so that every error shows; the series are the same, as long as no tenant runs out of steps.
    pub index: bool,
    /// Whether equal parts of several expressions are evaluated once for an event, where they are dear and depend on the
    /// object alone. Without it each is evaluated by itself; whatever comes out is the same, steps and errors included.
    pub share: bool,
    /// What the expressions of one tenant may cost for one event, in steps.
    pub tenant_steps: u64,
    /// Live series beyond which new ones are folded, whatever a metric's own limit says.
    pub series: SeriesLimits,
}

/// How many series may be live at a time, besides the permanent and overflow series of metrics: a bound on memory that no
/// definition can lift.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeriesLimits {
    /// Of one tenant. Default 500,000.
    pub tenant: usize,
    /// Of all. Default 1,000,000: about a gigabyte.
    pub total: usize,
}

/// Keeps every aggregate of every registered metric right after every change.
///
/// Invariants: the same changes in the same order give the same snapshots; at quiescence, and outside overflow, the
/// series are, to the bit, what evaluating the live objects from scratch gives; no object is kept.
#[derive(Debug)]
pub struct Engine {
    pub(crate) options: Options,
    pub(crate) sources: BTreeMap<SourceId, Source>,
    pub(crate) metrics: BTreeMap<MetricId, Metric>,
    /// By instance number; see [`crate::instances`].
    pub(crate) instances: Vec<Option<Instance>>,
    /// Numbers that no object holds a contribution of.
    pub(crate) free: Vec<InstanceId>,
    /// Numbers whose contributions are still to be purged, which the next flush does in one pass.
    pub(crate) retired: Vec<InstanceId>,
    pub(crate) tenants: Tenants,
    pub(crate) snapshot: Snapshot,
    /// Series of metrics that are gone, to be named by the next flush.
    pub(crate) withdrawn: Vec<Vanished>,
    /// Metrics that became dirty and were not asked for yet.
    pub(crate) dirty: Vec<MetricId>,
    next_metric: u64,
    next_source: u32,
    pub(crate) scratch: Scratch,
}

/// Buffers that live as long as the engine, so that an event allocates little.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    pub(crate) candidates: Vec<InstanceId>,
    pub(crate) contributions: Vec<Contribution>,
    pub(crate) memory: Memory,
}

/// How much an engine holds. All but `sources` and `metrics` are 0 once every object and metric is gone and flushed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Footprint {
    /// Sources.
    pub sources: usize,
    /// Registered metrics.
    pub metrics: usize,
    /// Objects remembered.
    pub objects: usize,
    /// Contributions of these objects.
    pub contributions: usize,
    /// Series, vanished ones that were not flushed included.
    pub series: usize,
    /// Entries of indices and field plans.
    pub entries: usize,
}

// === impl Options, SeriesLimits ===

impl Default for Options {
    /// Indexed, sharing, with the documented budget, and with a seed that is known to everyone.
    fn default() -> Self {
        Options {
            seed: HashSeed::default(),
            index: true,
            share: true,
            tenant_steps: Meter::TENANT_STEPS,
            series: SeriesLimits::default(),
        }
    }
}

impl Default for SeriesLimits {
    fn default() -> Self {
        SeriesLimits { tenant: 500_000, total: 1_000_000 }
    }
}

// === impl Engine ===

impl Engine {
    /// An engine without sources and metrics.
    pub fn new(options: Options) -> Self {
        Engine {
            options,
            sources: BTreeMap::new(),
            metrics: BTreeMap::new(),
            instances: Vec::new(),
            free: Vec::new(),
            retired: Vec::new(),
            tenants: Tenants::new(options.tenant_steps, options.series, options.seed),
            snapshot: Snapshot::default(),
            withdrawn: Vec::new(),
            dirty: Vec::new(),
            next_metric: 0,
            next_source: 0,
            scratch: Scratch::default(),
        }
    }

    /// Adds a source, of which nothing is known yet.
    pub fn add_source(&mut self) -> SourceId {
        let id = SourceId(self.next_source);
        self.next_source += 1;
        self.sources.insert(id, Source::new(self.options.seed));
        id
    }

    /// Removes a source; what its objects contributed is taken back. Metrics bound to it go on without it.
    pub fn remove_source(&mut self, source: SourceId) {
        let Some(mut gone) = self.sources.remove(&source) else { return };
        for object in gone.objects.sweep(|_| false) {
            self.retract(&object.contributions);
        }
        for instance in self.instances.iter_mut().flatten() {
            instance.sources.retain(|bound| *bound != source);
        }
        self.activate_complete();
    }

    /// The newest field plan of a source, for its decoder. If its epoch is above that of the latest Begin, a new
    /// list is wanted. Every metric registered after this call belongs to a later epoch.
    pub fn field_plan(&mut self, source: SourceId) -> Option<Arc<FieldPlan>> {
        self.sources.get_mut(&source).map(Source::field_plan)
    }

    /// Whether a plan of a newer epoch than the last one handed out waits at [`field_plan`](Self::field_plan).
    pub fn wants_list(&self, source: SourceId) -> bool {
        self.sources.get(&source).is_some_and(Source::wants_list)
    }

    /// Asks for a new list of a source without a new metric, in which every object is evaluated anew: what was folded into
    /// an overflow series may have room now, or something that is held was found to be wrong.
    pub fn readmit(&mut self, source: SourceId) {
        if let Some(source) = self.sources.get_mut(&source) {
            source.raise_epoch();
        }
    }

    /// Registers a metric. Sources that do not exist are left out. It is in snapshots once a list of every one of its sources, begun with their newest field
    /// plan, has ended.
    ///
    /// # Errors
    /// Every defect of the definition; nothing is registered then.
    pub fn register(
        &mut self,
        definition: &Definition,
        sources: &[SourceId],
    ) -> Result<MetricId, Vec<CompileError>> {
        let id = MetricId(self.next_metric);
        let instance = self.instantiate(id, definition, sources)?;
        self.next_metric += 1;
        self.metrics.insert(id, Metric { pending: Some(instance), ..Metric::default() });
        self.activate_if_complete(id);
        Ok(id)
    }

    /// Gives a metric another definition, or other sources; nothing happens if there is no such metric. What it had stands, and stays right, until the new
    /// definition is complete; then they are swapped in one flush.
    ///
    /// # Errors
    /// Every defect of the definition; the metric goes on as it was then.
    pub fn edit(
        &mut self,
        metric: MetricId,
        definition: &Definition,
        sources: &[SourceId],
    ) -> Result<(), Vec<CompileError>> {
        if !self.metrics.contains_key(&metric) {
            return Ok(());
        }
        let instance = self.instantiate(metric, definition, sources)?;
        let superseded = self.metrics.get_mut(&metric).and_then(|metric| metric.pending.replace(instance));
        self.retire(superseded);
        self.activate_if_complete(metric);
        Ok(())
    }

    /// Lets a metric count objects of these namespaces and no others, at all of its sources and in place; `None` is every
    /// namespace and every cluster-scoped object. A definition that waits for its lists changes too. Nothing happens if
    /// there is no such metric, or if it counts these already.
    ///
    /// The engine knows no object's namespace, so whoever owns a source shows the objects of every namespace that entered
    /// or left once more, as [`Origin::Review`](crate::change::Origin::Review); those that are gone need nothing. Until
    /// then they count as before. A list that begins after this call shows everything anew and does as well.
    ///
    /// A metric that was registered for every namespace notices only at its source's next epoch that an object of one UID
    /// has moved to another namespace, which no API server lets happen.
    pub fn set_namespaces(&mut self, metric: MetricId, namespaces: Option<BTreeSet<String>>) {
        let Engine { metrics, instances, sources, .. } = self;
        let Some(metric) = metrics.get(&metric) else { return };
        let namespaces = namespaces.map(Arc::new);
        for number in metric.active.into_iter().chain(metric.pending) {
            let bound = instances[number.0 as usize].iter().flat_map(|instance| &instance.sources);
            for source in bound {
                if let Some(source) = sources.get_mut(source) {
                    source.set_namespaces(number, namespaces.clone());
                }
            }
        }
    }

    /// Removes a metric; the next flush names all its series as vanished.
    pub fn remove(&mut self, metric: MetricId) {
        let Some(gone) = self.metrics.remove(&metric) else { return };
        self.retire(gone.pending);
        self.retire(gone.active);
        if let Some(table) = self.snapshot.metrics.remove(&metric) {
            self.withdrawn.extend(table.iter().map(|series| Vanished {
                metric,
                info: table.info.clone(),
                shape: table.shape,
                attributes: series.attributes.clone(),
            }));
            self.dirty.push(metric);
        }
    }

    /// What is known about a metric; of an edited one, about the definition that is in snapshots.
    pub fn status(&self, metric: MetricId) -> Option<MetricStatus> {
        let metric = self.metrics.get(&metric)?;
        let instance = self.instance(metric.active.or(metric.pending)?)?;
        let ready = metric.active.is_some();
        let crowded = self.tenants.is_crowded(instance.tenant);
        Some(MetricStatus { ready, pending: ready && metric.pending.is_some(), crowded, ..instance.status() })
    }

    /// What a metric costs, as in its [`status`](Self::status), and without a look at its series.
    pub fn cost(&self, metric: MetricId) -> Option<Cost> {
        let metric = self.metrics.get(&metric)?;
        Some(self.instance(metric.active.or(metric.pending)?)?.cost())
    }

    /// How much the engine holds now.
    pub fn footprint(&self) -> Footprint {
        let contributions = self.sources.values().map(|source| source.objects.contributions()).sum();
        let held: usize = self.instances.iter().flatten().map(|instance| instance.held).sum();
        debug_assert!(
            held == contributions || !self.retired.is_empty(),
            "{held} of {contributions} are accounted for"
        );
        Footprint {
            sources: self.sources.len(),
            metrics: self.metrics.len(),
            objects: self.sources.values().map(|source| source.objects.len()).sum(),
            contributions,
            series: self.instances.iter().flatten().map(|instance| instance.series.len()).sum(),
            entries: self.sources.values().map(Source::entries).sum::<usize>()
                + self.retired.len()
                + self.tenants.len(),
        }
    }

    pub(crate) fn instance(&self, id: InstanceId) -> Option<&Instance> {
        self.instances.get(id.0 as usize)?.as_ref()
    }
}

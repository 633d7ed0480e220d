//! The engine: metrics and sources are registered here; changes come in, snapshots go out.
//!
//! In: definitions, sources, changes. Out: snapshots, status, field plans for decoders. Must never know: where objects
//! come from, who reads snapshots, what time it is.
//!
//! `apply` is in [`crate::apply`], `flush` in [`crate::flush`].

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::change::SourceId;
use crate::definition::Definition;
use crate::error::CompileError;
use crate::index::InstanceId;
use crate::metric::{Instance, Metric, MetricStatus};
use crate::plan::{Meter, Plan};
use crate::row::{FieldPlan, HashSeed};
use crate::snapshot::{MetricId, Snapshot, Vanished};
use crate::source::{Contribution, Source};

/// How an engine works.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// The key of all hashes. Random in production, since hashed texts are chosen by tenants. It shows in no result.
    pub seed: HashSeed,
    /// Whether only the metrics that the index names are evaluated. Without it every metric is evaluated on every
    /// object, so that every error shows; the series are the same.
    pub index: bool,
    /// What the expressions of one tenant may cost for one event, in steps.
    pub tenant_steps: u64,
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
    /// By instance number; a number is reused once nothing holds a contribution of it.
    pub(crate) instances: Vec<Option<Instance>>,
    /// Numbers that no object holds a contribution of.
    free: Vec<InstanceId>,
    /// Numbers whose contributions are still to be purged, which the next flush does in one pass.
    pub(crate) retired: Vec<InstanceId>,
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
    /// Steps left to each tenant that this event has met.
    pub(crate) meters: Vec<(Arc<str>, Meter)>,
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

// === impl Options ===

impl Default for Options {
    /// Indexed, with the documented budget, and with a seed that is known to everyone.
    fn default() -> Self {
        Options { seed: HashSeed::default(), index: true, tenant_steps: Meter::TENANT_STEPS }
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

    /// Asks for a new list of a source without a new metric: what was folded into an overflow series may have room now.
    pub fn readmit(&mut self, source: SourceId) {
        if let Some(source) = self.sources.get_mut(&source) {
            source.raise_epoch();
        }
    }

    /// Registers a metric. It is in snapshots once a list of every one of its sources, begun with their newest field
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

    /// Gives a metric another definition, or other sources. What it had stands, and stays right, until the new
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
        Some(MetricStatus { ready: metric.active.is_some(), ..instance.status() })
    }

    /// How much the engine holds now.
    pub fn footprint(&self) -> Footprint {
        Footprint {
            sources: self.sources.len(),
            metrics: self.metrics.len(),
            objects: self.sources.values().map(|source| source.objects.len()).sum(),
            contributions: self.sources.values().map(|source| source.objects.contributions()).sum(),
            series: self.instances.iter().flatten().map(|instance| instance.series.len()).sum(),
            entries: self.sources.values().map(Source::entries).sum::<usize>() + self.retired.len(),
        }
    }

    pub(crate) fn instance(&self, id: InstanceId) -> Option<&Instance> {
        self.instances.get(id.0 as usize)?.as_ref()
    }

    /// Compiles a definition for each of its sources and puts it to work there.
    fn instantiate(
        &mut self,
        metric: MetricId,
        definition: &Definition,
        sources: &[SourceId],
    ) -> Result<InstanceId, Vec<CompileError>> {
        let mut known: Vec<SourceId> =
            sources.iter().copied().filter(|id| self.sources.contains_key(id)).collect();
        known.sort_unstable();
        known.dedup();
        let mut plans: Vec<(SourceId, Arc<Plan>)> = Vec::with_capacity(known.len());
        for id in &known {
            let Some(source) = self.sources.get_mut(id) else { continue };
            match Plan::compile(definition, source.fields()) {
                Ok(plan) => plans.push((*id, Arc::new(plan))),
                Err(errors) => {
                    for (id, plan) in plans {
                        if let Some(source) = self.sources.get_mut(&id) {
                            source.fields().release(&plan.uses);
                        }
                    }
                    return Err(errors);
                }
            }
        }
        let instance = self.free.pop().unwrap_or_else(|| {
            self.instances.push(None);
            InstanceId(u32::try_from(self.instances.len() - 1).expect("metrics are far below 2^32"))
        });
        for (id, plan) in plans {
            if let Some(source) = self.sources.get_mut(&id) {
                source.bind(instance, plan);
            }
        }
        self.instances[instance.0 as usize] = Some(Instance::new(metric, definition, &known));
        Ok(instance)
    }

    /// Takes an instance out of work. Its contributions are purged at the next flush, all instances' in one pass.
    pub(crate) fn retire(&mut self, instance: Option<InstanceId>) {
        let Some(instance) = instance else { return };
        self.instances[instance.0 as usize] = None;
        for source in self.sources.values_mut() {
            source.unbind(instance);
        }
        self.retired.push(instance);
    }

    /// Drops what retired instances left at objects, and frees their numbers.
    pub(crate) fn purge(&mut self) {
        if self.retired.is_empty() {
            return;
        }
        for source in self.sources.values_mut() {
            source
                .objects
                .purge(|instance| self.instances.get(instance.0 as usize).is_some_and(Option::is_some));
        }
        self.free.append(&mut self.retired);
    }

    /// Puts every pending definition to work whose lists are complete.
    pub(crate) fn activate_complete(&mut self) {
        let waiting = |(id, metric): (&MetricId, &Metric)| metric.pending.is_some().then_some(*id);
        let waiting: Vec<MetricId> = self.metrics.iter().filter_map(waiting).collect();
        for id in waiting {
            self.activate_if_complete(id);
        }
    }

    fn activate_if_complete(&mut self, id: MetricId) {
        let Some(pending) = self.metrics.get(&id).and_then(|metric| metric.pending) else { return };
        let Some(instance) = self.instance(pending) else { return };
        let ready = |source: &SourceId| self.sources.get(source)?.bound(pending).map(|bound| bound.ready);
        if !instance.sources.iter().all(|source| ready(source) == Some(true)) {
            return;
        }
        let Some(metric) = self.metrics.get_mut(&id) else { return };
        metric.pending = None;
        metric.replaced = true;
        let old = metric.active.replace(pending);
        self.retire(old);
        self.mark_dirty(id);
    }

    pub(crate) fn mark_dirty(&mut self, id: MetricId) {
        if let Some(metric) = self.metrics.get_mut(&id)
            && !std::mem::replace(&mut metric.dirty, true)
        {
            self.dirty.push(id);
        }
    }
}

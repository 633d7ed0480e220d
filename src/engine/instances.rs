//! Definitions come to work and leave it.
//!
//! In: definitions. Out: numbered instances, bound to their sources. Must never know: changes, snapshots.
//!
//! Invariant: a number is given anew only after a purge, so no object holds a contribution of an earlier owner.

use crate::change::SourceId;
use crate::definition::Definition;
use crate::engine::Engine;
use crate::error::CompileError;
use crate::index::InstanceId;
use crate::metric::{Instance, Metric};
use crate::plan::Plan;
use crate::row::FieldPlan;
use crate::snapshot::MetricId;

impl Engine {
    /// Compiles a definition for each of its sources and puts it to work there.
    pub(crate) fn instantiate(
        &mut self,
        metric: MetricId,
        definition: &Definition,
        sources: &[SourceId],
    ) -> Result<InstanceId, Vec<CompileError>> {
        let mut known: Vec<SourceId> =
            sources.iter().copied().filter(|id| self.sources.contains_key(id)).collect();
        known.sort_unstable();
        known.dedup();
        let plans = self.compile(definition, &known)?;
        let tenant = self.tenants.enter(&definition.tenant);
        let number = self.free.pop().unwrap_or_else(|| {
            self.instances.push(None);
            InstanceId(u32::try_from(self.instances.len() - 1).expect("metrics are far below 2^32"))
        });
        for (id, plan) in known.iter().zip(plans) {
            if let Some(source) = self.sources.get_mut(id) {
                source.bind(number, Box::new(plan));
            }
        }
        let instance = Instance::new(metric, definition, &known, tenant, self.options.seed);
        self.instances[number.0 as usize] = Some(instance);
        Ok(number)
    }

    /// One plan a source; a definition without sources is checked all the same.
    fn compile(
        &mut self,
        definition: &Definition,
        sources: &[SourceId],
    ) -> Result<Vec<Plan>, Vec<CompileError>> {
        if sources.is_empty() {
            Plan::compile(definition, &mut FieldPlan::new(self.options.seed))?;
        }
        let mut plans: Vec<Plan> = Vec::with_capacity(sources.len());
        for id in sources {
            let Some(source) = self.sources.get_mut(id) else { continue };
            match source.compile(definition) {
                Ok(plan) => plans.push(plan),
                Err(errors) => {
                    for (id, plan) in sources.iter().zip(&plans) {
                        if let Some(source) = self.sources.get_mut(id) {
                            source.release(plan);
                        }
                    }
                    return Err(errors);
                }
            }
        }
        Ok(plans)
    }

    /// Takes an instance out of work. Its contributions are purged at the next flush, all instances' in one pass.
    pub(crate) fn retire(&mut self, number: Option<InstanceId>) {
        let Some(number) = number else { return };
        if let Some(instance) = self.instances[number.0 as usize].take() {
            self.tenants.leave(instance.tenant, instance.at_work, instance.series.live());
        }
        for source in self.sources.values_mut() {
            source.unbind(number);
        }
        self.retired.push(number);
    }

    /// Drops what retired instances left at objects, and frees their numbers.
    pub(crate) fn purge(&mut self) {
        if self.retired.is_empty() {
            return;
        }
        let Engine { sources, instances, .. } = self;
        for source in sources.values_mut() {
            source.objects.purge(|number| instances.get(number.0 as usize).is_some_and(Option::is_some));
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

    /// Puts the pending definition of a metric to work if its lists are complete. Without a source they never are.
    pub(crate) fn activate_if_complete(&mut self, id: MetricId) {
        let Some(pending) = self.metrics.get(&id).and_then(|metric| metric.pending) else { return };
        let Some(instance) = self.instance(pending) else { return };
        let ready = |source: &SourceId| self.sources.get(source)?.bound(pending).map(|bound| bound.ready);
        if instance.sources.is_empty() || !instance.sources.iter().all(|source| ready(source) == Some(true)) {
            return;
        }
        let Some(metric) = self.metrics.get_mut(&id) else { return };
        metric.pending = None;
        metric.replaced = true;
        let old = metric.active.replace(pending);
        self.retire(old);
        if let Some(instance) = self.instances[pending.0 as usize].as_mut() {
            instance.at_work = true;
            self.tenants.begin_work(instance.tenant, instance.series.live());
            instance.queued = true;
            self.dirty.push(id);
        }
    }
}

//! Changed series → a snapshot.
//!
//! In: the metrics that are due. Out: a snapshot that any number of readers share. Must never know: why a metric is due.

use std::collections::HashMap;
use std::sync::Arc;

use crate::engine::Engine;
use crate::hash::Keyed;
use crate::snapshot::{Attributes, MetricId, MetricTable, Number, SeriesRef, Snapshot, Vanished};

impl Engine {
    /// Brings the tables of `metrics` up to date and names what changed in them. The tables of all others are as at
    /// their own last flush. Series of metrics that were removed are named by whichever flush comes next.
    pub fn flush(&mut self, metrics: &[MetricId]) -> Arc<Snapshot> {
        self.purge();
        self.snapshot.changed.clear();
        self.snapshot.vanished.clear();
        self.snapshot.vanished.append(&mut self.withdrawn);
        for metric in metrics {
            self.flush_metric(*metric);
        }
        Arc::new(self.snapshot.clone())
    }

    /// Flushes every metric.
    pub fn flush_all(&mut self) -> Arc<Snapshot> {
        let all: Vec<MetricId> = self.metrics.keys().copied().collect();
        self.flush(&all)
    }

    fn flush_metric(&mut self, id: MetricId) {
        let Some(metric) = self.metrics.get_mut(&id) else { return };
        let Some(active) = metric.active else { return };
        let replaced = std::mem::take(&mut metric.replaced);
        let Some(instance) = self.instances[active.0 as usize].as_mut() else { return };
        instance.queued = false;
        let Snapshot { metrics: tables, changed, vanished } = &mut self.snapshot;
        let old = if replaced { tables.remove(&id) } else { None };
        let fresh = || Arc::new(MetricTable::new(instance.info.clone(), instance.shape));
        let table = Arc::make_mut(tables.entry(id).or_insert_with(fresh));
        let (mut slots, mut gone) = (Vec::new(), Vec::new());
        instance.series.flush(table, &mut slots, &mut gone);
        let name = |table: &MetricTable, attributes| Vanished {
            metric: id,
            info: table.info.clone(),
            shape: table.shape,
            attributes,
        };
        vanished.extend(gone.into_iter().map(|attributes| name(table, attributes)));
        if let Some(old) = old {
            let same_names = old.info == table.info && old.shape == table.shape;
            let difference = Difference::new(&old, same_names.then_some(&*table), self.options.seed);
            slots.retain(|slot| difference.changes(table, *slot));
            vanished.extend(difference.into_gone().into_iter().map(|attributes| name(&old, attributes)));
        }
        changed.extend(slots.into_iter().map(|slot| SeriesRef { metric: id, slot }));
    }
}

/// What replacing one table by another changes, as a reader of both sees it.
struct Difference {
    /// The numbers of series that both have, before.
    kept: HashMap<Arc<Attributes>, Number, Keyed>,
    /// Series that only the old table has, in the order of their attributes.
    gone: Vec<Arc<Attributes>>,
}

impl Difference {
    /// `new` is `None` if the tables have nothing in common, since the metric changed its names.
    fn new(old: &MetricTable, new: Option<&MetricTable>, seed: crate::row::HashSeed) -> Self {
        let mut difference = Difference { kept: HashMap::with_hasher(Keyed(seed)), gone: Vec::new() };
        for series in old.iter() {
            difference.kept.insert(series.attributes.clone(), series.number);
        }
        let mut stay = HashMap::with_hasher(Keyed(seed));
        for series in new.into_iter().flat_map(MetricTable::iter) {
            if let Some((attributes, number)) = difference.kept.remove_entry(&**series.attributes) {
                stay.insert(attributes, number);
            }
        }
        difference.gone = std::mem::replace(&mut difference.kept, stay).into_keys().collect();
        difference.gone.sort_unstable();
        difference
    }

    fn changes(&self, table: &MetricTable, slot: u32) -> bool {
        let Some(series) = table.get(slot) else { return false };
        self.kept.get(&**series.attributes) != Some(&series.number)
    }

    fn into_gone(self) -> Vec<Arc<Attributes>> {
        self.gone
    }
}

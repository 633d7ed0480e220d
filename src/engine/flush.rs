//! Changed series → a snapshot.
//!
//! In: the metrics that are due. Out: a snapshot that any number of readers share. Must never know: why a metric is due.

use std::sync::Arc;

use crate::engine::Engine;
use crate::snapshot::{ChangedSeries, MetricId, MetricTable, SeriesRef, Snapshot, Vanished};

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
            let difference = table.difference(&old);
            let moved = |was| old.get(was).map(|series| series.number);
            let changes = |series: &&ChangedSeries| {
                series.was.and_then(moved) != table.get(series.slot).map(|series| series.number)
            };
            slots = difference.changed.iter().filter(changes).map(|series| series.slot).collect();
            vanished.extend(difference.vanished.into_iter().map(|series| name(&old, series.attributes)));
        }
        changed.extend(slots.into_iter().map(|slot| SeriesRef { metric: id, slot }));
    }
}

//! What one sink is still to be told, and in which requests.
//!
//! In: tables of the metrics that are routed here, outcomes of requests, times. Out: requests. Must never know: clocks,
//! connections, tasks. Pure: time is an argument.
//!
//! Of a series that is there only *that* it is to be sent is kept, one bit: its value is read from the latest table when the
//! request is made. So the latest value wins by construction, and a sink that was away for hours costs what one that was
//! away for a second does. Of a series that is gone a withdrawal is kept.

mod apart;
mod requests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use celemetry_engine::snapshot::{MetricId, MetricTable, Snapshot};
use hyper::body::Bytes;
use tokio::time::Instant;

use self::apart::{Identities, Identity, Sharing};
use super::slots::SlotSet;
use super::withdrawals::{Withdrawal, Withdrawals};

/// What one sink is still to be told.
///
/// Invariant: in an active backlog a series whose latest value the sink has not acknowledged is pending or in the batch
/// that is on its way, unless that value was in a batch that was dropped; and a series that the sink may know and that is
/// gone has a withdrawal, unless that was given up.
pub(super) struct Backlog {
    heartbeat: Duration,
    is_active: bool,
    metrics: BTreeMap<MetricId, Metric>,
    /// Who shares each name.
    names: BTreeMap<String, Sharing>,
    identities: Identities,
    withdrawals: Withdrawals,
    /// The most bytes a request may have.
    limit: usize,
    /// The metric with which the next request begins, so that none waits behind others for ever.
    cursor: MetricId,
}

/// A metric that is routed to the sink.
struct Metric {
    /// All series are sent at least this often.
    period: Duration,
    beat: Instant,
    /// The latest, if the metric is in the latest snapshot.
    table: Option<Arc<MetricTable>>,
    /// Series that are to be sent.
    pending: SlotSet,
    /// Series that the sink may have heard of, so that it must be told when they are gone.
    known: SlotSet,
    /// Series that leave with the attributes that tell metrics of one name apart.
    apart: SlotSet,
}

/// A request that is to be sent.
#[derive(Debug)]
pub(super) struct Request {
    /// An encoded export request.
    pub(super) message: Bytes,
    /// What is in it.
    pub(super) batch: Batch,
}

/// What a request holds.
#[derive(Debug, Default)]
pub(super) struct Batch {
    slots: Vec<(MetricId, Vec<u32>)>,
    withdrawals: Vec<u64>,
    /// How many points it has.
    pub(super) points: usize,
    /// How many bytes it has.
    pub(super) bytes: usize,
}

/// What changed with a set of tables, beyond numbers.
#[derive(Default)]
struct News {
    /// Series that leave under an identity that they did not have before.
    appeared: Vec<(MetricId, u32)>,
    /// What series are in each name that have come or gone, where several metrics share it.
    touched: BTreeSet<(String, Identity)>,
    /// Names that a metric has left.
    left: BTreeSet<String>,
}

/// The most bytes a request has at first: receivers usually stop at 4 MiB, after decompression and decoding.
pub(super) const LIMIT: usize = 3 * 1024 * 1024;

/// No request is made smaller than this because the sink refused a larger one: one that refuses this takes nothing, and must
/// not be asked about every series by itself.
pub(super) const SMALLEST_LIMIT: usize = 16 * 1024;

/// No heartbeat is more frequent than this, whatever an interval says.
const SHORTEST_PERIOD: Duration = Duration::from_secs(1);

// === impl Backlog ===

impl Backlog {
    /// Of no metric. `heartbeat` bounds every metric's own interval from above.
    pub(super) fn new(heartbeat: Duration, is_active: bool) -> Self {
        Backlog {
            heartbeat,
            is_active,
            metrics: BTreeMap::new(),
            names: BTreeMap::new(),
            identities: Identities::default(),
            withdrawals: Withdrawals::default(),
            limit: LIMIT,
            cursor: MetricId(0),
        }
    }

    /// Adds a metric, all of whose series are sent at once; or gives a known one another interval.
    pub(super) fn route(&mut self, id: MetricId, interval: Duration, latest: &Snapshot, now: Instant) {
        let period = interval.min(self.heartbeat).max(SHORTEST_PERIOD);
        if let Some(metric) = self.metrics.get_mut(&id) {
            metric.period = period;
            metric.beat = metric.beat.min(now + period);
            return;
        }
        self.metrics.insert(id, Metric::new(period, now));
        if let Some(table) = latest.metrics.get(&id) {
            self.update(vec![(id, Some(Arc::clone(table)))], now);
        }
    }

    /// Takes a metric away and withdraws its series.
    pub(super) fn unroute(&mut self, id: MetricId, now: Instant) {
        if self.metrics.contains_key(&id) {
            self.update(vec![(id, None)], now);
            self.metrics.remove(&id);
        }
    }

    /// Takes over the latest state of all metrics. Snapshots may be skipped.
    pub(super) fn show(&mut self, latest: &Snapshot, now: Instant) {
        let mut tables = Vec::new();
        for (id, metric) in &self.metrics {
            let table = latest.metrics.get(id);
            if table.map(Arc::as_ptr) != metric.table.as_ref().map(Arc::as_ptr) {
                tables.push((*id, table.cloned()));
            }
        }
        self.update(tables, now);
    }

    /// From now on this process exports, and another may have done so before: everything is sent, and whatever is there
    /// may be known to the sink.
    pub(super) fn activate(&mut self, now: Instant) {
        self.is_active = true;
        for metric in self.metrics.values_mut() {
            metric.pend_all();
            metric.known = metric.pending.clone();
            metric.beat = now + metric.period;
        }
        self.withdrawals.wake_all();
    }

    /// From now on another process exports. Nothing is sent; withdrawals are kept, within their bounds, since a series may
    /// vanish after the last request of a leader that was killed and before the first of the next.
    pub(super) fn deactivate(&mut self) {
        self.is_active = false;
        self.metrics.values_mut().for_each(|metric| metric.pending.clear());
    }

    /// The sink is another, or may answer otherwise: everything is sent, as large as at first.
    pub(super) fn start_over(&mut self) {
        self.limit = LIMIT;
        if self.is_active {
            self.metrics.values_mut().for_each(Metric::pend_all);
            self.withdrawals.wake_all();
        }
    }

    fn update(&mut self, tables: Vec<(MetricId, Option<Arc<MetricTable>>)>, now: Instant) {
        let mut news = News::default();
        // What is gone first, in all metrics, so that a series that another metric takes over is not withdrawn.
        for (id, table) in tables {
            self.replace(id, table.as_ref(), now, &mut news);
        }
        self.tell_apart(now, &mut news);
        if !self.withdrawals.is_empty() {
            self.cancel_withdrawals(&news.appeared);
        }
        if !self.is_active {
            self.deactivate();
        }
    }

    fn replace(&mut self, id: MetricId, table: Option<&Arc<MetricTable>>, now: Instant, news: &mut News) {
        let Some(metric) = self.metrics.get_mut(&id) else { return };
        let older = std::mem::replace(&mut metric.table, table.cloned());
        let Some(either) = table.or(older.as_ref()) else { return };
        let nothing = MetricTable::new(Arc::clone(&either.info), either.shape);
        let (before, after) =
            (older.as_deref().unwrap_or(&nothing), table.map_or(&nothing, |table| &**table));
        let difference = after.difference(before);
        for gone in &difference.vanished {
            let (was_known, is_apart) = (metric.known.remove(gone.slot), metric.apart.remove(gone.slot));
            metric.pending.remove(gone.slot);
            if was_known || !self.is_active {
                let (info, own) = (Arc::clone(&before.info), Arc::clone(&gone.attributes));
                self.withdrawals.add(Withdrawal { info, shape: before.shape, own, is_apart }, now);
            }
        }
        let moved: Vec<_> = difference
            .changed
            .iter()
            .filter_map(|series| Some((series.slot, series.was.filter(|was| *was != series.slot)?)))
            .map(|(slot, was)| (slot, metric.take_bits(was)))
            .collect();
        for (slot, (is_known, is_apart)) in moved {
            metric.known.set(slot, is_known);
            metric.apart.set(slot, is_apart);
        }
        for series in &difference.changed {
            metric.pending.insert(series.slot);
            if series.was.is_none() {
                news.appeared.push((id, series.slot));
            }
        }
        self.share(id, [older.as_deref(), table.map(|table| &**table)], &difference, news);
    }

    /// A series that is there must not be withdrawn; one that was to be is known to the sink.
    fn cancel_withdrawals(&mut self, appeared: &[(MetricId, u32)]) {
        for (id, slot) in appeared {
            let Some(metric) = self.metrics.get_mut(id) else { continue };
            let Some(table) = &metric.table else { continue };
            let Some(series) = table.get(*slot) else { continue };
            if self.withdrawals.cancel(&table.info, series.attributes, metric.apart.contains(*slot)) {
                metric.known.insert(*slot);
            }
        }
    }
}

// === impl Metric, Batch ===

impl Metric {
    fn new(period: Duration, now: Instant) -> Self {
        Metric {
            period,
            beat: now + period,
            table: None,
            pending: SlotSet::default(),
            known: SlotSet::default(),
            apart: SlotSet::default(),
        }
    }

    fn pend_all(&mut self) {
        for series in self.table.iter().flat_map(|table| table.iter()) {
            self.pending.insert(series.slot);
        }
    }

    /// Takes what is known of a slot that a series has left: whether it is known, and whether it is told apart.
    fn take_bits(&mut self, slot: u32) -> (bool, bool) {
        self.pending.remove(slot);
        (self.known.remove(slot), self.apart.remove(slot))
    }
}

impl Batch {
    /// The metrics of which it holds values.
    pub(super) fn metrics(&self) -> impl Iterator<Item = MetricId> {
        self.slots.iter().map(|(id, _)| *id)
    }
}

#[cfg(test)]
mod tests;

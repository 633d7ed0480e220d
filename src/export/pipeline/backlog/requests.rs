//! What is sent in which request, and what becomes of it.
//!
//! In: what is pending, outcomes, times. Out: requests. Must never know: what made a series pending.

use celemetry_engine::snapshot::MetricId;
use tokio::time::Instant;

use super::{Backlog, Batch, Request, SMALLEST_LIMIT};
use crate::export::otlp::request::{Envelope, Point, RequestBuilder};
use crate::export::pipeline::withdrawals::Withdrawal;

impl Backlog {
    /// Whether there is anything to send.
    pub(in crate::export::pipeline) fn is_pending(&self) -> bool {
        let has_values = || self.metrics.values().any(|metric| !metric.pending.is_empty());
        self.is_active && (self.withdrawals.is_waiting() || has_values())
    }

    /// When something is due by itself.
    pub(in crate::export::pipeline) fn next_deadline(&self) -> Option<Instant> {
        let beats = self.metrics.values().filter(|_| self.is_active).map(|metric| metric.beat);
        beats.chain(self.withdrawals.next_deadline()).min()
    }

    /// Does what is due at `now`. A heartbeat that was slept through is made up for once. Says how many withdrawals
    /// were given up.
    pub(in crate::export::pipeline) fn advance(&mut self, now: Instant) -> usize {
        for metric in self.metrics.values_mut().filter(|metric| self.is_active && metric.beat <= now) {
            metric.pend_all();
            metric.beat = now + metric.period;
        }
        let live = self.metrics.values().filter_map(|metric| metric.table.as_ref()).map(|table| table.len());
        self.withdrawals.tidy(live.sum(), now)
    }

    /// As much as fits into one request of what is to be sent, with values as of now.
    pub(in crate::export::pipeline) fn request(
        &mut self,
        envelope: &Envelope,
        time_unix_nano: u64,
    ) -> Option<Request> {
        if !self.is_pending() {
            return None;
        }
        let mut builder = RequestBuilder::new(envelope, time_unix_nano, self.limit);
        let mut batch = Batch::default();
        // Withdrawals come first, since they are few and each is sent once, but leave room for values.
        for (number, gone) in self.withdrawals.waiting() {
            let Withdrawal { info, shape, own, is_apart } = gone;
            let point = Point { info, shape: *shape, own, is_apart: *is_apart, number: None };
            let leaves_room = batch.withdrawals.is_empty() || builder.size() < self.limit / 2;
            if !leaves_room || !builder.push(&point) {
                break;
            }
            batch.withdrawals.push(number);
        }
        let next = self.add_values(&mut builder, &mut batch);
        let (message, points) = builder.finish()?;
        (batch.points, batch.bytes) = (points, message.len());
        self.cursor = next;
        self.withdrawals.sent(&batch.withdrawals);
        for (id, slots) in &batch.slots {
            let Some(metric) = self.metrics.get_mut(id) else { continue };
            for slot in slots {
                metric.pending.remove(*slot);
                metric.known.insert(*slot);
            }
        }
        Some(Request { message, batch })
    }

    /// Adds values, and gives the metric with which to go on next time.
    fn add_values<'s>(&'s self, builder: &mut RequestBuilder<'s>, batch: &mut Batch) -> MetricId {
        for (id, metric) in self.metrics.range(self.cursor..).chain(self.metrics.range(..self.cursor)) {
            let Some(table) = metric.table.as_deref() else { continue };
            let mut slots = Vec::new();
            let mut is_full = false;
            for series in metric.pending.iter().filter_map(|slot| table.get(slot)) {
                let point = Point {
                    info: &table.info,
                    shape: table.shape,
                    own: series.attributes,
                    is_apart: metric.apart.contains(series.slot),
                    number: Some(series.number),
                };
                is_full = !builder.push(&point);
                if is_full {
                    break;
                }
                slots.push(series.slot);
            }
            if !slots.is_empty() {
                batch.slots.push((*id, slots));
            }
            if is_full {
                return *id;
            }
        }
        MetricId(0)
    }

    /// The sink took the batch.
    pub(in crate::export::pipeline) fn acknowledge(&mut self, batch: &Batch) {
        self.withdrawals.forget(&batch.withdrawals);
    }

    /// The batch is to be sent again, with the values as they will be then.
    pub(in crate::export::pipeline) fn put_back(&mut self, batch: &Batch) {
        if !self.is_active {
            return;
        }
        self.withdrawals.put_back(&batch.withdrawals, None);
        for (id, slots) in &batch.slots {
            let Some(metric) = self.metrics.get_mut(id) else { continue };
            let Some(table) = &metric.table else { continue };
            for slot in slots.iter().filter(|slot| table.get(**slot).is_some()) {
                metric.pending.insert(*slot);
            }
        }
    }

    /// The batch must not be sent again: its series wait for their next change or heartbeat, its withdrawals for as long.
    pub(in crate::export::pipeline) fn drop_batch(&mut self, batch: &Batch, now: Instant) {
        self.withdrawals.put_back(&batch.withdrawals, Some(now + self.heartbeat));
    }

    /// The sink does not take requests of this size: what was in it is sent in smaller ones from now on. Says whether
    /// that is possible; what is small already, or a single point, can only be dropped.
    pub(in crate::export::pipeline) fn split(&mut self, batch: &Batch) -> bool {
        let is_possible = batch.points > 1 && batch.bytes > SMALLEST_LIMIT;
        if is_possible {
            self.limit = (batch.bytes / 2).max(SMALLEST_LIMIT);
            self.put_back(batch);
        }
        is_possible
    }
}

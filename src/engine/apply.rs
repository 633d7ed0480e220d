//! A change → the series it touches.
//!
//! In: one change of one source. Out: series, dirty metrics, failures. Must never know: when anyone flushes.
//!
//! The order of work: stale or unchanged rows end at once; the index names candidates; every metric that holds a
//! contribution of the object is one too, so an object that no longer matches is found; each candidate's plan is
//! evaluated, and where its contributions differ, the old ones are taken back and the new ones added.

use std::sync::Arc;

use crate::change::{Change, Origin, SourceId};
use crate::engine::{Engine, Scratch};
use crate::error::EvaluationError;
use crate::index::InstanceId;
use crate::metric::Instance;
use crate::plan::{Evaluation, Meter};
use crate::row::Row;
use crate::snapshot::MetricId;
use crate::source::{Admission, Contribution, Marker, Object};

/// An expression that failed for one object.
#[derive(Debug)]
pub struct Failure<'a> {
    /// Whose expression.
    pub metric: MetricId,
    /// Where it stands in the user's document.
    pub place: &'a str,
    /// The object.
    pub row: &'a Row,
    /// Why.
    pub error: &'a EvaluationError,
}

impl Engine {
    /// Applies one change. Every failure of an expression is told to `failures`, besides being counted.
    pub fn apply(&mut self, source: SourceId, change: Change, failures: &mut dyn FnMut(&Failure<'_>)) {
        let Some(state) = self.sources.get_mut(&source) else { return };
        match change {
            Change::Begin { epoch } => state.begin(epoch),
            Change::Upsert { row, origin } => {
                if state.admit(&row, origin) == Admission::Evaluate {
                    self.upsert(source, &row, origin, failures);
                }
            }
            Change::Delete { key } => {
                if let Some(object) = state.delete(key) {
                    self.retract(&object.contributions);
                }
            }
            Change::Undecodable { key: Some(key) } => state.seen(key),
            Change::Undecodable { key: None } => state.seen_unidentified(),
            Change::End => {
                if let Some(gone) = state.end() {
                    for object in gone {
                        self.retract(&object.contributions);
                    }
                    self.activate_complete();
                }
            }
        }
    }

    /// Moves the metrics that became dirty since the last call into `into`, each once, in no particular order.
    pub fn take_dirty(&mut self, into: &mut Vec<MetricId>) {
        into.append(&mut self.dirty);
    }

    fn upsert(&mut self, id: SourceId, row: &Row, origin: Origin, failures: &mut dyn FnMut(&Failure<'_>)) {
        let Some(source) = self.sources.get_mut(&id) else { return };
        let old = source.objects.get_mut(row.key()).map(|object| std::mem::take(&mut object.contributions));
        let old = old.unwrap_or_default();
        let mut scratch = std::mem::take(&mut self.scratch);
        scratch.candidates.clear();
        if self.options.index {
            source.index.candidates(row, &mut scratch.candidates);
        } else {
            scratch.candidates.extend(source.instances());
        }
        scratch.candidates.extend(old.iter().map(|contribution| contribution.instance));
        scratch.candidates.sort_unstable();
        scratch.candidates.dedup();
        self.evaluate(id, row, &old, &mut scratch, failures);
        if let Some(source) = self.sources.get_mut(&id) {
            let unchanged = *old == *scratch.contributions;
            let contributions = if unchanged { old } else { scratch.contributions.as_slice().into() };
            let (digest, epoch, mark) = (row.digest(), row.epoch(), source.mark(origin));
            source.objects.insert(row.key(), Object { digest, epoch, mark, contributions });
        }
        self.scratch = scratch;
    }

    /// Evaluates every candidate and leaves the object's new contributions in the scratch.
    fn evaluate(
        &mut self,
        id: SourceId,
        row: &Row,
        old: &[Contribution],
        scratch: &mut Scratch,
        failures: &mut dyn FnMut(&Failure<'_>),
    ) {
        let Scratch { candidates, contributions, meters } = scratch;
        contributions.clear();
        meters.clear();
        let mut rest = old;
        for candidate in candidates {
            let mine = rest.iter().take_while(|contribution| contribution.instance == *candidate).count();
            let (mine, others) = rest.split_at(mine);
            rest = others;
            let Some(instance) = self.instances[candidate.0 as usize].as_mut() else { continue };
            let Some(bound) = self.sources.get(&id).and_then(|source| source.bound(*candidate)) else {
                continue;
            };
            if row.epoch() < bound.epoch {
                continue;
            }
            let meter = meter_of(meters, &instance.tenant, self.options.tenant_steps);
            let before = meter.spent;
            let evaluation = bound.plan.evaluate(row, meter);
            instance.tally.events += 1;
            instance.tally.evaluations += 1;
            instance.tally.steps += meter.spent - before;
            for failure in &evaluation.failures {
                instance.fail(failure, row);
                failures(&Failure {
                    metric: instance.metric,
                    place: failure.place,
                    row,
                    error: &failure.error,
                });
            }
            instance.replace(*candidate, mine, &evaluation, contributions);
            let (metric, dirty) = (instance.metric, instance.series.is_dirty());
            if dirty {
                self.mark_dirty(metric);
            }
        }
    }

    /// Takes back everything an object contributed.
    pub(crate) fn retract(&mut self, contributions: &[Contribution]) {
        for mine in contributions.chunk_by(|a, b| a.instance == b.instance) {
            let Some(instance) = self.instances[mine[0].instance.0 as usize].as_mut() else { continue };
            instance.retract(mine);
            let (metric, dirty) = (instance.metric, instance.series.is_dirty());
            if dirty {
                self.mark_dirty(metric);
            }
        }
    }
}

impl Instance {
    /// Puts what an object contributes now in the place of what it contributed, and adds it to `into`.
    fn replace(
        &mut self,
        id: InstanceId,
        old: &[Contribution],
        new: &Evaluation<'_>,
        into: &mut Vec<Contribution>,
    ) {
        let start = into.len();
        if self.same(old, new) {
            into.extend(old);
            return;
        }
        self.retract(old);
        self.tally.matched += u64::from(new.matched);
        for contributed in &new.contributions {
            let series = self.series.open(&contributed.attributes);
            self.series.add(series, contributed.amount);
            into.push(Contribution { instance: id, series, amount: contributed.amount });
        }
        if new.without_value > 0 {
            self.tally.without_value += 1;
            into.push(Contribution::marker(id, Marker::WITHOUT_VALUE));
        } else if new.matched && into.len() == start {
            into.push(Contribution::marker(id, Marker::MATCHED));
        }
    }

    /// Whether an object contributes what it did, to the same series.
    fn same(&self, old: &[Contribution], new: &Evaluation<'_>) -> bool {
        let (marked, without) = match old.last().map(|last| last.series) {
            Some(Marker::WITHOUT_VALUE) => (1, true),
            Some(Marker::MATCHED) => (1, false),
            _ => (0, false),
        };
        old.is_empty() != new.matched
            && without == (new.without_value > 0)
            && old.len() - marked == new.contributions.len()
            && old.iter().zip(&new.contributions).all(|(old, new)| {
                old.amount == new.amount && self.series.find(&new.attributes) == Some(old.series)
            })
    }

    fn fail(&mut self, failure: &crate::plan::Failure<'_>, row: &Row) {
        self.tally.errors += 1;
        let message = format!("{}: {}", failure.place, failure.error);
        self.tally.last_error = Some((message.into(), row.label().into()));
    }
}

/// The meter of a tenant for this event.
fn meter_of<'m>(meters: &'m mut Vec<(Arc<str>, Meter)>, tenant: &Arc<str>, steps: u64) -> &'m mut Meter {
    let at = match meters.iter().position(|(known, _)| known == tenant) {
        Some(at) => at,
        None => {
            meters.push((tenant.clone(), Meter::new(steps)));
            meters.len() - 1
        }
    };
    &mut meters[at].1
}

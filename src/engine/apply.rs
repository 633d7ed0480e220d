//! A change → the series it touches.
//!
//! In: one change of one source. Out: series, dirty metrics, failures. Must never know: when anyone flushes.
//!
//! The order of work: stale or unchanged rows end at once; the index names candidates; every metric that holds a
//! contribution of the object is one too, so an object that no longer matches is found; each candidate's plan is
//! evaluated, and where its contributions differ, the old ones are taken back and the new ones added.

use crate::change::{Change, Origin, SourceId};
use crate::engine::{Engine, Scratch};
use crate::error::EvaluationError;
use crate::expression::Memo;
use crate::index::InstanceId;
use crate::metric::Instance;
use crate::plan::{Evaluation, Meter, Plan};
use crate::row::Row;
use crate::snapshot::MetricId;
use crate::source::{Admission, Contribution, Marker};

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

    /// Moves the metrics that became dirty since the last call into `into`, each once, oldest first.
    pub fn take_dirty(&mut self, into: &mut Vec<MetricId>) {
        self.dirty.sort_unstable();
        self.dirty.dedup();
        into.append(&mut self.dirty);
    }

    fn upsert(&mut self, id: SourceId, row: &Row, origin: Origin, failures: &mut dyn FnMut(&Failure<'_>)) {
        let Some(source) = self.sources.get_mut(&id) else { return };
        let old = source.objects.get_mut(row.key()).map(|object| std::mem::take(&mut object.contributions));
        let old = old.unwrap_or_default();
        let mut scratch = std::mem::take(&mut self.scratch);
        scratch.candidates.clear();
        scratch.contributions.clear();
        let exact = if self.options.index {
            source.index.candidates(row, &mut scratch.candidates)
        } else {
            scratch.candidates.extend(source.instances());
            false
        };
        scratch.candidates.sort_unstable();
        scratch.candidates.dedup();
        self.tenants.next_event();
        let starved = self.evaluate(id, row, &old, exact, &mut scratch, failures);
        if let Some(source) = self.sources.get_mut(&id) {
            let unchanged = *old == *scratch.contributions;
            let contributions = if unchanged { old } else { scratch.contributions.as_slice().into() };
            source.store(row, origin, contributions, starved);
        }
        self.scratch = scratch;
    }

    /// Evaluates every candidate, and every instance that holds a contribution of the object, and leaves the object's
    /// new contributions in the scratch. `exact`: an instance that is no candidate counts nothing of this row. Tells
    /// whether a tenant's steps ran out.
    fn evaluate(
        &mut self,
        id: SourceId,
        row: &Row,
        old: &[Contribution],
        exact: bool,
        scratch: &mut Scratch,
        failures: &mut dyn FnMut(&Failure<'_>),
    ) -> bool {
        let Engine { sources, instances, tenants, dirty, options, .. } = self;
        let Some(source) = sources.get(&id) else { return false };
        // Where nobody else can ask, nothing is worth remembering.
        let shares = options.share && scratch.candidates.len() > 1;
        let memory = scratch.memory.take();
        let memo = Some(&memory).filter(|_| shares);
        let (mut starved, mut rest, mut candidates) =
            (false, old, scratch.candidates.iter().copied().peekable());
        loop {
            let holder = rest.first().map(|contribution| contribution.instance);
            let Some(id) = candidates.peek().copied().into_iter().chain(holder).min() else { break };
            let named = candidates.next_if_eq(&id).is_some();
            let (mine, others) = rest.split_at(rest.iter().take_while(|old| old.instance == id).count());
            rest = others;
            let Some(instance) = instances[id.0 as usize].as_mut() else { continue };
            let Some(bound) = source.bound(id) else { continue };
            if row.epoch() < bound.epoch {
                scratch.contributions.extend(mine);
                continue;
            }
            instance.tally.events += 1;
            let evaluation = if named || !exact {
                let meter = tenants.meter(instance.tenant, instance.at_work);
                let evaluation = instance.evaluate(&bound.plan, row, exact, memo, meter, failures);
                starved |= meter.left == 0;
                evaluation
            } else {
                Evaluation::default()
            };
            let room = tenants.room(instance.tenant, instance.at_work);
            let before = instance.series.live();
            instance.replace(id, mine, &evaluation, room, &mut scratch.contributions);
            tenants.count(instance.tenant, instance.at_work, before, instance.series.live());
            if instance.queues() {
                dirty.push(instance.metric);
            }
        }
        scratch.memory.give_back(memory);
        starved
    }

    /// Takes back everything an object contributed.
    pub(crate) fn retract(&mut self, contributions: &[Contribution]) {
        for mine in contributions.chunk_by(|a, b| a.instance == b.instance) {
            let Some(instance) = self.instances[mine[0].instance.0 as usize].as_mut() else { continue };
            let before = instance.series.live();
            instance.retract(mine);
            self.tenants.count(instance.tenant, instance.at_work, before, instance.series.live());
            if instance.queues() {
                self.dirty.push(instance.metric);
            }
        }
    }
}

impl Instance {
    /// Evaluates the plan and books what that cost and what failed. `selected`: its selectors are known to hold.
    fn evaluate<'r>(
        &mut self,
        plan: &'r Plan,
        row: &'r Row,
        selected: bool,
        memo: Option<&Memo<'r>>,
        meter: &mut Meter,
        failures: &mut dyn FnMut(&Failure<'_>),
    ) -> Evaluation<'r> {
        let before = meter.spent;
        let evaluation = if selected || plan.selects(row) {
            plan.evaluate_selected(row, memo, meter)
        } else {
            Evaluation::default()
        };
        self.tally.evaluations += 1;
        self.tally.steps += meter.spent - before;
        for failure in &evaluation.failures {
            failures(&Failure { metric: self.metric, place: failure.place, row, error: &failure.error });
        }
        if let Some(last) = evaluation.failures.last() {
            self.tally.errors += evaluation.failures.len() as u64;
            let message = format!("{}: {}", last.place, last.error);
            self.tally.last_error = Some((message.into(), row.label().into()));
        }
        evaluation
    }

    /// Puts what an object contributes now in the place of what it contributed, and adds it to `into`. `room` is how many
    /// series may be opened besides those that there are.
    fn replace(
        &mut self,
        id: InstanceId,
        old: &[Contribution],
        new: &Evaluation<'_>,
        room: usize,
        into: &mut Vec<Contribution>,
    ) {
        let start = into.len();
        if self.same(old, new) {
            into.extend(old);
            return;
        }
        let most = self.series.live().saturating_add(room);
        self.retract(old);
        self.tally.matched += u64::from(new.matched);
        for contributed in &new.contributions {
            let key = self.series.key(&contributed.attributes);
            let series = self.series.open(key, &contributed.attributes, most);
            self.series.add(series, contributed.amount);
            into.push(Contribution { instance: id, series, amount: contributed.amount });
        }
        if new.without_value > 0 {
            self.tally.without_value += 1;
            into.push(Contribution::marker(id, Marker::WITHOUT_VALUE));
        } else if new.matched && into.len() == start {
            into.push(Contribution::marker(id, Marker::MATCHED));
        }
        self.held += into.len() - start;
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
                old.amount == new.amount && self.series.is_at(old.series, self.series.key(&new.attributes))
            })
    }
}

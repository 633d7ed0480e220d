//! Whether what the engine holds of one object is what the object gives.
//!
//! In: an object as its source shows it now, or that it is gone. Out: a verdict. Must never know: who asks, how often, how
//! the object came to be shown. Changes nothing.
//!
//! Every plan of the source is evaluated from scratch, without the index and without a budget that others share, and
//! compared with the contributions that are held, bit for bit. The engine remembers no resourceVersion, so it cannot tell
//! an event that was missed from one that is under way: whoever asks looks twice.

use crate::change::SourceId;
use crate::engine::Engine;
use crate::metric::Instance;
use crate::plan::{Evaluation, Meter};
use crate::row::{ObjectKey, Row};
use crate::snapshot::MetricId;
use crate::source::{Contribution, Marker, Object};

/// What a source shows of an object now.
#[derive(Clone, Debug)]
pub enum Seen {
    /// It looks like this. Decoded with the field plan of the latest Begin.
    There(Row),
    /// There is no such object.
    Gone(ObjectKey),
}

/// Whether the engine is right about an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// What is held of it is what it gives, in every metric.
    Equal,
    /// It cannot be told now: a list is under way or wanted, namespaces are to be reviewed, the row is of an old plan, or
    /// the object's evaluation was cut short.
    Unsettled,
    /// These metrics hold something else. Either a change is under way that the engine was not told yet, or it is wrong.
    Differs(Vec<MetricId>),
}

// === impl Engine ===

impl Engine {
    /// Compares what is held of an object of `source` with what it gives.
    pub fn audit(&self, source: SourceId, seen: &Seen) -> Verdict {
        let Some(state) = self.sources.get(&source) else { return Verdict::Unsettled };
        if matches!(seen, Seen::There(row) if row.epoch() < state.begun()) {
            return Verdict::Unsettled;
        }
        let object = state.objects.get(seen.key());
        let mut settled = !state.is_unsettled() && !object.is_some_and(Object::is_cut_short);
        let mut differing = vec![];
        for (id, bound) in state.all_bound() {
            let Some(instance) = self.instance(id) else { continue };
            if object.map_or(state.begun(), |object| object.epoch) < bound.epoch {
                // It waits for its list, which has not shown the object yet.
                continue;
            }
            let held = object.map_or(&[][..], |object| object.of(id));
            let agrees = match seen {
                Seen::There(row) => {
                    let mut meter = Meter::new(self.options.tenant_steps);
                    instance.holds(held, &bound.plan.evaluate(row, &mut meter))
                }
                Seen::Gone(_) => held.is_empty(),
            };
            if !agrees {
                settled &= !object.is_some_and(|object| bound.is_reselected_since(object));
                differing.push(instance.metric);
            }
        }
        differing.sort_unstable();
        // The definition of a metric that is at work, and the one that is to replace it.
        differing.dedup();
        match (differing.is_empty(), settled) {
            (true, _) => Verdict::Equal,
            (false, true) => Verdict::Differs(differing),
            (false, false) => Verdict::Unsettled,
        }
    }
}

// === impl Seen ===

impl Seen {
    /// Which object.
    pub fn key(&self) -> ObjectKey {
        match self {
            Seen::There(row) => row.key(),
            Seen::Gone(key) => *key,
        }
    }
}

// === impl Instance ===

impl Instance {
    /// Whether what an object contributes is just what is held of it. What went to the overflow series may stay there, so
    /// of that the amounts alone are compared.
    fn holds(&self, held: &[Contribution], fresh: &Evaluation<'_>) -> bool {
        let last = held.last().map(|last| last.series);
        let without_value = last == Some(Marker::WITHOUT_VALUE);
        let marked = without_value || last == Some(Marker::MATCHED);
        let amounts = if marked { &held[..held.len() - 1] } else { held };
        held.is_empty() != fresh.matched
            && without_value == (fresh.without_value > 0)
            && amounts.len() == fresh.contributions.len()
            && amounts.iter().zip(&fresh.contributions).all(|(held, fresh)| {
                let key = self.series.key(&fresh.attributes);
                let in_place = self.series.is_at(held.series, key) || self.series.is_overflow(held.series);
                held.amount == fresh.amount && in_place
            })
    }
}

//! A registered metric: the definition at work, and the one that is to replace it.
//!
//! In: contributions that come and go. Out: tables and status. Must never know: rows, sources.
//!
//! An edited metric is two instances for a while. The old one goes on until the new one has seen a complete list of
//! every source; then they are swapped in one flush.

use std::sync::Arc;

use crate::change::SourceId;
use crate::definition::{Definition, MetricInfo};
use crate::index::InstanceId;
use crate::row::HashSeed;
use crate::series::SeriesStore;
use crate::snapshot::{MetricId, MetricShape};
use crate::source::{Contribution, Marker};
use crate::tenant::TenantId;

/// One registered metric.
#[derive(Debug, Default)]
pub(crate) struct Metric {
    /// Complete, and in every snapshot.
    pub(crate) active: Option<InstanceId>,
    /// Waiting for its lists.
    pub(crate) pending: Option<InstanceId>,
    /// Whether its next flush replaces the table rather than updating it.
    pub(crate) replaced: bool,
}

/// One compiled definition at work.
#[derive(Debug)]
pub(crate) struct Instance {
    pub(crate) metric: MetricId,
    pub(crate) tenant: TenantId,
    pub(crate) info: Arc<MetricInfo>,
    pub(crate) shape: MetricShape,
    pub(crate) sources: Vec<SourceId>,
    pub(crate) series: SeriesStore,
    pub(crate) tally: Tally,
    /// How many contributions objects hold for it, markers included.
    pub(crate) held: usize,
    /// Whether it is its metric's definition in snapshots, rather than waiting for its lists.
    pub(crate) at_work: bool,
    /// Whether its metric is in the list of those that a flush would change.
    pub(crate) queued: bool,
}

/// What a metric has met and cost.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) matched: u64,
    pub(crate) without_value: u64,
    pub(crate) errors: u64,
    pub(crate) last_error: Option<(Box<str>, Box<str>)>,
    pub(crate) events: u64,
    pub(crate) evaluations: u64,
    pub(crate) steps: u64,
}

/// What is known about one metric, for its status.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MetricStatus {
    /// Whether the first complete list is in, so that its series are in snapshots.
    pub ready: bool,
    /// Whether another definition waits for its lists to replace the one that is in snapshots: an edited metric still
    /// needs the sources it had.
    pub pending: bool,
    /// How many series it has, an overflow series included.
    pub series: usize,
    /// Whether attribute sets beyond its limit are folded into the overflow series.
    pub overflowing: bool,
    /// Whether its tenant, or all together, have nearly as many series as they may: more than 80 % of a limit.
    pub crowded: bool,
    /// Whether a sum has left 64 bits and is a double for now.
    pub beyond_64_bits: bool,
    /// How many objects its selectors and filter hold for.
    pub matched_objects: u64,
    /// How many of these were left out, wholly or in part, for want of a value.
    pub without_value: u64,
    /// Expressions that failed for an object.
    pub errors: ExpressionErrors,
    /// What it has cost so far.
    pub cost: Cost,
}

/// Expressions that failed for an object, since the definition was registered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExpressionErrors {
    /// How many times.
    pub count: u64,
    /// The latest, with its place.
    pub last_message: Option<String>,
    /// For which object, as `v1/Pod/shop/web-1`.
    pub last_object: Option<String>,
}

/// What a metric has cost since its definition was registered, and what it holds now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Changes of objects for which it was a candidate.
    pub events: u64,
    /// Evaluations of its plan.
    pub evaluations: u64,
    /// Steps of its expressions.
    pub steps: u64,
    /// Series that it has, an overflow series included.
    pub series: usize,
    /// Memory that its series take, and the contributions that objects make to them: an account by sizes, without what an
    /// allocator adds, and without tables and whoever reads them.
    pub bytes: usize,
}

impl Instance {
    pub(crate) fn new(
        metric: MetricId,
        definition: &Definition,
        sources: &[SourceId],
        tenant: TenantId,
        seed: HashSeed,
    ) -> Self {
        Instance {
            metric,
            tenant,
            info: definition.info.clone(),
            shape: MetricShape::of(definition),
            sources: sources.to_vec(),
            series: SeriesStore::new(definition, seed),
            tally: Tally::default(),
            held: 0,
            at_work: false,
            queued: false,
        }
    }

    /// Whether its metric is to be put in the list of those that a flush would change: said once until the next flush,
    /// and never while it waits for its lists, when a flush would find nothing to do.
    pub(crate) fn queues(&mut self) -> bool {
        self.at_work && self.series.is_dirty() && !std::mem::replace(&mut self.queued, true)
    }

    /// Takes back what an object contributed.
    pub(crate) fn retract(&mut self, contributions: &[Contribution]) {
        self.tally.matched -= u64::from(!contributions.is_empty());
        self.held -= contributions.len();
        for contribution in contributions {
            match contribution.series {
                Marker::WITHOUT_VALUE => self.tally.without_value -= 1,
                Marker::MATCHED => {}
                series => self.series.retract(series, contribution.amount),
            }
        }
    }

    pub(crate) fn status(&self) -> MetricStatus {
        let (last_message, last_object) = match &self.tally.last_error {
            Some((message, object)) => (Some(message.to_string()), Some(object.to_string())),
            None => (None, None),
        };
        MetricStatus {
            ready: false,
            pending: false,
            series: self.series.len(),
            overflowing: self.series.is_overflowing(),
            crowded: false,
            beyond_64_bits: self.series.is_beyond_64_bits(),
            matched_objects: self.tally.matched,
            without_value: self.tally.without_value,
            errors: ExpressionErrors { count: self.tally.errors, last_message, last_object },
            cost: self.cost(),
        }
    }

    /// What it has cost, and holds. Takes no time that grows with anything.
    pub(crate) fn cost(&self) -> Cost {
        Cost {
            events: self.tally.events,
            evaluations: self.tally.evaluations,
            steps: self.tally.steps,
            series: self.series.len(),
            bytes: self.series.bytes() + self.held * size_of::<Contribution>(),
        }
    }
}

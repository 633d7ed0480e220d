//! What one metric makes of one row: filter, elements, attributes, value → contributions.
//!
//! In: a [`Definition`](crate::definition::Definition), compiled once; then rows. Out: what each row contributes.
//! Must never know: other metrics, series, what an object contributed before.

mod compile;
mod demands;
mod evaluate;
mod elements;
mod amount;
mod text;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use crate::definition::{FieldRequirement, ProjectionKind, TextForm, ValueKind};
use crate::error::EvaluationError;
use crate::expression::Expression;
use crate::index::Conditions;
use crate::row::{FieldId, FieldUses};
use crate::series::Amount;
use text::ProjectionError;

/// A definition compiled against the field plan of one source. Nothing is parsed or looked up by name when it runs.
#[derive(Debug)]
pub struct Plan {
    pub(crate) conditions: Arc<Conditions>,
    fields: Vec<FieldTest>,
    filter: Option<Step>,
    elements: Option<Step>,
    /// Sorted by attribute name, each name once.
    projections: Vec<ProjectionStep>,
    value: Option<ValueStep>,
    form: TextForm,
    /// Whether failures quote no value.
    confidential: bool,
    /// What this plan asked of the field plan, to be released when it goes.
    pub(crate) uses: FieldUses,
}

/// An expression and its place in the user's document.
#[derive(Debug)]
struct Step {
    expression: Expression,
    place: Arc<str>,
}

/// One attribute.
#[derive(Debug)]
struct ProjectionStep {
    name: Arc<str>,
    step: Step,
    kind: ProjectionKind,
    /// What stands for an absent attribute. Upstream refuses a default that is no string only where it is used.
    default: Option<Result<Box<str>, ProjectionError>>,
}

/// The number.
#[derive(Debug)]
struct ValueStep {
    step: Step,
    kind: ValueKind,
    /// Whether only the presence of a value counts.
    count: bool,
    default: Option<Amount>,
}

/// A requirement of a field selector, and the field where rows hold its value.
#[derive(Debug)]
struct FieldTest {
    field: FieldId,
    requirement: FieldRequirement,
}

/// What the expressions of one event may still cost, per tenant, and what they have cost.
#[derive(Clone, Copy, Debug)]
pub struct Meter {
    /// Steps left to the tenant for this event.
    pub left: u64,
    /// Steps spent by this meter.
    pub spent: u64,
}

/// What one row contributes to one metric.
#[derive(Debug, Default)]
pub struct Evaluation<'r> {
    /// Whether the object counts: selectors and filter hold.
    pub matched: bool,
    /// One per element, or one for the object.
    pub contributions: Vec<Contributed<'r>>,
    /// How many elements, or objects, were left out for want of a value.
    pub without_value: u32,
    /// What went wrong, each with its place.
    pub failures: Vec<Failure<'r>>,
}

/// One contribution: to the series with these attributes, this amount.
#[derive(Debug)]
pub struct Contributed<'r> {
    /// (name, text), sorted by name; absent and empty attributes are left out.
    pub attributes: Vec<(&'r Arc<str>, Cow<'r, str>)>,
    /// What is added.
    pub amount: Amount,
}

/// An expression that failed for a row.
#[derive(Debug)]
pub struct Failure<'r> {
    /// Which one, as a place in the user's document.
    pub place: &'r str,
    /// Why.
    pub error: EvaluationError,
}

// === impl Plan ===

impl Plan {
    /// Which namespaces it counts objects of; `None` is all.
    pub(crate) fn namespaces(&self) -> Option<&Arc<BTreeSet<String>>> {
        self.conditions.selector.namespaces.as_ref()
    }

    /// Counts objects of these namespaces from now on.
    pub(crate) fn set_namespaces(&mut self, namespaces: Option<Arc<BTreeSet<String>>>) {
        Arc::make_mut(&mut self.conditions).selector.namespaces = namespaces;
    }
}

// === impl Meter ===

impl Meter {
    /// What one tenant's expressions may cost for one event: 100,000 steps, ten expressions at their own limit.
    pub const TENANT_STEPS: u64 = 100_000;

    /// A meter with this many steps left.
    pub fn new(left: u64) -> Self {
        Meter { left, spent: 0 }
    }
}

//! What a query may cost while it runs.
//!
//! In: the budget of one evaluation. Out: the error that ends it. Must never know: what is charged for.

use super::compare::Scalar;
use crate::error::EvaluationError;
use crate::expression::Budget;
use crate::expression::matcher::Matcher;
use crate::row::NodeRef;

/// Why a query stopped.
#[derive(Clone, Debug)]
pub(super) enum Stop {
    /// The budget is spent, or the answer would be none that a row can give: nothing goes on from here.
    Final(EvaluationError),
    /// The object is not as a step of kubectl's dialect needs it. An existence filter there takes whatever nodes were
    /// left when a step failed for its answer.
    Refused { error: EvaluationError, nodes_left: bool },
}

/// Charges a budget. One node visited is one step, 16 bytes compared are another; a node in a list takes the bytes of its
/// reference.
#[derive(Debug)]
pub(super) struct Meter<'b> {
    budget: &'b mut Budget,
}

// === impl Stop ===

impl From<Stop> for EvaluationError {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Final(error) | Stop::Refused { error, .. } => error,
        }
    }
}

// === impl Meter ===

impl<'b> Meter<'b> {
    pub(super) fn new(budget: &'b mut Budget) -> Self {
        Meter { budget }
    }

    /// Takes `steps` from the budget.
    pub(super) fn steps(&mut self, steps: usize) -> Result<(), Stop> {
        self.budget.step(steps as u64).map_err(Stop::Final)
    }

    /// Takes the reading of `text` from the budget.
    pub(super) fn text(&mut self, text: &str) -> Result<(), Stop> {
        self.steps(1 + text.len() / 16)
    }

    /// The scalar at a node. A number takes the reading of its text, however long it is.
    pub(super) fn scalar<'a>(&mut self, node: NodeRef<'a>) -> Result<Scalar<'a>, Stop> {
        if let Some(text) = node.as_number() {
            self.budget.read(text.len()).map_err(Stop::Final)?;
        }
        Ok(Scalar::of_node(node))
    }

    /// Takes the compiling of a regular expression from the budget.
    pub(super) fn compilation(&mut self, pattern: &str) -> Result<(), Stop> {
        Matcher::charge_compilation(pattern, self.budget).map_err(Stop::Final)
    }

    /// Whether a part of `text` matches, which is taken from the budget.
    pub(super) fn is_match(&mut self, matcher: &Matcher, text: &str) -> Result<bool, Stop> {
        matcher.is_match(text, self.budget).map_err(Stop::Final)
    }

    /// Takes a list of `len` nodes from the budget; visiting them is charged apart.
    pub(super) fn nodes(&mut self, len: usize) -> Result<(), Stop> {
        self.budget.hold(len.saturating_mul(size_of::<NodeRef<'static>>())).map_err(Stop::Final)
    }

    /// Adds a node that was visited to a list.
    pub(super) fn push<'r>(&mut self, to: &mut Vec<NodeRef<'r>>, node: NodeRef<'r>) -> Result<(), Stop> {
        self.steps(1)?;
        self.nodes(1)?;
        to.push(node);
        Ok(())
    }
}

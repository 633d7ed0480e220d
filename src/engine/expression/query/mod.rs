//! JSONPath: a path in either dialect, compiled against a field plan and evaluated over rows.
//!
//! In: a formula, the fields that it may read, and at run time a row. Out: the nodes that it selects. Must never know:
//! metrics, series, the Common Expression Language.

mod tree;
mod resolve;
mod meter;
mod compare;
mod pattern;
mod evaluate;
mod filter;
mod bytes;
mod kubectl;
#[cfg(test)]
mod tests;

pub(super) use pattern::compile as compile_pattern;
pub(super) use tree::{
    Anchor, Comparison, Condition, End, Extent, KubectlOperand, KubectlStep, Literal, Logical, Matches, Name,
    Operand, Pattern, Range, Selector, Slice, Step, Subquery,
};

use super::patterns::Patterns;
use super::{Budget, Demand, Nodes, kubectl as kubectl_dialect, rfc9535};
use crate::definition::{Formula, Language};
use crate::error::{CompileError, EvaluationError};
use crate::row::{FieldId, FieldRecorder, NodeRef, Row};
use evaluate::Evaluator;
use meter::Meter;
use resolve::{Resolver, take_names};

/// A compiled JSONPath.
#[derive(Clone, Debug)]
pub(crate) struct Query {
    /// The field that the names at the beginning of the path lead to. Never a repeated one.
    start: FieldId,
    /// What follows those names; empty for a plain chain of names.
    steps: Vec<Step>,
    /// Whether the nodes themselves are the elements, rather than the elements of the one node.
    plural: bool,
    elements: Option<FieldId>,
    /// What its compiled patterns take together.
    patterns_kib: usize,
}

/// Compiles a JSONPath and records the fields that it reads.
///
/// # Errors
/// What is wrong with the text and where. Also for [`Language::Cel`], which is not a path.
pub(crate) fn compile(
    formula: &Formula,
    demand: Demand,
    fields: &mut FieldRecorder<'_>,
) -> Result<Query, CompileError> {
    compile_at(FieldId::ROOT, formula, demand, fields)
}

pub(in crate::expression) fn compile_at(
    root: FieldId,
    formula: &Formula,
    demand: Demand,
    fields: &mut FieldRecorder<'_>,
) -> Result<Query, CompileError> {
    let mut patterns = Patterns::default();
    let parsed = match formula.language {
        Language::Rfc9535 => rfc9535::parse(&formula.text, &mut patterns),
        Language::Kubectl => kubectl_dialect::parse(&formula.text),
        Language::Cel => Err(SyntaxError::new(0, "this is no JSONPath")),
    };
    let steps = parsed.map_err(|error| error.place(formula))?;
    Ok(Query { patterns_kib: patterns.kibibytes(), ..Query::resolve(root, steps, demand, fields) })
}

/// What is wrong with the text of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SyntaxError {
    /// The character at fault, from 1; 0 where it is the whole text.
    pub(super) character: usize,
    pub(super) message: String,
}

// === impl Query ===

impl Query {
    fn resolve(root: FieldId, mut steps: Vec<Step>, demand: Demand, fields: &mut FieldRecorder<'_>) -> Self {
        let plural = steps.iter().any(Step::is_plural);
        let mut resolver = Resolver { fields, root };
        let reach = resolver.steps(vec![root], &mut steps);
        let elements = match (demand, reach.as_slice()) {
            (Demand::Elements, &[field]) if plural => Some(field),
            (Demand::Elements, &[field]) => Some(fields.each(field)),
            _ => {
                resolver.keep(&reach);
                None
            }
        };
        let start = take_names(root, &mut steps);
        Query { start, steps, plural, elements, patterns_kib: 0 }
    }

    /// With [`Demand::Elements`]: the repeated field of the elements, where there is one such field; otherwise
    /// everything below the result is kept.
    pub(crate) fn elements(&self) -> Option<FieldId> {
        self.elements
    }

    /// What its compiled patterns take together, in KiB.
    pub(crate) fn patterns_kib(&self) -> usize {
        self.patterns_kib
    }

    /// Whether the path can select several nodes by its form (`[*]`, a slice, a filter, `..`, a union): with
    /// [`Demand::Elements`] the nodes are then the elements; otherwise the elements are those of the one node.
    pub(crate) fn is_plural(&self) -> bool {
        self.plural
    }

    /// Whether the path is a plain chain of names.
    pub(crate) fn is_plain(&self) -> bool {
        self.steps.is_empty()
    }

    /// What the path selects; of a plain chain of names, one slot of the row without a list for it.
    ///
    /// # Errors
    /// As [`evaluate`](Self::evaluate).
    pub(crate) fn select<'r>(&self, row: &'r Row, budget: &mut Budget) -> Result<Nodes<'r>, EvaluationError> {
        match row.at(self.start) {
            Some(node) if self.is_plain() => {
                Meter::new(budget).steps(1)?;
                Ok(Nodes::One(node))
            }
            _ => self.evaluate(row, budget).map(Nodes::Several),
        }
    }

    /// The nodes that the path selects, in order.
    ///
    /// # Errors
    /// In kubectl's dialect, where client-go refuses the object; in both where the budget is spent.
    pub(crate) fn evaluate<'r>(
        &self,
        row: &'r Row,
        budget: &mut Budget,
    ) -> Result<Vec<NodeRef<'r>>, EvaluationError> {
        let Some(start) = row.at(self.start) else { return Ok(Vec::new()) };
        let mut evaluator = Evaluator::new(row, Meter::new(budget));
        evaluator.meter.steps(1)?;
        Ok(evaluator.steps(vec![start], &self.steps)?)
    }
}

// === impl Step ===

impl Step {
    /// Whether it can select several nodes of one.
    pub(in crate::expression) fn is_plural(&self) -> bool {
        match self {
            Step::Name(_) => false,
            Step::Children(selectors) => {
                !matches!(selectors.as_slice(), [Selector::Name(_) | Selector::Index(_)])
            }
            Step::Descendants(_) => true,
            Step::Kubectl(KubectlStep::Range(range)) => !matches!(range.end, End::AfterStart),
            Step::Kubectl(_) => true,
        }
    }
}

// === impl SyntaxError ===

impl SyntaxError {
    pub(super) fn new(character: usize, message: impl Into<String>) -> Self {
        SyntaxError { character, message: message.into() }
    }

    /// The error in the user's document. A path of several lines has its position in the line.
    fn place(self, formula: &Formula) -> CompileError {
        let (mut line, mut column) = (0, 0);
        if self.character > 0 {
            let before = formula.text.chars().take(self.character - 1);
            (line, column) = before.fold(
                (1, 1),
                |(line, column), c| {
                    if c == '\n' { (line + 1, 1) } else { (line, column + 1) }
                },
            );
        }
        CompileError { place: formula.place.clone(), line, column, message: self.message }
    }
}

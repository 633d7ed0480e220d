//! Whether an expression can be right for objects of a schema, before there is one.
//!
//! In: a formula that compiles, a schema. Out: what is known of its result; what of it can never be right, each with its
//! place. Must never know: metrics, rows.
//!
//! The opposite of a type checker: what is not known is right. So a schema that says too little, or a part of the
//! language that nothing is known of, costs a finding and never makes up one.

mod calls;
mod cel;
mod field;
mod macros;
mod operators;
mod path;
mod place;
mod query;
mod seen;

use std::collections::BTreeSet;

use super::StaticType;
use super::explain::{Parsed, parse};
use super::fault::{Fault, fault};
use super::query::Step;
use crate::definition::{Formula, Language};
use crate::error::CompileError;
use crate::schema::Schema;
pub(crate) use seen::Seen;

/// What is known of an expression.
#[derive(Clone, Debug)]
pub(crate) struct Fit {
    /// What it gives: of a JSONPath, what each node is.
    pub(crate) seen: Seen,
    /// Whether it is a JSONPath that can select several nodes.
    pub(crate) plural: bool,
    faults: Faults,
}

/// What is known of the items of a `forEach`.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub(crate) value: Seen,
    /// Where they stand: an integer in a list, a string in a map.
    pub(crate) position: Seen,
}

/// One expression has no more findings than this: whoever reads them mends the first ones first.
const MOST_FINDINGS: usize = 16;

/// What is known of an expression, and what of it can never be right. `item` is what stands for an item of `forEach`.
pub(crate) fn fit(formula: &Formula, item: Option<&Item>, schema: &Schema) -> Fit {
    let faults = Faults::default();
    match parse(formula) {
        Some(Parsed::Cel(syntax)) => {
            let mut fitter = cel::Fitter::new(&formula.text, item, schema, faults);
            let seen = fitter.see(&syntax);
            Fit { seen, plural: false, faults: fitter.faults }
        }
        Some(Parsed::Path(steps)) => {
            let plural = steps.iter().any(Step::is_plural);
            let is_kubectl = formula.language == Language::Kubectl;
            let mut walker = query::Walker::new(&formula.text, is_kubectl, schema, faults);
            let seen = walker.steps(Seen::root(), &steps);
            Fit { seen, plural, faults: walker.faults }
        }
        None => Fit { seen: Seen::Anything, plural: false, faults },
    }
}

/// What was found so far.
#[derive(Clone, Debug, Default)]
struct Faults {
    found: Vec<Fault>,
    /// What is no finding, wherever it is met: of members that are asked for, where objects may have others.
    excused: BTreeSet<String>,
}

// === impl Item ===

impl Item {
    /// Whether the items are elements of a list for sure.
    fn are_elements(&self) -> bool {
        matches!(self.position, Seen::Kind(StaticType::Int))
    }

    /// Whether the items are entries of a map for sure.
    fn are_entries(&self) -> bool {
        matches!(self.position, Seen::Kind(StaticType::String))
    }
}

// === impl Fit ===

impl Fit {
    /// Its findings; one more if the result is `wrong` for what it is needed for.
    pub(crate) fn into_findings(
        mut self,
        formula: &Formula,
        wrong: bool,
        needed: &str,
        schema: &Schema,
    ) -> Vec<CompileError> {
        if wrong && self.faults.found.is_empty() {
            let message = self.seen.without_optional().contradicting(needed, schema);
            self.faults.found.push(fault(0, message));
        }
        self.faults.found.into_iter().map(|fault| fault.locate(formula)).collect()
    }

    /// Messages of what may be there for all that is known, because the expression asks whether it is.
    pub(crate) fn excused(&self) -> &BTreeSet<String> {
        &self.faults.excused
    }
}

// === impl Faults ===

impl Faults {
    /// One more, unless the same was said before. Gives what is then known of the part at fault: nothing.
    fn push(&mut self, at: usize, message: String) -> Seen {
        let is_known = self.found.iter().any(|known| known.message == message);
        if !is_known && !self.excused.contains(&message) && self.found.len() < MOST_FINDINGS {
            self.found.push(fault(u32::try_from(at).unwrap_or(0), message));
        }
        Seen::Anything
    }

    /// As [`push`](Self::push), of a member that an expression asks for: where objects may have members that the schema
    /// does not know, and it is no misspelling of one that it does, it is right.
    fn push_asked(&mut self, at: usize, message: String, schema: &Schema) -> Seen {
        if !schema.is_dated() || !message.ends_with('\'') {
            return self.push(at, message);
        }
        self.found.retain(|known| known.message != message);
        self.excused.insert(message);
        Seen::Anything
    }
}

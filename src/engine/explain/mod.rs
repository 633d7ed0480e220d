//! What a definition will do: which fields it reads, what it is found by, what it costs.
//!
//! In: a definition. Out: answers for people and for tools. Nothing here is on the path of an event.
//!
//! ```
//! use celemetry_engine::definition::Definition;
//! use celemetry_engine::explain::explain;
//!
//! let pods = Definition::count("pods").filter("object.status.phase == 'Running'").by("node", "object.spec.nodeName");
//! let explanation = explain(&pods).unwrap();
//! let fields: Vec<&str> = explanation.fields.iter().map(|field| field.path.as_str()).collect();
//! assert_eq!(fields, ["spec.nodeName", "status.phase"]);
//! assert_eq!(explanation.index, ["status.phase is \"Running\""]);
//! assert_eq!(explanation.estimate.to_string(), "2");
//! ```

mod fields;
mod predicates;
mod trace;

pub use crate::expression::explain::{Estimate, OtherReading, Part, Shown, other_reading};
pub use fields::{Extent, FieldRead, Skipped};
pub use trace::{Evaluated, Requirement, Test, Trace, TraceError, TracedElement, trace};

use crate::definition::{Definition, Formula, Language};
use crate::error::CompileError;
use crate::expression::explain::{estimate, origins};
use crate::plan::Plan;
use crate::row::{FieldPlan, HashSeed};

/// What a definition will do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The fields that are read, sorted by path; all else of an object is skipped.
    pub fields: Vec<FieldRead>,
    /// What must hold of an object for the definition to be looked at: each a necessary condition that the index knows.
    /// Empty: every object is looked at.
    pub index: Vec<String>,
    /// Its expressions in the order in which they are evaluated.
    pub formulas: Vec<FormulaFacts>,
    /// Steps that all of them take together.
    pub estimate: Estimate,
}

/// One expression of a definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormulaFacts {
    /// What it is for.
    pub role: Role,
    /// Where it stands in the user's document, and what is written there.
    pub formula: Formula,
    /// Steps that it takes once.
    pub estimate: Estimate,
    /// Whether it is evaluated for every element.
    pub each: bool,
    /// The fields whose texts may reach its result, such as `metadata.name` and `spec.containers[*].image`.
    pub origins: Vec<String>,
}

/// What an expression is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Role {
    /// Whether the object counts.
    Filter,
    /// Its elements.
    ForEach,
    /// The number.
    Value,
    /// The attribute of this name.
    Attribute(String),
}

/// Explains a definition, compiled by itself.
///
/// # Errors
/// Every defect of the definition.
pub fn explain(definition: &Definition) -> Result<Explanation, Vec<CompileError>> {
    let mut plan = FieldPlan::new(HashSeed::default());
    let compiled = Plan::compile(definition, &mut plan)?;
    let names = fields::names(&plan);
    let formulas = formulas(definition);
    let estimate = formulas.iter().fold(Estimate::default(), |total, facts| {
        total.plus(&if facts.each { facts.estimate.each() } else { facts.estimate.clone() })
    });
    let index = predicates::of(&compiled.conditions, &names);
    Ok(Explanation { fields: fields::read(&plan), index, formulas, estimate })
}

// === impl Explanation ===

impl Explanation {
    /// The parts of an object that are skipped as a whole, in the order of their paths.
    pub fn skipped(&self, object: &serde_json::Value) -> Vec<Skipped> {
        fields::skipped(&self.fields, object)
    }
}

fn formulas(definition: &Definition) -> Vec<FormulaFacts> {
    let item = definition.for_each.as_ref().map(elements).unwrap_or_default();
    let each = definition.for_each.is_some();
    let facts = |role: Role, formula: &Formula, each: bool| FormulaFacts {
        role,
        formula: formula.clone(),
        estimate: estimate(formula),
        each,
        origins: origins(formula, &item),
    };
    let filter = definition.filter.iter().map(|formula| facts(Role::Filter, formula, false));
    let elements = definition.for_each.iter().map(|formula| facts(Role::ForEach, formula, false));
    let value = definition.value.iter().map(|value| facts(Role::Value, &value.formula, each));
    let attributes = definition
        .projections
        .iter()
        .map(|projection| facts(Role::Attribute(projection.name.clone()), &projection.formula, each));
    filter.chain(elements).chain(value).chain(attributes).collect()
}

/// The fields that the elements of a `forEach` come from.
fn elements(formula: &Formula) -> Vec<String> {
    let is_path = formula.language != Language::Cel;
    let element = |field: String| match field {
        nodes if is_path && nodes.ends_with("[*]") => nodes,
        list => format!("{list}[*]"),
    };
    origins(formula, &[]).into_iter().map(element).collect()
}

#[cfg(test)]
mod tests;

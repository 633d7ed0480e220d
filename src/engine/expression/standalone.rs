//! One expression by itself, over variables of any name: for editors, tests, and programs that have no metrics.
//!
//! In: a formula, names of variables, JSON texts or values for them. Out: what the expression gives. Must never know: metrics,
//! sources, how the answer is written.

use std::sync::Arc;

use super::evaluate::{Frame, evaluate};
use super::fault::{fault, locate};
use super::memo::Mark;
use super::{Budget, Demand, Outcome, Program, StaticType, Value, cel, check, first, limits, query};
use crate::definition::{Formula, Language};
use crate::error::{CompileError, EvaluationError};
use crate::row::{DecodeError, Decoder, Defaults, FieldId, FieldPlan, HashSeed, Row, skim};

/// A compiled expression over variables of its own, rather than over the objects of a source.
///
/// ```
/// use celemetry_engine::definition::Formula;
/// use celemetry_engine::expression::{Binding, Budget, Outcome, Standalone, Value};
///
/// let sum = Standalone::compile(&Formula::cel("pod.cpus.sum() + more", "sum"), &["pod", "more"]).unwrap();
/// let bound = sum.bind(&[Binding::Json(r#"{"cpus": [1, 2]}"#), Binding::Value(Value::Int(4))]).unwrap();
/// let outcome = bound.evaluate(&mut Budget::EXPRESSION.clone()).unwrap();
/// assert!(matches!(outcome, Outcome::Value(Value::Int(7))));
/// ```
#[derive(Clone, Debug)]
pub struct Standalone {
    program: Arc<Program>,
    kind: StaticType,
    plan: Arc<FieldPlan>,
    /// By name, in the order in which they were declared.
    variables: Vec<(Box<str>, FieldId)>,
}

/// What a variable stands for.
#[derive(Clone, Debug)]
pub enum Binding<'v> {
    /// A JSON text: whole numbers that fit are `int`, others `double`.
    Json(&'v str),
    /// A value. JSONPaths cannot look into one.
    Value(Value<'static>),
}

/// An expression with its variables.
#[derive(Debug)]
pub struct Bound<'s> {
    expression: &'s Standalone,
    /// The JSON texts, each a member.
    row: Row,
    /// The values, where there is no text.
    values: Vec<Option<Value<'static>>>,
}

/// As many variables as an expression may have.
const MAX_VARIABLES: usize = 64;

/// What a JSONPath is about.
const OBJECT: &str = "object";

/// The member of the row that holds the variables.
const VARIABLES: &str = "variables";

// === impl Standalone ===

impl Standalone {
    /// Compiles an expression that may use these variables and no other. A JSONPath reads the one named `object`.
    ///
    /// # Errors
    /// The first defect, with its place in the formula.
    pub fn compile(formula: &Formula, variables: &[&str]) -> Result<Self, CompileError> {
        if variables.len() > MAX_VARIABLES {
            return Err(fault(0, format!("more than {MAX_VARIABLES} variables")).locate(formula));
        }
        let mut plan = FieldPlan::new(HashSeed(0, 0));
        let mut fields = plan.record();
        // Below the root, which may hold what tells objects apart.
        let parent = fields.member(FieldId::ROOT, VARIABLES);
        let declared: Vec<(Box<str>, FieldId)> =
            variables.iter().map(|name| ((*name).into(), fields.member(parent, name))).collect();
        let (program, kind) = match formula.language {
            Language::Cel => {
                let syntax = limits::check(&formula.text)
                    .and_then(|()| cel::parse(&formula.text))
                    .map_err(|fault| fault.locate(formula))?;
                let resolved = check::check_standalone(&syntax, &declared, &mut fields)
                    .map_err(|faults| first(locate(faults, formula)))?;
                (Program::Cel(resolved.tree), resolved.kind)
            }
            Language::Rfc9535 | Language::Kubectl => {
                let object = declared.iter().find(|(name, _)| &**name == OBJECT);
                let (_, root) = object
                    .ok_or_else(|| fault(0, "a JSONPath needs the variable 'object'").locate(formula))?;
                let query = query::compile_at(*root, formula, Demand::Whole, &mut fields)?;
                (Program::Query(query, Mark::default()), StaticType::Dyn)
            }
        };
        fields.finish();
        Ok(Standalone { program: Arc::new(program), kind, plan: Arc::new(plan), variables: declared })
    }

    /// What is known of the result's type before there are values.
    pub fn static_type(&self) -> StaticType {
        self.kind
    }

    /// Gives every variable what it stands for, in the order in which they were declared. A variable for which there is
    /// nothing is null.
    ///
    /// # Errors
    /// Where a text is no JSON, or nests too deeply.
    pub fn bind(&self, bindings: &[Binding<'_>]) -> Result<Bound<'_>, DecodeError> {
        let mut members = format!("{{{VARIABLES:?}:{{");
        let mut first = true;
        let mut values = Vec::with_capacity(bindings.len());
        for ((name, _), binding) in self.variables.iter().zip(bindings) {
            values.push(match binding {
                Binding::Value(value) => Some(value.clone()),
                Binding::Json(text) => {
                    // One value, and nothing that would end up beside it.
                    skim(text.as_bytes())?;
                    if !std::mem::take(&mut first) {
                        members.push(',');
                    }
                    let name = serde_json::Value::from(&**name);
                    members.push_str(&format!("{name}:{text}"));
                    None
                }
            });
        }
        members.push_str("}}");
        let row = Decoder::new(self.plan.clone()).decode(members.as_bytes(), Defaults::default())?;
        Ok(Bound { expression: self, row, values })
    }
}

// === impl Bound ===

impl Bound<'_> {
    /// Evaluates the expression.
    ///
    /// # Errors
    /// Where it has no value, or needs more than the budget.
    pub fn evaluate<'r>(&'r self, budget: &mut Budget) -> Result<Outcome<'r>, EvaluationError> {
        let tree = match &*self.expression.program {
            Program::Query(query, _) => return query.select(&self.row, budget).map(Outcome::Nodes),
            Program::Cel(tree) => tree,
        };
        let mut values = Vec::with_capacity(self.expression.variables.len());
        for (index, (_, field)) in self.expression.variables.iter().enumerate() {
            values.push(match (self.values.get(index), self.row.at(*field)) {
                (Some(Some(value)), _) => value.clone(),
                (_, Some(node)) => Value::read_node(node, budget)?,
                (_, None) => Value::Null,
            });
        }
        let outermost = Frame::new(None, None);
        within(&values, &outermost, &mut |frame| evaluate(tree, frame, budget)).map(Outcome::Value)
    }
}

/// Runs something with the values bound, the first outermost.
fn within<'r, T>(values: &[Value<'r>], frame: &Frame<'_, 'r>, run: &mut dyn FnMut(&Frame<'_, 'r>) -> T) -> T {
    match values.split_first() {
        Some((first, rest)) => within(rest, &frame.bind(first), run),
        None => run(frame),
    }
}

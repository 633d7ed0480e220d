//! Text in either language → one expression tree → a value.
//!
//! In: a [`Formula`], the fields that it may read, and at run time a row. Out: values
//! or nodes. Must never know: metrics, series, sources.

mod limits;
mod cel;
mod syntax;
mod fault;
mod check;
mod literal;
mod tree;
mod types;
mod evaluate;
mod library;
mod compare;
mod budget;
mod memo;
mod rfc9535;
mod kubectl;
mod query;
mod shared;
mod matcher;
mod patterns;
mod value;
mod wording;
mod standalone;
pub(crate) mod explain;
pub(crate) mod fit;
#[cfg(test)]
mod tests;

pub(crate) use memo::{Memo, Memory};
pub(crate) use shared::SharedExpressions;
pub use standalone::{Binding, Bound, Standalone};
pub use types::StaticType;
pub use value::{MapValue, Text, Value};

use std::sync::Arc;

use crate::definition::{Formula, Language};
use crate::error::{CompileError, EvaluationError};
use crate::row::{FieldId, FieldRecorder, Kind, NodeRef, Row};

/// A compiled expression. Cheap to clone, and free of everything that could be wrong with its text.
#[derive(Clone, Debug)]
pub struct Expression {
    program: Arc<Program>,
    kind: StaticType,
    elements: Option<FieldId>,
    conditions: Arc<[Condition]>,
    /// What its compiled patterns take together.
    patterns_kib: usize,
}

/// What an expression was compiled to.
#[derive(Debug)]
enum Program {
    Cel(tree::Tree),
    /// And where its outcome is remembered.
    Query(query::Query, memo::Mark),
}

/// What variables an expression may use, besides `object`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Scope {
    /// Whether `item` and `index` (or `key`) exist, and what `item` is.
    pub item: Option<ItemScope>,
}

/// What `item` is while every element contributes by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ItemScope {
    /// An element of a list of the object: this repeated field.
    Field(FieldId),
    /// A value that an expression made, or a subtree that is kept whole.
    Computed,
}

/// What the result of an expression is needed for, which decides what a row must keep of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Demand {
    /// All of it.
    Whole,
    /// Its elements one by one; what of them, later expressions tell.
    Elements,
}

/// The variables of one evaluation.
#[derive(Clone, Debug)]
pub struct Environment<'r> {
    /// The object.
    pub row: &'r Row,
    /// `item`, where the scope has it.
    pub item: Option<Value<'r>>,
    /// `index` of an element of a list, or `key` of an entry of a map.
    pub position: Option<Position<'r>>,
}

/// Where an item stands.
#[derive(Clone, Debug)]
pub enum Position<'r> {
    /// In a list, from 0.
    Index(i64),
    /// In a map.
    Key(Text<'r>),
}

/// What an evaluation may cost, in steps and in bytes, and writing its result as text. Deterministic: no clock is
/// involved.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    /// What may still be done: a field read, an operator, a call, an element visited and 16 bytes of text read or
    /// compared are one step each; compiling a pattern that an object brings is hundreds.
    pub steps: u64,
    /// What may still be built.
    pub bytes: u64,
    /// What there was at first, for the message.
    granted: Granted,
    /// Whether a charge could not be met. One that was met exactly leaves nothing, and is no failure.
    exhausted: bool,
}

/// What a [`Budget`] started with.
#[derive(Clone, Copy, Debug)]
struct Granted {
    steps: u64,
    bytes: u64,
    /// Whether the steps are what other expressions have left, rather than the limit of one.
    shared: bool,
}

/// What an expression gives.
#[derive(Clone, Debug)]
pub enum Outcome<'r> {
    /// The value of a CEL expression.
    Value(Value<'r>),
    /// The nodes that a JSONPath selects, in order.
    Nodes(Nodes<'r>),
}

/// What a JSONPath selects: one node almost always, which then needs no list.
#[derive(Clone, Debug)]
pub enum Nodes<'r> {
    /// One node.
    One(NodeRef<'r>),
    /// Any number of nodes.
    Several(Vec<NodeRef<'r>>),
}

/// A necessary condition of a filter: one of these equalities holds, or the filter is not true.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    /// Sorted by field, each field once.
    pub any: Vec<Equality>,
}

/// The scalar at `field` equals one of `keys`.
#[derive(Clone, Debug, PartialEq)]
pub struct Equality {
    /// A field that is not repeated.
    pub field: FieldId,
    /// Typed as CEL's equality: 1 equals 1.0, never "1".
    pub keys: Vec<ScalarKey>,
}

/// A scalar as a key of the index.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ScalarKey {
    /// `null`
    Null,
    /// A Bool.
    Bool(bool),
    /// A whole number below 2^53 in size, whichever way it is written.
    Integer(i64),
    /// Any other number: the bits of its double.
    Double(u64),
    /// A string.
    String(Box<str>),
}

// === impl Expression ===

impl Expression {
    /// Compiles a formula of any language: checks limits, syntax, names, arity and types, and records the fields that
    /// evaluating it reads.
    ///
    /// # Errors
    /// The first defect, with its place in the formula.
    pub fn compile(
        formula: &Formula,
        scope: &Scope,
        demand: Demand,
        fields: &mut FieldRecorder<'_>,
    ) -> Result<Expression, CompileError> {
        Self::compile_with(formula, scope, demand, fields, |_| {}).map_err(first)
    }

    /// As [`compile`](Self::compile), with something done to the tree at the end that changes nothing of what it gives.
    ///
    /// # Errors
    /// Every defect, in the order of the text.
    fn compile_with(
        formula: &Formula,
        scope: &Scope,
        demand: Demand,
        fields: &mut FieldRecorder<'_>,
        finish: impl FnOnce(&mut tree::Tree),
    ) -> Result<Expression, Vec<CompileError>> {
        if formula.language != Language::Cel {
            return Self::compile_query(formula, demand, fields).map_err(|error| vec![error]);
        }
        let resolved = Self::check_cel(&formula.text, scope, demand, fields);
        let resolved = resolved.map_err(|faults| fault::locate(faults, formula))?;
        let check::Resolved { mut tree, kind, elements, patterns_kib } = resolved;
        let conditions = check::conditions(&tree).into();
        finish(&mut tree);
        Ok(Expression { program: Arc::new(Program::Cel(tree)), kind, elements, conditions, patterns_kib })
    }

    fn compile_query(
        formula: &Formula,
        demand: Demand,
        fields: &mut FieldRecorder<'_>,
    ) -> Result<Expression, CompileError> {
        let query = query::compile(formula, demand, fields)?;
        let (elements, patterns_kib) = (query.elements(), query.patterns_kib());
        let program = Arc::new(Program::Query(query, memo::Mark::default()));
        Ok(Expression { program, kind: StaticType::Dyn, elements, conditions: Arc::new([]), patterns_kib })
    }

    fn check_cel(
        text: &str,
        scope: &Scope,
        demand: Demand,
        fields: &mut FieldRecorder<'_>,
    ) -> Result<check::Resolved, Vec<fault::Fault>> {
        let syntax = limits::check(text).and_then(|()| cel::parse(text)).map_err(|fault| vec![fault])?;
        check::check(&syntax, scope, demand, fields)
    }

    /// What is known of the result's type without an object. A filter whose type is known and not bool can never be
    /// true.
    pub fn static_type(&self) -> StaticType {
        self.kind
    }

    /// What it gives for every object, if it reads none.
    pub(crate) fn constant(&self) -> Option<&Value<'static>> {
        match &*self.program {
            Program::Cel(tree::Tree::Constant(value)) => Some(value),
            _ => None,
        }
    }

    /// Compiled with [`Demand::Elements`]: the repeated field of the result's elements, if the result is a plain path;
    /// otherwise everything was kept, and items are [`ItemScope::Computed`].
    pub fn elements(&self) -> Option<FieldId> {
        self.elements
    }

    /// What its compiled patterns take together, in KiB.
    pub(crate) fn patterns_kib(&self) -> usize {
        self.patterns_kib
    }

    /// Whether it is the very same as another, compiled once for both.
    pub(crate) fn is_same(&self, other: &Expression) -> bool {
        Arc::ptr_eq(&self.program, &other.program)
    }

    /// Whether the nodes of the result are its elements, rather than one list or map that has them: a JSONPath that can
    /// select several.
    pub(crate) fn gives_elements(&self) -> bool {
        matches!(&*self.program, Program::Query(query, _) if query.is_plural())
    }

    /// Conditions that are necessary for a filter to be true; an index may leave out objects of which one does not hold.
    pub fn conditions(&self) -> &[Condition] {
        &self.conditions
    }

    /// Evaluates the expression for one row, or one item of it.
    ///
    /// # Errors
    /// Where the expression has no value for this row, or needs more than the budget.
    pub fn evaluate<'r>(
        &'r self,
        environment: &Environment<'r>,
        budget: &mut Budget,
    ) -> Result<Outcome<'r>, EvaluationError> {
        self.evaluate_with(environment, None, budget)
    }

    /// Whether a filter holds for one row, or one item of it: as [`evaluate`](Self::evaluate), without a value.
    ///
    /// # Errors
    /// Where the filter has no value for this row, or one that is no bool, or needs more than the budget.
    pub fn holds<'r>(
        &'r self,
        environment: &Environment<'r>,
        budget: &mut Budget,
    ) -> Result<bool, EvaluationError> {
        self.holds_with(environment, None, budget)
    }

    /// As [`holds`](Self::holds), remembering what of it others need too for the same event.
    pub(crate) fn holds_with<'r>(
        &'r self,
        environment: &Environment<'r>,
        memo: Option<&Memo<'r>>,
        budget: &mut Budget,
    ) -> Result<bool, EvaluationError> {
        if let Program::Cel(tree) = &*self.program {
            let frame = evaluate::Frame::new(Some(environment), memo);
            return evaluate::truth(tree, evaluate::Asker::Filter, &frame, budget);
        }
        self.evaluate_with(environment, memo, budget)?;
        Err(EvaluationError::new("a filter is a bool, this is a list of nodes"))
    }

    /// As [`evaluate`](Self::evaluate), remembering what of it others need too for the same event.
    pub(crate) fn evaluate_with<'r>(
        &'r self,
        environment: &Environment<'r>,
        memo: Option<&Memo<'r>>,
        budget: &mut Budget,
    ) -> Result<Outcome<'r>, EvaluationError> {
        match &*self.program {
            Program::Cel(tree) => {
                let frame = evaluate::Frame::new(Some(environment), memo);
                evaluate::evaluate(tree, &frame, budget).map(Outcome::Value)
            }
            Program::Query(query, mark) => {
                let work = |budget: &mut Budget| select(query, environment.row, budget);
                match memo.filter(|_| mark.is_met_again() && !query.is_plain()) {
                    Some(memo) => memo.once(mark, budget, work),
                    None => work(budget),
                }
            }
        }
    }
}

/// Of the defects of one expression.
///
/// # Panics
/// Where there is none: who checks gives no errors without one.
fn first(defects: Vec<CompileError>) -> CompileError {
    defects.into_iter().next().expect("what cannot be compiled has a defect")
}

/// The nodes that a path selects. As with CEL, whoever wants the number reads all of its text.
fn select<'r>(
    query: &query::Query,
    row: &'r Row,
    budget: &mut Budget,
) -> Result<Outcome<'r>, EvaluationError> {
    let nodes = query.select(row, budget)?;
    if let [node] = nodes.as_slice()
        && let Some(text) = node.as_number()
    {
        budget.read(text.len())?;
    }
    Ok(Outcome::Nodes(nodes))
}

// === impl Nodes ===

impl<'r> Nodes<'r> {
    /// The nodes in order.
    pub fn as_slice(&self) -> &[NodeRef<'r>] {
        match self {
            Nodes::One(node) => std::slice::from_ref(node),
            Nodes::Several(nodes) => nodes,
        }
    }
}

// === impl ScalarKey ===

impl ScalarKey {
    /// From this size on, doubles do not tell all integers apart: 2^53.
    pub(crate) const EXACT: f64 = 9_007_199_254_740_992.0;

    /// The key of a scalar of a row whose value was kept; `None` for anything else.
    pub fn of(node: NodeRef<'_>) -> Option<ScalarKey> {
        Some(match node.kind() {
            Kind::Null => ScalarKey::Null,
            Kind::Bool => ScalarKey::Bool(node.as_bool()?),
            Kind::String => ScalarKey::String(node.as_str()?.into()),
            Kind::Number => return ScalarKey::of_number(&Value::from_node(node)),
            Kind::List | Kind::Map => return None,
        })
    }

    /// The key of a number; `None` for NaN, which equals nothing, and for what is no number.
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation)]
    pub(crate) fn of_number(number: &Value<'_>) -> Option<ScalarKey> {
        let double = match number {
            Value::Int(value) => *value as f64,
            Value::Uint(value) => *value as f64,
            Value::Double(value) if !value.is_nan() => *value,
            _ => return None,
        };
        let whole = double.fract() == 0.0 && double.abs() < ScalarKey::EXACT;
        Some(if whole { ScalarKey::Integer(double as i64) } else { ScalarKey::Double(double.to_bits()) })
    }
}

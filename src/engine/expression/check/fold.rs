//! Constants are computed once, when an expression is compiled.
//!
//! In: a tree whose parts are folded already. Out: a constant where that is possible. Must never know: fields, places.
//!
//! What fails stays as it is, and fails for every object: an error may be absorbed by what is around it.

use super::super::evaluate::{Frame, evaluate};
use super::super::tree::{Base, Path, Step, Term, Tree};
use super::super::{Budget, Value};

/// What one folding may cost, so that compiling stays cheap.
const BUDGET: Budget = Budget::new(1000, 16 * 1024);

/// The constant that a tree always gives, or the tree.
pub(super) fn fold(tree: Tree) -> Tree {
    if !has_constant_parts(&tree) {
        return tree;
    }
    match compute(&tree) {
        Some(value) => Tree::Constant(value),
        None => tree,
    }
}

fn compute(tree: &Tree) -> Option<Value<'static>> {
    let value = evaluate(tree, &Frame::new(None, None), &mut { BUDGET }).ok()?;
    value.into_owned()
}

/// `a && b`, or `a || b` where `decisive` is true. `false && x` is false whatever x is, and `true && x` is x; alike with
/// `||`.
pub(super) fn terms(terms: Vec<Tree>, decisive: bool) -> Tree {
    let is = |term: &Tree, wanted| matches!(term, Tree::Constant(Value::Bool(value)) if *value == wanted);
    if terms.iter().any(|term| is(term, decisive)) {
        return Tree::Constant(Value::Bool(decisive));
    }
    let open: Box<[Term]> = terms.into_iter().filter(|term| !is(term, !decisive)).map(Term::new).collect();
    match (open.is_empty(), decisive) {
        (true, _) => Tree::Constant(Value::Bool(!decisive)),
        (false, false) => Tree::And(open),
        (false, true) => Tree::Or(open),
    }
}

fn is_constant(tree: &Tree) -> bool {
    matches!(tree, Tree::Constant(_))
}

/// Whether a tree depends on nothing but constants. Loops are left alone: their variables are none.
fn has_constant_parts(tree: &Tree) -> bool {
    match tree {
        Tree::Constant(_) | Tree::FieldIs(_) | Tree::And(_) | Tree::Or(_) => false,
        Tree::Loop(_) | Tree::SortBy(_) | Tree::OptMap(_) | Tree::Bind(_) | Tree::Shared(_) => false,
        Tree::Path(path) | Tree::Has(path) => is_constant_path(path),
        Tree::InSet(test) => is_constant(&test.0),
        Tree::Matches(test) => is_constant(&test.0),
        Tree::Not(operand) | Tree::Negate(operand) => is_constant(operand),
        Tree::Conditional(parts) => parts.iter().all(is_constant),
        Tree::Arithmetic(_, operands) | Tree::Compare(_, operands) | Tree::In(operands) => {
            operands.iter().all(is_constant)
        }
        Tree::Call(call) => call.arguments.iter().all(is_constant),
        Tree::Search(call) => call.arguments.iter().all(is_constant),
        Tree::List(elements) => elements.iter().all(|(element, _)| is_constant(element)),
        Tree::Map(entries) => entries.iter().all(|(key, value, _)| is_constant(key) && is_constant(value)),
    }
}

fn is_constant_path(path: &Path) -> bool {
    let step = |step: &Step| match step {
        Step::Member { .. } => true,
        Step::Index(index) => is_constant(index),
    };
    matches!(&path.base, Base::Value(Tree::Constant(_))) && path.steps.iter().all(step)
}

//! Tests whose answer lies in the row: a field against a literal, presence, membership in a list of literals.
//!
//! In: a tree, the variables, a budget. Out: a bool, without room for an error around it; or nothing where the answer
//! takes more, in which case nothing was spent either. Must never know: what is wrong where there is no answer.
//!
//! Most filters are made of these. Each takes the steps that evaluating it otherwise takes.

#![allow(clippy::inline_always, reason = "a call takes as long as most of these tests")]

use super::super::compare::same_text;
use super::super::library::{Form, Overload};
use super::super::syntax::Comparison;
use super::super::tree::{Call, FieldIs, LiteralSet, Path, Tree};
use super::super::{Budget, Value};
use super::{Frame, path};
use crate::row::{Kind, NodeRef, Row};

/// What a test gives, if it is one of these. Inlined where it is asked, and so are the shortest tests.
#[inline(always)]
pub(super) fn answer<'r>(tree: &'r Tree, frame: &Frame<'_, 'r>, budget: &mut Budget) -> Option<bool> {
    let row = frame.environment?.row;
    match tree {
        Tree::FieldIs(test) => field_is(test, row, budget),
        Tree::Has(path) => has(path, row, budget),
        Tree::InSet(test) => in_set(&test.1, row, budget),
        Tree::Not(operand) => match &**operand {
            Tree::Has(path) => has(path, row, budget).map(|is_there| !is_there),
            Tree::InSet(test) => in_set(&test.1, row, budget).map(|is_in| !is_in),
            _ => None,
        },
        Tree::Compare(comparison, operands) => compare(*comparison, operands, frame, budget),
        Tree::Call(call) => text_test(call, frame, budget),
        _ => None,
    }
}

#[inline(always)]
fn field_is(test: &FieldIs, row: &Row, budget: &mut Budget) -> Option<bool> {
    let text = row.at(test.field)?.as_str_bytes()?;
    Some(equal(text, test.text.as_bytes(), 1, budget)? == test.equal)
}

/// For `steps`, and those of reading both texts.
#[inline(always)]
fn equal(text: &[u8], other: &[u8], steps: u64, budget: &mut Budget) -> Option<bool> {
    let may_be = text.len() == other.len();
    let reading = if may_be { Budget::reading(text.len()) } else { 0 };
    budget.try_step(steps + reading).then(|| may_be && same_text(text, other))
}

#[inline(always)]
fn has(path: &Path, row: &Row, budget: &mut Budget) -> Option<bool> {
    let is_there = row.at(path.slot?).is_some();
    // What a map that is there does not hold where it would be held is absent.
    let is_known = is_there || row.at(path.start?.0)?.kind() == Kind::Map;
    (is_known && budget.try_step(1)).then_some(is_there)
}

#[inline(always)]
fn in_set(set: &LiteralSet, row: &Row, budget: &mut Budget) -> Option<bool> {
    let text = row.at(set.slot?)?.as_str_bytes()?;
    budget.try_step(2 + Budget::reading(text.len())).then(|| set.has_text(text))
}

/// A text or an integer against a literal.
#[inline(never)]
fn compare<'r>(
    comparison: Comparison,
    operands: &'r [Tree; 2],
    frame: &Frame<'_, 'r>,
    budget: &mut Budget,
) -> Option<bool> {
    let Tree::Constant(literal) = &operands[1] else { return None };
    match (literal, comparison) {
        (Value::String(literal), Comparison::Equal | Comparison::NotEqual) => {
            let text = node_at(&operands[0], frame)?.as_str_bytes()?;
            // For the comparison and for the path.
            Some(equal(text, literal.as_str().as_bytes(), 2, budget)? == (comparison == Comparison::Equal))
        }
        (Value::Int(literal), _) => {
            let text = node_at(&operands[0], frame)?.as_number()?;
            let number: i64 = text.parse().ok()?;
            let steps = 2 + Budget::reading(text.len());
            budget.try_step(steps).then(|| comparison.holds(number.cmp(literal)))
        }
        _ => None,
    }
}

/// A text against a literal, by a function.
#[inline(never)]
fn text_test<'r>(call: &'r Call, frame: &Frame<'_, 'r>, budget: &mut Budget) -> Option<bool> {
    let [Overload { form: Form::Test(_, test), .. }] = &*call.overloads else { return None };
    let [subject, Tree::Constant(Value::String(other))] = &*call.arguments else { return None };
    let (text, other) = (text_at(subject, frame)?, other.as_str());
    // For the call and for the path.
    let steps = 2 + Budget::reading((test.reads)(text, other));
    budget.try_step(steps).then(|| (test.holds)(text, other))
}

/// The text that a plain path leads to, where it lies.
pub(super) fn text_at<'r>(tree: &'r Tree, frame: &Frame<'_, 'r>) -> Option<&'r str> {
    node_at(tree, frame)?.as_str()
}

/// The node that a plain path leads to. Evaluating that takes a step, and reading what is there.
pub(super) fn node_at<'r>(tree: &'r Tree, frame: &Frame<'_, 'r>) -> Option<NodeRef<'r>> {
    match tree {
        Tree::Path(path) if path.optional_from.is_none() => path::end(path, frame),
        _ => None,
    }
}

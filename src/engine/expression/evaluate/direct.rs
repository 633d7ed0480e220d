//! Tests whose answer lies in the row: a field against a literal, presence, membership in a list of literals.
//!
//! In: a tree, a term or its test, the variables, a budget. Out: a bool, without room for an error around it; or nothing where the answer
//! takes more, in which case nothing was spent either. Must never know: what is wrong where there is no answer.
//!
//! Most filters are made of these. Each takes the steps that evaluating it otherwise takes.

#![allow(clippy::inline_always, reason = "a call takes as long as most of these tests")]

use super::super::library::{Form, Overload};
use super::super::literal::{LiteralText, same_text};
use super::super::syntax::Comparison;
use super::super::tree::{Asks, Call, Term, Test, Tree};
use super::super::{Budget, Value};
use super::{Bound, Frame, path};
use crate::row::{FieldId, Kind, NodeRef, Row};

/// The terms from the first on that a row does not answer at once; nothing where one of those before it gives `decisive`.
#[inline(always)]
pub(super) fn leading<'r>(
    terms: &'r [Term],
    decisive: bool,
    frame: &Frame<'_, 'r>,
    budget: &mut Budget,
) -> Option<&'r [Term]> {
    let mut rest = terms;
    while let [Term { test: Some(test), .. }, others @ ..] = rest {
        match of_test(test, frame, budget) {
            Some(answer) if answer == decisive => return None,
            Some(_) => rest = others,
            None => break,
        }
    }
    Some(rest)
}

/// What a term gives, if it is one of these.
#[inline(always)]
pub(super) fn of_term<'r>(term: &'r Term, frame: &Frame<'_, 'r>, budget: &mut Budget) -> Option<bool> {
    match &term.test {
        Some(test) => of_test(test, frame, budget),
        None => answer(&term.tree, frame, budget),
    }
}

/// What a tree gives, if it is one of these.
#[inline(always)]
pub(super) fn answer<'r>(tree: &'r Tree, frame: &Frame<'_, 'r>, budget: &mut Budget) -> Option<bool> {
    match tree {
        Tree::Not(operand) => of_one(operand, frame, budget).map(|answer| !answer),
        Tree::Compare(..) | Tree::Call(_) => of_two(tree, frame, budget),
        tree => of_one(tree, frame, budget),
    }
}

/// Where a field alone is looked at.
#[inline(always)]
fn of_one(tree: &Tree, frame: &Frame<'_, '_>, budget: &mut Budget) -> Option<bool> {
    let row = frame.environment?.row;
    match tree {
        Tree::FieldIs(test) => is(test.field, &test.text, row, budget).map(|is| is == test.equal),
        Tree::Has(path) => has(path.start?.0, path.slot?, row, budget),
        Tree::InSet(test) => is_in(test.1.slot?, row, budget, |text| test.1.has_text(text)),
        _ => None,
    }
}

/// Where two values are looked at, of which one is a literal.
#[inline(always)]
fn of_two<'r>(tree: &'r Tree, frame: &Frame<'_, 'r>, budget: &mut Budget) -> Option<bool> {
    match tree {
        Tree::Compare(comparison, operands) => compare(*comparison, operands, frame, budget),
        Tree::Call(call) => text_test(call, frame, budget),
        _ => None,
    }
}

/// What a test gives, if the row has the answer.
#[inline(always)]
pub(super) fn of_test(test: &Test, frame: &Frame<'_, '_>, budget: &mut Budget) -> Option<bool> {
    let row = frame.environment?.row;
    let answer = match &test.asks {
        Asks::Is { field, text } => is(*field, text, row, budget)?,
        Asks::In { field, texts } => is_in(*field, row, budget, |text| LiteralText::is_any(texts, text))?,
        Asks::Has { map, field } => has(*map, *field, row, budget)?,
        Asks::MemberIs { field, name, text } => member_is(*field, name, text, frame, budget)?,
    };
    Some(answer == test.expected)
}

#[inline(always)]
fn is(field: FieldId, literal: &LiteralText, row: &Row, budget: &mut Budget) -> Option<bool> {
    same(row.at(field)?.as_str_bytes()?, literal, 1, budget)
}

#[inline(never)]
fn member_is(
    field: FieldId,
    name: &str,
    literal: &LiteralText,
    frame: &Frame<'_, '_>,
    budget: &mut Budget,
) -> Option<bool> {
    let Some((Bound::Node(node) | Bound::Value(&Value::Node(node)), _)) = frame.variable else { return None };
    // For the comparison and for the path.
    same(node.member(field, name)?.as_str_bytes()?, literal, 2, budget)
}

/// For `steps`, and those of reading both texts.
#[inline(always)]
fn same(text: &[u8], literal: &LiteralText, steps: u64, budget: &mut Budget) -> Option<bool> {
    let steps = steps + reading_both(text.len(), literal.len());
    if budget.try_step(steps) { Some(literal.is(text)) } else { None }
}

/// The steps of comparing two texts of these lengths.
#[inline(always)]
fn reading_both(length: usize, other: usize) -> u64 {
    if length == other { Budget::reading(length) } else { 0 }
}

#[inline(always)]
fn has(map: FieldId, field: FieldId, row: &Row, budget: &mut Budget) -> Option<bool> {
    let is_there = row.at(field).is_some();
    // What a map that is there does not hold where it would be held is absent.
    let is_known = is_there || row.at(map)?.kind() == Kind::Map;
    if is_known && budget.try_step(1) { Some(is_there) } else { None }
}

#[inline(always)]
fn is_in(
    field: FieldId,
    row: &Row,
    budget: &mut Budget,
    has_text: impl FnOnce(&[u8]) -> bool,
) -> Option<bool> {
    let text = row.at(field)?.as_str_bytes()?;
    if budget.try_step(2 + Budget::reading(text.len())) { Some(has_text(text)) } else { None }
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
            let literal = literal.as_str().as_bytes();
            // For the comparison and for the path.
            let steps = 2 + reading_both(text.len(), literal.len());
            let wanted = comparison == Comparison::Equal;
            budget.try_step(steps).then(|| same_text(text, literal) == wanted)
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

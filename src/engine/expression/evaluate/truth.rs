//! What gives a bool: logic, comparisons, presence, patterns.
//!
//! In: a tree that must be a bool, the variables, a budget. Out: a bool, without a value around it. Must never know: who
//! asks.

use super::super::compare::equal;
use super::super::matcher::Matcher;
use super::super::syntax::Comparison;
use super::super::tree::{FieldIs, LiteralSet, Term, Tree};
use super::super::{Budget, Value};
use super::direct::{self, text_at};
use super::{Evaluated, Frame, evaluate, loops, no_unary, operators, path};
use crate::error::EvaluationError;

/// Who needs a bool, for the error where there is none.
#[derive(Clone, Copy)]
pub(in super::super) enum Asker {
    Operator(&'static str),
    Filter,
}

/// The bool that a tree of one of the kinds below gives.
#[inline(never)]
pub(super) fn value<'r>(tree: &'r Tree, frame: &Frame<'_, 'r>, budget: &mut Budget) -> Evaluated<'r> {
    truth(tree, Asker::Filter, frame, budget).map(Value::Bool)
}

/// Evaluates what must be a bool, for whoever asks: without a value for what gives nothing else.
#[inline]
pub(in super::super) fn truth<'r>(
    tree: &'r Tree,
    asker: Asker,
    frame: &Frame<'_, 'r>,
    budget: &mut Budget,
) -> Result<bool, EvaluationError> {
    match tree {
        Tree::And(terms) => all_of(terms, false, frame, budget),
        Tree::Or(terms) => all_of(terms, true, frame, budget),
        _ => truth_of_one(tree, asker, frame, budget),
    }
}

#[inline(never)]
fn truth_of_one<'r>(
    tree: &'r Tree,
    asker: Asker,
    frame: &Frame<'_, 'r>,
    budget: &mut Budget,
) -> Result<bool, EvaluationError> {
    match direct::answer(tree, frame, budget) {
        Some(answer) => Ok(answer),
        None => found(tree, asker, frame, budget),
    }
}

/// The same, whether or not the row has the answer directly.
#[inline(never)]
pub(super) fn found<'r>(
    tree: &'r Tree,
    asker: Asker,
    frame: &Frame<'_, 'r>,
    budget: &mut Budget,
) -> Result<bool, EvaluationError> {
    match tree {
        Tree::FieldIs(test) => field_is(test, frame, budget),
        Tree::Has(path) => path::has(path, frame, budget),
        Tree::InSet(test) => in_set(&test.0, &test.1, frame, budget),
        Tree::And(terms) => all_of(terms, false, frame, budget),
        Tree::Or(terms) => all_of(terms, true, frame, budget),
        Tree::Not(operand) => not(operand, frame, budget),
        Tree::Compare(comparison, operands) => compare(*comparison, operands, frame, budget),
        Tree::In(operands) => contained(operands, frame, budget),
        Tree::Matches(test) => matches(&test.0, &test.1, frame, budget),
        Tree::Loop(each) if each.decides() => loops::decided(each, frame, budget),
        Tree::Shared(part) if !part.is_remembered(frame) => truth(&part.tree, asker, frame, budget),
        _ => evaluated(tree, asker, frame, budget),
    }
}

#[inline(never)]
fn evaluated<'r>(
    tree: &'r Tree,
    asker: Asker,
    frame: &Frame<'_, 'r>,
    budget: &mut Budget,
) -> Result<bool, EvaluationError> {
    let outcome = evaluate(tree, frame, budget);
    // Looked at where it lies: moving what was just written takes longer than writing it.
    if let Ok(Value::Bool(value)) = outcome {
        return Ok(value);
    }
    Err(asker.refuse(&outcome?))
}

#[inline(never)]
fn not<'r>(operand: &'r Tree, frame: &Frame<'_, 'r>, budget: &mut Budget) -> Result<bool, EvaluationError> {
    truth(operand, Asker::Operator("!"), frame, budget).map(|value| !value)
}

/// `needle in haystack`
#[inline(never)]
fn contained<'r>(
    operands: &'r [Tree; 2],
    frame: &Frame<'_, 'r>,
    budget: &mut Budget,
) -> Result<bool, EvaluationError> {
    budget.step(1)?;
    let needle = evaluate(&operands[0], frame, budget)?;
    let haystack = evaluate(&operands[1], frame, budget)?;
    operators::contains(&haystack, &needle, budget)
}

/// `&&` where `decisive` is false, `||` where it is true: a decisive term wins over errors on either side, an error
/// over all else. Running out of budget is no error that anything may hide.
#[inline(never)]
fn all_of<'r>(
    terms: &'r [Term],
    decisive: bool,
    frame: &Frame<'_, 'r>,
    budget: &mut Budget,
) -> Result<bool, EvaluationError> {
    match direct::leading(terms, decisive, frame, budget) {
        None => Ok(decisive),
        Some([]) => Ok(!decisive),
        Some(rest) => rest_of(rest, decisive, frame, budget),
    }
}

/// The same from the first term on that the row does not answer at once.
#[inline(never)]
fn rest_of<'r>(
    terms: &'r [Term],
    decisive: bool,
    frame: &Frame<'_, 'r>,
    budget: &mut Budget,
) -> Result<bool, EvaluationError> {
    let asker = Asker::Operator(if decisive { "||" } else { "&&" });
    let mut failed = None;
    for term in terms {
        // Without making room for an error.
        if let Some(answer) = direct::of_term(term, frame, budget) {
            if answer == decisive {
                return Ok(decisive);
            }
            continue;
        }
        match found(&term.tree, asker, frame, budget) {
            Ok(value) if value == decisive => return Ok(decisive),
            Ok(_) => {}
            Err(error) if budget.is_exhausted() => return Err(error),
            Err(error) => {
                failed.get_or_insert(error);
            }
        }
    }
    failed.map_or(Ok(!decisive), Err)
}

/// `left comparison right`
#[inline(never)]
fn compare<'r>(
    comparison: Comparison,
    operands: &'r [Tree; 2],
    frame: &Frame<'_, 'r>,
    budget: &mut Budget,
) -> Result<bool, EvaluationError> {
    budget.step(1)?;
    let left = evaluate(&operands[0], frame, budget)?;
    if let Tree::Constant(right) = &operands[1] {
        return operators::compare(comparison, &left, right, budget);
    }
    let right = evaluate(&operands[1], frame, budget)?;
    operators::compare(comparison, &left, &right, budget)
}

/// The text that a literal is or a plain path leads to; evaluating anything else is left to others.
pub(super) fn text<'r>(
    tree: &'r Tree,
    frame: &Frame<'_, 'r>,
    budget: &mut Budget,
) -> Result<Option<&'r str>, EvaluationError> {
    if let Tree::Constant(Value::String(text)) = tree {
        return Ok(Some(text.as_str()));
    }
    let Some(text) = text_at(tree, frame) else { return Ok(None) };
    budget.step(1)?;
    Ok(Some(text))
}

#[inline(never)]
fn field_is<'r>(
    test: &'r FieldIs,
    frame: &Frame<'_, 'r>,
    budget: &mut Budget,
) -> Result<bool, EvaluationError> {
    let Some(node) = frame.environment.and_then(|environment| environment.row.at(test.field)) else {
        // Gives the error that names what is absent.
        let other = path::read(&test.path, frame, budget)?;
        return Err(no_unary("==", &other));
    };
    budget.step(1)?;
    let text = node.as_str().filter(|text| text.len() == test.text.len());
    budget.read(text.map_or(0, str::len))?;
    Ok(text.is_some_and(|text| test.text.is(text.as_bytes())) == test.equal)
}

#[inline(never)]
fn in_set<'r>(
    needle: &'r Tree,
    set: &'r LiteralSet,
    frame: &Frame<'_, 'r>,
    budget: &mut Budget,
) -> Result<bool, EvaluationError> {
    budget.step(1)?;
    let needle = evaluate(needle, frame, budget)?;
    if let Some(text) = needle.as_str() {
        budget.read(text.len())?;
        return Ok(set.has_text(text.as_bytes()));
    }
    for literal in &set.others {
        budget.step(1)?;
        if equal(&needle, literal, budget)? {
            return Ok(true);
        }
    }
    Ok(false)
}

#[inline(never)]
fn matches<'r>(
    text: &'r Tree,
    matcher: &Matcher,
    frame: &Frame<'_, 'r>,
    budget: &mut Budget,
) -> Result<bool, EvaluationError> {
    if let Some(text) = text_at(text, frame) {
        budget.step(2)?;
        return matcher.is_match(text, budget);
    }
    budget.step(1)?;
    match evaluate(text, frame, budget)? {
        Value::String(text) => matcher.is_match(text.as_str(), budget),
        other => {
            Err(EvaluationError::plain(format!("no such overload: {}.matches(string)", other.type_name())))
        }
    }
}

impl Asker {
    #[cold]
    fn refuse(self, value: &Value<'_>) -> EvaluationError {
        match self {
            Asker::Operator(operator) => no_unary(operator, value),
            Asker::Filter => {
                EvaluationError::plain(format!("a filter is a bool, this is {}", value.type_name()))
            }
        }
    }
}

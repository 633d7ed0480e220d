//! The macros that bind a variable: all, exists, exists_one, filter, map, optMap, optFlatMap.
//!
//! In: what to loop over, and what to do with each element. Out: an answer, a list or an optional. Must never know: how
//! the elements came to be. Maps are walked over in key order.

use std::sync::Arc;

use super::super::tree::{Loop, LoopKind, OptMap, Tree};
use super::super::value::ListItems;
use super::super::{Budget, Text, Value};
use super::{Evaluated, Frame, evaluate, no_unary};
use crate::error::EvaluationError;
use crate::row::Kind;

/// Runs a loop.
pub(super) fn run<'r>(each: &'r Loop, frame: &Frame<'_, 'r>, budget: &mut Budget) -> Evaluated<'r> {
    let range = evaluate(&each.range, frame, budget)?;
    let keys = match &range {
        Value::Node(node) if node.kind() == Kind::Map => {
            budget.build_values(node.len())?;
            let mut names: Vec<&'r str> = node.entries().map(|(name, _)| name).collect();
            names.sort_unstable();
            let names = names.into_iter().map(|name| Value::String(Text::Borrowed(name)));
            Some(Value::List(names.collect()))
        }
        Value::Map(map) => {
            budget.build_values(map.entries.len())?;
            Some(Value::List(map.keys()))
        }
        _ => None,
    };
    let range = keys.as_ref().unwrap_or(&range);
    let Some(items) = range.list_items() else {
        return Err(EvaluationError::new("a list or a map is needed to loop over"));
    };
    match (each.kind, &each.condition) {
        (LoopKind::All, Some(condition)) => decide(condition, false, items, frame, budget),
        (LoopKind::Exists, Some(condition)) => decide(condition, true, items, frame, budget),
        (LoopKind::ExistsOne | LoopKind::Count, Some(condition)) => {
            let count = count(condition, items, frame, budget)?;
            Ok(if each.kind == LoopKind::Count { Value::Int(count) } else { Value::Bool(count == 1) })
        }
        _ => collect(each, items, frame, budget),
    }
}

/// `all` where `decisive` is false, `exists` where it is true: errors count only where no element decides.
fn decide<'r>(
    condition: &'r Tree,
    decisive: bool,
    mut items: ListItems<'_, 'r>,
    frame: &Frame<'_, 'r>,
    budget: &mut Budget,
) -> Evaluated<'r> {
    let mut failed = None;
    while let Some(item) = items.read_next(budget)? {
        budget.step(1)?;
        match holds(condition, &item, frame, budget) {
            Ok(value) if value == decisive => return Ok(Value::Bool(decisive)),
            Ok(_) => {}
            Err(error) if budget.is_exhausted() => return Err(error),
            Err(error) => {
                failed.get_or_insert(error);
            }
        }
    }
    failed.map_or(Ok(Value::Bool(!decisive)), Err)
}

fn count<'r>(
    condition: &'r Tree,
    mut items: ListItems<'_, 'r>,
    frame: &Frame<'_, 'r>,
    budget: &mut Budget,
) -> Result<i64, EvaluationError> {
    let mut count = 0;
    while let Some(item) = items.read_next(budget)? {
        budget.step(1)?;
        count += i64::from(holds(condition, &item, frame, budget)?);
    }
    Ok(count)
}

fn collect<'r>(
    each: &'r Loop,
    mut items: ListItems<'_, 'r>,
    frame: &Frame<'_, 'r>,
    budget: &mut Budget,
) -> Evaluated<'r> {
    let mut collected = Vec::new();
    while let Some(item) = items.read_next(budget)? {
        budget.step(1)?;
        if let Some(condition) = &each.condition
            && !holds(condition, &item, frame, budget)?
        {
            continue;
        }
        budget.build_values(1)?;
        collected.push(match &each.result {
            Some(result) => evaluate(result, &frame.bind(&item), budget)?,
            None => item,
        });
    }
    Ok(Value::List(collected.into()))
}

fn holds<'r>(
    condition: &'r Tree,
    item: &Value<'r>,
    frame: &Frame<'_, 'r>,
    budget: &mut Budget,
) -> Result<bool, EvaluationError> {
    match evaluate(condition, &frame.bind(item), budget)? {
        Value::Bool(value) => Ok(value),
        other => Err(no_unary("condition", &other)),
    }
}

/// `operand.optMap(variable, body)`: the body of the value, where there is one.
pub(super) fn map_optional<'r>(map: &'r OptMap, frame: &Frame<'_, 'r>, budget: &mut Budget) -> Evaluated<'r> {
    budget.step(1)?;
    match evaluate(&map.operand, frame, budget)? {
        Value::Optional(None) => Ok(Value::Optional(None)),
        Value::Optional(Some(value)) => match evaluate(&map.body, &frame.bind(&value), budget)? {
            flat @ Value::Optional(_) if map.flat => Ok(flat),
            other if map.flat => Err(no_unary("optFlatMap", &other)),
            body => Ok(Value::Optional(Some(Arc::new(body)))),
        },
        other => Err(no_unary("optMap", &other)),
    }
}

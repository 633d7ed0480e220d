//! The sets extension: lists as sets.
//!
//! In: two lists. Out: an answer. Must never know: where a list came from.

use super::super::compare::equal;
use super::super::types::StaticType::{self, Bool, List};
use super::super::{Budget, Value};
use super::{Overload, function, items, no_overload};
use crate::error::EvaluationError;

const TWO: &[StaticType] = &[List, List];

pub(super) const TABLE: &[Overload] = &[
    function("sets.contains", TWO, Bool, contains),
    function("sets.equivalent", TWO, Bool, equivalent),
    function("sets.intersects", TWO, Bool, intersects),
];

fn contains<'r>(arguments: &[Value<'r>], budget: &mut Budget) -> Result<Value<'r>, EvaluationError> {
    let [all, some] = arguments else { return Err(no_overload()) };
    has_all(all, some, budget).map(Value::Bool)
}

fn equivalent<'r>(arguments: &[Value<'r>], budget: &mut Budget) -> Result<Value<'r>, EvaluationError> {
    let [a, b] = arguments else { return Err(no_overload()) };
    Ok(Value::Bool(has_all(a, b, budget)? && has_all(b, a, budget)?))
}

fn intersects<'r>(arguments: &[Value<'r>], budget: &mut Budget) -> Result<Value<'r>, EvaluationError> {
    let [_, b] = arguments else { return Err(no_overload()) };
    let mut wanted = items(arguments, 0)?;
    while let Some(item) = wanted.read_next(budget)? {
        if has(b, &item, budget)? {
            return Ok(Value::Bool(true));
        }
    }
    Ok(Value::Bool(false))
}

fn has_all(all: &Value<'_>, some: &Value<'_>, budget: &mut Budget) -> Result<bool, EvaluationError> {
    let mut wanted = some.list_items().ok_or_else(no_overload)?;
    while let Some(item) = wanted.read_next(budget)? {
        if !has(all, &item, budget)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn has(list: &Value<'_>, wanted: &Value<'_>, budget: &mut Budget) -> Result<bool, EvaluationError> {
    let mut items = list.list_items().ok_or_else(no_overload)?;
    budget.step(1)?;
    while let Some(item) = items.read_next(budget)? {
        budget.step(1)?;
        if equal(&item, wanted, budget)? {
            return Ok(true);
        }
    }
    Ok(false)
}

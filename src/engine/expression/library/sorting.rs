//! Sorting, within a budget.
//!
//! In: values and what to sort them by. Out: the values in order. Must never know: which function asked.

use std::cmp::Ordering;

use super::super::compare::order;
use super::super::{Budget, Value};
use crate::error::EvaluationError;

/// Sorts values by a key each: keys of one type, which has an order. Equal keys leave their values as they were.
pub(in super::super) fn sort_by_keys<'r>(
    values: Vec<Value<'r>>,
    keys: &[Value<'_>],
    budget: &mut Budget,
) -> Result<Value<'r>, EvaluationError> {
    let Some(first) = keys.first() else { return Ok(Value::List(values.into())) };
    if order(first, first).is_none() {
        return Err(EvaluationError::plain(format!("cannot sort by a {}", first.type_name())));
    }
    let mut text = 0_usize;
    for key in keys {
        if key.type_name() != first.type_name() {
            let types = (first.type_name(), key.type_name());
            return Err(EvaluationError::plain(format!("cannot sort by a {} and a {}", types.0, types.1)));
        }
        text = text.saturating_add(key.as_str().map_or(0, str::len));
    }
    // As many comparisons as sorting takes at most, each of which may read both texts.
    let rounds = keys.len().ilog2() + 1;
    budget.step(keys.len() as u64 * u64::from(rounds))?;
    budget.read(text.saturating_mul(rounds as usize))?;
    budget.build_values(values.len())?;
    let mut sorted: Vec<_> = values.into_iter().zip(keys).collect();
    sorted.sort_by(|(_, a), (_, b)| total(a, b));
    Ok(Value::List(sorted.into_iter().map(|(value, _)| value).collect()))
}

/// An order of all values of one type: NaN comes behind all numbers, whichever sign it has.
fn total(a: &Value<'_>, b: &Value<'_>) -> Ordering {
    match (a, b) {
        (Value::Double(a), Value::Double(b)) if a.is_nan() || b.is_nan() => a.is_nan().cmp(&b.is_nan()),
        _ => order(a, b).flatten().unwrap_or(Ordering::Equal),
    }
}

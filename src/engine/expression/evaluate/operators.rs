//! What the operators compute.
//!
//! In: operands. Out: a value, or an error where it does not fit its type. Must never know: where operands came from.

use std::cmp::Ordering;

use super::super::compare::{equal, lookup, order};
use super::super::syntax::{Arithmetic, Comparison};
use super::super::tree::Tree;
use super::super::{Budget, Text, Value};
use super::{Evaluated, Frame, evaluate, no_unary, sum};
use crate::error::EvaluationError;
use crate::scalar::{Duration, Offset, Timestamp};

/// `left operator right`
#[inline(never)]
pub(super) fn arithmetic<'r>(
    operator: Arithmetic,
    operands: &'r [Tree; 2],
    frame: &Frame<'_, 'r>,
    budget: &mut Budget,
) -> Evaluated<'r> {
    if operator == Arithmetic::Add {
        return sum::sum(operands, frame, budget);
    }
    budget.step(1)?;
    let left = evaluate(&operands[0], frame, budget)?;
    let right = evaluate(&operands[1], frame, budget)?;
    compute(operator, &left, &right, budget)
}

/// `left operator right`
pub(super) fn compute<'r>(
    operator: Arithmetic,
    left: &Value<'r>,
    right: &Value<'r>,
    budget: &mut Budget,
) -> Evaluated<'r> {
    match (left, right) {
        (Value::Int(a), Value::Int(b)) => integers(operator, *a, *b),
        (Value::Uint(a), Value::Uint(b)) => unsigned(operator, *a, *b),
        (Value::Double(a), Value::Double(b)) => match operator {
            Arithmetic::Add => Ok(Value::Double(a + b)),
            Arithmetic::Subtract => Ok(Value::Double(a - b)),
            Arithmetic::Multiply => Ok(Value::Double(a * b)),
            Arithmetic::Divide => Ok(Value::Double(a / b)),
            Arithmetic::Remainder => Err(no_binary(operator.symbol(), left, right)),
        },
        _ => match (operator, join(operator, left, right, budget)?) {
            (_, Some(joined)) => Ok(joined),
            (Arithmetic::Add | Arithmetic::Subtract, None) => times(operator, left, right),
            _ => Err(no_binary(operator.symbol(), left, right)),
        },
    }
}

fn integers<'r>(operator: Arithmetic, a: i64, b: i64) -> Evaluated<'r> {
    let result = match operator {
        Arithmetic::Add => a.checked_add(b),
        Arithmetic::Subtract => a.checked_sub(b),
        Arithmetic::Multiply => a.checked_mul(b),
        Arithmetic::Divide if b == 0 => return Err(EvaluationError::new("division by zero")),
        Arithmetic::Divide => a.checked_div(b),
        Arithmetic::Remainder if b == 0 => return Err(EvaluationError::new("modulus by zero")),
        Arithmetic::Remainder => a.checked_rem(b),
    };
    result.map(Value::Int).ok_or_else(|| EvaluationError::new("integer overflow"))
}

fn unsigned<'r>(operator: Arithmetic, a: u64, b: u64) -> Evaluated<'r> {
    let result = match operator {
        Arithmetic::Add => a.checked_add(b),
        Arithmetic::Subtract => a.checked_sub(b),
        Arithmetic::Multiply => a.checked_mul(b),
        Arithmetic::Divide if b == 0 => return Err(EvaluationError::new("division by zero")),
        Arithmetic::Divide => a.checked_div(b),
        Arithmetic::Remainder if b == 0 => return Err(EvaluationError::new("modulus by zero")),
        Arithmetic::Remainder => a.checked_rem(b),
    };
    result.map(Value::Uint).ok_or_else(|| EvaluationError::new("unsigned integer overflow"))
}

/// `+` of strings, bytes and lists; nothing for other operands.
fn join<'r>(
    operator: Arithmetic,
    left: &Value<'r>,
    right: &Value<'r>,
    budget: &mut Budget,
) -> Result<Option<Value<'r>>, EvaluationError> {
    if operator != Arithmetic::Add {
        return Ok(None);
    }
    Ok(match (left, right) {
        (Value::String(a), Value::String(b)) => {
            budget.build(a.as_str().len().saturating_add(b.as_str().len()))?;
            Some(Value::String(Text::Shared([a.as_str(), b.as_str()].concat().into())))
        }
        (Value::Bytes(a), Value::Bytes(b)) => {
            budget.build(a.len().saturating_add(b.len()))?;
            Some(Value::Bytes([&**a, &**b].concat().into()))
        }
        _ => match (left.list_items(), right.list_items()) {
            (Some(mut a), Some(mut b)) => {
                budget.build_values(left.len().unwrap_or(0).saturating_add(right.len().unwrap_or(0)))?;
                let mut joined = Vec::new();
                for items in [&mut a, &mut b] {
                    while let Some(item) = items.read_next(budget)? {
                        joined.push(item);
                    }
                }
                Some(Value::List(joined.into()))
            }
            _ => None,
        },
    })
}

/// `+` and `-` of timestamps and durations.
fn times<'r>(operator: Arithmetic, left: &Value<'r>, right: &Value<'r>) -> Evaluated<'r> {
    let add = operator == Arithmetic::Add;
    match (left, right) {
        (Value::Timestamp(a, at), Value::Duration(b)) if add => timestamp(a.checked_add(*b), *at),
        (Value::Timestamp(a, at), Value::Duration(b)) => timestamp(a.checked_sub(*b), *at),
        (Value::Duration(a), Value::Timestamp(b, at)) if add => timestamp(b.checked_add(*a), *at),
        (Value::Duration(a), Value::Duration(b)) if add => duration(a.checked_add(*b)),
        (Value::Duration(a), Value::Duration(b)) => duration(a.checked_sub(*b)),
        (Value::Timestamp(a, _), Value::Timestamp(b, _)) if !add => duration(a.since(*b)),
        _ => Err(no_binary(operator.symbol(), left, right)),
    }
}

fn timestamp<'r>(instant: Option<Timestamp>, at: Offset) -> Evaluated<'r> {
    let instant = instant.map(|instant| Value::Timestamp(instant, at));
    instant.ok_or_else(|| EvaluationError::new("timestamp overflow"))
}

fn duration<'r>(duration: Option<Duration>) -> Evaluated<'r> {
    duration.map(Value::Duration).ok_or_else(|| EvaluationError::new("duration overflow"))
}

/// `-operand`
#[inline(never)]
pub(super) fn negate<'r>(operand: &'r Tree, frame: &Frame<'_, 'r>, budget: &mut Budget) -> Evaluated<'r> {
    match &evaluate(operand, frame, budget)? {
        Value::Int(value) => {
            value.checked_neg().map(Value::Int).ok_or_else(|| EvaluationError::new("integer overflow"))
        }
        Value::Double(value) => Ok(Value::Double(-value)),
        Value::Duration(value) => duration(value.checked_neg()),
        other => Err(no_unary("-", other)),
    }
}

/// `left comparison right`
pub(super) fn compare(
    comparison: Comparison,
    left: &Value<'_>,
    right: &Value<'_>,
    budget: &mut Budget,
) -> Result<bool, EvaluationError> {
    match comparison {
        Comparison::Equal => return equal(left, right, budget),
        Comparison::NotEqual => return Ok(!equal(left, right, budget)?),
        _ => {}
    }
    // By far the most frequent.
    if let (Value::Int(a), Value::Int(b)) = (left, right) {
        return Ok(comparison.holds(a.cmp(b)));
    }
    if let (Some(a), Some(b)) = (left.as_str(), right.as_str()) {
        budget.read(a.len().min(b.len()))?;
    }
    let ordering = order(left, right).ok_or_else(|| no_binary(comparison.symbol(), left, right))?;
    let ordering = ordering.ok_or_else(|| EvaluationError::new("NaN has no order"))?;
    Ok(comparison.holds(ordering))
}

impl Comparison {
    /// Whether it holds for operands of this order.
    pub(super) fn holds(self, ordering: Ordering) -> bool {
        match self {
            Comparison::Equal => ordering == Ordering::Equal,
            Comparison::NotEqual => ordering != Ordering::Equal,
            Comparison::Less => ordering == Ordering::Less,
            Comparison::LessOrEqual => ordering != Ordering::Greater,
            Comparison::Greater => ordering == Ordering::Greater,
            Comparison::GreaterOrEqual => ordering != Ordering::Less,
        }
    }
}

/// `needle in haystack`
pub(super) fn contains(
    haystack: &Value<'_>,
    needle: &Value<'_>,
    budget: &mut Budget,
) -> Result<bool, EvaluationError> {
    let Some(mut items) = haystack.list_items() else {
        return match haystack.len() {
            Some(_) => Ok(lookup(haystack, needle, budget)?.is_some()),
            None => Err(no_binary("in", needle, haystack)),
        };
    };
    while let Some(item) = items.read_next(budget)? {
        budget.step(1)?;
        if equal(&item, needle, budget)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn no_binary(operator: &str, left: &Value<'_>, right: &Value<'_>) -> EvaluationError {
    let (left, right) = (left.type_name(), right.type_name());
    EvaluationError::plain(format!("no such overload: {left} {operator} {right}"))
}

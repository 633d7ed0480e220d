//! Kubernetes' quantities: `500m`, `2Gi`.
//!
//! In: texts, quantities, ints. Out: quantities, numbers, answers. Must never know: rows.
//!
//! What is an integer depends on how a quantity was written: see [`Held`].

use std::cmp::Ordering;

use super::super::types::StaticType::{self, Bool, Double, Int, Quantity as Amount, String};
use super::super::{Budget, Value};
use super::{Overload, function, method, no_overload, string};
use crate::error::EvaluationError;
use crate::scalar::{Held, Quantity};

const TWO: &[StaticType] = &[Amount, Amount];

pub(super) const TABLE: &[Overload] = &[
    function("quantity", &[String], Amount, quantity).checking_literals(),
    function("isQuantity", &[String], Bool, is_quantity),
    function("sign", &[Amount], Int, sign),
    method("isInteger", &[Amount], Bool, is_integer),
    method("asInteger", &[Amount], Int, as_integer),
    method("asApproximateFloat", &[Amount], Double, as_approximate_float),
    method("add", TWO, Amount, add),
    method("add", &[Amount, Int], Amount, add),
    method("sub", TWO, Amount, sub),
    method("sub", &[Amount, Int], Amount, sub),
    method("compareTo", TWO, Int, compare_to),
    method("isGreaterThan", TWO, Bool, is_greater_than),
    method("isLessThan", TWO, Bool, is_less_than),
];

fn quantity<'r>(arguments: &[Value<'r>], budget: &mut Budget) -> Result<Value<'r>, EvaluationError> {
    let text = string(arguments, 0)?;
    budget.read(text.len())?;
    let amount = Quantity::parse_rounded(text).map_err(|error| EvaluationError::new(error.0))?;
    Ok(Value::Quantity(amount, Held::parse(text, amount)))
}

fn is_quantity<'r>(arguments: &[Value<'r>], budget: &mut Budget) -> Result<Value<'r>, EvaluationError> {
    let text = string(arguments, 0)?;
    budget.read(text.len())?;
    Ok(Value::Bool(Quantity::parse_rounded(text).is_ok()))
}

fn sign<'r>(arguments: &[Value<'r>], _: &mut Budget) -> Result<Value<'r>, EvaluationError> {
    Ok(Value::Int(amount(arguments, 0)?.0.sign()))
}

fn is_integer<'r>(arguments: &[Value<'r>], _: &mut Budget) -> Result<Value<'r>, EvaluationError> {
    let (amount, held) = amount(arguments, 0)?;
    Ok(Value::Bool(held.as_i64(amount).is_some()))
}

fn as_integer<'r>(arguments: &[Value<'r>], _: &mut Budget) -> Result<Value<'r>, EvaluationError> {
    let (amount, held) = amount(arguments, 0)?;
    let whole = held.as_i64(amount);
    whole.map(Value::Int).ok_or_else(|| EvaluationError::new("cannot convert value to integer"))
}

fn as_approximate_float<'r>(arguments: &[Value<'r>], _: &mut Budget) -> Result<Value<'r>, EvaluationError> {
    let (amount, held) = amount(arguments, 0)?;
    Ok(Value::Double(held.approximate(amount)))
}

fn add<'r>(arguments: &[Value<'r>], _: &mut Budget) -> Result<Value<'r>, EvaluationError> {
    let ((a, held_a), (b, held_b)) = (amount(arguments, 0)?, amount(arguments, 1)?);
    let sum = a.checked_add(b).ok_or_else(overflow)?;
    Ok(Value::Quantity(sum, held_a.add(a, held_b, b)))
}

fn sub<'r>(arguments: &[Value<'r>], _: &mut Budget) -> Result<Value<'r>, EvaluationError> {
    let ((a, held_a), (b, held_b)) = (amount(arguments, 0)?, amount(arguments, 1)?);
    let difference = a.checked_sub(b).ok_or_else(overflow)?;
    let negative = Quantity { nanos: b.nanos.checked_neg().ok_or_else(overflow)? };
    Ok(Value::Quantity(difference, held_a.add(a, held_b, negative)))
}

fn overflow() -> EvaluationError {
    EvaluationError::new("quantity overflow")
}

fn compare_to<'r>(arguments: &[Value<'r>], _: &mut Budget) -> Result<Value<'r>, EvaluationError> {
    Ok(Value::Int(compare(arguments)? as i64))
}

fn is_greater_than<'r>(arguments: &[Value<'r>], _: &mut Budget) -> Result<Value<'r>, EvaluationError> {
    Ok(Value::Bool(compare(arguments)?.is_gt()))
}

fn is_less_than<'r>(arguments: &[Value<'r>], _: &mut Budget) -> Result<Value<'r>, EvaluationError> {
    Ok(Value::Bool(compare(arguments)?.is_lt()))
}

fn compare(arguments: &[Value<'_>]) -> Result<Ordering, EvaluationError> {
    Ok(amount(arguments, 0)?.0.cmp(&amount(arguments, 1)?.0))
}

/// A quantity, or an int as one.
fn amount(arguments: &[Value<'_>], at: usize) -> Result<(Quantity, Held), EvaluationError> {
    match arguments.get(at) {
        Some(Value::Quantity(quantity, held)) => Ok((*quantity, *held)),
        Some(Value::Int(whole)) => Ok((Quantity::from_integer(*whole), Held::INTEGER)),
        _ => Err(no_overload()),
    }
}

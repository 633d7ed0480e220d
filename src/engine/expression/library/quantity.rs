//! Kubernetes' quantities: `500m`, `2Gi`.
//!
//! In: texts, quantities, ints. Out: quantities, numbers, answers. Must never know: rows.

use std::cmp::Ordering;

use super::super::types::StaticType::{self, Bool, Double, Int, Quantity as Amount, String};
use super::super::{Budget, Value};
use super::{Overload, function, method, no_overload};
use crate::error::EvaluationError;
use crate::scalar::Quantity;

const TWO: &[StaticType] = &[Amount, Amount];

/// Billionths in one.
const UNIT: i128 = 1_000_000_000;

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
    let [Value::String(text)] = arguments else { return Err(no_overload()) };
    budget.read(text.as_str().len())?;
    Quantity::parse(text.as_str()).map(Value::Quantity).map_err(|error| EvaluationError::new(error.0))
}

fn is_quantity<'r>(arguments: &[Value<'r>], budget: &mut Budget) -> Result<Value<'r>, EvaluationError> {
    let [Value::String(text)] = arguments else { return Err(no_overload()) };
    budget.read(text.as_str().len())?;
    Ok(Value::Bool(Quantity::parse(text.as_str()).is_ok()))
}

fn sign<'r>(arguments: &[Value<'r>], _: &mut Budget) -> Result<Value<'r>, EvaluationError> {
    Ok(Value::Int(ordering(amount(arguments, 0)?.nanos.cmp(&0))))
}

fn whole(arguments: &[Value<'_>]) -> Result<Option<i64>, EvaluationError> {
    let nanos = amount(arguments, 0)?.nanos;
    Ok(if nanos % UNIT == 0 { i64::try_from(nanos / UNIT).ok() } else { None })
}

fn is_integer<'r>(arguments: &[Value<'r>], _: &mut Budget) -> Result<Value<'r>, EvaluationError> {
    Ok(Value::Bool(whole(arguments)?.is_some()))
}

fn as_integer<'r>(arguments: &[Value<'r>], _: &mut Budget) -> Result<Value<'r>, EvaluationError> {
    let whole = whole(arguments)?;
    whole.map(Value::Int).ok_or_else(|| EvaluationError::new("cannot convert value to integer"))
}

/// Correctly rounded: the text of the exact decimal is parsed.
fn as_approximate_float<'r>(arguments: &[Value<'r>], _: &mut Budget) -> Result<Value<'r>, EvaluationError> {
    let exact = format!("{}e-9", amount(arguments, 0)?.nanos);
    Ok(Value::Double(exact.parse().expect("an integer with an exponent is a number")))
}

fn add<'r>(arguments: &[Value<'r>], _: &mut Budget) -> Result<Value<'r>, EvaluationError> {
    sum(amount(arguments, 0)?.nanos, Some(amount(arguments, 1)?.nanos))
}

fn sub<'r>(arguments: &[Value<'r>], _: &mut Budget) -> Result<Value<'r>, EvaluationError> {
    sum(amount(arguments, 0)?.nanos, amount(arguments, 1)?.nanos.checked_neg())
}

fn sum<'r>(a: i128, b: Option<i128>) -> Result<Value<'r>, EvaluationError> {
    let nanos = b.and_then(|b| a.checked_add(b)).ok_or_else(|| EvaluationError::new("quantity overflow"))?;
    Ok(Value::Quantity(Quantity { nanos }))
}

fn compare_to<'r>(arguments: &[Value<'r>], _: &mut Budget) -> Result<Value<'r>, EvaluationError> {
    Ok(Value::Int(ordering(compare(arguments)?)))
}

fn is_greater_than<'r>(arguments: &[Value<'r>], _: &mut Budget) -> Result<Value<'r>, EvaluationError> {
    Ok(Value::Bool(compare(arguments)?.is_gt()))
}

fn is_less_than<'r>(arguments: &[Value<'r>], _: &mut Budget) -> Result<Value<'r>, EvaluationError> {
    Ok(Value::Bool(compare(arguments)?.is_lt()))
}

fn compare(arguments: &[Value<'_>]) -> Result<Ordering, EvaluationError> {
    Ok(amount(arguments, 0)?.nanos.cmp(&amount(arguments, 1)?.nanos))
}

/// A quantity, or an int as one.
fn amount(arguments: &[Value<'_>], index: usize) -> Result<Quantity, EvaluationError> {
    match arguments.get(index) {
        Some(Value::Quantity(quantity)) => Ok(*quantity),
        Some(Value::Int(whole)) => Ok(Quantity { nanos: i128::from(*whole) * UNIT }),
        _ => Err(no_overload()),
    }
}

fn ordering(order: Ordering) -> i64 {
    order as i64
}

//! Kubernetes' quantities: `500m`, `2Gi`.
//!
//! In: texts, quantities, ints. Out: quantities, numbers, answers. Must never know: rows.
//!
//! A quantity is its amount here; Kubernetes also remembers how it was written, so that there `2000m` and `9Pi` are not
//! integers though `2` and `8Pi` are.

use std::cmp::Ordering;

use super::super::types::StaticType::{self, Bool, Double, Int, Quantity as Amount, String};
use super::super::{Budget, Value};
use super::{Overload, function, method, no_overload};
use crate::error::EvaluationError;
use crate::scalar::Quantity;

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
    Ok(Value::Int(amount(arguments, 0)?.sign()))
}

fn is_integer<'r>(arguments: &[Value<'r>], _: &mut Budget) -> Result<Value<'r>, EvaluationError> {
    Ok(Value::Bool(amount(arguments, 0)?.is_integer()))
}

fn as_integer<'r>(arguments: &[Value<'r>], _: &mut Budget) -> Result<Value<'r>, EvaluationError> {
    let whole = amount(arguments, 0)?.as_i64();
    whole.map(Value::Int).ok_or_else(|| EvaluationError::new("cannot convert value to integer"))
}

fn as_approximate_float<'r>(arguments: &[Value<'r>], _: &mut Budget) -> Result<Value<'r>, EvaluationError> {
    Ok(Value::Double(amount(arguments, 0)?.as_f64()))
}

fn add<'r>(arguments: &[Value<'r>], _: &mut Budget) -> Result<Value<'r>, EvaluationError> {
    within(amount(arguments, 0)?.checked_add(amount(arguments, 1)?))
}

fn sub<'r>(arguments: &[Value<'r>], _: &mut Budget) -> Result<Value<'r>, EvaluationError> {
    within(amount(arguments, 0)?.checked_sub(amount(arguments, 1)?))
}

fn within<'r>(quantity: Option<Quantity>) -> Result<Value<'r>, EvaluationError> {
    quantity.map(Value::Quantity).ok_or_else(|| EvaluationError::new("quantity overflow"))
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
    Ok(amount(arguments, 0)?.nanos.cmp(&amount(arguments, 1)?.nanos))
}

/// A quantity, or an int as one.
fn amount(arguments: &[Value<'_>], index: usize) -> Result<Quantity, EvaluationError> {
    match arguments.get(index) {
        Some(Value::Quantity(quantity)) => Ok(*quantity),
        Some(Value::Int(whole)) => Ok(Quantity::from_integer(*whole)),
        _ => Err(no_overload()),
    }
}

//! Optional values: what may be absent without an error.
//!
//! In: values and optionals. Out: the same. Must never know: paths, which give optionals by themselves.

use std::sync::Arc;

use super::super::types::StaticType::{Bool, Dyn, Optional};
use super::super::{Budget, Value};
use super::{Form, Overload, function, method, no_overload};
use crate::error::EvaluationError;

pub(super) const TABLE: &[Overload] = &[
    function("optional.of", &[Dyn], Optional, of),
    function("optional.ofNonZeroValue", &[Dyn], Optional, of_non_zero),
    function("optional.none", &[], Optional, none),
    method("hasValue", &[Optional], Bool, has_value),
    method("value", &[Optional], Dyn, value),
    method("or", &[Optional, Optional], Optional, value).with_form(Form::Or),
    method("orValue", &[Optional, Dyn], Dyn, value).with_form(Form::OrValue),
];

fn of<'r>(arguments: &[Value<'r>], _: &mut Budget) -> Result<Value<'r>, EvaluationError> {
    let [value] = arguments else { return Err(no_overload()) };
    Ok(Value::Optional(Some(Arc::new(value.clone()))))
}

fn of_non_zero<'r>(arguments: &[Value<'r>], budget: &mut Budget) -> Result<Value<'r>, EvaluationError> {
    let [value] = arguments else { return Err(no_overload()) };
    if is_zero(value) { Ok(Value::Optional(None)) } else { of(arguments, budget) }
}

fn none<'r>(_: &[Value<'r>], _: &mut Budget) -> Result<Value<'r>, EvaluationError> {
    Ok(Value::Optional(None))
}

fn has_value<'r>(arguments: &[Value<'r>], _: &mut Budget) -> Result<Value<'r>, EvaluationError> {
    let [Value::Optional(value)] = arguments else { return Err(no_overload()) };
    Ok(Value::Bool(value.is_some()))
}

fn value<'r>(arguments: &[Value<'r>], _: &mut Budget) -> Result<Value<'r>, EvaluationError> {
    match arguments {
        [Value::Optional(Some(value))] => Ok(Value::clone(value)),
        [Value::Optional(None)] => Err(EvaluationError::new("optional.none() dereference")),
        _ => Err(no_overload()),
    }
}

/// Whether a value is the one that its type has by default. A timestamp never is: its default is the year 1.
fn is_zero(value: &Value<'_>) -> bool {
    match value {
        Value::Null | Value::Optional(None) => true,
        Value::Bool(value) => !value,
        Value::Int(value) => *value == 0,
        Value::Uint(value) => *value == 0,
        Value::Double(value) => *value == 0.0,
        Value::String(text) => text.as_str().is_empty(),
        Value::Bytes(bytes) => bytes.is_empty(),
        Value::Duration(value) => value.nanos == 0,
        Value::Timestamp(_) | Value::Quantity(_) | Value::Type(_) | Value::Optional(Some(_)) => false,
        Value::List(_) | Value::Map(_) | Value::Node(_) => value.len() == Some(0),
    }
}

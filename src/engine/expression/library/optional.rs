//! Optional values: what may be absent without an error.
//!
//! In: values and optionals. Out: the same. Must never know: paths, which give optionals by themselves.

use std::sync::Arc;

use super::super::types::StaticType::{Bool, Dyn, List, Optional};
use super::super::{Budget, Value};
use super::{Form, Overload, function, items, method, no_overload};
use crate::error::EvaluationError;

pub(super) const TABLE: &[Overload] = &[
    function("optional.of", &[Dyn], Optional, of),
    function("optional.ofNonZeroValue", &[Dyn], Optional, of_non_zero),
    function("optional.none", &[], Optional, none),
    method("hasValue", &[Optional], Bool, has_value),
    method("value", &[Optional], Dyn, value),
    method("or", &[Optional, Optional], Optional, value).with_form(Form::Or),
    method("orValue", &[Optional, Dyn], Dyn, value).with_form(Form::OrValue),
    function("optional.unwrap", &[List], List, unwrap),
    method("unwrapOpt", &[List], List, unwrap),
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

/// The values of those elements that have one.
fn unwrap<'r>(arguments: &[Value<'r>], budget: &mut Budget) -> Result<Value<'r>, EvaluationError> {
    let mut items = items(arguments, 0)?;
    let mut values = Vec::new();
    while let Some(item) = items.read_next(budget)? {
        budget.step(1)?;
        match item {
            Value::Optional(None) => {}
            Value::Optional(Some(value)) => {
                budget.build_values(1)?;
                values.push(Value::clone(&value));
            }
            other => {
                let kind = other.type_name();
                return Err(EvaluationError::plain(format!("a {kind} among the optionals to unwrap")));
            }
        }
    }
    Ok(Value::List(values.into()))
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
        Value::Timestamp(..)
        | Value::Quantity(..)
        | Value::Semver(_)
        | Value::Ip(_)
        | Value::Cidr(_)
        | Value::Url(_)
        | Value::Format(_)
        | Value::Type(_)
        | Value::Optional(Some(_)) => false,
        Value::List(_) | Value::Map(_) | Value::Node(_) => value.len() == Some(0),
    }
}

//! The string functions of the CEL specification.
//!
//! In: strings. Out: numbers and answers. Must never know: rows. Lengths count code points.

use super::super::types::StaticType::{self, Bool, Bytes, Int, String};
use super::super::{Budget, Value};
use super::{Form, Overload, function, method, no_overload};
use crate::error::EvaluationError;

const TWO: &[StaticType] = &[String, String];

pub(super) const TABLE: &[Overload] = &[
    function("size", &[String], Int, size).with_form(Form::Size(size)),
    method("size", &[String], Int, size).with_form(Form::Size(size)),
    function("size", &[Bytes], Int, size_of_bytes).with_form(Form::Size(size_of_bytes)),
    method("size", &[Bytes], Int, size_of_bytes).with_form(Form::Size(size_of_bytes)),
    method("contains", TWO, Bool, contains),
    method("startsWith", TWO, Bool, starts_with),
    method("endsWith", TWO, Bool, ends_with),
];

fn size<'r>(arguments: &[Value<'r>], budget: &mut Budget) -> Result<Value<'r>, EvaluationError> {
    let [Value::String(text)] = arguments else { return Err(no_overload()) };
    budget.read(text.as_str().len())?;
    length(text.as_str().chars().count())
}

fn size_of_bytes<'r>(arguments: &[Value<'r>], _: &mut Budget) -> Result<Value<'r>, EvaluationError> {
    let [Value::Bytes(bytes)] = arguments else { return Err(no_overload()) };
    length(bytes.len())
}

/// A length as an `int`.
pub(super) fn length<'r>(length: usize) -> Result<Value<'r>, EvaluationError> {
    i64::try_from(length).map(Value::Int).map_err(|_| EvaluationError::new("integer overflow"))
}

fn contains<'r>(arguments: &[Value<'r>], budget: &mut Budget) -> Result<Value<'r>, EvaluationError> {
    let (text, part) = pair(arguments)?;
    budget.read(text.len())?;
    Ok(Value::Bool(memchr::memmem::find(text.as_bytes(), part.as_bytes()).is_some()))
}

fn starts_with<'r>(arguments: &[Value<'r>], budget: &mut Budget) -> Result<Value<'r>, EvaluationError> {
    let (text, prefix) = pair(arguments)?;
    budget.read(prefix.len().min(text.len()))?;
    Ok(Value::Bool(text.starts_with(prefix)))
}

fn ends_with<'r>(arguments: &[Value<'r>], budget: &mut Budget) -> Result<Value<'r>, EvaluationError> {
    let (text, suffix) = pair(arguments)?;
    budget.read(suffix.len().min(text.len()))?;
    Ok(Value::Bool(text.ends_with(suffix)))
}

/// Two strings.
pub(super) fn pair<'a>(arguments: &'a [Value<'_>]) -> Result<(&'a str, &'a str), EvaluationError> {
    match arguments {
        [Value::String(a), Value::String(b)] => Ok((a.as_str(), b.as_str())),
        _ => Err(no_overload()),
    }
}

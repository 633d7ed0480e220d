//! The functions of lists and maps of the CEL specification.
//!
//! In: lists and maps. Out: numbers. Must never know: where a list came from.

use super::super::types::StaticType::{Int, List, Map};
use super::super::{Budget, Value};
use super::strings::length;
use super::{Form, Overload, function, method, no_overload};
use crate::error::EvaluationError;

pub(super) const TABLE: &[Overload] = &[
    function("size", &[List], Int, size).with_form(Form::Size(size)),
    method("size", &[List], Int, size).with_form(Form::Size(size)),
    function("size", &[Map], Int, size).with_form(Form::Size(size)),
    method("size", &[Map], Int, size).with_form(Form::Size(size)),
];

fn size<'r>(arguments: &[Value<'r>], _: &mut Budget) -> Result<Value<'r>, EvaluationError> {
    length(arguments.first().and_then(Value::len).ok_or_else(no_overload)?)
}

//! The string functions of the CEL specification.
//!
//! In: strings. Out: numbers and answers. Must never know: rows. Lengths count code points.

use super::super::types::StaticType::{self, Bool, Bytes, Int, String};
use super::super::{Budget, Value};
use super::{Form, Implementation, Overload, TextTest, function, method, no_overload};
use crate::error::EvaluationError;

const TWO: &[StaticType] = &[String, String];

pub(super) const TABLE: &[Overload] = &[
    function("size", &[String], Int, size).with_form(Form::Size(size)),
    method("size", &[String], Int, size).with_form(Form::Size(size)),
    function("size", &[Bytes], Int, size_of_bytes).with_form(Form::Size(size_of_bytes)),
    method("size", &[Bytes], Int, size_of_bytes).with_form(Form::Size(size_of_bytes)),
    test("contains", CONTAINS, |arguments, budget| CONTAINS.run(arguments, budget)),
    test("startsWith", STARTS_WITH, |arguments, budget| STARTS_WITH.run(arguments, budget)),
    test("endsWith", ENDS_WITH, |arguments, budget| ENDS_WITH.run(arguments, budget)),
];

const fn test(name: &'static str, test: &'static TextTest, run: Implementation) -> Overload {
    method(name, TWO, Bool, run).with_form(Form::Test(run, test))
}

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

const CONTAINS: &TextTest = &TextTest {
    holds: |text, part| memchr::memmem::find(text.as_bytes(), part.as_bytes()).is_some(),
    reads: |text, _| text.len(),
};

const STARTS_WITH: &TextTest = &TextTest {
    holds: |text, prefix| text.starts_with(prefix),
    reads: |text, prefix| prefix.len().min(text.len()),
};

const ENDS_WITH: &TextTest = &TextTest {
    holds: |text, suffix| text.ends_with(suffix),
    reads: |text, suffix| suffix.len().min(text.len()),
};

impl TextTest {
    fn run<'r>(&self, arguments: &[Value<'r>], budget: &mut Budget) -> Result<Value<'r>, EvaluationError> {
        let (text, other) = pair(arguments)?;
        budget.read((self.reads)(text, other))?;
        Ok(Value::Bool((self.holds)(text, other)))
    }
}

/// Two strings.
pub(super) fn pair<'a>(arguments: &'a [Value<'_>]) -> Result<(&'a str, &'a str), EvaluationError> {
    match arguments {
        [Value::String(a), Value::String(b)] => Ok((a.as_str(), b.as_str())),
        _ => Err(no_overload()),
    }
}

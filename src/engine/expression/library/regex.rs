//! Regular expressions in RE2's syntax, in time linear in the text.
//!
//! In: texts and patterns. Out: whether they match. Must never know: which patterns the checker compiled beforehand.

use super::super::matcher::Matcher;
use super::super::types::StaticType::{Bool, String};
use super::super::{Budget, Value};
use super::strings::pair;
use super::{Form, Overload, function, method};
use crate::error::EvaluationError;

pub(super) const TABLE: &[Overload] = &[
    function("matches", &[String, String], Bool, matches).with_form(Form::Matches(matches)),
    method("matches", &[String, String], Bool, matches).with_form(Form::Matches(matches)),
];

fn matches<'r>(arguments: &[Value<'r>], budget: &mut Budget) -> Result<Value<'r>, EvaluationError> {
    let (text, pattern) = pair(arguments)?;
    Matcher::charge_compilation(pattern, budget)?;
    let matcher = compile(pattern).map_err(|message| invalid(&message))?;
    matcher.is_match(text, budget).map(Value::Bool)
}

/// A pattern that an object has brought is refused; what is wrong with it may quote it.
fn invalid(message: &str) -> EvaluationError {
    let at = message.find(": ").map_or(0, |colon| colon + 2);
    EvaluationError::quoting(&message[..at], &message[at..], "")
}

/// Compiles a pattern within the limits; the message of an error names the defect in one line.
pub(in super::super) fn compile(pattern: &str) -> Result<Matcher, std::string::String> {
    Matcher::compile(pattern, pattern)
}

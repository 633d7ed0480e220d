//! Regular expressions in RE2's syntax, in time linear in the text.
//!
//! In: texts and patterns. Out: whether they match. Must never know: which patterns the checker compiled beforehand.

use regex::{Regex, RegexBuilder};

use super::super::types::StaticType::{Bool, String};
use super::super::{Budget, Value};
use super::strings::pair;
use super::{Form, Overload, function, method};
use crate::error::EvaluationError;

/// The largest compiled pattern in bytes.
const MAX_COMPILED: usize = 256 * 1024;

/// The longest pattern in bytes.
const MAX_PATTERN: usize = 1024;

/// What compiling a pattern costs in steps, beside one for each of its bytes: it is as dear as hundreds of comparisons.
const COMPILE_STEPS: u64 = 400;

pub(super) const TABLE: &[Overload] = &[
    function("matches", &[String, String], Bool, matches).with_form(Form::Matches(matches)),
    method("matches", &[String, String], Bool, matches).with_form(Form::Matches(matches)),
];

fn matches<'r>(arguments: &[Value<'r>], budget: &mut Budget) -> Result<Value<'r>, EvaluationError> {
    let (text, pattern) = pair(arguments)?;
    budget.step(COMPILE_STEPS + pattern.len() as u64)?;
    let pattern = compile(pattern).map_err(EvaluationError::new)?;
    budget.read(text.len())?;
    Ok(Value::Bool(pattern.is_match(text)))
}

/// Compiles a pattern within the limits; the message of an error names the defect in one line.
pub(in super::super) fn compile(pattern: &str) -> Result<Regex, std::string::String> {
    if pattern.len() > MAX_PATTERN {
        return Err(format!("invalid regular expression: longer than {MAX_PATTERN} bytes"));
    }
    let built = RegexBuilder::new(pattern).size_limit(MAX_COMPILED).dfa_size_limit(MAX_COMPILED).build();
    built.map_err(|error| {
        let text = error.to_string();
        let last = text.lines().last().unwrap_or_default();
        format!("invalid regular expression: {}", last.trim_start_matches("error: "))
    })
}

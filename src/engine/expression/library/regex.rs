//! Regular expressions in RE2's syntax, in time linear in the text.
//!
//! In: texts and patterns. Out: whether they match, and what does. Must never know: which patterns the checker compiled
//! beforehand.

use super::super::matcher::Matcher;
use super::super::patterns::Patterns;
use super::super::types::StaticType::{self, Bool, Int, List, String};
use super::super::{Budget, Value};
use super::strings::pair;
use super::{Form, Overload, function, int, method, re2, string};
use crate::error::EvaluationError;

const TWO: &[StaticType] = &[String, String];

pub(super) const TABLE: &[Overload] = &[
    function("matches", TWO, Bool, matches).with_form(Form::Matches(matches)),
    method("matches", TWO, Bool, matches).with_form(Form::Matches(matches)),
    method("find", TWO, String, find).with_form(Form::Search(find, find_compiled)),
    method("findAll", TWO, List, find_all).with_form(Form::Search(find_all, find_all_compiled)),
    method("findAll", &[String, String, Int], List, find_all)
        .with_form(Form::Search(find_all, find_all_compiled)),
];

fn matches<'r>(arguments: &[Value<'r>], budget: &mut Budget) -> Result<Value<'r>, EvaluationError> {
    let (text, pattern) = pair(arguments)?;
    brought(pattern, budget)?.is_match(text, budget).map(Value::Bool)
}

fn find<'r>(arguments: &[Value<'r>], budget: &mut Budget) -> Result<Value<'r>, EvaluationError> {
    let matcher = brought(string(arguments, 1)?, budget)?;
    find_compiled(&matcher, arguments, budget)
}

fn find_all<'r>(arguments: &[Value<'r>], budget: &mut Budget) -> Result<Value<'r>, EvaluationError> {
    let matcher = brought(string(arguments, 1)?, budget)?;
    let mut rest = arguments.to_vec();
    rest.remove(1);
    find_all_compiled(&matcher, &rest, budget)
}

/// The first match, or an empty text.
fn find_compiled<'r>(
    matcher: &Matcher,
    arguments: &[Value<'r>],
    budget: &mut Budget,
) -> Result<Value<'r>, EvaluationError> {
    let found = matcher.find(string(arguments, 0)?, budget)?.unwrap_or_default();
    budget.build(found.len())?;
    Ok(Value::text(found))
}

/// The matches that do not overlap, at most as many as asked for.
fn find_all_compiled<'r>(
    matcher: &Matcher,
    arguments: &[Value<'r>],
    budget: &mut Budget,
) -> Result<Value<'r>, EvaluationError> {
    let most = if arguments.len() > 1 { int(arguments, 1)? } else { -1 };
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    let found = matcher.find_all(string(arguments, 0)?, most, budget)?;
    Ok(Value::List(found.into_iter().map(Value::text).collect()))
}

/// A pattern that an object has brought. If it is refused, what is wrong with it may quote it.
fn brought(pattern: &str, budget: &mut Budget) -> Result<Matcher, EvaluationError> {
    Matcher::charge_compilation(pattern, budget)?;
    translate(pattern).and_then(|regex| Matcher::compile(pattern, &regex)).map_err(|message| {
        let at = message.find(": ").map_or(0, |colon| colon + 2);
        EvaluationError::quoting(&message[..at], &message[at..], "")
    })
}

/// Compiles a pattern of an expression within the limits; the message of an error names the defect in one line.
pub(in super::super) fn compile(
    pattern: &str,
    patterns: &mut Patterns,
) -> Result<Matcher, std::string::String> {
    patterns.compile(pattern, &translate(pattern)?)
}

fn translate(pattern: &str) -> Result<std::string::String, std::string::String> {
    re2::translate(pattern).map_err(|message| format!("invalid regular expression: {message}"))
}

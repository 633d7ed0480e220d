//! The functions that expressions may call.
//!
//! In: arguments whose types were checked against a signature. Out: a value. Must never know: trees, rows, fields.
//!
//! A function is one entry in the table of one file; the table drives both the checker and the evaluator, which meets
//! functions as pointers and never by name.

mod collections;
mod conversion;
mod double;
mod encoders;
mod lists;
mod math;
mod named_format;
mod network;
mod optional;
mod quantity;
mod re2;
mod regex;
mod repeats;
mod semver;
mod sets;
mod sorting;
mod strings;
mod template;
mod text;
mod time;
mod unicode;
mod url;
#[cfg(test)]
mod tests;

pub(super) use regex::compile as compile_regex;
pub(super) use sorting::sort_by_keys;
pub(super) use template::check as check_template;

use super::matcher::Matcher;
use super::types::StaticType;
use super::value::ListItems;
use super::{Budget, Value};
use crate::error::EvaluationError;

/// The most arguments of any function, its receiver included.
pub(super) const MAX_ARGUMENTS: usize = 4;

/// One signature of a function, and what it does.
#[derive(Debug)]
pub(super) struct Overload {
    /// With its namespace, if it has one: `optional.of`.
    pub(super) name: &'static str,
    /// Whether the first argument stands before the dot.
    pub(super) receiver: bool,
    /// The receiver first.
    pub(super) parameters: &'static [StaticType],
    pub(super) result: StaticType,
    pub(super) form: Form,
    /// Whether an error for constant arguments is an error of the expression: `int('x')`.
    pub(super) literal: bool,
}

/// How a function is evaluated.
#[derive(Clone, Copy, Debug)]
pub(super) enum Form {
    /// All arguments, then the function.
    Eager(Implementation),
    /// The same; of two texts that lie where they are, the test is enough.
    Test(Implementation, &'static TextTest),
    /// The same; of a field, its number of elements is enough.
    Size(Implementation),
    /// The same; a constant pattern is compiled once.
    Matches(Implementation),
    /// The same; with a constant pattern, the second gets it compiled.
    Search(Implementation, Search),
    /// The same; a constant template is checked against the number of its arguments.
    Template(Implementation),
    /// The first argument, and the second only if that has no value; the result is an optional.
    Or,
    /// The same; the result is the value itself.
    OrValue,
}

/// Takes arguments of the types that the signature names.
pub(super) type Implementation = for<'r> fn(&[Value<'r>], &mut Budget) -> Result<Value<'r>, EvaluationError>;

/// The same without the second argument, which is the pattern.
pub(super) type Search =
    for<'r> fn(&Matcher, &[Value<'r>], &mut Budget) -> Result<Value<'r>, EvaluationError>;

/// What can be said of a text and another.
#[derive(Debug)]
pub(super) struct TextTest {
    pub(super) holds: fn(&str, &str) -> bool,
    /// How many bytes are read for that.
    pub(super) reads: fn(&str, &str) -> usize,
}

/// All tables.
const TABLES: [&[Overload]; 17] = [
    collections::TABLE,
    conversion::TABLE,
    encoders::TABLE,
    lists::TABLE,
    math::TABLE,
    named_format::TABLE,
    network::TABLE,
    optional::TABLE,
    quantity::TABLE,
    regex::TABLE,
    semver::TABLE,
    sets::TABLE,
    strings::TABLE,
    template::TABLE,
    text::TABLE,
    time::TABLE,
    url::TABLE,
];

/// What Kubernetes' environment has and expressions about objects never will: what asks the API server, and what only
/// patches need.
const NEVER: [&str; 12] = [
    "allowed",
    "authorizer",
    "check",
    "errored",
    "fieldSelector",
    "group",
    "jsonpatch.escapeKey",
    "labelSelector",
    "path",
    "reason",
    "resource",
    "serviceAccount",
];

/// Whether Kubernetes has a function of this name that has no place here.
pub(super) fn is_never(name: &str) -> bool {
    NEVER.contains(&name)
}

/// All signatures.
pub(super) fn overloads() -> impl Iterator<Item = &'static Overload> {
    TABLES.into_iter().flatten()
}

const fn function(
    name: &'static str,
    parameters: &'static [StaticType],
    result: StaticType,
    implementation: Implementation,
) -> Overload {
    Overload { name, receiver: false, parameters, result, form: Form::Eager(implementation), literal: false }
}

const fn method(
    name: &'static str,
    parameters: &'static [StaticType],
    result: StaticType,
    implementation: Implementation,
) -> Overload {
    Overload { name, receiver: true, parameters, result, form: Form::Eager(implementation), literal: false }
}

impl Overload {
    const fn checking_literals(mut self) -> Overload {
        self.literal = true;
        self
    }

    const fn with_form(mut self, form: Form) -> Overload {
        self.form = form;
        self
    }
}

const NO_OVERLOAD: &str = "no such overload";

/// The error where the arguments are not what a function takes, though they are of the types that a signature names: a
/// list of strings to sum. Whoever called names them.
fn no_overload() -> EvaluationError {
    EvaluationError::new(NO_OVERLOAD)
}

/// Whether a function refused what it was given.
pub(super) fn is_no_overload(error: &EvaluationError) -> bool {
    error.message == NO_OVERLOAD
}

/// The string at this place among the arguments.
fn string<'a>(arguments: &'a [Value<'_>], at: usize) -> Result<&'a str, EvaluationError> {
    arguments.get(at).and_then(Value::as_str).ok_or_else(no_overload)
}

/// The int at this place among the arguments.
fn int(arguments: &[Value<'_>], at: usize) -> Result<i64, EvaluationError> {
    match arguments.get(at) {
        Some(Value::Int(value)) => Ok(*value),
        _ => Err(no_overload()),
    }
}

/// The elements of the list at this place among the arguments.
fn items<'a, 'r>(arguments: &'a [Value<'r>], at: usize) -> Result<ListItems<'a, 'r>, EvaluationError> {
    arguments.get(at).and_then(Value::list_items).ok_or_else(no_overload)
}

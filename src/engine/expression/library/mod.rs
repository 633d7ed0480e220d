//! The functions that expressions may call.
//!
//! In: arguments whose types were checked against a signature. Out: a value. Must never know: trees, rows, fields.
//!
//! A function is one entry in the table of one file; the table drives both the checker and the evaluator, which meets
//! functions as pointers and never by name.

mod collections;
mod conversion;
mod optional;
mod quantity;
mod regex;
mod strings;
mod time;

pub(super) use regex::compile as compile_regex;

use super::types::StaticType;
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
    /// The same; of a field, its number of elements is enough.
    Size(Implementation),
    /// The same; a constant pattern is compiled once.
    Matches(Implementation),
    /// The first argument, and the second only if that has no value; the result is an optional.
    Or,
    /// The same; the result is the value itself.
    OrValue,
}

/// Takes arguments of the types that the signature names.
pub(super) type Implementation = for<'r> fn(&[Value<'r>], &mut Budget) -> Result<Value<'r>, EvaluationError>;

/// All tables.
const TABLES: [&[Overload]; 7] = [
    collections::TABLE,
    conversion::TABLE,
    optional::TABLE,
    quantity::TABLE,
    regex::TABLE,
    strings::TABLE,
    time::TABLE,
];

/// What Kubernetes' environment has beyond these tables.
const NOT_YET: [&str; 93] = [
    "allowed",
    "authorizer",
    "bind",
    "cel.bind",
    "charAt",
    "check",
    "cidr",
    "compare",
    "containsCIDR",
    "containsIP",
    "distinct",
    "error",
    "errored",
    "existsOne",
    "family",
    "find",
    "findAll",
    "first",
    "flatten",
    "format",
    "format.named",
    "format.dns1123Label",
    "format.dns1123Subdomain",
    "format.dns1035Label",
    "format.date",
    "format.datetime",
    "format.byte",
    "format.uri",
    "format.uuid",
    "format.qualifiedName",
    "format.labelValue",
    "getEscapedPath",
    "getHost",
    "getHostname",
    "getPort",
    "getQuery",
    "getScheme",
    "group",
    "includes",
    "indexOf",
    "ip",
    "ip.isCanonical",
    "isCIDR",
    "isCanonical",
    "isGlobalUnicast",
    "isIP",
    "isLinkLocalMulticast",
    "isLinkLocalUnicast",
    "isLoopback",
    "isSemver",
    "isSorted",
    "isURL",
    "isUnspecified",
    "join",
    "jsonpatch.escapeKey",
    "last",
    "lastIndexOf",
    "lists.range",
    "lowerAscii",
    "major",
    "masked",
    "max",
    "min",
    "minor",
    "named",
    "patch",
    "path",
    "prefixLength",
    "quote",
    "range",
    "reason",
    "replace",
    "resource",
    "reverse",
    "semver",
    "serviceAccount",
    "sets.contains",
    "sets.equivalent",
    "sets.intersects",
    "slice",
    "sort",
    "sortBy",
    "split",
    "strings.quote",
    "substring",
    "sum",
    "transformList",
    "transformMap",
    "transformMapEntry",
    "trim",
    "unwrapOpt",
    "upperAscii",
    "url",
];

/// Whether Kubernetes has a function of this name and we do not yet. `all`, `exists` and `exists_one` are there with two
/// arguments, not yet with three.
pub(super) fn is_not_yet(name: &str) -> bool {
    NOT_YET.contains(&name) || matches!(name, "validate" | "all" | "exists" | "exists_one")
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

/// The error where the arguments are not of the types that a signature names, which dispatch rules out.
fn no_overload() -> EvaluationError {
    EvaluationError::new("no such overload")
}

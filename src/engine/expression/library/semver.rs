//! Kubernetes' versions: `semver('1.2.3')`.
//!
//! In: texts, versions. Out: versions, numbers, answers. Must never know: rows.

use std::cmp::Ordering;
use std::sync::Arc;

use super::super::types::StaticType::{self, Bool, Int, Semver as Version, String};
use super::super::{Budget, Value};
use super::{Overload, function, method, no_overload, string};
use crate::error::EvaluationError;
use crate::scalar::{ScalarError, Semver};

const TWO: &[StaticType] = &[Version, Version];
const LENIENT: &[StaticType] = &[String, Bool];

pub(super) const TABLE: &[Overload] = &[
    function("semver", &[String], Version, semver).checking_literals(),
    function("semver", LENIENT, Version, semver).checking_literals(),
    function("isSemver", &[String], Bool, is_semver),
    function("isSemver", LENIENT, Bool, is_semver),
    method("major", &[Version], Int, |a, _| part(a, |version| version.major)),
    method("minor", &[Version], Int, |a, _| part(a, |version| version.minor)),
    method("patch", &[Version], Int, |a, _| part(a, |version| version.patch)),
    method("compareTo", TWO, Int, |a, _| Ok(Value::Int(compare(a)? as i64))),
    method("isGreaterThan", TWO, Bool, |a, _| Ok(Value::Bool(compare(a)?.is_gt()))),
    method("isLessThan", TWO, Bool, |a, _| Ok(Value::Bool(compare(a)?.is_lt()))),
];

fn semver<'r>(arguments: &[Value<'r>], budget: &mut Budget) -> Result<Value<'r>, EvaluationError> {
    let version = parse(arguments, budget)?;
    version.map(|version| Value::Semver(Arc::new(version))).map_err(|error| EvaluationError::new(error.0))
}

fn is_semver<'r>(arguments: &[Value<'r>], budget: &mut Budget) -> Result<Value<'r>, EvaluationError> {
    Ok(Value::Bool(parse(arguments, budget)?.is_ok()))
}

fn parse(
    arguments: &[Value<'_>],
    budget: &mut Budget,
) -> Result<Result<Semver, ScalarError>, EvaluationError> {
    let text = string(arguments, 0)?;
    budget.read(text.len())?;
    // Every part of a prerelease is held by itself.
    budget.build_values(text.bytes().filter(|byte| *byte == b'.').count())?;
    budget.build(text.len())?;
    Ok(match arguments.get(1) {
        Some(Value::Bool(true)) => Semver::parse_leniently(text),
        _ => Semver::parse(text),
    })
}

fn part<'r>(arguments: &[Value<'r>], read: impl Fn(&Semver) -> u64) -> Result<Value<'r>, EvaluationError> {
    let [Value::Semver(version)] = arguments else { return Err(no_overload()) };
    Ok(Value::Int(read(version).cast_signed()))
}

fn compare(arguments: &[Value<'_>]) -> Result<Ordering, EvaluationError> {
    let [Value::Semver(a), Value::Semver(b)] = arguments else { return Err(no_overload()) };
    Ok(a.cmp(b))
}

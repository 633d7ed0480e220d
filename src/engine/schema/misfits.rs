//! What of a definition cannot be right for objects of a schema.
//!
//! In: a definition that compiles, a schema. Out: findings with their places. Must never know: rows.

use std::collections::BTreeSet;

use super::Schema;
use crate::definition::{Definition, Formula, Projection, ProjectionKind, ValueKind};
use crate::error::CompileError;
use crate::expression::StaticType;
use crate::expression::fit::{Fit, Item, Seen, fit};

/// What of a definition cannot be right for any object that is as `schema` says: fields that do not exist, comparisons
/// that never hold, operations that always fail. Each names its place, and where possible what was meant. A part of
/// which the schema does not say enough is taken to be right, and so is a definition that does not compile.
pub fn misfits(definition: &Definition, schema: &Schema) -> Vec<CompileError> {
    if schema.is_empty() {
        return Vec::new();
    }
    let (mut found, mut excused) = (Vec::new(), BTreeSet::new());
    let mut fit = |formula: &Formula, item: Option<&Item>| {
        let fit = fit(formula, item, schema);
        excused.extend(fit.excused().iter().cloned());
        fit
    };
    if let Some(formula) = &definition.filter {
        let fit = fit(formula, None);
        let wrong = !is_one_of(&fit, &[StaticType::Bool], schema);
        found.extend(fit.into_findings(formula, wrong, "a filter is a bool", schema));
    }
    let mut item = None;
    if let Some(formula) = &definition.for_each {
        let fit = fit(formula, None);
        let elements = if fit.plural { Ok(fit.seen.clone()) } else { fit.seen.elements(schema) };
        let wrong = elements.is_err();
        let position =
            if fit.plural { Seen::Kind(StaticType::Int) } else { fit.seen.without_optional().keys(schema) };
        item = Some(Item { value: elements.unwrap_or(Seen::Anything), position });
        found.extend(fit.into_findings(formula, wrong, "the elements of a list or a map are needed", schema));
    }
    for projection in &definition.projections {
        let fit = fit(&projection.formula, item.as_ref());
        found.extend(of_projection(projection, fit, schema));
    }
    if let Some(value) = &definition.value {
        let fit = fit(&value.formula, item.as_ref());
        let time = fit.seen.time(schema).filter(|_| value.kind != ValueKind::Timestamp);
        found.extend(time.map(|field| CompileError {
            place: value.formula.place.clone(),
            line: 1,
            column: 1,
            message: format!("{field} is a time, which `type: timestamp` reads"),
        }));
        let wrong = !is_one_of(&fit, NUMBERS, schema);
        found.extend(fit.into_findings(&value.formula, wrong, "a number is needed", schema));
    }
    found.retain(|error| !excused.contains(&*error.message));
    found
}

fn of_projection(projection: &Projection, fit: Fit, schema: &Schema) -> Vec<CompileError> {
    let Projection { formula, kind, .. } = projection;
    let (admitted, needed): (&[StaticType], _) = match kind {
        ProjectionKind::Slice => (&[], ""),
        ProjectionKind::Primitive => (SCALARS, "type primitive needs a scalar"),
        ProjectionKind::Map => (&[StaticType::Map, StaticType::Null], "type map needs a map"),
        ProjectionKind::Timestamp => {
            (&[StaticType::String, StaticType::Timestamp, StaticType::Null], "type timestamp needs a time")
        }
    };
    let wrong = *kind != ProjectionKind::Slice && !is_one_of(&fit, admitted, schema);
    fit.into_findings(formula, wrong, needed, schema)
}

fn is_one_of(fit: &Fit, kinds: &[StaticType], schema: &Schema) -> bool {
    let value = fit.seen.without_optional();
    value.kinds(schema).iter().any(|found| kinds.iter().any(|kind| found.may_be(*kind)))
}

/// What has a text of its own: all but lists, maps and what only CEL has.
const SCALARS: &[StaticType] = &[
    StaticType::Null,
    StaticType::Bool,
    StaticType::Int,
    StaticType::Uint,
    StaticType::Double,
    StaticType::String,
    StaticType::Timestamp,
    StaticType::Duration,
    StaticType::Quantity,
    StaticType::Semver,
    StaticType::Ip,
    StaticType::Cidr,
    StaticType::Url,
    // Refused in other words, where they are.
    StaticType::Bytes,
    StaticType::Format,
    StaticType::Type,
    StaticType::Optional,
];

/// What a number can be read from.
const NUMBERS: &[StaticType] = &[
    StaticType::Null,
    StaticType::Int,
    StaticType::Uint,
    StaticType::Double,
    StaticType::String,
    StaticType::Timestamp,
    StaticType::Duration,
    StaticType::Quantity,
    // Refused in other words, where they are.
    StaticType::Bytes,
    StaticType::Semver,
    StaticType::Ip,
    StaticType::Cidr,
    StaticType::Url,
    StaticType::Format,
    StaticType::Type,
    StaticType::Optional,
];

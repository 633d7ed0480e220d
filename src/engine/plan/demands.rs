//! What a definition needs its expressions to give, told before there is an object, as far as that can be told.
//!
//! In: a compiled expression, and what it is for. Out: why it can give that for no object. Must never know: rows.
//!
//! The tables are those of [`amount`], [`text`] and [`elements`], by the types of expressions; what is constant is tried.

use super::{amount, elements, text};
use crate::definition::{ProjectionKind, TextForm, ValueKind};
use crate::expression::{Budget, Expression, Outcome, StaticType};

/// Why a filter decides nothing.
pub(super) fn of_filter(expression: &Expression) -> Result<(), String> {
    match expression.static_type() {
        StaticType::Bool | StaticType::Dyn => Ok(()),
        other => Err(format!("a filter is a bool, this is {}", other.name())),
    }
}

/// Why a `forEach` has no elements.
pub(super) fn of_elements(expression: &Expression) -> Result<(), String> {
    use StaticType::{Dyn, List, Map, Null, Optional};
    let found = expression.static_type();
    if !matches!(found, Dyn | List | Map | Null | Optional) {
        return Err(format!("the elements of a list or a map are needed, this is {}", found.name()));
    }
    let Some(constant) = constant(expression) else { return Ok(()) };
    elements::of(constant, false).map(drop).map_err(|error| error.to_string())
}

/// Why an attribute of this kind has no text.
pub(super) fn of_projection(
    expression: &Expression,
    kind: ProjectionKind,
    form: TextForm,
) -> Result<(), String> {
    use StaticType::{Bytes, Dyn, Format, List, Map, Null, Optional, String, Timestamp, Type};
    let found = expression.static_type();
    let (is_rendered, needs) = match kind {
        _ if matches!(found, Dyn | Null | Optional) => (true, ""),
        ProjectionKind::Primitive => {
            (!matches!(found, Bytes | Format | List | Map | Type), "type primitive needs a scalar")
        }
        ProjectionKind::Slice => (!matches!(found, Bytes | Format | Type), "type slice needs a list"),
        ProjectionKind::Map => (found == Map, "type map needs a map"),
        ProjectionKind::Timestamp => (matches!(found, String | Timestamp), "type timestamp needs a time"),
    };
    if !is_rendered {
        return Err(format!("{needs}, this is {}{}", found.name(), structure(found, kind)));
    }
    let Some(constant) = constant(expression) else { return Ok(()) };
    text::render(&constant, kind, form, &mut { Budget::EXPRESSION })
        .map(drop)
        .map_err(|error| error.to_string())
}

/// What reads a list or a map, which a beginner has no other name for.
fn structure(found: StaticType, kind: ProjectionKind) -> &'static str {
    match found {
        StaticType::List if kind == ProjectionKind::Primitive => "; `type: slice` writes it as JSON",
        StaticType::Map if kind == ProjectionKind::Primitive => "; `type: map` writes it as JSON",
        _ => "",
    }
}

/// Why a value of this kind has no number.
pub(super) fn of_value(expression: &Expression, kind: ValueKind) -> Result<(), String> {
    use StaticType::{Double, Duration, Dyn, Int, Null, Optional, Quantity, String, Timestamp, Uint};
    let found = expression.static_type();
    let is_read = match found {
        Dyn | Null | Optional | String => true,
        Int | Uint | Double | Quantity => kind != ValueKind::Timestamp,
        Duration => matches!(kind, ValueKind::Double | ValueKind::Quantity | ValueKind::Duration),
        Timestamp => kind == ValueKind::Timestamp,
        other => {
            let needs = "a value is a number, a quantity, a timestamp or a duration";
            return Err(format!("{needs}, this is {}", other.name()));
        }
    };
    if !is_read {
        let reads = match found {
            Timestamp => "; `type: timestamp` reads it",
            Duration => "; `type: duration` reads it",
            Int => "; `timestamp(…)` makes a time of seconds",
            _ => "",
        };
        return Err(format!("{}, this is {}{reads}", needs(kind), found.name()));
    }
    let Some(constant) = constant(expression) else { return Ok(()) };
    amount::of(&constant, kind).map(drop).map_err(|error| error.to_string())
}

fn needs(kind: ValueKind) -> &'static str {
    match kind {
        ValueKind::Integer => "type integer needs a whole number",
        ValueKind::Double => "type double needs a number",
        ValueKind::Quantity => "type quantity needs a quantity",
        ValueKind::Duration => "type duration needs a duration",
        ValueKind::Timestamp => "type timestamp needs a time",
    }
}

fn constant(expression: &Expression) -> Option<Outcome<'static>> {
    expression.constant().cloned().map(Outcome::Value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definition::Formula;
    use crate::expression::{Demand, Environment, Scope};
    use crate::row::{Decoder, Defaults, FieldPlan, HashSeed, Row};
    use std::sync::Arc;

    /// One expression of every type, and some whose value decides; those with `object` are no constants.
    const EXPRESSIONS: &[&str] = &[
        "null",
        "true",
        "1",
        "1u",
        "1.0",
        "1.5",
        "'1'",
        "'a'",
        "'1Gi'",
        "'90s'",
        "'2026-01-02T03:04:05Z'",
        "b'1'",
        "[1]",
        "[]",
        "{'a': 1}",
        "timestamp(0)",
        "duration('1h')",
        "quantity('1')",
        "quantity('1500m')",
        "semver('1.2.3')",
        "ip('::1')",
        "cidr('::/64')",
        "url('https://example.org')",
        "format.dns1123Label()",
        "type(1)",
        "optional.none()",
        "optional.of(1)",
        "size(object.text)",
        "uint(size(object.text))",
        "double(size(object.text))",
        "string(object.text)",
        "bytes(object.text)",
        "object.list.map(x, x)",
        "{'a': object.text}",
        "timestamp(size(object.text))",
        "duration(string(size(object.text)) + 's')",
        "quantity(string(size(object.text)))",
        "type(object.text)",
        "object.text == ''",
        "object.?text",
        "object.text",
    ];

    fn compiled(text: &str, plan: &mut FieldPlan) -> Expression {
        let mut record = plan.record();
        let formula = Formula::cel(text, "place");
        let scope = Scope::default();
        let expression = Expression::compile(&formula, &scope, Demand::Whole, &mut record).expect(text);
        drop(record.finish());
        expression
    }

    fn each(mut check: impl FnMut(&str, &Expression, Outcome<'_>)) {
        let mut plan = FieldPlan::new(HashSeed(1, 2));
        let expressions: Vec<_> = EXPRESSIONS.iter().map(|text| compiled(text, &mut plan)).collect();
        let mut decoder = Decoder::new(Arc::new(plan));
        let row: Row = decoder.decode(br#"{"text": "7", "list": [1]}"#, Defaults::default()).unwrap();
        for (text, expression) in EXPRESSIONS.iter().zip(&expressions) {
            let environment = Environment { row: &row, item: None, position: None };
            let outcome = expression.evaluate(&environment, &mut { Budget::EXPRESSION }).expect(text);
            check(text, expression, outcome);
        }
    }

    /// What is refused has no value for this object, and of a constant, or of a type that decides, nothing else is.
    #[test]
    fn what_is_refused_is_what_has_no_value_for_any_object() {
        let told = |what: String, is_known: bool, refused: Result<(), String>, fails: bool| {
            assert!(fails || refused.is_ok(), "{what} has a value, and is refused: {refused:?}");
            assert!(!fails || !is_known || refused.is_err(), "{what} has no value, and is not refused");
        };
        each(|text, expression, outcome| {
            let known = expression.constant().is_some()
                || !matches!(
                    expression.static_type(),
                    StaticType::Dyn | StaticType::Optional | StaticType::String
                );
            for kind in [
                ValueKind::Integer,
                ValueKind::Double,
                ValueKind::Quantity,
                ValueKind::Duration,
                ValueKind::Timestamp,
            ] {
                let fails = amount::of(&outcome, kind).is_err();
                told(format!("{text} as {kind:?}"), known, of_value(expression, kind), fails);
            }
            for kind in [
                ProjectionKind::Primitive,
                ProjectionKind::Slice,
                ProjectionKind::Map,
                ProjectionKind::Timestamp,
            ] {
                let form = TextForm::Native;
                let fails = text::render(&outcome, kind, form, &mut { Budget::EXPRESSION }).is_err();
                told(format!("{text} as {kind:?}"), known, of_projection(expression, kind, form), fails);
            }
            let fails = elements::of(outcome, false).is_err();
            told(format!("{text} as elements"), known, of_elements(expression), fails);
        });
    }
}

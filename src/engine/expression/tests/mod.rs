//! What expressions give, as tables of one-line cases.

mod compile_errors;
mod demand;
mod differential;
mod equalities;
mod functions;
mod hostile;
mod interpreter;
mod items;
mod macros;
mod operators;
mod optionals;
mod oracle;
mod paths;
mod properties;
mod random;
mod sharing;
mod stack;
mod time;

use std::fmt::Write;
use std::sync::Arc;

use super::*;
use crate::row::{Decoder, Defaults, FieldPlan, HashSeed};

pub(super) fn formula(text: &str) -> Formula {
    Formula { language: Language::Cel, text: text.to_owned(), place: "spec.filter".to_owned() }
}

/// Compiles against a plan and gives both; panics where the text does not compile.
pub(super) fn compile(text: &str, plan: &mut FieldPlan) -> Result<Expression, CompileError> {
    let mut fields = plan.record();
    let compiled = Expression::compile(&formula(text), &Scope::default(), Demand::Whole, &mut fields)?;
    fields.finish();
    Ok(compiled)
}

pub(super) fn row(plan: &FieldPlan, object: &str) -> Row {
    let decoded = Decoder::new(Arc::new(plan.clone())).decode(object.as_bytes(), Defaults::default());
    decoded.expect("the object of a test is JSON")
}

pub(super) fn run_within(expression: &Expression, row: &Row, budget: &mut Budget) -> String {
    let environment = Environment { row, item: None, position: None };
    match expression.evaluate(&environment, budget) {
        Ok(Outcome::Value(value)) => show(&value),
        Ok(Outcome::Nodes(nodes)) => format!("{nodes:?}"),
        Err(error) => format!("error: {error}"),
    }
}

/// What an expression gives for an object: its value in CEL's notation, or `error: …`, or `compile: …`. Fields that
/// are cut down to what it reads must give the same as the whole object.
pub(super) fn answer(text: &str, object: &str) -> String {
    answer_within(text, object, Budget::EXPRESSION)
}

/// The same however dear it is, for who compares it with what counts nothing.
pub(super) fn answer_uncounted(text: &str, object: &str) -> String {
    answer_within(text, object, Budget::new(1 << 24, 1 << 30))
}

fn answer_within(text: &str, object: &str, budget: Budget) -> String {
    let mut cut = FieldPlan::new(HashSeed(1, 2));
    let compiled = match compile(text, &mut cut) {
        Ok(compiled) => compiled,
        Err(error) => return format!("compile: {error}"),
    };
    let from_row = run_within(&compiled, &row(&cut, object), &mut { budget });
    let mut whole = FieldPlan::whole(HashSeed(1, 2));
    let compiled = compile(text, &mut whole).expect("compiles against any plan");
    let from_object = run_within(&compiled, &row(&whole, object), &mut { budget });
    assert_eq!(from_row, from_object, "row against whole object: {text} on {object}");
    from_row
}

pub(super) fn check(cases: &[(&str, &str)], object: &str) {
    let mut wrong = String::new();
    for (text, expected) in cases {
        let found = answer(text, object);
        if found != *expected {
            let _ = writeln!(wrong, "{text}\n  expected {expected}\n  found    {found}");
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

/// A value in CEL's notation.
pub(super) fn show(value: &Value<'_>) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Uint(value) => format!("{value}u"),
        Value::Double(value) => format!("{value:?}"),
        Value::String(text) => format!("{:?}", text.as_str()),
        Value::Bytes(bytes) => format!("b{bytes:?}"),
        Value::Timestamp(value, _) => format!("timestamp({value})"),
        Value::Duration(value) => format!("duration({})", value.to_cel()),
        Value::Quantity(value, _) => format!("quantity({}n)", { value.nanos }),
        Value::Semver(value) => format!("semver({value})"),
        Value::Ip(value) => format!("ip({value})"),
        Value::Cidr(value) => format!("cidr({value})"),
        Value::Url(value) => format!("url({value})"),
        Value::Format(value) => format!("format({})", value.name()),
        Value::Type(name) => format!("type({name})"),
        Value::Optional(None) => "none".to_owned(),
        Value::Optional(Some(value)) => format!("some({})", show(value)),
        Value::Map(map) => {
            let entry = |(key, value): &(Value<'_>, Value<'_>)| format!("{}: {}", show(key), show(value));
            format!("{{{}}}", map.entries.iter().map(entry).collect::<Vec<_>>().join(", "))
        }
        Value::List(_) | Value::Node(_) => match value.items() {
            Some(items) => {
                let is_map = value.type_name() == "map";
                let item = |(position, value): (Position<'_>, Value<'_>)| match position {
                    Position::Key(key) => format!("{:?}: {}", key.as_str(), show(&value)),
                    Position::Index(_) => show(&value),
                };
                let items = items.into_iter().map(item).collect::<Vec<_>>().join(", ");
                if is_map { format!("{{{items}}}") } else { format!("[{items}]") }
            }
            None => format!("a {} that was not kept", value.type_name()),
        },
    }
}

/// Bytes that look random and are always the same, so many at a time.
pub(super) fn bytes() -> impl FnMut(usize) -> Vec<u8> {
    let mut state: u64 = 1;
    let mut next = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        u8::try_from(state >> 56).expect("8 bits")
    };
    move |count| (0..count).map(|_| next()).collect()
}

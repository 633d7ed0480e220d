//! CEL: any text compiles or is refused, and gives the same from a row as from the whole object, within its budget; the
//! type and the conditions that were derived from it hold for what it gives; and where the `cel` crate's interpreter
//! agrees with Kubernetes, it gives what that gives.
//!
//! Input: an expression. Behind a NUL, choices from which an expression and an object are made instead.

#![no_main]

use celemetry_engine::definition::Language;
use celemetry_engine::expression::{Budget, Condition, Environment, Outcome, ScalarKey, StaticType, Value};
use celemetry_engine::row::Row;
use celemetry_fuzz::ask::{Answer, ask};
use celemetry_fuzz::show;
use libfuzzer_sys::fuzz_target;

#[path = "../../src/engine/expression/tests/interpreter.rs"]
mod interpreter;
#[allow(dead_code, reason = "objects are given here")]
#[path = "../../src/engine/expression/tests/random.rs"]
mod random;

use random::{Dialect, Tape};

fuzz_target!(|input: &[u8]| match input {
    [0, choices @ ..] => made(choices),
    text => drop(str::from_utf8(text).map(|text| ask(Language::Cel, text, check))),
});

/// More than any expression takes that is made here.
const UNCOUNTED: Budget = Budget::new(1 << 24, 1 << 30);

/// An expression that is made, of every part of the language, or of that in which the `cel` crate agrees.
fn made(choices: &[u8]) {
    let (dialect, choices) = match choices {
        [0, choices @ ..] => (Dialect::All, choices),
        choices => (Dialect::Shared, choices),
    };
    let text = Tape::new(choices).expression(dialect);
    let _ = ask(Language::Cel, &text, |answer| {
        check(answer);
        let usual = !answer.object.contains("1e400000000") && !answer.object.contains("18446744073709551615");
        if dialect == Dialect::Shared && usual {
            // They count nothing: what is too dear here has an answer all the same.
            let environment = Environment { row: answer.row, item: None, position: None };
            let outcome = answer.expression.evaluate(&environment, &mut { UNCOUNTED });
            let (ours, theirs) = (show::outcome(&outcome), interpreter::theirs(&text, answer.object));
            let is_error = |answer: &str| answer.starts_with("error:");
            assert!(
                // There, NaN is neither less nor greater; in Kubernetes it cannot be asked.
                ours == theirs || (is_error(&ours) && is_error(&theirs)) || ours == "error: NaN has no order",
                "{text} on {}\n  ours   {ours}\n  theirs {theirs}",
                answer.object
            );
        }
    });
}

fn check(answer: &Answer<'_>) {
    let Ok(Outcome::Value(value)) = answer.outcome else { return };
    let kind = answer.expression.static_type();
    assert!(is_of(value, kind), "{} is not of type {kind:?}", show::value(value));
    if matches!(value, Value::Bool(true)) {
        for condition in answer.expression.conditions() {
            assert!(holds(condition, answer.row), "true, and {condition:?} is not");
        }
    }
}

fn is_of(value: &Value<'_>, kind: StaticType) -> bool {
    let name = match kind {
        StaticType::Null => "null_type",
        StaticType::Bool => "bool",
        StaticType::Int => "int",
        StaticType::Uint => "uint",
        StaticType::Double => "double",
        StaticType::String => "string",
        StaticType::Bytes => "bytes",
        StaticType::List => "list",
        StaticType::Map => "map",
        StaticType::Timestamp => "google.protobuf.Timestamp",
        StaticType::Duration => "google.protobuf.Duration",
        StaticType::Quantity => "kubernetes.Quantity",
        StaticType::Type => "type",
        StaticType::Optional => "optional_type",
        _ => return true,
    };
    value.type_name() == name
}

fn holds(condition: &Condition, row: &Row) -> bool {
    condition.any.iter().any(|equality| {
        let found = row.at(equality.field).and_then(ScalarKey::of);
        found.is_some_and(|found| equality.keys.contains(&found))
    })
}

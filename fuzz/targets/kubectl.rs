//! kubectl's JSONPath: any text compiles or is refused, and selects the same from a row as from the whole object, at the
//! same cost and within its budget.
//!
//! Input: a path.

#![no_main]

use celemetry_engine::definition::Language;
use celemetry_engine::expression::{Outcome, StaticType};
use celemetry_fuzz::ask::{Answer, ask};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    if let Ok(text) = str::from_utf8(input) {
        let _ = ask(Language::Kubectl, text, check);
    }
});

fn check(answer: &Answer<'_>) {
    assert_eq!(answer.expression.static_type(), StaticType::Dyn);
    assert!(answer.expression.conditions().is_empty() && answer.expression.elements().is_none());
    assert!(!matches!(answer.outcome, Ok(Outcome::Value(_))), "a path selects nodes");
}

//! JSONPath as of RFC 9535: any text compiles or is refused, selects the same from a row as from the whole object, at the
//! same cost and within its budget, and selects what `serde_json_path` selects.
//!
//! Input: a path.

#![no_main]

use celemetry_engine::definition::Language;
use celemetry_engine::expression::Outcome;
use celemetry_fuzz::ask::{Answer, ask};
use celemetry_fuzz::json;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use serde_json_path::JsonPath;

/// A pattern that is none selects nothing there; here it is refused, so that its author learns of it.
/// Of texts that we refuse they are asked only about short ones, which they survive.
const SHORT: usize = 64;

fuzz_target!(|input: &[u8]| {
    let Ok(text) = str::from_utf8(input) else { return };
    let refused = ask(Language::Rfc9535, text, |answer| check(text, answer));
    if let (Err(error), true) = (refused, text.len() <= SHORT)
        && !error.message.starts_with("invalid regular expression")
        && JsonPath::parse(text).is_ok()
    {
        panic!("{text}: refused, and serde_json_path accepts it: {error}");
    }
});

fn check(text: &str, answer: &Answer<'_>) {
    let Ok(outcome) = answer.outcome else { return };
    let Outcome::Nodes(nodes) = outcome else { panic!("a path selects nodes") };
    // A document that serde_json cannot hold is none that it can judge.
    let Ok(document) = serde_json::from_str::<Value>(answer.object) else { return };
    let path = match JsonPath::parse(text) {
        Ok(path) => path,
        // RFC 9535 has whitespace in more places than they do.
        Err(_) if text.contains([' ', '\t', '\r', '\n']) => return,
        Err(error) => panic!("{text}: serde_json_path refuses: {error}"),
    };
    let ours: Vec<Value> = nodes.as_slice().iter().map(|node| json::value(*node)).collect();
    let theirs: Vec<Value> = path.query(&document).all().into_iter().cloned().collect();
    assert_eq!(ours, theirs, "{text} on {}", answer.object);
}

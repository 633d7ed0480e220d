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

/// Of texts that we refuse they are asked only about short ones without escapes of digits, which they survive.
const SHORT: usize = 64;

/// What is refused here alone, so that its author learns of it: a pattern that is none, which selects nothing there, and numbers
/// that a double does not tell apart.
const OURS_ALONE: [&str; 2] = ["invalid regular expression", "numbers beyond 2^53"];

/// In texts without blanks, what they answer otherwise than RFC 9535 says: order other than `<`, and indices from the end of a
/// list in a comparison. The engine's own tests ask them about generated paths in other words.
const OTHERWISE: [&str; 3] = [">", "<=", "[-"];

fuzz_target!(|input: &[u8]| {
    let Ok(text) = str::from_utf8(input) else { return };
    let refused = ask(Language::Rfc9535, text, |answer| check(text, answer));
    if let (Err(error), true) = (refused, text.len() <= SHORT && !text.contains("\\u"))
        && !OURS_ALONE.iter().any(|begin| error.message.starts_with(begin))
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
        // RFC 9535 has whitespace in more places than they do, small letters in escapes, and numbers beyond doubles.
        Err(_)
            if text.contains([' ', '\t', '\r', '\n']) || text.contains("\\u") || has_long_exponent(text) =>
        {
            return;
        }
        Err(error) => panic!("{text}: serde_json_path refuses: {error}"),
    };
    let bare: String = text.split_whitespace().collect();
    if OTHERWISE.iter().any(|part| bare.contains(part)) {
        return;
    }
    let ours: Vec<Value> = nodes.as_slice().iter().map(|node| json::value(*node)).collect();
    let theirs: Vec<Value> = path.query(&document).all().into_iter().cloned().collect();
    assert_eq!(ours, theirs, "{text} on {}", answer.object);
}

/// Whether a number of the text may be too large for a double.
fn has_long_exponent(text: &str) -> bool {
    text.split(['e', 'E']).skip(1).any(|rest| {
        let digits = rest.trim_start_matches(['+', '-', '0']).bytes().take_while(u8::is_ascii_digit).count();
        digits >= 3
    })
}

//! Generated paths of RFC 9535 over generated documents select what `serde_json_path` selects, and both refuse the same.
//!
//! Where it does not do as RFC 9535 says, it is asked in other words: `<=` and `>=` are written as they are defined, and so is `>` (to it,
//! nothing is not less than or equal to nothing, and `{} > []`), an index from the end as a slice (in a comparison it finds nothing
//! there), and numbers of its documents that are whole without a fraction (to it, `[1]` is not `[1.0]`). A pattern that is none
//! selects nothing there, where it is refused here, so that its author learns of it.
//!
//! `CELEMETRY_CASES` says how many cases there are.

use serde_json::{Value, json};
use serde_json_path::JsonPath;

use super::grammar::{Choices, as_written, reworded};
use super::{prepare, value};
use crate::definition::Language;
use crate::expression::Budget;

/// How many where nobody says.
const CASES: u64 = 20_000;

/// Whatever is generated fits.
const PLENTY: Budget = Budget::new(100_000_000, 1 << 32);

/// How many differences are shown.
const SHOWN: usize = 20;

/// What became of the cases.
#[derive(Default)]
struct Tally {
    refused: u64,
    nothing: u64,
    something: u64,
}

#[test]
#[allow(clippy::disallowed_methods, reason = "how long a search goes on, only the environment knows")]
fn generated_paths_select_what_a_second_implementation_selects() {
    let cases = std::env::var("CELEMETRY_CASES").map_or(CASES, |cases| cases.parse().unwrap());
    let (mut tally, mut differences) = (Tally::default(), Vec::new());
    for seed in 0..cases {
        let mut choices = Choices::new(seed);
        let document = choices.document();
        let (path, asked) = if choices.below(8) == 0 {
            (choices.damaged(), None)
        } else {
            let query = choices.query();
            (as_written(&query), Some(reworded(&query)))
        };
        if let Err(difference) = tally.ask(&path, asked.as_deref(), &document) {
            differences.push(format!("case {seed}: {path}\non {document}\n{difference}"));
            if differences.len() >= SHOWN {
                break;
            }
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    // Most cases must be about something.
    let Tally { refused, nothing, something } = tally;
    let counts = format!("{refused} refused, {nothing} without and {something} with a result");
    assert!(refused > cases / 50 && nothing > cases / 10 && something > cases / 10, "{counts}");
}

// === impl Tally ===

impl Tally {
    /// Asks both whether they accept a path, and about a document in their words, if there are any.
    fn ask(&mut self, path: &str, reworded: Option<&str>, document: &Value) -> Result<(), String> {
        let theirs = JsonPath::parse(reworded.unwrap_or(path));
        let (query, row) = match (prepare(Language::Rfc9535, path, document, false), &theirs) {
            (Ok(prepared), Ok(_)) => prepared,
            (Err(error), Ok(_)) if !error.contains("invalid regular expression") => {
                return Err(format!("refused here alone: {error}"));
            }
            (Err(_), _) => {
                self.refused += 1;
                return Ok(());
            }
            (Ok(_), Err(error)) => return Err(format!("refused there alone: {error}")),
        };
        let ours: Vec<Value> = match query.evaluate(&row, &mut PLENTY.clone()) {
            Ok(nodes) => nodes.into_iter().map(|node| whole(&value(node))).collect(),
            Err(error) => return Err(format!("an error: {error}")),
        };
        let document = whole(document);
        let theirs: Vec<&Value> = theirs.iter().flat_map(|path| path.query(&document).all()).collect();
        if reworded.is_some() && ours.iter().ne(theirs.iter().copied()) {
            return Err(format!("  ours   {ours:?}\n  theirs {theirs:?}"));
        }
        if ours.is_empty() {
            self.nothing += 1;
        } else {
            self.something += 1;
        }
        Ok(())
    }
}

/// A value in which numbers that are whole are written without a fraction.
fn whole(value: &Value) -> Value {
    match value {
        Value::Number(number) => match number.as_f64() {
            #[allow(clippy::cast_possible_truncation, reason = "it is whole, and small")]
            Some(double) if double.fract() == 0.0 && double.abs() < 9e15 => json!(double as i64),
            _ => value.clone(),
        },
        Value::Array(items) => items.iter().map(whole).collect(),
        Value::Object(members) => {
            Value::Object(members.iter().map(|(name, member)| (name.clone(), whole(member))).collect())
        }
        _ => value.clone(),
    }
}

//! Which part of an expression is refused.
//!
//! In: an expression that does not compile, and its error. Out: the smallest part that is refused alone for the same reason at
//! the same place. Must never know: what anyone else says of it.

use super::super::compile;
use crate::error::CompileError;
use crate::row::{FieldPlan, HashSeed};

/// What a variable of a loop may stand for: an element as objects have them, and scalars.
pub(super) const ELEMENTS: [&str; 5] = [
    r#"{"name": "web", "image": "a:1", "type": "Ready", "lastTransitionTime": "2026-01-01T00:00:00Z",
        "ready": true, "status": true, "controller": true, "restartCount": 3, "args": ["web"]}"#,
    r#""web""#,
    r#""2026-01-01T00:00:00Z""#,
    "3",
    "true",
];

/// Parts are no longer than this; what needs a longer one is not decided.
const LONGEST: usize = 400;

/// A part of an expression.
pub(super) struct Part {
    /// Its text, where a bool is needed as a condition. Variables that are bound around it are fields of the object here.
    pub(super) text: String,
    /// How many such variables there may be: `x0` and so on.
    pub(super) has_variables: bool,
}

/// The error with which a text does not compile.
pub(super) fn refusal(text: &str) -> Option<CompileError> {
    compile(text, &mut FieldPlan::new(HashSeed(1, 2))).err()
}

/// The smallest part of `text` that is refused for the same reason as all of it. What should be a bool is such a part itself: the
/// operator around it need not look at it.
pub(super) fn smallest(text: &str, error: &CompileError) -> Option<Part> {
    let (before, behind) =
        if error.message.starts_with("expected a bool") { ("(", ") ? 1 : 2") } else { ("", "") };
    let at = text.char_indices().nth((error.column as usize).checked_sub(1)?)?.0;
    let starts = (at.saturating_sub(LONGEST)..=at).filter(|start| begins(text, *start));
    let mut spans: Vec<(usize, usize)> = starts
        .flat_map(|start| {
            let ends = at + 1..=text.len().min(at + LONGEST);
            ends.filter(move |end| ends_at(text, start, *end)).map(move |end| (start, end))
        })
        .collect();
    spans.sort_by_key(|(start, end)| end - start);
    spans.into_iter().find_map(|(start, end)| {
        let is_same = |part: &str, left: &str| {
            refusal(part).is_some_and(|found| {
                let column = found.column as usize;
                found.message == error.message && column == before.len() + left.chars().count() + 1
            })
        };
        let (part, left) = (&text[start..end], &text[start..at]);
        let whole = format!("{before}{part}{behind}");
        if is_same(&whole, left) {
            return Some(Part { text: whole, has_variables: false });
        }
        let (free, left) = (with_fields(part), with_fields(left));
        let whole = format!("{before}{free}{behind}");
        (free != part && is_same(&whole, &left)).then_some(Part { text: whole, has_variables: true })
    })
}

/// The same with `object.x0` for `x0`, unless it binds that itself.
fn with_fields(part: &str) -> String {
    (0..10).map(|number| format!("x{number}")).fold(part.to_owned(), |part, name| {
        if part.contains(&format!("({name}, ")) {
            part
        } else {
            part.replace(&name, &format!("object.{name}"))
        }
    })
}

/// Whether a part may begin here: not within a word.
fn begins(text: &str, at: usize) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.');
    let before = text.get(..at).and_then(|before| before.chars().next_back());
    before.is_none_or(|before| !is_word(before)) && text.is_char_boundary(at)
}

/// Whether what begins at `start` may end here: not within a word, and with its brackets closed.
fn ends_at(text: &str, start: usize, end: usize) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let Some(part) = text.get(start..end) else { return false };
    let (last, next) = (part.chars().next_back(), text[end..].chars().next());
    if last.is_some_and(is_word) && next.is_some_and(is_word) {
        return false;
    }
    let (mut depth, mut is_quoted) = (0, false);
    for character in part.chars() {
        match character {
            '\'' => is_quoted = !is_quoted,
            '(' | '[' | '{' if !is_quoted => depth += 1,
            ')' | ']' | '}' if !is_quoted && depth == 0 => return false,
            ')' | ']' | '}' if !is_quoted => depth -= 1,
            _ => {}
        }
    }
    depth == 0 && !is_quoted
}

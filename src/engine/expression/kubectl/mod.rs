//! Reads kubectl's dialect of JSONPath: the language of client-go's package `util/jsonpath`, version 0.36.
//!
//! In: the text of a path. Out: the steps of a query tree. Must never know: field plans, rows.
//!
//! A path is one `{…}` block of a client-go template, or what would stand in one: `status.phase`, or with a leading
//! dot, as printer columns have it, `.status.phase`. `.` alone is the whole object. What client-go reads, this reads
//! alike, including that `['a.b']` is the path a, b while `['a\.b']` is one key. What no single result can come of
//! is refused: text outside the block, several blocks, `range` and `end`, unknown words, a literal that is not an
//! operand of a comparison, comparison operators that do not exist.

mod block;
mod filter;
mod literal;

use super::query::{Step, SyntaxError};
use block::{Block, Ending};

/// The longest path, in bytes.
const MAX_BYTES: usize = 4096;

/// A character, and its place in the text that the user wrote.
#[derive(Clone, Copy, Debug)]
struct Character {
    c: char,
    at: usize,
}

/// Reads one path.
///
/// # Errors
/// What is wrong, and at which character.
pub(super) fn parse(text: &str) -> Result<Vec<Step>, SyntaxError> {
    if text.len() > MAX_BYTES {
        return Err(SyntaxError::new(0, format!("the path is longer than {MAX_BYTES} bytes")));
    }
    let characters: Vec<Character> =
        text.chars().enumerate().map(|(index, c)| Character { c, at: index + 1 }).collect();
    let path = trimmed(&characters);
    let steps = match path {
        [] => return Err(SyntaxError::new(0, "the path is empty")),
        [Character { c: '.', .. }] => Vec::new(),
        [Character { c: '{', .. }, block @ ..] => Block::new(block, 0).steps(Ending::Brace)?,
        [Character { c: '.', .. }, ..] => Block::new(path, 0).steps(Ending::Text)?,
        [first, ..] => {
            let dotted: Vec<_> =
                std::iter::once(Character { c: '.', at: first.at }).chain(path.iter().copied()).collect();
            Block::new(&dotted, 0).steps(Ending::Text)?
        }
    };
    Ok(steps)
}

/// Without the blanks around a path, such as the line break at the end of a YAML block.
fn trimmed(text: &[Character]) -> &[Character] {
    let blank = |c: &Character| c.c.is_whitespace();
    let Some(first) = text.iter().position(|c| !blank(c)) else { return &[] };
    let last = text.iter().rposition(|c| !blank(c)).unwrap_or(first);
    // An escaped blank at the end belongs to a name.
    let escaped = text[last].c == '\\' && last + 1 < text.len();
    &text[first..=last + usize::from(escaped)]
}

//! Where a character of a YAML scalar's value stands in its source.
//!
//! In: the source from where the scalar begins, whether a header of its own stands before it, its value, a line and column of the value. Out: how many lines further
//! down, and which character of that line. Must never know: files, documents.
//!
//! Folding, indentation and line continuations change white space only. So the two texts are walked side by side, from
//! one visible character to the next; where they do not agree nothing is said.

use std::iter::Peekable;
use std::str::Chars;

/// A scalar and its source.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scalar<'t> {
    pub(super) source: &'t str,
    pub(super) text: &'t str,
    /// Whether it is a block whose header stands before the source, so that a quote at its beginning is part of it.
    pub(super) is_block: bool,
}

/// How a scalar is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Style {
    Plain,
    Single,
    Double,
}

/// A place in the source: lines below the first, characters from the beginning of that line, from 0.
type At = (u64, u64);

/// The source, character by character.
struct Cursor<'t> {
    rest: Peekable<Chars<'t>>,
    at: At,
    style: Style,
}

// === impl Scalar ===

impl Scalar<'_> {
    /// The place of the character at `line` and `column` of the value, both from 1. What is no visible character stands
    /// behind the one before it.
    pub(super) fn place(self, (line, column): (u32, u32)) -> Option<At> {
        let mut cursor = Cursor::new(self.source, self.is_block)?;
        let mut behind = cursor.at;
        let (mut at_line, mut at_column) = (1, 1);
        for character in self.text.chars() {
            let is_wanted = (at_line, at_column) == (line, column);
            if character == '\n' {
                (at_line, at_column) = (at_line + 1, 1);
            } else {
                at_column += 1;
            }
            if character.is_whitespace() {
                if is_wanted {
                    return Some(behind);
                }
                continue;
            }
            let (found, at) = cursor.visible()?;
            if found != character {
                return None;
            }
            if is_wanted {
                return Some(at);
            }
            behind = cursor.at;
        }
        ((at_line, at_column) == (line, column)).then_some(behind)
    }
}

// === impl Cursor ===

impl<'t> Cursor<'t> {
    /// At the first character of the value.
    fn new(source: &'t str, is_block: bool) -> Option<Self> {
        if is_block {
            return Some(Cursor { rest: source.chars().peekable(), at: (0, 0), style: Style::Plain });
        }
        let style = match source.chars().next()? {
            '\'' => Style::Single,
            '"' => Style::Double,
            _ => Style::Plain,
        };
        let mut cursor = Cursor { rest: source.chars().peekable(), at: (0, 0), style };
        match source.chars().next()? {
            '\'' | '"' => drop(cursor.next()),
            // A block scalar has a line of its own for how it is to be read.
            '|' | '>' => while cursor.next()? != '\n' {},
            _ => {}
        }
        Some(cursor)
    }

    fn next(&mut self) -> Option<char> {
        let next = self.rest.next()?;
        self.at = if next == '\n' { (self.at.0 + 1, 0) } else { (self.at.0, self.at.1 + 1) };
        Some(next)
    }

    /// The next visible character and its place.
    fn visible(&mut self) -> Option<(char, At)> {
        loop {
            let at = self.at;
            let next = self.next()?;
            let character = match (self.style, next) {
                (Style::Single, '\'') => match self.next()? {
                    '\'' => '\'',
                    _ => return None,
                },
                (Style::Double, '"') => return None,
                (Style::Double, '\\') => self.escaped()?,
                (_, next) => next,
            };
            if !character.is_whitespace() {
                return Some((character, at));
            }
        }
    }

    /// What stands behind a backslash between double quotes.
    fn escaped(&mut self) -> Option<char> {
        let digits = match self.next()? {
            '0' => return Some('\0'),
            'a' => return Some('\u{7}'),
            'b' => return Some('\u{8}'),
            'e' => return Some('\u{1b}'),
            't' | 'n' | 'v' | 'f' | 'r' | 'N' | '_' | 'L' | 'P' => return Some(' '),
            'x' => 2,
            'u' => 4,
            'U' => 8,
            other => return Some(other),
        };
        let mut code = self.code(digits)?;
        if digits == 4 && (0xd800..0xdc00).contains(&code) {
            // In JSON a character beyond the first 65536 is two escapes.
            if (self.next()?, self.next()?) != ('\\', 'u') {
                return None;
            }
            let low = self.code(4)?.checked_sub(0xdc00).filter(|low| *low < 0x400)?;
            code = 0x10000 + ((code - 0xd800) << 10) + low;
        }
        char::from_u32(code)
    }

    /// A number of so many hexadecimal digits.
    fn code(&mut self, digits: usize) -> Option<u32> {
        let mut code = 0;
        for _ in 0..digits {
            code = code * 16 + self.next()?.to_digit(16)?;
        }
        Some(code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(source: &str, text: &str, within: (u32, u32), expected: Option<At>) {
        assert_eq!(
            Scalar { source, text, is_block: false }.place(within),
            expected,
            "{source:?} {text:?} {within:?}"
        );
    }

    #[test]
    fn characters_are_found_in_every_style() {
        check("a + b", "a + b", (1, 5), Some((0, 4)));
        check("'a == ''b'''", "a == 'b'", (1, 7), Some((0, 8)));
        check(r#""a == \"b\"""#, r#"a == "b""#, (1, 7), Some((0, 8)));
        check(r#""\u0061 b""#, "a b", (1, 3), Some((0, 8)));
        check(r#""\ud83d\ude00 b""#, "😀 b", (1, 3), Some((0, 14)));
        check("|-\n    a\n    && b", "a\n&& b", (2, 4), Some((2, 7)));
        check(">\n  a\n\n  b\n", "a\nb\n", (2, 1), Some((3, 2)));
        check("a\n    b", "a b", (1, 3), Some((1, 4)));
        check("\"a\\\n   b\"", "ab", (1, 2), Some((1, 3)));
    }

    #[test]
    fn what_is_not_visible_stands_behind_what_is() {
        check("a + ", "a + ", (1, 5), Some((0, 3)));
        check("'a'", "a", (1, 2), Some((0, 2)));
        check("''", "", (1, 1), Some((0, 1)));
        check("a", "a", (1, 3), None);
        check("a", "a", (2, 1), None);
    }

    #[test]
    fn texts_that_disagree_have_no_place() {
        check("ab", "ac", (1, 2), None);
        check("'a' b", "a b", (1, 3), None);
        check("\"a\" b", "a b", (1, 3), None);
        check(r#""\ud83d""#, "😀", (1, 2), None);
        check(r#""\ud83d\u0061""#, "😀", (1, 2), None);
        check("", "a", (1, 1), None);
    }
}

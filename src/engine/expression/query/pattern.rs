//! I-Regexp (RFC 9485) as the linear-time `regex` crate runs it.
//!
//! In: the text of a regular expression. Out: a compiled one. Must never know: queries, rows.

use super::tree::Extent;
use crate::expression::matcher::Matcher;
use crate::expression::patterns::Patterns;

/// Compiles a regular expression. `.` is any character but CR and LF (RFC 9485, section 5.3). Beyond I-Regexp, what
/// the `regex` crate knows besides (`\d`, `\b`, `(?i)`) is allowed.
///
/// # Errors
/// What is wrong with it.
pub(in crate::expression) fn compile(
    text: &str,
    extent: Extent,
    patterns: &mut Patterns,
) -> Result<Matcher, String> {
    patterns.compile(text, &spell_out(text, extent))
}

/// As [`compile`], a pattern that an object brings.
///
/// # Errors
/// What is wrong with it.
pub(super) fn compile_brought(text: &str, extent: Extent) -> Result<Matcher, String> {
    Matcher::compile(text, &spell_out(text, extent))
}

/// The pattern as the `regex` crate reads it.
fn spell_out(text: &str, extent: Extent) -> String {
    let body = spell_out_dots(text);
    match extent {
        Extent::Whole => format!(r"\A(?:{body})\z"),
        Extent::Part => body,
    }
}

/// Writes out `.` wherever it is no member of a class. Classes may stand in classes, and a `]` that comes first in one is a
/// member: so the `regex` crate reads them.
fn spell_out_dots(text: &str) -> String {
    let mut body = String::with_capacity(text.len());
    let (mut depth, mut escaped, mut at_start) = (0_u32, false, false);
    for c in text.chars() {
        let was_at_start = std::mem::take(&mut at_start);
        match c {
            _ if escaped => {}
            '.' if depth == 0 => {
                body.push_str(r"[^\n\r]");
                continue;
            }
            '[' => (depth, at_start) = (depth + 1, true),
            '^' => at_start = was_at_start && body.ends_with('['),
            ']' if !was_at_start => depth = depth.saturating_sub(1),
            _ => {}
        }
        escaped = c == '\\' && !escaped;
        body.push(c);
    }
    body
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_are_written_out_but_in_classes() {
        for (text, expected) in [
            ("a.b", r"a[^\n\r]b"),
            (r"a\.b\\.", r"a\.b\\[^\n\r]"),
            ("[.].", r"[.][^\n\r]"),
            (r"[\].].", r"[\].][^\n\r]"),
            ("[].].", r"[].][^\n\r]"),
            ("[^].].", r"[^].][^\n\r]"),
            ("[a^].", r"[a^][^\n\r]"),
            ("[a[b].].", r"[a[b].][^\n\r]"),
            ("[[:alpha:].].", r"[[:alpha:].][^\n\r]"),
            ("].", r"][^\n\r]"),
        ] {
            assert_eq!(spell_out_dots(text), expected, "{text}");
        }
    }
}

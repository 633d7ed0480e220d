//! I-Regexp (RFC 9485) as the linear-time `regex` crate runs it.
//!
//! In: the text of a regular expression. Out: a compiled one. Must never know: queries, rows.

use super::tree::Extent;
use crate::expression::matcher::Matcher;

/// Compiles a regular expression. `.` is any character but CR and LF (RFC 9485, section 5.3). Beyond I-Regexp, what
/// the `regex` crate knows besides (`\d`, `\b`, `(?i)`) is allowed.
///
/// # Errors
/// What is wrong with it.
pub(in crate::expression) fn compile(text: &str, extent: Extent) -> Result<Matcher, String> {
    let body = spell_out_dots(text);
    let whole = match extent {
        Extent::Whole => format!(r"\A(?:{body})\z"),
        Extent::Part => body,
    };
    Matcher::compile(text, &whole)
}

fn spell_out_dots(text: &str) -> String {
    let mut body = String::with_capacity(text.len());
    let (mut class, mut escaped) = (false, false);
    for c in text.chars() {
        match c {
            '.' if !class && !escaped => {
                body.push_str(r"[^\n\r]");
                continue;
            }
            '[' if !escaped => class = true,
            ']' if !escaped => class = false,
            _ => {}
        }
        escaped = c == '\\' && !escaped;
        body.push(c);
    }
    body
}

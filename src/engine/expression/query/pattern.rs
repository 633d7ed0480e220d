//! I-Regexp (RFC 9485) as the linear-time `regex` crate runs it.
//!
//! In: the text of a regular expression. Out: a compiled one. Must never know: queries, rows.

use regex::{Regex, RegexBuilder};

use super::tree::Extent;

/// What a compiled regular expression may take in memory, in bytes.
const MAX_BYTES: usize = 256 * 1024;

/// How deeply its groups may nest.
const MAX_DEPTH: u32 = 32;

/// Compiles a regular expression. `.` is any character but CR and LF (RFC 9485, section 5.3). Beyond I-Regexp, what
/// the `regex` crate knows besides (`\d`, `\b`, `(?i)`) is allowed.
///
/// # Errors
/// What is wrong with it.
pub(in crate::expression) fn compile(text: &str, extent: Extent) -> Result<Regex, String> {
    let body = spell_out_dots(text);
    let whole = match extent {
        Extent::Whole => format!(r"\A(?:{body})\z"),
        Extent::Part => body,
    };
    RegexBuilder::new(&whole).size_limit(MAX_BYTES).nest_limit(MAX_DEPTH).build().map_err(|error| match error
    {
        regex::Error::CompiledTooBig(_) => "the regular expression is too large".to_string(),
        error => {
            let text = error.to_string();
            let reason = text.lines().last().unwrap_or("").trim_start_matches("error: ");
            format!("invalid regular expression: {reason}")
        }
    })
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

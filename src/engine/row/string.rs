//! Strings of JSON: where they end, and what their escapes mean.
//!
//! In: bytes and a position. Out: checked strings. Must never know: anything about JSON beyond strings.

use std::borrow::Cow;

use super::fault::{Fault, Reason};
use super::scan::Scanner;

/// Where the contents of a string that has been checked lie, without the quotes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Quoted {
    pub(super) start: usize,
    pub(super) end: usize,
    /// Whether there are escapes to resolve.
    pub(super) escaped: bool,
}

// === impl Quoted ===

impl Quoted {
    /// Reads the string whose opening quote stands at `at`. The next byte is at `end + 1`.
    #[inline(always)]
    pub(super) fn read(scanner: &mut Scanner, bytes: &[u8], at: usize) -> Result<Self, Fault> {
        let start = at + 1;
        let end = scanner.plain_run(bytes, start);
        if bytes.get(end) == Some(&b'"') {
            return Ok(Quoted { start, end, escaped: false });
        }
        Ok(Quoted { start, end: end_behind_escapes(scanner, bytes, end)?, escaped: true })
    }

    /// The string, escapes resolved, in bytes that have not been checked to be UTF-8.
    pub(super) fn resolved(self, bytes: &[u8]) -> Result<Cow<'_, str>, Fault> {
        let raw = std::str::from_utf8(&bytes[self.start..self.end])
            .map_err(|error| Fault::new(bytes, self.start + error.valid_up_to(), Reason::Utf8))?;
        if !self.escaped {
            return Ok(Cow::Borrowed(raw));
        }
        let mut out = String::new();
        resolve(raw, &mut out);
        Ok(Cow::Owned(out))
    }

    /// Appends the string to `out`, escapes resolved. `text` is the text that the string was found in.
    #[inline]
    pub(super) fn append_to(self, out: &mut String, text: &str) {
        let raw = &text[self.start..self.end];
        if self.escaped { resolve(raw, out) } else { out.push_str(raw) }
    }
}

/// The position of the closing quote of a string whose first stop is at `at`.
#[inline(never)]
fn end_behind_escapes(scanner: &mut Scanner, bytes: &[u8], mut at: usize) -> Result<usize, Fault> {
    loop {
        match bytes.get(at) {
            Some(b'"') => return Ok(at),
            Some(b'\\') => at = escape(bytes, at)?,
            _ => return Err(Fault::new(bytes, at, Reason::Control)),
        }
        at = scanner.plain_run(bytes, at);
    }
}

/// The position behind the escape at `at`. UTF-16 surrogates must come in pairs.
fn escape(bytes: &[u8], at: usize) -> Result<usize, Fault> {
    match bytes.get(at + 1) {
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(at + 2),
        Some(b'u') => match hex(bytes, at + 2)? {
            0xD800..=0xDBFF if bytes[at + 6..].starts_with(b"\\u") => match hex(bytes, at + 8)? {
                0xDC00..=0xDFFF => Ok(at + 12),
                _ => Err(Fault::new(bytes, at, Reason::Surrogate)),
            },
            0xD800..=0xDFFF => Err(Fault::new(bytes, at, Reason::Surrogate)),
            _ => Ok(at + 6),
        },
        _ => Err(Fault::new(bytes, at + 1, Reason::Escape)),
    }
}

/// The number that the four hexadecimal digits at `at` write.
fn hex(bytes: &[u8], at: usize) -> Result<u32, Fault> {
    let mut code = 0;
    for place in at..at + 4 {
        let digit = bytes.get(place).and_then(|byte| char::from(*byte).to_digit(16));
        code = code * 16 + digit.ok_or_else(|| Fault::new(bytes, place, Reason::Escape))?;
    }
    Ok(code)
}

/// Appends the contents of a checked string to `out`, escapes resolved.
fn resolve(mut raw: &str, out: &mut String) {
    while let Some(at) = raw.find('\\') {
        out.push_str(&raw[..at]);
        let (resolved, length) = match raw.as_bytes()[at + 1] {
            b'b' => ('\u{8}', 2),
            b'f' => ('\u{c}', 2),
            b'n' => ('\n', 2),
            b'r' => ('\r', 2),
            b't' => ('\t', 2),
            b'u' => unicode(&raw[at..]),
            other => (char::from(other), 2),
        };
        out.push(resolved);
        raw = &raw[at + length..];
    }
    out.push_str(raw);
}

/// The character of a checked `\u` escape, and how long the escape is.
fn unicode(escape: &str) -> (char, usize) {
    let hex = |at: usize| u32::from_str_radix(&escape[at..at + 4], 16).expect("the string was checked");
    let high = hex(2);
    if let Some(single) = char::from_u32(high) {
        return (single, 6);
    }
    let pair = 0x1_0000 + ((high - 0xD800) << 10) + (hex(8) - 0xDC00);
    (char::from_u32(pair).expect("the string was checked"), 12)
}

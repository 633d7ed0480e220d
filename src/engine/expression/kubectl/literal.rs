//! Reads literals.
//!
//! In: a quote, a sign or a digit, and what follows. Out: strings and numbers as Go reads them. Must never know: what
//! they are compared with.

use super::super::query::{Literal, SyntaxError};
use super::Character;
use super::block::{Block, Part};

// === impl Block ===

impl Block<'_> {
    pub(super) fn string(&mut self, quote: Character) -> Result<Part, SyntaxError> {
        let unterminated = || SyntaxError::new(quote.at, "unterminated string");
        let inside = &self.text[self.next + 1..];
        let end = (0..inside.len())
            .take_while(|&end| inside[end].c != '\n')
            .find(|&end| inside[end].c == quote.c && (end == 0 || inside[end - 1].c != '\\'))
            .ok_or_else(unterminated)?;
        self.next += end + 2;
        let text = unquote(&inside[..end], quote)?;
        Ok(Part::Literal(Literal::String(text.into()), quote.at))
    }

    pub(super) fn number(&mut self, first: Character) -> Result<Part, SyntaxError> {
        let rest = &self.text[self.next..];
        let digits = rest.iter().skip(1).take_while(|c| c.c == '.' || c.c.is_ascii_digit()).count();
        let text: String = rest[..=digits].iter().map(|c| c.c).collect();
        self.next += digits + 1;
        let unsigned = text.trim_start_matches(['+', '-']);
        let literal = match (text.parse(), text.parse()) {
            (Ok(integer), _) => Literal::Integer(integer),
            (_, Ok(double)) if unsigned.contains(|c: char| c.is_ascii_digit()) => Literal::Double(double),
            _ => return Err(SyntaxError::new(first.at, format!("'{text}' is not a number"))),
        };
        Ok(Part::Literal(literal, first.at))
    }
}

/// Resolves Go's escapes (`strconv.UnquoteChar`).
fn unquote(inside: &[Character], quote: Character) -> Result<String, SyntaxError> {
    let mut bytes = Vec::new();
    let mut rest = inside.iter().copied();
    while let Some(Character { c, at }) = rest.next() {
        if c != '\\' {
            bytes.extend(c.encode_utf8(&mut [0; 4]).bytes());
            continue;
        }
        let invalid = || SyntaxError::new(at, "invalid escape in a string");
        let escape = rest.next().ok_or_else(invalid)?.c;
        let mut digits = |count: usize, radix: u32, first: u32| {
            (0..count)
                .try_fold(first, |value, _| Some(value.wrapping_mul(radix) + rest.next()?.c.to_digit(radix)?))
        };
        let code = match escape {
            'a' => 0x07,
            'b' => 0x08,
            'f' => 0x0c,
            'n' => 0x0a,
            'r' => 0x0d,
            't' => 0x09,
            'v' => 0x0b,
            '\\' => 0x5c,
            c if c == quote.c => u32::from(c),
            'x' | '0'..='7' => {
                let code = match escape.to_digit(8) {
                    Some(first) => digits(2, 8, first),
                    None => digits(2, 16, 0),
                };
                bytes.push(code.and_then(|code| u8::try_from(code).ok()).ok_or_else(invalid)?);
                continue;
            }
            'u' => digits(4, 16, 0).ok_or_else(invalid)?,
            'U' => digits(8, 16, 0).ok_or_else(invalid)?,
            _ => return Err(invalid()),
        };
        let c = char::from_u32(code).ok_or_else(invalid)?;
        bytes.extend(c.encode_utf8(&mut [0; 4]).bytes());
    }
    String::from_utf8(bytes).map_err(|_| SyntaxError::new(quote.at, "the string is not UTF-8"))
}

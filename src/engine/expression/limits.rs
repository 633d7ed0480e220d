//! What is refused before any parser sees it.
//!
//! In: the text of an expression. Out: nothing, or an error with its place. Must never know: what the text means.
//!
//! The CEL parser recurses once for every bracket, and its tree is as deep as its longest chain of operators, so a
//! short text can overflow a stack, which nothing can catch. This scan knows just enough of the tokens (strings in
//! all their quotings, comments, brackets, operators) to predict that depth, in units of one operator's recursion.
//! The numbers are chosen so that the worst accepted text compiles in a debug build on a stack of 1 MiB; measured, it
//! takes less than 640 KiB.

use super::fault::{Checked, fault};

/// The longest text in bytes. Far beyond what a person writes.
pub(super) const MAX_BYTES: usize = 8 * 1024;

/// How deep brackets may nest.
pub(super) const MAX_NESTING: usize = 32;

/// How many operators, selections, calls or ternaries may hang on each other, whatever brackets are between them.
pub(super) const MAX_CHAIN: u32 = 200;

/// How many operators the recursion for one pair of brackets is worth.
const BRACKET: u32 = 4;

/// Checks a text against the limits.
///
/// # Errors
/// Where the text is too long, nested too deeply or chained too long.
pub(super) fn check(text: &str) -> Checked<()> {
    if text.len() > MAX_BYTES {
        return Err(fault(0, format!("longer than {MAX_BYTES} bytes")));
    }
    let mut scan = Scan { bytes: text.as_bytes(), at: 0, levels: vec![Level::default()] };
    while scan.at < scan.bytes.len() {
        let start = scan.at;
        if let Err(message) = scan.token() {
            return Err(fault(u32::try_from(start).unwrap_or(u32::MAX), message));
        }
    }
    Ok(())
}

struct Scan<'t> {
    bytes: &'t [u8],
    at: usize,
    /// Of every bracket that is open, and of the whole text.
    levels: Vec<Level>,
}

/// How deep the part of a tree is that stands between two brackets.
#[derive(Default)]
struct Level {
    /// Of the operand that is being read.
    current: u32,
    /// Of the deepest operand before it.
    deepest: u32,
    /// Each is nested in the one before.
    ternaries: u32,
}

impl Scan<'_> {
    fn token(&mut self) -> Result<(), String> {
        let byte = self.bytes[self.at];
        let next = self.bytes.get(self.at + 1).copied();
        self.at += 1;
        match byte {
            b'"' | b'\'' => self.string(byte, false),
            b'/' if next == Some(b'/') => self.skip_while(|byte| byte != b'\n'),
            b'`' => {
                self.skip_while(|byte| byte != b'`' && byte != b'\n');
                self.at += 1;
            }
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => return self.word(),
            b'0'..=b'9' => self.number(),
            b'(' | b'[' | b'{' => {
                self.chain(1)?;
                return self.open();
            }
            b')' | b']' | b'}' => return self.close(),
            b'&' | b'|' if next == Some(byte) => {
                self.at += 1;
                self.level().end_operand();
            }
            b',' | b':' => self.level().end_operand(),
            b'?' => {
                self.level().end_operand();
                self.level().ternaries += 1;
                return self.chain(0);
            }
            b'.' | b'+' | b'-' | b'*' | b'/' | b'%' | b'<' | b'>' | b'=' | b'!' => {
                if next == Some(b'=') {
                    self.at += 1;
                }
                return self.chain(1);
            }
            _ => {}
        }
        Ok(())
    }

    fn level(&mut self) -> &mut Level {
        self.levels.last_mut().expect("the whole text is a level that never closes")
    }

    fn chain(&mut self, links: u32) -> Result<(), String> {
        let level = self.level();
        level.current += links;
        if level.depth() > MAX_CHAIN {
            return Err(format!("more than {MAX_CHAIN} operators hang on each other"));
        }
        Ok(())
    }

    fn open(&mut self) -> Result<(), String> {
        if self.levels.len() > MAX_NESTING {
            return Err(format!("brackets nest more than {MAX_NESTING} deep"));
        }
        self.levels.push(Level::default());
        Ok(())
    }

    fn close(&mut self) -> Result<(), String> {
        // A bracket too many is for the parser to report.
        if self.levels.len() > 1
            && let Some(closed) = self.levels.pop()
        {
            let inner = closed.depth() + BRACKET;
            self.level().current = self.level().current.max(inner);
        }
        self.chain(0)
    }

    /// An identifier, the operator `in`, or the prefix of a string.
    fn word(&mut self) -> Result<(), String> {
        let start = self.at - 1;
        self.skip_while(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        let word = &self.bytes[start..self.at];
        if word == b"in" {
            return self.chain(1);
        }
        if let Some(&quote @ (b'"' | b'\'')) = self.bytes.get(self.at)
            && let [b'r' | b'R' | b'b' | b'B'] | [b'b' | b'B', b'r' | b'R'] = word
        {
            self.at += 1;
            self.string(quote, word.iter().any(|byte| matches!(byte, b'r' | b'R')));
        }
        Ok(())
    }

    fn number(&mut self) {
        self.skip_while(|byte| byte.is_ascii_alphanumeric());
        // A dot before a digit is a fraction, any other one a selection.
        if self.bytes.get(self.at) == Some(&b'.')
            && self.bytes.get(self.at + 1).is_some_and(u8::is_ascii_digit)
        {
            self.at += 1;
            self.skip_while(|byte| byte.is_ascii_alphanumeric());
        }
    }

    /// The rest of a string whose first quote has been read. One that does not end is for the parser to report.
    fn string(&mut self, quote: u8, raw: bool) {
        let triple = self.bytes[self.at..].starts_with(&[quote, quote]);
        if triple {
            self.at += 2;
        }
        while let Some(&byte) = self.bytes.get(self.at) {
            self.at += 1;
            match byte {
                b'\\' if !raw => self.at += 1,
                b'\n' | b'\r' if !triple => return,
                _ if byte != quote => {}
                _ if !triple => return,
                _ if self.bytes[self.at..].starts_with(&[quote, quote]) => {
                    self.at += 2;
                    return;
                }
                _ => {}
            }
        }
        self.at = self.at.min(self.bytes.len());
    }

    fn skip_while(&mut self, holds: impl Fn(u8) -> bool) {
        while self.bytes.get(self.at).is_some_and(|byte| holds(*byte)) {
            self.at += 1;
        }
    }
}

impl Level {
    fn end_operand(&mut self) {
        self.deepest = self.deepest.max(self.current);
        self.current = 0;
    }

    fn depth(&self) -> u32 {
        self.deepest.max(self.current) + self.ternaries
    }
}

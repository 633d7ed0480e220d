//! A position in JSON text, and the steps over its tokens that all readers share.
//!
//! In: bytes. Out: tokens, with errors that name the byte at fault. Must never know: field plans, rows.

use super::fault::{Fault, Reason};
use super::scan::Scanner;
use super::string::Quoted;

/// A position in the bytes of one or more JSON values.
#[derive(Clone, Debug)]
pub(super) struct Cursor<'d> {
    pub(super) bytes: &'d [u8],
    pub(super) at: usize,
    pub(super) scanner: Scanner,
}

// === impl Cursor ===

impl<'d> Cursor<'d> {
    pub(super) fn new(bytes: &'d [u8]) -> Self {
        Cursor::starting_at(bytes, 0)
    }

    pub(super) fn starting_at(bytes: &'d [u8], at: usize) -> Self {
        Cursor { bytes, at, scanner: Scanner::new() }
    }

    /// An error at the current position.
    #[cold]
    pub(super) fn fail<T>(&self, reason: Reason) -> Result<T, Fault> {
        Err(Fault::new(self.bytes, self.at, reason))
    }

    /// The byte at the current position; 0, which is no token, at the end.
    #[inline(always)]
    pub(super) fn peek(&self) -> u8 {
        peek(self.bytes, self.at)
    }

    /// Steps over whitespace and gives the byte there; 0, which is no token, at the end.
    #[inline(always)]
    pub(super) fn token(&mut self) -> u8 {
        let byte = self.peek();
        if byte > b' ' {
            return byte;
        }
        self.at = behind_whitespace(self.bytes, self.at);
        self.peek()
    }

    /// Enters the map that begins here. Gives the name of its first member, behind whose colon the cursor then
    /// stands; `None` if the map was empty and has been left.
    #[inline]
    pub(super) fn first_member(&mut self) -> Result<Option<Quoted>, Fault> {
        self.at += 1;
        if self.token() == b'}' {
            self.at += 1;
            return Ok(None);
        }
        self.name().map(Some)
    }

    /// Behind the value of a member: the name of the next one, or `None` where the map ends.
    #[inline(always)]
    pub(super) fn next_member(&mut self) -> Result<Option<Quoted>, Fault> {
        match self.token() {
            b',' => {
                self.at += 1;
                self.name().map(Some)
            }
            b'}' => {
                self.at += 1;
                Ok(None)
            }
            _ => self.fail(Reason::MapGoesOn),
        }
    }

    /// Steps over a member's name and the colon behind it.
    #[inline(always)]
    fn name(&mut self) -> Result<Quoted, Fault> {
        if self.token() != b'"' {
            return self.fail(Reason::Name);
        }
        let name = self.string()?;
        if self.token() != b':' {
            return self.fail(Reason::Colon);
        }
        self.at += 1;
        Ok(name)
    }

    /// Enters the list that begins here. Gives whether there is an element; otherwise the list has been left.
    pub(super) fn first_element(&mut self) -> Result<bool, Fault> {
        self.at += 1;
        if self.token() == b']' {
            self.at += 1;
            return Ok(false);
        }
        Ok(true)
    }

    /// Behind an element: whether there is another one; otherwise the list has been left.
    pub(super) fn next_element(&mut self) -> Result<bool, Fault> {
        let more = match self.token() {
            b',' => true,
            b']' => false,
            _ => return self.fail(Reason::ListGoesOn),
        };
        self.at += 1;
        Ok(more)
    }

    /// Steps over the string that begins here.
    #[inline(always)]
    pub(super) fn string(&mut self) -> Result<Quoted, Fault> {
        let quoted = Quoted::read(&mut self.scanner, self.bytes, self.at)?;
        self.at = quoted.end + 1;
        Ok(quoted)
    }

    /// Steps over `true`, `false` or `null`, whichever `word` is.
    pub(super) fn literal(&mut self, word: &'static str) -> Result<(), Fault> {
        if !self.bytes[self.at..].starts_with(word.as_bytes()) {
            return self.fail(Reason::Literal);
        }
        self.at += word.len();
        Ok(())
    }

    /// Steps over a number, checking its grammar.
    pub(super) fn number(&mut self) -> Result<(), Fault> {
        if self.peek() == b'-' {
            self.at += 1;
        }
        match self.peek() {
            b'0' => self.at += 1,
            _ => self.digits()?,
        }
        if self.peek() == b'.' {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), b'e' | b'E') {
            self.at += 1;
            if matches!(self.peek(), b'+' | b'-') {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(())
    }

    /// Steps over one or more digits.
    fn digits(&mut self) -> Result<(), Fault> {
        let start = self.at;
        while self.peek().is_ascii_digit() {
            self.at += 1;
        }
        if self.at == start { self.fail(Reason::Number) } else { Ok(()) }
    }

    /// Demands that nothing but whitespace is left.
    pub(super) fn finish(&mut self) -> Result<(), Fault> {
        self.token();
        if self.at < self.bytes.len() {
            return self.fail(Reason::Behind);
        }
        Ok(())
    }
}

/// The byte at `at`; 0, which is no token, at the end.
#[inline(always)]
pub(super) fn peek(bytes: &[u8], at: usize) -> u8 {
    bytes.get(at).copied().unwrap_or(0)
}

/// The position of the first byte at or after `at` that is no whitespace.
#[inline(never)]
pub(super) fn behind_whitespace(bytes: &[u8], mut at: usize) -> usize {
    while matches!(peek(bytes, at), b' ' | b'\n' | b'\r' | b'\t') {
        at += 1;
    }
    at
}

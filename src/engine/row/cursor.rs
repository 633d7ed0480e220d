//! A position in JSON text, and the lexical steps that all readers of it share.
//!
//! In: bytes. Out: tokens, with errors that name the byte at fault. Must never know: field plans, rows.

use super::decode::DecodeError;
use super::scan::plain_run;

/// A position in the bytes of one or more JSON values.
#[derive(Clone, Debug)]
pub(super) struct Cursor<'d> {
    pub(super) bytes: &'d [u8],
    pub(super) at: usize,
}

/// Where the contents of a string that has been checked lie, without the quotes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Quoted {
    pub(super) start: usize,
    pub(super) end: usize,
    /// Whether there are escapes to resolve.
    pub(super) escaped: bool,
}

// === impl Cursor ===

impl<'d> Cursor<'d> {
    pub(super) fn new(bytes: &'d [u8]) -> Self {
        Cursor { bytes, at: 0 }
    }

    /// An error at the current position.
    #[cold]
    pub(super) fn fail<T>(&self, reason: &'static str) -> Result<T, DecodeError> {
        let reason = if self.at >= self.bytes.len() { "unexpected end" } else { reason };
        Err(DecodeError { offset: self.at.min(self.bytes.len()), reason })
    }

    /// The byte at the current position; 0, which is no token, at the end.
    #[inline(always)]
    pub(super) fn peek(&self) -> u8 {
        self.bytes.get(self.at).copied().unwrap_or(0)
    }

    /// Steps over whitespace and gives the byte there; 0, which is no token, at the end.
    #[inline(always)]
    pub(super) fn token(&mut self) -> u8 {
        let byte = self.peek();
        if byte > b' ' { byte } else { self.token_after_whitespace() }
    }

    fn token_after_whitespace(&mut self) -> u8 {
        while matches!(self.peek(), b' ' | b'\n' | b'\r' | b'\t') {
            self.at += 1;
        }
        self.peek()
    }

    /// Enters the map that begins here. Gives the name of its first member, behind whose colon the cursor then
    /// stands; `None` if the map was empty and has been left.
    pub(super) fn first_member(&mut self) -> Result<Option<Quoted>, DecodeError> {
        self.at += 1;
        if self.token() == b'}' {
            self.at += 1;
            return Ok(None);
        }
        self.name().map(Some)
    }

    /// Behind the value of a member: the name of the next one, or `None` where the map ends.
    #[inline]
    pub(super) fn next_member(&mut self) -> Result<Option<Quoted>, DecodeError> {
        let byte = self.token();
        match byte {
            b',' => {
                self.at += 1;
                self.name().map(Some)
            }
            b'}' => {
                self.at += 1;
                Ok(None)
            }
            _ => self.fail("expected , or }"),
        }
    }

    /// Steps over a member's name and the colon behind it.
    #[inline]
    pub(super) fn name(&mut self) -> Result<Quoted, DecodeError> {
        if self.token() != b'"' {
            return self.fail("expected the name of a member");
        }
        let name = self.string()?;
        if self.token() != b':' {
            return self.fail("expected :");
        }
        self.at += 1;
        Ok(name)
    }

    /// Enters the list that begins here. Gives whether there is an element; otherwise the list has been left.
    pub(super) fn first_element(&mut self) -> Result<bool, DecodeError> {
        self.at += 1;
        if self.token() == b']' {
            self.at += 1;
            return Ok(false);
        }
        Ok(true)
    }

    /// Behind an element: whether there is another one; otherwise the list has been left.
    #[inline]
    pub(super) fn next_element(&mut self) -> Result<bool, DecodeError> {
        let more = match self.token() {
            b',' => true,
            b']' => false,
            _ => return self.fail("expected , or ]"),
        };
        self.at += 1;
        Ok(more)
    }

    /// Steps over the string that begins here.
    #[inline]
    pub(super) fn string(&mut self) -> Result<Quoted, DecodeError> {
        let start = self.at + 1;
        let end = plain_run(self.bytes, start);
        if self.bytes.get(end) == Some(&b'"') {
            self.at = end + 1;
            return Ok(Quoted { start, end, escaped: false });
        }
        self.at = end;
        self.string_with_escapes(start)
    }

    fn string_with_escapes(&mut self, start: usize) -> Result<Quoted, DecodeError> {
        loop {
            match self.peek() {
                b'"' => {
                    self.at += 1;
                    return Ok(Quoted { start, end: self.at - 1, escaped: true });
                }
                b'\\' => self.escape()?,
                _ => return self.fail("control character in a string"),
            }
            self.at = plain_run(self.bytes, self.at);
        }
    }

    /// Steps over the escape that begins here.
    fn escape(&mut self) -> Result<(), DecodeError> {
        self.at += 1;
        match self.peek() {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => {
                self.at += 1;
                Ok(())
            }
            b'u' => match self.hex()? {
                0xD800..=0xDBFF if self.bytes[self.at..].starts_with(b"\\u") => {
                    self.at += 1;
                    match self.hex()? {
                        0xDC00..=0xDFFF => Ok(()),
                        _ => self.fail("lone surrogate"),
                    }
                }
                0xD800..=0xDFFF => self.fail("lone surrogate"),
                _ => Ok(()),
            },
            _ => self.fail("invalid escape"),
        }
    }

    /// Steps over `u` and the four hexadecimal digits behind it.
    fn hex(&mut self) -> Result<u32, DecodeError> {
        let mut code = 0;
        for _ in 0..4 {
            self.at += 1;
            match char::from(self.peek()).to_digit(16) {
                Some(digit) => code = code * 16 + digit,
                None => return self.fail("invalid escape"),
            }
        }
        self.at += 1;
        Ok(code)
    }

    /// Steps over `true`, `false` or `null`, whichever `word` is.
    #[inline]
    pub(super) fn literal(&mut self, word: &'static str) -> Result<(), DecodeError> {
        if !self.bytes[self.at..].starts_with(word.as_bytes()) {
            return self.fail("unknown literal");
        }
        self.at += word.len();
        Ok(())
    }

    /// Steps over characters that numbers are made of.
    #[inline]
    pub(super) fn loose_number(&mut self) {
        while matches!(self.peek(), b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E') {
            self.at += 1;
        }
    }

    /// Steps over a number, checking its grammar.
    pub(super) fn number(&mut self) -> Result<(), DecodeError> {
        let digits = |cursor: &mut Self| {
            let start = cursor.at;
            while cursor.peek().is_ascii_digit() {
                cursor.at += 1;
            }
            if cursor.at == start { cursor.fail("invalid number") } else { Ok(()) }
        };
        if self.peek() == b'-' {
            self.at += 1;
        }
        match self.peek() {
            b'0' => self.at += 1,
            _ => digits(self)?,
        }
        if self.peek() == b'.' {
            self.at += 1;
            digits(self)?;
        }
        if matches!(self.peek(), b'e' | b'E') {
            self.at += 1;
            if matches!(self.peek(), b'+' | b'-') {
                self.at += 1;
            }
            digits(self)?;
        }
        Ok(())
    }

    /// Demands that nothing but whitespace is left.
    pub(super) fn finish(&mut self) -> Result<(), DecodeError> {
        self.token();
        if self.at < self.bytes.len() {
            return self.fail("text behind the object");
        }
        Ok(())
    }
}

// === impl Quoted ===

impl Quoted {
    /// Appends the string to `out`, escapes resolved. `text` is the text that the string was found in.
    #[inline]
    pub(super) fn append_to(self, out: &mut String, text: &str) {
        let raw = &text[self.start..self.end];
        if self.escaped { resolve(raw, out) } else { out.push_str(raw) }
    }
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

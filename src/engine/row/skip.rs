//! Steps over JSON that no plan reads, checking structure, strings and nesting but not the grammar of numbers.
//!
//! In: bytes and a position. Out: the position after the value. Must never know: field plans.
//! Most bytes of most objects pass through here, so positions are kept in registers and results are small.

use super::cursor::{Cursor, behind_whitespace, peek};
use super::decode::{Defaults, checked_text};
use super::fault::{DecodeError, Fault, Reason};
use super::string::Quoted;

/// How many lists and maps may be open at once. `serde_json` refuses the 128th as well.
pub(super) const MAX_DEPTH: u32 = 127;

/// The open containers of a value that is being skipped: a bit each, set for a map, the innermost lowest.
///
/// Invariant: at most [`MAX_DEPTH`] are open, so no bit is lost.
struct Open {
    maps: u128,
    room: u32,
}

/// Checks that `bytes` are one JSON value in UTF-8, as thoroughly as parts that no plan reads are checked: structure,
/// strings and nesting, but not the grammar of numbers. The floor that decoding is measured against.
///
/// # Errors
/// Where they are not.
pub fn skim(bytes: &[u8]) -> Result<(), DecodeError> {
    checked_text(bytes, &Defaults::default())?;
    let mut cursor = Cursor::new(bytes);
    cursor.skip(MAX_DEPTH)?;
    cursor.finish()?;
    Ok(())
}

// === impl Cursor ===

impl Cursor<'_> {
    /// Steps over the value that begins here, behind whitespace. `room` is how many containers it may open in one
    /// another.
    #[inline]
    pub(super) fn skip(&mut self, room: u32) -> Result<(), Fault> {
        self.at = match self.token() {
            b'"' => Quoted::read(self.bytes, self.at)?.end + 1,
            b'{' | b'[' => container(self.bytes, self.at, room)?,
            _ => word(self.bytes, self.at)?,
        };
        Ok(())
    }
}

/// The position of the next token, and that token.
#[inline(always)]
fn token(bytes: &[u8], at: usize) -> (u8, usize) {
    let byte = peek(bytes, at);
    if byte > b' ' {
        return (byte, at);
    }
    let at = behind_whitespace(bytes, at);
    (peek(bytes, at), at)
}

/// Steps over the list or map at `at`. Iterative, so that no input exhausts the stack.
fn container(bytes: &[u8], start: usize, room: u32) -> Result<usize, Fault> {
    // The marker bit lies below all others and shows when the outermost container has been left.
    let mut open = Open { maps: 1, room };
    let mut next = start;
    loop {
        let (byte, at) = token(bytes, next);
        next = match byte {
            b'"' => Quoted::read(bytes, at)?.end + 1,
            b'{' | b'[' => {
                let (inside, at) = token(bytes, at + 1);
                // The closing bracket is two characters above the opening one, for lists and maps alike.
                if inside == byte + 2 {
                    open.check(bytes, at)?;
                    at + 1
                } else {
                    open.enter(bytes, at, byte == b'{')?;
                    next = if byte == b'{' { name(bytes, at)? } else { at };
                    continue;
                }
            }
            _ => word(bytes, at)?,
        };
        loop {
            if open.maps == 1 {
                return Ok(next);
            }
            let (byte, at) = token(bytes, next);
            let map = open.maps & 1 == 1;
            if byte == b',' {
                next = if map { name(bytes, token(bytes, at + 1).1)? } else { at + 1 };
                break;
            }
            if byte != if map { b'}' } else { b']' } {
                let reason = if map { Reason::MapGoesOn } else { Reason::ListGoesOn };
                return Err(Fault::new(bytes, at, reason));
            }
            open.leave();
            next = at + 1;
        }
    }
}

/// Steps over a member's name at `at` and the colon behind it.
#[inline(always)]
fn name(bytes: &[u8], at: usize) -> Result<usize, Fault> {
    if peek(bytes, at) != b'"' {
        return Err(Fault::new(bytes, at, Reason::Name));
    }
    let (colon, at) = token(bytes, Quoted::read(bytes, at)?.end + 1);
    if colon != b':' {
        return Err(Fault::new(bytes, at, Reason::Colon));
    }
    Ok(at + 1)
}

/// Steps over the number or literal at `at`. A number may be any run of the characters of numbers that begins as
/// one.
fn word(bytes: &[u8], at: usize) -> Result<usize, Fault> {
    let rest = &bytes[at.min(bytes.len())..];
    match peek(bytes, at) {
        b'-' | b'0'..=b'9' => Ok(at + rest.iter().take_while(|byte| in_number(**byte)).count()),
        b't' if rest.starts_with(b"true") => Ok(at + 4),
        b'f' if rest.starts_with(b"false") => Ok(at + 5),
        b'n' if rest.starts_with(b"null") => Ok(at + 4),
        b't' | b'f' | b'n' => Err(Fault::new(bytes, at, Reason::Literal)),
        _ => Err(Fault::new(bytes, at, Reason::Value)),
    }
}

fn in_number(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E')
}

// === impl Open ===

impl Open {
    /// Whether one more container may be opened.
    #[inline(always)]
    fn check(&self, bytes: &[u8], at: usize) -> Result<(), Fault> {
        if self.room == 0 { Err(Fault::new(bytes, at - 1, Reason::Depth)) } else { Ok(()) }
    }

    #[inline(always)]
    fn enter(&mut self, bytes: &[u8], at: usize, map: bool) -> Result<(), Fault> {
        self.check(bytes, at)?;
        self.room -= 1;
        self.maps = self.maps << 1 | u128::from(map);
        Ok(())
    }

    #[inline(always)]
    fn leave(&mut self) {
        self.room += 1;
        self.maps >>= 1;
    }
}

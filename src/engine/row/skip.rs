//! Steps over JSON that no plan reads, checking structure, strings and nesting but not the grammar of numbers.
//!
//! In: bytes and a position. Out: the position after the value. Must never know: field plans.
//! Most bytes of most objects pass through here, so positions are kept in registers and results are small.

use super::cursor::{Cursor, behind_whitespace, peek};
use super::decode::{Defaults, checked_text};
use super::fault::{DecodeError, Fault, Reason};
use super::scan::Scanner;
use super::string::Quoted;

/// How many lists and maps may be open at once. `serde_json` refuses the 128th as well.
pub(super) const MAX_DEPTH: u32 = 127;

/// The open containers of a value that is being skipped.
///
/// Invariant: at most [`MAX_DEPTH`] are open, so `outer` loses none.
struct Open {
    /// What closes the innermost one.
    closing: u8,
    /// A bit for each of the others, set for a map, the inner ones lower.
    outer: u128,
    depth: u32,
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
            b'"' => Quoted::read(&mut self.scanner, self.bytes, self.at)?.end + 1,
            b'{' | b'[' => container(&mut self.scanner, self.bytes, self.at, room)?,
            _ => word(self.bytes, self.at)?,
        };
        Ok(())
    }

    /// Steps over the value that begins here, whose reader will refuse it if it nests too deeply.
    pub(super) fn frame(&mut self) -> Result<(), Fault> {
        match self.skip(MAX_DEPTH) {
            Err(fault) if fault.is_depth() => self.skip_nested(),
            passed => passed,
        }
    }

    /// Steps over the list or map that begins here however deep it is, by counting brackets of either kind alike and
    /// checking no more than strings. A failed [`skip`](Self::skip) leaves the cursor where this begins.
    pub(super) fn skip_nested(&mut self) -> Result<(), Fault> {
        let mut depth = 0_usize;
        loop {
            match self.token() {
                b'"' => {
                    self.string()?;
                    continue;
                }
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth -= 1,
                0 => return self.fail(Reason::Value),
                _ => {}
            }
            self.at += 1;
            if depth == 0 {
                return Ok(());
            }
        }
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

/// Steps over the list or map at `start`. Iterative, so that no input exhausts the stack.
fn container(shared: &mut Scanner, bytes: &[u8], start: usize, room: u32) -> Result<usize, Fault> {
    // A copy, so that it can live in registers.
    let mut scanner = shared.clone();
    let mut open = Open { closing: 0, outer: 0, depth: 0 };
    let mut next = start;
    loop {
        let (byte, at) = token(bytes, next);
        next = match byte {
            b'"' => Quoted::read(&mut scanner, bytes, at)?.end + 1,
            b'{' | b'[' => {
                if open.depth == room {
                    return Err(Fault::new(bytes, at, Reason::Depth));
                }
                let (inside, at) = token(bytes, at + 1);
                if inside != closing(byte) {
                    open.enter(byte);
                    next = if byte == b'{' { name(&mut scanner, bytes, inside, at)? } else { at };
                    continue;
                }
                if open.depth == 0 {
                    return Ok(at + 1);
                }
                at + 1
            }
            _ => word(bytes, at)?,
        };
        loop {
            let (byte, at) = token(bytes, next);
            next = at + 1;
            if byte == b',' {
                if open.closing == b'}' {
                    let (quote, at) = token(bytes, next);
                    next = name(&mut scanner, bytes, quote, at)?;
                }
                break;
            }
            if byte != open.closing {
                let reason = if open.closing == b'}' { Reason::MapGoesOn } else { Reason::ListGoesOn };
                return Err(Fault::new(bytes, at, reason));
            }
            if open.leave() {
                *shared = scanner;
                return Ok(next);
            }
        }
    }
}

/// Steps over a member's name, which begins with `quote` at `at`, and the colon behind it.
#[inline(always)]
fn name(scanner: &mut Scanner, bytes: &[u8], quote: u8, at: usize) -> Result<usize, Fault> {
    if quote != b'"' {
        return Err(Fault::new(bytes, at, Reason::Name));
    }
    let (colon, at) = token(bytes, Quoted::read(scanner, bytes, at)?.end + 1);
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

/// What closes the container that `opening` opens: two characters above, for lists and maps alike.
#[inline(always)]
fn closing(opening: u8) -> u8 {
    opening + 2
}

// === impl Open ===

impl Open {
    /// Goes into the container that `opening` opens.
    #[inline(always)]
    fn enter(&mut self, opening: u8) {
        self.outer = self.outer << 1 | u128::from(self.closing == b'}');
        self.depth += 1;
        self.closing = closing(opening);
    }

    /// Goes back into the container around the innermost one. Gives whether there is none.
    #[inline(always)]
    fn leave(&mut self) -> bool {
        self.closing = if self.outer & 1 == 1 { b'}' } else { b']' };
        self.outer >>= 1;
        self.depth -= 1;
        self.depth == 0
    }
}

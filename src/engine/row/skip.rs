//! Steps over JSON that no plan reads, checking structure, strings and nesting but not the grammar of numbers.
//!
//! In: bytes and a position. Out: the position after the value. Must never know: field plans.

use super::cursor::Cursor;
use super::decode::DecodeError;

/// How many lists and maps may be open at once. `serde_json` refuses the 128th as well.
pub(super) const MAX_DEPTH: u32 = 127;

/// The open containers of a value that is being skipped: a bit each, set for a map, the innermost lowest.
///
/// Invariant: at most [`MAX_DEPTH`] bits are used, so none is lost.
struct Open {
    maps: u128,
    depth: u32,
    room: u32,
}

// === impl Cursor ===

impl Cursor<'_> {
    /// Steps over the value that begins here, behind whitespace. `room` is how deep it may be nested.
    ///
    /// # Errors
    /// Where the structure is broken, a string is, or the value is nested too deeply.
    #[inline]
    pub(super) fn skip(&mut self, room: u32) -> Result<(), DecodeError> {
        match self.token() {
            b'{' | b'[' => self.skip_container(room),
            _ => self.skip_scalar(),
        }
    }

    /// Steps over the scalar that begins here.
    #[inline]
    fn skip_scalar(&mut self) -> Result<(), DecodeError> {
        match self.peek() {
            b'"' => self.string().map(drop),
            b'-' | b'0'..=b'9' => {
                self.loose_number();
                Ok(())
            }
            b't' => self.literal("true"),
            b'f' => self.literal("false"),
            b'n' => self.literal("null"),
            _ => self.fail("expected a value"),
        }
    }

    /// Steps over the list or map that begins here. Iterative, so that no input exhausts the stack.
    fn skip_container(&mut self, room: u32) -> Result<(), DecodeError> {
        let mut open = Open { maps: 0, depth: 0, room };
        loop {
            // A value begins here.
            let closed = match self.token() {
                b'{' => self.open(&mut open, true)?,
                b'[' => self.open(&mut open, false)?,
                _ => {
                    self.skip_scalar()?;
                    true
                }
            };
            if closed && self.close_all(&mut open)? {
                return Ok(());
            }
        }
    }

    /// Enters a container up to its first value; gives whether it was empty and has been left again.
    #[inline(always)]
    fn open(&mut self, open: &mut Open, map: bool) -> Result<bool, DecodeError> {
        if open.depth == open.room {
            return self.fail("nested too deeply");
        }
        self.at += 1;
        if self.token() == (if map { b'}' } else { b']' }) {
            self.at += 1;
            return Ok(true);
        }
        open.depth += 1;
        open.maps = open.maps << 1 | u128::from(map);
        if map {
            self.name()?;
        }
        Ok(false)
    }

    /// Behind a value: steps to the next one in its container, leaving containers that end. Gives whether the
    /// outermost has ended.
    #[inline(always)]
    fn close_all(&mut self, open: &mut Open) -> Result<bool, DecodeError> {
        while open.depth > 0 {
            let map = open.maps & 1 == 1;
            match self.token() {
                b',' if map => {
                    self.at += 1;
                    self.name()?;
                    return Ok(false);
                }
                b',' => {
                    self.at += 1;
                    return Ok(false);
                }
                b'}' if map => {}
                b']' if !map => {}
                _ => return self.fail(if map { "expected , or }" } else { "expected , or ]" }),
            }
            self.at += 1;
            open.depth -= 1;
            open.maps >>= 1;
        }
        Ok(true)
    }
}

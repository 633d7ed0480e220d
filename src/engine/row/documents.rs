//! Cuts a stream of concatenated JSON values into values, however its bytes arrive.
//!
//! In: chunks of bytes. Out: the bytes of each object or list that is complete. Must never know: what they mean.
//! Values may be compact or indented, on lines of their own or not; whitespace between them is dropped. Only
//! brackets and strings are followed here, since whoever decodes a value checks the rest of it.

use super::scan::Scanner;

/// What is buffered of a stream, and how far it has been looked at.
///
/// After an error the stream goes on: a value that is too long is dropped up to its end; after text that is no value
/// everything up to the next line break is dropped; and a value that has an unescaped line break in a string, as
/// lines have that were cut short, is dropped up to that line break. A value whose end is missing elsewhere takes
/// the following ones with it, up to the limit.
///
/// Invariant: `start <= scanned <= buffer.len()`; bytes before `start` have been given out or dropped.
pub struct Documents {
    buffer: Vec<u8>,
    /// Where the value begins that is not complete yet.
    start: usize,
    /// Up to where it has been looked at.
    scanned: usize,
    /// How many bytes of the stream have been taken out of the buffer.
    before: u64,
    state: State,
    /// How many brackets are open.
    depth: u64,
    /// Whether the value is only followed to its end, because it is too long.
    dropping: bool,
    limit: usize,
}

impl std::fmt::Debug for Documents {
    /// Never the bytes: object bodies do not reach logs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?} at byte {}", self.state, self.before + self.scanned as u64)
    }
}

/// What the next byte belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Nothing: a value may begin.
    Between,
    /// A value, outside strings.
    Value,
    /// A string.
    String,
    /// A string, behind a backslash.
    Escape,
    /// Text that is no value, up to the end of its line.
    Garbage,
}

/// A part of a stream that was dropped.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason} at byte {offset} of the stream")]
pub struct StreamError {
    /// Where in the stream, from 0.
    pub offset: u64,
    /// What is wrong there.
    pub reason: &'static str,
}

const TOO_LONG: &str = "a value that is longer than the limit";

/// What a look at more bytes has shown.
enum Found {
    /// The value ends before this position.
    End(usize),
    /// The value must be dropped.
    Bad(StreamError),
    /// More bytes are needed.
    Nothing,
}

// === impl Documents ===

impl Documents {
    /// The default limit of a value, in bytes: ten times the most that etcd holds by default.
    pub const LIMIT: usize = 16 << 20;

    /// A stream whose values are at most `limit` bytes long, which also bounds the buffer: to one value and one chunk.
    pub fn new(limit: usize) -> Self {
        Documents {
            buffer: Vec::new(),
            start: 0,
            scanned: 0,
            before: 0,
            state: State::Between,
            depth: 0,
            dropping: false,
            limit,
        }
    }

    /// Adds bytes of the stream. Take out all values with [`next`](Self::next) before the next chunk, or they wait in
    /// memory.
    pub fn push(&mut self, chunk: &[u8]) {
        self.buffer.drain(..self.start);
        self.before += self.start as u64;
        self.scanned -= self.start;
        self.start = 0;
        self.buffer.extend_from_slice(chunk);
    }

    /// The next value that is complete; `None` until more bytes arrive.
    #[allow(
        clippy::should_implement_trait,
        reason = "the value borrows the buffer, which no Iterator can express"
    )]
    pub fn next(&mut self) -> Option<Result<&[u8], StreamError>> {
        loop {
            match self.scan() {
                Found::Nothing => return None,
                Found::Bad(error) => return Some(Err(error)),
                Found::End(end) => {
                    let start = std::mem::replace(&mut self.start, end);
                    if std::mem::take(&mut self.dropping) {
                        continue;
                    }
                    return Some(match end - start > self.limit {
                        true => Err(self.error(start, TOO_LONG)),
                        false => Ok(&self.buffer[start..end]),
                    });
                }
            }
        }
    }

    /// How many bytes of the stream are held.
    pub fn buffered(&self) -> usize {
        self.buffer.len() - self.start
    }

    /// Ends the stream.
    ///
    /// # Errors
    /// If it breaks off within a value.
    pub fn finish(self) -> Result<(), StreamError> {
        match self.state {
            State::Between | State::Garbage => Ok(()),
            _ if self.dropping => Ok(()),
            _ => Err(self.error(self.start, "a value that does not end")),
        }
    }

    /// Looks at what has not been looked at.
    fn scan(&mut self) -> Found {
        let mut scanner = Scanner::new();
        while let Some(&byte) = self.buffer.get(self.scanned) {
            let found = match self.state {
                State::Between => self.begin(byte),
                State::Value => self.structure(&mut scanner),
                State::String => self.string(&mut scanner),
                State::Escape => {
                    // No escape of JSON is a line break, so that one still ends the string.
                    self.scanned += usize::from(byte != b'\n');
                    self.state = State::String;
                    Found::Nothing
                }
                State::Garbage => self.garbage(),
            };
            if self.dropping {
                self.start = self.scanned;
            } else if self.state != State::Between && self.scanned - self.start > self.limit {
                return self.too_long();
            }
            if !matches!(found, Found::Nothing) {
                return found;
            }
        }
        Found::Nothing
    }

    /// A value begins with `byte`, or whitespace goes on.
    fn begin(&mut self, byte: u8) -> Found {
        self.start = self.scanned;
        match byte {
            b'{' | b'[' => self.state = State::Value,
            b' ' | b'\n' | b'\r' | b'\t' => {
                self.scanned += 1;
                self.start = self.scanned;
            }
            _ => {
                self.state = State::Garbage;
                self.dropping = true;
                return Found::Bad(self.error(self.scanned, "expected an object or a list"));
            }
        }
        Found::Nothing
    }

    /// Steps to the end of the value, or into a string that is not plain up to its end.
    fn structure(&mut self, scanner: &mut Scanner) -> Found {
        let bytes = &self.buffer[..];
        let (mut at, mut depth) = (self.scanned, self.depth);
        while let Some(byte) = bytes.get(at) {
            at += 1;
            match byte {
                b'"' => {
                    let end = scanner.plain_run(bytes, at);
                    if bytes.get(end) != Some(&b'"') {
                        self.state = State::String;
                        break;
                    }
                    at = end + 1;
                }
                b'{' | b'[' => depth += 1,
                b'}' | b']' => {
                    depth -= 1;
                    if depth == 0 {
                        self.state = State::Between;
                        break;
                    }
                }
                _ => {}
            }
        }
        (self.scanned, self.depth) = (at, depth);
        if self.state == State::Between { Found::End(at) } else { Found::Nothing }
    }

    /// Steps to what ends or interrupts the string.
    fn string(&mut self, scanner: &mut Scanner) -> Found {
        self.scanned = scanner.plain_run(&self.buffer, self.scanned);
        match self.buffer.get(self.scanned) {
            None => return Found::Nothing,
            Some(b'"') => self.state = State::Value,
            Some(b'\\') => self.state = State::Escape,
            Some(b'\n') => {
                let error = match self.scanned - self.start > self.limit {
                    true => self.error(self.start, TOO_LONG),
                    false => self.error(self.scanned, "line break in a string"),
                };
                let known = self.dropping;
                self.restart();
                return if known { Found::Nothing } else { Found::Bad(error) };
            }
            Some(_) => {}
        }
        self.scanned += 1;
        Found::Nothing
    }

    /// Steps to the end of the line.
    fn garbage(&mut self) -> Found {
        match memchr::memchr(b'\n', &self.buffer[self.scanned..]) {
            Some(length) => {
                self.scanned += length;
                self.restart();
            }
            None => self.scanned = self.buffer.len(),
        }
        Found::Nothing
    }

    /// From here on a value may begin.
    fn restart(&mut self) {
        self.start = self.scanned;
        self.state = State::Between;
        self.depth = 0;
        self.dropping = false;
    }

    fn too_long(&mut self) -> Found {
        let error = self.error(self.start, TOO_LONG);
        self.dropping = true;
        self.start = self.scanned;
        Found::Bad(error)
    }

    fn error(&self, at: usize, reason: &'static str) -> StreamError {
        StreamError { offset: self.before + at as u64, reason }
    }
}

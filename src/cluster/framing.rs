//! Cuts input into JSON values and says in people's terms where that fails.
//!
//! In: chunks of bytes. Out: the bytes of each value. Must never know: what values mean, where chunks come from.

use celemetry_engine::row::{Documents, StreamError};

/// Input that is cut into values.
///
/// Invariant: `chunk` is what was pushed last, `before` the bytes and `lines` the line breaks in front of it; a value
/// that began in front of it did so on the line `open`.
#[derive(Debug)]
pub(super) struct Framing {
    documents: Documents,
    chunk: Vec<u8>,
    before: u64,
    lines: u64,
    open: Option<u64>,
    /// How long the value is that was given out last.
    latest: u64,
}

/// Where input stops being JSON.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}byte {byte}: not JSON: {reason}", self.line.map(|line| format!("line {line}, ")).unwrap_or_default())]
pub struct Malformed {
    /// From 1; `None` if the place lies too far back.
    pub line: Option<u64>,
    /// From 1, in all of the input.
    pub byte: u64,
    /// What is wrong there.
    pub reason: &'static str,
}

/// The longest value: a List of a very large cluster fits, and memory is still bounded.
const MAX_VALUE: usize = 1 << 30;

// === impl Framing ===

impl Framing {
    /// Input of which nothing has come yet.
    pub(super) fn new() -> Self {
        Framing {
            documents: Documents::new(MAX_VALUE),
            chunk: Vec::new(),
            before: 0,
            lines: 0,
            open: None,
            latest: 0,
        }
    }

    /// Adds bytes. Take out all values before the next ones.
    pub(super) fn push(&mut self, chunk: Vec<u8>) {
        self.open = match self.documents.buffered() as u64 {
            0 => None,
            waiting => self.line_at(self.end().saturating_sub(waiting)),
        };
        self.before += self.chunk.len() as u64;
        self.lines += line_breaks(&self.chunk);
        self.documents.push(&chunk);
        self.chunk = chunk;
    }

    /// The next value that is complete; `None` until more bytes come.
    pub(super) fn next(&mut self) -> Result<Option<&[u8]>, Malformed> {
        let Framing { documents, chunk, before, lines, open, latest } = self;
        match documents.next() {
            None => Ok(None),
            Some(Ok(document)) => {
                *latest = document.len() as u64;
                Ok(Some(document))
            }
            Some(Err(error)) => Err(malformed(&error, line_at(error.offset, chunk, *before, *lines, *open))),
        }
    }

    /// Ends the input.
    pub(super) fn finish(self) -> Result<(), Malformed> {
        let Framing { documents, chunk, before, lines, open, .. } = self;
        let locate =
            |error: StreamError| malformed(&error, line_at(error.offset, &chunk, before, lines, open));
        documents.finish().map_err(locate)
    }

    /// The line, from 1, on which the value begins that [`next`](Self::next) gave last.
    pub(super) fn line(&self) -> u64 {
        let taken = self.end().saturating_sub(self.documents.buffered() as u64);
        self.line_at(taken.saturating_sub(self.latest)).unwrap_or(self.lines + 1)
    }

    /// How many bytes were pushed.
    fn end(&self) -> u64 {
        self.before + self.chunk.len() as u64
    }

    fn line_at(&self, byte: u64) -> Option<u64> {
        line_at(byte, &self.chunk, self.before, self.lines, self.open)
    }
}

fn malformed(error: &StreamError, line: Option<u64>) -> Malformed {
    Malformed { line, byte: error.offset + 1, reason: error.reason }
}

/// The line of a byte of the chunk; of one in front of it, that of the value which is open there.
fn line_at(byte: u64, chunk: &[u8], before: u64, lines: u64, open: Option<u64>) -> Option<u64> {
    let Some(within) = byte.checked_sub(before) else { return open };
    Some(lines + line_breaks(chunk.get(..usize::try_from(within).ok()?)?) + 1)
}

fn line_breaks(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|byte| **byte == b'\n').count() as u64
}

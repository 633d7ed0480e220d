//! Cuts input into JSON values and says in people's terms where that fails.
//!
//! In: chunks of bytes. Out: the bytes of each value. Must never know: what values mean, where chunks come from.

use celemetry_engine::row::{Documents, StreamError};

/// Input that is cut into values.
///
/// Invariant: `chunk` is what was pushed last, `before` the bytes and `lines` the line breaks in front of it.
#[derive(Debug)]
pub(super) struct Framing {
    documents: Documents,
    chunk: Vec<u8>,
    before: u64,
    lines: u64,
}

/// Where input stops being JSON.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}byte {byte}: not JSON: {reason}", self.line.map(|line| format!("line {line}, ")).unwrap_or_default())]
pub struct Malformed {
    /// From 1; `None` if the place lies too far back.
    pub line: Option<u64>,
    /// From 0, in all of the input.
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
        Framing { documents: Documents::new(MAX_VALUE), chunk: Vec::new(), before: 0, lines: 0 }
    }

    /// Adds bytes. Take out all values before the next ones.
    pub(super) fn push(&mut self, chunk: Vec<u8>) {
        self.before += self.chunk.len() as u64;
        self.lines += line_breaks(&self.chunk);
        self.documents.push(&chunk);
        self.chunk = chunk;
    }

    /// The next value that is complete; `None` until more bytes come.
    pub(super) fn next(&mut self) -> Result<Option<&[u8]>, Malformed> {
        let Framing { documents, chunk, before, lines } = self;
        match documents.next() {
            None => Ok(None),
            Some(Ok(document)) => Ok(Some(document)),
            Some(Err(error)) => Err(locate(&error, chunk, *before, *lines)),
        }
    }

    /// Ends the input.
    pub(super) fn finish(self) -> Result<(), Malformed> {
        let Framing { documents, chunk, before, lines } = self;
        documents.finish().map_err(|error| locate(&error, &chunk, before, lines))
    }
}

fn locate(error: &StreamError, chunk: &[u8], before: u64, lines: u64) -> Malformed {
    let within = error.offset.checked_sub(before).and_then(|at| usize::try_from(at).ok());
    let line = within.and_then(|at| Some(lines + line_breaks(chunk.get(..at)?) + 1));
    Malformed { line, byte: error.offset, reason: error.reason }
}

fn line_breaks(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|byte| **byte == b'\n').count() as u64
}

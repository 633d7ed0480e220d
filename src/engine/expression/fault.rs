//! A defect of an expression before it is known where the expression stands.
//!
//! In: a byte offset and a message. Out: a [`CompileError`] with line and column. Must never know: languages.

use crate::definition::Formula;
use crate::error::CompileError;

/// The longest message in characters; parsers like to list every token they would have taken.
const MAX_MESSAGE: usize = 240;

/// What is wrong, and at which byte of the source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) at: u32,
    pub(super) message: String,
}

/// What the stages of compilation give.
pub(super) type Checked<T> = Result<T, Fault>;

/// A fault at a byte offset.
pub(super) fn fault(at: u32, message: impl Into<String>) -> Fault {
    Fault { at, message: message.into() }
}

/// The errors that the author sees.
pub(super) fn locate(faults: Vec<Fault>, formula: &Formula) -> Vec<CompileError> {
    faults.into_iter().map(|fault| fault.locate(formula)).collect()
}

impl Fault {
    /// The error that the author sees: `place:line:column: message`.
    pub(super) fn locate(self, formula: &Formula) -> CompileError {
        let (mut line, mut column) = (1, 1);
        let before = formula.text.char_indices().take_while(|(byte, _)| *byte < self.at as usize);
        for (_, character) in before {
            if character == '\n' {
                line += 1;
                column = 1;
            } else {
                column += 1;
            }
        }
        let message = match self.message.char_indices().nth(MAX_MESSAGE) {
            Some((end, _)) => format!("{}…", &self.message[..end]),
            None => self.message,
        };
        CompileError { place: formula.place.clone(), line, column, message }
    }
}

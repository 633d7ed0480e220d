//! What can be wrong with a definition, and what can go wrong with one object.
//!
//! Every error names the place in the user's document; none carries an object's contents beyond the value at fault, and
//! where that is confidential not even this.

use std::borrow::Cow;
use std::fmt::Display;

/// A definition that cannot be compiled: one defect, with its place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}{}: {message}", position(*.line, *.column))]
pub struct CompileError {
    /// Where the expression stands in the user's document, such as `spec.filter`.
    pub place: String,
    /// Line within the expression, from 1; 0 where the error concerns all of it.
    pub line: u32,
    /// Column within the line in characters, from 1; 0 where the error concerns all of it.
    pub column: u32,
    /// What is wrong, and where possible what was meant.
    pub message: String,
}

/// An expression that has no value for one object.
///
/// Invariant: whatever an object may have brought into the message lies within `quoted`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct EvaluationError {
    /// What happened; at most a few hundred bytes.
    pub message: Cow<'static, str>,
    /// Where a quotation begins and ends, in bytes.
    quoted: (u32, u32),
}

/// What stands in the place of a quotation for a definition that is confidential.
pub const CONFIDENTIAL: &str = "(confidential)";

impl EvaluationError {
    /// An error with this message. Of one that was put together nobody knows what an object has brought, so all of it
    /// counts as a quotation; see [`plain`](Self::plain) and [`quoting`](Self::quoting).
    pub fn new(message: impl Into<Cow<'static, str>>) -> Self {
        let message = message.into();
        let quoted = match &message {
            Cow::Borrowed(_) => (0, 0),
            Cow::Owned(text) => (0, length(text)),
        };
        EvaluationError { message, quoted }
    }

    /// An error whose message is put together, of nothing that an object has brought: names of types, counts, the text
    /// of the expression.
    pub fn plain(message: String) -> Self {
        EvaluationError { message: Cow::Owned(message), quoted: (0, 0) }
    }

    /// An error whose message quotes a value between `before` and `after`, which no object has brought.
    pub fn quoting(before: &str, value: impl Display, after: &str) -> Self {
        let mut message = format!("{before}{value}");
        let quoted = (length(before), length(&message));
        message.push_str(after);
        EvaluationError { message: Cow::Owned(message), quoted }
    }

    /// The same, with [`CONFIDENTIAL`] in the place of what it quotes.
    pub fn discreet(&self) -> Self {
        let (start, end) = (self.quoted.0 as usize, self.quoted.1 as usize);
        if start == end {
            return self.clone();
        }
        EvaluationError::plain(format!("{}{CONFIDENTIAL}{}", &self.message[..start], &self.message[end..]))
    }
}

fn length(text: &str) -> u32 {
    u32::try_from(text.len()).expect("messages are short")
}

fn position(line: u32, column: u32) -> String {
    if line == 0 { String::new() } else { format!(":{line}:{column}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_discreet_error_keeps_what_no_object_has_brought() {
        for (error, expected) in [
            (EvaluationError::new("division by zero"), "division by zero"),
            (EvaluationError::plain(format!("{} values", 3)), "3 values"),
            (EvaluationError::quoting("found ", "é", " where"), "found (confidential) where"),
            (EvaluationError::quoting("", 7, ""), "(confidential)"),
            (EvaluationError::new(format!("no such key: {}", "x")), "(confidential)"),
        ] {
            assert_eq!(error.discreet().to_string(), expected);
            assert_eq!(error.discreet().discreet().to_string(), expected);
        }
    }
}

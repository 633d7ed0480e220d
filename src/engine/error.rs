//! What can be wrong with a definition, and what can go wrong with one object.
//!
//! Every error names the place in the user's document; none carries an object's contents beyond the value at fault.

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
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct EvaluationError {
    /// What happened; at most a few hundred bytes.
    pub message: std::borrow::Cow<'static, str>,
}

impl EvaluationError {
    /// An error with this message.
    pub fn new(message: impl Into<std::borrow::Cow<'static, str>>) -> Self {
        EvaluationError { message: message.into() }
    }
}

fn position(line: u32, column: u32) -> String {
    if line == 0 { String::new() } else { format!(":{line}:{column}") }
}

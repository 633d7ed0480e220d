//! What a user should know of a declared object although it is no error.
//!
//! In: a place and what is odd there. Out: the same as a line. Must never know: who shows it.

use std::fmt;

/// Something that is no defect, but may surprise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// Where it stands in the user's document, such as `spec.projections[2].fieldPath`.
    pub place: String,
    /// What it is about.
    pub kind: WarningKind,
    /// What may surprise, as one line.
    pub message: String,
}

/// What a [`Warning`] is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WarningKind {
    /// A path that another dialect, or metrics-operator, reads differently.
    Readings,
    /// A field that does not exist, and so is ignored.
    Field,
    /// What fits no object of its kind.
    Schema,
    /// Anything else.
    Other,
}

// === impl Warning ===

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)
    }
}

/// So that tests can say what they expect as users see it.
#[cfg(test)]
impl PartialEq<&str> for Warning {
    fn eq(&self, other: &&str) -> bool {
        *other == format!("{}: {}", self.place, self.message).as_str()
    }
}

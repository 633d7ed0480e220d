//! What is wrong with, or odd about, what was read.
//!
//! In: errors and warnings of everyone who reads Metrics. Out: the same, each with its place, and as a line. Must never
//! know: who shows them.

use std::fmt;

use celemetry_engine::error::CompileError;

use super::input::Place;
use crate::controller::{ManifestError, Warning, WarningKind};

/// One thing that a user should mend, or know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What sort of thing.
    pub kind: FindingKind,
    /// The document.
    pub place: Place,
    /// What the document declares, such as `Metric pods-by-phase`, where that is to be said.
    pub subject: Option<String>,
    /// Where in the document, such as `spec.filter`; empty where it is about all of it.
    pub path: String,
    /// Line and column of the text at `path`, both from 1; (0, 0) where it is about all of it.
    pub within: (u32, u32),
    /// What it is.
    pub message: String,
}

/// What sort of thing a [`Finding`] is: an error, or one of several sorts of warning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FindingKind {
    /// It keeps the Metric from working.
    Error,
    /// A path that another dialect reads differently.
    Readings,
    /// A field that does not exist, and so is ignored.
    Field,
    /// An expression that fits no object of its kind.
    Schema,
    /// A name that another Metric has already.
    Conflict,
    /// An attribute that has a value of its own for nearly every object.
    Unbounded,
    /// A number without a unit.
    Unit,
    /// A name that is not as conventions have it.
    Name,
    /// An expression that may need more steps than it may take.
    Cost,
    /// Any other warning.
    Other,
}

// === impl Finding ===

impl Finding {
    /// Something about all of what stands at `path`.
    pub fn new(kind: FindingKind, place: &Place, path: &str, message: impl Into<String>) -> Self {
        let (place, path, message) = (place.clone(), path.to_owned(), message.into());
        Finding { kind, place, subject: None, path, within: (0, 0), message }
    }

    /// An error about a whole document.
    pub(super) fn error(place: &Place, message: impl Into<String>) -> Self {
        Finding::new(FindingKind::Error, place, "", message)
    }

    /// A defect of the shape of a document.
    pub(super) fn of_manifest(place: &Place, error: &ManifestError) -> Self {
        match error {
            ManifestError::Shape { place: path, message } => {
                Finding::new(FindingKind::Error, place, path, message.as_str())
            }
            other => Finding::error(place, other.to_string()),
        }
    }

    /// A defect of a definition.
    pub(super) fn of_compiling(place: &Place, subject: String, error: &CompileError) -> Self {
        let within = (error.line, error.column);
        let finding = Finding::new(FindingKind::Error, place, &error.place, error.message.as_str());
        Finding { subject: Some(subject), within, ..finding }
    }

    /// What a controller warns of.
    pub(super) fn of_warning(place: &Place, warning: &Warning) -> Self {
        let kind = match warning.kind {
            WarningKind::Readings => FindingKind::Readings,
            WarningKind::Field => FindingKind::Field,
            WarningKind::Schema => FindingKind::Schema,
            WarningKind::Other => FindingKind::Other,
        };
        Finding::new(kind, place, &warning.place, warning.message.as_str())
    }

    /// Whether `other`, of the same text, only says in other words what is wrong there: at the same place in it, or about
    /// all of it as this one is.
    pub(super) fn covers(&self, other: &Finding) -> bool {
        let is_same = self.place == other.place && self.path == other.path;
        is_same && (self.within == other.within || (self.within == (0, 0) && other.within == (1, 1)))
    }

    /// What is said of it, without the file: `spec.filter:1:1: …`.
    pub fn text(&self) -> String {
        let position = match self.within {
            (0, _) => String::new(),
            (line, column) => format!(":{line}:{column}"),
        };
        let colon = if self.path.is_empty() && position.is_empty() { "" } else { ": " };
        format!("{}{position}{colon}{}", self.path, self.message)
    }
}

impl fmt::Display for Finding {
    /// As compilers have it, without the word that says how bad it is.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.place)?;
        if let Some(subject) = &self.subject {
            write!(f, "{subject}: ")?;
        }
        f.write_str(&self.text())
    }
}

// === impl FindingKind ===

impl FindingKind {
    /// All but errors.
    pub const WARNINGS: [FindingKind; 9] = [
        FindingKind::Readings,
        FindingKind::Field,
        FindingKind::Schema,
        FindingKind::Conflict,
        FindingKind::Unbounded,
        FindingKind::Unit,
        FindingKind::Name,
        FindingKind::Cost,
        FindingKind::Other,
    ];

    /// Its name in arguments and in JSON.
    pub fn name(self) -> &'static str {
        match self {
            FindingKind::Error => "error",
            FindingKind::Readings => "readings",
            FindingKind::Field => "field",
            FindingKind::Schema => "schema",
            FindingKind::Conflict => "conflict",
            FindingKind::Unbounded => "unbounded",
            FindingKind::Unit => "unit",
            FindingKind::Name => "name",
            FindingKind::Cost => "cost",
            FindingKind::Other => "other",
        }
    }
}

//! What is wrong with a metric, and what is worth saying: collected, so that a user sees all of it at once.
//!
//! In: places and messages. Out: all errors and all warnings. Must never know: what a metric is.

use super::LowerError;
use crate::controller::message::one_line;
use crate::controller::warning::{Warning, WarningKind};

/// Defects and warnings in the order in which they were found.
#[derive(Debug, Default)]
pub(super) struct Findings {
    errors: Vec<LowerError>,
    warnings: Vec<Warning>,
}

impl Findings {
    /// A defect of all that stands at `place`.
    pub(super) fn error(&mut self, place: &str, message: &str) {
        self.error_at(place, (0, 0), message);
    }

    /// A defect at a line and column, both from 1, of the text at `place`.
    pub(super) fn error_at(&mut self, place: &str, (line, column): (u32, u32), message: &str) {
        self.errors.push(LowerError { place: place.to_owned(), line, column, message: one_line(message) });
    }

    /// Something that is no defect, but may surprise.
    pub(super) fn warn(&mut self, place: &str, message: &str) {
        self.warn_of(WarningKind::Other, place, message);
    }

    /// The same, of a kind that some refuse.
    pub(super) fn warn_of(&mut self, kind: WarningKind, place: &str, message: &str) {
        self.warnings.push(Warning { place: place.to_owned(), kind, message: one_line(message) });
    }

    /// The one of `choices` that `text` names; an absent or empty text is `default`, and so is an unknown one, which
    /// is a defect.
    pub(super) fn choose<T: Copy>(
        &mut self,
        place: &str,
        text: Option<&str>,
        choices: &[(&str, T)],
        default: T,
    ) -> T {
        let Some(text) = text.filter(|text| !text.is_empty()) else { return default };
        if let Some((_, choice)) = choices.iter().find(|(name, _)| *name == text) {
            return *choice;
        }
        let known = choices.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
        self.error(place, &format!("'{text}' is none of {known}"));
        default
    }

    /// All warnings and all defects.
    pub(super) fn into_parts(self) -> (Vec<Warning>, Vec<LowerError>) {
        (self.warnings, self.errors)
    }
}

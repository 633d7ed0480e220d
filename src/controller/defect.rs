//! Defects of a declared object that are found before anything is compiled.
//!
//! In: what is wrong, and where. Out: errors as compiling gives them. Must never know: who shows them.

use super::lower::LowerError;
use super::manifest::ManifestError;

/// A defect of all of what stands at `place`.
pub(super) fn defect(place: &str, message: &str) -> LowerError {
    LowerError { place: place.to_owned(), line: 0, column: 0, message: message.to_owned() }
}

/// A defect of the object's shape.
pub(super) fn of_manifest(error: ManifestError) -> LowerError {
    match error {
        ManifestError::Shape { place, message } => defect(&place, &message),
        other => defect("", &other.to_string()),
    }
}

//! What is known of the objects of a kind, for checking Metrics before there is an object.
//!
//! In: CustomResourceDefinitions, OpenAPI documents, the kinds of Kubernetes. Out: schemas of the engine, by kind; what of
//! a Metric fits none of its target's objects. Must never know: where any of these come from.

mod lowering;
mod definition;
mod document;
mod builtin;
mod known;
mod published;
#[cfg(test)]
mod tests;

pub use builtin::KUBERNETES;
pub use definition::{DEFINITION_KIND, is_definition, of_definition};
pub use document::{DocumentError, of_document};
pub use known::KnownKinds;
pub use published::{Published, PublishedSchemas};

use std::fmt;

use celemetry_engine::definition::Definition;
use celemetry_engine::error::CompileError;
use celemetry_engine::schema::{Schema, misfits};

/// A kind in one version.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Kind {
    /// API group; empty for the core group.
    pub group: String,
    /// API version.
    pub version: String,
    /// CamelCase, singular.
    pub kind: String,
}

// === impl Kind ===

impl Kind {
    /// A kind of these parts.
    pub fn new(group: &str, version: &str, kind: &str) -> Self {
        Kind { group: group.to_owned(), version: version.to_owned(), kind: kind.to_owned() }
    }
}

impl fmt::Display for Kind {
    /// `Pod of v1`, `Deployment of apps/v1`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let slash = if self.group.is_empty() { "" } else { "/" };
        write!(f, "{} of {}{slash}{}", self.kind, self.group, self.version)
    }
}

/// What of a definition fits no object of any of these kinds; nothing where there are none. The first kind is in each
/// message, which begins with its name and what more is said of where it is from.
pub fn misfits_of_all<'s>(
    definition: &Definition,
    kinds: impl IntoIterator<Item = (String, &'s Schema)>,
) -> Vec<CompileError> {
    let mut kinds = kinds.into_iter();
    let Some((name, schema)) = kinds.next() else { return vec![] };
    let mut found = misfits(definition, schema);
    for (_, schema) in kinds {
        if found.is_empty() {
            return found;
        }
        // What one kind has may be meant, and have no meaning for the others.
        let others = misfits(definition, schema);
        let at = |error: &CompileError| (error.place.clone(), error.line, error.column);
        found.retain(|error| others.iter().any(|other| at(other) == at(error)));
    }
    for error in &mut found {
        error.message = format!("{name}: {}", error.message);
    }
    found
}

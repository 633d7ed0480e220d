//! What is known of the kinds that Metrics target, and what of the Metrics fits none of their objects.
//!
//! In: CustomResourceDefinitions among documents. Out: kinds, warnings. Must never know: formats, clusters.

use celemetry_engine::error::CompileError;

use super::finding::{Finding, FindingKind};
use super::input::{Document, Place, items};
use crate::controller::Lowered;
use crate::controller::schema::{DEFINITION_KIND, KnownKinds, is_definition, of_definition};

/// Takes the definitions out of `documents`, and gives what they define besides the kinds of Kubernetes; what was odd
/// about them is added to `warnings`.
pub(super) fn of_documents(documents: &mut Vec<Document>, warnings: &mut Vec<Finding>) -> KnownKinds {
    let mut known = KnownKinds::new();
    let (definitions, others): (Vec<_>, Vec<_>) =
        documents.drain(..).flat_map(items).partition(|document| is_definition(&document.value));
    *documents = others;
    for Document { place, value } in definitions {
        match of_definition(&value) {
            Ok(kinds) => known.add(kinds),
            Err(message) => {
                let message = format!("a {DEFINITION_KIND} that says nothing: {message}");
                warnings.push(Finding::new(FindingKind::Other, &place, "", message));
            }
        }
    }
    known
}

/// What of a Metric fits none of its target's objects.
pub(super) fn misfits(known: &KnownKinds, place: &Place, lowered: &Lowered) -> Vec<Finding> {
    let finding = |error: CompileError| {
        let within = (error.line, error.column);
        Finding { within, ..Finding::new(FindingKind::Schema, place, &error.place, error.message) }
    };
    known.misfits(lowered).into_iter().map(finding).collect()
}

//! What is known of the kinds that Metrics target, and what of the Metrics fits none of their objects.
//!
//! In: CustomResourceDefinitions among the documents, saved OpenAPI documents. Out: warnings. Must never know: formats.

use std::fs;

use celemetry_engine::error::CompileError;
use celemetry_engine::schema::Schema;

use super::Problem;
use crate::cli::finding::{Finding, FindingKind};
use crate::cli::input::{Document, Place, items};
use crate::controller::Lowered;
use crate::controller::schema::{
    DEFINITION_KIND, Kind, KnownKinds, is_definition, of_definition, of_document,
};

/// The largest OpenAPI document that is read. The largest that Kubernetes publishes is a tenth of it.
const LARGEST_DOCUMENT: u64 = 32 * 1024 * 1024;

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

/// Adds the kinds of saved OpenAPI documents.
///
/// # Errors
/// Each file that is none.
pub(super) fn add_openapi(files: &[String], known: &mut KnownKinds) -> Vec<Problem> {
    let mut problems = vec![];
    for file in files {
        match read(file) {
            Ok(kinds) => known.add(kinds),
            Err(message) => problems.push(Problem::of_everything(format!("--openapi {file}: {message}"))),
        }
    }
    problems
}

fn read(file: &str) -> Result<Vec<(Kind, Schema)>, String> {
    let length = fs::metadata(file).map_err(|error| error.to_string())?.len();
    if length > LARGEST_DOCUMENT {
        return Err(format!("is larger than {} MiB", LARGEST_DOCUMENT / 1024 / 1024));
    }
    let bytes = fs::read(file).map_err(|error| error.to_string())?;
    let document = serde_json::from_slice(&bytes).map_err(|error| format!("is no JSON: {error}"))?;
    of_document(&document, |_| true).map_err(|error| error.to_string())
}

/// What of a Metric fits none of its target's objects.
pub(super) fn misfits(known: &KnownKinds, place: &Place, lowered: &Lowered) -> Vec<Finding> {
    let finding = |error: CompileError| {
        let within = (error.line, error.column);
        Finding { within, ..Finding::new(FindingKind::Schema, place, &error.place, error.message) }
    };
    known.misfits(lowered).into_iter().map(finding).collect()
}

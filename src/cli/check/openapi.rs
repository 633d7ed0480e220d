//! Kinds that are known from saved OpenAPI documents.
//!
//! In: files. Out: kinds with their schemas, or what is wrong with a file. Must never know: Metrics.

use std::fs;

use celemetry_engine::schema::Schema;

use super::Problem;
use crate::controller::schema::{Kind, KnownKinds, of_document};

/// The largest OpenAPI document that is read. The largest that Kubernetes publishes is a tenth of it.
const LARGEST_DOCUMENT: u64 = 32 * 1024 * 1024;

/// Adds the kinds of saved OpenAPI documents.
///
/// # Errors
/// Each file that is none.
pub(super) fn add(files: &[String], known: &mut KnownKinds) -> Vec<Problem> {
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

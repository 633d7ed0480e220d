//! OpenAPI documents as API servers publish them under `/openapi/v3`, one for each group and version.
//!
//! In: a document. Out: the schemas of its kinds. Must never know: who fetched it.

use celemetry_engine::schema::Schema;
use serde_json::{Map, Value};

use super::Kind;
use super::lowering::Lowering;

/// Why a document is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// It has no schemas where OpenAPI v3 has them.
    #[error("this is no OpenAPI v3 document: components.schemas is missing")]
    NoSchemas,
    /// It has schemas, and none of a kind.
    #[error("none of its schemas is that of a kind")]
    NoKinds,
}

/// The kinds of a document for which `wanted` holds, and the schemas of their objects.
///
/// # Errors
/// Where it is no document, or has no kind at all.
pub fn of_document(
    document: &Value,
    wanted: impl Fn(&Kind) -> bool,
) -> Result<Vec<(Kind, Schema)>, DocumentError> {
    let schemas = document.pointer("/components/schemas").and_then(Value::as_object);
    let schemas = schemas.ok_or(DocumentError::NoSchemas)?;
    let (mut kinds, mut is_any) = (vec![], false);
    for node in schemas.values() {
        let Some(kind) = kind_of(node) else { continue };
        is_any = true;
        if wanted(&kind) {
            kinds.push((kind, Lowering::new(schemas, None).object(node)));
        }
    }
    if is_any { Ok(kinds) } else { Err(DocumentError::NoKinds) }
}

/// The one kind whose objects a schema describes. Options of requests belong to many, and are none.
fn kind_of(node: &Value) -> Option<Kind> {
    let properties = node.get("properties").and_then(Value::as_object)?;
    let [only] = node.get("x-kubernetes-group-version-kind")?.as_array()?.as_slice() else { return None };
    let only: &Map<String, Value> = only.as_object()?;
    let text = |name: &str| only.get(name).and_then(Value::as_str).unwrap_or_default();
    let kind = Kind::new(text("group"), text("version"), text("kind"));
    (properties.contains_key("metadata") && !kind.kind.is_empty()).then_some(kind)
}

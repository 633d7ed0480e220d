//! CustomResourceDefinitions.
//!
//! In: the manifest of a definition. Out: a schema for each version that is served. Must never know: files.

use celemetry_engine::schema::Schema;
use serde_json::Value;

use super::Kind;
use super::builtin::object_metadata;
use super::lowering::Lowering;

/// The kind of definitions.
pub const DEFINITION_KIND: &str = "CustomResourceDefinition";

/// Whether a manifest is a definition.
pub fn is_definition(manifest: &Value) -> bool {
    let text = |name: &str| manifest.get(name).and_then(Value::as_str).unwrap_or_default();
    text("kind") == DEFINITION_KIND && text("apiVersion").starts_with("apiextensions.k8s.io/")
}

/// The kinds that a definition defines, and the schemas of their objects.
///
/// # Errors
/// What is wrong with it.
pub fn of_definition(manifest: &Value) -> Result<Vec<(Kind, Schema)>, String> {
    let text =
        |pointer: &str| manifest.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty());
    let group = text("/spec/group").ok_or("spec.group is missing")?;
    let kind = text("/spec/names/kind").ok_or("spec.names.kind is missing")?;
    let versions = manifest.pointer("/spec/versions").and_then(Value::as_array);
    let versions = versions.ok_or("spec.versions is missing")?;
    let (metadata, definitions) = object_metadata();
    let keeps_everything =
        manifest.pointer("/spec/preserveUnknownFields").and_then(Value::as_bool) == Some(true);
    let mut kinds = vec![];
    for version in versions {
        let Some(name) = version.get("name").and_then(Value::as_str) else {
            return Err("a version has no name".to_owned());
        };
        if version.get("served").and_then(Value::as_bool) == Some(false) {
            continue;
        }
        let root = version.pointer("/schema/openAPIV3Schema").filter(|_| !keeps_everything);
        let schema = match root {
            Some(root) => Lowering::new(&definitions, Some(&metadata)).object(root),
            None => Schema::new(),
        };
        kinds.push((Kind::new(group, name, kind), schema));
    }
    Ok(kinds)
}

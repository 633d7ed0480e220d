//! The CustomResourceDefinition of a kind, from its types.
//!
//! In: the types of a kind and a group. Out: the manifest, with a structural schema and keys in order. Must never
//! know: files, clusters.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::group::{Group, VERSION};

/// What the definition of a kind is made from.
pub trait Declared {
    /// CamelCase, singular.
    const KIND: &'static str;
    /// Lower case, plural.
    const PLURAL: &'static str;
    /// For `kubectl explain`.
    const DESCRIPTION: &'static str;
    /// What `kubectl get` prints beside the name.
    const COLUMNS: &'static [Column];
    /// The type of `spec`.
    type Spec: JsonSchema;
    /// The type of `status`.
    type Status: JsonSchema;
}

/// A column of `kubectl get`.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// Its header.
    pub name: &'static str,
    /// JSONPath of its text.
    pub path: &'static str,
    /// `string`, `integer`, `date` and so on.
    pub kind: &'static str,
}

/// The CustomResourceDefinition of `K` in `group`. Deterministic: the keys of every object are in alphabetical order.
pub fn custom_resource_definition<K: Declared>(group: Group) -> Value {
    let columns = K::COLUMNS
        .iter()
        .map(|column| json!({ "name": column.name, "jsonPath": column.path, "type": column.kind }))
        .collect::<Vec<_>>();
    let mut version = json!({
        "name": VERSION,
        "served": true,
        "storage": true,
        "subresources": { "status": {} },
        "schema": { "openAPIV3Schema": {
            "description": K::DESCRIPTION,
            "type": "object",
            "properties": {
                "apiVersion": { "type": "string", "description": "Group and version of the object." },
                "kind": { "type": "string", "description": "Kind of the object." },
                "metadata": { "type": "object" },
                "spec": structural_schema::<K::Spec>(),
                "status": structural_schema::<K::Status>(),
            },
        } },
    });
    if !columns.is_empty() {
        version["additionalPrinterColumns"] = Value::Array(columns);
    }
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": { "name": format!("{}.{}", K::PLURAL, group.name()) },
        "spec": {
            "group": group.name(),
            "names": {
                "kind": K::KIND,
                "listKind": format!("{}List", K::KIND),
                "plural": K::PLURAL,
                "singular": K::KIND.to_lowercase(),
            },
            "scope": "Namespaced",
            "versions": [version],
        },
    })
}

/// The schema of `T` as an API server accepts it: nothing is referenced, every node has one type, and an optional
/// field is simply not required.
fn structural_schema<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::openapi3().with(|settings| {
        settings.inline_subschemas = true;
        settings.meta_schema = None;
        settings.transforms.clear();
    });
    let mut schema = settings.into_generator().into_root_schema_for::<T>().to_value();
    make_structural(&mut schema);
    schema
}

/// Drops what JSON Schema has and a structural schema has not. The depth is that of our types.
fn make_structural(schema: &mut Value) {
    let Some(node) = schema.as_object_mut() else { return };
    node.remove("title");
    node.remove("$schema");
    drop_null_type(node);
    drop_filled_default(node);
    if let Some(items) = node.get_mut("items") {
        make_structural(items);
    }
    if let Some(members) = node.get_mut("properties").and_then(Value::as_object_mut) {
        members.values_mut().for_each(make_structural);
    }
}

/// `Option<T>` is written as a choice of T and null, either of types or of schemas.
fn drop_null_type(node: &mut Map<String, Value>) {
    if let Some(types) = node.get("type").and_then(Value::as_array)
        && let Some(only) = types.iter().find(|kind| *kind != "null").cloned()
    {
        node.insert("type".to_owned(), only);
    }
    if let Some(Value::Array(choice)) = node.remove("anyOf")
        && let Some(Value::Object(schema)) = choice.into_iter().find(|schema| schema["type"] != "null")
    {
        for (key, value) in schema {
            node.entry(key).or_insert(value);
        }
    }
}

/// The default of a container, and null, are what serde fills in where nothing is written, and not for an API server
/// to store.
fn drop_filled_default(node: &mut Map<String, Value>) {
    let container = node.get("type").is_some_and(|kind| kind == "array" || kind == "object");
    if container || node.get("default").is_some_and(Value::is_null) {
        node.remove("default");
    }
}

//! The objects that are to be explained.
//!
//! In: paths. Out: JSON objects, with the namespace that they are taken to be in. Must never know: Metrics.

use std::io::Read;

use serde_json::Value;

use crate::cli::input::{items, read_documents};
use crate::cluster::target::is_cluster_scoped;

/// Every object of every document; a List is its items, and a watch event its object.
///
/// # Errors
/// What cannot be read, as a line for people.
pub(super) fn read(paths: &[String]) -> Result<Vec<Value>, String> {
    let (documents, errors) = read_documents(paths, &mut std::io::stdin().lock() as &mut dyn Read);
    if let Some(error) = errors.first() {
        return Err(error.to_string());
    }
    let mut objects = vec![];
    for mut document in documents {
        if document.value.get("type").is_some_and(Value::is_string) && document.value["object"].is_object() {
            document.value = document.value["object"].take();
        }
        for document in items(document) {
            if !document.value.is_object() {
                return Err(format!("{}: is no object", document.place));
            }
            objects.push(placed(document.value));
        }
    }
    if objects.is_empty() && !paths.is_empty() {
        return Err(format!("{}: no object there", paths.join(", ")));
    }
    Ok(objects)
}

/// With the namespace `default`, if it has none and is of a kind that has.
fn placed(mut object: Value) -> Value {
    let text = |name: &str| object[name].as_str().unwrap_or_default();
    let is_outside = is_cluster_scoped(text("apiVersion"), text("kind"));
    if let (false, Some(metadata)) = (is_outside, object["metadata"].as_object_mut()) {
        metadata.entry("namespace").or_insert_with(|| "default".into());
    }
    object
}

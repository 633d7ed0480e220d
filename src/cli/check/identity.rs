//! What the API server asks of every object that it takes: its name, its namespace, its labels and annotations.
//!
//! In: metadata. Out: errors, in the words of the API server. Must never know: kinds.

use celemetry_engine::scalar::Format;
use kube::api::ObjectMeta;

use crate::cli::finding::{Finding, FindingKind};
use crate::cli::input::Place;

/// Every error of the metadata of what is called `kind`.
pub(super) fn errors(place: &Place, kind: &str, metadata: &ObjectMeta) -> Vec<Finding> {
    let name = metadata.name.as_deref().filter(|name| !name.is_empty());
    let subject = format!("{kind} {}", name.unwrap_or("without a name"));
    let error = |(path, message): (&str, String)| {
        let finding = Finding::new(FindingKind::Error, place, path, message);
        Finding { subject: Some(subject.clone()), ..finding }
    };
    faults(metadata).into_iter().map(error).collect()
}

fn faults(metadata: &ObjectMeta) -> Vec<(&'static str, String)> {
    let mut faults = vec![];
    let mut add = |path, text: &str, found: Vec<String>| {
        faults.extend(found.into_iter().map(|fault| (path, format!("'{text:.64}': {fault}"))));
    };
    // What is missing is told by whoever needs it.
    let texts = [
        ("metadata.name", &metadata.name, Format::Dns1123Subdomain),
        ("metadata.namespace", &metadata.namespace, Format::Dns1123Label),
    ];
    for (path, text, form) in texts {
        if let Some(text) = text.as_deref().filter(|text| !text.is_empty()) {
            add(path, text, form.faults(text));
        }
    }
    for (key, value) in metadata.labels.iter().flatten() {
        add("metadata.labels", key, Format::QualifiedName.faults(key));
        add("metadata.labels", value, Format::LabelValue.faults(value));
    }
    for key in metadata.annotations.iter().flatten().map(|(key, _)| key) {
        // Their keys may have capitals before the slash too.
        add("metadata.annotations", key, Format::QualifiedName.faults(&key.to_lowercase()));
    }
    faults
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn metadata(json: &serde_json::Value) -> ObjectMeta {
        serde_json::from_value(json.clone()).unwrap()
    }

    #[test]
    fn what_the_api_server_takes_is_fine() {
        for fine in [
            json!({}),
            json!({"name": "a.b-1", "namespace": "team-a"}),
            json!({"name": "a", "labels": {"example.org/Tier": "Front_End", "app": ""}}),
            json!({"name": "a", "annotations": {"Example.org/Note": "any text, however it is\n"}}),
        ] {
            assert_eq!(faults(&metadata(&fine)), [], "{fine}");
        }
    }

    #[test]
    fn what_it_refuses_is_named_with_its_place() {
        let long = "a".repeat(254);
        for (wrong, places) in [
            (json!({"name": "UPPER_bad name"}), &["metadata.name"][..]),
            (json!({"name": "-a"}), &["metadata.name"]),
            (json!({"name": long}), &["metadata.name"]),
            (json!({"name": "a", "namespace": "x y"}), &["metadata.namespace"]),
            (json!({"name": "a", "namespace": "a.b"}), &["metadata.namespace"]),
            (json!({"labels": {"a b": "c", "d": "e f"}}), &["metadata.labels", "metadata.labels"]),
            (json!({"labels": {"a": "a".repeat(64)}}), &["metadata.labels"]),
            (json!({"annotations": {"a b": "c"}}), &["metadata.annotations"]),
        ] {
            let found: Vec<_> = faults(&metadata(&wrong)).into_iter().map(|(place, _)| place).collect();
            assert_eq!(found, places, "{wrong}");
        }
    }
}

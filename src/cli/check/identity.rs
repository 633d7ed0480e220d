//! What the API server asks of every object that it takes: its name, its namespace, its labels and annotations.
//!
//! In: metadata. Out: errors, in the words of the API server. Must never know: kinds.

use celemetry_engine::scalar::Format;
use kube::api::ObjectMeta;

use crate::cli::finding::{Finding, FindingKind};
use crate::cli::input::Place;

/// The longest name of a label that is shown whole, in bytes; Kubernetes takes none that is longer.
const LONGEST_SHOWN: usize = 253 + 1 + 63;

/// Every error of the metadata of what is called `kind`.
pub(super) fn errors(place: &Place, kind: &str, metadata: &ObjectMeta) -> Vec<Finding> {
    let name = metadata.name.as_deref().filter(|name| !name.is_empty());
    let subject = format!("{kind} {}", name.unwrap_or("without a name"));
    let error = |(path, message): (String, String)| {
        let finding = Finding::new(FindingKind::Error, place, &path, message);
        Finding { subject: Some(subject.clone()), ..finding }
    };
    faults(metadata).into_iter().map(error).collect()
}

fn faults(metadata: &ObjectMeta) -> Vec<(String, String)> {
    let mut faults = vec![];
    let mut add = |path: &str, text: &str, found: Vec<String>| {
        faults.extend(found.into_iter().map(|fault| (path.to_owned(), format!("'{text:.64}': {fault}"))));
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
        let path = member("metadata.labels", key);
        add(&path, key, Format::QualifiedName.faults(key));
        add(&path, value, Format::LabelValue.faults(value));
    }
    for key in metadata.annotations.iter().flatten().map(|(key, _)| key) {
        // Their keys may have capitals before the slash too.
        let path = member("metadata.annotations", key);
        add(&path, key, Format::QualifiedName.faults(&key.to_lowercase()));
    }
    faults
}

/// The place of a member of a map, or of the map where the name is too long to be part of a message.
fn member(map: &str, name: &str) -> String {
    if name.len() > LONGEST_SHOWN { map.to_owned() } else { format!("{map}['{}']", name.escape_debug()) }
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
            (
                json!({"labels": {"a b": "c", "d": "e f"}}),
                &["metadata.labels['a b']", "metadata.labels['d']"],
            ),
            (json!({"labels": {"a": "a".repeat(64)}}), &["metadata.labels['a']"]),
            (json!({"labels": {"a".repeat(318): "a"}}), &["metadata.labels"]),
            (json!({"annotations": {"a b": "c"}}), &["metadata.annotations['a b']"]),
        ] {
            let found: Vec<_> = faults(&metadata(&wrong)).into_iter().map(|(place, _)| place).collect();
            assert_eq!(found, places, "{wrong}");
        }
    }
}

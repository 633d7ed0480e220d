//! What `spec.namespaceSelector` says of an object, as far as its Namespace is among the objects.
//!
//! In: objects, a selector. Out: a verdict, or that there is none. Must never know: clusters, traces.

use std::collections::BTreeMap;

use celemetry_engine::definition::LabelRequirement;
use serde_json::Value;

use crate::controller::{matches, print_label_selector};

/// The Namespaces among the objects.
#[derive(Debug)]
pub(super) struct Namespaces {
    labels: BTreeMap<String, BTreeMap<String, String>>,
}

/// A selector of namespaces, and what it says of the one that an object is in.
#[derive(Debug)]
pub(super) struct NamespaceTest {
    /// As kubectl takes it.
    pub(super) selector: String,
    /// The namespace; `None` where the object is in none, and so is not selected.
    pub(super) namespace: Option<String>,
    /// The namespace's labels; `None` where they are not known.
    pub(super) found: Option<String>,
    /// Whether it selects the object; `None` where that is not known.
    pub(super) holds: Option<bool>,
}

// === impl Namespaces ===

impl Namespaces {
    pub(super) fn among(objects: &[Value]) -> Self {
        let labels =
            objects.iter().filter(|object| object["apiVersion"] == "v1" && object["kind"] == "Namespace");
        let labels = labels.filter_map(|namespace| {
            let labels = namespace["metadata"]["labels"].as_object().into_iter().flatten();
            let labels = labels.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())));
            Some((namespace["metadata"]["name"].as_str()?.to_owned(), labels.collect()))
        });
        Namespaces { labels: labels.collect() }
    }

    /// What the selector says of `object`.
    pub(super) fn test(&self, selector: &[LabelRequirement], object: &Value) -> NamespaceTest {
        let namespace = object["metadata"]["namespace"].as_str().filter(|name| !name.is_empty());
        let labels = namespace.and_then(|name| self.labels.get(name));
        let holds = match (namespace, labels) {
            (None, _) => Some(false),
            (Some(_), labels) => labels.map(|labels| matches(selector, labels)),
        };
        let found = labels.map(|labels| {
            let labels: Vec<String> = labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
            labels.join(",")
        });
        NamespaceTest {
            selector: print_label_selector(selector),
            namespace: namespace.map(str::to_owned),
            found,
            holds,
        }
    }
}

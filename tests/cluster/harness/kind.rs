//! Custom kinds for tests, each in a group of its own.
//!
//! In: names, versions, a few typed fields. Out: a CustomResourceDefinition that the API server serves, and objects of it.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use super::client::{Client, collection, plural};
use super::wait::until;

/// A custom kind. Its objects keep whatever fields they are given.
#[derive(Clone)]
pub(crate) struct Kind {
    pub(crate) group: String,
    pub(crate) kind: String,
    /// The first is the one that is stored.
    pub(crate) versions: Vec<String>,
    namespaced: bool,
    fields: Vec<(String, String)>,
    selectable: Vec<String>,
}

// === impl Kind ===

impl Kind {
    /// A namespaced kind with version `v1` in a group that no other kind of this run has.
    pub(crate) fn new(kind: &str) -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(1);
        Self {
            group: format!("g{}.example.org", NUMBER.fetch_add(1, Ordering::Relaxed)),
            kind: kind.to_owned(),
            versions: vec!["v1".to_owned()],
            namespaced: true,
            fields: vec![],
            selectable: vec![],
        }
    }

    /// Serves these versions, and stores the first.
    pub(crate) fn versions(mut self, versions: &[&str]) -> Self {
        self.versions = versions.iter().map(|version| (*version).to_owned()).collect();
        self
    }

    pub(crate) fn cluster_scoped(mut self) -> Self {
        self.namespaced = false;
        self
    }

    /// A field of the spec with a type of its own, which `selectable` needs.
    pub(crate) fn field(mut self, name: &str, kind: &str) -> Self {
        self.fields.push((name.to_owned(), kind.to_owned()));
        self
    }

    /// A field of the spec that a field selector may name: `spec.NAME`.
    pub(crate) fn selectable(mut self, name: &str) -> Self {
        self.selectable.push(name.to_owned());
        self.field(name, "string")
    }

    /// `group/version` of the version that is stored.
    pub(crate) fn api_version(&self) -> String {
        format!("{}/{}", self.group, self.versions[0])
    }

    /// The CustomResourceDefinition.
    pub(crate) fn definition(&self) -> Value {
        let fields: Value =
            self.fields.iter().map(|(name, kind)| (name.clone(), json!({"type": kind}))).collect();
        let part = |fields: &Value| json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true, "properties": fields});
        let schema =
            json!({"type": "object", "properties": {"spec": part(&fields), "status": part(&json!({}))}});
        let selectable: Vec<Value> =
            self.selectable.iter().map(|name| json!({"jsonPath": format!(".spec.{name}")})).collect();
        let version = |(at, version): (usize, &String)| {
            json!({
                "name": version, "served": true, "storage": at == 0, "subresources": {"status": {}},
                "schema": {"openAPIV3Schema": schema}, "selectableFields": selectable,
            })
        };
        let plural = plural(&self.kind);
        json!({
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": format!("{plural}.{}", self.group)},
            "spec": {
                "group": self.group, "scope": if self.namespaced { "Namespaced" } else { "Cluster" },
                "names": {"kind": self.kind, "plural": plural, "singular": self.kind.to_lowercase()},
                "versions": self.versions.iter().enumerate().map(version).collect::<Vec<_>>(),
            },
        })
    }

    /// Creates or updates the definition, and waits until the kind is served in all its versions.
    #[track_caller]
    pub(crate) fn install(self, client: &Client) -> Self {
        install(client, &self.definition());
        self
    }

    /// Deletes the definition, and with it all objects, and waits until the kind is served no more.
    #[track_caller]
    pub(crate) fn remove(&self, client: &Client) {
        client.delete(&self.definition());
        let path = collection(&self.api_version(), &self.kind, None);
        until("the end of the kind", || {
            let response = client.send(&http::Method::GET, &path, "application/json", String::new())?;
            if response.status == 404 { Ok(()) } else { Err(response.status.to_string()) }
        });
    }

    /// An object with this spec; without a namespace for a cluster-scoped kind.
    pub(crate) fn object(&self, namespace: Option<&str>, name: &str, spec: Value) -> Value {
        let mut metadata = json!({"name": name});
        if let Some(namespace) = namespace {
            metadata["namespace"] = json!(namespace);
        }
        let mut object = json!({"apiVersion": self.api_version(), "kind": self.kind, "metadata": metadata});
        object["spec"] = spec;
        object
    }
}

/// Applies a CustomResourceDefinition and waits until all its versions are served.
#[track_caller]
pub(crate) fn install(client: &Client, definition: &Value) {
    client.apply(definition);
    client.wait_condition(definition, "Established", "True");
    let spec = &definition["spec"];
    let (group, plural) = (spec["group"].as_str().unwrap(), spec["names"]["plural"].as_str().unwrap());
    for version in spec["versions"].as_array().unwrap() {
        let path = format!("/apis/{group}/{}/{plural}?limit=1", version["name"].as_str().unwrap());
        until("the kind to be served", || {
            let response = client.send(&http::Method::GET, &path, "application/json", String::new())?;
            if response.status == 200 { Ok(()) } else { Err(format!("{path}: {}", response.status)) }
        });
    }
}

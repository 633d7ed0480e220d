//! Pods for tests.
//!
//! In: what a test cares about. Out: an object that the API server takes.

use serde_json::{Value, json};

use super::client::{Client, merge};

/// A Pod to be made. Without more: one container, no status of its own (the server says `Pending`).
#[derive(Clone)]
pub(crate) struct Pod {
    object: Value,
    status: Value,
}

/// A Pod of that name in `namespace`.
pub(crate) fn pod(namespace: &str, name: &str) -> Pod {
    let object = json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"namespace": namespace, "name": name},
        "spec": {"containers": [{"name": "main", "image": "registry.test/main:1"}]},
    });
    Pod { object, status: Value::Null }
}

// === impl Pod ===

impl Pod {
    pub(crate) fn label(self, name: &str, value: &str) -> Self {
        self.with(json!({"metadata": {"labels": {name: value}}}))
    }

    pub(crate) fn annotation(self, name: &str, value: &str) -> Self {
        self.with(json!({"metadata": {"annotations": {name: value}}}))
    }

    pub(crate) fn node(self, name: &str) -> Self {
        self.with(json!({"spec": {"nodeName": name}}))
    }

    /// Another container, with what it requests: `[("cpu", "500m")]`.
    pub(crate) fn container(mut self, name: &str, requests: &[(&str, &str)]) -> Self {
        let requests: Value = requests.iter().map(|(of, amount)| ((*of).to_owned(), json!(amount))).collect();
        let container =
            json!({"name": name, "image": "registry.test/side:1", "resources": {"requests": requests}});
        self.object["spec"]["containers"].as_array_mut().unwrap().push(container);
        self
    }

    /// `Pending`, `Running`, `Succeeded`, `Failed` or `Unknown`; written as a kubelet would, after the creation.
    pub(crate) fn phase(mut self, phase: &str) -> Self {
        self.status = merge(self.status, json!({"phase": phase}));
        self
    }

    /// Merges `part` into the object.
    pub(crate) fn with(self, part: Value) -> Self {
        Self { object: merge(self.object, part), ..self }
    }

    /// What would be created.
    pub(crate) fn object(&self) -> &Value {
        &self.object
    }

    /// Creates it, and writes its status if it has one. Returns it as it is stored.
    #[track_caller]
    pub(crate) fn create(&self, client: &Client) -> Value {
        let created = client.create(&self.object);
        if self.status.is_null() { created } else { client.patch_status(&created, &self.status) }
    }
}

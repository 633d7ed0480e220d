//! The Metrics: what platform teams ask of Pods.
//!
//! In: nothing. Out: Metrics as JSON. Must never know: the cluster.

use serde_json::{Value, json};

/// The metric by which it is seen how far celemetry is.
pub(crate) const BY_PHASE: &str = "bench_by_phase";

/// All of them.
pub(crate) fn all() -> Vec<Value> {
    let mut specs = vec![
        json!({"name": BY_PHASE, "projections": [{"name": "phase", "fieldPath": "status.phase"}]}),
        json!({"name": "bench_total"}),
        json!({"name": "bench_by_node", "projections": [{"name": "node", "fieldPath": "spec.nodeName"}]}),
        json!({
            "name": "bench_ready",
            "filter": "object.status.conditions.exists(c, c.type == 'Ready' && c.status == 'True')",
            "projections": [{"name": "namespace", "fieldPath": "metadata.namespace"}],
        }),
        json!({
            "name": "bench_memory",
            "forEach": {"expression": "object.spec.containers"},
            "projections": [{"name": "app", "expression": "object.metadata.labels.app"}],
            "valueFrom": {"expression": "item.?resources.?requests.?memory", "type": "quantity"},
        }),
        json!({
            "name": "bench_restarts",
            "projections": [{"name": "namespace", "fieldPath": "metadata.namespace"}],
            "valueFrom": {"expression": "object.status.?containerStatuses.orValue([]).map(c, c.restartCount).sum()"},
        }),
        json!({
            "name": "bench_pending_on",
            "filter": "object.status.phase == 'Pending'",
            "projections": [{"name": "tier", "fieldPath": "metadata.labels.tier"}],
        }),
        json!({
            "name": "bench_images",
            "forEach": {"expression": "object.spec.containers"},
            "projections": [{"name": "image", "expression": "item.image.split(':')[0]"}],
        }),
    ];
    // One team each.
    for app in [
        "checkout", "cart", "search", "payments", "mail", "web", "invoices", "stock", "login", "cart-2",
        "web-2", "mail-2",
    ] {
        specs.push(json!({
            "name": format!("bench_app_{}", app.replace('-', "_")),
            "labelSelector": format!("app={app}"),
            "filter": "object.status.phase != 'Succeeded'",
            "projections": [{"name": "phase", "fieldPath": "status.phase"}],
        }));
    }
    specs.into_iter().enumerate().map(|(number, spec)| metric(number, spec)).collect()
}

/// A file of them.
pub(crate) fn list(metrics: &[Value]) -> String {
    json!({"apiVersion": "v1", "kind": "List", "items": metrics}).to_string()
}

fn metric(number: usize, mut spec: Value) -> Value {
    spec["target"] = json!({"kind": "Pod", "version": "v1"});
    json!({
        "apiVersion": "metrics.open-control-plane.io/v1alpha1", "kind": "Metric",
        "metadata": {"name": format!("metric-{number}")}, "spec": spec,
    })
}

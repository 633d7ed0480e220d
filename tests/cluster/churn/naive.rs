//! What the Metrics of a churn come to, by the simplest code there is: no index, no increments, nothing of celemetry's.
//!
//! In: Pods and Namespaces as the API server lists them. Out: specs of Metrics, and the series that each must have.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// The series of one metric, labels as a page has them: `phase="Running"` → 7.
pub(super) type Family = BTreeMap<String, f64>;

/// The Metrics, by name, over Pods of these namespaces. `spaces` goes by a label of namespaces instead, whose value is
/// `mark`.
pub(super) fn metrics(namespaces: &[String], mark: &str) -> Vec<(&'static str, Value)> {
    let attribute = |name: &str, path: &str| json!([{"name": name, "fieldPath": path}]);
    let size = |of: &str| json!({"expression": "int(object.metadata.annotations.size)", "type": "integer", "aggregation": of});
    let namespace = attribute("namespace", "metadata.namespace");
    let specs = vec![
        ("phase", json!({"projections": attribute("phase", "status.phase")})),
        ("edited", json!({"projections": attribute("phase", "status.phase")})),
        (
            "selected",
            json!({"labelSelector": "app in (web,db),!skip", "projections": attribute("app", "metadata.labels.app")}),
        ),
        ("sum", json!({"valueFrom": size("sum"), "projections": namespace})),
        ("least", json!({"valueFrom": size("min")})),
        ("web", json!({"filter": "object.metadata.labels.app == 'web' && object.status.phase != 'Failed'"})),
        (
            "spaces",
            json!({"namespaces": null, "namespaceSelector": format!("churn={mark}"), "projections": namespace}),
        ),
        (
            "images",
            json!({"forEach": {"fieldPath": "spec.containers"}, "projections": [{"name": "image", "expression": "item.image"}]}),
        ),
    ];
    let common = |(name, spec): (&'static str, Value)| {
        let common = json!({"name": format!("churn_{name}"), "namespaces": namespaces, "dataSinkRef": {}});
        (name, crate::harness::merge(common, spec))
    };
    specs.into_iter().map(common).collect()
}

/// The series of every one of them.
pub(super) fn series(pods: &[Value], namespaces: &[Value], mark: &str) -> BTreeMap<&'static str, Family> {
    let mut all: BTreeMap<&str, Family> = BTreeMap::new();
    // A count without attributes is there even without objects; nothing else is.
    all.insert("web", Family::from([(String::new(), 0.0)]));
    for name in ["phase", "edited", "selected", "sum", "least", "spaces", "images"] {
        all.insert(name, Family::new());
    }
    let mut add = |metric: &str, label: String, value: f64| {
        *all.get_mut(metric).unwrap().entry(label).or_default() += value;
    };
    let is_marked = |namespace: &Value| namespace["metadata"]["labels"]["churn"] == mark;
    let marked: Vec<&Value> =
        namespaces.iter().filter(|one| is_marked(one)).map(|one| &one["metadata"]["name"]).collect();
    let mut sizes: Vec<i64> = vec![];
    for pod in pods {
        let (metadata, phase) = (&pod["metadata"], &pod["status"]["phase"]);
        let (app, namespace) = (&metadata["labels"]["app"], &metadata["namespace"]);
        add("phase", format!("phase={phase}"), 1.0);
        add("edited", format!("phase={phase}"), 1.0);
        if (app == "web" || app == "db") && metadata["labels"]["skip"].is_null() {
            add("selected", format!("app={app}"), 1.0);
        }
        if let Some(size) = metadata["annotations"]["size"].as_str().and_then(|size| size.parse::<i64>().ok())
        {
            add("sum", format!("namespace={namespace}"), size as f64);
            sizes.push(size);
        }
        if app == "web" && phase != "Failed" {
            add("web", String::new(), 1.0);
        }
        if marked.contains(&namespace) {
            add("spaces", format!("namespace={namespace}"), 1.0);
        }
        for container in pod["spec"]["containers"].as_array().unwrap() {
            add("images", format!("image={}", container["image"]), 1.0);
        }
    }
    let least = sizes.iter().min().map(|least| (String::new(), *least as f64));
    all.insert("least", least.into_iter().collect());
    all
}

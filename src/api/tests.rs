//! The definitions are what an API server accepts, and one Rust type serves both groups.

use serde_json::{Value, json};

use super::{DataSink, Declared, Group, Metric, custom_resource_definition};

fn check_both_groups<K: Declared>() {
    let [new, mut old] = Group::ALL.map(custom_resource_definition::<K>);
    assert_eq!(old["metadata"]["name"], format!("{}.metrics.openmcp.cloud", K::PLURAL));
    old["metadata"]["name"] = json!(format!("{}.metrics.open-control-plane.io", K::PLURAL));
    old["spec"]["group"] = json!("metrics.open-control-plane.io");
    assert_eq!(old, new);
}

#[test]
fn both_groups_define_the_same_schema() {
    check_both_groups::<Metric>();
    check_both_groups::<DataSink>();
}

/// The rules of a structural schema, and those of the API server's OpenAPI subset, as far as our types touch them.
fn check_structural(schema: &Value, place: &str) {
    const KEYWORDS: [&str; 15] = [
        "default",
        "description",
        "enum",
        "format",
        "items",
        "maxLength",
        "minLength",
        "minimum",
        "pattern",
        "properties",
        "required",
        "type",
        "x-kubernetes-map-type",
        "x-kubernetes-preserve-unknown-fields",
        "x-kubernetes-validations",
    ];
    let node = schema.as_object().unwrap();
    let strange = node.keys().find(|key| !KEYWORDS.contains(&key.as_str()));
    assert_eq!(strange, None, "{place}");
    // `kubectl explain` knows metadata by itself, and items are explained by their list.
    let explained = place.is_empty() || place == ".metadata" || place.ends_with("[]");
    assert!(explained || node.contains_key("description"), "{place}: no description");
    if node.contains_key("x-kubernetes-preserve-unknown-fields") {
        assert!(!node.contains_key("type"), "{place}: any value has no type");
        return;
    }
    let kind = node["type"].as_str().unwrap_or_else(|| panic!("{place}: one type"));
    if let Some(format) = node.get("format") {
        let allowed = [("integer", "int64"), ("string", "date-time")];
        assert!(allowed.iter().any(|(of, name)| *of == kind && format == name), "{place}: {format}");
    }
    if let (Some(default), Some(choices)) = (node.get("default"), node.get("enum")) {
        assert!(choices.as_array().unwrap().contains(default), "{place}: {default}");
    }
    assert_eq!(node.contains_key("items"), kind == "array", "{place}");
    assert!(!node.contains_key("properties") || kind == "object", "{place}");
    if let Some(required) = node.get("required").and_then(Value::as_array) {
        assert!(
            required.iter().all(|name| node["properties"].get(name.as_str().unwrap()).is_some()),
            "{place}"
        );
    }
    if let Some(items) = node.get("items") {
        check_structural(items, &format!("{place}[]"));
    }
    for (name, member) in node.get("properties").and_then(Value::as_object).into_iter().flatten() {
        check_structural(member, &format!("{place}.{name}"));
    }
}

#[test]
fn definitions_are_structural() {
    let [new, old] = Group::ALL;
    for definition in [
        custom_resource_definition::<Metric>(new),
        custom_resource_definition::<Metric>(old),
        custom_resource_definition::<DataSink>(new),
        custom_resource_definition::<DataSink>(old),
    ] {
        check_structural(&definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"], "");
    }
}

#[test]
fn additions_of_upstream_since_v1_0_are_there() {
    let definition = custom_resource_definition::<Metric>(Group::OpenControlPlane);
    let schema = |pointer: &str| {
        let root = "/spec/versions/0/schema/openAPIV3Schema/properties";
        definition.pointer(&format!("{root}{pointer}")).cloned().unwrap_or_default()
    };
    let cache = schema("/spec/properties/target/properties/cache/properties");
    assert_eq!(cache["enabled"]["enum"], json!(["auto", "true", "false"]));
    assert_eq!(cache["enabled"]["default"], "auto");
    assert_eq!(cache["ttlInMinutes"]["type"], "integer");
    assert_eq!(cache["ttlInMinutes"]["default"], 10);
    let observation = schema("/status/properties/observation/properties");
    assert_eq!(observation["targetLookupDurationMillis"]["format"], "int64");
    assert_eq!(observation["targetLookupCacheHits"]["format"], "int64");
}

#[test]
fn a_metric_is_written_as_it_was_read() {
    let written = json!({
        "apiVersion": "metrics.openmcp.cloud/v1alpha1",
        "kind": "Metric",
        "metadata": { "name": "pods", "namespace": "shop" },
        "spec": {
            "name": "pods",
            "target": { "kind": "Pod", "cache": { "enabled": "true", "ttlInMinutes": 5 } },
            "projections": [{ "name": "phase", "fieldPath": "status.phase", "type": "odd", "default": { "any": [1] } }],
            "valueFrom": { "expression": "1", "aggregation": "sum", "default": "0" },
            "forEach": { "expression": "object.spec.containers" },
            "flush": { "debounce": "1s" },
            "limits": { "maxSeries": 1 },
            "namespaces": ["a"],
            "dataSinkRef": {},
        },
        "status": {
            "ready": "True",
            "observation": { "latestValue": "3", "targetLookupCacheHits": 1 },
            "conditions": [{
                "type": "Ready",
                "status": "True",
                "reason": "ReconciliationSucceeded",
                "message": "",
                "lastTransitionTime": "2026-01-01T00:00:00Z",
            }],
        },
    });
    let metric: Metric = serde_json::from_value(written.clone()).unwrap();
    assert_eq!(serde_json::to_value(metric).unwrap(), written);
}

#[test]
fn a_sink_is_written_as_it_was_read() {
    let written = json!({
        "apiVersion": "metrics.open-control-plane.io/v1alpha1",
        "kind": "DataSink",
        "metadata": { "name": "default", "namespace": "operator" },
        "spec": {
            "connection": { "endpoint": "gopher://odd" },
            "authentication": {
                "apiKey": { "secretKeyRef": { "name": "token", "key": "key", "optional": true } },
                "certificate": {
                    "clientCertSecretKeyRef": { "name": "pair", "key": "tls.crt" },
                    "clientKeySecretKeyRef": { "name": "pair", "key": "tls.key" },
                    "caCertSecretKeyRef": { "key": "ca.crt" },
                },
            },
        },
        "status": {
            "observedGeneration": 2,
            "conditions": [{
                "type": "Ready",
                "status": "False",
                "reason": "SecretMissing",
                "message": "",
                "lastTransitionTime": "2026-01-01T00:00:00Z",
            }],
        },
    });
    let sink: DataSink = serde_json::from_value(written.clone()).unwrap();
    assert_eq!(sink.namespace(), "operator");
    assert_eq!(serde_json::to_value(sink).unwrap(), written);
}

#[test]
fn endpoints_of_grpc_are_admitted_in_both_groups() {
    for definition in Group::ALL.map(custom_resource_definition::<DataSink>) {
        let pattern = definition
            .pointer(
                "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/connection/properties/endpoint/pattern",
            )
            .unwrap();
        assert_eq!(pattern, "^(http|https|grpc|grpcs)://.*$");
    }
}

#[test]
fn a_status_that_another_wrote_badly_does_not_hide_the_metric() {
    let read = |status| serde_json::from_value::<Metric>(json!({ "spec": {}, "status": status })).unwrap();
    let status = read(json!({ "conditions": [{ "type": "Ready" }], "observation": {} })).status.unwrap();
    assert_eq!((status.conditions[0].type_.as_str(), status.conditions[0].reason.as_str()), ("Ready", ""));
}

#[test]
fn one_type_is_served_in_two_groups() {
    use kube::core::Resource;
    let urls = Group::ALL.map(|group| Metric::url_path(&group, Some("shop")));
    assert_eq!(
        urls,
        [
            "/apis/metrics.open-control-plane.io/v1alpha1/namespaces/shop/metrics",
            "/apis/metrics.openmcp.cloud/v1alpha1/namespaces/shop/metrics",
        ]
    );
    assert_eq!(Metric::kind(&Group::OpenMcp), "Metric");
    assert_eq!(
        DataSink::url_path(&Group::OpenMcp, Some("shop")),
        "/apis/metrics.openmcp.cloud/v1alpha1/namespaces/shop/datasinks"
    );
}

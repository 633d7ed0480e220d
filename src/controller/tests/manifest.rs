//! Documents that are Metrics, nearly Metrics, and none at all.

// A table reads better with literals passed as they are.
#![allow(clippy::needless_pass_by_value)]

use serde_json::{Value, json};

use crate::controller::{ManifestObject, read_manifest};

/// What reading says: errors, or warnings, or nothing.
fn said(document: Value) -> Vec<String> {
    match read_manifest(document) {
        Ok(manifest) => manifest.warnings.iter().map(ToString::to_string).collect(),
        Err(errors) => errors.iter().map(|error| format!("error: {error}")).collect(),
    }
}

fn metric(spec: Value) -> Value {
    json!({
        "apiVersion": "metrics.open-control-plane.io/v1alpha1",
        "kind": "Metric",
        "metadata": { "name": "a" },
        "spec": spec,
    })
}

fn check(spec: Value, expected: &[&str]) {
    let shown = spec.to_string();
    assert_eq!(said(metric(spec)), expected, "{shown}");
}

#[test]
fn odd_values_are_read_and_odd_types_are_named() {
    check(json!({ "target": { "kind": "Pod" }, "mode": "Odd", "interval": "never" }), &[]);
    check(json!({ "projections": [{ "type": "odd", "default": { "a": [1] } }] }), &[]);
    check(json!({ "interval": 5 }), &["error: spec.interval: must be a string, is an integer"]);
    check(
        json!({ "name": 1.5, "projections": [{}, { "fieldPath": [] }], "limits": { "maxSeries": "9" } }),
        &[
            "error: spec.limits.maxSeries: must be an integer, is a string",
            "error: spec.name: must be a string, is a number with a fraction",
            "error: spec.projections[1].fieldPath: must be a string, is a list",
        ],
    );
    check(
        json!({ "limits": { "maxSeries": 1e3 } }),
        &["error: spec.limits.maxSeries: must be an integer, is a number with a fraction"],
    );
    check(json!({ "target": "Pod" }), &["error: spec.target: must be a map, is a string"]);
    check(json!({ "namespaces": "a" }), &["error: spec.namespaces: must be a list, is a string"]);
    check(json!({ "namespaces": [null] }), &["error: spec.namespaces[0]: must be a string, is null"]);
    check(json!(true), &["error: spec: must be a map, is a bool"]);
}

#[test]
fn null_is_absent() {
    check(json!({ "target": null, "projections": null, "limits": { "maxSeries": null } }), &[]);
    assert_eq!(said(metric(Value::Null)), [] as [&str; 0]);
}

#[test]
fn fields_that_do_not_exist_are_noted_with_what_was_meant() {
    check(
        json!({ "projection": [] }),
        &["spec.projection: no such field, ignored (did you mean 'projections'?)"],
    );
    check(
        json!({ "fieldselector": "" }),
        &["spec.fieldselector: no such field, ignored (did you mean 'fieldSelector'?)"],
    );
    check(json!({ "tagret": {} }), &["spec.tagret: no such field, ignored (did you mean 'target'?)"]);
    check(
        json!({ "vlaueFrom": {} }),
        &["spec.vlaueFrom: no such field, ignored (did you mean 'valueFrom'?)"],
    );
    check(json!({ "mmode": "" }), &["spec.mmode: no such field, ignored (did you mean 'mode'?)"]);
    check(json!({ "a\nb": 1 }), &["spec.a\\nb: no such field, ignored"]);
    check(json!({ "nodes": 1 }), &["spec.nodes: no such field, ignored"]);
    check(json!({ "projections": [{ "path": "a" }] }), &["spec.projections[0].path: no such field, ignored"]);
    let mut document = metric(json!({}));
    document["extra"] = json!(1);
    assert_eq!(said(document), ["extra: no such field, ignored"]);
}

#[test]
fn metadata_of_the_wrong_shape_is_an_error() {
    let mut document = metric(json!({}));
    document["metadata"]["labels"] = json!({ "a": 1 });
    let said = said(document);
    assert_eq!(said.len(), 1);
    assert!(said[0].starts_with("error: metadata: "), "{said:?}");
}

#[test]
fn other_kinds_are_told_apart() {
    let of = |api_version: &str, kind: &str| json!({ "apiVersion": api_version, "kind": kind });
    let expected = |what: &str| {
        vec![format!(
            "error: is a {what}, not a Metric of metrics.open-control-plane.io/v1alpha1 or metrics.openmcp.cloud/v1alpha1"
        )]
    };
    assert_eq!(said(of("v1", "Pod")), expected("Pod of v1"));
    assert_eq!(said(of("example.org/v1", "Metric")), expected("Metric of example.org/v1"));
    assert_eq!(
        said(of("metrics.openmcp.cloud/v1beta1", "Metric")),
        expected("Metric of metrics.openmcp.cloud/v1beta1")
    );
    assert_eq!(
        said(of("metrics.openmcp.cloud/v1alpha1", "metric")),
        expected("metric of metrics.openmcp.cloud/v1alpha1")
    );
    assert_eq!(said(json!([])), ["error: is no Kubernetes object: it is no map"]);
    assert_eq!(said(json!({ "apiVersion": "v1" })), ["error: is no Kubernetes object: `kind` is missing"]);
    assert_eq!(said(json!({ "kind": "Pod" })), ["error: is no Kubernetes object: `apiVersion` is missing"]);
    let access = read_manifest(of("metrics.openmcp.cloud/v1alpha1", "RemoteClusterAccess")).unwrap();
    assert_eq!(access.object, ManifestObject::Other { kind: "RemoteClusterAccess" });
}

fn check_sink(spec: Value, expected: &[&str]) {
    let shown = spec.to_string();
    let document = json!({
        "apiVersion": "metrics.openmcp.cloud/v1alpha1",
        "kind": "DataSink",
        "metadata": { "name": "a" },
        "spec": spec,
    });
    assert_eq!(said(document), expected, "{shown}");
}

#[test]
fn sinks_are_read_with_places() {
    check_sink(json!({ "connection": { "endpoint": "odd" }, "authentication": {} }), &[]);
    check_sink(json!({ "connection": null }), &[]);
    check_sink(
        json!({ "connection": { "endpoint": 1 }, "authentication": { "apiKey": { "secretKeyRef": "a" } } }),
        &[
            "error: spec.authentication.apiKey.secretKeyRef: must be a map, is a string",
            "error: spec.connection.endpoint: must be a string, is an integer",
        ],
    );
    check_sink(
        json!({ "authentication": { "certificate": { "caCertSecretKeyRef": { "optional": "true" } } } }),
        &["error: spec.authentication.certificate.caCertSecretKeyRef.optional: must be a bool, is a string"],
    );
    check_sink(
        json!({ "connection": { "endPoint": "http://a" } }),
        &["spec.connection.endPoint: no such field, ignored (did you mean 'endpoint'?)"],
    );
}

#[test]
fn a_sink_that_is_read_holds_what_was_written() {
    let document = json!({
        "apiVersion": "metrics.open-control-plane.io/v1alpha1",
        "kind": "DataSink",
        "metadata": { "name": "a" },
        "spec": { "connection": { "endpoint": "grpc://a:4317" } },
    });
    let ManifestObject::DataSink(sink) = read_manifest(document).unwrap().object else { panic!("no sink") };
    assert_eq!(sink.spec.connection.unwrap().endpoint.as_deref(), Some("grpc://a:4317"));
}

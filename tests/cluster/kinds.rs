//! Our kinds on a real API server: accepted, defaulted, refused, shown.

use serde_json::{Value, json};

use crate::harness::Plane;
use crate::harness::plane::our_definitions;

tests![
    our_definitions_are_accepted_and_structural,
    defaults_are_the_servers,
    what_the_schema_forbids_is_refused_with_its_place,
    kubectl_shows_the_printer_columns,
];

fn metric(namespace: &str, name: &str, group: &str) -> Value {
    json!({
        "apiVersion": format!("{group}/v1alpha1"), "kind": "Metric",
        "metadata": {"namespace": namespace, "name": name},
        "spec": {"name": "k8s.pod.count", "target": {"kind": "Pod", "version": "v1"}},
    })
}

const GROUPS: [&str; 2] = ["metrics.open-control-plane.io", "metrics.openmcp.cloud"];

fn our_definitions_are_accepted_and_structural() {
    let plane = Plane::shared();
    for definition in our_definitions() {
        let client = plane.client();
        client.wait_condition(&definition, "NamesAccepted", "True");
        let stored = client.read(&definition).unwrap();
        let conditions = stored["status"]["conditions"].as_array().unwrap();
        let not_structural = conditions.iter().find(|one| one["type"] == "NonStructuralSchema");
        assert!(not_structural.is_none_or(|one| one["status"] == "False"), "{not_structural:?}");
        // What the server dropped would be a field that it does not know.
        assert_eq!(stored["spec"]["names"]["kind"], definition["spec"]["names"]["kind"]);
    }
}

fn defaults_are_the_servers() {
    let plane = Plane::shared();
    let namespace = plane.namespace("kinds");
    for group in GROUPS {
        let stored = plane.client().create(&metric(&namespace, "defaults", group));
        assert_eq!(stored["spec"]["interval"], "10m", "{stored:#}");
    }
}

fn what_the_schema_forbids_is_refused_with_its_place() {
    let plane = Plane::shared();
    let namespace = plane.namespace("kinds");
    for group in GROUPS {
        for (part, place) in [
            (json!({"mode": "Sometimes"}), "spec.mode"),
            (
                json!({"valueFrom": {"fieldPath": "spec.replicas", "aggregation": "median"}}),
                "spec.valueFrom.aggregation",
            ),
            (json!({"valueFrom": {"fieldPath": "spec.replicas", "type": "text"}}), "spec.valueFrom.type"),
            (json!({"target": null}), "spec.target"),
        ] {
            let object = crate::harness::merge(metric(&namespace, "refused", group), json!({"spec": part}));
            let reason = plane.client().refused(&object);
            assert!(reason.contains(place), "{part}: {reason}");
        }
    }
}

fn kubectl_shows_the_printer_columns() {
    let plane = Plane::shared();
    let namespace = plane.namespace("kinds");
    let user = plane.operator_user();
    for group in GROUPS {
        plane.client().create(&metric(&namespace, "shown", group));
        let resource = format!("metrics.{group}");
        let output =
            plane.kubectl(&user).args(["get", &resource, "--namespace", &namespace]).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        let definition = our_definitions()
            .into_iter()
            .find(|one| one["spec"]["group"] == group && one["spec"]["names"]["kind"] == "Metric")
            .unwrap();
        let columns = definition["spec"]["versions"][0]["additionalPrinterColumns"].as_array().unwrap();
        let heads = columns.iter().filter(|column| column["priority"].as_i64().unwrap_or(0) == 0);
        for head in heads.map(|column| column["name"].as_str().unwrap().to_uppercase()) {
            assert!(text.contains(&head), "no {head} in\n{text}{}", String::from_utf8_lossy(&output.stderr));
        }
        assert!(text.contains("shown"), "{text}");
    }
}

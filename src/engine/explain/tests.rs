//! Explanations of definitions that users write.

use std::collections::BTreeSet;

use serde_json::json;

use super::*;
use crate::definition::{Aggregation, LabelOperator, LabelRequirement, ValueKind};

fn fields(definition: &Definition) -> Vec<(String, Extent)> {
    let explanation = explain(definition).unwrap();
    explanation.fields.into_iter().map(|field| (field.path, field.extent)).collect()
}

#[test]
fn only_what_is_read_is_listed() {
    let definition = Definition::count("a")
        .filter("has(object.metadata.deletionTimestamp) && size(object.spec.containers) > 1")
        .each("object.spec.containers")
        .by("image", "item.image")
        .by("labels", "string(object.metadata.labels.size())");
    let expected = [
        ("metadata.deletionTimestamp", Extent::Presence),
        ("metadata.labels", Extent::Scalar),
        ("spec.containers", Extent::Scalar),
        ("spec.containers[*].image", Extent::Whole),
    ];
    let expected: Vec<_> = expected.map(|(path, extent)| (path.to_owned(), extent)).into();
    assert_eq!(fields(&definition), expected);
    let counted = Definition::count("a").each("object.spec.containers");
    assert_eq!(fields(&counted), [("spec.containers".to_owned(), Extent::Presence)]);
}

#[test]
fn the_index_is_told_in_words() {
    let mut definition =
        Definition::count("a").filter("object.status.phase in ['Running', 'Pending'] && object.a == 1");
    let operator = LabelOperator::In(BTreeSet::from(["web".to_owned()]));
    definition.labels.push(LabelRequirement { key: "app.kubernetes.io/name".to_owned(), operator });
    definition.labels.push(LabelRequirement { key: "old".to_owned(), operator: LabelOperator::DoesNotExist });
    definition.namespaces = Some(BTreeSet::from(["shop".to_owned()]));
    let index = explain(&definition).unwrap().index;
    assert_eq!(
        index,
        [
            "metadata.namespace is \"shop\"",
            "metadata.labels['app.kubernetes.io/name'] is \"web\"",
            "metadata.labels.old is not there",
            "status.phase is \"Pending\" or \"Running\"",
            "a is 1",
        ]
    );
    assert!(explain(&Definition::count("a")).unwrap().index.is_empty());
}

#[test]
fn elements_multiply_what_is_evaluated_for_each() {
    let definition = Definition::count("a")
        .each("object.spec.containers")
        .by("image", "item.image")
        .aggregate(Aggregation::Sum, ValueKind::Quantity, "item.?resources.?requests.?cpu");
    let explanation = explain(&definition).unwrap();
    assert_eq!(explanation.estimate.to_string(), "1 + 2n");
    let roles: Vec<_> = explanation.formulas.iter().map(|facts| facts.role.clone()).collect();
    assert_eq!(roles, [Role::ForEach, Role::Value, Role::Attribute("image".into())]);
    assert_eq!(explanation.formulas[2].origins, ["spec.containers[*].image"]);
}

#[test]
fn a_definition_that_does_not_compile_says_all_that_is_wrong() {
    let errors = explain(&Definition::count("a").filter("objct").by("b", "itm")).unwrap_err();
    assert_eq!(errors.len(), 2);
}

/// Every step of a trace, a line each.
fn steps(trace: &Trace) -> Vec<String> {
    let shown = |shown: &Shown| match shown {
        Shown::Value(value) => value.to_string(),
        Shown::Nothing => "nothing".to_owned(),
        Shown::Failed(message) => format!("fails: {message}"),
        Shown::Skipped => "-".to_owned(),
    };
    let mut lines = vec![];
    for test in &trace.tests {
        lines.push(format!("test {:?} {}", test.found, test.holds));
    }
    for (name, step) in [("filter", &trace.filter), ("each", &trace.for_each)] {
        lines.extend(step.iter().map(|step| format!("{name} {}", shown(&step.made))));
    }
    for element in &trace.elements {
        let position = element.position.as_deref().unwrap_or("whole");
        let value = element.value.as_ref().map(|value| format!(" value {}", shown(&value.made)));
        let attributes =
            element.attributes.iter().map(|(name, made)| format!(" {name}={}", shown(&made.made)));
        let parts: String = value.into_iter().chain(attributes).collect();
        lines.push(format!("{position}{parts} → {:?}", element.contribution));
    }
    lines
}

fn pod() -> serde_json::Value {
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "web-1", "namespace": "shop", "labels": {"tier": "web"}},
        "spec": {"containers": [
            {"name": "a", "resources": {"requests": {"cpu": "500m"}}},
            {"name": "b"},
            {"name": "c", "resources": {"requests": {"cpu": true}}},
        ]},
        "status": {"phase": "Running"},
    })
}

#[test]
fn an_object_that_counts_is_followed_to_its_contributions() {
    let mut definition = Definition::count("a")
        .filter("object.status.phase == 'Running'")
        .each("object.spec.containers")
        .by("container", "item.name")
        .by("at", "index")
        .by("zone", "object.metadata.zone")
        .aggregate(Aggregation::Sum, ValueKind::Quantity, "item.?resources.?requests.?cpu");
    definition.namespaces = Some(BTreeSet::from(["shop".to_owned()]));
    let trace = trace(&definition, &pod()).unwrap();
    assert_eq!(trace.object, "v1/Pod/shop/web-1");
    assert!(trace.matched);
    assert_eq!(
        steps(&trace),
        [
            "test Some(\"shop\") true",
            "filter true",
            "each 3",
            "0 value \"0.5\" container=\"a\" at=\"0\" zone=fails: no such key: zone → Some((\"0.5\", [(\"at\", \"0\"), (\"container\", \"a\")]))",
            "1 value nothing container=- at=- zone=- → None",
            "2 value fails: found bool where a number is needed container=- at=- zone=- → None",
        ]
    );
}

#[test]
fn an_object_that_does_not_count_is_followed_to_where_it_falls_out() {
    let counts = |filter: &str, tier: &str, object: &serde_json::Value| {
        let operator = LabelOperator::In(BTreeSet::from([tier.to_owned()]));
        let mut definition = Definition::count("a").filter(filter).by("phase", "object.status.phase");
        definition.labels.push(LabelRequirement { key: "tier".to_owned(), operator });
        steps(&trace(&definition, object).unwrap())
    };
    assert_eq!(counts("true", "db", &pod()), ["test Some(\"web\") false"]);
    assert_eq!(
        counts("object.status.phase == 'Failed'", "web", &pod()),
        ["test Some(\"web\") true", "filter false"]
    );
    assert_eq!(
        counts("object.a == 'Failed'", "web", &pod()),
        ["test Some(\"web\") true", "filter fails: no such key: a"]
    );
    assert!(trace(&Definition::count("a").filter("objct"), &pod()).is_err());
    assert!(trace(&Definition::count("a"), &json!([])).is_err());
}

#[test]
fn nothing_of_a_confidential_object_is_shown() {
    let mut definition = Definition::count("a")
        .filter("object.data.a == 'geheim'")
        .each("object.data")
        .by("key", "key")
        .by("text", "item + object.data.x")
        .aggregate(Aggregation::Sum, ValueKind::Integer, "item");
    definition.confidential = true;
    for value in ["geheim", "verraten"] {
        let secret =
            json!({"kind": "Secret", "metadata": {"name": "s"}, "data": {"a": value, "geheim": "7"}});
        let shown = format!("{:?}", trace(&definition, &secret).unwrap());
        let shown = shown.replace("== 'geheim'", "");
        assert!(!shown.contains("geheim") && !shown.contains("verraten"), "{shown}");
    }
}

#[test]
fn what_is_skipped_of_an_object_is_told() {
    let definition =
        Definition::count("a").filter("object.status.phase == 'Running'").by("n", "object.metadata.labels");
    let mut object = pod();
    object["metadata"]["managedFields"] = json!([{"manager": "kubelet"}]);
    object["status"]["podIP"] = json!("10.0.0.1");
    let skipped = explain(&definition).unwrap().skipped(&object);
    let paths: Vec<(&str, usize)> =
        skipped.iter().map(|skipped| (skipped.path.as_str(), skipped.bytes)).collect();
    let spec = object["spec"].to_string().len();
    assert_eq!(paths, [("metadata.managedFields", 23), ("spec", spec), ("status.podIP", 10)]);
}

#[test]
fn members_of_a_map_whose_every_element_is_read_are_not_skipped() {
    let skipped = |definition: &Definition| -> Vec<String> {
        let skipped = explain(definition).unwrap().skipped(&pod());
        skipped.into_iter().map(|skipped| skipped.path).collect()
    };
    let labels = Definition::count("a").each("object.metadata.labels").by("label", "item");
    assert_eq!(skipped(&labels), ["spec", "status"]);
    let phases = Definition::count("a").filter("object.status.all(k, object.status[k] != '')");
    assert_eq!(skipped(&phases), ["metadata.labels", "spec"]);
}

//! Explanations of definitions that users write.

use std::collections::BTreeSet;

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

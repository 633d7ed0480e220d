//! Explanations as JSON.
//!
//! In: what Metrics will do and how objects fare. Out: one document. Must never know: how it was found out.

use celemetry_engine::explain::{Evaluated, Extent, Part, Requirement, Role, Shown, Test, TracedElement};
use celemetry_engine::expression::Budget;
use serde_json::{Value, json};

use super::plan::watch;
use super::{Explained, Verdict};
use crate::controller::{Mode, print_label_selector};

/// All of it.
pub(super) fn json(explained: &[Explained]) -> String {
    let metrics: Vec<Value> = explained.iter().map(metric).collect();
    format!("{:#}\n", json!({ "metrics": metrics }))
}

fn metric(explained: &Explained) -> Value {
    let Explained { lowered, explanation, rights, objects } = explained;
    let info = &lowered.definition.info;
    let fields = explanation.fields.iter().map(|field| {
        let extent = match field.extent {
            Extent::Whole => "whole",
            Extent::Scalar => "scalar",
            Extent::Presence => "presence",
        };
        json!({"path": field.path, "extent": extent})
    });
    let expressions = explanation.formulas.iter().map(|facts| {
        let (role, attribute) = match &facts.role {
            Role::Filter => ("filter", None),
            Role::ForEach => ("forEach", None),
            Role::Value => ("value", None),
            Role::Attribute(name) => ("attribute", Some(name)),
        };
        let mut value = json!({
            "path": facts.formula.place,
            "text": facts.formula.text,
            "role": role,
            "steps": facts.estimate.to_string(),
            "longestLists": facts.estimate.longest(Budget::EXPRESSION.steps),
            "forEachElement": facts.each,
            "origins": facts.origins,
        });
        if let Some(name) = attribute {
            value["attribute"] = name.as_str().into();
        }
        value
    });
    let rights = rights
        .iter()
        .map(|right| json!({"group": right.group, "resource": right.resource, "verbs": right.verbs, "note": right.note}));
    json!({
        "source": info.source,
        "metric": info.name,
        "unit": info.unit,
        "fields": fields.collect::<Vec<_>>(),
        "index": explanation.index,
        "expressions": expressions.collect::<Vec<_>>(),
        "steps": explanation.estimate.to_string(),
        "stepsForListsOfTen": explanation.estimate.at(10),
        "watch": {
            "group": lowered.target.group,
            "version": lowered.target.version,
            "kind": lowered.target.kind,
            "mode": match lowered.mode { Mode::EventDriven => "EventDriven", Mode::Polling => "Polling" },
            "fieldSelector": lowered.field_selector,
            "namespaceSelector": lowered.namespace_selector.as_ref().map(|selector| print_label_selector(selector)),
            "metadataOnly": lowered.metadata_only,
            "text": watch(lowered),
        },
        "rights": rights.collect::<Vec<_>>(),
        "objects": objects.iter().map(verdict).collect::<Vec<_>>(),
    })
}

fn verdict(verdict: &Verdict) -> Value {
    let trace = &verdict.trace;
    let skipped = verdict.skipped.iter().map(|skipped| json!({"path": skipped.path, "bytes": skipped.bytes}));
    // Null where nobody can tell without a cluster.
    let (reason, conditions) = (verdict.reason(), verdict.conditions());
    let counts = (reason.is_some() || conditions.is_empty()).then_some(reason.is_none());
    let namespace = verdict.namespace.iter().map(|test| {
        json!({
            "path": "spec.namespaceSelector", "text": test.selector, "found": test.found, "holds": test.holds,
        })
    });
    let server = verdict.left_to_server.iter().map(
        |selector| json!({"path": "spec.fieldSelector", "text": selector, "found": null, "holds": null}),
    );
    let mut value = json!({
        "object": trace.object,
        "counts": counts,
        "targeted": verdict.is_targeted,
        "selectors": trace.tests.iter().map(test).chain(namespace).chain(server).collect::<Vec<_>>(),
        "elements": trace.elements.iter().map(element).collect::<Vec<_>>(),
        "skipped": skipped.collect::<Vec<_>>(),
    });
    if let Some(reason) = reason {
        value["reason"] = reason.into();
    } else if !conditions.is_empty() {
        value["countsIf"] = conditions.into();
    }
    for (name, step) in [("filter", &trace.filter), ("forEach", &trace.for_each)] {
        if let Some(step) = step {
            value[name] = evaluated(step);
        }
    }
    value
}

fn test(test: &Test) -> Value {
    let (path, text) = match &test.requirement {
        Requirement::Label(label) => {
            ("spec.labelSelector", print_label_selector(std::slice::from_ref(label)))
        }
        Requirement::Namespaces(names) => ("spec.namespaces", names.join(",")),
        Requirement::Field(field) => {
            let operator = if field.equal { "=" } else { "!=" };
            ("spec.fieldSelector", format!("{}{operator}{}", field.path.join("."), field.value))
        }
    };
    json!({"path": path, "text": text, "found": test.found, "holds": test.holds})
}

fn element(element: &TracedElement) -> Value {
    let mut value = json!({});
    if let (Some(position), Some(item)) = (&element.position, &element.item) {
        value["position"] = position.as_str().into();
        value["item"] = item.clone();
    }
    if let Some(step) = &element.value {
        value["value"] = evaluated(step);
    }
    let attributes = element.attributes.iter().map(|(name, step)| {
        let mut value = evaluated(step);
        value["name"] = name.as_str().into();
        value
    });
    value["attributes"] = attributes.collect();
    value["adds"] = match &element.contribution {
        Some((number, attributes)) => {
            let attributes: serde_json::Map<String, Value> =
                attributes.iter().map(|(name, text)| (name.clone(), text.as_str().into())).collect();
            json!({"value": number, "attributes": attributes})
        }
        None => Value::Null,
    };
    value
}

fn evaluated(step: &Evaluated) -> Value {
    json!({"path": step.formula.place, "made": shown(&step.made), "expression": part(&step.part)})
}

fn part(part: &Part) -> Value {
    let mut value = json!({"text": part.text, "result": shown(&part.shown)});
    if !part.parts.is_empty() {
        value["parts"] = part.parts.iter().map(self::part).collect();
    }
    value
}

/// An object with one member, whose name says what it is.
fn shown(shown: &Shown) -> Value {
    match shown {
        Shown::Value(value) => json!({"value": value}),
        Shown::Nothing => json!({"nothing": true}),
        Shown::Failed(message) => json!({"error": message}),
        Shown::Skipped => json!({"notNeeded": true}),
    }
}

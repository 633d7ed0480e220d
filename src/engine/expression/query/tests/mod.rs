//! Both dialects, from text to nodes.

mod conformance;
mod generated;
mod grammar;
mod kubectl;
mod limits;
mod properties;
mod rfc9535;

use std::fmt::Write;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::{Query, compile_at};
use crate::definition::{Formula, Language};
use crate::expression::{Budget, Demand, Nodes};
use crate::row::{Decoder, Defaults, FieldId, FieldPlan, HashSeed, Kind, NodeRef, Row};

const BUDGET: Budget = Budget::EXPRESSION;

fn formula(language: Language, text: &str) -> Formula {
    Formula { language, text: text.to_string(), place: "spec.path".to_string() }
}

/// A path over one document: what it selects, or why not. The document stands at the member `document` of an object, so
/// that it may be anything.
fn run(language: Language, text: &str, document: &Value) -> Result<Vec<Value>, String> {
    let (query, row) = prepare(language, text, document, false)?;
    let nodes = query.evaluate(&row, &mut BUDGET.clone()).map_err(|error| error.to_string())?;
    Ok(nodes.into_iter().map(value).collect())
}

fn prepare(language: Language, text: &str, document: &Value, whole: bool) -> Result<(Query, Row), String> {
    let mut plan = if whole { FieldPlan::whole(HashSeed(1, 2)) } else { FieldPlan::new(HashSeed(1, 2)) };
    let mut fields = plan.record();
    let root = fields.member(FieldId::ROOT, "document");
    let query = compile_at(root, &formula(language, text), Demand::Whole, &mut fields)
        .map_err(|error| error.to_string())?;
    fields.finish();
    let object = serde_json::to_vec(&json!({ "document": document })).unwrap();
    let row = Decoder::new(Arc::new(plan)).decode(&object, Defaults::default()).unwrap();
    Ok((query, row))
}

fn value(node: NodeRef<'_>) -> Value {
    match node.kind() {
        Kind::Null => Value::Null,
        Kind::Bool => Value::Bool(node.as_bool().unwrap()),
        Kind::Number => serde_json::from_str(node.as_number().unwrap()).unwrap(),
        Kind::String => Value::String(node.as_str().unwrap().to_string()),
        Kind::List => node.items().map(value).collect(),
        Kind::Map => {
            assert!(node.is_whole(), "a selected map is kept whole");
            Value::Object(
                node.entries().map(|(name, member)| (name.to_string(), value(member))).collect::<Map<_, _>>(),
            )
        }
    }
}

/// Asks paths of kubectl's dialect about one document. What one selects is written as JSON, an error as `error: ` and what it
/// says.
fn check_paths(cases: &[(&str, &str)], document: &str) {
    let document = serde_json::from_str(document).unwrap();
    let mut wrong = String::new();
    for (path, expected) in cases {
        let found = match run(Language::Kubectl, path, &document) {
            Ok(values) => values.iter().map(Value::to_string).collect::<Vec<_>>().join(" "),
            Err(error) => format!("error: {error}"),
        };
        if found != *expected {
            let _ = writeln!(wrong, "{path}\n  expected {expected}\n  found    {found}");
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn plain_names_are_one_slot_in_both_dialects() {
    for (language, text) in [
        (Language::Rfc9535, "$.status.phase"),
        (Language::Rfc9535, "$['status'][\"phase\"]"),
        (Language::Kubectl, "status.phase"),
        (Language::Kubectl, ".status.phase"),
        (Language::Kubectl, "{.status.phase}"),
        (Language::Kubectl, "{$['status'].phase}\n"),
    ] {
        let document = json!({"status": {"phase": "Running"}});
        let (query, row) = prepare(language, text, &document, false).unwrap();
        let selected = query.select(&row, &mut BUDGET.clone()).expect("names select");
        assert!(matches!(selected, Nodes::One(node) if node.as_str() == Some("Running")), "{text}");
        assert_eq!(run(language, text, &document), Ok(vec![json!("Running")]), "{text}");
        assert_eq!(run(language, text, &json!({"status": null})), Ok(vec![]), "{text}");
    }
}

//! What a schema says of an expression: any OpenAPI schema and any text end in findings with places that exist, as many as
//! one reads, in bounded time and depth. A schema that says less finds nothing new, one that says nothing finds
//! nothing, and whether an expression compiles does not depend on it.
//!
//! Input: an OpenAPI schema as JSON on the first line, with what it refers to under `definitions`; an expression on those that
//! follow, which is asked in every language.

#![no_main]

use std::collections::BTreeSet;

use celemetry_engine::definition::{Definition, Formula, Language, Projection, ProjectionKind};
use celemetry_engine::error::CompileError;
use celemetry_engine::explain::explain;
use celemetry_engine::schema::{Schema, Shape, ShapeId, misfits};
use celemetry_fuzz::ask::{check_place, on_small_stack};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

#[path = "../../src/controller/schema/lowering.rs"]
mod lowering;

use lowering::{Definitions, Lowering};

/// Beyond this many findings in one expression no more are made.
const MOST_FINDINGS: usize = 16;

/// So many shapes of a schema are forgotten, one at a time.
const MOST_FORGOTTEN: usize = 12;

/// No message is longer: names and paths in it are cut.
const LONGEST_MESSAGE: usize = 4096;

fuzz_target!(|input: &[u8]| {
    let Ok(input) = str::from_utf8(input) else { return };
    let Some((schema, text)) = input.split_once('\n') else { return };
    let Ok(schema) = serde_json::from_str::<Value>(schema) else { return };
    on_small_stack(|| {
        let schema = lowered(&schema);
        for language in [Language::Cel, Language::Rfc9535, Language::Kubectl] {
            let formula = Formula { language, text: text.to_owned(), place: "at".to_owned() };
            definitions(&formula).iter().for_each(|definition| check(definition, &formula, &schema));
        }
    });
});

/// The same schema, for kinds of Kubernetes and for custom ones.
fn lowered(root: &Value) -> Schema {
    let none = Definitions::new();
    let definitions = root.get("definitions").and_then(Value::as_object).unwrap_or(&none);
    let metadata = root.pointer("/properties/metadata");
    let custom = Lowering::new(definitions, metadata).object(root);
    let schema = Lowering::new(definitions, None).object(root);
    assert!(schema.len() < 100_000 && custom.len() < 100_000, "shapes are bounded");
    schema
}

/// Wherever an expression may stand.
fn definitions(formula: &Formula) -> [Definition; 3] {
    let count = Definition::count("m");
    let projection = Projection {
        name: "a".to_owned(),
        formula: formula.clone(),
        kind: ProjectionKind::Slice,
        default: None,
    };
    [
        Definition { projections: vec![projection], ..count.clone() },
        Definition { filter: Some(formula.clone()), ..count.clone() },
        Definition { for_each: Some(formula.clone()), ..count.by("item", "item.name + string(index) + key") },
    ]
}

fn check(definition: &Definition, formula: &Formula, schema: &Schema) {
    let compiled = explain(definition).map(drop);
    let found = misfits(definition, schema);
    assert_eq!(found, misfits(definition, schema), "what is found depends on nothing else");
    assert_eq!(compiled, explain(definition).map(drop));
    let ours = found.iter().filter(|error| error.place == formula.place);
    for error in ours.clone() {
        check_place(error, &formula.text);
        assert!(error.message.len() < LONGEST_MESSAGE, "{} bytes: {error}", error.message.len());
    }
    assert!(ours.count() <= MOST_FINDINGS);
    assert!(misfits(definition, &Schema::new()).is_empty(), "of nothing nothing is known");
    finds_no_more(definition, &found, schema);
}

/// Whoever knows less of the objects finds less.
fn finds_no_more(definition: &Definition, found: &[CompileError], schema: &Schema) {
    if found.len() < MOST_FINDINGS {
        let dated = misfits(definition, &schema.clone().dated());
        assert!(dated.iter().all(|error| found.contains(error)), "{dated:?} is not among {found:?}");
    }
    if !found.is_empty() {
        return;
    }
    for shape in shapes(schema) {
        let mut less = schema.clone();
        less.set(shape, Shape::Anything);
        let found = misfits(definition, &less);
        assert!(found.is_empty(), "{found:?} only without {shape:?}, {:?}", schema.get(shape));
    }
}

/// Shapes of a schema, the nearest to the root first.
fn shapes(schema: &Schema) -> Vec<ShapeId> {
    let (mut all, mut seen) = (vec![Schema::ROOT], BTreeSet::from([Schema::ROOT]));
    let mut next = 0;
    while let Some(shape) = all.get(next).filter(|_| all.len() < MOST_FORGOTTEN) {
        next += 1;
        match schema.get(*shape) {
            Shape::List(element) => all.extend(seen.insert(*element).then_some(*element)),
            Shape::Map { members, others } => {
                all.extend(members.values().chain(others).copied().filter(|below| seen.insert(*below)));
            }
            _ => {}
        }
    }
    all.truncate(MOST_FORGOTTEN);
    all
}

//! What it costs to evaluate eight filters on one Pod: hand-written Rust, the `cel` crate, and ours.
//!
//! Hand-written Rust and ours read the same row; the `cel` crate reads a `serde_json::Value`, which it turns into its own
//! values for every object (eager), or once for all evaluations, which no stream of changes allows. Parsing JSON is in no
//! row. Aim: ours at most 4 times hand-written. Run: `cargo bench -p celemetry-engine --bench evaluate`

#![allow(missing_docs, reason = "a benchmark has no users")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use celemetry_engine::definition::Formula;
use celemetry_engine::expression::{Budget, Demand, Environment, Expression, Outcome, Scope, Value};
use celemetry_engine::row::{Decoder, Defaults, FieldId, FieldPlan, FieldRecorder, HashSeed, Row};
use criterion::Criterion;
use regex::Regex;

#[path = "objects/mod.rs"]
mod objects;
#[path = "ratios/mod.rs"]
mod ratios;

/// A filter by hand.
type ByHand = fn(&Fields, &Row) -> bool;

const FILTERS: [(&str, &str, ByHand); 8] = [
    ("phase", r#"object.status.phase == "Running""#, |fields, row| is(row, fields.phase, "Running")),
    (
        "phase, label, exists",
        r#"object.status.phase == "Running" && object.metadata.labels["app"] == "web" && object.spec.containers.exists(c, c.image.startsWith("registry.example.org/"))"#,
        |fields, row| is(row, fields.phase, "Running") && fields.label_and_image(row),
    ),
    (
        "the same, first is false",
        r#"object.status.phase == "Failed" && object.metadata.labels["app"] == "web" && object.spec.containers.exists(c, c.image.startsWith("registry.example.org/"))"#,
        |fields, row| is(row, fields.phase, "Failed") && fields.label_and_image(row),
    ),
    (
        "has, in, not has",
        r#"has(object.spec.nodeName) && object.status.phase in ["Running", "Pending"] && !has(object.metadata.deletionTimestamp)"#,
        |fields, row| {
            row.at(fields.node).is_some()
                && (is(row, fields.phase, "Running") || is(row, fields.phase, "Pending"))
                && row.at(fields.deleted).is_none()
        },
    ),
    (
        "conditions.exists",
        r#"object.status.conditions.exists(c, c.type == "Ready" && c.status == "True")"#,
        |fields, row| {
            any(row, fields.conditions, |condition| {
                text(condition.member(fields.condition_type, "type")) == Some("Ready")
                    && text(condition.member(fields.condition_status, "status")) == Some("True")
            })
        },
    ),
    ("restarts.exists", "object.status.containerStatuses.exists(c, c.restartCount > 3)", |fields, row| {
        any(row, fields.statuses, |status| {
            let restarts = status.member(fields.restarts, "restartCount").and_then(|node| node.as_number());
            restarts.and_then(|text| text.parse().ok()).is_some_and(|restarts: i64| restarts > 3)
        })
    }),
    (
        "all(matches)",
        r#"object.spec.containers.all(c, c.image.matches("^registry[.]example[.]org/[a-z/-]+:[0-9.]+$"))"#,
        |fields, row| {
            !any(row, fields.containers, |container| {
                text(container.member(fields.image, "image"))
                    .is_none_or(|image| !fields.pattern.is_match(image))
            })
        },
    ),
    ("namespace/name", r#"object.metadata.namespace + "/" + object.metadata.name"#, |fields, row| {
        let text = |field| text(row.at(field)).unwrap_or_default();
        !black_box([text(fields.namespace), "/", text(fields.name)].concat()).is_empty()
    }),
];

/// Where the filters find in a row what they read.
struct Fields {
    phase: FieldId,
    app: FieldId,
    node: FieldId,
    deleted: FieldId,
    namespace: FieldId,
    name: FieldId,
    containers: FieldId,
    image: FieldId,
    conditions: FieldId,
    condition_type: FieldId,
    condition_status: FieldId,
    statuses: FieldId,
    restarts: FieldId,
    pattern: Regex,
}

/// One Pod, as a row and as JSON, and the filters.
struct Rig {
    row: Row,
    json: serde_json::Value,
    fields: Fields,
    ours: Vec<Expression>,
}

// === by hand ===

type Node<'r> = celemetry_engine::row::NodeRef<'r>;

fn text(node: Option<Node<'_>>) -> Option<&str> {
    node.and_then(Node::as_str)
}

fn is(row: &Row, field: FieldId, expected: &str) -> bool {
    text(row.at(field)) == Some(expected)
}

fn any<'r>(row: &'r Row, list: FieldId, test: impl Fn(Node<'r>) -> bool) -> bool {
    row.at(list).is_some_and(|list| list.items().any(test))
}

impl Fields {
    fn record(record: &mut FieldRecorder<'_>) -> Self {
        let mut at = |path: &[&str]| {
            let field = path.iter().fold(FieldId::ROOT, |field, name| match *name {
                "*" => record.each(field),
                name => record.member(field, name),
            });
            record.keep_scalar(field);
            field
        };
        Fields {
            phase: at(&["status", "phase"]),
            app: at(&["metadata", "labels", "app"]),
            node: at(&["spec", "nodeName"]),
            deleted: at(&["metadata", "deletionTimestamp"]),
            namespace: at(&["metadata", "namespace"]),
            name: at(&["metadata", "name"]),
            containers: at(&["spec", "containers"]),
            image: at(&["spec", "containers", "*", "image"]),
            conditions: at(&["status", "conditions"]),
            condition_type: at(&["status", "conditions", "*", "type"]),
            condition_status: at(&["status", "conditions", "*", "status"]),
            statuses: at(&["status", "containerStatuses"]),
            restarts: at(&["status", "containerStatuses", "*", "restartCount"]),
            pattern: Regex::new("^registry[.]example[.]org/[a-z/-]+:[0-9.]+$").expect("a pattern"),
        }
    }

    fn label_and_image(&self, row: &Row) -> bool {
        is(row, self.app, "web")
            && any(row, self.containers, |container| {
                text(container.member(self.image, "image"))
                    .is_some_and(|image| image.starts_with("registry.example.org/"))
            })
    }
}

// === the rig ===

impl Rig {
    /// Filters over the first Pod of which all are true, but for the one that is not.
    fn new() -> Self {
        let mut plan = FieldPlan::new(HashSeed(1, 2));
        let mut record = plan.record();
        let compile = |(_, text, _): &(&str, &str, ByHand)| {
            let formula = Formula::cel(text, "filter");
            Expression::compile(&formula, &Scope::default(), Demand::Whole, &mut record)
                .expect("a filter compiles")
        };
        let ours = FILTERS.iter().map(compile).collect();
        let fields = Fields::record(&mut record);
        drop(record.finish());
        let mut decoder = Decoder::new(Arc::new(plan));
        let (row, json) = (0..10_000)
            .map(objects::pod)
            .map(|pod| {
                let row = decoder.decode(pod.as_bytes(), Defaults::default()).expect("a Pod is JSON");
                (row, serde_json::from_str(&pod).expect("a Pod is JSON"))
            })
            .find(|(row, _)| {
                FILTERS.iter().all(|(_, text, by_hand)| by_hand(&fields, row) != text.contains("Failed"))
            })
            .expect("one of many Pods is so");
        Rig { row, json, fields, ours }
    }

    fn ours(&self, at: usize) -> Outcome<'_> {
        let environment = Environment { row: &self.row, item: None, position: None };
        self.ours[at].evaluate(&environment, &mut { Budget::EXPRESSION }).expect("a filter has a value")
    }

    /// As the engine evaluates filters.
    fn holds(&self, at: usize) -> bool {
        let environment = Environment { row: &self.row, item: None, position: None };
        self.ours[at].holds(&environment, &mut { Budget::EXPRESSION }).expect("a filter is a bool")
    }

    fn bound(&self, env: &Arc<cel::Env>) -> cel::Context<'_, '_> {
        let mut context = cel::Context::with_env(Arc::clone(env));
        context.add_variable("object", &self.json).expect("JSON can be bound");
        context
    }
}

fn evaluate(criterion: &mut Criterion) {
    let rig = Rig::new();
    let env = Arc::new(cel::Env::stdlib());
    for (at, (name, text, by_hand)) in FILTERS.iter().enumerate() {
        let program = env.compile(text).expect("the cel crate compiles it too");
        let bound = rig.bound(&env);
        let theirs = program.execute(&bound).expect("it has a value");
        agree(&rig.ours(at), &theirs, text);
        let mut group = criterion.benchmark_group(format!("evaluate/{name}"));
        group.bench_function("floor: hand-written", |bencher| {
            bencher.iter(|| by_hand(black_box(&rig.fields), black_box(&rig.row)));
        });
        match rig.ours(at) {
            Outcome::Value(Value::Bool(_)) => {
                group.bench_function("ours", |bencher| bencher.iter(|| rig.holds(black_box(at))));
            }
            _ => {
                group.bench_function("ours", |bencher| bencher.iter(|| rig.ours(black_box(at))));
            }
        }
        group.bench_function("rival: cel, bound once", |bencher| {
            bencher.iter(|| program.execute(black_box(&bound)));
        });
        group.bench_function("rival: cel, eager", |bencher| {
            bencher.iter(|| program.execute(&black_box(&rig).bound(&env)));
        });
        group.finish();
    }
}

/// What is compared must give the same.
fn agree(ours: &Outcome<'_>, theirs: &cel::Value, text: &str) {
    let same = match (ours, theirs) {
        (Outcome::Value(Value::Bool(ours)), cel::Value::Bool(theirs)) => ours == theirs,
        (Outcome::Value(Value::String(ours)), cel::Value::String(theirs)) => ours.as_str() == theirs.as_str(),
        _ => false,
    };
    assert!(same, "{text} gives {ours:?} and {theirs:?}");
}

fn main() {
    let mut criterion = Criterion::default()
        .configure_from_args()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1));
    evaluate(&mut criterion);
    criterion.final_summary();
    ratios::print("evaluate");
}

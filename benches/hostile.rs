//! How long small texts that ask for much take to end: each is compiled, and where it compiles, evaluated once.
//!
//! The floor is an ordinary comparison. How each must end is tested in `tests/engine/hostile.rs`.
//! Run: `cargo bench -p celemetry-engine --bench hostile`

#![allow(missing_docs, reason = "a benchmark has no users")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use celemetry_engine::definition::{Formula, Language};
use celemetry_engine::expression::{Budget, Demand, Environment, Expression, Scope};
use celemetry_engine::row::{Decoder, Defaults, FieldPlan, HashSeed, Row};
use criterion::Criterion;

#[path = "ratios/mod.rs"]
mod ratios;
#[path = "hostile/texts.rs"]
mod texts;

fn formula(language: Language, text: &str) -> Formula {
    Formula { language, text: text.to_owned(), place: "spec.filter".to_owned() }
}

fn compile(formula: &Formula, plan: &mut FieldPlan) -> Option<Expression> {
    let mut fields = plan.record();
    let compiled = Expression::compile(formula, &Scope::default(), Demand::Whole, &mut fields).ok();
    drop(fields.finish());
    compiled
}

/// Compiles, and if that succeeds evaluates.
fn run(formula: &Formula, row: &Row) {
    let Some(compiled) = compile(formula, &mut FieldPlan::new(HashSeed(1, 2))) else { return };
    let environment = Environment { row, item: None, position: None };
    let _ = black_box(compiled.evaluate(&environment, &mut { Budget::EXPRESSION }));
}

fn hostile(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("hostile");
    group.sample_size(10);
    let object = texts::object();
    let floor = ("floor: a comparison", formula(Language::Cel, "object.t == true"));
    let language = |language| match language {
        Language::Cel => "CEL",
        Language::Rfc9535 => "RFC 9535",
        Language::Kubectl => "kubectl",
    };
    let texts = texts::all();
    let named: Vec<(String, Formula)> = texts
        .iter()
        .map(|one| (format!("{}: {}", language(one.language), one.name), formula(one.language, &one.text)))
        .collect();
    for (name, formula) in std::iter::once((floor.0, &floor.1))
        .chain(named.iter().map(|(name, formula)| (name.as_str(), formula)))
    {
        let mut plan = FieldPlan::new(HashSeed(1, 2));
        // The row is as an engine would have it: what the expression reads.
        compile(formula, &mut plan);
        let row =
            Decoder::new(Arc::new(plan)).decode(object.as_bytes(), Defaults::default()).expect("it is JSON");
        group.bench_function(name, |bencher| bencher.iter(|| run(black_box(formula), &row)));
    }
    group.finish();
}

fn main() {
    let mut criterion = Criterion::default()
        .configure_from_args()
        .warm_up_time(Duration::from_millis(50))
        .measurement_time(Duration::from_millis(300));
    hostile(&mut criterion);
    criterion.final_summary();
    ratios::print("hostile");
}

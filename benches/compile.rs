//! What it costs to compile definitions: one, and a thousand, all different or from one template.
//!
//! The floor is parsing their texts with the `cel` crate, whose parser we use. Definitions from one template share what
//! they were compiled to. Run: `cargo bench -p celemetry-engine --bench compile`

#![allow(missing_docs, reason = "a benchmark has no users")]

use std::collections::BTreeSet;
use std::hint::black_box;
use std::time::Duration;

use celemetry_engine::definition::{Aggregation, Definition, LabelOperator, LabelRequirement, ValueKind};
use celemetry_engine::{Engine, Options};
use criterion::{BatchSize, BenchmarkId, Criterion};

#[path = "ratios/mod.rs"]
mod ratios;

/// The CPU that running containers of one app ask for, by namespace and kind of owner.
fn definition(number: usize, is_of_template: bool) -> Definition {
    let app = format!("app-{number}");
    let filter = if is_of_template {
        "object.status.phase == 'Running' && !has(object.metadata.deletionTimestamp)".to_owned()
    } else {
        format!("object.status.phase == 'Running' && object.metadata.labels['version'] != '{app}'")
    };
    let requirement =
        LabelRequirement { key: "app".into(), operator: LabelOperator::In(BTreeSet::from([app.clone()])) };
    let definition = Definition::count(&format!("cpu.{app}"))
        .filter(&filter)
        .each("object.spec.containers")
        .by("namespace", "object.metadata.namespace")
        .by("owner", "object.metadata.ownerReferences[0].kind")
        .aggregate(Aggregation::Sum, ValueKind::Quantity, "item.?resources.?requests.?cpu");
    Definition { labels: vec![requirement], ..definition }
}

/// Every expression of a definition.
fn texts(definition: &Definition) -> Vec<String> {
    let single = [&definition.filter, &definition.for_each].into_iter().flatten();
    let value = definition.value.iter().map(|value| &value.formula);
    let attributes = definition.projections.iter().map(|projection| &projection.formula);
    single.chain(value).chain(attributes).map(|formula| formula.text.clone()).collect()
}

fn register(definitions: &[Definition]) -> Engine {
    let mut engine = Engine::new(Options::default());
    let source = engine.add_source();
    for definition in definitions {
        engine.register(definition, &[source]).expect("the definition compiles");
    }
    engine
}

fn compile(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("compile");
    group.sample_size(10);
    let env = cel::Env::stdlib();
    let env = std::sync::Arc::new(env);
    for count in [1, 1_000] {
        let of =
            |is_of_template| (0..count).map(|number| definition(number, is_of_template)).collect::<Vec<_>>();
        let (different, alike) = (of(false), of(true));
        let texts: Vec<String> = different.iter().flat_map(texts).collect();
        group.bench_function(BenchmarkId::new("floor: parse the texts", count), |bencher| {
            bencher.iter(|| texts.iter().for_each(|text| drop(black_box(env.compile(text)))));
        });
        for (name, definitions) in [("ours: all different", &different), ("ours: one template", &alike)] {
            group.bench_function(BenchmarkId::new(name, count), |bencher| {
                bencher.iter_batched(|| (), |()| register(black_box(definitions)), BatchSize::LargeInput);
            });
        }
    }
    group.finish();
}

fn main() {
    let mut criterion = Criterion::default()
        .configure_from_args()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(3));
    compile(&mut criterion);
    criterion.final_summary();
    ratios::print("compile");
}

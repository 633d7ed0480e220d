//! What one more requirement of a label selector costs: 100 metrics whose selectors all hold, and have 0 to 8 requirements.
//!
//! Every event brings labels that were not seen before, so that what is known of a label set does not help: the worst case.
//! Objects whose labels did not change pay for none of it. The floor has no selectors, and like all rows a filter that
//! reads what changes. Run: `cargo bench -p celemetry-engine --bench labels`

#![allow(missing_docs, clippy::disallowed_methods, reason = "a benchmark measures time")]

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use celemetry_engine::change::{Change, Origin, SourceId};
use celemetry_engine::definition::{Definition, LabelOperator, LabelRequirement};
use celemetry_engine::row::{Decoder, Defaults, Row};
use celemetry_engine::{Engine, Options};
use criterion::{Criterion, Throughput};

#[path = "ratios/mod.rs"]
mod ratios;

const METRICS: usize = 100;
const BATCH: usize = 200;

/// An engine with one source, and the number of the next label set.
struct Rig {
    engine: Engine,
    source: SourceId,
    decoder: Decoder,
    next: usize,
}

impl Rig {
    fn new(requirements: usize) -> Self {
        let mut engine = Engine::new(Options::default());
        let source = engine.add_source();
        for number in 0..METRICS {
            let labels = (0..requirements).map(|at| requirement(number + at)).collect();
            let definition = Definition::count(&format!("pods.{number}")).filter("object.status.phase != ''");
            let definition = Definition { labels, ..definition };
            engine.register(&definition, &[source]).expect("the definition compiles");
        }
        let fields = engine.field_plan(source).expect("the source exists");
        engine.apply(source, Change::Begin { epoch: fields.epoch() }, &mut |_| {});
        engine.apply(source, Change::End, &mut |_| {});
        Rig { engine, source, decoder: Decoder::new(fields), next: 0 }
    }

    /// What the first metric counts, so that it is known that selectors hold.
    fn counted(&mut self) -> String {
        let snapshot = self.engine.flush_all();
        let table = snapshot.metrics.values().next().expect("there are metrics");
        table.sorted().first().map(|series| series.number.to_string()).unwrap_or_default()
    }

    fn row(&mut self) -> Row {
        self.next += 1;
        let (uid, revision) = (self.next % 1_000, self.next);
        let labels: String = (0..8).map(|at| format!(r#""l{at}":"v{at}","#)).collect();
        let text = format!(
            r#"{{"apiVersion":"v1","kind":"Pod","metadata":{{"name":"p","namespace":"n","uid":"{uid}","labels":{{{labels}"revision":"{revision}"}}}},"status":{{"phase":"p{revision}"}}}}"#
        );
        self.decoder.decode(text.as_bytes(), Defaults::default()).expect("the row is JSON")
    }
}

/// One that holds for every row.
fn requirement(at: usize) -> LabelRequirement {
    let value = |at: usize| BTreeSet::from([format!("v{}", at % 8)]);
    let operator = match at % 3 {
        0 => LabelOperator::In(value(at)),
        1 => LabelOperator::Exists,
        _ => LabelOperator::NotIn(value(at + 1)),
    };
    LabelRequirement { key: format!("l{}", at % 8), operator }
}

fn labels(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("labels");
    group.throughput(Throughput::Elements((BATCH * METRICS) as u64));
    for (name, requirements) in [
        ("floor: no selector", 0),
        ("1 requirement", 1),
        ("2 requirements", 2),
        ("4 requirements", 4),
        ("8 requirements", 8),
    ] {
        let mut rig = Rig::new(requirements);
        let row = rig.row();
        rig.engine.apply(rig.source, Change::Upsert { row, origin: Origin::Watch }, &mut |_| {});
        assert_eq!(rig.counted(), "1");
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|iterations| {
                let mut spent = Duration::ZERO;
                for _ in 0..iterations {
                    let rows: Vec<Row> = (0..BATCH).map(|_| rig.row()).collect();
                    let start = Instant::now();
                    for row in rows {
                        rig.engine.apply(
                            rig.source,
                            Change::Upsert { row, origin: Origin::Watch },
                            &mut |_| {},
                        );
                    }
                    spent += start.elapsed();
                    rig.engine.flush_all();
                }
                spent
            });
        });
    }
    group.finish();
}

fn main() {
    let mut criterion = Criterion::default()
        .configure_from_args()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2));
    labels(&mut criterion);
    criterion.final_summary();
    ratios::print("labels");
}

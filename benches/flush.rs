//! What a flush costs when all series of a metric changed, and when 1 % did.
//!
//! A reader holds the previous table during every flush, so what changes is copied. The floor is writing as many numbers
//! into memory. Promise: 1 % costs at most 5 % of all. Run: `cargo bench -p celemetry-engine --bench flush`

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use celemetry_engine::definition::{
    Aggregation, Definition, Formula, Language, MetricInfo, Projection, ProjectionKind, TextForm, ValueFrom,
    ValueKind,
};
use celemetry_engine::row::HashSeed;
use celemetry_engine::series::{Amount, SeriesStore};
use celemetry_engine::snapshot::{MetricShape, MetricTable, Number};
use criterion::{BenchmarkId, Criterion};

#[path = "ratios/mod.rs"]
mod ratios;

/// A metric whose every series has a value, and the table that a reader holds.
struct Metric {
    store: SeriesStore,
    table: Arc<MetricTable>,
    slots: Vec<u32>,
}

fn open(store: &mut SeriesStore, pairs: &[(Arc<str>, String)]) -> u32 {
    store.open(store.key(pairs), pairs, usize::MAX)
}

impl Metric {
    fn new(series: usize) -> Self {
        let definition = definition(series);
        let table = MetricTable::new(Arc::clone(&definition.info), MetricShape::of(&definition));
        let (mut store, mut table) = (SeriesStore::new(&definition, HashSeed::default()), Arc::new(table));
        let name: Arc<str> = "pod".into();
        let slots = (0..series)
            .map(|number| open(&mut store, &[(Arc::clone(&name), format!("web-{number}"))]))
            .collect();
        let mut metric = Metric { store, table: Arc::clone(&table), slots };
        metric.touch(0..series);
        metric.store.flush(Arc::make_mut(&mut table), &mut Vec::new(), &mut Vec::new());
        metric.table = table;
        metric
    }

    fn touch(&mut self, positions: impl Iterator<Item = usize>) {
        for position in positions {
            self.store.add(self.slots[position], Amount::Integer(7));
        }
    }

    /// A flush as the engine does it, while a reader holds the table before it.
    #[expect(clippy::disallowed_methods, reason = "a bench measures time, which the engine may not")]
    fn flush(&mut self) -> Duration {
        let held = Arc::clone(&self.table);
        let start = Instant::now();
        let (mut changed, mut vanished) = (Vec::new(), Vec::new());
        self.store.flush(Arc::make_mut(&mut self.table), &mut changed, &mut vanished);
        black_box((&changed, &vanished));
        let took = start.elapsed();
        drop(held);
        took
    }
}

fn definition(max_series: usize) -> Definition {
    let formula = || Formula { language: Language::Cel, text: "object".into(), place: "spec".into() };
    Definition {
        info: Arc::new(MetricInfo::default()),
        tenant: "default".into(),
        labels: vec![],
        fields: vec![],
        namespaces: None,
        filter: None,
        for_each: None,
        projections: vec![Projection {
            name: "pod".into(),
            formula: formula(),
            kind: ProjectionKind::Primitive,
            default: None,
        }],
        value: Some(ValueFrom {
            formula: formula(),
            kind: ValueKind::Integer,
            aggregation: Aggregation::Sum,
            default: None,
        }),
        text: TextForm::Native,
        max_series,
        confidential: false,
    }
}

const PRIME: usize = 7_919;

fn flushes(criterion: &mut Criterion, series: usize, percent: usize) {
    let mut metric = Metric::new(series);
    let touched = series * percent / 100;
    let mut first = 0;
    criterion.benchmark_group("flush").bench_function(
        BenchmarkId::new(format!("{percent} % changed"), series),
        |bencher| {
            bencher.iter_custom(|iterations| {
                let mut total = Duration::ZERO;
                for _ in 0..iterations {
                    // Other series each time, all over the table: the worst for what is copied by pages.
                    metric.touch((first..first + touched).map(|position| position * PRIME % series));
                    first = (first + touched) % series;
                    total += metric.flush();
                }
                total
            });
        },
    );
}

fn floor(criterion: &mut Criterion, series: usize) {
    let numbers: Vec<Number> = (0..1_i64 << 17).take(series).map(Number::Integer).collect();
    criterion.benchmark_group("flush").bench_function(
        BenchmarkId::new("floor: copy the numbers", series),
        |bencher| {
            bencher.iter(|| black_box(black_box(&numbers).clone()));
        },
    );
}

fn main() {
    let mut criterion = Criterion::default()
        .configure_from_args()
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(2));
    for series in [10_000, 100_000] {
        floor(&mut criterion, series);
        flushes(&mut criterion, series, 100);
        flushes(&mut criterion, series, 1);
    }
    criterion.final_summary();
    ratios::print("flush");
}

//! What one change costs when many metrics watch the same kind: 10, 1,000 and 10,000 metrics, ten a tenant.
//!
//! Every event moves one Pod of a tenant that has metrics to another phase, so every event changes series of its
//! tenant's ten metrics, at any number of metrics. Tenants roll out one after the other, all 20 Pods of each, and a
//! label changes with every other rollout. Rows are decoded beforehand: decoding is the subject of the bench `decode`.
//!
//! Rows: ours; ours, scattered (every event of another tenant than the last, so that nothing of it is in the processor's
//! caches: what then grows with N is the cost of memory, not of look-ups); the floor (the same rows again: a look-up and a
//! comparison); the rival (every metric is tried on every event).
//!
//! The second group is what one event costs N metrics whose filters, each with a condition of its own, have one conjunct in
//! common: a loop that is false for the Pod. The floor: only one of them has the conjunct. The rival: each evaluates it.
//! Run: `cargo bench -p celemetry-engine --bench apply`

#![allow(
    missing_docs,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark measures time and prints it"
)]

use std::collections::BTreeSet;
use std::sync::Arc;

use celemetry_engine::change::{Change, Origin, SourceId};
use celemetry_engine::definition::{Definition, LabelOperator, LabelRequirement};
use celemetry_engine::row::{Decoder, Defaults, Row};
use celemetry_engine::{Engine, Options};
use criterion::{BatchSize, BenchmarkId, Criterion, Throughput};

#[path = "ratios/mod.rs"]
mod ratios;

const METRICS: [usize; 3] = [10, 1_000, 10_000];
const METRICS_A_TENANT: usize = 10;
const PODS_A_TENANT: usize = 20;
const BATCH: usize = 500;

/// In which order tenants have events.
#[derive(Clone, Copy)]
enum Order {
    Rollouts,
    Scattered,
}

/// One source with `metrics` metrics and their tenants' Pods.
struct Rig {
    engine: Engine,
    source: SourceId,
    decoder: Decoder,
    tenants: usize,
    step: usize,
}

impl Rig {
    fn new(metrics: usize, index: bool) -> Self {
        let mut engine = Engine::new(Options { index, ..Options::default() });
        let source = engine.add_source();
        for number in 0..metrics {
            engine.register(&metric(number), &[source]).expect("the definition compiles");
        }
        let fields = engine.field_plan(source).expect("the source exists");
        engine.apply(source, Change::Begin { epoch: fields.epoch() }, &mut |_| {});
        let tenants = metrics.div_ceil(METRICS_A_TENANT);
        let mut rig = Rig { engine, source, decoder: Decoder::new(fields), tenants, step: 0 };
        for tenant in 0..tenants {
            for pod in 0..PODS_A_TENANT {
                let row = rig.row(tenant, pod, 0, 0);
                rig.apply(row, Origin::List);
            }
        }
        rig.engine.apply(source, Change::End, &mut |_| {});
        rig.engine.flush_all();
        rig
    }

    fn row(&mut self, tenant: usize, pod: usize, phase: usize, revision: usize) -> Row {
        let phase = ["Pending", "Running", "Failed"][phase % 3];
        let app = pod % METRICS_A_TENANT;
        let text = format!(
            r#"{{"apiVersion":"v1","kind":"Pod","metadata":{{"name":"app-{app}-{pod}","namespace":"tenant-{tenant}","uid":"{tenant}-{pod}",
            "labels":{{"app":"app-{app}","tenant":"tenant-{tenant}","revision":"{revision}"}}}},"spec":{{"nodeName":"node-{pod}"}},"status":{{"phase":"{phase}"}}}}"#
        );
        self.decoder.decode(text.as_bytes(), Defaults::default()).expect("the row is JSON")
    }

    /// The next events: Pods in another phase than before, tenant after tenant, or each of another tenant.
    fn events(&mut self, count: usize, order: Order) -> Vec<Row> {
        (0..count)
            .map(|_| {
                self.step += 1;
                let (tenant, pod) = match order {
                    Order::Rollouts => (self.step / PODS_A_TENANT % self.tenants, self.step % PODS_A_TENANT),
                    Order::Scattered => (self.step % self.tenants, self.step / self.tenants % PODS_A_TENANT),
                };
                let round = self.step / (self.tenants * PODS_A_TENANT);
                self.row(tenant, pod, 1 + round, round / 2)
            })
            .collect()
    }

    fn apply(&mut self, row: Row, origin: Origin) {
        self.engine.apply(self.source, Change::Upsert { row, origin }, &mut |_| {});
    }
}

/// Counts the Pods of one tenant by phase, each metric in its own way.
fn metric(number: usize) -> Definition {
    let tenant = format!("tenant-{}", number / METRICS_A_TENANT);
    let requirement = LabelRequirement {
        key: "tenant".into(),
        operator: LabelOperator::In(BTreeSet::from([tenant.clone()])),
    };
    let definition = Definition::count(&format!("pods.{number}")).by("phase", "object.status.phase");
    let definition = Definition { tenant: Arc::from(tenant), labels: vec![requirement], ..definition };
    match number % METRICS_A_TENANT {
        0..4 => definition,
        4..7 => definition.filter("object.status.phase != 'Failed'"),
        _ => definition.by("node", "object.spec.nodeName"),
    }
}

fn apply(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("apply");
    group.throughput(Throughput::Elements(BATCH as u64));
    for metrics in METRICS {
        for (name, index, order) in [
            ("ours", true, Order::Rollouts),
            ("ours, scattered", true, Order::Scattered),
            ("rival: every metric is tried", false, Order::Rollouts),
        ] {
            if metrics == 10_000 && !index {
                group.sample_size(10);
            }
            let mut rig = Rig::new(metrics, index);
            group.bench_function(BenchmarkId::new(name, metrics), |bencher| {
                bencher.iter_custom(|iterations| {
                    let mut spent = std::time::Duration::ZERO;
                    for _ in 0..iterations {
                        let events = rig.events(BATCH, order);
                        let start = std::time::Instant::now();
                        for row in events {
                            rig.apply(row, Origin::Watch);
                        }
                        spent += start.elapsed();
                        rig.engine.flush_all();
                    }
                    spent
                });
            });
        }
        let mut rig = Rig::new(metrics, true);
        let rows: Vec<Row> = (0..BATCH).map(|at| rig.row(at % rig.tenants, 0, 0, 0)).collect();
        group.bench_function(BenchmarkId::new("floor: unchanged rows", metrics), |bencher| {
            bencher.iter_batched(
                || rows.clone(),
                |rows| rows.into_iter().for_each(|row| rig.apply(row, Origin::Watch)),
                BatchSize::SmallInput,
            );
        });
    }
    group.finish();
}

/// A loop over all conditions of the Pod.
const CONJUNCT: &str = r#"object.status.conditions.exists(c, c.type == "Ready" && c.status == "Unknown")"#;

const POD: &str = r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"web-1","namespace":"shop","uid":"1","labels":{"app":"web"}},
    "status":{"phase":"Running","conditions":[{"type":"PodReadyToStartContainers","status":"True"},{"type":"Initialized","status":"True"},
    {"type":"Ready","status":"True"},{"type":"ContainersReady","status":"True"},{"type":"PodScheduled","status":"True"}]}}"#;

/// An engine with so many metrics, so many of which have the conjunct, and the Pod's row.
fn sharing(metrics: usize, with_conjunct: usize, share: bool) -> (Engine, SourceId, Row) {
    let mut engine = Engine::new(Options { share, ..Options::default() });
    let source = engine.add_source();
    for number in 0..metrics {
        let own = format!(r#"object.metadata.labels["app"] != "app-{number}""#);
        let filter =
            if number < with_conjunct { format!("{own} && {CONJUNCT}") } else { format!("!({own})") };
        let definition = Definition::count(&format!("pods.{number}")).filter(&filter);
        engine.register(&definition, &[source]).expect("the definition compiles");
    }
    let fields = engine.field_plan(source).expect("the source exists");
    engine.apply(source, Change::Begin { epoch: fields.epoch() }, &mut |_| {});
    let row = Decoder::new(fields).decode(POD.as_bytes(), Defaults::default()).expect("the row is JSON");
    engine.apply(source, Change::Upsert { row: row.clone(), origin: Origin::List }, &mut |_| {});
    engine.apply(source, Change::End, &mut |_| {});
    (engine, source, row)
}

fn share(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("apply, a conjunct in common");
    for metrics in [2, 10, 100] {
        for (name, with_conjunct, share) in [
            ("floor: one metric has it", 1, true),
            ("ours", metrics, true),
            ("rival: each evaluates it", metrics, false),
        ] {
            let (mut engine, source, row) = sharing(metrics, with_conjunct, share);
            group.bench_function(BenchmarkId::new(name, metrics), |bencher| {
                // Shown again, so that it is evaluated although it is as before.
                let review = || Change::Upsert { row: row.clone(), origin: Origin::Review };
                bencher.iter_batched(
                    review,
                    |change| engine.apply(source, change, &mut |_| {}),
                    BatchSize::SmallInput,
                );
            });
        }
    }
    group.finish();
}

fn main() {
    let mut criterion = Criterion::default()
        .configure_from_args()
        .warm_up_time(std::time::Duration::from_secs(1))
        .measurement_time(std::time::Duration::from_secs(2));
    apply(&mut criterion);
    share(&mut criterion);
    criterion.final_summary();
    ratios::print("apply");
}

//! What it costs to turn one watched Pod of about 6 KB into a row, between two floors and a rival.
//!
//! The floor skips the line without keeping anything; below it is only finding the end of the line. Ours with more or
//! fewer paths shows what a field costs. Only ratios carry over to other machines; they are printed last.
//! Run: `cargo bench -p celemetry-engine --bench decode`

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use celemetry_engine::row::{Decoder, Defaults, FieldId, FieldPlan, HashSeed, skim};
use criterion::{Criterion, Throughput};

#[path = "objects/mod.rs"]
mod objects;
#[path = "ratios/mod.rs"]
mod ratios;

/// More lines than branch predictors and caches remember.
const LINES: u64 = 4000;

/// The plan of `ours: 9 paths`, a typical union of a few metrics.
fn nine_paths() -> Arc<FieldPlan> {
    let mut plan = FieldPlan::new(HashSeed(1, 2));
    let mut record = plan.record();
    let [metadata, spec, status] =
        ["metadata", "spec", "status"].map(|name| record.member(FieldId::ROOT, name));
    for (parent, name) in [
        (metadata, "name"),
        (metadata, "namespace"),
        (metadata, "uid"),
        (metadata, "labels"),
        (spec, "nodeName"),
        (status, "phase"),
    ] {
        let field = record.member(parent, name);
        record.keep(field);
    }
    let containers = record.member(spec, "containers");
    let container = record.each(containers);
    let resources = record.member(container, "resources");
    let requests = record.member(resources, "requests");
    let cpu = record.member(requests, "cpu");
    record.keep(cpu);
    let statuses = record.member(status, "containerStatuses");
    let container_status = record.each(statuses);
    let restarts = record.member(container_status, "restartCount");
    record.keep(restarts);
    drop(record.finish());
    Arc::new(plan)
}

/// Plain paths: one, or two dozen of all parts of a Pod.
fn paths(paths: &[&str]) -> Arc<FieldPlan> {
    let mut plan = FieldPlan::new(HashSeed(1, 2));
    let mut record = plan.record();
    for path in paths {
        let field = path.split('.').fold(FieldId::ROOT, |field, name| match name {
            "*" => record.each(field),
            name => record.member(field, name),
        });
        record.keep(field);
    }
    drop(record.finish());
    Arc::new(plan)
}

const MANY: [&str; 24] = [
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "metadata.labels",
    "metadata.annotations",
    "metadata.creationTimestamp",
    "metadata.ownerReferences.*.kind",
    "metadata.ownerReferences.*.name",
    "spec.nodeName",
    "spec.priority",
    "spec.schedulerName",
    "spec.serviceAccountName",
    "spec.containers.*.name",
    "spec.containers.*.image",
    "spec.containers.*.resources.requests",
    "spec.containers.*.resources.limits",
    "spec.tolerations.*.key",
    "status.phase",
    "status.podIP",
    "status.startTime",
    "status.qosClass",
    "status.conditions.*.type",
    "status.conditions.*.status",
    "status.containerStatuses.*.restartCount",
];

/// Measures `work` on one line after another under `name`.
fn row(criterion: &mut Criterion, name: &str, lines: &[Vec<u8>], mut work: impl FnMut(&[u8])) {
    let bytes: usize = lines.iter().map(Vec::len).sum();
    let mut group = criterion.benchmark_group("decode");
    group.throughput(Throughput::Bytes(bytes as u64 / LINES));
    let mut next = lines.iter().cycle();
    group.bench_function(name, |bencher| {
        bencher.iter(|| work(black_box(next.next().expect("there are lines"))));
    });
}

fn main() {
    let lines: Vec<Vec<u8>> = (0..LINES).map(|n| objects::pod(n).into_bytes()).collect();
    let mut criterion = Criterion::default()
        .configure_from_args()
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(3));
    row(&mut criterion, "limit: find the end of the line", &lines, |line| {
        black_box(memchr::memchr(b'\n', line));
    });
    row(&mut criterion, "floor: skip", &lines, |line| {
        skim(line).expect("a Pod");
    });
    let plans = [
        ("ours: 1 path", paths(&MANY[..1])),
        ("ours: 9 paths", nine_paths()),
        ("ours: 24 paths", paths(&MANY)),
    ];
    for (name, plan) in plans {
        let mut decoder = Decoder::new(plan);
        row(&mut criterion, name, &lines, |line| {
            black_box(decoder.decode(line, Defaults::default()).expect("a Pod"));
        });
    }
    row(&mut criterion, "rival: serde_json::Value", &lines, |line| {
        black_box(serde_json::from_slice::<serde_json::Value>(line).expect("a Pod"));
    });
    criterion.final_summary();
    ratios::print("decode");
}

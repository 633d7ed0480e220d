//! What it costs to turn one watched Pod of about 6 KB into a row, between two floors and a rival.
//!
//! `cargo bench -p celemetry-engine --bench decode`. Only ratios carry over to other machines; they are printed last.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use celemetry_engine::row::{Decoder, Defaults, FieldId, FieldPlan, HashSeed, skim};
use criterion::{Criterion, Throughput};

#[path = "objects/mod.rs"]
mod objects;

/// More lines than branch predictors and caches remember.
const LINES: u64 = 4000;

/// Nanoseconds a line, of every sample of every row.
type Samples = RefCell<BTreeMap<&'static str, Vec<f64>>>;

/// The plan of `ours/9-paths`, a typical union of a few metrics.
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

/// Measures `work` on one line after another under `name`.
#[allow(clippy::disallowed_methods, reason = "the engine reads no clock, its benchmarks must")]
fn row(
    criterion: &mut Criterion,
    samples: &Samples,
    name: &'static str,
    lines: &[Vec<u8>],
    mut work: impl FnMut(&[u8]),
) {
    let bytes: usize = lines.iter().map(Vec::len).sum();
    let mut group = criterion.benchmark_group("decode");
    group.throughput(Throughput::Bytes(bytes as u64 / LINES));
    let mut next = lines.iter().cycle();
    group.bench_function(name, |bencher| {
        bencher.iter_custom(|count| {
            let start = Instant::now();
            for line in next.by_ref().take(count as usize) {
                work(black_box(line));
            }
            let elapsed = start.elapsed();
            samples.borrow_mut().entry(name).or_default().push(elapsed.as_nanos() as f64 / count as f64);
            elapsed
        });
    });
}

fn main() {
    let lines: Vec<Vec<u8>> = (0..LINES).map(|n| objects::pod(n).into_bytes()).collect();
    let samples = Samples::default();
    let mut criterion = Criterion::default()
        .configure_from_args()
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(3))
        .without_plots();
    row(&mut criterion, &samples, "floor/newline-scan", &lines, |line| {
        black_box(memchr::memchr(b'\n', line));
    });
    row(&mut criterion, &samples, "floor/skip", &lines, |line| {
        skim(line).expect("a Pod");
    });
    let mut decoder = Decoder::new(nine_paths());
    row(&mut criterion, &samples, "ours/9-paths", &lines, |line| {
        black_box(decoder.decode(line, Defaults::default()).expect("a Pod"));
    });
    row(&mut criterion, &samples, "rival/serde_json-value", &lines, |line| {
        black_box(serde_json::from_slice::<serde_json::Value>(line).expect("a Pod"));
    });
    criterion.final_summary();

    report(&lines, samples.take());
}

/// Prints the times of all rows, and what multiple of ours they are.
#[allow(clippy::print_stdout, reason = "a benchmark talks to its user")]
fn report(lines: &[Vec<u8>], mut samples: BTreeMap<&'static str, Vec<f64>>) {
    let mean = lines.iter().map(Vec::len).sum::<usize>() / lines.len();
    println!("a line of {mean} bytes: ns and multiple of ours, median and fastest sample");
    samples.values_mut().for_each(|times| times.sort_by(f64::total_cmp));
    let of = |times: &[f64]| (times[times.len() / 2], times[0]);
    let ours = samples.get("ours/9-paths").map_or((f64::NAN, f64::NAN), |times| of(times));
    for (name, times) in &samples {
        let (median, fastest) = of(times);
        println!("{name:24} {median:8.0} {:6.2} {fastest:10.0} {:6.2}", median / ours.0, fastest / ours.1);
    }
}

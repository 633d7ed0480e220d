//! Memory is a benchmark: bytes an object with eight metrics, all in.
//!
//! Two ways to look: live heap bytes as an instrumented allocator counts them, the same on every machine, and the
//! resident memory of a process of its own with the system's allocator, overhead included. The floor is what eight
//! contributions and a key cannot do without. Run: `cargo bench -p celemetry-engine --bench memory`

#![allow(
    missing_docs,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark measures time and prints it"
)]

use celemetry_engine::change::{Change, Origin, SourceId};
use celemetry_engine::definition::{Aggregation, Definition, ValueKind};
use celemetry_engine::row::{Decoder, Defaults};
use celemetry_engine::{Engine, Options};

#[path = "ratios/mod.rs"]
mod ratios;

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

const OBJECTS: usize = 100_000;

/// A key of 16 bytes; per metric which one, which series and a number: 16 bytes.
const FLOOR: usize = 16 + 8 * 16;

/// The limit this project promises.
const PROMISE: usize = 512;

fn main() {
    if std::env::var_os("CELEMETRY_BENCH_RSS").is_some() {
        println!("{}", resident());
        return;
    }
    let resident: usize = {
        let this = std::env::current_exe().expect("a running program has a file");
        let output =
            std::process::Command::new(this).env("CELEMETRY_BENCH_RSS", "1").output().expect("it runs again");
        String::from_utf8_lossy(&output.stdout).trim().parse().expect("it prints a number")
    };
    let _profiler = dhat::Profiler::builder().testing().build();
    let before = live();
    let mut rig = Rig::new();
    rig.list(0);
    let listed = (live() - before) / OBJECTS;
    rig.list(1);
    let relisted = (live() - before) / OBJECTS;
    for object in 0..OBJECTS {
        rig.watch(object, object % 7);
    }
    rig.engine.flush_all();
    let churned = (live() - before) / OBJECTS;
    rig.empty();
    let left = live() - before;

    println!("{OBJECTS} Pods, 8 metrics (count, sums, min, mean; by phase, namespace, node)");
    #[allow(clippy::cast_precision_loss, reason = "a ratio for people")]
    let rows = [
        ("floor: a key and eight contributions", FLOOR),
        ("live heap after the first list", listed),
        ("live heap after a second list", relisted),
        ("live heap after every object has changed", churned),
        ("resident, system allocator", resident),
        ("promised", PROMISE),
    ]
    .map(|(what, bytes)| (what, bytes as f64));
    ratios::record("memory, bytes an object", &rows);
    ratios::print("memory");
    println!("\nleft after every object is gone: {left} bytes in all");
    assert!(
        resident.max(listed).max(relisted).max(churned) <= PROMISE,
        "more than {PROMISE} bytes an object"
    );
}

/// Resident bytes an object, from what the process grows by.
fn resident() -> usize {
    let before = rss();
    let mut rig = Rig::new();
    rig.list(0);
    rig.list(1);
    (rss() - before) / OBJECTS
}

fn live() -> usize {
    dhat::HeapStats::get().curr_bytes
}

fn rss() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("this runs on Linux");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("Linux reports resident memory");
    line.split_whitespace().nth(1).and_then(|kib| kib.parse::<usize>().ok()).expect("in KiB") * 1024
}

/// One source with eight metrics.
struct Rig {
    engine: Engine,
    source: SourceId,
    decoder: Decoder,
}

impl Rig {
    fn new() -> Self {
        let mut engine = Engine::new(Options::default());
        let source = engine.add_source();
        for definition in metrics() {
            engine.register(&definition, &[source]).expect("the definition compiles");
        }
        let fields = engine.field_plan(source).expect("the source exists");
        Rig { engine, source, decoder: Decoder::new(fields) }
    }

    fn list(&mut self, phase: usize) {
        self.change(Change::Begin { epoch: 0 });
        for object in 0..OBJECTS {
            let row = self
                .decoder
                .decode(pod(object, phase).as_bytes(), Defaults::default())
                .expect("a Pod is JSON");
            self.change(Change::Upsert { row, origin: Origin::List });
        }
        self.change(Change::End);
        self.engine.flush_all();
    }

    fn watch(&mut self, object: usize, phase: usize) {
        let row =
            self.decoder.decode(pod(object, phase).as_bytes(), Defaults::default()).expect("a Pod is JSON");
        self.change(Change::Upsert { row, origin: Origin::Watch });
    }

    fn empty(&mut self) {
        self.change(Change::Begin { epoch: 0 });
        self.change(Change::End);
        self.engine.flush_all();
    }

    fn change(&mut self, change: Change) {
        self.engine.apply(self.source, change, &mut |_| {});
    }
}

fn metrics() -> [Definition; 8] {
    let phase = "object.status.phase";
    let namespace = "object.metadata.namespace";
    let restarts = "object.status.restarts";
    [
        Definition::count("pods"),
        Definition::count("pods.by_phase").by("phase", phase),
        Definition::count("pods.by_namespace").by("namespace", namespace).by("phase", phase),
        Definition::count("pods.by_node").by("node", "object.spec.nodeName"),
        Definition::count("restarts").by("namespace", namespace).aggregate(
            Aggregation::Sum,
            ValueKind::Integer,
            restarts,
        ),
        Definition::count("cpu").by("namespace", namespace).aggregate(
            Aggregation::Sum,
            ValueKind::Quantity,
            "object.spec.cpu",
        ),
        Definition::count("oldest").aggregate(
            Aggregation::Min,
            ValueKind::Timestamp,
            "object.status.startTime",
        ),
        Definition::count("restarts.mean").by("phase", phase).aggregate(
            Aggregation::Mean,
            ValueKind::Integer,
            restarts,
        ),
    ]
}

fn pod(object: usize, phase: usize) -> String {
    let phase = ["Pending", "Running", "Succeeded", "Failed"][(object + phase) % 4];
    let (namespace, node, second) = (object % 200, object % 5000, object % 60);
    format!(
        r#"{{"apiVersion":"v1","kind":"Pod","metadata":{{"name":"pod-{object}","namespace":"ns-{namespace}","uid":"00000000-0000-4000-8000-{object:012}"}},
        "spec":{{"nodeName":"node-{node}","cpu":"{second}00m"}},"status":{{"phase":"{phase}","restarts":{second},"startTime":"2026-01-01T00:00:{second:02}Z"}}}}"#
    )
}

//! What evaluating a filter takes from the allocator: nothing, as long as it compares scalars.
//!
//! In: filters and an object. Out: how many blocks were allocated meanwhile, of which an allocator that counts keeps book.
//! Its numbers are of the whole process, so this is a program of its own without threads.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::hint::black_box;
use std::sync::Arc;

use celemetry_engine::change::{Change, Origin, SourceId};
use celemetry_engine::definition::{Definition, Formula};
use celemetry_engine::expression::{Budget, Demand, Environment, Expression, Outcome, Scope, Value};
use celemetry_engine::row::{Decoder, Defaults, FieldPlan, HashSeed, Row};
use celemetry_engine::{Engine, Options};

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

const POD: &str = r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"web-1","namespace":"shop","uid":"1",
    "labels":{"app":"web","tier":"1"}},"spec":{"nodeName":"node-1","priority":7,"weight":2.5,"paused":false,
    "containers":[{"name":"web","image":"registry.example.org/web:1.2"},{"name":"proxy","image":"registry.example.org/proxy:3.4"}]},
    "status":{"phase":"Running","conditions":[{"type":"Initialized","status":"True"},{"type":"Ready","status":"True"}],
    "containerStatuses":[{"name":"web","restartCount":5,"ready":true},{"name":"proxy","restartCount":0,"ready":false}]}}"#;

/// Filters that compare scalars, and what they give for the Pod.
const SCALARS: &[(&str, bool)] = &[
    ("object.status.phase == 'Running'", true),
    ("object.status.phase != 'Running'", false),
    (
        "object.status.phase == 'Running' && object.metadata.labels['app'] == 'web' && object.spec.containers.exists(c, c.image.startsWith('registry.example.org/'))",
        true,
    ),
    (
        "object.status.phase == 'Failed' && object.metadata.labels['app'] == 'web' && object.spec.containers.exists(c, c.image.startsWith('registry.example.org/'))",
        false,
    ),
    (
        "has(object.spec.nodeName) && object.status.phase in ['Running', 'Pending'] && !has(object.metadata.deletionTimestamp)",
        true,
    ),
    ("object.status.phase in ['Failed', 'Pending'] || object.spec.priority in [1, 2, 3]", false),
    ("object.status.conditions.exists(c, c.type == 'Ready' && c.status == 'True')", true),
    ("object.status.containerStatuses.exists(c, c.restartCount > 3)", true),
    ("object.status.containerStatuses.all(c, c.ready)", false),
    ("object.spec.containers.all(c, c.image.matches('^registry[.]example[.]org/[a-z/-]+:[0-9.]+$'))", true),
    ("object.spec.priority * 2 + 1 > 14 && object.spec.weight < 3.0 && !object.spec.paused", true),
    ("object.spec.paused ? object.spec.priority < 0 : object.spec.priority >= 7", true),
    ("size(object.status.containerStatuses) == 2 && object.metadata.name.endsWith('1')", true),
    ("object.spec.containers.filter(c, c.name == 'web').size() == 2", false),
    ("object.spec.containers[1].name == 'proxy' && object.metadata.namespace < 'team'", true),
];

/// Filters that build something, which an allocator must notice.
const BUILDERS: &[&str] = &[
    "object.metadata.namespace + '/' + object.metadata.name == 'shop/web-1'",
    "object.spec.containers.map(c, c.name) == ['web', 'proxy']",
    "object.metadata.name.upperAscii() == 'WEB-1'",
];

/// A conjunct that several metrics have, behind conditions of their own that hold.
const SHARED: [&str; 2] = [
    "object.spec.containers.exists(c, c.image.startsWith('registry.example.org/'))",
    "object.metadata.namespace + '/' + object.metadata.name == 'shop/web-1'",
];

/// An expression and a row that holds what it reads.
struct Compiled {
    expression: Expression,
    row: Row,
}

/// An engine that has met the Pod.
struct Met {
    engine: Engine,
    source: SourceId,
    row: Row,
}

fn main() {
    let _profiler = dhat::Profiler::builder().testing().build();
    for (filter, verdict) in SCALARS {
        a_filter_of_scalars_allocates_nothing(filter, *verdict);
        an_event_allocates_no_more_for_a_filter_of_scalars(filter, *verdict);
    }
    for filter in BUILDERS {
        let compiled = Compiled::new(filter);
        assert!(compiled.verdict(), "{filter}");
        assert!(allocated(|| compiled.verdict()) > 0, "{filter} builds something, and nothing was counted");
    }
    let [compares, builds] = SHARED;
    for metrics in [2, 20] {
        assert_eq!(allocated_for_a_conjunct(compares, metrics), 0, "{metrics} metrics, {compares}");
        // Three texts are put together on the stack, and kept as long as they are.
        assert_eq!(allocated_for_a_conjunct(builds, metrics), 1, "{metrics} metrics, {builds}");
    }
}

/// How many blocks an event takes for the conjunct of so many metrics, beyond what it takes without it.
fn allocated_for_a_conjunct(conjunct: &str, metrics: i64) -> u64 {
    let of_event = |with: &str| {
        let filter = |at: i64| format!("object.spec.priority > {}{with}", -at);
        let definitions: Vec<_> =
            (0..metrics).map(|at| Definition::count("pods").filter(&filter(at))).collect();
        Met::by(&definitions).allocated_by_an_event()
    };
    of_event(&format!(" && {conjunct}")) - of_event("")
}

fn a_filter_of_scalars_allocates_nothing(filter: &str, verdict: bool) {
    let compiled = Compiled::new(filter);
    // The first match of a pattern builds what the others use.
    assert_eq!(compiled.verdict(), verdict, "{filter}");
    let blocks = allocated(|| compiled.verdict());
    assert_eq!(blocks, 0, "{filter} allocated");
}

/// What an event allocates for an object that counts is the same with and without the filter; for one that does not, it is
/// nothing.
fn an_event_allocates_no_more_for_a_filter_of_scalars(filter: &str, verdict: bool) {
    let definition = Definition::count("pods");
    let expected =
        if verdict { Met::by(&[definition.clone(), definition.clone()]).allocated_by_an_event() } else { 0 };
    // Two, so that there is something to share.
    let filtered = definition.filter(filter);
    let blocks = Met::by(&[filtered.clone(), filtered]).allocated_by_an_event();
    assert_eq!(blocks, expected, "an event with {filter}");
}

/// How many blocks are allocated meanwhile.
fn allocated<T>(work: impl FnOnce() -> T) -> u64 {
    let before = dhat::HeapStats::get().total_blocks;
    black_box(work());
    dhat::HeapStats::get().total_blocks - before
}

impl Compiled {
    fn new(filter: &str) -> Self {
        let mut plan = FieldPlan::new(HashSeed(1, 2));
        let mut record = plan.record();
        let formula = Formula::cel(filter, "filter");
        let expression =
            Expression::compile(&formula, &Scope::default(), Demand::Whole, &mut record).unwrap();
        drop(record.finish());
        let row = Decoder::new(Arc::new(plan)).decode(POD.as_bytes(), Defaults::default()).unwrap();
        Compiled { expression, row }
    }

    fn verdict(&self) -> bool {
        let environment = Environment { row: &self.row, item: None, position: None };
        match self.expression.evaluate(&environment, &mut { Budget::EXPRESSION }).unwrap() {
            Outcome::Value(Value::Bool(verdict)) => verdict,
            other => panic!("a filter gives {other:?}"),
        }
    }
}

impl Met {
    /// The definitions at work.
    fn by(definitions: &[Definition]) -> Self {
        let mut engine = Engine::new(Options::default());
        let source = engine.add_source();
        for definition in definitions {
            engine.register(definition, &[source]).unwrap();
        }
        let fields = engine.field_plan(source).unwrap();
        engine.apply(source, Change::Begin { epoch: fields.epoch() }, &mut |_| {});
        let row = Decoder::new(fields).decode(POD.as_bytes(), Defaults::default()).unwrap();
        engine.apply(source, Change::Upsert { row: row.clone(), origin: Origin::List }, &mut |_| {});
        engine.apply(source, Change::End, &mut |_| {});
        engine.flush_all();
        Met { engine, source, row }
    }

    /// Of the Pod once more, which is evaluated though it has not changed. Not the first time, for which buffers grow.
    fn allocated_by_an_event(&mut self) -> u64 {
        let mut last = 0;
        for _ in 0..3 {
            let review = Change::Upsert { row: self.row.clone(), origin: Origin::Review };
            last = allocated(|| self.engine.apply(self.source, review, &mut |_| {}));
        }
        last
    }
}

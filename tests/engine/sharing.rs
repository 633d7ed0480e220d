//! Metrics that have parts of their expressions in common count and cost what each does by itself.

use std::collections::BTreeMap;
use std::sync::Arc;

use celemetry_engine::change::{Change, Origin, SourceId};
use celemetry_engine::definition::{Definition, Formula};
use celemetry_engine::row::{Decoder, Defaults};
use celemetry_engine::snapshot::{Attributes, MetricId, Number};
use celemetry_engine::{Engine, MetricStatus, Options};
use proptest::prelude::*;
use serde_json::{Value as Json, json};

use crate::vocabulary::FILTERS;
use crate::world::{body, definition};

/// What one metric has come to: its series, what it cost, and every error in turn.
#[derive(Debug, PartialEq)]
struct Account {
    series: BTreeMap<Attributes, Number>,
    status: MetricStatus,
    failures: Vec<String>,
}

/// Filters of more than one conjunct, that other metrics have as well.
fn definitions() -> impl Strategy<Value = Vec<Definition>> {
    let filters = (0..FILTERS.len(), 0..FILTERS.len(), 0..4_u8);
    let one = (definition(), filters).prop_map(|(definition, (one, other, how))| {
        let (one, other) = (FILTERS[one], FILTERS[other]);
        let text = match how {
            0 => return definition,
            1 => one.to_owned(),
            2 => format!("({one}) && ({other})"),
            _ => format!("({one}) || !({other})"),
        };
        Definition { filter: Some(Formula::cel(&text, "filter")), ..definition }
    });
    prop::collection::vec(one, 2..6)
}

/// Lets an engine count objects, each of which is shown so often, and looks at each of its metrics.
fn accounts(options: Options, definitions: &[Definition], objects: &[Json]) -> Vec<Account> {
    let mut engine = Engine::new(options);
    let source = engine.add_source();
    let register = |definition| engine.register(definition, &[source]).expect("it compiles");
    let metrics: Vec<MetricId> = definitions.iter().map(register).collect();
    let failures = show(&mut engine, source, objects);
    let snapshot = engine.flush_all();
    let account = |id: &MetricId| {
        let table = &snapshot.metrics[id];
        let series = table.iter().map(|series| ((**series.attributes).clone(), series.number)).collect();
        let mut status = engine.status(*id).expect("the metric is there");
        // For how many changes an index names a metric is no cost of its expressions.
        status.cost.events = 0;
        Account { series, status, failures: failures.get(id).cloned().unwrap_or_default() }
    };
    metrics.iter().map(account).collect()
}

/// Every object is listed, and then shown again, so that it is evaluated whether or not something is new to anybody.
fn show(engine: &mut Engine, source: SourceId, objects: &[Json]) -> BTreeMap<MetricId, Vec<String>> {
    let fields = engine.field_plan(source).expect("the source exists");
    let mut failures = BTreeMap::<MetricId, Vec<String>>::new();
    let mut apply = |change| {
        engine.apply(source, change, &mut |failure| {
            let text = format!("{} {}: {}", failure.row.label(), failure.place, failure.error);
            failures.entry(failure.metric).or_default().push(text);
        });
    };
    apply(Change::Begin { epoch: fields.epoch() });
    let mut decoder = Decoder::new(fields);
    for origin in [Origin::List, Origin::Review] {
        for object in objects {
            let row = decoder.decode(object.to_string().as_bytes(), Defaults::default()).expect("JSON");
            apply(Change::Upsert { row, origin });
        }
    }
    apply(Change::End);
    failures
}

fn objects(bodies: &[Json]) -> Vec<Json> {
    let object = |(slot, body): (usize, &Json)| {
        let mut object = body.clone();
        let (name, namespace) = (format!("pod-{slot}"), ["a", "b"][slot % 2]);
        (object["apiVersion"], object["kind"]) = (json!("v1"), json!("Pod"));
        let metadata = object["metadata"].as_object_mut().expect("bodies have metadata");
        metadata.insert("uid".into(), json!(name));
        metadata.insert("name".into(), json!(name));
        metadata.insert("namespace".into(), json!(namespace));
        object
    };
    bodies.iter().enumerate().map(object).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, max_shrink_iters: 4000, ..ProptestConfig::default() })]

    #[test]
    fn metrics_count_and_cost_what_each_does_by_itself(
        definitions in definitions(),
        bodies in prop::collection::vec(body(), 1..6),
        index in any::<bool>(),
        tenant_steps in prop_oneof![3 => Just(100_000), 2 => 0..60_u64],
    ) {
        let options = Options { index, tenant_steps, ..Options::default() };
        let objects = objects(&bodies);
        let tenant = |(at, definition): (usize, &Definition)| {
            Definition { tenant: Arc::from(at.to_string()), ..definition.clone() }
        };
        let apart: Vec<_> = definitions.iter().enumerate().map(tenant).collect();
        // For which objects an index names a metric may depend on what else it holds.
        let every = Options { index: false, ..options };
        let together = accounts(every, &apart, &objects);
        for (definition, account) in apart.iter().zip(&together) {
            let alone = accounts(every, std::slice::from_ref(definition), &objects);
            prop_assert_eq!(account, &alone[0], "{:#?}", definition);
        }
        // Of one tenant they take steps from each other, but the same.
        let unshared = accounts(Options { share: false, ..options }, &definitions, &objects);
        prop_assert_eq!(accounts(options, &definitions, &objects), unshared);
    }
}

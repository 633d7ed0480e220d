//! What is held of an object, compared with the object: right where it is right, and found where it is wrong.

use std::collections::BTreeSet;
use std::sync::Arc;

use celemetry_engine::audit::{Seen, Verdict};
use celemetry_engine::change::{Change, Origin, SourceId};
use celemetry_engine::definition::Definition;
use celemetry_engine::plan::{Meter, Plan};
use celemetry_engine::row::{Decoder, Defaults, FieldPlan, HashSeed, Row};
use celemetry_engine::series::Amount;
use celemetry_engine::snapshot::{Attributes, MetricId};
use celemetry_engine::{Engine, Options};
use proptest::prelude::*;
use serde_json::{Value as Json, json};

use crate::lifecycle::Rig;
use crate::world::{body, definition};

/// One source whose objects an engine has heard of, and what it was told.
struct Told {
    engine: Engine,
    source: SourceId,
    decoder: Decoder,
    metrics: Vec<(MetricId, Definition)>,
}

impl Told {
    fn new(definitions: &[Definition], objects: &[String], index: bool) -> Self {
        let mut engine = Engine::new(Options { index, ..Options::default() });
        let source = engine.add_source();
        let register = |definition: &Definition| {
            (
                engine.register(definition, &[source]).expect("generated definitions compile"),
                definition.clone(),
            )
        };
        let metrics = definitions.iter().map(register).collect();
        let plan = engine.field_plan(source).expect("the source exists");
        let mut told = Told { engine, source, decoder: Decoder::new(plan.clone()), metrics };
        told.change(Change::Begin { epoch: plan.epoch() });
        for object in objects {
            let row = told.row(object);
            told.change(Change::Upsert { row, origin: Origin::List });
        }
        told.change(Change::End);
        told
    }

    fn change(&mut self, change: Change) {
        self.engine.apply(self.source, change, &mut |_| {});
    }

    fn row(&mut self, object: &str) -> Row {
        self.decoder.decode(object.as_bytes(), Defaults::default()).expect("objects are JSON")
    }

    /// The verdict on what the source shows; nothing is there where there is no object.
    fn audit(&mut self, uid: u8, object: Option<&String>) -> Verdict {
        let seen = match object {
            Some(object) => Seen::There(self.row(object)),
            None => Seen::Gone(self.row(&text(uid, &json!({"metadata": {}}))).key()),
        };
        let before = format!("{:?} {:?}", self.engine.footprint(), self.statuses());
        let verdict = self.engine.audit(self.source, &seen);
        assert_eq!(
            before,
            format!("{:?} {:?}", self.engine.footprint(), self.statuses()),
            "it changes nothing"
        );
        verdict
    }

    fn statuses(&self) -> Vec<String> {
        self.metrics.iter().map(|(id, _)| format!("{:?}", self.engine.status(*id))).collect()
    }
}

fn text(uid: u8, body: &Json) -> String {
    let mut object = body.clone();
    object["apiVersion"] = json!("v1");
    object["kind"] = json!("Pod");
    let metadata = object["metadata"].as_object_mut().expect("bodies have metadata");
    metadata.insert("name".into(), json!(format!("pod-{uid}")));
    metadata.insert("namespace".into(), json!(["a", "b", "c"][uid as usize % 3]));
    metadata.insert("uid".into(), json!(uid.to_string()));
    object.to_string()
}

/// All that an object contributes to one metric, found out on the whole object.
type Contributed = (bool, bool, Vec<(Attributes, Amount)>);

fn contributed(definition: &Definition, object: Option<&String>) -> Contributed {
    let Some(object) = object else { return (false, false, vec![]) };
    let mut fields = FieldPlan::whole(HashSeed(3, 5));
    let plan = Plan::compile(definition, &mut fields).expect("generated definitions compile");
    let row = Decoder::new(Arc::new(fields)).decode(object.as_bytes(), Defaults::default());
    let row = row.expect("objects are JSON");
    let evaluation = plan.evaluate(&row, &mut Meter::new(Meter::TENANT_STEPS));
    let contributions = evaluation.contributions.iter().map(|one| (one.identity(), one.amount)).collect();
    (evaluation.matched, evaluation.without_value > 0, contributions)
}

fn bodies() -> impl Strategy<Value = Vec<Option<Json>>> {
    prop::collection::vec(prop::option::weighted(0.8, body()), 6)
}

fn texts(bodies: &[Option<Json>]) -> Vec<Option<String>> {
    (0..).zip(bodies).map(|(uid, body)| body.as_ref().map(|body| text(uid, body))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, max_shrink_iters: 4000, ..ProptestConfig::default() })]

    /// The cluster goes on and the engine is not told: every metric in which that makes a difference is found, and no other.
    /// Once it is told, nothing is found any more.
    #[test]
    fn withheld_events_are_found_exactly_where_they_make_a_difference(
        definitions in prop::collection::vec(definition(), 1..6),
        told in bodies(),
        now in bodies(),
        index in prop::bool::weighted(0.8),
    ) {
        let (old, now) = (texts(&told), texts(&now));
        let listed: Vec<String> = old.iter().flatten().cloned().collect();
        let mut told = Told::new(&definitions, &listed, index);
        for (uid, (old, now)) in (0..).zip(old.iter().zip(&now)) {
            prop_assert_eq!(told.audit(uid, old.as_ref()), Verdict::Equal);
            let differs = |(_, definition): &&(MetricId, Definition)| {
                contributed(definition, old.as_ref()) != contributed(definition, now.as_ref())
            };
            let wrong: Vec<MetricId> = told.metrics.iter().filter(differs).map(|(id, _)| *id).collect();
            let expected = if wrong.is_empty() { Verdict::Equal } else { Verdict::Differs(wrong) };
            prop_assert_eq!(told.audit(uid, now.as_ref()), expected);
            match now {
                Some(object) => {
                    let row = told.row(object);
                    told.change(Change::Upsert { row, origin: Origin::Watch });
                }
                None => {
                    let key = told.row(&text(uid, &json!({"metadata": {}}))).key();
                    told.change(Change::Delete { key });
                }
            }
            prop_assert_eq!(told.audit(uid, now.as_ref()), Verdict::Equal);
        }
    }
}

// === what cannot be told, and where it is never told wrongly ===

fn object(uid: &str, phase: &str) -> String {
    format!(r#"{{"metadata":{{"uid":"{uid}","namespace":"a","labels":{{"team":"a"}}}},"phase":"{phase}"}}"#)
}

fn by_phase() -> Definition {
    Definition::count("pods").by("phase", "object.phase")
}

fn list(rig: &mut Rig, objects: &[&str]) {
    rig.begin();
    objects.iter().for_each(|object| rig.show_object(object, Origin::List));
    rig.change(Change::End);
}

fn audit(rig: &mut Rig, object: &str) -> Verdict {
    let seen = Seen::There(rig.row(object));
    rig.engine.audit(rig.source, &seen)
}

#[test]
fn an_object_that_was_altered_behind_the_back_of_the_watch_is_found_in_the_metrics_that_read_it() {
    let mut rig = Rig::new();
    let (phases, _) = (rig.register(&by_phase()), rig.register(&Definition::count("all")));
    list(&mut rig, &[&object("1", "Running")]);
    assert_eq!(audit(&mut rig, &object("1", "Running")), Verdict::Equal);
    assert_eq!(audit(&mut rig, &object("1", "Failed")), Verdict::Differs(vec![phases]));
}

#[test]
fn an_object_that_was_never_shown_and_one_whose_end_was_not_are_found() {
    let mut rig = Rig::new();
    let all = rig.register(&Definition::count("all"));
    rig.register(&Definition::count("none").filter("false"));
    list(&mut rig, &[&object("1", "Running")]);
    assert_eq!(audit(&mut rig, &object("2", "Running")), Verdict::Differs(vec![all]));
    let key = rig.row(&object("1", "")).key();
    assert_eq!(rig.engine.audit(rig.source, &Seen::Gone(key)), Verdict::Differs(vec![all]));
    rig.delete("1");
    assert_eq!(rig.engine.audit(rig.source, &Seen::Gone(key)), Verdict::Equal);
}

#[test]
fn while_a_list_is_under_way_or_wanted_a_difference_proves_nothing() {
    let mut rig = Rig::new();
    rig.register(&by_phase());
    rig.begin();
    assert_eq!(audit(&mut rig, &object("1", "Running")), Verdict::Unsettled);
    rig.show_object(&object("1", "Running"), Origin::List);
    assert_eq!(audit(&mut rig, &object("1", "Running")), Verdict::Equal);
    assert_eq!(audit(&mut rig, &object("1", "Failed")), Verdict::Unsettled);
    rig.change(Change::End);
    assert!(matches!(audit(&mut rig, &object("1", "Failed")), Verdict::Differs(_)));
    rig.engine.readmit(rig.source);
    assert_eq!(audit(&mut rig, &object("1", "Failed")), Verdict::Unsettled);
    let old = rig.row(&object("1", "Running"));
    rig.begin();
    assert_eq!(rig.engine.audit(rig.source, &Seen::There(old)), Verdict::Unsettled, "of an old plan");
    let anyone = Seen::There(rig.row("{}"));
    assert_eq!(rig.engine.audit(SourceId(77), &anyone), Verdict::Unsettled, "there is no such source");
}

#[test]
fn a_metric_that_waits_for_its_list_is_not_looked_at() {
    let mut rig = Rig::new();
    let first = rig.register(&by_phase());
    list(&mut rig, &[&object("1", "Running")]);
    rig.register(&Definition::count("late"));
    assert_eq!(audit(&mut rig, &object("1", "Running")), Verdict::Equal);
    list(&mut rig, &[&object("1", "Running")]);
    assert!(matches!(audit(&mut rig, &object("1", "Failed")), Verdict::Differs(wrong) if wrong == [first]));
}

#[test]
fn what_has_no_place_but_the_overflow_series_is_right_there() {
    let mut rig = Rig::new();
    rig.register(&Definition { max_series: 1, ..by_phase() });
    list(&mut rig, &[&object("1", "Running"), &object("2", "Failed"), &object("3", "Pending")]);
    for (uid, phase) in [("1", "Running"), ("2", "Failed"), ("3", "Pending")] {
        assert_eq!(audit(&mut rig, &object(uid, phase)), Verdict::Equal, "{uid}");
    }
    assert!(matches!(audit(&mut rig, &object("1", "Failed")), Verdict::Differs(_)));
}

#[test]
fn namespaces_that_are_to_be_reviewed_hide_a_difference_in_their_metric_alone() {
    let names = |names: &[&str]| Some(names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>());
    let mut rig = Rig::new();
    let within = rig.register(&Definition { namespaces: names(&["b"]), ..Definition::count("within") });
    let phases = rig.register(&by_phase());
    list(&mut rig, &[&object("1", "Running")]);
    rig.engine.set_namespaces(within, names(&["a"]));
    assert_eq!(audit(&mut rig, &object("1", "Running")), Verdict::Unsettled, "it is to be shown again");
    rig.show_object(&object("1", "Running"), Origin::Review);
    assert_eq!(audit(&mut rig, &object("1", "Running")), Verdict::Equal);
    rig.engine.set_namespaces(within, names(&["a", "c"]));
    assert_eq!(audit(&mut rig, &object("1", "Failed")), Verdict::Differs(vec![phases]));
}

#[test]
fn an_evaluation_that_was_cut_short_is_no_error_of_the_engine() {
    let mut rig = Rig::with(Options { tenant_steps: 100, ..Options::default() });
    for name in ["one", "two", "three"] {
        rig.register(
            &Definition::count(name).filter("[1,2,3,4,5,6,7,8,9,10].all(n, n > 0 && object.phase != '')"),
        );
    }
    list(&mut rig, &[&object("1", "Running")]);
    assert!(rig.flush().contains("three{} 0"), "the steps of the tenant do not suffice");
    assert_eq!(audit(&mut rig, &object("1", "Running")), Verdict::Unsettled);
}

//! A metric comes to count objects of other namespaces, in place: they enter and leave as they are shown again.

use std::collections::BTreeSet;

use celemetry_engine::change::{Change, Origin};
use celemetry_engine::definition::{Definition, LabelOperator, LabelRequirement};
use celemetry_engine::snapshot::MetricId;

use crate::lifecycle::Rig;

fn names(names: &[&str]) -> Option<BTreeSet<String>> {
    Some(names.iter().map(|name| (*name).to_owned()).collect())
}

/// Counts the objects of some namespaces, by namespace.
fn within(namespaces: &[&str]) -> Definition {
    let definition = Definition::count("pods").by("ns", "object.metadata.namespace");
    Definition { namespaces: names(namespaces), ..definition }
}

/// Shows objects, each written as `namespace/uid`.
fn show(rig: &mut Rig, objects: &[&str], origin: Origin) {
    for object in objects {
        let (namespace, uid) = object.split_once('/').expect("objects are written as namespace/uid");
        rig.show_object(
            &format!(
                r#"{{"metadata":{{"namespace":"{namespace}","uid":"{uid}","labels":{{"team":"x"}}}},"phase":"Running"}}"#
            ),
            origin,
        );
    }
}

fn list(rig: &mut Rig, objects: &[&str]) {
    rig.begin();
    show(rig, objects, Origin::List);
    rig.change(Change::End);
}

/// A metric over the namespace `a`, and three objects in `a` and `b`.
fn listed() -> (Rig, MetricId) {
    let mut rig = Rig::new();
    let metric = rig.register(&within(&["a"]));
    list(&mut rig, &["a/1", "b/2", "b/3"]);
    assert_eq!(rig.flush(), "pods{ns=a} 1");
    (rig, metric)
}

fn evaluations(rig: &Rig, metric: MetricId) -> u64 {
    rig.engine.status(metric).expect("registered").cost.evaluations
}

#[test]
fn a_namespace_enters_and_leaves_and_enters_again_as_its_objects_are_shown() {
    let (mut rig, metric) = listed();
    for _ in 0..2 {
        rig.engine.set_namespaces(metric, names(&["a", "b"]));
        assert_eq!(rig.flush(), "pods{ns=a} 1", "nothing of it was shown yet");
        show(&mut rig, &["b/2", "b/3"], Origin::Review);
        assert_eq!(rig.flush(), "pods{ns=a} 1 pods{ns=b} 2");
        rig.engine.set_namespaces(metric, names(&["a"]));
        assert_eq!(rig.flush(), "pods{ns=a} 1 pods{ns=b} 2");
        show(&mut rig, &["b/2", "b/3"], Origin::Review);
        assert_eq!(rig.flush(), "pods{ns=a} 1");
    }
    assert!(!rig.engine.wants_list(rig.source), "no other list is needed");
}

#[test]
fn what_the_index_remembers_of_labels_is_forgotten() {
    let mut rig = Rig::new();
    let team = LabelRequirement {
        key: "team".into(),
        operator: LabelOperator::In(BTreeSet::from(["x".to_owned()])),
    };
    let metric = rig.register(&Definition { labels: vec![team], ..within(&["a"]) });
    let objects = ["a/1", "b/2"];
    list(&mut rig, &objects);
    assert_eq!(rig.flush(), "pods{ns=a} 1");
    for (set, expected) in [
        (names(&["b"]), "pods{ns=b} 1"),
        (None, "pods{ns=a} 1 pods{ns=b} 1"),
        (names(&["a"]), "pods{ns=a} 1"),
        (names(&[]), ""),
        (names(&["a", "b"]), "pods{ns=a} 1 pods{ns=b} 1"),
    ] {
        rig.engine.set_namespaces(metric, set);
        show(&mut rig, &objects, Origin::Review);
        assert_eq!(rig.flush(), expected);
    }
}

#[test]
fn an_object_that_goes_while_its_namespace_enters_is_gone() {
    let (mut rig, metric) = listed();
    rig.engine.set_namespaces(metric, names(&["a", "b"]));
    show(&mut rig, &["b/2"], Origin::Review);
    rig.delete("2");
    rig.delete("3");
    assert_eq!(rig.flush(), "pods{ns=a} 1");
    assert_eq!(rig.engine.footprint().objects, 1);
}

#[test]
fn an_object_that_goes_while_its_namespace_leaves_is_taken_back_once() {
    let (mut rig, metric) = listed();
    rig.engine.set_namespaces(metric, names(&[]));
    rig.delete("1");
    assert_eq!(rig.flush(), "");
    assert_eq!(rig.engine.status(metric).expect("registered").matched_objects, 0);
}

#[test]
fn an_object_that_changes_before_it_is_reviewed_counts_as_the_new_namespaces_say() {
    let (mut rig, metric) = listed();
    rig.engine.set_namespaces(metric, names(&["b"]));
    show(&mut rig, &["a/1", "b/2"], Origin::Watch);
    assert_eq!(rig.flush(), "pods{ns=b} 1", "a watch event that changes nothing else heals as well");
}

#[test]
fn a_review_beats_what_the_watch_has_shown_during_a_list() {
    let (mut rig, metric) = listed();
    rig.begin();
    show(&mut rig, &["a/1", "b/2"], Origin::Watch);
    rig.engine.set_namespaces(metric, names(&["b"]));
    show(&mut rig, &["a/1", "b/2"], Origin::Review);
    assert_eq!(rig.flush(), "pods{ns=b} 1");
    show(&mut rig, &["a/1", "b/2", "b/3"], Origin::List);
    rig.change(Change::End);
    assert_eq!(rig.flush(), "pods{ns=b} 2");
}

#[test]
fn the_set_changes_while_the_first_list_is_under_way() {
    let mut rig = Rig::new();
    let metric = rig.register(&within(&["a"]));
    rig.begin();
    show(&mut rig, &["a/1", "b/2"], Origin::List);
    rig.engine.set_namespaces(metric, names(&["b"]));
    show(&mut rig, &["a/3", "b/4"], Origin::List);
    show(&mut rig, &["a/1", "b/2", "b/4", "a/3"], Origin::Review);
    assert_eq!(rig.flush(), "");
    rig.change(Change::End);
    assert_eq!(rig.flush(), "pods{ns=b} 2");
}

#[test]
fn a_review_is_no_proof_for_the_list_under_way() {
    let (mut rig, metric) = listed();
    rig.begin();
    rig.engine.set_namespaces(metric, names(&["a", "b"]));
    // Answered before the first page, which no longer holds `2`; `4` is newer than the list, and known from the watch.
    show(&mut rig, &["b/2", "b/3"], Origin::Review);
    show(&mut rig, &["b/4"], Origin::Watch);
    show(&mut rig, &["b/4"], Origin::Review);
    show(&mut rig, &["a/1", "b/3"], Origin::List);
    rig.change(Change::End);
    assert_eq!(rig.flush(), "pods{ns=a} 1 pods{ns=b} 2");
}

#[test]
fn a_review_does_not_keep_a_listed_object_out() {
    let mut rig = Rig::new();
    let metric = rig.register(&Definition::count("pods").by("phase", "object.phase"));
    list(&mut rig, &["a/1"]);
    rig.begin();
    rig.engine.set_namespaces(metric, names(&["a"]));
    show(&mut rig, &["a/1"], Origin::Review);
    // A watch that goes on from the list brings no event of what the list already shows.
    rig.show_object(r#"{"metadata":{"namespace":"a","uid":"1"},"phase":"Failed"}"#, Origin::List);
    rig.change(Change::End);
    assert_eq!(rig.flush(), "pods{phase=Failed} 1");
}

#[test]
fn what_the_watch_deleted_during_a_list_no_review_brings_back() {
    let (mut rig, metric) = listed();
    rig.begin();
    rig.engine.set_namespaces(metric, names(&["a", "b"]));
    rig.delete("2");
    show(&mut rig, &["b/2", "b/3"], Origin::Review);
    show(&mut rig, &["a/1", "b/2", "b/3"], Origin::List);
    rig.change(Change::End);
    assert_eq!(rig.flush(), "pods{ns=a} 1 pods{ns=b} 1");
}

#[test]
fn a_list_that_begins_after_the_change_does_the_work_of_a_review() {
    let (mut rig, metric) = listed();
    let epoch = rig.engine.field_plan(rig.source).expect("the source exists").epoch();
    rig.engine.set_namespaces(metric, names(&["b"]));
    list(&mut rig, &["a/1", "b/2", "b/3"]);
    assert_eq!(rig.engine.field_plan(rig.source).expect("the source exists").epoch(), epoch);
    assert_eq!(rig.flush(), "pods{ns=b} 2");
}

#[test]
fn a_definition_that_waits_for_its_list_looks_at_the_new_namespaces_too() {
    let (mut rig, metric) = listed();
    let edited = within(&["a"]).by("phase", "object.phase");
    rig.engine.edit(metric, &edited, &[rig.source]).expect("the definition compiles");
    assert!(rig.engine.status(metric).expect("registered").pending);
    rig.engine.set_namespaces(metric, names(&["b"]));
    show(&mut rig, &["a/1", "b/2", "b/3"], Origin::Review);
    assert_eq!(rig.flush(), "pods{ns=b} 2", "the definition at work");
    rig.begin();
    show(&mut rig, &["a/1", "b/2"], Origin::List);
    rig.engine.set_namespaces(metric, names(&["a", "b"]));
    show(&mut rig, &["a/1"], Origin::Review);
    show(&mut rig, &["b/3"], Origin::List);
    rig.change(Change::End);
    assert_eq!(rig.flush(), "pods{ns=a,phase=Running} 1 pods{ns=b,phase=Running} 2");
    assert!(!rig.engine.status(metric).expect("registered").pending);
}

#[test]
fn no_namespace_at_all_counts_nothing() {
    let mut rig = Rig::new();
    let counted = rig.register(&Definition { namespaces: names(&[]), ..Definition::count("all") });
    rig.register(&within(&[]));
    list(&mut rig, &["a/1", "b/2"]);
    assert_eq!(rig.flush(), "all{} 0");
    rig.engine.set_namespaces(counted, names(&["a"]));
    show(&mut rig, &["a/1"], Origin::Review);
    assert_eq!(rig.flush(), "all{} 1");
    rig.engine.set_namespaces(counted, names(&[]));
    show(&mut rig, &["a/1"], Origin::Review);
    assert_eq!(rig.flush(), "all{} 0");
}

#[test]
fn none_is_everywhere_objects_without_a_namespace_included() {
    let mut rig = Rig::new();
    let metric = rig.register(&Definition { namespaces: names(&["a"]), ..Definition::count("all") });
    list(&mut rig, &["a/1", "b/2", "/3"]);
    assert_eq!(rig.flush(), "all{} 1");
    rig.engine.set_namespaces(metric, None);
    show(&mut rig, &["b/2", "/3"], Origin::Review);
    assert_eq!(rig.flush(), "all{} 3");
    rig.engine.set_namespaces(metric, names(&["b"]));
    show(&mut rig, &["a/1", "b/2", "/3"], Origin::Review);
    assert_eq!(rig.flush(), "all{} 1");
}

#[test]
fn objects_elsewhere_cost_no_evaluation() {
    let (mut rig, metric) = listed();
    assert_eq!(evaluations(&rig, metric), 1);
    show(&mut rig, &["b/2", "c/4"], Origin::Watch);
    rig.engine.set_namespaces(metric, names(&["a", "c"]));
    show(&mut rig, &["b/2", "b/3", "b/5"], Origin::Watch);
    assert_eq!(evaluations(&rig, metric), 1);
    show(&mut rig, &["c/4"], Origin::Review);
    assert_eq!(evaluations(&rig, metric), 2);
}

#[test]
fn an_equal_set_and_an_unknown_metric_change_nothing() {
    let (mut rig, metric) = listed();
    rig.engine.set_namespaces(metric, names(&["a"]));
    show(&mut rig, &["a/1"], Origin::Watch);
    assert_eq!(evaluations(&rig, metric), 1, "an unchanged row ends early as before");
    rig.engine.remove(metric);
    rig.engine.set_namespaces(metric, names(&["b"]));
    assert_eq!(rig.flush(), "");
}

#[test]
fn a_set_change_leaves_nothing_behind() {
    let mut rig = Rig::new();
    let metric = rig.register(&within(&["a"]));
    list(&mut rig, &[]);
    for set in [names(&["a", "b", "c"]), None, names(&["c", "d"]), names(&[]), names(&["a"])] {
        rig.engine.set_namespaces(metric, set);
    }
    rig.engine.remove(metric);
    rig.flush();
    assert_eq!(rig.engine.footprint().entries, 0);
}

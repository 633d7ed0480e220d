//! Metrics and lists coming and going: what readers of snapshots may rely on meanwhile.

use celemetry_engine::change::{Change, Origin, SourceId};
use celemetry_engine::definition::{
    Aggregation, Definition, Formula, LabelOperator, LabelRequirement, Projection, ProjectionKind, ValueKind,
};
use celemetry_engine::row::{Decoder, Defaults, HashSeed, ObjectKey, Row};
use celemetry_engine::snapshot::{MetricId, Snapshot};
use celemetry_engine::{Engine, Options, SeriesLimits};

/// An engine with one source, and a decoder that takes the newest field plan at each Begin.
pub(crate) struct Rig {
    pub(crate) engine: Engine,
    pub(crate) source: SourceId,
    decoder: Option<Decoder>,
}

impl Rig {
    pub(crate) fn new() -> Self {
        Rig::with(Options::default())
    }

    pub(crate) fn with(options: Options) -> Self {
        let mut engine = Engine::new(options);
        let source = engine.add_source();
        Rig { engine, source, decoder: None }
    }

    pub(crate) fn register(&mut self, definition: &Definition) -> MetricId {
        self.engine.register(definition, &[self.source]).expect("the definition compiles")
    }

    pub(crate) fn begin(&mut self) {
        let fields = self.engine.field_plan(self.source).expect("the source exists");
        self.decoder = Some(Decoder::new(fields.clone()));
        self.change(Change::Begin { epoch: fields.epoch() });
    }

    fn list(&mut self, objects: &[(&str, &str)]) {
        self.begin();
        objects.iter().for_each(|(uid, phase)| self.show(uid, phase, Origin::List));
        self.change(Change::End);
    }

    fn show(&mut self, uid: &str, phase: &str, origin: Origin) {
        let object = format!(
            r#"{{"metadata":{{"uid":"{uid}","labels":{{"team":"a"}}}},"phase":"{phase}","big":"{}"}}"#,
            "x".repeat(50)
        );
        self.show_object(&object, origin);
    }

    pub(crate) fn show_object(&mut self, object: &str, origin: Origin) {
        let row = self.row(object);
        self.change(Change::Upsert { row, origin });
    }

    pub(crate) fn row(&mut self, object: &str) -> Row {
        let decoder = self.decoder.as_mut().expect("a list has begun");
        decoder.decode(object.as_bytes(), Defaults::default()).expect("objects are JSON")
    }

    fn key(&mut self, uid: &str) -> ObjectKey {
        self.row(&format!(r#"{{"metadata":{{"uid":"{uid}"}}}}"#)).key()
    }

    pub(crate) fn delete(&mut self, uid: &str) {
        let key = self.key(uid);
        self.change(Change::Delete { key });
    }

    pub(crate) fn change(&mut self, change: Change) {
        self.engine.apply(self.source, change, &mut |_| {});
    }

    /// All series after a flush of everything.
    pub(crate) fn flush(&mut self) -> String {
        shown(&self.engine.flush_all())
    }

    fn dirty(&mut self) -> Vec<MetricId> {
        let mut dirty = Vec::new();
        self.engine.take_dirty(&mut dirty);
        dirty
    }
}

fn shown(snapshot: &Snapshot) -> String {
    let mut lines = Vec::new();
    for table in snapshot.metrics.values() {
        for series in table.sorted() {
            let pairs: Vec<String> =
                series.attributes.iter().map(|(name, text)| format!("{name}={text}")).collect();
            lines.push(format!("{}{{{}}} {}", table.info.name, pairs.join(","), series.number));
        }
    }
    lines.join(" ")
}

fn by_phase() -> Definition {
    Definition::count("pods").by("phase", "object.phase")
}

#[test]
fn nothing_is_in_a_snapshot_before_the_first_list_is_complete() {
    let mut rig = Rig::new();
    rig.register(&by_phase());
    rig.begin();
    rig.show("1", "Running", Origin::List);
    assert_eq!(rig.flush(), "");
    rig.change(Change::End);
    assert_eq!(rig.flush(), "pods{phase=Running} 1");
}

#[test]
fn a_metric_is_dirty_at_its_first_end_even_if_it_was_flushed_before() {
    let mut rig = Rig::new();
    let metric = rig.register(&by_phase());
    rig.begin();
    rig.show("1", "Running", Origin::List);
    assert_eq!(rig.dirty(), [], "there is nothing to flush before the first list is complete");
    rig.engine.flush(&[metric]);
    rig.change(Change::End);
    assert_eq!(rig.dirty(), [metric]);
    rig.flush();
    rig.show("1", "Pending", Origin::Watch);
    assert_eq!(rig.dirty(), [metric]);
}

#[test]
fn a_metric_without_sources_is_checked_and_never_complete() {
    let mut rig = Rig::new();
    assert!(rig.engine.register(&by_phase().filter("objct"), &[]).is_err());
    rig.engine.register(&by_phase(), &[]).expect("the definition compiles");
    let metric = rig.register(&Definition::count("pods"));
    rig.engine.remove_source(rig.source);
    assert_eq!(rig.flush(), "");
    assert!(!rig.engine.status(metric).expect("registered").ready);
}

#[test]
fn what_ran_out_of_steps_is_evaluated_again_once_its_tenant_has_more() {
    let mut rig = Rig::new();
    let dear = "[1,2,3,4,5,6,7,8,9,10].all(a, [1,2,3,4,5,6,7,8,9,10].all(b, [1,2,3,4,5,6,7,8,9,10].all(c, a+b+c > 0)))";
    let dear = |n: usize| Definition::count(&format!("g{n}")).filter(dear);
    let first: Vec<MetricId> = (0..60).map(|n| rig.register(&dear(n))).collect();
    let last = rig.register(&Definition::count("last").filter("object.phase == 'Running'"));
    rig.list(&[("1", "Running")]);
    assert!(rig.flush().contains("last{} 0"));
    first.iter().for_each(|metric| rig.engine.remove(*metric));
    assert!(rig.engine.wants_list(rig.source));
    rig.list(&[("1", "Running")]);
    assert_eq!(rig.flush(), "last{} 1");
    assert!(rig.engine.status(last).expect("registered").ready);
}

#[test]
fn what_a_metric_holds_is_accounted_for_and_given_back() {
    let mut rig = Rig::new();
    let phases = rig.register(&by_phase());
    let lengths = rig.register(&Definition::count("x").aggregate(
        Aggregation::Max,
        ValueKind::Integer,
        "size(object.phase)",
    ));
    let objects: Vec<(String, String)> =
        (0..100).map(|n| (n.to_string(), "x".repeat(1 + n % 10 * 20))).collect();
    let objects: Vec<(&str, &str)> = objects.iter().map(|(uid, phase)| (&**uid, &**phase)).collect();
    let bytes = |rig: &Rig| [phases, lengths].map(|id| rig.engine.cost(id).expect("registered").bytes);
    rig.list(&objects);
    rig.flush();
    let full = bytes(&rig);
    // Ten series, of which each has an attribute of 91 bytes on average, and a hundred contributions.
    let least = 10 * 91 + 100 * 24;
    assert!((least..3 * least).contains(&full[0]), "{full:?}");
    assert!((100 * 24..2 * 100 * 24).contains(&full[1]), "{full:?}");
    assert_eq!(rig.engine.cost(phases).expect("registered").series, 10);
    rig.list(&objects[..10]);
    rig.flush();
    let fewer = bytes(&rig);
    assert!(fewer[0] <= full[0] - 90 * 24 && fewer[1] <= full[1] - 90 * 24, "{full:?} {fewer:?}");
    rig.list(&[]);
    rig.flush();
    let empty = bytes(&rig);
    assert!(empty[0] < full[0] / 2 && empty[1] < full[1] / 4, "{full:?} {empty:?}");
    rig.list(&objects);
    rig.flush();
    assert_eq!(bytes(&rig), full, "what was given back is counted as often as it is taken");
}

#[test]
fn a_relist_never_dips() {
    let mut rig = Rig::new();
    rig.register(&by_phase());
    rig.list(&[("1", "Running"), ("2", "Running")]);
    rig.flush();
    rig.begin();
    assert_eq!(rig.flush(), "pods{phase=Running} 2");
    rig.show("2", "Running", Origin::List);
    assert_eq!(rig.flush(), "pods{phase=Running} 2");
    rig.change(Change::End);
    assert_eq!(rig.flush(), "pods{phase=Running} 1");
}

#[test]
fn what_a_list_has_not_shown_goes_in_the_same_order_whatever_the_seed() {
    let [one, other] = [HashSeed(1, 2), HashSeed(3, 4)].map(|seed| {
        let mut rig = Rig::new();
        rig.engine = Engine::new(Options { seed, ..Options::default() });
        rig.source = rig.engine.add_source();
        for number in 0..5 {
            rig.register(&by_phase().filter(&format!("object.phase.endsWith('{number}')")));
        }
        rig.register(&by_phase());
        let phases: Vec<String> = (0..50).map(|number| format!("p{}", number % 7)).collect();
        let names: Vec<String> = (0..50).map(|number| number.to_string()).collect();
        let all: Vec<(&str, &str)> =
            names.iter().zip(&phases).map(|(name, phase)| (&**name, &**phase)).collect();
        rig.list(&all);
        rig.flush();
        rig.dirty();
        rig.list(&[]);
        let dirty = rig.dirty();
        format!("{dirty:?} {:?}", rig.engine.flush(&dirty))
    });
    assert_eq!(one, other);
}

#[test]
fn a_listed_object_is_dropped_once_the_watch_has_shown_it() {
    let mut rig = Rig::new();
    rig.register(&by_phase());
    rig.begin();
    rig.show("1", "Running", Origin::Watch);
    rig.show("1", "Pending", Origin::List);
    rig.delete("2");
    rig.show("2", "Pending", Origin::List);
    rig.change(Change::End);
    assert_eq!(rig.flush(), "pods{phase=Running} 1");
}

#[test]
fn a_new_begin_voids_an_unfinished_list() {
    let mut rig = Rig::new();
    rig.register(&by_phase());
    rig.list(&[("1", "Running"), ("2", "Running")]);
    rig.begin();
    rig.show("1", "Running", Origin::List);
    rig.begin();
    rig.show("2", "Running", Origin::List);
    rig.change(Change::End);
    assert_eq!(rig.flush(), "pods{phase=Running} 1");
}

#[test]
fn an_end_without_a_begin_changes_nothing() {
    let mut rig = Rig::new();
    rig.register(&by_phase());
    rig.list(&[("1", "Running")]);
    rig.change(Change::End);
    assert_eq!(rig.flush(), "pods{phase=Running} 1");
}

#[test]
fn an_edited_metric_keeps_its_series_until_the_new_ones_are_complete() {
    let mut rig = Rig::new();
    let metric = rig.register(&by_phase());
    rig.list(&[("1", "Running"), ("2", "Pending")]);
    rig.flush();
    let edited = by_phase().filter("object.phase == 'Running'");
    rig.engine.edit(metric, &edited, &[rig.source]).expect("the definition compiles");
    assert!(rig.engine.wants_list(rig.source));
    rig.show("3", "Running", Origin::Watch);
    assert_eq!(rig.flush(), "pods{phase=Pending} 1 pods{phase=Running} 2");
    rig.list(&[("1", "Running"), ("2", "Pending"), ("3", "Running")]);
    let snapshot = rig.engine.flush_all();
    assert_eq!(shown(&snapshot), "pods{phase=Running} 2");
    assert_eq!(snapshot.vanished.len(), 1, "{:?}", snapshot.vanished);
    assert!(snapshot.changed.is_empty(), "Running was 2 before and is 2 now");
}

#[test]
fn a_defective_edit_leaves_the_metric_as_it_was() {
    let mut rig = Rig::new();
    let metric = rig.register(&by_phase());
    rig.list(&[("1", "Running")]);
    let errors = rig
        .engine
        .edit(metric, &by_phase().filter("objct.phase"), &[rig.source])
        .expect_err("objct is no variable");
    assert_eq!(errors[0].to_string(), "filter:1:1: undeclared reference to 'objct' (did you mean 'object'?)");
    assert!(!rig.engine.wants_list(rig.source));
    assert_eq!(rig.flush(), "pods{phase=Running} 1");
}

#[test]
fn the_patterns_of_a_definition_are_bounded_together() {
    let mut rig = Rig::new();
    let projected = |patterns: usize| {
        let mut definition = by_phase();
        definition.projections = (0..patterns)
            .map(|number| Projection {
                name: format!("p{number}"),
                formula: Formula::cel(
                    &format!(r"object.phase.matches(r'\pL{{4}}{}')", number.min(5)),
                    &format!("p{number}"),
                ),
                kind: ProjectionKind::Primitive,
                default: None,
            })
            .collect();
        definition
    };
    let errors = rig.engine.register(&projected(170), &[rig.source]).expect_err("too much");
    assert_eq!(errors.len(), 165, "each of the sixth kind is one too many");
    assert_eq!(
        errors[0].to_string(),
        "p5: the regular expressions of one definition are too large together: more than 1024 KiB"
    );
    rig.engine.register(&projected(5), &[rig.source]).expect("not too much");
}

#[test]
fn metrics_registered_together_cost_one_list() {
    let mut rig = Rig::new();
    rig.register(&by_phase());
    rig.register(&Definition::count("all"));
    let first = rig.engine.field_plan(rig.source).expect("the source exists").epoch();
    rig.register(&Definition::count("late"));
    rig.register(&Definition::count("later"));
    let second = rig.engine.field_plan(rig.source).expect("the source exists").epoch();
    assert_eq!(second, first + 1);
}

#[test]
fn a_metric_registered_during_a_list_waits_for_the_next() {
    let mut rig = Rig::new();
    rig.register(&by_phase());
    rig.begin();
    rig.show("1", "Running", Origin::List);
    rig.register(&Definition::count("late"));
    rig.change(Change::End);
    assert_eq!(rig.flush(), "pods{phase=Running} 1", "a count of 0 would be wrong");
    rig.list(&[("1", "Running")]);
    assert_eq!(rig.flush(), "pods{phase=Running} 1 late{} 1");
}

#[test]
fn what_an_old_row_says_of_a_selector_is_not_remembered() {
    let mut rig = Rig::new();
    rig.register(&by_phase());
    rig.list(&[("1", "Running")]);
    let exists = LabelRequirement { key: "team".into(), operator: LabelOperator::Exists };
    rig.register(&Definition { labels: vec![exists], ..Definition::count("teams") });
    // Decoded with the plan of before: the row does not hold the label that the new selector asks for.
    rig.show("1", "Pending", Origin::Watch);
    rig.list(&[("1", "Pending")]);
    assert_eq!(rig.flush(), "pods{phase=Pending} 1 teams{} 1");
}

#[test]
fn an_unchanged_row_ends_early() {
    let mut rig = Rig::new();
    let metric = rig.register(&by_phase());
    rig.list(&[("1", "Running")]);
    rig.flush();
    rig.dirty();
    rig.show("1", "Running", Origin::Watch);
    assert_eq!(rig.engine.status(metric).expect("registered").cost.evaluations, 1);
    assert_eq!(rig.dirty(), []);
    rig.show("1", "Pending", Origin::Watch);
    assert_eq!(rig.dirty(), [metric]);
}

#[test]
fn an_undecodable_object_keeps_its_last_contribution_and_is_not_swept() {
    let mut rig = Rig::new();
    rig.register(&by_phase());
    rig.list(&[("1", "Running"), ("2", "Running")]);
    rig.begin();
    let key = rig.key("1");
    rig.change(Change::Undecodable { key: Some(key) });
    rig.change(Change::End);
    assert_eq!(rig.flush(), "pods{phase=Running} 1");
    rig.begin();
    rig.change(Change::Undecodable { key: None });
    rig.change(Change::End);
    assert_eq!(
        rig.flush(),
        "pods{phase=Running} 1",
        "absence proves nothing in a list with unreadable objects"
    );
}

#[test]
fn a_series_that_came_and_went_between_flushes_is_never_named() {
    let mut rig = Rig::new();
    rig.register(&by_phase());
    rig.list(&[("1", "Running")]);
    rig.flush();
    rig.show("1", "Pending", Origin::Watch);
    rig.show("1", "Running", Origin::Watch);
    let snapshot = rig.engine.flush_all();
    assert!(snapshot.changed.is_empty() && snapshot.vanished.is_empty(), "{snapshot:?}");
}

#[test]
fn a_removed_metric_names_all_its_series_as_vanished() {
    let mut rig = Rig::new();
    let metric = rig.register(&by_phase());
    rig.list(&[("1", "Running"), ("2", "Pending")]);
    rig.flush();
    rig.engine.remove(metric);
    let snapshot = rig.engine.flush(&[]);
    assert_eq!((snapshot.vanished.len(), snapshot.metrics.len()), (2, 0));
    assert!(rig.engine.flush(&[]).vanished.is_empty());
}

#[test]
fn what_a_removed_metric_left_at_live_objects_is_purged_by_the_next_flush() {
    let mut rig = Rig::new();
    let gone = rig.register(&by_phase());
    rig.register(&Definition::count("all"));
    rig.list(&[("1", "Running"), ("2", "Pending")]);
    rig.flush();
    assert_eq!(rig.engine.footprint().contributions, 4);
    rig.engine.remove(gone);
    assert_eq!(rig.flush(), "all{} 2");
    assert_eq!(rig.engine.footprint().contributions, 2);
}

#[test]
fn beyond_the_limit_series_fold_and_totals_stay_right() {
    let mut rig = Rig::new();
    let metric = rig.register(&Definition { max_series: 2, ..by_phase() });
    rig.list(&[("1", "a"), ("2", "b"), ("3", "c"), ("4", "d"), ("5", "c")]);
    assert_eq!(rig.flush(), "pods{otel.metric.overflow=true} 3 pods{phase=a} 1 pods{phase=b} 1");
    assert!(rig.engine.status(metric).expect("registered").overflowing);
    rig.delete("3");
    rig.delete("1");
    assert_eq!(rig.flush(), "pods{otel.metric.overflow=true} 2 pods{phase=b} 1");
    rig.engine.readmit(rig.source);
    assert!(rig.engine.wants_list(rig.source));
    rig.list(&[("2", "b"), ("4", "d")]);
    assert_eq!(rig.flush(), "pods{phase=b} 1 pods{phase=d} 1");
    assert!(!rig.engine.status(metric).expect("registered").overflowing);
}

#[test]
fn beyond_the_limits_of_a_tenant_and_of_all_series_fold_and_totals_stay_right() {
    let mut rig = Rig::new();
    let series = SeriesLimits { tenant: 3, total: 5 };
    rig.engine = Engine::new(Options { series, ..Options::default() });
    rig.source = rig.engine.add_source();
    let of = |tenant: &str, name: &str| {
        let by_phase = Definition::count(name).by("phase", "object.phase");
        Definition { tenant: tenant.into(), ..by_phase }
    };
    let first: Vec<_> = ["a1", "a2"].map(|name| rig.register(&of("a", name))).into();
    let other = rig.register(&of("b", "b1"));
    rig.list(&[("1", "x"), ("2", "y"), ("3", "z")]);
    // Of `a` three series are live, of `b` two, which is all there may be; whatever else there is went to the overflow.
    let count = |rig: &Rig, metric| rig.engine.status(metric).expect("registered").series;
    let overflowing = |rig: &Rig, metric| rig.engine.status(metric).expect("registered").overflowing;
    let own = |rig: &Rig, metric| count(rig, metric) - usize::from(overflowing(rig, metric));
    assert_eq!(first.iter().map(|metric| own(&rig, *metric)).sum::<usize>(), 3);
    assert_eq!(own(&rig, other), 2);
    let total = |text: &str, name: &str| -> u64 {
        let of = text.split(' ').zip(text.split(' ').skip(1)).filter(|(series, _)| series.starts_with(name));
        of.map(|(_, value)| value.parse::<u64>().unwrap()).sum()
    };
    let text = rig.flush();
    assert_eq!(["a1", "a2", "b1"].map(|name| total(&text, name)), [3, 3, 3], "{text}");
    assert!(rig.engine.status(other).expect("registered").crowded);
    // What is given up makes room.
    first.iter().for_each(|metric| rig.engine.remove(*metric));
    rig.engine.readmit(rig.source);
    rig.list(&[]);
    rig.list(&[("1", "x"), ("2", "y"), ("3", "z")]);
    assert_eq!(rig.flush(), "b1{phase=x} 1 b1{phase=y} 1 b1{phase=z} 1");
    rig.engine.remove(other);
    assert_eq!(rig.flush(), "");
    rig.list(&[("1", "x")]);
    let again = rig.register(&of("c", "c1"));
    rig.list(&[("1", "x")]);
    assert_eq!((own(&rig, again), overflowing(&rig, again)), (1, false));
}

#[test]
fn at_the_limit_an_object_may_still_move() {
    let mut rig = Rig::new();
    rig.register(&Definition { max_series: 1, ..by_phase() });
    rig.list(&[("1", "Pending")]);
    rig.flush();
    rig.show("1", "Running", Origin::Watch);
    assert_eq!(rig.flush(), "pods{phase=Running} 1");
}

#[test]
fn a_tenant_cannot_spend_more_than_its_steps_and_others_do_not_notice() {
    let mut rig = Rig::new();
    let dear = "[1,2,3,4,5,6,7,8,9,10].all(a, [1,2,3,4,5,6,7,8,9,10].all(b, [1,2,3,4,5,6,7,8,9,10].all(c, a+b+c > 0)))";
    let greedy: Vec<MetricId> = (0..60)
        .map(|n| {
            rig.register(&Definition {
                tenant: "greedy".into(),
                ..Definition::count(&format!("g{n}")).filter(dear)
            })
        })
        .collect();
    let modest = rig.register(&Definition { tenant: "modest".into(), ..by_phase() });
    rig.list(&[("1", "Running")]);
    let errors: u64 = greedy.iter().map(|id| rig.engine.status(*id).expect("registered").errors.count).sum();
    assert!(errors > 0 && errors < 60, "{errors} of 60 metrics were refused");
    let last =
        rig.engine.status(greedy[59]).expect("registered").errors.last_message.expect("it was refused");
    assert_eq!(last, "filter: the steps that one event may cost this namespace are used up");
    assert_eq!(rig.engine.status(modest).expect("registered").errors.count, 0);
}

#[test]
fn status_counts_objects_and_errors() {
    let mut rig = Rig::new();
    let metric =
        rig.register(&Definition::count("v").aggregate(Aggregation::Sum, ValueKind::Integer, "object.?n"));
    rig.list(&[("1", "a"), ("2", "b")]);
    let status = rig.engine.status(metric).expect("registered");
    assert_eq!((status.matched_objects, status.without_value, status.series), (2, 2, 0));
    rig.delete("1");
    let status = rig.engine.status(metric).expect("registered");
    assert_eq!((status.matched_objects, status.without_value), (1, 1));
}

//! The store against plain maps, and its promises one by one.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::definition::{Definition, Formula, Language, MetricInfo, Projection, ProjectionKind, ValueFrom};
use crate::row::HashSeed;
use crate::snapshot::{Attributes, MetricTable};

fn formula() -> Formula {
    Formula { language: Language::Cel, text: "object".into(), place: "spec".into() }
}

fn definition(shape: MetricShape, projections: usize, max_series: usize) -> Definition {
    let value = match shape {
        MetricShape::CountOfObjects => None,
        MetricShape::Aggregate(kind, aggregation) => {
            Some(ValueFrom { formula: formula(), kind, aggregation, default: None })
        }
    };
    let projection =
        Projection { name: "a".into(), formula: formula(), kind: ProjectionKind::Primitive, default: None };
    Definition {
        info: Arc::new(MetricInfo::default()),
        tenant: "default".into(),
        labels: vec![],
        fields: vec![],
        namespaces: None,
        filter: None,
        for_each: None,
        projections: vec![projection; projections],
        value,
        text: TextForm::Native,
        max_series,
        confidential: false,
    }
}

/// A store with its table, the reader's latest table, and what the last flush named.
struct Fixture {
    store: SeriesStore,
    table: Arc<MetricTable>,
    changed: Vec<u32>,
    vanished: Vec<Arc<Attributes>>,
}

impl Fixture {
    fn new(shape: MetricShape, projections: usize, max_series: usize) -> Self {
        let table = Arc::new(MetricTable::new(Arc::new(MetricInfo::default()), shape));
        let store = SeriesStore::new(&definition(shape, projections, max_series), HashSeed(1, 2));
        Fixture { store, table, changed: vec![], vanished: vec![] }
    }

    fn counting(max_series: usize) -> Self {
        Fixture::new(MetricShape::CountOfObjects, 1, max_series)
    }

    fn open(&mut self, text: &str) -> u32 {
        self.open_pairs(&[("a".into(), text)])
    }

    fn open_pairs(&mut self, pairs: &[(Arc<str>, &str)]) -> u32 {
        self.store.open(self.store.key(pairs), pairs, usize::MAX)
    }

    fn add(&mut self, text: &str) -> u32 {
        let slot = self.open(text);
        self.store.add(slot, Amount::Unit);
        slot
    }

    /// Flushes while a reader holds the previous table, which must not change under it.
    fn flush(&mut self) {
        let (held, before) = (Arc::clone(&self.table), rows(&self.table));
        (self.changed, self.vanished) = (vec![], vec![]);
        assert!(self.store.is_accounted(), "{} bytes are counted", self.store.bytes());
        self.store.flush(Arc::make_mut(&mut self.table), &mut self.changed, &mut self.vanished);
        assert!(self.store.is_accounted(), "{} bytes are counted", self.store.bytes());
        assert_eq!(rows(&held), before, "a table that was handed out is immutable");
        assert!(!self.store.is_dirty());
    }

    /// Attributes and values of the series that the last flush named changed.
    fn changes(&self) -> BTreeMap<String, String> {
        let named: BTreeMap<_, _> = self
            .changed
            .iter()
            .map(|slot| self.table.get(*slot).expect("a changed series is in the table"))
            .map(|series| (text_of(series.attributes), format!("{:?}", series.number)))
            .collect();
        assert_eq!(named.len(), self.changed.len(), "each series is named once");
        named
    }

    fn check(
        &mut self,
        expected_rows: &[(&str, i64)],
        expected_changes: &[&str],
        expected_vanished: &[&str],
    ) {
        self.flush();
        let rows: Vec<(String, String)> = rows(&self.table).into_iter().collect();
        let expected: Vec<(String, String)> = expected_rows
            .iter()
            .map(|(text, n)| ((*text).into(), format!("{:?}", Number::Integer(*n))))
            .collect();
        assert_eq!(rows, expected);
        assert_eq!(self.changes().into_keys().collect::<Vec<_>>(), expected_changes);
        let vanished: Vec<String> = self.vanished.iter().map(|attributes| text_of(attributes)).collect();
        assert_eq!(vanished, expected_vanished);
    }
}

fn text_of(attributes: &Attributes) -> String {
    attributes
        .iter()
        .map(|(name, text)| if name == "a" { text.into() } else { format!("{name}={text}") })
        .collect()
}

fn rows(table: &MetricTable) -> BTreeMap<String, String> {
    let rows: BTreeMap<_, _> =
        table.iter().map(|series| (text_of(series.attributes), format!("{:?}", series.number))).collect();
    assert_eq!(rows.len(), table.len());
    rows
}

const OVERFLOW: &str = "otel.metric.overflow=true";

#[test]
fn a_series_that_moves_leaves_its_old_attributes() {
    let mut fixture = Fixture::counting(10);
    let pending = fixture.add("Pending");
    fixture.check(&[("Pending", 1)], &["Pending"], &[]);
    fixture.store.retract(pending, Amount::Unit);
    fixture.add("Running");
    fixture.check(&[("Running", 1)], &["Running"], &["Pending"]);
    fixture.check(&[("Running", 1)], &[], &[]);
}

#[test]
fn a_series_that_came_and_went_is_never_named() {
    let mut fixture = Fixture::counting(10);
    let slot = fixture.add("x");
    fixture.store.retract(slot, Amount::Unit);
    assert!(fixture.store.is_dirty());
    fixture.check(&[], &[], &[]);
    assert!(fixture.store.holds_nothing());
}

#[test]
fn an_opened_series_without_contributions_leaves_no_trace() {
    let mut fixture = Fixture::counting(10);
    fixture.open("x");
    fixture.check(&[], &[], &[]);
    assert!(fixture.store.holds_nothing());
}

#[test]
fn a_value_that_returns_is_not_a_change() {
    let mut fixture = Fixture::counting(10);
    let slot = fixture.add("x");
    fixture.flush();
    fixture.add("x");
    fixture.store.retract(slot, Amount::Unit);
    fixture.check(&[("x", 1)], &[], &[]);
    fixture.store.retract(slot, Amount::Unit);
    assert_eq!(fixture.add("x"), slot, "a series keeps its slot until it is named vanished");
    fixture.check(&[("x", 1)], &[], &[]);
}

#[test]
fn slots_of_vanished_series_are_used_again() {
    let mut fixture = Fixture::counting(10);
    let slot = fixture.add("x");
    fixture.flush();
    fixture.store.retract(slot, Amount::Unit);
    assert_ne!(fixture.add("y"), slot, "a slot is free only once the series is named vanished");
    fixture.check(&[("y", 1)], &["y"], &["x"]);
    assert_eq!(fixture.add("z"), slot);
    fixture.check(&[("y", 1), ("z", 1)], &["z"], &[]);
}

#[test]
fn a_count_without_projections_is_zero_where_nothing_matches() {
    for shape in [MetricShape::CountOfObjects, MetricShape::Aggregate(ValueKind::Double, Aggregation::Count)]
    {
        let mut fixture = Fixture::new(shape, 0, 0);
        fixture.check(&[("", 0)], &[""], &[]);
        let slot = fixture.open_pairs(&[]);
        fixture.store.add(slot, Amount::Unit);
        fixture.check(&[("", 1)], &[""], &[]);
        fixture.store.retract(slot, Amount::Unit);
        fixture.check(&[("", 0)], &[""], &[]);
        assert_eq!(fixture.store.len(), 1);
    }
}

#[test]
fn other_aggregates_without_projections_vanish() {
    let mut fixture = Fixture::new(MetricShape::Aggregate(ValueKind::Integer, Aggregation::Sum), 0, 10);
    fixture.check(&[], &[], &[]);
    let slot = fixture.open_pairs(&[]);
    fixture.store.add(slot, Amount::Integer(0));
    fixture.check(&[("", 0)], &[""], &[]);
    fixture.store.retract(slot, Amount::Integer(0));
    fixture.check(&[], &[], &[""]);
    assert!(fixture.store.holds_nothing());
}

#[test]
fn attributes_beyond_the_limit_fold_into_the_overflow_series() {
    let mut fixture = Fixture::counting(2);
    let (first, _) = (fixture.add("a"), fixture.add("b"));
    assert!(!fixture.store.is_overflowing());
    let (third, fourth) = (fixture.add("c"), fixture.add("d"));
    assert_eq!(third, fourth);
    assert!(fixture.store.is_overflowing());
    assert_eq!(fixture.store.len(), 3);
    fixture.check(&[("a", 1), ("b", 1), (OVERFLOW, 2)], &["a", "b", OVERFLOW], &[]);
    // A place that is given up is for the next; what is folded stays until it is taken back.
    fixture.store.retract(first, Amount::Unit);
    fixture.add("c");
    fixture.check(&[("b", 1), ("c", 1), (OVERFLOW, 2)], &["c"], &["a"]);
    fixture.store.retract(third, Amount::Unit);
    fixture.store.retract(third, Amount::Unit);
    assert!(!fixture.store.is_overflowing());
    fixture.check(&[("b", 1), ("c", 1)], &[], &[OVERFLOW]);
}

#[test]
fn an_emptied_series_beyond_the_limit_does_not_return() {
    let mut fixture = Fixture::counting(1);
    let first = fixture.add("a");
    fixture.store.retract(first, Amount::Unit);
    fixture.add("b");
    fixture.add("a");
    fixture.check(&[("b", 1), (OVERFLOW, 1)], &["b", OVERFLOW], &[]);
}

#[test]
fn an_opened_series_has_its_place_before_its_first_contribution() {
    let mut fixture = Fixture::counting(1);
    let first = fixture.add("a");
    fixture.store.retract(first, Amount::Unit);
    assert_eq!(fixture.open("a"), first);
    let second = fixture.add("b");
    fixture.store.add(first, Amount::Unit);
    fixture.check(&[("a", 1), (OVERFLOW, 1)], &["a", OVERFLOW], &[]);
    assert_ne!(first, second);
}

#[test]
fn projections_that_give_the_overflow_attribute_share_its_series() {
    let mut fixture = Fixture::counting(1);
    let pairs: [(Arc<str>, &str); 1] = [(Arc::from("otel.metric.overflow"), "true")];
    let own = fixture.open_pairs(&pairs);
    fixture.store.add(own, Amount::Unit);
    assert_eq!(fixture.add("a"), own);
    assert_eq!(fixture.open_pairs(&pairs), own);
    fixture.add("b");
    fixture.store.retract(own, Amount::Unit);
    fixture.store.retract(own, Amount::Unit);
    fixture.check(&[("b", 1)], &["b"], &[]);
}

#[test]
fn churn_between_flushes_is_given_back() {
    let mut fixture = Fixture::counting(1);
    let first = fixture.add("first");
    fixture.flush();
    fixture.store.retract(first, Amount::Unit);
    for number in 0..10_000 {
        let slot = fixture.add(&number.to_string());
        assert!(slot < 250, "slots are used again before the flush");
        fixture.store.retract(slot, Amount::Unit);
    }
    fixture.add("last");
    fixture.check(&[("last", 1)], &["last"], &["first"]);
}

#[test]
fn a_known_series_is_found_by_all_its_attributes() {
    let mut fixture = Fixture::counting(10);
    let (a, b): (Arc<str>, Arc<str>) = ("a".into(), "b".into());
    let slot = fixture.open_pairs(&[(a.clone(), "1"), (b.clone(), "2")]);
    assert_eq!(fixture.store.find(fixture.store.key(&[(a.clone(), "1"), (b.clone(), "2")])), Some(slot));
    for other in [vec![(a.clone(), "1")], vec![(a.clone(), "12")], vec![(a.clone(), "1"), (b, "3")], vec![]] {
        assert_eq!(fixture.store.find(fixture.store.key(&other)), None, "{other:?}");
    }
}

#[derive(Clone, Debug)]
enum Step {
    Add(u8, Amount),
    Retract(prop::sample::Index),
    Flush,
}

fn steps(kind: ValueKind) -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        10 => (0..8_u8, arithmetic::amount(kind)).prop_map(|(text, amount)| Step::Add(text, amount)),
        9 => any::<prop::sample::Index>().prop_map(Step::Retract),
        4 => Just(Step::Flush),
    ];
    prop::collection::vec(step, 0..120)
}

/// Contributions and published values in plain lists and maps.
#[derive(Default)]
struct Model {
    /// Where each went, with which slot and amount.
    contributions: Vec<(String, u32, Amount)>,
    published: BTreeMap<String, String>,
}

impl Model {
    /// Which series takes a contribution with this text.
    fn series_for(&self, text: u8, max_series: usize) -> String {
        let live: std::collections::BTreeSet<&str> = self
            .contributions
            .iter()
            .map(|(series, ..)| &**series)
            .filter(|series| *series != OVERFLOW)
            .collect();
        let text = text.to_string();
        if live.contains(&*text) || live.len() < max_series { text } else { OVERFLOW.into() }
    }

    fn rows(&self, shape: MetricShape) -> BTreeMap<String, String> {
        let mut amounts: BTreeMap<&str, Vec<Amount>> = BTreeMap::new();
        for (series, _, amount) in &self.contributions {
            amounts.entry(series).or_default().push(*amount);
        }
        let value = |amounts: &[Amount]| format!("{:?}", naive(shape, TextForm::Native, amounts).unwrap());
        amounts.into_iter().map(|(series, amounts)| (series.into(), value(&amounts))).collect()
    }

    fn check_flush(&mut self, fixture: &mut Fixture, shape: MetricShape) {
        fixture.flush();
        let expected = self.rows(shape);
        assert_eq!(rows(&fixture.table), expected);
        let mut changed = expected.clone();
        changed.retain(|series, value| self.published.get(series) != Some(value));
        assert_eq!(fixture.changes(), changed);
        let gone: Vec<&String> =
            self.published.keys().filter(|series| !expected.contains_key(*series)).collect();
        let mut vanished: Vec<String> =
            fixture.vanished.iter().map(|attributes| text_of(attributes)).collect();
        vanished.sort();
        assert_eq!(vanished.iter().collect::<Vec<_>>(), gone);
        self.published = expected;
    }
}

fn run(shape: MetricShape, max_series: usize, steps: Vec<Step>) {
    let (mut fixture, mut model) = (Fixture::new(shape, 1, max_series), Model::default());
    for step in steps {
        match step {
            Step::Add(text, amount) => {
                let series = model.series_for(text, max_series);
                let slot = fixture.open(&text.to_string());
                fixture.store.add(slot, amount);
                model.contributions.push((series, slot, amount));
            }
            Step::Retract(index) if !model.contributions.is_empty() => {
                let (_, slot, amount) =
                    model.contributions.swap_remove(index.index(model.contributions.len()));
                fixture.store.retract(slot, amount);
            }
            Step::Retract(_) => {}
            Step::Flush => model.check_flush(&mut fixture, shape),
        }
        let live: std::collections::BTreeSet<_> =
            model.contributions.iter().map(|(series, ..)| series).collect();
        assert_eq!(fixture.store.len(), live.len());
        assert_eq!(fixture.store.is_overflowing(), live.contains(&OVERFLOW.to_string()));
    }
    for (_, slot, amount) in std::mem::take(&mut model.contributions) {
        fixture.store.retract(slot, amount);
    }
    model.check_flush(&mut fixture, shape);
    assert!(fixture.store.holds_nothing() && fixture.table.is_empty());
}

fn cases() -> impl Strategy<Value = (ValueKind, Aggregation, usize, Vec<Step>)> {
    (prop::sample::select(KINDS.to_vec()), prop::sample::select(AGGREGATIONS.to_vec()), 0..9_usize)
        .prop_flat_map(|(kind, aggregation, max_series)| {
            (Just(kind), Just(aggregation), Just(max_series), steps(kind))
        })
}

proptest! {
    #[test]
    fn the_table_is_what_the_contributions_give((kind, aggregation, max_series, steps) in cases()) {
        run(MetricShape::Aggregate(kind, aggregation), max_series, steps);
    }

    #[test]
    fn counts_are_what_the_contributions_give(max_series in 0..9_usize, steps in steps(ValueKind::Integer)) {
        run(MetricShape::CountOfObjects, max_series, steps);
    }
}

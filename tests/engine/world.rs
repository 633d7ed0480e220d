//! Random objects and random definitions.

use std::collections::BTreeSet;

use celemetry_engine::definition::{Definition, LabelOperator, LabelRequirement};
use proptest::prelude::*;
use serde_json::Value as Json;

use crate::vocabulary::*;

// === objects ===

/// The parts of a Pod that definitions may read, as JSON, without its identity.
pub(crate) fn body() -> impl Strategy<Value = Json> {
    let label = |at: usize| proptest::option::weighted(0.7, word(LABELS[at].1));
    let labels = proptest::option::weighted(0.9, [label(0), label(1), label(2)]);
    let phase = prop_oneof![2 => word(PHASES), 1 => word(ODD_PHASES)];
    let containers = proptest::option::weighted(0.9, prop::collection::vec(container(), 0..4));
    let (weight, started, age, priority) = (maybe(WEIGHTS), maybe(STARTED), maybe(AGES), maybe(PRIORITIES));
    (labels, phase, weight, started, age, priority, containers, any::<u8>()).prop_map(
        |(labels, phase, weight, started, age, priority, containers, noise)| {
            Body { labels, phase, weight, started, age, priority, containers, noise }.json()
        },
    )
}

fn word(words: &'static [&'static str]) -> impl Strategy<Value = &'static str> + Clone {
    prop::sample::select(words)
}

/// One of the words as often as none.
fn maybe(words: &'static [&'static str]) -> impl Strategy<Value = &'static str> {
    proptest::option::of(word(words)).prop_map(Option::unwrap_or_default)
}

fn container() -> impl Strategy<Value = Container> {
    let restarts = proptest::option::weighted(0.9, 0..6_i64);
    (word(CONTAINERS), restarts, proptest::option::of(word(CPUS)), any::<bool>())
        .prop_map(|(name, restarts, cpu, ready)| Container { name, restarts, cpu, ready })
}

// === definitions ===

/// Any definition over the objects of [`body`], with room for all its series.
pub(crate) fn definition() -> impl Strategy<Value = Definition> {
    let names = prop::collection::btree_set(word(&["a", "b", "z"]).prop_map(str::to_owned), 1..3);
    let namespaces = proptest::option::weighted(0.2, names);
    let field = (prop::sample::select(FIELDS), any::<bool>())
        .prop_map(|(field, equal)| field_requirement(field, equal));
    let fields = proptest::option::weighted(0.2, field);
    let filter = proptest::option::of(prop::sample::select(FILTERS));
    let elements = proptest::option::weighted(0.4, prop::sample::select(ELEMENTS));
    let texts = prop::collection::vec((0..6_usize, any::<bool>()), 0..3);
    let value = (prop::sample::select(VALUES), prop::sample::select(AGGREGATIONS), any::<bool>());
    let value = proptest::option::of(value);
    (prop::collection::vec(requirement(), 0..3), namespaces, fields, filter, elements, texts, value).prop_map(
        |(labels, namespaces, fields, filter, elements, texts, value)| {
            Parts { labels, namespaces, fields, filter, elements, texts, value }.definition()
        },
    )
}

/// Namespaces that a metric may come to count objects of.
pub(crate) fn namespaces() -> impl Strategy<Value = Option<BTreeSet<String>>> {
    let names = word(&["a", "b", "c", "z"]).prop_map(str::to_owned);
    proptest::option::weighted(0.8, prop::collection::btree_set(names, 0..4))
}

fn requirement() -> impl Strategy<Value = LabelRequirement> {
    let values = prop::collection::btree_set(word(LABEL_VALUES).prop_map(str::to_owned), 1..3);
    let operator = prop_oneof![
        3 => values.clone().prop_map(LabelOperator::In),
        1 => values.prop_map(LabelOperator::NotIn),
        1 => Just(LabelOperator::Exists),
        1 => Just(LabelOperator::DoesNotExist),
        1 => (0..11_i64).prop_map(LabelOperator::GreaterThan),
        1 => (0..11_i64).prop_map(LabelOperator::LessThan),
    ];
    (prop::sample::select(LABELS), operator)
        .prop_map(|((key, _), operator)| LabelRequirement { key: (*key).into(), operator })
}

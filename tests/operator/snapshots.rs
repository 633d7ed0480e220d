//! Snapshots to render, by hand and at random.

use std::collections::BTreeMap;
use std::sync::Arc;

use celemetry_engine::definition::{Aggregation, MetricInfo, ValueKind};
use celemetry_engine::snapshot::{Attributes, MetricId, MetricShape, MetricTable, Number, Snapshot};
use proptest::prelude::*;

pub(crate) const COUNT: MetricShape = MetricShape::CountOfObjects;

pub(crate) fn aggregate(kind: ValueKind, aggregation: Aggregation) -> MetricShape {
    MetricShape::Aggregate(kind, aggregation)
}

/// A metric of the Metric `team/{object}` and its series.
pub(crate) fn metric(
    object: &str,
    [name, unit, description]: [&str; 3],
    shape: MetricShape,
    series: &[(&[(&str, &str)], Number)],
) -> MetricTable {
    let info = MetricInfo {
        source: format!("Metric/team/{object}"),
        namespace: String::from("team"),
        object: String::from(object),
        name: String::from(name),
        description: String::from(description),
        unit: String::from(unit),
        scope: String::from("celemetry"),
        base_attributes: Vec::new(),
    };
    let mut table = MetricTable::new(Arc::new(info), shape);
    for (slot, (pairs, number)) in (0..).zip(series) {
        table.insert(slot, attributes(pairs), *number);
    }
    table
}

pub(crate) fn attributes(pairs: &[(&str, &str)]) -> Arc<Attributes> {
    Arc::new(Attributes::new(pairs.iter().map(|(name, text)| (Arc::from(*name), Box::from(*text)))))
}

/// The snapshot of `tables`, the first being the oldest.
pub(crate) fn snapshot(tables: impl IntoIterator<Item = MetricTable>) -> Snapshot {
    let metrics: BTreeMap<_, _> = (0..).map(MetricId).zip(tables.into_iter().map(Arc::new)).collect();
    Snapshot { metrics, ..Snapshot::default() }
}

/// Snapshots of hostile names and texts. With `ragged` the series of a metric differ in what attributes they have.
pub(crate) fn any_snapshot(ragged: bool) -> impl Strategy<Value = Snapshot> {
    proptest::collection::vec(any_metric(ragged), 0..6).prop_map(|metrics| {
        let tables = metrics.into_iter().enumerate().map(|(number, (mut info, shape, series))| {
            info.source = format!("Metric/{}/{}/{number}", info.namespace, info.object);
            let mut table = MetricTable::new(Arc::new(info), shape);
            for (slot, (attributes, number)) in (0..).step_by(3).zip(series) {
                table.insert(slot, Arc::new(attributes), number);
            }
            table
        });
        snapshot(tables.collect::<Vec<_>>())
    })
}

type AnyMetric = (MetricInfo, MetricShape, BTreeMap<Attributes, Number>);

fn any_metric(ragged: bool) -> impl Strategy<Value = AnyMetric> {
    let names = proptest::collection::btree_set(any_name(), 0..4);
    let values = proptest::collection::vec((proptest::collection::vec(any_text(), 4), any_number()), 0..7);
    let info = (any_name(), any_text(), any_unit(), any_text(), any_text(), any_base()).prop_map(
        |(name, description, unit, namespace, object, base_attributes)| MetricInfo {
            source: String::new(),
            namespace,
            object,
            name,
            description,
            unit,
            scope: String::from("celemetry"),
            base_attributes,
        },
    );
    (info, any_shape(), names, values).prop_map(move |(info, shape, names, values)| {
        let series = values.into_iter().map(|(texts, number)| {
            let pairs = names.iter().zip(texts).map(|(name, text)| {
                let text = if ragged || !text.is_empty() { text } else { String::from("-") };
                (Arc::from(name.as_str()), Box::from(text))
            });
            (Attributes::new(pairs), number)
        });
        (info, shape, series.collect())
    })
}

/// Attributes of all series of a metric, mostly none.
fn any_base() -> impl Strategy<Value = Vec<(String, String)>> {
    let some = proptest::collection::btree_map(any_name(), any_text(), 0..3);
    prop_oneof![3 => Just(BTreeMap::new()), 1 => some].prop_map(|base| base.into_iter().collect())
}

pub(crate) fn any_name() -> impl Strategy<Value = String> {
    let known =
        ["k8s.pod.count", "a.b", "a_b", "a-b", "a..b", "__name__", "_", "", "1a", "le", "é", "x:y", "name"];
    let reserved = ["celemetry.metric.name", "celemetry_up", "celemetry", "total", "lag.seconds", "x_ratio"];
    let suffixes = ["a", "a_total", "a_created", "a_info", "a_count", "a_bucket", "a_sum", "a_timestamp"];
    prop_oneof![
        4 => proptest::sample::select([&known[..], &reserved[..], &suffixes[..]].concat()).prop_map(String::from),
        2 => "[a-c._/ -]{1,5}",
        1 => any_text(),
    ]
}

pub(crate) fn any_unit() -> impl Strategy<Value = String> {
    let known =
        ["", "1", "s", "ms", "By", "{pod}", "By/s", "{pod}/s", "%", "m/h", "!a!/!", "/s", "é", "ratio", "_"];
    prop_oneof![4 => proptest::sample::select(known.to_vec()).prop_map(String::from), 1 => any_text()]
}

fn any_text() -> impl Strategy<Value = String> {
    let known = [
        "", "a", "Running", "\n", "\"", "\\", "\\n", "a;b", ";", "\0", "\t", " ", "# EOF\n", "{}", "é",
        "\u{85}",
    ];
    prop_oneof![
        8 => proptest::sample::select(known.to_vec()).prop_map(String::from),
        2 => "[a\"\\\\\n#{}=, ]{0,8}",
        2 => any::<String>(),
        1 => Just("long\\\"\n".repeat(2000)),
    ]
}

pub(crate) fn any_number() -> impl Strategy<Value = Number> {
    let special =
        [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.0, 3.0, 1e16, 1e-5, f64::MAX, f64::MIN_POSITIVE];
    prop_oneof![
        any::<i64>().prop_map(Number::Integer),
        any::<f64>().prop_map(Number::Double),
        proptest::sample::select(special.to_vec()).prop_map(Number::Double),
        proptest::sample::select(vec![0, i64::MIN, i64::MAX]).prop_map(Number::Integer),
    ]
}

fn any_shape() -> impl Strategy<Value = MetricShape> {
    let kinds = [ValueKind::Integer, ValueKind::Double, ValueKind::Quantity, ValueKind::Timestamp];
    let ways = [Aggregation::Sum, Aggregation::Max, Aggregation::Mean, Aggregation::Count];
    prop_oneof![
        2 => Just(COUNT),
        1 => (proptest::sample::select(kinds.to_vec()), proptest::sample::select(ways.to_vec()))
            .prop_map(|(kind, way)| aggregate(kind, way)),
    ]
}

//! The other forms of a snapshot: JSON, a table, OTLP/JSON.

use std::collections::BTreeMap;

use celemetry::export::ErrorRecord;
use celemetry::export::json::write_json;
use celemetry::export::otlp_json::{Moments, write_otlp_json};
use celemetry::export::profile::Profile;
use celemetry::export::table::write_table;
use celemetry_engine::definition::{Aggregation, ValueKind};
use celemetry_engine::snapshot::{MetricTable, Number, Snapshot};
use proptest::prelude::*;

use crate::oracle;
use crate::snapshots::{COUNT, aggregate, any_snapshot, metric, snapshot};

const MOMENTS: Moments = Moments { start_unix_nano: 1, time_unix_nano: u64::MAX };

fn json(snapshot: &Snapshot, errors: &[ErrorRecord]) -> String {
    let mut out = String::new();
    write_json(snapshot, errors, Profile::Native, &mut out);
    out
}

fn table(snapshot: &Snapshot) -> String {
    let mut out = String::new();
    write_table(snapshot, &mut out);
    out
}

fn otlp(snapshot: &Snapshot, profile: Profile) -> String {
    let resource = [("service.name", "celemetry")].map(|(key, text)| (String::from(key), String::from(text)));
    let mut out = String::new();
    write_otlp_json(snapshot, profile, &resource, MOMENTS, &mut out);
    out
}

fn error([source, path, object, message]: [&str; 4]) -> ErrorRecord {
    let [source, path, object, message] = [source, path, object, message].map(String::from);
    ErrorRecord { source, path, object, message }
}

fn counts(object: &str, name: &str) -> MetricTable {
    let series: &[(&[(&str, &str)], _)] = &[
        (&[("phase", "Running"), ("node", "b")], Number::Integer(3)),
        (&[("phase", "Failed")], Number::Integer(-12)),
        (&[("phase", "Running"), ("node", "a")], Number::Integer(4)),
    ];
    metric(object, [name, "{pod}", "Pods."], COUNT, series)
}

fn mean(number: f64) -> MetricTable {
    let shape = aggregate(ValueKind::Duration, Aggregation::Mean);
    metric("ages", ["k8s.pod.age", "s", "How old."], shape, &[(&[], Number::Double(number))])
}

fn created() -> MetricTable {
    let shape = aggregate(ValueKind::Timestamp, Aggregation::Max);
    metric("created", ["k8s.pod.created", "", ""], shape, &[(&[], Number::Integer(1_700_000_000))])
}

#[test]
fn a_json_document_is_exactly_this() {
    let snapshot = snapshot([counts("b", "k8s.pods"), mean(0.5), counts("a", "k8s.pods"), created()]);
    let errors = [
        error(["Metric/team/b", "spec.filter", "v1/Pod/shop/web-1", "no such key: labels"]),
        error(["Metric/team/a", "spec.filter", "v1/Pod/shop/web-1", "not \"this\"\n"]),
    ];
    let expected = r#"{"series": [
  {"metric": "k8s.pod.age", "source": "Metric/team/ages", "unit": "s", "attributes": {}, "value": 0.5},
  {"metric": "k8s.pod.created", "source": "Metric/team/created", "unit": "s", "attributes": {}, "value": 1700000000},
  {"metric": "k8s.pods", "source": "Metric/team/a", "unit": "{pod}", "attributes": {"node": "a", "phase": "Running"}, "value": 4},
  {"metric": "k8s.pods", "source": "Metric/team/a", "unit": "{pod}", "attributes": {"node": "b", "phase": "Running"}, "value": 3},
  {"metric": "k8s.pods", "source": "Metric/team/a", "unit": "{pod}", "attributes": {"phase": "Failed"}, "value": -12},
  {"metric": "k8s.pods", "source": "Metric/team/b", "unit": "{pod}", "attributes": {"node": "a", "phase": "Running"}, "value": 4},
  {"metric": "k8s.pods", "source": "Metric/team/b", "unit": "{pod}", "attributes": {"node": "b", "phase": "Running"}, "value": 3},
  {"metric": "k8s.pods", "source": "Metric/team/b", "unit": "{pod}", "attributes": {"phase": "Failed"}, "value": -12}],
 "errors": [
  {"source": "Metric/team/a", "path": "spec.filter", "object": "v1/Pod/shop/web-1", "message": "not \"this\"\n"},
  {"source": "Metric/team/b", "path": "spec.filter", "object": "v1/Pod/shop/web-1", "message": "no such key: labels"}]}
"#;
    assert_eq!(json(&snapshot, &errors), expected);
    assert_eq!(json(&Snapshot::default(), &[]), "{\"series\": [],\n \"errors\": []}\n");
}

#[test]
fn a_number_that_json_lacks_is_a_string() {
    for (number, expected) in
        [(f64::NAN, "NaN"), (f64::INFINITY, "Infinity"), (f64::NEG_INFINITY, "-Infinity")]
    {
        let document = json(&snapshot([mean(number)]), &[]);
        let document: serde_json::Value = serde_json::from_str(&document).unwrap();
        assert_eq!(document["series"][0]["value"], expected);
    }
}

#[test]
fn a_table_lines_up_and_hides_nothing() {
    let hostile: &[(&[(&str, &str)], _)] = &[(&[("a b", "\x1b[31m"), ("b", "x,y=z")], Number::Double(1.5))];
    let hostile = metric("hostile", ["k8s.äpfel", "", ""], COUNT, hostile);
    let expected = "\
METRIC        ATTRIBUTES                     VALUE   SOURCE
k8s.pod.age                                    3.5   Metric/team/ages
k8s.pods      node=a,phase=Running               4   Metric/team/a
k8s.pods      node=b,phase=Running               3   Metric/team/a
k8s.pods      phase=Failed                     -12   Metric/team/a
k8s.äpfel     \"a b\"=\"\\u{1b}[31m\",b=\"x,y=z\"     1.5   Metric/team/hostile
";
    assert_eq!(table(&snapshot([counts("a", "k8s.pods"), mean(3.5), hostile])), expected);
    assert_eq!(table(&Snapshot::default()), "METRIC   ATTRIBUTES   VALUE   SOURCE\n");
    // Longer than what `format!` can pad to, and not what all others are padded to.
    let long = "x".repeat(70_000);
    let hostile: &[(&[(&str, &str)], _)] = &[(&[("a", &long)], Number::Integer(1))];
    let hostile = metric("hostile", ["long", "", ""], COUNT, hostile);
    let lines = table(&snapshot([counts("a", "k8s.pods"), hostile]));
    assert!(lines.contains(&long) && lines.lines().filter(|line| line.len() > 500).count() == 1);
}

#[test]
fn otlp_holds_the_kinds_units_and_numbers_of_the_native_profile() {
    let sum = aggregate(ValueKind::Quantity, Aggregation::Sum);
    let sum = metric("sum", ["k8s.cpu", "{cpu}", ""], sum, &[(&[("node", "a")], Number::Integer(2))]);
    let snapshot = snapshot([counts("a", "k8s.pods"), mean(f64::NAN), created(), sum]);
    let times = "1 to 18446744073709551615";
    let expected = [
        "k8s.cpu [{cpu}] sum AGGREGATION_TEMPORALITY_CUMULATIVE monotonic=false {node=a} double 2",
        "k8s.pod.age [s] gauge {} double NaN",
        "k8s.pod.created [s] gauge {} int 1700000000",
        "k8s.pods [{pod}] sum AGGREGATION_TEMPORALITY_CUMULATIVE monotonic=false {node=a,phase=Running} int 4",
        "k8s.pods [{pod}] sum AGGREGATION_TEMPORALITY_CUMULATIVE monotonic=false {node=b,phase=Running} int 3",
        "k8s.pods [{pod}] sum AGGREGATION_TEMPORALITY_CUMULATIVE monotonic=false {phase=Failed} int -12",
    ];
    let expected: Vec<_> = expected.iter().map(|point| format!("{point}, {times}")).collect();
    assert_eq!(oracle::points(&otlp(&snapshot, Profile::Native)).unwrap(), expected);
    let upstream = oracle::points(&otlp(&snapshot, Profile::UpstreamV1)).unwrap();
    assert!(upstream.iter().all(|point| point.contains(" [] gauge {")), "{upstream:?}");
}

#[test]
fn an_otlp_request_is_exactly_this() {
    let expected = concat!(
        r#"{"resourceMetrics":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"celemetry"}}]},"#,
        r#""scopeMetrics":[{"scope":{"name":"celemetry","version":""#,
        env!("CARGO_PKG_VERSION"),
        r#""},"metrics":[{"name":"k8s.pod.created","unit":"s","gauge":{"dataPoints":[{"attributes":[],"#,
        r#""startTimeUnixNano":"1","timeUnixNano":"18446744073709551615","asInt":"1700000000"}]}}]}]}]}"#,
        "\n"
    );
    assert_eq!(otlp(&snapshot([created()]), Profile::Native), expected);
    let sum = otlp(&snapshot([counts("a", "k8s.pods")]), Profile::Native);
    assert!(sum.contains(r#""aggregationTemporality":2,"isMonotonic":false"#), "{sum}");
}

#[test]
fn otlp_points_that_collide_tell_their_metrics_apart() {
    let only: &[(&[(&str, &str)], _)] = &[(&[("phase", "Failed")], Number::Integer(1))];
    let other = metric("b", ["k8s.pods", "{pod}", "Pods."], COUNT, only);
    let points = oracle::points(&otlp(&snapshot([counts("a", "k8s.pods"), other]), Profile::Native)).unwrap();
    let attributes: Vec<_> = points
        .iter()
        .map(|point| &point[point.find("e {").unwrap() + 2..point.rfind('}').unwrap() + 1])
        .collect();
    assert_eq!(
        attributes,
        [
            "{node=a,phase=Running}",
            "{node=b,phase=Running}",
            "{celemetry.metric.name=a,celemetry.metric.namespace=team,phase=Failed}",
            "{celemetry.metric.name=b,celemetry.metric.namespace=team,phase=Failed}",
        ]
    );
}

/// Numbers are compared by their text, since serde_json's reading may be off by the last bit.
fn check_json(snapshot: &Snapshot) {
    let text = json(snapshot, &[]);
    let document: serde_json::Value = serde_json::from_str(&text).unwrap();
    let series = document["series"].as_array().unwrap();
    let values = text.lines().filter_map(|line| Some(line.rsplit_once(" \"value\": ")?.1.split_once('}')?.0));
    let mut read: Vec<_> = series
        .iter()
        .zip(values)
        .map(|(series, value)| {
            let attributes = series["attributes"].as_object().unwrap().iter();
            let attributes: BTreeMap<_, _> =
                attributes.map(|(name, text)| (&**name, text.as_str().unwrap())).collect();
            (series["metric"].as_str().unwrap(), series["source"].as_str().unwrap(), attributes, value)
        })
        .collect();
    assert_eq!(read.len(), series.len());
    assert!(read.iter().map(|(metric, source, ..)| (metric, source)).is_sorted());
    for table in snapshot.metrics.values() {
        for put in table.iter() {
            let base = table.info.base_attributes.iter().map(|(name, text)| (&**name, &**text));
            let attributes = base.chain(put.attributes.iter()).collect::<BTreeMap<_, _>>();
            let same =
                |(_, source, read, _): &(_, &str, _, _)| *source == table.info.source && *read == attributes;
            let (.., value) = read.remove(read.iter().position(same).unwrap());
            match put.number {
                Number::Integer(number) => assert_eq!(value.parse(), Ok(number)),
                Number::Double(number) if number.is_finite() => {
                    assert_eq!(value.parse().map(f64::to_bits), Ok(number.to_bits()));
                    assert!(value.parse::<i64>().is_err(), "{value} would come back as an integer");
                }
                Number::Double(_) => assert!(value.starts_with('"')),
            }
        }
    }
    assert!(read.is_empty(), "{read:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn json_holds_every_series_in_order(snapshot in any_snapshot(true)) {
        check_json(&snapshot);
    }

    #[test]
    fn opentelemetry_reads_every_otlp_request(snapshot in any_snapshot(true)) {
        prop_assert!(oracle::points(&otlp(&snapshot, Profile::Native)).is_ok());
    }

    #[test]
    fn a_table_has_a_line_a_series(snapshot in any_snapshot(true)) {
        let series: usize = snapshot.metrics.values().map(|table| table.len()).sum();
        let table = table(&snapshot);
        prop_assert_eq!(table.lines().count(), series + 1);
        prop_assert!(!table.contains(|c: char| c.is_control() && c != '\n'));
    }
}

//! Requests, read with OpenTelemetry's own messages, against the JSON form of the same snapshot.

use std::collections::BTreeMap;

use celemetry::export::conflict::{Claim, resolve};
use celemetry::export::otlp::request::{Envelope, Point, RequestBuilder};
use celemetry::export::otlp_json::{Moments, write_otlp_json};
use celemetry::export::profile::Profile;
use celemetry_engine::snapshot::{MetricTable, Series, Snapshot};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value as Number;
use proptest::prelude::*;
use prost::Message;
use serde_json::json;

use crate::snapshots::{COUNT, any_snapshot, metric, snapshot};

const PROFILES: [Profile; 3] = [Profile::Native, Profile::UpstreamV1, Profile::UpstreamV1_2];

fn resource() -> Vec<(String, String)> {
    [("service.name", "celemetry"), ("é", "\n")].map(|(key, text)| (key.into(), text.into())).to_vec()
}

/// The metrics that keep their names, and their series with whether another metric has the same.
fn series(snapshot: &Snapshot, profile: Profile) -> Vec<(&MetricTable, Series<'_>, bool)> {
    let claims: Vec<_> = snapshot
        .metrics
        .iter()
        .map(|(id, table)| Claim { id: *id, info: &table.info, shape: table.shape, precedence: id.0 as i64 })
        .collect();
    let conflicts = resolve(profile, &claims);
    let tables = || snapshot.metrics.iter().filter(|(id, _)| !conflicts.contains_key(id));
    let all = |table: &MetricTable, series: Series<'_>| -> BTreeMap<String, String> {
        let own = series.attributes.iter().map(|(name, text)| (name.to_owned(), text.to_owned()));
        table.info.base_attributes.iter().cloned().chain(own).collect()
    };
    let mut found = vec![];
    for (_, table) in tables() {
        for series in table.iter() {
            let mine = all(table, series);
            let others = tables().filter(|(_, other)| other.info.name == table.info.name);
            let same = others.flat_map(|(_, other)| other.iter().map(|series| all(other, series)));
            found.push((&**table, series, same.filter(|attributes| *attributes == mine).count() > 1));
        }
    }
    found
}

/// All requests that the series of a snapshot fill, with limits of `limit` bytes.
fn requests(snapshot: &Snapshot, profile: Profile, limit: usize) -> Vec<(Vec<u8>, usize)> {
    let envelope = Envelope::new(profile, &resource(), 1);
    let mut requests = vec![];
    let mut builder = RequestBuilder::new(&envelope, u64::MAX, limit);
    for (table, series, is_apart) in series(snapshot, profile) {
        let point = Point {
            info: &table.info,
            shape: table.shape,
            own: series.attributes,
            is_apart,
            number: Some(series.number),
        };
        if !builder.push(&point) {
            let size = builder.size();
            let full = std::mem::replace(&mut builder, RequestBuilder::new(&envelope, u64::MAX, limit));
            requests.push((full.finish().expect("it was full").0.to_vec(), size));
            assert!(builder.push(&point), "an empty request takes any point");
        }
    }
    let size = builder.size();
    requests.extend(builder.finish().map(|(message, _)| (message.to_vec(), size)));
    requests
}

fn attributes(pairs: &[KeyValue]) -> serde_json::Value {
    let text = |pair: &KeyValue| match pair.value.as_ref().and_then(|value| value.value.as_ref()) {
        Some(Any::StringValue(text)) => text.clone(),
        other => panic!("{other:?}"),
    };
    pairs.iter().map(|pair| json!({"key": pair.key, "value": {"stringValue": text(pair)}})).collect()
}

/// The points of a request, each with everything that is said about it, as JSON without the number and the number.
fn of_message(message: &[u8]) -> Vec<(String, f64)> {
    let request = ExportMetricsServiceRequest::decode(message).unwrap();
    let mut found = vec![];
    for resource in &request.resource_metrics {
        let about = attributes(&resource.resource.as_ref().unwrap().attributes);
        for scope in &resource.scope_metrics {
            let named = scope.scope.as_ref().unwrap();
            for metric in &scope.metrics {
                let (kind, points) = match metric.data.as_ref().unwrap() {
                    Data::Sum(sum) => {
                        (json!([sum.aggregation_temporality, sum.is_monotonic]), &sum.data_points)
                    }
                    Data::Gauge(gauge) => (json!("gauge"), &gauge.data_points),
                    other => panic!("{other:?}"),
                };
                for point in points {
                    assert_eq!(point.flags, 0);
                    let (is_int, number) = match point.value.unwrap() {
                        Number::AsInt(n) => (json!(n.to_string()), 0.0),
                        Number::AsDouble(n) => (json!("double"), n),
                    };
                    let times = [point.start_time_unix_nano, point.time_unix_nano].map(|n| n.to_string());
                    let said = json!([
                        about,
                        named.name,
                        named.version,
                        metric.name,
                        metric.description,
                        metric.unit,
                        kind,
                        attributes(&point.attributes),
                        times,
                        is_int,
                    ]);
                    found.push((said.to_string(), number));
                }
            }
        }
    }
    found
}

/// The same of the JSON form.
fn of_json(snapshot: &Snapshot, profile: Profile) -> Vec<(String, f64)> {
    let moments = Moments { start_unix_nano: 1, time_unix_nano: u64::MAX };
    let mut text = String::new();
    write_otlp_json(snapshot, profile, &resource(), moments, &mut text);
    let request: serde_json::Value = serde_json::from_str(&text).unwrap();
    let list = |value: &serde_json::Value| value.as_array().cloned().unwrap_or_default();
    let or_empty = |value: &serde_json::Value| if value.is_null() { json!("") } else { value.clone() };
    let mut found = vec![];
    for resource in list(&request["resourceMetrics"]) {
        for scope in list(&resource["scopeMetrics"]) {
            for metric in list(&scope["metrics"]) {
                let (kind, points) = match metric.get("sum") {
                    Some(sum) => {
                        (json!([sum["aggregationTemporality"], sum["isMonotonic"]]), list(&sum["dataPoints"]))
                    }
                    None => (json!("gauge"), list(&metric["gauge"]["dataPoints"])),
                };
                for point in points {
                    let (is_int, number) = match (point.get("asInt"), point.get("asDouble")) {
                        (Some(n), None) => (n.clone(), 0.0),
                        (None, Some(n)) => {
                            let special = || n.as_str().unwrap().replace("Infinity", "inf").parse().unwrap();
                            (json!("double"), n.as_f64().unwrap_or_else(special))
                        }
                        other => panic!("{other:?}"),
                    };
                    let said = json!([
                        resource["resource"]["attributes"],
                        or_empty(&scope["scope"]["name"]),
                        or_empty(&scope["scope"]["version"]),
                        metric["name"],
                        or_empty(&metric["description"]),
                        or_empty(&metric["unit"]),
                        kind,
                        point["attributes"],
                        [&point["startTimeUnixNano"], &point["timeUnixNano"]],
                        is_int,
                    ]);
                    found.push((said.to_string(), number));
                }
            }
        }
    }
    found
}

/// serde_json's reading of a double may be off by the last bit.
fn same(a: f64, b: f64) -> bool {
    (a.is_nan() && b.is_nan()) || a == b || (a - b).abs() <= a.abs() * 4.0 * f64::EPSILON
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn requests_hold_what_the_json_form_holds_and_no_more_bytes_than_they_may(
        snapshot in any_snapshot(true),
        limit in 0..4000usize,
        profile in proptest::sample::select(PROFILES.to_vec()),
    ) {
        let requests = requests(&snapshot, profile, limit);
        let mut read = vec![];
        for (message, size) in &requests {
            let points = of_message(message);
            prop_assert!(!points.is_empty() && message.len() <= *size, "{} > {size}", message.len());
            prop_assert!(points.len() == 1 || message.len() <= limit);
            read.extend(points);
        }
        let mut expected = of_json(&snapshot, profile);
        let by_text = |(a, x): &(String, f64), (b, y): &(String, f64)| a.cmp(b).then(x.total_cmp(y));
        read.sort_by(by_text);
        expected.sort_by(by_text);
        prop_assert_eq!(read.len(), expected.len());
        for ((read, number), (expected, other)) in read.iter().zip(&expected) {
            prop_assert_eq!(read, expected);
            prop_assert!(same(*number, *other), "{number} {other}");
        }
    }
}

#[test]
fn a_withdrawn_series_is_flagged_and_has_no_value() {
    let table = metric("pods", ["k8s.pods", "{pod}", "Pods."], COUNT, &[]);
    let own = crate::snapshots::attributes(&[("phase", "Failed")]);
    let envelope = Envelope::new(Profile::Native, &[], 1);
    let mut builder = RequestBuilder::new(&envelope, 2, 1000);
    let point = Point { info: &table.info, shape: COUNT, own: &own, is_apart: true, number: None };
    assert!(builder.push(&point));
    let (message, points) = builder.finish().unwrap();
    let request = ExportMetricsServiceRequest::decode(message).unwrap();
    let metric = &request.resource_metrics[0].scope_metrics[0].metrics[0];
    let Some(Data::Sum(sum)) = &metric.data else { panic!("{metric:?}") };
    assert_eq!((points, sum.data_points[0].value, sum.data_points[0].flags), (1, None, 1));
    let names: Vec<_> = sum.data_points[0].attributes.iter().map(|pair| pair.key.as_str()).collect();
    assert_eq!(names, ["celemetry.metric.name", "celemetry.metric.namespace", "phase"]);
}

#[test]
fn nothing_is_no_request() {
    let envelope = Envelope::new(Profile::Native, &resource(), 1);
    assert!(RequestBuilder::new(&envelope, 2, 1000).finish().is_none());
    assert!(requests(&snapshot([]), Profile::Native, 1000).is_empty());
}

#[test]
fn metrics_of_one_name_are_one_metric_and_scopes_stand_apart() {
    let series: &[(&[(&str, &str)], _)] = &[(&[], celemetry_engine::snapshot::Number::Integer(1))];
    let mut tables = ["a", "b", "c"].map(|object| metric(object, ["k8s.pods", "", ""], COUNT, series));
    let info =
        celemetry_engine::definition::MetricInfo { scope: "managed".into(), ..(*tables[1].info).clone() };
    tables[1].info = info.into();
    let requests = requests(&snapshot(tables), Profile::Native, 100_000);
    let request = ExportMetricsServiceRequest::decode(&*requests[0].0).unwrap();
    let scopes = &request.resource_metrics[0].scope_metrics;
    let counts: Vec<_> = scopes
        .iter()
        .map(|scope| (scope.scope.as_ref().unwrap().name.as_str(), scope.metrics.len()))
        .collect();
    assert_eq!((requests.len(), counts), (1, vec![("celemetry", 1), ("managed", 1)]));
}

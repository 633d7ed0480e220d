//! A snapshot as an OTLP/JSON export request: `eval -o otlp`.
//!
//! In: a snapshot, the resource, two points in time. Out: JSON. Must never know: transports, clocks.
//!
//! Format: OpenTelemetry Protocol, "JSON Protobuf Encoding" of `ExportMetricsServiceRequest`: names in lower camel case,
//! 64-bit integers as strings, enumerations as numbers; NaN and infinities as protobuf's JSON mapping writes them.

use std::collections::BTreeMap;

use celemetry_engine::snapshot::{Attributes, MetricTable, Number, Series, Snapshot};
use serde::Serialize;

use crate::export::family::{Family, TELLING_APART, families};
use crate::export::profile::{PointKind, Profile};

/// When the numbers began and when they were taken, in nanoseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moments {
    /// When the process started.
    pub start_unix_nano: u64,
    /// When the series were flushed.
    pub time_unix_nano: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Request<'a> {
    resource_metrics: [ResourceMetrics<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResourceMetrics<'a> {
    resource: Resource<'a>,
    scope_metrics: [ScopeMetrics<'a>; 1],
}

#[derive(Serialize)]
struct Resource<'a> {
    attributes: Vec<KeyValue<'a>>,
}

#[derive(Serialize)]
struct ScopeMetrics<'a> {
    scope: Scope,
    metrics: Vec<Metric<'a>>,
}

#[derive(Serialize)]
struct Scope {
    name: &'static str,
    version: &'static str,
}

#[derive(Serialize)]
struct Metric<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    description: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    unit: &'a str,
    #[serde(flatten)]
    data: Data<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
enum Data<'a> {
    #[serde(rename_all = "camelCase")]
    Sum { data_points: Vec<Point<'a>>, aggregation_temporality: u8, is_monotonic: bool },
    #[serde(rename_all = "camelCase")]
    Gauge { data_points: Vec<Point<'a>> },
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Point<'a> {
    attributes: Vec<KeyValue<'a>>,
    start_time_unix_nano: String,
    time_unix_nano: String,
    #[serde(flatten)]
    value: Value,
}

#[derive(Serialize)]
enum Value {
    #[serde(rename = "asInt")]
    Int(String),
    #[serde(rename = "asDouble")]
    Double(f64),
    #[serde(rename = "asDouble")]
    NotFinite(&'static str),
}

#[derive(Serialize)]
struct KeyValue<'a> {
    key: &'a str,
    value: StringValue<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct StringValue<'a> {
    string_value: &'a str,
}

/// `AGGREGATION_TEMPORALITY_CUMULATIVE`
const CUMULATIVE: u8 = 2;

/// Appends the request on one line: metrics sorted by name, their points by attributes, then source.
/// `resource` are the resource attributes in the order in which they are written.
pub fn write_otlp_json(
    snapshot: &Snapshot,
    profile: Profile,
    resource: &[(String, String)],
    moments: Moments,
    out: &mut String,
) {
    let mut families = families(snapshot, profile);
    families.sort_by_key(|family| family.name);
    let metrics = families.iter().map(|family| metric(family, profile, moments)).collect();
    let scope = Scope { name: "celemetry", version: env!("CARGO_PKG_VERSION") };
    let attributes = resource.iter().map(|(key, text)| key_value(key, text)).collect();
    let request = Request {
        resource_metrics: [ResourceMetrics {
            resource: Resource { attributes },
            scope_metrics: [ScopeMetrics { scope, metrics }],
        }],
    };
    out.push_str(&serde_json::to_string(&request).expect("nothing in a request cannot be JSON"));
    out.push('\n');
}

fn metric<'a>(family: &Family<'a>, profile: Profile, moments: Moments) -> Metric<'a> {
    let data_points = points(family, profile, moments);
    let data = match family.kind {
        PointKind::Sum => Data::Sum { data_points, aggregation_temporality: CUMULATIVE, is_monotonic: false },
        PointKind::Gauge | PointKind::Timestamp => Data::Gauge { data_points },
    };
    Metric { name: family.name, description: family.description, unit: family.unit, data }
}

/// Points of several metrics that have the same attributes name their metric.
fn points<'a>(family: &Family<'a>, profile: Profile, moments: Moments) -> Vec<Point<'a>> {
    let mut by_attributes: BTreeMap<&Attributes, Vec<(&'a MetricTable, Series<'a>)>> = BTreeMap::new();
    for table in &family.tables {
        for series in table.iter() {
            by_attributes.entry(series.attributes).or_default().push((table, series));
        }
    }
    let mut points = Vec::new();
    for group in by_attributes.into_values() {
        let apart = group.len() > 1;
        points.extend(group.into_iter().map(|(table, series)| {
            let start_time_unix_nano = moments.start_unix_nano.to_string();
            let time_unix_nano = moments.time_unix_nano.to_string();
            let value = value(series.number, profile.always_double(table.shape));
            let attributes = attributes(table, series.attributes, apart);
            Point { attributes, start_time_unix_nano, time_unix_nano, value }
        }));
    }
    points
}

/// The attributes of a point, each name once, as OTLP demands: those that tell metrics apart replace the series' own.
fn attributes<'a>(table: &'a MetricTable, own: &'a Attributes, apart: bool) -> Vec<KeyValue<'a>> {
    let mut pairs: BTreeMap<&str, &str> = own.iter().collect();
    if apart {
        pairs.extend(TELLING_APART.into_iter().zip([&*table.info.object, &*table.info.namespace]));
    }
    pairs.into_iter().map(|(key, text)| key_value(key, text)).collect()
}

fn key_value<'a>(key: &'a str, text: &'a str) -> KeyValue<'a> {
    KeyValue { key, value: StringValue { string_value: text } }
}

fn value(number: Number, always_double: bool) -> Value {
    match number {
        Number::Integer(n) if !always_double => Value::Int(n.to_string()),
        number => match number.as_f64() {
            n if n.is_nan() => Value::NotFinite("NaN"),
            f64::INFINITY => Value::NotFinite("Infinity"),
            f64::NEG_INFINITY => Value::NotFinite("-Infinity"),
            n => Value::Double(n),
        },
    }
}

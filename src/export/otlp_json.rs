//! A snapshot as an OTLP/JSON export request: `eval -o otlp`.
//!
//! In: a snapshot, the resource, two points in time. Out: JSON. Must never know: transports, clocks.
//!
//! Format: OpenTelemetry Protocol, "JSON Protobuf Encoding" of `ExportMetricsServiceRequest`: names in lower camel case,
//! 64-bit integers as strings, enumerations as numbers; NaN and infinities as protobuf's JSON mapping writes them.

use std::collections::{BTreeMap, BTreeSet};

use celemetry_engine::snapshot::{MetricTable, Series, Snapshot};
use serde::Serialize;

use crate::export::attributes::{merged, told_apart};
use crate::export::family::{Family, Heading, families};
use crate::export::profile::{PointKind, PointValue, Profile};

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
    scope_metrics: Vec<ScopeMetrics<'a>>,
}

#[derive(Serialize)]
struct Resource<'a> {
    attributes: Vec<KeyValue<'a>>,
}

#[derive(Serialize)]
struct ScopeMetrics<'a> {
    scope: Scope<'a>,
    metrics: Vec<Metric<'a>>,
}

#[derive(Serialize)]
struct Scope<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
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

/// Appends the request on one line: scopes sorted by name, their metrics by name, and their points by attributes, then
/// source. `resource` are the resource attributes in the order in which they are written.
pub fn write_otlp_json(
    snapshot: &Snapshot,
    profile: Profile,
    resource: &[(String, String)],
    moments: Moments,
    out: &mut String,
) {
    let mut families = families(snapshot, profile);
    families.sort_by_key(|family| family.heading.name);
    let tables = families.iter().flat_map(|family| &family.tables);
    let scopes: BTreeSet<&str> = tables.map(|table| table.info.scope.as_str()).collect();
    let of_scope = |name| {
        let metrics = families.iter().filter_map(|family| metric(family, name, profile, moments)).collect();
        ScopeMetrics { scope: Scope { name, version: profile.scope_version() }, metrics }
    };
    let scope_metrics = scopes.into_iter().map(of_scope).collect();
    let attributes = resource.iter().map(|(key, text)| key_value(key, text)).collect();
    let request =
        Request { resource_metrics: [ResourceMetrics { resource: Resource { attributes }, scope_metrics }] };
    out.push_str(&serde_json::to_string(&request).expect("nothing in a request cannot be JSON"));
    out.push('\n');
}

/// What a family has in one scope.
fn metric<'a>(family: &Family<'a>, scope: &str, profile: Profile, moments: Moments) -> Option<Metric<'a>> {
    let data_points = points(family, scope, profile, moments);
    if data_points.is_empty() {
        return None;
    }
    let Heading { name, description, unit, kind } = family.heading;
    let data = match kind {
        PointKind::Sum => Data::Sum { data_points, aggregation_temporality: CUMULATIVE, is_monotonic: false },
        PointKind::Gauge | PointKind::Timestamp => Data::Gauge { data_points },
    };
    Some(Metric { name, description, unit, data })
}

/// Points of several metrics that have the same attributes name their metric.
fn points<'a>(family: &Family<'a>, scope: &str, profile: Profile, moments: Moments) -> Vec<Point<'a>> {
    let mut by_attributes: BTreeMap<_, Vec<(&'a MetricTable, Series<'a>)>> = BTreeMap::new();
    for table in &family.tables {
        for series in table.iter() {
            let attributes: Vec<_> = merged(&table.info, series.attributes).collect();
            by_attributes.entry(attributes).or_default().push((table, series));
        }
    }
    let mut points = Vec::new();
    for group in by_attributes.into_values() {
        let apart = group.len() > 1;
        for (table, series) in group.into_iter().filter(|(table, _)| table.info.scope == scope) {
            let attributes = told_apart(&table.info, series.attributes, apart);
            points.push(Point {
                attributes: attributes.into_iter().map(|(key, text)| key_value(key, text)).collect(),
                start_time_unix_nano: moments.start_unix_nano.to_string(),
                time_unix_nano: moments.time_unix_nano.to_string(),
                value: value(profile.point_value(table.shape, series.number)),
            });
        }
    }
    points
}

fn key_value<'a>(key: &'a str, text: &'a str) -> KeyValue<'a> {
    KeyValue { key, value: StringValue { string_value: text } }
}

fn value(value: PointValue) -> Value {
    match value {
        PointValue::Integer(n) => Value::Int(n.to_string()),
        PointValue::Double(n) if n.is_nan() => Value::NotFinite("NaN"),
        PointValue::Double(f64::INFINITY) => Value::NotFinite("Infinity"),
        PointValue::Double(f64::NEG_INFINITY) => Value::NotFinite("-Infinity"),
        PointValue::Double(n) => Value::Double(n),
    }
}

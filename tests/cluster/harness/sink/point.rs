//! Points as a sink gets them.
//!
//! In: OpenTelemetry's messages. Out: one flat value a point, which says everything that was sent with it.

use std::collections::BTreeMap;
use std::time::Instant;

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value as Number;
use opentelemetry_proto::tonic::metrics::v1::{
    AggregationTemporality, DataPointFlags, Metric, NumberDataPoint,
};

/// Names and text forms of attributes, sorted.
pub(crate) type Attributes = BTreeMap<String, String>;

/// One number, and all that was said about it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Point {
    pub(crate) resource: Attributes,
    pub(crate) resource_schema: String,
    /// Name and version, with a slash between them if there is a version.
    pub(crate) scope: String,
    pub(crate) name: String,
    pub(crate) unit: String,
    pub(crate) description: String,
    /// `gauge`, or `sum` and how it adds up: `sum cumulative`, `sum cumulative monotonic`.
    pub(crate) kind: String,
    pub(crate) attributes: Attributes,
    pub(crate) value: Value,
    /// Nanoseconds since 1970.
    pub(crate) start: u64,
    /// Nanoseconds since 1970.
    pub(crate) time: u64,
    /// When it arrived here.
    pub(crate) arrived: Instant,
}

/// What a point holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Value {
    Integer(i64),
    Double(f64),
    /// The series is withdrawn: the point is flagged as having no recorded value.
    Withdrawn,
}

/// Attributes from pairs.
pub(crate) fn attributes(pairs: &[(&str, &str)]) -> Attributes {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// All points of a request, in their order.
pub(super) fn points(request: ExportMetricsServiceRequest, arrived: Instant) -> Vec<Point> {
    let mut found = vec![];
    for of_resource in request.resource_metrics {
        let resource = of_resource.resource.map(|resource| texts(resource.attributes)).unwrap_or_default();
        for of_scope in of_resource.scope_metrics {
            let scope = of_scope.scope.unwrap_or_default();
            let version =
                if scope.version.is_empty() { String::new() } else { format!("/{}", scope.version) };
            let scope = scope.name + &version;
            for metric in of_scope.metrics {
                let (kind, numbers) = numbers(&metric);
                found.extend(numbers.into_iter().map(|number| Point {
                    resource: resource.clone(),
                    resource_schema: of_resource.schema_url.clone(),
                    scope: scope.clone(),
                    name: metric.name.clone(),
                    unit: metric.unit.clone(),
                    description: metric.description.clone(),
                    kind: kind.clone(),
                    value: value(&number),
                    start: number.start_time_unix_nano,
                    time: number.time_unix_nano,
                    attributes: texts(number.attributes),
                    arrived,
                }));
            }
        }
    }
    found
}

/// The kind of a metric, in words, and its points.
///
/// # Panics
///
/// If it is neither a gauge nor a sum.
fn numbers(metric: &Metric) -> (String, Vec<NumberDataPoint>) {
    match &metric.data {
        Some(Data::Gauge(gauge)) => ("gauge".to_owned(), gauge.data_points.clone()),
        Some(Data::Sum(sum)) => {
            let temporality = match sum.aggregation_temporality() {
                AggregationTemporality::Cumulative => "cumulative",
                AggregationTemporality::Delta => "delta",
                AggregationTemporality::Unspecified => "unspecified",
            };
            let monotonic = if sum.is_monotonic { " monotonic" } else { "" };
            (format!("sum {temporality}{monotonic}"), sum.data_points.clone())
        }
        other => panic!("{} is neither a gauge nor a sum: {other:?}", metric.name),
    }
}

fn value(number: &NumberDataPoint) -> Value {
    if number.flags & DataPointFlags::NoRecordedValueMask as u32 != 0 {
        assert!(number.value.is_none(), "flagged as having no recorded value, and has {:?}", number.value);
        return Value::Withdrawn;
    }
    match number.value {
        Some(Number::AsInt(integer)) => Value::Integer(integer),
        Some(Number::AsDouble(double)) => Value::Double(double),
        None => panic!("neither a value nor the flag that says so: {number:?}"),
    }
}

fn texts(pairs: Vec<KeyValue>) -> Attributes {
    let count = pairs.len();
    let texts: Attributes = pairs.into_iter().map(|pair| (pair.key, text(pair.value))).collect();
    assert_eq!(texts.len(), count, "an attribute twice in {texts:?}");
    texts
}

/// A string is itself; anything else is marked by its type, so that no test takes it for a string.
fn text(value: Option<AnyValue>) -> String {
    match value.and_then(|value| value.value) {
        Some(Any::StringValue(text)) => text,
        other => format!("{other:?}"),
    }
}

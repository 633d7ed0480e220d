//! Which conventions the metrics that leave the process follow: one profile a process.
//!
//! In: a metric's names and shape. Out: what kind of point it becomes, and its unit. Must never know: a wire format.
//! How values are written as attributes is part of a metric's definition, since it decides about grouping.

use celemetry_engine::definition::{Aggregation, MetricInfo, ValueKind};
use celemetry_engine::snapshot::{MetricShape, Number};

/// The conventions that names, kinds and units follow. On Prometheus pages `UpstreamV1` has one family for all metrics;
/// `UpstreamV1_2` uses the names of `Native` without units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Profile {
    /// What metrics-operator v1.0.0 sends.
    UpstreamV1,
    /// What metrics-operator v1.2 sends.
    UpstreamV1_2,
    /// OpenTelemetry's semantic conventions. The default, since it says most about a number.
    #[default]
    Native,
}

/// What a metric's points are on the wire. Prometheus exposes all three as gauges, since none only ever grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PointKind {
    /// Cumulative and not monotonic: adding it up over attributes means something.
    Sum,
    /// The latest value.
    Gauge,
    /// A gauge of Unix seconds.
    Timestamp,
}

/// A number as it leaves in OTLP, which tells integers and doubles apart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum PointValue {
    /// `as_int`
    Integer(i64),
    /// `as_double`
    Double(f64),
}

// === impl Profile ===

impl Profile {
    /// What the points of a metric of this shape are.
    pub fn point_kind(self, shape: MetricShape) -> PointKind {
        match (self, shape) {
            (Profile::UpstreamV1 | Profile::UpstreamV1_2, _) => PointKind::Gauge,
            (Profile::Native, MetricShape::CountOfObjects) => PointKind::Sum,
            (Profile::Native, MetricShape::Aggregate(_, Aggregation::Count)) => PointKind::Sum,
            (Profile::Native, MetricShape::Aggregate(ValueKind::Timestamp, _)) => PointKind::Timestamp,
            (Profile::Native, MetricShape::Aggregate(_, Aggregation::Sum)) => PointKind::Sum,
            (Profile::Native, MetricShape::Aggregate(..)) => PointKind::Gauge,
        }
    }

    /// The UCUM unit that leaves with a metric; empty for none. Timestamps are seconds whatever their declaration says.
    pub fn unit(self, info: &MetricInfo, shape: MetricShape) -> &str {
        match (self, self.point_kind(shape)) {
            (Profile::UpstreamV1 | Profile::UpstreamV1_2, _) => "",
            (Profile::Native, PointKind::Timestamp) => "s",
            (Profile::Native, PointKind::Sum | PointKind::Gauge) => &info.unit,
        }
    }

    /// What leaves with a metric for people to read.
    pub fn description(self, info: &MetricInfo) -> &str {
        match self {
            Profile::UpstreamV1 | Profile::UpstreamV1_2 => "",
            Profile::Native => &info.description,
        }
    }

    /// The version that stands beside the name of the instrumentation scope; metrics-operator sends none.
    pub fn scope_version(self) -> &'static str {
        match self {
            Profile::UpstreamV1 | Profile::UpstreamV1_2 => "",
            Profile::Native => env!("CARGO_PKG_VERSION"),
        }
    }

    /// A number as it leaves in OTLP.
    pub fn point_value(self, shape: MetricShape, number: Number) -> PointValue {
        match number {
            Number::Integer(n) if !self.always_double(shape) => PointValue::Integer(n),
            number => PointValue::Double(number.as_f64()),
        }
    }

    /// Whether the points of a metric of this shape are always doubles, even where the number at hand is whole.
    fn always_double(self, shape: MetricShape) -> bool {
        let MetricShape::Aggregate(kind, aggregation) = shape else { return false };
        match (self, aggregation) {
            (Profile::UpstreamV1 | Profile::UpstreamV1_2, _) | (_, Aggregation::Count) => false,
            (Profile::Native, Aggregation::Mean) => true,
            (Profile::Native, _) => {
                matches!(kind, ValueKind::Double | ValueKind::Quantity | ValueKind::Duration)
            }
        }
    }
}

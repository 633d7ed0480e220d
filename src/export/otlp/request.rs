//! Points → one export request of a bounded size.
//!
//! In: the resource, points one by one. Out: the bytes of an `ExportMetricsServiceRequest`. Must never know: where
//! points come from, clocks, transports.
//!
//! Format: OpenTelemetry Protocol 1.x, metrics. A request that would hold no point does not come to be, and none has two
//! messages of one scope, or of one metric.

use std::collections::HashMap;

use celemetry_engine::definition::MetricInfo;
use celemetry_engine::snapshot::{Attributes, MetricShape, Number};
use hyper::body::Bytes;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value;
use opentelemetry_proto::tonic::metrics::v1::{
    AggregationTemporality, DataPointFlags, Gauge, Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics,
    Sum,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use prost::Message;

use crate::export::attributes::told_apart;
use crate::export::family::Heading;
use crate::export::profile::{PointKind, PointValue, Profile};

/// What all requests of a process have in common.
#[derive(Clone, Debug)]
pub struct Envelope {
    profile: Profile,
    resource: Resource,
    start_unix_nano: u64,
}

/// One point of one series.
#[derive(Clone, Copy, Debug)]
pub struct Point<'s> {
    /// The metric's names.
    pub info: &'s MetricInfo,
    /// What its numbers are.
    pub shape: MetricShape,
    /// The series' own attributes.
    pub own: &'s Attributes,
    /// Whether the attributes that tell metrics of one name apart are added.
    pub is_apart: bool,
    /// Its value; `None` says that the series is withdrawn: a point flagged as having no recorded value.
    pub number: Option<Number>,
}

/// A request under construction.
pub struct RequestBuilder<'s> {
    envelope: &'s Envelope,
    time_unix_nano: u64,
    limit: usize,
    /// At least the size of what is there once it is encoded.
    size: usize,
    points: usize,
    scopes: Vec<ScopeMetrics>,
    places: HashMap<(&'s str, Heading<'s>), Place>,
    /// Points of one metric mostly come one after the other.
    latest: Option<((&'s str, Heading<'s>), Place)>,
}

/// Where a metric stands: its scope and its place there.
type Place = (usize, usize);

/// The key and the length of a message in a message; requests stay below the 2^28 bytes that fit here.
const DELIMITER: usize = 1 + 4;

// === impl Envelope ===

impl Envelope {
    /// `resource` are the resource attributes, each name once; `start_unix_nano` is when the process started.
    pub fn new(profile: Profile, resource: &[(String, String)], start_unix_nano: u64) -> Self {
        let attributes = resource.iter().map(|(key, text)| key_value(key, text)).collect();
        Envelope { profile, resource: Resource { attributes, ..Resource::default() }, start_unix_nano }
    }
}

// === impl RequestBuilder ===

impl<'s> RequestBuilder<'s> {
    /// A request without points, whose points will be of the time `time_unix_nano`. It will have at most `limit` bytes,
    /// unless a single point has more.
    pub fn new(envelope: &'s Envelope, time_unix_nano: u64, limit: usize) -> Self {
        let size = envelope.resource.encoded_len() + 2 * DELIMITER;
        let (scopes, places) = (Vec::new(), HashMap::new());
        RequestBuilder { envelope, time_unix_nano, limit, size, points: 0, scopes, places, latest: None }
    }

    /// Adds a point; or does not, and says `false`, if the request would become too large.
    pub fn push(&mut self, point: &Point<'s>) -> bool {
        let data_point = self.data_point(point);
        let key = (point.info.scope.as_str(), Heading::of(point.info, point.shape, self.envelope.profile));
        let place = self.latest.filter(|(latest, _)| *latest == key).map(|(_, place)| place);
        let place = place.or_else(|| self.places.get(&key).copied());
        let around = if place.is_none() { self.size_around(&key) } else { 0 };
        let more = around + DELIMITER + data_point.encoded_len();
        if self.points > 0 && self.size + more > self.limit {
            return false;
        }
        self.size += more;
        self.points += 1;
        let place = place.unwrap_or_else(|| self.open(key));
        self.latest = Some((key, place));
        match &mut self.scopes[place.0].metrics[place.1].data {
            Some(Data::Sum(sum)) => sum.data_points.push(data_point),
            Some(Data::Gauge(gauge)) => gauge.data_points.push(data_point),
            _ => unreachable!("a metric is opened as one of these"),
        }
        true
    }

    /// At least how many bytes the request has.
    pub fn size(&self) -> usize {
        self.size
    }

    /// The request and how many points it has; `None` if that is none.
    pub fn finish(self) -> Option<(Bytes, usize)> {
        let resource_metrics = vec![ResourceMetrics {
            resource: Some(self.envelope.resource.clone()),
            scope_metrics: self.scopes,
            schema_url: String::new(),
        }];
        let request = ExportMetricsServiceRequest { resource_metrics };
        (self.points > 0).then(|| (request.encode_to_vec().into(), self.points))
    }

    /// What a metric costs besides its points, and what its scope does.
    fn size_around(&self, (scope, heading): &(&str, Heading<'_>)) -> usize {
        let texts = [heading.name, heading.description, heading.unit];
        // The metric, its data, and the two settings of a sum.
        let metric = texts.map(|text| DELIMITER + text.len()).iter().sum::<usize>() + 2 * DELIMITER + 4;
        let version = self.envelope.profile.scope_version();
        metric + scope.len() + version.len() + 4 * DELIMITER
    }

    fn open(&mut self, key: (&'s str, Heading<'s>)) -> Place {
        let (scope, heading) = key;
        let named = |metrics: &ScopeMetrics| metrics.scope.as_ref().is_some_and(|known| known.name == scope);
        let at = self.scopes.iter().position(named).unwrap_or_else(|| {
            let version = self.envelope.profile.scope_version().to_owned();
            let scope = InstrumentationScope { name: scope.to_owned(), version, ..Default::default() };
            self.scopes.push(ScopeMetrics { scope: Some(scope), ..ScopeMetrics::default() });
            self.scopes.len() - 1
        });
        self.scopes[at].metrics.push(metric(&heading));
        let place = (at, self.scopes[at].metrics.len() - 1);
        self.places.insert(key, place);
        place
    }

    fn data_point(&self, point: &Point<'_>) -> NumberDataPoint {
        let attributes = told_apart(point.info, point.own, point.is_apart);
        let value = point.number.map(|number| match self.envelope.profile.point_value(point.shape, number) {
            PointValue::Integer(integer) => Value::AsInt(integer),
            PointValue::Double(double) => Value::AsDouble(double),
        });
        let withdrawn = if value.is_none() { DataPointFlags::NoRecordedValueMask as u32 } else { 0 };
        NumberDataPoint {
            attributes: attributes.into_iter().map(|(key, text)| key_value(key, text)).collect(),
            start_time_unix_nano: self.envelope.start_unix_nano,
            time_unix_nano: self.time_unix_nano,
            exemplars: Vec::new(),
            flags: withdrawn,
            value,
        }
    }
}

fn metric(heading: &Heading<'_>) -> Metric {
    let data = match heading.kind {
        PointKind::Sum => Data::Sum(Sum {
            data_points: Vec::new(),
            aggregation_temporality: AggregationTemporality::Cumulative as i32,
            is_monotonic: false,
        }),
        PointKind::Gauge | PointKind::Timestamp => Data::Gauge(Gauge { data_points: Vec::new() }),
    };
    let [name, description, unit] = [heading.name, heading.description, heading.unit].map(str::to_owned);
    Metric { name, description, unit, data: Some(data), ..Metric::default() }
}

fn key_value(key: &str, text: &str) -> KeyValue {
    let value = Some(AnyValue { value: Some(Any::StringValue(text.to_owned())) });
    KeyValue { key: key.to_owned(), value, ..KeyValue::default() }
}

//! The settings of a metric that are no expressions: names, units, times, limits, places.
//!
//! In: settings as written. Out: settings with their defaults, and findings. Must never know: expressions.

use std::time::Duration;

use celemetry_engine::definition::{Aggregation, DEFAULT_MAX_SERIES, ValueFrom, ValueKind};
use celemetry_engine::scalar;

use crate::api;

use super::findings::Findings;
use super::{DEFAULT_INTERVAL, LowerOptions, Mode, Objects, Profile, Target};

pub(super) const MODES: &[(&str, Mode)] = &[("EventDriven", Mode::EventDriven), ("Polling", Mode::Polling)];

/// OpenTelemetry's limit for the name of an instrument.
const NAME_LENGTH: usize = 255;
/// OpenTelemetry's limit for a unit.
const UNIT_LENGTH: usize = 63;

/// OpenTelemetry's rule for the name of an instrument.
pub(super) fn check_name(name: &str, findings: &mut Findings) {
    let place = "spec.name";
    let allowed = |character: char| character.is_ascii_alphanumeric() || "_.-/".contains(character);
    if name.is_empty() {
        findings.error(place, "is missing");
    } else if !name.starts_with(|first: char| first.is_ascii_alphabetic()) {
        findings.error(place, &format!("'{name}' must begin with a letter"));
    } else if let Some(wrong) = name.chars().find(|character| !allowed(*character)) {
        let message =
            format!("'{name}' must not hold {wrong:?}: letters, digits, '_', '.', '-' and '/' are allowed");
        findings.error(place, &message);
    } else if name.len() > NAME_LENGTH {
        findings.error(place, &format!("has {} characters, at most {NAME_LENGTH} are allowed", name.len()));
    }
}

/// A unit as written, if OpenTelemetry can carry it.
pub(super) fn unit(unit: &str, findings: &mut Findings) -> String {
    if unit.len() > UNIT_LENGTH || !unit.bytes().all(|byte| byte.is_ascii_graphic()) {
        let message = format!("must be at most {UNIT_LENGTH} ASCII characters without spaces");
        findings.error("spec.unit", &message);
    }
    unit.to_owned()
}

/// The unit of a metric that names none: what is counted, or the seconds of a time. Upstream has none.
pub(super) fn default_unit(
    target: &Target,
    value: Option<&ValueFrom>,
    each_item: bool,
    profile: Profile,
) -> String {
    if profile != Profile::Native {
        return String::new();
    }
    match value {
        Some(value) if value.aggregation != Aggregation::Count => match value.kind {
            ValueKind::Duration | ValueKind::Timestamp => "s".to_owned(),
            ValueKind::Integer | ValueKind::Double | ValueKind::Quantity => String::new(),
        },
        _ if each_item => "{item}".to_owned(),
        _ => format!("{{{}}}", target.kind.as_deref().unwrap_or("object").to_lowercase()),
    }
}

/// A duration in Go's grammar, or with days.
pub(super) fn duration(
    place: &str,
    text: Option<&str>,
    default: Duration,
    findings: &mut Findings,
) -> Duration {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return default };
    match scalar::Duration::parse(text) {
        Ok(duration) => match u64::try_from(duration.nanos) {
            Ok(nanos) => Duration::from_nanos(nanos),
            Err(_) => {
                findings.error(place, &format!("'{text}' is negative"));
                default
            }
        },
        Err(error) => {
            findings.error(place, &format!("'{text}' is no duration such as 10m or 1h30m: {error}"));
            default
        }
    }
}

/// `spec.interval`, which cannot be zero.
pub(super) fn interval(text: Option<&str>, findings: &mut Findings) -> Duration {
    let interval = duration("spec.interval", text, DEFAULT_INTERVAL, findings);
    if interval.is_zero() {
        findings.error("spec.interval", "must be longer than nothing");
    }
    interval
}

/// `spec.limits.maxSeries`.
pub(super) fn max_series(limits: Option<&api::Limits>, findings: &mut Findings) -> usize {
    let Some(limit) = limits.and_then(|limits| limits.max_series) else { return DEFAULT_MAX_SERIES };
    if limit < 1 {
        findings.error("spec.limits.maxSeries", &format!("is {limit}, must be at least 1"));
    }
    usize::try_from(limit).unwrap_or(usize::MAX)
}

/// `spec.mode`, or that of the process.
pub(super) fn mode(text: Option<&str>, options: LowerOptions<'_>, findings: &mut Findings) -> Mode {
    let mode = findings.choose("spec.mode", text, MODES, options.default_mode);
    let written = text.is_some_and(|text| !text.is_empty());
    if written && mode == Mode::Polling && options.objects == Objects::Input {
        findings.warn("spec.mode", "Polling has no meaning here: every change of the input counts at once");
    }
    mode
}

/// What only a cluster can give, and what leaving out changes no number.
pub(super) fn check_what_needs_a_cluster(
    spec: &api::MetricSpec,
    options: LowerOptions<'_>,
    findings: &mut Findings,
) {
    if options.objects == Objects::Cluster {
        return;
    }
    if spec.data_sink_ref.is_some() {
        findings.warn("spec.dataSinkRef", "nothing is pushed here");
    }
    if spec.remote_cluster_access_ref.is_some() {
        findings.warn(
            "spec.remoteClusterAccessRef",
            "no cluster is asked here: the objects are those of the input",
        );
    }
}

//! celemetry's own metrics: every name once, here; its logs, and its traces.
//!
//! In: events of the process, counted. Out: readings, lines, OTLP. Must never know: anything else, so that anyone may import it.

pub mod account;
pub mod audit;
pub mod logs;
pub mod span;
pub mod push;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The version and nothing else, value 1.
const BUILD_INFO: &str = "celemetry_build_info";
/// Metrics whose first list is complete.
const METRICS: &str = "celemetry_metrics";
/// Series of all metrics.
const SERIES: &str = "celemetry_series";
/// Flushes since the start.
const FLUSHES: &str = "celemetry_flushes_total";
/// Series that a page could not hold since the start.
const OMITTED: &str = "celemetry_exposition_omitted_series_total";

/// Export requests sent to sinks since the start.
const EXPORT_REQUESTS: &str = "celemetry_export_requests_total";
/// Points that sinks acknowledged since the start.
const EXPORT_POINTS: &str = "celemetry_export_points_total";
/// Points that sinks rejected out of requests that they took since the start.
const EXPORT_REJECTED: &str = "celemetry_export_rejected_points_total";
/// Points that sinks did not take, and that were given up, since the start.
const EXPORT_DROPPED: &str = "celemetry_export_dropped_points_total";
/// Export requests that were, or will be, sent again since the start.
const EXPORT_RETRIES: &str = "celemetry_export_retries_total";

/// Objects that were compared with what is held of them since the start.
const AUDITED: &str = "celemetry_audit_objects_total";
/// Objects of which something else was held than they give, confirmed by a second look, since the start.
const MISMATCHES: &str = "celemetry_audit_mismatches_total";
/// Objects that were looked at without a verdict since the start, by reason.
const AUDITS_SKIPPED: &str = "celemetry_audit_skipped_total";

/// Memory of a declared metric.
const METRIC_BYTES: &str = "celemetry_metric_bytes";
/// Evaluations of a declared metric.
const METRIC_EVALUATIONS: &str = "celemetry_metric_evaluations_total";
/// Events that concerned a declared metric.
const METRIC_EVENTS: &str = "celemetry_metric_events_total";
/// Objects of which a declared metric held something wrong.
const METRIC_MISMATCHES: &str = "celemetry_metric_mismatches_total";
/// Series of a declared metric.
const METRIC_SERIES: &str = "celemetry_metric_series";
/// Steps of a declared metric's expressions.
const METRIC_STEPS: &str = "celemetry_metric_steps_total";

/// Statuses written since the start.
const STATUS_WRITES: &str = "celemetry_status_writes_total";
/// Writes of statuses that the API server did not take since the start.
const STATUS_FAILURES: &str = "celemetry_status_write_failures_total";
/// Statuses whose conditions changed and are not written yet.
const STATUSES_WAITING: &str = "celemetry_statuses_waiting";
/// Events that the API server has taken since the start.
const EVENTS: &str = "celemetry_events_published_total";
/// Events that were not published since the start: too many, or not taken.
const EVENTS_DROPPED: &str = "celemetry_events_dropped_total";

/// What the process counts about itself. Shared by whoever counts and whoever shows.
#[derive(Debug, Default)]
pub struct Telemetry {
    flushes: AtomicU64,
    omitted: AtomicU64,
    statuses_written: AtomicU64,
    statuses_failed: AtomicU64,
    statuses_waiting: AtomicU64,
    events_published: AtomicU64,
    events_dropped: AtomicU64,
    /// What each declared metric costs.
    pub accounts: account::Accounts,
    /// What the audit counts.
    pub audit: audit::AuditTelemetry,
    /// What the pipelines to all sinks count.
    pub export: ExportTelemetry,
}

/// What pipelines count.
#[derive(Debug, Default)]
pub struct ExportTelemetry {
    requests: AtomicU64,
    points: AtomicU64,
    rejected: AtomicU64,
    dropped: AtomicU64,
    retries: AtomicU64,
}

/// One own metric at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// Its name in Prometheus; a counter's ends in `_total`.
    pub name: &'static str,
    /// What it tells.
    pub help: &'static str,
    /// Whether it only ever grows.
    pub counter: bool,
    /// Its labels, sorted by name.
    pub labels: Vec<(&'static str, Arc<str>)>,
    /// Its value.
    pub value: u64,
}

/// Whether a metric name, as declared or as Prometheus sees it, is kept for celemetry's own metrics.
pub fn is_reserved(name: &str) -> bool {
    name.strip_prefix("celemetry").is_some_and(|rest| rest.starts_with(['_', '.']))
}

// === impl Telemetry ===

impl Telemetry {
    /// Counts a flush of any number of metrics.
    pub fn count_flush(&self) {
        self.flushes.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts series that one page of `/metrics` left out, because their labels equalled another series'.
    pub fn count_omitted(&self, series: usize) {
        self.omitted.fetch_add(series as u64, Ordering::Relaxed);
    }

    /// Counts a status that the API server has taken.
    pub fn count_status_written(&self) {
        self.statuses_written.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a write of a status that the API server has not taken.
    pub fn count_status_failed(&self) {
        self.statuses_failed.fetch_add(1, Ordering::Relaxed);
    }

    /// Notes how many statuses wait whose conditions have changed.
    pub fn set_statuses_waiting(&self, statuses: usize) {
        self.statuses_waiting.store(statuses as u64, Ordering::Relaxed);
    }

    /// Counts an Event that the API server has taken.
    pub fn count_event_published(&self) {
        self.events_published.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts an Event that was dropped.
    pub fn count_event_dropped(&self) {
        self.events_dropped.fetch_add(1, Ordering::Relaxed);
    }

    /// All own metrics sorted by name, given what the latest snapshot holds. The readings of one name follow each other.
    pub fn readings(&self, metrics: usize, series: usize) -> Vec<Reading> {
        let mut readings = self.process(metrics, series);
        readings.extend(self.accounts.readings(None));
        readings.sort_by_key(|reading| reading.name);
        readings
    }

    /// The readings of one name.
    pub fn readings_of(&self, name: &str, metrics: usize, series: usize) -> Vec<Reading> {
        let mut readings = self.process(metrics, series);
        readings.retain(|reading| reading.name == name);
        readings.extend(self.accounts.readings(Some(name)));
        readings
    }

    /// Every own metric once, those of declared metrics included.
    pub(crate) fn families() -> Vec<Reading> {
        let mut families = Telemetry::default().process(0, 0);
        families.extend(account::Accounts::families());
        families.sort_by_key(|reading| reading.name);
        families.dedup_by_key(|reading| reading.name);
        families
    }

    /// What is told of the process as a whole.
    fn process(&self, metrics: usize, series: usize) -> Vec<Reading> {
        let mut readings = vec![
            reading(BUILD_INFO, "The version of celemetry that serves this page.", 1),
            reading(
                EVENTS_DROPPED,
                "Events not published: too many, or not taken.",
                counted(&self.events_dropped),
            ),
            reading(EVENTS, "Events that the API server has taken.", counted(&self.events_published)),
            reading(
                OMITTED,
                "Series left out of pages because their labels equalled another's.",
                counted(&self.omitted),
            ),
            reading(FLUSHES, "Flushes of changed series since the start.", counted(&self.flushes)),
            reading(METRICS, "Declared metrics whose first list is complete.", metrics as u64),
            reading(SERIES, "Series of all declared metrics.", series as u64),
            reading(
                STATUS_FAILURES,
                "Writes of statuses that the API server did not take.",
                counted(&self.statuses_failed),
            ),
            reading(STATUS_WRITES, "Statuses written.", counted(&self.statuses_written)),
            reading(
                STATUSES_WAITING,
                "Statuses whose conditions changed and are not written yet.",
                counted(&self.statuses_waiting),
            ),
        ];
        readings.extend(self.audit.readings());
        readings.extend(self.export.readings());
        readings
    }
}

fn reading(name: &'static str, help: &'static str, value: u64) -> Reading {
    let version = || ("version", Arc::from(env!("CARGO_PKG_VERSION")));
    let labels = if name == BUILD_INFO { vec![version()] } else { vec![] };
    Reading { name, help, counter: name.ends_with("_total"), labels, value }
}

fn counted(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

// === impl ExportTelemetry ===

impl ExportTelemetry {
    /// Counts a request that is sent.
    pub fn count_request(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts the points of a request that a sink took, and how many of them it rejected.
    pub fn count_points(&self, points: u64, rejected: u64) {
        self.points.fetch_add(points, Ordering::Relaxed);
        self.rejected.fetch_add(rejected, Ordering::Relaxed);
    }

    /// Counts points that are given up.
    pub fn count_dropped(&self, points: u64) {
        self.dropped.fetch_add(points, Ordering::Relaxed);
    }

    /// Counts a request that is to be sent again.
    pub fn count_retry(&self) {
        self.retries.fetch_add(1, Ordering::Relaxed);
    }

    fn readings(&self) -> [Reading; 5] {
        [
            reading(EXPORT_REQUESTS, "Export requests sent to sinks.", counted(&self.requests)),
            reading(EXPORT_POINTS, "Points that sinks acknowledged.", counted(&self.points)),
            reading(
                EXPORT_REJECTED,
                "Points that sinks rejected out of requests that they took.",
                counted(&self.rejected),
            ),
            reading(
                EXPORT_DROPPED,
                "Points that sinks did not take and that were given up.",
                counted(&self.dropped),
            ),
            reading(EXPORT_RETRIES, "Export requests that were sent again.", counted(&self.retries)),
        ]
    }
}

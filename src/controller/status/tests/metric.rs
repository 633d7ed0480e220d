//! One line for every row of the table of faults.

use super::*;
use crate::api::condition::reason;
use crate::controller::LowerError;
use crate::controller::status::facts::{ExportFailure, Lookup, NameState, SinkDefect, SourceFault};
use crate::controller::status::metric_status;
use celemetry_engine::{Cost, ExpressionErrors, MetricStatus as EngineStatus};

type Change = fn(&mut MetricFacts);

/// A change of healthy facts, and what is then said: `Aspect Status Reason`, and a part of the aspect's message.
type Row = (Change, &'static [&'static str], &'static str);

fn defect(place: &str, message: &str) -> LowerError {
    LowerError { place: place.into(), line: 0, column: 0, message: message.into() }
}

fn failed(fault: SourceFault, message: &str) -> TargetState {
    let state = SourceState::Failed { fault, message: message.into() };
    TargetState::Resolved { sources: vec![source("pods.v1", state)] }
}

fn degraded(state: SourceState) -> TargetState {
    TargetState::Resolved { sources: vec![source("pods.v1", state)] }
}

fn unusable(defect: SinkDefect) -> SinkState {
    SinkState::Unusable(defect)
}

fn failing(failure: ExportFailure) -> SinkState {
    SinkState::Failing { failure, since: at(0) }
}

const UNAVAILABLE: &str = "Ready False DataSinkUnavailable";
const NO_CLIENT: &str = "Ready False OTLPClientCreationFailed";
const MONITORING: &str = "Ready False MonitoringFailed";
const EXPORT: &str = "Ready False MetricExportFailed";
const READY: &str = "Ready True ReconciliationSucceeded";

const OF_SPEC: &[Row] = &[
    (
        |f| f.reconciled = false,
        &["Ready Unknown Reconciling", "Exported Unknown Reconciling"],
        "nothing is known",
    ),
    (
        |f| f.errors = vec![defect("spec.interval", "'x' is no duration")],
        &["Synced False InvalidSpec", "Exported False InvalidSpec", "Ready False InvalidSpec"],
        "spec.interval: 'x' is no duration",
    ),
    (
        |f| f.errors = vec![defect("spec.name", "is missing")],
        &["Synced False InvalidSpec", "Ready False MetricCreationFailed"],
        "spec.name: is missing",
    ),
    (
        |f| f.errors = vec![defect("spec.name", "is missing"), defect("spec.unit", "is bad")],
        &["Synced False InvalidSpec", "Ready False InvalidSpec"],
        "spec.name: is missing\nspec.unit: is bad",
    ),
    (
        |f| {
            f.errors =
                vec![LowerError { line: 1, column: 14, ..defect("spec.projections[2].expression", "no") }];
        },
        &["ExpressionsValid False InvalidExpression", "Ready False InvalidSpec"],
        "spec.projections[2].expression:1:14: no",
    ),
    (
        |f| f.errors = vec![defect("spec.valueFrom.fieldPath", "no"), defect("spec.unit", "is bad")],
        &["ExpressionsValid False InvalidExpression", "Ready False InvalidSpec"],
        "spec.valueFrom.fieldPath: no",
    ),
    (|f| f.errors = vec![defect("spec.filter", "no")], &["ExpressionsValid False InvalidExpression"], "no"),
    (|f| f.errors = vec![defect("spec.unit", "is bad")], &["ExpressionsValid True Valid"], ""),
    (
        |f| f.name = NameState::Taken("belongs to the older a/b".into()),
        &["Exported False NameConflict", "Ready False NameConflict", "Synced True ListComplete"],
        "spec.name: belongs to the older a/b",
    ),
    (
        |f| f.name = NameState::Invalid("is reserved".into()),
        &["Exported False NameConflict", "Ready False InvalidMetricName"],
        "spec.name: is reserved",
    ),
    (
        |f| f.warnings = vec!["spec.unit: odd".into()],
        &["ExpressionsValid True ValidWithWarnings", READY],
        "spec.unit: odd",
    ),
    (
        |f| f.engine.as_mut().unwrap().errors.count = 7,
        &["ExpressionsValid True EvaluationErrors", READY],
        "see status.expressionErrors",
    ),
];

const OF_TARGET: &[Row] = &[
    (
        |f| f.target = TargetState::NoCluster { message: "no kubeconfig".into() },
        &["Synced False ClusterUnavailable", "Ready False QueryConfigCreationFailed"],
        "no kubeconfig",
    ),
    (
        |f| f.target = TargetState::NotFound { wanted: "Widget.example.com/v1".into() },
        &["Synced False TargetNotFound", MONITORING],
        "spec.target: the cluster serves no Widget.example.com/v1",
    ),
    (
        |f| f.target = TargetState::Ambiguous { candidates: vec!["A.a/v1".into(), "A.b/v1".into()] },
        &["Synced False TargetAmbiguous", MONITORING],
        "spec.target: may be any of A.a/v1, A.b/v1",
    ),
    (
        |f| f.target = failed(SourceFault::Forbidden, ""),
        &["Synced False Forbidden", MONITORING, "Available False MonitoringInactive"],
        "pods.v1: no right to list it: it needs the verbs list and watch, since 2026-11-24T12:00:00Z",
    ),
    (
        |f| f.target = failed(SourceFault::NotFound, "the CRD is gone"),
        &["Synced False TargetNotFound", MONITORING],
        "pods.v1: the API server does not serve it: the CRD is gone, since",
    ),
    (
        |f| f.target = failed(SourceFault::Unreachable, "status 503"),
        &["Synced False TargetUnreachable", "Exported True ExportSucceeded", MONITORING],
        "pods.v1: the API server gives no usable answer: status 503, since",
    ),
    (
        |f| {
            f.target = failed(SourceFault::Unreachable, "");
            let TargetState::Resolved { sources } = &mut f.target else { return };
            sources[0].withdrawn = true;
        },
        &["Exported False Stale", "Synced False TargetUnreachable", MONITORING],
        "its series were withdrawn\npods.v1: nothing was heard from it for too long",
    ),
    (
        |f| {
            let TargetState::Resolved { sources } = &mut f.target else { return };
            sources[0] = SourceFacts { withdrawn: true, ..source("pods.v1", SourceState::Listing) };
        },
        &["Exported False Stale", "Synced True ListComplete", MONITORING],
        "its series were withdrawn",
    ),
    (
        |f| f.target = degraded(SourceState::ListOnly),
        &["Synced True WatchForbidden", READY, "Available True MonitoringActive"],
        "pods.v1: no right to watch it, so it is listed every minute: it needs the verb watch",
    ),
    (
        |f| f.target = degraded(SourceState::Degraded { message: "an object cannot be decoded".into() }),
        &["Synced True Degraded", READY],
        "pods.v1: an object cannot be decoded",
    ),
    (
        |f| f.target = TargetState::Pending,
        &["Synced Unknown Reconciling", "Ready Unknown Reconciling"],
        "asked",
    ),
    (
        |f| {
            f.first_list_complete = false;
            f.target = degraded(SourceState::Listing);
        },
        &[
            "Synced False Listing",
            "Exported Unknown Listing",
            "WithinLimits Unknown Listing",
            "Ready Unknown Reconciling",
            "Available Unknown Reconciling",
            "Error Unknown Reconciling",
        ],
        "pods.v1: being listed",
    ),
    (
        |f| f.target = degraded(SourceState::Polled),
        &["Synced True ListComplete", READY],
        "every list is complete",
    ),
];

const OF_SINK: &[Row] = &[
    (
        |f| f.sink = unusable(SinkDefect::DataSinkNotFound { name: "ops/default".into() }),
        &["Exported False DataSinkNotFound", UNAVAILABLE, "Available True MonitoringActive"],
        "DataSink ops/default does not exist",
    ),
    (
        |f| f.sink = unusable(SinkDefect::InvalidDataSink { name: "ops/default".into() }),
        &["Exported False InvalidDataSink", NO_CLIENT],
        "ops/default is defective: see its status",
    ),
    (
        |f| f.sink = unusable(SinkDefect::InvalidEndpoint { message: "no host".into() }),
        &["Exported False InvalidEndpoint", NO_CLIENT],
        "the sink's endpoint is invalid: no host",
    ),
    (
        |f| f.sink = unusable(SinkDefect::ForbiddenAddress { host: "169.254.169.254".into() }),
        &["Exported False EndpointForbidden", NO_CLIENT],
        "'169.254.169.254' is at an address that sinks may not have",
    ),
    (
        |f| f.sink = unusable(SinkDefect::SecretNotFound { name: "ops/key".into() }),
        &["Exported False SecretNotFound", UNAVAILABLE],
        "Secret ops/key of the sink does not exist",
    ),
    (
        |f| f.sink = unusable(SinkDefect::SecretKeyNotFound { name: "ops/key".into(), key: "token".into() }),
        &["Exported False SecretKeyNotFound", UNAVAILABLE],
        "Secret ops/key of the sink has no key 'token'",
    ),
    (
        |f| f.sink = unusable(SinkDefect::SecretForbidden { name: "ops/key".into() }),
        &["Exported False SecretForbidden", UNAVAILABLE],
        "no right to read Secret ops/key",
    ),
    (
        |f| f.sink = unusable(SinkDefect::SecretUnreadable { name: "ops/key".into() }),
        &["Exported False SecretUnreadable", UNAVAILABLE],
        "ops/key of the sink cannot be read",
    ),
    (
        |f| {
            f.sink =
                unusable(SinkDefect::InvalidCredentials { name: "ops/key".into(), message: "no PEM".into() });
        },
        &["Exported False InvalidCredentials", NO_CLIENT],
        "Secret ops/key of the sink cannot be used: no PEM",
    ),
    (
        |f| f.sink = failing(ExportFailure::Refused),
        &["Exported False EndpointRefused", EXPORT],
        ", since 2026-11-24T12",
    ),
    (
        |f| f.sink = failing(ExportFailure::NotResolved),
        &["Exported False EndpointNotResolved", EXPORT],
        "no address",
    ),
    (
        |f| f.sink = failing(ExportFailure::ForbiddenAddress),
        &["Exported False EndpointForbidden", EXPORT],
        "may not",
    ),
    (|f| f.sink = failing(ExportFailure::Tls), &["Exported False TLSError", EXPORT], "no TLS comes about"),
    (
        |f| f.sink = failing(ExportFailure::CertificateName),
        &["Exported False TLSError", EXPORT],
        "another name",
    ),
    (
        |f| f.sink = failing(ExportFailure::CertificateExpired),
        &["Exported False TLSError", EXPORT],
        "not valid now",
    ),
    (
        |f| f.sink = failing(ExportFailure::CertificateUntrusted),
        &["Exported False TLSError", EXPORT],
        "is trusted",
    ),
    (|f| f.sink = failing(ExportFailure::Timeout), &["Exported False ExportTimeout", EXPORT], "in time"),
    (
        |f| f.sink = failing(ExportFailure::Unavailable),
        &["Exported False SinkUnavailable", EXPORT],
        "cannot serve",
    ),
    (
        |f| f.sink = failing(ExportFailure::Throttled),
        &["Exported False SinkThrottled", EXPORT],
        "fewer requests",
    ),
    (
        |f| f.sink = failing(ExportFailure::Unauthenticated),
        &["Exported False Unauthenticated", EXPORT],
        "not accept",
    ),
    (
        |f| f.sink = failing(ExportFailure::PermissionDenied),
        &["Exported False PermissionDenied", EXPORT],
        "permit",
    ),
    (
        |f| f.sink = failing(ExportFailure::NotFound),
        &["Exported False EndpointNotFound", EXPORT],
        "nothing at the path",
    ),
    (|f| f.sink = failing(ExportFailure::Rejected), &["Exported False ExportRejected", EXPORT], "for good"),
    (|f| f.sink = failing(ExportFailure::TooLarge), &["Exported False RequestTooLarge", EXPORT], "too large"),
    (
        |f| f.sink = failing(ExportFailure::InvalidResponse),
        &["Exported False InvalidResponse", EXPORT],
        "none of OTLP's",
    ),
    (
        |f| f.sink = failing(ExportFailure::PointsRejected),
        &["Exported False PointsRejected", READY],
        "some of their",
    ),
    (
        |f| f.sink = SinkState::NotRead,
        &["Exported Unknown Reconciling", "Ready Unknown Reconciling"],
        "being read",
    ),
    (|f| f.sink = SinkState::NotTried, &["Exported Unknown NotTriedYet", READY], "nothing was sent"),
    (|f| f.sink = SinkState::NotAsked, &["Exported True ScrapeOnly", READY], "served on /metrics only"),
];

const OF_ENGINE: &[Row] = &[
    (
        |f| f.engine.as_mut().unwrap().overflowing = true,
        &["WithinLimits False SeriesLimitExceeded", READY],
        "spec.limits.maxSeries",
    ),
    (
        |f| f.engine.as_mut().unwrap().beyond_64_bits = true,
        &["WithinLimits False SumBeyond64Bits", READY],
        "leaves as a double",
    ),
    (|f| f.engine = None, &["WithinLimits Unknown Reconciling"], "nothing is known"),
    (
        |_| {},
        &[
            "Synced True ListComplete",
            "Exported True ExportSucceeded",
            "ExpressionsValid True Valid",
            "WithinLimits True WithinLimits",
            READY,
            "Available True MonitoringActive",
            "Error False NoError",
        ],
        "every list is complete",
    ),
];

fn rows() -> impl Iterator<Item = &'static Row> {
    [OF_SPEC, OF_TARGET, OF_SINK, OF_ENGINE].into_iter().flatten()
}

fn status_of(change: impl FnOnce(&mut MetricFacts)) -> MetricStatus {
    let mut facts = healthy();
    change(&mut facts);
    metric_status(&facts, &MetricStatus::default())
}

#[test]
fn every_fault_is_said_where_the_table_says() {
    for (change, expected, part) in rows() {
        let status = status_of(change);
        for line in *expected {
            let (aspect, rest) = line.split_once(' ').unwrap();
            assert_eq!(said(&status.conditions, aspect), rest, "{line}");
        }
        let aspect = expected[0].split(' ').next().unwrap();
        let message = message(&status, aspect);
        assert!(message.contains(part), "{:?} lacks {part:?}: {message:?}", expected[0]);
    }
}

#[test]
fn ready_and_error_and_the_column_agree_in_every_row() {
    for (change, expected, _) in rows() {
        let status = status_of(change);
        let ready = said(&status.conditions, "Ready");
        assert_eq!(status.ready.as_deref(), ready.split(' ').next(), "{expected:?}");
        let error = match status.ready.as_deref() {
            Some("True") => "False NoError",
            Some("False") => "True ErrorDetected",
            _ => "Unknown Reconciling",
        };
        assert_eq!(said(&status.conditions, "Error"), error, "{expected:?}");
    }
}

#[test]
fn a_fault_of_a_part_is_in_the_message_of_ready() {
    for (change, expected, part) in rows().filter(|(_, expected, _)| expected[0].contains(" False ")) {
        let status = status_of(change);
        if status.ready.as_deref() == Some("False") && !expected[0].ends_with("Stale") {
            let ready = message(&status, "Ready");
            assert!(ready.contains(part), "{:?}: {ready:?} lacks {part:?}", expected[0]);
        }
    }
}

#[test]
fn every_reason_is_said_in_some_row_and_documented() {
    let documentation = include_str!("../mod.rs");
    let mut all: Vec<String> = vec![];
    for (change, ..) in rows() {
        all.extend(status_of(change).conditions.into_iter().map(|condition| condition.reason));
    }
    for reason in reason::ALL {
        assert!(all.iter().any(|said| said == reason), "{reason} is never said");
        assert!(documentation.contains(&format!("`{reason}`")), "{reason} is not documented");
    }
}

#[test]
fn of_several_faults_ready_names_the_first_of_a_pass_and_tells_all() {
    let status = status_of(|facts| {
        facts.target = TargetState::NotFound { wanted: "Widget".into() };
        facts.sink = unusable(SinkDefect::DataSinkNotFound { name: "ops/default".into() });
        facts.name = NameState::Taken("is taken".into());
    });
    assert_eq!(said(&status.conditions, "Ready"), "False NameConflict");
    let lines: Vec<_> = message(&status, "Ready").lines().collect();
    let expected = [
        "spec.name: is taken",
        "DataSink ops/default does not exist",
        "spec.target: the cluster serves no Widget",
    ];
    assert_eq!(lines, expected);

    let status = status_of(|facts| {
        facts.target = failed(SourceFault::Forbidden, "");
        facts.sink = failing(ExportFailure::Timeout);
    });
    assert_eq!(said(&status.conditions, "Ready"), MONITORING.trim_start_matches("Ready "));
    assert_eq!(message(&status, "Ready").lines().count(), 2);
}

#[test]
fn of_several_sources_the_worst_gives_the_reason_and_each_has_a_line() {
    let status = status_of(|facts| {
        let failed = |fault| SourceState::Failed { fault, message: String::new() };
        let sources = vec![
            source("a.v1", failed(SourceFault::Unreachable)),
            source("b.v1", SourceState::Live),
            source("c.v1", failed(SourceFault::Forbidden)),
        ];
        facts.target = TargetState::Resolved { sources };
    });
    assert_eq!(said(&status.conditions, "Synced"), "False Forbidden");
    let lines: Vec<_> = message(&status, "Synced").lines().map(|line| &line[..4]).collect();
    assert_eq!(lines, ["c.v1", "a.v1"]);
}

#[test]
fn messages_are_bounded_and_keep_no_control_characters() {
    let status = status_of(|facts| {
        facts.errors = vec![defect("spec.filter", &"\u{1b}[31m\n<script>".repeat(20)); 10_000];
    });
    for condition in &status.conditions {
        let message = &condition.message;
        assert!(message.len() <= 1024 && !message.contains('\u{1b}'), "{}: {message}", condition.type_);
    }
    assert!(message(&status, "Ready").ends_with(" more"), "{}", message(&status, "Ready"));
}

#[test]
fn figures_are_those_of_the_engine() {
    let status = status_of(|facts| {
        facts.engine = Some(EngineStatus {
            ready: true,
            series: 2,
            matched_objects: 3,
            errors: ExpressionErrors {
                count: 4,
                last_message: Some("spec.filter: no such key".into()),
                last_object: Some("v1/Pod/shop/web-1".into()),
            },
            cost: Cost { events: 5, evaluations: 6, steps: u64::MAX, series: 7, bytes: 800 },
            ..EngineStatus::default()
        });
        facts.last_export = Some(at(7));
        facts.lookup = Some(Lookup { duration: Duration::from_millis(8), cache_hits: 9 });
    });
    let mut json = serde_json::to_value(&status).unwrap();
    json.as_object_mut().unwrap().remove("conditions");
    assert_eq!(
        json,
        serde_json::json!({
            "observation": {
                "timestamp": "2026-11-24T12:00:00Z", "latestValue": "3",
                "targetLookupDurationMillis": 8, "targetLookupCacheHits": 9,
            },
            "ready": "True", "observedGeneration": 1, "mode": "EventDriven", "series": 2, "matchedObjects": 3,
            "lastExportTime": "2026-11-24T12:00:07Z",
            "expressionErrors": {
                "count": 4, "lastMessage": "spec.filter: no such key", "lastObject": "v1/Pod/shop/web-1",
            },
            "cost": { "events": 5, "evaluations": 6, "steps": i64::MAX, "series": 7, "bytes": 800 },
        })
    );
}

#[test]
fn the_mode_is_the_one_in_effect() {
    for (mode, state, expected) in [
        (Mode::EventDriven, SourceState::Live, "EventDriven"),
        (Mode::EventDriven, SourceState::ListOnly, "Polling"),
        (Mode::Polling, SourceState::Polled, "Polling"),
    ] {
        let status = status_of(|facts| {
            facts.mode = mode;
            facts.target = degraded(state);
        });
        assert_eq!(status.mode.as_deref(), Some(expected));
    }
}

#[test]
fn conditions_are_of_the_generation_and_as_the_schema_wants() {
    let status = status_of(|facts| facts.generation = 5);
    assert_eq!(status.observed_generation, Some(5));
    assert_eq!(status.conditions.len(), 7);
    for condition in &status.conditions {
        assert_eq!(condition.observed_generation, Some(5), "{}", condition.type_);
        assert_eq!(condition.last_transition_time, "2026-11-24T12:00:00Z", "{}", condition.type_);
    }
}

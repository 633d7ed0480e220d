//! What becomes of a Metric's status over time: restarts, edits, faults that come and go.

use proptest::prelude::*;

use super::*;
use crate::controller::status::facts::{ExportFailure, NameState, SinkDefect, SourceFault};
use crate::controller::status::metric_status;

/// What a process that has just started knows of generation 1 at a time: nothing.
fn restarted(seconds: i64) -> MetricFacts {
    MetricFacts::first_sight(1, Mode::EventDriven, at(seconds))
}

/// The same once the sources list, and the sink is still to be tried.
fn listing(seconds: i64, now: i64) -> MetricFacts {
    MetricFacts {
        reconciled: true,
        now: at(now),
        target: TargetState::Resolved { sources: vec![source("pods.v1", SourceState::Listing)] },
        sink: SinkState::NotTried,
        engine: Some(Default::default()),
        ..restarted(seconds)
    }
}

fn unreachable() -> TargetState {
    let state = SourceState::Failed { fault: SourceFault::Unreachable, message: String::new() };
    TargetState::Resolved { sources: vec![source("pods.v1", state)] }
}

fn status_of(facts: &MetricFacts) -> MetricStatus {
    metric_status(facts, &MetricStatus::default())
}

/// Every condition as `Aspect Status Reason Time`.
fn all(status: &MetricStatus) -> Vec<String> {
    let line = |c: &Condition| format!("{} {} {} {}", c.type_, c.status, c.reason, c.last_transition_time);
    status.conditions.iter().map(line).collect()
}

#[test]
fn the_time_of_a_condition_moves_when_its_status_flips_and_only_then() {
    let mut status = status_of(&healthy());
    let time = |status: &MetricStatus, aspect| {
        Condition::find(&status.conditions, aspect).unwrap().last_transition_time.clone()
    };
    let [noon, later] = ["2026-11-24T12:00:00Z", "2026-11-24T12:01:00Z"];
    for (seconds, change, ready, exported) in [
        (30, None, noon, noon),
        (60, Some(ExportFailure::Timeout), later, later),
        (90, Some(ExportFailure::Refused), later, later),
        (120, None, "2026-11-24T12:02:00Z", "2026-11-24T12:02:00Z"),
    ] {
        let mut facts = MetricFacts { now: at(seconds), ..healthy() };
        if let Some(failure) = change {
            facts.sink = SinkState::Failing { failure, since: at(60) };
        }
        status = metric_status(&facts, &status);
        assert_eq!(time(&status, "Ready"), ready, "{seconds}");
        assert_eq!(time(&status, "Exported"), exported, "{seconds}");
        assert_eq!(time(&status, "Synced"), noon, "{seconds}");
    }
}

#[test]
fn a_restart_flips_nothing() {
    let failing = SinkState::Failing { failure: ExportFailure::Timeout, since: at(0) };
    for facts in [
        healthy(),
        MetricFacts { sink: failing, ..healthy() },
        MetricFacts { target: unreachable(), ..healthy() },
    ] {
        let before = status_of(&facts);
        let mut status = before.clone();
        for young in [restarted(1000), listing(1000, 1001), listing(1000, 1119)] {
            status = metric_status(&young, &status);
            assert_eq!(all(&status), all(&before), "{:?}", young.now);
        }
        let again = MetricFacts { now: at(1119), known_since: at(1000), ..facts };
        assert_eq!(all(&metric_status(&again, &status)), all(&before));
    }
}

#[test]
fn while_a_data_sink_is_read_nobody_is_ready_and_what_an_earlier_process_found_stands() {
    let unusable = |defect| MetricFacts { sink: SinkState::Unusable(defect), ..healthy() };
    let name = || "ops/default".to_owned();
    for facts in [
        healthy(),
        MetricFacts {
            sink: SinkState::Failing { failure: ExportFailure::Timeout, since: at(0) },
            ..healthy()
        },
        unusable(SinkDefect::DataSinkNotFound { name: name() }),
        unusable(SinkDefect::SecretKeyNotFound { name: name(), key: "key".into() }),
        unusable(SinkDefect::InvalidEndpoint { message: "no host".into() }),
    ] {
        let before = status_of(&facts);
        let reading = MetricFacts { sink: SinkState::NotRead, ..listing(1000, 1001) };
        assert_eq!(all(&metric_status(&reading, &before)), all(&before));
        // A DataSink that was declared now: what was said of its want is over, and nothing is known in its place.
        let reading = MetricFacts { sink: SinkState::NotRead, now: at(1000), ..healthy() };
        let status = metric_status(&reading, &before);
        assert_eq!(said(&status.conditions, "Exported"), "Unknown Reconciling");
        assert_eq!(said(&status.conditions, "Ready"), "Unknown Reconciling");
    }
}

#[test]
fn what_a_young_process_knows_better_is_said_at_once() {
    let before = status_of(&MetricFacts { target: unreachable(), ..healthy() });
    let status = metric_status(&MetricFacts { known_since: at(1000), now: at(1001), ..healthy() }, &before);
    assert_eq!(said(&status.conditions, "Synced"), "True ListComplete");
    assert_eq!(said(&status.conditions, "Ready"), "True ReconciliationSucceeded");

    let before = status_of(&healthy());
    let facts = MetricFacts {
        sink: SinkState::Unusable(SinkDefect::DataSinkNotFound { name: "ops/default".into() }),
        ..listing(1000, 1001)
    };
    let status = metric_status(&facts, &before);
    assert_eq!(said(&status.conditions, "Exported"), "False DataSinkNotFound");
    assert_eq!(said(&status.conditions, "Ready"), "False DataSinkUnavailable");
    assert_eq!(said(&status.conditions, "Synced"), "True ListComplete");
}

#[test]
fn what_an_earlier_process_knew_of_the_configuration_does_not_stand() {
    let missing = SinkState::Unusable(SinkDefect::DataSinkNotFound { name: "ops/default".into() });
    for facts in [
        MetricFacts { sink: missing, ..healthy() },
        MetricFacts { name: NameState::Taken("is taken".into()), ..healthy() },
    ] {
        let before = status_of(&facts);
        let status = metric_status(&listing(1000, 1001), &before);
        assert_eq!(said(&status.conditions, "Exported"), "Unknown Listing");
        assert_eq!(said(&status.conditions, "Ready"), "True ReconciliationSucceeded");
    }
}

#[test]
fn nothing_stands_for_ever_nor_over_an_edit() {
    let before = status_of(&healthy());
    let edited = MetricFacts { generation: 2, ..listing(1000, 1001) };
    for facts in [listing(1000, 1120), edited] {
        let status = metric_status(&facts, &before);
        assert_eq!(said(&status.conditions, "Synced"), "False Listing", "{:?}", facts.now);
        assert_eq!(said(&status.conditions, "Ready"), "Unknown Reconciling", "{:?}", facts.now);
        assert_eq!(status.ready.as_deref(), Some("Unknown"));
    }
}

#[test]
fn what_metrics_operator_left_behind_goes() {
    let condition = |aspect: &str, status: &str, reason: &str| Condition {
        type_: aspect.into(),
        status: status.into(),
        reason: reason.into(),
        message: "old".into(),
        last_transition_time: "2020-01-01T00:00:00Z".into(),
        observed_generation: None,
    };
    let before = MetricStatus {
        conditions: vec![
            condition("Error", "False", "ErrorDetected"),
            condition("Creating", "True", "MonitoringActive"),
            condition("Ready", "True", "ReconciliationSucceeded"),
        ],
        ..MetricStatus::default()
    };
    let status = metric_status(&healthy(), &before);
    assert_eq!(status.conditions.len(), 7);
    assert_eq!(all(&status)[0], "Ready True ReconciliationSucceeded 2020-01-01T00:00:00Z");
    assert_eq!(all(&status)[2], "Error False NoError 2020-01-01T00:00:00Z");
}

#[test]
fn an_observation_is_as_old_as_its_sources() {
    let seen = |status: &MetricStatus| {
        let observation = status.observation.clone().unwrap();
        (observation.latest_value.unwrap(), observation.timestamp.unwrap())
    };
    let mut status = status_of(&healthy());
    let noon = ("3".to_owned(), "2026-11-24T12:00:00Z".to_owned());
    let engine =
        |objects| Some(celemetry_engine::MetricStatus { matched_objects: objects, ..Default::default() });
    let later = MetricFacts { now: at(600), engine: engine(0), ..healthy() };
    for facts in [
        MetricFacts { target: unreachable(), ..later.clone() },
        MetricFacts { first_list_complete: false, ..later.clone() },
        MetricFacts { generation: 2, reconciled: false, ..later.clone() },
        MetricFacts { engine: None, ..later.clone() },
    ] {
        status = metric_status(&facts, &status);
        assert_eq!(seen(&status), noon);
    }
    assert_eq!(seen(&metric_status(&later, &status)), ("0".into(), "2026-11-24T12:10:00Z".into()));
}

#[test]
fn the_last_export_and_the_figures_outlive_a_restart_but_not_an_edit() {
    let before = status_of(&MetricFacts { last_export: Some(at(5)), ..healthy() });
    let status = metric_status(&restarted(1000), &before);
    assert_eq!((status.series, status.matched_objects), (Some(2), Some(3)));
    assert_eq!(status.last_export_time.as_deref(), Some("2026-11-24T12:00:05Z"));
    let status = metric_status(&MetricFacts { generation: 2, ..restarted(1000) }, &before);
    assert_eq!((status.series, status.matched_objects), (None, None));
    assert_eq!(status.last_export_time.as_deref(), Some("2026-11-24T12:00:05Z"));
}

fn any_target() -> impl Strategy<Value = TargetState> {
    let failed = |fault| SourceState::Failed { fault, message: String::new() };
    let state = prop::sample::select(vec![
        SourceState::Listing,
        SourceState::Live,
        SourceState::ListOnly,
        SourceState::Degraded { message: "odd".into() },
        failed(SourceFault::Forbidden),
        failed(SourceFault::Unreachable),
    ]);
    let sources =
        prop::collection::vec((state, any::<bool>()), 1..3).prop_map(|states| TargetState::Resolved {
            sources: states
                .into_iter()
                .map(|(state, withdrawn)| SourceFacts { withdrawn, ..source("pods.v1", state) })
                .collect(),
        });
    prop_oneof![
        Just(TargetState::Pending),
        Just(TargetState::NotFound { wanted: "Widget".into() }),
        sources.clone(),
        sources,
    ]
}

fn any_sink() -> impl Strategy<Value = SinkState> {
    let failing = |failure| SinkState::Failing { failure, since: at(0) };
    prop::sample::select(vec![
        SinkState::NotAsked,
        SinkState::NotRead,
        SinkState::NotTried,
        SinkState::Healthy,
        failing(ExportFailure::Timeout),
        failing(ExportFailure::PointsRejected),
        SinkState::Unusable(SinkDefect::SecretNotFound { name: "a/b".into() }),
    ])
}

prop_compose! {
    fn any_facts()(
        target in any_target(),
        sink in any_sink(),
        [reconciled, first_list_complete, registered, overflowing] in any::<[bool; 4]>(),
        generation in 1..3_i64,
        (pause, restarts) in (0..200_i64, any::<bool>()),
    ) -> (MetricFacts, i64, bool) {
        let engine = registered
            .then(|| celemetry_engine::MetricStatus { overflowing, ..Default::default() });
        (MetricFacts { target, sink, reconciled, first_list_complete, engine, generation, ..healthy() }, pause, restarts)
    }
}

proptest! {
    #[test]
    fn whatever_happens_the_conditions_are_true_to_each_other(steps in prop::collection::vec(any_facts(), 1..20)) {
        let (mut status, mut now, mut known_since) = (MetricStatus::default(), 0, 0);
        for (facts, pause, restarts) in steps {
            now += pause;
            if restarts {
                known_since = now;
            }
            let facts = MetricFacts { now: at(now), known_since: at(known_since), ..facts };
            let before = std::mem::take(&mut status);
            status = metric_status(&facts, &before);
            let of = |aspect| Condition::find(&status.conditions, aspect).unwrap();
            let [ready, error, synced, exported] = ["Ready", "Error", "Synced", "Exported"].map(of);
            prop_assert_eq!(status.conditions.len(), 7);
            prop_assert_eq!(Some(&ready.status), status.ready.as_ref());
            let opposite = match error.status.as_str() { "True" => "False", "False" => "True", other => other };
            prop_assert_eq!(&ready.status, opposite);
            if ready.status == "True" && facts.reconciled {
                prop_assert_eq!(&synced.status, "True");
                prop_assert!(exported.status != "False" || exported.reason == "PointsRejected");
            }
            for condition in &status.conditions {
                prop_assert_eq!(condition.observed_generation, Some(facts.generation));
                let kept = Condition::find(&before.conditions, &condition.type_)
                    .filter(|before| before.status == condition.status);
                let expected = kept.map_or(at(now).to_string(), |before| before.last_transition_time.clone());
                prop_assert_eq!(&condition.last_transition_time, &expected);
            }
            // The same facts again change nothing.
            prop_assert_eq!(&metric_status(&facts, &status), &status);
        }
    }
}

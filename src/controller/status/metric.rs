//! The status of a Metric.
//!
//! In: facts, and the status before. Out: the status now. Must never know: clocks, API servers, who asks. Pure.
//!
//! The faults are gathered once; each condition is then about its part of them, and Ready is about all.

use super::facts::{MetricFacts, NameState, SinkState, SourceState, TargetState};
use super::held::Held;
use super::sink::{self, DEFECTS, EXPORT_FAILURES};
use super::target;
use super::verdict::{Fault, Verdict, text_of};
use crate::api::condition::{FALSE, TRUE, UNKNOWN, aspect, reason};
use crate::api::{Condition, Cost, ExpressionErrors, MetricStatus, Observation};
use crate::controller::message::one_line;
use crate::controller::{LowerError, Mode};

/// What is left standing under Synced: all that a list may end in.
const LISTS_MAY_END_IN: &[&str] = &[
    reason::LIST_COMPLETE,
    reason::WATCH_FORBIDDEN,
    reason::DEGRADED,
    reason::FORBIDDEN,
    reason::TARGET_NOT_FOUND,
    reason::TARGET_UNREACHABLE,
    reason::TARGET_AMBIGUOUS,
    reason::CLUSTER_UNAVAILABLE,
];

/// What is left standing under WithinLimits.
const LIMITS: &[&str] = &[reason::WITHIN_LIMITS, reason::SERIES_LIMIT_EXCEEDED, reason::SUM_BEYOND_64_BITS];

/// Everything that keeps a Metric from being ready, part by part.
struct Faults {
    spec: Vec<Fault>,
    name: Option<Fault>,
    target: Vec<Fault>,
    sink: Option<Fault>,
}

/// The status of a Metric. Conditions keep the time of their last transition from `previous`.
pub fn metric_status(facts: &MetricFacts, previous: &MetricStatus) -> MetricStatus {
    let held = Held::new(&previous.conditions, facts.generation, facts.known_since, facts.now);
    let faults = Faults::of(facts);
    let conditions = match held.all().filter(|_| !facts.reconciled) {
        Some(conditions) => conditions,
        None => Condition::merge(&previous.conditions, conditions(facts, &faults, held)),
    };
    // Figures of a metric that is not registered are those of an earlier process, or nobody's.
    let standing = MetricStatus::default();
    let before = if previous.observed_generation == Some(facts.generation) { previous } else { &standing };
    let engine = facts.engine.as_ref();
    MetricStatus {
        observation: observation(facts, &faults, previous),
        ready: Condition::find(&conditions, aspect::READY).map(|ready| ready.status.clone()),
        conditions,
        observed_generation: Some(facts.generation),
        mode: Some(mode_in_effect(facts).to_owned()),
        series: engine.map(|engine| integer(engine.series as u64)).or(before.series),
        matched_objects: engine.map(|engine| integer(engine.matched_objects)).or(before.matched_objects),
        last_export_time: facts.last_export.map(text_of).or_else(|| previous.last_export_time.clone()),
        expression_errors: engine.map(expression_errors).or_else(|| before.expression_errors.clone()),
        cost: engine.map(cost).or_else(|| before.cost.clone()),
    }
}

fn conditions(facts: &MetricFacts, faults: &Faults, held: Held<'_>) -> Vec<Condition> {
    let stamp = |verdict: Verdict| verdict.into_condition(facts.generation, facts.now);
    let synced = synced(facts, faults);
    let is_listing = synced.provisional;
    let synced = held.or(synced, LISTS_MAY_END_IN, facts.now);
    let exported =
        held.or(exported(facts, faults, &synced), &exported_may_stand(facts, is_listing), facts.now);
    let ready = stamp(ready(facts, faults, &synced, &exported));
    let available = stamp(available(&synced));
    let error = stamp(error(&ready));
    let expressions = stamp(expressions_valid(facts));
    let limits = held.or(within_limits(facts), LIMITS, facts.now);
    vec![ready, available, error, synced, exported, expressions, limits]
}

/// What is said of the sink may stand until it is tried, and what comes of a list until the list is there.
fn exported_may_stand(facts: &MetricFacts, is_listing: bool) -> Vec<&'static str> {
    match (&facts.sink, is_listing) {
        (SinkState::NotRead, _) => [&[reason::EXPORT_SUCCEEDED], EXPORT_FAILURES, DEFECTS].concat(),
        (SinkState::NotTried, _) => [&[reason::EXPORT_SUCCEEDED], EXPORT_FAILURES].concat(),
        (SinkState::NotAsked, true) => vec![reason::SCRAPE_ONLY],
        (_, true) => vec![reason::EXPORT_SUCCEEDED],
        (_, false) => vec![],
    }
}

fn synced(facts: &MetricFacts, faults: &Faults) -> Verdict {
    if facts.reconciled {
        target::synced(facts, &faults.spec, &faults.target)
    } else {
        first_sight(aspect::SYNCED)
    }
}

fn first_sight(aspect: &'static str) -> Verdict {
    Verdict::open(aspect, reason::RECONCILING, "nothing is known of this generation yet")
}

/// Ready, as upstream has it: the reason is the first step of upstream's pass that fails.
fn ready(facts: &MetricFacts, faults: &Faults, synced: &Condition, exported: &Condition) -> Verdict {
    let aspect = aspect::READY;
    let all = faults.in_order_of_a_pass();
    if let Some(first) = all.first() {
        let reason = first.ready;
        return Verdict { reason, ..Verdict::of_faults(aspect, all).unwrap_or_else(|| first_sight(aspect)) };
    }
    let standing = |condition: &Condition, reason| Verdict::fails(aspect, reason, condition.message.clone());
    if !facts.reconciled {
        first_sight(aspect)
    } else if synced.status == FALSE && synced.reason != reason::LISTING {
        // Left standing from an earlier process, as is the next one.
        let no_cluster = synced.reason == reason::CLUSTER_UNAVAILABLE;
        let reason =
            if no_cluster { reason::QUERY_CONFIG_CREATION_FAILED } else { reason::MONITORING_FAILED };
        standing(synced, reason)
    } else if exported.reason == reason::STALE {
        standing(exported, reason::MONITORING_FAILED)
    } else if exported.status == FALSE && exported.reason != reason::POINTS_REJECTED {
        standing(exported, sink::ready_reason(&exported.reason))
    } else if facts.sink == SinkState::NotRead && exported.status == UNKNOWN {
        Verdict::open(aspect, reason::RECONCILING, exported.message.clone())
    } else if synced.status == TRUE {
        Verdict::holds(aspect, reason::RECONCILIATION_SUCCEEDED, "every series is kept right")
    } else {
        Verdict::open(aspect, reason::RECONCILING, synced.message.clone())
    }
}

/// Upstream's phase Ready: whether values are collected, wherever they go.
fn available(synced: &Condition) -> Verdict {
    let aspect = aspect::AVAILABLE;
    if synced.status == TRUE {
        Verdict::holds(aspect, reason::MONITORING_ACTIVE, "")
    } else if synced.status == FALSE && synced.reason != reason::LISTING {
        Verdict::fails(aspect, reason::MONITORING_INACTIVE, synced.message.clone())
    } else {
        Verdict::open(aspect, reason::RECONCILING, "")
    }
}

/// The opposite of Ready. Upstream says False with the reason `ErrorDetected`, and says so for ever.
fn error(ready: &Condition) -> Verdict {
    let aspect = aspect::ERROR;
    match ready.status.as_str() {
        TRUE => Verdict::fails(aspect, reason::NO_ERROR, ""),
        FALSE => Verdict::holds(aspect, reason::ERROR_DETECTED, ready.message.clone()),
        _ => Verdict::open(aspect, reason::RECONCILING, ""),
    }
}

fn exported(facts: &MetricFacts, faults: &Faults, synced: &Condition) -> Verdict {
    let aspect = aspect::EXPORTED;
    let parts = faults.spec.iter().chain(&faults.name).chain(&faults.sink);
    if !facts.reconciled {
        return first_sight(aspect);
    }
    if let Some(verdict) = Verdict::of_faults(aspect, parts) {
        return verdict;
    }
    let withdrawn = facts.sources().iter().filter(|source| source.withdrawn);
    let message: Vec<_> =
        withdrawn.map(|source| format!("{}: nothing was heard from it for too long", source.name)).collect();
    if !message.is_empty() {
        let verdict = Verdict::fails(aspect, reason::STALE, "");
        return Verdict { message: [vec!["its series were withdrawn".into()], message].concat(), ..verdict };
    }
    if !facts.first_list_complete {
        return Verdict::open(aspect, reason::LISTING, synced.message.clone());
    }
    match facts.sink {
        SinkState::NotAsked => Verdict::holds(
            aspect,
            reason::SCRAPE_ONLY,
            "there is no spec.dataSinkRef: served on /metrics only",
        ),
        SinkState::NotRead => {
            Verdict::open(aspect, reason::RECONCILING, "its DataSink and its Secrets are being read")
        }
        SinkState::NotTried => {
            Verdict::open(aspect, reason::NOT_TRIED_YET, "nothing was sent to the sink yet")
        }
        _ => Verdict::holds(aspect, reason::EXPORT_SUCCEEDED, "the sink took the last request"),
    }
}

fn expressions_valid(facts: &MetricFacts) -> Verdict {
    let aspect = aspect::EXPRESSIONS_VALID;
    if !facts.reconciled {
        return first_sight(aspect);
    }
    let invalid: Vec<_> =
        facts.errors.iter().filter(|error| is_of_expression(error)).map(ToString::to_string).collect();
    if !invalid.is_empty() {
        return Verdict { message: invalid, ..Verdict::fails(aspect, reason::INVALID_EXPRESSION, "") };
    }
    let mut reservations = facts.warnings.clone();
    let failed = facts.engine.as_ref().is_some_and(|engine| engine.errors.count > 0);
    if failed {
        // No count and no object here: they change with every event, and have a field of their own.
        reservations.insert(0, "some objects gave no value: see status.expressionErrors".into());
    }
    if reservations.is_empty() {
        return Verdict::holds(aspect, reason::VALID, "");
    }
    let reason = if failed { reason::EVALUATION_ERRORS } else { reason::VALID_WITH_WARNINGS };
    Verdict { message: reservations, ..Verdict::holds(aspect, reason, "") }
}

/// Whether a defect is one of an expression rather than of a setting.
fn is_of_expression(error: &LowerError) -> bool {
    let last = error.place.rsplit('.').next().unwrap_or_default();
    ["expression", "fieldPath", "filter"].contains(&last)
}

fn within_limits(facts: &MetricFacts) -> Verdict {
    let aspect = aspect::WITHIN_LIMITS;
    let Some(engine) = &facts.engine else {
        return first_sight(aspect);
    };
    let mut message = vec![];
    if engine.overflowing {
        let limit = match engine.crowded {
            false => "spec.limits.maxSeries allows",
            true => "spec.limits.maxSeries, or celemetry to this namespace or to all, allows",
        };
        message.push(format!("there are more attribute sets than {limit}: the rest is one overflow series"));
    }
    if engine.beyond_64_bits {
        message.push("a sum is beyond 64 bits: it leaves as a double for now".to_owned());
    }
    let reason = match (engine.overflowing, engine.beyond_64_bits) {
        (true, _) => reason::SERIES_LIMIT_EXCEEDED,
        (false, true) => reason::SUM_BEYOND_64_BITS,
        // An edited metric shows the figures of its old definition until then.
        (false, false) if !facts.first_list_complete => {
            return Verdict::open(aspect, reason::LISTING, "its sources are being listed");
        }
        (false, false) => return Verdict::holds(aspect, reason::WITHIN_LIMITS, ""),
    };
    Verdict { message, ..Verdict::fails(aspect, reason, "") }
}

/// What was seen last. It is only as new as the sources: while one of them is not heard, the old observation stands
/// with its old time.
fn observation(facts: &MetricFacts, faults: &Faults, previous: &MetricStatus) -> Option<Observation> {
    let heard = facts.reconciled
        && facts.first_list_complete
        && faults.target.is_empty()
        && facts.target != TargetState::Pending
        && facts.sources().iter().all(|source| !source.withdrawn);
    let (Some(engine), true) = (&facts.engine, heard) else { return previous.observation.clone() };
    let before = previous.observation.as_ref();
    let lookup = facts.lookup.map(|lookup| {
        let millis = u64::try_from(lookup.duration.as_millis()).unwrap_or(u64::MAX);
        (integer(millis), integer(lookup.cache_hits))
    });
    Some(Observation {
        timestamp: Some(text_of(facts.now)),
        // The number of objects whatever the metric's value is: upstream's meaning, under every profile.
        latest_value: Some(engine.matched_objects.to_string()),
        dimensions: vec![],
        target_lookup_duration_millis: lookup
            .map(|(millis, _)| millis)
            .or_else(|| before?.target_lookup_duration_millis),
        target_lookup_cache_hits: lookup.map(|(_, hits)| hits).or_else(|| before?.target_lookup_cache_hits),
    })
}

fn mode_in_effect(facts: &MetricFacts) -> &'static str {
    let list_only = facts.sources().iter().any(|source| source.state == SourceState::ListOnly);
    match facts.mode {
        Mode::EventDriven if !list_only => "EventDriven",
        Mode::EventDriven | Mode::Polling => "Polling",
    }
}

fn expression_errors(engine: &celemetry_engine::MetricStatus) -> ExpressionErrors {
    let errors = &engine.errors;
    ExpressionErrors {
        count: Some(integer(errors.count)),
        last_message: errors.last_message.as_deref().map(one_line),
        last_object: errors.last_object.as_deref().map(one_line),
    }
}

fn cost(engine: &celemetry_engine::MetricStatus) -> Cost {
    let cost = &engine.cost;
    let counts = [cost.events, cost.evaluations, cost.steps, cost.series as u64, cost.bytes as u64];
    let [events, evaluations, steps, series, bytes] = counts.map(|count| Some(integer(count)));
    Cost { events, evaluations, steps, series, bytes }
}

fn integer(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

// === impl Faults ===

impl Faults {
    fn of(facts: &MetricFacts) -> Self {
        if !facts.reconciled {
            return Faults { spec: vec![], name: None, target: vec![], sink: None };
        }
        Faults {
            spec: of_spec(&facts.errors),
            name: of_name(&facts.name),
            target: target::faults(&facts.target),
            sink: sink::fault(&facts.sink),
        }
    }

    /// What Ready is about, in the order in which upstream's pass meets it: credentials, cluster, client, objects,
    /// export. A sink that takes requests, but not every point, is no fault of the Metric.
    fn in_order_of_a_pass(&self) -> Vec<&Fault> {
        let exports = |fault: &Fault| fault.ready == reason::METRIC_EXPORT_FAILED;
        let sink = self.sink.as_ref();
        let unusable = sink.filter(|fault| !exports(fault));
        let failing = sink.filter(|fault| exports(fault) && fault.reason != reason::POINTS_REJECTED);
        self.spec.iter().chain(&self.name).chain(unusable).chain(&self.target).chain(failing).collect()
    }
}

fn of_spec(errors: &[LowerError]) -> Vec<Fault> {
    let only_the_name = errors.iter().all(|error| error.place == "spec.name");
    let ready = if only_the_name { reason::METRIC_CREATION_FAILED } else { reason::INVALID_SPEC };
    let fault =
        |error: &LowerError| Fault { ready, reason: reason::INVALID_SPEC, message: error.to_string() };
    errors.iter().map(fault).collect()
}

fn of_name(name: &NameState) -> Option<Fault> {
    let (ready, message) = match name {
        NameState::Free => return None,
        NameState::Taken(message) => (reason::NAME_CONFLICT, message),
        NameState::Invalid(message) => (reason::INVALID_METRIC_NAME, message),
    };
    Some(Fault { ready, reason: reason::NAME_CONFLICT, message: format!("spec.name: {message}") })
}

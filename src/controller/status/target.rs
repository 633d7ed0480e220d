//! How the objects of a metric come in, in words.
//!
//! In: the state of a target and of its sources. Out: its faults, and the verdict Synced. Must never know: how a
//! source is read, where its series go.

use super::facts::{MetricFacts, SourceFacts, SourceFault, SourceState, TargetState};
use super::verdict::{Fault, Verdict, text_of};
use crate::api::condition::{aspect, reason};

/// What is wrong with a target: the worst first, and otherwise in the order of the sources.
pub(super) fn faults(target: &TargetState) -> Vec<Fault> {
    let failed = reason::MONITORING_FAILED;
    let single = |ready, reason, message| vec![Fault { ready, reason, message }];
    match target {
        TargetState::Pending => vec![],
        TargetState::NoCluster { message } => {
            let message = format!("the cluster cannot be addressed: {message}");
            single(reason::QUERY_CONFIG_CREATION_FAILED, reason::CLUSTER_UNAVAILABLE, message)
        }
        TargetState::NotFound { wanted } => {
            let message = format!("spec.target: the cluster serves no {wanted}");
            single(failed, reason::TARGET_NOT_FOUND, message)
        }
        TargetState::Ambiguous { candidates } => {
            let message = format!("spec.target: may be any of {}", candidates.join(", "));
            single(failed, reason::TARGET_AMBIGUOUS, message)
        }
        TargetState::Resolved { sources } => of_sources(sources),
    }
}

fn of_sources(sources: &[SourceFacts]) -> Vec<Fault> {
    let mut failed: Vec<_> = sources
        .iter()
        .filter_map(|source| match &source.state {
            SourceState::Failed { fault, message } => Some((*fault, source, message)),
            _ => None,
        })
        .collect();
    failed.sort_by_key(|(fault, ..)| *fault);
    failed.into_iter().map(|(fault, source, message)| of_source(fault, source, message)).collect()
}

fn of_source(fault: SourceFault, source: &SourceFacts, more: &str) -> Fault {
    let (reason, what) = match fault {
        SourceFault::Forbidden => {
            (reason::FORBIDDEN, "no right to list it: it needs the verbs list and watch")
        }
        SourceFault::NotFound => (reason::TARGET_NOT_FOUND, "the API server does not serve it"),
        SourceFault::Unreachable => (reason::TARGET_UNREACHABLE, "the API server gives no usable answer"),
    };
    let more = if more.is_empty() { String::new() } else { format!(": {more}") };
    let message = format!("{}: {what}{more}, since {}", source.name, text_of(source.since));
    Fault { ready: reason::MONITORING_FAILED, reason, message }
}

/// The condition Synced, given the defects of the spec and the [`faults`] of the target.
pub(super) fn synced(facts: &MetricFacts, spec: &[Fault], target: &[Fault]) -> Verdict {
    let aspect = aspect::SYNCED;
    if let Some(verdict) = Verdict::of_faults(aspect, spec).or_else(|| Verdict::of_faults(aspect, target)) {
        return verdict;
    }
    if facts.target == TargetState::Pending {
        return Verdict::open(aspect, reason::RECONCILING, "the cluster is being asked for the target");
    }
    let sources = facts.sources();
    if !facts.first_list_complete {
        let listing = sources.iter().filter(|source| source.state == SourceState::Listing);
        let mut message: Vec<_> = listing.map(|source| format!("{}: being listed", source.name)).collect();
        if message.is_empty() {
            message.push("its sources are being listed".into());
        }
        return Verdict {
            message,
            provisional: true,
            ..Verdict::fails(aspect, reason::LISTING, String::new())
        };
    }
    with_reservations(sources)
}

/// Synced holds; the reservations that come with it are told.
fn with_reservations(sources: &[SourceFacts]) -> Verdict {
    let about = |source: &SourceFacts| match &source.state {
        SourceState::ListOnly => {
            let what = "no right to watch it, so it is listed every minute: it needs the verb watch";
            Some((reason::WATCH_FORBIDDEN, format!("{}: {what}", source.name)))
        }
        SourceState::Degraded { message } => Some((reason::DEGRADED, format!("{}: {message}", source.name))),
        _ => None,
    };
    let mut found: Vec<_> = sources.iter().filter_map(about).collect();
    // The right that is missing comes first: it is the one that somebody can give.
    found.sort_by_key(|(reason, _)| *reason != reason::WATCH_FORBIDDEN);
    let reason = found.first().map_or(reason::LIST_COMPLETE, |(reason, _)| reason);
    let mut verdict = Verdict::holds(aspect::SYNCED, reason, "every list is complete");
    if !found.is_empty() {
        verdict.message = found.into_iter().map(|(_, message)| message).collect();
    }
    verdict
}

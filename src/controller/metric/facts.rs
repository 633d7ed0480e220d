//! What is known of a Metric, told to whoever writes its status.
//!
//! In: everything that a Metric's task holds. Out: facts. Must never know: conditions, reasons.

use celemetry_engine::MetricStatus;
use k8s_openapi::jiff::Timestamp;
use tokio::time::Instant;

use super::placement::{Sight, is_stale};
use super::placing::is_outside_namespaces;
use super::task::{Ended, MetricTask};
use crate::cluster::discovery::Unresolved;
use crate::cluster::fault::{Fault, FaultClass};
use crate::cluster::feed::{Phase, SourceState as Observed};
use crate::cluster::manager::Resolution;
use crate::cluster::namespaces::NAMESPACES;
use crate::controller::defect::defect;
use crate::controller::lower::{LowerError, Mode};
use crate::controller::status::{
    MetricFacts, NameState, SinkDefect, SinkState, SourceFacts, SourceFault, SourceState, TargetState,
};

// === impl MetricTask ===

impl MetricTask {
    /// Tells what is known. Gives whether nothing is waited for: the first list is complete, or cannot be for a reason
    /// that is told.
    pub(super) async fn tell(&mut self, sight: &Sight, now: Instant) -> Result<bool, Ended> {
        let engine = match &self.placed {
            Some(placed) => {
                self.context.coordinator.status(placed.registered.id()).await.map_err(|_| Ended)?
            }
            None => None,
        };
        let facts = self.facts(sight, now, engine);
        self.report.set(&facts);
        let is_named = |source: &SourceFacts| matches!(source.state, SourceState::Failed { .. });
        let is_failed = match &facts.target {
            TargetState::Pending => false,
            TargetState::Resolved { sources } => sources.iter().any(is_named),
            TargetState::NoCluster { .. } | TargetState::NotFound { .. } | TargetState::Ambiguous { .. } => {
                true
            }
        };
        let is_defective = !facts.errors.is_empty() || facts.name != NameState::Free;
        Ok(facts.first_list_complete || is_failed || is_defective)
    }

    fn facts(&self, sight: &Sight, now: Instant, engine: Option<MetricStatus>) -> MetricFacts {
        let declaration = &self.declaration;
        let refused = self.refused.iter().flat_map(|refused| &refused.errors);
        let exported = self.routed.as_ref().and_then(|routed| *routed.route.exported().borrow());
        MetricFacts {
            generation: declaration.generation,
            mode: declaration.lowered.as_ref().map_or(Mode::EventDriven, |lowered| lowered.mode),
            now: Timestamp::now(),
            known_since: declaration.known_since,
            reconciled: true,
            errors: declaration.errors.iter().chain(refused).cloned().chain(self.of_tenancy()).collect(),
            warnings: self.warnings(),
            name: self.name_state(),
            target: self.target_state(sight, now),
            first_list_complete: self.placed.as_ref().is_some_and(|placed| placed.complete),
            sink: self.sink_state(),
            engine,
            last_export: exported.and_then(|at| Timestamp::try_from(at).ok()),
            lookup: None,
        }
    }

    fn warnings(&self) -> Vec<String> {
        let declared = self.declaration.warnings.iter().cloned();
        declared.chain(self.of_scope()).chain(self.fitted.warnings.iter().cloned()).collect()
    }

    fn of_tenancy(&self) -> Option<LowerError> {
        let message = "its objects are in no namespace, and here a Metric sees its own namespace alone";
        self.is_beyond_tenant().then(|| defect("spec.target", message))
    }

    /// A restriction to namespaces that restricts nothing.
    fn of_scope(&self) -> Option<String> {
        let lowered = self.declaration.lowered.as_ref()?;
        let place = match (&lowered.namespace_selector, &lowered.definition.namespaces) {
            (Some(_), _) => "spec.namespaceSelector",
            (None, Some(_)) => "spec.namespaces",
            (None, None) => return None,
        };
        let is_outside = is_outside_namespaces(&self.observed());
        is_outside.then(|| format!("{place}: ignored, since the target's objects are in no namespace"))
    }

    fn name_state(&self) -> NameState {
        let verdict = self.claimed.as_ref().and_then(|claimed| claimed.verdict.borrow().clone());
        match verdict {
            None => NameState::Free,
            Some(conflict) if conflict.is_of_the_name_alone() => NameState::Invalid(conflict.to_string()),
            Some(conflict) => NameState::Taken(conflict.to_string()),
        }
    }

    fn target_state(&self, sight: &Sight, now: Instant) -> TargetState {
        let resolution = self.watched.as_ref().map(|watched| watched.resolution.borrow().clone());
        let found = match resolution {
            None | Some(Resolution::Pending) => return TargetState::Pending,
            Some(Resolution::Unknown(fault)) => {
                return TargetState::NoCluster { message: in_our_words(&fault) };
            }
            Some(Resolution::Unresolved(unresolved)) => return unresolved_state(unresolved),
            Some(Resolution::Found(found)) => found,
        };
        let states = match sight {
            Sight::Sources(states) => &states[..],
            Sight::Unknown | Sight::Blind { .. } => &[],
        };
        let is_complete = self.placed.as_ref().is_some_and(|placed| placed.complete);
        let facts = |name: String, state: &Observed| SourceFacts {
            name,
            state: source_state(state, is_complete),
            since: since(state).unwrap_or(self.declaration.known_since),
            withdrawn: is_stale(state, now, self.context.settings.stale_after),
        };
        let sources = found.iter().zip(states);
        let mut sources: Vec<_> =
            sources.map(|(observed, (_, state))| facts(observed.resource.to_string(), state)).collect();
        let namespaces = self.namespaces.as_ref().map(|seen| seen.borrow().state.clone());
        sources.extend(namespaces.map(|state| facts(NAMESPACES.to_owned(), &state)));
        TargetState::Resolved { sources }
    }

    fn sink_state(&self) -> SinkState {
        let named = self.declaration.lowered.as_ref().and_then(|lowered| lowered.data_sink.as_ref());
        match (named, &self.sink) {
            (_, Some((_, view))) => view.borrow().state.clone(),
            (None, None) => SinkState::NotAsked,
            (Some(_), None) if self.sinks.is_none() => SinkState::NotAsked,
            // It may be in a list that is still to come.
            (Some(_), None) if self.sinks.as_ref().is_some_and(|sinks| !sinks.borrow().is_complete()) => {
                SinkState::NotRead
            }
            (Some(name), None) => {
                let namespace = self.declaration.namespace_of_sinks(&self.context.settings);
                SinkState::Unusable(SinkDefect::DataSinkNotFound { name: format!("{namespace}/{name}") })
            }
        }
    }
}

fn unresolved_state(unresolved: Unresolved) -> TargetState {
    match unresolved {
        Unresolved::NotServed(wanted) => TargetState::NotFound { wanted },
        Unresolved::TooMany { target, found } => {
            TargetState::Ambiguous { candidates: vec![format!("{found} kinds of {target}")] }
        }
    }
}

/// How a source does for a metric whose lists are complete or not.
fn source_state(state: &Observed, is_complete: bool) -> SourceState {
    if let Some(fault) = state.list_fault.as_ref().filter(|_| !is_complete) {
        return failed(fault);
    }
    match &state.phase {
        Phase::Failed { fault, .. } => failed(fault),
        Phase::Polling { instead_of_watching: Some(_), .. } => SourceState::ListOnly,
        _ if !state.synced => SourceState::Listing,
        _ if state.undecodable > 0 => {
            let n = state.undecodable;
            let message = match n {
                1 => "an object cannot be decoded; what it contributed before stands".to_owned(),
                _ => format!("{n} objects cannot be decoded; what they contributed before stands"),
            };
            SourceState::Degraded { message }
        }
        Phase::Polling { .. } => SourceState::Polled,
        Phase::Listing | Phase::Watching => SourceState::Live,
    }
}

fn failed(fault: &Fault) -> SourceState {
    let kind = match fault.class {
        FaultClass::Forbidden => SourceFault::Forbidden,
        FaultClass::NotFound => SourceFault::NotFound,
        _ => SourceFault::Unreachable,
    };
    SourceState::Failed { fault: kind, message: in_our_words(fault) }
}

fn since(state: &Observed) -> Option<Timestamp> {
    match &state.phase {
        Phase::Failed { since_time, .. } => Timestamp::try_from(*since_time).ok(),
        _ => None,
    }
}

/// What a fault means for whoever reads a status. What the server says may tell more than its reader may know, and
/// goes into the log alone.
fn in_our_words(fault: &Fault) -> String {
    let words = match fault.class {
        FaultClass::Unauthorized => "the API server does not accept celemetry's credentials",
        FaultClass::Forbidden => {
            "celemetry has no right to list it; `celemetry rbac` prints the rights that are needed"
        }
        FaultClass::NotFound => "the API server does not serve it",
        FaultClass::Expired => "the API server's history is too short for a list",
        FaultClass::Throttled => "the API server asks to be left alone for now",
        FaultClass::Server => "the API server fails",
        FaultClass::Unreachable => "the API server does not answer",
        FaultClass::Invalid => "the API server refuses spec.fieldSelector for this kind",
        FaultClass::Malformed => "the API server's answer cannot be read",
    };
    words.to_owned()
}

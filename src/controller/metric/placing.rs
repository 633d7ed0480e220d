//! A Metric's registration: which definition counts which sources, in which namespaces.
//!
//! In: what the Metric means, the sources that it is to count, the labels of namespaces. Out: a registration that says
//! so, and whether its lists are complete. Must never know: why these sources, where series go.

use std::collections::BTreeSet;
use std::sync::Arc;

use celemetry_engine::definition::Definition;
use celemetry_engine::snapshot::MetricTable;

use super::task::{Ended, MetricTask};
use crate::cluster::manager::Observed;
use crate::controller::lower::{LowerError, Lowered};
use crate::controller::registered::Registered;
use crate::controller::tenancy::Tenancy;
use crate::coordinator::Registration;
use crate::coordinator::debounce::Schedule;

/// A registration, and the sources that it needs.
pub(super) struct Placed {
    pub(super) registered: Registered,
    /// What is registered, without namespaces.
    definition: Definition,
    pub(super) schedule: Schedule,
    namespaces: Option<BTreeSet<String>>,
    pub(super) sources: Vec<Observed>,
    /// Sources of the definition before, which count until the new one has seen its lists.
    pub(super) former: Vec<Observed>,
    /// Whether the definition has seen its lists.
    pub(super) complete: bool,
    /// The metric's table before that was asked last: whatever completes it is followed by another one. None is held of
    /// a metric that is complete.
    pub(super) table: Option<Arc<MetricTable>>,
}

/// A registration that does not compile.
pub(super) struct Refused {
    definition: Definition,
    pub(super) errors: Vec<LowerError>,
}

/// Namespaces that are listed one by one when a metric comes to count them. Beyond it the whole kind is listed once.
const MOST_REVIEWED: usize = 20;

// === impl MetricTask ===

impl MetricTask {
    /// Lets the metric count the objects of these sources as the Metric says.
    pub(super) async fn place(&mut self, sources: Vec<Observed>) -> Result<(), Ended> {
        let Some(lowered) = self.declaration.lowered.clone() else { return Ok(()) };
        let Some(namespaces) = self.counted_namespaces(&lowered) else { return Ok(()) };
        // Decided by all kinds that the target means, whichever can be seen now; what a tenant may see is never widened.
        let is_open = self.context.settings.tenancy == Tenancy::Open;
        let namespaces = namespaces.filter(|_| !(is_open && is_outside_namespaces(&self.observed())));
        let schedule = Schedule { debounce: lowered.debounce, interval: lowered.interval };
        let definition = Definition { namespaces: None, ..lowered.definition };
        if self.refused.as_ref().is_some_and(|refused| refused.definition == definition) {
            return Ok(());
        }
        let registration = Registration {
            definition: Definition { namespaces: namespaces.clone(), ..definition.clone() },
            sources: sources.iter().map(|observed| observed.source).collect(),
            schedule,
        };
        let outcome = match &mut self.placed {
            None => {
                let registered = Registered::new(&self.context.coordinator, registration).await;
                registered.map_err(|_| Ended)?.map(|registered| {
                    let (former, complete, table) = (vec![], false, None);
                    let placed = Placed {
                        registered,
                        definition: definition.clone(),
                        schedule,
                        namespaces,
                        sources,
                        former,
                        complete,
                        table,
                    };
                    self.placed = Some(placed);
                })
            }
            Some(placed) if placed.is(&definition, schedule, &sources) => {
                self.refused = None;
                return placed.set_namespaces(namespaces, registration).await;
            }
            Some(placed) => {
                let edited = placed.registered.edit(registration).await.map_err(|_| Ended)?;
                edited.map(|()| placed.became(definition.clone(), schedule, namespaces, sources))
            }
        };
        self.refused = outcome.err().map(|errors| Refused { definition, errors });
        Ok(())
    }

    /// The namespaces whose objects count: `Some(None)` for all, `None` where that is not known yet.
    fn counted_namespaces(&mut self, lowered: &Lowered) -> Option<Option<BTreeSet<String>>> {
        let counted = if lowered.namespace_selector.is_some() {
            let labels = self.namespaces.get_or_insert_with(|| self.context.namespaces.watch());
            let labels = labels.borrow_and_update().labels.clone()?;
            lowered.counted_namespaces(labels.iter().map(|(name, labels)| (name.as_str(), labels)))
        } else {
            self.namespaces = None;
            lowered.counted_namespaces([])
        };
        let tenant = self.declaration.namespaces_of_tenant(self.context.settings.tenancy);
        Some(match (counted, tenant) {
            (Some(counted), Some(tenant)) => Some(counted.intersection(&tenant).cloned().collect()),
            (counted, tenant) => counted.or(tenant),
        })
    }

    /// Notes when the definition has seen its lists, and gives up the sources of the one before.
    pub(super) async fn complete(&mut self) -> Result<(), Ended> {
        let Some(placed) = &mut self.placed else { return Ok(()) };
        if placed.complete && placed.former.is_empty() {
            return Ok(());
        }
        let id = placed.registered.id();
        placed.table = self.snapshots.borrow_and_update().metrics.get(&id).cloned();
        self.context.coordinator.settle().await.map_err(|_| Ended)?;
        let status = self.context.coordinator.status(id).await.map_err(|_| Ended)?;
        placed.complete = status.is_some_and(|status| status.ready && !status.pending);
        if placed.complete {
            placed.former.clear();
            placed.table = None;
        }
        Ok(())
    }
}

/// Whether all of these are kinds whose objects are in no namespace, so that none restricts them.
pub(super) fn is_outside_namespaces(sources: &[Observed]) -> bool {
    !sources.is_empty() && sources.iter().all(|source| !source.resource.namespaced)
}

// === impl Placed ===

impl Placed {
    /// Whether this is registered, as far as it does not concern namespaces.
    fn is(&self, definition: &Definition, schedule: Schedule, sources: &[Observed]) -> bool {
        let ids = |sources: &[Observed]| sources.iter().map(|observed| observed.source).collect::<Vec<_>>();
        self.definition == *definition && self.schedule == schedule && ids(&self.sources) == ids(sources)
    }

    /// Lets the metric count other namespaces: their objects are looked at again, or everything where they are many.
    async fn set_namespaces(
        &mut self,
        namespaces: Option<BTreeSet<String>>,
        registration: Registration,
    ) -> Result<(), Ended> {
        let differing: Vec<String> = match (&self.namespaces, &namespaces) {
            (before, after) if before == after => return Ok(()),
            (Some(before), Some(after)) => before.symmetric_difference(after).cloned().collect(),
            _ => vec![],
        };
        if differing.is_empty() || differing.len() > MOST_REVIEWED {
            // It compiled before, and namespaces are no expressions.
            let _ = self.registered.edit(registration).await.map_err(|_| Ended)?;
            self.complete = false;
        } else {
            self.registered.set_namespaces(namespaces.clone()).await.map_err(|_| Ended)?;
            for source in &self.sources {
                source.review(differing.clone());
            }
        }
        self.namespaces = namespaces;
        Ok(())
    }

    fn became(
        &mut self,
        definition: Definition,
        schedule: Schedule,
        namespaces: Option<BTreeSet<String>>,
        sources: Vec<Observed>,
    ) {
        self.former.append(&mut self.sources);
        self.former.retain(|old| !sources.iter().any(|new| new.source == old.source));
        self.sources = sources;
        (self.definition, self.schedule, self.namespaces) = (definition, schedule, namespaces);
        self.complete = false;
    }
}

//! A metric at the coordinator for as long as this is held.
//!
//! In: definitions, sources. Out: registrations. Must never know: how a metric was declared.

use std::collections::BTreeSet;

use celemetry_engine::error::CompileError;
use celemetry_engine::snapshot::MetricId;

use crate::coordinator::{Handle, Registration, Stopped};

/// A registered metric. Dropping it takes the metric away, and so withdraws its series.
#[derive(Debug)]
pub(super) struct Registered {
    id: MetricId,
    coordinator: Handle,
}

// === impl Registered ===

impl Registered {
    /// Registers a metric; the inner error holds every defect of its definition.
    pub(super) async fn new(
        coordinator: &Handle,
        registration: Registration,
    ) -> Result<Result<Self, Vec<CompileError>>, Stopped> {
        let registered = coordinator.register(registration).await?;
        Ok(registered.map(|id| Registered { id, coordinator: coordinator.clone() }))
    }

    pub(super) fn id(&self) -> MetricId {
        self.id
    }

    /// Gives the metric another definition or other sources. Where that does not compile the old one stays.
    pub(super) async fn edit(
        &self,
        registration: Registration,
    ) -> Result<Result<(), Vec<CompileError>>, Stopped> {
        self.coordinator.edit(self.id, registration).await
    }

    /// Lets the metric count the objects of other namespaces.
    pub(super) async fn set_namespaces(&self, namespaces: Option<BTreeSet<String>>) -> Result<(), Stopped> {
        self.coordinator.set_namespaces(self.id, namespaces).await
    }
}

impl Drop for Registered {
    /// Dropping cannot wait for room in a channel, so a task of its own does. Without a runtime the coordinator is gone.
    fn drop(&mut self) {
        let (id, coordinator) = (self.id, self.coordinator.clone());
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                // Refused only by a coordinator that has ended, and with it everything registered.
                let _ = coordinator.remove(id).await;
            });
        }
    }
}

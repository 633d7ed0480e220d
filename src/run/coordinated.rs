//! The way from informers into the coordinator: changes, and objects that are looked at again.
//!
//! In: what informers ask for. Out: messages to the coordinator; findings, counted and told. Must never know: how anything is
//! done.

use std::sync::Arc;

use celemetry_engine::audit::{Seen, Verdict};
use celemetry_engine::change::SourceId;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use crate::cluster::feed::{Auditor, Feed, Finding, Intake, Skipped};
use crate::coordinator::Handle;
use crate::telemetry::{Telemetry, audit};

/// The way into the coordinator.
#[derive(Clone, Debug)]
pub(super) struct Coordinated {
    coordinator: Handle,
    telemetry: Arc<Telemetry>,
}

// === impl Coordinated ===

impl Coordinated {
    pub(super) fn new(coordinator: Handle, telemetry: Arc<Telemetry>) -> Self {
        Coordinated { coordinator, telemetry }
    }
}

impl Intake for Coordinated {
    async fn open(&self) -> Option<Feed> {
        let source = self.coordinator.add_source().await.ok()?;
        let plans = self.coordinator.plans(source).await.ok()??;
        let opened = plans.borrow().epoch();
        let auditor = Arc::new(self.clone());
        Some(Feed { source, plans, opened, changes: self.coordinator.changes(), auditor })
    }

    async fn close(&self, source: SourceId) {
        // Refused only by a coordinator that has ended, and with it every source.
        let _ = self.coordinator.remove_source(source).await;
    }
}

impl Auditor for Coordinated {
    fn compare(&self, source: SourceId, seen: Seen) -> BoxFuture<'static, Verdict> {
        let coordinator = self.coordinator.clone();
        // A coordinator that has ended holds nothing.
        async move { coordinator.audit(source, seen).await.unwrap_or(Verdict::Unsettled) }.boxed()
    }

    fn found(&self, source: SourceId, finding: Finding) {
        let (object, verdict) = match finding {
            Finding::Equal => return self.telemetry.audit.count_equal(),
            Finding::Skipped(reason) => return self.telemetry.audit.count_skipped(counted_as(reason)),
            Finding::Mismatch { object, verdict } => (object, verdict),
        };
        self.telemetry.audit.count_mismatch();
        let coordinator = self.coordinator.clone();
        tokio::spawn(async move {
            let metrics = coordinator.mend(source, verdict).await.unwrap_or_default();
            tracing::error!(
                object,
                metrics = metrics.join(", "),
                "what is held of an object is not what it gives: its source is listed and evaluated anew"
            );
        });
    }
}

fn counted_as(reason: Skipped) -> audit::Skipped {
    match reason {
        Skipped::Unsettled => audit::Skipped::Unsettled,
        Skipped::Moving => audit::Skipped::Moving,
        Skipped::Refused => audit::Skipped::Refused,
        Skipped::Undecodable => audit::Skipped::Undecodable,
    }
}

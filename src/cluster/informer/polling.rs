//! MetricReconciler: the same stream from a timed LIST, for metrics that ask for it and for kinds that cannot be watched.
//!
//! In: a period. Out: lists, and now and then a try to watch. Must never know: what is done with the objects.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::{Closed, Running};
use crate::cluster::fault::{Fault, FaultClass};
use crate::cluster::feed::Phase;

/// How often objects are listed that were to be watched, but cannot be: a compromise between freshness and what a LIST
/// costs the server.
pub(super) const SUBSTITUTE: Duration = Duration::from_secs(60);

impl Running {
    /// Lists every period, and at once where a new plan wants it.
    pub(super) async fn poll(&mut self, every: Duration) -> Result<(), Closed> {
        loop {
            self.sync().await?;
            self.set_phase(Phase::Polling { every, instead_of_watching: None });
            self.pause_between_lists(every).await?;
        }
    }

    /// Lists again and again, until a watch is possible.
    pub(super) async fn poll_instead(&mut self, fault: Fault) -> Result<(), Closed> {
        tracing::warn!(source = %self.collection.resource, %fault, "cannot be watched, is listed instead");
        let every = SUBSTITUTE.min(self.pace.watch_age.end);
        if !self.beside.is_idle() {
            // A list for a new plan was under way beside the watch, and somebody waits for it.
            self.sync().await?;
        }
        loop {
            self.set_phase(Phase::Polling { every, instead_of_watching: Some(fault.clone()) });
            self.pause_between_lists(every).await?;
            self.sync().await?;
            match self.probe_watch().await {
                Err(fault) if fault.class == FaultClass::Forbidden => {}
                _ => return Ok(()),
            }
        }
    }

    /// Waits for the period, a new plan, or namespaces to look at again, which do not end the wait.
    async fn pause_between_lists(&mut self, period: Duration) -> Result<(), Closed> {
        let until = Instant::now() + period;
        let reviews = self.reviews.clone();
        loop {
            let namespaces = tokio::select! {
                () = sleep_until(until) => return Ok(()),
                changed = self.feed.plans.changed() => return changed.map_err(|_| Closed),
                namespaces = reviews.take() => namespaces,
            };
            if let Err(fault) = self.review(namespaces.clone()).await? {
                // A list would show the same objects, but those that have not changed would not be evaluated.
                self.reviews.ask(namespaces);
                return self.failed(fault).await;
            }
        }
    }
}

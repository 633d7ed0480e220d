//! What every metric costs, told to whoever shows the process's own metrics.
//!
//! In: what the engine has counted. Out: accounts, from time to time. Must never know: who shows them.

use std::time::Duration;

use super::debounce::Moment;
use super::{Metric, MetricUpdateCoordinator};
use crate::telemetry::account::Account;

/// Accounts are at most so old: less than lies between two scrapes.
const PERIOD: Duration = Duration::from_secs(5);

// === impl MetricUpdateCoordinator ===

impl MetricUpdateCoordinator {
    /// Something has happened that costs: accounts are due a while later, unless they are due already.
    pub(super) fn note_cost(&mut self) {
        if self.accounts_due.is_none() {
            self.accounts_due = Some(self.now().after(PERIOD));
        }
    }

    /// Tells accounts if they are due.
    pub(super) fn tell_due_accounts(&mut self, now: Moment) {
        if self.accounts_due.is_some_and(|due| due <= now) {
            self.tell_accounts();
        }
    }

    /// Tells the accounts of all metrics.
    pub(super) fn tell_accounts(&mut self) {
        self.accounts_due = None;
        let accounts = self.metrics.iter().filter_map(|(id, metric)| {
            let cost = self.engine.cost(*id)?;
            Some(Account {
                events: cost.events,
                evaluations: cost.evaluations,
                steps: cost.steps,
                series: cost.series as u64,
                bytes: cost.bytes as u64,
                ..metric.account()
            })
        });
        self.telemetry.accounts.set(accounts);
    }
}

// === impl Metric ===

impl Metric {
    fn account(&self) -> Account {
        Account {
            namespace: self.info.namespace.as_str().into(),
            name: self.info.object.as_str().into(),
            mismatches: self.mismatches,
            ..Account::default()
        }
    }
}

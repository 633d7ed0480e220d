//! What each declared metric costs, as whoever keeps the metrics has last told it.
//!
//! In: accounts of all metrics, from time to time. Out: readings. Must never know: what is counted.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::{
    METRIC_BYTES, METRIC_EVALUATIONS, METRIC_EVENTS, METRIC_MISMATCHES, METRIC_SERIES, METRIC_STEPS, Reading,
    reading,
};

/// The latest accounts.
#[derive(Debug, Default)]
pub struct Accounts(Mutex<Arc<[Account]>>);

/// What one declared metric has cost, and holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// The namespace of whoever declares it.
    pub namespace: Arc<str>,
    /// The name of whoever declares it.
    pub name: Arc<str>,
    /// Changes of objects for which it was a candidate.
    pub events: u64,
    /// Evaluations of its plan.
    pub evaluations: u64,
    /// Steps of its expressions.
    pub steps: u64,
    /// Series that it has.
    pub series: u64,
    /// Memory that its series and the contributions to them take.
    pub bytes: u64,
    /// Objects of which it held something wrong.
    pub mismatches: u64,
}

/// One figure of an account.
struct Figure {
    name: &'static str,
    help: &'static str,
    of: fn(&Account) -> u64,
}

/// In the order of their names.
const FIGURES: [Figure; 6] = [
    Figure {
        name: METRIC_BYTES,
        help: "Memory that a declared metric's series and the contributions to them take.",
        of: |account| account.bytes,
    },
    Figure {
        name: METRIC_EVALUATIONS,
        help: "Objects that a declared metric was evaluated on, since its definition was registered.",
        of: |account| account.evaluations,
    },
    Figure {
        name: METRIC_EVENTS,
        help: "Changes of objects that a declared metric may care about, since its definition was registered.",
        of: |account| account.events,
    },
    Figure {
        name: METRIC_MISMATCHES,
        help: "Objects of which a declared metric held something else than they give, as the audit found.",
        of: |account| account.mismatches,
    },
    Figure { name: METRIC_SERIES, help: "Series of a declared metric.", of: |account| account.series },
    Figure {
        name: METRIC_STEPS,
        help: "Steps that a declared metric's expressions took, since its definition was registered.",
        of: |account| account.steps,
    },
];

// === impl Accounts ===

impl Accounts {
    /// Takes the place of what was told before. Metrics of one namespace and name, which both of our API groups may have,
    /// share an account.
    pub fn set(&self, accounts: impl IntoIterator<Item = Account>) {
        let mut by_name: BTreeMap<(Arc<str>, Arc<str>), Account> = BTreeMap::new();
        for account in accounts {
            let name = (Arc::clone(&account.namespace), Arc::clone(&account.name));
            match by_name.get_mut(&name) {
                Some(known) => known.add(&account),
                None => drop(by_name.insert(name, account)),
            }
        }
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = by_name.into_values().collect();
    }

    /// Every figure of every account, or that of one name.
    pub(super) fn readings(&self, name: Option<&str>) -> Vec<Reading> {
        let accounts = Arc::clone(&self.0.lock().unwrap_or_else(PoisonError::into_inner));
        let wanted = FIGURES.iter().filter(|figure| name.is_none_or(|name| name == figure.name));
        wanted.flat_map(|figure| accounts.iter().map(|account| figure.reading(account))).collect()
    }

    /// Every figure once, whether or not there are metrics.
    pub(super) fn families() -> impl Iterator<Item = Reading> {
        FIGURES.iter().map(|figure| reading(figure.name, figure.help, 0))
    }
}

// === impl Account, Figure ===

impl Account {
    fn add(&mut self, other: &Account) {
        self.events += other.events;
        self.evaluations += other.evaluations;
        self.steps += other.steps;
        self.series += other.series;
        self.bytes += other.bytes;
        self.mismatches += other.mismatches;
    }
}

impl Figure {
    fn reading(&self, account: &Account) -> Reading {
        let labels = vec![
            ("celemetry_metric_name", Arc::clone(&account.name)),
            ("celemetry_metric_namespace", Arc::clone(&account.namespace)),
        ];
        Reading { labels, ..reading(self.name, self.help, (self.of)(account)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::Telemetry;

    #[test]
    fn the_readme_says_what_every_own_metric_tells() {
        let readme = include_str!("../../README.md");
        for family in Telemetry::families() {
            let name = format!("`{}", family.name);
            let is_named =
                readme.match_indices(&name).any(|(at, _)| readme[at + name.len()..].starts_with(['`', '{']));
            assert!(is_named, "{}", family.name);
        }
    }

    fn account(name: &str, steps: u64) -> Account {
        Account { namespace: "shop".into(), name: name.into(), steps, ..Account::default() }
    }

    #[test]
    fn figures_are_in_order_and_metrics_of_one_name_share_an_account() {
        assert!(FIGURES.is_sorted_by_key(|figure| figure.name));
        let accounts = Accounts::default();
        accounts.set([account("pods", 3), account("nodes", 5), account("pods", 4)]);
        let steps = accounts.readings(Some(METRIC_STEPS));
        let shown: Vec<_> = steps.iter().map(|reading| (&*reading.labels[0].1, reading.value)).collect();
        assert_eq!(shown, [("nodes", 5), ("pods", 7)]);
        assert_eq!(accounts.readings(None).len(), 2 * FIGURES.len());
        accounts.set([]);
        assert_eq!(accounts.readings(None), []);
    }
}

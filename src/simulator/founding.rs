//! The cluster as it is before anything happens, and how often things do.
//!
//! In: how many objects. Out: a cluster in which all is well; the first plans. Must never know: what becomes of it.

use std::sync::Arc;

use super::agenda::{Chance, Step};
use super::cluster::Cluster;
use super::state::App;

const APPS: &[&str] =
    &["checkout", "cart", "search", "payments", "mail", "web", "invoices", "catalogue", "stock", "login"];
const NAMESPACES: &[&str] = &["shop", "platform", "reports"];
const TIERS: &[&str] = &["frontend", "backend", "batch"];

/// Objects a node, a Database, a namespace beyond the first.
const OBJECTS_A_NODE: u64 = 40;
const OBJECTS_A_DATABASE: u64 = 50;
const OBJECTS_A_NAMESPACE: u64 = 1_000;
const MOST_NAMESPACES: u64 = 40;

// === impl Cluster ===

impl Cluster {
    /// Puts up the cluster and plans what happens now and then.
    pub(super) fn found(&mut self) {
        let namespaces = self.found_namespaces();
        for _ in 0..(self.scale / OBJECTS_A_NODE).max(3) {
            self.add_node();
        }
        for _ in 0..(self.scale / OBJECTS_A_DATABASE).max(3) {
            let namespace = self.random.pick(&namespaces.iter().collect::<Vec<_>>()).clone();
            self.add_database(namespace);
        }
        let mut number = 0;
        while (self.len() as u64) < self.scale {
            let namespace = namespaces[number % namespaces.len()].clone();
            let app = self.app(number, namespace);
            let left = self.scale.saturating_sub(self.len() as u64);
            let replicas = self.random.between(1, 10).min(left.saturating_sub(2)).max(1);
            self.add_deployment(Arc::new(app), replicas);
            number += 1;
        }
        for chance in Chance::ALL {
            self.plan_chance(self.every(chance), chance);
        }
    }

    fn found_namespaces(&mut self) -> Vec<Arc<str>> {
        let more = (self.scale / OBJECTS_A_NAMESPACE).min(MOST_NAMESPACES);
        let names = NAMESPACES.iter().map(|name| Arc::from(*name));
        let names: Vec<Arc<str>> = names.chain((1..=more).map(|n| format!("team-{n}").into())).collect();
        for name in &names {
            self.add_namespace(name);
        }
        names
    }

    /// The app with this number: its name comes again only with another ending.
    pub(super) fn app(&mut self, number: usize, namespace: Arc<str>) -> App {
        let (round, base) = (number / APPS.len(), APPS[number % APPS.len()]);
        let name = if round == 0 { base.to_owned() } else { format!("{base}-{}", round + 1) };
        App {
            name,
            namespace,
            tier: self.random.pick(TIERS),
            is_meshed: self.random.percent(40),
            memory_mib: (!self.random.percent(20)).then(|| 64 * self.random.between(1, 16)),
        }
    }

    /// About how many milliseconds lie between two of these: the more objects, the more happens.
    pub(super) fn every(&self, chance: Chance) -> u64 {
        // Seconds between two in a cluster of a thousand objects, and the least.
        let (seconds, least) = match chance {
            Chance::Mishap => (6, 0),
            Chance::Rollout => (25, 0),
            Chance::Scale => (20, 0),
            Chance::Job => (15, 0),
            Chance::Loss => (150, 60),
            Chance::Preview => (120, 0),
            Chance::Handover => (200, 0),
            Chance::Database => (12, 0),
            Chance::Bookmark => return 60_000,
        };
        (seconds * 1_000_000 / self.scale).max(least * 1_000)
    }

    /// Something that happens now and then happens, and is planned again.
    pub(super) fn chance(&mut self, chance: Chance) {
        match chance {
            Chance::Mishap => self.mishap(),
            Chance::Rollout => self.roll_out(),
            Chance::Scale => self.scale_one(),
            Chance::Job => self.add_job(),
            Chance::Loss => self.lose_node(),
            Chance::Preview => self.open_preview(),
            Chance::Handover => self.hand_over(),
            Chance::Database => self.change_database(),
            Chance::Bookmark => self.bookmarks(),
        }
        self.plan_chance(self.every(chance), chance);
    }

    /// Plans `step` at once.
    pub(super) fn soon(&mut self, step: Step) {
        self.plan(0, 1, step);
    }
}

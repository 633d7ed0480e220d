//! Which metrics may care about a row.
//!
//! In: the necessary conditions of every plan of a source, and rows. Out: candidates: every metric whose conditions
//! the row may meet, and few others. Must never know: projections, values, series.
//!
//! Two steps. The selectors of labels and namespaces are answered once per distinct set of labels and remembered;
//! equalities that a filter cannot be true without are looked up by the field's value at every event. Each plan is
//! filed under one condition only, its most selective one; the plan itself checks the rest.

mod conditions;
mod posting;
mod probe;

pub(crate) use conditions::{Conditions, LabelTest, Selector};

use std::collections::HashMap;
use std::sync::Arc;

use posting::LabelPostings;
use probe::{Popularity, ProbeSet};

use crate::hash::{Keyed, Prehashed};
use crate::row::{HashSeed, Row};

/// One compiled definition at work in an engine; reused after it is gone and purged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct InstanceId(pub(crate) u32);

/// How many distinct sets of labels are remembered before the memory starts anew: more than the label sets of 5,000
/// nodes' Pods, in about 5 MB.
const REMEMBERED: usize = 1 << 16;

/// How many plans the distinct answers may name together before the memory starts anew: a tenant that relabels one
/// object through all combinations of many selectors cannot make it grow beyond about 20 MB.
const REMEMBERED_PLANS: usize = 1 << 20;

/// The index of one source.
///
/// Invariant: `remembered` and `interned` hold answers of the present set of plans; any change of it empties them.
#[derive(Debug)]
pub(crate) struct Index {
    /// Conditions of every plan, to check candidates and to take a plan out again.
    plans: HashMap<InstanceId, Arc<Conditions>, Keyed>,
    /// Plans with a selector, under their most selective requirement.
    selective: LabelPostings,
    /// Plans without any selector.
    unconditional: ProbeSet,
    /// How many distinct values each field is compared to: the more, the more selective.
    popularity: Popularity,
    /// The newest epoch of any plan: older rows lack fields that selectors read, so nothing is remembered of them.
    epoch: u32,
    /// Matching plans with a selector, by the hash of namespace and labels.
    remembered: HashMap<u128, Arc<ProbeSet>, Prehashed>,
    /// The same sets by content, so that label sets which match alike share one.
    interned: HashMap<Box<[InstanceId]>, Arc<ProbeSet>, Keyed>,
    /// How many plans the interned sets name.
    interned_plans: usize,
    seed: HashSeed,
}

impl Index {
    pub(crate) fn new(seed: HashSeed) -> Self {
        Index {
            plans: HashMap::with_hasher(Keyed(seed)),
            selective: LabelPostings::new(seed),
            unconditional: ProbeSet::new(seed),
            popularity: Popularity::new(seed),
            epoch: 0,
            remembered: HashMap::with_hasher(Prehashed),
            interned: HashMap::with_hasher(Keyed(seed)),
            interned_plans: 0,
            seed,
        }
    }

    /// Files a plan of `epoch` under its conditions.
    pub(crate) fn insert(&mut self, instance: InstanceId, conditions: Arc<Conditions>, epoch: u32) {
        self.epoch = self.epoch.max(epoch);
        self.popularity.count(&conditions.filters);
        if conditions.selector.is_empty() {
            self.unconditional.insert(instance, self.popularity.best(&conditions.filters));
        } else {
            self.selective.insert(instance, &conditions.selector);
        }
        self.plans.insert(instance, conditions);
        self.forget();
    }

    /// Takes a plan out; nothing of it stays.
    pub(crate) fn remove(&mut self, instance: InstanceId) {
        let Some(conditions) = self.plans.remove(&instance) else { return };
        self.popularity.discount(&conditions.filters);
        if conditions.selector.is_empty() {
            self.unconditional.remove(instance, &conditions.filters);
        } else {
            self.selective.remove(instance, &conditions.selector);
        }
        self.forget();
    }

    /// Files a plan under other conditions, which differ from its present ones in the namespaces alone.
    pub(crate) fn refile(&mut self, instance: InstanceId, conditions: Arc<Conditions>) {
        let Some(old) = self.plans.get(&instance) else { return };
        if old.selector.is_empty() || conditions.selector.is_empty() {
            let epoch = self.epoch;
            self.remove(instance);
            self.insert(instance, conditions, epoch);
        } else {
            self.selective.refile(instance, &old.selector, &conditions.selector);
            self.plans.insert(instance, conditions);
            self.forget();
        }
    }

    /// Adds to `found` every plan that `row` may count for; neither sorted nor without repetition. Tells whether the
    /// answer is exact: the selectors of those found hold, and no other plan counts anything of the row. Of a row that
    /// is older than some plan it is not.
    pub(crate) fn candidates(&mut self, row: &Row, found: &mut Vec<InstanceId>) -> bool {
        self.unconditional.matching(row, found);
        if row.epoch() < self.epoch {
            self.selective.candidates(row, found);
            return false;
        }
        if self.selective.is_empty() {
            return true;
        }
        if let Some(set) = self.remembered.get(&row.labels_hash()) {
            set.matching(row, found);
        } else {
            self.remember(row).matching(row, found);
        }
        true
    }

    /// Answers all selectors for the labels of `row`.
    fn remember(&mut self, row: &Row) -> Arc<ProbeSet> {
        let mut matching = Vec::new();
        self.selective.candidates(row, &mut matching);
        matching.retain(|instance| self.plans[instance].selector.matches(row));
        matching.sort_unstable();
        matching.dedup();
        if self.remembered.len() >= REMEMBERED || self.interned_plans >= REMEMBERED_PLANS {
            self.forget();
        }
        let set = match self.interned.get(&*matching) {
            Some(set) => set.clone(),
            None => self.intern(matching),
        };
        self.remembered.insert(row.labels_hash(), set.clone());
        set
    }

    fn intern(&mut self, matching: Vec<InstanceId>) -> Arc<ProbeSet> {
        let mut set = ProbeSet::new(self.seed);
        for instance in &matching {
            set.insert(*instance, self.popularity.best(&self.plans[instance].filters));
        }
        let set = Arc::new(set);
        self.interned_plans += matching.len();
        self.interned.insert(matching.into(), set.clone());
        set
    }

    fn forget(&mut self) {
        if !self.remembered.is_empty() {
            self.remembered = HashMap::with_hasher(Prehashed);
            self.interned = HashMap::with_hasher(Keyed(self.seed));
            self.interned_plans = 0;
        }
    }

    /// How many entries of any sort there are, remembered answers aside: 0 once every plan is gone.
    pub(crate) fn entries(&self) -> usize {
        self.plans.len() + self.selective.len() + self.unconditional.len() + self.popularity.len()
    }
}

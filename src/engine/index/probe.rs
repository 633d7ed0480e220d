//! Plans by the value of a field that their filter compares to literals.
//!
//! In: one condition a plan, or none. Out: the plans whose condition a row meets. An absent field meets none.

use std::collections::{BTreeMap, HashMap};

use crate::expression::{Condition, Equality, ScalarKey};
use crate::hash::Keyed;
use crate::row::{FieldId, HashSeed, Kind, Row};

use super::InstanceId;

/// Plans, each under the equalities of one condition, or under none.
#[derive(Debug)]
pub(crate) struct ProbeSet {
    /// Plans without a condition.
    always: Vec<InstanceId>,
    probes: BTreeMap<FieldId, Probe>,
    seed: HashSeed,
}

/// The plans that compare one field. Strings apart, so that a look-up needs no allocation.
#[derive(Debug)]
struct Probe {
    strings: HashMap<Box<str>, Vec<InstanceId>, Keyed>,
    others: BTreeMap<ScalarKey, Vec<InstanceId>>,
}

/// Distinct values that the conditions of all plans name, by field.
#[derive(Debug)]
pub(crate) struct Popularity {
    values: BTreeMap<FieldId, HashMap<ScalarKey, u32, Keyed>>,
    seed: HashSeed,
}

// === impl ProbeSet ===

impl ProbeSet {
    pub(crate) fn new(seed: HashSeed) -> Self {
        ProbeSet { always: Vec::new(), probes: BTreeMap::new(), seed }
    }

    pub(crate) fn insert(&mut self, instance: InstanceId, condition: Option<&Condition>) {
        let Some(condition) = condition else {
            self.always.push(instance);
            return;
        };
        for equality in &condition.any {
            let probe = self.probes.entry(equality.field).or_insert_with(|| Probe {
                strings: HashMap::with_hasher(Keyed(self.seed)),
                others: BTreeMap::new(),
            });
            equality.keys.iter().for_each(|key| probe.insert(instance, key));
        }
    }

    /// Takes a plan out. Which of its conditions it stands under depends on what was known at its insertion, so all of
    /// them are looked through.
    pub(crate) fn remove(&mut self, instance: InstanceId, conditions: &[Condition]) {
        self.always.retain(|plan| *plan != instance);
        for equality in conditions.iter().flat_map(|condition| &condition.any) {
            let Some(probe) = self.probes.get_mut(&equality.field) else { continue };
            equality.keys.iter().for_each(|key| probe.remove(instance, key));
            if probe.strings.is_empty() && probe.others.is_empty() {
                self.probes.remove(&equality.field);
            }
        }
    }

    /// Adds the plans that `row` may count for.
    pub(crate) fn matching(&self, row: &Row, found: &mut Vec<InstanceId>) {
        found.extend(&self.always);
        for (field, probe) in &self.probes {
            let Some(node) = row.at(*field) else { continue };
            let plans = match node.kind() {
                Kind::String => node.as_str().and_then(|text| probe.strings.get(text)),
                _ => ScalarKey::of(node).and_then(|key| probe.others.get(&key)),
            };
            found.extend(plans.into_iter().flatten());
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.always.len() + self.probes.len()
    }
}

impl Probe {
    fn insert(&mut self, instance: InstanceId, key: &ScalarKey) {
        match key {
            ScalarKey::String(text) => self.strings.entry(text.clone()).or_default().push(instance),
            other => self.others.entry(other.clone()).or_default().push(instance),
        }
    }

    fn remove(&mut self, instance: InstanceId, key: &ScalarKey) {
        let plans = match key {
            ScalarKey::String(text) => self.strings.get_mut(text),
            other => self.others.get_mut(other),
        };
        let Some(plans) = plans else { return };
        plans.retain(|plan| *plan != instance);
        if plans.is_empty() {
            match key {
                ScalarKey::String(text) => drop(self.strings.remove(text)),
                other => drop(self.others.remove(other)),
            }
        }
    }
}

// === impl Popularity ===

impl Popularity {
    pub(crate) fn new(seed: HashSeed) -> Self {
        Popularity { values: BTreeMap::new(), seed }
    }

    pub(crate) fn count(&mut self, conditions: &[Condition]) {
        for equality in conditions.iter().flat_map(|condition| &condition.any) {
            let values =
                self.values.entry(equality.field).or_insert_with(|| HashMap::with_hasher(Keyed(self.seed)));
            for key in &equality.keys {
                *values.entry(key.clone()).or_default() += 1;
            }
        }
    }

    pub(crate) fn discount(&mut self, conditions: &[Condition]) {
        for equality in conditions.iter().flat_map(|condition| &condition.any) {
            let Some(values) = self.values.get_mut(&equality.field) else { continue };
            for key in &equality.keys {
                if let Some(count) = values.get_mut(key) {
                    *count -= 1;
                    if *count == 0 {
                        values.remove(key);
                    }
                }
            }
            if values.is_empty() {
                self.values.remove(&equality.field);
            }
        }
    }

    /// The condition that tells most objects apart: on fields that plans compare to the most distinct values.
    pub(crate) fn best<'c>(&self, conditions: &'c [Condition]) -> Option<&'c Condition> {
        let distinct = |equality: &Equality| self.values.get(&equality.field).map_or(0, HashMap::len);
        let fewest = |condition: &&Condition| condition.any.iter().map(distinct).min();
        conditions.iter().rev().max_by_key(fewest)
    }

    pub(crate) fn len(&self) -> usize {
        self.values.len()
    }
}

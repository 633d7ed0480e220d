//! Plans by the value of a field that their filter compares to literals.
//!
//! In: one equality a plan, or none. Out: the plans whose equality a row meets. An absent field meets none.

use std::collections::{BTreeMap, HashMap};

use crate::expression::{Equality, ScalarKey};
use crate::hash::Keyed;
use crate::row::{FieldId, HashSeed, Kind, Row};

use super::InstanceId;

/// Plans, each under one equality or under none.
#[derive(Debug)]
pub(crate) struct ProbeSet {
    /// Plans without an equality.
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

/// Distinct values that the equalities of all plans name, by field.
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

    pub(crate) fn insert(&mut self, instance: InstanceId, equality: Option<&Equality>) {
        let Some(equality) = equality else {
            self.always.push(instance);
            return;
        };
        let probe = self.probes.entry(equality.field).or_insert_with(|| Probe {
            strings: HashMap::with_hasher(Keyed(self.seed)),
            others: BTreeMap::new(),
        });
        for key in &equality.keys {
            match key {
                ScalarKey::String(text) => probe.strings.entry(text.clone()).or_default().push(instance),
                other => probe.others.entry(other.clone()).or_default().push(instance),
            }
        }
    }

    /// Takes a plan out. Which of its equalities it stands under depends on what was known at its insertion, so
    /// all of them are looked through.
    pub(crate) fn remove(&mut self, instance: InstanceId, equalities: &[Equality]) {
        self.always.retain(|plan| *plan != instance);
        for equality in equalities {
            let Some(probe) = self.probes.get_mut(&equality.field) else { continue };
            for key in &equality.keys {
                probe.remove(instance, key);
            }
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

    pub(crate) fn count(&mut self, equalities: &[Equality]) {
        for equality in equalities {
            let values =
                self.values.entry(equality.field).or_insert_with(|| HashMap::with_hasher(Keyed(self.seed)));
            for key in &equality.keys {
                *values.entry(key.clone()).or_default() += 1;
            }
        }
    }

    pub(crate) fn discount(&mut self, equalities: &[Equality]) {
        for equality in equalities {
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

    /// The equality that tells most objects apart: on the field that plans compare to the most distinct values.
    pub(crate) fn best<'c>(&self, equalities: &'c [Equality]) -> Option<&'c Equality> {
        let distinct = |equality: &&Equality| self.values.get(&equality.field).map_or(0, HashMap::len);
        equalities.iter().rev().max_by_key(distinct)
    }

    pub(crate) fn len(&self) -> usize {
        self.values.len()
    }
}

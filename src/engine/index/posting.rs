//! Plans with a selector, each filed under its most selective requirement.
//!
//! In: selectors. Out: for a row, the plans whose filed requirement it meets; their other requirements are the
//! caller's to check.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::definition::LabelOperator;
use crate::hash::Keyed;
use crate::row::{FieldId, HashSeed, Row};

use super::{InstanceId, Selector};

type Postings<K> = HashMap<K, Vec<InstanceId>, Keyed>;

/// See the module. Labels that any selector names are few, so an ordered map walks them quickly.
#[derive(Debug)]
pub(crate) struct LabelPostings {
    values: BTreeMap<FieldId, Postings<Box<str>>>,
    namespaces: Postings<Box<str>>,
    present: BTreeMap<FieldId, Vec<InstanceId>>,
    /// Plans that only exclude.
    rest: Vec<InstanceId>,
    seed: HashSeed,
}

/// The requirement a plan is filed under.
enum Filing<'s> {
    Values(FieldId, &'s BTreeSet<String>),
    Namespaces(&'s BTreeSet<String>),
    Present(FieldId),
    Rest,
}

impl LabelPostings {
    pub(crate) fn new(seed: HashSeed) -> Self {
        LabelPostings {
            values: BTreeMap::new(),
            namespaces: HashMap::with_hasher(Keyed(seed)),
            present: BTreeMap::new(),
            rest: Vec::new(),
            seed,
        }
    }

    pub(crate) fn insert(&mut self, instance: InstanceId, selector: &Selector) {
        match filing(selector) {
            Filing::Values(field, values) => {
                let postings =
                    self.values.entry(field).or_insert_with(|| HashMap::with_hasher(Keyed(self.seed)));
                file(postings, values.iter(), instance);
            }
            Filing::Namespaces(names) => file(&mut self.namespaces, names.iter(), instance),
            Filing::Present(field) => self.present.entry(field).or_default().push(instance),
            Filing::Rest => self.rest.push(instance),
        }
    }

    pub(crate) fn remove(&mut self, instance: InstanceId, selector: &Selector) {
        match filing(selector) {
            Filing::Values(field, values) => {
                if let Some(postings) = self.values.get_mut(&field) {
                    unfile(postings, values.iter(), instance);
                    if postings.is_empty() {
                        self.values.remove(&field);
                    }
                }
            }
            Filing::Namespaces(names) => unfile(&mut self.namespaces, names.iter(), instance),
            Filing::Present(field) => {
                if let Some(plans) = self.present.get_mut(&field) {
                    plans.retain(|plan| *plan != instance);
                    if plans.is_empty() {
                        self.present.remove(&field);
                    }
                }
            }
            Filing::Rest => self.rest.retain(|plan| *plan != instance),
        }
    }

    /// As [`remove`](Self::remove) and [`insert`](Self::insert). What two sets of namespaces share stays: they may name
    /// thousands, and differ in one.
    pub(crate) fn refile(&mut self, instance: InstanceId, old: &Selector, new: &Selector) {
        if let (Filing::Namespaces(old), Filing::Namespaces(new)) = (filing(old), filing(new)) {
            unfile(&mut self.namespaces, old.difference(new), instance);
            file(&mut self.namespaces, new.difference(old), instance);
        } else {
            self.remove(instance, old);
            self.insert(instance, new);
        }
    }

    /// Adds the plans whose filed requirement `row` meets.
    pub(crate) fn candidates(&self, row: &Row, found: &mut Vec<InstanceId>) {
        for (field, postings) in &self.values {
            let value = row.at(*field).and_then(|node| node.as_str());
            found.extend(value.and_then(|value| postings.get(value)).into_iter().flatten());
        }
        found.extend(self.namespaces.get(row.namespace()).into_iter().flatten());
        for (field, plans) in &self.present {
            if row.at(*field).is_some() {
                found.extend(plans);
            }
        }
        found.extend(&self.rest);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(crate) fn len(&self) -> usize {
        self.values.len() + self.namespaces.len() + self.present.len() + self.rest.len()
    }
}

/// A label that must have one of few values tells objects apart best, then the namespace, then a label's presence.
fn filing(selector: &Selector) -> Filing<'_> {
    let sets = selector.labels.iter().filter_map(|test| match &test.operator {
        LabelOperator::In(values) => Some((test.field, values)),
        _ => None,
    });
    if let Some((field, values)) = sets.min_by_key(|(_, values)| values.len()) {
        return Filing::Values(field, values);
    }
    if let Some(names) = &selector.namespaces {
        return Filing::Namespaces(names);
    }
    let present = selector.labels.iter().find(|test| test.operator.needs_label());
    present.map_or(Filing::Rest, |test| Filing::Present(test.field))
}

fn file<'v>(
    postings: &mut Postings<Box<str>>,
    values: impl Iterator<Item = &'v String>,
    instance: InstanceId,
) {
    for value in values {
        postings.entry(value.as_str().into()).or_default().push(instance);
    }
}

fn unfile<'v>(
    postings: &mut Postings<Box<str>>,
    values: impl Iterator<Item = &'v String>,
    instance: InstanceId,
) {
    for value in values {
        if let Some(plans) = postings.get_mut(value.as_str()) {
            plans.retain(|plan| *plan != instance);
            if plans.is_empty() {
                postings.remove(value.as_str());
            }
        }
    }
}

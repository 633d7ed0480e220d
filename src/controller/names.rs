//! Which declared metric a name belongs to, among all that want it.
//!
//! In: claims that come and go. Out: for each claim whether it holds, as it changes. Must never know: series, clusters,
//! what a metric does with its name.
//!
//! The oldest claim wins; when it goes, the next one does. Only claims that share a name, or its translation for
//! Prometheus, can decide about each other, so a change looks at those alone.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use celemetry_engine::definition::MetricInfo;
use celemetry_engine::snapshot::{MetricId, MetricShape};
use tokio::sync::watch;

use crate::export::conflict::{self, NameConflict, resolve};
use crate::export::profile::Profile;

/// All claims to names. Clone it freely: the clones share them.
///
/// A lock and not a task, since every operation is short and its outcome is wanted at once.
#[derive(Clone, Debug)]
pub struct Names(Arc<Mutex<Registry>>);

/// A claim to a name. Dropping it frees the name for others.
#[derive(Debug)]
pub struct Claim {
    id: u64,
    names: Names,
    verdict: watch::Receiver<Verdict>,
}

/// Whether a claim holds: `None`, or what stands against it.
pub type Verdict = Option<NameConflict>;

/// Invariant: `by_tie` holds, for each name and translation of each claim, the claims that have it.
#[derive(Debug)]
struct Registry {
    profile: Profile,
    next: u64,
    claims: BTreeMap<u64, Entry>,
    by_tie: BTreeMap<Tie, BTreeSet<u64>>,
}

#[derive(Debug)]
struct Entry {
    info: Arc<MetricInfo>,
    shape: MetricShape,
    /// Unix seconds of the declaring object's creation: the lowest wins.
    precedence: i64,
    verdict: watch::Sender<Verdict>,
}

/// What makes claims decide about each other.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Tie {
    Name(String),
    Translation(String),
}

// === impl Names ===

impl Names {
    /// No claims yet; names are compared by the conventions of `profile`.
    pub fn new(profile: Profile) -> Self {
        let registry = Registry { profile, next: 0, claims: BTreeMap::new(), by_tie: BTreeMap::new() };
        Names(Arc::new(Mutex::new(registry)))
    }

    /// Claims the name of `info` for a metric of this shape, declared at `precedence` in Unix seconds.
    pub fn claim(&self, info: Arc<MetricInfo>, shape: MetricShape, precedence: i64) -> Claim {
        let mut registry = self.lock();
        let id = registry.next;
        registry.next += 1;
        let (sender, verdict) = watch::channel(None);
        let entry = Entry { info, shape, precedence, verdict: sender };
        let ties = registry.ties(&entry);
        registry.claims.insert(id, entry);
        for tie in &ties {
            registry.by_tie.entry(tie.clone()).or_default().insert(id);
        }
        registry.decide(BTreeSet::from([id]));
        Claim { id, names: self.clone(), verdict }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Registry> {
        // Every operation leaves the registry whole before anything that can panic.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Claim ===

impl Claim {
    /// Whether the claim holds, as it changes.
    pub fn verdict(&self) -> watch::Receiver<Verdict> {
        self.verdict.clone()
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.names.lock().remove(self.id);
    }
}

// === impl Registry ===

impl Registry {
    fn ties(&self, entry: &Entry) -> Vec<Tie> {
        let translation = conflict::translation(self.profile, &entry.info, entry.shape);
        [Some(Tie::Name(entry.info.name.clone())), translation.map(Tie::Translation)]
            .into_iter()
            .flatten()
            .collect()
    }

    fn remove(&mut self, id: u64) {
        let Some(entry) = self.claims.remove(&id) else { return };
        let mut concerned = BTreeSet::new();
        for tie in self.ties(&entry) {
            if let Some(claims) = self.by_tie.get_mut(&tie) {
                claims.remove(&id);
                concerned.extend(claims.iter().copied());
                if claims.is_empty() {
                    self.by_tie.remove(&tie);
                }
            }
        }
        self.decide(concerned);
    }

    /// Decides anew about these claims, and about all that decide about them or that they decide about.
    fn decide(&self, mut open: BTreeSet<u64>) {
        let (mut concerned, mut looked_at) = (BTreeSet::new(), BTreeSet::new());
        while let Some(id) = open.pop_first() {
            if !concerned.insert(id) {
                continue;
            }
            // Each tie once: a name may be shared by thousands.
            let ties = self.claims.get(&id).map(|entry| self.ties(entry)).unwrap_or_default();
            for tied in ties.iter().filter_map(|tie| self.by_tie.get_key_value(tie)) {
                if looked_at.insert(tied.0) {
                    open.extend(tied.1.iter().filter(|id| !concerned.contains(id)));
                }
            }
        }
        let claims: Vec<conflict::Claim<'_>> = concerned
            .iter()
            .filter_map(|id| {
                let Entry { info, shape, precedence, .. } = self.claims.get(id)?;
                Some(conflict::Claim { id: MetricId(*id), info, shape: *shape, precedence: *precedence })
            })
            .collect();
        let mut conflicts = resolve(self.profile, &claims);
        for id in concerned {
            let verdict = conflicts.remove(&MetricId(id));
            if let Some(entry) = self.claims.get(&id) {
                entry.verdict.send_if_modified(|now| {
                    let differs = *now != verdict;
                    *now = verdict;
                    differs
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn info(name: &str, unit: &str, source: usize) -> Arc<MetricInfo> {
        let (name, unit, source) = (name.to_owned(), unit.to_owned(), format!("Metric/default/{source:03}"));
        Arc::new(MetricInfo { name, unit, source, ..MetricInfo::default() })
    }

    const COUNT: MetricShape = MetricShape::CountOfObjects;

    #[test]
    fn the_oldest_has_the_name_and_its_heir_gets_it() {
        let names = Names::new(Profile::Native);
        let old = names.claim(info("a", "s", 0), COUNT, 1);
        let young = names.claim(info("a", "By", 1), COUNT, 2);
        let mut verdict = young.verdict();
        assert!(verdict.borrow_and_update().is_some());
        assert!(old.verdict().borrow().is_none());
        drop(old);
        assert!(verdict.has_changed().unwrap());
        assert!(verdict.borrow().is_none());
    }

    #[test]
    fn an_older_claim_that_comes_later_takes_the_name() {
        let names = Names::new(Profile::Native);
        let young = names.claim(info("a.b", "", 1), COUNT, 2);
        assert!(young.verdict().borrow().is_none());
        let old = names.claim(info("a_b", "", 0), COUNT, 1);
        assert!(old.verdict().borrow().is_none());
        assert!(young.verdict().borrow().is_some());
    }

    #[test]
    fn claims_that_agree_share_a_name() {
        let names = Names::new(Profile::Native);
        let claims: Vec<_> = (0..3).map(|n| names.claim(info("a", "s", n), COUNT, 1)).collect();
        assert!(claims.iter().all(|claim| claim.verdict().borrow().is_none()));
    }

    proptest! {
        /// Looking at tied claims alone gives what looking at all gives.
        #[test]
        fn verdicts_equal_those_of_looking_at_every_claim(
            steps in prop::collection::vec((0..2u8, 0..4usize, 0..3usize, 0..4i64, any::<usize>()), 1..40)
        ) {
            let names = Names::new(Profile::Native);
            let mut held: Vec<(Claim, Arc<MetricInfo>, i64)> = vec![];
            for (step, (action, name, unit, precedence, which)) in steps.into_iter().enumerate() {
                if action == 0 && !held.is_empty() {
                    held.swap_remove(which % held.len());
                } else {
                    let info = info(["a.b", "a_b", "a", "a.bytes"][name], ["", "By", "s"][unit], step);
                    held.push((names.claim(info.clone(), COUNT, precedence), info, precedence));
                }
                let all: Vec<_> = held.iter().map(|(claim, info, precedence)| conflict::Claim {
                    id: MetricId(claim.id), info, shape: COUNT, precedence: *precedence,
                }).collect();
                let expected = resolve(Profile::Native, &all);
                for (claim, ..) in &held {
                    let verdict = claim.verdict().borrow().clone();
                    prop_assert_eq!(verdict.as_ref(), expected.get(&MetricId(claim.id)));
                }
            }
            drop(held);
            let registry = names.lock();
            prop_assert!(registry.claims.is_empty() && registry.by_tie.is_empty());
        }
    }
}

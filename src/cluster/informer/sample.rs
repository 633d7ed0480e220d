//! Which objects of a source may be looked at again: some of all, each as likely as any other.
//!
//! In: objects as they come and go. Out: one after the other. Must never know: what is done with them. Pure.
//!
//! An engine of a million objects keeps no name of any. So names of a few are kept here: of those whose keys, hashed anew
//! at each list, come first. How often an object changes makes no difference to that.

use std::collections::BTreeMap;
use std::ops::Bound::{Excluded, Unbounded};

use celemetry_engine::change::Change;
use celemetry_engine::row::ObjectKey;

/// Some of the objects of a source.
///
/// Invariant: of all objects that were noticed since the last Begin and not taken out, those whose ranks are least.
#[derive(Debug)]
pub(super) struct Sample {
    salt: u64,
    subjects: BTreeMap<u64, Subject>,
    /// Ranks from here on have no place.
    full_from: u64,
    /// The rank of the object that was drawn last.
    drawn: u64,
}

/// An object that is looked at again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Subject {
    pub(super) key: ObjectKey,
    pub(super) namespace: Box<str>,
    pub(super) name: Box<str>,
}

/// Names that are kept, in about 100 KB: at six looks a minute over ten sources, those of half a day.
const MOST: usize = 512;

// === impl Sample ===

impl Sample {
    /// No objects yet. What `salt` is decides which will be in it.
    pub(super) fn new(salt: u64) -> Self {
        Sample { salt, subjects: BTreeMap::new(), full_from: u64::MAX, drawn: u64::MAX }
    }

    /// Notices whom a change is about.
    pub(super) fn notice(&mut self, change: &Change) {
        match change {
            Change::Upsert { row, .. } => {
                let rank = self.rank(row.key());
                if rank < self.full_from && !self.subjects.contains_key(&rank) {
                    let (namespace, name) = (row.namespace().into(), row.name().into());
                    self.insert(rank, Subject { key: row.key(), namespace, name });
                }
            }
            Change::Delete { key } => drop(self.subjects.remove(&self.rank(*key))),
            // A list shows all there are: it is a new draw.
            Change::Begin { .. } => *self = Sample::new(self.salt.wrapping_mul(5).wrapping_add(1)),
            Change::Undecodable { .. } | Change::End => {}
        }
    }

    /// Whether there is nothing to look at.
    pub(super) fn is_empty(&self) -> bool {
        self.subjects.is_empty()
    }

    /// The next one; after the last the first again. None where there is none.
    pub(super) fn draw(&mut self) -> Option<Subject> {
        let next = self.subjects.range((Excluded(self.drawn), Unbounded)).next();
        let (rank, subject) = next.or_else(|| self.subjects.first_key_value())?;
        self.drawn = *rank;
        Some(subject.clone())
    }

    fn insert(&mut self, rank: u64, subject: Subject) {
        self.subjects.insert(rank, subject);
        if self.subjects.len() > MOST
            && let Some((last, _)) = self.subjects.pop_last()
        {
            self.full_from = last;
        }
    }

    /// Keys are keyed hashes, of which one bit tells nothing about another: an odd factor is enough to order them anew.
    #[allow(clippy::cast_possible_truncation, reason = "any 64 bits of the hash will do")]
    fn rank(&self, key: ObjectKey) -> u64 {
        let mixed = (key.0 as u64 ^ self.salt).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        (mixed ^ (key.0 >> 64) as u64).wrapping_mul(self.salt | 1).swap_bytes()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::Arc;

    use celemetry_engine::change::Origin;
    use celemetry_engine::row::{Decoder, Defaults, FieldPlan, HashSeed};

    use super::*;

    struct Objects(Decoder);

    impl Objects {
        fn new() -> Self {
            Objects(Decoder::new(Arc::new(FieldPlan::new(HashSeed(1, 2)))))
        }

        fn shown(&mut self, number: usize) -> Change {
            let object = format!(
                r#"{{"kind":"Pod","metadata":{{"name":"p{number}","namespace":"n","uid":"{number}"}}}}"#
            );
            let row = self.0.decode(object.as_bytes(), Defaults::default()).unwrap();
            Change::Upsert { row, origin: Origin::List }
        }

        fn gone(&mut self, number: usize) -> Change {
            let Change::Upsert { row, .. } = self.shown(number) else { unreachable!() };
            Change::Delete { key: row.key() }
        }
    }

    fn drawn(sample: &mut Sample, times: usize) -> Vec<String> {
        (0..times).filter_map(|_| sample.draw()).map(|subject| subject.name.into()).collect()
    }

    fn listed(sample: &mut Sample, objects: &mut Objects, count: usize) {
        sample.notice(&Change::Begin { epoch: 1 });
        (0..count).for_each(|number| sample.notice(&objects.shown(number)));
        sample.notice(&Change::End);
    }

    #[test]
    fn of_few_objects_every_one_is_drawn_in_turn_and_none_that_is_gone() {
        let (mut sample, mut objects) = (Sample::new(7), Objects::new());
        assert_eq!(sample.draw(), None);
        listed(&mut sample, &mut objects, 10);
        let round = drawn(&mut sample, 10);
        assert_eq!(round.iter().collect::<BTreeSet<_>>().len(), 10, "{round:?}");
        assert_eq!(drawn(&mut sample, 10), round, "and then again");
        sample.notice(&objects.gone(3));
        assert!(!drawn(&mut sample, 9).contains(&"p3".to_owned()));
        (0..10).for_each(|number| sample.notice(&objects.gone(number)));
        assert_eq!(sample.draw(), None);
    }

    #[test]
    fn of_many_objects_a_bounded_number_is_kept_whatever_changes_most() {
        let (mut sample, mut objects) = (Sample::new(7), Objects::new());
        listed(&mut sample, &mut objects, 10_000);
        let before: BTreeSet<_> = drawn(&mut sample, MOST).into_iter().collect();
        assert_eq!(before.len(), MOST);
        (0..10_000).for_each(|number| sample.notice(&objects.shown(number % 100)));
        let after: BTreeSet<_> = drawn(&mut sample, MOST).into_iter().collect();
        assert_eq!(before, after);
        // A hundred of ten thousand: about five of the sample, as many as of any other hundred.
        let of_the_busy = |name: &&String| name[1..].parse::<usize>().unwrap() < 100;
        assert!((0..30).contains(&after.iter().filter(of_the_busy).count()));
    }

    #[test]
    fn every_list_is_a_new_draw() {
        let (mut sample, mut objects) = (Sample::new(7), Objects::new());
        let mut all = BTreeSet::new();
        for _ in 0..20 {
            listed(&mut sample, &mut objects, 2_000);
            all.extend(drawn(&mut sample, MOST));
        }
        assert!(all.len() > 1_900, "of 2,000 objects {} were drawn in twenty rounds", all.len());
    }
}

//! Which objects of a source may be looked at again: some of all, at random.
//!
//! In: objects as they come and go. Out: one after the other. Must never know: what is done with them. Pure.
//!
//! An engine of a million objects keeps no name of any. So names of a few are kept here: of those that come next on a
//! circle, on which every object has a place at random. Whoever was looked at is the last of them, and makes room for one
//! that is noticed. So a watch that goes on for months is looked at wherever it has changed something, not only at those
//! that its list had drawn. Where many objects change between two looks, how often each does makes no difference; where
//! few do, the busy ones have more turns.

use std::collections::BTreeMap;
use std::ops::Bound::{Excluded, Unbounded};

use celemetry_engine::change::Change;
use celemetry_engine::row::ObjectKey;

/// Some of the objects of a source.
///
/// Invariant: no object that was noticed and not taken in was nearer then than the farthest that is held, in the
/// direction of the circle from the one that was drawn last.
#[derive(Debug)]
pub(super) struct Sample {
    salt: u64,
    /// By their places on the circle.
    subjects: BTreeMap<u64, Subject>,
    /// The place of the object that was drawn last.
    drawn: u64,
    /// How far on the farthest is; where there is room, as far as may be.
    reach: u64,
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
    /// No objects yet. What `salt` is decides where each has its place.
    pub(super) fn new(salt: u64) -> Self {
        Sample { salt, subjects: BTreeMap::new(), drawn: u64::MAX, reach: u64::MAX }
    }

    /// Notices whom a change is about.
    pub(super) fn notice(&mut self, change: &Change) {
        match change {
            Change::Upsert { row, .. } => {
                let place = self.place(row.key());
                let is_near = self.distance(place) < self.reach || self.subjects.len() < MOST;
                if is_near && !self.subjects.contains_key(&place) {
                    let (namespace, name) = (row.namespace().into(), row.name().into());
                    self.insert(place, Subject { key: row.key(), namespace, name });
                }
            }
            Change::Delete { key } => {
                let place = self.place(*key);
                if self.subjects.remove(&place).is_some() {
                    self.measure();
                }
            }
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
        let (place, subject) = next.or_else(|| self.subjects.first_key_value())?;
        let subject = subject.clone();
        self.drawn = *place;
        self.measure();
        Some(subject)
    }

    fn insert(&mut self, place: u64, subject: Subject) {
        if self.subjects.len() >= MOST
            && let Some(farthest) = self.farthest()
        {
            self.subjects.remove(&farthest);
        }
        self.subjects.insert(place, subject);
        self.measure();
    }

    fn measure(&mut self) {
        let farthest = self.farthest().filter(|_| self.subjects.len() >= MOST);
        self.reach = farthest.map_or(u64::MAX, |place| self.distance(place));
    }

    /// The place whose turn it is last.
    fn farthest(&self) -> Option<u64> {
        let before = self.subjects.range(..=self.drawn).next_back();
        before.or_else(|| self.subjects.last_key_value()).map(|(place, _)| *place)
    }

    /// How far on a place is from the one that was drawn last; that one itself is the farthest.
    fn distance(&self, place: u64) -> u64 {
        place.wrapping_sub(self.drawn).wrapping_sub(1)
    }

    /// Keys are keyed hashes, of which one bit tells nothing about another: an odd factor is enough to place them anew.
    #[allow(clippy::cast_possible_truncation, reason = "any 64 bits of the hash will do")]
    fn place(&self, key: ObjectKey) -> u64 {
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

    fn held(sample: &Sample) -> BTreeSet<String> {
        sample.subjects.values().map(|subject| subject.name.to_string()).collect()
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
        let before = held(&sample);
        assert_eq!(before.len(), MOST);
        (0..10_000).for_each(|number| sample.notice(&objects.shown(number % 100)));
        assert_eq!(held(&sample), before);
        // A hundred of ten thousand: about five of the sample, as many as of any other hundred.
        let of_the_busy = |name: &&String| name[1..].parse::<usize>().unwrap() < 100;
        assert!((0..30).contains(&before.iter().filter(of_the_busy).count()));
        assert_eq!(drawn(&mut sample, MOST).into_iter().collect::<BTreeSet<_>>(), before);
    }

    #[test]
    fn what_was_drawn_makes_room_for_what_changes_and_everyone_gets_a_turn() {
        let (mut sample, mut objects) = (Sample::new(7), Objects::new());
        listed(&mut sample, &mut objects, 2_000);
        let shown: Vec<_> = (0..2_000).map(|number| objects.shown(number)).collect();
        let mut turns = vec![0_u32; 2_000];
        for round in 0..10 {
            for number in 0..2_000 {
                // The first hundred change two hundred times as often as the others.
                sample.notice(&shown[(number * 7 + round) % 2_000]);
                (0..10).for_each(|busy| sample.notice(&shown[(number * 10 + busy) % 100]));
                let subject = sample.draw().unwrap();
                turns[subject.name[1..].parse::<usize>().unwrap()] += 1;
                assert!(sample.subjects.len() <= MOST);
            }
        }
        let without = turns.iter().filter(|turns| **turns == 0).count();
        assert_eq!(without, 0, "in twenty thousand looks at two thousand objects");
        let busy = turns[..100].iter().sum::<u32>();
        assert!(busy < 3_000, "a twentieth of the objects has had {busy} of 20,000 turns");
        assert!(*turns.iter().max().unwrap() <= 40, "{turns:?}");
    }

    #[test]
    fn nobody_nearer_than_whom_it_holds_is_passed_over() {
        let (mut sample, mut objects) = (Sample::new(3), Objects::new());
        listed(&mut sample, &mut objects, 3_000);
        for number in 0..3_000 {
            if number % 3 == 0 {
                sample.draw();
            }
            if number % 5 == 0 {
                sample.notice(&objects.gone(number / 2));
            }
            let change = objects.shown(2_999 - number);
            let Change::Upsert { row, .. } = &change else { unreachable!() };
            let place = sample.place(row.key());
            let mut before: BTreeSet<u64> = sample.subjects.keys().copied().collect();
            before.insert(place);
            sample.notice(&change);
            // Of all that were held and the one that was noticed, the farthest alone may be missing.
            let after: BTreeSet<u64> = sample.subjects.keys().copied().collect();
            let missing: Vec<u64> = before.difference(&after).copied().collect();
            let farthest = before.iter().copied().max_by_key(|place| sample.distance(*place)).unwrap();
            let is_full = before.len() > MOST;
            assert_eq!(missing, if is_full { vec![farthest] } else { vec![] });
        }
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

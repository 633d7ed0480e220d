//! Which objects of a source cannot be decoded as they are now.
//!
//! In: objects that could and could not be read, the beginnings and ends of lists. Out: how many there are. Must never
//! know: why, what an object is. Pure.

use std::collections::HashMap;

use celemetry_engine::row::ObjectKey;

/// The objects that cannot be decoded now.
///
/// Invariant: at most [`MOST_NAMED`] are told apart; further ones are only counted, and forgotten at the End of a list.
#[derive(Debug, Default)]
pub(super) struct Broken {
    /// By key the number of the list during or after which the object was last seen.
    named: HashMap<ObjectKey, u64>,
    /// Sightings that cannot be told apart: since the last list, and before it.
    nameless: Sightings,
    /// How many lists have begun.
    round: u64,
}

#[derive(Debug, Default)]
struct Sightings {
    since_begin: usize,
    before: usize,
}

/// In about a megabyte. A source with more of them has one trouble, not that many.
const MOST_NAMED: usize = 10_000;

// === impl Broken ===

impl Broken {
    /// An object could not be read; `None` where it does not even say which one it is.
    pub(super) fn broke(&mut self, key: Option<ObjectKey>) {
        match key.filter(|key| self.named.len() < MOST_NAMED || self.named.contains_key(key)) {
            Some(key) => drop(self.named.insert(key, self.round)),
            None => self.nameless.since_begin += 1,
        }
    }

    /// An object could be read, or is gone.
    pub(super) fn mended(&mut self, key: ObjectKey) {
        if !self.named.is_empty() {
            self.named.remove(&key);
        }
    }

    /// A list begins; one that was under way counts for nothing.
    pub(super) fn list_begins(&mut self) {
        self.round += 1;
        self.nameless =
            Sightings { since_begin: 0, before: self.nameless.before + self.nameless.since_begin };
    }

    /// What neither the list nor the watch has shown since the list began is gone.
    pub(super) fn list_ends(&mut self) {
        let round = self.round;
        self.named.retain(|_, seen| *seen == round);
        self.nameless.before = 0;
    }

    /// How many objects that is; an object that does not say which one it is counts each time it is seen.
    pub(super) fn count(&self) -> usize {
        self.named.len() + self.nameless.since_begin + self.nameless.before
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(n: u32) -> ObjectKey {
        ObjectKey(n.into())
    }

    #[test]
    fn a_list_forgets_what_neither_it_nor_the_watch_has_shown() {
        let mut broken = Broken::default();
        for named in [Some(key(1)), Some(key(2)), Some(key(3)), None] {
            broken.broke(named);
        }
        assert_eq!(broken.count(), 4);
        broken.list_begins();
        assert_eq!(broken.count(), 4);
        broken.broke(Some(key(2)));
        broken.mended(key(3));
        broken.list_ends();
        assert_eq!(broken.count(), 1);
    }

    #[test]
    fn beyond_a_bound_objects_are_counted_and_not_named() {
        let mut broken = Broken::default();
        (0..MOST_NAMED as u32 + 5).for_each(|n| broken.broke(Some(key(n))));
        broken.broke(Some(key(0)));
        assert_eq!((broken.named.len(), broken.count()), (MOST_NAMED, MOST_NAMED + 5));
    }
}

//! A set of slots of one table.
//!
//! In: slots. Out: whether they are in, and all that are. Must never know: what stands there.

/// A set of slots, one bit each: slots are dense, and sets of a hundred thousand are the point.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct SlotSet {
    words: Vec<u64>,
    len: usize,
}

impl SlotSet {
    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub(super) fn contains(&self, slot: u32) -> bool {
        let (word, bit) = place(slot);
        self.words.get(word).is_some_and(|word| word & bit != 0)
    }

    /// Says whether it was not in.
    pub(super) fn insert(&mut self, slot: u32) -> bool {
        let (word, bit) = place(slot);
        if self.words.len() <= word {
            self.words.resize(word + 1, 0);
        }
        let is_new = self.words[word] & bit == 0;
        self.words[word] |= bit;
        self.len += usize::from(is_new);
        is_new
    }

    /// Says whether it was in.
    pub(super) fn remove(&mut self, slot: u32) -> bool {
        let was_in = self.contains(slot);
        if was_in {
            let (word, bit) = place(slot);
            self.words[word] &= !bit;
            self.len -= 1;
        }
        was_in
    }

    /// Puts a slot in or takes it out.
    pub(super) fn set(&mut self, slot: u32, is_in: bool) {
        if is_in {
            self.insert(slot);
        } else {
            self.remove(slot);
        }
    }

    pub(super) fn clear(&mut self) {
        self.words.clear();
        self.len = 0;
    }

    /// All slots, ascending.
    pub(super) fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        (0..).zip(&self.words).flat_map(|(number, word)| {
            (0..u64::BITS).filter(move |bit| word & 1 << bit != 0).map(move |bit| number * u64::BITS + bit)
        })
    }
}

fn place(slot: u32) -> (usize, u64) {
    ((slot / u64::BITS) as usize, 1 << (slot % u64::BITS))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_a_set(steps in prop::collection::vec((0..300u32, any::<bool>()), 0..100)) {
            let (mut slots, mut naive) = (SlotSet::default(), BTreeSet::new());
            for (slot, is_in) in steps {
                if is_in {
                    prop_assert_eq!(slots.insert(slot), naive.insert(slot));
                } else {
                    prop_assert_eq!(slots.remove(slot), naive.remove(&slot));
                }
                prop_assert_eq!(slots.contains(slot), naive.contains(&slot));
                prop_assert_eq!(slots.is_empty(), naive.is_empty());
            }
            prop_assert_eq!(slots.iter().collect::<Vec<_>>(), naive.into_iter().collect::<Vec<_>>());
            slots.clear();
            prop_assert!(slots.is_empty() && slots.iter().next().is_none());
        }
    }
}

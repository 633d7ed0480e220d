//! The objects of one kind.
//!
//! In: objects. Out: each by its number, all in the order of their creation, any one at random. Must never know: what
//! they are.

use std::collections::BTreeMap;

/// Which object; given in the order of creation, never again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(pub u64);

/// Objects of one kind.
///
/// Invariant: `dense` holds every number once, and each item knows its place there.
#[derive(Clone, Debug)]
pub struct Shelf<T> {
    items: BTreeMap<Id, (usize, T)>,
    dense: Vec<Id>,
}

// === impl Shelf ===

impl<T> Default for Shelf<T> {
    fn default() -> Self {
        Shelf { items: BTreeMap::new(), dense: Vec::new() }
    }
}

impl<T> Shelf<T> {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.dense.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.dense.is_empty()
    }

    /// The object with this number.
    pub fn get(&self, id: Id) -> Option<&T> {
        self.items.get(&id).map(|(_, item)| item)
    }

    /// All, in the order of their creation.
    pub fn iter(&self) -> impl Iterator<Item = (Id, &T)> {
        self.items.iter().map(|(id, (_, item))| (*id, item))
    }

    /// All from this number on, in the order of their creation.
    pub fn from(&self, first: Id) -> impl Iterator<Item = (Id, &T)> {
        self.items.range(first..).map(|(id, (_, item))| (*id, item))
    }

    pub(super) fn get_mut(&mut self, id: Id) -> Option<&mut T> {
        self.items.get_mut(&id).map(|(_, item)| item)
    }

    pub(super) fn insert(&mut self, id: Id, item: T) {
        self.items.insert(id, (self.dense.len(), item));
        self.dense.push(id);
    }

    pub(super) fn remove(&mut self, id: Id) -> Option<T> {
        let (place, item) = self.items.remove(&id)?;
        self.dense.swap_remove(place);
        if let Some(moved) = self.dense.get(place)
            && let Some((its_place, _)) = self.items.get_mut(moved)
        {
            *its_place = place;
        }
        Some(item)
    }

    /// The one that stands at `draw`, a number of any size.
    pub(super) fn any(&self, draw: u64) -> Option<Id> {
        let place = draw.checked_rem(self.dense.len() as u64)?;
        self.dense.get(usize::try_from(place).ok()?).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_object_can_be_drawn_and_none_that_is_gone() {
        let mut shelf = Shelf::default();
        for number in 0..10 {
            shelf.insert(Id(number), number);
        }
        for gone in [9, 0, 4] {
            assert_eq!(shelf.remove(Id(gone)), Some(gone));
            assert_eq!(shelf.remove(Id(gone)), None);
        }
        let mut drawn: Vec<Id> = (0..7).filter_map(|draw| shelf.any(draw)).collect();
        drawn.sort();
        assert_eq!(drawn, shelf.iter().map(|(id, _)| id).collect::<Vec<_>>());
        assert_eq!(shelf.len(), 7);
        assert_eq!(Shelf::<u64>::default().any(3), None);
    }
}

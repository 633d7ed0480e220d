//! Finding a series by attributes that are not owned.
//!
//! In: attributes, interned or borrowed. Out: equality and hashes that agree between the two. Must never know: slots,
//! aggregates.

use std::borrow::Borrow;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use crate::snapshot::Attributes;

/// The attributes of a series as a key that [`Pairs`] can look up.
#[derive(Clone, Debug)]
pub(super) struct Identity(pub(super) Arc<Attributes>);

/// (name, text) pairs, sorted by name.
pub(super) trait Pairs {
    fn count(&self) -> usize;
    fn pair(&self, index: usize) -> (&str, &str);
}

/// Pairs that a caller holds, sorted by name.
pub(super) struct Borrowed<'p, N, T>(pub(super) &'p [(N, T)]);

// === impl Identity ===

impl<'p> Borrow<dyn Pairs + 'p> for Identity {
    fn borrow(&self) -> &(dyn Pairs + 'p) {
        self
    }
}

impl Pairs for Identity {
    fn count(&self) -> usize {
        self.0.iter().len()
    }

    fn pair(&self, index: usize) -> (&str, &str) {
        self.0.iter().nth(index).expect("asked below the count")
    }
}

impl Hash for Identity {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self as &dyn Pairs).hash(state);
    }
}

impl PartialEq for Identity {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl Eq for Identity {}

// === impl Borrowed ===

impl<N: Borrow<Arc<str>>, T: AsRef<str>> Pairs for Borrowed<'_, N, T> {
    fn count(&self) -> usize {
        self.0.len()
    }

    fn pair(&self, index: usize) -> (&str, &str) {
        let (name, text) = &self.0[index];
        (name.borrow(), text.as_ref())
    }
}

// === impl dyn Pairs ===

impl Hash for dyn Pairs + '_ {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for index in 0..self.count() {
            self.pair(index).hash(state);
        }
    }
}

impl PartialEq for dyn Pairs + '_ {
    fn eq(&self, other: &Self) -> bool {
        self.count() == other.count() && (0..self.count()).all(|index| self.pair(index) == other.pair(index))
    }
}

impl Eq for dyn Pairs + '_ {}

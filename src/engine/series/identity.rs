//! Finding a series by attributes that are not owned.
//!
//! In: (name, text) pairs. Out: a key that equals for equal pairs and, for all that tenants can do, for no others. Must
//! never know: slots, aggregates.

use std::borrow::Borrow;
use std::hash::Hasher;
use std::sync::Arc;

use siphasher::sip128::{Hasher128, SipHasher13};

use crate::row::HashSeed;
use crate::snapshot::Attributes;

/// Attributes as a keyed hash of 128 bits: as with the digests of rows, equal keys are taken for equal attributes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SeriesKey(u128);

impl SeriesKey {
    /// The key of pairs that are sorted by name, each name once.
    pub fn of<N: Borrow<Arc<str>>, T: AsRef<str>>(seed: HashSeed, pairs: &[(N, T)]) -> Self {
        Self::hash(seed, pairs.iter().map(|(name, text)| (&**name.borrow(), text.as_ref())))
    }

    /// The key of interned attributes.
    pub(super) fn of_attributes(seed: HashSeed, attributes: &Attributes) -> Self {
        Self::hash(seed, attributes.iter())
    }

    fn hash<'p>(seed: HashSeed, pairs: impl Iterator<Item = (&'p str, &'p str)>) -> Self {
        let mut hasher = SipHasher13::new_with_keys(seed.0, seed.1);
        for (name, text) in pairs {
            // Lengths first, so that no text can pass for the beginning of another pair.
            hasher.write_usize(name.len());
            hasher.write_usize(text.len());
            hasher.write(name.as_bytes());
            hasher.write(text.as_bytes());
        }
        SeriesKey(hasher.finish128().as_u128())
    }
}

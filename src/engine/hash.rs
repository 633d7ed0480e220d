//! How the engine hashes: keyed, since hashed texts are chosen by tenants, and without entropy of its own.
//!
//! In: the seed that the embedder gave. Out: states for hash maps. Invariant: the order of a hash map never shows
//! in a result.

use std::hash::{BuildHasher, Hasher};

use siphasher::sip::SipHasher13;

use crate::row::HashSeed;

/// Builds keyed hashers for maps whose keys come from objects.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Keyed(pub(crate) HashSeed);

/// Builds hashers for keys that are keyed hashes themselves.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Prehashed;

/// See [`Prehashed`].
#[derive(Debug, Default)]
pub(crate) struct Fold(u64);

impl BuildHasher for Keyed {
    type Hasher = SipHasher13;

    fn build_hasher(&self) -> SipHasher13 {
        SipHasher13::new_with_keys(self.0.0, self.0.1)
    }
}

impl BuildHasher for Prehashed {
    type Hasher = Fold;

    fn build_hasher(&self) -> Fold {
        Fold::default()
    }
}

impl Hasher for Fold {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    #[allow(clippy::cast_possible_truncation)]
    fn write_u128(&mut self, key: u128) {
        self.0 = key as u64;
    }
}

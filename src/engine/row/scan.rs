//! Finds, 64 bytes at a time, where the plain run of a JSON string ends.
//!
//! In: bytes and a position inside a string. Out: a position. Must never know: anything about JSON beyond strings.
//! The loops over a block are written so that the compiler turns them into vector instructions of any processor;
//! they are right without, only slower.

/// Remembers the stops of the block that was looked at last: several strings lie in one, and each block is looked
/// at once. A stop is a quote, a backslash or a control character (below 0x20).
///
/// Invariant: bit `i` of `found` is set if and only if the byte at `base + i` is a stop or lies behind the last one.
/// A scanner belongs to the bytes that it was first used with.
#[derive(Clone, Debug)]
pub(super) struct Scanner {
    base: usize,
    found: u64,
}

const BLOCK: usize = 64;

// === impl Scanner ===

impl Scanner {
    pub(super) fn new() -> Self {
        // No position lies in a block that begins here.
        Scanner { base: usize::MAX - BLOCK, found: 0 }
    }

    /// The position of the first stop at or after `at`; the length of `bytes` if there is none.
    #[inline(always)]
    pub(super) fn plain_run(&mut self, bytes: &[u8], mut at: usize) -> usize {
        loop {
            let offset = at.wrapping_sub(self.base);
            if offset < BLOCK {
                let rest = self.found >> offset;
                if rest != 0 {
                    return at + rest.trailing_zeros() as usize;
                }
                at = self.base + BLOCK;
            }
            self.found = match bytes.get(at..).and_then(|rest| rest.first_chunk()) {
                Some(block) => stops(block),
                None if at < bytes.len() => tail_stops(&bytes[at..]),
                None => return bytes.len(),
            };
            self.base = at;
        }
    }
}

/// The stops of the last bytes; what lies behind them counts as stops.
#[cold]
#[inline(never)]
fn tail_stops(rest: &[u8]) -> u64 {
    let mut block = [0; BLOCK];
    block[..rest.len()].copy_from_slice(rest);
    stops(&block)
}

/// A bit for every byte, set for stops.
#[inline(always)]
fn stops(block: &[u8; BLOCK]) -> u64 {
    let mut bits = [0; BLOCK];
    for at in 0..BLOCK {
        // Flipping bit 1 maps the quote (0x22) onto 0x20 and keeps control characters below it, so that one
        // comparison finds both; a space becomes 0x22.
        let low = (block[at] ^ 0x02).saturating_sub(0x20);
        let backslash = block[at] ^ b'\\';
        bits[at] = if low.min(backslash) == 0 { 1 << (at % 8) } else { 0 };
    }
    let mut found = 0;
    for byte in 0..BLOCK / 8 {
        let mut sum = 0_u8;
        for bit in 0..8 {
            sum = sum.wrapping_add(bits[byte * 8 + bit]);
        }
        found |= u64::from(sum) << (byte * 8);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_stop(byte: u8) -> bool {
        byte == b'"' || byte == b'\\' || byte < 0x20
    }

    fn naive(bytes: &[u8], at: usize) -> usize {
        (at..bytes.len()).find(|&i| is_stop(bytes[i])).unwrap_or(bytes.len())
    }

    #[test]
    fn every_byte_is_told_apart_at_every_place() {
        for byte in 0..=255u8 {
            for length in [1, 2, 63, 64, 65, 130] {
                for place in 0..length {
                    let mut bytes = vec![b'a' + (place % 3) as u8; length];
                    bytes[length - 1] = 0xC3;
                    bytes[place] = byte;
                    for at in [0, 1, place, place + 1, length] {
                        let found = Scanner::new().plain_run(&bytes, at.min(length));
                        assert_eq!(
                            found,
                            naive(&bytes, at.min(length)),
                            "{byte} at {place} of {length} from {at}"
                        );
                    }
                }
            }
        }
    }

    proptest::proptest! {
        #![proptest_config(proptest::test_runner::Config { failure_persistence: None, ..Default::default() })]
        #[test]
        fn plain_run_is_right_from_any_place_in_any_order(
            bytes in proptest::collection::vec(proptest::prelude::prop_oneof![9 => b'a'..=b'z', 1 => 0u8..], 0..400),
            places: Vec<proptest::sample::Index>,
        ) {
            let mut scanner = Scanner::new();
            for place in places {
                let at = place.index(bytes.len() + 1);
                proptest::prop_assert_eq!(scanner.plain_run(&bytes, at), naive(&bytes, at));
            }
        }
    }
}

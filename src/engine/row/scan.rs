//! Finds, eight bytes at a time, where the plain run of a JSON string ends.
//!
//! In: bytes and a position inside a string. Out: a position. Must never know: anything about JSON beyond strings.
//! The words are examined with ordinary arithmetic ("SIMD within a register"), so the code is safe and portable.

/// Every byte of a word set to `byte`.
const fn splat(byte: u8) -> u64 {
    u64::from_le_bytes([byte; 8])
}

/// The position of the first byte at or after `at` that is a quote, a backslash or a control character (below
/// 0x20); the length of `bytes` if there is none.
#[inline(always)]
pub(super) fn plain_run(bytes: &[u8], mut at: usize) -> usize {
    let (words, _) = bytes.get(at..).unwrap_or_default().as_chunks::<8>();
    for word in words {
        let found = stops(u64::from_le_bytes(*word));
        if found != 0 {
            return at + (found.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    tail(bytes, at)
}

/// The same for the last few bytes.
#[cold]
#[inline(never)]
fn tail(bytes: &[u8], at: usize) -> usize {
    (at..bytes.len()).find(|&at| is_stop(bytes[at])).unwrap_or(bytes.len())
}

/// Marks the stops of eight bytes in the high bit of each. The lowest mark is always right; higher ones may be
/// false, since a subtraction borrows from the bytes above a match.
#[inline(always)]
fn stops(word: u64) -> u64 {
    // Flipping bit 1 maps the quote (0x22) onto 0x20 and keeps control characters below it, so that one
    // comparison with 0x21 finds both. A space becomes 0x22.
    let low = (word ^ splat(0x02)).wrapping_sub(splat(0x21));
    let backslash = (word ^ splat(b'\\')).wrapping_sub(splat(0x01));
    // No stop has its high bit set, before or after the flips.
    (low | backslash) & !word & splat(0x80)
}

fn is_stop(byte: u8) -> bool {
    byte == b'"' || byte == b'\\' || byte < 0x20
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_run_ends_where_a_byte_by_byte_search_ends() {
        for byte in 0..=255u8 {
            for length in 0..40 {
                for place in 0..length {
                    let mut bytes = vec![b'a' + (place % 3) as u8; length];
                    bytes[place] = byte;
                    bytes[length - 1] = 0xC3;
                    for at in 0..=length {
                        let naive = (at..length).find(|&i| is_stop(bytes[i])).unwrap_or(length);
                        assert_eq!(
                            plain_run(&bytes, at),
                            naive,
                            "byte {byte} at {place} of {length} from {at}"
                        );
                    }
                }
            }
        }
    }

    proptest::proptest! {
        #![proptest_config(proptest::test_runner::Config { failure_persistence: None, ..Default::default() })]
        #[test]
        fn plain_run_is_right_on_any_bytes(bytes: Vec<u8>, at in 0usize..64) {
            let at = at.min(bytes.len());
            let naive = (at..bytes.len()).find(|&i| is_stop(bytes[i])).unwrap_or(bytes.len());
            proptest::prop_assert_eq!(plain_run(&bytes, at), naive);
        }
    }
}

//! A text of an expression, ready to be compared with those of rows.
//!
//! In: the text, once. Out: whether others are the same, at every event. Must never know: where either comes from.

use std::fmt;
use std::hash::{Hash, Hasher};

/// A text that is compared again and again.
///
/// Invariant: `ends` are those of `text`, if it has any. They stand beside its length, so that a short text is compared without looking up
/// where it lies.
#[derive(Clone)]
pub(super) struct LiteralText {
    text: Box<str>,
    ends: Ends,
}

/// The first and the last bytes of a text, which are all of it: two, four or eight of each, as many as there are.
type Ends = (u64, u64);

// === impl LiteralText ===

impl LiteralText {
    /// The text.
    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    /// How long it is, in bytes.
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.text.len()
    }

    /// Whether a text of these bytes is the same.
    #[inline]
    pub(super) fn is(&self, other: &[u8]) -> bool {
        self.len() == other.len()
            && match ends(other) {
                Some(ends) => self.ends == ends,
                None => self.text.as_bytes() == other,
            }
    }

    /// Whether one of these is the same as a text of these bytes.
    #[inline(always)]
    pub(super) fn is_any(all: &[LiteralText], other: &[u8]) -> bool {
        let Some(ends) = ends(other) else {
            return all.iter().any(|text| text.text.as_bytes() == other);
        };
        for text in all {
            if text.len() == other.len() && text.ends == ends {
                return true;
            }
        }
        false
    }
}

impl From<&str> for LiteralText {
    fn from(text: &str) -> Self {
        LiteralText { text: text.into(), ends: ends(text.as_bytes()).unwrap_or_default() }
    }
}

impl Hash for LiteralText {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

impl fmt::Debug for LiteralText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text.fmt(f)
    }
}

/// Whether two texts are the same, of which these are the bytes. Those that are short, as names, phases and labels are,
/// are compared without the call that comparing slices otherwise is.
#[inline]
pub(super) fn same_text(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len()
        && match (ends(a), ends(b)) {
            (Some(a), Some(b)) => a == b,
            _ => a == b,
        }
}

/// None of a text that is too long for them, or too short.
#[inline]
fn ends(text: &[u8]) -> Option<Ends> {
    Some(match text.len() {
        8..=16 => (u64::from_le_bytes(*text.first_chunk()?), u64::from_le_bytes(*text.last_chunk()?)),
        4..=7 => {
            let (first, last) = (text.first_chunk()?, text.last_chunk()?);
            (u32::from_le_bytes(*first).into(), u32::from_le_bytes(*last).into())
        }
        2..=3 => {
            let (first, last) = (text.first_chunk()?, text.last_chunk()?);
            (u16::from_le_bytes(*first).into(), u16::from_le_bytes(*last).into())
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn texts_are_the_same_if_each_byte_is() {
        for length in 0..40 {
            let text = "0123456789abcdefghijklmnopqrstuvwxyzABCD"[..length].to_owned();
            assert!(same_text(text.as_bytes(), text.clone().as_bytes()));
            assert!(LiteralText::from(&*text).is(text.as_bytes()));
            for at in 0..length {
                let mut other = text.clone();
                other.replace_range(at..=at, "!");
                assert!(!same_text(text.as_bytes(), other.as_bytes()), "{text} and {other}");
                assert!(!LiteralText::from(&*text).is(other.as_bytes()), "{text} and {other}");
            }
        }
    }

    proptest! {
        #[test]
        fn texts_are_the_same_as_slices_are(a in "[aä]{0,12}", b in "[aä]{0,12}") {
            prop_assert_eq!(same_text(a.as_bytes(), b.as_bytes()), a == b);
            prop_assert_eq!(LiteralText::from(&*a).is(b.as_bytes()), a == b);
        }
    }
}

//! The patterns of one expression, which may only take so much memory together.
//!
//! In: patterns as their author wrote them, and in the syntax of the `regex` crate. Out: matchers, one for equal
//! patterns. Must never know: languages, what is matched.

use std::collections::HashMap;

use super::matcher::Matcher;

/// The patterns that were compiled for one expression.
#[derive(Debug, Default)]
pub(super) struct Patterns {
    /// By what the `regex` crate reads.
    compiled: HashMap<Box<str>, Matcher>,
    kibibytes: usize,
}

/// What the patterns of one expression may take together, in KiB, counted by the classes of their sizes.
const MAX_KIBIBYTES: usize = 512;

// === impl Patterns ===

impl Patterns {
    /// Compiles `regex`, which stands for the `pattern` that its author wrote, unless it was before.
    ///
    /// # Errors
    /// The defect in one line, or which limit it is beyond.
    pub(super) fn compile(&mut self, pattern: &str, regex: &str) -> Result<Matcher, String> {
        if let Some(known) = self.compiled.get(regex) {
            return Ok(known.clone());
        }
        let left = MAX_KIBIBYTES - self.kibibytes;
        let matcher = Matcher::compile_within(left, pattern, regex)?.ok_or_else(|| {
            format!(
                "the regular expressions of one expression are too large together: more than {MAX_KIBIBYTES} KiB"
            )
        })?;
        self.kibibytes += matcher.kibibytes();
        self.compiled.insert(regex.into(), matcher.clone());
        Ok(matcher)
    }

    /// What they take together, in KiB.
    pub(super) fn kibibytes(&self) -> usize {
        self.kibibytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One of the largest class.
    fn large(name: char) -> String {
        format!(r"\pL{{4}}{name}")
    }

    #[test]
    fn patterns_are_bounded_together_and_equal_ones_count_once() {
        let mut patterns = Patterns::default();
        for name in ['a', 'b', 'a', 'b', 'a'] {
            patterns.compile("", &large(name)).unwrap();
        }
        assert_eq!(patterns.kibibytes(), 384);
        let error = patterns.compile("", &large('c')).unwrap_err();
        assert_eq!(
            error,
            "the regular expressions of one expression are too large together: more than 512 KiB"
        );
        for number in 0..32 {
            patterns.compile("", &format!("^a{number}$")).unwrap();
        }
        assert_eq!(patterns.kibibytes(), 512);
        assert!(patterns.compile("", "^b$").is_err());
        assert!(patterns.compile("", "^a0$").is_ok());
        assert!(patterns.compile("", "(").unwrap_err().starts_with("the regular expressions"), "unread");
    }
}

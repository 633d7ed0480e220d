//! Regular expressions in time linear in the text, and what they cost.
//!
//! In: patterns in the syntax of the `regex` crate, texts, a budget. Out: whether they match, and what does. Must never know: which
//! language a pattern was written in.

use std::sync::Arc;

use regex::{Regex, RegexBuilder};

use super::Budget;
use crate::error::EvaluationError;

/// A compiled regular expression.
#[derive(Clone, Debug)]
pub(super) struct Matcher {
    /// With what it remembers of texts, which copies share.
    regex: Arc<Regex>,
    /// Its class of [`SIZES`].
    kibibytes: usize,
}

/// The longest pattern in bytes, as its author wrote it.
const MAX_PATTERN: usize = 1024;

/// How deeply its groups may nest.
const MAX_NESTING: u32 = 32;

/// The classes of how much memory a compiled pattern takes, in KiB; beyond the last it is refused. `[a-z]+` takes less
/// than 1, `\w+`, which knows all of Unicode, 49.
const SIZES: [usize; 4] = [4, 16, 64, 192];

const TOO_LARGE: &str = "the regular expression is too large";

/// How many KiB of a class are a step for every 16 bytes of text: the larger the automaton, the more of its states may
/// have to be looked at for each byte. A step is then two microseconds at worst.
const KIB_A_STEP: usize = 2;

/// What the states that are met while matching may take in memory, in bytes, at most and for every KiB of a class.
/// Beyond, matching is slower, not wrong.
const MAX_STATES: usize = 256 * 1024;
const STATES_A_KIB: usize = 16 * 1024;

/// How many bytes of text one factor is for.
const BYTES_A_FACTOR: usize = 16;

// === impl Matcher ===

impl Matcher {
    /// What compiling a pattern costs in steps, beside one for each of its bytes: it is as dear as hundreds of comparisons.
    pub(super) const COMPILE_STEPS: u64 = 400;

    /// Steps for every 16 bytes of a text, of the largest pattern.
    pub(super) const DEAREST: u64 = (SIZES[SIZES.len() - 1] / KIB_A_STEP) as u64;

    /// Compiles `regex`, which stands for the `pattern` that its author wrote.
    ///
    /// # Errors
    /// The defect in one line, or which limit it is beyond.
    pub(super) fn compile(pattern: &str, regex: &str) -> Result<Self, String> {
        let compiled = Self::compile_within(usize::MAX, pattern, regex)?;
        compiled.ok_or_else(|| TOO_LARGE.to_owned())
    }

    /// As [`compile`](Self::compile), but nothing where it takes more than so many KiB and is not too large by itself.
    ///
    /// # Errors
    /// The defect in one line, or which limit it is beyond.
    pub(super) fn compile_within(
        kibibytes: usize,
        pattern: &str,
        regex: &str,
    ) -> Result<Option<Self>, String> {
        if pattern.len() > MAX_PATTERN {
            return Err(format!("invalid regular expression: longer than {MAX_PATTERN} bytes"));
        }
        for size in SIZES {
            if size > kibibytes {
                return Ok(None);
            }
            let mut builder = RegexBuilder::new(regex);
            builder
                .size_limit(size * 1024)
                .dfa_size_limit(MAX_STATES.min(size * STATES_A_KIB))
                .nest_limit(MAX_NESTING);
            match builder.build() {
                Ok(regex) => return Ok(Some(Matcher { regex: Arc::new(regex), kibibytes: size })),
                Err(regex::Error::CompiledTooBig(_)) => {}
                Err(error) => {
                    let text = error.to_string();
                    let last = text.lines().last().unwrap_or_default();
                    return Err(format!(
                        "invalid regular expression: {}",
                        last.trim_start_matches("error: ")
                    ));
                }
            }
        }
        Err(TOO_LARGE.to_owned())
    }

    /// How much memory it takes at most, in KiB, beside what it remembers of texts.
    pub(super) fn kibibytes(&self) -> usize {
        self.kibibytes
    }

    /// Steps for every 16 bytes of a text.
    pub(super) fn factor(&self) -> u64 {
        (self.kibibytes / KIB_A_STEP) as u64
    }

    /// The pattern in the syntax of the `regex` crate, which is all that a matcher depends on.
    pub(super) fn pattern(&self) -> &str {
        self.regex.as_str()
    }

    /// Takes what compiling a pattern costs that an object brings.
    pub(super) fn charge_compilation(pattern: &str, budget: &mut Budget) -> Result<(), EvaluationError> {
        budget.step(Self::COMPILE_STEPS + pattern.len() as u64)
    }

    /// Whether a part of `text` matches.
    ///
    /// # Errors
    /// Where the budget does not suffice.
    pub(super) fn is_match(&self, text: &str, budget: &mut Budget) -> Result<bool, EvaluationError> {
        self.charge(text.len(), budget)?;
        Ok(self.regex.is_match(text))
    }

    /// The first part of `text` that matches.
    ///
    /// # Errors
    /// Where the budget does not suffice.
    pub(super) fn find<'t>(
        &self,
        text: &'t str,
        budget: &mut Budget,
    ) -> Result<Option<&'t str>, EvaluationError> {
        self.charge(text.len(), budget)?;
        Ok(self.regex.find(text).map(|found| found.as_str()))
    }

    /// The parts of `text` that match one after the other, at most so many. Right after a match, nothing is none.
    ///
    /// # Errors
    /// Where the budget does not suffice.
    pub(super) fn find_all<'t>(
        &self,
        text: &'t str,
        most: usize,
        budget: &mut Budget,
    ) -> Result<Vec<&'t str>, EvaluationError> {
        let mut all = Vec::new();
        let mut from = 0;
        for found in self.regex.find_iter(text).take(most) {
            // Where a match ends may have been decided by all the text behind it.
            let pieces = (text.len() - from).div_ceil(BYTES_A_FACTOR) as u64;
            budget.step(pieces.saturating_mul(self.factor() / 2))?;
            from = found.end();
            budget.build_values(1)?;
            budget.build(found.len())?;
            all.push(found.as_str());
        }
        self.charge(text.len() - from, budget)?;
        Ok(all)
    }

    fn charge(&self, length: usize, budget: &mut Budget) -> Result<(), EvaluationError> {
        let pieces = length.div_ceil(BYTES_A_FACTOR) as u64;
        budget.step(pieces.saturating_mul(self.factor()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compiled(pattern: &str) -> Matcher {
        Matcher::compile(pattern, pattern).unwrap()
    }

    fn cost(pattern: &str, text: &str) -> u64 {
        let mut budget = Budget::new(u64::MAX, 0);
        compiled(pattern).is_match(text, &mut budget).unwrap();
        budget.spent()
    }

    #[test]
    fn a_match_costs_the_text_times_the_size_of_the_pattern() {
        let name = "kube-controller-manager-0";
        assert_eq!(cost("^kube-.*-[0-9]+$", name), 4);
        assert_eq!(cost(r"^\w+", name), 64);
        assert_eq!(cost("^a", ""), 0);
        let small = cost("^a", &"01".repeat(5_000));
        let large = cost("[01]*1[01]{900}2", &"01".repeat(5_000));
        assert!(large >= small * 16, "{small} {large}");
    }

    #[test]
    fn a_large_pattern_on_a_long_text_is_beyond_an_expression() {
        let pattern = compiled("[01]*1[01]{900}2");
        let error = pattern.is_match(&"01".repeat(75_000), &mut { Budget::EXPRESSION }).unwrap_err();
        assert_eq!(error.to_string(), "expression needs more than 10000 steps");
        assert!(compiled("^[01]*2").is_match(&"01".repeat(10_000), &mut { Budget::EXPRESSION }).is_ok());
    }

    #[test]
    fn patterns_beyond_the_limits_are_refused() {
        let refused = |pattern: &str| Matcher::compile(pattern, pattern).unwrap_err();
        assert_eq!(refused("a{1000}{1000}"), "the regular expression is too large");
        assert_eq!(refused("("), "invalid regular expression: unclosed group");
        assert_eq!(refused(&"a".repeat(1_025)), "invalid regular expression: longer than 1024 bytes");
        let nested = format!("{}a{}", "(".repeat(40), ")".repeat(40));
        assert!(refused(&nested).starts_with("invalid regular expression: "), "{}", refused(&nested));
    }
}

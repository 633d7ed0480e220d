//! Exact sums and means of doubles.
//!
//! In: doubles of every kind, added and taken back. Out: their sum or mean, rounded once. Must never know: other numbers.

use super::accumulator::one_less;
use super::superaccumulator::Superaccumulator;

/// The sum or mean of doubles.
///
/// NaN and the infinities are counted beside the finite sum, so that it is whole again once they have left. As IEEE 754
/// has it, NaN makes NaN, and so do infinities of both signs. A sum of nothing but zeros is 0.0, even if all are -0.0:
/// the sign of a zero does not survive exact addition.
#[derive(Clone, Debug)]
pub(super) struct Doubles {
    finite: Superaccumulator,
    contributors: u64,
    nans: u64,
    positive_infinities: u64,
    negative_infinities: u64,
    mean: bool,
}

// === impl Doubles ===

impl Doubles {
    pub(super) fn sum() -> Self {
        Doubles {
            finite: Superaccumulator::default(),
            contributors: 0,
            nans: 0,
            positive_infinities: 0,
            negative_infinities: 0,
            mean: false,
        }
    }

    pub(super) fn mean() -> Self {
        Doubles { mean: true, ..Doubles::sum() }
    }

    /// What is held outside this value, in bytes.
    pub(super) fn outside(&self) -> usize {
        self.finite.outside()
    }

    pub(super) fn add(&mut self, double: f64) {
        self.contributors += 1;
        match self.special(double) {
            Some(count) => *count += 1,
            None => self.finite.add(double),
        }
    }

    pub(super) fn retract(&mut self, double: f64) {
        self.contributors = one_less(self.contributors);
        match self.special(double) {
            Some(count) => *count = one_less(*count),
            None => self.finite.subtract(double),
        }
        if self.contributors == 0 {
            debug_assert!(self.finite.is_zero(), "only what was added is taken back");
            self.finite = Superaccumulator::default();
        }
    }

    pub(super) fn contributors(&self) -> u64 {
        self.contributors
    }

    /// There must be a contributor.
    pub(super) fn value(&self) -> f64 {
        match (self.nans, self.positive_infinities, self.negative_infinities) {
            (0, 0, 0) => self.finite.quotient(if self.mean { self.contributors } else { 1 }),
            (0, _, 0) => f64::INFINITY,
            (0, 0, _) => f64::NEG_INFINITY,
            _ => f64::NAN,
        }
    }

    /// The count of doubles like this one, unless it is finite.
    fn special(&mut self, double: f64) -> Option<&mut u64> {
        if double.is_finite() {
            None
        } else if double.is_nan() {
            Some(&mut self.nans)
        } else if double > 0.0 {
            Some(&mut self.positive_infinities)
        } else {
            Some(&mut self.negative_infinities)
        }
    }
}

//! What the amounts of one series come to.
//!
//! In: amounts, added and taken back. Out: a number, rounded once. Must never know: attributes, tables, flushes.

use super::amount::Amount;
use super::doubles::Doubles;
use super::extremes::{Extremes, Side};
use crate::definition::{Aggregation, TextForm, ValueKind};
use crate::scalar::nearest_double;
use crate::snapshot::{MetricShape, Number};

/// The aggregate of one series. 32 bytes, and a box for sums of doubles and for extremes.
///
/// Invariant: equal to a new one to which just the amounts that were not retracted are added, in any order.
#[derive(Clone, Debug)]
pub struct Accumulator(State);

#[derive(Clone, Debug)]
enum State {
    Count {
        contributors: u64,
    },
    /// Amounts in units of 1 or of 1e-9. No sum leaves 128 bits: 2^64 integers, or 2^32 amounts of billionths.
    Fixed {
        sum: i128,
        contributors: u64,
        result: FixedResult,
    },
    Doubles(Box<Doubles>),
    Extremes(Box<Extremes>),
}

/// What a fixed-point sum is turned into.
#[derive(Clone, Copy, Debug)]
enum FixedResult {
    /// An integer, or beyond 64 bits the nearest double.
    IntegerSum,
    IntegerMean,
    /// Rounded toward zero, to an integer.
    TruncatedMean,
    NanosSum,
    NanosMean,
}

const NANOS: u128 = 1_000_000_000;

// === impl Accumulator ===

impl Accumulator {
    /// Without amounts, for a metric of this shape. With [`TextForm::Go`] the mean of integers and timestamps is an
    /// integer, rounded toward zero.
    pub fn new(shape: MetricShape, text: TextForm) -> Self {
        use ValueKind::{Double, Duration, Integer, Quantity, Timestamp};
        Accumulator(match shape {
            MetricShape::CountOfObjects | MetricShape::Aggregate(_, Aggregation::Count) => {
                State::Count { contributors: 0 }
            }
            MetricShape::Aggregate(Double, Aggregation::Sum) => State::Doubles(Box::new(Doubles::sum())),
            MetricShape::Aggregate(Double, Aggregation::Mean) => State::Doubles(Box::new(Doubles::mean())),
            MetricShape::Aggregate(Integer | Timestamp, Aggregation::Sum) => FixedResult::IntegerSum.start(),
            MetricShape::Aggregate(Integer | Timestamp, Aggregation::Mean) => match text {
                TextForm::Native => FixedResult::IntegerMean.start(),
                TextForm::Go => FixedResult::TruncatedMean.start(),
            },
            MetricShape::Aggregate(Quantity | Duration, Aggregation::Sum) => FixedResult::NanosSum.start(),
            MetricShape::Aggregate(Quantity | Duration, Aggregation::Mean) => FixedResult::NanosMean.start(),
            MetricShape::Aggregate(kind, Aggregation::Min) => {
                State::Extremes(Box::new(Extremes::new(kind, Side::Least)))
            }
            MetricShape::Aggregate(kind, Aggregation::Max) => {
                State::Extremes(Box::new(Extremes::new(kind, Side::Greatest)))
            }
        })
    }

    /// Adds an amount. A count takes any.
    ///
    /// # Panics
    ///
    /// If the amount is not in the arithmetic of the metric.
    pub fn add(&mut self, amount: Amount) {
        match &mut self.0 {
            State::Count { contributors } => *contributors += 1,
            State::Fixed { sum, contributors, .. } => {
                *sum += fixed(amount);
                *contributors += 1;
            }
            State::Doubles(doubles) => doubles.add(double(amount)),
            State::Extremes(extremes) => extremes.add(amount),
        }
    }

    /// Takes back an amount that was added.
    ///
    /// # Panics
    ///
    /// As [`Accumulator::add`], and if there is nothing to take back.
    pub fn retract(&mut self, amount: Amount) {
        match &mut self.0 {
            State::Count { contributors } => *contributors = one_less(*contributors),
            State::Fixed { sum, contributors, .. } => {
                *sum -= fixed(amount);
                *contributors = one_less(*contributors);
                debug_assert!(*contributors > 0 || *sum == 0, "only what was added is taken back");
            }
            State::Doubles(doubles) => doubles.retract(double(amount)),
            State::Extremes(extremes) => extremes.retract(amount),
        }
    }

    /// How many amounts there are.
    pub fn contributors(&self) -> u64 {
        match &self.0 {
            State::Count { contributors } | State::Fixed { contributors, .. } => *contributors,
            State::Doubles(doubles) => doubles.contributors(),
            State::Extremes(extremes) => extremes.contributors(),
        }
    }

    /// What is held outside this value, in bytes.
    pub(super) fn outside(&self) -> usize {
        match &self.0 {
            State::Count { .. } | State::Fixed { .. } => 0,
            State::Doubles(doubles) => size_of::<Doubles>() + doubles.outside(),
            State::Extremes(extremes) => size_of::<Extremes>() + extremes.outside(),
        }
    }

    /// What the amounts come to; nothing without amounts.
    pub fn value(&self) -> Option<Number> {
        match &self.0 {
            _ if self.contributors() == 0 => None,
            State::Count { contributors } => Some(whole(i128::from(*contributors))),
            State::Fixed { sum, contributors, result } => Some(result.of(*sum, *contributors)),
            State::Doubles(doubles) => Some(Number::Double(doubles.value())),
            State::Extremes(extremes) => extremes.value(),
        }
    }

    /// Whether the value is a sum of integers that 64 bits cannot hold, and so a rounded double.
    pub fn is_beyond_64_bits(&self) -> bool {
        matches!(&self.0, State::Fixed { sum, result: FixedResult::IntegerSum, .. } if i64::try_from(*sum).is_err())
    }
}

// === impl FixedResult ===

impl FixedResult {
    fn start(self) -> State {
        State::Fixed { sum: 0, contributors: 0, result: self }
    }

    fn of(self, sum: i128, contributors: u64) -> Number {
        let count = u128::from(contributors);
        match self {
            FixedResult::IntegerSum => whole(sum),
            FixedResult::IntegerMean => Number::Double(nearest_double(sum, count)),
            FixedResult::TruncatedMean => whole(sum / i128::from(contributors)),
            FixedResult::NanosSum => Number::Double(nearest_double(sum, NANOS)),
            FixedResult::NanosMean => Number::Double(nearest_double(sum, count * NANOS)),
        }
    }
}

/// An integer where it fits 64 bits, else the nearest double.
fn whole(number: i128) -> Number {
    i64::try_from(number).map_or_else(|_| Number::Double(nearest_double(number, 1)), Number::Integer)
}

fn fixed(amount: Amount) -> i128 {
    match amount {
        Amount::Integer(integer) => i128::from(integer),
        Amount::Nanos(nanos) => nanos.get(),
        Amount::Unit | Amount::Double(_) => panic!("the amounts of a metric are in its arithmetic"),
    }
}

fn double(amount: Amount) -> f64 {
    match amount {
        Amount::Double(double) => double,
        _ => panic!("the amounts of a metric are in its arithmetic"),
    }
}

/// The count without one that is in it.
pub(super) fn one_less(count: u64) -> u64 {
    count.checked_sub(1).expect("only what was added is taken back")
}

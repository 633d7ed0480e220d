//! The least and the greatest of amounts.
//!
//! In: amounts, added and taken back. Out: the least or the greatest. Must never know: sums.

use std::collections::BTreeMap;

use super::accumulator::one_less;
use super::amount::Amount;
use crate::definition::ValueKind;
use crate::scalar::nearest_double;
use crate::snapshot::Number;

/// Amounts in order, and which end of them counts. An addition or retraction takes time logarithmic in the number of
/// distinct amounts.
///
/// NaN is counted apart: while one is there the extreme is NaN, as for a sum, and once all have left it is the extreme of
/// the others. -0.0 is less than 0.0.
#[derive(Clone, Debug)]
pub(super) struct Extremes {
    amounts: Ordered,
    contributors: u64,
    nans: u64,
    side: Side,
}

/// Which end of the order counts.
#[derive(Clone, Copy, Debug)]
pub(super) enum Side {
    Least,
    Greatest,
}

/// How often each amount is there.
#[derive(Clone, Debug)]
enum Ordered {
    Integers(BTreeMap<i64, u64>),
    Nanos(BTreeMap<i128, u64>),
    /// By [`order_of`].
    Doubles(BTreeMap<i64, u64>),
}

// === impl Extremes ===

impl Extremes {
    pub(super) fn new(kind: ValueKind, side: Side) -> Self {
        let amounts = match kind {
            ValueKind::Integer | ValueKind::Timestamp => Ordered::Integers(BTreeMap::new()),
            ValueKind::Quantity | ValueKind::Duration => Ordered::Nanos(BTreeMap::new()),
            ValueKind::Double => Ordered::Doubles(BTreeMap::new()),
        };
        Extremes { amounts, contributors: 0, nans: 0, side }
    }

    pub(super) fn add(&mut self, amount: Amount) {
        self.contributors += 1;
        match (&mut self.amounts, amount) {
            (_, Amount::Double(double)) if double.is_nan() => self.nans += 1,
            (Ordered::Integers(map), Amount::Integer(integer)) => *map.entry(integer).or_default() += 1,
            (Ordered::Nanos(map), Amount::Nanos(nanos)) => *map.entry(nanos.get()).or_default() += 1,
            (Ordered::Doubles(map), Amount::Double(double)) => *map.entry(order_of(double)).or_default() += 1,
            _ => panic!("the amounts of a metric are in its arithmetic"),
        }
    }

    pub(super) fn retract(&mut self, amount: Amount) {
        self.contributors = one_less(self.contributors);
        match (&mut self.amounts, amount) {
            (_, Amount::Double(double)) if double.is_nan() => self.nans = one_less(self.nans),
            (Ordered::Integers(map), Amount::Integer(integer)) => take(map, integer),
            (Ordered::Nanos(map), Amount::Nanos(nanos)) => take(map, nanos.get()),
            (Ordered::Doubles(map), Amount::Double(double)) => take(map, order_of(double)),
            _ => panic!("the amounts of a metric are in its arithmetic"),
        }
    }

    /// What the distinct amounts take, in bytes; the nodes of a tree are two thirds full.
    pub(super) fn outside(&self) -> usize {
        let (entries, size) = match &self.amounts {
            Ordered::Integers(map) | Ordered::Doubles(map) => (map.len(), size_of::<(i64, u64)>()),
            Ordered::Nanos(map) => (map.len(), size_of::<(i128, u64)>()),
        };
        entries * size * 3 / 2
    }

    pub(super) fn contributors(&self) -> u64 {
        self.contributors
    }

    pub(super) fn value(&self) -> Option<Number> {
        if self.nans > 0 {
            return Some(Number::Double(f64::NAN));
        }
        match &self.amounts {
            Ordered::Integers(map) => self.side.of(map).map(Number::Integer),
            Ordered::Nanos(map) => {
                self.side.of(map).map(|nanos| Number::Double(nearest_double(nanos, 1_000_000_000)))
            }
            Ordered::Doubles(map) => self.side.of(map).map(|order| Number::Double(double_at(order))),
        }
    }
}

// === impl Side ===

impl Side {
    fn of<K: Copy + Ord>(self, map: &BTreeMap<K, u64>) -> Option<K> {
        let entry = match self {
            Side::Least => map.first_key_value(),
            Side::Greatest => map.last_key_value(),
        };
        entry.map(|(key, _)| *key)
    }
}

/// Takes one occurrence out, and the key with the last.
fn take<K: Ord>(map: &mut BTreeMap<K, u64>, key: K) {
    let std::collections::btree_map::Entry::Occupied(mut entry) = map.entry(key) else {
        panic!("only what was added is taken back")
    };
    *entry.get_mut() -= 1;
    if *entry.get() == 0 {
        entry.remove();
    }
}

/// An integer with the order of the doubles: -0.0 before 0.0, NaN aside. IEEE 754-2019, 5.10, totalOrder.
fn order_of(double: f64) -> i64 {
    let bits = double.to_bits().cast_signed();
    if bits < 0 { bits ^ i64::MAX } else { bits }
}

/// The double of that order.
fn double_at(order: i64) -> f64 {
    let bits = if order < 0 { order ^ i64::MAX } else { order };
    f64::from_bits(bits.cast_unsigned())
}

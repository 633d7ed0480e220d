//! The series against naive models.

mod decimal;
mod arithmetic;
mod store;
mod table;

use super::{Accumulator, Amount, Nanos, SeriesStore};
use crate::definition::{Aggregation, TextForm, ValueKind};
use crate::snapshot::{MetricShape, Number};
use decimal::Decimal;

const KINDS: [ValueKind; 5] =
    [ValueKind::Integer, ValueKind::Double, ValueKind::Quantity, ValueKind::Duration, ValueKind::Timestamp];
const AGGREGATIONS: [Aggregation; 5] =
    [Aggregation::Sum, Aggregation::Min, Aggregation::Max, Aggregation::Mean, Aggregation::Count];

fn nanos(billionths: i128) -> Amount {
    Amount::Nanos(Nanos::new(billionths).unwrap())
}

/// What a series of these amounts is worth, computed in decimal digits and by sorting.
fn naive(shape: MetricShape, text: TextForm, amounts: &[Amount]) -> Option<Number> {
    if amounts.is_empty() {
        return None;
    }
    let count = u64::try_from(amounts.len()).unwrap();
    let MetricShape::Aggregate(kind, aggregation) = shape else {
        return Some(Number::Integer(count.try_into().unwrap()));
    };
    let integral = matches!(kind, ValueKind::Integer | ValueKind::Timestamp);
    Some(match aggregation {
        Aggregation::Count => Number::Integer(count.try_into().unwrap()),
        Aggregation::Sum => naive_quotient(amounts, 1, integral),
        Aggregation::Mean => naive_quotient(amounts, count, integral && text == TextForm::Go),
        Aggregation::Min => naive_sorted(amounts)[0],
        Aggregation::Max => naive_sorted(amounts)[amounts.len() - 1],
    })
}

/// The sum of the amounts over `divisor`, as an integer if that is asked for and possible.
fn naive_quotient(amounts: &[Amount], divisor: u64, integral: bool) -> Number {
    if let Some(special) = naive_special(amounts) {
        return Number::Double(special);
    }
    let mut sum = Decimal::default();
    for amount in amounts {
        sum.add(&Decimal::of(*amount));
    }
    match sum.whole_quotient(divisor) {
        Some(whole) if integral => Number::Integer(whole),
        _ => Number::Double(sum.quotient(divisor)),
    }
}

fn naive_special(amounts: &[Amount]) -> Option<f64> {
    // Adding just the specials as IEEE 754 does is exact.
    let doubles =
        amounts.iter().filter_map(|amount| if let Amount::Double(d) = amount { Some(*d) } else { None });
    let specials: Vec<f64> = doubles.filter(|double| !double.is_finite()).collect();
    let sum = specials.iter().fold(0.0, |sum, special| sum + special);
    match specials.len() {
        0 => None,
        _ if sum.is_nan() => Some(f64::NAN),
        _ => Some(sum),
    }
}

fn naive_sorted(amounts: &[Amount]) -> Vec<Number> {
    if amounts.iter().any(|amount| matches!(amount, Amount::Double(double) if double.is_nan())) {
        return vec![Number::Double(f64::NAN); amounts.len()];
    }
    let mut numbers: Vec<Number> = amounts
        .iter()
        .map(|amount| match amount {
            Amount::Integer(integer) => Number::Integer(*integer),
            Amount::Double(double) => Number::Double(*double),
            Amount::Nanos(_) | Amount::Unit => Number::Double(Decimal::of(*amount).quotient(1)),
        })
        .collect();
    numbers.sort_by(|a, b| match (a, b) {
        (Number::Integer(a), Number::Integer(b)) => a.cmp(b),
        _ => a.as_f64().total_cmp(&b.as_f64()),
    });
    numbers
}

//! What the engine must give, computed the slow and obvious way: every definition is evaluated on every live object,
//! kept whole, without index, without history; numbers are summed as fractions and rounded once.
//!
//! What one object contributes is asked of the plan, on the whole object: that expressions and texts are right is the
//! subject of their own tables and oracles.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use celemetry_engine::definition::{Aggregation, Definition, ValueKind};
use celemetry_engine::plan::{Meter, Plan};
use celemetry_engine::row::{Decoder, Defaults, FieldPlan, HashSeed};
use celemetry_engine::series::Amount;
use celemetry_engine::snapshot::{Attributes, Number};
use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{FromPrimitive, ToPrimitive, Zero};

/// The series of one metric, by identity.
pub(crate) type Table = BTreeMap<Attributes, Number>;

/// The series that `objects` give under `definition`.
pub(crate) fn series<'o>(definition: &Definition, objects: impl Iterator<Item = &'o str>) -> Table {
    let mut fields = FieldPlan::whole(HashSeed(3, 5));
    let plan = Plan::compile(definition, &mut fields).expect("the model is given definitions that compile");
    let mut decoder = Decoder::new(Arc::new(fields));
    let mut groups: BTreeMap<Attributes, Vec<Amount>> = BTreeMap::new();
    for object in objects {
        let row =
            decoder.decode(object.as_bytes(), Defaults::default()).expect("the model is given JSON objects");
        let evaluation = plan.evaluate(&row, &mut Meter::new(Meter::TENANT_STEPS));
        for contributed in &evaluation.contributions {
            groups.entry(contributed.identity()).or_default().push(contributed.amount);
        }
    }
    let counts = definition.value.as_ref().is_none_or(|value| value.aggregation == Aggregation::Count);
    if counts && definition.projections.is_empty() {
        groups.entry(Attributes::default()).or_default();
    }
    groups.into_iter().map(|(identity, amounts)| (identity, aggregate(definition, &amounts))).collect()
}

fn aggregate(definition: &Definition, amounts: &[Amount]) -> Number {
    let count = i64::try_from(amounts.len()).expect("few objects");
    let Some(value) = &definition.value else { return Number::Integer(count) };
    let whole = matches!(value.kind, ValueKind::Integer | ValueKind::Timestamp);
    match value.aggregation {
        Aggregation::Count => Number::Integer(count),
        Aggregation::Sum if whole => {
            let sum: i128 = amounts.iter().map(|amount| i128::from(integer(*amount))).sum();
            i64::try_from(sum).map_or_else(
                |_| Number::Double(rounded(&BigRational::from_i128(sum).expect("finite"))),
                Number::Integer,
            )
        }
        Aggregation::Sum => Number::Double(sum(amounts, 1)),
        Aggregation::Mean => Number::Double(sum(amounts, count)),
        Aggregation::Min | Aggregation::Max if whole => {
            let numbers = amounts.iter().map(|amount| integer(*amount));
            let extreme = if value.aggregation == Aggregation::Min { numbers.min() } else { numbers.max() };
            Number::Integer(extreme.expect("a group has members"))
        }
        Aggregation::Min | Aggregation::Max => {
            let mut numbers: Vec<f64> = amounts.iter().map(|amount| double(*amount)).collect();
            if numbers.iter().any(|n| n.is_nan()) {
                return Number::Double(f64::NAN);
            }
            numbers.sort_by(f64::total_cmp);
            if value.aggregation == Aggregation::Max {
                numbers.reverse();
            }
            Number::Double(numbers[0])
        }
    }
}

/// The sum of all amounts, divided by `divisor`, rounded once.
fn sum(amounts: &[Amount], divisor: i64) -> f64 {
    let doubles: Vec<f64> = amounts.iter().map(|amount| double(*amount)).collect();
    if doubles.iter().any(|n| !n.is_finite()) {
        return doubles.iter().filter(|n| !n.is_finite()).sum();
    }
    let total: BigRational = amounts.iter().map(|amount| fraction(*amount)).sum();
    rounded(&(total / BigInt::from(divisor)))
}

fn rounded(n: &BigRational) -> f64 {
    if n.is_zero() { 0.0 } else { n.to_f64().expect("a fraction has a nearest double") }
}

fn fraction(amount: Amount) -> BigRational {
    match amount {
        Amount::Unit => BigRational::from_i64(1).expect("finite"),
        Amount::Integer(n) => BigRational::from_i64(n).expect("finite"),
        Amount::Double(n) => BigRational::from_float(n).expect("finite"),
        Amount::Nanos(nanos) => BigRational::new(nanos.get().into(), 1_000_000_000.into()),
    }
}

fn integer(amount: Amount) -> i64 {
    match amount {
        Amount::Integer(n) => n,
        other => panic!("{other:?} is no integer"),
    }
}

fn double(amount: Amount) -> f64 {
    match amount {
        Amount::Double(n) => n,
        other => rounded(&fraction(other)),
    }
}

/// How two tables differ, in words; empty if they do not.
pub(crate) fn difference(ours: &Table, model: &Table) -> String {
    let mut words = String::new();
    for (identity, number) in model {
        match ours.get(identity) {
            Some(ours) if ours == number || both_nan(*ours, *number) => {}
            Some(ours) => words += &format!("{identity:?} is {ours:?}, should be {number:?}\n"),
            None => words += &format!("{identity:?} is missing, should be {number:?}\n"),
        }
    }
    for (identity, number) in ours {
        if model.get(identity).is_none() {
            words += &format!("{identity:?} is {number:?}, should not be there\n");
        }
    }
    words
}

fn both_nan(a: Number, b: Number) -> bool {
    a.as_f64().is_nan() && b.as_f64().is_nan() && a.as_f64().partial_cmp(&0.0) != Some(Ordering::Equal)
}

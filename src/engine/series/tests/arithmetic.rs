//! Accumulators: rounding edges in tables, and any history against a computation from scratch.

use proptest::prelude::*;

use super::*;

const SUM: Aggregation = Aggregation::Sum;
const MEAN: Aggregation = Aggregation::Mean;

fn accumulate(shape: MetricShape, text: TextForm, amounts: &[Amount]) -> Accumulator {
    let mut accumulator = Accumulator::new(shape, text);
    for amount in amounts {
        accumulator.add(*amount);
    }
    accumulator
}

fn check(kind: ValueKind, aggregation: Aggregation, amounts: &[Amount], expected: Number) {
    let shape = MetricShape::Aggregate(kind, aggregation);
    let value = accumulate(shape, TextForm::Native, amounts).value();
    assert_eq!(value, Some(expected), "{aggregation:?} of {amounts:?}");
    assert_eq!(
        naive(shape, TextForm::Native, amounts),
        Some(expected),
        "the model: {aggregation:?} of {amounts:?}"
    );
}

fn doubles(aggregation: Aggregation, doubles: &[f64], expected: f64) {
    let amounts: Vec<Amount> = doubles.iter().map(|double| Amount::Double(*double)).collect();
    check(ValueKind::Double, aggregation, &amounts, Number::Double(expected));
}

fn integers(aggregation: Aggregation, integers: &[i64], expected: Number) {
    let amounts: Vec<Amount> = integers.iter().map(|integer| Amount::Integer(*integer)).collect();
    check(ValueKind::Integer, aggregation, &amounts, expected);
    check(ValueKind::Timestamp, aggregation, &amounts, expected);
}

fn quantities(aggregation: Aggregation, billionths: &[i128], expected: f64) {
    let amounts: Vec<Amount> = billionths.iter().map(|billionths| nanos(*billionths)).collect();
    check(ValueKind::Quantity, aggregation, &amounts, Number::Double(expected));
    check(ValueKind::Duration, aggregation, &amounts, Number::Double(expected));
}

const TINY: f64 = 5e-324;
const ULP: f64 = f64::EPSILON;

#[test]
fn double_sums_are_rounded_once() {
    doubles(SUM, &[0.1, 0.2], 0.1 + 0.2);
    doubles(SUM, &[0.1; 10], 1.0);
    doubles(SUM, &[1e308, -1e308, 1e-300], 1e-300);
    doubles(SUM, &[1e308, 1e308], f64::INFINITY);
    doubles(SUM, &[1e308, 1e308, -1e308], 1e308);
    doubles(SUM, &[-1e308, -1e308], f64::NEG_INFINITY);
    doubles(SUM, &[f64::MAX, f64::MAX * (ULP / 4.0)], f64::MAX);
    doubles(SUM, &[f64::MAX, 2f64.powi(970)], f64::INFINITY);
    doubles(SUM, &[f64::MAX, 2f64.powi(970), -TINY], f64::MAX);
    // Halfway between two doubles: to even, and away from halfway by whatever follows.
    doubles(SUM, &[1.0, ULP / 2.0], 1.0);
    doubles(SUM, &[1.0 + ULP, ULP / 2.0], 1.0 + 2.0 * ULP);
    doubles(SUM, &[1.0, ULP / 2.0, TINY], 1.0 + ULP);
    doubles(SUM, &[1.0 + ULP, ULP / 2.0, -TINY], 1.0 + ULP);
    doubles(SUM, &[-1.0, -ULP / 2.0], -1.0);
    doubles(SUM, &[-1.0, -ULP / 2.0, -TINY], -1.0 - ULP);
    doubles(SUM, &[9_007_199_254_740_992.0, 1.0], 9_007_199_254_740_992.0);
    doubles(SUM, &[9_007_199_254_740_992.0, 1.0, 1.0], 9_007_199_254_740_994.0);
}

#[test]
fn sums_grow_beyond_the_size_of_their_parts() {
    for exponent in 0..32 {
        let part = 2f64.powi(exponent);
        doubles(SUM, &[part; 24], 24.0 * part);
        doubles(SUM, &[-part; 24], -24.0 * part);
    }
}

#[test]
fn subnormal_sums_are_exact() {
    doubles(SUM, &[TINY], TINY);
    doubles(SUM, &[TINY, TINY, TINY], 3.0 * TINY);
    doubles(SUM, &[f64::MIN_POSITIVE, -TINY], f64::from_bits(f64::MIN_POSITIVE.to_bits() - 1));
    doubles(SUM, &[f64::MIN_POSITIVE, TINY], f64::from_bits(f64::MIN_POSITIVE.to_bits() + 1));
    doubles(SUM, &[-f64::MIN_POSITIVE, f64::MIN_POSITIVE, -TINY], -TINY);
}

#[test]
fn double_means_are_rounded_once() {
    doubles(MEAN, &[1e308, 1e308, 1e308], 1e308);
    doubles(MEAN, &[1.0, 0.0, 0.0], 1.0 / 3.0);
    doubles(MEAN, &[f64::MAX, f64::MAX], f64::MAX);
    doubles(MEAN, &[TINY, 0.0], 0.0);
    doubles(MEAN, &[TINY, TINY, 0.0], TINY);
    doubles(MEAN, &[3.0 * TINY, 0.0], 2.0 * TINY);
    doubles(MEAN, &[5.0 * TINY, 0.0], 2.0 * TINY);
    doubles(MEAN, &[TINY, 0.0, 0.0], 0.0);
    doubles(MEAN, &[-TINY, 0.0, 0.0], -0.0);
    doubles(MEAN, &[f64::MIN_POSITIVE, f64::MIN_POSITIVE, 0.0], f64::MIN_POSITIVE * 2.0 / 3.0);
    doubles(MEAN, &[1e308, -1e308, 3e-300], 1e-300);
    // A quotient that is halfway in its first 65 bits, and a remainder beyond them.
    doubles(MEAN, &[3.0, 1.5 * ULP, 0.0], 1.0);
    doubles(MEAN, &[3.0, 1.5 * ULP, 2f64.powi(-82)], 1.0 + ULP);
}

#[test]
fn zeros_sum_to_the_positive_zero() {
    doubles(SUM, &[-0.0], 0.0);
    doubles(SUM, &[-0.0, -0.0], 0.0);
    doubles(SUM, &[1.0, -1.0], 0.0);
    doubles(MEAN, &[-0.0], 0.0);
    doubles(Aggregation::Min, &[0.0, -0.0], -0.0);
    doubles(Aggregation::Max, &[-0.0, 0.0], 0.0);
}

#[test]
fn nan_and_infinities_show_while_they_are_there() {
    let (nan, infinity) = (f64::NAN, f64::INFINITY);
    doubles(SUM, &[1.0, infinity], infinity);
    doubles(SUM, &[1.0, -infinity], -infinity);
    doubles(SUM, &[infinity, -infinity], nan);
    doubles(MEAN, &[1.0, nan], nan);
    doubles(MEAN, &[1.0, infinity], infinity);
    doubles(Aggregation::Min, &[1.0, nan], nan);
    doubles(Aggregation::Max, &[1.0, infinity, -infinity], infinity);
    doubles(Aggregation::Min, &[1.0, infinity, -infinity], -infinity);
    for aggregation in [SUM, MEAN, Aggregation::Min, Aggregation::Max] {
        let shape = MetricShape::Aggregate(ValueKind::Double, aggregation);
        let mut accumulator = accumulate(shape, TextForm::Native, &[Amount::Double(7.5)]);
        for special in [nan, infinity, -infinity] {
            accumulator.add(Amount::Double(special));
        }
        for special in [nan, infinity, -infinity] {
            accumulator.retract(Amount::Double(special));
        }
        assert_eq!(accumulator.value(), Some(Number::Double(7.5)), "{aggregation:?} recovers");
    }
}

#[test]
fn integers_keep_every_bit() {
    let (least, most) = (i64::MIN, i64::MAX);
    integers(SUM, &[most, most, least], Number::Integer(most - 1));
    integers(SUM, &[most, 1], Number::Double(9_223_372_036_854_775_808.0));
    integers(SUM, &[least, -1], Number::Double(-9_223_372_036_854_775_808.0));
    integers(SUM, &[most; 3], Number::Double(27_670_116_110_564_327_421.0));
    integers(MEAN, &[most, most], Number::Double(9_223_372_036_854_775_807.0));
    integers(MEAN, &[least, most], Number::Double(-0.5));
    integers(MEAN, &[least, least], Number::Double(-9_223_372_036_854_775_808.0));
    integers(MEAN, &[1, 2], Number::Double(1.5));
    integers(MEAN, &[4], Number::Double(4.0));
    integers(Aggregation::Min, &[3, least, most], Number::Integer(least));
    integers(Aggregation::Max, &[3, least, most], Number::Integer(most));
    integers(Aggregation::Count, &[3, 4], Number::Integer(2));
}

#[test]
fn a_sum_beyond_64_bits_says_so() {
    let shape = MetricShape::Aggregate(ValueKind::Integer, SUM);
    let mut accumulator =
        accumulate(shape, TextForm::Native, &[Amount::Integer(i64::MAX), Amount::Integer(1)]);
    assert!(accumulator.is_beyond_64_bits());
    accumulator.retract(Amount::Integer(1));
    assert!(!accumulator.is_beyond_64_bits());
    assert_eq!(accumulator.value(), Some(Number::Integer(i64::MAX)));
}

#[test]
fn the_mean_of_integers_is_truncated_in_the_go_form() {
    let check = |kind: ValueKind, amounts: &[Amount], expected: Number| {
        let value = accumulate(MetricShape::Aggregate(kind, MEAN), TextForm::Go, amounts).value();
        assert_eq!(value, Some(expected), "{kind:?} {amounts:?}");
    };
    for kind in [ValueKind::Integer, ValueKind::Timestamp] {
        check(kind, &[Amount::Integer(1), Amount::Integer(2)], Number::Integer(1));
        check(kind, &[Amount::Integer(-1), Amount::Integer(-2)], Number::Integer(-1));
        check(kind, &[Amount::Integer(i64::MIN), Amount::Integer(i64::MIN)], Number::Integer(i64::MIN));
    }
    check(ValueKind::Double, &[Amount::Double(1.0), Amount::Double(2.0)], Number::Double(1.5));
    check(ValueKind::Quantity, &[nanos(1_000_000_000), nanos(2_000_000_000)], Number::Double(1.5));
}

#[test]
fn quantities_are_rounded_once() {
    quantities(SUM, &[500_000_000, 250_000_000], 0.75);
    quantities(SUM, &[100_000_000; 10], 1.0);
    quantities(SUM, &[1_000_000_000], 1.0);
    quantities(SUM, &[9_007_199_254_740_993_000_000_000, 1], 9_007_199_254_740_994.0);
    quantities(SUM, &[9_007_199_254_740_993_000_000_000], 9_007_199_254_740_992.0);
    quantities(SUM, &[(1 << 95) - 1, -(1 << 95)], -1e-9);
    quantities(MEAN, &[1, 0, 0], 1.0 / 3e9);
    quantities(MEAN, &[100_000_000, 200_000_000], 0.15);
    quantities(Aggregation::Min, &[3, -7], -7e-9);
    quantities(Aggregation::Max, &[3, -7], 3e-9);
}

#[test]
fn amounts_are_small() {
    assert_eq!(size_of::<Amount>(), 16);
    assert_eq!(size_of::<(u32, u32, Amount)>(), 24);
    assert_eq!(size_of::<Accumulator>(), 32);
    assert_eq!(Nanos::new((1 << 95) - 1).map(Nanos::get), Some((1 << 95) - 1));
    assert_eq!(Nanos::new(-(1 << 95)).map(Nanos::get), Some(-(1 << 95)));
    assert_eq!(Nanos::new(1 << 95), None);
    assert_eq!(Nanos::new(-(1 << 95) - 1), None);
    assert_eq!(Amount::Double(f64::NAN), Amount::Double(f64::NAN));
    assert_ne!(Amount::Double(0.0), Amount::Double(-0.0));
    assert_ne!(Amount::Integer(1), Amount::Unit);
}

/// Doubles that meet at rounding edges and cancel, and such of any bits.
fn double() -> impl Strategy<Value = f64> {
    let edges = vec![0.0, -0.0, TINY, -TINY, f64::MAX, f64::MIN, 1.0, ULP / 2.0, 1e308, -1e308, 1e-300];
    prop_oneof![
        4 => any::<u64>().prop_map(f64::from_bits),
        4 => (-100_000..100_000_i32).prop_map(|thousandths| f64::from(thousandths) / 1000.0),
        4 => (prop::bool::ANY, 0..2047_u64, 0..3_u64).prop_map(|(negative, exponent, low)| {
            f64::from_bits(u64::from(negative) << 63 | exponent << 52 | low)
        }),
        2 => (0..1_u64 << 53).prop_map(f64::from_bits),
        2 => prop::sample::select(edges),
        1 => prop::sample::select(vec![f64::NAN, f64::INFINITY, f64::NEG_INFINITY]),
    ]
}

pub(super) fn amount(kind: ValueKind) -> BoxedStrategy<Amount> {
    match kind {
        ValueKind::Integer | ValueKind::Timestamp => {
            prop_oneof![any::<i64>(), -5..5_i64, Just(i64::MAX), Just(i64::MIN)]
                .prop_map(Amount::Integer)
                .boxed()
        }
        ValueKind::Double => double().prop_map(Amount::Double).boxed(),
        ValueKind::Quantity | ValueKind::Duration => {
            let any_size = (any::<i128>(), 33..127_u32).prop_map(|(wide, shift)| wide >> shift);
            prop_oneof![any_size, -5_000_000_000..5_000_000_000_i128].prop_map(nanos).boxed()
        }
    }
}

fn shapes() -> impl Strategy<Value = (ValueKind, Aggregation, TextForm)> {
    let text = prop::sample::select(vec![TextForm::Native, TextForm::Go]);
    (prop::sample::select(KINDS.to_vec()), prop::sample::select(AGGREGATIONS.to_vec()), text)
}

/// What is added, and which of those present is taken back afterwards, if any.
type History = Vec<(Amount, Option<prop::sample::Index>)>;

fn histories() -> impl Strategy<Value = (ValueKind, Aggregation, TextForm, History)> {
    shapes().prop_flat_map(|(kind, aggregation, text)| {
        let step = (amount(kind), prop::option::of(any::<prop::sample::Index>()));
        (Just(kind), Just(aggregation), Just(text), prop::collection::vec(step, 1..40))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn history_never_shows((kind, aggregation, text, history) in histories()) {
        let shape = MetricShape::Aggregate(kind, aggregation);
        let mut accumulator = Accumulator::new(shape, text);
        let mut present = Vec::new();
        for (amount, taken) in history {
            accumulator.add(amount);
            present.push(amount);
            if let Some(index) = taken {
                accumulator.retract(present.swap_remove(index.index(present.len())));
            }
        }
        prop_assert_eq!(accumulator.contributors(), present.len() as u64);
        prop_assert_eq!(accumulator.value(), naive(shape, text, &present));
        for amount in present {
            accumulator.retract(amount);
        }
        prop_assert_eq!(accumulator.value(), None);
        prop_assert_eq!(format!("{accumulator:?}"), format!("{:?}", Accumulator::new(shape, text)));
    }

    #[test]
    fn finite_doubles_sum_exactly(doubles in prop::collection::vec(double().prop_filter("finite", |d| d.is_finite()), 1..30)) {
        let amounts: Vec<Amount> = doubles.iter().map(|double| Amount::Double(*double)).collect();
        for aggregation in [SUM, MEAN] {
            let shape = MetricShape::Aggregate(ValueKind::Double, aggregation);
            let value = accumulate(shape, TextForm::Native, &amounts).value();
            prop_assert_eq!(value, naive(shape, TextForm::Native, &amounts));
        }
    }
}

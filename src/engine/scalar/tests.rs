//! Tables of scalars, checked against `k8s.io/apimachinery` v0.34.1 and Go 1.26, and properties against naive models.

use proptest::prelude::*;

use super::{Duration, Quantity, Timestamp, nearest_double};

fn quantity(text: &str, nanos: i128, canonical: &str) {
    let read = Quantity::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    assert_eq!((read.nanos, read.to_string().as_str()), (nanos, canonical), "{text}");
}

fn no_quantity(text: &str, reason: &str) {
    let error = Quantity::parse(text).expect_err(text).to_string();
    assert!(error.contains(reason), "{text}: {error}");
}

const ONE: i128 = 1_000_000_000;

#[test]
fn quantities_are_read_as_apimachinery_reads_them() {
    quantity("0", 0, "0");
    quantity("-0", 0, "0");
    quantity("1", ONE, "1");
    quantity("+1", ONE, "1");
    quantity("1.", ONE, "1");
    quantity(".5", ONE / 2, "500m");
    quantity("-.5", -ONE / 2, "-500m");
    quantity("00012", 12 * ONE, "12");
    quantity("000.5000", ONE / 2, "500m");
    quantity("1n", 1, "1n");
    quantity("1u", 1_000, "1u");
    quantity("1m", 1_000_000, "1m");
    quantity("1k", 1_000 * ONE, "1k");
    quantity("1M", 1_000_000 * ONE, "1M");
    quantity("1G", ONE * ONE, "1G");
    quantity("1T", 1_000 * ONE * ONE, "1T");
    quantity("1P", 1_000_000 * ONE * ONE, "1P");
    quantity("1E", ONE * ONE * ONE, "1E");
    quantity("1e3", 1_000 * ONE, "1k");
    quantity("1E3", 1_000 * ONE, "1k");
    quantity("1e+3", 1_000 * ONE, "1k");
    quantity("1e03", 1_000 * ONE, "1k");
    quantity("1E-3", 1_000_000, "1m");
    quantity("1e-9", 1, "1n");
    quantity("10e-10", 1, "1n");
    quantity("0.000000001", 1, "1n");
    quantity("1Ki", 1024 * ONE, "1024");
    quantity("1Mi", (ONE) << 20, "1048576");
    quantity("1Gi", (ONE) << 30, "1073741824");
    quantity("1Ti", (ONE) << 40, "1099511627776");
    quantity("1Pi", (ONE) << 50, "1125899906842624");
    quantity("1Ei", (ONE) << 60, "1152921504606846976");
    quantity("8Ei", (ONE) << 63, "9223372036854775808");
    quantity("1.5Ki", 1536 * ONE, "1536");
    quantity("0.1Ki", 102_400_000_000, "102400m");
    quantity("0.0009765625Ki", ONE, "1");
    quantity("0.000000953674316406250Mi", ONE, "1");
    quantity("1500m", 1_500_000_000, "1500m");
    quantity("1.5E", 1_500_000_000 * ONE * ONE, "1500P");
    quantity("-1.5k", -1500 * ONE, "-1500");
    quantity("1e21", 1_000 * ONE * ONE * ONE, "1000E");
    quantity(
        "123456789012345678901234567890",
        123_456_789_012_345_678_901_234_567_890 * ONE,
        "123456789012345678901234567890",
    );
    quantity(
        "170141183460469231731687303715.884105727",
        i128::MAX,
        "170141183460469231731687303715884105727n",
    );
    quantity("0e2147483647", 0, "0");
    quantity("0e-2147483648", 0, "0");
}

#[test]
fn what_is_no_quantity_is_refused() {
    for text in [".", "+", "-", "-.", "Ki", ".Ki", "e3", "m"] {
        no_quantity(text, "not a quantity");
    }
    for text in
        ["", " 1", "1 ", "1_000", "0x10", "--1", "+-1", "1.2.3", "NaN", "Inf", "1,5", "１", "1e1.5", "1µ"]
    {
        no_quantity(text, "not a quantity");
    }
    for text in
        ["1e", "1ki", "1K", "1KI", "1i", "1e3k", "1ke3", "1Ee3", "1E+", "1e-", "1E1E", "1k+", "1m-3", "1Ki3"]
    {
        no_quantity(text, "suffix must be");
    }
    no_quantity("1e99999999999999999999", "suffix must be");
    for text in
        ["0.5n", "1e-10", "0.0000000001", "0.0000000001Ki", "1e-2147483648", "-1e-9223372036854775808"]
    {
        no_quantity(text, "finer than a billionth");
    }
    for text in ["1e2147483647", "1e9223372036854775807", "1e30", "170141183460.5E", "147573952590Ei"] {
        no_quantity(text, "beyond the range");
    }
    no_quantity("170141183460469231731687303715.884105728", "beyond the range");
    no_quantity(&"1".repeat(100_000), "38 significant digits");
}

#[test]
fn what_apimachinery_rounds_caps_or_takes_for_nothing_is_so_in_expressions() {
    for (text, nanos) in [
        ("1.5n", 2),
        ("-0.1n", -1),
        ("1e-40", 1),
        ("0.00000000001Ki", 11),
        ("10Ei", i128::from(i64::MAX) * ONE),
        ("-99999Ei", -i128::from(i64::MAX) * ONE),
        ("Ki", 0),
        ("+", 0),
        (".", 0),
        ("-.k", 0),
        ("1.5", ONE / 2 * 3),
        ("2Gi", (2 * ONE) << 30),
    ] {
        assert_eq!(Quantity::parse_rounded(text).map(|read| read.nanos), Ok(nanos), "{text}");
    }
    for text in ["", "x", "1x", "Pi", ".Ei", "1e", "1.2.3", "1e60"] {
        assert!(Quantity::parse_rounded(text).is_err(), "{text}");
    }
}

#[test]
fn quantity_conversions_round_once() {
    assert_eq!(Quantity::parse("0.1").map(Quantity::as_f64), Ok(0.1));
    assert_eq!(Quantity::parse("100000000.1").map(Quantity::as_f64), Ok(100_000_000.1));
    assert_eq!(Quantity::parse("9007199254740993").map(Quantity::as_f64), Ok(9_007_199_254_740_992.0));
    assert_eq!(
        Quantity::parse("9007199254740993.000000001").map(Quantity::as_f64),
        Ok(9_007_199_254_740_994.0)
    );
    assert_eq!(Quantity::parse("8Ei").map(Quantity::is_integer), Ok(false));
    assert_eq!(Quantity::parse("-8Ei").map(Quantity::as_i64), Ok(Some(i64::MIN)));
    assert_eq!(Quantity::parse("1500m").map(Quantity::as_i64), Ok(None));
    assert_eq!(Quantity { nanos: i128::MAX }.checked_add(Quantity { nanos: 1 }), None);
    assert_eq!(Quantity { nanos: i128::MIN }.checked_sub(Quantity { nanos: 1 }), None);
    assert_eq!(Quantity { nanos: i128::MIN }.to_string(), "-170141183460469231731687303715884105728n");
}

fn duration(text: &str, nanos: i64, go: &str, cel: &str) {
    let read = Duration::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    assert_eq!((read.nanos, read.to_string().as_str(), read.to_cel().as_str()), (nanos, go, cel), "{text}");
}

fn no_duration(text: &str, reason: &str) {
    let error = Duration::parse(text).expect_err(text).to_string();
    assert!(error.contains(reason), "{text}: {error}");
}

#[test]
fn durations_are_read_and_written_as_go_does() {
    duration("0", 0, "0s", "0s");
    duration("+0", 0, "0s", "0s");
    duration("-0", 0, "0s", "0s");
    duration("5s", 5_000_000_000, "5s", "5s");
    duration("-5s", -5_000_000_000, "-5s", "-5s");
    duration("1.s", 1_000_000_000, "1s", "1s");
    duration(".5s", 500_000_000, "500ms", "0.5s");
    duration("-.5s", -500_000_000, "-500ms", "-0.5s");
    duration("1.5h", 5_400_000_000_000, "1h30m0s", "5400s");
    duration("1h30m", 5_400_000_000_000, "1h30m0s", "5400s");
    duration("30m1h", 5_400_000_000_000, "1h30m0s", "5400s");
    duration("1us", 1_000, "1µs", "0.000001s");
    duration("1\u{b5}s", 1_000, "1µs", "0.000001s");
    duration("1\u{3bc}s", 1_000, "1µs", "0.000001s");
    duration("1.1µs", 1_100, "1.1µs", "0.0000011s");
    duration("1.9ns", 1, "1ns", "0.000000001s");
    duration("0.1ns", 0, "0s", "0s");
    duration("1s1s", 2_000_000_000, "2s", "2s");
    duration("1h1m1s1ms1us1ns", 3_661_001_001_001, "1h1m1.001001001s", "3661.001001001s");
    duration("9223372036854775807ns", i64::MAX, "2562047h47m16.854775807s", "9223372036.854775807s");
    duration("-9223372036854775808ns", i64::MIN, "-2562047h47m16.854775808s", "-9223372036.854775808s");
    duration("-9223372036s854ms775us808ns", i64::MIN, "-2562047h47m16.854775808s", "-9223372036.854775808s");
    duration("9223372036.854775807s", i64::MAX, "2562047h47m16.854775807s", "9223372036.854775807s");
    duration("0.9223372036854775807h", 3_320_413_933_267, "55m20.413933267s", "3320.413933267s");
    duration("0.333333333333333333333333333333h", 1_199_999_999_999, "19m59.999999999s", "1199.999999999s");
    duration("90s", 90_000_000_000, "1m30s", "90s");
    duration("1d", 86_400_000_000_000, "24h0m0s", "86400s");
    duration("1.5d12h", 172_800_000_000_000, "48h0m0s", "172800s");
}

#[test]
fn what_is_no_duration_is_refused() {
    for text in ["", "-", "+", ".", ".s", "-.s", " 1s", "s", "--1s", "1s "] {
        no_duration(text, "not a duration");
    }
    for text in ["5", "1s1", "1.2.3s", "-5"] {
        no_duration(text, "lacks its unit");
    }
    for text in ["1h 30m", "1S", "1s-1s", "1w", "1y", "1e3s", "1min"] {
        no_duration(text, "unit must be");
    }
    for text in ["3000000h", "9223372036854775808ns", "-9223372036854775809ns", "9223372036.854775808s"] {
        no_duration(text, "292 years");
    }
    for text in ["9223372036s854ms775us808ns", "99999999999999999999s", "106752d", "153722867.3m"] {
        no_duration(text, "292 years");
    }
}

#[test]
fn as_go_hours_are_the_longest_unit_and_fractions_are_doubles() {
    for (text, nanos) in [
        ("1h30m", 5_400_000_000_000),
        ("0.3333333333333333333h", 1_200_000_000_000),
        ("0.100000000000000000000h", 360_000_000_000),
        ("0.9223372036854775807h", 3_320_413_933_267),
        ("0.9223372036854775808h", 3_320_413_933_267),
        ("0.830103483285477580700h", 2_988_372_539_827),
        ("9223372036.854775807s", i64::MAX),
        ("-1.5s", -1_500_000_000),
        ("0", 0),
    ] {
        assert_eq!(Duration::parse_as_go(text), Ok(Duration { nanos }), "{text}");
    }
    for text in ["1d", "1.5d12h", "1w"] {
        let error = Duration::parse_as_go(text).unwrap_err().to_string();
        assert_eq!(error, "not a duration: the unit must be one of ns, us, µs, ms, s, m, h", "{text}");
    }
    assert!(Duration::parse_as_go("106752d").is_err() && Duration::parse_as_go("3000000h").is_err());
}

#[test]
fn an_exact_duration_has_no_part_finer_than_a_nanosecond() {
    assert_eq!(Duration::parse_exact("1.000000001s"), Ok(Duration { nanos: 1_000_000_001 }));
    assert_eq!(Duration::parse_exact("1.0000000010000s"), Ok(Duration { nanos: 1_000_000_001 }));
    for text in ["0.1ns", "1.0000000001s", "0.333333333333333h", "0.00000000000000000000000000000001h"] {
        assert!(Duration::parse_exact(text).is_err(), "{text}");
    }
}

fn timestamp(text: &str, seconds: i64, nanos: u32, utc: &str) {
    let read = Timestamp::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    assert_eq!((read.seconds, read.nanos, read.to_string().as_str()), (seconds, nanos, utc), "{text}");
}

#[test]
fn timestamps_are_read_as_go_reads_them() {
    timestamp("2024-01-02T03:04:05Z", 1_704_164_645, 0, "2024-01-02T03:04:05Z");
    timestamp("2024-01-02T3:04:05Z", 1_704_164_645, 0, "2024-01-02T03:04:05Z");
    timestamp("2024-01-02T03:04:05.5Z", 1_704_164_645, 500_000_000, "2024-01-02T03:04:05.5Z");
    timestamp("2024-01-02T03:04:05,5Z", 1_704_164_645, 500_000_000, "2024-01-02T03:04:05.5Z");
    timestamp("2024-01-02T3:04:05,5+01:00", 1_704_161_045, 500_000_000, "2024-01-02T02:04:05.5Z");
    timestamp("2024-01-02T03:04:05.123456789Z", 1_704_164_645, 123_456_789, "2024-01-02T03:04:05.123456789Z");
    timestamp(
        "2024-01-02T03:04:05.12345678999999Z",
        1_704_164_645,
        123_456_789,
        "2024-01-02T03:04:05.123456789Z",
    );
    timestamp("2024-01-02T03:04:05-23:59", 1_704_250_985, 0, "2024-01-03T03:03:05Z");
    timestamp("2024-01-02T03:04:05+24:00", 1_704_078_245, 0, "2024-01-01T03:04:05Z");
    timestamp("2024-01-02T03:04:05+23:60", 1_704_078_245, 0, "2024-01-01T03:04:05Z");
    timestamp("2024-01-02T03:04:05-00:00", 1_704_164_645, 0, "2024-01-02T03:04:05Z");
    timestamp("2024-02-29T03:04:05Z", 1_709_175_845, 0, "2024-02-29T03:04:05Z");
    timestamp("2000-02-29T00:00:00Z", 951_782_400, 0, "2000-02-29T00:00:00Z");
    timestamp("1969-12-31T23:59:59.5Z", -1, 500_000_000, "1969-12-31T23:59:59.5Z");
    timestamp("0001-01-01T00:00:00Z", -62_135_596_800, 0, "0001-01-01T00:00:00Z");
    timestamp(
        "9999-12-31T23:59:59.999999999Z",
        253_402_300_799,
        999_999_999,
        "9999-12-31T23:59:59.999999999Z",
    );
}

#[test]
fn what_is_no_timestamp_is_refused() {
    let check = |text: &str, reason: &str| {
        let error = Timestamp::parse(text).expect_err(text).to_string();
        assert!(error.contains(reason), "{text}: {error}");
    };
    for text in ["", "2024-01-02", "2024-01-02T03:04:05", "2024-01-02T03:04Z", "2024-01-02t03:04:05Z", "１"]
    {
        check(text, "must be RFC 3339");
    }
    for text in ["2024-01-02T03:04:05z", "2024-01-02 03:04:05Z", "2024-1-02T03:04:05Z", "2024-01-2T03:04:05Z"]
    {
        check(text, "must be RFC 3339");
    }
    for text in
        ["2024-01-02T03:4:05Z", "2024-01-02T03:04:5Z", "2024-01-02T003:04:05Z", "-2024-01-02T03:04:05Z"]
    {
        check(text, "must be RFC 3339");
    }
    for end in [".Z", ",Z", ".5", "+0100", "+01", "+1:00", "Z ", " Z", "+01:00Z", "Zulu"] {
        check(&format!("2024-01-02T03:04:05{end}"), "must be RFC 3339");
    }
    for text in
        ["2024-02-30T03:04:05Z", "2023-02-29T03:04:05Z", "1900-02-29T00:00:00Z", "2024-13-01T03:04:05Z"]
    {
        check(text, "out of range");
    }
    for text in
        ["2024-00-01T03:04:05Z", "2024-01-00T03:04:05Z", "2024-01-02T24:00:00Z", "2024-01-02T23:59:60Z"]
    {
        check(text, "out of range");
    }
    check("2024-01-02T03:04:05+25:00", "out of range");
    check("2024-01-02T03:04:05+23:61", "out of range");
    check("10000-01-01T00:00:00Z", "must be RFC 3339");
    check("0000-01-01T00:00:00Z", "years 1 to 9999");
    check("0001-01-01T00:00:00+01:00", "years 1 to 9999");
    check("9999-12-31T23:59:59-01:00", "years 1 to 9999");
}

#[test]
fn timestamp_arithmetic_stays_in_range() {
    let (first, last) = (Timestamp::MIN, Timestamp::MAX);
    assert_eq!(last.since(first), None);
    assert_eq!(last.checked_add(Duration { nanos: 1 }), None);
    assert_eq!(first.checked_sub(Duration { nanos: 1 }), None);
    assert_eq!(first.checked_sub(Duration { nanos: i64::MAX }), None);
    let middle = Timestamp { seconds: 0, nanos: 1 };
    let back = middle.checked_add(Duration { nanos: i64::MIN }).unwrap();
    assert_eq!(middle.since(back), None, "2^63 ns is one more than a duration holds");
    assert_eq!(back.checked_sub(Duration { nanos: i64::MIN }), Some(middle));
    assert_eq!(Timestamp::new(0, 1_000_000_000), None);
}

/// The value of a decimal text in billionths, digit by digit.
fn naive_nanos(whole: u64, fraction: &str, zeros: usize) -> i128 {
    let digits = format!("{whole}{fraction:0<9}{}", "0".repeat(zeros));
    digits.parse().unwrap()
}

proptest! {
    #[test]
    fn quantity_text_reads_back(nanos: i128) {
        let quantity = Quantity { nanos };
        prop_assume!(nanos != i128::MIN);
        prop_assert_eq!(Quantity::parse(&quantity.to_string()), Ok(quantity));
    }

    #[test]
    fn decimal_suffixes_shift_the_point(whole: u64, fraction in "[0-9]{0,9}", suffix in 0..4_usize, negative: bool) {
        let sign = if negative { "-" } else { "" };
        let size = naive_nanos(whole, &fraction, 3 * suffix);
        let expected = Quantity { nanos: if negative { -size } else { size } };
        let letter = ["", "k", "M", "G"][suffix];
        prop_assert_eq!(Quantity::parse(&format!("{sign}{whole}.{fraction}{letter}")), Ok(expected));
        prop_assert_eq!(Quantity::parse(&format!("{sign}{whole}.{fraction}e{}", 3 * suffix)), Ok(expected));
    }

    #[test]
    fn binary_suffixes_multiply(whole in 0..1_000_000_u64, fraction in "[0-9]{0,9}", suffix in 1..7_usize) {
        let expected = Quantity { nanos: naive_nanos(whole, &fraction, 0) << (10 * suffix) };
        let letter = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"][suffix];
        prop_assert_eq!(Quantity::parse(&format!("{whole}.{fraction}{letter}")), Ok(expected));
    }

    #[test]
    fn durations_read_back(nanos: i64) {
        let duration = Duration { nanos };
        prop_assert_eq!(Duration::parse_exact(&duration.to_string()), Ok(duration));
        prop_assert_eq!(Duration::parse_exact(&duration.to_cel()), Ok(duration));
    }

    #[test]
    fn timestamps_read_back(seconds in -62_135_596_800..=253_402_300_799_i64, nanos in 0..1_000_000_000_u32) {
        let timestamp = Timestamp::new(seconds, nanos).unwrap();
        prop_assert_eq!(Timestamp::parse(&timestamp.to_string()), Ok(timestamp));
    }

    #[test]
    fn what_is_added_is_taken_away(seconds in -1_000_000_000..1_000_000_000_i64, nanos in 0..1_000_000_000_u32, by: i64) {
        let (start, by) = (Timestamp::new(seconds, nanos).unwrap(), Duration { nanos: by });
        let end = start.checked_add(by).unwrap();
        prop_assert_eq!(end.since(start), Some(by));
        prop_assert_eq!(end.checked_sub(by), Some(start));
    }

    #[test]
    fn no_text_panics(text in "[-+0-9.eEinumkKMGTPshdµZT:,]{0,40}") {
        let _ = (Quantity::parse(&text), Duration::parse(&text), Timestamp::parse(&text));
    }

    #[test]
    fn any_text_is_read_or_refused(text: String) {
        let _ = (Quantity::parse(&text), Duration::parse(&text), Timestamp::parse(&text));
    }

    /// Rust reads decimal text correctly rounded, and every number of billionths is one.
    #[test]
    fn billionths_round_as_their_decimal_text(nanos: i128, shift in 0..127_u32) {
        let nanos = nanos >> shift;
        let size = nanos.unsigned_abs();
        let sign = if nanos < 0 { "-" } else { "" };
        let text = format!("{sign}{}.{:09}", size / 1_000_000_000, size % 1_000_000_000);
        prop_assert_eq!(nearest_double(nanos, 1_000_000_000), text.parse::<f64>().unwrap());
    }

    /// Halfway cases: a fraction whose quotient ends exactly between two doubles, and its neighbours.
    #[test]
    fn ties_go_to_even(significand in 1_i128 << 52..1 << 53, denominator in 1..1_u64 << 20) {
        let (below, denominator) = ((2 * significand + 1) * i128::from(denominator), 2 * u128::from(denominator));
        let (low, high) = (significand as f64, (significand + 1) as f64);
        let even = if significand % 2 == 0 { low } else { high };
        prop_assert_eq!(nearest_double(below, denominator), even);
        prop_assert_eq!(nearest_double(below - 1, denominator), low);
        prop_assert_eq!(nearest_double(-below - 1, denominator), -high);
    }
}

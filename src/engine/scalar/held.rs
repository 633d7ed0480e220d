//! How Kubernetes holds a quantity: which of equal amounts it calls an integer.
//!
//! In: the text of a quantity, or two that are added. Out: whether the amount is a number of 64 bits times a power of ten
//! there, and which power. Must never know: amounts beyond reading them; they are exact either way.

use super::{Quantity, split_digits};

/// How apimachinery's `Quantity` holds an amount, which depends on how it was written: `2` and `2k` are a number of 64
/// bits and a power of ten of at least 0, which `isInteger` asks for; `2000m` has a negative power, `9Pi` is a decimal of
/// any length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// The power of ten, or nothing for a decimal of any length.
    power: Option<i32>,
}

/// So many digits are certain to fit 64 bits.
const DIGITS: usize = 18;

/// The least power of ten that an amount has: a billionth.
const LEAST: i32 = -9;

// === impl Held ===

impl Held {
    /// A whole number that is no text.
    pub const INTEGER: Held = Held { power: Some(0) };

    /// How the quantity is held that this text is, which must be one.
    pub fn parse(text: &str) -> Held {
        let unsigned = text.trim_start_matches(['+', '-']).trim_start_matches('0');
        let (whole, rest) = split_digits(unsigned);
        let (fraction, suffix) = rest.strip_prefix('.').map_or(("", rest), split_digits);
        let digits = whole.len().max(1) + fraction.len();
        if let Some(exponent) = suffix.strip_suffix('i').map(binary_exponent) {
            // Of the digits that fit, a factor of 2^10 takes three.
            let fits = fraction.is_empty() && digits + exponent * 3 / 10 < 15;
            return Held { power: fits.then_some(0) };
        }
        let places = i32::try_from(fraction.len()).unwrap_or(i32::MAX);
        let power = decimal_exponent(suffix).saturating_sub(places);
        Held { power: (digits <= DIGITS && power >= LEAST).then_some(power) }
    }

    /// The whole number that `isInteger` and `asInteger` see.
    pub fn as_i64(self, amount: Quantity) -> Option<i64> {
        let power = self.power.filter(|power| *power >= 0)?;
        let value = self.value(amount)?;
        if value == 0 {
            return Some(0);
        }
        value.checked_mul(10_i64.checked_pow(power.unsigned_abs())?)
    }

    /// The double that `asApproximateFloat` gives: of a number of 64 bits, its double times a power of ten, which is not
    /// always the nearest.
    #[allow(clippy::cast_precision_loss)]
    pub fn approximate(self, amount: Quantity) -> f64 {
        match (self.power, self.value(amount)) {
            (Some(0), Some(value)) => value as f64,
            (Some(power), Some(value)) => value as f64 * power_of_ten(power),
            _ => amount.as_f64(),
        }
    }

    /// How a sum is held.
    pub fn add(self, amount: Quantity, other: Held, more: Quantity) -> Held {
        let decimal = Held { power: None };
        let (Some(power), Some(more_power)) = (self.power, other.power) else { return decimal };
        let (Some(value), Some(more)) = (self.value(amount), other.value(more)) else { return decimal };
        if more == 0 {
            return self;
        }
        if value == 0 {
            return other;
        }
        let least = power.min(more_power);
        let scaled = |value: i64, power: i32| {
            let factor = 10_i64.checked_pow(power.abs_diff(least))?;
            value.checked_mul(factor)
        };
        let sum = scaled(value, power).zip(scaled(more, more_power)).and_then(|(a, b)| a.checked_add(b));
        Held { power: sum.map(|_| least) }
    }

    /// The number of 64 bits.
    fn value(self, amount: Quantity) -> Option<i64> {
        if amount.nanos == 0 {
            return Some(0);
        }
        // Amounts are far below 1e29, so a power that fits none has no number either.
        let unit = 10_i128.checked_pow(u32::try_from(self.power? - LEAST).ok()?)?;
        i64::try_from(amount.nanos / unit).ok()
    }
}

/// The power of two of `Ki`, `Mi`, …, without its `i`.
fn binary_exponent(letter: &str) -> usize {
    match letter {
        "K" => 10,
        "M" => 20,
        "G" => 30,
        "T" => 40,
        "P" => 50,
        _ => 60,
    }
}

fn decimal_exponent(suffix: &str) -> i32 {
    match suffix {
        "" => 0,
        "n" => -9,
        "u" => -6,
        "m" => -3,
        "k" => 3,
        "M" => 6,
        "G" => 9,
        "T" => 12,
        "P" => 15,
        "E" => 18,
        exponent => exponent[1..].parse().unwrap_or(i32::MAX),
    }
}

/// The double that is nearest to the power.
fn power_of_ten(power: i32) -> f64 {
    format!("1e{power}").parse().expect("a number in digits")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn integer(text: &str) -> Option<i64> {
        Held::parse(text).as_i64(Quantity::parse(text).unwrap())
    }

    #[test]
    fn what_is_an_integer_depends_on_how_it_is_written() {
        for (text, expected) in [
            ("2", Some(2)),
            ("0", Some(0)),
            ("000", Some(0)),
            ("0.0", None),
            ("2k", Some(2000)),
            ("1.5k", Some(1500)),
            ("2000m", None),
            ("1.0", None),
            ("1e3", Some(1000)),
            ("1000e-3", None),
            ("-3M", Some(-3_000_000)),
            ("1Ti", Some(1_099_511_627_776)),
            ("100Ti", None),
            ("1Pi", None),
            ("8Ei", None),
            ("0.5Ki", None),
            ("999999999999999999", Some(999_999_999_999_999_999)),
            ("9223372036854775807", None),
            ("10E", None),
            ("0e20", Some(0)),
        ] {
            assert_eq!(integer(text), expected, "{text}");
        }
    }

    #[test]
    fn a_sum_is_held_in_the_smaller_unit() {
        let add = |a: &str, b: &str| {
            let (x, y) = (Quantity::parse(a).unwrap(), Quantity::parse(b).unwrap());
            Held::parse(a).add(x, Held::parse(b), y).as_i64(x.checked_add(y).unwrap())
        };
        assert_eq!(add("1k", "1"), Some(1001));
        assert_eq!(add("1", "1000m"), None);
        assert_eq!(add("1500m", "0"), None);
        assert_eq!(add("0", "1500m"), None);
        assert_eq!(add("1", "0m"), Some(1));
        assert_eq!(add("1Pi", "1"), None);
        assert_eq!(
            add("999999999999999999", "9E"),
            Some(9_999_999_999_999_999_999_i128 as i64).filter(|_| false)
        );
    }
}

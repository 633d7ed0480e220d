//! How Kubernetes holds a quantity: which of equal amounts it calls an integer.
//!
//! In: the text of a quantity, or two that are added. Out: whether the amount is a number of 64 bits times a power of ten
//! there, and which power. Must never know: amounts beyond reading them; they are exact either way.

use super::{Quantity, split_digits};

/// How apimachinery's `Quantity` holds an amount, which depends on how it was written: as a number times a power of ten. `2`
/// and `2k` have a number of 64 bits and a power of at least 0, which `isInteger` asks for; `2000m` has a negative power; the
/// number of `9Pi` is a decimal of any length.
///
/// Aligned, so that a value of an expression that can be a quantity is copied in whole words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(align(8))]
pub struct Held {
    power: i32,
    /// Whether the number may be of any length, and so is none of 64 bits, however small it is.
    decimal: bool,
}

/// So many digits are certain to fit 64 bits.
const DIGITS: usize = 18;

/// The least power of ten that an amount has: a billionth. Decimals that were read have it.
const LEAST: i32 = -9;

// === impl Held ===

impl Held {
    /// A whole number that is no text.
    pub const INTEGER: Held = Held { power: 0, decimal: false };

    /// How an amount is held that this text was read as.
    pub fn parse(text: &str, amount: Quantity) -> Held {
        let unsigned = text.trim_start_matches(['+', '-']).trim_start_matches('0');
        let (whole, rest) = split_digits(unsigned);
        let (fraction, suffix) = rest.strip_prefix('.').map_or(("", rest), split_digits);
        let digits = whole.len().max(1) + fraction.len();
        let places = i32::try_from(fraction.len()).unwrap_or(i32::MAX);
        let (power, fits) = match suffix.strip_suffix('i').map(binary_exponent) {
            // Of the digits that fit, a factor of 2^10 takes three.
            Some(exponent) => (-places, fraction.is_empty() && digits + exponent * 3 / 10 < 15),
            None => {
                let power = decimal_exponent(suffix).saturating_sub(places);
                (power, digits <= DIGITS && power >= LEAST)
            }
        };
        if fits {
            return Held { power, decimal: false };
        }
        // What was read was rounded to billionths, nothing excepted; what was capped has no fraction.
        if suffix.ends_with('i') && amount.nanos.unsigned_abs() == Quantity::MOST_BINARY {
            return Held { power: 0, decimal: true };
        }
        let nothing = whole.is_empty() && fraction.bytes().all(|digit| digit == b'0');
        Held { power: if nothing { power } else { LEAST }, decimal: true }
    }

    /// The whole number that `isInteger` and `asInteger` see.
    pub fn as_i64(self, amount: Quantity) -> Option<i64> {
        if self.decimal || self.power < 0 {
            return None;
        }
        match self.number(amount)? {
            0 => Some(0),
            number => number.checked_mul(10_i64.checked_pow(self.power.unsigned_abs())?),
        }
    }

    /// The double that `asApproximateFloat` gives: that of the number times that of the power, which is not always the
    /// nearest.
    #[allow(clippy::cast_precision_loss)]
    pub fn approximate(self, amount: Quantity) -> f64 {
        match self.unit() {
            Some(_) if self.power == 0 => self.scaled(amount).map_or(0.0, |number| number as f64),
            Some(unit) => (amount.nanos / unit) as f64 * power_of_ten(self.power),
            None => amount.as_f64(),
        }
    }

    /// How a sum is held.
    pub fn add(self, amount: Quantity, other: Held, more: Quantity) -> Held {
        let least = self.power.min(other.power);
        let decimal = Held { power: least, decimal: true };
        if self.decimal || other.decimal {
            return decimal;
        }
        let (Some(number), Some(more)) = (self.number(amount), other.number(more)) else { return decimal };
        if more == 0 {
            return self;
        }
        if number == 0 {
            return other;
        }
        let scaled = |number: i64, power: i32| {
            let factor = 10_i64.checked_pow(power.abs_diff(least))?;
            number.checked_mul(factor)
        };
        match scaled(number, self.power).zip(scaled(more, other.power)).and_then(|(a, b)| a.checked_add(b)) {
            Some(_) => Held { power: least, decimal: false },
            None => decimal,
        }
    }

    /// The number of 64 bits.
    fn number(self, amount: Quantity) -> Option<i64> {
        self.scaled(amount).and_then(|number| i64::try_from(number).ok())
    }

    fn scaled(self, amount: Quantity) -> Option<i128> {
        if amount.nanos == 0 { Some(0) } else { Some(amount.nanos / self.unit()?) }
    }

    /// How many billionths the power is. Amounts are far below 1e29, so a power that is none has no number either.
    fn unit(self) -> Option<i128> {
        10_i128.checked_pow(u32::try_from(self.power - LEAST).ok()?)
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
        let amount = Quantity::parse(text).unwrap();
        Held::parse(text, amount).as_i64(amount)
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
            Held::parse(a, x).add(x, Held::parse(b, y), y).as_i64(x.checked_add(y).unwrap())
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

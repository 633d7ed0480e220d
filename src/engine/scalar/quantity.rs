//! Kubernetes quantities: `500m`, `2Gi`, `1e3`.
//!
//! In: text in the grammar of `k8s.io/apimachinery/pkg/api/resource`. Out: an exact number of billionths. Must never know:
//! resources, expressions.
//!
//! Three things differ from apimachinery's `ParseQuantity`, so that no number changes silently: what is finer than a
//! billionth is an error and not rounded up, binary amounts beyond 2^63-1 are not capped, and a text without any digit, such
//! as `Ki`, is an error and not 0. Expressions read as apimachinery does.

use super::{GIGA, ScalarError, nearest_double, split_digits};

/// An exact amount in units of 1e-9, within ±1.7e29.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(Rust, packed(8))]
pub struct Quantity {
    /// Billionths.
    pub nanos: i128,
}

/// What a suffix multiplies by.
#[derive(Clone, Copy)]
enum Factor {
    PowerOfTen(i64),
    PowerOfTwo(u32),
}

const NOT_A_NUMBER: ScalarError = ScalarError(
    "not a quantity: it must be a decimal number with an optional suffix, such as 1.5, 500m, 2Gi or 1e3",
);
const UNKNOWN_SUFFIX: ScalarError = ScalarError(
    "not a quantity: the suffix must be one of n, u, m, k, M, G, T, P, E, Ki, Mi, Gi, Ti, Pi, Ei or an exponent such as e3",
);
const TOO_FINE: ScalarError = ScalarError("the quantity is finer than a billionth (1n)");
const OUT_OF_RANGE: ScalarError = ScalarError("the quantity is beyond the range of ±1.7e29");
const TOO_LONG: ScalarError = ScalarError("the quantity has more than 38 significant digits");

// === impl Quantity ===

impl Quantity {
    /// 2^63-1 in billionths: the most that a binary amount can be where apimachinery's rules apply.
    pub(super) const MOST_BINARY: u128 = i64::MAX.unsigned_abs() as u128 * GIGA.unsigned_abs() as u128;

    /// Reads a quantity in Kubernetes' grammar.
    ///
    /// # Errors
    ///
    /// If the text is none, is finer than a billionth, or is beyond the range.
    pub fn parse(text: &str) -> Result<Self, ScalarError> {
        let (negative, unsigned) = match text.as_bytes().first() {
            Some(b'-') => (true, &text[1..]),
            Some(b'+') => (false, &text[1..]),
            _ => (false, text),
        };
        let (whole, rest) = split_digits(unsigned);
        let (fraction, suffix) = rest.strip_prefix('.').map_or(("", rest), split_digits);
        if whole.is_empty() && fraction.is_empty() {
            return Err(NOT_A_NUMBER);
        }
        let factor = Factor::parse(suffix)?;
        let (digits, exponent) = significant(whole, fraction)?;
        let size = match factor {
            Factor::PowerOfTen(power) => {
                scale_by_ten(digits, exponent.saturating_add(power).saturating_add(9))?
            }
            Factor::PowerOfTwo(power) => scale_by_two_and_ten(digits, power, exponent.saturating_add(9))?,
        };
        let size = i128::try_from(size).map_err(|_| OUT_OF_RANGE)?;
        Ok(Quantity { nanos: if negative { -size } else { size } })
    }

    /// Reads a quantity as apimachinery does: what is finer than a billionth is rounded away from 0, a binary amount is at
    /// most 2^63-1, and a text without digits is 0.
    ///
    /// # Errors
    ///
    /// If the text is none even so, or is beyond the range.
    pub fn parse_rounded(text: &str) -> Result<Self, ScalarError> {
        if text.is_empty() {
            return Err(NOT_A_NUMBER);
        }
        let (negative, unsigned) = match text.as_bytes()[0] {
            b'-' => (true, &text[1..]),
            b'+' => (false, &text[1..]),
            _ => (false, text),
        };
        let (whole, rest) = split_digits(unsigned);
        let (fraction, suffix) = rest.strip_prefix('.').map_or(("", rest), split_digits);
        let has_digits = !whole.is_empty() || !fraction.is_empty();
        let (digits, exponent) = significant(whole, fraction)?;
        let factor = match Factor::parse(suffix) {
            // Only of what it reads as a number of any length it wants a digit.
            Ok(Factor::PowerOfTwo(50..)) if !has_digits => return Err(NOT_A_NUMBER),
            Err(_) if !has_digits => return Err(NOT_A_NUMBER),
            factor => factor?,
        };
        let size = match factor {
            Factor::PowerOfTen(power) => {
                let exponent = exponent.saturating_add(power).saturating_add(9);
                if exponent < 0 { rounded(Some(digits), exponent)? } else { scale_by_ten(digits, exponent)? }
            }
            Factor::PowerOfTwo(power) => {
                let exponent = exponent.saturating_add(9);
                let factor = 1_u128 << power;
                let exact = scale_by_two_and_ten(digits, power, exponent);
                let size = match exact {
                    Err(_) if exponent < 0 => rounded(digits.checked_mul(factor), exponent)?,
                    Err(_) => Self::MOST_BINARY,
                    Ok(size) => size,
                };
                size.min(Self::MOST_BINARY)
            }
        };
        let size = i128::try_from(size).map_err(|_| OUT_OF_RANGE)?;
        Ok(Quantity { nanos: if negative { -size } else { size } })
    }

    /// This many whole ones.
    pub fn from_integer(whole: i64) -> Self {
        Quantity { nanos: i128::from(whole) * i128::from(GIGA) }
    }

    /// Whether it is a whole number that fits 64 bits: what `isInteger` says in Kubernetes' CEL.
    pub fn is_integer(self) -> bool {
        self.as_i64().is_some()
    }

    /// The whole number, if it is one and fits 64 bits.
    pub fn as_i64(self) -> Option<i64> {
        let giga = i128::from(GIGA);
        if self.nanos % giga == 0 { i64::try_from(self.nanos / giga).ok() } else { None }
    }

    /// The nearest double.
    pub fn as_f64(self) -> f64 {
        nearest_double(self.nanos, u128::from(GIGA.unsigned_abs()))
    }

    /// -1, 0 or 1.
    pub fn sign(self) -> i64 {
        i64::try_from(self.nanos.signum()).expect("a sign is small")
    }

    /// The exact sum, if it is within the range.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.nanos.checked_add(other.nanos).map(|nanos| Quantity { nanos })
    }

    /// The exact difference, if it is within the range.
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.nanos.checked_sub(other.nanos).map(|nanos| Quantity { nanos })
    }
}

impl std::fmt::Display for Quantity {
    /// Apimachinery's canonical form with decimal suffixes: digits without a point, and the greatest suffix that leaves
    /// no fraction. How the amount was written, such as `1Ki` for 1024, is not remembered.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        const SUFFIXES: [&str; 10] = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"];
        if self.nanos == 0 {
            return f.write_str("0");
        }
        let (mut digits, mut suffix) = (self.nanos, 0);
        while digits % 1000 == 0 && suffix + 1 < SUFFIXES.len() {
            digits /= 1000;
            suffix += 1;
        }
        write!(f, "{digits}{}", SUFFIXES[suffix])
    }
}

// === impl Factor ===

impl Factor {
    /// `e` and `E` followed by a number are exponents; a lone `E` is exa.
    fn parse(suffix: &str) -> Result<Self, ScalarError> {
        Ok(match suffix {
            "n" => Factor::PowerOfTen(-9),
            "u" => Factor::PowerOfTen(-6),
            "m" => Factor::PowerOfTen(-3),
            "" => Factor::PowerOfTen(0),
            "k" => Factor::PowerOfTen(3),
            "M" => Factor::PowerOfTen(6),
            "G" => Factor::PowerOfTen(9),
            "T" => Factor::PowerOfTen(12),
            "P" => Factor::PowerOfTen(15),
            "E" => Factor::PowerOfTen(18),
            "Ki" => Factor::PowerOfTwo(10),
            "Mi" => Factor::PowerOfTwo(20),
            "Gi" => Factor::PowerOfTwo(30),
            "Ti" => Factor::PowerOfTwo(40),
            "Pi" => Factor::PowerOfTwo(50),
            "Ei" => Factor::PowerOfTwo(60),
            _ => {
                let exponent = suffix.strip_prefix(['e', 'E']).ok_or(UNKNOWN_SUFFIX)?;
                Factor::PowerOfTen(exponent.parse().map_err(|_| UNKNOWN_SUFFIX)?)
            }
        })
    }
}

/// The digits of `whole.fraction` without zeros at the ends, and the power of ten to multiply them by.
fn significant(whole: &str, fraction: &str) -> Result<(u128, i64), ScalarError> {
    let all = || whole.bytes().chain(fraction.bytes());
    let trailing_zeros = all().rev().take_while(|&byte| byte == b'0').count();
    let kept = whole.len() + fraction.len() - trailing_zeros;
    let digits = all()
        .take(kept)
        .try_fold(0_u128, |digits, byte| digits.checked_mul(10)?.checked_add(u128::from(byte - b'0')))
        .ok_or(TOO_LONG)?;
    let places = |length: usize| i64::try_from(length).expect("lengths are far below 2^63");
    Ok((digits, places(trailing_zeros) - places(fraction.len())))
}

/// `digits * 10^exponent`, at once whatever the exponent is.
fn scale_by_ten(digits: u128, exponent: i64) -> Result<u128, ScalarError> {
    match exponent {
        _ if digits == 0 => Ok(0),
        0.. => {
            let factor = u32::try_from(exponent).ok().and_then(|exponent| 10_u128.checked_pow(exponent));
            factor.and_then(|factor| digits.checked_mul(factor)).ok_or(OUT_OF_RANGE)
        }
        // The digits end in none that ten divides.
        ..0 => Err(TOO_FINE),
    }
}

/// `digits * 2^power * 10^exponent`: the fives of the ten are taken out first, so that nothing overflows on the way.
fn scale_by_two_and_ten(digits: u128, power: u32, exponent: i64) -> Result<u128, ScalarError> {
    if exponent >= 0 || digits == 0 {
        let factor = 1_u128 << power;
        return scale_by_ten(digits, exponent)?.checked_mul(factor).ok_or(OUT_OF_RANGE);
    }
    // 5^55 is the last power of five in 128 bits.
    let fives =
        exponent.checked_neg().and_then(|e| u32::try_from(e).ok()).filter(|&e| e <= 55).ok_or(TOO_FINE)?;
    let odd = exact_quotient(digits, 5_u128.pow(fives))?;
    if fives > power {
        exact_quotient(odd, 1 << (fives - power))
    } else {
        odd.checked_mul(1 << (power - fives)).ok_or(OUT_OF_RANGE)
    }
}

/// `digits * 10^exponent`, rounded up, for an exponent below 0.
fn rounded(digits: Option<u128>, exponent: i64) -> Result<u128, ScalarError> {
    let digits = digits.ok_or(TOO_LONG)?;
    let divisor =
        u32::try_from(exponent.unsigned_abs()).ok().and_then(|exponent| 10_u128.checked_pow(exponent));
    Ok(divisor.map_or(u128::from(digits > 0), |divisor| digits.div_ceil(divisor)))
}

/// `digits / divisor` if nothing is left over.
fn exact_quotient(digits: u128, divisor: u128) -> Result<u128, ScalarError> {
    if digits.is_multiple_of(divisor) { Ok(digits / divisor) } else { Err(TOO_FINE) }
}

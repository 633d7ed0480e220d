//! Doubles as Go's `strconv.ParseFloat` reads them.
//!
//! In: text. Out: a double. Must never know: who converts it.

/// The bits of a double's mantissa, and the exponents of its range.
const PRECISION: i64 = 53;
const LEAST: i64 = -1022;
const MOST: i64 = 1023;

/// Digits may be separated by underscores, what is beyond all doubles is none, and NaN has no sign.
pub(super) fn read_double(text: &str) -> Option<f64> {
    let bytes = text.as_bytes();
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if let Some(digits) = unsigned.strip_prefix("0x").or_else(|| unsigned.strip_prefix("0X")) {
        let size = hexadecimal(digits)?;
        return Some(if text.starts_with('-') { -size } else { size });
    }
    if unsigned.len() < text.len() && unsigned.eq_ignore_ascii_case("nan") {
        return None;
    }
    let is_digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let between =
        |(at, byte): (usize, &u8)| *byte != b'_' || (at > 0 && is_digit(at - 1) && is_digit(at + 1));
    if !bytes.iter().enumerate().all(between) {
        return None;
    }
    let value: f64 = text.replace('_', "").parse().ok()?;
    let is_named = bytes.iter().any(|byte| byte.eq_ignore_ascii_case(&b'n'));
    (value.is_finite() || is_named).then_some(value)
}

/// What follows `0x`: hexadecimal digits, and how often they are doubled, without which they are no double.
fn hexadecimal(text: &str) -> Option<f64> {
    let (mantissa, exponent) = text.split_once(['p', 'P'])?;
    let bytes = text.as_bytes();
    let is_digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_hexdigit);
    // The prefix counts as a digit.
    let between =
        |(at, byte): (usize, &u8)| *byte != b'_' || ((at == 0 || is_digit(at - 1)) && is_digit(at + 1));
    if !bytes.iter().enumerate().all(between) {
        return None;
    }
    let (mut digits, mut scale, mut point, mut any) = (0_u64, 0_i64, false, false);
    for byte in mantissa.bytes() {
        match byte {
            b'_' => continue,
            b'.' if !point => {
                point = true;
                continue;
            }
            _ => {}
        }
        let digit = char::from(byte).to_digit(16)?;
        any = true;
        if digits >> 60 == 0 {
            digits = digits << 4 | u64::from(digit);
            scale -= if point { 4 } else { 0 };
        } else {
            // Of what no longer fits it matters only whether it is 0.
            digits |= u64::from(digit != 0);
            scale += if point { 0 } else { 4 };
        }
    }
    let exponent = exponent.replace('_', "");
    let is_number = |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if !any || !is_number(exponent.strip_prefix(['+', '-']).unwrap_or(&exponent)) {
        return None;
    }
    // What is longer than 64 bits is beyond all doubles either way.
    let beyond = if exponent.starts_with('-') { i64::MIN / 2 } else { i64::MAX / 2 };
    let exponent = exponent.parse().unwrap_or(beyond).clamp(i64::MIN / 2, i64::MAX / 2);
    scaled(digits, exponent + scale)
}

/// `digits` times 2 to the power of `exponent`, rounded to the nearest double, to an even one of two.
#[allow(clippy::cast_precision_loss)]
fn scaled(digits: u64, exponent: i64) -> Option<f64> {
    if digits == 0 {
        return Some(0.0);
    }
    let bits = i64::from(u64::BITS - digits.leading_zeros());
    let highest = exponent.saturating_add(bits - 1);
    if highest > MOST {
        return None;
    }
    // The smallest doubles have fewer bits.
    let kept = PRECISION - (LEAST - highest).max(0);
    let cut = bits - kept;
    if cut > 64 {
        return Some(0.0);
    }
    let (mut digits, mut exponent) = (u128::from(digits), exponent);
    if cut > 0 {
        let (rest, half) = (digits & ((1 << cut) - 1), 1_u128 << (cut - 1));
        digits >>= cut;
        exponent += cut;
        digits += u128::from(rest > half || (rest == half && digits & 1 == 1));
    }
    // In two steps, for one may be beyond the powers that a double has.
    let value = digits as f64 * power(exponent / 2) * power(exponent - exponent / 2);
    value.is_finite().then_some(value)
}

/// 2 to the power of an exponent that a double has.
fn power(exponent: i64) -> f64 {
    f64::from_bits((exponent + MOST).unsigned_abs() << (PRECISION - 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_doubles_are_rounded_to_the_nearest() {
        for (text, expected) in [
            ("0x1p-2", Some(0.25)),
            ("-0X1.8P1", Some(-3.0)),
            ("0x.8p+1", Some(1.0)),
            ("0x_1_0p0", Some(16.0)),
            ("0x1p-1074", Some(5e-324)),
            ("0x1p-1075", Some(0.0)),
            ("0x1.8p-1075", Some(5e-324)),
            ("0x1p-99999999999999999999", Some(0.0)),
            ("0x0p99999999999999999999", Some(0.0)),
            ("0x1.fffffffffffffp1023", Some(f64::MAX)),
            ("0x1.fffffffffffff8p1023", None),
            ("0x1p1024", None),
            ("0x1p99999999999999999999", None),
            ("0x1.00000000000008p0", Some(1.0)),
            ("0x1.000000000000080000000000000000001p0", Some(1.0 + f64::EPSILON)),
            ("0x1.00000000000018p0", Some(1.0 + 2.0 * f64::EPSILON)),
            ("0x10000000000000000000p0", Some(75_557_863_725_914_323_419_136.0)),
            ("0x1", None),
            ("0xp1", None),
            ("0x.p1", None),
            ("0x1p", None),
            ("0x1__0p1", None),
            ("0x1p+-1", None),
            ("0x1.2.3p1", None),
            ("NaN", Some(f64::NAN)),
            ("+NaN", None),
            ("-inf", Some(f64::NEG_INFINITY)),
        ] {
            let same = |read: f64| expected.is_some_and(|wanted| wanted.to_bits() == read.to_bits());
            let found = read_double(text);
            assert!(
                found.map_or(expected.is_none(), |read| same(read) || read.is_nan()),
                "{text}: {found:?}"
            );
        }
    }
}

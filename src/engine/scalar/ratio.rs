//! The double nearest to a fraction of whole numbers.
//!
//! In: numerator and denominator. Out: a double, rounded once. Must never know: what the numbers stand for.

/// The double nearest to `numerator / denominator`, ties to even.
///
/// # Panics
///
/// If `denominator` is 0 or not below 2^95: room for 2^64 values in billionths.
pub(crate) fn nearest_double(numerator: i128, denominator: u128) -> f64 {
    assert!(denominator != 0 && denominator >> 95 == 0, "the denominator is in 1..2^95");
    let size = numerator.unsigned_abs();
    let (mut quotient, mut rest) = (size / denominator, size % denominator);
    let mut fraction_bits = 0;
    // 55 bits hold a significand, its rounding bit and a last one that tells whether anything follows.
    while quotient >> 54 == 0 && rest != 0 {
        quotient = (quotient << 32) | ((rest << 32) / denominator);
        rest = (rest << 32) % denominator;
        fraction_bits += 32;
    }
    let magnitude = rounded(quotient | u128::from(rest != 0)) * power_of_two(-fraction_bits);
    if numerator < 0 { -magnitude } else { magnitude }
}

/// Rust's conversion rounds to nearest, ties to even.
#[allow(clippy::cast_precision_loss)]
fn rounded(whole: u128) -> f64 {
    whole as f64
}

/// Exactly `2^exponent`, for exponents of normal doubles.
fn power_of_two(exponent: i32) -> f64 {
    f64::from_bits(u64::try_from(1023 + exponent).expect("the exponent is that of a normal double") << 52)
}

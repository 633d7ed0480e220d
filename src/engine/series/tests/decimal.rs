//! Exact decimal numbers, slow and plain: the oracle of the sums.
//!
//! Every double is a decimal of at most 309 digits before the point and 1,074 after it, which Rust prints in full; and Rust
//! reads a decimal of any length to the nearest double. What is in between is addition as taught in school.

use super::Amount;

/// Digits after the point: those of any double, and enough to tell on which side of a midpoint a quotient lies.
const AFTER: usize = 1_140;
const BEFORE: usize = 330;

/// A signed decimal, the most significant digit first.
#[derive(Clone, Debug)]
pub(super) struct Decimal {
    negative: bool,
    digits: Vec<u8>,
}

impl Default for Decimal {
    fn default() -> Self {
        Decimal { negative: false, digits: vec![0; BEFORE + AFTER] }
    }
}

impl Decimal {
    pub(super) fn of(amount: Amount) -> Self {
        match amount {
            Amount::Unit => Decimal::read("1"),
            Amount::Integer(integer) => Decimal::read(&integer.to_string()),
            Amount::Double(double) => Decimal::read(&format!("{double:.1074}")),
            Amount::Nanos(nanos) => {
                let (sign, size) = (if nanos.get() < 0 { "-" } else { "" }, nanos.get().unsigned_abs());
                Decimal::read(&format!("{sign}{}.{:09}", size / 1_000_000_000, size % 1_000_000_000))
            }
        }
    }

    fn read(text: &str) -> Self {
        let (negative, text) = text.strip_prefix('-').map_or((false, text), |size| (true, size));
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let padded = format!("{whole:0>BEFORE$}{fraction:0<AFTER$}");
        Decimal { negative, digits: padded.bytes().map(|byte| byte - b'0').collect() }
    }

    pub(super) fn add(&mut self, other: &Self) {
        if self.negative == other.negative {
            let mut carry = 0;
            for (digit, more) in self.digits.iter_mut().zip(&other.digits).rev() {
                let total = *digit + more + carry;
                (*digit, carry) = (total % 10, total / 10);
            }
        } else if self.digits >= other.digits {
            take_away(&mut self.digits, &other.digits);
        } else {
            let mut digits = other.digits.clone();
            take_away(&mut digits, &self.digits);
            *self = Decimal { negative: other.negative, digits };
        }
    }

    /// The nearest double of `self / divisor`. A zero sum is 0.0.
    pub(super) fn quotient(&self, divisor: u64) -> f64 {
        if self.digits.iter().all(|&digit| digit == 0) {
            return 0.0;
        }
        let mut text = String::from(if self.negative { "-" } else { "" });
        let mut rest = 0_u128;
        for (index, &digit) in self.digits.iter().enumerate() {
            if index == BEFORE {
                text.push('.');
            }
            rest = rest * 10 + u128::from(digit);
            text.push_str(&(rest / u128::from(divisor)).to_string());
            rest %= u128::from(divisor);
        }
        text.push(if rest == 0 { '0' } else { '1' });
        text.parse().unwrap()
    }

    /// `self / divisor` without its fraction, if that fits 64 bits.
    pub(super) fn whole_quotient(&self, divisor: u64) -> Option<i64> {
        let whole: String = self.digits[..BEFORE].iter().map(|&digit| char::from(b'0' + digit)).collect();
        let size = whole.trim_start_matches('0');
        let size: i128 = if size.is_empty() { 0 } else { size.parse().ok()? };
        let size = size / i128::from(divisor);
        i64::try_from(if self.negative { -size } else { size }).ok()
    }
}

/// `digits - less`, which is not more.
fn take_away(digits: &mut [u8], less: &[u8]) {
    let mut borrow = 0;
    for (digit, take) in digits.iter_mut().zip(less).rev() {
        let total = 10 + *digit - take - borrow;
        (*digit, borrow) = (total % 10, u8::from(total < 10));
    }
}

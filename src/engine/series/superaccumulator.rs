//! A sum of doubles without any rounding.
//!
//! In: finite doubles, added and subtracted. Out: the exact sum divided by a whole number, rounded once. Must never know:
//! NaN, infinities, why something is added.

/// The exact sum of any finite doubles, as a fixed-point number of up to 2,200 bits.
///
/// Limb `i` weighs `2^(32 * i + LOWEST)`. Only the limbs from the lowest to the highest that an addition has touched are
/// kept: about five where values are of like size, 68 at most.
///
/// Invariant: a limb is at most `2^32 * (additions + 1)` in size, so `MOST_ADDITIONS` between two carries fit 64 bits.
#[derive(Clone, Debug, Default)]
pub(super) struct Superaccumulator {
    limbs: Vec<i64>,
    /// The number of the first limb that is kept.
    first: usize,
    /// Additions since carries were last passed on.
    additions: u32,
}

const LIMB_BITS: usize = 32;
const LIMB_MASK: i64 = 0xffff_ffff;
/// Few in tests, so that carries happen there.
const MOST_ADDITIONS: u32 = if cfg!(test) { 5 } else { 1 << 30 };
/// The smallest double is 2^-1074; one limb below it lets a quotient be rounded there.
const LOWEST: i32 = -1074 - 32;

// === impl Superaccumulator ===

impl Superaccumulator {
    /// What its limbs take, in bytes.
    pub(super) fn outside(&self) -> usize {
        self.limbs.len() * size_of::<i64>()
    }

    pub(super) fn add(&mut self, finite: f64) {
        let (fraction, exponent) = (finite.to_bits() & ((1 << 52) - 1), finite.to_bits() >> 52 & 0x7ff);
        // A double is significand * 2^(max(exponent, 1) - 1075).
        let significand = if exponent == 0 { fraction } else { fraction | 1 << 52 };
        let position = usize::try_from(exponent.max(1) - 1).expect("an exponent has 11 bits") + LIMB_BITS;
        let mut parts = u128::from(significand) << (position % LIMB_BITS);
        let mut limb = position / LIMB_BITS;
        while parts != 0 {
            let part = i64::try_from(parts & u128::from(u32::MAX)).expect("masked to 32 bits");
            if part != 0 {
                *self.limb(limb) += if finite.is_sign_negative() { -part } else { part };
            }
            parts >>= LIMB_BITS;
            limb += 1;
        }
        self.additions += 1;
        if self.additions == MOST_ADDITIONS {
            self.pass_carries();
        }
    }

    pub(super) fn subtract(&mut self, finite: f64) {
        self.add(-finite);
    }

    pub(super) fn is_zero(&self) -> bool {
        self.magnitude().1.iter().all(|&digit| digit == 0)
    }

    /// The double nearest to the sum divided by `divisor`, ties to even; infinite beyond the range of doubles. A sum of
    /// zero is 0.0; what is rounded to zero keeps its sign.
    pub(super) fn quotient(&self, divisor: u64) -> f64 {
        let (negative, digits) = self.magnitude();
        let divisor = u128::from(divisor);
        let (mut quotient, mut rest) = (0_u128, 0_u128);
        let mut index = self.first + digits.len();
        // Long division until 65 bits are known: a significand, its rounding bit, and more.
        while index > 0 && quotient >> 64 == 0 && !(quotient == 0 && rest == 0 && index <= self.first) {
            index -= 1;
            let digit = index.checked_sub(self.first).map_or(0, |kept| digits[kept]);
            rest = (rest << LIMB_BITS) | u128::from(digit);
            quotient = (quotient << LIMB_BITS) | (rest / divisor);
            rest %= divisor;
        }
        let more = digits.iter().take(index.saturating_sub(self.first)).any(|&digit| digit != 0);
        let exponent = LOWEST + i32::try_from(index * LIMB_BITS).expect("there are at most 70 limbs");
        let size = nearest(quotient | u128::from(more || rest != 0), exponent);
        if negative { -size } else { size }
    }

    /// The limb of that number, kept from now on.
    fn limb(&mut self, number: usize) -> &mut i64 {
        if self.limbs.is_empty() {
            self.first = number;
        }
        if number < self.first {
            self.limbs.splice(0..0, std::iter::repeat_n(0, self.first - number));
            self.first = number;
        }
        let at = number - self.first;
        if at >= self.limbs.len() {
            self.limbs.resize(at + 1, 0);
        }
        &mut self.limbs[at]
    }

    /// Makes all limbs 32 bits wide again, and the last signed.
    fn pass_carries(&mut self) {
        let mut carry = 0;
        for limb in &mut self.limbs {
            let total = *limb + carry;
            *limb = total & LIMB_MASK;
            carry = total >> LIMB_BITS;
        }
        match self.limbs.last_mut() {
            Some(last) if carry == -1 => *last -= LIMB_MASK + 1,
            _ if carry != 0 => self.limbs.push(carry),
            _ => {}
        }
        self.additions = 0;
    }

    /// Whether the sum is negative, and the digits of its size to base 2^32 from limb `first` on.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // Digits are cut out of limbs.
    fn magnitude(&self) -> (bool, Vec<u32>) {
        let mut digits = Vec::with_capacity(self.limbs.len() + 1);
        let mut carry = 0;
        for limb in &self.limbs {
            let total = limb + carry;
            digits.push(total as u32);
            carry = total >> LIMB_BITS;
        }
        digits.push(carry as u32);
        if carry < 0 {
            negate(&mut digits);
        }
        (carry < 0, digits)
    }
}

/// Negates a number in two's complement.
fn negate(digits: &mut [u32]) {
    let mut carry = true;
    for digit in digits {
        (*digit, carry) = (!*digit).overflowing_add(u32::from(carry));
    }
}

/// The double nearest to `size * 2^exponent`, ties to even. The lowest bit of `size` may stand for all that follows it, if
/// there are 55 bits above it or it weighs less than 2^-1075.
fn nearest(size: u128, exponent: i32) -> f64 {
    const SIGNIFICAND: i32 = 53;
    const MOST: i32 = 1023;
    const LEAST: i32 = -1022;
    let Some(top) = size.checked_ilog2() else { return 0.0 };
    let top = i32::try_from(top).expect("below 128");
    let magnitude = exponent + top;
    if magnitude > MOST {
        return f64::INFINITY;
    }
    // Below the normal doubles, fewer bits are left of the significand.
    let dropped = top + 1 - (SIGNIFICAND - (LEAST - magnitude).max(0));
    let significand = round(size, dropped);
    // A significand that was rounded up to the next power of two carries into the exponent, as it should.
    let bits = if magnitude < LEAST {
        significand
    } else {
        (u64::try_from(magnitude - LEAST).expect("not below the least") << 52) + significand
    };
    f64::from_bits(bits)
}

/// `size / 2^dropped`, rounded to nearest, ties to even. At most 53 bits are left.
fn round(size: u128, dropped: i32) -> u64 {
    let narrow = |kept: u128| u64::try_from(kept).expect("at most 54 bits are kept");
    match u32::try_from(dropped) {
        Err(_) | Ok(0) => narrow(size << dropped.unsigned_abs()),
        // Less than half of the smallest double.
        Ok(128..) => 0,
        Ok(dropped) => {
            let (kept, rest, half) = (size >> dropped, size & ((1 << dropped) - 1), 1 << (dropped - 1));
            narrow(kept + u128::from(rest > half || rest == half && kept % 2 == 1))
        }
    }
}

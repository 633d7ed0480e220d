//! The number one object adds to one series.
//!
//! In: a number that an expression gave, as its metric's arithmetic reads it. Out: the same number, in 16 bytes. Must never
//! know: where it came from, how it is aggregated.

/// The number that one object contributes to one series, in the arithmetic of the metric. Kept per object: 16 bytes.
#[derive(Clone, Copy, Debug)]
pub enum Amount {
    /// The object counts, and no more.
    Unit,
    /// Of an integer or, in Unix seconds, a timestamp.
    Integer(i64),
    /// Of a quantity or, in seconds, a duration.
    Nanos(Nanos),
    /// Of a double.
    Double(f64),
}

/// Billionths within ±2^95, which is ±39.6e18 whole ones.
///
/// The bound keeps an [`Amount`] at 16 bytes, and no sum of 2^32 of them leaves 128 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nanos {
    low: u32,
    middle: u32,
    high: i32,
}

// === impl Amount ===

impl PartialEq for Amount {
    /// Bit for bit: NaN equals itself, and 0.0 is not -0.0.
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Amount::Unit, Amount::Unit) => true,
            (Amount::Integer(a), Amount::Integer(b)) => a == b,
            (Amount::Nanos(a), Amount::Nanos(b)) => a == b,
            (Amount::Double(a), Amount::Double(b)) => a.to_bits() == b.to_bits(),
            _ => false,
        }
    }
}

impl Eq for Amount {}

// === impl Nanos ===

impl Nanos {
    /// So many billionths, if they are within the range.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // Taking the number apart is the purpose.
    pub fn new(billionths: i128) -> Option<Self> {
        let high = i32::try_from(billionths >> 64).ok()?;
        Some(Nanos { low: billionths as u32, middle: (billionths >> 32) as u32, high })
    }

    /// The billionths.
    pub fn get(self) -> i128 {
        i128::from(self.high) << 64 | i128::from(self.middle) << 32 | i128::from(self.low)
    }
}

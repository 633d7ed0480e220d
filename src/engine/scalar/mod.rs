//! The scalar types that Kubernetes writes as strings: quantities, durations, points in time, versions, addresses, URLs.
//!
//! In: text. Out: what it stands for, exactly. Must never know: rows, expressions, series.

mod quantity;
mod held;
mod duration;
mod timestamp;
mod semver;
mod network;
mod url;
mod format;
mod ratio;
#[cfg(test)]
mod tests;

pub use duration::Duration;
pub use format::Format;
pub use held::Held;
pub use network::{Cidr, Ip};
pub use quantity::Quantity;
pub use semver::Semver;
pub use timestamp::{Offset, Timestamp};
pub use url::Url;

pub(crate) use ratio::nearest_double;

/// Why a text is not the scalar it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ScalarError(pub &'static str);

/// The billionths in one.
const GIGA: i64 = 1_000_000_000;

/// Splits `text` after its leading decimal digits.
fn split_digits(text: &str) -> (&str, &str) {
    let end = text.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    text.split_at(end)
}

/// Writes `.5` for 500,000,000 billionths: as many digits as it takes, nothing for 0.
fn write_fraction(f: &mut std::fmt::Formatter<'_>, billionths: u64) -> std::fmt::Result {
    if billionths == 0 {
        return Ok(());
    }
    let digits = format!("{billionths:09}");
    write!(f, ".{}", digits.trim_end_matches('0'))
}

//! The scalar types that Kubernetes writes as strings: quantities, durations, points in time.
//!
//! In: text. Out: exact numbers. Must never know: rows, expressions, series.

mod quantity;
mod duration;
mod timestamp;

pub use duration::Duration;
pub use quantity::Quantity;
pub use timestamp::Timestamp;

/// Why a text is not the scalar it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ScalarError(pub &'static str);

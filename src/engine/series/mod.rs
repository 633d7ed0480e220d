//! Contributions → exact aggregates → what changed since the last flush.
//!
//! In: which attributes an object contributes to, with which number; the same again to take it back. Out: at a flush,
//! the changed rows of the metric's table. Must never know: objects, plans, expressions, who reads the table.
//!
//! [`SeriesStore`] holds the series of one metric; each has an [`Accumulator`], which takes [`Amount`]s. No aggregate
//! remembers its history: what is left after any additions and retractions equals, to the bit, what the remaining
//! amounts alone would give.

mod amount;
mod accumulator;
mod doubles;
mod superaccumulator;
mod extremes;
mod store;
mod identity;
#[cfg(test)]
mod tests;

pub use accumulator::Accumulator;
pub use amount::{Amount, Nanos};
pub use identity::SeriesKey;
pub use store::SeriesStore;

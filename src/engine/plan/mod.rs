//! What one metric makes of one row.
//!
//! In: a definition, and rows. Out: contributions. Must never know: other objects, series.

pub(crate) mod text;

//! What the targets share: rows as JSON, and expressions asked of a set of objects.
//!
//! In: an input of the fuzzer. Out: nothing, or a panic that says which promise was broken. Must never know: what is
//! private to the engine; targets see what any user of the crates sees.

pub mod ask;
pub mod json;
pub mod objects;
pub mod show;

//! Steps over JSON that no plan reads, checking structure, strings and nesting but not the grammar of numbers.
//!
//! In: bytes and a position. Out: the position after the value. Must never know: field plans.

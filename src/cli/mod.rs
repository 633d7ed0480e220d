//! One file for each command, and what they share: reading input, printing.
//!
//! In: arguments, files, standard input. Out: standard output and standard error. Must never know: how anything is done.

pub mod input;
pub mod metrics;
pub mod crds;

//! The whole program from outside, one binary.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod tidy;
mod oracle;
mod snapshots;
mod exposition;
mod formats;
mod admin;

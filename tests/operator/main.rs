//! The whole program from outside, one binary.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

// The borders of the sources.
mod tidy;
// The binary as a process.
mod program;
mod command;
mod demo;
mod expr;
mod conformance;
mod kubernetes;
mod generated;
mod documented;
mod declared;
mod check;
mod check_kinds;
mod explain;
mod manual;
mod examples;
mod recorded;
mod simulated;
// What it exports, and who can read that.
mod oracle;
mod snapshots;
mod expected;
mod exposition;
mod formats;
mod admin;
mod otlp;

//! Prints the whole table of ratios, from what the other benches have measured. Cargo runs benches in the order of their
//! names, so `cargo bench -p celemetry-engine` ends with it. What it shows: `benches/README.md`.
//!
//! Run: `cargo bench -p celemetry-engine --bench ratios`

#[path = "ratios/mod.rs"]
mod ratios;

fn main() {
    ratios::print("");
}

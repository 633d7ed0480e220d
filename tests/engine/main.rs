//! The engine against a naive model, and against tables of cases.

mod model;
mod world;
mod cases;
mod lifecycle;
mod namespaces;
mod confidential;
mod incremental;
mod example;

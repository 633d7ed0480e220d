//! The engine against a naive model, and against tables of cases.

mod model;
mod vocabulary;
mod world;
mod cluster;
mod trial;
mod cases;
mod lifecycle;
mod namespaces;
mod confidential;
mod hostile;
mod incremental;
mod audit;
mod sharing;
mod example;

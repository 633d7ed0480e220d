//! A simulated cluster: objects such as an API server shows them, and what happens to them.
//!
//! In: how many objects, a seed. Out: lists and watch events as JSON, and the objects themselves to be counted by other
//! means. Must never know: metrics, the engine, channels, clocks. Pure: the same settings give the same bytes.
//!
//! Time is the simulation's own: it stands still until an event is asked for, and then goes on to the moment at which
//! something happens. How fast events are asked for is the caller's affair.

mod random;
mod moment;
mod shelf;
pub mod state;
mod agenda;
mod body;
pub mod event;
mod cluster;
// What happens, by what it happens to.
mod founding;
mod pods;
mod workloads;
mod jobs;
mod nodes;
mod tenants;

pub use cluster::{Cluster, Page, Settings};
pub use moment::Moment;
pub use shelf::{Id, Shelf};

#[cfg(test)]
mod tests;

//! Emitted: snapshots out, in the forms that people and collectors read.
//!
//! In: [`Snapshot`](celemetry_engine::snapshot::Snapshot)s. Out: text and JSON; nothing here does I/O.
//! Must never know: Kubernetes, the declared kinds, clusters, the coordinator.

pub mod profile;
pub mod resource;
pub mod names;
pub mod conflict;
mod attributes;
mod family;
mod number;
pub mod prometheus;
mod listing;
pub mod json;
pub mod table;
pub mod otlp_json;
pub mod otlp;
pub mod transport;
pub mod pipeline;

/// Something that went wrong with one object while a metric was evaluated.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ErrorRecord {
    /// The object that declares the metric, as `Kind/namespace/name`.
    pub source: String,
    /// Where the expression stands in that object, such as `spec.filter`.
    pub path: String,
    /// The object at fault, as `apiVersion/Kind/namespace/name`; without the namespace for cluster-scoped ones.
    pub object: String,
    /// What happened.
    pub message: String,
}

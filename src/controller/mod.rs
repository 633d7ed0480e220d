//! REGISTERED: declared kinds become registrations, and what becomes of them is said in their status.
//!
//! In: the kinds of `api`. Out: what the engine compiles, where to watch and where to send; statuses and Events. Must
//! never know: the insides of the engine, the cluster and the sinks.

mod message;
mod warning;
mod manifest;
mod selector;
mod field_selector;
mod lower;
pub mod schema;
mod defect;
pub mod declared;
pub mod names;
mod registered;
pub mod sinks;
pub mod metric;
mod tenancy;
pub mod status;
pub mod lease;

pub use field_selector::{FieldSelector, FieldSelectorError, FieldSelectorReason, parse_field_selector};
pub use lower::{
    BaseAttributes, DEFAULT_DEBOUNCE, DEFAULT_INTERVAL, LowerError, LowerOptions, Lowered, Mode, Objects,
    Profile, RemoteCluster, Target, base_attributes, lower, lower_in_part, matches,
};
pub(crate) use manifest::is_near;
pub use manifest::{
    Manifest, ManifestError, ManifestObject, PartialMetric, read_manifest, read_metric_in_part,
};
pub use selector::{SelectorError, parse_label_selector, print_label_selector};
pub use tenancy::Tenancy;
pub use warning::{Warning, WarningKind};

#[cfg(test)]
mod tests;

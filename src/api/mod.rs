//! DECLARED: the kinds that users write, as types.
//!
//! In: nothing. Out: types that `controller` reads, and the manifests that define them to an API server. Must never
//! know: every other module.
//!
//! The types are lenient: a choice is a string, a missing part is `None`, so that a wrong value is read, and reported
//! by `controller` with its place, instead of making the whole object unreadable. The schema is as strict as upstream's.

mod group;
mod target;
mod projection;
mod reference;
pub mod condition;
mod metric;
mod data_sink;
mod crd;

pub use condition::Condition;
pub use crd::{Column, Declared, custom_resource_definition};
pub use data_sink::{
    ApiKey, Authentication, Certificate, Connection, DataSink, DataSinkSpec, DataSinkStatus,
    SecretKeySelector,
};
pub use group::{Group, KINDS, VERSION};
pub use metric::{
    Cost, Dimension, ExpressionErrors, Flush, Limits, Metric, MetricSpec, MetricStatus, Observation,
};
pub use projection::{ForEach, Projection, ValueFrom};
pub use reference::{DataSinkRef, RemoteClusterAccessRef};
pub use target::{Target, TargetCache};

#[cfg(test)]
mod tests;

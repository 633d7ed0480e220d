//! The engine of celemetry: changes of JSON objects in, exact aggregates out.

pub mod definition;
pub mod error;
pub mod change;
pub mod row;
pub mod scalar;
pub mod expression;
mod index;
pub mod plan;
pub mod series;
mod source;
mod metric;
mod tenant;
mod engine;
mod instances;
mod apply;
mod flush;
pub mod snapshot;
mod hash;

pub use apply::Failure;
pub use engine::{Engine, Footprint, Options};
pub use metric::{Cost, ExpressionErrors, MetricStatus};

//! The engine of celemetry.

pub mod definition;
pub mod error;
pub mod change;
pub mod row;
pub mod scalar;
pub mod expression;
pub mod series;
mod plan;
pub mod snapshot;

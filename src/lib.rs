//! celemetry: the state of Kubernetes clusters as metrics.

pub mod api;
pub mod controller;
pub mod cli;
pub mod export;
pub mod telemetry;
pub mod admin;

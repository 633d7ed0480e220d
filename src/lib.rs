//! celemetry: the state of Kubernetes clusters as metrics.
//!
//! Two lanes, both read top to bottom. **Declared**: [`api`] holds the kinds that users write, [`controller`] turns them
//! into what the engine compiles. **Data**: [`cluster`] turns objects into changes, [`coordinator`] owns the engine
//! (the crate `celemetry-engine`) and drives it, [`export`] turns its snapshots into what collectors and people read.
//!
//! [`simulator`] is a cluster to try all this on, and knows nothing of it; [`apiserver`] serves it to other programs.
//!
//! A star, not a web: `cluster`, `coordinator` and `export` never name each other; [`run`] joins them with channels.

pub mod api;
pub mod controller;
pub mod cluster;
pub mod coordinator;
pub mod export;
pub mod run;
pub mod telemetry;
pub mod admin;
pub mod simulator;
pub mod apiserver;
pub mod cli;

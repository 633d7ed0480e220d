//! OBSERVED: objects in, changes out.
//!
//! In: bytes of objects, from wherever. Out: [`Change`](celemetry_engine::change::Change)s of rows on one bounded
//! channel. Must never know: the kinds users write, who owns the engine, who exports.

pub mod connect;
pub mod target;
pub mod fault;
mod backoff;
mod answer;
pub mod resource;
pub mod discovery;
pub mod openapi;
pub mod manager;
pub mod feed;
pub mod informer;
mod broken;
mod handler;
pub mod events;
pub mod namespaces;
pub mod router;
pub mod reread;
pub mod stream;
mod framing;

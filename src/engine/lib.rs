//! Changes of JSON objects in, exact aggregates out.
//!
//! A [`Definition`](definition::Definition) says which objects count, under which attributes, with which number. The
//! [`Engine`] compiles it once, takes changes of objects as they come, and keeps every aggregate right after each: the
//! cost of a change does not depend on how many objects there are, no object is kept, and no history shows in a sum.
//!
//! Counting, in full:
//!
//! ```
//! use celemetry_engine::change::{Change, Origin};
//! use celemetry_engine::definition::Definition;
//! use celemetry_engine::row::{Decoder, Defaults};
//! use celemetry_engine::{Engine, Options};
//!
//! let mut engine = Engine::new(Options::default());
//! let source = engine.add_source();
//! engine.register(&Definition::count("pods").by("phase", "object.status.phase"), &[source]).unwrap();
//!
//! let fields = engine.field_plan(source).unwrap();
//! let mut decoder = Decoder::new(fields.clone());
//! engine.apply(source, Change::Begin { epoch: fields.epoch() }, &mut |_| {});
//! let pod = br#"{"metadata": {"uid": "a"}, "status": {"phase": "Running"}, "spec": {"skipped": true}}"#;
//! let row = decoder.decode(pod, Defaults::default()).unwrap();
//! engine.apply(source, Change::Upsert { row, origin: Origin::List }, &mut |_| {});
//! engine.apply(source, Change::End, &mut |_| {});
//!
//! let snapshot = engine.flush_all();
//! let table = snapshot.metrics.values().next().unwrap();
//! let series = table.sorted()[0];
//! assert_eq!((series.attributes.get("phase"), series.number.to_string()), (Some("Running"), "1".into()));
//! ```
//!
//! Aggregating a value of every element of a list, exactly:
//!
//! ```
//! use celemetry_engine::definition::{Aggregation, Definition, ValueKind};
//!
//! let cpu = Definition::count("cpu.requested")
//!     .filter("object.status.phase == 'Running'")
//!     .each("object.spec.containers")
//!     .by("namespace", "object.metadata.namespace")
//!     .aggregate(Aggregation::Sum, ValueKind::Quantity, "item.?resources.?requests.?cpu");
//! # let _ = cpu;
//! ```
//!
//! A definition that cannot work says why and where, before it meets an object:
//!
//! ```
//! use celemetry_engine::definition::Definition;
//! use celemetry_engine::{Engine, Options};
//!
//! let mut engine = Engine::new(Options::default());
//! let wrong = Definition::count("pods").filter("objct.status.phase == 'Running'");
//! let errors = engine.register(&wrong, &[]).unwrap_err();
//! assert_eq!(errors[0].to_string(), "filter:1:1: undeclared reference to 'objct' (did you mean 'object'?)");
//! ```
//!
//! Rules. The engine does no I/O, reads no clock, spawns nothing and logs nothing; the same changes give the same
//! snapshots. A source is one ordered stream of changes; the last change of an object wins. Whatever is registered belongs
//! to a later epoch of its sources, and is complete once a list of that epoch has ended: see [`change::Change`].

pub mod definition;
pub mod error;
pub mod change;
pub mod row;
pub mod scalar;
pub mod expression;
mod index;
pub mod plan;
pub mod explain;
pub mod schema;
pub mod series;
mod source;
mod metric;
mod tenant;
mod engine;
mod instances;
mod apply;
mod flush;
pub mod audit;
pub mod snapshot;
mod hash;

pub use apply::Failure;
pub use engine::{Engine, Footprint, Options, SeriesLimits};
pub use metric::{Cost, ExpressionErrors, MetricStatus};

//! Series as OTLP messages.
//!
//! In: points. Out: export requests, encoded. Must never know: who sends them, and what becomes of them.

pub mod request;

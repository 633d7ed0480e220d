//! What a row must answer, by tables and against a naive model.

mod model;
mod documents;
mod framing;
mod table;
mod properties;

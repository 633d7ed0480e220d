//! Text in either language → one expression tree → a value.
//!
//! In: a [`Formula`](crate::definition::Formula), the fields that it may read, and at run time a row. Out: values
//! or nodes. Must never know: metrics, series, sources.

mod value;
mod rfc9535;
mod kubectl;
pub(crate) mod query;

pub use value::{MapValue, Text, Value};

use crate::row::{FieldId, NodeRef, Row};

/// What variables an expression may use, besides `object`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Scope {
    /// Whether `item` and `index` (or `key`) exist, and what `item` is.
    pub item: Option<ItemScope>,
}

/// What `item` is while every element contributes by itself.
#[derive(Clone, Copy, Debug)]
pub enum ItemScope {
    /// An element of a list of the object: this repeated field.
    Field(FieldId),
    /// A value that an expression made, or a subtree that is kept whole.
    Computed,
}

/// What the result of an expression is needed for, which decides what a row must keep of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Demand {
    /// All of it.
    Whole,
    /// Its elements one by one; what of them, later expressions tell.
    Elements,
}

/// The variables of one evaluation.
#[derive(Clone, Debug)]
pub struct Environment<'r> {
    /// The object.
    pub row: &'r Row,
    /// `item`, where the scope has it.
    pub item: Option<Value<'r>>,
    /// `index` of an element of a list, or `key` of an entry of a map.
    pub position: Option<Position<'r>>,
}

/// Where an item stands.
#[derive(Clone, Copy, Debug)]
pub enum Position<'r> {
    /// In a list, from 0.
    Index(i64),
    /// In a map.
    Key(&'r str),
}

/// What an evaluation may cost, in steps and in bytes. Deterministic: no clock is involved.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    /// What may still be done: an element visited, a call made, 16 bytes compared are one step each.
    pub steps: u64,
    /// What may still be built.
    pub bytes: u64,
}

/// What an expression gives.
#[derive(Clone, Debug)]
pub enum Outcome<'r> {
    /// The value of a CEL expression.
    Value(Value<'r>),
    /// The nodes that a JSONPath selects, in order.
    Nodes(Vec<NodeRef<'r>>),
}

/// A necessary condition of a filter: the scalar at `field` equals one of `keys`, or the filter is not true.
#[derive(Clone, Debug, PartialEq)]
pub struct Equality {
    /// A field that is not repeated.
    pub field: FieldId,
    /// Typed as CEL's equality: 1 equals 1.0, never "1".
    pub keys: Vec<ScalarKey>,
}

/// A scalar as a key of the index.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ScalarKey {
    /// `null`
    Null,
    /// A Bool.
    Bool(bool),
    /// A whole number below 2^53 in size, whichever way it is written.
    Integer(i64),
    /// Any other number: the bits of its double.
    Double(u64),
    /// A string.
    String(Box<str>),
}

//! The values that expressions compute with.
//!
//! Values borrow from the row they were read from wherever they can; what is built is shared, never copied deeply.

use std::sync::Arc;

use crate::row::NodeRef;
use crate::scalar::{Duration, Quantity, Timestamp};

/// A value of CEL. `'r` is the row's lifetime.
#[derive(Clone, Debug)]
pub enum Value<'r> {
    /// `null`
    Null,
    /// `bool`
    Bool(bool),
    /// `int`
    Int(i64),
    /// `uint`
    Uint(u64),
    /// `double`
    Double(f64),
    /// `string`
    String(Text<'r>),
    /// `bytes`
    Bytes(Arc<[u8]>),
    /// `list`, built by an expression
    List(Arc<[Value<'r>]>),
    /// `map`, built by an expression
    Map(Arc<MapValue<'r>>),
    /// `google.protobuf.Timestamp`
    Timestamp(Timestamp),
    /// `google.protobuf.Duration`
    Duration(Duration),
    /// Kubernetes' `Quantity`
    Quantity(Quantity),
    /// A type, by its name.
    Type(Arc<str>),
    /// `optional_type`
    Optional(Option<Arc<Value<'r>>>),
    /// A list or map of the row. Invariant: scalars of the row are converted when they are read, so this is never one.
    Node(NodeRef<'r>),
}

/// A string, of the row or built.
#[derive(Clone, Debug)]
pub enum Text<'r> {
    /// Of the row or of the expression.
    Borrowed(&'r str),
    /// Built.
    Shared(Arc<str>),
}

/// A map built by an expression.
#[derive(Clone, Debug, Default)]
pub struct MapValue<'r> {
    /// Entries in key order: bool, then numbers by value, then strings.
    pub entries: Vec<(Value<'r>, Value<'r>)>,
}

impl Text<'_> {
    /// The characters.
    pub fn as_str(&self) -> &str {
        match self {
            Text::Borrowed(text) => text,
            Text::Shared(text) => text,
        }
    }
}

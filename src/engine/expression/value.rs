//! The values that expressions compute with.
//!
//! In: nodes of a row, and what expressions build. Out: values that borrow from the row wherever they can; what is
//! built is shared, never copied deeply. Must never know: expressions.

use std::sync::Arc;

use super::{Budget, Position};
use crate::error::EvaluationError;
use crate::row::{Kind, NodeRef};
use crate::scalar::{Cidr, Duration, Format, Held, Ip, Offset, Quantity, Semver, Timestamp, Url};

/// A value of CEL. `'r` is the row's lifetime.
///
/// Its kind takes a whole word, and nothing in it is aligned to more than one: so it is four words, and copied as such.
/// Payloads that may begin anywhere are copied piece by piece, each of which waits for the one before.
#[derive(Clone, Debug)]
#[repr(u64)]
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
    /// `google.protobuf.Timestamp`, and the offset that it was written with and is written with again
    Timestamp(Timestamp, Offset),
    /// `google.protobuf.Duration`
    Duration(Duration),
    /// Kubernetes' `Quantity`, and how it is held there
    Quantity(Quantity, Held),
    /// Kubernetes' `Semver`
    Semver(Arc<Semver>),
    /// `net.IP`
    Ip(Ip),
    /// `net.CIDR`
    Cidr(Cidr),
    /// Kubernetes' `URL`
    Url(Arc<Url>),
    /// Kubernetes' `NamedFormat`
    Format(Format),
    /// A type, by its name.
    Type(Arc<str>),
    /// `optional_type`
    Optional(Option<Arc<Value<'r>>>),
    /// A list or map of the row. A scalar of the row is converted when it is read; it stays a node only where the row
    /// holds no more than its kind, because no expression reads its value.
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

/// The members of a list of either origin, in order.
#[derive(Clone)]
pub(crate) enum ListItems<'a, 'r> {
    Row(crate::row::Items<'r>),
    Built(std::slice::Iter<'a, Value<'r>>),
}

// === impl Value ===

impl<'r> Value<'r> {
    /// The value of a node: whole-number literals that fit are `int`, other numbers `double`; lists, maps and scalars
    /// that were not kept stay nodes.
    pub fn from_node(node: NodeRef<'r>) -> Value<'r> {
        let scalar = match node.kind() {
            Kind::Null => Some(Value::Null),
            Kind::Bool => node.as_bool().map(Value::Bool),
            Kind::Number => node.as_number().map(Value::from_number),
            Kind::String => node.as_str().map(|text| Value::String(Text::Borrowed(text))),
            Kind::List | Kind::Map => None,
        };
        scalar.unwrap_or(Value::Node(node))
    }

    /// As [`from_node`](Self::from_node); a number takes the steps for reading its text, however long it is.
    pub(super) fn read_node(node: NodeRef<'r>, budget: &mut Budget) -> Result<Value<'r>, EvaluationError> {
        if let Some(text) = node.as_number() {
            budget.read(text.len())?;
        }
        Ok(Value::from_node(node))
    }

    /// The value of a number as JSON writes it.
    pub(crate) fn from_number(text: &str) -> Value<'r> {
        if let Ok(whole) = text.parse() {
            return Value::Int(whole);
        }
        Value::Double(text.parse().expect("the decoder admits JSON numbers only"))
    }

    /// A built string.
    pub fn text(text: impl Into<Arc<str>>) -> Value<'r> {
        Value::String(Text::Shared(text.into()))
    }

    /// The text that a scalar is written as which JSON has no form for: a timestamp, a quantity, an address and the like.
    pub fn written(&self) -> Option<String> {
        Some(match self {
            Value::Timestamp(value, _) => value.to_string(),
            Value::Duration(value) => value.to_cel(),
            Value::Quantity(value, _) => value.to_string(),
            Value::Semver(value) => value.to_string(),
            Value::Ip(value) => value.to_string(),
            Value::Cidr(value) => value.to_string(),
            Value::Url(value) => value.to_string(),
            Value::Format(value) => value.name().to_owned(),
            Value::Type(name) => (**name).to_owned(),
            Value::Null
            | Value::Bool(_)
            | Value::Int(_)
            | Value::Uint(_)
            | Value::Double(_)
            | Value::String(_)
            | Value::Bytes(_)
            | Value::Optional(_)
            | Value::List(_)
            | Value::Map(_)
            | Value::Node(_) => return None,
        })
    }

    /// The name of the value's type, as `type()` gives it. Of a number that was not kept, `double`.
    pub fn type_name(&self) -> &'static str {
        match self {
            Value::Null => "null_type",
            Value::Bool(_) => "bool",
            Value::Int(_) => "int",
            Value::Uint(_) => "uint",
            Value::Double(_) => "double",
            Value::String(_) => "string",
            Value::Bytes(_) => "bytes",
            Value::List(_) => "list",
            Value::Map(_) => "map",
            Value::Timestamp(..) => "google.protobuf.Timestamp",
            Value::Duration(_) => "google.protobuf.Duration",
            Value::Quantity(..) => "kubernetes.Quantity",
            Value::Semver(_) => "kubernetes.Semver",
            Value::Ip(_) => "net.IP",
            Value::Cidr(_) => "net.CIDR",
            Value::Url(_) => "kubernetes.URL",
            Value::Format(_) => "kubernetes.NamedFormat",
            Value::Type(_) => "type",
            Value::Optional(_) => "optional_type",
            Value::Node(node) => match node.kind() {
                Kind::Null => "null_type",
                Kind::Bool => "bool",
                Kind::Number => "double",
                Kind::String => "string",
                Kind::List => "list",
                Kind::Map => "map",
            },
        }
    }

    /// The elements of a list with their indices, or the entries of a map with their keys, in key order. `None` for
    /// any other value, and for a map whose keys are not all strings.
    pub fn items(&self) -> Option<Vec<(Position<'r>, Value<'r>)>> {
        if let Some(items) = self.list_items() {
            return Some((0..).map(Position::Index).zip(items).collect());
        }
        match self {
            Value::Map(map) => {
                let entry = |(key, value): &(Value<'r>, Value<'r>)| match key {
                    Value::String(text) => Some((Position::Key(text.clone()), value.clone())),
                    _ => None,
                };
                map.entries.iter().map(entry).collect()
            }
            Value::Node(node) if node.kind() == Kind::Map => {
                let mut entries: Vec<_> = node.entries().collect();
                entries.sort_unstable_by_key(|(key, _)| *key);
                let entry = |(key, node)| (Position::Key(Text::Borrowed(key)), Value::from_node(node));
                Some(entries.into_iter().map(entry).collect())
            }
            _ => None,
        }
    }

    /// The number of elements of a list or entries of a map; `None` for any other value.
    pub fn len(&self) -> Option<usize> {
        match self {
            Value::List(items) => Some(items.len()),
            Value::Map(map) => Some(map.entries.len()),
            Value::Node(node) if matches!(node.kind(), Kind::List | Kind::Map) => Some(node.len()),
            _ => None,
        }
    }

    /// Whether this is a list or map without elements; `None` for any other value.
    pub fn is_empty(&self) -> Option<bool> {
        self.len().map(|length| length == 0)
    }

    /// The characters of a string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::String(text) => Some(text.as_str()),
            _ => None,
        }
    }

    /// The elements of a list.
    pub(crate) fn list_items(&self) -> Option<ListItems<'_, 'r>> {
        match self {
            Value::List(items) => Some(ListItems::Built(items.iter())),
            Value::Node(node) if node.kind() == Kind::List => Some(ListItems::Row(node.items())),
            _ => None,
        }
    }

    /// The same value, read where it is still a node.
    pub(super) fn read(self, budget: &mut Budget) -> Result<Value<'r>, EvaluationError> {
        match self {
            Value::Node(node) => Value::read_node(node, budget),
            value => Ok(value),
        }
    }

    /// The same value with nothing borrowed; `None` if it is part of a row.
    pub(super) fn into_owned(self) -> Option<Value<'static>> {
        Some(match self {
            Value::Null => Value::Null,
            Value::Bool(value) => Value::Bool(value),
            Value::Int(value) => Value::Int(value),
            Value::Uint(value) => Value::Uint(value),
            Value::Double(value) => Value::Double(value),
            Value::String(text) => Value::text(text.as_str()),
            Value::Bytes(bytes) => Value::Bytes(bytes),
            Value::List(items) => {
                let items: Option<Vec<_>> = items.iter().cloned().map(Value::into_owned).collect();
                Value::List(items?.into())
            }
            Value::Map(map) => {
                let entry = |(key, value): &(Value<'r>, Value<'r>)| {
                    Some((key.clone().into_owned()?, value.clone().into_owned()?))
                };
                let entries: Option<Vec<_>> = map.entries.iter().map(entry).collect();
                Value::Map(Arc::new(MapValue { entries: entries? }))
            }
            Value::Timestamp(value, offset) => Value::Timestamp(value, offset),
            Value::Duration(value) => Value::Duration(value),
            Value::Quantity(value, held) => Value::Quantity(value, held),
            Value::Semver(value) => Value::Semver(value),
            Value::Ip(value) => Value::Ip(value),
            Value::Cidr(value) => Value::Cidr(value),
            Value::Url(value) => Value::Url(value),
            Value::Format(value) => Value::Format(value),
            Value::Type(name) => Value::Type(name),
            Value::Optional(None) => Value::Optional(None),
            Value::Optional(Some(value)) => {
                Value::Optional(Some(Arc::new(Value::clone(&value).into_owned()?)))
            }
            Value::Node(_) => return None,
        })
    }
}

// === impl Text ===

impl Text<'_> {
    /// The characters.
    pub fn as_str(&self) -> &str {
        match self {
            Text::Borrowed(text) => text,
            Text::Shared(text) => text,
        }
    }
}

// === impl ListItems ===

impl<'r> ListItems<'_, 'r> {
    /// The next element, read within the budget.
    pub(super) fn read_next(&mut self, budget: &mut Budget) -> Result<Option<Value<'r>>, EvaluationError> {
        self.read_nth(0, budget)
    }

    /// The element behind the next `count`, for what looks into it or may not need it: of a row, the node.
    pub(super) fn bound_nth(&mut self, count: usize) -> Option<Value<'r>> {
        match self {
            ListItems::Row(nodes) => nodes.nth(count).map(Value::Node),
            ListItems::Built(values) => values.nth(count).cloned(),
        }
    }

    /// The element behind the next `count`, read within the budget; those before it are not read.
    pub(super) fn read_nth(
        &mut self,
        count: usize,
        budget: &mut Budget,
    ) -> Result<Option<Value<'r>>, EvaluationError> {
        match self {
            ListItems::Row(nodes) => nodes.nth(count).map(|node| Value::read_node(node, budget)).transpose(),
            ListItems::Built(values) => Ok(values.nth(count).cloned()),
        }
    }
}

impl<'r> Iterator for ListItems<'_, 'r> {
    type Item = Value<'r>;

    fn next(&mut self) -> Option<Value<'r>> {
        match self {
            ListItems::Row(nodes) => nodes.next().map(Value::from_node),
            ListItems::Built(values) => values.next().cloned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_four_words_with_or_without_what_may_be_in_their_place() {
        assert_eq!(size_of::<Value<'_>>(), 32);
        assert_eq!(size_of::<Option<Value<'_>>>(), 32);
        assert_eq!(size_of::<crate::expression::Outcome<'_>>(), 32);
    }
}

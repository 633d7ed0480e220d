//! Nodes of a row as `serde_json` would have read them.

use celemetry_engine::row::{Kind, NodeRef};
use serde_json::{Map, Value};

/// The value of a node that is kept whole; of duplicate members the last, numbers as `serde_json` reads their text.
///
/// # Panics
/// Where part of it is not kept.
pub fn value(node: NodeRef<'_>) -> Value {
    match node.kind() {
        Kind::Null => Value::Null,
        Kind::Bool => Value::Bool(node.as_bool().expect("the Bool is kept")),
        Kind::Number => {
            let text = node.as_number().expect("the number is kept");
            serde_json::from_str(text).expect("the number is one of JSON")
        }
        Kind::String => Value::String(node.as_str().expect("the string is kept").to_owned()),
        Kind::List => {
            let items: Vec<Value> = node.items().map(value).collect();
            assert_eq!(items.len(), node.len(), "a list counts its elements");
            items.into()
        }
        Kind::Map => {
            assert!(node.is_whole(), "the map is kept whole");
            let members: Map<_, _> =
                node.entries().map(|(name, member)| (name.to_owned(), value(member))).collect();
            assert_eq!(members.len(), node.len(), "a map counts its members, each name once");
            members.into()
        }
    }
}

/// What kind of node stands for a value.
pub fn kind(value: &Value) -> Kind {
    match value {
        Value::Null => Kind::Null,
        Value::Bool(_) => Kind::Bool,
        Value::Number(_) => Kind::Number,
        Value::String(_) => Kind::String,
        Value::Array(_) => Kind::List,
        Value::Object(_) => Kind::Map,
    }
}

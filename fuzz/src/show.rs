//! What an expression gives, as text: equal texts are equal answers, wherever the values lie.

use celemetry_engine::error::EvaluationError;
use celemetry_engine::expression::{Outcome, Position, Value};
use celemetry_engine::row::Kind;

use crate::json;

/// A value, nodes as JSON, or `error: …`.
pub fn outcome(outcome: &Result<Outcome<'_>, EvaluationError>) -> String {
    match outcome {
        Ok(Outcome::Value(found)) => value(found),
        Ok(Outcome::Nodes(nodes)) => {
            let nodes: Vec<String> =
                nodes.as_slice().iter().map(|node| value(&Value::from_node(*node))).collect();
            format!("nodes [{}]", nodes.join(", "))
        }
        Err(error) => format!("error: {error}"),
    }
}

/// A value in CEL's notation.
pub fn value(value: &Value<'_>) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Uint(value) => format!("{value}u"),
        Value::Double(value) => format!("{value:?}"),
        Value::String(text) => format!("{:?}", text.as_str()),
        Value::Type(name) => format!("type({name})"),
        Value::Optional(None) => "none".to_owned(),
        Value::Optional(Some(inner)) => format!("some({})", self::value(inner)),
        Value::Map(map) => {
            let entry = |(key, member): &(Value<'_>, Value<'_>)| {
                format!("{}: {}", self::value(key), self::value(member))
            };
            format!("{{{}}}", map.entries.iter().map(entry).collect::<Vec<_>>().join(", "))
        }
        Value::Node(node) if matches!(node.kind(), Kind::List | Kind::Map) => members(value),
        Value::Node(node) => format!("a {:?} that is not kept", json::kind(&json::value(*node))),
        Value::List(_) => members(value),
        other => format!("{other:?}"),
    }
}

fn members(value: &Value<'_>) -> String {
    let items = value.items().expect("lists and maps of a row have members");
    let items = items.iter().map(|(position, member)| match position {
        Position::Key(key) => format!("{:?}: {}", key.as_str(), self::value(member)),
        Position::Index(_) => self::value(member),
    });
    let items = items.collect::<Vec<_>>().join(", ");
    if value.type_name() == "map" { format!("{{{items}}}") } else { format!("[{items}]") }
}

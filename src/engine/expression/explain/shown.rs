//! What a part of an expression gave, to be shown.
//!
//! In: outcomes. Out: JSON, or why there is none. Must never know: expressions.

use serde_json::{Value as Json, json};

use super::super::{Outcome, Position, Value};
use crate::error::{CONFIDENTIAL, EvaluationError};

/// What was found.
#[derive(Clone, Debug, PartialEq)]
pub enum Shown {
    /// A value. What JSON does not have is a text: timestamps, quantities, `NaN`.
    Value(Json),
    /// Nothing: a path that selects nothing, an optional without value.
    Nothing,
    /// Why there is no value.
    Failed(String),
    /// It was not needed.
    Skipped,
}

/// How deep values are shown.
const MAX_DEPTH: usize = 128;

// === impl Shown ===

impl Shown {
    /// What an evaluation gave; where `discreet`, no more of it than whether it is true, or there.
    pub(super) fn of(outcome: &Result<Outcome<'_>, EvaluationError>, discreet: bool) -> Shown {
        match outcome {
            Ok(Outcome::Nodes(nodes)) => match nodes.as_slice() {
                [] => Shown::Nothing,
                _ if discreet => Shown::Value(CONFIDENTIAL.into()),
                [node] => Shown::Value(json_of(&Value::from_node(*node))),
                several => {
                    Shown::Value(several.iter().map(|node| json_of(&Value::from_node(*node))).collect())
                }
            },
            Ok(Outcome::Value(Value::Optional(None))) => Shown::Nothing,
            Ok(Outcome::Value(value @ (Value::Bool(_) | Value::Null))) => Shown::Value(json_of(value)),
            Ok(Outcome::Value(_)) if discreet => Shown::Value(CONFIDENTIAL.into()),
            Ok(Outcome::Value(value)) => Shown::Value(json_of(value)),
            Err(error) if discreet => Shown::Failed(error.discreet().to_string()),
            Err(error) => Shown::Failed(error.to_string()),
        }
    }

    /// Whether it is this bool.
    pub(super) fn is(&self, wanted: bool) -> bool {
        *self == Shown::Value(Json::Bool(wanted))
    }
}

/// A value as JSON.
pub(crate) fn json_of(value: &Value<'_>) -> Json {
    within(value, MAX_DEPTH)
}

fn within(value: &Value<'_>, depth: usize) -> Json {
    let Some(depth) = depth.checked_sub(1) else { return json!("…") };
    match value {
        Value::Null | Value::Optional(None) => Json::Null,
        Value::Bool(value) => json!(value),
        Value::Int(value) => json!(value),
        Value::Uint(value) => json!(value),
        Value::Double(value) if value.is_finite() => json!(value),
        Value::Double(value) => json!(value.to_string()),
        Value::String(text) => json!(text.as_str()),
        Value::Bytes(bytes) => json!(format!("{} bytes", bytes.len())),
        Value::Optional(Some(value)) => within(value, depth),
        Value::Map(map) => {
            let name = |key: &Value<'_>| match within(key, depth) {
                Json::String(text) => text,
                other => other.to_string(),
            };
            map.entries.iter().map(|(key, value)| (name(key), within(value, depth))).collect()
        }
        Value::List(_) | Value::Node(_) => collection(value, depth),
        scalar => json!(scalar.written()),
    }
}

fn collection(value: &Value<'_>, depth: usize) -> Json {
    let Some(items) = value.items() else { return json!(value.type_name()) };
    if value.type_name() == "list" {
        return items.iter().map(|(_, item)| within(item, depth)).collect();
    }
    let member = |(position, item): &(Position<'_>, Value<'_>)| match position {
        Position::Key(key) => (key.as_str().to_owned(), within(item, depth)),
        Position::Index(index) => (index.to_string(), within(item, depth)),
    };
    Json::Object(items.iter().map(member).collect())
}

//! Values of CEL in the JSON form of `cel.expr.Value`.
//!
//! In: values, or JSON. Out: the other. Must never know: expressions.
//!
//! Beyond that form: an optional is an `optionalValue`, null where it has none; what only Kubernetes has, such as a
//! quantity, is an `objectValue` with the name of its type and its text.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use celemetry_engine::expression::{MapValue, Position, Value};
use celemetry_engine::row::{Decoder, Defaults, FieldPlan, HashSeed, Kind, NodeRef, skim};
use celemetry_engine::scalar::{Duration, Offset, Timestamp};
use serde_json::{Map, json};

/// A value nests no deeper, so that reading and writing it stays within a stack.
const MAX_DEPTH: usize = 128;

const TIMESTAMP: &str = "type.googleapis.com/google.protobuf.Timestamp";
const DURATION: &str = "type.googleapis.com/google.protobuf.Duration";

/// Writes a value.
///
/// # Errors
/// Where it nests too deeply.
pub(super) fn write(value: &Value<'_>) -> Result<serde_json::Value, String> {
    write_within(value, MAX_DEPTH)
}

fn write_within(value: &Value<'_>, depth: usize) -> Result<serde_json::Value, String> {
    let depth = depth.checked_sub(1).ok_or_else(|| format!("the value nests more than {MAX_DEPTH} deep"))?;
    let object = |kind: &str, text: String| json!({"objectValue": {"@type": kind, "value": text}});
    let named = |text: String| object(value.type_name(), text);
    Ok(match value {
        Value::Null => json!({"nullValue": null}),
        Value::Bool(value) => json!({"boolValue": value}),
        Value::Int(value) => json!({"int64Value": value.to_string()}),
        Value::Uint(value) => json!({"uint64Value": value.to_string()}),
        Value::Double(value) => json!({"doubleValue": double(*value)}),
        Value::String(text) => json!({"stringValue": text.as_str()}),
        Value::Bytes(bytes) => json!({"bytesValue": STANDARD.encode(bytes)}),
        Value::Timestamp(value, _) => object(TIMESTAMP, value.to_string()),
        Value::Duration(value) => object(DURATION, value.to_cel()),
        Value::Quantity(value, _) => named(value.to_string()),
        Value::Semver(value) => named(value.to_string()),
        Value::Ip(value) => named(value.to_string()),
        Value::Cidr(value) => named(value.to_string()),
        Value::Url(value) => named(value.to_string()),
        Value::Format(value) => named(value.name().to_owned()),
        Value::Type(name) => json!({"typeValue": &**name}),
        Value::Optional(None) => json!({"optionalValue": null}),
        Value::Optional(Some(value)) => json!({"optionalValue": write_within(value, depth)?}),
        Value::List(_) | Value::Map(_) | Value::Node(_) => write_collection(value, depth)?,
    })
}

fn write_collection(value: &Value<'_>, depth: usize) -> Result<serde_json::Value, String> {
    let entry = |key: serde_json::Value, value: &Value<'_>| {
        Ok::<_, String>(json!({"key": key, "value": write_within(value, depth)?}))
    };
    if let Value::Map(map) = value {
        let entries = map.entries.iter().map(|(key, value)| entry(write_within(key, depth)?, value));
        return Ok(json!({"mapValue": {"entries": entries.collect::<Result<Vec<_>, _>>()?}}));
    }
    let items = value.items().ok_or_else(|| format!("a {} was not kept", value.type_name()))?;
    if value.type_name() == "map" {
        let entries = items.iter().map(|(position, value)| match position {
            Position::Key(key) => entry(json!({"stringValue": key.as_str()}), value),
            Position::Index(index) => entry(json!({"int64Value": index.to_string()}), value),
        });
        return Ok(json!({"mapValue": {"entries": entries.collect::<Result<Vec<_>, _>>()?}}));
    }
    let values = items.iter().map(|(_, value)| write_within(value, depth));
    Ok(json!({"listValue": {"values": values.collect::<Result<Vec<_>, _>>()?}}))
}

/// JSON has no number for three of them.
fn double(value: f64) -> serde_json::Value {
    if value.is_nan() {
        return json!("NaN");
    }
    if value.is_infinite() {
        return json!(if value > 0.0 { "Infinity" } else { "-Infinity" });
    }
    json!(value)
}

/// Reads a value from its JSON text. Numbers are read as they are written: a reader that makes doubles on the way may miss
/// them by a little.
///
/// # Errors
/// What is wrong with the text.
pub(super) fn read(text: &str) -> Result<Value<'static>, String> {
    skim(text.as_bytes()).map_err(|error| error.to_string())?;
    let mut decoder = Decoder::new(Arc::new(FieldPlan::whole(HashSeed(0, 0))));
    let row = decoder.decode(format!("{{\"value\":{text}}}").as_bytes(), Defaults::default());
    let row = row.map_err(|error| error.to_string())?;
    row.root().get("value").ok_or_else(|| "there is no value".to_owned()).and_then(read_node)
}

/// Recursion is bounded by the depth that the decoder lets pass.
fn read_node(node: NodeRef<'_>) -> Result<Value<'static>, String> {
    let form = || "a typed value is an object with one member, such as {\"int64Value\": \"1\"}".to_owned();
    let mut members = node.entries();
    let (Some((kind, content)), None) = (members.next(), members.next()) else { return Err(form()) };
    let wrong = || format!("{:.40} is no {kind:.40}", written(content));
    let text = || content.as_str().ok_or_else(wrong);
    Ok(match kind {
        "nullValue" => Value::Null,
        "boolValue" => Value::Bool(content.as_bool().ok_or_else(wrong)?),
        "int64Value" => Value::Int(digits(content).and_then(|text| text.parse().ok()).ok_or_else(wrong)?),
        "uint64Value" => Value::Uint(digits(content).and_then(|text| text.parse().ok()).ok_or_else(wrong)?),
        "doubleValue" => Value::Double(digits(content).and_then(|text| text.parse().ok()).ok_or_else(wrong)?),
        "stringValue" => Value::text(text()?),
        "bytesValue" => Value::Bytes(STANDARD.decode(text()?).map_err(|_| wrong())?.into()),
        "typeValue" => Value::Type(text()?.into()),
        "optionalValue" if content.kind() == Kind::Null => Value::Optional(None),
        "optionalValue" => Value::Optional(Some(Arc::new(read_node(content)?))),
        "listValue" => Value::List(elements(content, "values").map(read_node).collect::<Result<_, _>>()?),
        "mapValue" => {
            let mut map = MapValue::default();
            for entry in elements(content, "entries") {
                let part = |name| entry.get(name).ok_or_else(|| format!("an entry has no {name}"));
                let (key, value) = (read_node(part("key")?)?, read_node(part("value")?)?);
                map.insert(key, value).map_err(|error| error.to_string())?;
            }
            Value::Map(Arc::new(map))
        }
        "objectValue" => object(content).ok_or_else(wrong)?,
        _ => return Err(format!("there is no {kind:.40}")),
    })
}

/// The digits of a number, which may be a text, for JSON's own numbers may not hold it exactly.
fn digits(node: NodeRef<'_>) -> Option<&str> {
    node.as_number().or_else(|| node.as_str())
}

/// The elements of the list under a name, which an empty message leaves out.
fn elements<'r>(node: NodeRef<'r>, name: &str) -> impl Iterator<Item = NodeRef<'r>> {
    node.get(name).filter(|list| list.kind() == Kind::List).into_iter().flat_map(NodeRef::items)
}

fn object(node: NodeRef<'_>) -> Option<Value<'static>> {
    let text = node.get("value")?.as_str()?;
    match node.get("@type")?.as_str()? {
        TIMESTAMP => Timestamp::parse(text).ok().map(|instant| Value::Timestamp(instant, Offset::default())),
        DURATION => Duration::parse(text).ok().map(Value::Duration),
        _ => None,
    }
}

fn written(node: NodeRef<'_>) -> String {
    let mut text = String::new();
    super::answer::write_node(node, &mut text);
    text
}

/// A value as plain JSON. What JSON has no form for is the text that stands for it: bytes are base64, a timestamp is RFC 3339;
/// an optional is what it holds, or null.
///
/// # Errors
/// Where the value nests too deeply, or a map has two keys of one text.
pub(super) fn plain(value: &Value<'_>) -> Result<serde_json::Value, String> {
    plain_within(value, MAX_DEPTH)
}

fn plain_within(value: &Value<'_>, depth: usize) -> Result<serde_json::Value, String> {
    let depth = depth.checked_sub(1).ok_or_else(|| format!("the value nests more than {MAX_DEPTH} deep"))?;
    Ok(match value {
        Value::Null | Value::Optional(None) => json!(null),
        Value::Bool(value) => json!(value),
        Value::Int(value) => json!(value),
        Value::Uint(value) => json!(value),
        Value::Double(value) => double(*value),
        Value::String(text) => json!(text.as_str()),
        Value::Bytes(bytes) => json!(STANDARD.encode(bytes)),
        Value::Optional(Some(value)) => plain_within(value, depth)?,
        Value::Map(map) => {
            let mut members = Map::new();
            for (key, value) in &map.entries {
                let name = match plain_within(key, depth)? {
                    serde_json::Value::String(text) => text,
                    other => other.to_string(),
                };
                if members.insert(name, plain_within(value, depth)?).is_some() {
                    return Err("a map with two keys of one text is no JSON".to_owned());
                }
            }
            json!(members)
        }
        Value::List(_) | Value::Node(_) => plain_collection(value, depth)?,
        scalar => json!(scalar.written()),
    })
}

fn plain_collection(value: &Value<'_>, depth: usize) -> Result<serde_json::Value, String> {
    let items = value.items().ok_or_else(|| format!("a {} was not kept", value.type_name()))?;
    if value.type_name() == "list" {
        let values = items.iter().map(|(_, value)| plain_within(value, depth));
        return Ok(json!(values.collect::<Result<Vec<_>, _>>()?));
    }
    let member = |(position, value): (Position<'_>, Value<'_>)| {
        let name = match position {
            Position::Key(key) => key.as_str().to_owned(),
            Position::Index(index) => index.to_string(),
        };
        Ok((name, plain_within(&value, depth)?))
    };
    Ok(json!(items.into_iter().map(member).collect::<Result<Map<_, _>, String>>()?))
}

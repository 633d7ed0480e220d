//! What is found, as tables, and that nothing is found that could be right.

mod paths;
mod properties;
mod table;

use serde_json::Value as Json;

use super::{Schema, Shape, ShapeId};

/// A schema in short: `"int"`, `"string"` and so on; `[element]`; `{"name": …, "*": …}`.
pub(super) fn schema(short: &Json) -> Schema {
    let mut schema = Schema::new();
    let root = add(&mut schema, short);
    let root = schema.get(root).clone();
    schema.set(Schema::ROOT, root);
    schema
}

fn add(schema: &mut Schema, short: &Json) -> ShapeId {
    let shape = match short {
        Json::Array(elements) => Shape::List(add(schema, &elements[0])),
        Json::Object(members) => {
            let others = members.get("*").map(|others| add(schema, others));
            let named = members.iter().filter(|(name, _)| *name != "*");
            let members = named.map(|(name, short)| (name.as_str().into(), add(schema, short))).collect();
            Shape::Map { members, others }
        }
        Json::String(name) => match name.as_str() {
            "bool" => Shape::Bool,
            "int" => Shape::Integer,
            "time" => Shape::Time,
            "number" => Shape::Number,
            "string" => Shape::String,
            "numberOrString" => Shape::NumberOrString,
            "any" => Shape::Anything,
            other => panic!("no shape is called {other}"),
        },
        other => panic!("no shape is written as {other}"),
    };
    schema.add(shape)
}

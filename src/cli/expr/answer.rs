//! What `expr --batch` answers.
//!
//! In: a request. Out: a line of JSON. Must never know: where requests come from.

use celemetry_engine::expression::{Binding, Budget, Outcome, Standalone};
use celemetry_engine::row::{Kind, NodeRef};
use serde_json::json;

use super::request::Request;
use super::{Dialect, value};

/// Answers a request.
pub(super) fn to(request: &Request<'_>) -> String {
    evaluate(request).unwrap_or_else(|(message, stage)| failed(&message, stage))
}

/// The answer where there is no value.
pub(super) fn failed(message: &str, stage: &str) -> String {
    format!("{{\"error\":{},\"stage\":\"{stage}\"}}", json!(message))
}

/// What went wrong, and when.
type Failure = (String, &'static str);

fn evaluate(request: &Request<'_>) -> Result<String, Failure> {
    let names: Vec<&str> = request.variables.iter().map(|(name, _)| name.as_str()).collect();
    let formula = request.dialect.formula(&request.expression);
    let compiled = Standalone::compile(&formula, &names).map_err(|error| (error.to_string(), "compile"))?;
    let late = |message: String| (message, "evaluate");
    let texts = plain_texts(request).map_err(late)?;
    let mut bindings = Vec::with_capacity(names.len());
    for (index, (name, text)) in request.variables.iter().enumerate() {
        bindings.push(match texts.get(index) {
            Some(plain) => Binding::Json(plain),
            None if request.typed => {
                let typed = value::read(text);
                Binding::Value(typed.map_err(|error| late(format!("variable '{name}': {error}")))?)
            }
            None => Binding::Json(text),
        });
    }
    let bound = compiled.bind(&bindings).map_err(|error| late(format!("variables: {error}")))?;
    let outcome = bound.evaluate(&mut { Budget::EXPRESSION }).map_err(|error| late(error.to_string()))?;
    match outcome {
        Outcome::Value(value) => Ok(json!({"value": value::write(&value).map_err(late)?}).to_string()),
        Outcome::Nodes(nodes) => {
            let mut line = "{\"values\":[".to_owned();
            for (index, node) in nodes.as_slice().iter().enumerate() {
                if index > 0 {
                    line.push(',');
                }
                write_node(*node, &mut line);
            }
            line.push_str("]}");
            Ok(line)
        }
    }
}

/// For a JSONPath, which knows no types, the plain JSON of typed variables; otherwise nothing.
fn plain_texts(request: &Request<'_>) -> Result<Vec<String>, String> {
    if !request.typed || request.dialect == Dialect::Cel {
        return Ok(Vec::new());
    }
    let plain = |(name, text): &(String, &str)| {
        let plain = value::read(text).and_then(|value| value::plain(&value));
        plain.map(|plain| plain.to_string()).map_err(|error| format!("variable '{name}': {error}"))
    };
    request.variables.iter().map(plain).collect()
}

/// Writes a node as JSON, its numbers as they were written.
pub(super) fn write_node(node: NodeRef<'_>, out: &mut String) {
    match node.kind() {
        Kind::Bool => out.push_str(if node.as_bool() == Some(true) { "true" } else { "false" }),
        Kind::Number => out.push_str(node.as_number().unwrap_or("null")),
        Kind::String => out.push_str(&json!(node.as_str().unwrap_or_default()).to_string()),
        Kind::Null => out.push_str("null"),
        Kind::List => {
            out.push('[');
            for (index, item) in node.items().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_node(item, out);
            }
            out.push(']');
        }
        Kind::Map => {
            out.push('{');
            for (index, (name, member)) in node.entries().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                out.push_str(&json!(name).to_string());
                out.push(':');
                write_node(member, out);
            }
            out.push('}');
        }
    }
}

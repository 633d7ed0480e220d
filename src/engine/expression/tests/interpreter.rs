//! The cel crate's own interpreter: a second opinion on what an expression gives.
//!
//! In: an expression and an object. Out: its value in CEL's notation, or `error: …`. Must never know: our own engine.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use cel::Value as Theirs;
use cel::objects::OptionalValue;

fn bind(json: &serde_json::Value) -> Theirs {
    match json {
        serde_json::Value::Null => Theirs::Null,
        serde_json::Value::Bool(value) => Theirs::Bool(*value),
        serde_json::Value::Number(number) => match number.as_i64() {
            Some(whole) => Theirs::Int(whole),
            None => Theirs::Float(number.as_f64().expect("a number")),
        },
        serde_json::Value::String(text) => Theirs::String(Arc::new(text.clone())),
        serde_json::Value::Array(items) => Theirs::List(Arc::new(items.iter().map(bind).collect())),
        serde_json::Value::Object(members) => {
            let members: HashMap<cel::objects::Key, Theirs> =
                members.iter().map(|(name, member)| (name.clone().into(), bind(member))).collect();
            Theirs::Map(cel::objects::Map { map: Arc::new(members) })
        }
    }
}

fn show(value: &Theirs) -> String {
    match value {
        Theirs::Null => "null".to_owned(),
        Theirs::Bool(value) => value.to_string(),
        Theirs::Int(value) => value.to_string(),
        Theirs::UInt(value) => format!("{value}u"),
        Theirs::Float(value) => format!("{value:?}"),
        Theirs::String(text) => format!("{text:?}"),
        Theirs::List(items) => format!("[{}]", items.iter().map(show).collect::<Vec<_>>().join(", ")),
        Theirs::Map(map) => {
            let mut members: Vec<String> = map
                .map
                .iter()
                .map(|(key, value)| format!("{}: {}", show(&key.into()), show(value)))
                .collect();
            members.sort();
            format!("{{{}}}", members.join(", "))
        }
        Theirs::Bytes(bytes) => format!("b{bytes:?}"),
        Theirs::Opaque(held) => match held.downcast_ref::<OptionalValue>().map(OptionalValue::value) {
            Some(Some(value)) => format!("some({})", show(value)),
            Some(None) => "none".to_owned(),
            None => format!("{value:?}"),
        },
        other => format!("{other:?}"),
    }
}

/// What the cel crate gives for an expression over an object.
pub(super) fn theirs(text: &str, object: &str) -> String {
    static ENV: LazyLock<Arc<cel::Env>> = LazyLock::new(|| {
        let mut env = cel::Env::stdlib();
        for extension in [cel::extensions::lists, cel::extensions::math, cel::extensions::strings] {
            env.add_extension(extension).expect("no two extensions declare the same");
        }
        Arc::new(env)
    });
    let env = Arc::clone(&ENV);
    let program = match env.compile(text) {
        Ok(program) => program,
        Err(error) => return format!("error: {error}"),
    };
    let mut context = cel::Context::with_env(env);
    let object: serde_json::Value = serde_json::from_str(object).expect("JSON");
    context.add_variable_from_value("object", bind(&object));
    match program.execute(&context) {
        Ok(value) => show(&value),
        Err(error) => format!("error: {error}"),
    }
}

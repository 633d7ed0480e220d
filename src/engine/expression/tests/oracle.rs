//! Random expressions give what the cel crate's own interpreter gives, in the part of the language on which it and
//! Kubernetes agree.
//!
//! Left out, because the answers differ on purpose: `has` on what is no map (an error there, false in Kubernetes), loops
//! over maps (random order there), `+` (appends maps to lists there), optional selection with a wrong key, `type`, whose
//! results become plain strings there. Errors are compared as errors; the texts are Kubernetes' here.

use std::collections::HashMap;
use std::sync::Arc;

use cel::Value as Theirs;
use proptest::prelude::*;

use super::answer;
use super::random::{Dialect, Tape};

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
                .map(|(key, value)| format!("{:?}: {}", key.to_string(), show(value)))
                .collect();
            members.sort();
            format!("{{{}}}", members.join(", "))
        }
        other => format!("{other:?}"),
    }
}

fn theirs(text: &str, object: &str) -> String {
    let env = Arc::new(cel::Env::stdlib());
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

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_cel_crate_gives_the_same(
        expression in prop::collection::vec(any::<u8>(), 0..60),
        object in prop::collection::vec(any::<u8>(), 0..120),
    ) {
        let (text, object) = (Tape::new(&expression).expression(Dialect::Shared), Tape::new(&object).object());
        let ours = answer(&text, &object);
        // Refused by our checker: nothing to compare.
        if !ours.starts_with("compile:") {
            let theirs = theirs(&text, &object);
            let same = ours == theirs || (ours.starts_with("error:") && theirs.starts_with("error:"));
            prop_assert!(same, "{text} on {object}\n  ours   {ours}\n  theirs {theirs}");
        }
    }
}

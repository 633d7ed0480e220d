//! Fields of an event or a span, each safe to show.
//!
//! In: values as `tracing` gives them. Out: JSON texts of bounded length. Must never know: lines.

use std::error::Error;
use std::fmt::{Debug, Write};

use tracing::field::{Field, Visit};

/// The longest text of a value, in bytes before escaping.
const LONGEST: usize = 256;

/// Fields in the order in which they were given, the message apart.
#[derive(Clone, Debug, Default)]
pub(super) struct Fields {
    /// The message, if there is one.
    pub(super) message: String,
    /// Names and values.
    pub(super) fields: Vec<(&'static str, Value)>,
}

/// One value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    /// Digits, `true` or `false`: the same as JSON and as text.
    Plain(String),
    /// Anything else, cut.
    Text(String),
}

/// Writes `text` with whatever could be taken for something else escaped as JSON does: control characters, line ends of
/// Unicode, and characters that turn the direction of writing.
pub(super) fn escape(text: &str, out: &mut String) {
    for character in text.chars() {
        match character {
            '"' | '\\' => out.extend(['\\', character]),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}') => {
                // All of these are below U+10000. Writing to a String cannot fail.
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
}

/// The beginning of `text`, marked where it was cut.
fn cut(text: &str) -> String {
    let end = text.floor_char_boundary(LONGEST);
    if end < text.len() { format!("{}…", &text[..end]) } else { text.to_owned() }
}

// === impl Fields ===

impl Fields {
    /// Takes over what `outer` has and this has not.
    pub(super) fn add_missing(&mut self, outer: &Fields) {
        for (name, value) in &outer.fields {
            if !self.fields.iter().any(|(known, _)| known == name) {
                self.fields.push((name, value.clone()));
            }
        }
    }

    /// Adds a count.
    pub(super) fn count(&mut self, name: &'static str, count: u64) {
        self.fields.push((name, Value::Plain(count.to_string())));
    }

    fn set(&mut self, field: &Field, value: Value) {
        // What traces alone need.
        if field.name().starts_with("otel.") {
            return;
        }
        if field.name() == "message" {
            let (Value::Plain(text) | Value::Text(text)) = value;
            self.message = text;
            return;
        }
        match self.fields.iter_mut().find(|(name, _)| *name == field.name()) {
            Some((_, known)) => *known = value,
            None => self.fields.push((field.name(), value)),
        }
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.set(field, Value::Text(cut(&format!("{value:?}"))));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.set(field, Value::Text(cut(value)));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.set(field, Value::Text(cut(&value.to_string())));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.set(field, Value::Plain(value.to_string()));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.set(field, Value::Plain(value.to_string()));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.set(field, Value::Plain(value.to_string()));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        let value = match value.is_finite() {
            true => Value::Plain(format!("{value:?}")),
            false => Value::Text(value.to_string()),
        };
        self.set(field, value);
    }
}

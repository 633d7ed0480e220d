//! One event as one line.
//!
//! In: an event's time, place, level, message and fields. Out: text that ends with its only line end. Must never know:
//! where it goes.

use std::time::{SystemTime, UNIX_EPOCH};

use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{self, FormatTime};

use super::value::{Fields, Value, escape};
use super::{Format, Level, TimeEncoding};

/// Keys that every JSON line has; a field of such a name is written as `field.NAME`.
const KEYS: [&str; 4] = ["time", "level", "target", "message"];

/// Where an event comes from, and how severe it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head<'a> {
    /// When, as [`now`] writes it.
    pub(super) time: &'a str,
    /// How severe.
    pub(super) level: Level,
    /// The module, as a rule.
    pub(super) target: &'a str,
}

/// The line of an event.
pub(super) fn line(format: Format, head: Head<'_>, fields: &Fields) -> String {
    let mut line = String::with_capacity(256);
    match format {
        Format::Json => json(head, fields, &mut line),
        Format::Text => text(head, fields, &mut line),
    }
    line.push('\n');
    line
}

/// The present time; a clock that stands before 1970 counts as 1970.
pub(super) fn now(encoding: TimeEncoding) -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    match encoding {
        TimeEncoding::Rfc3339 => {
            let mut text = String::new();
            // Writing to a String cannot fail.
            let _ = time::SystemTime.format_time(&mut Writer::new(&mut text));
            format!("\"{text}\"")
        }
        TimeEncoding::Epoch => format!("{}.{:09}", since.as_secs(), since.subsec_nanos()),
        TimeEncoding::Millis => format!("{}.{:06}", since.as_millis(), since.subsec_nanos() % 1_000_000),
        TimeEncoding::Nanos => since.as_nanos().to_string(),
    }
}

fn json(head: Head<'_>, fields: &Fields, line: &mut String) {
    line.push_str("{\"time\":");
    line.push_str(head.time);
    for (key, text) in [("level", head.level.name()), ("target", head.target), ("message", &fields.message)] {
        pair(key, &Value::Text(text.to_owned()), ",\"", "\":", line);
    }
    for (name, value) in &fields.fields {
        let start = if KEYS.contains(name) { ",\"field." } else { ",\"" };
        pair(name, value, start, "\":", line);
    }
    line.push('}');
}

fn text(head: Head<'_>, fields: &Fields, line: &mut String) {
    line.push_str(head.time.trim_matches('"'));
    line.push_str(&format!(" {:5} {}: ", head.level.name().to_uppercase(), head.target));
    escape(&fields.message, line);
    for (name, value) in &fields.fields {
        pair(name, value, " ", "=", line);
    }
}

fn pair(name: &str, value: &Value, before: &str, between: &str, line: &mut String) {
    line.push_str(before);
    escape(name, line);
    line.push_str(between);
    match value {
        Value::Plain(text) => line.push_str(text),
        Value::Text(text) => {
            line.push('"');
            escape(text, line);
            line.push('"');
        }
    }
}

//! A snapshot and what went wrong as one JSON document: `eval -o json`.
//!
//! In: a snapshot, errors. Out: JSON. Must never know: files, terminals.
//!
//! The same input gives the same bytes. A series or error stands on a line of its own, so that the document can be
//! compared and searched line by line. Doubles are written with a decimal point or an exponent, so that `3.0` does not
//! come back as an integer.

use celemetry_engine::snapshot::{MetricTable, Series, Snapshot};

use crate::export::ErrorRecord;
use crate::export::attributes::merged;
use crate::export::listing::listing;
use crate::export::number::{Style, write_number};
use crate::export::profile::Profile;

/// Appends the document: `series` sorted by metric, source and attributes, `errors` sorted by their fields in order.
pub fn write_json(snapshot: &Snapshot, errors: &[ErrorRecord], profile: Profile, out: &mut String) {
    let mut sorted: Vec<&ErrorRecord> = errors.iter().collect();
    sorted.sort();
    out.push_str("{\"series\": [");
    write_lines(listing(snapshot), out, |(table, series), out| write_series(table, &series, profile, out));
    out.push_str("],\n \"errors\": [");
    write_lines(sorted.into_iter(), out, write_error);
    out.push_str("]}\n");
}

/// Each item on its own line, commas between.
fn write_lines<T>(items: impl Iterator<Item = T>, out: &mut String, write: impl Fn(T, &mut String)) {
    for (number, item) in items.enumerate() {
        out.push_str(if number == 0 { "\n  " } else { ",\n  " });
        write(item, out);
    }
}

fn write_series(table: &MetricTable, series: &Series<'_>, profile: Profile, out: &mut String) {
    let unit = profile.unit(&table.info, table.shape);
    write_members([("metric", &*table.info.name), ("source", &table.info.source), ("unit", unit)], out);
    out.push_str(", \"attributes\": {");
    write_pairs(merged(&table.info, series.attributes), out);
    out.push_str("}, \"value\": ");
    write_number(series.number, Style::Json, out);
    out.push('}');
}

fn write_error(error: &ErrorRecord, out: &mut String) {
    let ErrorRecord { source, path, object, message } = error;
    write_members([("source", source), ("path", path), ("object", object), ("message", message)], out);
    out.push('}');
}

/// An object with these members, still open.
fn write_members<const N: usize>(members: [(&str, &str); N], out: &mut String) {
    out.push('{');
    write_pairs(members.into_iter(), out);
}

fn write_pairs<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>, out: &mut String) {
    for (number, (name, text)) in pairs.enumerate() {
        out.push_str(if number == 0 { "" } else { ", " });
        write_string(name, out);
        out.push_str(": ");
        write_string(text, out);
    }
}

fn write_string(text: &str, out: &mut String) {
    out.push_str(&serde_json::to_string(text).expect("a string is always JSON"));
}

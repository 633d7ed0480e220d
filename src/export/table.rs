//! A snapshot as a table for people: `eval -o table`.
//!
//! In: a snapshot. Out: aligned lines. Must never know: how wide a terminal is.
//!
//! Widths are counted in characters, so columns line up wherever characters are one cell wide. Values come from
//! objects that anyone may have written: control characters are shown escaped, never sent to the terminal.

use std::fmt::Write;

use celemetry_engine::definition::MetricInfo;
use celemetry_engine::snapshot::{Attributes, Snapshot};

use crate::export::attributes::merged;
use crate::export::listing::listing;
use crate::export::number::{Style, write_number};

const HEADINGS: [&str; 4] = ["METRIC", "ATTRIBUTES", "VALUE", "SOURCE"];
/// The column of numbers, which stand to the right.
const VALUE: usize = 2;
const GAP: &str = "   ";

/// Columns are aligned up to this width: one long text must not push all others out of sight. Widths beyond 65,535 cannot
/// be asked of `format!` at all.
const WIDEST: usize = 200;

/// Appends a line of headings and a line a series, sorted by metric, source and attributes. Attributes are
/// `name=text`, separated by commas; a name or text that this would make ambiguous stands in quotes.
pub fn write_table(snapshot: &Snapshot, out: &mut String) {
    let mut rows = vec![HEADINGS.map(String::from)];
    rows.extend(listing(snapshot).map(|(table, series)| {
        let mut value = String::new();
        write_number(series.number, Style::Plain, &mut value);
        [
            plain(&table.info.name),
            attributes(&table.info, series.attributes),
            value,
            plain(&table.info.source),
        ]
    }));
    let mut widths = [0; HEADINGS.len()];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count().min(WIDEST));
        }
    }
    rows.iter().for_each(|row| write_row(row, &widths, out));
}

fn write_row(row: &[String], widths: &[usize], out: &mut String) {
    let last = row.len() - 1;
    for (column, (cell, &width)) in row.iter().zip(widths).enumerate() {
        let written = match column {
            VALUE => write!(out, "{cell:>width$}{GAP}"),
            _ if column == last => writeln!(out, "{cell}"),
            _ => write!(out, "{cell:<width$}{GAP}"),
        };
        written.expect("writing to a String cannot fail");
    }
}

fn attributes(info: &MetricInfo, own: &Attributes) -> String {
    let pairs = merged(info, own).map(|(name, text)| format!("{}={}", plain(name), plain(text)));
    pairs.collect::<Vec<_>>().join(",")
}

/// `text` as it is where it cannot be misread, in quotes and escaped otherwise.
fn plain(text: &str) -> String {
    let mut shown = format!("{text:?}");
    let escaped = shown.len() != text.len() + 2;
    if !escaped && !text.is_empty() && !text.contains([',', '=', ' ']) {
        shown = String::from(text);
    }
    shown
}

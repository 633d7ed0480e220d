//! Attributes as the text between a Prometheus sample's braces.
//!
//! In: attributes. Out: `a="1",b="2"`, sorted by label name. Must never know: metrics' names and values.
//!
//! OpenTelemetry's translation: where several attributes become one label, their values are joined with `;` in the
//! order of the attributes' names. An empty value is left out: to Prometheus it is the same as no label.

use std::collections::BTreeMap;

use crate::export::names::label_name;

/// Writes the labels of the series of one family; remembers what names it has translated.
#[derive(Default)]
pub(super) struct LabelWriter<'s> {
    layouts: Vec<Layout<'s>>,
    known: BTreeMap<Vec<&'s str>, usize>,
    latest: usize,
    /// Scratch: the names and the values of the series at hand.
    names: Vec<&'s str>,
    values: Vec<&'s str>,
}

/// What attributes with one sequence of names become.
struct Layout<'s> {
    names: Vec<&'s str>,
    labels: Vec<Label>,
}

/// One label and the places of the attributes whose values it holds.
struct Label {
    name: String,
    places: Vec<usize>,
}

// === impl LabelWriter ===

impl<'s> LabelWriter<'s> {
    /// Appends the labels of attributes, which may come in any order.
    pub(super) fn write(&mut self, pairs: impl Iterator<Item = (&'s str, &'s str)>, out: &mut String) {
        self.names.clear();
        self.values.clear();
        for (name, value) in pairs {
            self.names.push(name);
            self.values.push(value);
        }
        self.find_layout();
        let start = out.len();
        for label in &self.layouts[self.latest].labels {
            label.write(&self.values, start, out);
        }
    }

    /// Makes `latest` the layout of the names at hand. Series of one metric mostly have the same attributes, so the one
    /// that fitted last is tried first.
    fn find_layout(&mut self) {
        if self.layouts.get(self.latest).is_some_and(|layout| layout.names == self.names) {
            return;
        }
        let (names, layouts) = (&self.names, &mut self.layouts);
        self.latest = *self.known.entry(names.clone()).or_insert_with(|| {
            layouts.push(Layout::new(names.clone()));
            layouts.len() - 1
        });
    }
}

// === impl Layout ===

impl<'s> Layout<'s> {
    fn new(names: Vec<&'s str>) -> Self {
        let mut by_name: Vec<(&str, usize)> = names.iter().copied().zip(0..).collect();
        by_name.sort_unstable();
        let mut labels: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (name, place) in by_name {
            labels.entry(label_name(name)).or_default().push(place);
        }
        let labels = labels.into_iter().map(|(name, places)| Label { name, places }).collect();
        Layout { names, labels }
    }
}

// === impl Label ===

impl Label {
    /// `start` is where the series' labels begin in `out`.
    fn write(&self, values: &[&str], start: usize, out: &mut String) {
        let mut filled = self.places.iter().map(|place| values[*place]).filter(|value| !value.is_empty());
        let Some(first) = filled.next() else { return };
        if out.len() > start {
            out.push(',');
        }
        out.push_str(&self.name);
        out.push_str("=\"");
        escape(first, out);
        for value in filled {
            out.push(';');
            escape(value, out);
        }
        out.push('"');
    }
}

/// Appends a label value: `\`, `"` and the line feed are escaped, in both formats.
pub(super) fn escape(value: &str, out: &mut String) {
    escape_where(value, |byte| matches!(byte, b'\\' | b'"' | b'\n'), out);
}

/// Appends `text` with every byte that `special` picks, which must be one of `\`, `"` and line feed, escaped.
pub(super) fn escape_where(text: &str, special: impl Fn(u8) -> bool, out: &mut String) {
    let mut rest = text;
    while let Some(at) = rest.bytes().position(&special) {
        out.push_str(&rest[..at]);
        out.push_str(match rest.as_bytes()[at] {
            b'\n' => "\\n",
            b'"' => "\\\"",
            _ => "\\\\",
        });
        rest = &rest[at + 1..];
    }
    out.push_str(rest);
}

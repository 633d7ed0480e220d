//! A snapshot as a page that Prometheus scrapes, in either of its text formats.
//!
//! In: a snapshot, and celemetry's own readings. Out: text. Must never know: HTTP, who asks.
//!
//! Formats: Prometheus' exposition formats, "Text-based format" 0.0.4; OpenMetrics 1.0.0, "Text format". Both come out
//! of one walk: families sorted by name, each with one HELP and one TYPE, its series sorted by the text of their
//! labels. The same snapshot gives the same bytes. Families without series are not mentioned.

mod labels;
mod series;

use celemetry_engine::definition::MetricInfo;
use celemetry_engine::snapshot::{MetricTable, Number, Snapshot};

use crate::export::family::Family;
use crate::export::number::{Style, write_number};
use crate::export::profile::Profile;
use crate::telemetry::Reading;

use labels::{escape, escape_where};
use series::{SeriesLabels, families};

/// Which text format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// Prometheus' text format 0.0.4.
    Text,
    /// OpenMetrics 1.0.0.
    OpenMetrics,
}

/// What became of the series.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rendered {
    /// Series on the page, own readings not counted.
    pub series: usize,
    /// Series left out because, within one metric, their labels equal another's: attributes that differ only in how
    /// they are split over names such as `a.b` and `a_b`, which are one label. The first stays.
    pub omitted: usize,
}

/// A sample before it is printed: where its labels stand in the scratch text, and where it comes from.
struct Sample<'s> {
    labels: std::ops::Range<usize>,
    table: &'s MetricTable,
    slot: u32,
    number: Number,
}

/// What stands above the samples of a family.
struct Head<'a> {
    name: &'a str,
    counter: bool,
    help: &'a str,
    unit: &'a str,
}

/// Appends `snapshot` to `out`.
///
/// Series of several metrics that share a name and whose labels are equal get the labels `celemetry_metric_namespace`
/// and `celemetry_metric_name`; no other series does.
pub fn render(snapshot: &Snapshot, format: Format, profile: Profile, out: &mut String) -> Rendered {
    render_with(snapshot, &[], format, profile, out)
}

/// Appends `snapshot` and `readings`, which must be sorted by name, to `out`; see [`render`].
pub fn render_with(
    snapshot: &Snapshot,
    readings: &[Reading],
    format: Format,
    profile: Profile,
    out: &mut String,
) -> Rendered {
    let mut rendered = Rendered::default();
    let mut readings = readings.iter().peekable();
    let mut headed = "";
    for family in families(snapshot, profile) {
        while let Some(reading) = readings.next_if(|reading| reading.name < family.prometheus.name.as_str()) {
            write_reading(reading, &mut headed, format, out);
        }
        write_family(&family, profile, format, out, &mut rendered);
    }
    readings.for_each(|reading| write_reading(reading, &mut headed, format, out));
    if format == Format::OpenMetrics {
        out.push_str("# EOF\n");
    }
    rendered
}

// === impl Format ===

impl Format {
    /// The value of the `Content-Type` header.
    pub fn content_type(self) -> &'static str {
        match self {
            Format::Text => "text/plain; version=0.0.4; charset=utf-8",
            Format::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }

    fn style(self) -> Style {
        match self {
            Format::Text => Style::Plain,
            Format::OpenMetrics => Style::OpenMetrics,
        }
    }
}

// === a family ===

fn write_family(
    family: &Family<'_>,
    profile: Profile,
    format: Format,
    out: &mut String,
    rendered: &mut Rendered,
) {
    let name = family.prometheus.name.as_str();
    let help = family.heading.description;
    Head { name, counter: false, help, unit: &family.prometheus.unit }.write(format, out);
    let (text, samples) = samples(family, profile);
    rendered.omitted += family.tables.iter().map(|table| table.len()).sum::<usize>() - samples.len();
    rendered.series += samples.len();
    for sample in samples {
        write_sample(name, &text[sample.labels], sample.number, format, out);
    }
}

/// The samples of a family, sorted, each label text once, and the text that their labels stand in.
fn samples<'s>(family: &Family<'s>, profile: Profile) -> (String, Vec<Sample<'s>>) {
    let mut writer = SeriesLabels::new(profile);
    let mut text = String::new();
    let mut samples = Vec::with_capacity(family.tables.iter().map(|table| table.len()).sum());
    for table in &family.tables {
        for series in table.iter() {
            let labels =
                appended(&mut text, |text| writer.write(&table.info, series.attributes, false, text));
            samples.push(Sample { labels, table, slot: series.slot, number: series.number });
        }
    }
    sort(&mut samples, &text);
    if family.tables.len() > 1 {
        tell_apart(&mut samples, &mut writer, &mut text);
    }
    samples.dedup_by(|later, first| text[later.labels.clone()] == text[first.labels.clone()]);
    (text, samples)
}

/// Sorted by labels; among equals by source, then by attributes.
fn sort(samples: &mut [Sample<'_>], text: &str) {
    let attributes =
        |sample: &Sample<'_>| sample.table.get(sample.slot).map(|series| series.attributes.clone());
    samples.sort_by(|a, b| {
        text[a.labels.clone()]
            .cmp(&text[b.labels.clone()])
            .then_with(|| a.table.info.source.cmp(&b.table.info.source))
            .then_with(|| attributes(a).cmp(&attributes(b)))
    });
}

/// Gives samples of different metrics that have the same labels the labels that name their metrics.
fn tell_apart<'s>(samples: &mut [Sample<'s>], writer: &mut SeriesLabels<'s>, text: &mut String) {
    let mut changed = false;
    let mut start = 0;
    while start < samples.len() {
        let labels = &text[samples[start].labels.clone()];
        let run = samples[start..].iter().take_while(|sample| &text[sample.labels.clone()] == labels).count();
        let group = &mut samples[start..start + run];
        if group.iter().any(|sample| !same_metric(&sample.table.info, &group[0].table.info)) {
            changed = true;
            for sample in group {
                let series = sample.table.get(sample.slot).expect("the table is immutable here");
                let info = &sample.table.info;
                sample.labels = appended(text, |text| writer.write(info, series.attributes, true, text));
            }
        }
        start += run;
    }
    if changed {
        sort(samples, text);
    }
}

fn same_metric(a: &MetricInfo, b: &MetricInfo) -> bool {
    a.source == b.source
}

fn appended(text: &mut String, write: impl FnOnce(&mut String)) -> std::ops::Range<usize> {
    let start = text.len();
    write(text);
    start..text.len()
}

// === lines ===

impl Head<'_> {
    fn write(&self, format: Format, out: &mut String) {
        // OpenMetrics names a counter's family without the suffix of its sample.
        let name = match format {
            Format::OpenMetrics if self.counter => self.name.strip_suffix("_total").unwrap_or(self.name),
            _ => self.name,
        };
        let line = |keyword: &str, out: &mut String| {
            for part in ["# ", keyword, " ", name, " "] {
                out.push_str(part);
            }
        };
        line("HELP", out);
        let quotes = format == Format::OpenMetrics;
        // Prometheus takes blanks before the text for a separator and loses its way at NUL, so neither is written.
        let help = self.help.split('\0').collect::<String>();
        escape_where(
            help.trim_start_matches([' ', '\t']),
            |byte| byte == b'\\' || byte == b'\n' || (quotes && byte == b'"'),
            out,
        );
        out.push('\n');
        line("TYPE", out);
        out.push_str(if self.counter { "counter\n" } else { "gauge\n" });
        if format == Format::OpenMetrics && !self.unit.is_empty() {
            line("UNIT", out);
            out.push_str(self.unit);
            out.push('\n');
        }
    }
}

/// Writes a reading, below its head unless that was written last.
fn write_reading(reading: &Reading, headed: &mut &'static str, format: Format, out: &mut String) {
    if std::mem::replace(headed, reading.name) != reading.name {
        let Reading { name, counter, help, .. } = *reading;
        Head { name, counter, help, unit: "" }.write(format, out);
    }
    let mut labels = String::new();
    for (name, value) in &reading.labels {
        labels.push_str(if labels.is_empty() { "" } else { "," });
        labels.push_str(name);
        labels.push_str("=\"");
        escape(value, &mut labels);
        labels.push('"');
    }
    let number = Number::Integer(i64::try_from(reading.value).unwrap_or(i64::MAX));
    write_sample(reading.name, &labels, number, format, out);
}

fn write_sample(name: &str, labels: &str, number: Number, format: Format, out: &mut String) {
    out.push_str(name);
    if !labels.is_empty() {
        out.push('{');
        out.push_str(labels);
        out.push('}');
    }
    out.push(' ');
    write_number(number, format.style(), out);
    out.push('\n');
}

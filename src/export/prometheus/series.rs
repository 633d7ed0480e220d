//! Which families a page has and which labels its series, by profile.
//!
//! In: a snapshot, a metric's names, a series' attributes. Out: families; label texts. Must never know: the format.
//!
//! metrics-operator v1.0.0 has one family for everything and puts what it has no label for into one, as JSON. Its v1.2 has
//! a family a name, and the namespace of the declaring object in place of an attribute of that name.

use celemetry_engine::definition::MetricInfo;
use celemetry_engine::snapshot::{Attributes, Snapshot};

use crate::export::attributes::{apart, merged};
use crate::export::family::{self, Family, Heading};
use crate::export::names::FamilyName;
use crate::export::profile::{PointKind, Profile};

use super::labels::{LabelWriter, escape};

/// The one family of metrics-operator v1.0.0.
const RESOURCE_COUNT: &str = "metrics_operator_resource_count";
const RESOURCE_COUNT_HELP: &str =
    "The number of matching resources, or an aggregate over them, of every Metric.";

/// The label of the declaring object's namespace.
const NAMESPACE: &str = "namespace";

/// The attributes for which metrics-operator v1.0.0 has a label of their own, with its name.
const OWN_LABELS: &[(&str, &str)] = &[
    ("apiVersion", "api_version"),
    ("cluster", "cluster"),
    ("group", "group"),
    ("kind", "kind"),
    ("resource", "resource"),
    ("version", "version"),
];

/// Writes the labels of the series of one family.
pub(super) struct SeriesLabels<'s> {
    profile: Profile,
    writer: LabelWriter<'s>,
}

/// The families that have series, in the order of their names.
pub(super) fn families(snapshot: &Snapshot, profile: Profile) -> Vec<Family<'_>> {
    let mut families = family::families(snapshot, profile);
    if profile == Profile::UpstreamV1_2 {
        // In OTLP metrics-operator sends no description, so metrics of one name need not agree on one.
        families
            .iter_mut()
            .for_each(|family| family.heading.description = &family.tables[0].info.description);
    }
    if profile != Profile::UpstreamV1 || families.is_empty() {
        return families;
    }
    let mut tables: Vec<_> = families.into_iter().flat_map(|family| family.tables).collect();
    tables.sort_by(|a, b| a.info.source.cmp(&b.info.source));
    let prometheus = FamilyName { name: RESOURCE_COUNT.to_owned(), unit: String::new() };
    let heading =
        Heading { name: RESOURCE_COUNT, description: RESOURCE_COUNT_HELP, unit: "", kind: PointKind::Gauge };
    vec![Family { prometheus, heading, tables }]
}

impl<'s> SeriesLabels<'s> {
    pub(super) fn new(profile: Profile) -> Self {
        SeriesLabels { profile, writer: LabelWriter::default() }
    }

    /// Appends the labels of a series; with `is_apart` those that tell its metric from others too.
    pub(super) fn write(
        &mut self,
        info: &'s MetricInfo,
        own: &'s Attributes,
        is_apart: bool,
        out: &mut String,
    ) {
        let metric = is_apart.then(|| apart(info)).into_iter().flatten();
        match self.profile {
            Profile::Native => self.writer.write(merged(info, own).chain(metric), out),
            Profile::UpstreamV1_2 => {
                let others = merged(info, own).filter(|(name, _)| *name != NAMESPACE);
                let namespace = (NAMESPACE, info.namespace.as_str());
                self.writer.write(others.chain([namespace]).chain(metric), out);
            }
            Profile::UpstreamV1 => write_v1(info, own, is_apart, out),
        }
    }
}

/// Appends the labels of metrics-operator v1.0.0.
fn write_v1(info: &MetricInfo, own: &Attributes, is_apart: bool, out: &mut String) {
    let extra = extra_labels(info, own);
    let mut labels = v1_labels(info, own);
    labels.push(("extra_labels", &extra));
    if is_apart {
        labels.extend(apart(info));
    }
    write_sorted(labels, out);
}

/// All labels but `extra_labels`, in no order.
fn v1_labels<'a>(info: &'a MetricInfo, own: &'a Attributes) -> Vec<(&'a str, &'a str)> {
    let mut labels = vec![("metric_name", info.name.as_str()), (NAMESPACE, info.namespace.as_str())];
    for (name, value) in merged(info, own) {
        let known = OWN_LABELS.iter().find(|(attribute, _)| *attribute == name);
        labels.extend(known.map(|(_, label)| (*label, value)));
    }
    labels
}

/// The attributes without a label of their own as Go's `encoding/json` writes a map: compact, sorted, fit for HTML.
fn extra_labels(info: &MetricInfo, own: &Attributes) -> String {
    let mut json = String::from("{");
    for (name, value) in merged(info, own) {
        if OWN_LABELS.iter().any(|(attribute, _)| *attribute == name) {
            continue;
        }
        json.push_str(if json.len() > 1 { "," } else { "" });
        write_go_string(name, &mut json);
        json.push(':');
        write_go_string(value, &mut json);
    }
    json.push('}');
    json
}

fn write_go_string(text: &str, out: &mut String) {
    let json = serde_json::to_string(text).expect("a string is always JSON");
    for character in json.chars() {
        match character {
            '<' => out.push_str("\\u003c"),
            '>' => out.push_str("\\u003e"),
            '&' => out.push_str("\\u0026"),
            '\u{2028}' => out.push_str("\\u2028"),
            '\u{2029}' => out.push_str("\\u2029"),
            other => out.push(other),
        }
    }
}

/// Appends labels in the order of their names, an attribute's dots as underscores. Empty ones are left out, which to
/// Prometheus is the same.
fn write_sorted(mut labels: Vec<(&str, &str)>, out: &mut String) {
    labels.retain(|(_, value)| !value.is_empty());
    labels.sort_unstable();
    for (number, (name, value)) in labels.into_iter().enumerate() {
        out.push_str(if number == 0 { "" } else { "," });
        out.extend(name.chars().map(|character| if character == '.' { '_' } else { character }));
        out.push_str("=\"");
        escape(value, out);
        out.push('"');
    }
}

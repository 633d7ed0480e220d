//! The Metrics of an input.
//!
//! In: documents. Out: Metrics, each with its place; everything that is wrong with the others. Must never know: what
//! a Metric means.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::api;
use crate::controller::{ManifestError, ManifestObject, PartialMetric, read_manifest, read_metric_in_part};

use super::finding::{Finding, FindingKind};
use super::input::{Document, Place, items};

/// What an input of Metrics holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Metrics {
    /// The Metrics in the order of the input.
    pub metrics: Vec<PlacedMetric>,
    /// What is left of those in which values have the wrong type, to see what else is wrong with them.
    pub partial: Vec<PartlyRead>,
    /// The DataSinks in the order of the input, which not every command has a use for.
    pub sinks: Vec<PlacedSink>,
    /// What was ignored.
    pub notes: Vec<Finding>,
    /// What could not be read.
    pub errors: Vec<Finding>,
}

/// A Metric and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct PlacedMetric {
    /// Where it stands.
    pub place: Place,
    /// The Metric.
    pub metric: api::Metric,
}

/// What could be read of a Metric, and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct PartlyRead {
    /// Where it stands.
    pub place: Place,
    /// The Metric without the values that have the wrong type.
    pub metric: api::Metric,
    /// The places of those.
    pub lost: Lost,
}

/// Places of a Metric at which something was that could not be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lost(Vec<String>);

/// A DataSink and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct PlacedSink {
    /// Where it stands.
    pub place: Place,
    /// The DataSink.
    pub sink: api::DataSink,
}

/// Reads Metrics of either group; a List is its items. DataSinks are read along, our other kinds are noted and ignored, anything else is an
/// error, and so is a second Metric of the same namespace and name.
pub fn read_metrics(documents: Vec<Document>) -> Metrics {
    let mut metrics = Metrics::default();
    let mut seen = BTreeMap::new();
    let mut unwrapped = vec![];
    for document in documents {
        match object_of_event(document) {
            Ok(document) => unwrapped.extend(document),
            Err(error) => metrics.errors.push(*error),
        }
    }
    for Document { place, value } in unwrapped.into_iter().flat_map(items) {
        let manifest = match read_manifest(value.clone()) {
            Ok(manifest) => manifest,
            Err(errors) => {
                metrics.refuse(place, value, &errors);
                continue;
            }
        };
        metrics.notes.extend(manifest.warnings.iter().map(|warning| Finding::of_warning(&place, warning)));
        let metric = match manifest.object {
            ManifestObject::Metric(metric) => *metric,
            ManifestObject::DataSink(sink) => {
                metrics.sinks.push(PlacedSink { place, sink: *sink });
                continue;
            }
            ManifestObject::Other { kind } => {
                let message = format!("a {kind} has no meaning here, ignored");
                metrics.notes.push(Finding::new(FindingKind::Other, &place, "", message));
                continue;
            }
        };
        let key = (metric.namespace().to_owned(), metric.metadata.name.clone().unwrap_or_default());
        if let Some(first) = seen.get(&key) {
            let (namespace, name) = key;
            let message = format!("Metric {namespace}/{name} stands also at {first}");
            metrics.errors.push(Finding::error(&place, message));
            continue;
        }
        seen.insert(key, place.clone());
        metrics.metrics.push(PlacedMetric { place, metric });
    }
    metrics
}

// === impl Metrics ===

impl Metrics {
    /// Keeps what is wrong with a document, and what is left of it.
    fn refuse(&mut self, place: Place, value: Value, errors: &[ManifestError]) {
        self.errors.extend(errors.iter().map(|error| Finding::of_manifest(&place, error)));
        let lost = errors.iter().filter_map(|error| match error {
            ManifestError::Shape { place, .. } => Some(place.clone()),
            _ => None,
        });
        let lost = Lost(lost.collect());
        if let Some(PartialMetric { metric, warnings }) = read_metric_in_part(value) {
            self.notes.extend(warnings.iter().map(|warning| Finding::of_warning(&place, warning)));
            self.partial.push(PartlyRead { place, metric: *metric, lost });
        }
    }
}

// === impl Lost ===

impl Lost {
    /// Whether what stands at `path`, something in it or something around it was lost, so that nothing can be said of it.
    pub fn affects(&self, path: &str) -> bool {
        let holds = |outer: &str, inner: &str| {
            inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        };
        self.0.iter().any(|lost| holds(lost, path) || holds(path, lost))
    }
}

/// The object of a watch event; any other document as it is. A bookmark holds nothing.
fn object_of_event(mut document: Document) -> Result<Option<Document>, Box<Finding>> {
    let is_event = document.value.as_object().is_some_and(|value| {
        value.len() == 2 && value.get("type").is_some_and(Value::is_string) && value.contains_key("object")
    });
    if !is_event {
        return Ok(Some(document));
    }
    match document.value["type"].as_str().unwrap_or_default() {
        "ADDED" | "MODIFIED" => {
            document.value = document.value["object"].take();
            Ok(Some(document))
        }
        "BOOKMARK" => Ok(None),
        other => {
            let message = format!("is a watch event of type {other:?}, not a Metric");
            Err(Box::new(Finding::error(&document.place, message)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::input::parse_documents;
    use super::*;

    fn check(text: &str, names: &[&str], messages: &[&str]) {
        let found = read_metrics(parse_documents("f.yaml", text.as_bytes()).unwrap());
        let found_names = found
            .metrics
            .iter()
            .map(|placed| placed.metric.metadata.name.clone().unwrap())
            .collect::<Vec<_>>();
        assert_eq!(found_names, names, "{text}");
        let found_messages =
            found.errors.iter().chain(&found.notes).map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(found_messages, messages, "{text}");
    }

    const NEW: &str = "apiVersion: metrics.open-control-plane.io/v1alpha1\nkind: Metric\n";
    const OLD: &str = "apiVersion: metrics.openmcp.cloud/v1alpha1\nkind: Metric\n";

    #[test]
    fn metrics_of_both_groups_are_read() {
        check(&format!("{NEW}metadata: {{name: a}}\n---\n{OLD}metadata: {{name: b}}\n"), &["a", "b"], &[]);
        check(
            "kind: MetricList\napiVersion: metrics.openmcp.cloud/v1alpha1\nitems: [metadata: {name: a}]",
            &["a"],
            &[],
        );
    }

    #[test]
    fn metrics_are_unwrapped_from_watch_events() {
        check(
            r#"{"type":"ADDED","object":{"apiVersion":"metrics.openmcp.cloud/v1alpha1","kind":"Metric","metadata":{"name":"a"}}}
               {"type":"BOOKMARK","object":{"apiVersion":"metrics.openmcp.cloud/v1alpha1","kind":"Metric"}}
               {"type":"ERROR","object":{"kind":"Status"}}"#,
            &["a"],
            &["f.yaml:3: is a watch event of type \"ERROR\", not a Metric"],
        );
    }

    #[test]
    fn one_bad_metric_hides_no_other() {
        check(
            &format!(
                "{NEW}spec: 1\n---\n{NEW}metadata: {{name: b}}\nspec: {{mode: Odd}}\n---\n{NEW}spec: {{interval: 5}}"
            ),
            &["b"],
            &[
                "f.yaml:1: spec: must be a map, is an integer",
                "f.yaml:10: spec.interval: must be a string, is an integer",
            ],
        );
    }

    #[test]
    fn what_is_no_metric_is_said() {
        check(
            "apiVersion: v1\nkind: Pod\n---\napiVersion: metrics.openmcp.cloud/v1alpha1\nkind: ManagedMetric\n---\n- 1\n",
            &[],
            &[
                "f.yaml:1: is a Pod of v1, not a Metric of metrics.open-control-plane.io/v1alpha1 or metrics.openmcp.cloud/v1alpha1",
                "f.yaml:7: is no Kubernetes object: it is no map",
                "f.yaml:4: a ManagedMetric has no meaning here, ignored",
            ],
        );
    }

    #[test]
    fn a_metric_that_stands_twice_is_an_error() {
        check(
            &format!("{NEW}metadata: {{name: a}}\n---\n{OLD}metadata: {{name: a, namespace: default}}\n"),
            &["a"],
            &["f.yaml:5: Metric default/a stands also at f.yaml:1"],
        );
    }
}

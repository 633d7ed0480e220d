//! A document becomes a declared kind, or an error that names the place.
//!
//! In: JSON that a user wrote, in either group. Out: the typed kind, with a note on what an API server would have
//! dropped. Must never know: files, expressions.
//!
//! The types alone would refuse a document at the first odd value, without its place. So its shape is held against the
//! schema first: that finds every value of the wrong type, and every field that does not exist.

use std::sync::LazyLock;

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::message::one_line;
use super::warning::{Warning, WarningKind};
use crate::api::{self, Declared, Group, KINDS, VERSION};

/// What a document declares.
#[derive(Clone, Debug, PartialEq)]
pub struct Manifest {
    /// The object.
    pub object: ManifestObject,
    /// What was ignored.
    pub warnings: Vec<Warning>,
}

/// What could be read of a Metric in which values have the wrong type.
#[derive(Clone, Debug, PartialEq)]
pub struct PartialMetric {
    /// The Metric, without those values; an element of a list is left as one that says nothing.
    pub metric: Box<api::Metric>,
    /// What was ignored.
    pub warnings: Vec<Warning>,
}

/// The object of a [`Manifest`].
#[derive(Clone, Debug, PartialEq)]
pub enum ManifestObject {
    /// A Metric of either group.
    Metric(Box<api::Metric>),
    /// A DataSink of either group.
    DataSink(Box<api::DataSink>),
    /// A kind of ours that is not evaluated from files.
    Other {
        /// Its kind.
        kind: &'static str,
    },
}

/// Why a document is no object of ours that can be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// It is not an object of a cluster at all.
    #[error("is no Kubernetes object: {0}")]
    NoObject(&'static str),
    /// It is something else.
    #[error("is a {kind} of {api_version}, not a Metric of {}", metric_versions())]
    OtherKind {
        /// Its `kind`.
        kind: String,
        /// Its `apiVersion`.
        api_version: String,
    },
    /// A value has the wrong type.
    #[error("{place}: {message}")]
    Shape {
        /// Where it stands.
        place: String,
        /// What is wrong with it.
        message: String,
    },
}

/// Reads a document as a kind of ours.
///
/// # Errors
/// Every value of the wrong type; or that it is not of ours.
pub fn read_manifest(mut document: Value) -> Result<Manifest, Vec<ManifestError>> {
    let kind = kind_of(&document).map_err(|error| vec![error])?;
    let mut shape = Shape::default();
    let object = match kind {
        "Metric" => ManifestObject::Metric(shape.read(&mut document, &METRIC_SCHEMA)?),
        "DataSink" => ManifestObject::DataSink(shape.read(&mut document, &DATA_SINK_SCHEMA)?),
        kind => ManifestObject::Other { kind },
    };
    Ok(Manifest { object, warnings: shape.warnings })
}

/// Reads what there is of a Metric that [`read_manifest`] refuses for its shape, so that whoever checks it can say what
/// else is wrong.
pub fn read_metric_in_part(mut document: Value) -> Option<PartialMetric> {
    if kind_of(&document).ok()? != "Metric" {
        return None;
    }
    let mut shape = Shape::default();
    shape.check(&mut document, &METRIC_SCHEMA, &mut String::new());
    let metric = serde_json::from_value(document).ok()?;
    Some(PartialMetric { metric, warnings: shape.warnings })
}

static METRIC_SCHEMA: LazyLock<Value> = LazyLock::new(schema::<api::Metric>);

static DATA_SINK_SCHEMA: LazyLock<Value> = LazyLock::new(schema::<api::DataSink>);

/// The schema of a kind; it is the same in both groups.
fn schema<K: Declared>() -> Value {
    let mut definition = api::custom_resource_definition::<K>(Group::default());
    definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"].take()
}

fn kind_of(document: &Value) -> Result<&'static str, ManifestError> {
    let object = document.as_object().ok_or(ManifestError::NoObject("it is no map"))?;
    let text = |key| object.get(key).and_then(Value::as_str);
    let kind = text("kind").ok_or(ManifestError::NoObject("`kind` is missing"))?;
    let api_version = text("apiVersion").ok_or(ManifestError::NoObject("`apiVersion` is missing"))?;
    let ours = api_version
        .split_once('/')
        .is_some_and(|(group, version)| Group::named(group).is_some() && version == VERSION);
    KINDS
        .into_iter()
        .find(|known| ours && *known == kind)
        .ok_or_else(|| ManifestError::OtherKind { kind: one_line(kind), api_version: one_line(api_version) })
}

fn metric_versions() -> String {
    Group::ALL.map(Group::api_version).join(" or ")
}

/// What is wrong with the shape of a document.
#[derive(Default)]
struct Shape {
    errors: Vec<ManifestError>,
    warnings: Vec<Warning>,
}

// === impl Shape ===

impl Shape {
    /// Reads `document` as the kind whose schema is given.
    fn read<K: DeserializeOwned>(
        &mut self,
        document: &mut Value,
        schema: &Value,
    ) -> Result<Box<K>, Vec<ManifestError>> {
        self.check(document, schema, &mut String::new());
        if !self.errors.is_empty() {
            return Err(std::mem::take(&mut self.errors));
        }
        serde_json::from_value(document.take()).map(Box::new).map_err(|error| {
            vec![ManifestError::Shape { place: "metadata".to_owned(), message: error.to_string() }]
        })
    }

    /// Holds `value` against `schema`, and takes out the nulls, which an API server takes for absent. The depth is that
    /// of the schema.
    fn check(&mut self, value: &mut Value, schema: &Value, place: &mut String) {
        let expected = schema["type"].as_str().unwrap_or_default();
        let right = match expected {
            "object" => value.is_object(),
            "array" => value.is_array(),
            "string" => value.is_string(),
            "integer" => value.is_i64(),
            "boolean" => value.is_boolean(),
            _ => true,
        };
        if !right {
            let message = format!("must be {}, is {}", with_article(expected), describe(value));
            self.errors.push(ManifestError::Shape { place: place.clone(), message });
            // Nothing is left of it, for whoever reads the rest.
            *value = Value::Null;
            return;
        }
        match (value, &schema["properties"], &schema["items"]) {
            (Value::Object(members), Value::Object(known), _) => {
                members.retain(|_, member| !member.is_null());
                for (name, member) in &mut *members {
                    self.member(name, member, known, place);
                }
                members.retain(|_, member| !member.is_null());
            }
            (Value::Array(items), _, items_schema @ Value::Object(_)) => {
                for (index, item) in items.iter_mut().enumerate() {
                    self.below(&format!("[{index}]"), item, items_schema, place);
                    if item.is_null() {
                        *item = if items_schema["type"] == "object" { json!({}) } else { json!("") };
                    }
                }
            }
            _ => {}
        }
    }

    fn member(
        &mut self,
        name: &str,
        member: &mut Value,
        known: &serde_json::Map<String, Value>,
        place: &mut String,
    ) {
        let dot = if place.is_empty() { "" } else { "." };
        if let Some(schema) = known.get(name) {
            self.below(&format!("{dot}{name}"), member, schema, place);
            return;
        }
        let meant = known.keys().find(|candidate| is_near(candidate, name));
        let hint = meant.map(|meant| format!(" (did you mean '{meant}'?)")).unwrap_or_default();
        let name = one_line(name);
        let (place, message) = (format!("{place}{dot}{name}"), format!("no such field, ignored{hint}"));
        self.warnings.push(Warning { place, kind: WarningKind::Field, message });
    }

    fn below(&mut self, step: &str, value: &mut Value, schema: &Value, place: &mut String) {
        let length = place.len();
        place.push_str(step);
        self.check(value, schema, place);
        place.truncate(length);
    }
}

fn with_article(kind: &str) -> &'static str {
    match kind {
        "object" => "a map",
        "array" => "a list",
        "string" => "a string",
        "integer" => "an integer",
        "boolean" => "a bool",
        _ => "something else",
    }
}

fn describe(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a bool",
        Value::Number(number) if number.is_f64() => "a number with a fraction",
        Value::Number(_) => "an integer",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "a map",
    }
}

/// Whether `written` may be a slip of the pen for `known`: another case, or one character changed, missing, too many or
/// swapped with its neighbour.
pub(crate) fn is_near(known: &str, written: &str) -> bool {
    let known: Vec<char> = known.to_lowercase().chars().collect();
    let written: Vec<char> = written.to_lowercase().chars().collect();
    let head = known.iter().zip(&written).take_while(|(a, b)| a == b).count();
    let (known, written) = (&known[head..], &written[head..]);
    match (known, written) {
        ([], []) => true,
        ([a, b, known @ ..], [c, d, written @ ..]) if a == d && b == c && known == written => true,
        _ => {
            let skip = |text: &[char]| text.get(1..).unwrap_or_default().to_vec();
            skip(known) == written
                || known == skip(written)
                || (!known.is_empty() && skip(known) == skip(written))
        }
    }
}

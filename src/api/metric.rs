//! The kind Metric: which objects, which attributes, which number.
//!
//! In: what users write. Out: what `controller` lowers, and what the status says. Must never know: the engine.

use std::borrow::Cow;

use kube::core::{NamespaceResourceScope, ObjectMeta, Resource, TypeMeta};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::condition::Condition;
use super::crd::{Column, Declared};
use super::group::{Group, VERSION};
use super::projection::{ForEach, Projection, ValueFrom};
use super::reference::{DataSinkRef, RemoteClusterAccessRef};
use super::target::Target;

/// A metric over the objects of one kind.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Metric {
    /// `apiVersion` and `kind`, where they are written.
    #[serde(flatten)]
    pub types: Option<TypeMeta>,
    /// Name, namespace, generation and so on.
    pub metadata: ObjectMeta,
    /// What is asked for.
    pub spec: MetricSpec,
    /// What was seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<MetricStatus>,
}

/// What a Metric asks for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["target"]))]
pub struct MetricSpec {
    /// Name of the metric in OpenTelemetry: a letter, then letters, digits, `_`, `.`, `-` and `/`, at most 255.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What the metric tells, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Unit in UCUM, such as `By` or `s`. Default: that of the number, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// The kind of objects that the metric looks at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<Target>,
    /// Label selector in kubectl's form.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label_selector: Option<String>,
    /// Field selector in kubectl's form.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field_selector: Option<String>,
    /// Only objects of these namespaces count. Default: the whole cluster.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub namespaces: Vec<String>,
    /// Only objects of namespaces that this label selector, in kubectl's form, selects count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace_selector: Option<String>,
    /// CEL expression: an object counts only if it is true. Variable `object`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    /// A list or map of which every element contributes by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub for_each: Option<ForEach>,
    /// The attributes of the metric. Objects that agree in all of them share a series.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub projections: Vec<Projection>,
    /// The number that an object contributes. Default: objects are counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value_from: Option<ValueFrom>,
    /// How objects are observed: by watching them, or by listing them every `interval`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("enum" = ["EventDriven", "Polling"]))]
    pub mode: Option<String>,
    /// Polling: the period. EventDriven: at least this often every series is sent again.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "10m"))]
    pub interval: Option<String>,
    /// When changes leave.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flush: Option<Flush>,
    /// What the metric may cost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limits: Option<Limits>,
    /// Where the metric is pushed. Default: nowhere, it is only served on `/metrics`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_sink_ref: Option<DataSinkRef>,
    /// The cluster to look at. Default: the one that holds the Metric.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remote_cluster_access_ref: Option<RemoteClusterAccessRef>,
}

/// When changes leave.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Flush {
    /// A metric is flushed this long after its first change that has not left yet. Default `1s`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub debounce: Option<String>,
}

/// What a metric may cost.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Limits {
    /// At most this many series; further attribute sets fold into one overflow series. Default 10000.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("minimum" = 1))]
    pub max_series: Option<i64>,
}

/// What was seen of a Metric.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct MetricStatus {
    /// The last value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observation: Option<Observation>,
    /// `True`, `False` or `Unknown`: the condition Ready as text, for the printer column.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ready: Option<String>,
    /// The aspects of its state.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    /// The generation of the spec that this status is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// The mode in effect.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
    /// How many series there are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub series: Option<i64>,
    /// How many objects count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub matched_objects: Option<i64>,
    /// When the metric last left, as RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "date-time"))]
    pub last_export_time: Option<String>,
    /// Objects for which an expression had no value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expression_errors: Option<ExpressionErrors>,
    /// What the metric has cost so far.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost: Option<Cost>,
}

/// The last value of a metric.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Observation {
    /// When it was seen, as RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "date-time"))]
    pub timestamp: Option<String>,
    /// The number of objects, as text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latest_value: Option<String>,
    /// Attributes of the value.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dimensions: Vec<Dimension>,
    /// How long discovery of the target took.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_lookup_duration_millis: Option<i64>,
    /// How often discovery of the target was answered from memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_lookup_cache_hits: Option<i64>,
}

/// One attribute of an observed value.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Dimension {
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

/// Objects for which an expression had no value.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ExpressionErrors {
    /// How many errors there were.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<i64>,
    /// What the last one said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_message: Option<String>,
    /// The object of the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_object: Option<String>,
}

/// What a metric has cost since it was registered, and what it holds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Cost {
    /// Events that were looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub events: Option<i64>,
    /// Objects that were evaluated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evaluations: Option<i64>,
    /// Steps of expressions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steps: Option<i64>,
    /// Series that there are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub series: Option<i64>,
    /// Memory that the series and the contributions of objects to them take, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<i64>,
}

// === impl Metric ===

impl Metric {
    /// The namespace; what has none is taken to be in `default`, as kubectl does.
    pub fn namespace(&self) -> &str {
        self.metadata.namespace.as_deref().filter(|namespace| !namespace.is_empty()).unwrap_or("default")
    }
}

impl Declared for Metric {
    const KIND: &'static str = "Metric";
    const PLURAL: &'static str = "metrics";
    const DESCRIPTION: &'static str = "A metric over the objects of one kind.";
    const COLUMNS: &'static [Column] = &[
        Column { name: "READY", path: ".status.ready", kind: "string" },
        Column { name: "VALUE", path: ".status.observation.latestValue", kind: "string" },
        Column { name: "OBSERVED", path: ".status.observation.timestamp", kind: "date" },
    ];
    type Spec = MetricSpec;
    type Status = MetricStatus;
}

impl Resource for Metric {
    type DynamicType = Group;
    type Scope = NamespaceResourceScope;

    fn kind(_: &Group) -> Cow<'_, str> {
        Cow::Borrowed(Self::KIND)
    }

    fn group(group: &Group) -> Cow<'_, str> {
        Cow::Borrowed(group.name())
    }

    fn version(_: &Group) -> Cow<'_, str> {
        Cow::Borrowed(VERSION)
    }

    fn plural(_: &Group) -> Cow<'_, str> {
        Cow::Borrowed(Self::PLURAL)
    }

    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}

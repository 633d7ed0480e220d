//! What a metric means, free of Kubernetes syntax.
//!
//! In: nothing; an embedder fills these types. Out: nothing; the engine compiles them. Must never know: rows,
//! plans, series, and how a user wrote any of this down, except for the place that errors name.

use std::collections::BTreeSet;
use std::sync::Arc;

/// One metric: which objects count, under which attributes, with which number.
#[derive(Clone, Debug, PartialEq)]
pub struct Definition {
    /// What the metric is called, carried through to snapshots.
    pub info: Arc<MetricInfo>,
    /// Whose budget an evaluation is charged to: the namespace of the Metric.
    pub tenant: Arc<str>,
    /// All must hold for the labels of an object.
    pub labels: Vec<LabelRequirement>,
    /// All must hold for the fields of an object.
    pub fields: Vec<FieldRequirement>,
    /// `metadata.namespace` must be one of these; `None` is every namespace and every cluster-scoped object.
    pub namespaces: Option<BTreeSet<String>>,
    /// An object counts only if this CEL expression is true.
    pub filter: Option<Formula>,
    /// Every element of this list, or entry of this map, contributes by itself.
    pub for_each: Option<Formula>,
    /// The attributes of the series that an object contributes to.
    pub projections: Vec<Projection>,
    /// The number an object contributes; `None` counts objects.
    pub value: Option<ValueFrom>,
    /// How values are written as attributes, and which arithmetic applies.
    pub text: TextForm,
    /// At most this many series; further attribute sets fold into one overflow series. Default 10,000.
    pub max_series: usize,
    /// Whether no message may quote a value of an object, not even the one at fault: for objects such as Secrets.
    pub confidential: bool,
}

impl Definition {
    /// Counts all objects under the name `name`: the start of a definition in a program.
    pub fn count(name: &str) -> Self {
        Definition {
            info: Arc::new(MetricInfo { name: name.to_owned(), ..MetricInfo::default() }),
            tenant: Arc::from(""),
            labels: Vec::new(),
            fields: Vec::new(),
            namespaces: None,
            filter: None,
            for_each: None,
            projections: Vec::new(),
            value: None,
            text: TextForm::Native,
            max_series: DEFAULT_MAX_SERIES,
            confidential: false,
        }
    }

    /// Counts only objects for which this CEL expression is true.
    pub fn filter(self, cel: &str) -> Self {
        Definition { filter: Some(Formula::cel(cel, "filter")), ..self }
    }

    /// Tells objects apart by an attribute that a CEL expression gives.
    pub fn by(mut self, attribute: &str, cel: &str) -> Self {
        let formula = Formula::cel(cel, &format!("by.{attribute}"));
        let kind = ProjectionKind::Primitive;
        self.projections.push(Projection { name: attribute.to_owned(), formula, kind, default: None });
        self
    }

    /// Lets every element of the list, or entry of the map, that a CEL expression gives contribute by itself.
    pub fn each(self, cel: &str) -> Self {
        Definition { for_each: Some(Formula::cel(cel, "each")), ..self }
    }

    /// Aggregates the number that a CEL expression gives, rather than counting.
    pub fn aggregate(self, aggregation: Aggregation, kind: ValueKind, cel: &str) -> Self {
        let formula = Formula::cel(cel, "value");
        Definition { value: Some(ValueFrom { formula, kind, aggregation, default: None }), ..self }
    }
}

impl Formula {
    /// A CEL expression that stands at `place`.
    pub fn cel(text: &str, place: &str) -> Self {
        Formula { language: Language::Cel, text: text.to_owned(), place: place.to_owned() }
    }
}

/// How many series a metric may have unless it says otherwise: five times the default of OpenTelemetry's SDKs, since
/// aggregates of a whole cluster are few metrics with many series.
pub const DEFAULT_MAX_SERIES: usize = 10_000;

/// The names of a metric. Opaque to the engine, except that it travels with the series.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MetricInfo {
    /// The object that declares the metric, as `Kind/namespace/name`.
    pub source: String,
    /// Namespace of that object.
    pub namespace: String,
    /// Name of that object.
    pub object: String,
    /// Name of the metric.
    pub name: String,
    /// For people; HELP in Prometheus.
    pub description: String,
    /// UCUM unit; empty for none.
    pub unit: String,
    /// Name of the instrumentation scope in OTLP; empty for none.
    pub scope: String,
    /// Attributes that every series has besides its own, as (name, text), sorted by name, each name once. They are not
    /// part of a series' identity within the metric; its own attribute of that name comes first.
    pub base_attributes: Vec<(String, String)>,
}

/// One requirement of a label selector, as Kubernetes defines them: `NotIn` and `NotEquals` hold where the label is absent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelRequirement {
    /// The label's key.
    pub key: String,
    /// What must hold of its value.
    pub operator: LabelOperator,
}

/// See [`LabelRequirement`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LabelOperator {
    /// Present, with one of these values. `=` is a set of one.
    In(BTreeSet<String>),
    /// Absent, or with none of these values. `!=` is a set of one.
    NotIn(BTreeSet<String>),
    /// Present.
    Exists,
    /// Absent.
    DoesNotExist,
    /// Present, an integer and greater.
    GreaterThan(i64),
    /// Present, an integer and less.
    LessThan(i64),
}

/// One requirement of a field selector: the text form of a scalar equals `value` (absent reads as empty), or does not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldRequirement {
    /// Member names from the object's root.
    pub path: Vec<String>,
    /// What the text is compared to.
    pub value: String,
    /// Whether equality, rather than inequality, is asked for.
    pub equal: bool,
}

/// An expression as its author wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Formula {
    /// What it is written in.
    pub language: Language,
    /// The expression.
    pub text: String,
    /// Where it stands in the user's document, such as `spec.projections[2].expression`; errors begin with it.
    pub place: String,
}

/// What an expression is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Language {
    /// The Common Expression Language, with Kubernetes' libraries.
    Cel,
    /// JSONPath as RFC 9535 defines it.
    Rfc9535,
    /// JSONPath as kubectl has it: one `{…}` block or none.
    Kubectl,
}

/// One attribute.
#[derive(Clone, Debug, PartialEq)]
pub struct Projection {
    /// The attribute's name.
    pub name: String,
    /// Where its value comes from.
    pub formula: Formula,
    /// How its value is rendered.
    pub kind: ProjectionKind,
    /// Used where the value is absent, as JSON.
    pub default: Option<serde_json::Value>,
}

/// How a projected value becomes text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum ProjectionKind {
    /// A scalar.
    #[default]
    Primitive,
    /// The JSON text of a list; anything else as a list of one.
    Slice,
    /// The JSON text of a map.
    Map,
    /// RFC 3339 or a CEL timestamp, as Unix seconds.
    Timestamp,
}

/// The number an object contributes.
#[derive(Clone, Debug, PartialEq)]
pub struct ValueFrom {
    /// Where the number comes from.
    pub formula: Formula,
    /// How it is read and in which arithmetic it is aggregated.
    pub kind: ValueKind,
    /// How the numbers of one series are combined.
    pub aggregation: Aggregation,
    /// Used where the value is absent: JSON string or number.
    pub default: Option<serde_json::Value>,
}

/// How a number is read and in which arithmetic it is aggregated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum ValueKind {
    /// 64 bits; sums beyond them become double and say so.
    #[default]
    Integer,
    /// IEEE 754 binary64; sums are exactly rounded.
    Double,
    /// A Kubernetes quantity such as `500m` or `2Gi`, exact to 1e-9.
    Quantity,
    /// A duration such as `1h30m`, in seconds, exact to 1e-9.
    Duration,
    /// A point in time, in whole Unix seconds.
    Timestamp,
}

/// How the numbers of one series are combined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Aggregation {
    /// Exactly rounded sum.
    #[default]
    Sum,
    /// The smallest.
    Min,
    /// The greatest.
    Max,
    /// The sum divided by the number of values, rounded once.
    Mean,
    /// The number of values.
    Count,
}

/// How values are written as attributes, and which arithmetic applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum TextForm {
    /// Integers in digits, doubles in shortest round-trip form; an empty attribute is left out.
    #[default]
    Native,
    /// Go's `%v` and Go's JSON; `mean` of integers truncates toward zero.
    Go,
}

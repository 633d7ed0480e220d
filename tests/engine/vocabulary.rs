//! The words that random objects and definitions are made of, for whoever chooses among them.

use std::collections::BTreeSet;
use std::sync::Arc;

use celemetry_engine::definition::{
    Aggregation, Definition, FieldRequirement, Formula, LabelRequirement, Language, MetricInfo, Projection,
    ProjectionKind, TextForm, ValueFrom, ValueKind,
};
use serde_json::{Map, Value as Json, json};

// === objects ===

/// Phases. These and the following are JSON; an empty word stands for no member.
pub(crate) const PHASES: &[&str] = &[r#""Running""#, r#""Pending""#, r#""Failed""#];

/// What is no phase.
pub(crate) const ODD_PHASES: &[&str] = &["", "null", "3"];

/// Doubles.
pub(crate) const WEIGHTS: &[&str] = &[
    "0.1",
    "1e308",
    "-1e308",
    "1e-300",
    "5e-324",
    "1.5",
    "-0.0",
    r#""NaN""#,
    r#""Inf""#,
    r#""-Inf""#,
    "3",
    r#""x""#,
    "[1]",
];

/// Points in time.
pub(crate) const STARTED: &[&str] = &[
    r#""2026-01-02T03:04:05Z""#,
    r#""2026-01-02T03:04:05.5+01:00""#,
    r#""1969-12-31T23:59:59Z""#,
    r#""soon""#,
];

/// Durations.
pub(crate) const AGES: &[&str] = &[r#""1h30m""#, r#""90s""#, r#""1ns""#, r#""old""#];

/// Integers.
pub(crate) const PRIORITIES: &[&str] =
    &["1", "-7", "9223372036854775807", "-9223372036854775808", "2.0", "2.5", r#""12""#, r#""twelve""#];

/// Quantities.
pub(crate) const CPUS: &[&str] = &["500m", "2", "1Gi", "1n", "0.1", "much", "100e3"];

/// Names of containers.
pub(crate) const CONTAINERS: &[&str] = &["web", "proxy", "init"];

/// Labels and their values.
pub(crate) const LABELS: &[(&str, &[&str])] =
    &[("app", &["x", "y", "z"]), ("tier", &["1", "2", "10"]), ("env", &["prod", "dev"])];

/// How the numbers of a series may be combined.
pub(crate) const AGGREGATIONS: &[Aggregation] =
    &[Aggregation::Sum, Aggregation::Min, Aggregation::Max, Aggregation::Mean, Aggregation::Count];

/// What label selectors compare with.
pub(crate) const LABEL_VALUES: &[&str] = &["x", "y", "1", "2", "prod"];

/// What field selectors ask for.
pub(crate) const FIELDS: &[(&str, &str)] = &[
    ("metadata.name", "pod-1"),
    ("status.phase", "Running"),
    ("status.phase", ""),
    ("metadata.namespace", "a"),
];

/// The parts of a Pod that definitions may read, without its identity, in words of the lists above.
#[derive(Clone, Debug)]
pub(crate) struct Body {
    /// One a label, if there are labels.
    pub(crate) labels: Option<[Option<&'static str>; LABELS.len()]>,
    pub(crate) phase: &'static str,
    pub(crate) weight: &'static str,
    pub(crate) started: &'static str,
    pub(crate) age: &'static str,
    pub(crate) priority: &'static str,
    pub(crate) containers: Option<Vec<Container>>,
    /// What no definition reads.
    pub(crate) noise: u8,
}

/// A part of a [`Body`].
#[derive(Clone, Debug)]
pub(crate) struct Container {
    pub(crate) name: &'static str,
    pub(crate) restarts: Option<i64>,
    pub(crate) cpu: Option<&'static str>,
    pub(crate) ready: bool,
}

impl Body {
    /// The body as JSON.
    pub(crate) fn json(&self) -> Json {
        let labels = self.labels.map(|values| {
            let pairs = LABELS.iter().zip(values).filter_map(|((key, _), value)| Some((*key, value?)));
            pairs.map(|(key, value)| (key.to_owned(), Json::from(value))).collect::<Map<_, _>>().into()
        });
        let containers: Option<Json> =
            self.containers.as_ref().map(|containers| containers.iter().map(Container::json).collect());
        let noise = json!({"noise": self.noise.to_string()});
        json!({
            "metadata": object([("labels", labels), ("annotations", Some(noise))]),
            "spec": object([
                ("weight", word(self.weight)),
                ("age", word(self.age)),
                ("priority", word(self.priority)),
                ("containers", containers),
            ]),
            "status": object([("phase", word(self.phase)), ("startTime", word(self.started))]),
        })
    }
}

impl Container {
    fn json(&self) -> Json {
        object([
            ("name", Some(self.name.into())),
            ("restarts", self.restarts.map(Json::from)),
            ("cpu", self.cpu.map(Json::from)),
            ("ready", Some(self.ready.into())),
        ])
    }
}

/// A JSON object of those members that have a value.
fn object<const N: usize>(members: [(&str, Option<Json>); N]) -> Json {
    let members = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    members.collect::<Map<_, _>>().into()
}

/// The value that a word stands for; `None` for the empty one.
fn word(word: &str) -> Option<Json> {
    (!word.is_empty()).then(|| serde_json::from_str(word).expect("words are JSON"))
}

// === definitions ===

/// An expression and its language.
pub(crate) type Text = (Language, &'static str);

pub(crate) const FILTERS: &[&str] = &[
    r#"object.status.phase == "Running""#,
    r#"object.status.phase in ["Failed", "Pending"]"#,
    r#"object.status.phase == 3"#,
    r#"object.metadata.labels.app == "x" && object.status.phase != "Failed""#,
    r#"object.metadata.labels["tier"] == "1" || object.metadata.labels["tier"] == "2""#,
    r#"object.metadata.namespace == "a" && object.metadata.labels["env"] == "prod""#,
    r#"has(object.status.phase) && has(object.metadata.labels.app)"#,
    r#"object.spec.containers.exists(c, c.restarts > 2)"#,
    r#"object.spec.containers.all(c, c.ready) && size(object.spec.containers) > 1"#,
    r#"object.status.phase == "Failed" || object.spec.priority == 1 && object.metadata.labels.app == "x""#,
    r#"!(object.status.phase == "Running")"#,
    r#"object.spec.priority > 0 || object.metadata.name.endsWith("1")"#,
    r#"object.metadata.labels.exists(k, k.startsWith("t"))"#,
];

pub(crate) const ELEMENTS: &[Text] = &[
    (Language::Kubectl, "spec.containers"),
    (Language::Kubectl, "{.spec.containers[*]}"),
    (Language::Rfc9535, "$.spec.containers[?@.ready == true]"),
    (Language::Cel, "object.spec.containers"),
    (Language::Cel, "object.spec.containers.filter(c, c.ready)"),
];

pub(crate) const OBJECT_TEXTS: &[Text] = &[
    (Language::Kubectl, "status.phase"),
    (Language::Kubectl, ".metadata.labels.app"),
    (Language::Rfc9535, "$.metadata.labels['tier']"),
    (Language::Cel, r#"object.metadata.labels[?"env"].orValue("none")"#),
    (Language::Cel, "object.metadata.namespace + '/' + object.metadata.name"),
    (Language::Cel, "string(size(object.spec.containers))"),
];

pub(crate) const ITEM_TEXTS: &[Text] =
    &[(Language::Cel, "item.name"), (Language::Cel, "string(index)"), (Language::Kubectl, "status.phase")];

/// Where values of each kind are found: (of the object, of an item).
pub(crate) const VALUES: &[Value] = &[
    (ValueKind::Integer, (Language::Kubectl, "spec.priority"), (Language::Cel, "item.restarts")),
    (ValueKind::Double, (Language::Rfc9535, "$.spec.weight"), (Language::Cel, "double(item.restarts) / 3.0")),
    (
        ValueKind::Quantity,
        (Language::Cel, "object.spec.containers[0].cpu"),
        (Language::Cel, "quantity(item.cpu)"),
    ),
    (ValueKind::Duration, (Language::Kubectl, "spec.age"), (Language::Cel, "duration(object.spec.age)")),
    (
        ValueKind::Timestamp,
        (Language::Kubectl, "status.startTime"),
        (Language::Cel, "timestamp(object.status.startTime)"),
    ),
];

/// Numbers of a definition: of which kind, from where, and how they are combined.
pub(crate) type Value = (ValueKind, Text, Text);

/// What a definition over the objects of [`Body`] is made of, in words of the lists above.
#[derive(Clone, Debug)]
pub(crate) struct Parts {
    pub(crate) labels: Vec<LabelRequirement>,
    pub(crate) namespaces: Option<BTreeSet<String>>,
    pub(crate) fields: Option<FieldRequirement>,
    pub(crate) filter: Option<&'static str>,
    pub(crate) elements: Option<Text>,
    /// Of each attribute which one, and whether it has a default.
    pub(crate) texts: Vec<(usize, bool)>,
    /// And whether it has a default.
    pub(crate) value: Option<(Value, Aggregation, bool)>,
}

impl Parts {
    /// A definition with room for all its series.
    pub(crate) fn definition(self) -> Definition {
        let of_items = self.elements.is_some();
        let pool = if of_items { ITEM_TEXTS } else { OBJECT_TEXTS };
        let projection = |(at, (pick, default)): (usize, (usize, bool))| Projection {
            name: format!("p{at}"),
            formula: formula(pool[pick % pool.len()], &format!("spec.projections[{at}]")),
            kind: ProjectionKind::Primitive,
            default: default.then(|| json!("none")),
        };
        let value = self.value.map(|((kind, of_object, of_item), aggregation, default)| ValueFrom {
            formula: formula(if of_items { of_item } else { of_object }, "spec.valueFrom"),
            kind,
            aggregation,
            default: (default && kind == ValueKind::Integer).then(|| json!("5")),
        });
        Definition {
            info: Arc::new(MetricInfo { name: "m".into(), ..MetricInfo::default() }),
            tenant: "tenant".into(),
            labels: self.labels,
            fields: self.fields.into_iter().collect(),
            namespaces: self.namespaces,
            filter: self.filter.map(|text| formula((Language::Cel, text), "spec.filter")),
            for_each: self.elements.map(|text| formula(text, "spec.forEach")),
            projections: self.texts.into_iter().enumerate().map(projection).collect(),
            value,
            text: TextForm::Native,
            max_series: 10_000,
            confidential: false,
        }
    }
}

/// A requirement of one of [`FIELDS`].
pub(crate) fn field_requirement((path, value): (&str, &str), equal: bool) -> FieldRequirement {
    FieldRequirement { path: path.split('.').map(str::to_owned).collect(), value: value.into(), equal }
}

fn formula((language, text): (Language, &str), place: &str) -> Formula {
    Formula { language, text: text.into(), place: place.into() }
}

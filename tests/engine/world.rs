//! Random objects, random definitions, and a cluster that shows the former through lists and watches as a real one
//! does: the watch lags, a list is taken at one moment and arrives in pieces, connections break.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use celemetry_engine::Engine;
use celemetry_engine::change::{Change, Origin, SourceId};
use celemetry_engine::definition::{
    Aggregation, Definition, FieldRequirement, Formula, LabelOperator, LabelRequirement, Language,
    MetricInfo, Projection, ProjectionKind, TextForm, ValueFrom, ValueKind,
};
use celemetry_engine::row::{Decoder, Defaults};
use proptest::prelude::*;
use serde_json::{Value as Json, json};

// === objects ===

/// The parts of a Pod that definitions may read, as JSON, without its identity.
pub(crate) fn body() -> impl Strategy<Value = Json> {
    let labels = proptest::option::weighted(
        0.9,
        (label(&["x", "y", "z"]), label(&["1", "2", "10"]), label(&["prod", "dev"]))
            .prop_map(|(app, tier, env)| object([("app", app), ("tier", tier), ("env", env)])),
    );
    let phase = prop_oneof![
        6 => prop::sample::select(vec!["Running", "Pending", "Failed"]).prop_map(|phase| Some(json!(phase))),
        1 => Just(None),
        1 => Just(Some(Json::Null)),
        1 => Just(Some(json!(3))),
    ];
    let weight = proptest::option::of(prop::sample::select(vec![
        json!(0.1),
        json!(1e308),
        json!(-1e308),
        json!(1e-300),
        json!(5e-324),
        json!(1.5),
        json!(-0.0),
        json!("NaN"),
        json!("Inf"),
        json!("-Inf"),
        json!(3),
        json!("x"),
        json!([1]),
    ]));
    let started = proptest::option::of(prop::sample::select(vec![
        json!("2026-01-02T03:04:05Z"),
        json!("2026-01-02T03:04:05.5+01:00"),
        json!("1969-12-31T23:59:59Z"),
        json!("soon"),
    ]));
    let age = proptest::option::of(prop::sample::select(vec![
        json!("1h30m"),
        json!("90s"),
        json!("1ns"),
        json!("old"),
    ]));
    let priority = proptest::option::of(prop::sample::select(vec![
        json!(1),
        json!(-7),
        json!(i64::MAX),
        json!(i64::MIN),
        json!(2.0),
        json!(2.5),
        json!("12"),
        json!("twelve"),
    ]));
    let containers = proptest::option::weighted(0.9, prop::collection::vec(container(), 0..4));
    (labels, phase, weight, started, age, priority, containers, any::<u8>()).prop_map(
        |(labels, phase, weight, started, age, priority, containers, noise)| {
            let spec = [("weight", weight), ("age", age), ("priority", priority), ("containers", containers.map(Json::from))];
            json!({
                "metadata": object([("labels", labels), ("annotations", Some(json!({"noise": noise.to_string()})))]),
                "spec": object(spec),
                "status": object([("phase", phase), ("startTime", started)]),
            })
        },
    )
}

fn label(values: &'static [&'static str]) -> impl Strategy<Value = Option<Json>> {
    proptest::option::weighted(0.7, prop::sample::select(values).prop_map(Json::from))
}

fn container() -> impl Strategy<Value = Json> {
    let name = prop::sample::select(vec!["web", "proxy", "init"]);
    let restarts = proptest::option::weighted(0.9, 0..6_i64);
    let cpu =
        proptest::option::of(prop::sample::select(vec!["500m", "2", "1Gi", "1n", "0.1", "much", "100e3"]));
    (name, restarts, cpu, any::<bool>()).prop_map(|(name, restarts, cpu, ready)| {
        let restarts = restarts.map(Json::from);
        object([
            ("name", Some(json!(name))),
            ("restarts", restarts),
            ("cpu", cpu.map(Json::from)),
            ("ready", Some(json!(ready))),
        ])
    })
}

fn object<const N: usize>(members: [(&str, Option<Json>); N]) -> Json {
    members
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

/// Where objects are, by their slots.
pub(crate) const NAMESPACES: [&str; 3] = ["a", "b", "c"];

fn namespace_of(slot: u8) -> &'static str {
    NAMESPACES[slot as usize % NAMESPACES.len()]
}

/// The object that stands at `slot` with `body`, in its `life`-th life.
fn text(slot: u8, life: u32, body: &Json) -> String {
    let mut object = body.clone();
    object["apiVersion"] = json!("v1");
    object["kind"] = json!("Pod");
    let metadata = object["metadata"].as_object_mut().expect("bodies have metadata");
    metadata.insert("name".into(), json!(format!("pod-{slot}")));
    metadata.insert("namespace".into(), json!(namespace_of(slot)));
    metadata.insert("uid".into(), json!(format!("{slot}-{life}")));
    object.to_string()
}

// === definitions ===

/// An expression and its language.
type Text = (Language, &'static str);

const FILTERS: &[&str] = &[
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

const ELEMENTS: &[Text] = &[
    (Language::Kubectl, "spec.containers"),
    (Language::Kubectl, "{.spec.containers[*]}"),
    (Language::Rfc9535, "$.spec.containers[?@.ready == true]"),
    (Language::Cel, "object.spec.containers"),
    (Language::Cel, "object.spec.containers.filter(c, c.ready)"),
];

const OBJECT_TEXTS: &[Text] = &[
    (Language::Kubectl, "status.phase"),
    (Language::Kubectl, ".metadata.labels.app"),
    (Language::Rfc9535, "$.metadata.labels['tier']"),
    (Language::Cel, r#"object.metadata.labels[?"env"].orValue("none")"#),
    (Language::Cel, "object.metadata.namespace + '/' + object.metadata.name"),
    (Language::Cel, "string(size(object.spec.containers))"),
];

const ITEM_TEXTS: &[Text] =
    &[(Language::Cel, "item.name"), (Language::Cel, "string(index)"), (Language::Kubectl, "status.phase")];

/// Where values of each kind are found: (of the object, of an item).
const VALUES: &[(ValueKind, Text, Text)] = &[
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

/// Any definition over the objects of [`body`], with room for all its series.
pub(crate) fn definition() -> impl Strategy<Value = Definition> {
    let namespaces = proptest::option::weighted(
        0.2,
        prop::collection::btree_set(prop::sample::select(vec!["a", "b", "z"]), 1..3),
    );
    let filter = proptest::option::of(prop::sample::select(FILTERS));
    let elements = proptest::option::weighted(0.4, prop::sample::select(ELEMENTS));
    let texts = prop::collection::vec((0..6_usize, any::<bool>()), 0..3);
    let value = proptest::option::of((prop::sample::select(VALUES), aggregation(), any::<bool>()));
    let fields = proptest::option::weighted(0.2, field_requirement());
    (prop::collection::vec(requirement(), 0..3), namespaces, fields, filter, elements, texts, value).prop_map(
        |(labels, namespaces, fields, filter, elements, texts, value)| {
            let pool = if elements.is_some() { ITEM_TEXTS } else { OBJECT_TEXTS };
            let projection = |(at, (pick, default)): (usize, (usize, bool))| Projection {
                name: format!("p{at}"),
                formula: formula(pool[pick % pool.len()], &format!("spec.projections[{at}]")),
                kind: ProjectionKind::Primitive,
                default: default.then(|| json!("none")),
            };
            let value = value.map(|((kind, of_object, of_item), aggregation, default)| ValueFrom {
                formula: formula(if elements.is_some() { of_item } else { of_object }, "spec.valueFrom"),
                kind,
                aggregation,
                default: (default && kind == ValueKind::Integer).then(|| json!("5")),
            });
            Definition {
                info: Arc::new(MetricInfo { name: "m".into(), ..MetricInfo::default() }),
                tenant: "tenant".into(),
                labels,
                fields: fields.into_iter().collect(),
                namespaces: namespaces.map(|names| names.into_iter().map(str::to_owned).collect()),
                filter: filter.map(|text| formula((Language::Cel, text), "spec.filter")),
                for_each: elements.map(|text| formula(text, "spec.forEach")),
                projections: texts.into_iter().enumerate().map(projection).collect(),
                value,
                text: TextForm::Native,
                max_series: 10_000,
                confidential: false,
            }
        },
    )
}

/// Namespaces that a metric may come to count objects of.
pub(crate) fn namespaces() -> impl Strategy<Value = Option<BTreeSet<String>>> {
    let names = prop::sample::select(vec!["a", "b", "c", "z"]).prop_map(str::to_owned);
    proptest::option::weighted(0.8, prop::collection::btree_set(names, 0..4))
}

pub(crate) fn formula((language, text): (Language, &str), place: &str) -> Formula {
    Formula { language, text: text.into(), place: place.into() }
}

fn requirement() -> impl Strategy<Value = LabelRequirement> {
    let values = prop::collection::btree_set(prop::sample::select(vec!["x", "y", "1", "2", "prod"]), 1..3)
        .prop_map(|values| values.into_iter().map(str::to_owned).collect::<BTreeSet<_>>());
    let operator = prop_oneof![
        3 => values.clone().prop_map(LabelOperator::In),
        1 => values.prop_map(LabelOperator::NotIn),
        1 => Just(LabelOperator::Exists),
        1 => Just(LabelOperator::DoesNotExist),
        1 => (0..11_i64).prop_map(LabelOperator::GreaterThan),
        1 => (0..11_i64).prop_map(LabelOperator::LessThan),
    ];
    (prop::sample::select(vec!["app", "tier", "env"]), operator)
        .prop_map(|(key, operator)| LabelRequirement { key: key.into(), operator })
}

fn field_requirement() -> impl Strategy<Value = FieldRequirement> {
    let fields = vec![
        ("metadata.name", "pod-1"),
        ("status.phase", "Running"),
        ("status.phase", ""),
        ("metadata.namespace", "a"),
    ];
    (prop::sample::select(fields), any::<bool>()).prop_map(|((path, value), equal)| FieldRequirement {
        path: path.split('.').map(str::to_owned).collect(),
        value: value.into(),
        equal,
    })
}

fn aggregation() -> impl Strategy<Value = Aggregation> {
    use Aggregation::{Count, Max, Mean, Min, Sum};
    prop::sample::select(vec![Sum, Min, Max, Mean, Count])
}

// === the cluster ===

/// One source: the truth, and what of it is still on its way to the engine.
#[derive(Debug)]
pub(crate) struct Cluster {
    pub(crate) id: SourceId,
    /// What lives, by slot.
    pub(crate) live: BTreeMap<u8, String>,
    lives: u32,
    /// Watch events that were not delivered yet.
    watch: VecDeque<Event>,
    /// Whether changes reach the watch.
    connected: bool,
    /// The list under way.
    list: Option<List>,
    /// Namespaces whose objects are to be shown again.
    reviews: BTreeSet<&'static str>,
    /// What is left of the review under way.
    review: VecDeque<String>,
    decoder: Option<Decoder>,
}

/// A list between its Begin and its End.
#[derive(Debug)]
enum List {
    /// Its first page was not answered yet. If there was no watch when it began, there is one from then on.
    Asked { first: bool },
    /// What is left of it.
    Answered(VecDeque<String>),
}

#[derive(Clone, Debug)]
enum Event {
    Upsert(String),
    Delete(String),
}

impl Cluster {
    pub(crate) fn new(id: SourceId) -> Self {
        Cluster {
            id,
            live: BTreeMap::new(),
            lives: 0,
            watch: VecDeque::new(),
            connected: false,
            list: None,
            reviews: BTreeSet::new(),
            review: VecDeque::new(),
            decoder: None,
        }
    }

    /// Creates or updates what stands at `slot`; `recreate` deletes it first, so that it returns as another object.
    pub(crate) fn put(&mut self, slot: u8, recreate: bool, body: &Json) {
        if recreate {
            self.remove(slot);
        }
        let life = match self.live.get(&slot) {
            Some(object) => life_of(object),
            None => {
                self.lives += 1;
                self.lives
            }
        };
        let object = text(slot, life, body);
        self.live.insert(slot, object.clone());
        self.show(Event::Upsert(object));
    }

    pub(crate) fn remove(&mut self, slot: u8) {
        if let Some(object) = self.live.remove(&slot) {
            self.show(Event::Delete(object));
        }
    }

    fn show(&mut self, event: Event) {
        if self.connected {
            self.watch.push_back(event);
        }
    }

    /// The watch breaks: what was on its way, and what happens from now on, is not seen.
    pub(crate) fn disconnect(&mut self) {
        self.connected = false;
        self.watch.clear();
    }

    /// Starts a list with the newest field plan. It shows everything anew, so what was to be reviewed is not any more.
    pub(crate) fn begin(&mut self, engine: &mut Engine) {
        let plan = engine.field_plan(self.id).expect("the source exists");
        apply(engine, self.id, Change::Begin { epoch: plan.epoch() });
        self.decoder = Some(Decoder::new(plan));
        self.list = Some(List::Asked { first: !self.connected });
        self.reviews.clear();
        self.review.clear();
    }

    /// Delivers up to `count` listed objects. The first page shows this moment, and where there was no watch, one goes on
    /// from it. One that has broken since Begin needs another Begin: what it has shown counts as seen.
    pub(crate) fn deliver_listed(&mut self, engine: &mut Engine, count: usize) {
        if let Some(List::Asked { first }) = self.list {
            self.list = Some(List::Answered(self.live.values().cloned().collect()));
            self.connected |= first;
        }
        for _ in 0..count {
            let Some(List::Answered(objects)) = &mut self.list else { return };
            let Some(object) = objects.pop_front() else { return };
            self.upsert(engine, &object, Origin::List);
        }
    }

    /// Asks for the objects of a namespace again.
    pub(crate) fn ask_for(&mut self, namespace: &'static str) {
        self.reviews.insert(namespace);
    }

    /// Delivers up to `count` objects of namespaces that were asked for, as they are when the first of them arrives.
    pub(crate) fn deliver_reviewed(&mut self, engine: &mut Engine, count: usize) {
        if self.decoder.is_none() {
            return;
        }
        if self.review.is_empty() {
            let reviews = std::mem::take(&mut self.reviews);
            let concerned = self.live.iter().filter(|(slot, _)| reviews.contains(namespace_of(**slot)));
            self.review = concerned.map(|(_, object)| object.clone()).collect();
        }
        for _ in 0..count {
            let Some(object) = self.review.pop_front() else { return };
            self.upsert(engine, &object, Origin::Review);
        }
    }

    /// Delivers up to `count` watch events, after what is left of a review: they may be newer.
    pub(crate) fn deliver_watched(&mut self, engine: &mut Engine, count: usize) {
        if !self.review.is_empty() {
            self.deliver_reviewed(engine, usize::MAX);
        }
        for _ in 0..count {
            match self.watch.pop_front() {
                Some(Event::Upsert(object)) => self.upsert(engine, &object, Origin::Watch),
                Some(Event::Delete(object)) => {
                    let key = self.decode(&object).key();
                    apply(engine, self.id, Change::Delete { key });
                }
                None => return,
            }
        }
    }

    /// Ends the list under way, if there is one.
    pub(crate) fn end(&mut self, engine: &mut Engine) {
        if self.list.is_some() {
            self.deliver_listed(engine, usize::MAX);
            self.list = None;
            apply(engine, self.id, Change::End);
        }
    }

    /// Lets everything arrive that is on its way or asked for.
    pub(crate) fn quiesce(&mut self, engine: &mut Engine) {
        self.end(engine);
        if !self.connected || engine.wants_list(self.id) {
            self.begin(engine);
            self.end(engine);
        }
        // What is left of the review under way, and then the next one.
        self.deliver_reviewed(engine, usize::MAX);
        self.deliver_reviewed(engine, usize::MAX);
        self.deliver_watched(engine, usize::MAX);
    }

    fn upsert(&mut self, engine: &mut Engine, object: &str, origin: Origin) {
        let row = self.decode(object);
        apply(engine, self.id, Change::Upsert { row, origin });
    }

    fn decode(&mut self, object: &str) -> celemetry_engine::row::Row {
        let decoder = self.decoder.as_mut().expect("nothing is delivered before the first list");
        decoder.decode(object.as_bytes(), Defaults::default()).expect("objects are JSON")
    }
}

fn apply(engine: &mut Engine, source: SourceId, change: Change) {
    engine.apply(source, change, &mut |_| {});
}

fn life_of(object: &str) -> u32 {
    let object: Json = serde_json::from_str(object).expect("objects are JSON");
    let uid = object["metadata"]["uid"].as_str().expect("objects have UIDs");
    uid.split_once('-').and_then(|(_, life)| life.parse().ok()).expect("UIDs end in a life")
}

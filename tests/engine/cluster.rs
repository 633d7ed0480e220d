//! A cluster that shows objects through lists and watches as a real one does: the watch lags, a list is taken at one
//! moment and arrives in pieces, connections break.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use celemetry_engine::Engine;
use celemetry_engine::audit::{Seen, Verdict};
use celemetry_engine::change::{Change, Origin, SourceId};
use celemetry_engine::row::{Decoder, Defaults};
use serde_json::{Value as Json, json};

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

    /// What the engine holds of every object that lives is what it gives. To be called once everything has arrived.
    pub(crate) fn assert_sound(&mut self, engine: &Engine) {
        for object in self.live.values().cloned().collect::<Vec<_>>() {
            let seen = Seen::There(self.decode(&object));
            assert_eq!(engine.audit(self.id, &seen), Verdict::Equal, "{object}");
        }
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

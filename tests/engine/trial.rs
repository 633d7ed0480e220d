//! What happens to an engine, step by step, beside the truth that it is compared with.
//!
//! Whatever the steps: the series are those that a naive recomputation of the live objects gives, bit for bit; readers of
//! changes end where readers of tables do; and nothing is left at the end.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use celemetry_engine::definition::{Definition, MetricInfo};
use celemetry_engine::row::HashSeed;
use celemetry_engine::snapshot::{Attributes, MetricId, Number, Snapshot};
use celemetry_engine::{Engine, Footprint, Options};
use serde_json::Value as Json;

use crate::cluster::{Cluster, NAMESPACES};
use crate::model;

/// How many objects a source may have.
pub(crate) const SLOTS: u8 = 8;

/// One thing that happens.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Put { source: usize, slot: u8, recreate: bool, body: Json },
    Remove { source: usize, slot: u8 },
    Watch { source: usize, count: usize },
    Disconnect { source: usize },
    Begin { source: usize },
    List { source: usize, count: usize },
    End { source: usize },
    Review { source: usize, count: usize },
    Add { definition: Box<Definition>, both: bool },
    Edit { metric: usize, definition: Box<Definition>, both: bool },
    Drop { metric: usize },
    Look { metric: usize, namespaces: Option<BTreeSet<String>> },
    Flush,
    FlushOne { metric: usize },
    Readmit { source: usize },
    Check,
}

/// An engine, its clusters, and someone who reads only what snapshots say has changed.
pub(crate) struct Trial {
    pub(crate) engine: Engine,
    clusters: Vec<Cluster>,
    metrics: BTreeMap<MetricId, (Definition, Vec<usize>)>,
    reader: BTreeMap<(MetricId, String), BTreeMap<Attributes, Number>>,
    names: u32,
}

impl Trial {
    pub(crate) fn new(index: bool, seed: HashSeed) -> Self {
        let mut engine = Engine::new(Options { index, seed, ..Options::default() });
        let clusters = (0..2).map(|_| Cluster::new(engine.add_source())).collect();
        Trial { engine, clusters, metrics: BTreeMap::new(), reader: BTreeMap::new(), names: 0 }
    }

    pub(crate) fn take(&mut self, step: &Step) {
        match step {
            Step::Put { source, slot, recreate, body } => self.clusters[*source].put(*slot, *recreate, body),
            Step::Remove { source, slot } => self.clusters[*source].remove(*slot),
            Step::Watch { source, count } => self.clusters[*source].deliver_watched(&mut self.engine, *count),
            Step::Disconnect { source } => self.clusters[*source].disconnect(),
            Step::Begin { source } => self.clusters[*source].begin(&mut self.engine),
            Step::List { source, count } => self.clusters[*source].deliver_listed(&mut self.engine, *count),
            Step::End { source } => self.clusters[*source].end(&mut self.engine),
            Step::Review { source, count } => {
                self.clusters[*source].deliver_reviewed(&mut self.engine, *count);
            }
            Step::Add { definition, both } => self.add(definition, *both),
            Step::Edit { metric, definition, both } => self.edit(*metric, definition, *both),
            Step::Drop { metric } => {
                if let Some(id) = self.metric(*metric) {
                    self.engine.remove(id);
                    self.metrics.remove(&id);
                }
            }
            Step::Look { metric, namespaces } => self.look(*metric, namespaces),
            Step::Flush => self.flush_all(),
            Step::FlushOne { metric } => {
                let due: Vec<MetricId> = self.metric(*metric).into_iter().collect();
                let snapshot = self.engine.flush(&due);
                self.read(&snapshot);
            }
            Step::Readmit { source } => self.engine.readmit(self.clusters[*source].id),
            Step::Check => self.check(),
        }
    }

    fn metric(&self, at: usize) -> Option<MetricId> {
        self.metrics.keys().nth(at).copied()
    }

    fn named(&mut self, definition: &Definition) -> Definition {
        self.names += 1;
        // Every other edit keeps the names, so that both ways of replacing a table are met.
        let name = format!("m{}", self.names / 2);
        Definition { info: Arc::new(MetricInfo { name, ..MetricInfo::default() }), ..definition.clone() }
    }

    fn add(&mut self, definition: &Definition, both: bool) {
        let definition = self.named(definition);
        let sources = if both { vec![0, 1] } else { vec![0] };
        let ids: Vec<_> = sources.iter().map(|at| self.clusters[*at].id).collect();
        let id = self.engine.register(&definition, &ids).expect("generated definitions compile");
        self.metrics.insert(id, (definition, sources));
    }

    fn edit(&mut self, metric: usize, definition: &Definition, both: bool) {
        let Some(id) = self.metric(metric) else { return };
        let definition = self.named(definition);
        let sources = if both { vec![0, 1] } else { vec![1] };
        let ids: Vec<_> = sources.iter().map(|at| self.clusters[*at].id).collect();
        self.engine.edit(id, &definition, &ids).expect("generated definitions compile");
        self.metrics.insert(id, (definition, sources));
    }

    /// Other namespaces count from now on; the objects of those that enter or leave are asked for again.
    fn look(&mut self, metric: usize, namespaces: &Option<BTreeSet<String>>) {
        let Some(id) = self.metric(metric) else { return };
        self.engine.set_namespaces(id, namespaces.clone());
        let (definition, sources) = self.metrics.get_mut(&id).expect("the metric is there");
        let counts =
            |set: &Option<BTreeSet<String>>, name: &str| set.as_ref().is_none_or(|set| set.contains(name));
        let concerned = |name: &&str| counts(&definition.namespaces, name) != counts(namespaces, name);
        for name in NAMESPACES.into_iter().filter(concerned) {
            sources.iter().for_each(|source| self.clusters[*source].ask_for(name));
        }
        definition.namespaces.clone_from(namespaces);
    }

    fn flush_all(&mut self) {
        let snapshot = self.engine.flush_all();
        self.read(&snapshot);
        let tables: BTreeMap<_, _> = snapshot
            .metrics
            .iter()
            .map(|(id, table)| {
                let series =
                    table.iter().map(|series| ((**series.attributes).clone(), series.number)).collect();
                ((*id, table.info.name.clone()), series)
            })
            .filter(|(_, series): &(_, BTreeMap<_, _>)| !series.is_empty())
            .collect();
        assert_eq!(self.reader, tables, "a reader of changes has seen other series than the table holds");
    }

    /// Follows changes alone. Vanished series are named before others of their name may be new.
    pub(crate) fn read(&mut self, snapshot: &Snapshot) {
        for gone in &snapshot.vanished {
            let key = (gone.metric, gone.info.name.clone());
            let table = self.reader.get_mut(&key).expect("what vanishes was there");
            assert!(
                table.remove(&gone.attributes).is_some(),
                "{:?} vanished, and was never there",
                gone.attributes
            );
            if table.is_empty() {
                self.reader.remove(&key);
            }
        }
        for changed in &snapshot.changed {
            let table = &snapshot.metrics[&changed.metric];
            let series = table.get(changed.slot).expect("what changed is in the table");
            let key = (changed.metric, table.info.name.clone());
            let before =
                self.reader.entry(key).or_default().insert((**series.attributes).clone(), series.number);
            assert_ne!(
                before,
                Some(series.number),
                "{:?} is named as changed, and is not",
                series.attributes
            );
        }
    }

    /// Lets everything arrive, and compares with the model.
    pub(crate) fn check(&mut self) {
        for cluster in &mut self.clusters {
            cluster.quiesce(&mut self.engine);
        }
        // What became dirty, and no more, as a coordinator would.
        let mut dirty = Vec::new();
        self.engine.take_dirty(&mut dirty);
        let snapshot = self.engine.flush(&dirty);
        self.read(&snapshot);
        for (id, (definition, sources)) in &self.metrics {
            let live = sources.iter().flat_map(|at| self.clusters[*at].live.values().map(String::as_str));
            let expected = model::series(definition, live);
            let table =
                snapshot.metrics.get(id).expect("a metric whose lists are complete is in the snapshot");
            let ours = table.iter().map(|series| ((**series.attributes).clone(), series.number)).collect();
            let difference = model::difference(&ours, &expected);
            assert!(difference.is_empty(), "{definition:#?}\n{difference}");
        }
        for cluster in &mut self.clusters {
            cluster.assert_sound(&self.engine);
        }
        // It checks its own accounts.
        self.engine.footprint();
    }

    /// Takes everything away and looks for what is left.
    pub(crate) fn end(mut self, metrics_first: bool) {
        if metrics_first {
            self.drop_metrics();
        }
        for cluster in &mut self.clusters {
            (0..SLOTS).for_each(|slot| cluster.remove(slot));
        }
        self.check();
        self.drop_metrics();
        self.flush_all();
        let left = Footprint { sources: 2, ..Footprint::default() };
        assert_eq!(self.engine.footprint(), left, "something is left");
        assert!(self.reader.is_empty(), "series are left: {:?}", self.reader);
    }

    fn drop_metrics(&mut self) {
        for id in std::mem::take(&mut self.metrics).into_keys() {
            self.engine.remove(id);
        }
    }
}

//! Any sequence of changes of objects, metrics and connections leaves the series that a naive recomputation of the
//! live objects gives, bit for bit; readers of changes end where readers of tables do; and nothing is left at the end.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use celemetry_engine::definition::{Definition, MetricInfo};
use celemetry_engine::row::HashSeed;
use celemetry_engine::snapshot::{Attributes, MetricId, Number, Snapshot};
use celemetry_engine::{Engine, Footprint, Options};
use proptest::prelude::*;
use serde_json::Value as Json;

use crate::model;
use crate::world::{Cluster, NAMESPACES, body, definition, namespaces};

const SLOTS: u8 = 8;

/// One thing that happens.
#[derive(Clone, Debug)]
enum Step {
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

fn step() -> impl Strategy<Value = Step> {
    let source = || 0..2_usize;
    let definition = || definition().prop_map(Box::new);
    prop_oneof![
        14 => (source(), 0..SLOTS, prop::bool::weighted(0.1), body())
            .prop_map(|(source, slot, recreate, body)| Step::Put { source, slot, recreate, body }),
        3 => (source(), 0..SLOTS).prop_map(|(source, slot)| Step::Remove { source, slot }),
        8 => (source(), 1..6_usize).prop_map(|(source, count)| Step::Watch { source, count }),
        1 => source().prop_map(|source| Step::Disconnect { source }),
        3 => source().prop_map(|source| Step::Begin { source }),
        4 => (source(), 1..6_usize).prop_map(|(source, count)| Step::List { source, count }),
        3 => source().prop_map(|source| Step::End { source }),
        3 => (source(), 1..4_usize).prop_map(|(source, count)| Step::Review { source, count }),
        3 => (definition(), any::<bool>()).prop_map(|(definition, both)| Step::Add { definition, both }),
        2 => (0..4_usize, definition(), any::<bool>()).prop_map(|(metric, definition, both)| Step::Edit { metric, definition, both }),
        1 => (0..4_usize).prop_map(|metric| Step::Drop { metric }),
        4 => (0..4_usize, namespaces()).prop_map(|(metric, namespaces)| Step::Look { metric, namespaces }),
        3 => Just(Step::Flush),
        2 => (0..4_usize).prop_map(|metric| Step::FlushOne { metric }),
        1 => source().prop_map(|source| Step::Readmit { source }),
        2 => Just(Step::Check),
    ]
}

/// An engine, its clusters, and someone who reads only what snapshots say has changed.
struct Trial {
    engine: Engine,
    clusters: Vec<Cluster>,
    metrics: BTreeMap<MetricId, (Definition, Vec<usize>)>,
    reader: BTreeMap<(MetricId, String), BTreeMap<Attributes, Number>>,
    names: u32,
}

impl Trial {
    fn new(index: bool, seed: HashSeed) -> Self {
        let mut engine = Engine::new(Options { index, seed, ..Options::default() });
        let clusters = (0..2).map(|_| Cluster::new(engine.add_source())).collect();
        Trial { engine, clusters, metrics: BTreeMap::new(), reader: BTreeMap::new(), names: 0 }
    }

    fn take(&mut self, step: &Step) {
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
    fn read(&mut self, snapshot: &Snapshot) {
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
    fn check(&mut self) {
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
    }

    /// Takes everything away and looks for what is left.
    fn end(mut self, metrics_first: bool) {
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

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, max_shrink_iters: 4000, ..ProptestConfig::default() })]

    #[test]
    fn incremental_equals_from_scratch(
        steps in prop::collection::vec(step(), 1..80),
        index in prop::bool::weighted(0.8),
        metrics_first in any::<bool>(),
    ) {
        let mut trial = Trial::new(index, HashSeed::default());
        for step in &steps {
            trial.take(step);
        }
        trial.check();
        trial.end(metrics_first);
    }

    /// Nothing but the changes decides what comes out, not even in which order: no clock, no entropy, no hash.
    #[test]
    fn the_same_changes_give_the_same_snapshots_whatever_the_seed(steps in prop::collection::vec(step(), 1..40)) {
        let mut trials = [HashSeed(1, 2), HashSeed(3, 4)].map(|seed| Trial::new(true, seed));
        for step in &steps {
            let [one, other] = trials.each_mut().map(|trial| {
                trial.take(step);
                let mut dirty = Vec::new();
                trial.engine.take_dirty(&mut dirty);
                let snapshot = trial.engine.flush(&dirty);
                trial.read(&snapshot);
                format!("{dirty:?} {snapshot:?}")
            });
            prop_assert_eq!(one, other);
        }
    }
}

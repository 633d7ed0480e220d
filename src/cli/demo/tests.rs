//! The demo without time: the verdict on an engine that has heard every event, and on engines that have not.

use std::collections::BTreeMap;

use celemetry_engine::Engine;
use celemetry_engine::audit::Verdict;

use super::*;
use crate::cluster::reread::Rereader;
use crate::cluster::router::{Outbox, Route, Router};
use crate::run::engine_options;
use crate::run::stream::{sources_by_target, target_of};
use crate::simulator::Id;
use crate::simulator::event::{Action, Event, list, object};
use crate::simulator::state::{Kind, Selection};

fn cluster(seed: u64) -> Cluster {
    Cluster::new(simulator::Settings { objects: 200, seed })
}

/// What an engine says that has read `documents` as a stream is read.
fn said(documents: &[String]) -> Arc<Snapshot> {
    told(documents).0.flush_all()
}

/// An engine that has read `documents` as a stream is read, and its sources.
fn told(documents: &[String]) -> (Engine, Vec<Route>) {
    let mut engine = Engine::new(engine_options(true));
    let metrics = metrics().unwrap();
    let targets = sources_by_target(&metrics);
    let sources: BTreeMap<_, _> = targets.into_iter().map(|target| (target, engine.add_source())).collect();
    for metric in &metrics {
        engine.register(&metric.definition, &[sources[&target_of(&metric.target)]]).unwrap();
    }
    let route = |(target, source)| Route { target, source, plan: engine.field_plan(source).unwrap() };
    let routes: Vec<Route> = sources.into_iter().map(route).collect();
    let mut router = Router::new(routes.clone());
    let mut out = Outbox::default();
    router.begin(&mut out);
    for document in documents {
        assert!(router.document(document.as_bytes(), &mut out).is_continue());
    }
    assert!(router.is_complete());
    for (source, change) in out.changes {
        engine.apply(source, change, &mut |failure| panic!("{failure:?}"));
    }
    (engine, routes)
}

fn line(event: &Event) -> String {
    let mut line = String::new();
    event.write(&mut line);
    line
}

/// The lists of a cluster, each with its end.
fn lists(cluster: &Cluster) -> Vec<String> {
    let lists = Kind::ALL.into_iter().flat_map(|kind| {
        let (mut text, page) = (String::new(), cluster.page(&Selection::all(kind), Id(0), usize::MAX));
        list(kind, cluster.version(), &page.bodies, None, &mut text);
        [text, line(&Event::bookmark(kind, cluster.version(), true))]
    });
    lists.collect()
}

#[test]
fn the_metrics_are_in_order_and_every_one_has_a_truth() {
    let metrics = metrics().unwrap();
    let mut cluster = Cluster::new(simulator::Settings { objects: 1_000, seed: 1 });
    (0..2_000).for_each(|_| drop(cluster.step()));
    let truth = truth(&cluster);
    for metric in &metrics {
        let source = &metric.definition.info.source;
        assert!(truth.series.keys().any(|(known, _)| known == source), "{source}");
    }
    assert_eq!(metrics.len(), METRICS.len());
}

#[test]
fn who_has_heard_everything_says_the_truth() {
    let mut cluster = cluster(4);
    let mut documents = lists(&cluster);
    for _ in 0..5 {
        (0..240).for_each(|_| documents.extend(cluster.step().iter().map(line)));
        let found = differences(&said(&documents), &truth(&cluster));
        assert!(found.is_empty(), "at {}: {found:?}", cluster.now());
    }
}

#[test]
fn who_has_missed_a_pod_that_came_or_went_is_found_out() {
    for missed in [Action::Added, Action::Deleted] {
        let mut cluster = cluster(9);
        let mut documents = lists(&cluster);
        let mut events = vec![];
        // The last event of a Pod, since a later one would tell what an earlier one did not.
        let is_it = |event: &Event| (event.action, event.kind) == (missed, Kind::Pod);
        while !events.iter().any(is_it) {
            events = cluster.step();
            documents.extend(events.iter().filter(|event| !is_it(event)).map(line));
        }
        let found = differences(&said(&documents), &truth(&cluster));
        assert!(!found.is_empty(), "nothing was noticed of a Pod that was missed: {missed:?}");
    }
}

/// How many objects an engine is wrong about that has read these documents.
fn wrong(cluster: &Cluster, documents: &[String]) -> usize {
    let (engine, routes) = told(documents);
    let mut rereader = Rereader::new(routes);
    let mut wrong = 0;
    for draw in 0..cluster.len() as u64 {
        let (kind, id) = cluster.any(draw).unwrap();
        let mut text = String::new();
        object(kind, &cluster.body(kind, id).unwrap(), &mut text);
        for (source, seen) in rereader.read(text.as_bytes()).unwrap() {
            match engine.audit(source, &seen) {
                Verdict::Equal => {}
                Verdict::Differs(_) => wrong += 1,
                Verdict::Unsettled => panic!("nothing is under way"),
            }
        }
    }
    wrong
}

#[test]
fn every_object_gives_what_is_held_of_it_unless_its_last_event_was_missed() {
    let mut cluster = cluster(4);
    let mut documents = lists(&cluster);
    (0..1_000).for_each(|_| documents.extend(cluster.step().iter().map(line)));
    assert_eq!(wrong(&cluster, &documents), 0);
    let mut events = vec![];
    let is_new_pod = |event: &Event| (event.action, event.kind) == (Action::Added, Kind::Pod);
    while !events.iter().any(is_new_pod) {
        documents.extend(events.iter().map(line));
        events = cluster.step();
    }
    documents.extend(events.iter().filter(|event| !is_new_pod(event)).map(line));
    assert!(wrong(&cluster, &documents) > 0, "nothing was noticed of a Pod that was missed");
}

#[test]
fn the_verdict_needs_objects_that_were_looked_at_at_the_end() {
    let tally = |compared, at_last, wrong: &[&str]| Tally {
        compared,
        at_last,
        wrong: wrong.iter().map(|&object| object.to_owned()).collect(),
    };
    for (audited, expected) in [
        (Some(tally(120, 100, &[])), true),
        (Some(tally(100, 100, &["v1/Pod/shop/web-1"])), false),
        (Some(tally(1, 0, &["v1/Pod/shop/web-1"])), false),
        (Some(tally(20, 0, &[])), false),
        (Some(Tally::default()), false),
        (None, false),
    ] {
        assert_eq!(is_right(audited.as_ref()), expected, "{audited:?}");
    }
}

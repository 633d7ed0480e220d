//! The simulator against itself: what it says is what is there.

use std::collections::BTreeMap;

use serde_json::Value;

use super::event::{Action, Event, Next, list};
use super::state::{Kind, Phase, Selection};
use super::{Cluster, Id, Settings};

fn cluster(objects: u64, seed: u64) -> Cluster {
    Cluster::new(Settings { objects, seed })
}

/// The next events, a whole number of steps.
fn events(cluster: &mut Cluster, at_least: usize) -> Vec<Event> {
    let mut events = vec![];
    while events.len() < at_least {
        events.extend(cluster.step());
    }
    events
}

/// Everything that lists show, in pages of `limit`.
fn listed(cluster: &Cluster, kind: Kind, limit: usize) -> Vec<Value> {
    let (mut items, mut next) = (vec![], Some(Id(0)));
    while let Some(first) = next {
        let (mut text, page) = (String::new(), cluster.page(&Selection::all(kind), first, limit));
        next = page.next;
        let remaining = cluster.count(kind) - items.len() - page.bodies.len();
        let more = next.map(|id| Next { token: id.0.to_string(), remaining: Some(remaining) });
        list(kind, cluster.version(), &page.bodies, more.as_ref(), &mut text);
        let page: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(page["kind"], format!("{}List", kind.name()));
        assert_eq!(page["metadata"]["resourceVersion"], cluster.version().to_string());
        let remaining = page["metadata"]["remainingItemCount"].as_u64().unwrap_or_default();
        items.extend(page["items"].as_array().unwrap().iter().cloned());
        assert_eq!(items.len() as u64 + remaining, cluster.count(kind) as u64);
        assert_eq!(page["metadata"].get("continue").is_some(), next.is_some());
    }
    items
}

fn uid(object: &Value) -> String {
    object["metadata"]["uid"].as_str().unwrap().to_owned()
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_others() {
    let said = |seed| -> Vec<Event> { events(&mut cluster(200, seed), 2_000) };
    assert_eq!(said(7), said(7));
    assert_ne!(said(7), said(8));
}

#[test]
fn a_listener_who_hears_every_event_knows_what_lists_show() {
    let mut cluster = cluster(150, 3);
    let mut known: BTreeMap<String, Value> = BTreeMap::new();
    for kind in Kind::ALL {
        known.extend(listed(&cluster, kind, 1_000).into_iter().map(|item| (uid(&item), item)));
    }
    let mut version = cluster.version();
    for event in events(&mut cluster, 8_000) {
        let mut line = String::new();
        event.write(&mut line);
        let mut said: Value = serde_json::from_str(&line).unwrap();
        let mut object = said["object"].take();
        assert_eq!(object["kind"], event.kind.name());
        assert_eq!(object["metadata"]["resourceVersion"], event.version.to_string());
        if event.action == Action::Bookmark {
            assert_eq!(event.version, version);
            continue;
        }
        assert_eq!(event.version, version + 1);
        version = event.version;
        if event.kind != Kind::Database {
            let object = object.as_object_mut().unwrap();
            object.remove("kind");
            object.remove("apiVersion");
        }
        let before = match event.action {
            Action::Deleted => known.remove(&uid(&object)),
            _ => known.insert(uid(&object), object),
        };
        assert_eq!(before.is_none(), event.action == Action::Added, "{line}");
    }
    let mut shown = BTreeMap::new();
    for kind in Kind::ALL {
        shown.extend(listed(&cluster, kind, 7).into_iter().map(|item| (uid(&item), item)));
    }
    assert_eq!(known, shown);
}

#[test]
fn pods_are_as_large_as_real_ones() {
    let cluster = cluster(500, 1);
    let sizes: Vec<usize> =
        cluster.pods().iter().map(|(id, _)| cluster.body(Kind::Pod, id).unwrap().len()).collect();
    let mean = sizes.iter().sum::<usize>() / sizes.len();
    assert!((5_000..6_500).contains(&mean), "{mean} bytes");
}

#[test]
fn the_cluster_has_as_many_objects_as_asked_for_and_keeps_about_so_many() {
    for objects in [1, 30, 100, 1_000] {
        let mut cluster = cluster(objects, 1);
        let wanted = objects.max(Cluster::MIN_OBJECTS) as usize;
        assert!((wanted..wanted + 12).contains(&cluster.len()), "{objects}: {}", cluster.len());
        assert!(Kind::ALL.into_iter().all(|kind| cluster.count(kind) > 0 || kind == Kind::Job));
        events(&mut cluster, 20_000);
        assert!((wanted / 2..wanted * 3).contains(&cluster.len()), "{objects}: {}", cluster.len());
    }
}

#[test]
fn everything_that_can_happen_does() {
    let mut cluster = cluster(300, 5);
    let (mut seen, mut phases) = (BTreeMap::<(Kind, &str), usize>::new(), BTreeMap::new());
    let mut lost = 0;
    for _ in 0..20_000 {
        for event in cluster.step() {
            let action = match event.action {
                Action::Added => "added",
                Action::Modified => "modified",
                Action::Deleted => "deleted",
                Action::Bookmark => "bookmark",
            };
            *seen.entry((event.kind, action)).or_default() += 1;
        }
        lost += usize::from(cluster.nodes().iter().any(|(_, node)| !node.is_heard));
        let phase = |phase: Phase| cluster.pods().iter().any(|(_, pod)| pod.phase == phase);
        for known in [Phase::Pending, Phase::Running, Phase::Succeeded, Phase::Failed] {
            *phases.entry(known.name()).or_insert(0) += usize::from(phase(known));
        }
    }
    for kind in Kind::ALL {
        for action in ["added", "modified", "deleted", "bookmark"] {
            assert!(seen.contains_key(&(kind, action)), "no {action} {kind:?}: {seen:?}");
        }
    }
    assert!(lost > 0 && phases.values().all(|times| *times > 0), "{lost} {phases:?}");
}

#[test]
fn most_deployments_have_what_they_want() {
    let mut cluster = cluster(200, 2);
    let (mut behind, mut all) = (0, 0);
    for _ in 0..5_000 {
        cluster.step();
        behind += cluster.deployments().iter().filter(|(_, it)| it.ready < it.replicas).count();
        all += cluster.deployments().len();
    }
    assert!(behind > 0 && behind * 2 < all, "{behind} of {all}");
    for (_, set) in cluster.replica_sets().iter() {
        assert!(set.pods.iter().all(|pod| cluster.pods().get(*pod).is_some()), "{}", set.meta.name);
    }
}

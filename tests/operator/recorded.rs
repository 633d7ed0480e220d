//! Streams recorded from a real API server end in exactly the series and errors of their final lists.
//!
//! The recordings are not part of the checkout. They are looked for in `$CELEMETRY_SHARED`, in `shared/` in, beside and
//! above the checkout; where they are absent the test says so and checks nothing.

use std::io::Write;
use std::path::{Path, PathBuf};

use crate::program::{ends, root, scratch};

fn recordings() -> Option<PathBuf> {
    let shared = std::env::var_os("CELEMETRY_SHARED").map(PathBuf::from);
    let beside = ["shared", "../shared", "../../shared"].map(|folder| root().join(folder));
    let found = shared.into_iter().chain(beside).map(|folder| folder.join("data/watch")).find(|f| f.is_dir());
    if found.is_none() {
        // Written past the test harness, which shows only what failed tests print.
        let note = "NOT CHECKED: no recorded watch streams (shared/data/watch); CELEMETRY_SHARED may name their folder";
        let _ = writeln!(std::io::stderr(), "{note}");
    }
    found
}

fn check(folder: &Path, metrics: &[&str], stream: &str, list: &str) {
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let files: Vec<&str> = metrics.iter().flat_map(|file| ["-f", file]).collect();
    let (stream, list) = (path(stream), path(list));
    let eval = [&["eval"], &files[..], &[&list, "-o", "json"]].concat();
    let (expected, err) = ends(&eval, "", 0);
    assert!(!err.contains("warning"), "{err}");
    assert!(expected.contains("\"value\""), "{expected}");
    let run = [&["run"], &files[..], &["--listen", "127.0.0.1:0", "-o", "json", "--events"]].concat();
    let (out, _) = ends(&[&run[..], &[&stream]].concat(), "", 0);
    assert_eq!(out, expected, "{stream}");
    let input = std::fs::read_to_string(&stream).unwrap();
    let (out, _) = ends(&[&run[..], &["-"]].concat(), &input, 0);
    assert_eq!(out, expected, "{stream} through a pipe");
}

#[test]
fn recorded_pods_end_in_the_series_of_their_final_list() {
    let Some(folder) = recordings() else { return };
    let pods = [
        "examples/pods-by-phase.yaml",
        "examples/memory-requested.yaml",
        "examples/oldest-pending-pod.yaml",
        "examples/running-images.yaml",
        "examples/restarts-by-namespace.yaml",
    ];
    for stream in ["pods.watch.jsonl", "pods.kubectl-watch.json"] {
        check(&folder, &pods, stream, "pods.final-list.json");
    }
}

#[test]
fn recorded_nodes_end_in_the_series_of_their_final_list() {
    let Some(folder) = recordings() else { return };
    check(&folder, &["examples/nodes-not-ready.yaml"], "nodes.watch.jsonl", "nodes.final-list.json");
}

/// Fails for every Node that has not reported a condition yet, as new ones have not.
const FAILING: &str = "
apiVersion: metrics.open-control-plane.io/v1alpha1
kind: Metric
metadata: {name: nodes-by-readiness}
spec:
  name: nodes
  target: {kind: Node}
  filter: object.status.conditions.exists(c, c.type == 'Ready')
";

#[test]
fn recorded_nodes_end_in_the_failures_of_their_final_list() {
    let Some(folder) = recordings() else { return };
    let metrics = scratch("failing-nodes.yaml", FAILING);
    check(&folder, &[&metrics], "nodes.watch.jsonl", "nodes.final-list.json");
}

const DATABASES: &str = "
apiVersion: metrics.open-control-plane.io/v1alpha1
kind: Metric
metadata: {name: storage}
spec:
  name: db.storage
  unit: By
  target: {group: example.org, kind: Database}
  projections:
  - {name: engine, fieldPath: metadata.labels.engine}
  - {name: namespace, fieldPath: metadata.namespace}
  valueFrom: {fieldPath: spec.storage, type: quantity}
---
apiVersion: metrics.open-control-plane.io/v1alpha1
kind: Metric
metadata: {name: users-by-role}
spec:
  name: db.users
  target: {group: example.org, kind: Database}
  forEach: {expression: 'object.spec.users'}
  projections:
  - {name: roles, expression: item.roles, type: slice}
---
apiVersion: metrics.open-control-plane.io/v1alpha1
kind: Metric
metadata: {name: price}
spec:
  name: db.price
  target: {group: example.org, kind: Database}
  filter: string(object.status.used).size() > 0
  valueFrom: {fieldPath: spec.price, type: double, aggregation: max}
";

#[test]
fn recorded_databases_end_in_the_series_of_their_final_list() {
    let Some(folder) = recordings() else { return };
    let metrics = scratch("databases.yaml", DATABASES);
    check(&folder, &[&metrics], "databases.watch.jsonl", "databases.final-list.json");
}

//! Streams recorded from a real API server end in exactly the series of their final lists.
//!
//! The recordings are not part of the checkout. They are looked for in `$CELEMETRY_SHARED`, in `shared/` in, beside and
//! above the checkout; where they are absent the test says so and checks nothing.

use std::io::Write;
use std::path::{Path, PathBuf};

use crate::program::{ends, root};

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
    let mut files = vec![];
    for name in metrics {
        files.extend(["-f".to_owned(), format!("examples/{name}.yaml")]);
    }
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    let (stream, list) = (path(stream), path(list));
    let eval = [&["eval"], &files[..], &[&list, "-o", "json"]].concat();
    let (expected, err) = ends(&eval, "", 0);
    assert_eq!(err, "");
    assert!(expected.contains("\"value\""), "{expected}");
    let run = [&["run"], &files[..], &["--listen", "127.0.0.1:0", "-o", "json", "--events"]].concat();
    let (out, _) = ends(&[&run[..], &[&stream]].concat(), "", 0);
    assert_eq!(series(&out), series(&expected), "{stream}");
    let input = std::fs::read_to_string(&stream).unwrap();
    let (out, _) = ends(&[&run[..], &["-"]].concat(), &input, 0);
    assert_eq!(series(&out), series(&expected), "{stream} through a pipe");
}

/// The series alone: a stream also meets objects that have gone since, and their errors.
fn series(document: &str) -> &str {
    document.split_once("],\n \"errors\"").unwrap().0
}

#[test]
fn recorded_pods_end_in_the_series_of_their_final_list() {
    let Some(folder) = recordings() else { return };
    let pods = [
        "pods-by-phase",
        "memory-requested",
        "oldest-pending-pod",
        "running-images",
        "restarts-by-namespace",
    ];
    for stream in ["pods.watch.jsonl", "pods.kubectl-watch.json"] {
        check(&folder, &pods, stream, "pods.final-list.json");
    }
}

#[test]
fn recorded_nodes_end_in_the_series_of_their_final_list() {
    let Some(folder) = recordings() else { return };
    check(&folder, &["nodes-not-ready"], "nodes.watch.jsonl", "nodes.final-list.json");
}

//! `celemetry demo` from outside: its numbers are true, the same each time, and served meanwhile.

use std::time::{Duration, Instant};

use crate::program::{Program, ends, scratch};

/// How long a list of a hundred objects may take.
const PATIENCE: Duration = Duration::from_secs(60);

const VERDICT: &str = "equal to the cluster's truth\n";

#[test]
fn a_demo_in_a_pipe_ends_with_true_numbers_the_same_for_the_same_seed() {
    let run = |seed: &str| {
        let pace = ["--objects", "150", "--rate", "2000", "--for", "500ms", "--listen", "127.0.0.1:0"];
        let (out, err) = ends(&[&["demo", "--seed", seed], &pace[..]].concat(), "", 0);
        assert!(out.ends_with(VERDICT), "{out}");
        assert!(err.contains("k8s.pod.count{phase=\"Running\"} ") && !err.contains('\u{1b}'), "{err}");
        assert!(!err.contains("warning") && !err.contains("error"), "{err}");
        assert!(err.contains(" objects looked at again: each gives what is held of it\n"), "{err}");
        out
    };
    let first = run("1");
    assert_eq!(run("1"), first);
    assert_ne!(run("2"), first);
}

#[test]
fn a_demo_under_load_ends_with_true_numbers() {
    let load = ["demo", "--objects", "2000", "--rate", "1000000", "--for", "5ms", "--listen", "127.0.0.1:0"];
    let (out, _) = ends(&load, "", 0);
    assert!(out.ends_with(VERDICT), "{out}");
}

#[test]
fn a_demo_serves_until_a_signal_and_then_tells_whether_it_was_right() {
    for signal in ["TERM", "INT"] {
        let mut program = Program::start("demo", &["--objects", "100", "--rate", "500"]);
        program.line("k8s.pod.count{phase=\"Running\"} ");
        let begun = Instant::now();
        while program.get("/readyz").0 != 200 {
            assert!(begun.elapsed() < PATIENCE, "{:?}", program.get("/readyz"));
            std::thread::sleep(Duration::from_millis(25));
        }
        let samples = program.samples();
        for metric in ["k8s_pod_count{phase=\"Running\"} ", "k8s_node_not_ready ", "example_database_count{"]
        {
            assert!(samples.iter().any(|sample| sample.starts_with(metric)), "{samples:?}");
        }
        program.signal(signal);
        let out = program.ends(0);
        assert!(out.ends_with(VERDICT), "{out}");
    }
}

#[test]
fn an_address_asked_for_that_is_taken_is_status_2() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let (out, err) = ends(&["demo", "--listen", &address], "", 2);
    assert!(err.contains("cannot listen on") && out.is_empty(), "{err}");
}

#[test]
fn the_simulated_cluster_is_followed_through_its_kubeconfig() {
    let kubeconfig = scratch("demo.kubeconfig", "");
    std::fs::remove_file(&kubeconfig).unwrap();
    let mut demo =
        Program::start("demo", &["--objects", "300", "--rate", "300", "--write-kubeconfig", &kubeconfig]);
    let mut run = Program::run(&["-f", "examples/pods-by-phase.yaml", "--kubeconfig", &kubeconfig]);
    for program in [&mut demo, &mut run] {
        program.line("k8s.pod.count{phase=\"Running\"} ");
    }
    run.signal("TERM");
    assert!(run.ends(0).contains("Running"));
    demo.signal("TERM");
    assert!(demo.ends(0).ends_with(VERDICT));
    // It may be used again, and nobody else's is ever touched.
    let again = ["demo", "--for", "10ms", "--listen", "127.0.0.1:0", "--write-kubeconfig"];
    ends(&[&again[..], &[&kubeconfig]].concat(), "", 0);
    let foreign = scratch("foreign.kubeconfig", "apiVersion: v1\n");
    let (_, err) = ends(&[&again[..], &[&foreign]].concat(), "", 2);
    assert!(err.contains("was not written by a demo"), "{err}");
    assert_eq!(std::fs::read_to_string(&foreign).unwrap(), "apiVersion: v1\n");
}

//! The command from outside: exit statuses, pipes, signals, messages.

use std::fmt::Write;

use crate::program::{Program, ends, root, scratch};

const PODS: &str = "examples/pods-by-phase.yaml";
const SHOP: &str = "examples/events/shop.jsonl";
const RESULT: &str = "tests/operator/examples/pods-by-phase.json";

fn pod(name: &str, phase: &str) -> String {
    format!(
        r#"{{"apiVersion":"v1","kind":"Pod","metadata":{{"name":"{name}","namespace":"shop","uid":"{name}"}},"status":{{"phase":"{phase}"}}}}"#
    )
}

fn event(kind: &str, name: &str, phase: &str) -> String {
    format!("{{\"type\":\"{kind}\",\"object\":{}}}\n", pod(name, phase))
}

fn file(name: &str) -> String {
    std::fs::read_to_string(root().join(name)).unwrap()
}

// --- usage

#[test]
fn help_and_version_go_to_standard_output() {
    for command in ["", "demo", "eval", "check", "explain", "expr", "run", "crds"] {
        let command = &[command, "--help"][usize::from(command.is_empty())..];
        let (out, err) = ends(command, "", 0);
        assert!(out.contains("Usage:") && out.contains("Example"), "{out}");
        assert_eq!(err, "");
    }
    assert!(ends(&["--version"], "", 0).0.starts_with("celemetry "));
}

#[test]
fn wrong_usage_is_status_2_with_a_reason_on_standard_error() {
    for (arguments, reason) in [
        (&[][..], "Usage:"),
        (&["frobnicate"], "unrecognized subcommand"),
        (&["eval"], "--filename <METRICS>"),
        (&["eval", "-f", PODS, "-o", "xml"], "possible values: json, table, prometheus, openmetrics, otlp"),
        (&["check", "-f", PODS, "--strict=everything"], "possible values: readings, field, "),
        (&["explain", "-f", "-", "-"], "standard input can be read only once"),
        (&["eval", "-f", "-", "-"], "standard input can be read only once"),
        (&["eval", "-f", "-"], "standard input can be read only once"),
        (&["run", "-f", PODS, "--events", SHOP, "--kubeconfig", "a"], "cannot be used with"),
        (&["run", "-f", "-", "--events", "-"], "standard input cannot hold both"),
        (&["run", "-f", PODS, "--events", SHOP, "--sync-after", "soon"], "--sync-after"),
        (&["run", "-f", PODS, "--events", SHOP, "--sync-after=-1s"], "must not be negative"),
        (&["run", "-f", PODS, "--events", SHOP, "--listen", "nowhere"], "--listen"),
        (&["demo", "--objects", "1"], "is not in 30..="),
        (&["demo", "--rate", "0"], "is not in 1..="),
        (&["demo", "--for", "soon"], "--for"),
    ] {
        let (out, err) = ends(arguments, "", 2);
        assert!(err.contains(reason), "{arguments:?}: {err}");
        assert_eq!(out, "");
    }
}

#[test]
fn a_cluster_that_cannot_be_reached_is_status_3_with_a_reason() {
    let missing = scratch("no-such-kubeconfig", "");
    std::fs::remove_file(&missing).unwrap();
    let (out, err) = ends(&["run", "-f", PODS, "--kubeconfig", &missing], "", 3);
    assert!(err.contains("kubeconfig") && out.is_empty(), "{err}");
}

#[test]
fn an_address_asked_for_that_is_taken_is_status_2() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let (_, err) = ends(&["run", "-f", PODS, "--events", SHOP, "--listen", &address], "", 2);
    assert!(err.contains("cannot listen on"), "{err}");
}

// --- eval

#[test]
fn eval_reads_lists_events_manifests_and_yaml_from_standard_input() {
    let list = format!(
        r#"{{"apiVersion":"v1","kind":"PodList","items":[{},{}]}}"#,
        r#"{"metadata":{"name":"a"},"status":{"phase":"Running"}}"#,
        r#"{"metadata":{"name":"b"},"status":{"phase":"Running"}}"#
    );
    let indented = serde_json::to_string_pretty(
        &serde_json::from_str::<serde_json::Value>(&pod("a", "Running")).unwrap(),
    )
    .unwrap();
    let yaml = |name: &str| {
        format!("apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}}}\nstatus: {{phase: Running}}\n")
    };
    for input in [
        list.clone(),
        format!("{}{}", pod("a", "Running"), pod("b", "Running")),
        format!("{}\n\n{}\n", indented, pod("b", "Running")),
        event("ADDED", "a", "Pending") + &event("ADDED", "b", "Running") + &event("MODIFIED", "a", "Running"),
        event("ADDED", "x", "Failed") + &list + &event("DELETED", "x", "Failed"),
        format!("{}---\n{}", yaml("a"), yaml("b")),
    ] {
        let (out, err) = ends(&["eval", "-f", PODS], &input, 0);
        assert!(out.contains(r#""attributes": {"phase": "Running"}, "value": 2}],"#), "{input}\n{out}");
        assert_eq!(err, "");
    }
}

#[test]
fn objects_that_no_metric_targets_are_counted_on_standard_error() {
    let input = r#"{"apiVersion":"v1","kind":"Node","metadata":{"name":"n"}}"#;
    let (out, err) = ends(&["eval", "-f", PODS], input, 0);
    assert_eq!(out, "{\"series\": [],\n \"errors\": []}\n");
    assert_eq!(err, "1 object that no Metric targets (v1/Node: 1)\n");
}

#[test]
fn input_that_is_no_json_is_status_1_with_its_line() {
    let input = event("ADDED", "a", "Running") + "Error from server (Forbidden)\n";
    for arguments in
        [&["eval", "-f", PODS][..], &["run", "-f", PODS, "--events", "-", "--listen", "127.0.0.1:0"]]
    {
        let (out, err) = ends(arguments, &input, 1);
        assert!(err.contains("error: standard input: line 2, byte "), "{err}");
        assert_eq!(out.is_empty(), arguments[0] == "eval");
    }
}

#[test]
fn a_stream_that_breaks_off_keeps_the_results_of_what_came_before() {
    let whole = event("ADDED", "a", "Running");
    for (rest, message) in [
        ("Error from server (Forbidden)\n{}", "line 2, byte 142: not JSON"),
        (r#"{"type":"ADDED","object":{"#, "a value that does not end"),
    ] {
        let run = ["run", "-f", PODS, "--events", "-", "--listen", "127.0.0.1:0"];
        let (out, err) = ends(&run, &format!("{whole}{rest}"), 1);
        assert!(out.contains(r#"{"phase": "Running"}, "value": 1}"#), "{out}");
        assert!(err.contains(message), "{err}");
        assert!(err.contains("events must be JSON"), "{err}");
        let mut program = Program::run(&["-f", PODS, "--events", "-", "--linger"]);
        program.write(&format!("{whole}{rest}"));
        program.close();
        program.line("what came before is still served");
        assert_eq!(program.samples(), ["k8s_pod_count{phase=\"Running\"} 1"]);
        program.signal("TERM");
        assert_eq!(program.ends(1), out);
    }
}

#[test]
fn an_error_event_ends_its_own_input_only() {
    let error = r#"{"type":"ERROR","object":{"kind":"Status","message":"too old"}}"#;
    let broken = scratch("broken.jsonl", &(event("ADDED", "a", "Running") + error + "{}"));
    let sound = scratch("sound.jsonl", &event("ADDED", "b", "Running"));
    let (out, err) = ends(&["eval", "-f", PODS, &broken, &sound], "", 1);
    assert!(out.contains(r#"{"phase": "Running"}, "value": 2}"#), "{out}");
    assert!(
        err.contains("error: ") && err.contains("broken.jsonl: the event stream reports an error: too old"),
        "{err}"
    );
}

#[test]
fn input_that_ends_within_a_value_is_status_1() {
    let (_, err) = ends(&["eval", "-f", PODS], r#"{"kind": "Pod", "meta"#, 1);
    assert!(err.contains("standard input: line 1"), "{err}");
}

#[test]
fn missing_files_are_status_1_and_named() {
    for arguments in [
        &["eval", "-f", "missing.yaml"][..],
        &["eval", "-f", PODS, "missing.json"],
        &["run", "-f", PODS, "--events", "missing.jsonl", "--listen", "127.0.0.1:0"],
    ] {
        let (_, err) = ends(arguments, "", 1);
        assert!(err.contains("error: missing."), "{err}");
    }
}

const BAD: &str = "
apiVersion: metrics.open-control-plane.io/v1alpha1
kind: Metric
metadata: {name: no-name}
spec: {target: {kind: Pod}, labelSelector: 'a ~ b', filter: objct.metadata, projections: [{name: a}]}
---
apiVersion: metrics.open-control-plane.io/v1alpha1
kind: Metric
metadata: {name: bad-filter}
spec: {name: pods, target: {kind: Pod}, filter: objct.spec}
---
apiVersion: v1
kind: Pod
metadata: {name: not-a-metric}
";

#[test]
fn everything_that_is_wrong_with_the_metrics_is_said_at_once_with_file_and_place() {
    let (worse, bad) = (scratch("worse.yaml", "a: ]"), scratch("bad.yaml", BAD));
    let files = ["-f", "missing.yaml", "-f", &worse, "-f", &bad];
    for arguments in
        [&[&["eval"], &files[..]].concat()[..], &[&["run", "--events", SHOP], &files[..]].concat()]
    {
        let (out, err) = ends(arguments, "", 1);
        for part in [
            "bad.yaml:2: Metric no-name: spec.name",
            "bad.yaml:2: Metric no-name: spec.labelSelector",
            "bad.yaml:2: Metric no-name: spec.projections[0]: needs fieldPath or expression",
            "bad.yaml:2: Metric no-name: spec.filter:1:1: undeclared reference to 'objct'",
            "error: missing.yaml: ",
            "worse.yaml:1:",
            "bad.yaml:7: Metric bad-filter: spec.filter:1:1: undeclared reference to 'objct'",
            "bad.yaml:12: is a Pod of v1, not a Metric",
        ] {
            assert!(err.contains(part), "{part:?} is not in\n{err}");
        }
        assert_eq!(out, "");
    }
}

#[test]
fn of_two_metrics_with_one_name_in_prometheus_the_second_is_told_so() {
    let metric = |object: &str, name: &str| {
        format!(
            "---\napiVersion: metrics.openmcp.cloud/v1alpha1\nkind: Metric\nmetadata: {{name: {object}}}\n\
             spec: {{name: {name}, target: {{kind: Pod}}}}\n"
        )
    };
    let metrics = scratch("conflict.yaml", &(metric("first", "shop.pods") + &metric("second", "shop_pods")));
    let (out, err) = ends(&["eval", "-f", &metrics, "-o", "prometheus"], &pod("a", "Running"), 0);
    assert!(err.contains("conflict.yaml:7: spec.name: NameConflict: metric name \"shop_pods\""), "{err}");
    assert_eq!(out.lines().filter(|line| line.starts_with("shop_pods")).count(), 1, "{out}");
}

#[test]
fn base_attributes_are_added_where_they_are_asked_for() {
    let attributes = |more: &[&str]| {
        let (out, err) = ends(&[&["eval", "-f", PODS], more].concat(), &pod("a", "Running"), 0);
        assert_eq!(err, "");
        let document: serde_json::Value = serde_json::from_str(&out).unwrap();
        document["series"][0]["attributes"].to_string()
    };
    let own = r#"{"phase":"Running"}"#;
    assert_eq!(attributes(&["--base-attributes"]), own);
    for profile in ["upstream-v1", "upstream-v1.2"] {
        assert_eq!(attributes(&["--profile", profile]), own);
        let base = attributes(&["--profile", profile, "--base-attributes"]);
        assert_eq!(base, r#"{"phase":"Running","resource":"Pod","version":"v1"}"#);
    }
}

const FAILING: &str = "
apiVersion: metrics.open-control-plane.io/v1alpha1
kind: Metric
metadata: {name: failing}
spec: {name: pods, target: {kind: Pod}, filter: object.metadata.labels.app != 'web'}
";

#[test]
fn expressions_that_fail_are_in_the_output_and_status_1_only_if_asked_for() {
    let failing = scratch("failing.yaml", FAILING);
    let input = pod("web-1", "Running");
    let (out, _) = ends(&["eval", "-f", &failing], &input, 0);
    let document: serde_json::Value = serde_json::from_str(&out).unwrap();
    let error = &document["errors"][0];
    assert_eq!(error["source"], "Metric/default/failing");
    assert_eq!(error["path"], "spec.filter");
    assert_eq!(error["object"], "v1/Pod/shop/web-1");
    assert!(error["message"].as_str().unwrap().contains("no such key: labels"), "{out}");
    ends(&["eval", "-f", &failing, "--fail-on-error"], &input, 1);
    let (_, err) = ends(&["eval", "-f", &failing, "-o", "prometheus"], &input, 0);
    assert!(err.contains("Metric/default/failing: spec.filter: v1/Pod/shop/web-1: "), "{err}");
    let run = ["run", "-f", &failing, "--events", "-", "--listen", "127.0.0.1:0"];
    let (out, err) = ends(&run, &input, 0);
    assert!(out.contains("no such key: labels"), "{out}");
    assert!(
        err.contains("Metric/default/failing: spec.filter: v1/Pod/shop/web-1: no such key: labels"),
        "{err}"
    );
    ends(&[&run[..], &["--fail-on-error"]].concat(), &input, 1);
}

#[test]
fn run_says_once_what_failed() {
    let failing = scratch("failing-once.yaml", FAILING);
    let run = ["run", "-f", &failing, "--events", "-", "--listen", "127.0.0.1:0", "-o", "table"];
    let (_, err) = ends(&run, &pod("web-1", "Running"), 0);
    assert_eq!(err.matches("no such key: labels").count(), 1, "{err}");
}

const SUM: &str = "
apiVersion: metrics.open-control-plane.io/v1alpha1
kind: Metric
metadata: {name: sum}
spec: {name: total, target: {kind: Pod}, valueFrom: {expression: int(9223372036854775807)}}
";

#[test]
fn a_sum_beyond_64_bits_is_said() {
    let sum = scratch("sum.yaml", SUM);
    let run = ["run", "-f", &sum, "--events", "-", "--listen", "127.0.0.1:0"];
    for arguments in [&["eval", "-f", &sum][..], &run] {
        let one = pod("a", "Running");
        assert!(!ends(arguments, &one, 0).1.contains("64 bits"));
        let (_, err) = ends(arguments, &(one + &pod("b", "Running")), 0);
        assert!(err.contains("warning: Metric/default/sum: a sum of integers is beyond 64 bits"), "{err}");
    }
}

#[test]
fn an_address_may_be_a_name_or_a_port_and_metrics_several_files() {
    for address in ["localhost:0", ":0"] {
        let more = "examples/running-images.yaml";
        let (out, err) = ends(&["run", "-f", PODS, more, "--events", SHOP, "--listen", address], "", 0);
        assert!(err.contains("serving http://"), "{err}");
        assert!(out.contains("pods-by-phase") && out.contains("running-images"), "{out}");
    }
}

#[test]
fn nothing_is_served_of_an_input_that_cannot_be_opened() {
    let (_, err) = ends(&["run", "-f", PODS, "--events", "missing.jsonl", "--listen", "127.0.0.1:0"], "", 1);
    assert!(!err.contains("serving"), "{err}");
}

#[test]
fn the_same_objects_in_any_order_give_the_same_bytes() {
    let mut pods: Vec<String> =
        (0..40).map(|n| pod(&format!("p{n}"), ["Running", "Pending", "Failed"][n % 3])).collect();
    let arguments = ["eval", "-f", "examples", "-o", "json"];
    let first = ends(&arguments, &pods.concat(), 0).0;
    assert_eq!(ends(&arguments, &pods.concat(), 0).0, first);
    for step in [7, 11, 13] {
        // A step that is coprime to the length visits everything in another order.
        pods = (0..pods.len()).map(|n| pods[n * step % pods.len()].clone()).collect();
        assert_eq!(ends(&arguments, &pods.concat(), 0).0, first);
    }
}

#[test]
fn every_format_shows_the_series() {
    for (format, part) in [
        ("json", "\"value\": 7"),
        ("table", "phase=Running"),
        ("prometheus", "k8s_pod_count{phase=\"Running\"} 7"),
        ("openmetrics", "# EOF"),
        ("otlp", "\"asInt\":\"7\""),
    ] {
        let (out, _) = ends(&["eval", "-f", PODS, SHOP, "-o", format], "", 0);
        assert!(out.contains(part), "{format}: {out}");
    }
}

// --- run

#[test]
fn a_recorded_stream_ends_in_its_series() {
    let (out, err) = ends(&["run", "-f", PODS, "--events", SHOP, "--listen", "127.0.0.1:0"], "", 0);
    assert_eq!(out, file(RESULT));
    assert!(err.contains("k8s.pod.count{phase=\"Running\"} 7\n"), "{err}");
    assert!(err.contains("objects that no Metric targets"), "{err}");
}

#[test]
fn a_pipe_is_served_while_it_lasts_and_what_changes_is_said() {
    let mut program = Program::run(&["-f", PODS, "--events", "-", "--sync-after", "100ms"]);
    program.write(&(event("ADDED", "a", "Pending") + &event("ADDED", "b", "Running")));
    program.line("k8s.pod.count{phase=\"Running\"} 1");
    let expected = ["k8s_pod_count{phase=\"Pending\"} 1", "k8s_pod_count{phase=\"Running\"} 1"];
    assert_eq!(program.samples(), expected);
    assert_eq!(program.get("/healthz").0, 200);
    assert_eq!(program.get("/readyz").0, 200);
    program.write(&event("MODIFIED", "a", "Running"));
    program.line("k8s.pod.count{phase=\"Pending\"} gone");
    assert_eq!(program.samples(), ["k8s_pod_count{phase=\"Running\"} 2"]);
    program.close();
    assert!(program.ends(0).contains(r#"{"phase": "Running"}, "value": 2}"#));
}

#[test]
fn nothing_is_served_before_the_first_list_is_complete() {
    let mut program = Program::run(&["-f", PODS, "--events", "-", "--sync-after", "1h"]);
    program.write(&event("ADDED", "a", "Running"));
    program.write("{\"type\":\"SYNC\",\"object\":{}}\n");
    program.line("unknown type");
    assert_eq!(program.samples(), Vec::<String>::new());
    assert_eq!(program.get("/readyz").0, 503);
    program.write(
        r#"{"type":"BOOKMARK","object":{"apiVersion":"v1","kind":"Pod","metadata":{"annotations":{"k8s.io/initial-events-end":"true"}}}}"#,
    );
    program.line("k8s.pod.count{phase=\"Running\"} 1");
    assert_eq!(program.samples(), ["k8s_pod_count{phase=\"Running\"} 1"]);
}

#[test]
fn with_linger_it_serves_until_a_signal_and_then_prints() {
    for signal in ["TERM", "INT"] {
        let mut program = Program::run(&["-f", PODS, "--events", SHOP, "--linger"]);
        program.line("k8s.pod.count{phase=\"Unknown\"} 1");
        assert_eq!(program.samples().len(), 4);
        program.signal(signal);
        assert_eq!(program.ends(0), file(RESULT));
    }
}

#[test]
fn a_signal_flushes_what_was_read_and_ends_well_though_the_pipe_stays_open() {
    let mut program = Program::run(&["-f", PODS, "--events", "-", "--sync-after", "10ms"]);
    program.write(&event("ADDED", "a", "Running"));
    program.line("k8s.pod.count{phase=\"Running\"} 1");
    program.signal("TERM");
    assert!(program.ends(0).contains(r#""value": 1}"#));
}

#[test]
fn an_error_event_is_reported_and_ends_the_source_with_status_1() {
    let input = event("ADDED", "a", "Running")
        + r#"{"type":"BOOKMARK","object":{"apiVersion":"v1","kind":"Pod","metadata":{"annotations":{"k8s.io/initial-events-end":"true"}}}}"#
        + r#"{"type":"ERROR","object":{"kind":"Status","code":410,"message":"too old resource version"}}"#
        + &event("ADDED", "b", "Running");
    let arguments = ["run", "-f", PODS, "--events", "-", "--listen", "127.0.0.1:0"];
    let (out, err) = ends(&arguments, &input, 1);
    assert!(
        err.contains("error: standard input: the event stream reports an error: too old resource version"),
        "{err}"
    );
    assert!(out.contains(r#""value": 1}"#), "{out}");
}

#[test]
fn a_closed_standard_output_is_success() {
    let mut program = Program::run(&["-f", PODS, "--events", "-"]);
    program.close_stdout();
    program.write(&event("ADDED", "a", "Running"));
    program.close();
    program.ends(0);
}

#[test]
fn many_events_are_told_in_few_lines() {
    let mut input = String::new();
    for n in 0..5_000 {
        write!(input, "{{\"type\":\"ODD{n}\",\"object\":{{}}}}").unwrap();
    }
    let run = ["run", "-f", PODS, "--events", "-", "--listen", "127.0.0.1:0"];
    for arguments in [&["eval", "-f", PODS][..], &run] {
        let (_, err) = ends(arguments, &input, 0);
        assert!(err.lines().count() < 100, "{} lines", err.lines().count());
        assert!(err.contains("5000 watch events of unknown type ignored"), "{err}");
    }
}

#[test]
fn an_object_that_cannot_be_decoded_is_told_and_never_fatal() {
    let input = event("ADDED", "a", "Running") + "{\"type\":\"ADDED\",\"object\":{\"kind\":}}\n[1]\n";
    let run = ["run", "-f", PODS, "--events", "-", "--listen", "127.0.0.1:0"];
    for arguments in [&["eval", "-f", PODS][..], &run] {
        let (out, err) = ends(arguments, &input, 0);
        assert!(out.contains(r#""value": 1}"#), "{out}");
        assert!(err.contains("warning: standard input: line 2: an object cannot be decoded: "), "{err}");
        assert!(err.contains("warning: standard input: line 3: an object cannot be decoded: "), "{err}");
        assert!(err.contains("2 objects could not be decoded"), "{err}");
    }
}

#[test]
fn crds_are_yaml_for_both_groups() {
    let (out, _) = ends(&["crds"], "", 0);
    for name in ["metrics.metrics.open-control-plane.io", "metrics.metrics.openmcp.cloud"] {
        assert!(out.contains(&format!("name: {name}")), "{name}");
    }
}

#[test]
fn what_objects_hold_cannot_leave_its_line() {
    let metric = "apiVersion: metrics.openmcp.cloud/v1alpha1\nkind: Metric\nmetadata: {name: a}\n\
                  spec: {name: a, target: {kind: Pod}, projections: [{name: a, expression: \"object.metadata[object.status.phase]\"}]}\n";
    let metrics = scratch("hostile.yaml", metric);
    let (_, err) = ends(&["eval", "-f", &metrics, "-o", "table"], &pod("a", "\\u001b[2J\\nerror: no"), 0);
    assert!(err.contains("no such key: \\u{1b}[2J\\nerror: no"), "{err:?}");
    assert!(!err.contains('\u{1b}') && err.lines().all(|line| !line.starts_with("error: no")), "{err:?}");
}

#[test]
fn of_secrets_in_files_only_the_metadata_is_read() {
    let metric = |projection: &str| {
        format!(
            "apiVersion: metrics.openmcp.cloud/v1alpha1\nkind: Metric\nmetadata: {{name: secrets}}\n\
             spec: {{name: secrets, target: {{kind: Secret}}, projections: [{{name: a, fieldPath: {projection}}}]}}\n"
        )
    };
    let secret = r#"{"apiVersion":"v1","kind":"Secret","metadata":{"name":"a","labels":{"app":"web"}},"data":{"token":"c2VjcmV0"}}"#;
    let reading = scratch("secret-data.yaml", &metric("data.token"));
    for command in [&["eval"][..], &["run", "--events", "-"]] {
        let (out, err) = ends(&[command, &["-f", &reading]].concat(), secret, 1);
        let refused =
            "Metric secrets: spec.target: of Secrets only the metadata is read, and this reads data.token";
        assert!(err.contains(refused) && out.is_empty(), "{err}");
    }
    let labels = scratch("secret-labels.yaml", &metric("metadata.labels.app"));
    let (out, _) = ends(&["eval", "-f", &labels, "-o", "prometheus"], secret, 0);
    assert!(out.contains("secrets{a=\"web\"} 1"), "{out}");
}

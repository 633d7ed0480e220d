//! Every example through the real binary, compared to the byte with what it must print.
//!
//! The expected documents were computed from the final state of the stream by other means, not printed by celemetry.

use std::collections::BTreeSet;

use crate::program::{ends, root};

const EVENTS: &str = "examples/events/shop.jsonl";

fn examples() -> BTreeSet<String> {
    let files = std::fs::read_dir(root().join("examples")).unwrap();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    names.filter_map(|name| name.strip_suffix(".yaml").map(str::to_owned)).collect()
}

fn expected(example: &str) -> String {
    let path = root().join(format!("tests/operator/examples/{example}.json"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn every_example_says_which_question_it_answers() {
    let of_demo = std::fs::read_dir(root().join("examples/demo")).unwrap().map(|file| file.unwrap().path());
    let others = examples().into_iter().map(|example| root().join(format!("examples/{example}.yaml")));
    for example in of_demo.chain(others) {
        let text = std::fs::read_to_string(&example).unwrap();
        let example = example.display();
        let question = text.lines().next().unwrap();
        assert!(question.starts_with("# ") && question.ends_with('?'), "{example}: {question}");
    }
}

#[test]
fn every_example_prints_what_it_must() {
    let examples = examples();
    assert!(examples.len() >= 8);
    for example in &examples {
        let metrics = format!("examples/{example}.yaml");
        let (out, err) = ends(&["eval", "-f", &metrics, EVENTS, "-o", "json"], "", 0);
        assert_eq!(out, expected(example), "eval {example}: {err}");
        let run = ["run", "-f", &metrics, "--events", EVENTS, "--listen", "127.0.0.1:0", "-o", "json"];
        let (out, err) = ends(&run, "", 0);
        assert_eq!(out, expected(example), "run {example}: {err}");
    }
}

#[test]
fn all_examples_together_print_what_each_prints_alone() {
    let (out, _) = ends(&["eval", "-f", "examples", EVENTS, "-o", "json", "--fail-on-error"], "", 0);
    let series = |text: &str| -> BTreeSet<String> {
        let document: serde_json::Value = serde_json::from_str(text).unwrap();
        document["series"].as_array().unwrap().iter().map(ToString::to_string).collect()
    };
    let alone: BTreeSet<String> = examples().iter().flat_map(|example| series(&expected(example))).collect();
    assert_eq!(series(&out), alone);
}

#[test]
fn a_node_that_reports_no_condition_is_not_ready() {
    let node = r#"{"apiVersion":"v1","kind":"Node","metadata":{"name":"n"}"#;
    let ready = r#","status":{"conditions":[{"type":"Ready","status":"True"}]}}"#;
    for (rest, count) in [("}", 1), (r#","status":{}}"#, 1), (ready, 0)] {
        let eval = ["eval", "-f", "examples/nodes-not-ready.yaml", "--fail-on-error"];
        let (out, _) = ends(&eval, &format!("{node}{rest}"), 0);
        assert!(out.contains(&format!("\"value\": {count}}}")), "{rest}: {out}");
    }
}

//! Expressions, asked of Kubernetes: CEL in the API server's own environment, kubectl's JSONPath in client-go.
//!
//! The tables are those of the engine's own tests, whose cases are asked here again, and random expressions. What differs on
//! purpose is named, with the reason.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use serde_json::{Value, json};

use self::random::{Dialect, Tape};
use crate::generated::Generator;
use crate::program::{output, root};

#[path = "../../src/engine/expression/tests/functions.rs"]
mod functions;
#[path = "../../src/engine/expression/tests/macros.rs"]
mod macros;
#[path = "../../src/engine/expression/tests/operators.rs"]
mod operators;
#[path = "../../src/engine/expression/tests/optionals.rs"]
mod optionals;
#[path = "../../src/engine/expression/tests/paths.rs"]
mod paths;
#[path = "../../src/engine/expression/tests/random.rs"]
mod random;
#[path = "../../src/engine/expression/tests/time.rs"]
mod time;

#[path = "../../src/engine/expression/query/tests/kubectl.rs"]
mod kubectl;

#[path = "../../src/engine/expression/library/tests/lists.rs"]
mod lists;
#[path = "../../src/engine/expression/library/tests/named_format.rs"]
mod named_format;
#[path = "../../src/engine/expression/library/tests/network.rs"]
mod network;
#[path = "../../src/engine/expression/library/tests/pairs.rs"]
mod pairs;
#[path = "../../src/engine/expression/library/tests/quantity.rs"]
mod quantity;
#[path = "../../src/engine/expression/library/tests/regex.rs"]
mod regex;
#[path = "../../src/engine/expression/library/tests/semver.rs"]
mod semver;
#[path = "../../src/engine/expression/library/tests/sets.rs"]
mod sets;
#[path = "../../src/engine/expression/library/tests/template.rs"]
mod template;
#[path = "../../src/engine/expression/library/tests/text.rs"]
mod text;
#[path = "../../src/engine/expression/library/tests/url.rs"]
mod url;

/// What the library tables are about.
const OBJECT: &str = include_str!("../../src/engine/expression/library/tests/object.json");

const CHECKER: &str = "their type checker knows what is in lists, maps and optionals, and refuses to mix it; the answer is CEL's";
const SUPERSET: &str = "CEL or one of its extensions has it, the API server's environment does not";
const NEWER: &str = "since Kubernetes 1.37";

/// Cases that Kubernetes answers otherwise, and why ours is another answer.
const DIFFERENT: &[(&str, &str)] = &[
    ("-duration('1h')", SUPERSET),
    ("1 == 1.0", CHECKER),
    ("1u == 1.0", CHECKER),
    ("1.0 in {1: 'x'}", CHECKER),
    ("[1, 'a', 2.5, null, true]", CHECKER),
    ("[1, 2][1.0]", CHECKER),
    ("[?object.?s, ?object.?x, 'y']", CHECKER),
    ("dyn([[[1]], 2]).flatten()", CHECKER),
    ("object.l == [1, 2.0, 3u]", CHECKER),
    ("object.t in [1, true]", CHECKER),
    ("optional.of(1) == optional.of(1.0)", CHECKER),
    ("{1: 'a'}[1.0]", CHECKER),
    ("{1: 'a'}[1u]", CHECKER),
    ("{2: 'x', 1: 'y', true: 'z'}", CHECKER),
    ("{1.5: 2}", "a key is a bool, a whole number or a string, as CEL specifies; there it may be anything"),
    (
        "{object.l: 2}",
        "a key is a bool, a whole number or a string, as CEL specifies; there it may be anything",
    ),
    ("object.?x.or(object.s)", "where an optional is wanted, anything else is an error; there it passes"),
    (
        "object.?a.optFlatMap(v, v.b)",
        "where an optional is wanted, anything else is an error; there it passes",
    ),
    ("object.l.existsOne(x, x > 2)", SUPERSET),
    ("object.u.reverse()", SUPERSET),
    ("quantity('1') == object.i", "what is no quantity does not equal one; there it cannot be compared"),
    ("'%.1000f'.format([1.0]).size()", "as many digits as asked for; there, fewer from some number on"),
    ("object.l.includes(1)", NEWER),
    ("object.l.includes(7)", NEWER),
    ("object.i.includes(42)", NEWER),
    ("object.s.includes('taco')", NEWER),
    ("object.ls.includes(object.n)", NEWER),
];

/// A map that an expression makes is walked over in key order here; there, as it happens.
const BY_CHANCE: &str = "{'y': 1, 'x': 2}.map(k, k)";

/// Paths that `kubectl` reads otherwise, and why.
const DIFFERENT_PATHS: &[(&str, &str)] = &[
    ("", TEMPLATE),
    (" \n", TEMPLATE),
    ("{.a.b}\n", "a line break behind a path is that of a YAML block; there, one more text"),
    ("a.b}{.s", TEMPLATE),
    ("{.a}{.s}", TEMPLATE),
    ("{.a} and {.s}", TEMPLATE),
    ("{range .l[*]}", TEMPLATE),
    ("{range .l[*]}{.t}{end}", TEMPLATE),
    ("labels['a}b']", TEMPLATE),
    ("a 'x'", LITERAL),
    ("{'x'}", LITERAL),
    ("{1}", LITERAL),
    ("l[?(@.v==1 2)]", LITERAL),
    ("quotes[?(@.q=='\\xff')]", "what is not UTF-8 is in no JSON"),
];

const TEMPLATE: &str = "one path gives values; several blocks, and what stands around them, make a text";
const LITERAL: &str = "a literal that nothing is compared with would be the answer whatever the object is";

/// What is refused here when a path is read, and there when it is evaluated, if ever.
const LATER: [&str; 10] = [
    "only one {…} block",
    "text outside of",
    "a literal stands only",
    "unexpected literal",
    "is not possible here",
    "unknown operator",
    "(a name follows a dot",
    "the string is not UTF-8",
    "unexpected '}'",
    "the path is empty",
];

/// How many paths are asked at once.
const AT_ONCE: u64 = 5_000;

/// How many random expressions are asked where `CELEMETRY_CASES` does not say so, each of an object of its own.
const RANDOM: u64 = 5_000;

/// What the tables of the engine call for their cases: here, both are asked.
fn check(cases: &[(&str, &str)], object: &str) {
    let object: Value = serde_json::from_str(object).unwrap();
    let requests: Vec<Value> = cases
        .iter()
        .map(|(text, _)| json!({"language": "cel", "expression": text, "object": object, "variables": {"object": object}}))
        .collect();
    let mut wrong = String::new();
    for (request, (ours, theirs)) in requests.iter().zip(answers(&requests)) {
        let text = request["expression"].as_str().unwrap();
        // What is named as different must differ.
        let different = DIFFERENT.iter().any(|(known, _)| *known == text);
        if text != BY_CHANCE && agree(&ours, &theirs) == different {
            writeln!(wrong, "{text}\n  ours   {ours}\n  theirs {theirs}").unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// What the tables of kubectl's dialect call for their cases: here, client-go is asked.
fn check_paths(cases: &[(&str, &str)], document: &str) {
    let document: Value = serde_json::from_str(document).unwrap();
    let request = |(path, _): &(&str, &str)| json!({"language": "kubectl", "expression": template(path), "object": document});
    let lines: String = cases.iter().map(|case| format!("{}\n", request(case))).collect();
    let theirs = read(&ask(lines.as_bytes()));
    assert_eq!(theirs.len(), cases.len());
    let (mut wrong, mut ordered) = (String::new(), Vec::new());
    for (case @ (path, expected), theirs) in cases.iter().zip(theirs) {
        let expected = serde_json::Deserializer::from_str(expected).into_iter::<Value>();
        let expected = expected.collect::<Result<Vec<_>, _>>().ok();
        let same = same_nodes(path, expected.clone(), nodes_of(&theirs));
        if let (true, Some(ours), Some(theirs)) = (same, expected, nodes_of(&theirs))
            && !same_order(&ours, &theirs)
        {
            ordered.push((request(case), ours));
        }
        if same == DIFFERENT_PATHS.iter().any(|(known, _)| known == path) {
            writeln!(wrong, "{path}\n  theirs {theirs}").unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert_eq!(out_of_order(&ordered), [] as [&Value; 0], "their order is fixed, and another");
}

/// A path as kubectl has it. One without braces begins at the root, with or without a dot.
pub(crate) fn template(path: &str) -> String {
    match path.trim_start() {
        "." => "{}".to_owned(),
        block if block.starts_with('{') => path.to_owned(),
        dotted if dotted.starts_with('.') => format!("{{{}}}", path.trim()),
        _ => format!("{{.{}}}", path.trim()),
    }
}

/// What an answer selects, if it is no error.
pub(crate) fn nodes_of(answer: &Value) -> Option<Vec<Value>> {
    answer["values"].as_array().cloned()
}

/// Those whose nodes stand in an order that is never theirs, though theirs is always the same: the members of maps come as it
/// happens there, and all else in a fixed order.
fn out_of_order(cases: &[(Value, Vec<Value>)]) -> Vec<&Value> {
    const TIMES: usize = 200;
    let lines: String = cases.iter().map(|(request, _)| format!("{request}\n").repeat(TIMES)).collect();
    let theirs = read(&ask(lines.as_bytes()));
    let in_their_order = |(_, ours): &(Value, Vec<Value>), theirs: &[Value]| {
        let mut answers = theirs.iter().map(nodes_of);
        let first = answers.next().flatten();
        first.as_ref().is_some_and(|first| same_order(ours, first)) || answers.any(|other| other != first)
    };
    let asked = cases.iter().zip(theirs.chunks(TIMES));
    asked.filter(|(case, theirs)| !in_their_order(case, theirs)).map(|((request, _), _)| request).collect()
}

fn same_order(ours: &[Value], theirs: &[Value]) -> bool {
    let plain = |nodes: &[Value]| {
        let mut nodes = nodes.to_vec();
        nodes.iter_mut().for_each(without_fractions);
        nodes
    };
    plain(ours) == plain(theirs)
}

#[test]
fn elements_in_the_wrong_order_are_noticed() {
    let case = |path: &str, document: Value, ours: Vec<Value>| {
        (json!({"language": "kubectl", "expression": path, "object": document}), ours)
    };
    let cases = [
        case("{.l[*]}", json!({"l": [1, 2]}), vec![json!(1), json!(2)]),
        case("{.l[*]}", json!({"l": [1, 2]}), vec![json!(2), json!(1)]),
        case("{.m.*}", json!({"m": {"a": 1, "b": 2}}), vec![json!(2), json!(1)]),
    ];
    assert_eq!(out_of_order(&cases), [&cases[1].0]);
}

/// Whether both fail, or select the same, in whichever order where maps may be walked over.
pub(crate) fn same_nodes(path: &str, mut ours: Option<Vec<Value>>, mut theirs: Option<Vec<Value>>) -> bool {
    for nodes in [&mut ours, &mut theirs].into_iter().flatten() {
        // Go writes whole doubles without a fraction.
        nodes.iter_mut().for_each(without_fractions);
        if path.contains("..") || path.contains('*') {
            nodes.sort_by_key(Value::to_string);
        }
    }
    ours == theirs
}

fn without_fractions(value: &mut Value) {
    match value {
        Value::Number(number) => *value = json!(number.as_f64()),
        Value::Array(items) => items.iter_mut().for_each(without_fractions),
        Value::Object(members) => members.values_mut().for_each(without_fractions),
        _ => {}
    }
}

#[test]
fn random_expressions_give_what_they_give_in_kubernetes() {
    let mut requests = Vec::new();
    let mut bytes = fastrand::Rng::with_seed(1);
    for _ in 0..cases() {
        let expression: Vec<u8> = (0..60).map(|_| bytes.u8(..)).collect();
        let object: Vec<u8> = (0..120).map(|_| bytes.u8(..)).collect();
        let object: Value = serde_json::from_str(&Tape::new(&object).object()).unwrap();
        let text = Tape::new(&expression).expression(Dialect::Kubernetes);
        requests.push(
            json!({"language": "cel", "expression": text, "object": object, "variables": {"object": object}}),
        );
    }
    let (mut wrong, mut values) = (String::new(), 0);
    for (request, (ours, theirs)) in requests.iter().zip(answers(&requests)) {
        // Their checker knows the types of elements, and refuses more before anything runs.
        if theirs["stage"] == "compile" {
            continue;
        }
        // To them null may be a time or a duration until it is met; here it has neither order nor sum from the start.
        if ours["stage"] == "compile"
            && request["expression"].as_str().is_some_and(|text| text.contains("null"))
        {
            continue;
        }
        values += u64::from(theirs.get("value").is_some());
        if !agree(&ours, &theirs) {
            writeln!(
                wrong,
                "{} on {}\n  ours   {ours}\n  theirs {theirs}",
                request["expression"], request["object"]
            )
            .unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(values > cases() / 10, "only {values} expressions have a value");
}

#[test]
fn random_calls_of_the_libraries_give_what_they_give_in_kubernetes() {
    let mut generator = Generator::new(1);
    let request =
        |_| json!({"language": "cel", "expression": generator.call(), "object": {}, "variables": {}});
    let requests: Vec<Value> = (0..cases()).map(request).collect();
    let (mut wrong, mut values) = (String::new(), 0);
    for (request, (ours, theirs)) in requests.iter().zip(answers(&requests)) {
        values += u64::from(theirs.get("value").is_some());
        if !agree(&ours, &theirs) {
            writeln!(wrong, "{}\n  ours   {ours}\n  theirs {theirs}", request["expression"]).unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(values > cases() / 5, "only {values} calls have a value");
}

#[test]
fn random_paths_select_what_kubectl_selects() {
    let cases = cases();
    let mut generator = Generator::new(1);
    let (mut wrong, mut some, mut none, mut failed, mut left_out) = (String::new(), 0, 0, 0, 0);
    for first in (0..cases).step_by(AT_ONCE as usize) {
        let request = |_| {
            let (path, document) = (generator.path(), generator.document());
            json!({"language": "kubectl", "expression": path, "object": document, "variables": {"object": document}})
        };
        let requests: Vec<Value> = (first..cases.min(first + AT_ONCE)).map(request).collect();
        let mut ordered = Vec::new();
        for (request, (ours, theirs)) in requests.iter().zip(answers(&requests)) {
            let path = request["expression"].as_str().unwrap();
            match nodes_of(&theirs) {
                None => failed += 1,
                Some(nodes) if nodes.is_empty() => none += 1,
                Some(_) => some += 1,
            }
            let later = ours["stage"] == "compile"
                && LATER.iter().any(|part| ours["error"].as_str().is_some_and(|error| error.contains(part)));
            left_out += u64::from(later && nodes_of(&theirs).is_some());
            let same = |theirs: &Value| same_nodes(path, nodes_of(&ours), nodes_of(theirs));
            if let (true, Some(ours), Some(theirs)) = (same(&theirs), nodes_of(&ours), nodes_of(&theirs))
                && !same_order(&ours, &theirs)
            {
                ordered.push((request.clone(), ours));
            }
            if !later && !same(&theirs) && !again(request).iter().any(same) {
                writeln!(wrong, "{path} on {}\n  ours   {ours}\n  theirs {theirs}", request["object"])
                    .unwrap();
            }
        }
        assert!(wrong.is_empty(), "{wrong}");
        assert_eq!(out_of_order(&ordered), [] as [&Value; 0], "their order is fixed, and another");
    }
    let counts = format!("{some} select something, {none} nothing, {failed} fail, {left_out} are left out");
    assert!(some > cases / 10 && none > cases / 10 && failed > cases / 10, "{counts}");
    assert!(left_out < cases / 20, "{counts}");
}

/// How many random expressions are asked.
#[allow(clippy::disallowed_methods, reason = "how long a search goes on, only the environment knows")]
fn cases() -> u64 {
    std::env::var("CELEMETRY_CASES").map_or(RANDOM, |cases| cases.parse().unwrap())
}

/// Their answers to a request that is made many times: where members of maps are walked over as it happens, what they come to may
/// depend on it.
fn again(request: &Value) -> Vec<Value> {
    const TIMES: usize = 200;
    read(&ask(format!("{request}\n").repeat(TIMES).as_bytes()))
}

/// Both fail, or both give the same value; how errors are worded is everybody's own.
pub(crate) fn agree(ours: &Value, theirs: &Value) -> bool {
    match (ours.get("value"), theirs.get("value")) {
        (Some(ours), Some(theirs)) => super::conformance::same(ours, theirs),
        (None, None) => ours.get("error").is_some() && theirs.get("error").is_some(),
        _ => false,
    }
}

/// Our answer and theirs to each request.
pub(crate) fn answers(requests: &[Value]) -> Vec<(Value, Value)> {
    let lines: String = requests.iter().map(|request| format!("{request}\n")).collect();
    let ours = output(&["expr", "--batch"], lines.as_bytes());
    let theirs = ask(lines.as_bytes());
    let (ours, theirs) = (read(&ours.stdout), read(&theirs));
    assert_eq!([ours.len(), theirs.len()], [requests.len(); 2], "every request is answered");
    ours.into_iter().zip(theirs).collect()
}

fn read(answers: &[u8]) -> Vec<Value> {
    let text = std::str::from_utf8(answers).unwrap();
    text.lines().map(super::conformance::read_exactly).collect()
}

/// Their answers to requests, a line each.
pub(crate) fn ask(lines: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    let mut child = Command::new(PROGRAM.get_or_init(build))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("what was just built runs");
    let mut stdin = child.stdin.take().unwrap();
    std::thread::scope(|scope| {
        scope.spawn(move || stdin.write_all(lines).unwrap());
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "the oracle says on standard error why not");
        output.stdout
    })
}

#[allow(clippy::print_stderr, reason = "a first build takes minutes, which nobody should wonder about")]
fn build() -> PathBuf {
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join("expressions-oracle");
    let folder = root().join("tests/control-plane");
    eprintln!(
        "building {} with Go from {}: expressions are compared with Kubernetes' own answers",
        program.display(),
        folder.display()
    );
    let mut go = Command::new("go");
    let built = go.args(["build", "-o"]).arg(&program).arg("./expressions").current_dir(folder).status();
    let status = built.expect("these tests need Go, https://go.dev/dl, in PATH");
    assert!(status.success(), "Go could not build the program that answers expressions");
    program
}

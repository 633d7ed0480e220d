//! The published conformance suite of CEL, through `expr --batch`.
//!
//! The suite is an npm package, fetched into the target folder at the version that `tests/conformance/package-lock.json` pins; node
//! turns it into cases. Every case runs. What fails must be named here, with the reason; what is named must fail.

use std::fmt::Write;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::program::{output, root};

/// Cases that need messages or enums of protobuf, by a part of the expression or of its variables.
const PROTOBUF: &[&str] =
    &["TestAllTypes", "google.protobuf.", "cel.expr.conformance", "Value{", "GlobalEnum", "TestRequired{"];

const FORMAT: &str = "Kubernetes has an older format(): exponents as powers of ten, commas between thousands, lists and maps as literals, and %d for integers only";
const UNCHECKED: &str = "runs without the type checker, which refuses it in Kubernetes";
const UNKNOWN: &str = "runs without the type checker; unknown names are refused here before anything runs";

/// Cases whose answer differs, by the beginning of their names, and why.
const DIFFERENT: &[(&str, &str)] = &[
    ("basic/functions/unbound_is_runtime_error", UNKNOWN),
    ("basic/variables/unbound_is_runtime_error", UNKNOWN),
    ("block_ext/basic/", "Kubernetes has no cel.block"),
    (
        "fields/qualified_identifier_resolution/map_value_repeat_key",
        "Kubernetes lets the last of equal keys win",
    ),
    ("logic/AND/short_circuit_type_", UNCHECKED),
    ("logic/OR/short_circuit_type_", UNCHECKED),
    ("namespace/namespace/self_eval_container_lookup", "Kubernetes has no containers of names"),
    (
        "optionals/optionals/map_null_entry_no_such_key",
        "Kubernetes: what null does not have is absent, no error",
    ),
    (
        "optionals/optionals/map_present_key_invalid_field",
        "Kubernetes: what an int does not have is absent, no error",
    ),
    ("parse/receiver_function_names/", UNKNOWN),
    ("string_ext/format/NaN support for", FORMAT),
    ("string_ext/format/default precision for scientific", FORMAT),
    ("string_ext/format/dyntype", FORMAT),
    ("string_ext/format/list support for string", FORMAT),
    ("string_ext/format/map support", FORMAT),
    ("string_ext/format/negative infinity support for", FORMAT),
    ("string_ext/format/positive infinity support for", FORMAT),
    ("string_ext/format/scientific notation formatting clause", FORMAT),
    (
        "string_ext/value_errors/indexof_out_of_range",
        "Kubernetes: an offset beyond the end is not found, no error",
    ),
    (
        "string_ext/value_errors/lastindexof_out_of_range",
        "Kubernetes: an offset beyond the end is not found, no error",
    ),
    ("timestamps/duration_converters/get_milliseconds", "Kubernetes: all of a duration in milliseconds"),
];

/// How many cases there are, how many of them are about what only a type checker says, and how many fail for want of protobuf.
const COUNTS: [usize; 3] = [2344, 25, 620];

#[test]
fn the_cel_suite_passes_but_for_what_is_named() {
    let Some(text) = cases() else { return };
    let cases: Vec<Value> = text.lines().map(read_exactly).collect();
    let output = output(&["expr", "--batch"], text.as_bytes());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let answers = String::from_utf8(output.stdout).unwrap();
    let answers: Vec<Value> = answers.lines().map(read_exactly).collect();
    assert_eq!(cases.len(), answers.len());

    let (mut wrong, mut of_checker, mut of_protobuf) = (String::new(), 0, 0);
    let mut unused: Vec<&str> = DIFFERENT.iter().map(|(name, _)| *name).collect();
    for (case, answer) in cases.iter().zip(&answers) {
        if case["checkOnly"] == true {
            of_checker += 1;
        } else if !fits(&case["expect"], answer) {
            let name = case["name"].as_str().unwrap();
            let text = format!("{} {}", case["expression"], case["variables"]);
            if let Some((known, _)) = DIFFERENT.iter().find(|(known, _)| name.starts_with(known)) {
                unused.retain(|name| name != known);
            } else if PROTOBUF.iter().any(|part| text.contains(part)) {
                of_protobuf += 1;
            } else {
                writeln!(
                    wrong,
                    "{name}: {}\n  expected {}\n  found    {answer}",
                    case["expression"], case["expect"]
                )
                .unwrap();
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(unused.is_empty(), "named as different, and are not: {unused:?}");
    assert_eq!([cases.len(), of_checker, of_protobuf], COUNTS);
}

fn fits(expected: &Value, answer: &Value) -> bool {
    match expected.get("value") {
        Some(value) => answer.get("value").is_some_and(|found| same(value, found)),
        None => expected["error"] == true && answer.get("error").is_some(),
    }
}

/// A line of JSON whose doubles are texts: reading them as numbers may miss one by a little.
pub(crate) fn read_exactly(line: &str) -> Value {
    const NAME: &str = r#""doubleValue":"#;
    let mut exact = String::with_capacity(line.len());
    let mut rest = line;
    while let Some((before, after)) = rest.split_once(NAME) {
        exact.push_str(before);
        exact.push_str(NAME);
        let after = after.trim_start();
        let end = after.find(|c: char| !c.is_ascii_digit() && !"+-.eE".contains(c)).unwrap_or(after.len());
        let (number, behind) = after.split_at(end);
        if !number.is_empty() {
            exact.push_str(&format!("{number:?}"));
        }
        rest = behind;
    }
    exact.push_str(rest);
    serde_json::from_str(&exact).unwrap()
}

#[test]
fn doubles_that_are_almost_the_same_are_not() {
    let read = |number: &str| read_exactly(&format!(r#"{{"doubleValue": {number}}}"#));
    assert!(same(&read("0.1"), &read("1.0e-1")));
    assert!(same(&read(r#""NaN""#), &read(r#""NaN""#)));
    assert!(!same(&read("0.1"), &read("0.10000000000000002")));
    assert!(!same(&read("1"), &read("1.0000000000000002")));
    // Read as numbers, these two may come to the same.
    assert!(!same(&read("1.7976931348623155e308"), &read("1.7976931348623157e308")));
}

/// Equal as values of CEL: maps in any order of their entries, doubles as doubles.
pub(crate) fn same(a: &Value, b: &Value) -> bool {
    let entries = |value: &Value| value["mapValue"]["entries"].as_array().cloned().unwrap_or_default();
    let elements = |value: &Value| value["listValue"]["values"].as_array().cloned().unwrap_or_default();
    let double = |value: &Value| match &value["doubleValue"] {
        Value::String(text) => text.parse::<f64>().ok(),
        number => number.as_f64(),
    };
    if let (Some(a), Some(b)) = (double(a), double(b)) {
        return a == b || (a.is_nan() && b.is_nan());
    }
    if a.get("mapValue").is_some() && b.get("mapValue").is_some() {
        let (a, b) = (entries(a), entries(b));
        let has = |entry: &Value| {
            b.iter().any(|other| same(&entry["key"], &other["key"]) && same(&entry["value"], &other["value"]))
        };
        return a.len() == b.len() && a.iter().all(has);
    }
    if a.get("listValue").is_some() && b.get("listValue").is_some() {
        let (a, b) = (elements(a), elements(b));
        return a.len() == b.len() && a.iter().zip(&b).all(|(a, b)| same(a, b));
    }
    if let (Some(a @ Value::Object(_)), Some(b @ Value::Object(_))) =
        (a.get("optionalValue"), b.get("optionalValue"))
    {
        return same(a, b);
    }
    a == b
}

/// The cases, a line each; nothing where there is no node.
fn cases() -> Option<String> {
    let found = |program: &str| Command::new(program).arg("--version").output().is_ok();
    if !found("node") || !found("npm") {
        // Past the test harness, which would keep it to itself.
        let _ =
            writeln!(std::io::stderr(), "not checked: the conformance suite of CEL (it needs node and npm)");
        return None;
    }
    let folder = fetched();
    let output = Command::new("node").arg("cases.mjs").current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8(output.stdout).unwrap())
}

/// The folder below the target folder that has the package.
fn fetched() -> PathBuf {
    let (from, to) =
        (root().join("tests/conformance"), Path::new(env!("CARGO_TARGET_TMPDIR")).join("conformance"));
    fs::create_dir_all(&to).unwrap();
    let lock = fs::read_to_string(from.join("package-lock.json")).unwrap();
    let fresh = fs::read_to_string(to.join("fetched")).is_ok_and(|known| known == lock);
    for file in ["package.json", "package-lock.json", "cases.mjs"] {
        fs::copy(from.join(file), to.join(file)).unwrap();
    }
    if !fresh {
        let npm = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"];
        let output = Command::new("npm").args(npm).current_dir(&to).output().unwrap();
        assert!(output.status.success(), "npm ci: {}", String::from_utf8_lossy(&output.stderr));
        fs::write(to.join("fetched"), lock).unwrap();
    }
    to
}

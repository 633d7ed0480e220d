//! The published compliance suite of RFC 9535, where its folder is at hand.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::run;
use crate::definition::Language;

/// `data/conformance/jsonpath-cts/cases.jsonl` in the folder `shared` that `CELEMETRY_SHARED` names, or that stands beside the
/// checkout or one level above.
#[allow(clippy::disallowed_methods, reason = "where test data is, only the environment knows")]
fn cases() -> Option<PathBuf> {
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let named = std::env::var("CELEMETRY_SHARED").ok().map(PathBuf::from);
    let near = ["../shared", "../../shared"].map(|folder| checkout.join(folder));
    let file = |folder: PathBuf| folder.join("data/conformance/jsonpath-cts/cases.jsonl");
    named.into_iter().chain(near).map(file).find(|file| file.is_file())
}

fn check(case: &Value) -> Result<(), String> {
    let name = case["name"].as_str().unwrap();
    let text = case["expression"].as_str().unwrap();
    let outcome = run(Language::Rfc9535, text, &case["variables"]["object"]);
    let expected = &case["expect"];
    let allowed: Vec<&Value> = match (&expected["values"], &expected["anyOf"]) {
        (Value::Null, Value::Array(any)) => any.iter().map(|one| one.get("values").unwrap_or(one)).collect(),
        (Value::Null, _) => Vec::new(),
        (values, _) => vec![values],
    };
    match outcome {
        Err(_) if expected["error"] == true => Ok(()),
        Ok(values) if allowed.contains(&&Value::Array(values.clone())) => Ok(()),
        outcome => Err(format!("{name}: {text} gives {outcome:?}, expected {expected}")),
    }
}

#[test]
#[allow(clippy::print_stderr, reason = "a suite that is not there must be seen")]
fn compliance_suite_passes_as_a_whole() {
    let Some(file) = cases() else {
        eprintln!("not run: no compliance suite beside this checkout (set CELEMETRY_SHARED)");
        return;
    };
    #[allow(clippy::disallowed_methods, reason = "test data")]
    let text = std::fs::read_to_string(file).unwrap();
    let cases: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let failures: Vec<String> = cases.iter().filter_map(|case| check(case).err()).collect();
    assert!(failures.is_empty(), "{} failures:\n{}", failures.len(), failures.join("\n"));
    assert_eq!(cases.len(), 703, "the suite has changed");
}

//! The definitions are those of metrics-operator's users, and those that `crds/` holds.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{crds, definitions, document};
use crate::cli::input::parse_documents;

#[test]
fn crds_folder_holds_what_the_types_say() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("crds");
    let rewrite = std::env::var_os("CELEMETRY_WRITE_CRDS").is_some();
    let mut expected = vec![];
    for definition in definitions() {
        let name = format!("{}.yaml", definition["metadata"]["name"].as_str().unwrap());
        let text = document(&definition);
        if rewrite {
            std::fs::write(folder.join(&name), &text).unwrap();
        }
        let found = std::fs::read_to_string(folder.join(&name)).unwrap_or_default();
        assert!(
            found == text,
            "crds/{name} is not what src/api says: run `CELEMETRY_WRITE_CRDS=1 cargo test crds_folder`"
        );
        expected.push(name);
    }
    let mut found = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect::<Vec<_>>();
    expected.sort();
    found.sort();
    assert_eq!(found, expected, "crds/ holds a file that nothing generates");
}

#[test]
fn printed_definitions_read_back_as_they_were() {
    let mut printed = vec![];
    crds(&mut printed).unwrap();
    let documents = parse_documents("crds", &printed).unwrap();
    let values = documents.into_iter().map(|document| document.value).collect::<Vec<_>>();
    assert_eq!(values, definitions());
}

/// The folder of facts about metrics-operator, if it is there: named by `CELEMETRY_SHARED`, or beside the checkout.
fn upstream_definitions() -> Option<Value> {
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR"));
    let named = std::env::var_os("CELEMETRY_SHARED").map(PathBuf::from);
    let beside = checkout.ancestors().skip(1).take(2).map(|folder| folder.join("shared"));
    let file = named.into_iter().chain(beside).map(|shared| shared.join("data/conformance/crds/crds.json"));
    let text = file.into_iter().find_map(|file| std::fs::read(file).ok())?;
    Some(serde_json::from_slice(&text).unwrap())
}

/// What the old group's pattern says: `grpc` is misspelt, so that no such endpoint can be admitted.
const MISSPELT: &str = "^(http|https|grcp|grpcs)://.*$";

/// The pattern that both groups have here.
const SPELT: &str = "^(http|https|grpc|grpcs)://.*$";

/// Everything that upstream says is so here: enums may hold more, rules may explain themselves, one pattern is spelt
/// right, and no node of upstream's may demand more.
fn compare(upstream: &Value, ours: &Value, place: &str, differences: &mut Vec<String>) {
    let (Some(upstream_node), Some(our_node)) = (upstream.as_object(), ours.as_object()) else {
        if upstream != ours && (upstream != MISSPELT || ours != SPELT) {
            differences.push(format!("{place}: {ours} instead of {upstream}"));
        }
        return;
    };
    for (key, expected) in upstream_node {
        let found = our_node.get(key).unwrap_or(&Value::Null);
        let place = format!("{place}/{key}");
        match (key.as_str(), expected, found) {
            ("enum", Value::Array(expected), Value::Array(found)) if !place.ends_with("/properties/enum") => {
                let missing = expected.iter().filter(|choice| !found.contains(choice));
                differences.extend(missing.map(|choice| format!("{place}: {choice} is missing")));
            }
            (_, Value::Array(expected), Value::Array(found)) if expected.len() == found.len() => {
                for (index, (expected, found)) in expected.iter().zip(found).enumerate() {
                    compare(expected, found, &format!("{place}[{index}]"), differences);
                }
            }
            _ => compare(expected, found, &place, differences),
        }
    }
    let holds_members = place.ends_with("/properties");
    let explains = |key: &String| ["description", "message"].contains(&key.as_str());
    let more = our_node.keys().filter(|key| !upstream_node.contains_key(*key) && !explains(key));
    differences.extend(more.filter(|_| !holds_members).map(|key| format!("{place}: {key} is new")));
}

#[test]
#[allow(clippy::print_stderr)]
fn every_fact_of_upstream_holds() {
    let Some(upstream) = upstream_definitions() else {
        eprintln!("skipped: no folder shared/data beside the checkout, and CELEMETRY_SHARED is not set");
        return;
    };
    let upstream = upstream["crds"].as_array().unwrap();
    for ours in definitions() {
        let name = &ours["metadata"]["name"];
        let theirs = upstream.iter().find(|theirs| theirs["metadata"]["name"] == *name).unwrap();
        let mut differences = vec![];
        compare(theirs, &ours, "", &mut differences);
        assert!(differences.is_empty(), "{name}: {differences:#?}");
    }
}

//! The rules of the source tree: who may import whom, nothing unreachable, nothing oversized, the engine pure.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Folders and files of the root package, and which of their siblings each may name. Whatever is not listed may
/// name everything: it wires the others together.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("api", &[]),
    ("cluster", &["telemetry"]),
    ("coordinator", &["telemetry"]),
    ("export", &["telemetry"]),
    ("telemetry", &[]),
    ("simulator", &[]),
    ("apiserver", &["simulator"]),
    ("admin", &["export", "telemetry"]),
    ("controller", &["api", "cluster", "coordinator", "export", "telemetry"]),
];

/// Crates that a folder may name, where the architecture names few.
const MAY_USE: &[(&str, &[&str])] = &[
    ("api", &["kube", "k8s_openapi", "schemars", "serde", "serde_json", "std"]),
    ("coordinator", &["celemetry_engine", "tokio", "std", "thiserror"]),
    // The messages and a transport, no client of a cluster.
    (
        "export",
        &[
            "base64",
            "celemetry_engine",
            "http_body_util",
            "hyper",
            "hyper_util",
            "opentelemetry_proto",
            "percent_encoding",
            "prost",
            "rustls",
            "serde",
            "std",
            "tokio",
            "tokio_rustls",
            "tracing",
            "zeroize",
        ],
    ),
    // Nothing but itself, so that it can tell the truth.
    ("simulator", &["std"]),
    (
        "apiserver",
        &[
            "futures_util",
            "http_body_util",
            "hyper",
            "hyper_util",
            "percent_encoding",
            "serde_json",
            "std",
            "thiserror",
            "tokio",
        ],
    ),
    // What is still to be sent is known without a transport.
    ("export/pipeline/backlog", &["celemetry_engine", "hyper", "std", "tokio"]),
];

/// Modules of the engine that a folder may name; a folder that is not listed may name all.
const MAY_USE_OF_ENGINE: &[(&str, &[&str])] = &[
    ("api", &[]),
    ("admin", &["snapshot"]),
    ("cluster", &["audit", "change", "row"]),
    ("simulator", &[]),
    ("apiserver", &[]),
    ("export", &["definition", "snapshot"]),
];

/// What the engine may depend on, directly. Anything else needs a reason, and a line here.
const ENGINE_MAY_DEPEND_ON: &[&str] = &[
    "cel",
    "chrono",
    "chrono-tz",
    "jsonpath-rust",
    "memchr",
    "regex",
    "serde_json",
    "siphasher",
    "thiserror",
];

/// What must not be in the engine's dependencies at any depth: clocks, threads, networks, clusters, logs.
const NEVER_IN_THE_ENGINE: &[&str] =
    &["tokio", "kube", "k8s-openapi", "hyper", "tracing", "log4rs", "opentelemetry", "rand"];

/// Lines of code a file may have, its tests, comments and blank lines aside.
const LONGEST_FILE: usize = 450;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every Rust file below `folder`, sorted.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("the folder is readable") {
            let path = entry.expect("the entry is readable").path();
            if path.is_dir() && !path.ends_with("target") {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).expect("sources are readable text")
}

/// The text without comments, so that prose may name anything.
fn code(path: &Path) -> String {
    let text = read(path);
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// What follows `prefix` wherever it starts a path in `code`; of braces, what each path in them begins with.
fn named_after<'c>(code: &'c str, prefix: &str) -> BTreeSet<&'c str> {
    code.match_indices(prefix)
        .filter(|(at, _)| !code[..*at].ends_with(|c: char| c.is_alphanumeric() || c == '_'))
        .map(|(at, _)| &code[at + prefix.len()..])
        .flat_map(|rest| match rest.strip_prefix('{') {
            Some(list) => heads_of_list(list),
            None => vec![name_of(rest)],
        })
        .filter(|name| !name.is_empty())
        .collect()
}

/// The name that `text` begins with.
fn name_of(text: &str) -> &str {
    &text[..text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len())]
}

/// What each path begins with in a list of paths, up to the brace that closes it.
fn heads_of_list(list: &str) -> Vec<&str> {
    let (mut depth, mut heads) = (0, vec![name_of(list.trim_start())]);
    for (at, character) in list.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => heads.push(name_of(list[at + 1..].trim_start())),
            _ => {}
        }
    }
    heads
}

#[test]
fn imports_are_seen_in_braces_too() {
    for (code, expected) in [
        ("use crate::api;", &["api"][..]),
        ("use crate::{api, cluster::{router, stream}, run};", &["api", "cluster", "run"]),
        ("use crate::{\n    api::{self, Metric},\n    export,\n};", &["api", "export"]),
        ("let x = crate::api::f(crate::run::g());", &["api", "run"]),
        ("use mycrate::api;", &[]),
    ] {
        assert_eq!(named_after(code, "crate::").into_iter().collect::<Vec<_>>(), expected, "{code}");
    }
}

#[test]
fn folders_import_only_what_the_architecture_allows() {
    for (folder, allowed) in MAY_IMPORT {
        let path = root().join("src").join(folder);
        let files = if path.is_dir() { sources(&path) } else { vec![path.with_extension("rs")] };
        for file in files.iter().filter(|file| file.exists()) {
            for name in named_after(&code(file), "crate::") {
                let fine = name == *folder || allowed.contains(&name);
                assert!(
                    fine,
                    "{} imports crate::{name}, and {folder} may import {allowed:?} only",
                    file.display()
                );
            }
        }
    }
}

#[test]
fn the_readme_has_the_borders_that_are_held() {
    let readme = read(&root().join("README.md"));
    let (_, table) = readme.split_once("## Borders").expect("the README has a section on borders");
    let table = table.split("\n## ").next().unwrap_or_default();
    let quoted =
        |cell: &str| -> Vec<String> { cell.split('`').skip(1).step_by(2).map(str::to_owned).collect() };
    let rows = table.lines().filter(|line| line.starts_with("| `src/")).map(|row| {
        let cells: Vec<&str> = row.split('|').collect();
        (quoted(cells[1]).concat(), quoted(cells[2]))
    });
    let held = MAY_IMPORT.iter().map(|(folder, allowed)| {
        (format!("src/{folder}"), allowed.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())
    });
    assert_eq!(rows.collect::<Vec<_>>(), held.collect::<Vec<_>>());
}

#[test]
fn folders_use_only_their_part_of_the_engine() {
    for (folder, allowed) in MAY_USE_OF_ENGINE {
        for file in sources(&root().join("src").join(folder)) {
            for name in named_after(&without_tests(&file), "celemetry_engine::") {
                let fine = allowed.contains(&name);
                assert!(fine, "{} uses the engine's {name}, may use {allowed:?} only", file.display());
            }
        }
    }
}

/// The code of a file up to its tests.
fn without_tests(file: &Path) -> String {
    let is_of_tests = file.components().any(|part| part.as_os_str() == "tests") || file.ends_with("tests.rs");
    if is_of_tests {
        return String::new();
    }
    code(file).split("\n#[cfg(test)]\nmod tests {").next().unwrap_or_default().to_owned()
}

#[test]
fn folders_use_only_the_crates_that_the_architecture_allows() {
    for (folder, allowed) in MAY_USE {
        for file in sources(&root().join("src").join(folder)) {
            for name in named_after(&without_tests(&file).replace("pub use ", "use "), "\nuse ") {
                let fine = allowed.contains(&name)
                    || ["crate", "super", "self"].contains(&name)
                    || local(&file, name);
                assert!(fine, "{} uses {name}, and {folder} may use {allowed:?} only", file.display());
            }
        }
    }
}

/// Whether `name` is a module declared in the same file.
fn local(file: &Path, name: &str) -> bool {
    code(file).contains(&format!("mod {name};"))
}

#[test]
fn every_source_file_is_reachable_from_a_crate_root() {
    let mut reachable = BTreeSet::new();
    let mut open: Vec<PathBuf> = [
        "src/lib.rs",
        "src/main.rs",
        "src/engine/lib.rs",
        "tests/operator/main.rs",
        "tests/cluster/main.rs",
        "tests/engine/main.rs",
        "tests/allocations/main.rs",
    ]
    .iter()
    .map(|path| root().join(path))
    .collect();
    while let Some(file) = open.pop() {
        let folder = file.parent().expect("files are in folders");
        let stem = file.file_stem().expect("files have names").to_string_lossy().into_owned();
        let base = if ["mod", "lib", "main"].contains(&stem.as_str()) {
            folder.to_path_buf()
        } else {
            folder.join(stem)
        };
        for module in named_after(&code(&file), "mod ") {
            for candidate in [base.join(module).with_extension("rs"), base.join(module).join("mod.rs")] {
                if candidate.exists() && !reachable.contains(&candidate) {
                    open.push(candidate);
                }
            }
        }
        reachable.insert(file);
    }
    for folder in ["src", "tests"] {
        for file in sources(&root().join(folder)) {
            assert!(
                reachable.contains(&file),
                "{} is in no `mod` line: it is never compiled",
                file.display()
            );
        }
    }
}

#[test]
fn every_source_file_opens_with_its_purpose_and_stays_readable() {
    for folder in ["src", "tests", "benches", "examples"] {
        for file in sources(&root().join(folder)) {
            let text = read(&file);
            assert!(text.starts_with("//!"), "{} does not open with what it is for", file.display());
            let code = text.split("\n#[cfg(test)]\nmod tests {").next().unwrap_or_default();
            let is_code = |line: &&str| !line.trim().is_empty() && !line.trim_start().starts_with("//");
            let lines = code.lines().filter(is_code).count();
            let is_test = file.starts_with(root().join("tests")) || file.to_string_lossy().contains("tests");
            assert!(is_test || lines <= LONGEST_FILE, "{} has {lines} lines of code", file.display());
        }
    }
}

#[test]
fn every_source_file_of_the_operator_says_what_goes_in_and_out() {
    for file in sources(&root().join("src")) {
        let is_root = ["lib.rs", "main.rs"].iter().any(|name| file.ends_with(name));
        if is_root || file.starts_with(root().join("src/engine")) || without_tests(&file).is_empty() {
            continue;
        }
        let text = read(&file);
        let header: String = text.lines().take_while(|line| line.starts_with("//!")).collect();
        for part in ["In: ", "Out: "] {
            assert!(header.contains(part), "{} does not say {part:?} at its head", file.display());
        }
    }
}

#[test]
fn names_that_say_nothing_are_not_used_for_files() {
    for file in sources(&root().join("src")) {
        let name = file.file_stem().expect("files have names").to_string_lossy();
        assert!(!["utils", "util", "helpers", "common", "misc"].contains(&&*name), "{}", file.display());
    }
}

#[test]
fn the_engine_depends_on_nothing_that_reads_the_world() {
    let tree = Command::new(env!("CARGO"))
        .args([
            "tree",
            "--offline",
            "--package",
            "celemetry-engine",
            "--edges",
            "normal",
            "--prefix",
            "depth",
        ])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
    let tree = String::from_utf8(tree.stdout).expect("cargo prints text");
    for line in tree.lines() {
        let depth: String = line.chars().take_while(char::is_ascii_digit).collect();
        let name = line[depth.len()..].split(' ').next().unwrap_or_default();
        assert!(!NEVER_IN_THE_ENGINE.contains(&name), "the engine depends on {name}");
        assert!(
            depth != "1" || ENGINE_MAY_DEPEND_ON.contains(&name),
            "the engine depends on {name}, directly"
        );
    }
}

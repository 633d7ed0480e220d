//! The odd corners of YAML and JSON, hostile text, Lists and folders.

use std::fs;
use std::path::PathBuf;

use super::*;

/// A text, and its documents as JSON with the lines they begin on, or the error.
fn check(text: &str, expected: &str) {
    let found = match parse_documents("f", text.as_bytes()) {
        Ok(documents) => documents
            .iter()
            .map(|document| format!("{}:{}", document.place.line, document.value))
            .collect::<Vec<_>>()
            .join(" "),
        Err(error) => error.to_string(),
    };
    assert_eq!(found, expected, "{text:.200}");
}

#[test]
fn scalars_are_those_of_yaml_1_2() {
    check("a: on\nb: yes\nc: no\nd: off\ne: y", r#"1:{"a":"on","b":"yes","c":"no","d":"off","e":"y"}"#);
    check("a: true\nb: True\nc: 'true'", r#"1:{"a":true,"b":true,"c":"true"}"#);
    check("a: ~\nb: null\nc:\nd: ''", r#"1:{"a":null,"b":null,"c":null,"d":""}"#);
    check("a: 0x1F\nb: 0o17\nc: -3\nd: +3", r#"1:{"a":31,"b":15,"c":-3,"d":3}"#);
    check("a: 1_000\nb: 1:30\nc: 2024-01-01\nd: =", r#"1:{"a":"1_000","b":"1:30","c":"2024-01-01","d":"="}"#);
    check("a: 1e3\nb: .5\nc: 1.0", r#"1:{"a":1000.0,"b":0.5,"c":1.0}"#);
    check(
        "a: 9223372036854775807\nb: 18446744073709551615",
        r#"1:{"a":9223372036854775807,"b":18446744073709551615}"#,
    );
    check("a: .inf", "f:1:4: value `.inf` is not a finite number");
    check("a: !!str 1\nb: \"1\"", r#"1:{"a":"1","b":"1"}"#);
    check("k: |\n  x\n  y\nl: >\n  a\n  b\n", r#"1:{"k":"x\ny\n","l":"a b\n"}"#);
}

#[test]
fn documents_know_their_lines() {
    check("", "");
    check("# nothing\n---\n---\n", "");
    check("---\n---\na: 1\n...\n---\n# x\n---\nb: 2\n", r#"3:{"a":1} 8:{"b":2}"#);
    check("%YAML 1.2\n---\na: on", r#"3:{"a":"on"}"#);
    check("\u{feff}a: 1", r#"1:{"a":1}"#);
    check("- a\n- b", r#"1:["a","b"]"#);
}

#[test]
fn json_values_follow_each_other() {
    check("{\"a\":1}{\"b\":2}\n\n{\"c\":\n3}", r#"1:{"a":1} 1:{"b":2} 3:{"c":3}"#);
    check("  \n[1]", "2:[1]");
    check("{\"a\":1}\n---\n{\"b\":2}\n", r#"1:{"a":1} 3:{"b":2}"#);
    check("{a: b, c: [d]}", r#"1:{"a":"b","c":["d"]}"#);
    check("{\"a\":1", "f:1:6: EOF while parsing an object");
    check("{\"a\": \"\\ud800\"}", "f:1:14: unexpected end of hex escape");
}

#[test]
fn what_ends_in_json_is_never_yaml() {
    let error = parse_documents("f.json", b"{a: b}").unwrap_err();
    assert_eq!(error.to_string(), "f.json:1:2: key must be a string");
}

#[test]
fn aliases_and_merge_keys_are_resolved() {
    check("x: &x {a: 1}\ny: *x", r#"1:{"x":{"a":1},"y":{"a":1}}"#);
    check("x: &x {a: 1}\ny: {<<: *x, b: 2}", r#"1:{"x":{"a":1},"y":{"a":1,"b":2}}"#);
    let many = format!("x: &x 1\ny: [{}]", vec!["*x"; 1000].join(", "));
    check(&many, &format!("1:{{\"x\":1,\"y\":[{}]}}", vec!["1"; 1000].join(",")));
    check("y: *x", "f:1:4: reference to unknown value");
}

#[test]
fn mistakes_have_a_position() {
    check("a:\n\t- b", "f:2:2: tabs disallowed within this context (block indentation)");
    check("a: 1\nb: 2\na: 3", "f:3:1: the key 'a' stands here twice");
    check("a: [", "f:1:4: unclosed bracket '['");
    check("a: 'x", "f:1:4: unclosed quote");
    check("a: b: c", "f:1:5: mapping values are not allowed in this context");
    check("? [a]\n: b", "f:1:3: expected string scalar");
    let error = parse_documents("f", b"a: 1\nb: \xff").unwrap_err();
    assert_eq!(error.to_string(), "f:2:4: is not UTF-8");
}

#[test]
fn hostile_text_ends_in_an_error() {
    const TOO_MUCH: &str = "nests deeper than 128 levels, or grows too much by aliases";
    let levels = ["b: &b", "c: &c", "d: &d", "e: &e", "f: &f", "g: &g", "h: &h"];
    let laughs = levels.iter().zip("abcdefg".chars()).fold("a: &a [x]\n".to_owned(), |text, (key, below)| {
        format!("{text}{key} [{}]\n", vec![format!("*{below}"); 10].join(","))
    });
    let long = format!("a: &a \"{}\"\nb: [{}]\n", "x".repeat(100_000), vec!["*a"; 9000].join(","));
    for text in [
        "- ".repeat(300),
        "- ".repeat(100_000),
        "? ".repeat(100_000),
        format!("a: {}", "[".repeat(100_000)),
        "[".repeat(100_000),
        "{\"a\":".repeat(100_000),
        "{a: ".repeat(100_000),
        laughs,
        long,
    ] {
        let error = parse_documents("f", text.as_bytes()).unwrap_err().to_string();
        let known = error.ends_with(TOO_MUCH) || error.ends_with("recursion limit exceeded");
        assert!(known, "{text:.40}: {error}");
    }
    check("a: &a [*a]", "f:1:8: Recursive reference not allowed here");
    check("a: &a {<<: *a}", "f:1:12: Recursive reference not allowed here");
}

#[test]
fn as_deep_as_allowed_is_read_on_a_small_stack() {
    let text = format!("{}x", "- ".repeat(127));
    let small = std::thread::Builder::new().stack_size(512 << 10);
    let documents = small.spawn(move || parse_documents("f", text.as_bytes())).unwrap().join().unwrap();
    assert_eq!(documents.unwrap().len(), 1);
}

fn check_items(text: &str, expected: &str) {
    let documents = parse_documents("f", text.as_bytes()).unwrap();
    let found = documents
        .into_iter()
        .flat_map(items)
        .map(|document| format!("{} {}", document.place, document.value))
        .collect::<Vec<_>>()
        .join("; ");
    assert_eq!(found, expected, "{text}");
}

#[test]
fn lists_are_their_items() {
    check_items("{kind: List, items: [{a: 1}, {b: 2}]}", r#"f:1 items[0] {"a":1}; f:1 items[1] {"b":2}"#);
    check_items(
        "kind: PodList\napiVersion: v1\nitems:\n- {a: 1}\n- {kind: X, apiVersion: y}",
        r#"f:1 items[0] {"a":1,"apiVersion":"v1","kind":"Pod"}; f:1 items[1] {"apiVersion":"y","kind":"X"}"#,
    );
    check_items("{kind: PodList, items: []}", "");
    check_items("{kind: PodList, items: {a: 1}}", r#"f:1 {"items":{"a":1},"kind":"PodList"}"#);
    check_items("{kind: WishList}", r#"f:1 {"kind":"WishList"}"#);
    check_items("{kind: Pod, items: []}", r#"f:1 {"items":[],"kind":"Pod"}"#);
    check_items("- 1", "f:1 [1]");
}

/// A fresh folder that only this test writes to.
fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("celemetry-input-{}-{name}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    folder
}

#[test]
fn a_folder_is_its_manifests_in_order() {
    let folder = folder("order");
    for (name, text) in
        [("b.yaml", "b: 1"), ("a.json", "{\"a\":1}"), ("c.yml", "c: 1"), ("d.txt", ": ["), ("e", "")]
    {
        fs::write(folder.join(name), text).unwrap();
    }
    fs::create_dir_all(folder.join("below.yaml")).unwrap();
    let path = folder.to_str().unwrap().to_owned();
    let (documents, errors) = read_documents(&[path, "-".to_owned()], &mut "z: 1".as_bytes());
    assert!(errors.is_empty());
    let values = documents.iter().map(|document| document.value.to_string()).collect::<Vec<_>>();
    assert_eq!(values, [r#"{"a":1}"#, r#"{"b":1}"#, r#"{"c":1}"#, r#"{"z":1}"#]);
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn paths_that_cannot_be_read_are_named() {
    let folder = folder("empty");
    let path = folder.to_str().unwrap().to_owned();
    let read = |paths: &[&str]| {
        let paths = paths.iter().map(|path| (*path).to_owned()).collect::<Vec<_>>();
        let (_, errors) = read_documents(&paths, &mut "".as_bytes());
        errors.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    };
    assert_eq!(read(&[&path]), format!("{path}: holds no .yaml, .yml, .json, .jsonl or .ndjson file"));
    assert_eq!(read(&["-", "-"]), "-: standard input can be read only once");
    assert!(read(&["/does/not/exist"]).starts_with("/does/not/exist: "));
    assert!(read(&["/does/not/exist", "-", "/nor/this"]).contains(", /nor/this: "));
    fs::remove_dir_all(folder).unwrap();
}

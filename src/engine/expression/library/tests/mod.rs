//! What the functions give, a line a case. Whatever Kubernetes has was compared with its own answers, which the program in
//! `tests/control-plane/expressions` gives.

mod text;
mod lists;
mod sets;
mod pairs;
mod quantity;
mod semver;
mod network;
mod url;
mod named_format;
mod regex;
mod template;
mod math;
mod bind;

use super::super::tests;

const OBJECT: &str = r#"{
    "s": "tacocat", "u": "äö€😀", "e": "", "n": null, "i": 42, "d": 2.5, "t": true, "l": [3, 1, 2],
    "ld": [1.5, 0.5], "ls": ["b", "a"], "lm": [1, "a", null], "le": [], "m": {"b": 2, "a": 1},
    "cpu": "500m", "mem": "2Gi", "ver": "1.2.3-rc.1", "ip": "192.168.0.1", "cidr": "192.168.0.0/16",
    "url": "https://user:pw@example.com:8080/a b?x=1&y=2&x=3#frag", "re": "[a-c]+",
    "items": [{"n": "b", "v": 2}, {"n": "a", "v": 1}], "nested": [[1, 2], [3, [4]]], "dur": "90m",
    "ts": "2023-02-03T23:31:20Z", "fmt": "%s=%d", "neg": -5
}"#;

fn check(cases: &[(&str, &str)]) {
    tests::check(cases, OBJECT);
}

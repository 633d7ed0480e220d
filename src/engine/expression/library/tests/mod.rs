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

use super::super::tests::check;

const OBJECT: &str = include_str!("object.json");

/// Where users learn of them.
const PAGE: &str = include_str!("../../../../../examples/expressions/README.md");

#[test]
fn nan_is_sorted_behind_all_numbers_whichever_sign_it_has() {
    // In Kubernetes, where it stands is left to chance.
    let cases = [
        ("[2.0, 0.0/0.0, 1.0].sort()", "[1.0, 2.0, NaN]"),
        ("[2.0, double('NaN'), 1.0].sort()", "[1.0, 2.0, NaN]"),
        ("[2.0, -double('NaN'), 1.0, -(0.0/0.0)].sort()", "[1.0, 2.0, NaN, NaN]"),
    ];
    check(&cases, OBJECT);
}

#[test]
fn every_function_is_documented() {
    // In a table, several that go together share what stands before the dot.
    let is_documented = |name: &str| {
        let method = name.rsplit('.').next().unwrap_or(name);
        PAGE.contains(&format!("`{name}(")) || PAGE.contains(&format!(".{method}("))
    };
    let missing: Vec<&str> =
        super::overloads().map(|overload| overload.name).filter(|name| !is_documented(name)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

//! `cel.bind`.

use super::{OBJECT, check};

const CASES: &[(&str, &str)] = &[
    ("cel.bind(x, object.l.map(y, y * 2), x.sum() + x.size())", "15"),
    ("cel.bind(x, 1, cel.bind(y, x + 1, x + y))", "3"),
    ("cel.bind(x, object.missing, true)", "true"),
    ("cel.bind(x, object.missing, x)", "error: no such key: missing"),
    ("cel.bind(x, object.items, x.map(i, i.n))", r#"["b", "a"]"#),
    ("cel.bind(x, object.m.a, x + object.i)", "43"),
    ("object.items.map(i, cel.bind(n, i.n, n + n))", r#"["bb", "aa"]"#),
    ("cel.bind(1, 2, 3)", "compile: spec.filter:1:10: the first argument must be the name of a variable"),
    ("cel.bind(x, y, x)", "compile: spec.filter:1:13: undeclared reference to 'y'"),
];

#[test]
fn a_variable_stands_for_a_value_in_one_part() {
    check(CASES, OBJECT);
}

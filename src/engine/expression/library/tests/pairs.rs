//! Macros that bind two variables.

use super::{OBJECT, check};

const CASES: &[(&str, &str)] = &[
    ("object.l.all(i, v, i < v)", "false"),
    ("object.l.all(i, v, v > i || i == 1 || i == 2)", "true"),
    ("object.m.all(k, v, v > 0 && k != '')", "true"),
    ("object.l.exists(i, v, i == v)", "true"),
    ("object.l.exists(i, v, i == 2 && v == 2)", "true"),
    ("object.m.exists(k, v, k == 'b' && v == 2)", "true"),
    ("object.l.existsOne(i, v, v > 2)", "true"),
    ("object.l.exists_one(i, v, v > 1)", "false"),
    ("object.l.transformList(i, v, i * v)", "[0, 1, 4]"),
    ("object.l.transformList(i, v, v > 1, i)", "[0, 2]"),
    ("object.m.transformList(k, v, k + string(v)).sort()", r#"["a1", "b2"]"#),
    ("object.m.transformMap(k, v, v * 10)", r#"{"a": 10, "b": 20}"#),
    ("object.m.transformMap(k, v, v > 1, v * 10)", r#"{"b": 20}"#),
    ("object.l.transformMap(i, v, v)", "{0: 3, 1: 1, 2: 2}"),
    ("object.m.transformMapEntry(k, v, {string(v): k})", r#"{"1": "a", "2": "b"}"#),
    ("object.m.transformMapEntry(k, v, v > 1, {string(v): k})", r#"{"2": "b"}"#),
    ("object.l.transformMapEntry(i, v, {'x': v})", "error: a key comes twice"),
    ("object.l.transformMapEntry(i, v, v)", "error: a list or a map is needed to loop over"),
    ("object.items.transformMap(i, v, v.n)", r#"{0: "b", 1: "a"}"#),
    ("object.items.transformMapEntry(i, v, {v.n: v.v})", r#"{"a": 1, "b": 2}"#),
    ("object.items.exists(i, v, v.n == 'a' && i == 1)", "true"),
    ("object.items.all(i, v, has(v.n))", "true"),
    ("object.s.all(i, v, true)", "error: a list or a map is needed to loop over"),
    ("object.l.all(i, i, true)", "compile: spec.filter:1:17: both variables have the name 'i'"),
    (
        "object.l.all(i, 1, true)",
        "compile: spec.filter:1:17: the second argument must be the name of a variable",
    ),
    ("object.lm.exists(i, v, v > 0)", "true"),
    ("object.lm.exists(i, v, v == 'a')", "true"),
    ("object.lm.all(i, v, v > 0)", "error: no such overload: string > int"),
    ("object.n.all(i, v, true)", "error: a list or a map is needed to loop over"),
    ("{1: 'a', 2: 'b'}.transformMap(k, v, v + 'x')", r#"{1: "ax", 2: "bx"}"#),
    ("{1: 'a', 2: 'b'}.transformMapEntry(k, v, {v: k})", r#"{"a": 1, "b": 2}"#),
    ("[1, 2].transformList(i, v, [3].transformList(j, w, i + v + j + w))", "[[4], [6]]"),
    (
        "object.m.transformMap(k, v, object.l.transformList(i, w, w * v))",
        r#"{"a": [3, 1, 2], "b": [6, 2, 4]}"#,
    ),
    ("[1,2,3].map(x, x > 1, x * 2)", "[4, 6]"),
    ("object.l.exists(x, x > 2) && !object.le.exists(x, true)", "true"),
];

#[test]
fn loops_bind_the_index_or_key_and_the_element() {
    check(CASES, OBJECT);
}

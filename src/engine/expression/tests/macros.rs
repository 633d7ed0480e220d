//! all, exists, exists_one, filter, map.

use super::check;

const OBJECT: &str = r#"{
    "l": [1, 2, 3, 4], "e": [], "m": {"b": 2, "a": 1}, "s": "abc", "mixed": [1, "a", null, {"x": 1}],
    "c": [{"n": "a", "p": [80, 443]}, {"n": "b", "p": []}, {"n": "c"}]
}"#;

#[test]
fn loops_walk_over_lists_and_keys() {
    check(
        &[
            ("object.l.all(x, x > 0)", "true"),
            ("object.l.all(x, x > 1)", "false"),
            ("object.e.all(x, x > 1)", "true"),
            ("object.l.exists(x, x == 3)", "true"),
            ("object.e.exists(x, true)", "false"),
            ("object.l.exists_one(x, x > 3)", "true"),
            ("object.l.existsOne(x, x > 2)", "false"),
            ("object.l.filter(x, x % 2 == 0)", "[2, 4]"),
            ("object.l.map(x, x * x)", "[1, 4, 9, 16]"),
            ("object.l.map(x, x > 2, x * 10)", "[30, 40]"),
            ("object.m.map(k, k)", r#"["a", "b"]"#),
            ("object.m.all(k, object.m[k] > 0)", "true"),
            ("object.m.filter(k, object.m[k] > 1)", r#"["b"]"#),
            ("{'y': 1, 'x': 2}.map(k, k)", r#"["x", "y"]"#),
            ("object.mixed.all(x, x > 0)", "error: no such overload: string > int"),
            ("object.mixed.exists(x, x == 'a')", "true"),
            ("object.mixed.exists(x, x > 0)", "true"),
            ("object.mixed.exists(x, x > 5)", "error: no such overload: string > int"),
            ("object.mixed.exists(x, x.x == 1)", "true"),
            ("object.mixed.exists(x, x.x == 2)", "error: no such key: x"),
            ("object.mixed.all(x, x != 'a')", "false"),
            ("object.mixed.exists_one(x, x > 0)", "error: no such overload: string > int"),
            ("object.mixed.filter(x, x > 0)", "error: no such overload: string > int"),
            ("object.l.filter(x, x)", "error: no such overload: condition of int"),
            ("object.s.all(x, true)", "error: a list or a map is needed to loop over"),
            ("object.nope.all(x, true)", "error: no such key: nope"),
            ("object.l.map(x, object.l.map(y, x * y))[3][3]", "16"),
            ("object.l.map(x, [1].map(x, x + 1))", "[[2], [2], [2], [2]]"),
            ("object.l.filter(x, x > 1).map(y, y + 1).filter(z, z < 5)", "[3, 4]"),
            ("object.l.filter(x, x > 1).size()", "3"),
            ("size(object.m.filter(k, k == 'a'))", "1"),
            ("[1, 2].map(object, object + 1)", "[2, 3]"),
        ],
        OBJECT,
    );
}

#[test]
fn loop_variables_are_fields() {
    check(
        &[
            ("object.c.map(c, c.n)", r#"["a", "b", "c"]"#),
            ("object.c.exists(c, c.n == 'b')", "true"),
            ("object.c.exists(c, has(c.p) && c.p.exists(p, p == 443))", "true"),
            ("object.c.all(c, has(c.p))", "false"),
            ("object.c.all(c, size(c.p) >= 0)", "error: no such key: p"),
            ("object.c.filter(c, has(c.p)).map(c, c.p.size())", "[2, 0]"),
            ("object.c.filter(c, has(c.p) && size(c.p) == 0)", r#"[{"n": "b", "p": []}]"#),
            ("object.c.exists(c, c == {'n': 'c'})", "true"),
            ("object.c.exists(c, c.p[0] == 80)", "true"),
            ("object.c.map(c, has(c.p), c.p)", "[[80, 443], []]"),
            ("object.c.map(c, c.?p[?1].orValue(0))", "[443, 0, 0]"),
            ("object.c.map(c, c.?p.orValue([1]).size())", "[2, 0, 1]"),
            ("object.c.exists(c, c.n.x == 1)", "error: no such key: x"),
            ("object.c.exists(c, c.n in ['c'])", "true"),
            ("object.c.map(c, type(c))", "[type(map), type(map), type(map)]"),
            ("object.m.exists(k, k.x == 1)", "error: no such key: x"),
            ("object.m.map(k, k.size())", "[1, 1]"),
        ],
        OBJECT,
    );
}

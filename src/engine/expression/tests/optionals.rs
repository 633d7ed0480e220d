//! Optional values and optional selection.

use super::check;

const OBJECT: &str = r#"{"a": {"b": {"c": 1}, "n": null}, "l": [1, [2]], "s": "x"}"#;

#[test]
fn what_is_absent_is_none() {
    check(
        &[
            ("object.?a", r#"some({"b": {"c": 1}, "n": null})"#),
            ("object.?x", "none"),
            ("object.?a.b.c", "some(1)"),
            ("object.?a.x.c", "none"),
            ("object.a.?x.c.d", "none"),
            ("object.x.?y", "error: no such key: x"),
            ("object.?s.y", "none"),
            ("object.?a.n", "some(null)"),
            ("object.?l[0]", "some(1)"),
            ("object.?l[7]", "none"),
            ("object.l[?1]", "some([2])"),
            ("object.l[?5]", "none"),
            ("object.l[?5][0]", "none"),
            ("object.l[?1][0]", "some(2)"),
            ("object.l[?'a']", "error: unsupported index type 'string' in list"),
            ("object.a[?'b']", r#"some({"c": 1})"#),
            ("object.a[?'b'].c", "some(1)"),
            ("{'k': 1}.?k", "some(1)"),
            ("{'k': 1}[?'z']", "none"),
        ],
        OBJECT,
    );
}

#[test]
fn optionals_are_made_combined_and_opened() {
    check(
        &[
            ("object.?a.b.c.orValue(5)", "1"),
            ("object.?a.x.c.orValue(5)", "5"),
            ("object.?a.orValue(object.nope)", r#"{"b": {"c": 1}, "n": null}"#),
            ("object.?x.orValue(object.nope)", "error: no such key: nope"),
            ("object.?x.or(object.?s)", r#"some("x")"#),
            ("object.?s.or(object.nope)", r#"some("x")"#),
            ("object.?x.or(object.?y).hasValue()", "false"),
            ("object.?x.or(object.s)", "error: no such overload: optional_type.or(string)"),
            ("object.?a.hasValue()", "true"),
            ("object.?x.hasValue()", "false"),
            ("object.?s.value()", r#""x""#),
            ("object.?x.value()", "error: optional.none() dereference"),
            ("object.s.value()", "error: no such overload: string.value()"),
            ("optional.of(1)", "some(1)"),
            ("optional.none()", "none"),
            ("optional.ofNonZeroValue('')", "none"),
            ("optional.ofNonZeroValue(0)", "none"),
            ("optional.ofNonZeroValue([])", "none"),
            ("optional.ofNonZeroValue(object.l)", "some([1, [2]])"),
            ("optional.of(1) == optional.of(1.0)", "true"),
            ("optional.of(1) == optional.none()", "false"),
            ("optional.none() == optional.none()", "true"),
            ("object.?s.optMap(v, v + '!')", r#"some("x!")"#),
            ("object.?x.optMap(v, v + '!')", "none"),
            ("object.?s.optFlatMap(v, optional.none())", "none"),
            ("object.?a.optFlatMap(v, v.?b)", r#"some({"c": 1})"#),
            ("object.?a.optFlatMap(v, v.b)", "error: no such overload: optFlatMap of map"),
            ("object.?a.optMap(v, v.b.c).orValue(0)", "1"),
            ("[?object.?s, ?object.?x, 'y']", r#"["x", "y"]"#),
            ("{?'a': object.?s, ?'b': object.?x}", r#"{"a": "x"}"#),
            ("[?object.s]", "error: no such overload: ? of string"),
            ("has(object.?a.b)", "true"),
            ("has(object.?a.z)", "false"),
            ("has(object.?z.b)", "false"),
            ("type(object.?a) == optional_type", "true"),
            ("optional.of(object).a.b.c", "some(1)"),
            ("optional.of({'a': optional.none()}).a", "some(none)"),
        ],
        OBJECT,
    );
}

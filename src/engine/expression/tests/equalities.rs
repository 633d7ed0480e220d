//! The conditions that an index may use, and the keys they are looked up by.

use super::super::{Condition, Equality, Expression, ScalarKey};
use super::{answer, compile, row};
use crate::row::{FieldPlan, HashSeed};

fn show(expression: &Expression) -> String {
    let one = |equality: &Equality| format!("{} in {:?}", equality.field.index(), equality.keys);
    let any = |condition: &Condition| condition.any.iter().map(one).collect::<Vec<_>>().join(" | ");
    expression.conditions().iter().map(any).collect::<Vec<_>>().join(" & ")
}

fn of(text: &str) -> String {
    show(&compile(text, &mut FieldPlan::new(HashSeed(1, 2))).expect(text))
}

#[test]
fn conjuncts_that_compare_fields_with_literals_are_equalities() {
    for (text, expected) in [
        ("object.a == 'x'", r#"1 in [String("x")]"#),
        ("'x' == object.a", r#"1 in [String("x")]"#),
        ("object.a == 1", "1 in [Integer(1)]"),
        ("object.a == 1u", "1 in [Integer(1)]"),
        ("object.a == 1.0", "1 in [Integer(1)]"),
        ("object.a == 0.5", "1 in [Double(4602678819172646912)]"),
        ("object.a == true", "1 in [Bool(true)]"),
        ("object.a == null", "1 in [Null]"),
        ("object.a in ['y', 'x', 'y']", r#"1 in [String("x"), String("y")]"#),
        ("object.a in [1, 'x']", r#"1 in [Integer(1), String("x")]"#),
        ("object.a", "1 in [Bool(true)]"),
        ("object.a == 'x' && object.b > 1 && object.c in [2]", r#"1 in [String("x")] & 3 in [Integer(2)]"#),
        ("object.a == 'x' || object.a == 'y'", r#"1 in [String("x"), String("y")]"#),
        ("object.a == 'x' || object.a in ['z']", r#"1 in [String("x"), String("z")]"#),
        (
            "(object.a == 'x' || object.a == 1) && object.b",
            r#"1 in [Integer(1), String("x")] & 2 in [Bool(true)]"#,
        ),
        ("object['a'] == 'x'", r#"1 in [String("x")]"#),
        ("object.a == 'x' || object.b == 'x'", r#"1 in [String("x")] | 2 in [String("x")]"#),
        ("object.a == 'x' && object.c > 1 || object.b == 2", r#"1 in [String("x")] | 3 in [Integer(2)]"#),
        ("object.a == 'x' || object.b > 1", ""),
        ("object.a == 'x' || true", ""),
        ("object.a == 'x' || object.b", r#"1 in [String("x")] | 2 in [Bool(true)]"#),
        ("!(object.a == 'x')", ""),
        ("object.a != 'x'", ""),
        ("object.a == 'x' ? true : false", ""),
        ("object.a == object.b", ""),
        ("object.a == 9007199254740992", ""),
        ("object.a == 1e300", ""),
        ("object.a in [1e300, 'x']", ""),
        ("object.a in [[1]]", ""),
        ("object.l[0] == 'x'", ""),
        ("object.?a == optional.of('x')", ""),
        ("object.l.exists(x, x == 'a')", ""),
        ("has(object.a)", ""),
    ] {
        assert_eq!(of(text), expected, "{text}");
    }
}

#[test]
fn a_filter_is_true_only_where_its_keys_hold() {
    let literals = ["1", "1.0", "1u", "'1'", "true", "null", "0.5", "9007199254740991", "-0.0", "0", "''"];
    let values = [
        "1",
        "1.0",
        "1e0",
        "10e-1",
        "\"1\"",
        "true",
        "null",
        "0.5",
        "5e-1",
        "9007199254740991",
        "9007199254740992",
        "9007199254740993",
        "-0",
        "0",
        "0.0",
        "\"\"",
        "[]",
        "{}",
        "1e400",
        "18446744073709551615",
    ];
    for literal in literals {
        for value in values {
            if value == "1e400" {
                continue;
            }
            let text = format!("object.a == {literal}");
            let object = format!(r#"{{"a": {value}}}"#);
            let mut plan = FieldPlan::new(HashSeed(1, 2));
            let compiled = compile(&text, &mut plan).expect("compiles");
            let row = row(&plan, &object);
            let [Condition { any }] = compiled.conditions() else { panic!("{text}: {}", show(&compiled)) };
            let holds = any.iter().any(|equality| {
                row.at(equality.field).and_then(ScalarKey::of).is_some_and(|key| equality.keys.contains(&key))
            });
            assert_eq!(holds, answer(&text, &object) == "true", "{text} on {object}");
        }
    }
}

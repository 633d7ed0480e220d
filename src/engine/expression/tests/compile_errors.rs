//! What is refused before there is an object, with its place.

use super::{compile, formula};
use crate::error::CompileError;
use crate::expression::{Demand, Expression, Scope};
use crate::row::{FieldPlan, HashSeed};

fn refused(cases: &[(&str, &str)]) {
    for (text, expected) in cases {
        let mut plan = FieldPlan::new(HashSeed(1, 2));
        let before = plan.len();
        let error = compile(text, &mut plan).map(|_| "compiles").expect_err(text);
        let error = error.to_string();
        assert!(
            error == *expected
                || (expected.ends_with('…') && error.starts_with(expected.trim_end_matches('…'))),
            "{text}\n  expected {expected}\n  found    {error}"
        );
        assert!(plan.len() >= before);
    }
}

#[test]
fn unknown_names_are_refused_with_a_suggestion() {
    refused(&[
        ("true && objct.x == 1", "spec.filter:1:9: undeclared reference to 'objct' (did you mean 'object'?)"),
        ("obj.x", "spec.filter:1:1: undeclared reference to 'obj'"),
        ("item.x", "spec.filter:1:1: undeclared reference to 'item'"),
        ("object.l.exists(c, d.x)", "spec.filter:1:20: undeclared reference to 'd'"),
        (
            "object.l.exists(cont, con.x)",
            "spec.filter:1:23: undeclared reference to 'con' (did you mean 'cont'?)",
        ),
        ("object.l.exists(x, true) && x", "spec.filter:1:29: undeclared reference to 'x'"),
        (
            "object.s.startWith('a')",
            "spec.filter:1:10: undeclared reference to function 'startWith' (did you mean 'startsWith'?)",
        ),
        (
            "sizeof(object)",
            "spec.filter:1:1: undeclared reference to function 'sizeof' (did you mean 'size'?)",
        ),
        ("'ä' == 'ö' && objct", "spec.filter:1:15: undeclared reference to 'objct' (did you mean 'object'?)"),
        ("true &&\n  objct.x", "spec.filter:2:3: undeclared reference to 'objct' (did you mean 'object'?)"),
        ("a.b.c", "spec.filter:1:1: undeclared reference to 'a'"),
        ("Foo{a: 1}", "spec.filter:1:4: unknown type 'Foo'"),
    ]);
}

#[test]
fn what_asks_the_api_server_is_refused_for_good() {
    let never = "is not supported: an expression sees its object and nothing else";
    refused(&[
        ("object.a.check('get')", &format!("spec.filter:1:10: function 'check' {never}")),
        ("jsonpatch.escapeKey('a/b')", &format!("spec.filter:1:11: function 'jsonpatch.escapeKey' {never}")),
        (
            "authorizer.path('/healthz').check('get').allowed()",
            "spec.filter:1:1: undeclared reference to 'authorizer'",
        ),
    ]);
}

#[test]
fn wrong_arguments_are_refused() {
    refused(&[
        ("size()", "spec.filter:1:1: 'size' takes 1 argument, found 0"),
        ("object.s.startsWith('a', 'b')", "spec.filter:1:10: 'startsWith' takes 1 argument, found 2"),
        ("object.at.getHours('a', 'b')", "spec.filter:1:11: 'getHours' takes 0 or 1 arguments, found 2"),
        ("startsWith('a', 'b')", "spec.filter:1:1: 'startsWith' is a method: write x.startsWith(…)"),
        ("quantity('1').sign()", "spec.filter:1:15: 'sign' is no method: write sign(…)"),
        ("'a'.startsWith(1)", "spec.filter:1:5: no such overload: string.startsWith(int)"),
        ("1 + 'a'", "spec.filter:1:3: no such overload: int + string"),
        ("1 + 1u", "spec.filter:1:3: no such overload: int + uint"),
        ("size(object.l) + 'a'", "spec.filter:1:16: no such overload: int + string"),
        ("1 == 'a'", "spec.filter:1:3: no such overload: int == string"),
        ("size(object.l) == '3'", "spec.filter:1:16: no such overload: int == string"),
        ("'a' < 1", "spec.filter:1:5: no such overload: string < int"),
        ("-'a'", "spec.filter:1:1: no such overload: - of string"),
        ("!1", "spec.filter:1:2: expected a bool, found int"),
        ("true && 'a'", "spec.filter:1:9: expected a bool, found string"),
        ("1 ? 2 : 3", "spec.filter:1:1: expected a bool, found int"),
        ("1 in 'a'", "spec.filter:1:3: no such overload: int in string"),
        ("'a'.b", "spec.filter:1:4: a string has no fields to select from"),
        ("1[0]", "spec.filter:1:3: no such overload: int[int]"),
        ("[1]['a']", "spec.filter:1:5: no such overload: list[string]"),
        ("'a'.all(x, true)", "spec.filter:1:1: expected a list or a map to loop over, found string"),
        ("object.l.all(x, 1)", "spec.filter:1:17: expected a bool, found int"),
        ("object.l.all(1, true)", "spec.filter:1:14: the first argument must be the name of a variable"),
        ("has(object)", "spec.filter:1:5: has() takes a selection such as has(object.status.phase)"),
        ("has(object['a'])", "spec.filter:1:11: has() takes a selection such as has(object.status.phase)"),
        (
            "object.s.optMap(x, x).startsWith('a')",
            "spec.filter:1:23: no such overload: optional_type.startsWith(string)",
        ),
        ("object.s.matches('(')", "spec.filter:1:10: invalid regular expression: unclosed group"),
        (
            "object.s.matches('(a{1000}){1000}')",
            "spec.filter:1:10: invalid regular expression: its repetitions are too large together, more than 1000",
        ),
        (
            "timestamp('x') < object.t",
            "spec.filter:1:1: not a timestamp: it must be RFC 3339, such as 2006-01-02T15:04:05Z",
        ),
    ]);
}

#[test]
fn calls_of_the_libraries_are_checked() {
    refused(&[
        (
            "object.s.lowerAsci()",
            "spec.filter:1:10: undeclared reference to function 'lowerAsci' (did you mean 'lowerAscii'?)",
        ),
        (
            "quantty('1')",
            "spec.filter:1:1: undeclared reference to function 'quantty' (did you mean 'quantity'?)",
        ),
        ("cel.bnd(x, 1, x)", "spec.filter:1:1: undeclared reference to 'cel'"),
        (
            "object.l.transformlist(i, v, v)",
            "spec.filter:1:10: undeclared reference to function 'transformlist' (did you mean 'transformList'?)",
        ),
        ("object.l.exists(x)", "spec.filter:1:10: 'exists' takes 2 or 3 arguments, found 1"),
        ("object.l.all()", "spec.filter:1:10: 'all' takes 2 or 3 arguments, found 0"),
        ("object.l.filter(a, b, true)", "spec.filter:1:10: 'filter' takes 2 arguments, found 3"),
        ("has(object.a, object.b)", "spec.filter:1:1: 'has' takes 1 argument, found 2"),
        ("cel.bind(x, 1)", "spec.filter:1:5: 'cel.bind' takes 3 arguments, found 2"),
        ("map(object.l, x, x)", "spec.filter:1:1: 'map' is a method: write x.map(…)"),
        ("object.has(object.a)", "spec.filter:1:8: 'has' is no method: write has(…)"),
        ("object.s.substring()", "spec.filter:1:10: 'substring' takes 1 or 2 arguments, found 0"),
        ("object.s.replace('a')", "spec.filter:1:10: 'replace' takes 2 or 3 arguments, found 1"),
        ("sets.contains([1])", "spec.filter:1:6: 'sets.contains' takes 2 arguments, found 1"),
        ("'a'.sum()", "spec.filter:1:5: no such overload: string.sum()"),
        ("[1].join(1)", "spec.filter:1:5: no such overload: list.join(int)"),
        ("quantity('1').major()", "spec.filter:1:15: no such overload: kubernetes.Quantity.major()"),
        (
            "semver('1.2.3') < semver('1.2.4')",
            "spec.filter:1:17: no such overload: kubernetes.Semver < kubernetes.Semver",
        ),
        ("ip('::1').getHost()", "spec.filter:1:11: no such overload: net.IP.getHost()"),
        ("url('/a').x", "spec.filter:1:10: a kubernetes.URL has no fields to select from"),
        ("format.dns1123Label('a')", "spec.filter:1:8: 'format.dns1123Label' takes 0 arguments, found 1"),
        ("semver('1.2')", "spec.filter:1:1: not a version: it must have three numbers, such as 1.2.3"),
        ("ip('1.2.3')", "spec.filter:1:1: not an IP address: …"),
        ("cidr('1.2.3.4')", "spec.filter:1:1: not a CIDR: …"),
        ("url('x')", "spec.filter:1:1: not a URL: …"),
        ("quantity('1x')", "spec.filter:1:1: not a quantity: …"),
        ("duration('1')", "spec.filter:1:1: not a duration: …"),
        ("object.s.find('(')", "spec.filter:1:10: invalid regular expression: unclosed group"),
        (
            "object.s.findAll('\\\\y', 2)",
            "spec.filter:1:10: invalid regular expression: there is no escape \\y",
        ),
        ("'%d'.format([object.a, object.b])", "spec.filter:1:6: the format takes 1 argument, found 2"),
        ("'%y'.format([object.a])", "spec.filter:1:6: the format knows no '%y'"),
        ("object.l.all(i, i, true)", "spec.filter:1:17: both variables have the name 'i'"),
        (
            "object.l.transformList(i, 1, i)",
            "spec.filter:1:27: the second argument must be the name of a variable",
        ),
        ("object.l.transformMapEntry(i, v, 1)", "spec.filter:1:34: expected a map, found int"),
        ("1.sortBy(x, x)", "spec.filter:1:1: expected a list to sort, found int"),
        ("cel.bind(object.x, 1, 2)", "spec.filter:1:16: the first argument must be the name of a variable"),
        ("cel.bind(x, 'a', x + 1)", "spec.filter:1:20: no such overload: string + int"),
        ("[1].first() + 1", "spec.filter:1:13: no such overload: optional_type + int"),
    ]);
}

#[test]
fn broken_syntax_is_placed() {
    refused(&[
        ("", "spec.filter:1:1: syntax error: …"),
        ("1 +", "spec.filter:1:4: syntax error: …"),
        ("(1", "spec.filter:1:3: syntax error: …"),
        ("1 1", "spec.filter:1:3: syntax error: …"),
        ("'ä' +\n  'ö' ++", "spec.filter:2:8: syntax error: …"),
        ("'abc", "spec.filter:1:1: syntax error: …"),
        ("object.for == 1 && var", "spec.filter:1:20: syntax error: 'var' is a reserved word"),
        ("99999999999999999999", "spec.filter:1:1: syntax error: the number is beyond 64 bits"),
        ("object.`", "spec.filter:1:8: syntax error: …"),
    ]);
}

#[test]
fn broken_syntax_is_told_in_words_of_the_language() {
    let early = "the expression ends too early: an operand or a closing bracket is missing";
    refused(&[
        ("object.a[", &format!("spec.filter:1:10: syntax error: {early}")),
        ("(1", &format!("spec.filter:1:3: syntax error: {early}")),
        ("object.a = 1", "spec.filter:1:10: syntax error: '=' is no operator (did you mean '=='?)"),
        ("true && 1 == == 1", "spec.filter:1:14: syntax error: …"),
        ("true & false", "spec.filter:1:6: syntax error: '&' is no operator (did you mean '&&'?)"),
        ("true and false", "spec.filter:1:6: syntax error: 'and' is no operator (did you mean '&&'?)"),
        ("true || 'a", "spec.filter:1:9: syntax error: a quote that is opened here is not closed"),
    ]);
}

#[test]
fn limits_are_placed() {
    let long = format!("'{}'", "a".repeat(9000));
    refused(&[(&long, "spec.filter:1:1: longer than 8192 bytes")]);
    let nested = format!("{}1{}", "(".repeat(40), ")".repeat(40));
    refused(&[(&nested, "spec.filter:1:33: brackets nest more than 32 deep")]);
    let chained = vec!["1"; 300].join("+");
    refused(&[(&chained, "spec.filter:1:402: more than 200 operators hang on each other")]);
    let text = format!("'{}' == r'{}' // {}", "(+".repeat(500), "[-".repeat(500), "{{".repeat(500));
    assert!(compile(&text, &mut FieldPlan::new(HashSeed(1, 2))).is_ok(), "strings and comments do not count");
    assert_eq!(formula("x").place, "spec.filter");
}

/// Every defect of an expression, in the order of the text.
fn defects(text: &str) -> Vec<String> {
    let mut plan = FieldPlan::new(HashSeed(1, 2));
    let mut fields = plan.record();
    let compiled =
        Expression::compile_with(&formula(text), &Scope::default(), Demand::Whole, &mut fields, |_| {});
    let told = |error: CompileError| format!("{}: {}", error.column, error.message);
    compiled.expect_err(text).into_iter().map(told).collect()
}

#[test]
fn all_that_is_wrong_is_told_and_nothing_that_follows_from_it() {
    for (text, expected) in [
        (
            "objct.x == 1 && objt.y == 2",
            &[
                "1: undeclared reference to 'objct' (did you mean 'object'?)",
                "17: undeclared reference to 'objt'",
            ][..],
        ),
        // Nothing is known of what is undeclared: it may be a number, a list, have members and take arguments.
        (
            "(a.b + c).d[0].size() > -a",
            &[
                "2: undeclared reference to 'a'",
                "8: undeclared reference to 'c'",
                "26: undeclared reference to 'a'",
            ],
        ),
        (
            "spilt(object.a, b) == 1 || object.a.startWith(c)",
            &[
                "1: undeclared reference to function 'spilt' (did you mean 'split'?)",
                "17: undeclared reference to 'b'",
                "37: undeclared reference to function 'startWith' (did you mean 'startsWith'?)",
                "47: undeclared reference to 'c'",
            ],
        ),
        (
            "1 && 'x' + 1 == 2 && [a, {b: c, 1.5: d}].exists(e, e == f)",
            &[
                "1: expected a bool, found int",
                "10: no such overload: string + int",
                "23: undeclared reference to 'a'",
                "27: undeclared reference to 'b'",
                "30: undeclared reference to 'c'",
                "33: unsupported key type: double",
                "38: undeclared reference to 'd'",
                "57: undeclared reference to 'f'",
            ],
        ),
    ] {
        assert_eq!(defects(text), expected, "{text}");
    }
}

#[test]
fn keys_of_any_length_are_looked_for_and_short_ones_suggested() {
    let found = defects(&format!("object.spec.a{} > 1", "-b".repeat(100)));
    assert_eq!(found.len(), 20);
    assert!(found[0].ends_with("(if a key is meant: spec['a-b'])"), "{}", found[0]);
    assert!(
        found[19].ends_with(&format!("(if a key is meant: spec['a{}'])", "-b".repeat(20))),
        "{}",
        found[19]
    );
    let long = defects(&format!("object.metadata.labels.{}/x == 'y'", vec!["name"; 20].join(".")));
    assert!(long[0].ends_with("undeclared reference to 'x'"), "{long:?}");
}

#[test]
fn keys_that_were_written_as_names_are_suggested() {
    for (text, expected) in [
        (
            "object.metadata.labels.app-name == 'x'",
            &["28: undeclared reference to 'name' (if a key is meant: labels['app-name'])"][..],
        ),
        (
            "object.metadata.labels.app.kubernetes.io/part-of == 'x'",
            &[
                "42: undeclared reference to 'part' (if a key is meant: labels['app.kubernetes.io/part'])",
                "47: undeclared reference to 'of' (if a key is meant: labels['app.kubernetes.io/part-of'])",
            ],
        ),
        (
            "object.spec.template.node-name == 'x'",
            &["27: undeclared reference to 'name' (if a key is meant: template['node-name'])"],
        ),
        (
            "object.spec.limits.amd.com/gpu > 1",
            &["28: undeclared reference to 'gpu' (if a key is meant: limits['amd.com/gpu'])"],
        ),
        // Signs that are no names', those that stand alone, what is declared, what is no member.
        (
            "object.spec.replicas - objct.status.ready > 0",
            &["24: undeclared reference to 'objct' (did you mean 'object'?)"],
        ),
        ("object.spec.a + b > 1", &["17: undeclared reference to 'b'"]),
        (
            "object.spec.a-f(b)",
            &["15: undeclared reference to function 'f'", "17: undeclared reference to 'b'"],
        ),
        ("object.l.map(x, x-y)", &["19: undeclared reference to 'y'"]),
        ("object.a.b-int", &["11: no such overload: dyn - type"]),
        ("object.a.b-int.c", &["15: a type has no fields to select from"]),
    ] {
        assert_eq!(defects(text), expected, "{text}");
    }
}

#[test]
fn all_that_is_wrong_with_macros_is_told_and_their_names_are_known() {
    for (text, expected) in [
        // A macro was meant.
        (
            "object.a.exist(c, c.x == d)",
            &[
                "10: undeclared reference to function 'exist' (did you mean 'exists'?)",
                "26: undeclared reference to 'd'",
            ][..],
        ),
        (
            "a ? b : 1.all(c, d)",
            &[
                "1: undeclared reference to 'a'",
                "5: undeclared reference to 'b'",
                "9: expected a list or a map to loop over, found int",
            ],
        ),
        (
            "cel.bind(x, a, x + b) == x",
            &[
                "13: undeclared reference to 'a'",
                "20: undeclared reference to 'b'",
                "26: undeclared reference to 'x'",
            ],
        ),
    ] {
        assert_eq!(defects(text), expected, "{text}");
    }
}

#[test]
fn of_very_much_that_is_wrong_some_is_told() {
    let text = vec!["a"; 100].join(" + ");
    assert_eq!(defects(&text).len(), 20);
}

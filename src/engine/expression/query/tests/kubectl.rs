//! kubectl's dialect, rule by rule: the answers of client-go 0.36, which is asked about every row.

use super::check_paths;

/// What the paths are about.
const DOCUMENT: &str = r#"{
    "a": {"b": 1, "x": null, "é": "u"},
    "n": {"b": {"c": "nested"}, "b.c": "key"},
    "labels": {"app.kubernetes.io/name": "web", "a-b": "dash", "a:b": "colon", "x y": "blank", "": "empty", "a}b": "brace"},
    "l": [{"t": "x", "v": 1}, {"t": "y", "v": 2}, {"v": 7}],
    "li": [1, 2, 3], "ld": [1.5, 2.0, 1e3], "lb": [true, false],
    "mixed": [{"t": "x"}, {"t": null}],
    "flags": [{"f": false}, {"f": 0}, {"f": null}, {"f": ""}, {}],
    "lists": [{"in": [1, 2]}, {"in": []}, {"in": [3]}],
    "pairs": [{"p": "a", "q": "a"}, {"p": "a", "q": "b"}, {"p": "a"}],
    "quotes": [{"q": "it's"}, {"q": "say \"x\""}, {"q": "a)b"}, {"q": "tab\t"}, {"q": "é"}],
    "el": [], "em": {}, "es": "", "s": "text", "num": 5, "neg": -5, "t": true
}"#;

#[test]
fn path_stands_in_braces_or_bare_with_or_without_a_dot() {
    check_paths(
        &[
            ("a.b", "1"),
            (".a.b", "1"),
            ("{.a.b}", "1"),
            ("{ .a.b }", "1"),
            ("{$.a.b}", "1"),
            ("{@.a.b}", "1"),
            ("{['a'].b}", "1"),
            ("{$['a']['b']}", "1"),
            ("  a.b\n", "1"),
            ("{.a.b}\n", "1"),
            ("{.a. b}", "error: spec.path:1:6: unexpected 'b' (a name follows a dot: '.b')"),
            ("{.a .b}", "1"),
        ],
        DOCUMENT,
    );
    check_paths(
        &[("{}", r#"{"a":1}"#), ("{$}", r#"{"a":1}"#), ("{@}", r#"{"a":1}"#), (".", r#"{"a":1}"#)],
        r#"{"a":1}"#,
    );
}

#[test]
fn bare_path_that_begins_with_a_bracket_or_dollar_finds_the_empty_name_or_nothing() {
    check_paths(
        &[
            ("['a'].b", ""),
            ("$", ""),
            ("$.a.b", ""),
            ("$['a']", ""),
            ("@.a", ""),
            ("{.}", ""),
            ("labels.", r#""empty""#),
            ("labels['']", r#""empty""#),
        ],
        DOCUMENT,
    );
}

#[test]
fn name_may_hold_what_ends_no_name_and_a_backslash_takes_the_rest() {
    check_paths(
        &[
            ("labels.app\\.kubernetes\\.io/name", r#""web""#),
            ("labels['app\\.kubernetes\\.io/name']", r#""web""#),
            ("labels['app.kubernetes.io/name']", ""),
            ("labels.a-b", r#""dash""#),
            ("labels.a:b", r#""colon""#),
            ("labels.x\\ y", r#""blank""#),
            ("labels['x\\ y']", r#""blank""#),
            ("labels.a\\}b", r#""brace""#),
            ("a.é", r#""u""#),
            ("a['é']", r#""u""#),
            ("n['b.c']", r#""nested""#),
            ("n['b\\.c']", r#""key""#),
            ("n.b\\.c", r#""key""#),
            ("n.b.c", r#""nested""#),
            ("a\\b", ""),
            ("a.\\*", ""),
            ("a['\\*']", ""),
            ("\\a.b", "1"),
        ],
        DOCUMENT,
    );
}

#[test]
fn missing_key_selects_nothing() {
    check_paths(
        &[
            ("a.nope", ""),
            ("s.foo", ""),
            ("num.foo", ""),
            ("a.x.y", ""),
            ("l['0']", ""),
            ("nope[0]", ""),
            ("nope[*].x", ""),
            ("nope.*", ""),
            ("nope[?(@.x)]", ""),
            ("a.x", "null"),
            ("a.x[0]", ""),
            ("a.x.*", ""),
            ("a.x..b", ""),
            ("l.t", ""),
        ],
        DOCUMENT,
    );
}

#[test]
fn index_outside_of_the_list_is_an_error() {
    check_paths(
        &[
            ("li[0]", "1"),
            ("li[2]", "3"),
            ("li[-1]", "3"),
            ("li[-3]", "1"),
            ("li[01]", "2"),
            ("li[]", "1"),
            ("l[].t", r#""x""#),
            ("li[3]", "error: array index out of bounds: index 3, length 3"),
            ("li[-4]", "error: array index out of bounds: index -1, length 3"),
            ("l[5]", "error: array index out of bounds: index 5, length 3"),
            ("l[5].t", "error: array index out of bounds: index 5, length 3"),
            ("el[0]", "error: array index out of bounds: index 0, length 0"),
            ("el[-1]", "error: array index out of bounds: index -1, length 0"),
            (
                "li[9223372036854775807]",
                "error: array index out of bounds: index 9223372036854775807, length 3",
            ),
            ("a[0]", "error: a map is not a list and has no elements"),
            ("s[0]", "error: a string is not a list and has no elements"),
            ("s[*]", "error: a string is not a list and has no elements"),
            ("a[*]", "error: a map is not a list and has no elements"),
            ("num[0]", "error: a number is not a list and has no elements"),
            ("t[0]", "error: a boolean is not a list and has no elements"),
        ],
        DOCUMENT,
    );
}

#[test]
fn slice_is_checked_against_the_list() {
    check_paths(
        &[
            ("li[*]", "1 2 3"),
            ("li[:]", "1 2 3"),
            ("li[::]", "1 2 3"),
            ("li[-1:]", "3"),
            ("li[0:2]", "1 2"),
            ("li[:2]", "1 2"),
            ("li[1:]", "2 3"),
            ("li[0:-1]", "1 2"),
            ("li[::2]", "1 3"),
            ("li[1:3:5]", "2"),
            ("li[2:2]", ""),
            ("li[5:5]", ""),
            ("li[0:0]", ""),
            ("el[*]", ""),
            ("el[:]", ""),
            ("li[0:9]", "error: array index out of bounds: index 8, length 3"),
            ("li[-9:]", "error: array index out of bounds: index -6, length 3"),
            ("li[3:]", ""),
            ("li[4:]", "error: array index out of bounds: index 4, length 3"),
            ("li[2:1]", "error: starting index 2 is greater than ending index 1"),
            ("li[::-1]", "error: step must be > 0"),
            ("li[::0]", "error: step must be > 0"),
            ("el[::-1]", ""),
            ("el[1:]", "error: array index out of bounds: index 1, length 0"),
        ],
        DOCUMENT,
    );
}

#[test]
fn empty_list_ends_the_step_for_all_lists_behind_it() {
    check_paths(
        &[
            ("lists[*].in[*]", "1 2"),
            ("lists[0,2].in[*]", "1 2 3"),
            ("lists[*].in[:1]", "error: array index out of bounds: index 0, length 0"),
        ],
        DOCUMENT,
    );
}

#[test]
fn union_goes_selector_by_selector() {
    check_paths(
        &[
            ("li[0,2]", "1 3"),
            ("li[2, 0]", "3 1"),
            ("li[0,0]", "1 1"),
            ("li[0,1:3]", "1 2 3"),
            ("a['b','x']", "1 null"),
            ("a['b', 'nope']", "1"),
            ("l[*]['t','v']", r#""x" "y" 1 2 7"#),
            ("l[0]['t','v']", r#""x" 1"#),
            ("n['b','b\\.c']", r#"{"c":"nested"} "key""#),
            ("n['b.c','b\\.c']", r#""nested" "key""#),
            ("l[0,5]", "error: array index out of bounds: index 5, length 3"),
            ("l[0,?(@.t)].v", "1 1 2"),
            (
                "l[?(@.t),0].v",
                "error: spec.path:1:9: expected ']' after ')': a filter is one comparison or one path",
            ),
            ("li[0,]x", "error: spec.path:1:7: unexpected 'x' (a name follows a dot: '.x')"),
            ("li[0,]", "1 1"),
            ("l['t,v']", "error: spec.path:1:3: ''t' is not an index, a slice or a key"),
        ],
        DOCUMENT,
    );
}

#[test]
fn wildcard_takes_members_by_name_and_elements() {
    check_paths(
        &[
            ("a.*", r#"1 null "u""#),
            ("li.*", "1 2 3"),
            ("l.*.t", r#""x" "y""#),
            ("em.*", ""),
            ("el.*", ""),
            ("num.*", ""),
            ("a.x.*", ""),
            ("a['*']", r#"1 null "u""#),
            ("li[?(@.a.*)]", ""),
            ("l[?(@.t.*)].v", "1 2"),
            ("es.*", ""),
        ],
        DOCUMENT,
    );
}

#[test]
fn wildcard_takes_the_bytes_of_a_string() {
    check_paths(
        &[
            ("s.*", "116 101 120 116"),
            ("a.é.*", "117"),
            ("quotes[4].q.*", "195 169"),
            ("s.*.x", ""),
            ("s.*.*", ""),
            ("s.*..", ""),
            ("s.*[0]", "error: a number is not a list and has no elements"),
            ("l[?(@.t.*==120)].v", "1"),
            ("l[?(@.t.*==@.t.*)].v", "1 2"),
            ("l[?(@.t.*<@.v)]", ""),
        ],
        DOCUMENT,
    );
}

#[test]
fn descent_visits_what_is_not_empty() {
    check_paths(
        &[
            ("..b", r#"1 {"c":"nested"}"#),
            ("{..b}", r#"1 {"c":"nested"}"#),
            ("..c", r#""nested""#),
            ("n..c", r#""nested""#),
            ("l..t", r#""x" "y""#),
            (
                "l..",
                r#"[{"t":"x","v":1},{"t":"y","v":2},{"v":7}] {"t":"x","v":1} "x" {"t":"y","v":2} "y" {"v":7}"#,
            ),
            ("el..", ""),
            ("em..", ""),
            ("es..", ""),
            ("s..", r#""text""#),
            ("num..", ""),
            ("..['t']", r#"true "x" "y" "x" null"#),
            ("li..[0]", "1"),
            ("l..[0]", "error: a map is not a list and has no elements"),
            ("....a", "error: spec.path:1:3: unexpected '..' after '..'"),
            ("..*", "error: spec.path:1:3: unexpected '*'"),
            ("a..*", "error: spec.path:1:4: unexpected '*'"),
        ],
        DOCUMENT,
    );
}

#[test]
fn filter_compares_values_of_one_kind() {
    check_paths(
        &[
            ("l[?(@.t=='x')].v", "1"),
            ("l[?(@.t==\"x\")].v", "1"),
            ("l[?($.t=='x')].v", "1"),
            ("l[?( @.t == 'x' )].v", "1"),
            ("l[?(.t=='x')].v", "1"),
            ("l[?('x'==@.t)].v", "1"),
            ("l[?(@.t!='x')].v", "2"),
            ("l[?(@.t<'y')].v", "1"),
            ("l[?(@.t>='x')].v", "1 2"),
            ("l[?(@.v>1)].v", "2 7"),
            ("l[?(@.v>=2)].v", "2 7"),
            ("l[?(@.v<2)].v", "1"),
            ("l[?(@.v<=+2)].v", "1 2"),
            ("l[?(@.v!=-1)].v", "1 2 7"),
            ("li[?(@>1)]", "2 3"),
            ("li[?(@==2)]", "2"),
            ("ld[?(@>1.5)]", "2.0 1000.0"),
            ("ld[?(@==2.0)]", "2.0"),
            ("ld[?(@==2.)]", "2.0"),
            ("lb[?(@==true)]", "true"),
            ("lb[?(@!=true)]", "false"),
            ("pairs[?(@.p==@.q)].q", r#""a""#),
            ("pairs[?(@.q==@.p)].q", r#""a""#),
            ("l[?(@.nope=='x')]", ""),
            ("l[?(@.v==1)].t", r#""x""#),
            ("el[?(@.v==1.5)]", ""),
        ],
        DOCUMENT,
    );
}

#[test]
fn filter_over_other_kinds_fails_the_query() {
    check_paths(
        &[
            (
                "mixed[?(@.t=='x')].t",
                "error: invalid type for comparison: only booleans, numbers and strings are compared",
            ),
            ("l[?(@.v>=1.0)].v", "error: incompatible types for comparison"),
            ("li[?(@==2.5)]", "error: incompatible types for comparison"),
            ("l[?(@.t>1)]", "error: incompatible types for comparison"),
            ("l[?(@.t==true)]", "error: incompatible types for comparison"),
            ("lb[?(@>true)]", "error: invalid type for comparison: booleans have no order"),
            (
                "l[?(@=='x')]",
                "error: invalid type for comparison: only booleans, numbers and strings are compared",
            ),
            (
                "lists[?(@.in==1)]",
                "error: invalid type for comparison: only booleans, numbers and strings are compared",
            ),
            ("labels[?(@.x=='y')]", "error: a map is not a list and cannot be filtered"),
            ("s[?(@.x=='y')]", "error: a string is not a list and cannot be filtered"),
            ("num[?(@)]", "error: a number is not a list and cannot be filtered"),
            ("a.x[?(@.x)]", "error: null is not a list and cannot be filtered"),
            (
                "lists[?(@.in[*]==1)]",
                "error: a comparison needs one value on either side, and there are several",
            ),
            ("l[?(@.v==@.*)]", "error: a comparison needs one value on either side, and there are several"),
        ],
        DOCUMENT,
    );
}

#[test]
fn existence_is_true_of_null_false_and_zero() {
    check_paths(
        &[
            ("l[?(@.t)].v", "1 2"),
            ("mixed[?(@.t)].t", r#""x" null"#),
            ("flags[?(@.f)].f", r#"false 0 null """#),
            ("li[?(@)]", "1 2 3"),
            ("li[?()]", "1 2 3"),
            ("li[?('x')]", "1 2 3"),
            ("lists[?(@.in[0])].in", "[1,2] [] [3]"),
            ("l[?(@.t[0])].v", "1 2"),
            ("l[?(@.v.*)].v", ""),
        ],
        DOCUMENT,
    );
}

#[test]
fn literal_has_the_escapes_of_go() {
    check_paths(
        &[
            ("quotes[?(@.q=='it\\'s')].q", r#""it's""#),
            ("quotes[?(@.q==\"it's\")].q", r#""it's""#),
            ("quotes[?(@.q==\"say \\\"x\\\"\")].q", r#""say \"x\"""#),
            ("quotes[?(@.q=='say \"x\"')].q", r#""say \"x\"""#),
            ("quotes[?(@.q=='a)b')].q", r#""a)b""#),
            ("quotes[?(@.q=='tab\\t')].q", r#""tab\t""#),
            ("quotes[?(@.q=='\\u00e9')].q", r#""é""#),
            ("quotes[?(@.q=='\\xc3\\xa9')].q", r#""é""#),
            ("quotes[?(@.q=='\\303\\251')].q", r#""é""#),
            ("quotes[?(@.q=='\\U000000e9')].q", r#""é""#),
            ("quotes[?(@.q=='\\q')]", "error: spec.path:1:16: invalid escape in a string"),
            ("quotes[?(@.q=='\\xff')]", "error: spec.path:1:15: the string is not UTF-8"),
            ("quotes[?(@.q=='\\ud800')]", "error: spec.path:1:16: invalid escape in a string"),
        ],
        DOCUMENT,
    );
}

#[test]
fn text_that_is_no_single_path_is_refused_with_its_place() {
    check_paths(
        &[
            ("", "error: spec.path: the path is empty"),
            (" \n", "error: spec.path: the path is empty"),
            ("a.b}{.s", "error: spec.path:1:4: unexpected '}'"),
            ("{.a}{.s}", "error: spec.path:1:5: only one {…} block is possible here"),
            ("{.a} and {.s}", "error: spec.path:1:5: text outside of {…} is not possible here"),
            ("name: {.a}", "error: spec.path:1:7: unexpected '{'"),
            ("{range .l[*]}", "error: spec.path:1:2: 'range' is not possible here"),
            ("{range .l[*]}{.t}{end}", "error: spec.path:1:2: 'range' is not possible here"),
            ("{end}", "error: spec.path:1:2: 'end' is not possible here"),
            ("{a.b}", "error: spec.path:1:2: unexpected 'a' (a name follows a dot: '.a')"),
            ("$a.b", "error: spec.path:1:2: unexpected 'a' (a name follows a dot: '.a')"),
            ("{.a", "error: spec.path:1:4: missing '}' at the end"),
            ("a[0", "error: spec.path:1:2: missing ']'"),
            ("a]", "error: spec.path:1:2: unexpected ']'"),
            (
                "a[\"b\"]",
                r#"error: spec.path:1:3: '"b"' is not an index, a slice or a key; keys are in single quotes"#,
            ),
            ("a[b]", "error: spec.path:1:3: 'b' is not an index, a slice or a key"),
            ("a[+1]", "error: spec.path:1:3: '+1' is not an index, a slice or a key"),
            ("a[1:2:3:4]", "error: spec.path:1:3: '1:2:3:4' is not an index, a slice or a key"),
            ("a[-]", "error: spec.path:1:3: '-' is not an index, a slice or a key"),
            (
                "a[99999999999999999999]",
                "error: spec.path:1:3: '99999999999999999999' is not an index, a slice or a key",
            ),
            ("labels['x y']", "error: spec.path:1:11: unexpected 'y' (a name follows a dot: '.y')"),
            ("labels['a}b']", "error: spec.path:1:10: unexpected '}'"),
            ("a 'x'", "error: spec.path:1:3: a literal stands only in a comparison"),
            ("{'x'}", "error: spec.path:1:2: a literal stands only in a comparison"),
            ("{1}", "error: spec.path:1:2: a literal stands only in a comparison"),
            ("a\\", "error: spec.path:1:3: a backslash must stand before a character"),
            ("a['b\\']", "error: spec.path:1:6: a backslash must stand before a character"),
            ("{.a\\}", "error: spec.path:1:6: missing '}' at the end"),
            ("a\nb", "error: spec.path:1:2: unexpected line break"),
        ],
        DOCUMENT,
    );
}

#[test]
fn filter_that_is_no_single_comparison_is_refused() {
    check_paths(
        &[
            ("l[?(@.t=='x' && @.v==1)]", "error: spec.path:1:14: unexpected '&'"),
            ("l[?(@.t=~'x')]", "error: spec.path:1:8: kubectl's dialect has no regular expressions"),
            ("l[?@.t=='x']", "error: spec.path:1:3: '?@.t=='x'' is not an index, a slice or a key"),
            (
                "l[?(a)||(b)]",
                "error: spec.path:1:7: expected ']' after ')': a filter is one comparison or one path",
            ),
            ("l[?(@.t==null)]", "error: spec.path:1:10: unexpected 'null' (a name follows a dot: '.null')"),
            ("l[?(@.t='x')]", "error: spec.path:1:8: unknown operator '=', expected one of == != < <= > >="),
            ("l[?(@.t==)]", "error: spec.path:1:8: unknown operator '=', expected one of == != < <= > >="),
            ("l[?(!@.t)]", "error: spec.path:1:5: unexpected '!'"),
            ("l[?(@.t=='x)]", "error: spec.path:1:2: missing ')' of the filter"),
            ("l[?(@.t=='x'", "error: spec.path:1:2: missing ')' of the filter"),
            ("l[?(@.v==1.2.3)]", "error: spec.path:1:10: '1.2.3' is not a number"),
            (
                "l[?(@.v==1 2)]",
                "error: spec.path:1:10: unexpected literal: a filter is one comparison or one path",
            ),
        ],
        DOCUMENT,
    );
}

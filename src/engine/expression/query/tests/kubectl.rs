//! kubectl's dialect, case by case: the answers of client-go 0.36, except where it is said that ours differ.

use serde_json::{Value, json};

use super::run;
use crate::definition::Language;

fn document() -> Value {
    json!({
        "a": {"b": 1, "x": null, "é": "u"},
        "n": {"b": {"c": "nested"}, "b.c": "key"},
        "labels": {"app.kubernetes.io/name": "web", "a-b": "dash", "a:b": "colon", "x y": "blank", "": "empty", "a}b": "brace"},
        "l": [{"t": "x", "v": 1}, {"t": "y", "v": 2}, {"v": 7}],
        "li": [1, 2, 3],
        "ld": [1.5, 2.0, 1e3],
        "lb": [true, false],
        "mixed": [{"t": "x"}, {"t": null}],
        "flags": [{"f": false}, {"f": 0}, {"f": null}, {"f": ""}, {}],
        "lists": [{"in": [1, 2]}, {"in": []}, {"in": [3]}],
        "pairs": [{"p": "a", "q": "a"}, {"p": "a", "q": "b"}, {"p": "a"}],
        "quotes": [{"q": "it's"}, {"q": "say \"x\""}, {"q": "a)b"}, {"q": "tab\t"}, {"q": "é"}],
        "el": [], "em": {}, "es": "",
        "s": "text", "num": 5, "neg": -5, "t": true
    })
}

/// What a path selects, as JSON; or `error: ` and the message.
fn check(path: &str, expected: &str) {
    let text = match run(Language::Kubectl, path, &document()) {
        Ok(values) => values.iter().map(Value::to_string).collect::<Vec<_>>().join(" "),
        Err(error) => format!("error: {error}"),
    };
    assert_eq!(text, expected, "{path}");
}

/// A path that cannot be compiled: where, and why.
fn refused(path: &str, expected: &str) {
    check(path, &format!("error: spec.path{expected}"));
}

#[test]
fn path_stands_in_braces_or_bare_with_or_without_a_dot() {
    check("a.b", "1");
    check(".a.b", "1");
    check("{.a.b}", "1");
    check("{ .a.b }", "1");
    check("{$.a.b}", "1");
    check("{@.a.b}", "1");
    check("{['a'].b}", "1");
    check("{$['a']['b']}", "1");
    check("  a.b\n", "1");
    check("{.a.b}\n", "1");
    check("{.a. b}", "error: spec.path:1:6: unexpected 'b' (a name follows a dot: '.b')");
    check("{.a .b}", "1");
    check("{}", &document().to_string());
    check("{$}", &document().to_string());
    check("{@}", &document().to_string());
    check(".", &document().to_string());
}

#[test]
fn bare_path_that_begins_with_a_bracket_or_dollar_finds_the_empty_name_or_nothing() {
    check("['a'].b", "");
    check("$", "");
    check("$.a.b", "");
    check("$['a']", "");
    check("@.a", "");
    check("{.}", "");
    check("labels.", "\"empty\"");
    check("labels['']", "\"empty\"");
}

#[test]
fn name_may_hold_what_ends_no_name_and_a_backslash_takes_the_rest() {
    check("labels.app\\.kubernetes\\.io/name", "\"web\"");
    check("labels['app\\.kubernetes\\.io/name']", "\"web\"");
    check("labels['app.kubernetes.io/name']", "");
    check("labels.a-b", "\"dash\"");
    check("labels.a:b", "\"colon\"");
    check("labels.x\\ y", "\"blank\"");
    check("labels['x\\ y']", "\"blank\"");
    check("labels.a\\}b", "\"brace\"");
    check("a.é", "\"u\"");
    check("a['é']", "\"u\"");
    check("n['b.c']", "\"nested\"");
    check("n['b\\.c']", "\"key\"");
    check("n.b\\.c", "\"key\"");
    check("n.b.c", "\"nested\"");
    check("a\\b", "");
    check("a.\\*", "");
    check("a['\\*']", "");
    check("\\a.b", "1");
}

#[test]
fn missing_key_selects_nothing() {
    check("a.nope", "");
    check("s.foo", "");
    check("num.foo", "");
    check("a.x.y", "");
    check("l['0']", "");
    check("nope[0]", "");
    check("nope[*].x", "");
    check("nope.*", "");
    check("nope[?(@.x)]", "");
    check("a.x", "null");
    check("a.x[0]", "");
    check("a.x.*", "");
    check("a.x..b", "");
    check("l.t", "");
}

#[test]
fn index_outside_of_the_list_is_an_error() {
    check("li[0]", "1");
    check("li[2]", "3");
    check("li[-1]", "3");
    check("li[-3]", "1");
    check("li[01]", "2");
    check("li[]", "1");
    check("l[].t", "\"x\"");
    check("li[3]", "error: array index out of bounds: index 3, length 3");
    check("li[-4]", "error: array index out of bounds: index -1, length 3");
    check("l[5]", "error: array index out of bounds: index 5, length 3");
    check("l[5].t", "error: array index out of bounds: index 5, length 3");
    check("el[0]", "error: array index out of bounds: index 0, length 0");
    check("el[-1]", "error: array index out of bounds: index -1, length 0");
    check("li[9223372036854775807]", "error: array index out of bounds: index 9223372036854775807, length 3");
    check("a[0]", "error: a map is not a list and has no elements");
    check("s[0]", "error: a string is not a list and has no elements");
    check("s[*]", "error: a string is not a list and has no elements");
    check("a[*]", "error: a map is not a list and has no elements");
    check("num[0]", "error: a number is not a list and has no elements");
    check("t[0]", "error: a boolean is not a list and has no elements");
}

#[test]
fn slice_is_checked_against_the_list() {
    check("li[*]", "1 2 3");
    check("li[:]", "1 2 3");
    check("li[::]", "1 2 3");
    check("li[-1:]", "3");
    check("li[0:2]", "1 2");
    check("li[:2]", "1 2");
    check("li[1:]", "2 3");
    check("li[0:-1]", "1 2");
    check("li[::2]", "1 3");
    check("li[1:3:5]", "2");
    check("li[2:2]", "");
    check("li[5:5]", "");
    check("li[0:0]", "");
    check("el[*]", "");
    check("el[:]", "");
    check("li[0:9]", "error: array index out of bounds: index 8, length 3");
    check("li[-9:]", "error: array index out of bounds: index -6, length 3");
    check("li[3:]", "");
    check("li[4:]", "error: array index out of bounds: index 4, length 3");
    check("li[2:1]", "error: starting index 2 is greater than ending index 1");
    check("li[::-1]", "error: step must be > 0");
    check("li[::0]", "error: step must be > 0");
    check("el[::-1]", "");
    check("el[1:]", "error: array index out of bounds: index 1, length 0");
}

#[test]
fn empty_list_ends_the_step_for_all_lists_behind_it() {
    check("lists[*].in[*]", "1 2");
    check("lists[0,2].in[*]", "1 2 3");
    check("lists[*].in[:1]", "error: array index out of bounds: index 0, length 0");
}

#[test]
fn union_goes_selector_by_selector() {
    check("li[0,2]", "1 3");
    check("li[2, 0]", "3 1");
    check("li[0,0]", "1 1");
    check("li[0,1:3]", "1 2 3");
    check("a['b','x']", "1 null");
    check("a['b', 'nope']", "1");
    check("l[*]['t','v']", "\"x\" \"y\" 1 2 7");
    check("l[0]['t','v']", "\"x\" 1");
    check("n['b','b\\.c']", "{\"c\":\"nested\"} \"key\"");
    check("n['b.c','b\\.c']", "\"nested\" \"key\"");
    check("l[0,5]", "error: array index out of bounds: index 5, length 3");
    check("l[0,?(@.t)].v", "1 1 2");
    refused("l[?(@.t),0].v", ":1:9: expected ']' after ')': a filter is one comparison or one path");
    refused("li[0,]x", ":1:7: unexpected 'x' (a name follows a dot: '.x')");
    check("li[0,]", "1 1");
    check("l['t,v']", "error: spec.path:1:3: ''t' is not an index, a slice or a key");
}

#[test]
fn wildcard_takes_members_by_name_and_elements() {
    check("a.*", "1 null \"u\"");
    check("li.*", "1 2 3");
    check("l.*.t", "\"x\" \"y\"");
    check("em.*", "");
    check("el.*", "");
    check("num.*", "");
    check("a.x.*", "");
    check("a['*']", "1 null \"u\"");
    // Go gives the bytes of the string.
    check("s.*", "error: '.*' needs a map or a list, and this is a string");
    check("li[?(@.a.*)]", "");
    check("l[?(@.t.*)]", "error: '.*' needs a map or a list, and this is a string");
}

#[test]
fn descent_visits_what_is_not_empty() {
    check("..b", "1 {\"c\":\"nested\"}");
    check("{..b}", "1 {\"c\":\"nested\"}");
    check("..c", "\"nested\"");
    check("n..c", "\"nested\"");
    check("l..t", "\"x\" \"y\"");
    check(
        "l..",
        "[{\"t\":\"x\",\"v\":1},{\"t\":\"y\",\"v\":2},{\"v\":7}] {\"t\":\"x\",\"v\":1} \"x\" {\"t\":\"y\",\"v\":2} \"y\" {\"v\":7}",
    );
    check("el..", "");
    check("em..", "");
    check("es..", "");
    check("s..", "\"text\"");
    check("num..", "");
    check("..['t']", "true \"x\" \"y\" \"x\" null");
    check("li..[0]", "1");
    check("l..[0]", "error: a map is not a list and has no elements");
    refused("....a", ":1:3: unexpected '..' after '..'");
    refused("..*", ":1:3: unexpected '*'");
    refused("a..*", ":1:4: unexpected '*'");
}

#[test]
fn filter_compares_values_of_one_kind() {
    check("l[?(@.t=='x')].v", "1");
    check("l[?(@.t==\"x\")].v", "1");
    check("l[?($.t=='x')].v", "1");
    check("l[?( @.t == 'x' )].v", "1");
    check("l[?(.t=='x')].v", "1");
    check("l[?('x'==@.t)].v", "1");
    check("l[?(@.t!='x')].v", "2");
    check("l[?(@.t<'y')].v", "1");
    check("l[?(@.t>='x')].v", "1 2");
    check("l[?(@.v>1)].v", "2 7");
    check("l[?(@.v>=2)].v", "2 7");
    check("l[?(@.v<2)].v", "1");
    check("l[?(@.v<=+2)].v", "1 2");
    check("l[?(@.v!=-1)].v", "1 2 7");
    check("li[?(@>1)]", "2 3");
    check("li[?(@==2)]", "2");
    check("ld[?(@>1.5)]", "2.0 1000.0");
    check("ld[?(@==2.0)]", "2.0");
    check("ld[?(@==2.)]", "2.0");
    check("lb[?(@==true)]", "true");
    check("lb[?(@!=true)]", "false");
    check("pairs[?(@.p==@.q)].q", "\"a\"");
    check("pairs[?(@.q==@.p)].q", "\"a\"");
    check("l[?(@.nope=='x')]", "");
    check("l[?(@.v==1)].t", "\"x\"");
    check("el[?(@.v==1.5)]", "");
}

#[test]
fn filter_over_other_kinds_fails_the_query() {
    let kind = "error: invalid type for comparison: only booleans, numbers and strings are compared";
    check("mixed[?(@.t=='x')].t", kind);
    check("l[?(@.v>=1.0)].v", "error: incompatible types for comparison");
    check("li[?(@==2.5)]", "error: incompatible types for comparison");
    check("l[?(@.t>1)]", "error: incompatible types for comparison");
    check("l[?(@.t==true)]", "error: incompatible types for comparison");
    check("lb[?(@>true)]", "error: invalid type for comparison: booleans have no order");
    check("l[?(@=='x')]", kind);
    check("lists[?(@.in==1)]", kind);
    check("labels[?(@.x=='y')]", "error: a map is not a list and cannot be filtered");
    check("s[?(@.x=='y')]", "error: a string is not a list and cannot be filtered");
    check("num[?(@)]", "error: a number is not a list and cannot be filtered");
    check("a.x[?(@.x)]", "error: null is not a list and cannot be filtered");
    let several = "error: a comparison needs one value on either side, and there are several";
    check("lists[?(@.in[*]==1)]", several);
    check("l[?(@.v==@.*)]", several);
}

#[test]
fn existence_is_true_of_null_false_and_zero() {
    check("l[?(@.t)].v", "1 2");
    check("mixed[?(@.t)].t", "\"x\" null");
    check("flags[?(@.f)].f", "false 0 null \"\"");
    check("li[?(@)]", "1 2 3");
    check("li[?()]", "1 2 3");
    check("li[?('x')]", "1 2 3");
    check("lists[?(@.in[0])].in", "[1,2] [] [3]");
    check("l[?(@.t[0])].v", "1 2");
    check("l[?(@.v.*)].v", "");
}

#[test]
fn literal_has_the_escapes_of_go() {
    check("quotes[?(@.q=='it\\'s')].q", "\"it's\"");
    check("quotes[?(@.q==\"it's\")].q", "\"it's\"");
    check("quotes[?(@.q==\"say \\\"x\\\"\")].q", "\"say \\\"x\\\"\"");
    check("quotes[?(@.q=='say \"x\"')].q", "\"say \\\"x\\\"\"");
    check("quotes[?(@.q=='a)b')].q", "\"a)b\"");
    check("quotes[?(@.q=='tab\\t')].q", "\"tab\\t\"");
    check("quotes[?(@.q=='\\u00e9')].q", "\"é\"");
    check("quotes[?(@.q=='\\xc3\\xa9')].q", "\"é\"");
    check("quotes[?(@.q=='\\303\\251')].q", "\"é\"");
    check("quotes[?(@.q=='\\U000000e9')].q", "\"é\"");
    refused("quotes[?(@.q=='\\q')]", ":1:16: invalid escape in a string");
    refused("quotes[?(@.q=='\\xff')]", ":1:15: the string is not UTF-8");
    refused("quotes[?(@.q=='\\ud800')]", ":1:16: invalid escape in a string");
}

#[test]
fn text_that_is_no_single_path_is_refused_with_its_place() {
    refused("", ": the path is empty");
    refused(" \n", ": the path is empty");
    refused("a.b}{.s", ":1:4: unexpected '}'");
    refused("{.a}{.s}", ":1:5: only one {…} block is possible here");
    refused("{.a} and {.s}", ":1:5: text outside of {…} is not possible here");
    refused("name: {.a}", ":1:7: unexpected '{'");
    refused("{range .l[*]}", ":1:2: 'range' is not possible here");
    refused("{range .l[*]}{.t}{end}", ":1:2: 'range' is not possible here");
    refused("{end}", ":1:2: 'end' is not possible here");
    refused("{a.b}", ":1:2: unexpected 'a' (a name follows a dot: '.a')");
    refused("$a.b", ":1:2: unexpected 'a' (a name follows a dot: '.a')");
    refused("{.a", ":1:4: missing '}' at the end");
    refused("a[0", ":1:2: missing ']'");
    refused("a]", ":1:2: unexpected ']'");
    refused("a[\"b\"]", ":1:3: '\"b\"' is not an index, a slice or a key; keys are in single quotes");
    refused("a[b]", ":1:3: 'b' is not an index, a slice or a key");
    refused("a[+1]", ":1:3: '+1' is not an index, a slice or a key");
    refused("a[1:2:3:4]", ":1:3: '1:2:3:4' is not an index, a slice or a key");
    refused("a[-]", ":1:3: '-' is not an index, a slice or a key");
    refused("a[99999999999999999999]", ":1:3: '99999999999999999999' is not an index, a slice or a key");
    refused("labels['x y']", ":1:11: unexpected 'y' (a name follows a dot: '.y')");
    refused("labels['a}b']", ":1:10: unexpected '}'");
    refused("a 'x'", ":1:3: a literal stands only in a comparison");
    refused("{'x'}", ":1:2: a literal stands only in a comparison");
    refused("{1}", ":1:2: a literal stands only in a comparison");
    refused("a\\", ":1:3: a backslash must stand before a character");
    refused("a['b\\']", ":1:6: a backslash must stand before a character");
    refused("{.a\\}", ":1:6: missing '}' at the end");
    refused("a\nb", ":1:2: unexpected line break");
    refused(&"a".repeat(5000), ": the path is longer than 4096 bytes");
}

#[test]
fn filter_that_is_no_single_comparison_is_refused() {
    refused("l[?(@.t=='x' && @.v==1)]", ":1:14: unexpected '&'");
    refused("l[?(@.t=~'x')]", ":1:8: kubectl's dialect has no regular expressions");
    refused("l[?@.t=='x']", ":1:3: '?@.t=='x'' is not an index, a slice or a key");
    refused("l[?(a)||(b)]", ":1:7: expected ']' after ')': a filter is one comparison or one path");
    refused("l[?(@.t==null)]", ":1:10: unexpected 'null' (a name follows a dot: '.null')");
    refused("l[?(@.t='x')]", ":1:8: unknown operator '=', expected one of == != < <= > >=");
    refused("l[?(@.t==)]", ":1:8: unknown operator '=', expected one of == != < <= > >=");
    refused("l[?(!@.t)]", ":1:5: unexpected '!'");
    refused("l[?(@.t=='x)]", ":1:2: missing ')' of the filter");
    refused("l[?(@.t=='x'", ":1:2: missing ')' of the filter");
    refused("l[?(@.v==1.2.3)]", ":1:10: '1.2.3' is not a number");
    refused("l[?(@.v==1 2)]", ":1:10: unexpected literal: a filter is one comparison or one path");
}

//! RFC 9535: what the published suite leaves out.

use serde_json::{Value, json};

use super::run;
use crate::definition::Language;

fn check(path: &str, document: &Value, expected: &str) {
    let text = match run(Language::Rfc9535, path, document) {
        Ok(values) => values.iter().map(Value::to_string).collect::<Vec<_>>().join(" "),
        Err(error) => format!("error: {error}"),
    };
    assert_eq!(text, expected, "{path}");
}

fn refused(path: &str, expected: &str) {
    check(path, &Value::Null, &format!("error: spec.path{expected}"));
}

#[test]
fn members_come_by_name() {
    let document = json!({"z": 1, "a": {"y": 2, "b": 3}});
    check("$.*", &document, r#"{"b":3,"y":2} 1"#);
    check("$..*", &document, r#"{"b":3,"y":2} 1 3 2"#);
    check("$..['y','b']", &document, "2 3");
}

#[test]
fn numbers_are_compared_by_value() {
    let document =
        json!([9007199254740993_i64, 9007199254740992_i64, 1, 1.0, 1.5, -1, 18446744073709551615_u64]);
    check("$[?@==1]", &document, "1 1.0");
    check("$[?@==1.0]", &document, "1 1.0");
    check("$[?@<1.25]", &document, "1 1.0 -1");
    check("$[?@==$[0]]", &document, "9007199254740993");
    check("$[?@==9007199254740.992e3]", &document, "9007199254740992");
    check("$[?@>9007199254740.992e3]", &document, "9007199254740993 18446744073709551615");
    check("$[?@<-0.5]", &document, "-1");
    check("$[?@<1e300]", &json!([1, -1]), "1 -1");
    check("$[?@>-1e300]", &json!([1, -1]), "1 -1");
}

#[test]
fn equality_is_deep_and_blind_to_the_order_of_members() {
    let document = json!({
        "wanted": {"a": [1, {"b": null}], "c": "x"},
        "list": [{"c": "x", "a": [1.0, {"b": null}]}, {"a": [1, {"b": 0}], "c": "x"}, {"c": "x"}, [1], null]
    });
    check("$.list[?@==$.wanted].a[0]", &document, "1.0");
    check("$.list[?@!=$.wanted].a[0]", &document, "1");
    check("$.list[?@<=$.wanted].a[0]", &document, "1.0");
    check("$.list[?@<$.wanted]", &document, "");
    check(
        "$.list[?@.nope==$.nope]",
        &document,
        &run(Language::Rfc9535, "$.list[*]", &document)
            .unwrap()
            .iter()
            .map(Value::to_string)
            .collect::<Vec<_>>()
            .join(" "),
    );
    check("$.list[?@.c!=$.nope].c", &document, r#""x" "x" "x""#);
}

#[test]
fn regular_expression_may_stand_in_the_object() {
    let document = json!({"re": "a.c", "bad": "(", "not": 1, "list": ["abc", "xabcx", "a\nc", 5]});
    check("$.list[?match(@, $.re)]", &document, r#""abc""#);
    check("$.list[?search(@, $.re)]", &document, r#""abc" "xabcx""#);
    check("$.list[?match(@, value($..re))]", &document, r#""abc""#);
    check("$.list[?match(@, $.bad)]", &document, "");
    check("$.list[?match(@, $.not)]", &document, "");
    check("$.list[?match(@, $.nope)]", &document, "");
    check("$.list[?match(@, 1)]", &document, "");
    check(r"$.list[?match(@, '[.b-z]*|a\\.c|[a.c]+')]", &document, "");
    check("$.list[?search(@, '(?i)B')]", &document, r#""abc" "xabcx""#);
}

#[test]
fn syntax_error_has_its_place() {
    refused("", ":1:1: a path of RFC 9535 begins with '$'");
    refused("status.phase", ":1:1: a path of RFC 9535 begins with '$'");
    refused("{$.a}", ":1:1: a path of RFC 9535 begins with '$'");
    refused("$.", ":1:3: unexpected end of the path");
    refused("$.a.", ":1:5: unexpected end of the path");
    refused("$.a ", ":1:4: unexpected ' '");
    refused("$.a]", ":1:4: unexpected ']'");
    refused("$.a[0", ":1:4: missing ']'");
    refused("$.a['b", ":1:5: unterminated string");
    refused("$.a[?(@.b]", ":1:10: unexpected ']'");
    refused("$.a b", ":1:5: unexpected 'b'");
    refused("$.é é", ":1:5: unexpected 'é'");
    refused("$\n.a\n  .b c", ":3:6: unexpected 'c'");
    refused("$. a", ":1:3: unexpected ' '");
    refused("$.. a", ":1:4: unexpected ' '");
    refused("$[?@. a==1]", ":1:6: unexpected ' '");
    refused(
        "$[?@.a==10000000000000000]",
        ":1:9: integers end at 2^53: in a filter, larger numbers are written with an exponent, such as 1e16",
    );
    refused("$.a-b", ":1:4: unexpected '-'");
    refused("$[01]", ":1:3: unexpected '0'");
    refused("$.a[b]", ":1:5: unexpected 'b'");
    refused("$.a[?@.b=1]", ":1:9: unexpected '='");
    refused("$.a[?@.b==c]", ":1:11: unexpected 'c'");
    refused(&format!("$.{}", "a".repeat(4096)), ": the path is longer than 4096 bytes");
}

#[test]
fn function_is_checked_against_its_types() {
    refused("$[?length(@)]", ":1:4: length(…) gives a value, which must be compared with something");
    refused("$[?count(@.*)]", ":1:4: count(…) gives a value, which must be compared with something");
    refused("$[?length(@.*)>1]", ":1:4: length(…) needs one value, and this path may select several");
    refused("$[?length(@.a||@.b)>1]", ":1:14: unexpected '|'");
    refused("$[?count(1)>1]", ":1:4: count(…) needs a path");
    for argument in ["-1.5", "'a'", "\"a\"", " true ", "false", "null", "!@.a", "(@.a)"] {
        refused(&format!("$[?count(@.a)>1 && count({argument})>1]"), ":1:20: count(…) needs a path");
    }
    refused("$[?count(length(@))>1]", ":1:4: count(…) needs a path");
    refused("$[?value(1)==1]", ":1:4: value(…) needs a path");
    refused("$[?match(@.*,'a')]", ":1:4: match(…) needs one value, and this path may select several");
    refused(
        "$[?match(@.a,search(@.a,'a'))]",
        ":1:14: search(…) is true or false and cannot be used as a value",
    );
    refused(
        "$[?@.a=='match(' && search(@.*,'a')]",
        ":1:21: search(…) needs one value, and this path may select several",
    );
    refused("$[?match(@.a,'(')]", ":1:4: invalid regular expression: unclosed group");
    refused("$[?match(@.a,'a{1000}{1000}{1000}')]", ":1:4: the regular expression is too large");
    refused(
        "$[?size(@.a)>1]",
        ":1:4: unknown function 'size', expected one of length, count, match, search, value",
    );
    refused(
        "$[?@.a && lenght(@.a)>1]",
        ":1:11: unknown function 'lenght', expected one of length, count, match, search, value",
    );
    refused("$.size(1)", ":1:7: unexpected '('");
    refused(
        "$[?in(@.a,$.b)]",
        ":1:4: unknown function 'in', expected one of length, count, match, search, value",
    );
    refused(
        "$[?nin(@.a,$.b)]",
        ":1:4: unknown function 'nin', expected one of length, count, match, search, value",
    );
}

//! Label selectors: what labels.Parse accepts and refuses.

use std::collections::BTreeSet;

use celemetry_engine::definition::{LabelOperator, LabelRequirement};
use proptest::prelude::*;

use crate::controller::{parse_label_selector, print_label_selector};

/// A selector, and how it is printed once it is read.
fn reads(text: &str, printed: &str) {
    match parse_label_selector(text) {
        Ok(requirements) => assert_eq!(print_label_selector(&requirements), printed, "{text}"),
        Err(error) => panic!("{text}: {error}"),
    }
}

/// A text that is no selector, and the error with its position.
fn refuses(text: &str, expected: &str) {
    let error = parse_label_selector(text).expect_err(text);
    assert_eq!(format!("{}:{}: {}", error.line, error.column, error.message), expected, "{text}");
}

#[test]
fn equality() {
    reads("a=b", "a=b");
    reads("a==b", "a=b");
    reads("a!=b", "a!=b");
    reads(" a = b ", "a=b");
    reads("a\t==\nb\r", "a=b");
    reads("a=", "a=");
    reads("a==", "a=");
    reads("a!=", "a!=");
    reads("a=,b=", "a=,b=");
    reads("a=b,a!=c", "a=b,a!=c");
    reads("a=in", "a=in");
    reads("in=notin", "in=notin");
    reads("a=1.2-3_4", "a=1.2-3_4");
    reads("app.kubernetes.io/name=x", "app.kubernetes.io/name=x");
}

#[test]
fn sets() {
    reads("a in (x)", "a=x");
    reads("a in (x,y)", "a in (x,y)");
    reads("a in ( y , x )", "a in (x,y)");
    reads("a in(x,y)", "a in (x,y)");
    reads("a notin (x)", "a!=x");
    reads("a notin (x,y)", "a notin (x,y)");
    reads("a in (x,x)", "a=x");
    reads("a in ()", "a=");
    reads("a notin ()", "a!=");
    reads("a in ( ),b", "a=,b");
    reads("a in (,)", "a=");
    reads("a in (,x)", "a in (,x)");
    reads("a in (x,)", "a in (,x)");
    reads("a in (x,,y)", "a in (,x,y)");
    reads("a in (,,x)", "a in (,x)");
    reads("a in (,,)", "a=");
    reads("a in (x,,)", "a in (,x)");
    reads("a in (x,,,)", "a in (,x)");
    reads("a in (in,notin)", "a in (in,notin)");
    reads("in in (in)", "in=in");
    reads("notin notin (a,b),c", "notin notin (a,b),c");
}

#[test]
fn existence_and_order() {
    reads("", "");
    reads(" \t\r\n", "");
    reads("a", "a");
    reads("!a", "!a");
    reads("! a", "!a");
    reads("in", "in");
    reads("!notin", "!notin");
    reads("a,!b,c=d", "a,!b,c=d");
    reads("a>5", "a>5");
    reads("a<5", "a<5");
    reads("a > 007", "a>7");
    reads("a>9223372036854775807", "a>9223372036854775807");
}

#[test]
fn grammar_errors() {
    refuses(",", "1:1: found ',', expected a label key or '!'");
    refuses("a,", "1:3: found the end, expected a label key or '!'");
    refuses("a,,b", "1:3: found ',', expected a label key or '!'");
    refuses("=b", "1:1: found '=', expected a label key or '!'");
    refuses("(a)", "1:1: found '(', expected a label key or '!'");
    refuses("!", "1:2: found the end, expected a label key");
    refuses("!!a", "1:2: found '!', expected a label key");
    refuses("!a=b", "1:3: found '=', expected ',' or the end");
    refuses("!a in (b)", "1:4: found 'in', expected ',' or the end");
    refuses("a b", "1:3: found 'b', expected an operator (in, notin, =, ==, !=, >, <)");
    refuses("a IN (b)", "1:3: found 'IN', expected an operator (in, notin, =, ==, !=, >, <)");
    refuses("a!b", "1:2: found '!', expected an operator (in, notin, =, ==, !=, >, <)");
    refuses("a=b c", "1:5: found 'c', expected ',' or the end");
    refuses("a===b", "1:4: found '=', expected a value");
    refuses("a=!b", "1:3: found '!', expected a value");
    refuses("a=(b)", "1:3: found '(', expected a value");
    refuses("a>=5", "1:3: found '=', expected a value");
    refuses("a in", "1:5: found the end, expected '('");
    refuses("a in b", "1:6: found 'b', expected '('");
    refuses("a in (", "1:7: found the end, expected a value, ',' or ')'");
    refuses("a in (b", "1:8: found the end, expected ',' or ')'");
    refuses("a in (b c)", "1:9: found 'c', expected ',' or ')'");
    refuses("a in (b,", "1:9: found the end, expected a value, ',' or ')'");
    refuses("a in (b,!c)", "1:9: found '!', expected a value, ',' or ')'");
    refuses("a in (b))", "1:9: found ')', expected ',' or the end");
    refuses("a,\nb c", "2:3: found 'c', expected an operator (in, notin, =, ==, !=, >, <)");
}

#[test]
fn keys_and_values_are_checked() {
    const NAME: &str =
        "the name must be 1 to 63 letters, digits, '-', '_' and '.', with a letter or digit at both ends";
    const PREFIX: &str = "the part before '/' must be a DNS name of at most 253 characters";
    const VALUE: &str =
        "must be at most 63 letters, digits, '-', '_' and '.', with a letter or digit at both ends";
    const INTEGER: &str = "'>' and '<' need an integer of at most 64 bits";
    refuses("-a", &format!("1:1: label key '-a': {NAME}"));
    refuses("a.", &format!("1:1: label key 'a.': {NAME}"));
    refuses("x,ä=b", &format!("1:3: label key 'ä': {NAME}"));
    refuses("a/", &format!("1:1: label key 'a/': {NAME}"));
    refuses("a/b/c", &format!("1:1: label key 'a/b/c': {NAME}"));
    refuses("/a", &format!("1:1: label key '/a': {PREFIX}"));
    refuses("A.b/c", &format!("1:1: label key 'A.b/c': {PREFIX}"));
    refuses("a..b/c", &format!("1:1: label key 'a..b/c': {PREFIX}"));
    refuses("a=-b", &format!("1:3: label value '-b' {VALUE}"));
    refuses("a=b/c", &format!("1:3: label value 'b/c' {VALUE}"));
    refuses("a in (b, c:d)", &format!("1:10: label value 'c:d' {VALUE}"));
    refuses("a=\"b\"", &format!("1:3: label value '\"b\"' {VALUE}"));
    refuses("a>b", &format!("1:3: {INTEGER}"));
    refuses("a>", &format!("1:3: {INTEGER}"));
    refuses("a<1.5", &format!("1:3: {INTEGER}"));
    refuses("a>9223372036854775808", &format!("1:3: {INTEGER}"));
    refuses("a>-5", &format!("1:3: label value '-5' {VALUE}"));
    let (long, longer) = ("x".repeat(63), "x".repeat(64));
    reads(&format!("{long}={long}"), &format!("{long}={long}"));
    refuses(&longer, &format!("1:1: label key '{longer}': {NAME}"));
    refuses(&format!("a={longer}"), &format!("1:3: label value '{longer}' {VALUE}"));
}

fn key() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z]{1,3}",
        "[A-Za-z0-9]([A-Za-z0-9_.-]{0,10}[A-Za-z0-9])?",
        "[a-z]{1,4}(\\.[a-z0-9]{1,4}){0,2}/[a-z]{1,3}",
        Just("in".to_owned()),
        Just("notin".to_owned())
    ]
}

fn values() -> impl Strategy<Value = BTreeSet<String>> {
    let value =
        prop_oneof![Just(String::new()), "[a-z]{1,2}", "[A-Za-z0-9]([A-Za-z0-9_.-]{0,10}[A-Za-z0-9])?"];
    proptest::collection::btree_set(value, 1..5)
}

fn requirement() -> impl Strategy<Value = LabelRequirement> {
    let operator = prop_oneof![
        values().prop_map(LabelOperator::In),
        values().prop_map(LabelOperator::NotIn),
        Just(LabelOperator::Exists),
        Just(LabelOperator::DoesNotExist),
        (0..=i64::MAX).prop_map(LabelOperator::GreaterThan),
        (0..=i64::MAX).prop_map(LabelOperator::LessThan),
    ];
    (key(), operator).prop_map(|(key, operator)| LabelRequirement { key, operator })
}

proptest! {
    #[test]
    fn what_is_printed_is_read_back(requirements in proptest::collection::vec(requirement(), 0..5)) {
        let printed = print_label_selector(&requirements);
        prop_assert_eq!(parse_label_selector(&printed).expect(&printed), requirements);
    }

    #[test]
    fn any_text_ends_in_requirements_or_a_position(text in "[ab!=<>(), \n\u{e9}]{0,12}|(a|in|notin|,|=|!|\\(|\\)| ){0,12}") {
        match parse_label_selector(&text) {
            Ok(requirements) => {
                let again = parse_label_selector(&print_label_selector(&requirements)).expect(&text);
                prop_assert_eq!(again, requirements);
            }
            Err(error) => {
                let line = text.split('\n').nth(error.line as usize - 1).expect("a line of the text");
                prop_assert!(error.column as usize <= line.chars().count() + 1);
            }
        }
    }
}

//! What holds for any path over any object.

use std::sync::Arc;

use jsonpath_rust::JsonPath;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::{Query, compile};
use super::{BUDGET, formula, prepare, run, value};
use crate::definition::Language;
use crate::expression::Demand;
use crate::row::{Decoder, Defaults, FieldId, FieldPlan, HashSeed, Kind};

fn document() -> BoxedStrategy<Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-2..4_i64).prop_map(Value::from),
        prop_oneof![Just(1.5), Just(1.0)].prop_map(Value::from),
        "[ab]{0,2}".prop_map(Value::from),
    ]
    .boxed();
    let tree = leaf.prop_recursive(4, 40, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[abcd]", inner, 0..4).prop_map(|map| map.into_iter().collect()),
        ]
        .boxed()
    });
    prop::collection::btree_map("[abcd]", tree, 1..4).prop_map(|map| map.into_iter().collect()).boxed()
}

fn name() -> BoxedStrategy<String> {
    "[abcd]".boxed()
}

/// A singular query, without its anchor.
fn singular() -> BoxedStrategy<String> {
    let step = prop_oneof![3 => name().prop_map(|name| format!(".{name}")), 1 => (-2..3).prop_map(|n| format!("[{n}]"))];
    prop::collection::vec(step, 0..3).prop_map(|steps| steps.concat()).boxed()
}

fn condition() -> BoxedStrategy<String> {
    let path = (prop_oneof![5 => Just("@"), 1 => Just("$")], singular())
        .prop_map(|(anchor, path)| format!("{anchor}{path}"))
        .boxed();
    let literal =
        prop_oneof![Just("1"), Just("'a'"), Just("null"), Just("true"), Just("1.5")].prop_map(str::to_string);
    let operand = prop_oneof![
        3 => path.clone(),
        2 => literal,
        1 => path.clone().prop_map(|path| format!("length({path})")),
        1 => path.clone().prop_map(|path| format!("count({path}[*])")),
        1 => path.clone().prop_map(|path| format!("value({path}..a)")),
    ]
    .boxed();
    let operator = prop_oneof![Just("=="), Just("!="), Just("<"), Just("<="), Just(">"), Just(">=")];
    let simple = prop_oneof![
        4 => (operand.clone(), operator, operand).prop_map(|(a, op, b)| format!("{a}{op}{b}")),
        1 => path.clone(),
        1 => path.clone().prop_map(|path| format!("!{path}")),
        1 => path.clone().prop_map(|path| format!("{path}[*].a")),
        1 => path.prop_map(|path| format!("match({path},'a.?')")),
    ]
    .boxed();
    (simple.clone(), prop_oneof![2 => Just(""), 1 => Just("&&"), 1 => Just("||")], simple)
        .prop_map(|(a, op, b)| if op.is_empty() { a } else { format!("{a}{op}{b}") })
        .boxed()
}

/// A selector of RFC 9535 as it stands in brackets.
fn selector() -> BoxedStrategy<String> {
    let bound = prop_oneof![Just(String::new()), (-3..4).prop_map(|n: i32| n.to_string())];
    prop_oneof![
        4 => name().prop_map(|name| format!("'{name}'")),
        2 => Just("*".to_string()),
        2 => (-3..4).prop_map(|n: i32| n.to_string()),
        1 => (bound.clone(), bound.clone(), bound).prop_map(|(a, b, c)| format!("{a}:{b}:{c}")),
        2 => condition().prop_map(|condition| format!("?{condition}")),
    ]
    .boxed()
}

fn rfc9535() -> BoxedStrategy<String> {
    let step = prop_oneof![
        5 => name().prop_map(|name| format!(".{name}")),
        3 => selector().prop_map(|selector| format!("[{selector}]")),
        1 => (selector(), selector()).prop_map(|(a, b)| format!("[{a},{b}]")),
        1 => selector().prop_map(|selector| format!("..[{selector}]")),
    ];
    prop::collection::vec(step, 0..5).prop_map(|steps| format!("${}", steps.concat())).boxed()
}

fn kubectl() -> BoxedStrategy<String> {
    let operand = prop_oneof![Just("@".to_string()), singular().prop_map(|path| format!("@{path}"))];
    let literal = prop_oneof![Just("1"), Just("'a'"), Just("true"), Just("1.5")].prop_map(str::to_string);
    let operator = prop_oneof![Just("=="), Just("!="), Just("<"), Just(">=")];
    let filter = prop_oneof![
        operand.clone().prop_map(|path| format!("[?({path})]")),
        (operand.clone(), operator, prop_oneof![literal, operand])
            .prop_map(|(a, op, b)| format!("[?({a}{op}{b})]")),
    ]
    .boxed();
    let step = prop_oneof![
        6 => name().prop_map(|name| format!(".{name}")),
        2 => Just("[*]".to_string()),
        2 => Just(".*".to_string()),
        2 => (-2..3).prop_map(|n| format!("[{n}]")),
        1 => (-2..3, -2..3).prop_map(|(a, b)| format!("[{a}:{b}]")),
        1 => (name(), name()).prop_map(|(a, b)| format!("['{a}','{b}']")),
        1 => (name(), name()).prop_map(|(a, b)| format!("['{a}','{b}.c',0]")),
        1 => name().prop_map(|name| format!("..{name}")),
        2 => filter,
    ];
    prop::collection::vec(step, 0..5).prop_map(|steps| format!("{{{}}}", steps.concat())).boxed()
}

fn path() -> BoxedStrategy<(Language, String)> {
    prop_oneof![
        rfc9535().prop_map(|text| (Language::Rfc9535, text)),
        kubectl().prop_map(|text| (Language::Kubectl, text)),
    ]
    .boxed()
}

/// What a path gives, or its error, and what it cost.
fn outcome(query: &Query, row: &crate::row::Row) -> (Result<Vec<Value>, String>, u64) {
    let mut budget = BUDGET;
    let nodes = query.evaluate(row, &mut budget).map_err(|error| error.to_string());
    (nodes.map(|nodes| nodes.into_iter().map(value).collect()), BUDGET.steps - budget.steps)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn projected_row_answers_as_the_whole_object((language, text) in path(), document in document()) {
        let (query, projected) = prepare(language, &text, &document, false).unwrap();
        let (same, whole) = prepare(language, &text, &document, true).unwrap();
        prop_assert_eq!(outcome(&query, &projected), outcome(&same, &whole));
    }

    #[test]
    fn paths_that_share_a_field_plan_do_not_disturb_each_other(
        paths in prop::collection::vec(path(), 1..5), document in document(),
    ) {
        let mut plan = FieldPlan::new(HashSeed(1, 2));
        let mut fields = plan.record();
        let queries: Vec<Query> = paths
            .iter()
            .map(|(language, text)| compile(&formula(*language, text), Demand::Whole, &mut fields).unwrap())
            .collect();
        fields.finish();
        let object = serde_json::to_vec(&document).unwrap();
        let row = Decoder::new(Arc::new(plan)).decode(&object, Defaults::default()).unwrap();
        for (query, (language, text)) in queries.iter().zip(&paths) {
            prop_assert_eq!(outcome(query, &row).0, run(*language, text, &document), "{}", text);
        }
    }

    #[test]
    fn path_without_filter_selects_what_the_parser_s_own_evaluation_selects(
        steps in prop::collection::vec(prop_oneof![
            5 => name().prop_map(|name| format!(".{name}")),
            1 => Just("[*]".to_string()),
            1 => (-3..4).prop_map(|n| format!("[{n}]")),
            1 => (-3..4, -3..4, -2..3).prop_map(|(a, b, c)| format!("[{a}:{b}:{c}]")),
            1 => name().prop_map(|name| format!("..{name}")),
        ], 0..5),
        document in document(),
    ) {
        let text = format!("${}", steps.concat());
        let theirs: Vec<Value> = document.query(&text).unwrap().into_iter().cloned().collect();
        prop_assert_eq!(run(Language::Rfc9535, &text, &document), Ok(theirs), "{}", text);
    }

    #[test]
    fn comparison_holds_where_the_parser_s_own_evaluation_says_so(
        left in singular(), operator in prop_oneof![Just("=="), Just("!="), Just("<"), Just(">=")],
        right in prop_oneof![Just("1"), Just("'a'"), Just("true"), Just("null"), Just("1.5")],
        document in document(),
    ) {
        let text = format!("$.*[?@{left}{operator}{right}]");
        let theirs: Vec<Value> = document.query(&text).unwrap().into_iter().cloned().collect();
        prop_assert_eq!(run(Language::Rfc9535, &text, &document), Ok(theirs), "{}", text);
    }

    #[test]
    fn no_text_panics(text in "[\\[\\]().,:*?@$'\"\\\\ab1=<>!&| {}~-]{0,40}", document in document()) {
        for language in [Language::Rfc9535, Language::Kubectl] {
            for text in [text.clone(), format!("$.{text}"), format!("$[?{text}]"), format!("{{{text}}}")] {
                let _ = run(language, &text, &document);
            }
        }
    }

    #[test]
    fn elements_answer_for_later_expressions((language, text) in path(), document in document()) {
        let mut plan = FieldPlan::new(HashSeed(1, 2));
        let mut fields = plan.record();
        let query = compile(&formula(language, &text), Demand::Elements, &mut fields).unwrap();
        let later = query.elements().map(|elements| {
            let field = fields.member(elements, "a");
            fields.keep(field);
            field
        });
        fields.finish();
        let object = serde_json::to_vec(&document).unwrap();
        let row = Decoder::new(Arc::new(plan)).decode(&object, Defaults::default()).unwrap();
        let Ok(nodes) = query.evaluate(&row, &mut BUDGET.clone()) else { return Ok(()) };
        let elements: Vec<_> = match nodes.as_slice() {
            [list] if !query.is_plural() && list.kind() == Kind::List => list.items().collect(),
            [map] if !query.is_plural() => map.entries().map(|(_, member)| member).collect(),
            nodes => nodes.to_vec(),
        };
        let read = elements.iter().map(|element| match later {
            Some(field) => element.member(field, "a"),
            None => element.get("a"),
        });
        let read: Vec<Option<Value>> = read.map(|node| node.map(value)).collect();
        let whole = run(language, &text, &document).unwrap();
        let expected: Vec<Option<Value>> = match whole.as_slice() {
            [Value::Array(items)] if !query.is_plural() => items.iter().map(|item| item.get("a").cloned()).collect(),
            [Value::Object(map)] if !query.is_plural() => map.values().map(|item| item.get("a").cloned()).collect(),
            [_] if !query.is_plural() => Vec::new(),
            values => values.iter().map(|item| item.get("a").cloned()).collect(),
        };
        prop_assert_eq!(read, expected);
    }
}

#[test]
fn elements_have_one_field_where_they_lie_at_one_place() {
    let check = |language, text, expected: Option<&[&str]>, plural| {
        let mut plan = FieldPlan::new(HashSeed(1, 2));
        let mut fields = plan.record();
        let query = compile(&formula(language, text), Demand::Elements, &mut fields).unwrap();
        let wanted = expected.map(|steps| {
            steps.iter().fold(FieldId::ROOT, |field, step| match *step {
                "*" => fields.each(field),
                name => fields.member(field, name),
            })
        });
        assert_eq!((query.elements(), query.is_plural()), (wanted, plural), "{text}");
    };
    let containers: Option<&[&str]> = Some(&["spec", "containers", "*"]);
    check(Language::Rfc9535, "$.spec.containers", containers, false);
    check(Language::Rfc9535, "$.spec.containers[*]", containers, true);
    check(Language::Rfc9535, "$.spec.containers[?@.name=='a']", containers, true);
    check(Language::Rfc9535, "$.spec.containers[1:]", containers, true);
    check(Language::Rfc9535, "$.spec.containers[0]", Some(&["spec", "containers", "*", "*"]), false);
    check(Language::Rfc9535, "$.spec.containers[*].ports", Some(&["spec", "containers", "*", "ports"]), true);
    check(Language::Rfc9535, "$..ports", None, true);
    check(Language::Rfc9535, "$.spec['a','b']", None, true);
    check(Language::Kubectl, "spec.containers", containers, false);
    check(Language::Kubectl, "spec.containers[*]", containers, true);
    check(Language::Kubectl, "spec.containers[?(@.name=='a')]", containers, true);
    check(
        Language::Kubectl,
        "spec.containers[0].ports[*]",
        Some(&["spec", "containers", "*", "ports", "*"]),
        true,
    );
    check(Language::Kubectl, "..ports", None, true);
}

#[test]
fn row_of_a_path_holds_no_more_than_the_path_reads() {
    let document = json!({
        "metadata": {"name": "web", "managedFields": [{"f": {"g": 1}}]},
        "spec": {"containers": [{"name": "a", "image": "i", "env": [{"name": "x"}]}, {"name": "b", "image": "j"}]}
    });
    let kept = |language, text| {
        let (_, row) = prepare(language, text, &document, false).unwrap();
        row.nodes.len()
    };
    // The object and the document, and then what the path names.
    assert_eq!(kept(Language::Rfc9535, "$.metadata.name"), 4);
    assert_eq!(kept(Language::Kubectl, "{.metadata.name}"), 4);
    assert_eq!(kept(Language::Kubectl, "{.spec.containers[*].image}"), 8);
    assert_eq!(kept(Language::Rfc9535, "$.spec.containers[?@.name=='a'].image"), 10);
    assert_eq!(kept(Language::Kubectl, "{.spec.containers[?(@.name=='a')].image}"), 10);
}

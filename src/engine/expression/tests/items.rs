//! Elements that contribute by themselves: `item`, `index` and `key`.

use super::super::*;
use super::{formula, row, show};
use crate::row::{FieldPlan, HashSeed};

const OBJECT: &str = r#"{
    "l": [{"n": "a", "v": 1}, {"n": "b"}, 7], "m": {"y": {"n": "c"}, "x": {"n": "d"}}, "s": "text", "e": []
}"#;

/// Evaluates `each` to its elements, and `text` for every one of them; also against the whole object.
fn answers(each: &str, text: &str) -> Vec<String> {
    let mut cut = FieldPlan::new(HashSeed(1, 2));
    let mut whole = FieldPlan::whole(HashSeed(1, 2));
    let (from_row, from_object) = (run(each, text, &mut cut), run(each, text, &mut whole));
    assert_eq!(from_row, from_object, "{each}: {text}");
    from_row
}

fn run(each: &str, text: &str, plan: &mut FieldPlan) -> Vec<String> {
    let mut fields = plan.record();
    let each = Expression::compile(&formula(each), &Scope::default(), Demand::Elements, &mut fields);
    let each = each.unwrap_or_else(|error| panic!("{error}"));
    let item = each.elements().map_or(ItemScope::Computed, ItemScope::Field);
    let compiled =
        Expression::compile(&formula(text), &Scope { item: Some(item) }, Demand::Whole, &mut fields);
    let compiled = match compiled {
        Ok(compiled) => compiled,
        Err(error) => return vec![format!("compile: {error}")],
    };
    fields.finish();
    let row = row(plan, OBJECT);
    let environment = Environment { row: &row, item: None, position: None };
    let elements = match each.evaluate(&environment, &mut { Budget::EXPRESSION }) {
        Ok(Outcome::Value(value)) => value,
        other => panic!("{other:?}"),
    };
    let Some(items) = elements.items() else { return vec![format!("no items: {}", elements.type_name())] };
    let one = |(position, item)| {
        let environment = Environment { row: &row, item: Some(item), position: Some(position) };
        match compiled.evaluate(&environment, &mut { Budget::EXPRESSION }) {
            Ok(Outcome::Value(value)) => show(&value),
            Ok(Outcome::Nodes(nodes)) => format!("{nodes:?}"),
            Err(error) => format!("error: {error}"),
        }
    };
    items.into_iter().map(one).collect()
}

#[test]
fn items_are_read_field_by_field() {
    assert_eq!(answers("object.l", "item.n"), [r#""a""#, r#""b""#, "error: no such key: n"]);
    assert_eq!(answers("object.l", "has(item.v)"), ["true", "false", "false"]);
    assert_eq!(answers("object.l", "index"), ["0", "1", "2"]);
    assert_eq!(answers("object.l", "item == 7"), ["false", "false", "true"]);
    assert_eq!(answers("object.l", "item.?n.orValue('') + object.s")[0], r#""atext""#);
    assert_eq!(answers("object.l.filter(x, has(x.n))", "item.n"), [r#""a""#, r#""b""#]);
    assert_eq!(answers("[1, 2]", "item + index"), ["1", "3"]);
    assert_eq!(answers("object.e", "item.n"), [""; 0]);
}

#[test]
fn entries_of_maps_come_in_key_order() {
    assert_eq!(answers("object.m", "key + item.n"), [r#""xd""#, r#""yc""#]);
    assert_eq!(answers("{'b': 1, 'a': 2}", "item"), ["2", "1"]);
    assert_eq!(
        answers("object.m", "index")[0],
        "error: no such variable: index (the items are entries of a map: use key)"
    );
    assert_eq!(
        answers("object.l", "key")[0],
        "error: no such variable: key (the items are elements of a list: use index)"
    );
}

#[test]
fn what_has_no_elements_has_no_items() {
    assert_eq!(answers("object.s", "item"), ["no items: string"]);
    assert_eq!(answers("{1: 2}", "item"), ["no items: map"]);
    assert_eq!(
        answers("object.l", "itme.n"),
        ["compile: spec.filter:1:1: undeclared reference to 'itme' (did you mean 'item'?)"]
    );
}

#[test]
fn expressions_are_shared_between_threads() {
    fn is_shared<T: Send + Sync + Clone + 'static>() {}
    is_shared::<Expression>();
}

#[test]
fn values_stay_small() {
    assert!(size_of::<Value<'_>>() <= 32, "{} bytes", size_of::<Value<'_>>());
}

#[test]
fn static_types_are_known_where_they_can_be() {
    for (text, kind) in [
        ("object.a == 1", StaticType::Bool),
        ("object.a", StaticType::Dyn),
        ("1 + 1", StaticType::Int),
        ("object.a + 1", StaticType::Int),
        ("size(object.a)", StaticType::Int),
        ("object.?a", StaticType::Optional),
        ("object.a.map(x, x)", StaticType::List),
        ("string(object.a)", StaticType::String),
        ("timestamp(object.a) - duration('1s')", StaticType::Timestamp),
        ("object.a ? 1 : 'x'", StaticType::Dyn),
        ("object.a && object.b", StaticType::Bool),
    ] {
        let compiled = super::compile(text, &mut FieldPlan::new(HashSeed(1, 2))).expect(text);
        assert_eq!(compiled.static_type(), kind, "{text}");
    }
}

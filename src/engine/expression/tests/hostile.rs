//! Small texts that ask for much: all end in a clear error, and quickly.

use super::super::{Budget, Demand, Expression, Formula, Language, Scope};
use super::{compile, row, run_within};
use crate::row::{FieldPlan, HashSeed};

const STEPS: &str = "error: expression needs more than 10000 steps";
const BYTES: &str = "error: expression needs more than 262144 bytes";

fn run(text: &str, object: &str) -> (String, Budget) {
    let mut plan = FieldPlan::new(HashSeed(1, 2));
    let compiled = compile(text, &mut plan).unwrap_or_else(|error| panic!("{text:.60}: {error}"));
    let mut budget = Budget::EXPRESSION;
    let answer = run_within(&compiled, &row(&plan, object), &mut budget);
    (answer, budget)
}

fn numbers(count: usize) -> String {
    let numbers: Vec<String> = (0..count).map(|number| number.to_string()).collect();
    format!("[{}]", numbers.join(","))
}

#[test]
fn doubling_texts_end_at_the_byte_budget() {
    let text = format!("['aaaaaaaa']{}", ".map(x,x+x)".repeat(33));
    assert_eq!(run(&text, "{}").0, BYTES);
    let text = format!("[object.s]{}", ".map(x,x+x)".repeat(33));
    assert_eq!(run(&text, r#"{"s": "aaaaaaaa"}"#).0, BYTES);
    let text = format!("[[1]]{}", ".map(x,x+x)".repeat(33));
    assert_eq!(run(&text, "{}").0, BYTES);
    let text = format!("[b'aaaaaaaa']{}", ".map(x,x+x)".repeat(33));
    assert_eq!(run(&text, "{}").0, BYTES);
}

#[test]
fn nested_loops_end_at_the_step_budget() {
    let list = numbers(100);
    let text = format!("{list}.map(x, {list}.map(y, {list}.map(z, x + y + z)))");
    assert_eq!(run(&text, "{}").0, STEPS);
    let text = format!("{list}.all(x, {list}.all(y, {list}.all(z, true)))");
    assert_eq!(run(&text, "{}").0, STEPS);
    let text = format!("{list}.exists(x, {list}.exists(y, {list}.exists(z, object.nope)))");
    assert_eq!(run(&text, "{}").0, STEPS);
    let text = format!("{list}.exists(x, {list}.exists(y, {list}.exists(z, false))) || true");
    assert_eq!(run(&text, "{}").0, "true", "folded");
    let text = format!("{list}.exists(x, {list}.exists(y, {list}.exists(z, false))) || object.t");
    assert_eq!(run(&text, r#"{"t": true}"#).0, STEPS, "running out is not absorbed");
}

#[test]
fn shared_structures_are_compared_within_the_budget() {
    let doubled = |seed: &str| format!("[{seed}]{}", ".map(x,[x,x])".repeat(30));
    let text = format!("{} == {}", doubled("object.a"), doubled("object.b"));
    assert_eq!(run(&text, r#"{"a": 1, "b": 1}"#).0, STEPS);
}

#[test]
fn long_texts_cost_steps() {
    let long = "a".repeat(200_000);
    let object = format!(r#"{{"s": "{long}", "t": "{long}", "l": ["{long}"]}}"#);
    for text in [
        "object.s == object.t",
        "object.s < object.t",
        "object.s.contains('b')",
        "object.s.matches('b$')",
        "size(object.s) > 0",
        "object.t in object.l",
        "object.s in ['a', 'b']",
        "int(object.s) == 1",
    ] {
        assert_eq!(run(text, &object).0, STEPS, "{text}");
    }
    assert_eq!(run("object.s + object.t", &object).0, BYTES);
    assert_eq!(run("object.s.startsWith('aa')", &object).0, "true");
    assert_eq!(run("object.s == 'a'", &object).0, "false");
}

#[test]
fn long_numbers_cost_steps() {
    let long = "1".repeat(200_000);
    let object = format!(r#"{{"n": {long}, "o": {long}, "l": [{long}, 1], "m": {{"n": {long}}}}}"#);
    for text in [
        "object.n > 0",
        "object.n == object.o",
        "object['n'] > 0",
        "object.m.n > 0",
        "object.m == {'n': 1.0}",
        "object.l[0] > 0",
        "object.l.exists(x, x == 1)",
        "object.l.map(x, x) == [1]",
        "size(object.l + [1]) > 0",
        "1 in object.l",
        "object.l == [1, 1]",
    ] {
        assert_eq!(run(text, &object).0, STEPS, "{text}");
    }
    assert_eq!(run("object.l[1]", &object).0, "1", "what stands before it is not read");
    assert_eq!(run("object.m.size() + object.l.size()", &object).0, "3");
}

#[test]
fn long_numbers_cost_steps_in_json_paths_too() {
    let long = format!("1.{}", "1".repeat(200_000));
    let object =
        format!(r#"{{"n": {long}, "l": [{{"n": {long}}}, {{"n": {long}}}], "m": [[{long}], [{long}]]}}"#);
    let run = |language, text: &str| {
        let mut plan = FieldPlan::new(HashSeed(1, 2));
        let mut fields = plan.record();
        let formula = Formula { language, text: text.to_owned(), place: "spec.path".to_owned() };
        let compiled = Expression::compile(&formula, &Scope::default(), Demand::Whole, &mut fields).unwrap();
        fields.finish();
        run_within(&compiled, &row(&plan, &object), &mut { Budget::EXPRESSION })
    };
    for text in ["$.n", "$.l[?@.n > 1]", "$.m[?@ == $.m[0]]"] {
        assert_eq!(run(Language::Rfc9535, text), STEPS, "{text}");
    }
    for text in ["{.n}", "{.l[?(@.n > 1)]}"] {
        assert_eq!(run(Language::Kubectl, text), STEPS, "{text}");
    }
}

#[test]
fn functions_stay_within_the_budget() {
    let long = "ab".repeat(30_000);
    let dots = ".".repeat(30_000);
    let object = format!(r#"{{"s": "{long}", "d": "{dots}", "l": {}, "e": []}}"#, numbers(2_000));
    let mut wrong = Vec::new();
    for text in [
        "lists.range(100000000).size()",
        "lists.range(9223372036854775807).size()",
        "object.s.replace('a', object.s).size()",
        "object.s.replace('', object.s).size()",
        "object.s.split('').size()",
        "object.s.findAll('a').size()",
        "object.s.findAll('.*?z|a').size()",
        "object.l.distinct().size()",
        "sets.contains(object.l, object.l)",
        "sets.equivalent(object.l, object.l)",
        "sets.intersects(object.l.map(x, [x]), object.l.map(x, {'x': x}))",
        "object.l.map(x, string(x)).sort().size()",
        "object.l.sortBy(x, object.l.indexOf(x)).size()",
        "object.l.transformMapEntry(i, v, {-i: v}).size()",
        "object.l.map(x, object.s).join().size()",
        "object.l.map(x, object.l).flatten().size()",
        "'%s %s'.format([object.s, object.s]).size()",
        "'%x'.format([object.s]).size()",
        "object.l.map(x, '%.1000f'.format([double(x)])).size()",
        "object.l.exists(x, strings.quote(object.s) == 'x')",
        "url('https://a/?' + object.s).getQuery().size()",
        "object.l.exists(x, isURL('/' + object.s))",
        "object.l.exists(x, isSemver('1.2.3-' + object.d))",
        "object.l.exists(x, isIP(object.s))",
        "object.l.exists(x, format.dns1123Subdomain().validate(object.s).hasValue() && x == -1)",
        "object.l.exists(x, base64.decode(object.s).size() == 1)",
        "object.l.exists(x, object.s.indexOf('ba', 50000) == -1)",
        "object.l.exists(x, object.s.charAt(59999) == 'z')",
        "object.l.exists(x, object.s.lastIndexOf('z') > 0)",
        "object.l.exists(x, object.s.reverse() == 'z')",
        "object.l.exists(x, object.s.lowerAscii() == 'z')",
        "object.l.all(i, v, object.l.all(j, w, true))",
    ] {
        let answer = run(text, &object).0;
        if answer != STEPS && answer != BYTES {
            wrong.push(format!("{text}: {answer:.60}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let doubled = |seed: &str| format!("[{seed}]{}", ".map(x,[x,x])".repeat(30));
    for text in [
        format!("'%s'.format([{}])", doubled("object.e")),
        format!("{}.flatten(100).size()", doubled("object.e")),
        format!("{}.indexOf({}[0])", doubled("object.s"), doubled("object.s")),
        format!("[{0}, {0}].distinct().size()", doubled("object.s")),
        format!("sets.contains({}, {})", doubled("object.s"), doubled("object.s")),
    ] {
        let answer = run(&text, &object).0;
        assert!(answer == STEPS || answer == BYTES, "{text}: {answer}");
    }
}

#[test]
fn patterns_from_objects_are_bounded() {
    let object = format!(r#"{{"re": "(\\pL{{500}}){{2}}", "l": {}, "p": "(a|b)*c"}}"#, numbers(1000));
    assert_eq!(run("'a'.matches(object.re)", &object).0, "error: the regular expression is too large");
    assert_eq!(run("object.l.all(x, !'a'.matches(object.p))", &object).0, STEPS);
}

#[test]
fn the_same_evaluation_costs_the_same() {
    let object = r#"{"l": [1, 2, 3], "m": {"b": 1, "a": 2}, "s": "0123456789012345678901234567890"}"#;
    for text in
        ["object.l.map(x, x + 1)", "object.m.map(k, k)", "object.s + object.s", "object.m == {'a': 2}"]
    {
        let (first, second) = (run(text, object).1, run(text, object).1);
        assert_eq!((first.steps, first.bytes), (second.steps, second.bytes));
        assert!(first.steps < Budget::EXPRESSION.steps, "{text} costs something");
    }
    assert_eq!(Budget::EXPRESSION.steps - run("object.s == 'x'", object).1.steps, 1);
}

#[test]
fn deep_objects_are_compared_within_the_stack() {
    let deep = format!("{}1{}", r#"{"a":"#.repeat(120), "}".repeat(120));
    let object = format!(r#"{{"x": {deep}, "y": {deep}}}"#);
    assert_eq!(run("object.x == object.y", &object).0, "true");
}

#[test]
fn a_budget_met_exactly_is_no_failure() {
    let mut plan = FieldPlan::new(HashSeed(1, 2));
    let compiled = compile("[object.t][3] || object.t", &mut plan).unwrap();
    let row = row(&plan, r#"{"t": true}"#);
    let bytes = size_of::<super::Value<'_>>() as u64;
    let mut exact = Budget::new(100, bytes);
    assert_eq!(run_within(&compiled, &row, &mut exact), "true");
    assert_eq!(exact.bytes, 0);
    assert_eq!(run_within(&compiled, &row, &mut Budget::new(exact.spent(), bytes)), "true");
}

#[test]
fn the_message_names_the_limit_that_was_hit() {
    let mut plan = FieldPlan::new(HashSeed(1, 2));
    let compiled = compile("object.l.all(x, x >= 0)", &mut plan).unwrap();
    let row = row(&plan, &format!(r#"{{"l": {}}}"#, numbers(10_000)));
    let within = |mut budget: Budget| run_within(&compiled, &row, &mut budget);
    assert_eq!(within(Budget::EXPRESSION), STEPS);
    assert_eq!(within(Budget::EXPRESSION.at_most(10_000)), STEPS);
    let shared = "error: expression needs more than the 50 steps that its namespace has left for this event";
    assert_eq!(within(Budget::EXPRESSION.at_most(50)), shared);
}

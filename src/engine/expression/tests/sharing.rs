//! Expressions that share parts give what each gives by itself, at the same cost, and share what they should.

use proptest::prelude::*;

use super::random::{Dialect, Tape};
use super::{row, show};
use crate::definition::{Formula, Language};
use crate::expression::{
    Budget, Demand, Environment, Expression, Memo, Memory, Outcome, Scope, SharedExpressions,
};
use crate::row::{FieldPlan, HashSeed, Row};

const SEED: HashSeed = HashSeed(1, 2);

/// Expressions over one kind of object.
pub(super) struct Together {
    shared: SharedExpressions,
    plan: FieldPlan,
    memory: Memory,
}

impl Together {
    pub(super) fn new() -> Self {
        Together {
            shared: SharedExpressions::new(SEED),
            plan: FieldPlan::new(SEED),
            memory: Memory::default(),
        }
    }

    fn add(&mut self, formula: &Formula) -> Option<Expression> {
        let mut fields = self.plan.record();
        let compiled = self.shared.compile(formula, &Scope::default(), Demand::Whole, &mut fields).ok()?;
        fields.finish();
        Some(compiled)
    }

    /// How many parts are evaluated for an object that all of these expressions are evaluated on.
    pub(super) fn remembered(&mut self, texts: &[&str], object: &str) -> usize {
        let compile = |text: &&str| self.add(&formula(text)).expect("it compiles");
        let expressions: Vec<_> = texts.iter().map(compile).collect();
        let row = row(&self.plan, object);
        let memo = self.memory.take();
        for (expression, text) in expressions.iter().zip(texts) {
            let budget = Budget::EXPRESSION;
            let found = evaluate(expression, &row, Some(&memo), budget);
            assert_eq!(found, evaluate(expression, &row, None, budget), "{text}");
        }
        memo.len()
    }
}

/// A JSONPath begins with a dollar sign.
fn formula(text: &str) -> Formula {
    let language = if text.starts_with('$') { Language::Rfc9535 } else { Language::Cel };
    Formula { language, text: text.to_owned(), place: "spec.filter".to_owned() }
}

/// What an expression gives, and what it leaves of the budget.
fn evaluate<'r>(
    expression: &'r Expression,
    row: &'r Row,
    memo: Option<&Memo<'r>>,
    mut budget: Budget,
) -> (String, [u64; 2]) {
    let environment = Environment { row, item: None, position: None };
    let outcome = match expression.evaluate_with(&environment, memo, &mut budget) {
        Ok(Outcome::Value(value)) => show(&value),
        Ok(Outcome::Nodes(nodes)) => nodes.as_slice().iter().fold(String::new(), |text, node| {
            format!("{text} {}", show(&crate::expression::Value::from_node(*node)))
        }),
        Err(error) => format!("error: {error}"),
    };
    (outcome, [budget.steps, budget.bytes])
}

const OBJECT: &str = r#"{"a": 1, "s": "xyz", "t": "abc", "l": [1, 2, 3], "m": {"x": 1}}"#;

#[test]
fn equal_parts_are_evaluated_once_for_an_event() {
    for (texts, expected) in [
        // A loop, whatever its variable is called, behind conditions that differ.
        (
            &["object.a == 1 && object.l.exists(v, v > 2)", "object.s == 'xyz' && object.l.exists(w, w > 2)"]
                [..],
            1,
        ),
        // Whole expressions.
        (&["object.l.exists(v, v > 2)", "object.l.exists(v, v > 2)", "object.l.exists(w, w > 2)"], 1),
        // The outermost equal part, and nothing within it.
        (&["object.l.map(v, v * 2).sum() > 1", "object.l.map(v, v * 2).sum() > 2"], 1),
        // Functions, patterns, texts that are joined, what is searched.
        (&["object.s.startsWith('x') && object.a == 1", "object.s.startsWith('x') && object.a != 2"], 1),
        (&["object.s.matches('^x') || object.a == 2", "object.s.matches('^x') || object.a == 3"], 1),
        (&["object.s + '/' + object.t == 'a'", "object.s + '/' + object.t == 'b'"], 1),
        (&["object.s in object.m || object.a == 2", "object.s in object.m || object.a == 3"], 1),
        // Within a loop, what does not depend on its variable.
        (&["object.l.map(v, object.s.size() + v)", "object.l.map(v, object.s.size() - v)"], 1),
        // Twice within one expression.
        (&["object.s.size() + object.s.size() > 1"], 1),
        // JSONPaths.
        (&["$.l[?@ > 1]", "$.l[?@ > 1]"], 1),
        // Reading and comparing fields costs less than remembering.
        (&["object.a == 1 && object.s == 'xyz'", "object.a == 1 && object.s == 'xyz'"], 0),
        (&["$.s", "$.s"], 0),
        // What differs is not shared: kinds of literals, patterns, functions, fields, what is bound.
        (&["object.l.exists(v, v == 3)", "object.l.exists(v, v == 3.0)", "object.l.exists(v, v == 3u)"], 0),
        (&["object.l.exists(v, v == 3)", "object.l.all(v, v != 4)", "object.l.exists(v, v >= 3)"], 0),
        (&["object.s.matches('^x')", "object.s.matches('^xy')", "object.t.matches('^x')"], 0),
        (&["object.s.startsWith('x')", "object.s.endsWith('x')", "object.s.startsWith('y')"], 0),
        (&["object.l.exists(v, v == 3)", "object.l.exists(v, v == 2)"], 0),
        (&["object.l.map(v, object.l.map(w, v))", "object.l.map(v, object.l.map(w, w))"], 0),
        (&["object.l.map(v, string(v))", "object.l.map(v, string(v) + 'x')"], 0),
    ] {
        assert_eq!(Together::new().remembered(texts, OBJECT), expected, "{texts:?}");
    }
}

#[test]
fn a_part_is_shared_as_long_as_an_expression_has_it() {
    let mut together = Together::new();
    let texts = ["object.a == 1 && object.s.size() == 3", "object.a == 2 && object.s.size() == 3"];
    let compiled: Vec<_> = texts.iter().filter_map(|text| together.add(&formula(text))).collect();
    // Two expressions, each as a whole a part; what compares the size, and the size.
    assert_eq!(together.shared.live(), 2 + 2 + 2);
    drop(compiled);
    assert_eq!(together.shared.live(), 0);
    // What is gone is met anew.
    assert_eq!(together.remembered(&texts[..1], OBJECT), 0);
}

#[test]
fn whoever_finds_a_part_evaluated_is_charged_for_it() {
    let mut together = Together::new();
    let text = "object.l.map(v, object.s + 'x').size() == 3";
    let [first, second] = [("object.a == 1 && "), ("object.a > 0 && ")]
        .map(|condition| together.add(&formula(&format!("{condition}{text}"))).expect("it compiles"));
    let row = row(&together.plan, OBJECT);
    let memo = together.memory.take();
    let (_, [steps, bytes]) = evaluate(&first, &row, Some(&memo), Budget::new(1000, 1000));
    let alone = evaluate(&second, &row, None, Budget::new(1000, 1000));
    assert_eq!(evaluate(&second, &row, Some(&memo), Budget::new(1000, 1000)), alone);
    // With a step or a byte too few it fails as it would by itself.
    let [needed, built] = [1000 - alone.1[0], 1000 - alone.1[1]];
    assert!(steps < 1000 && bytes < 1000 && built > 0);
    for (steps, bytes) in [(needed, built), (needed - 1, built), (needed, built - 1), (0, built), (needed, 0)]
    {
        let budget = Budget::new(steps, bytes);
        let found = evaluate(&second, &row, Some(&memo), budget);
        assert_eq!(found, evaluate(&second, &row, None, budget), "{steps} steps, {bytes} bytes");
        assert_eq!(found.0.starts_with("error"), (steps, bytes) != (needed, built));
    }
}

#[test]
fn a_memo_holds_no_more_than_so_much() {
    let part = |at: usize| format!("(object.big + '{at}').size() > 0");
    let pair = |at: usize| [1, 2].map(|a| format!("{} || object.a == {a}", part(at)));
    let texts: Vec<String> = (0..30).flat_map(pair).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let object = |size: usize| format!(r#"{{"a": 1, "big": "{}"}}"#, "x".repeat(size));
    // Each as a whole, which has what the other lacks, is no part of two.
    let small = Together::new().remembered(&texts, &object(10));
    assert_eq!(small, 30);
    assert_eq!(Together::new().remembered(&texts, &object(60_000)), 1024 * 1024 / 60_001);
}

/// What is done with each element, alike but for what must be told apart.
const BODIES: [&str; 16] = [
    "string(v0)",
    "string(v0) + 'x'",
    "string(v0) + 'y'",
    "string(v0).size()",
    "string(v0).size() == 1",
    "string(v0).size() == 1.0",
    "string(v0).size() == 2",
    "string(v0).matches('1')",
    "string(v0).matches('2')",
    "object.l.map(v1, string(v0))",
    "object.l.map(v1, string(v1))",
    "object.l.exists(v1, v1 == v0)",
    "object.l.exists(v1, v1 == v1)",
    "cel.bind(v1, string(v0), v1 + object.s)",
    "object.l.size() + string(v0).size()",
    "object.s.size() + string(v0).size()",
];

/// Expressions that are likely to have parts in common, over random parts.
fn combined(tape: &[u8], parts: &[String]) -> String {
    let at = |index: usize| usize::from(tape.get(index).copied().unwrap_or(0));
    let (one, other) = (&parts[at(1) % parts.len()], &parts[at(2) % parts.len()]);
    let body = BODIES[at(1) % BODIES.len()];
    match at(0) % 12 {
        0 => one.clone(),
        1 => format!("dyn({one}) && dyn({other})"),
        2 => format!("dyn({one}) || dyn({other})"),
        3 => format!("[{one}, {other}]"),
        4 => format!("object.l.map(v0, [v0, {one}])"),
        5 => format!("dyn({one}) == dyn({other})"),
        6 => format!("object.n == true ? dyn({one}) : dyn({other})"),
        7 => format!("[{one}].exists(v0, dyn({other}))"),
        8 => format!("object.l.map(v0, {body})"),
        9 => format!("[1, 2, 'x'].map(v0, [{}].map(v, {body}))", at(2) % 3),
        10 => format!("object.c.map(v0, [{body}, {}])", at(2) % 3),
        _ => ["$..a", "$.l[?@ > 1]", "$.c[*].a", "$..[?@.a]"][at(1) % 4].to_owned(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    /// The same values, the same errors, the same steps and bytes, however little of them there is.
    #[test]
    fn together_or_alone_makes_no_difference(
        parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..50), 1..4),
        shapes in prop::collection::vec((any::<[u8; 3]>(), 0..200_u64, 0..4000_u64, any::<bool>()), 2..8),
        object in prop::collection::vec(any::<u8>(), 0..120),
    ) {
        let parts: Vec<_> = parts.iter().map(|bytes| Tape::new(bytes).expression(Dialect::All)).collect();
        let object = Tape::new(&object).object();
        let mut together = Together::new();
        let mut expressions = Vec::new();
        for (shape, steps, bytes, ample) in &shapes {
            let text = combined(shape, &parts);
            if let Some(expression) = together.add(&formula(&text)) {
                let budget = if *ample { Budget::EXPRESSION } else { Budget::new(*steps, *bytes) };
                expressions.push((text, expression, budget));
            }
        }
        let shared_row = row(&together.plan, &object);
        let memo = together.memory.take();
        for (text, expression, budget) in &expressions {
            let found = evaluate(expression, &shared_row, Some(&memo), *budget);
            let mut alone = Together::new();
            let by_itself = alone.add(&formula(text)).expect("it compiles, as before");
            let own_row = row(&alone.plan, &object);
            let expected = evaluate(&by_itself, &own_row, None, *budget);
            prop_assert_eq!(found, expected, "{} on {}", text, object);
        }
    }
}

//! What takes a short way gives what the long way gives, for the same steps and bytes.

use std::cell::RefCell;
use std::collections::BTreeSet;

use super::super::tests::{compile, row, show};
use super::super::tree::{Test, Tree};
use super::super::{Budget, Environment, Program};
use super::truth::{Asker, found, truth};
use super::{Bound, Evaluated, Frame, direct, path, sum};
use crate::error::EvaluationError;
use crate::row::{FieldPlan, HashSeed};

const TESTS: [&str; 22] = [
    "object.a == 'Running'",
    "object.a != 'Running'",
    "object.m.b == ''",
    "object.m.b == 'a text that is longer than sixteen bytes'",
    "object.m['b'] == 'x'",
    "has(object.a)",
    "has(object.m.b)",
    "has(object.m.b.c)",
    "!has(object.m.b)",
    "!has(object.m.?b.c)",
    "object.a in ['Running', 'Pending', 'a text that is longer than sixteen bytes']",
    "!(object.m.b in ['x', 'yy'])",
    "object.a in ['1', '2', '3', '4', '5', '6', '7', '8', '9', 'Running']",
    "object.a == 3",
    "object.a > 3",
    "object.m.b <= -1",
    "object.l[0] == 'x'",
    "object.a.startsWith('Run')",
    "object.a.startsWith('')",
    "object.m.b.endsWith('een bytes')",
    "object.m.b.contains('x')",
    "object.a.contains('a text that is longer than sixteen bytes')",
];

/// What is tested of each element.
const LOOPS: [&str; 6] = [
    "object.k.exists(c, c.t == 'Running')",
    "object.k.exists(c, c.t != 'x')",
    "object.k.all(c, !(c.t == ''))",
    "object.k.all(c, 'a text that is longer than sixteen bytes' == c.t)",
    "object.k.exists(c, c.t.u == 'x')",
    "object.k.exists(c, object.k.exists(d, c.t == 'x'))",
];

/// A test first, one that has no answer first, one that decides last, nothing but tests.
const TERMS: [&str; 7] = [
    "object.a == 'Running' && object.m.b == 'x'",
    "object.none == 'x' && object.a == 'Running'",
    "object.none == 'x' || object.a == 'Running' || object.m.b == 'x'",
    "has(object.m.b) && object.a in ['Running', 'x'] && !has(object.m.d)",
    "object.a == 'x' || object.l.exists(e, e == 'x') || object.m.b == 'x'",
    "object.a > 3 && object.m.b in ['1', '2', '3', '4', '5', '6', '7', '8', 'x'] && object.a == 3",
    "object.a.startsWith('Run') || !(object.m.b == 'x')",
];

const SUMS: [&str; 9] = [
    "object.a + object.m.b",
    "object.a + '/' + object.m.b",
    "'' + object.a",
    "object.m.b + ''",
    "object.a + object.a + object.a + object.a + object.a + object.a + object.a + object.a",
    "object.a + object.a + object.a + object.a + object.a + object.a + object.a + object.a + object.a",
    "object.a + (object.m.b + object.a)",
    "'x' + object.l[0] + 'y'",
    "object.m.b + object.m.b + object.m.b + object.m.b + object.m.b",
];

const VALUES: [&str; 15] = [
    r#""Running""#,
    r#""Runninh""#,
    r#""""#,
    r#""x""#,
    r#""yy""#,
    r#""a text that is longer than sixteen bytes""#,
    r#""a text that is longer than sixteen bytes, and by far: so that a few of these are no label""#,
    "3",
    "4",
    "-1",
    "3.0",
    "99999999999999999999",
    "null",
    "{}",
    r#"["x"]"#,
];

/// Every value in every place, and none.
fn objects() -> Vec<String> {
    let mut objects: Vec<String> =
        ["{}", r#"{"m": {}}"#, r#"{"m": null, "l": []}"#].map(str::to_owned).into();
    for a in VALUES {
        for b in VALUES {
            objects.push(format!(
                r#"{{"a": {a}, "m": {{"b": {b}, "c": 1}}, "l": [{b}, {a}], "k": [{{"t": {a}, "u": {b}}}, {{"t": {b}}}]}}"#
            ));
        }
    }
    objects
}

/// Runs on every text, compiled, with every object.
fn on_each(
    texts: &[&'static str],
    run: &mut dyn for<'r> FnMut(&'static str, &str, &'r Tree, &Frame<'_, 'r>),
) {
    for text in texts {
        let mut plan = FieldPlan::new(HashSeed(1, 2));
        let expression = compile(text, &mut plan).expect("it compiles");
        let Program::Cel(tree) = &*expression.program else { panic!("{text} is CEL") };
        for object in objects() {
            let row = row(&plan, &object);
            let environment = Environment { row: &row, item: None, position: None };
            run(text, &object, tree, &Frame::new(Some(&environment), None));
        }
    }
}

/// Evaluates in both ways with every budget up to one that is enough, wherever the short way gives something at all.
/// Gives for which texts it does.
fn compare<T: PartialEq + std::fmt::Debug>(
    texts: &[&'static str],
    short: impl for<'r> Fn(&'r Tree, &Frame<'_, 'r>, &mut Budget) -> Option<T>,
    long: impl for<'r> Fn(&'r Tree, &Frame<'_, 'r>, &mut Budget) -> Result<T, EvaluationError>,
) -> BTreeSet<&'static str> {
    let mut given = BTreeSet::new();
    on_each(texts, &mut |text, object, tree, frame| {
        let mut budget = Budget::EXPRESSION;
        let Some(value) = short(tree, frame, &mut budget) else {
            assert_eq!(left(&budget), left(&Budget::EXPRESSION), "{text} on {object}: nothing is spent");
            return;
        };
        given.insert(text);
        let mut other = Budget::EXPRESSION;
        assert_eq!(long(tree, frame, &mut other), Ok(value), "{text} on {object}");
        assert_eq!(left(&budget), left(&other), "{text} on {object}");
        for steps in 0..budget.spent() {
            let mut less = Budget::new(steps, 10_000);
            assert_eq!(short(tree, frame, &mut less), None, "{text} on {object} in {steps} steps");
            long(tree, frame, &mut less).unwrap_err();
            assert!(less.is_exhausted());
        }
    });
    given
}

fn left(budget: &Budget) -> (u64, u64) {
    (budget.steps, budget.bytes)
}

fn of_a_test<'r>(
    tree: &'r Tree,
    frame: &Frame<'_, 'r>,
    budget: &mut Budget,
) -> Result<bool, EvaluationError> {
    // What is negated would be asked directly.
    match tree {
        Tree::Not(operand) => found(operand, Asker::Filter, frame, budget).map(|value| !value),
        tree => found(tree, Asker::Filter, frame, budget),
    }
}

#[test]
fn what_a_row_answers_directly_is_what_evaluating_gives() {
    let given = compare(&TESTS, direct::answer, of_a_test);
    let left: Vec<_> = TESTS.into_iter().filter(|text| !given.contains(text)).collect();
    assert_eq!(left, ["object.l[0] == 'x'"], "an index is evaluated");
}

#[test]
fn a_term_that_is_a_test_gives_what_evaluating_gives() {
    let given =
        compare(&TESTS, |tree, frame, budget| direct::of_test(&Test::of(tree)?, frame, budget), of_a_test);
    let left: Vec<_> = TESTS.into_iter().filter(|text| !given.contains(text)).collect();
    assert_eq!(left, TESTS[12..], "many texts, numbers, an index, calls");
}

/// The test of the innermost loop: with the first element bound of the loop around it, the second of the next.
fn within<'r, T>(
    tree: &'r Tree,
    frame: &Frame<'_, 'r>,
    depth: usize,
    run: &dyn Fn(&'r Tree, &Frame<'_, 'r>) -> T,
) -> Option<T> {
    let Tree::Loop(each) = tree else { return Some(run(tree, frame)) };
    let Tree::Path(range) = &each.range else { panic!("{tree:?} is over a field") };
    let element = path::end(range, frame)?.items().nth(depth)?;
    within(each.condition.as_ref()?, &frame.bind_to(Bound::Node(element)), depth + 1, run)
}

#[test]
fn a_test_of_an_element_gives_what_evaluating_gives() {
    let given = compare(
        &LOOPS,
        |tree, frame, budget| {
            let budget = RefCell::new(budget);
            let short = |test: &Tree, frame: &Frame<'_, '_>| {
                direct::of_test(&Test::of(test)?, frame, &mut budget.borrow_mut())
            };
            within(tree, frame, 0, &short).flatten()
        },
        |tree, frame, budget| {
            let budget = RefCell::new(budget);
            within(tree, frame, 0, &|test, frame| of_a_test(test, frame, &mut budget.borrow_mut()))
                .expect("there is one")
        },
    );
    let left: Vec<_> = LOOPS.into_iter().filter(|text| !given.contains(text)).collect();
    assert_eq!(left, LOOPS[4..], "a member of a member, the variable of a loop further out");
}

/// Terms one after the other, none of them by its test.
fn one_by_one<'r>(
    tree: &'r Tree,
    frame: &Frame<'_, 'r>,
    budget: &mut Budget,
) -> Result<bool, EvaluationError> {
    let (terms, decisive) = match tree {
        Tree::And(terms) => (terms, false),
        Tree::Or(terms) => (terms, true),
        tree => return of_a_test(tree, frame, budget),
    };
    let mut failed = None;
    for term in terms {
        match one_by_one(&term.tree, frame, budget) {
            Ok(value) if value == decisive => return Ok(decisive),
            Err(error) if budget.is_exhausted() => return Err(error),
            Ok(_) => {}
            Err(error) => drop(failed.get_or_insert(error)),
        }
    }
    failed.map_or(Ok(!decisive), Err)
}

#[test]
fn terms_give_what_they_give_one_by_one_with_every_budget() {
    on_each(&TERMS, &mut |text, object, tree, frame| {
        for steps in 0..40 {
            let (mut budget, mut other) = (Budget::new(steps, 10_000), Budget::new(steps, 10_000));
            let given = truth(tree, Asker::Filter, frame, &mut budget);
            assert_eq!(given, one_by_one(tree, frame, &mut other), "{text} on {object}, {steps} steps");
            assert_eq!(left(&budget), left(&other), "{text} on {object}, {steps} steps");
        }
    });
}

fn operands(tree: &Tree) -> &[Tree; 2] {
    match tree {
        Tree::Arithmetic(_, operands) => operands,
        other => panic!("{other:?} is a sum"),
    }
}

fn shown(sum: Evaluated<'_>) -> Result<String, EvaluationError> {
    sum.map(|value| show(&value))
}

#[test]
fn texts_that_are_put_together_at_once_are_what_joining_them_one_by_one_gives() {
    let given = compare(
        &SUMS,
        |tree, frame, budget| sum::label(operands(tree), frame, budget).map(|value| show(&value)),
        |tree, frame, budget| shown(sum::joined(operands(tree), frame, budget)),
    );
    let left: Vec<_> = SUMS.into_iter().filter(|text| !given.contains(text)).collect();
    assert_eq!(left, SUMS[5..8], "nine parts, a part that is a sum, one that is evaluated");
}

//! How many steps a JSONPath takes, without an object.
//!
//! In: the steps of a path. Out: a polynomial in the length of lists. Must never know: budgets.
//!
//! Texts are taken to be short, what is compared to be a scalar, and as much to lie below a `..` as a list has elements:
//! an upper bound but for these.

use super::super::matcher::Matcher;
use super::super::query::{
    Anchor, Condition, End, KubectlOperand, KubectlStep, Logical, Operand, Pattern, Range, Selector, Step,
    Subquery,
};
use super::cost::{Estimate, SHORT, fixed};

/// What a comparison of RFC 9535 takes besides its operands.
const COMPARISON: u64 = 4;

/// What a match takes besides its subject and its pattern.
const MATCH: u64 = 8;

/// The steps of a path from the object.
pub(super) fn of_path(steps: &[Step]) -> Estimate {
    // The names at its beginning lead to where a row holds the value.
    let names = steps.iter().take_while(|step| matches!(step, Step::Name(_))).count();
    fixed(1).plus(&walk(&steps[names..], fixed(1)).0)
}

/// What steps take from so many nodes, and how many nodes they lead to.
fn walk(steps: &[Step], mut nodes: Estimate) -> (Estimate, Estimate) {
    let mut total = Estimate::default();
    for step in steps {
        let (each, reached) = match step {
            Step::Name(_) => (fixed(2), fixed(1)),
            Step::Children(selectors) => all(selectors.iter().map(selector)),
            Step::Descendants(selectors) => {
                let (each, reached) = all(selectors.iter().map(selector));
                let visit = fixed(2).plus(&fixed(1).each());
                (each.plus(&visit).each().plus(&each).plus(&visit), reached.each().plus(&reached))
            }
            Step::Kubectl(step) => kubectl(step),
        };
        total = total.plus(&each.times(&nodes));
        nodes = reached.times(&nodes);
    }
    (total, nodes)
}

/// Several, one after the other.
fn all(parts: impl Iterator<Item = (Estimate, Estimate)>) -> (Estimate, Estimate) {
    parts.fold(Default::default(), |(each, reached), part| (each.plus(&part.0), reached.plus(&part.1)))
}

fn n() -> Estimate {
    fixed(1).each()
}

/// Looks at every child, and keeps those for which a condition of this cost holds.
fn children(condition: &Estimate) -> Estimate {
    fixed(1).plus(&n()).plus(&fixed(1).plus(condition).each())
}

fn selector(selector: &Selector) -> (Estimate, Estimate) {
    match selector {
        Selector::Name(_) => (fixed(2), fixed(1)),
        Selector::Index(index) => match u64::try_from(*index) {
            Ok(index) => (fixed(index.saturating_add(2)), fixed(1)),
            Err(_) => (fixed(2).plus(&n()), fixed(1)),
        },
        Selector::Wildcard | Selector::Slice(_) => (children(&Estimate::default()), n()),
        Selector::Filter(condition) => (children(&fixed(1).plus(&logical(condition))), n()),
    }
}

fn kubectl(step: &KubectlStep) -> (Estimate, Estimate) {
    match step {
        KubectlStep::Members => (fixed(1).plus(&n()), n()),
        KubectlStep::Range(Range { start, end: End::AfterStart, .. }) => {
            match u64::try_from(start.unwrap_or(0)) {
                Ok(start) => (fixed(start.saturating_add(2)), fixed(1)),
                Err(_) => (fixed(1).plus(&n()), fixed(1)),
            }
        }
        KubectlStep::Range(_) => (n().plus(&n()), n()),
        KubectlStep::Where(tested) => (fixed(2).plus(&condition(tested)).each(), n()),
        KubectlStep::Union(alternatives) => all(alternatives.iter().map(|steps| walk(steps, fixed(1)))),
        KubectlStep::Descend => {
            let each = fixed(3).plus(&fixed(3).each());
            (each, fixed(1).plus(&n()))
        }
    }
}

fn logical(condition: &Logical) -> Estimate {
    let parts = |parts: &[Logical]| parts.iter().fold(fixed(1), |total, part| total.plus(&logical(part)));
    match condition {
        Logical::Any(any) => parts(any),
        Logical::All(all) => parts(all),
        Logical::Not(part) => fixed(1).plus(&logical(part)),
        Logical::Exists(found) => fixed(1).plus(&query(found)),
        Logical::Compare(left, _, right) => fixed(COMPARISON).plus(&operand(left)).plus(&operand(right)),
        Logical::Matches(matches) => {
            fixed(MATCH).plus(&operand(&matches.subject)).plus(&pattern(&matches.pattern))
        }
    }
}

/// What a pattern takes of a short text, and compiling it where the object brings it.
fn pattern(pattern: &Pattern) -> Estimate {
    match pattern {
        Pattern::Compiled(matcher) => fixed(matcher.factor()),
        Pattern::Computed(of) => {
            fixed(Matcher::DEAREST + Matcher::COMPILE_STEPS + SHORT).plus(&self::operand(of))
        }
    }
}

fn operand(operand: &Operand) -> Estimate {
    match operand {
        Operand::Literal(_) => Estimate::default(),
        Operand::Singular(found) | Operand::Value(found) | Operand::Count(found) => query(found),
        Operand::Length(inner) => fixed(2).plus(&self::operand(inner)),
    }
}

fn query(query: &Subquery) -> Estimate {
    match query.anchor {
        Anchor::Object(_) => fixed(1).plus(&of_path(&query.steps)),
        Anchor::Current => fixed(1).plus(&walk(&query.steps, fixed(1)).0),
    }
}

fn condition(condition: &Condition) -> Estimate {
    match condition {
        Condition::Exists(steps) => walk(steps, fixed(1)).0,
        // A text is read on either side.
        Condition::Compare(left, _, right) => fixed(2).plus(&side(left)).plus(&side(right)),
    }
}

fn side(operand: &KubectlOperand) -> Estimate {
    match operand {
        KubectlOperand::Literal(_) => Estimate::default(),
        KubectlOperand::Steps(steps) => walk(steps, fixed(1)).0,
    }
}

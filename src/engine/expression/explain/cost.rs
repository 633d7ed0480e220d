//! How many steps an expression takes, without an object.
//!
//! In: syntax. Out: a polynomial in the length of lists. Must never know: budgets.
//!
//! Both sides of `&&` and `||` are counted and the dearer branch of a conditional, and texts as if they were short: an
//! upper bound for all but long texts.

use std::fmt;

use super::super::query::{KubectlStep, Selector, Step};
use super::super::syntax::{Macro, Syntax, SyntaxKind};

/// Steps as a function of the number of elements that every list of the object has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Estimate {
    /// The factor of each power of that number, from the power 0; the last is not 0.
    pub factors: Vec<u64>,
}

/// Steps that an expression takes whatever the object holds.
fn fixed(steps: u64) -> Estimate {
    Estimate { factors: vec![steps] }.trimmed()
}

pub(super) fn of(syntax: &Syntax) -> Estimate {
    match &syntax.kind {
        SyntaxKind::Literal(_) | SyntaxKind::Identifier(_) => Estimate::default(),
        SyntaxKind::Select { .. } | SyntaxKind::Has { .. } | SyntaxKind::Index { .. } => of_chain(syntax),
        SyntaxKind::Not(operand) | SyntaxKind::Negate(operand) => of(operand),
        SyntaxKind::And(terms) | SyntaxKind::Or(terms) => sum(terms),
        SyntaxKind::Conditional(parts) => of(&parts[0]).plus(&of(&parts[1]).or(&of(&parts[2]))),
        SyntaxKind::Arithmetic(_, operands) => fixed(1).plus(&sum(operands.as_slice())),
        SyntaxKind::Compare(_, operands) => {
            // A field is compared with a text where it lies.
            let is_at_once = operands.iter().any(is_text) && operands.iter().any(is_field);
            let own = fixed(u64::from(!is_at_once));
            own.plus(&sum(operands.as_slice()))
        }
        SyntaxKind::In(operands) => {
            let is_literal = matches!(operands[1].kind, SyntaxKind::List(_));
            let looked_at = if is_literal { fixed(1) } else { fixed(1).each().plus(&of(&operands[1])) };
            looked_at.plus(&of(&operands[0]))
        }
        SyntaxKind::Call(call) => {
            let target = call.target.as_ref().map(of).unwrap_or_default();
            fixed(1).plus(&target).plus(&sum(&call.arguments))
        }
        SyntaxKind::List(elements) => {
            elements.iter().fold(Estimate::default(), |total, (element, _)| total.plus(&of(element)))
        }
        SyntaxKind::Map(entries) => entries
            .iter()
            .fold(Estimate::default(), |total, (key, value, _)| total.plus(&of(key)).plus(&of(value))),
        SyntaxKind::Macro(each) => {
            let body = [&each.condition, &each.result].into_iter().flatten();
            let body = body.fold(fixed(1), |total, part| total.plus(&of(part)));
            let is_loop = !matches!(each.kind, Macro::OptMap | Macro::OptFlatMap);
            of(&each.target).plus(&if is_loop { body.each() } else { body })
        }
        SyntaxKind::Bind(bind) => of(&bind.value).plus(&of(&bind.body)),
    }
}

pub(super) fn of_path(steps: &[Step]) -> Estimate {
    let mut total = fixed(1);
    let mut nodes = fixed(1);
    for step in steps {
        let is_one = match step {
            Step::Name(_) => continue,
            Step::Children(selectors) => {
                selectors.iter().all(|selector| matches!(selector, Selector::Name(_) | Selector::Index(_)))
            }
            Step::Kubectl(KubectlStep::Union(_)) => true,
            Step::Kubectl(_) | Step::Descendants(_) => false,
        };
        if !is_one {
            nodes = nodes.each();
        }
        total = total.plus(&nodes);
    }
    total
}

/// A chain of selections is one step, and what its indices take.
fn of_chain(syntax: &Syntax) -> Estimate {
    let mut total = fixed(1);
    let mut rest = syntax;
    loop {
        rest = match &rest.kind {
            SyntaxKind::Select { operand, .. } | SyntaxKind::Has { operand, .. } => operand,
            SyntaxKind::Index { operand, index, .. } => {
                total = total.plus(&of(index));
                operand
            }
            _ => return total.plus(&of(rest)),
        };
    }
}

fn sum(parts: &[Syntax]) -> Estimate {
    parts.iter().fold(Estimate::default(), |total, part| total.plus(&of(part)))
}

fn is_text(syntax: &Syntax) -> bool {
    matches!(&syntax.kind, SyntaxKind::Literal(value) if value.as_str().is_some())
}

fn is_field(syntax: &Syntax) -> bool {
    matches!(syntax.kind, SyntaxKind::Select { .. })
}

// === impl Estimate ===

impl Estimate {
    /// Steps where every list has `length` elements.
    pub fn at(&self, length: u64) -> u64 {
        self.factors
            .iter()
            .rev()
            .fold(0, |total: u64, factor| total.saturating_mul(length).saturating_add(*factor))
    }

    /// One after the other.
    #[must_use]
    pub fn plus(&self, other: &Estimate) -> Estimate {
        let factor = |at: usize| {
            let of = |estimate: &Estimate| estimate.factors.get(at).copied().unwrap_or(0);
            of(self).saturating_add(of(other))
        };
        let length = self.factors.len().max(other.factors.len());
        Estimate { factors: (0..length).map(factor).collect() }.trimmed()
    }

    /// Once for every element of a list.
    #[must_use]
    pub fn each(&self) -> Estimate {
        let factors = std::iter::once(0).chain(self.factors.iter().copied()).collect();
        Estimate { factors }.trimmed()
    }

    /// Whichever is the dearer, power by power.
    fn or(&self, other: &Estimate) -> Estimate {
        let factor = |at: usize| {
            let of = |estimate: &Estimate| estimate.factors.get(at).copied().unwrap_or(0);
            of(self).max(of(other))
        };
        let length = self.factors.len().max(other.factors.len());
        Estimate { factors: (0..length).map(factor).collect() }
    }

    fn trimmed(mut self) -> Estimate {
        while self.factors.last() == Some(&0) {
            self.factors.pop();
        }
        self
    }
}

impl fmt::Display for Estimate {
    /// `3 + 2n`, where n is the number of elements of a list.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let terms = self.factors.iter().enumerate().filter(|(_, factor)| **factor > 0);
        let texts: Vec<String> = terms
            .map(|(power, factor)| match (power, factor) {
                (0, factor) => factor.to_string(),
                (1, 1) => "n".to_owned(),
                (1, factor) => format!("{factor}n"),
                (power, 1) => format!("n^{power}"),
                (power, factor) => format!("{factor}n^{power}"),
            })
            .collect();
        f.write_str(if texts.is_empty() { "0".to_owned() } else { texts.join(" + ") }.as_str())
    }
}

#[cfg(test)]
mod tests {
    use crate::definition::{Formula, Language};
    use crate::expression::explain::estimate;

    fn check(language: Language, text: &str, expected: &str) {
        let formula = Formula { language, text: text.to_owned(), place: String::new() };
        assert_eq!(estimate(&formula).to_string(), expected, "{text}");
    }

    #[test]
    fn steps_grow_with_lists() {
        let cel = |text, expected| check(Language::Cel, text, expected);
        cel("true", "0");
        cel("object.status.phase == 'Running'", "1");
        cel("object.spec.replicas > 3 && object.a.b.c == 1", "4");
        cel("object.status.phase in ['a', 'b']", "2");
        cel("has(object.a) ? object.a : object.b + 1", "3");
        cel("object.items.exists(c, c.name == 'a')", "1 + 2n");
        cel("object.items.all(c, c.ports.exists(p, p.port == 1))", "1 + 2n + 3n^2");
        cel("size(object.items)", "2");
        check(Language::Kubectl, "status.phase", "1");
        check(Language::Kubectl, "status.conditions[?(@.type==\"Ready\")].status", "1 + n");
        check(Language::Rfc9535, "$.a[*].b[0]", "1 + 2n");
        check(Language::Cel, "(", "0");
    }

    #[test]
    fn an_estimate_is_a_number_for_a_length() {
        let formula = Formula::cel("object.items.all(c, c.ports.exists(p, p.port == 1))", "");
        assert_eq!(estimate(&formula).at(10), 1 + 20 + 300);
        assert_eq!(estimate(&formula).at(u64::MAX), u64::MAX);
    }
}

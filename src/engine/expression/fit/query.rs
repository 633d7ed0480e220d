//! Walks along JSONPaths of either dialect.
//!
//! In: steps in the order of their text. Out: what is known of the nodes that they lead to, and findings. Must never
//! know: fields of rows.

use super::super::StaticType;
use super::super::query::{
    Anchor, Comparison, Condition, KubectlOperand, KubectlStep, Literal, Logical, Matches, Name, Operand,
    Pattern, Selector, Step, Subquery,
};
use super::field::article;
use super::place::Places;
use super::seen::Seen;
use super::{Faults, Schema};

/// Looks at one path.
pub(super) struct Walker<'a> {
    places: Places<'a>,
    /// Whether the path is in kubectl's dialect, where much that gives nothing in the other one is an error.
    is_kubectl: bool,
    schema: &'a Schema,
    /// Whether it only matters if what is being looked at exists.
    is_asked: bool,
    pub(super) faults: Faults,
}

impl<'a> Walker<'a> {
    pub(super) fn new(text: &'a str, is_kubectl: bool, schema: &'a Schema, faults: Faults) -> Self {
        Walker { places: Places::new(text), is_kubectl, schema, is_asked: false, faults }
    }

    /// What `steps` lead to.
    pub(super) fn steps(&mut self, from: Seen, steps: &[Step]) -> Seen {
        let mut seen = from;
        for (number, step) in steps.iter().enumerate() {
            let is_listed = matches!(
                steps.get(number + 1),
                Some(Step::Kubectl(KubectlStep::Range(_) | KubectlStep::Where(_)))
            );
            seen = match step {
                // The first that is found is where it begins, and only lists have elements.
                Step::Kubectl(KubectlStep::Descend) if is_listed && seen.at_number(self.schema).is_err() => {
                    self.elements(&seen)
                }
                step => self.step(&seen, step),
            };
        }
        seen
    }

    fn step(&mut self, from: &Seen, step: &Step) -> Seen {
        match step {
            Step::Name(name) => self.name(from, name),
            Step::Children(selectors) => self.selectors(from, selectors),
            Step::Descendants(selectors) => self.selectors(&from.below(), selectors),
            Step::Kubectl(step) => self.kubectl(from, step),
        }
    }

    fn selectors(&mut self, from: &Seen, selectors: &[Selector]) -> Seen {
        let all: Vec<_> = selectors.iter().map(|selector| self.selector(from, selector)).collect();
        Seen::any(all)
    }

    fn name(&mut self, from: &Seen, name: &Name) -> Seen {
        let at = self.places.next(&name.text);
        match from.member(&name.text, self.schema) {
            Ok(seen) => seen,
            Err(message) if self.is_asked => self.faults.push_asked(at, message, self.schema),
            Err(message) => self.faults.push(at, message),
        }
    }

    fn selector(&mut self, from: &Seen, selector: &Selector) -> Seen {
        match selector {
            Selector::Name(name) => self.name(from, name),
            Selector::Wildcard => self.children(from),
            Selector::Index(_) | Selector::Slice(_) => self.elements(from),
            Selector::Filter(condition) => {
                let current = self.children(from);
                self.logical(&current, condition);
                current
            }
        }
    }

    /// The elements of a list or the members of a map.
    fn children(&mut self, from: &Seen) -> Seen {
        from.elements(self.schema).unwrap_or_else(|message| self.push(message))
    }

    /// The elements of a list alone.
    fn elements(&mut self, from: &Seen) -> Seen {
        from.at_number(self.schema).unwrap_or_else(|message| {
            let message = message.replace(": its keys are strings", " and has no elements");
            self.push(message)
        })
    }

    /// A finding about the last name.
    fn push(&mut self, message: String) -> Seen {
        let at = self.places.last();
        self.faults.push(at, message)
    }

    fn kubectl(&mut self, from: &Seen, step: &KubectlStep) -> Seen {
        match step {
            // Of a text, they are its bytes.
            KubectlStep::Members
                if !matches!(from, Seen::Below(_)) && from.may_be(StaticType::String, self.schema) =>
            {
                Seen::Anything
            }
            KubectlStep::Members => self.children(from),
            KubectlStep::Range(_) => self.elements(from),
            KubectlStep::Where(condition) => {
                let items = self.elements(from);
                self.condition(&items, condition);
                items
            }
            KubectlStep::Union(alternatives) => {
                let all: Vec<_> = alternatives.iter().map(|steps| self.steps(from.clone(), steps)).collect();
                Seen::any(all)
            }
            KubectlStep::Descend => from.below(),
        }
    }

    fn logical(&mut self, current: &Seen, condition: &Logical) {
        match condition {
            Logical::Any(parts) | Logical::All(parts) => {
                parts.iter().for_each(|part| self.logical(current, part));
            }
            Logical::Not(part) => self.logical(current, part),
            Logical::Exists(query) => self.asked(|walker| walker.query(current, query)),
            Logical::Compare(left, comparison, right) => {
                let left = self.operand(current, left);
                let right = self.operand(current, right);
                self.compare(&left, *comparison, &right);
            }
            Logical::Matches(matches) => self.matches(current, matches),
        }
    }

    fn matches(&mut self, current: &Seen, matches: &Matches) {
        let subject = self.operand(current, &matches.subject);
        if !subject.may_be(StaticType::String, self.schema) {
            self.push(subject.contradicting("only a string matches a pattern", self.schema));
        }
        if let Pattern::Computed(pattern) = &matches.pattern {
            self.operand(current, pattern);
        }
    }

    fn operand(&mut self, current: &Seen, operand: &Operand) -> Seen {
        match operand {
            Operand::Literal(literal) => self.literal(literal),
            Operand::Singular(query) | Operand::Value(query) => self.query(current, query),
            Operand::Length(operand) => {
                let subject = self.operand(current, operand);
                self.length(&subject);
                Seen::Kind(StaticType::Int)
            }
            Operand::Count(query) => {
                self.query(current, query);
                Seen::Kind(StaticType::Int)
            }
        }
    }

    fn length(&mut self, subject: &Seen) {
        let has_one = [StaticType::String, StaticType::List, StaticType::Map];
        if !has_one.iter().any(|kind| subject.may_be(*kind, self.schema)) {
            self.push(subject.contradicting("only a string, a list or a map has a length", self.schema));
        }
    }

    /// Looks at what matters only if it exists.
    fn asked(&mut self, look: impl FnOnce(&mut Self) -> Seen) {
        let outer = std::mem::replace(&mut self.is_asked, true);
        look(self);
        self.is_asked = outer;
    }

    fn query(&mut self, current: &Seen, query: &Subquery) -> Seen {
        let from = match query.anchor {
            Anchor::Object(_) => Seen::root(),
            Anchor::Current => current.clone(),
        };
        self.steps(from, &query.steps)
    }

    fn condition(&mut self, current: &Seen, condition: &Condition) {
        match condition {
            Condition::Exists(steps) => self.asked(|walker| walker.steps(current.clone(), steps)),
            Condition::Compare(left, comparison, right) => {
                let left = self.kubectl_operand(current, left);
                let right = self.kubectl_operand(current, right);
                self.compare(&left, *comparison, &right);
            }
        }
    }

    fn kubectl_operand(&mut self, current: &Seen, operand: &KubectlOperand) -> Seen {
        match operand {
            KubectlOperand::Literal(literal) => self.literal(literal),
            KubectlOperand::Steps(steps) => self.steps(current.clone(), steps),
        }
    }

    fn literal(&mut self, literal: &Literal) -> Seen {
        Seen::Kind(match literal {
            Literal::Null => StaticType::Null,
            Literal::Bool(_) => StaticType::Bool,
            Literal::Integer(_) => StaticType::Int,
            Literal::Double(_) => StaticType::Double,
            Literal::String(text) => {
                self.places.skip(text);
                StaticType::String
            }
        })
    }

    fn compare(&mut self, left: &Seen, comparison: Comparison, right: &Seen) {
        if self.may_hold(left, comparison, right) {
            return;
        }
        let verb = match comparison {
            _ if self.is_kubectl => "cannot be compared with",
            Comparison::NotEqual => "always differs from",
            Comparison::Equal => "never equals",
            _ => "has no order with",
        };
        let (field, other) = match (left, right) {
            (other, field @ Seen::Field(_)) if !matches!(other, Seen::Field(_)) => (field, other),
            (left, right) => (left, right),
        };
        let other = article(other, self.schema);
        let message = format!("{}, which {verb} {other}", field.described(self.schema));
        self.push(message);
    }

    /// Whether a comparison can hold, or in kubectl's dialect at least be made.
    fn may_hold(&self, left: &Seen, comparison: Comparison, right: &Seen) -> bool {
        use StaticType::{Bool, Double, Dyn, Int, List, Map, Null, String};
        let is_equality = matches!(comparison, Comparison::Equal | Comparison::NotEqual);
        let is_strict = matches!(comparison, Comparison::Less | Comparison::Greater);
        let are_fields = [left, right].iter().all(|one| matches!(one, Seen::Field(_)));
        let is_open = |kind: StaticType| matches!(kind, Null | Dyn);
        let is_scalar = |kind: StaticType| !matches!(kind, List | Map);
        let may_pair = |a: StaticType, b: StaticType| match self.is_kubectl {
            true if is_open(a) || is_open(b) => is_scalar(a) && is_scalar(b),
            // It knows integers and doubles, and compares none with another.
            true => a == b && is_scalar(a) && (is_equality || a != Bool),
            false if is_open(a) || is_open(b) => true,
            false if is_strict => {
                matches!((a, b), (Int | Double, Int | Double) | (String, String))
            }
            false => a == b || (a.is_number() && b.is_number()),
        };
        // What is missing on both sides is equal.
        let may_be_missing =
            !self.is_kubectl && are_fields && !is_strict && comparison != Comparison::NotEqual;
        let others = right.kinds(self.schema);
        may_be_missing || left.kinds(self.schema).into_iter().any(|a| others.iter().any(|b| may_pair(a, *b)))
    }
}

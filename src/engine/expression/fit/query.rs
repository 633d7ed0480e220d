//! Walks along JSONPaths of either dialect.
//!
//! In: steps in the order of their text. Out: what is known of the nodes that they lead to, and findings. Must never
//! know: fields of rows.

use std::collections::BTreeSet;

use super::super::StaticType;
use super::super::query::{
    Anchor, Comparison, Condition, KubectlOperand, KubectlStep, Literal, Logical, Matches, Name, Operand,
    Pattern, Selector, Step, Subquery,
};
use super::field::article;
use super::place::Places;
use super::seen::Seen;
use super::{Faults, Schema};
use crate::schema::{Shape, ShapeId};

/// Looks at one path.
pub(super) struct Walker<'a> {
    places: Places<'a>,
    /// Whether the path is in kubectl's dialect, where much that gives nothing in the other one is an error.
    is_kubectl: bool,
    schema: &'a Schema,
    pub(super) faults: Faults,
}

/// What the steps lead to that come behind a descent.
enum Descent {
    /// Nothing was searched.
    None,
    /// Everything below this.
    Below(Seen),
}

impl<'a> Walker<'a> {
    pub(super) fn new(text: &'a str, is_kubectl: bool, schema: &'a Schema, faults: Faults) -> Self {
        Walker { places: Places::new(text), is_kubectl, schema, faults }
    }

    /// What `steps` lead to.
    pub(super) fn steps(&mut self, from: Seen, steps: &[Step]) -> Seen {
        let mut seen = from;
        let mut descent = Descent::None;
        for step in steps {
            seen = match (step, std::mem::replace(&mut descent, Descent::None)) {
                (Step::Name(name), Descent::Below(top)) => self.named_below(&top, name),
                (Step::Kubectl(KubectlStep::Descend), _) => {
                    descent = Descent::Below(seen);
                    Seen::Anything
                }
                (step, _) => self.step(&seen, step),
            };
        }
        seen
    }

    fn step(&mut self, from: &Seen, step: &Step) -> Seen {
        match step {
            Step::Name(name) => self.name(from, name),
            Step::Children(selectors) => {
                let all: Vec<_> = selectors.iter().map(|selector| self.selector(from, selector)).collect();
                Seen::any(all)
            }
            Step::Descendants(selectors) => {
                let of = |selector: &Selector| match selector {
                    Selector::Name(name) => self.named_below(from, name),
                    other => self.selector(&Seen::Anything, other),
                };
                let all: Vec<_> = selectors.iter().map(of).collect();
                Seen::any(all)
            }
            Step::Kubectl(step) => self.kubectl(from, step),
        }
    }

    fn name(&mut self, from: &Seen, name: &Name) -> Seen {
        let at = self.places.next(&name.text);
        from.member(&name.text, self.schema).unwrap_or_else(|message| self.faults.push(at, message))
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

    /// The members of this name of anything below.
    fn named_below(&mut self, top: &Seen, name: &Name) -> Seen {
        let at = self.places.next(&name.text);
        let Seen::Field(field) = top else { return Seen::Anything };
        let (mut open, mut seen) = (vec![field.shape], BTreeSet::new());
        let mut found: Vec<ShapeId> = Vec::new();
        while let Some(shape) = open.pop() {
            if !seen.insert(shape) {
                continue;
            }
            match self.schema.get(shape) {
                Shape::Anything => return Seen::Anything,
                Shape::List(element) => open.push(*element),
                Shape::Map { members, others } => {
                    found.extend(members.get(&*name.text).or(others.as_ref()));
                    open.extend(members.values().chain(others));
                }
                _ => {}
            }
        }
        if found.is_empty() {
            let message = format!("there is no field '{:.64}' in {field} or below", name.text);
            return self.faults.push(at, message);
        }
        found.sort_unstable();
        found.dedup();
        Seen::any(found.into_iter().map(|shape| field.somewhere(&name.text, shape)))
    }

    fn kubectl(&mut self, from: &Seen, step: &KubectlStep) -> Seen {
        match step {
            // Of a text, they are its bytes.
            KubectlStep::Members if from.may_be(StaticType::String, self.schema) => Seen::Anything,
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
            KubectlStep::Descend => Seen::Anything,
        }
    }

    fn logical(&mut self, current: &Seen, condition: &Logical) {
        match condition {
            Logical::Any(parts) | Logical::All(parts) => {
                parts.iter().for_each(|part| self.logical(current, part));
            }
            Logical::Not(part) => self.logical(current, part),
            Logical::Exists(query) => drop(self.query(current, query)),
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
            let found = subject.described(self.schema);
            self.push(format!("only a string matches a pattern, and {found}"));
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
                self.operand(current, operand);
                Seen::Kind(StaticType::Int)
            }
            Operand::Count(query) => {
                self.query(current, query);
                Seen::Kind(StaticType::Int)
            }
        }
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
            Condition::Exists(steps) => drop(self.steps(current.clone(), steps)),
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
        if left.may_compare(right, self.schema) {
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
}

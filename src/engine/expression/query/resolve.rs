//! Which fields of an object a query reads.
//!
//! In: a query tree and the recorder of a field plan. Out: the same tree with field numbers at its names, and the
//! fields at which its results lie. Must never know: rows, the texts that paths were written in.

use super::tree::{
    Anchor, Condition, KubectlOperand, KubectlStep, Logical, Matches, Name, Operand, Pattern, Selector, Step,
    Subquery,
};
use crate::row::{FieldId, FieldRecorder};

/// A step that could lead to more fields than this keeps the subtree whole instead: unions multiply.
const MAX_BRANCHES: usize = 16;

/// Records the fields of one query.
pub(super) struct Resolver<'f, 'p> {
    pub(super) fields: &'f mut FieldRecorder<'p>,
    /// Where `$` is.
    pub(super) root: FieldId,
}

/// The fields at which nodes may lie. Empty: somewhere in a subtree that is kept whole.
pub(super) type Reach = Vec<FieldId>;

// === impl Resolver ===

impl Resolver<'_, '_> {
    /// Records the fields that `steps` pass through, beginning at `from`, and gives those where they end.
    pub(super) fn steps(&mut self, mut from: Reach, steps: &mut [Step]) -> Reach {
        for step in steps {
            from = self.step(&from, step);
        }
        from
    }

    /// Asks for the values at `reach`, whatever they are.
    pub(super) fn keep(&mut self, reach: &[FieldId]) {
        for &field in reach {
            self.fields.keep(field);
        }
    }

    fn step(&mut self, from: &[FieldId], step: &mut Step) -> Reach {
        match step {
            Step::Name(name) => self.name(from, name),
            Step::Children(selectors) => self.selectors(from, selectors),
            Step::Descendants(selectors) => {
                self.keep(from);
                self.selectors(&[], selectors);
                Reach::new()
            }
            Step::Kubectl(step) => self.kubectl(from, step),
        }
    }

    fn name(&mut self, from: &[FieldId], name: &mut Name) -> Reach {
        name.fields = from.iter().map(|&parent| self.fields.member(parent, &name.text)).collect();
        name.fields.clone()
    }

    fn each(&mut self, from: &[FieldId]) -> Reach {
        from.iter().map(|&parent| self.fields.each(parent)).collect()
    }

    fn selectors(&mut self, from: &[FieldId], selectors: &mut [Selector]) -> Reach {
        let from = self.bounded(from, selectors.len());
        let mut to = Reach::new();
        for selector in selectors {
            to.extend(self.selector(&from, selector));
        }
        distinct(to)
    }

    fn selector(&mut self, from: &[FieldId], selector: &mut Selector) -> Reach {
        match selector {
            Selector::Name(name) => self.name(from, name),
            Selector::Wildcard | Selector::Index(_) | Selector::Slice(_) => self.each(from),
            Selector::Filter(condition) => {
                let items = self.each(from);
                self.logical(&items, condition);
                items
            }
        }
    }

    /// The fields to go on from with this many alternatives each: none, if that would be too many.
    fn bounded(&mut self, from: &[FieldId], alternatives: usize) -> Reach {
        if from.len() * alternatives <= MAX_BRANCHES {
            return from.to_vec();
        }
        self.keep(from);
        Reach::new()
    }

    fn logical(&mut self, current: &[FieldId], condition: &mut Logical) {
        match condition {
            Logical::Any(parts) | Logical::All(parts) => {
                for part in parts {
                    self.logical(current, part);
                }
            }
            Logical::Not(part) => self.logical(current, part),
            Logical::Exists(query) => {
                self.query(current, query);
            }
            Logical::Compare(left, _, right) => {
                self.operand(current, left);
                self.operand(current, right);
            }
            Logical::Matches(matches) => self.matches(current, matches),
        }
    }

    fn matches(&mut self, current: &[FieldId], matches: &mut Matches) {
        self.operand(current, &mut matches.subject);
        if let Pattern::Computed(pattern) = &mut matches.pattern {
            self.operand(current, pattern);
        }
    }

    fn operand(&mut self, current: &[FieldId], operand: &mut Operand) {
        match operand {
            Operand::Literal(_) => {}
            Operand::Singular(query) | Operand::Value(query) => {
                let reach = self.query(current, query);
                self.keep(&reach);
            }
            Operand::Length(operand) => self.operand(current, operand),
            Operand::Count(query) => {
                self.query(current, query);
            }
        }
    }

    fn query(&mut self, current: &[FieldId], query: &mut Subquery) -> Reach {
        match &mut query.anchor {
            Anchor::Object(start) => {
                let reach = self.steps(vec![self.root], &mut query.steps);
                *start = take_names(self.root, &mut query.steps);
                reach
            }
            Anchor::Current => self.steps(current.to_vec(), &mut query.steps),
        }
    }

    fn kubectl(&mut self, from: &[FieldId], step: &mut KubectlStep) -> Reach {
        match step {
            KubectlStep::Members => {
                // The bytes of a string.
                for &field in from {
                    self.fields.keep_scalar(field);
                }
                self.each(from)
            }
            KubectlStep::Range(_) => self.each(from),
            KubectlStep::Where(condition) => {
                let items = self.each(from);
                self.condition(&items, condition);
                items
            }
            KubectlStep::Union(alternatives) => {
                let from = self.bounded(from, alternatives.len());
                let mut to = Reach::new();
                let mut kept = from.is_empty();
                for steps in alternatives {
                    let reach = self.steps(from.clone(), steps);
                    kept |= reach.is_empty();
                    to.extend(reach);
                }
                self.joined(to, kept)
            }
            KubectlStep::Descend => {
                self.keep(from);
                Reach::new()
            }
        }
    }

    /// Where alternatives come together of which some end in kept subtrees, all are kept: an empty reach says so.
    fn joined(&mut self, to: Reach, kept: bool) -> Reach {
        if kept {
            self.keep(&to);
            return Reach::new();
        }
        distinct(to)
    }

    fn condition(&mut self, current: &[FieldId], condition: &mut Condition) {
        match condition {
            Condition::Exists(steps) => {
                self.steps(current.to_vec(), steps);
            }
            Condition::Compare(left, _, right) => {
                for operand in [left, right] {
                    if let KubectlOperand::Steps(steps) = operand {
                        let reach = self.steps(current.to_vec(), steps);
                        self.keep(&reach);
                    }
                }
            }
        }
    }
}

/// Takes the names at the beginning of resolved steps, and gives the field that they lead to from `root`. It is never a
/// repeated one, so a row has its value in a slot.
pub(super) fn take_names(root: FieldId, steps: &mut Vec<Step>) -> FieldId {
    let names = steps.iter().take_while(|step| matches!(step, Step::Name(_))).count();
    steps.drain(..names).fold(root, |start, step| match step {
        Step::Name(Name { fields, .. }) => fields.first().copied().unwrap_or(start),
        _ => start,
    })
}

fn distinct(mut reach: Reach) -> Reach {
    reach.sort_unstable();
    reach.dedup();
    reach
}

//! Walks over the syntax of CEL.
//!
//! In: syntax. Out: what is known of every part, and findings. Must never know: fields of rows.

use super::super::StaticType;
use super::super::evaluate::{NO_INDEX, NO_KEY};
use super::super::syntax::{Syntax, SyntaxKind};
use super::place::name_at;
use super::seen::{Parted, Seen};
use super::{Faults, Item, Schema};

/// Looks at one expression.
pub(super) struct Fitter<'a> {
    pub(super) text: &'a str,
    pub(super) schema: &'a Schema,
    item: Option<&'a Item>,
    /// What is bound around the part that is being looked at, the innermost last.
    pub(super) variables: Vec<(String, Seen)>,
    pub(super) faults: Faults,
}

impl<'a> Fitter<'a> {
    pub(super) fn new(text: &'a str, item: Option<&'a Item>, schema: &'a Schema, faults: Faults) -> Self {
        Fitter { text, schema, item, variables: Vec::new(), faults }
    }

    /// Looks at a part. What hangs on its left is walked down in a loop: chains are the deepest part of an expression.
    pub(super) fn see(&mut self, syntax: &Syntax) -> Seen {
        let mut chain = Vec::new();
        let mut first = syntax;
        while let Some(left) = self.left_of(first) {
            chain.push(first);
            first = left;
        }
        let mut seen = self.begin(first);
        while let Some(syntax) = chain.pop() {
            seen = self.extend(syntax, seen);
        }
        seen
    }

    fn left_of<'s>(&self, syntax: &'s Syntax) -> Option<&'s Syntax> {
        match &syntax.kind {
            SyntaxKind::Select { operand, .. } | SyntaxKind::Index { operand, .. } => Some(operand),
            SyntaxKind::Arithmetic(_, operands)
            | SyntaxKind::Compare(_, operands)
            | SyntaxKind::In(operands) => Some(&operands[0]),
            SyntaxKind::Call(call) => self.receiver(call),
            SyntaxKind::Macro(each) => Some(&each.target),
            _ => None,
        }
    }

    /// A part that nothing hangs on the left of.
    fn begin(&mut self, syntax: &Syntax) -> Seen {
        match &syntax.kind {
            SyntaxKind::Literal(value) => Seen::of_kind(StaticType::of(value)),
            SyntaxKind::Identifier(name) => self.identifier(syntax.at, name),
            SyntaxKind::Has { operand, name } => self.has(operand, name),
            SyntaxKind::Call(call) => self.call(syntax.at, call, None),
            SyntaxKind::And(terms) | SyntaxKind::Or(terms) => {
                terms.iter().for_each(|term| self.truth(term));
                Seen::Kind(StaticType::Bool)
            }
            SyntaxKind::Not(operand) => {
                self.truth(operand);
                Seen::Kind(StaticType::Bool)
            }
            SyntaxKind::Negate(operand) => self.negate(syntax.at, operand),
            SyntaxKind::Conditional(parts) => self.conditional(parts),
            SyntaxKind::List(elements) => self.list(elements),
            SyntaxKind::Map(entries) => self.map(entries),
            SyntaxKind::Bind(bind) => self.bind(bind),
            _ => Seen::Anything,
        }
    }

    /// A part whose left was looked at already.
    fn extend(&mut self, syntax: &Syntax, left: Seen) -> Seen {
        let at = syntax.at;
        match &syntax.kind {
            SyntaxKind::Select { name, optional, .. } => {
                let part = left.member(name, self.schema);
                let place = name_at(self.text, at as usize, name).unwrap_or(at as usize);
                self.selected(place, part, *optional)
            }
            SyntaxKind::Index { index, optional, .. } => self.index(&left, index, *optional),
            SyntaxKind::Arithmetic(operator, operands) => {
                let right = self.see(&operands[1]);
                self.arithmetic(at, *operator, &left, &right)
            }
            SyntaxKind::Compare(comparison, operands) => {
                let right = self.see(&operands[1]);
                self.compare(at, *comparison, &left, &right)
            }
            SyntaxKind::In(operands) => self.contained(at, &left, &operands[1]),
            SyntaxKind::Call(call) => self.call(at, call, Some(left)),
            SyntaxKind::Macro(each) => self.each(each, &left),
            _ => Seen::Anything,
        }
    }

    fn identifier(&mut self, at: u32, name: &str) -> Seen {
        if let Some((_, seen)) = self.variables.iter().rev().find(|(known, _)| known == name) {
            return seen.clone();
        }
        match (name, self.item) {
            ("object", _) => Seen::root(),
            ("item", Some(item)) => item.value.clone(),
            ("index", Some(item)) => self.position(at, item.are_entries(), NO_INDEX, StaticType::Int),
            ("key", Some(item)) => self.position(at, item.are_elements(), NO_KEY, StaticType::String),
            _ => Seen::Anything,
        }
    }

    /// Where an item stands, if it can.
    fn position(&mut self, at: u32, is_missing: bool, missing: &str, kind: StaticType) -> Seen {
        if is_missing { self.faults.push(at as usize, missing.to_owned()) } else { Seen::Kind(kind) }
    }

    pub(super) fn is_variable(&self, name: &str) -> bool {
        let item = self.item.is_some() && matches!(name, "item" | "index" | "key");
        name == "object" || item || self.variables.iter().any(|(known, _)| known == name)
    }

    /// A selection or an index, which makes what it gives an optional if it is one itself.
    pub(super) fn selected(&mut self, at: usize, part: Parted, optional: bool) -> Seen {
        match part {
            Ok(seen @ Seen::Optional(_)) => seen,
            Ok(seen) if optional => Seen::optional(seen),
            Ok(seen) => seen,
            Err(message) if optional => self.faults.push_asked(at, message, self.schema),
            Err(message) => self.faults.push(at, message),
        }
    }

    /// A part that must be a bool.
    pub(super) fn truth(&mut self, syntax: &Syntax) {
        let seen = self.see(syntax);
        if !seen.may_be(StaticType::Bool, self.schema) {
            let message = seen.contradicting("expected a bool", self.schema);
            self.faults.push(self.place_of(syntax), message);
        }
    }

    /// Looks at a part in which variables are bound.
    pub(super) fn inside<T>(&mut self, bound: Vec<(String, Seen)>, part: impl FnOnce(&mut Self) -> T) -> T {
        let outer = self.variables.len();
        self.variables.extend(bound);
        let seen = part(self);
        self.variables.truncate(outer);
        seen
    }
}

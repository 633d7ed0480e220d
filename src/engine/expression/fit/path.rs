//! Presence and indices.
//!
//! In: `has(…)` and `[…]`. Out: what they give. Must never know: functions.

use super::super::StaticType;
use super::super::syntax::{Syntax, SyntaxKind};
use super::super::value::Value;
use super::cel::Fitter;
use super::place::name_at;
use super::seen::Seen;

impl Fitter<'_> {
    /// `has(operand.name)`
    pub(super) fn has(&mut self, operand: &Syntax, name: &str) -> Seen {
        let seen = self.see(operand);
        if let Err(message) = seen.member(name, self.schema) {
            let from = self.end_of(operand);
            let at = name_at(self.text, from, name).unwrap_or(operand.at as usize);
            self.faults.push_asked(at, message, self.schema);
        }
        Seen::Kind(StaticType::Bool)
    }

    /// `operand[index]`, `operand[?index]`
    pub(super) fn index(&mut self, operand: &Seen, index: &Syntax, optional: bool) -> Seen {
        let at = self.place_of(index);
        if let SyntaxKind::Literal(Value::String(name)) = &index.kind {
            let part = operand.member(name.as_str(), self.schema);
            return self.selected(at, part, optional);
        }
        let seen = self.see(index);
        let kinds = seen.kinds(self.schema);
        let part = if kinds.iter().all(|kind| kind.is_number()) {
            operand.at_number(self.schema)
        } else if kinds.iter().all(|kind| *kind == StaticType::String) {
            operand.at_text(self.schema)
        } else {
            operand.at_any(self.schema)
        };
        self.selected(at, part, optional)
    }

    /// Where a reader looks for a part: at the last name of a chain of selections.
    pub(super) fn place_of(&self, syntax: &Syntax) -> usize {
        let at = syntax.at as usize;
        match &syntax.kind {
            SyntaxKind::Select { name, .. } => name_at(self.text, at, name).unwrap_or(at),
            _ => at,
        }
    }

    /// A place behind which nothing of an operand stands.
    fn end_of(&self, operand: &Syntax) -> usize {
        let at = operand.at as usize;
        match &operand.kind {
            SyntaxKind::Select { name, .. } | SyntaxKind::Identifier(name) => {
                name_at(self.text, at, name).map_or(at, |start| start + name.len())
            }
            SyntaxKind::Index { index, .. } => self.end_of(index),
            _ => at,
        }
    }
}

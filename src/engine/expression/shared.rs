//! Equal expressions of several metrics are one.
//!
//! In: formulas to compile for one source. Out: expressions, compiled anew only where no live plan has the same one:
//! metrics made from one template then share what they evaluate, in time to compile and in the processor's caches. Must
//! never know: metrics.

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use super::{Condition, Demand, Expression, Program, Scope, StaticType};
use crate::definition::{Formula, Language};
use crate::error::CompileError;
use crate::hash::Keyed;
use crate::row::{FieldId, FieldRecorder, FieldUses, HashSeed};

/// The expressions of the live plans of one source.
///
/// Invariant: an entry can be had as long as some plan holds its expression, and as long as its fields keep their numbers.
#[derive(Debug)]
pub(crate) struct SharedExpressions {
    by_text: HashMap<Key, Entry, Keyed>,
    /// From this many entries on, those that nobody holds are dropped.
    sweep_at: usize,
}

/// What makes two formulas one expression.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Key {
    language: Language,
    text: Box<str>,
    scope: Scope,
    demand: Demand,
}

/// An expression that is held elsewhere, and what it reads.
#[derive(Debug)]
struct Entry {
    program: Weak<Program>,
    kind: StaticType,
    elements: Option<FieldId>,
    conditions: Weak<[Condition]>,
    uses: FieldUses,
}

const FEW: usize = 64;

impl SharedExpressions {
    pub(crate) fn new(seed: HashSeed) -> Self {
        SharedExpressions { by_text: HashMap::with_hasher(Keyed(seed)), sweep_at: FEW }
    }

    /// As [`Expression::compile`].
    pub(crate) fn compile(
        &mut self,
        formula: &Formula,
        scope: &Scope,
        demand: Demand,
        fields: &mut FieldRecorder<'_>,
    ) -> Result<Expression, CompileError> {
        let key =
            Key { language: formula.language, text: formula.text.as_str().into(), scope: *scope, demand };
        if let Some((expression, uses)) = self.by_text.get(&key).and_then(Entry::get) {
            fields.repeat(uses);
            return Ok(expression);
        }
        let before = fields.mark();
        let expression = Expression::compile(formula, scope, demand, fields)?;
        self.sweep();
        self.by_text.insert(key, Entry::new(&expression, fields.since(before)));
        Ok(expression)
    }

    /// How many entries are held by a plan.
    pub(crate) fn live(&self) -> usize {
        self.by_text.values().filter(|entry| entry.get().is_some()).count()
    }

    fn sweep(&mut self) {
        if self.by_text.len() >= self.sweep_at {
            self.by_text.retain(|_, entry| entry.get().is_some());
            self.sweep_at = FEW.max(2 * self.by_text.len());
        }
    }
}

impl Entry {
    fn new(expression: &Expression, uses: FieldUses) -> Self {
        Entry {
            program: Arc::downgrade(&expression.program),
            kind: expression.kind,
            elements: expression.elements,
            conditions: Arc::downgrade(&expression.conditions),
            uses,
        }
    }

    fn get(&self) -> Option<(Expression, &FieldUses)> {
        let (program, conditions) = (self.program.upgrade()?, self.conditions.upgrade()?);
        Some((Expression { program, kind: self.kind, elements: self.elements, conditions }, &self.uses))
    }
}

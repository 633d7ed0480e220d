//! Equal expressions of several metrics are one, and so are equal parts of them.
//!
//! In: formulas to compile for one source. Out: expressions, compiled anew only where no live plan has the same one, and
//! with parts in common: metrics made from one template then share what they evaluate, in time to compile, in the
//! processor's caches, and for one event in what comes out. Must never know: metrics.

mod identity;
mod parts;

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use super::tree::Part;
use super::{Condition, Demand, Expression, Program, Scope, StaticType};
use crate::definition::{Formula, Language};
use crate::error::CompileError;
use crate::hash::Keyed;
use crate::row::{FieldId, FieldRecorder, FieldUses, HashSeed};
use parts::Parts;

/// The expressions of the live plans of one source.
///
/// Invariant: an entry can be had as long as some plan holds its expression, and as long as its fields keep their numbers.
#[derive(Debug)]
pub(crate) struct SharedExpressions {
    by_text: HashMap<Key, Entry, Keyed>,
    parts: Parts,
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
    patterns_kib: usize,
    /// What of it depends on the object alone and is worth remembering; none for a path.
    outermost: Vec<Weak<Part>>,
}

/// Fewer entries than this are never looked through for those that nobody holds.
const FEW: usize = 64;

impl SharedExpressions {
    pub(crate) fn new(seed: HashSeed) -> Self {
        SharedExpressions {
            by_text: HashMap::with_hasher(Keyed(seed)),
            parts: Parts::new(seed),
            sweep_at: FEW,
        }
    }

    /// As [`Expression::compile`].
    ///
    /// # Errors
    /// Every defect, in the order of the text.
    pub(crate) fn compile(
        &mut self,
        formula: &Formula,
        scope: &Scope,
        demand: Demand,
        fields: &mut FieldRecorder<'_>,
    ) -> Result<Expression, Vec<CompileError>> {
        let key =
            Key { language: formula.language, text: formula.text.as_str().into(), scope: *scope, demand };
        if let Some(entry) = self.by_text.get(&key)
            && let Some(expression) = entry.get()
        {
            entry.meet_again(&expression);
            fields.repeat(&entry.uses);
            return Ok(expression);
        }
        let before = fields.mark();
        let mut outermost = Vec::new();
        let share = |tree: &mut _| outermost = self.parts.share(tree);
        let expression = Expression::compile_with(formula, scope, demand, fields, share)?;
        self.sweep();
        self.by_text.insert(key, Entry::new(&expression, fields.since(before), outermost));
        Ok(expression)
    }

    /// How many entries are held by a plan.
    pub(crate) fn live(&self) -> usize {
        self.by_text.values().filter(|entry| entry.get().is_some()).count() + self.parts.live()
    }

    fn sweep(&mut self) {
        if self.by_text.len() >= self.sweep_at {
            self.by_text.retain(|_, entry| entry.get().is_some());
            self.sweep_at = FEW.max(2 * self.by_text.len());
        }
    }
}

impl Entry {
    fn new(expression: &Expression, uses: FieldUses, outermost: Vec<Weak<Part>>) -> Self {
        Entry {
            program: Arc::downgrade(&expression.program),
            kind: expression.kind,
            elements: expression.elements,
            conditions: Arc::downgrade(&expression.conditions),
            uses,
            patterns_kib: expression.patterns_kib,
            outermost,
        }
    }

    fn get(&self) -> Option<Expression> {
        let (program, conditions) = (self.program.upgrade()?, self.conditions.upgrade()?);
        let Entry { kind, elements, patterns_kib, .. } = *self;
        Some(Expression { program, kind, elements, conditions, patterns_kib })
    }

    /// One more plan has the expression.
    fn meet_again(&self, expression: &Expression) {
        if let Program::Query(_, mark) = &*expression.program {
            mark.meet_again();
        }
        self.outermost.iter().filter_map(Weak::upgrade).for_each(|part| part.mark.meet_again());
    }
}

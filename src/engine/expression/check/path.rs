//! Selections, indices and presence: which field of the row a chain of them is.
//!
//! In: the syntax of a chain. Out: a place, or a path over a value that was kept whole. Must never know: functions.

use super::super::Value;
use super::super::fault::{Checked, fault};
use super::super::syntax::{Syntax, SyntaxKind};
use super::super::tree::{Base, Path, Step, Tree};
use super::super::types::StaticType;
use super::{Checker, Need, Operand, Place, Typed};

impl Checker<'_, '_> {
    /// `a.b.c` as one name, if `a` is no variable.
    pub(super) fn qualified_name(&self, syntax: &Syntax) -> Option<String> {
        match &syntax.kind {
            SyntaxKind::Identifier(name) if !self.is_variable(name) => Some(name.clone()),
            SyntaxKind::Select { operand, name, optional: false } => {
                Some(format!("{}.{name}", self.qualified_name(operand)?))
            }
            _ => None,
        }
    }

    /// `operand.name`, `operand.?name`
    pub(super) fn member(
        &mut self,
        at: u32,
        operand: Operand,
        name: &str,
        optional: bool,
    ) -> Checked<Operand> {
        match operand {
            Operand::Place(place) => Ok(Operand::Place(self.member_of(place, name, optional))),
            Operand::Value(typed) => {
                if !matches!(typed.kind, StaticType::Dyn | StaticType::Map | StaticType::Optional) {
                    let message = format!("a {} has no fields to select from", typed.kind.name());
                    return Err(fault(at, message));
                }
                Ok(Operand::Value(extend(typed, Step::Member { field: None, name: name.into() }, optional)))
            }
        }
    }

    fn member_of(&mut self, place: Place, name: &str, optional: bool) -> Place {
        let Place { mut path, field } = place;
        let field = self.fields.member(field, name);
        let is_known = path.slot.is_some();
        path.push(Step::Member { field: Some(field), name: name.into() }, optional);
        path.slot = is_known.then_some(field);
        Place { path, field }
    }

    /// `has(operand.name)`
    pub(super) fn has(&mut self, operand: &Syntax, name: &str) -> Checked<Typed> {
        let at = operand.at;
        let operand = self.operand(operand);
        let path = match self.member(at, operand, name, false)? {
            Operand::Place(place) => place.path,
            Operand::Value(Typed { tree: Tree::Path(path), .. }) => *path,
            Operand::Value(typed) => Path::over(typed.tree),
        };
        // A selection from a constant may have been folded away: then it exists.
        if path.steps.is_empty() {
            return Ok(Typed::constant(Value::Bool(true)));
        }
        Ok(Typed::new(Tree::Has(Box::new(path)), StaticType::Bool))
    }

    /// `operand[index]`, `operand[?index]`
    pub(super) fn index(&mut self, operand: Operand, index: &Syntax, optional: bool) -> Checked<Operand> {
        let at = index.at;
        if let SyntaxKind::Literal(literal) = &index.kind {
            match (operand, literal) {
                // On a list a name is an error whichever way it is written.
                (Operand::Place(place), Value::String(name)) => {
                    return Ok(Operand::Place(self.member_of(place, name.as_str(), optional)));
                }
                (Operand::Place(place), Value::Int(_) | Value::Uint(_)) => {
                    let Place { mut path, field } = place;
                    let field = self.fields.each(field);
                    path.push(Step::Index(Tree::Constant(literal.clone())), optional);
                    return Ok(Operand::Place(Place { path, field }));
                }
                (operand, _) => return self.index_value(at, operand, index, optional),
            }
        }
        self.index_value(at, operand, index, optional)
    }

    fn index_value(&mut self, at: u32, operand: Operand, index: &Syntax, optional: bool) -> Checked<Operand> {
        let operand = self.whole(operand);
        let index = self.value(index, Need::Whole);
        let fits = match operand.kind {
            StaticType::Dyn | StaticType::Map | StaticType::Optional => true,
            StaticType::List => index.kind == StaticType::Dyn || index.kind.is_number(),
            _ => false,
        };
        if !fits {
            let (operand, index) = (operand.kind.name(), index.kind.name());
            return Err(fault(at, format!("no such overload: {operand}[{index}]")));
        }
        Ok(Operand::Value(extend(operand, Step::Index(index.tree), optional)))
    }
}

/// One more step from a value.
fn extend(typed: Typed, step: Step, optional: bool) -> Typed {
    let mut path = match typed.tree {
        Tree::Path(path) => *path,
        tree => Path::over(tree),
    };
    path.push(step, optional);
    let optional = path.optional_from.is_some() || typed.kind == StaticType::Optional;
    let kind = if optional { StaticType::Optional } else { StaticType::Dyn };
    Typed { tree: Tree::Path(Box::new(path)), kind }
}

impl Path {
    fn over(tree: Tree) -> Path {
        Path { base: Base::Value(tree), steps: Vec::new(), optional_from: None, slot: None, start: None }
    }

    /// One step more, which the row does not hold the end of for all that is known here.
    fn push(&mut self, step: Step, optional: bool) {
        if let Some(slot) = self.slot.take() {
            self.start = Some((slot, self.steps.len()));
        }
        if optional {
            self.optional_from.get_or_insert(self.steps.len());
        }
        self.steps.push(step);
    }
}

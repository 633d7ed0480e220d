//! Selections, indices and presence: which field of the row a chain of them is.
//!
//! In: the syntax of a chain. Out: a place, or a path over a value that was kept whole. Must never know: functions.

use super::super::Value;
use super::super::fault::{Checked, fault};
use super::super::syntax::{Arithmetic, Syntax, SyntaxKind};
use super::super::tree::{Base, Path, Step, Tree};
use super::super::types::{StaticType, type_named};
use super::{Checker, Need, Operand, Place, Typed};

/// Maps of Kubernetes' objects whose keys are labels or resources, such as `app.kubernetes.io/name` and `amd.com/gpu`.
const HAS_DOTTED_KEYS: [&str; 10] = [
    "labels",
    "annotations",
    "matchLabels",
    "nodeSelector",
    "limits",
    "requests",
    "capacity",
    "allocatable",
    "hard",
    "used",
];

/// Of a longer key nobody would recognise what is suggested.
const LONGEST_KEY: usize = 64;

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

    /// What `labels.app-name` and `labels.app.kubernetes.io/name` are probably meant to be, added to the first fault since
    /// there were `before` of them: that there is no such variable. Around a sign that is meant as one most people write
    /// blanks.
    pub(super) fn suggest_key(&mut self, before: usize, computed: &Syntax) {
        let SyntaxKind::Arithmetic(_, operands) = &computed.kind else { return };
        let is_tight = first_of(&operands[1]).at == computed.at + 1;
        if self.faults.len() <= before || !is_tight {
            return;
        }
        if let Some((map, key)) = self.key_of(computed)
            && key.len() <= LONGEST_KEY
        {
            self.faults[before].message += &format!(" (if a key is meant: {map}['{key}'])");
        }
    }

    /// The map and the key that a chain of selections ends in, if the signs in it are those of a name. Behind what is known to
    /// have keys with dots all names are one key.
    fn key_of<'s>(&self, chain: &'s Syntax) -> Option<(&'s str, String)> {
        match &chain.kind {
            SyntaxKind::Arithmetic(operator @ (Arithmetic::Subtract | Arithmetic::Divide), operands) => {
                let end = self.qualified_name(&operands[1]).filter(|name| !begins_with_a_type(name))?;
                let (map, begin) = self.key_of(&operands[0])?;
                Some((map, format!("{begin}{}{end}", operator.symbol())))
            }
            SyntaxKind::Select { operand, name, optional: false } => {
                let SyntaxKind::Select { name: map, .. } = &operand.kind else { return None };
                match self.key_of(operand) {
                    Some((map, begin)) if HAS_DOTTED_KEYS.contains(&map) => {
                        Some((map, format!("{begin}.{name}")))
                    }
                    _ => Some((map, name.clone())),
                }
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

/// What a chain of selections hangs on.
fn first_of(chain: &Syntax) -> &Syntax {
    let mut first = chain;
    while let SyntaxKind::Select { operand, .. } = &first.kind {
        first = operand;
    }
    first
}

/// Of types that stand where a value must, something else is wrong than that nobody knows them.
fn begins_with_a_type(name: &str) -> bool {
    name.split('.').next().is_some_and(|first| type_named(first).is_some())
}

//! Resolves names, checks arity and types, folds constants, and records which fields are read.
//!
//! In: syntax, the variables in scope, the field plan. Out: a tree, or the first defect with its place. Must never know:
//! languages, rows.
//!
//! A chain of selections stays a *place* for as long as it can, so that only what is asked of its end (presence,
//! elements, a scalar, all of it) is recorded.

mod call;
mod each;
mod conditions;
mod fold;
mod operators;
mod path;
mod suggest;

pub(super) use conditions::conditions;
pub(super) use operators::signatures;
pub(super) use suggest::suggestion;

use super::fault::{Checked, fault};
use super::patterns::Patterns;
use super::syntax::{Syntax, SyntaxKind};
use super::tree::{Base, Path, Tree};
use super::types::{StaticType, type_named};
use super::{Demand, ItemScope, Scope};
use crate::row::{FieldId, FieldRecorder};

/// A checked expression.
pub(super) struct Resolved {
    pub(super) tree: Tree,
    pub(super) kind: StaticType,
    /// The field of the result's elements, if they were asked for and lie in the row.
    pub(super) elements: Option<FieldId>,
    /// What its compiled patterns take together.
    pub(super) patterns_kib: usize,
}

/// Checks an expression.
///
/// # Errors
/// The first thing that is wrong with it.
pub(super) fn check(
    syntax: &Syntax,
    scope: &Scope,
    demand: Demand,
    fields: &mut FieldRecorder<'_>,
) -> Checked<Resolved> {
    let mut checker = Checker::new(fields);
    (checker.has_object, checker.item) = (true, scope.item);
    let operand = checker.operand(syntax)?;
    let (typed, elements) = match demand {
        Demand::Elements => checker.elements(operand),
        Demand::Whole => (checker.whole(operand), None),
    };
    Ok(Resolved { tree: typed.tree, kind: typed.kind, elements, patterns_kib: checker.patterns.kibibytes() })
}

/// Checks an expression that sees these variables, each a field of the row, and nothing else.
///
/// # Errors
/// The first thing that is wrong with it.
pub(super) fn check_standalone(
    syntax: &Syntax,
    declared: &[(Box<str>, FieldId)],
    fields: &mut FieldRecorder<'_>,
) -> Checked<Resolved> {
    let variable = |(name, field): &(Box<str>, FieldId)| Variable {
        name: name.to_string(),
        field: Some(*field),
        kind: StaticType::Dyn,
    };
    let mut checker = Checker::new(fields);
    checker.variables = declared.iter().map(variable).collect();
    let operand = checker.operand(syntax)?;
    let typed = checker.whole(operand);
    Ok(Resolved {
        tree: typed.tree,
        kind: typed.kind,
        elements: None,
        patterns_kib: checker.patterns.kibibytes(),
    })
}

struct Checker<'c, 'p> {
    fields: &'c mut FieldRecorder<'p>,
    /// Whether there is an object.
    has_object: bool,
    item: Option<ItemScope>,
    /// Of the loops around the part that is being checked, the innermost last.
    variables: Vec<Variable>,
    patterns: Patterns,
}

/// A variable that the expression binds, or that an embedder gives.
struct Variable {
    name: String,
    /// Which field of the row it is, if it is one.
    field: Option<FieldId>,
    kind: StaticType,
}

/// A part of an expression of which it is not decided yet what is needed.
enum Operand {
    Place(Place),
    Value(Typed),
}

/// A field of the row.
struct Place {
    path: Path,
    field: FieldId,
}

/// A part of a tree, and what is known of its value.
struct Typed {
    tree: Tree,
    kind: StaticType,
}

/// What selects an operand's demand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Need {
    /// All of it.
    Whole,
    /// Its value if it is a scalar, else its kind.
    Scalar,
    /// The same, and the number of its elements.
    Length,
}

impl<'c, 'p> Checker<'c, 'p> {
    /// Of an expression that sees nothing.
    fn new(fields: &'c mut FieldRecorder<'p>) -> Self {
        let patterns = Patterns::default();
        Checker { fields, has_object: false, item: None, variables: Vec::new(), patterns }
    }
}

impl Checker<'_, '_> {
    /// Checks a part, without asking for anything yet. What hangs on its left is walked down in a loop: chains are the
    /// deepest part of an expression.
    fn operand(&mut self, syntax: &Syntax) -> Checked<Operand> {
        let mut chain = Vec::new();
        let mut first = syntax;
        while let Some(left) = self.left_of(first) {
            chain.push(first);
            first = left;
        }
        let mut operand = self.begin(first)?;
        while let Some(syntax) = chain.pop() {
            operand = self.extend(syntax, operand)?;
        }
        Ok(operand)
    }

    /// What a part hangs on, unless it must be seen as a whole: a qualified name, the size of a filter.
    fn left_of<'s>(&self, syntax: &'s Syntax) -> Option<&'s Syntax> {
        match &syntax.kind {
            SyntaxKind::Select { operand, .. } => {
                let is_one_name = |name: String| self.is_variable(&name) || type_named(&name).is_some();
                (!self.qualified_name(syntax).is_some_and(is_one_name)).then_some(&**operand)
            }
            SyntaxKind::Index { operand, .. } => Some(operand),
            SyntaxKind::Arithmetic(_, operands)
            | SyntaxKind::Compare(_, operands)
            | SyntaxKind::In(operands) => Some(&operands[0]),
            SyntaxKind::Call(call) => self.receiver(call),
            SyntaxKind::Macro(each) => Some(&each.target),
            _ => None,
        }
    }

    /// A part that nothing hangs on the left of.
    fn begin(&mut self, syntax: &Syntax) -> Checked<Operand> {
        let typed = match &syntax.kind {
            SyntaxKind::Literal(value) => Typed::constant(value.clone()),
            SyntaxKind::Identifier(name) => return self.identifier(syntax.at, name),
            SyntaxKind::Has { operand, name } => self.has(operand, name)?,
            SyntaxKind::Call(call) => self.call(syntax.at, call, None)?,
            SyntaxKind::And(terms) => self.terms(terms, false)?,
            SyntaxKind::Or(terms) => self.terms(terms, true)?,
            SyntaxKind::Not(operand) => self.not(operand)?,
            SyntaxKind::Negate(operand) => self.negate(syntax.at, operand)?,
            SyntaxKind::Conditional(parts) => self.conditional(parts)?,
            SyntaxKind::List(elements) => self.list(elements)?,
            SyntaxKind::Map(entries) => self.map(entries)?,
            SyntaxKind::Bind(bind) => return self.bind(bind),
            _ => match self.qualified_name(syntax) {
                // A type, or a variable that an embedder gave a name with dots.
                Some(name) => return self.identifier(syntax.at, &name),
                None => return Err(fault(syntax.at, "syntax error")),
            },
        };
        Ok(Operand::Value(typed))
    }

    /// A part whose left is checked already.
    fn extend(&mut self, syntax: &Syntax, left: Operand) -> Checked<Operand> {
        let at = syntax.at;
        let typed = match &syntax.kind {
            SyntaxKind::Select { name, optional, .. } => return self.member(at, left, name, *optional),
            SyntaxKind::Index { index, optional, .. } => return self.index(left, index, *optional),
            SyntaxKind::Arithmetic(operator, operands) => {
                self.arithmetic(at, *operator, left, &operands[1])?
            }
            SyntaxKind::Compare(comparison, operands) => self.compare(at, *comparison, left, &operands[1])?,
            SyntaxKind::In(operands) => self.contained(at, left, &operands[1])?,
            SyntaxKind::Call(call) => self.call(at, call, Some(left))?,
            SyntaxKind::Macro(each) => self.each(each, left, false)?,
            _ => return Err(fault(at, "syntax error")),
        };
        Ok(Operand::Value(typed))
    }

    /// Checks a part whose value is needed.
    fn value(&mut self, syntax: &Syntax, need: Need) -> Checked<Typed> {
        let operand = self.operand(syntax)?;
        Ok(self.need(operand, need))
    }

    fn need(&mut self, operand: Operand, need: Need) -> Typed {
        match (operand, need) {
            (Operand::Value(typed), _) => typed,
            (Operand::Place(place), Need::Whole) => {
                self.fields.keep(place.field);
                place.read()
            }
            (Operand::Place(place), Need::Scalar) => {
                self.fields.keep_scalar(place.field);
                place.read()
            }
            (Operand::Place(place), Need::Length) => {
                self.fields.keep_scalar(place.field);
                self.fields.each(place.field);
                place.read()
            }
        }
    }

    fn whole(&mut self, operand: Operand) -> Typed {
        self.need(operand, Need::Whole)
    }

    /// An operand whose elements are needed one by one, and their field if they lie in the row.
    fn elements(&mut self, operand: Operand) -> (Typed, Option<FieldId>) {
        match operand {
            Operand::Place(place) if place.path.optional_from.is_none() => {
                let each = self.fields.each(place.field);
                (place.read(), Some(each))
            }
            operand => (self.whole(operand), None),
        }
    }

    /// A part that must be a bool.
    fn truth(&mut self, syntax: &Syntax) -> Checked<Tree> {
        let typed = self.value(syntax, Need::Scalar)?;
        if !typed.kind.may_be(StaticType::Bool) {
            return Err(fault(syntax.at, format!("expected a bool, found {}", typed.kind.name())));
        }
        Ok(typed.tree)
    }

    fn identifier(&mut self, at: u32, name: &str) -> Checked<Operand> {
        let depth = self.variables.iter().rev().position(|variable| variable.name == name);
        if let Some(depth) = depth {
            let variable = &self.variables[self.variables.len() - 1 - depth];
            let (field, kind) = (variable.field, variable.kind);
            return Ok(from_base(Base::Variable(depth), field, None, kind));
        }
        Ok(match (name, self.item) {
            ("object", _) if self.has_object => {
                from_base(Base::Object, Some(FieldId::ROOT), Some(FieldId::ROOT), StaticType::Map)
            }
            ("item", Some(ItemScope::Field(field))) => {
                from_base(Base::Item, Some(field), None, StaticType::Dyn)
            }
            ("item", Some(ItemScope::Computed)) => from_base(Base::Item, None, None, StaticType::Dyn),
            ("index", Some(_)) => from_base(Base::ItemIndex, None, None, StaticType::Int),
            ("key", Some(_)) => from_base(Base::ItemKey, None, None, StaticType::String),
            _ => match type_named(name) {
                Some(value) => Operand::Value(Typed::constant(value)),
                None => return Err(fault(at, self.undeclared(name))),
            },
        })
    }

    fn undeclared(&self, name: &str) -> String {
        let loops = self.variables.iter().map(|variable| variable.name.as_str());
        let items: &[&str] = if self.item.is_some() { &["item", "index", "key"] } else { &[] };
        let object = self.has_object.then_some("object");
        let known = loops.chain(object).chain(items.iter().copied());
        format!("undeclared reference to '{name:.64}'{}", suggest::suggestion(name, known))
    }

    fn is_variable(&self, name: &str) -> bool {
        let item = self.item.is_some() && matches!(name, "item" | "index" | "key");
        (self.has_object && name == "object")
            || item
            || self.variables.iter().any(|variable| variable.name == name)
    }
}

fn from_base(base: Base, field: Option<FieldId>, slot: Option<FieldId>, kind: StaticType) -> Operand {
    let path = Path { base, steps: Vec::new(), optional_from: None, slot, start: None };
    match field {
        Some(field) => Operand::Place(Place { path, field }),
        None => Operand::Value(Typed { tree: Tree::Path(Box::new(path)), kind }),
    }
}

impl Typed {
    fn new(tree: Tree, kind: StaticType) -> Typed {
        match fold::fold(tree) {
            Tree::Constant(value) => Typed::constant(value),
            tree => Typed { tree, kind },
        }
    }

    fn constant(value: super::Value<'static>) -> Typed {
        let kind = StaticType::of(&value);
        Typed { tree: Tree::Constant(value), kind }
    }
}

impl Place {
    fn read(self) -> Typed {
        let kind = if self.path.optional_from.is_some() { StaticType::Optional } else { StaticType::Dyn };
        Typed { tree: Tree::Path(Box::new(self.path)), kind }
    }
}

//! Resolves names, checks arity and types, folds constants, and records which fields are read.
//!
//! In: syntax, the variables in scope, the field plan. Out: a tree, or every defect with its place. Must never know:
//! languages, rows.
//!
//! A part that is wrong counts as one of which nothing is known, so that what is wrong with others is found too and nothing
//! follows from it.
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

use super::fault::{Checked, Fault, fault};
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
/// What is wrong with it, in the order of the text; never nothing.
pub(super) fn check(
    syntax: &Syntax,
    scope: &Scope,
    demand: Demand,
    fields: &mut FieldRecorder<'_>,
) -> Result<Resolved, Vec<Fault>> {
    let mut checker = Checker::new(fields);
    (checker.has_object, checker.item) = (true, scope.item);
    let operand = checker.operand(syntax);
    let (typed, elements) = match demand {
        Demand::Elements => checker.elements(operand),
        Demand::Whole => (checker.whole(operand), None),
    };
    checker.finish(typed, elements)
}

/// Checks an expression that sees these variables, each a field of the row, and nothing else.
///
/// # Errors
/// As [`check`].
pub(super) fn check_standalone(
    syntax: &Syntax,
    declared: &[(Box<str>, FieldId)],
    fields: &mut FieldRecorder<'_>,
) -> Result<Resolved, Vec<Fault>> {
    let variable = |(name, field): &(Box<str>, FieldId)| Variable {
        name: name.to_string(),
        field: Some(*field),
        kind: StaticType::Dyn,
    };
    let mut checker = Checker::new(fields);
    checker.variables = declared.iter().map(variable).collect();
    let operand = checker.operand(syntax);
    let typed = checker.whole(operand);
    checker.finish(typed, None)
}

struct Checker<'c, 'p> {
    fields: &'c mut FieldRecorder<'p>,
    /// Whether there is an object.
    has_object: bool,
    item: Option<ItemScope>,
    /// Of the loops around the part that is being checked, the innermost last.
    variables: Vec<Variable>,
    patterns: Patterns,
    /// What is wrong so far.
    faults: Vec<Fault>,
}

/// So much that is wrong with one expression is told.
const MOST_FAULTS: usize = 20;

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
        Checker { fields, has_object: false, item: None, variables: Vec::new(), patterns, faults: Vec::new() }
    }

    fn finish(mut self, typed: Typed, elements: Option<FieldId>) -> Result<Resolved, Vec<Fault>> {
        if self.faults.is_empty() {
            let patterns_kib = self.patterns.kibibytes();
            return Ok(Resolved { tree: typed.tree, kind: typed.kind, elements, patterns_kib });
        }
        self.faults.sort_by_key(|fault| fault.at);
        Err(self.faults)
    }
}

impl Checker<'_, '_> {
    /// Checks a part, without asking for anything yet. What hangs on its left is walked down in a loop: chains are the
    /// deepest part of an expression. What is wrong with it is noted.
    fn operand(&mut self, syntax: &Syntax) -> Operand {
        if self.faults.len() == MOST_FAULTS {
            return Operand::Value(Typed::unknown());
        }
        let mut chain = Vec::new();
        let mut first = syntax;
        while let Some(left) = self.left_of(first) {
            chain.push(first);
            first = left;
        }
        let begun = self.begin(first);
        let mut operand = self.known(begun);
        while let Some(syntax) = chain.pop() {
            let extended = self.extend(syntax, operand);
            operand = self.known(extended);
        }
        operand
    }

    /// A part, or if it is wrong one of which nothing is known.
    fn known(&mut self, part: Checked<Operand>) -> Operand {
        part.unwrap_or_else(|fault| {
            self.note(fault);
            Operand::Value(Typed::unknown())
        })
    }

    fn note(&mut self, fault: Fault) {
        if self.faults.len() < MOST_FAULTS {
            self.faults.push(fault);
        }
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
            SyntaxKind::And(terms) => self.terms(terms, false),
            SyntaxKind::Or(terms) => self.terms(terms, true),
            SyntaxKind::Not(operand) => self.not(operand),
            SyntaxKind::Negate(operand) => self.negate(syntax.at, operand)?,
            SyntaxKind::Conditional(parts) => self.conditional(parts),
            SyntaxKind::List(elements) => self.list(elements),
            SyntaxKind::Map(entries) => self.map(entries),
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
                let before = self.faults.len();
                let typed = self.arithmetic(at, *operator, left, &operands[1]);
                self.suggest_key(before, syntax);
                typed?
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
    fn value(&mut self, syntax: &Syntax, need: Need) -> Typed {
        let operand = self.operand(syntax);
        self.need(operand, need)
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
    fn truth(&mut self, syntax: &Syntax) -> Tree {
        let typed = self.value(syntax, Need::Scalar);
        if !typed.kind.may_be(StaticType::Bool) {
            self.note(fault(syntax.at, format!("expected a bool, found {}", typed.kind.name())));
            return Typed::unknown().tree;
        }
        typed.tree
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
    /// In the place of what is wrong; it is never evaluated.
    fn unknown() -> Typed {
        let (base, steps) = (Base::ItemIndex, Vec::new());
        let path = Path { base, steps, optional_from: None, slot: None, start: None };
        Typed { tree: Tree::Path(Box::new(path)), kind: StaticType::Dyn }
    }

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

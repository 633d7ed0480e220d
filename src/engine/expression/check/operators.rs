//! Operators and literals: types, and the shapes that have a node of their own.
//!
//! In: operators with their operands. Out: typed trees. Must never know: functions, macros.

use super::super::Value;
use super::super::fault::{Checked, fault};
use super::super::literal::LiteralText;
use super::super::syntax::{Arithmetic, Comparison, Syntax, SyntaxKind};
use super::super::tree::{FieldIs, LiteralSet, Tree};
use super::super::types::StaticType::{self, Bool, Bytes, Double, Duration, Int, List, Timestamp, Uint};
use super::{Checker, Need, Operand, Typed, fold};

/// What `+` takes and gives.
const ADD: &[[StaticType; 3]] = &[
    [Int, Int, Int],
    [Uint, Uint, Uint],
    [Double, Double, Double],
    [StaticType::String, StaticType::String, StaticType::String],
    [Bytes, Bytes, Bytes],
    [List, List, List],
    [Timestamp, Duration, Timestamp],
    [Duration, Timestamp, Timestamp],
    [Duration, Duration, Duration],
];

/// What `-` takes and gives.
const SUBTRACT: &[[StaticType; 3]] = &[
    [Int, Int, Int],
    [Uint, Uint, Uint],
    [Double, Double, Double],
    [Timestamp, Timestamp, Duration],
    [Timestamp, Duration, Timestamp],
    [Duration, Duration, Duration],
];

/// What `*` and `/` take and give; `%` only the first two.
const MULTIPLY: &[[StaticType; 3]] = &[[Int, Int, Int], [Uint, Uint, Uint], [Double, Double, Double]];

/// What an operator takes and gives.
pub(in super::super) fn signatures(operator: Arithmetic) -> &'static [[StaticType; 3]] {
    match operator {
        Arithmetic::Add => ADD,
        Arithmetic::Subtract => SUBTRACT,
        Arithmetic::Multiply | Arithmetic::Divide => MULTIPLY,
        Arithmetic::Remainder => &MULTIPLY[..2],
    }
}

impl Checker<'_, '_> {
    /// `a && b`, or `a || b` where `decisive` is true.
    pub(super) fn terms(&mut self, terms: &[Syntax], decisive: bool) -> Typed {
        let terms = terms.iter().map(|term| self.truth(term)).collect();
        Typed::new(fold::terms(terms, decisive), Bool)
    }

    pub(super) fn not(&mut self, operand: &Syntax) -> Typed {
        let operand = self.truth(operand);
        Typed::new(Tree::Not(Box::new(operand)), Bool)
    }

    pub(super) fn negate(&mut self, at: u32, operand: &Syntax) -> Checked<Typed> {
        let operand = self.value(operand, Need::Scalar);
        if !matches!(operand.kind, StaticType::Dyn | Int | Double | Duration) {
            return Err(fault(at, format!("no such overload: - of {}", operand.kind.name())));
        }
        let kind = operand.kind;
        Ok(Typed::new(Tree::Negate(Box::new(operand.tree)), kind))
    }

    /// `condition ? then : otherwise`, where otherwise is often another one of these.
    pub(super) fn conditional(&mut self, parts: &[Syntax; 3]) -> Typed {
        let mut branches = vec![(self.truth(&parts[0]), self.value(&parts[1], Need::Whole))];
        let mut last = &parts[2];
        while let SyntaxKind::Conditional(parts) = &last.kind {
            branches.push((self.truth(&parts[0]), self.value(&parts[1], Need::Whole)));
            last = &parts[2];
        }
        let mut otherwise = self.value(last, Need::Whole);
        while let Some((condition, then)) = branches.pop() {
            let kind = then.kind.join(otherwise.kind);
            otherwise = match condition {
                Tree::Constant(Value::Bool(true)) => then,
                Tree::Constant(Value::Bool(false)) => otherwise,
                _ => Typed::new(Tree::Conditional(Box::new([condition, then.tree, otherwise.tree])), kind),
            };
        }
        otherwise
    }

    pub(super) fn arithmetic(
        &mut self,
        at: u32,
        operator: Arithmetic,
        left: Operand,
        right: &Syntax,
    ) -> Checked<Typed> {
        let right = self.operand(right);
        // Only `+` joins lists, and only with a list.
        let scalar = operator != Arithmetic::Add || is_scalar(&left) || is_scalar(&right);
        let need = if scalar { Need::Scalar } else { Need::Whole };
        let [left, right] = [self.need(left, need), self.need(right, need)];
        let fitting =
            signatures(operator).iter().filter(|[a, b, _]| left.kind.may_be(*a) && right.kind.may_be(*b));
        let kind = fitting.map(|[.., result]| *result).reduce(StaticType::join);
        let kind = kind.ok_or_else(|| mismatch(at, operator.symbol(), &left, &right))?;
        Ok(Typed::new(Tree::Arithmetic(operator, Box::new([left.tree, right.tree])), kind))
    }

    pub(super) fn compare(
        &mut self,
        at: u32,
        comparison: Comparison,
        left: Operand,
        right: &Syntax,
    ) -> Checked<Typed> {
        let right = self.operand(right);
        let equality = matches!(comparison, Comparison::Equal | Comparison::NotEqual);
        let need =
            if !equality || is_scalar(&left) || is_scalar(&right) { Need::Scalar } else { Need::Whole };
        let [left, right] = [self.need(left, need), self.need(right, need)];
        let numbers = left.kind.is_number() && right.kind.is_number();
        let fits = if equality {
            numbers || left.kind.may_be(right.kind) || [left.kind, right.kind].contains(&StaticType::Null)
        } else {
            numbers || (left.kind.may_be(right.kind) && is_ordered(left.kind) && is_ordered(right.kind))
        };
        if !fits {
            return Err(mismatch(at, comparison.symbol(), &left, &right));
        }
        Ok(Typed::new(specialise(comparison, left.tree, right.tree), Bool))
    }

    /// `needle in haystack`
    pub(super) fn contained(&mut self, at: u32, needle: Operand, haystack: &Syntax) -> Checked<Typed> {
        let haystack = self.value(haystack, Need::Whole);
        if let Tree::Constant(Value::List(literals)) = &haystack.tree {
            let scalars = literals.iter().all(|literal| literal.len().is_none());
            let needle = self.need(needle, if scalars { Need::Scalar } else { Need::Whole });
            let set = LiteralSet::new(&needle.tree, literals);
            return Ok(Typed::new(Tree::InSet(Box::new((needle.tree, set))), Bool));
        }
        let needle = self.whole(needle);
        if !matches!(haystack.kind, StaticType::Dyn | List | StaticType::Map) {
            return Err(mismatch(at, "in", &needle, &haystack));
        }
        Ok(Typed::new(Tree::In(Box::new([needle.tree, haystack.tree])), Bool))
    }

    pub(super) fn list(&mut self, elements: &[(Syntax, bool)]) -> Typed {
        let mut checked = Vec::with_capacity(elements.len());
        for (element, optional) in elements {
            checked.push((self.element(element, *optional), *optional));
        }
        Typed::new(Tree::List(checked.into()), List)
    }

    pub(super) fn map(&mut self, entries: &[(Syntax, Syntax, bool)]) -> Typed {
        let mut checked = Vec::with_capacity(entries.len());
        for (key, value, optional) in entries {
            let at = key.at;
            let key = self.value(key, Need::Whole);
            if !matches!(key.kind, StaticType::Dyn | Bool | Int | Uint | StaticType::String) {
                self.note(fault(at, format!("unsupported key type: {}", key.kind.name())));
            }
            checked.push((key.tree, self.element(value, *optional), *optional));
        }
        Typed::new(Tree::Map(checked.into()), StaticType::Map)
    }

    /// An element of a literal; an optional one must be an optional.
    fn element(&mut self, syntax: &Syntax, optional: bool) -> Tree {
        let typed = self.value(syntax, Need::Whole);
        if optional && !typed.kind.may_be(StaticType::Optional) {
            let message = format!("expected an optional after '?', found {}", typed.kind.name());
            self.note(fault(syntax.at, message));
        }
        typed.tree
    }
}

/// Whether an operand cannot be a list or a map.
fn is_scalar(operand: &Operand) -> bool {
    match operand {
        Operand::Place(_) => false,
        Operand::Value(typed) => {
            !matches!(typed.kind, StaticType::Dyn | List | StaticType::Map | StaticType::Optional)
        }
    }
}

fn is_ordered(kind: StaticType) -> bool {
    kind.is_number()
        || matches!(kind, StaticType::Dyn | Bool | StaticType::String | Bytes | Timestamp | Duration)
}

/// An equality of a field and a text has a node of its own; in any other, a literal stands on the right.
fn specialise(comparison: Comparison, left: Tree, right: Tree) -> Tree {
    let equal = match comparison {
        Comparison::Equal => true,
        Comparison::NotEqual => false,
        _ => return Tree::Compare(comparison, Box::new([left, right])),
    };
    let (left, right) = match left {
        Tree::Constant(_) if !matches!(right, Tree::Constant(_)) => (right, left),
        _ => (left, right),
    };
    match (left, right) {
        (Tree::Path(path), Tree::Constant(Value::String(text))) if path.optional_from.is_none() => {
            match path.slot {
                Some(field) => {
                    let text = LiteralText::from(text.as_str());
                    Tree::FieldIs(Box::new(FieldIs { field, path: *path, text, equal }))
                }
                None => {
                    let literal = Tree::Constant(Value::String(text));
                    Tree::Compare(comparison, Box::new([Tree::Path(path), literal]))
                }
            }
        }
        (left, right) => Tree::Compare(comparison, Box::new([left, right])),
    }
}

fn mismatch(at: u32, operator: &str, left: &Typed, right: &Typed) -> super::super::fault::Fault {
    let (left, right) = (left.kind.name(), right.kind.name());
    fault(at, format!("no such overload: {left} {operator} {right}"))
}

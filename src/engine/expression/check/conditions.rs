//! The conditions of a filter by which an index may look it up.
//!
//! In: the tree of a filter. Out: conditions of which each is necessary: where one does not hold, the filter is false or
//! an error, never true. Must never know: the index.

use std::collections::BTreeMap;

use super::super::syntax::Comparison;
use super::super::tree::{Term, Tree};
use super::super::{Condition, Equality, ScalarKey, Value};
use crate::row::FieldId;

/// The conjuncts at the top of a filter that compare fields with literals.
pub(in super::super) fn conditions(tree: &Tree) -> Vec<Condition> {
    match tree {
        Tree::And(terms) => terms.iter().filter_map(|term| condition(&term.tree)).collect(),
        other => condition(other).into_iter().collect(),
    }
}

fn condition(tree: &Tree) -> Option<Condition> {
    match tree {
        Tree::Or(branches) => union(branches),
        // Within a branch one conjunct is enough: each is necessary.
        Tree::And(terms) => terms.iter().find_map(|term| condition(&term.tree)),
        other => equality(other).map(|equality| Condition { any: vec![equality] }),
    }
}

/// Of `||` only if every branch has a condition.
fn union(branches: &[Term]) -> Option<Condition> {
    let mut by_field: BTreeMap<FieldId, Vec<ScalarKey>> = BTreeMap::new();
    for branch in branches {
        for equality in condition(&branch.tree)?.any {
            by_field.entry(equality.field).or_default().extend(equality.keys);
        }
    }
    let sorted = |(field, mut keys): (FieldId, Vec<ScalarKey>)| {
        keys.sort_unstable();
        keys.dedup();
        Equality { field, keys }
    };
    Some(Condition { any: by_field.into_iter().map(sorted).collect() })
}

fn equality(tree: &Tree) -> Option<Equality> {
    match tree {
        Tree::FieldIs(test) if test.equal => {
            let keys = vec![ScalarKey::String(test.text.as_str().into())];
            Some(Equality { field: test.field, keys })
        }
        Tree::Compare(Comparison::Equal, operands) => match operands.as_ref() {
            [path, Tree::Constant(literal)] => {
                Some(Equality { field: slot(path)?, keys: vec![ScalarKey::of_literal(literal)?] })
            }
            _ => None,
        },
        Tree::InSet(test) => {
            let field = slot(&test.0)?;
            let texts = test.1.texts.iter().map(|text| Some(ScalarKey::String(text.as_str().into())));
            let others = test.1.others.iter().map(ScalarKey::of_literal);
            let mut keys = texts.chain(others).collect::<Option<Vec<_>>>()?;
            keys.sort_unstable();
            keys.dedup();
            Some(Equality { field, keys })
        }
        // `object.spec.paused` alone must be true.
        path @ Tree::Path(_) => Some(Equality { field: slot(path)?, keys: vec![ScalarKey::Bool(true)] }),
        _ => None,
    }
}

fn slot(tree: &Tree) -> Option<FieldId> {
    match tree {
        Tree::Path(path) if path.optional_from.is_none() => path.slot,
        _ => None,
    }
}

impl ScalarKey {
    /// The key of a literal, if only values with that key can equal it: beyond 2^53 an int may equal a double that is
    /// another number.
    fn of_literal(literal: &Value<'_>) -> Option<ScalarKey> {
        let number = match literal {
            Value::Null => return Some(ScalarKey::Null),
            Value::Bool(value) => return Some(ScalarKey::Bool(*value)),
            Value::String(text) => return Some(ScalarKey::String(text.as_str().into())),
            Value::Int(_) | Value::Uint(_) | Value::Double(_) => ScalarKey::of_number(literal)?,
            _ => return None,
        };
        match number {
            ScalarKey::Double(bits) if f64::from_bits(bits).abs() < ScalarKey::EXACT => Some(number),
            ScalarKey::Double(_) => None,
            whole => Some(whole),
        }
    }
}

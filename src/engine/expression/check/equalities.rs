//! The conditions of a filter by which an index may look it up.
//!
//! In: the tree of a filter. Out: equalities of which each is necessary: where one does not hold, the filter is false or
//! an error, never true. Must never know: the index.

use super::super::syntax::Comparison;
use super::super::tree::Tree;
use super::super::{Equality, ScalarKey, Value};
use crate::row::FieldId;

/// The conjuncts at the top of a filter that compare a field with literals.
pub(in super::super) fn equalities(tree: &Tree) -> Vec<Equality> {
    match tree {
        Tree::And(terms) => terms.iter().filter_map(equality).collect(),
        other => equality(other).into_iter().collect(),
    }
}

fn equality(tree: &Tree) -> Option<Equality> {
    match tree {
        Tree::FieldIs(test) if test.equal => {
            let keys = vec![ScalarKey::String(test.text.clone())];
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
            let texts = test.1.texts.iter().map(|text| Some(ScalarKey::String(text.clone())));
            let others = test.1.others.iter().map(ScalarKey::of_literal);
            let mut keys = texts.chain(others).collect::<Option<Vec<_>>>()?;
            keys.sort_unstable();
            keys.dedup();
            Some(Equality { field, keys })
        }
        Tree::Or(branches) => union(branches),
        // `object.spec.paused` alone must be true.
        path @ Tree::Path(_) => Some(Equality { field: slot(path)?, keys: vec![ScalarKey::Bool(true)] }),
        _ => None,
    }
}

/// Of `||` only if every branch asks for the same field.
fn union(branches: &[Tree]) -> Option<Equality> {
    let mut joined: Option<Equality> = None;
    for branch in branches {
        let next = equality(branch)?;
        match &mut joined {
            Some(known) if known.field == next.field => known.keys.extend(next.keys),
            Some(_) => return None,
            None => joined = Some(next),
        }
    }
    let mut joined = joined?;
    joined.keys.sort_unstable();
    joined.keys.dedup();
    Some(joined)
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

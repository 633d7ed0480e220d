//! Equality and order of values.
//!
//! In: two values and the budget that deep comparisons are charged to. Out: whether they are equal, or how they are
//! ordered. Must never know: expressions. Numbers compare across types by value, as in Kubernetes; an int is
//! compared to a double as the double nearest to it.

use std::cmp::Ordering;
use std::sync::Arc;

use super::literal::same_text;
use super::{Budget, MapValue, Value};
use crate::error::EvaluationError;
use crate::row::Kind;

/// Whether `a == b`. Values of different types are unequal; only the budget can fail.
pub(super) fn equal(a: &Value<'_>, b: &Value<'_>, budget: &mut Budget) -> Result<bool, EvaluationError> {
    Ok(match (a, b) {
        (Value::Null, Value::Null) => true,
        (Value::Bool(a), Value::Bool(b)) => a == b,
        (Value::String(a), Value::String(b)) => {
            let (a, b) = (a.as_str(), b.as_str());
            a.len() == b.len() && {
                budget.read(a.len())?;
                same_text(a.as_bytes(), b.as_bytes())
            }
        }
        (Value::Bytes(a), Value::Bytes(b)) => {
            budget.read(a.len().min(b.len()))?;
            a == b
        }
        (Value::Timestamp(a, _), Value::Timestamp(b, _)) => a == b,
        (Value::Duration(a), Value::Duration(b)) => a == b,
        (Value::Quantity(a, _), Value::Quantity(b, _)) => a == b,
        (Value::Semver(a), Value::Semver(b)) => a == b,
        (Value::Ip(a), Value::Ip(b)) => a == b,
        (Value::Cidr(a), Value::Cidr(b)) => a == b,
        (Value::Url(a), Value::Url(b)) => a == b,
        (Value::Format(a), Value::Format(b)) => a == b,
        (Value::Type(a), Value::Type(b)) => a == b,
        (Value::Optional(None), Value::Optional(None)) => true,
        (Value::Optional(Some(a)), Value::Optional(Some(b))) => {
            budget.step(1)?;
            equal(a, b, budget)?
        }
        _ => match (numeric_order(a, b), a.len(), b.len()) {
            (Some(order), ..) => order == Some(Ordering::Equal),
            (None, Some(left), Some(right)) if left == right => collections_equal(a, b, budget)?,
            _ => false,
        },
    })
}

fn collections_equal(a: &Value<'_>, b: &Value<'_>, budget: &mut Budget) -> Result<bool, EvaluationError> {
    if let (Some(mut left), Some(mut right)) = (a.list_items(), b.list_items()) {
        while let (Some(left), Some(right)) = (left.read_next(budget)?, right.read_next(budget)?) {
            budget.step(1)?;
            if !equal(&left, &right, budget)? {
                return Ok(false);
            }
        }
        return Ok(true);
    }
    if a.list_items().is_some() || b.list_items().is_some() {
        return Ok(false);
    }
    match a {
        Value::Map(map) => {
            for (key, left) in &map.entries {
                if !holds_entry(b, key, left, budget)? {
                    return Ok(false);
                }
            }
        }
        Value::Node(node) => {
            for (name, member) in node.entries() {
                let key = Value::String(super::Text::Borrowed(name));
                let left = Value::read_node(member, budget)?;
                if !holds_entry(b, &key, &left, budget)? {
                    return Ok(false);
                }
            }
        }
        _ => return Ok(false),
    }
    Ok(true)
}

/// Whether a map holds an equal value under `key`.
fn holds_entry(
    map: &Value<'_>,
    key: &Value<'_>,
    value: &Value<'_>,
    budget: &mut Budget,
) -> Result<bool, EvaluationError> {
    budget.step(1)?;
    match lookup(map, key, budget)? {
        Some(found) => equal(value, &found, budget),
        None => Ok(false),
    }
}

/// The value that a map holds under `key`, if it is a map and holds one.
pub(super) fn lookup<'r>(
    map: &Value<'r>,
    key: &Value<'_>,
    budget: &mut Budget,
) -> Result<Option<Value<'r>>, EvaluationError> {
    match map {
        Value::Map(map) => {
            budget.step(1)?;
            Ok(map.position(key).ok().map(|at| map.entries[at].1.clone()))
        }
        Value::Node(node) if node.kind() == Kind::Map => match key.as_str() {
            Some(name) => {
                budget.read(node.len())?;
                node.get(name).map(|node| Value::read_node(node, budget)).transpose()
            }
            None => Ok(None),
        },
        _ => Ok(None),
    }
}

/// How two values that have an order are ordered: `Some(None)` if one of them is NaN, `None` if they have no order.
pub(super) fn order(a: &Value<'_>, b: &Value<'_>) -> Option<Option<Ordering>> {
    match (a, b) {
        (Value::Bool(a), Value::Bool(b)) => Some(Some(a.cmp(b))),
        (Value::String(a), Value::String(b)) => Some(Some(a.as_str().cmp(b.as_str()))),
        (Value::Bytes(a), Value::Bytes(b)) => Some(Some(a.cmp(b))),
        (Value::Timestamp(a, _), Value::Timestamp(b, _)) => Some(Some(a.cmp(b))),
        (Value::Duration(a), Value::Duration(b)) => Some(Some(a.cmp(b))),
        _ => numeric_order(a, b),
    }
}

#[allow(clippy::cast_precision_loss)]
fn numeric_order(a: &Value<'_>, b: &Value<'_>) -> Option<Option<Ordering>> {
    Some(match (a, b) {
        (Value::Int(a), Value::Int(b)) => Some(a.cmp(b)),
        (Value::Uint(a), Value::Uint(b)) => Some(a.cmp(b)),
        (Value::Double(a), Value::Double(b)) => a.partial_cmp(b),
        (Value::Int(a), Value::Uint(b)) => Some(i128::from(*a).cmp(&i128::from(*b))),
        (Value::Uint(a), Value::Int(b)) => Some(i128::from(*a).cmp(&i128::from(*b))),
        (Value::Int(a), Value::Double(b)) => (*a as f64).partial_cmp(b),
        (Value::Double(a), Value::Int(b)) => a.partial_cmp(&(*b as f64)),
        (Value::Uint(a), Value::Double(b)) => (*a as f64).partial_cmp(b),
        (Value::Double(a), Value::Uint(b)) => a.partial_cmp(&(*b as f64)),
        _ => return None,
    })
}

// === impl MapValue ===

impl<'r> MapValue<'r> {
    /// Puts `value` under `key`, replacing what was there.
    ///
    /// # Errors
    /// Where `key` is no bool, number or string.
    pub fn insert(&mut self, key: Value<'r>, value: Value<'r>) -> Result<(), EvaluationError> {
        if rank(&key).is_none() || matches!(key, Value::Double(_)) {
            return Err(EvaluationError::plain(format!("unsupported key type: {}", key.type_name())));
        }
        match self.position(&key) {
            Ok(at) => self.entries[at].1 = value,
            Err(at) => self.entries.insert(at, (key, value)),
        }
        Ok(())
    }

    /// The key that equals this one.
    pub(super) fn key_like(&self, key: &Value<'_>) -> Option<&Value<'r>> {
        self.position(key).ok().map(|at| &self.entries[at].0)
    }

    /// How many entries would stand behind `key`; `None` if it is a key already.
    pub(super) fn behind(&self, key: &Value<'_>) -> Option<usize> {
        self.position(key).err().map(|at| self.entries.len() - at)
    }

    /// Where `key` stands, or would stand.
    fn position(&self, key: &Value<'_>) -> Result<usize, usize> {
        let Some(wanted) = rank(key) else { return Err(self.entries.len()) };
        self.entries.binary_search_by(|(known, _)| {
            rank(known).cmp(&Some(wanted)).then_with(|| order(known, key).flatten().unwrap_or(Ordering::Less))
        })
    }

    /// The keys as a list.
    pub(super) fn keys(&self) -> Arc<[Value<'r>]> {
        self.entries.iter().map(|(key, _)| key.clone()).collect()
    }
}

/// The place of a key's type in key order; `None` for what cannot be a key.
fn rank(key: &Value<'_>) -> Option<u8> {
    match key {
        Value::Bool(_) => Some(0),
        Value::Int(_) | Value::Uint(_) | Value::Double(_) => Some(1),
        Value::String(_) => Some(2),
        _ => None,
    }
}

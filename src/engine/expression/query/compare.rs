//! Scalars of rows and paths as they are compared.
//!
//! In: nodes and literals. Out: their order, if they have one. Must never know: queries.

use std::cmp::Ordering;

use super::tree::{Comparison, Literal};
use crate::row::{Kind, NodeRef};

/// A value that may be compared.
#[derive(Clone, Copy, Debug)]
pub(super) enum Scalar<'a> {
    Null,
    Bool(bool),
    Number(Number),
    String(&'a str),
    /// A list or map.
    Container(NodeRef<'a>),
}

/// A number of JSON: written without fraction and exponent, and not too large, it is an integer.
#[derive(Clone, Copy, Debug)]
pub(super) enum Number {
    Integer(i64),
    Double(f64),
}

// === impl Scalar ===

impl<'a> Scalar<'a> {
    /// What a node holds. Invariant: the fields of compared nodes are kept, so scalars are whole.
    pub(super) fn of_node(node: NodeRef<'a>) -> Self {
        match node.kind() {
            Kind::Null => Scalar::Null,
            Kind::Bool => Scalar::Bool(node.as_bool().unwrap_or(false)),
            Kind::Number => Scalar::Number(Number::parse(node.as_number().unwrap_or("0"))),
            Kind::String => Scalar::String(node.as_str().unwrap_or("")),
            Kind::List | Kind::Map => Scalar::Container(node),
        }
    }
}

impl<'a> From<&'a Literal> for Scalar<'a> {
    fn from(literal: &'a Literal) -> Self {
        match literal {
            Literal::Null => Scalar::Null,
            Literal::Bool(value) => Scalar::Bool(*value),
            Literal::Integer(value) => Scalar::Number(Number::Integer(*value)),
            Literal::Double(value) => Scalar::Number(Number::Double(*value)),
            Literal::String(text) => Scalar::String(text),
        }
    }
}

// === impl Number ===

impl Number {
    pub(super) fn parse(text: &str) -> Self {
        match text.parse() {
            Ok(integer) => Number::Integer(integer),
            Err(_) => Number::Double(text.parse().unwrap_or(f64::NAN)),
        }
    }

    pub(super) fn is_integer(self) -> bool {
        matches!(self, Number::Integer(_))
    }

    /// The order by value; integers beyond 2^53 are compared with doubles exactly.
    pub(super) fn order(self, other: Number) -> Option<Ordering> {
        match (self, other) {
            (Number::Integer(a), Number::Integer(b)) => Some(a.cmp(&b)),
            (Number::Double(a), Number::Double(b)) => a.partial_cmp(&b),
            (Number::Integer(a), Number::Double(b)) => integer_with_double(a, b),
            (Number::Double(a), Number::Integer(b)) => integer_with_double(b, a).map(Ordering::reverse),
        }
    }
}

fn integer_with_double(a: i64, b: f64) -> Option<Ordering> {
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    if b.is_nan() {
        return None;
    }
    if b >= LIMIT {
        return Some(Ordering::Less);
    }
    if b < -LIMIT {
        return Some(Ordering::Greater);
    }
    // In range, so the whole part is exact; the fraction decides where the whole parts are equal.
    let whole = b.trunc();
    Some(a.cmp(&(whole as i64)).then(0.0_f64.partial_cmp(&(b - whole))?))
}

// === impl Comparison ===

impl Comparison {
    /// Whether the comparison holds between two values in this order; `None`: they are neither equal nor ordered.
    pub(super) fn holds(self, order: Option<Ordering>) -> bool {
        let Some(order) = order else { return self == Comparison::NotEqual };
        match self {
            Comparison::Equal => order.is_eq(),
            Comparison::NotEqual => order.is_ne(),
            Comparison::Less => order.is_lt(),
            Comparison::LessOrEqual => order.is_le(),
            Comparison::Greater => order.is_gt(),
            Comparison::GreaterOrEqual => order.is_ge(),
        }
    }
}

//! The conditions of RFC 9535 filters (section 2.3.5) and their functions (section 2.4).
//!
//! In: a condition and the node that it is about. Out: whether it holds. Must never know: field plans, the texts that
//! paths were written in.

use super::compare::{Number, Scalar};
use super::evaluate::{Evaluator, sorted_members};
use super::meter::{Meter, Stop};
use super::pattern;
use super::tree::{Anchor, Comparison, Extent, Logical, Matches, Operand, Pattern, Subquery};
use crate::expression::matcher::Matcher;
use crate::row::{Kind, NodeRef};

/// The regular expression that an object supplied last: a filter meets the same one for every element.
#[derive(Clone, Debug, Default)]
pub(super) struct PatternCache<'r> {
    last: Option<(&'r str, Extent, Option<Matcher>)>,
}

impl<'r> Evaluator<'r, '_> {
    /// Whether `condition` holds where `@` is `current`.
    pub(super) fn holds(&mut self, condition: &Logical, current: NodeRef<'r>) -> Result<bool, Stop> {
        self.meter.steps(1)?;
        match condition {
            Logical::Any(parts) => {
                for part in parts {
                    if self.holds(part, current)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Logical::All(parts) => {
                for part in parts {
                    if !self.holds(part, current)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Logical::Not(part) => Ok(!self.holds(part, current)?),
            Logical::Exists(query) => Ok(!self.subquery(query, current)?.is_empty()),
            Logical::Compare(left, comparison, right) => {
                let left = self.operand(left, current)?;
                let right = self.operand(right, current)?;
                self.compare(left, *comparison, right)
            }
            Logical::Matches(matches) => self.matches(matches, current),
        }
    }

    fn subquery(&mut self, query: &Subquery, current: NodeRef<'r>) -> Result<Vec<NodeRef<'r>>, Stop> {
        let start = match query.anchor {
            Anchor::Object(field) => self.row.at(field),
            Anchor::Current => Some(current),
        };
        self.steps(start.into_iter().collect(), &query.steps)
    }

    /// The value of an operand; `None` is the RFC's `Nothing`.
    fn operand<'a>(&mut self, operand: &'a Operand, current: NodeRef<'r>) -> Result<Option<Scalar<'a>>, Stop>
    where
        'r: 'a,
    {
        Ok(match operand {
            Operand::Literal(literal) => Some(Scalar::from(literal)),
            Operand::Singular(query) | Operand::Value(query) => {
                let node = self.single(query, current)?;
                node.map(|node| self.meter.scalar(node)).transpose()?
            }
            Operand::Count(query) => Some(count(self.subquery(query, current)?.len())),
            Operand::Length(operand) => match self.operand(operand, current)? {
                Some(Scalar::String(text)) => {
                    self.meter.text(text)?;
                    Some(count(text.chars().count()))
                }
                Some(Scalar::Container(node)) => Some(count(node.len())),
                _ => None,
            },
        })
    }

    fn single(&mut self, query: &Subquery, current: NodeRef<'r>) -> Result<Option<NodeRef<'r>>, Stop> {
        Ok(match self.subquery(query, current)?.as_slice() {
            [node] => Some(*node),
            _ => None,
        })
    }

    fn compare(
        &mut self,
        left: Option<Scalar<'_>>,
        comparison: Comparison,
        right: Option<Scalar<'_>>,
    ) -> Result<bool, Stop> {
        let (equal, order) = match (left, right) {
            (None, None) => (true, None),
            (Some(left), Some(right)) => (self.equal(left, right)?, order(left, right)),
            _ => (false, None),
        };
        Ok(match comparison {
            Comparison::Equal => equal,
            Comparison::NotEqual => !equal,
            Comparison::LessOrEqual | Comparison::GreaterOrEqual if equal => true,
            Comparison::Less | Comparison::LessOrEqual => order.is_some_and(std::cmp::Ordering::is_lt),
            Comparison::Greater | Comparison::GreaterOrEqual => order.is_some_and(std::cmp::Ordering::is_gt),
        })
    }

    /// Equality of section 2.3.5.2.2: deep, and blind to the order of members.
    fn equal(&mut self, left: Scalar<'_>, right: Scalar<'_>) -> Result<bool, Stop> {
        let mut pending = vec![(left, right)];
        while let Some(pair) = pending.pop() {
            self.meter.steps(1)?;
            let equal = match pair {
                (Scalar::Null, Scalar::Null) => true,
                (Scalar::Bool(a), Scalar::Bool(b)) => a == b,
                (Scalar::Number(a), Scalar::Number(b)) => a.order(b).is_some_and(std::cmp::Ordering::is_eq),
                (Scalar::String(a), Scalar::String(b)) => {
                    self.meter.text(a)?;
                    a == b
                }
                (Scalar::Container(a), Scalar::Container(b)) => {
                    self.meter.steps(a.len())?;
                    same_shape(a, b, &mut pending, &mut self.meter)?
                }
                _ => false,
            };
            if !equal {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn matches(&mut self, matches: &Matches, current: NodeRef<'r>) -> Result<bool, Stop> {
        let Some(Scalar::String(subject)) = self.operand(&matches.subject, current)? else {
            return Ok(false);
        };
        self.meter.steps(1)?;
        match &matches.pattern {
            Pattern::Compiled(matcher) => self.meter.is_match(matcher, subject),
            Pattern::Computed(Operand::Singular(query) | Operand::Value(query)) => {
                let text = self.single(query, current)?.and_then(NodeRef::as_str);
                let Some(text) = text else { return Ok(false) };
                self.compile(text, matches.extent)?;
                match &self.patterns.last {
                    Some((_, _, Some(matcher))) => self.meter.is_match(matcher, subject),
                    _ => Ok(false),
                }
            }
            Pattern::Computed(_) => Ok(false),
        }
    }

    /// Makes a regular expression that stands in the object the last one.
    fn compile(&mut self, text: &'r str, extent: Extent) -> Result<(), Stop> {
        let known = self.patterns.last.as_ref().is_some_and(|(t, e, _)| *t == text && *e == extent);
        if !known {
            self.meter.compilation(text)?;
            self.patterns.last = Some((text, extent, pattern::compile_brought(text, extent).ok()));
        }
        Ok(())
    }
}

fn count(len: usize) -> Scalar<'static> {
    Scalar::Number(Number::Integer(i64::try_from(len).unwrap_or(i64::MAX)))
}

fn order(left: Scalar<'_>, right: Scalar<'_>) -> Option<std::cmp::Ordering> {
    match (left, right) {
        (Scalar::Number(a), Scalar::Number(b)) => a.order(b),
        (Scalar::String(a), Scalar::String(b)) => Some(a.cmp(b)),
        _ => None,
    }
}

/// Whether two lists are of one length, or two maps of the same names; what they hold is then still to be compared.
fn same_shape<'a>(
    a: NodeRef<'a>,
    b: NodeRef<'a>,
    pending: &mut Vec<(Scalar<'a>, Scalar<'a>)>,
    meter: &mut Meter<'_>,
) -> Result<bool, Stop> {
    if a.kind() != b.kind() || a.len() != b.len() {
        return Ok(false);
    }
    if a.kind() == Kind::List {
        for (a, b) in a.items().zip(b.items()) {
            pending.push((meter.scalar(a)?, meter.scalar(b)?));
        }
        return Ok(true);
    }
    for ((name, a), (other, b)) in sorted_members(a).into_iter().zip(sorted_members(b)) {
        if name != other {
            return Ok(false);
        }
        pending.push((meter.scalar(a)?, meter.scalar(b)?));
    }
    Ok(true)
}

//! Runs the steps that kubectl's dialect has beside names, as client-go 0.36 does with missing keys allowed.
//!
//! In: nodes and steps. Out: nodes, or the error that client-go would report. Must never know: field plans, the texts
//! that paths were written in.
//!
//! Faithful to the point of its oddities, since label values of a drop-in replacement hang on them: an existence filter
//! ignores errors and looks at the nodes that were left; a range that asks for zero elements ends the step for all
//! nodes that follow. One deliberate difference: members of maps come sorted by name where Go's order is random.

use super::bytes;
use super::compare::Scalar;
use super::evaluate::Evaluator;
use super::meter::Stop;
use super::tree::{Comparison, Condition, End, KubectlOperand, KubectlStep, Range, Step};
use crate::error::EvaluationError;
use crate::row::{Kind, NodeRef};

impl<'r> Evaluator<'r, '_> {
    pub(super) fn kubectl(
        &mut self,
        nodes: Vec<NodeRef<'r>>,
        step: &KubectlStep,
    ) -> Result<Vec<NodeRef<'r>>, Stop> {
        match step {
            KubectlStep::Members => self.members_of(&nodes),
            KubectlStep::Range(range) => self.range(&nodes, *range),
            KubectlStep::Where(condition) => self.filter(&nodes, condition),
            KubectlStep::Union(alternatives) => self.union(&nodes, alternatives),
            KubectlStep::Descend => self.containers(nodes),
        }
    }

    fn members_of(&mut self, nodes: &[NodeRef<'r>]) -> Result<Vec<NodeRef<'r>>, Stop> {
        let mut selected = Vec::new();
        for &node in nodes {
            selected.extend(self.children(node)?);
            for byte in node.as_str().unwrap_or_default().bytes() {
                self.meter.push(&mut selected, bytes::node(byte))?;
            }
        }
        Ok(selected)
    }

    fn range(&mut self, nodes: &[NodeRef<'r>], range: Range) -> Result<Vec<NodeRef<'r>>, Stop> {
        let mut selected = Vec::new();
        for &node in nodes {
            match node.kind() {
                Kind::Null => continue,
                Kind::List => {}
                kind => return Err(unfit(format!("{} is not a list and has no elements", article(kind)))),
            }
            let len = i64::try_from(node.len()).unwrap_or(i64::MAX);
            let Some((start, end)) = bounds(range, len)? else { return Ok(selected) };
            let step = match range.step {
                Some(step) if step <= 0 => return Err(refused("step must be > 0")),
                step => usize::try_from(step.unwrap_or(1)).unwrap_or(usize::MAX),
            };
            self.meter.steps(end)?;
            for item in node.items().take(end).skip(start).step_by(step) {
                self.meter.push(&mut selected, item)?;
            }
        }
        Ok(selected)
    }

    fn union(&mut self, nodes: &[NodeRef<'r>], alternatives: &[Vec<Step>]) -> Result<Vec<NodeRef<'r>>, Stop> {
        let mut selected = Vec::new();
        for steps in alternatives {
            self.meter.nodes(nodes.len())?;
            match self.steps(nodes.to_vec(), steps) {
                Ok(nodes) => selected.extend(nodes),
                Err(Stop::Refused { error, .. }) => {
                    return Err(Stop::Refused { error, nodes_left: !nodes.is_empty() });
                }
                Err(stop) => return Err(stop),
            }
        }
        Ok(selected)
    }

    /// Every node that holds something, and everything below it that does: lists, maps and strings that are not empty.
    fn containers(&mut self, nodes: Vec<NodeRef<'r>>) -> Result<Vec<NodeRef<'r>>, Stop> {
        let mut selected = Vec::new();
        let mut pending = nodes;
        pending.reverse();
        while let Some(node) = pending.pop() {
            let children = self.children(node)?;
            let text = node.as_str().is_some_and(|text| !text.is_empty());
            if text || !children.is_empty() {
                self.meter.push(&mut selected, node)?;
            }
            pending.extend(children.into_iter().rev());
        }
        Ok(selected)
    }

    fn filter(&mut self, nodes: &[NodeRef<'r>], condition: &Condition) -> Result<Vec<NodeRef<'r>>, Stop> {
        let mut selected = Vec::new();
        for &node in nodes {
            if node.kind() != Kind::List {
                return Err(unfit(format!("{} is not a list and cannot be filtered", article(node.kind()))));
            }
            for item in node.items() {
                self.meter.steps(1)?;
                if self.condition(item, condition, &selected)? {
                    self.meter.push(&mut selected, item)?;
                }
            }
        }
        Ok(selected)
    }

    fn condition(
        &mut self,
        item: NodeRef<'r>,
        condition: &Condition,
        selected: &[NodeRef<'r>],
    ) -> Result<bool, Stop> {
        match condition {
            Condition::Exists(steps) => match self.steps(vec![item], steps) {
                Ok(nodes) => Ok(!nodes.is_empty()),
                Err(Stop::Refused { nodes_left, .. }) => Ok(nodes_left),
                Err(stop) => Err(stop),
            },
            Condition::Compare(left, comparison, right) => {
                let Some(left) = self.operand_of(item, left)? else { return Ok(false) };
                let Some(right) = self.operand_of(item, right)? else { return Ok(false) };
                compare(&left, *comparison, &right).map_err(|message| Stop::Refused {
                    error: EvaluationError::new(message),
                    nodes_left: !selected.is_empty(),
                })
            }
        }
    }

    /// The one value of an operand; `None` leaves the element out.
    fn operand_of<'a>(
        &mut self,
        item: NodeRef<'r>,
        operand: &'a KubectlOperand,
    ) -> Result<Option<Scalar<'a>>, Stop>
    where
        'r: 'a,
    {
        let steps = match operand {
            KubectlOperand::Literal(literal) => return Ok(Some(Scalar::from(literal))),
            KubectlOperand::Steps(steps) => steps,
        };
        let found = match self.steps(vec![item], steps) {
            Err(Stop::Refused { error, .. }) => return Err(Stop::Refused { error, nodes_left: true }),
            found => found?,
        };
        match found.as_slice() {
            [] => Ok(None),
            [node] => {
                self.meter.text(node.as_str().unwrap_or(""))?;
                self.meter.scalar(*node).map(Some)
            }
            _ => Err(refused("a comparison needs one value on either side, and there are several")),
        }
    }
}

/// The elements from `start` before `end` that a range means in a list of this length; `None` if it asks for none.
fn bounds(range: Range, len: i64) -> Result<Option<(usize, usize)>, Stop> {
    let written = range.start.unwrap_or(0);
    let start = if written < 0 { written.saturating_add(len) } else { written };
    let end = match range.end {
        End::Open => len,
        End::At(end) if end < 0 => end.saturating_add(len),
        End::At(end) => end,
        End::AfterStart => start.wrapping_add(1),
    };
    if start == end {
        return Ok(None);
    }
    let outside = |index: i64| Err(unfit(format!("array index out of bounds: index {index}, length {len}")));
    if start >= len || start < 0 {
        return outside(start);
    }
    if end > len || end < 0 {
        return outside(end.saturating_sub(1));
    }
    if start > end {
        return Err(unfit(format!("starting index {start} is greater than ending index {end}")));
    }
    let place = |index: i64| usize::try_from(index).unwrap_or(usize::MAX);
    Ok(Some((place(start), place(end))))
}

/// Go's comparison of two values of basic kinds: integers with integers, floats with floats, strings with strings by
/// their bytes; booleans only for equality.
fn compare(left: &Scalar<'_>, comparison: Comparison, right: &Scalar<'_>) -> Result<bool, &'static str> {
    const KIND: &str = "invalid type for comparison: only booleans, numbers and strings are compared";
    const BOOL: &str = "invalid type for comparison: booleans have no order";
    const MIXED: &str = "incompatible types for comparison";
    let basic = |scalar: &Scalar<'_>| !matches!(scalar, Scalar::Null | Scalar::Container(_));
    if !basic(left) || !basic(right) {
        return Err(KIND);
    }
    let order = match (left, right) {
        (Scalar::Bool(a), Scalar::Bool(b)) => {
            return match comparison {
                Comparison::Equal => Ok(a == b),
                Comparison::NotEqual => Ok(a != b),
                _ => Err(BOOL),
            };
        }
        (Scalar::String(a), Scalar::String(b)) => Some(a.cmp(b)),
        (Scalar::Number(a), Scalar::Number(b)) if a.is_integer() == b.is_integer() => a.order(*b),
        _ => return Err(MIXED),
    };
    Ok(comparison.holds(order))
}

fn refused(message: &'static str) -> Stop {
    Stop::Refused { error: EvaluationError::new(message), nodes_left: true }
}

/// As [`refused`], with a message that holds kinds and counts of what was found.
fn unfit(message: String) -> Stop {
    Stop::Refused { error: EvaluationError::plain(message), nodes_left: true }
}

fn article(kind: Kind) -> &'static str {
    match kind {
        Kind::Null => "null",
        Kind::Bool => "a boolean",
        Kind::Number => "a number",
        Kind::String => "a string",
        Kind::List => "a list",
        Kind::Map => "a map",
    }
}

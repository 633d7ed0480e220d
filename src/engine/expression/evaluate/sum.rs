//! What a chain of `+` gives.
//!
//! In: two operands, of which the left one often is another `+`. Out: their sum; of texts, one that is written once,
//! however many they are. Must never know: what values are added to.

use super::super::syntax::Arithmetic;
use super::super::tree::Tree;
use super::super::{Budget, Text, Value};
use super::direct::text_at;
use super::operators::compute;
use super::truth::text;
use super::{Evaluated, Frame, evaluate};
use crate::error::EvaluationError;

/// The texts that a chain of `+` has joined so far, if they are all that it has met.
#[derive(Default)]
struct Joined<'r> {
    /// The first, as long as there is no second: nothing is copied that is not charged.
    first: Option<Text<'r>>,
    text: String,
}

/// `left + right`, where left is often another one of these.
pub(super) fn sum<'r>(operands: &'r [Tree; 2], frame: &Frame<'_, 'r>, budget: &mut Budget) -> Evaluated<'r> {
    match label(operands, frame, budget) {
        Some(text) => Ok(text),
        None => joined(operands, frame, budget),
    }
}

/// The same, whatever is added.
pub(super) fn joined<'r>(
    operands: &'r [Tree; 2],
    frame: &Frame<'_, 'r>,
    budget: &mut Budget,
) -> Evaluated<'r> {
    let mut joined = Joined::default();
    Ok(match add(operands, &mut joined, frame, budget)? {
        Some(value) => value,
        None => joined.take(),
    })
}

/// The sum of a few short texts that lie where they are, as labels are put together. Nothing where it takes more; then
/// nothing was spent.
pub(super) fn label<'r>(
    operands: &'r [Tree; 2],
    frame: &Frame<'_, 'r>,
    budget: &mut Budget,
) -> Option<Value<'r>> {
    let mut parts = [""; MOST_PARTS];
    let (mut first, mut operands, mut steps) = (MOST_PARTS - 1, operands, 0);
    loop {
        parts[first] = part(&operands[1], frame, &mut steps)?;
        first = first.checked_sub(1)?;
        match &operands[0] {
            Tree::Arithmetic(Arithmetic::Add, inner) => operands = inner,
            other => {
                parts[first] = part(other, frame, &mut steps)?;
                break;
            }
        }
    }
    let (mut buffer, mut length, mut bytes) = ([0; SHORT], 0, 0);
    for (at, part) in parts[first..].iter().enumerate() {
        let end = length + part.len();
        buffer.get_mut(length..end)?.copy_from_slice(part.as_bytes());
        length = end;
        if at > 0 {
            (steps, bytes) = (steps + 1 + Budget::reading(length), bytes + length);
        }
    }
    let text = std::str::from_utf8(&buffer[..length]).ok()?;
    budget.afford(steps, bytes as u64).then(|| Value::text(text))
}

fn part<'r>(tree: &'r Tree, frame: &Frame<'_, 'r>, steps: &mut u64) -> Option<&'r str> {
    if let Tree::Constant(Value::String(text)) = tree {
        return Some(text.as_str());
    }
    *steps += 1;
    text_at(tree, frame)
}

/// Nothing where the sum is what was joined.
fn add<'r>(
    operands: &'r [Tree; 2],
    joined: &mut Joined<'r>,
    frame: &Frame<'_, 'r>,
    budget: &mut Budget,
) -> Result<Option<Value<'r>>, EvaluationError> {
    budget.step(1)?;
    let left = match &operands[0] {
        Tree::Arithmetic(Arithmetic::Add, inner) => add(inner, joined, frame, budget)?,
        other => {
            let value = match text(other, frame, budget)? {
                Some(text) => Value::String(Text::Borrowed(text)),
                None => evaluate(other, frame, budget)?,
            };
            match value {
                Value::String(text) => {
                    joined.first = Some(text);
                    None
                }
                value => Some(value),
            }
        }
    };
    let right = match text(&operands[1], frame, budget)? {
        Some(more) if left.is_none() => return joined.extend(more, budget).map(|()| None),
        Some(more) => Value::String(Text::Borrowed(more)),
        None => evaluate(&operands[1], frame, budget)?,
    };
    match (left, &right) {
        (None, Value::String(more)) => joined.extend(more.as_str(), budget).map(|()| None),
        (left, right) => {
            let left = left.unwrap_or_else(|| joined.take());
            compute(Arithmetic::Add, &left, right, budget).map(Some)
        }
    }
}

impl<'r> Joined<'r> {
    fn extend(&mut self, more: &str, budget: &mut Budget) -> Result<(), EvaluationError> {
        let before = self.first.as_ref().map_or(self.text.len(), |first| first.as_str().len());
        budget.build(before.saturating_add(more.len()))?;
        if let Some(first) = self.first.take() {
            self.text.reserve(before + more.len() + ROOM);
            self.text.push_str(first.as_str());
        }
        self.text.push_str(more);
        Ok(())
    }

    fn take(&mut self) -> Value<'r> {
        match self.first.take() {
            Some(first) => Value::String(first),
            None => Value::text(std::mem::take(&mut self.text)),
        }
    }
}

/// How much longer a text that is joined may become without moving, in bytes.
const ROOM: usize = 48;

/// More parts are joined one by one.
const MOST_PARTS: usize = 8;

/// Longer texts are joined one by one, in bytes.
const SHORT: usize = 192;

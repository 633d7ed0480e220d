//! The elements of a `forEach`.
//!
//! In: what its expression gave. Out: items with their positions, at most [`MOST`]. Must never know: what is done
//! with them.

use crate::error::EvaluationError;
use crate::expression::{Outcome, Position, Value};

/// Items in order; of a map in the order of its keys.
pub(super) type Elements<'r> = Vec<(Position<'r>, Value<'r>)>;

/// How many elements of one object may contribute: beyond it the object is an error rather than a thousand series.
const MOST: usize = 1000;

/// The elements of `outcome`. If `each` holds, nodes are the elements themselves, otherwise one node holds them.
/// Nothing, and `null`, which Kubernetes writes for an empty list, have none.
pub(super) fn of<'r>(outcome: Outcome<'r>, each: bool) -> Result<Elements<'r>, EvaluationError> {
    match outcome {
        Outcome::Nodes(nodes) if each => {
            let nodes = nodes.as_slice();
            bounded(nodes.len())?;
            Ok((0..).map(Position::Index).zip(nodes.iter().copied().map(Value::from_node)).collect())
        }
        Outcome::Nodes(nodes) => match nodes.as_slice() {
            [] => Ok(Vec::new()),
            [node] => of_value(&Value::from_node(*node)),
            several => {
                Err(EvaluationError::plain(format!("{} values where one list is needed", several.len())))
            }
        },
        Outcome::Value(value) => of_value(&value),
    }
}

fn of_value<'r>(value: &Value<'r>) -> Result<Elements<'r>, EvaluationError> {
    match value {
        Value::Null | Value::Optional(None) => return Ok(Vec::new()),
        Value::Optional(Some(value)) => return of_value(value),
        _ => bounded(value.len().unwrap_or(0))?,
    }
    let found = value.type_name();
    value
        .items()
        .ok_or_else(|| EvaluationError::plain(format!("found {found} where a list or a map is needed")))
}

fn bounded(count: usize) -> Result<(), EvaluationError> {
    if count > MOST {
        return Err(EvaluationError::plain(format!(
            "{count} elements, and an object may contribute at most {MOST}"
        )));
    }
    Ok(())
}

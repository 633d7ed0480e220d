//! Walks paths: field reads, selections, indices, presence.
//!
//! In: a path and the variables. Out: the value at its end, or the error that the whole object would give. Must never
//! know: what else an expression does.
//!
//! Answers are those of cel-go (`refQualify` in `interpreter/attributes.go`): what a map, or anything that has no
//! members, does not hold is `no such key`; only a list refuses a name.

use std::sync::Arc;

use super::super::compare::lookup;
use super::super::tree::{Base, Path, Step, Tree};
use super::super::{Budget, Position, Text, Value};
use super::{Bound, Evaluated, Frame, evaluate};
use crate::error::EvaluationError;
use crate::row::{Kind, NodeRef};

/// Entries of a map have no index.
pub(in super::super) const NO_INDEX: &str =
    "no such variable: index (the items are entries of a map: use key)";

/// Elements of a list have no key.
pub(in super::super) const NO_KEY: &str =
    "no such variable: key (the items are elements of a list: use index)";

/// The value at the end of a path; an optional if any part of the path is.
#[inline(never)]
pub(super) fn read<'r>(path: &'r Path, frame: &Frame<'_, 'r>, budget: &mut Budget) -> Evaluated<'r> {
    if path.optional_from.is_none()
        && let Some(node) = end(path, frame)
    {
        budget.step(1)?;
        return Value::read_node(node, budget);
    }
    read_along(path, frame, budget)
}

#[inline(never)]
fn read_along<'r>(path: &'r Path, frame: &Frame<'_, 'r>, budget: &mut Budget) -> Evaluated<'r> {
    if path.optional_from.is_some() {
        return read_optional(path, frame, budget).map(|value| Value::Optional(value.map(Arc::new)));
    }
    budget.step(1)?;
    match walk(path, frame, budget)? {
        End::Value(value) => value.read(budget),
        End::Optional(value) => some(value, budget).map(|value| Value::Optional(value.map(Arc::new))),
    }
}

/// What an optional path leads to, without the optional around it.
pub(super) fn read_optional<'r>(
    path: &'r Path,
    frame: &Frame<'_, 'r>,
    budget: &mut Budget,
) -> Result<Option<Value<'r>>, EvaluationError> {
    budget.step(1)?;
    if let Some(node) = at_slot(path, frame) {
        return Value::read_node(node, budget).map(Some);
    }
    match walk(path, frame, budget)? {
        End::Value(value) => value.read(budget).map(Some),
        End::Optional(value) => some(value, budget),
    }
}

fn some<'r>(value: Option<Value<'r>>, budget: &mut Budget) -> Result<Option<Value<'r>>, EvaluationError> {
    value.map(|value| value.read(budget)).transpose()
}

/// Where a path leads, for what looks at its members or elements: a scalar there is a node too, and not read, since others
/// may keep of it what is not needed here.
pub(super) fn reach<'r>(tree: &'r Tree, frame: &Frame<'_, 'r>, budget: &mut Budget) -> Evaluated<'r> {
    let path = match tree {
        Tree::Path(path) => path,
        Tree::Shared(part) => match &part.tree {
            Tree::Path(path) => path,
            _ => return evaluate(tree, frame, budget),
        },
        _ => return evaluate(tree, frame, budget),
    };
    if path.optional_from.is_some() {
        return read(path, frame, budget);
    }
    budget.step(1)?;
    if let Some(node) = end(path, frame) {
        return Ok(Value::Node(node));
    }
    Ok(match walk(path, frame, budget)? {
        End::Value(value) => value,
        End::Optional(value) => Value::Optional(value.map(Arc::new)),
    })
}

/// The node at the end of a path that is no optional and leads from node to node by known fields, as `c.image` does in a
/// loop. Nothing where the path is another, or ends early; then it is walked along step by step.
#[inline]
pub(super) fn end<'r>(path: &'r Path, frame: &Frame<'_, 'r>) -> Option<NodeRef<'r>> {
    if let (Base::Variable(0), [Step::Member { field: Some(field), name }]) = (&path.base, &*path.steps)
        && let Some((Bound::Node(node), _)) = frame.variable
    {
        return node.member(*field, name);
    }
    end_of_any(path, frame)
}

#[inline(never)]
fn end_of_any<'r>(path: &'r Path, frame: &Frame<'_, 'r>) -> Option<NodeRef<'r>> {
    if let Some(slot) = path.slot {
        return frame.environment?.row.at(slot);
    }
    let mut node = base_node(path, frame)?;
    for step in &path.steps {
        let Step::Member { field: Some(field), name } = step else { return None };
        node = node.member(*field, name)?;
    }
    Some(node)
}

fn at_slot<'r>(path: &Path, frame: &Frame<'_, 'r>) -> Option<NodeRef<'r>> {
    frame.environment?.row.at(path.slot?)
}

/// The node that a path begins at.
fn base_node<'r>(path: &Path, frame: &Frame<'_, 'r>) -> Option<NodeRef<'r>> {
    match &path.base {
        Base::Object => Some(frame.environment?.row.root()),
        Base::Variable(depth) => match bound(*depth, frame)? {
            Bound::Node(node) | Bound::Value(&Value::Node(node)) => Some(node),
            _ => None,
        },
        Base::Item => match &frame.environment?.item {
            Some(Value::Node(node)) => Some(*node),
            _ => None,
        },
        _ => None,
    }
}

/// Whether the last step of a path exists; everything before it must, unless it is optional.
#[inline(never)]
pub(super) fn has<'r>(
    path: &'r Path,
    frame: &Frame<'_, 'r>,
    budget: &mut Budget,
) -> Result<bool, EvaluationError> {
    budget.step(1)?;
    let Some((last, before)) = path.steps.split_last() else { return Ok(true) };
    let mut walk = Walk::start(path, before, frame, budget)?;
    while let Some(step) = before.get(walk.taken) {
        match walk.step(step, frame, budget)? {
            Reached::Value(value) => walk.advance(value, path),
            _ if walk.optional_at(path) => return Ok(false),
            absent => return Err(absent.error(step)),
        }
    }
    Ok(!walk.ended && matches!(walk.step(last, frame, budget)?, Reached::Value(_)))
}

/// What a path leads to, unread.
enum End<'r> {
    Value(Value<'r>),
    Optional(Option<Value<'r>>),
}

#[inline(never)]
fn walk<'r>(path: &'r Path, frame: &Frame<'_, 'r>, budget: &mut Budget) -> Result<End<'r>, EvaluationError> {
    let mut walk = Walk::start(path, &path.steps, frame, budget)?;
    while let Some(step) = path.steps.get(walk.taken) {
        match walk.step(step, frame, budget)? {
            Reached::Value(value) => walk.advance(value, path),
            _ if walk.optional_at(path) => return Ok(End::Optional(None)),
            absent => return Err(absent.error(step)),
        }
        if walk.ended {
            return Ok(End::Optional(None));
        }
    }
    Ok(if walk.optional { End::Optional(Some(walk.value)) } else { End::Value(walk.value) })
}

/// The way along a path.
struct Walk<'r> {
    value: Value<'r>,
    /// How many steps were taken.
    taken: usize,
    /// Whether what is absent is no error any more.
    optional: bool,
    /// Whether the path began at an optional without value.
    ended: bool,
}

/// Where a step leads.
enum Reached<'r> {
    Value(Value<'r>),
    NoKey(Option<Value<'r>>),
    NoIndex(i64),
}

impl<'r> Walk<'r> {
    /// As far as these steps lead from node to node, which needs no value; from there the path is taken step by step.
    fn start(
        path: &'r Path,
        steps: &'r [Step],
        frame: &Frame<'_, 'r>,
        budget: &mut Budget,
    ) -> Result<Self, EvaluationError> {
        let known = path.start.and_then(|(slot, taken)| Some((frame.environment?.row.at(slot)?, taken)));
        if let Some((node, taken)) = known.or_else(|| Some((base_node(path, frame)?, 0))) {
            let (node, taken) = along(node, taken, steps, budget)?;
            let optional = path.optional_from.is_some_and(|from| from < taken);
            return Ok(Walk { value: Value::Node(node), taken, optional, ended: false });
        }
        let value = match &path.base {
            Base::Variable(depth) => variable(*depth, frame)?,
            Base::Value(tree) => evaluate(tree, frame, budget)?,
            base => of_environment(base, frame)?,
        };
        let walk = |value, optional, ended| Walk { value, taken: 0, optional, ended };
        // A path of no steps is its base, optional or not.
        if path.steps.is_empty() {
            return Ok(walk(value, false, false));
        }
        Ok(match value {
            Value::Optional(Some(value)) => walk(Value::clone(&value), true, false),
            Value::Optional(None) => walk(Value::Null, true, true),
            value => walk(value, false, false),
        })
    }

    /// Whether the next step may lead nowhere.
    fn optional_at(&self, path: &Path) -> bool {
        self.optional || path.optional_from.is_some_and(|from| from <= self.taken)
    }

    fn advance(&mut self, value: Value<'r>, path: &Path) {
        self.optional = self.optional_at(path);
        self.value = value;
        self.taken += 1;
    }

    fn step(
        &self,
        step: &'r Step,
        frame: &Frame<'_, 'r>,
        budget: &mut Budget,
    ) -> Result<Reached<'r>, EvaluationError> {
        match step {
            Step::Member { field, name } => match (&self.value, field) {
                (Value::Node(node), Some(field)) if node.kind() == Kind::Map => {
                    Ok(match node.member(*field, name) {
                        Some(member) => Reached::Value(Value::Node(member)),
                        None => Reached::NoKey(None),
                    })
                }
                _ => self.index(Value::String(Text::Borrowed(name)), budget),
            },
            Step::Index(index) => {
                let index = evaluate(index, frame, budget)?;
                self.index(index, budget)
            }
        }
    }

    fn index(&self, index: Value<'r>, budget: &mut Budget) -> Result<Reached<'r>, EvaluationError> {
        let Some(mut items) = self.value.list_items() else {
            return Ok(match lookup(&self.value, &index, budget)? {
                Some(value) => Reached::Value(value),
                None => Reached::NoKey(Some(index)),
            });
        };
        let position = list_index(&index)?;
        let Ok(count) = usize::try_from(position) else { return Ok(Reached::NoIndex(position)) };
        if count >= self.value.len().unwrap_or(0) {
            return Ok(Reached::NoIndex(position));
        }
        budget.read(count)?;
        Ok(items.bound_nth(count).map_or(Reached::NoIndex(position), Reached::Value))
    }
}

/// How far known fields and constant indices lead from a node that was reached with so many steps.
fn along<'r>(
    mut node: NodeRef<'r>,
    mut taken: usize,
    steps: &'r [Step],
    budget: &mut Budget,
) -> Result<(NodeRef<'r>, usize), EvaluationError> {
    while let Some(step) = steps.get(taken) {
        let next = match step {
            Step::Member { field: Some(field), name } => node.member(*field, name),
            Step::Index(Tree::Constant(Value::Int(index))) if node.kind() == Kind::List => {
                match usize::try_from(*index) {
                    Ok(index) if index < node.len() => {
                        budget.read(index)?;
                        node.items().nth(index)
                    }
                    _ => None,
                }
            }
            _ => None,
        };
        let Some(next) = next else { break };
        (node, taken) = (next, taken + 1);
    }
    Ok((node, taken))
}

impl Reached<'_> {
    fn error(self, step: &Step) -> EvaluationError {
        match (self, step) {
            (Reached::NoIndex(index), _) => EvaluationError::quoting("index out of bounds: ", index, ""),
            (_, Step::Member { name, .. }) => EvaluationError::plain(format!("no such key: {name:.64}")),
            (Reached::NoKey(Some(key)), Step::Index(_)) => {
                EvaluationError::quoting("no such key: ", describe(&key), "")
            }
            _ => EvaluationError::new("no such key"),
        }
    }
}

/// A key in an error.
fn describe(key: &Value<'_>) -> String {
    match key {
        Value::String(text) => format!("{:.64}", text.as_str()),
        Value::Int(value) => value.to_string(),
        Value::Uint(value) => value.to_string(),
        Value::Double(value) => value.to_string(),
        Value::Bool(value) => value.to_string(),
        other => format!("a {}", other.type_name()),
    }
}

#[allow(clippy::cast_possible_truncation)]
fn list_index(index: &Value<'_>) -> Result<i64, EvaluationError> {
    let unsupported = |value: String| EvaluationError::quoting("unsupported index value ", value, " in list");
    match index {
        Value::Int(value) => Ok(*value),
        Value::Uint(value) => i64::try_from(*value).map_err(|_| unsupported(value.to_string())),
        Value::Double(value) if value.fract() == 0.0 && value.abs() < 9_007_199_254_740_992.0 => {
            Ok(*value as i64)
        }
        Value::Double(value) => Err(unsupported(value.to_string())),
        other => {
            Err(EvaluationError::plain(format!("unsupported index type '{}' in list", other.type_name())))
        }
    }
}

fn variable<'r>(depth: usize, frame: &Frame<'_, 'r>) -> Evaluated<'r> {
    match bound(depth, frame).ok_or_else(unbound)? {
        Bound::Value(value) => Ok(value.clone()),
        Bound::Node(node) => Ok(Value::Node(node)),
        Bound::Failed(error) => Err(error.clone()),
    }
}

/// What the variable stands for that was bound so many variables before the last.
fn bound<'f, 'r>(depth: usize, frame: &Frame<'f, 'r>) -> Option<Bound<'f, 'r>> {
    let mut frame = frame;
    for _ in 0..depth {
        frame = frame.variable?.1;
    }
    frame.variable.map(|(bound, _)| bound)
}

fn of_environment<'r>(base: &Base, frame: &Frame<'_, 'r>) -> Evaluated<'r> {
    let environment = frame.environment.ok_or_else(unbound)?;
    match (base, &environment.position) {
        (Base::Object, _) => Ok(Value::Node(environment.row.root())),
        (Base::Item, _) => environment.item.clone().ok_or_else(unbound),
        (Base::ItemIndex, Some(Position::Index(index))) => Ok(Value::Int(*index)),
        (Base::ItemKey, Some(Position::Key(key))) => Ok(Value::String(key.clone())),
        (Base::ItemIndex, Some(Position::Key(_))) => Err(EvaluationError::new(NO_INDEX)),
        (Base::ItemKey, Some(Position::Index(_))) => Err(EvaluationError::new(NO_KEY)),
        _ => Err(unbound()),
    }
}

fn unbound() -> EvaluationError {
    EvaluationError::new("no such variable")
}

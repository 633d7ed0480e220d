//! The macros that bind variables: all, exists, exists_one, filter, map, the transforms, sortBy, optMap, optFlatMap,
//! `cel.bind`.
//!
//! In: what to loop over, and what to do with each element. Out: an answer, a list, a map or an optional. Must never know:
//! how the elements came to be. Maps are walked over in key order.

use std::sync::Arc;

use super::super::library::sort_by_keys;
use super::super::tree::{Loop, LoopKind, OptMap, Tree};
use super::super::value::ListItems;
use super::super::{Budget, MapValue, Text, Value};
use super::direct::node_at;
use super::truth::{Asker, truth};
use super::{Bound, Evaluated, Frame, evaluate, no_unary, path};
use crate::error::EvaluationError;
use crate::row::{Kind, NodeRef};

/// What is looped over. Elements of a row are bound as nodes, and read by whoever reads the variable. Both kinds have loops of their own, so that the usual one is as lean as can be.
trait Items<'r> {
    type Item: Item<'r>;

    /// The next, for a step.
    fn next(&mut self, budget: &mut Budget) -> Result<Option<Self::Item>, EvaluationError>;
}

/// What is bound for one element.
trait Item<'r> {
    fn evaluate(&self, tree: &'r Tree, frame: &Frame<'_, 'r>, budget: &mut Budget) -> Evaluated<'r>;

    /// Whether a condition holds for it.
    fn fulfils(
        &self,
        condition: &'r Tree,
        frame: &Frame<'_, 'r>,
        budget: &mut Budget,
    ) -> Result<bool, EvaluationError>;

    /// The value that the first variable stands for.
    fn into_first(self, budget: &mut Budget) -> Evaluated<'r>;
}

/// The elements of a list of the row, without a value for any.
struct Nodes<'r>(crate::row::Items<'r>);

/// The elements of a list that was built, or the keys of a map.
struct Single<'a, 'r>(ListItems<'a, 'r>);

/// What two variables are bound to.
enum Pairs<'a, 'r> {
    /// The elements of a list with their indices.
    Indexed(ListItems<'a, 'r>, i64),
    /// The entries of a map that was built.
    Entries(std::slice::Iter<'a, (Value<'r>, Value<'r>)>),
    /// The entries of a map of the row.
    Members(std::vec::IntoIter<(&'r str, NodeRef<'r>)>),
}

/// An index or a key, and the element.
struct Pair<'r>(Value<'r>, Value<'r>);

/// What a condition is called where it is no bool.
const CONDITION: Asker = Asker::Operator("condition");

/// Runs a loop.
#[inline(never)]
pub(super) fn run<'r>(each: &'r Loop, frame: &Frame<'_, 'r>, budget: &mut Budget) -> Evaluated<'r> {
    if each.decides() {
        return decided(each, frame, budget).map(Value::Bool);
    }
    let range = path::reach(&each.range, frame, budget)?;
    if each.pair {
        let items = pairs(&range, budget)?;
        return run_pairs(each, items, frame, budget);
    }
    if let Value::Node(node) = range
        && node.kind() == Kind::List
    {
        return walk(each, Nodes(node.items()), frame, budget);
    }
    let keys = keys(&range, budget)?;
    let items = keys.as_ref().unwrap_or(&range).list_items().ok_or_else(no_range)?;
    walk(each, Single(items), frame, budget)
}

/// What a loop gives that [decides](Loop::decides).
#[inline(never)]
pub(super) fn decided<'r>(
    each: &'r Loop,
    frame: &Frame<'_, 'r>,
    budget: &mut Budget,
) -> Result<bool, EvaluationError> {
    let Some(condition) = &each.condition else { return Err(no_range()) };
    let decisive = each.kind == LoopKind::Exists;
    if !each.pair
        && let Some(node) = node_at(&each.range, frame)
        && node.kind() == Kind::List
    {
        budget.step(1)?;
        return decide(condition, decisive, Nodes(node.items()), frame, budget);
    }
    let range = path::reach(&each.range, frame, budget)?;
    if each.pair {
        return decide(condition, decisive, pairs(&range, budget)?, frame, budget);
    }
    let keys = keys(&range, budget)?;
    let items = keys.as_ref().unwrap_or(&range).list_items().ok_or_else(no_range)?;
    decide(condition, decisive, Single(items), frame, budget)
}

fn run_pairs<'r>(
    each: &'r Loop,
    items: Pairs<'_, 'r>,
    frame: &Frame<'_, 'r>,
    budget: &mut Budget,
) -> Evaluated<'r> {
    match each.kind {
        LoopKind::TransformMap | LoopKind::TransformMapEntry => collect_entries(each, items, frame, budget),
        _ => walk(each, items, frame, budget),
    }
}

/// The keys of a map, in order.
fn keys<'r>(range: &Value<'r>, budget: &mut Budget) -> Result<Option<Value<'r>>, EvaluationError> {
    Ok(match range {
        Value::Node(node) if node.kind() == Kind::Map => {
            let names = members(*node, budget)?.into_iter();
            Some(Value::List(names.map(|(name, _)| Value::String(Text::Borrowed(name))).collect()))
        }
        Value::Map(map) => {
            budget.build_values(map.entries.len())?;
            Some(Value::List(map.keys()))
        }
        _ => None,
    })
}

fn pairs<'a, 'r>(range: &'a Value<'r>, budget: &mut Budget) -> Result<Pairs<'a, 'r>, EvaluationError> {
    match range {
        Value::Node(node) if node.kind() == Kind::Map => {
            Ok(Pairs::Members(members(*node, budget)?.into_iter()))
        }
        Value::Map(map) => Ok(Pairs::Entries(map.entries.iter())),
        _ => Ok(Pairs::Indexed(range.list_items().ok_or_else(no_range)?, 0)),
    }
}

fn members<'r>(
    node: NodeRef<'r>,
    budget: &mut Budget,
) -> Result<Vec<(&'r str, NodeRef<'r>)>, EvaluationError> {
    budget.build_values(node.len())?;
    let mut members: Vec<_> = node.entries().collect();
    members.sort_unstable_by_key(|(name, _)| *name);
    Ok(members)
}

fn no_range() -> EvaluationError {
    EvaluationError::new("a list or a map is needed to loop over")
}

fn walk<'r>(
    each: &'r Loop,
    items: impl Items<'r>,
    frame: &Frame<'_, 'r>,
    budget: &mut Budget,
) -> Evaluated<'r> {
    match (each.kind, &each.condition) {
        (LoopKind::ExistsOne | LoopKind::Count, Some(condition)) => {
            let count = count(condition, items, frame, budget)?;
            Ok(if each.kind == LoopKind::Count { Value::Int(count) } else { Value::Bool(count == 1) })
        }
        _ => collect(each, items, frame, budget),
    }
}

/// `all` where `decisive` is false, `exists` where it is true: errors count only where no element decides.
fn decide<'r>(
    condition: &'r Tree,
    decisive: bool,
    mut items: impl Items<'r>,
    frame: &Frame<'_, 'r>,
    budget: &mut Budget,
) -> Result<bool, EvaluationError> {
    let mut failed = None;
    while let Some(item) = items.next(budget)? {
        match item.fulfils(condition, frame, budget) {
            Ok(value) if value == decisive => return Ok(decisive),
            Ok(_) => {}
            Err(error) if budget.is_exhausted() => return Err(error),
            Err(error) => {
                failed.get_or_insert(error);
            }
        }
    }
    failed.map_or(Ok(!decisive), Err)
}

fn count<'r>(
    condition: &'r Tree,
    mut items: impl Items<'r>,
    frame: &Frame<'_, 'r>,
    budget: &mut Budget,
) -> Result<i64, EvaluationError> {
    let mut count = 0;
    while let Some(item) = items.next(budget)? {
        count += i64::from(item.fulfils(condition, frame, budget)?);
    }
    Ok(count)
}

fn collect<'r>(
    each: &'r Loop,
    mut items: impl Items<'r>,
    frame: &Frame<'_, 'r>,
    budget: &mut Budget,
) -> Evaluated<'r> {
    let mut collected = Vec::new();
    while let Some(item) = next_chosen(&mut items, each, frame, budget)? {
        budget.build_values(1)?;
        collected.push(match &each.result {
            Some(result) => item.evaluate(result, frame, budget)?,
            None => item.into_first(budget)?,
        });
    }
    Ok(Value::List(collected.into()))
}

/// `transformMap` and `transformMapEntry`: a key that comes twice is an error.
fn collect_entries<'r>(
    each: &'r Loop,
    mut items: Pairs<'_, 'r>,
    frame: &Frame<'_, 'r>,
    budget: &mut Budget,
) -> Evaluated<'r> {
    let Some(result) = &each.result else { return Err(no_range()) };
    let mut map = MapValue::default();
    while let Some(item) = next_chosen(&mut items, each, frame, budget)? {
        let value = item.evaluate(result, frame, budget)?;
        if each.kind == LoopKind::TransformMap {
            add(&mut map, item.0, value, budget)?;
            continue;
        }
        match pairs(&value, budget)? {
            Pairs::Indexed(..) => return Err(no_unary("transformMapEntry", &value)),
            mut entries => {
                while let Some(Pair(key, value)) = entries.next(budget)? {
                    add(&mut map, key, value.read(budget)?, budget)?;
                }
            }
        }
    }
    Ok(Value::Map(Arc::new(map)))
}

fn add<'r>(
    map: &mut MapValue<'r>,
    key: Value<'r>,
    value: Value<'r>,
    budget: &mut Budget,
) -> Result<(), EvaluationError> {
    budget.build_values(2)?;
    // What is not put at the end moves all that stands behind it.
    let behind = map.behind(&key).ok_or_else(|| EvaluationError::new("a key comes twice"))?;
    budget.read(behind)?;
    map.insert(key, value)
}

/// `operand.sortBy(variable, key)`
#[inline(never)]
pub(super) fn sort_by<'r>(
    operand: &'r Tree,
    key: &'r Tree,
    frame: &Frame<'_, 'r>,
    budget: &mut Budget,
) -> Evaluated<'r> {
    let range = evaluate(operand, frame, budget)?;
    let items = range.list_items().ok_or_else(|| no_unary("sortBy", &range))?;
    let mut items = Single(items);
    let (mut values, mut keys) = (Vec::new(), Vec::new());
    while let Some(item) = items.next(budget)? {
        budget.build_values(2)?;
        keys.push(item.evaluate(key, frame, budget)?);
        values.push(item.into_first(budget)?);
    }
    sort_by_keys(values, &keys, budget)
}

/// `operand.optMap(variable, body)`: the body of the value, where there is one.
#[inline(never)]
pub(super) fn map_optional<'r>(map: &'r OptMap, frame: &Frame<'_, 'r>, budget: &mut Budget) -> Evaluated<'r> {
    budget.step(1)?;
    match evaluate(&map.operand, frame, budget)? {
        Value::Optional(None) => Ok(Value::Optional(None)),
        Value::Optional(Some(value)) => match evaluate(&map.body, &frame.bind(&value), budget)? {
            flat @ Value::Optional(_) if map.flat => Ok(flat),
            other if map.flat => Err(no_unary("optFlatMap", &other)),
            body => Ok(Value::Optional(Some(Arc::new(body)))),
        },
        other => Err(no_unary("optMap", &other)),
    }
}

/// `cel.bind(variable, value, body)`: the value is computed once; where it has none, that is an error only where it is
/// read.
#[inline(never)]
pub(super) fn bind<'r>(
    value: &'r Tree,
    body: &'r Tree,
    frame: &Frame<'_, 'r>,
    budget: &mut Budget,
) -> Evaluated<'r> {
    budget.step(1)?;
    match path::reach(value, frame, budget) {
        Ok(value) => evaluate(body, &frame.bind(&value), budget),
        Err(error) if budget.is_exhausted() => Err(error),
        Err(error) => evaluate(body, &frame.bind_to(Bound::Failed(&error)), budget),
    }
}

/// The next for which the condition of the loop holds, if there is one.
fn next_chosen<'r, I: Items<'r>>(
    items: &mut I,
    each: &'r Loop,
    frame: &Frame<'_, 'r>,
    budget: &mut Budget,
) -> Result<Option<I::Item>, EvaluationError> {
    while let Some(item) = items.next(budget)? {
        match &each.condition {
            Some(condition) if !item.fulfils(condition, frame, budget)? => {}
            _ => return Ok(Some(item)),
        }
    }
    Ok(None)
}

// === impl Nodes ===

impl<'r> Items<'r> for Nodes<'r> {
    type Item = NodeRef<'r>;

    fn next(&mut self, budget: &mut Budget) -> Result<Option<NodeRef<'r>>, EvaluationError> {
        let item = self.0.next();
        if item.is_some() {
            budget.step(1)?;
        }
        Ok(item)
    }
}

impl<'r> Item<'r> for NodeRef<'r> {
    fn evaluate(&self, tree: &'r Tree, frame: &Frame<'_, 'r>, budget: &mut Budget) -> Evaluated<'r> {
        evaluate(tree, &frame.bind_to(Bound::Node(*self)), budget)
    }

    fn fulfils(
        &self,
        condition: &'r Tree,
        frame: &Frame<'_, 'r>,
        budget: &mut Budget,
    ) -> Result<bool, EvaluationError> {
        truth(condition, CONDITION, &frame.bind_to(Bound::Node(*self)), budget)
    }

    fn into_first(self, budget: &mut Budget) -> Evaluated<'r> {
        Value::read_node(self, budget)
    }
}

// === impl Single ===

impl<'r> Items<'r> for Single<'_, 'r> {
    type Item = Value<'r>;

    fn next(&mut self, budget: &mut Budget) -> Result<Option<Value<'r>>, EvaluationError> {
        let item = self.0.bound_nth(0);
        if item.is_some() {
            budget.step(1)?;
        }
        Ok(item)
    }
}

impl<'r> Item<'r> for Value<'r> {
    fn evaluate(&self, tree: &'r Tree, frame: &Frame<'_, 'r>, budget: &mut Budget) -> Evaluated<'r> {
        evaluate(tree, &frame.bind(self), budget)
    }

    fn fulfils(
        &self,
        condition: &'r Tree,
        frame: &Frame<'_, 'r>,
        budget: &mut Budget,
    ) -> Result<bool, EvaluationError> {
        truth(condition, CONDITION, &frame.bind(self), budget)
    }

    fn into_first(self, budget: &mut Budget) -> Evaluated<'r> {
        self.read(budget)
    }
}

// === impl Pairs ===

impl<'r> Items<'r> for Pairs<'_, 'r> {
    type Item = Pair<'r>;

    fn next(&mut self, budget: &mut Budget) -> Result<Option<Pair<'r>>, EvaluationError> {
        let pair = match self {
            Pairs::Indexed(items, index) => items.bound_nth(0).map(|value| {
                *index += 1;
                Pair(Value::Int(*index - 1), value)
            }),
            Pairs::Entries(entries) => entries.next().map(|(key, value)| Pair(key.clone(), value.clone())),
            Pairs::Members(members) => members
                .next()
                .map(|(name, member)| Pair(Value::String(Text::Borrowed(name)), Value::Node(member))),
        };
        if pair.is_some() {
            budget.step(1)?;
        }
        Ok(pair)
    }
}

impl<'r> Item<'r> for Pair<'r> {
    fn evaluate(&self, tree: &'r Tree, frame: &Frame<'_, 'r>, budget: &mut Budget) -> Evaluated<'r> {
        evaluate(tree, &frame.bind(&self.0).bind(&self.1), budget)
    }

    fn fulfils(
        &self,
        condition: &'r Tree,
        frame: &Frame<'_, 'r>,
        budget: &mut Budget,
    ) -> Result<bool, EvaluationError> {
        truth(condition, CONDITION, &frame.bind(&self.0).bind(&self.1), budget)
    }

    fn into_first(self, _: &mut Budget) -> Evaluated<'r> {
        Ok(self.0)
    }
}

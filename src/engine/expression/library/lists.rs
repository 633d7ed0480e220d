//! The functions of lists: Kubernetes' own, and the lists extension.
//!
//! In: lists. Out: elements, numbers, lists. Must never know: where a list came from.
//!
//! What compares elements does as Kubernetes where a list is mixed: what has no order with the rest is passed over.

use std::cmp::Ordering;
use std::sync::Arc;

use super::super::compare::{equal, order};
use super::super::evaluate::add;
use super::super::types::StaticType::{self, Bool, Dyn, Int, List, Optional};
use super::super::{Budget, Value};
use super::sorting::sort_by_keys;
use super::strings::length;
use super::{Overload, function, int, items, method, no_overload};
use crate::error::EvaluationError;

const ONE: &[StaticType] = &[List];
const LIST_AND_ELEMENT: &[StaticType] = &[List, Dyn];

pub(super) const TABLE: &[Overload] = &[
    method("isSorted", ONE, Bool, is_sorted),
    method("sum", ONE, Dyn, sum),
    method("min", ONE, Dyn, |a, b| extreme(a, b, Ordering::Greater, "min")),
    method("max", ONE, Dyn, |a, b| extreme(a, b, Ordering::Less, "max")),
    method("indexOf", LIST_AND_ELEMENT, Int, index_of),
    method("lastIndexOf", LIST_AND_ELEMENT, Int, last_index_of),
    method("includes", &[Dyn, Dyn], Bool, includes),
    method("slice", &[List, Int, Int], List, slice),
    method("flatten", ONE, List, flatten),
    method("flatten", &[List, Int], List, flatten),
    method("distinct", ONE, List, distinct),
    method("reverse", ONE, List, reverse),
    method("sort", ONE, List, sort),
    method("first", ONE, Optional, |a, b| end(a, b, false)),
    method("last", ONE, Optional, |a, b| end(a, b, true)),
    function("lists.range", &[Int], List, range),
];

/// All elements, within the budget.
pub(super) fn elements<'r>(
    arguments: &[Value<'r>],
    budget: &mut Budget,
) -> Result<Vec<Value<'r>>, EvaluationError> {
    let mut items = items(arguments, 0)?;
    budget.build_values(arguments.first().and_then(Value::len).unwrap_or(0))?;
    let mut elements = Vec::new();
    while let Some(item) = items.read_next(budget)? {
        budget.step(1)?;
        elements.push(item);
    }
    Ok(elements)
}

/// How two elements are ordered, within the budget; nothing where they have no order.
fn compare(a: &Value<'_>, b: &Value<'_>, budget: &mut Budget) -> Result<Option<Ordering>, EvaluationError> {
    if let (Some(a), Some(b)) = (a.as_str(), b.as_str()) {
        budget.read(a.len().min(b.len()))?;
    }
    Ok(order(a, b).flatten())
}

fn check_ordered(value: &Value<'_>) -> Result<(), EvaluationError> {
    if order(value, value).is_some() { Ok(()) } else { Err(no_overload()) }
}

fn is_sorted<'r>(arguments: &[Value<'r>], budget: &mut Budget) -> Result<Value<'r>, EvaluationError> {
    let mut items = items(arguments, 0)?;
    let Some(mut last) = items.read_next(budget)? else { return Ok(Value::Bool(true)) };
    check_ordered(&last)?;
    while let Some(item) = items.read_next(budget)? {
        budget.step(1)?;
        check_ordered(&item)?;
        if compare(&last, &item, budget)? == Some(Ordering::Greater) {
            return Ok(Value::Bool(false));
        }
        last = item;
    }
    Ok(Value::Bool(true))
}

/// Of nothing, 0.
fn sum<'r>(arguments: &[Value<'r>], budget: &mut Budget) -> Result<Value<'r>, EvaluationError> {
    let mut items = items(arguments, 0)?;
    let Some(mut sum) = items.read_next(budget)? else { return Ok(Value::Int(0)) };
    if !matches!(sum, Value::Int(_) | Value::Uint(_) | Value::Double(_) | Value::Duration(_)) {
        return Err(no_overload());
    }
    if let Value::Double(first) = &mut sum {
        // What is added up begins at 0, which makes a sum of -0.0 alone one of 0.0.
        *first += 0.0;
    }
    while let Some(item) = items.read_next(budget)? {
        budget.step(1)?;
        sum = add(&sum, &item, budget)?;
    }
    Ok(sum)
}

/// The element that no other is better than; `worse` is how it would be ordered against a better one.
fn extreme<'r>(
    arguments: &[Value<'r>],
    budget: &mut Budget,
    worse: Ordering,
    name: &str,
) -> Result<Value<'r>, EvaluationError> {
    let mut items = items(arguments, 0)?;
    let empty = || EvaluationError::plain(format!("{name}() of an empty list"));
    let mut best = items.read_next(budget)?.ok_or_else(empty)?;
    check_ordered(&best)?;
    while let Some(item) = items.read_next(budget)? {
        budget.step(1)?;
        check_ordered(&item)?;
        if compare(&best, &item, budget)? == Some(worse) {
            best = item;
        }
    }
    Ok(best)
}

fn index_of<'r>(arguments: &[Value<'r>], budget: &mut Budget) -> Result<Value<'r>, EvaluationError> {
    let [_, wanted] = arguments else { return Err(no_overload()) };
    let mut items = items(arguments, 0)?;
    let mut index = 0;
    while let Some(item) = items.read_next(budget)? {
        budget.step(1)?;
        if equal(&item, wanted, budget)? {
            return Ok(Value::Int(index));
        }
        index += 1;
    }
    Ok(Value::Int(-1))
}

fn last_index_of<'r>(arguments: &[Value<'r>], budget: &mut Budget) -> Result<Value<'r>, EvaluationError> {
    let [_, wanted] = arguments else { return Err(no_overload()) };
    for (index, item) in elements(arguments, budget)?.iter().enumerate().rev() {
        budget.step(1)?;
        if equal(item, wanted, budget)? {
            return length(index);
        }
    }
    Ok(Value::Int(-1))
}

/// Whether a list has the element, or a value that is no list is it.
fn includes<'r>(arguments: &[Value<'r>], budget: &mut Budget) -> Result<Value<'r>, EvaluationError> {
    let [all, wanted] = arguments else { return Err(no_overload()) };
    if all.list_items().is_none() {
        return equal(all, wanted, budget).map(Value::Bool);
    }
    index_of(arguments, budget).map(|index| Value::Bool(!matches!(index, Value::Int(-1))))
}

fn slice<'r>(arguments: &[Value<'r>], budget: &mut Budget) -> Result<Value<'r>, EvaluationError> {
    let (start, end) = (int(arguments, 1)?, int(arguments, 2)?);
    let length = arguments.first().and_then(Value::len).ok_or_else(no_overload)?;
    let bounds = usize::try_from(start).ok().zip(usize::try_from(end).ok());
    let Some((start, end)) = bounds.filter(|(start, end)| start <= end && *end <= length) else {
        return Err(EvaluationError::quoting(
            "cannot slice ",
            format_args!("from {start} to {end} of {length} elements"),
            "",
        ));
    };
    let mut items = items(arguments, 0)?;
    budget.read(start)?;
    budget.build_values(end - start)?;
    let mut part = Vec::with_capacity(end - start);
    let mut passed = start;
    while part.len() < end - start {
        budget.step(1)?;
        part.extend(items.read_nth(passed, budget)?);
        passed = 0;
    }
    Ok(Value::List(part.into()))
}

fn flatten<'r>(arguments: &[Value<'r>], budget: &mut Budget) -> Result<Value<'r>, EvaluationError> {
    let depth = if arguments.len() > 1 { int(arguments, 1)? } else { 1 };
    if depth < 0 {
        return Err(EvaluationError::quoting("cannot flatten to a negative depth: ", depth, ""));
    }
    let [list, ..] = arguments else { return Err(no_overload()) };
    let mut flat = Vec::new();
    // What is still to be flattened, the next last, with the depth that is left for it.
    let mut open = vec![(list.clone(), depth)];
    let mut outermost = true;
    while let Some((value, left)) = open.pop() {
        budget.step(1)?;
        let nested = value.list_items().filter(|_| outermost || left >= 0);
        outermost = false;
        let Some(mut items) = nested else {
            budget.build_values(1)?;
            flat.push(value);
            continue;
        };
        budget.build_values(value.len().unwrap_or(0))?;
        let before = open.len();
        while let Some(item) = items.read_next(budget)? {
            budget.step(1)?;
            open.push((item, left - 1));
        }
        open[before..].reverse();
    }
    Ok(Value::List(flat.into()))
}

/// The first of each group of equal elements.
fn distinct<'r>(arguments: &[Value<'r>], budget: &mut Budget) -> Result<Value<'r>, EvaluationError> {
    let mut items = items(arguments, 0)?;
    let mut kept: Vec<Value<'r>> = Vec::new();
    'items: while let Some(item) = items.read_next(budget)? {
        budget.step(1)?;
        for other in &kept {
            budget.step(1)?;
            if equal(&item, other, budget)? {
                continue 'items;
            }
        }
        budget.build_values(1)?;
        kept.push(item);
    }
    Ok(Value::List(kept.into()))
}

fn reverse<'r>(arguments: &[Value<'r>], budget: &mut Budget) -> Result<Value<'r>, EvaluationError> {
    let mut elements = elements(arguments, budget)?;
    elements.reverse();
    Ok(Value::List(elements.into()))
}

fn sort<'r>(arguments: &[Value<'r>], budget: &mut Budget) -> Result<Value<'r>, EvaluationError> {
    let elements = elements(arguments, budget)?;
    let keys = elements.clone();
    sort_by_keys(elements, &keys, budget)
}

fn end<'r>(arguments: &[Value<'r>], budget: &mut Budget, last: bool) -> Result<Value<'r>, EvaluationError> {
    let mut items = items(arguments, 0)?;
    let length = arguments.first().and_then(Value::len).unwrap_or(0);
    let skipped = if last { length.saturating_sub(1) } else { 0 };
    budget.read(skipped)?;
    Ok(Value::Optional(items.read_nth(skipped, budget)?.map(Arc::new)))
}

fn range<'r>(arguments: &[Value<'r>], budget: &mut Budget) -> Result<Value<'r>, EvaluationError> {
    let count = int(arguments, 0)?.max(0);
    let length = usize::try_from(count).unwrap_or(usize::MAX);
    budget.step(count.unsigned_abs())?;
    budget.build_values(length)?;
    Ok(Value::List((0..count).map(Value::Int).collect()))
}

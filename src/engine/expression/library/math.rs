//! The math extension, which Kubernetes does not have.
//!
//! In: numbers. Out: numbers and answers. Must never know: rows.

use std::cmp::Ordering;

use super::super::compare::order;
use super::super::types::StaticType::{self, Bool, Double, Dyn, Int, List, Uint};
use super::super::{Budget, Value};
use super::{Overload, function, items, no_overload};
use crate::error::EvaluationError;

type Outcome<'r> = Result<Value<'r>, EvaluationError>;

const INTS: &[StaticType] = &[Int, Int];
const UINTS: &[StaticType] = &[Uint, Uint];
const SHIFTED_UINT: &[StaticType] = &[Uint, Int];

pub(super) const TABLE: &[Overload] = &[
    function("math.greatest", &[List], Dyn, |a, b| extreme(a, b, Ordering::Less)),
    function("math.greatest", &[Dyn], Dyn, |a, b| extreme(a, b, Ordering::Less)),
    function("math.greatest", &[Dyn, Dyn], Dyn, |a, b| extreme(a, b, Ordering::Less)),
    function("math.least", &[List], Dyn, |a, b| extreme(a, b, Ordering::Greater)),
    function("math.least", &[Dyn], Dyn, |a, b| extreme(a, b, Ordering::Greater)),
    function("math.least", &[Dyn, Dyn], Dyn, |a, b| extreme(a, b, Ordering::Greater)),
    function("math.ceil", &[Double], Double, |a, _| rounded(a, f64::ceil)),
    function("math.floor", &[Double], Double, |a, _| rounded(a, f64::floor)),
    function("math.round", &[Double], Double, |a, _| rounded(a, f64::round)),
    function("math.trunc", &[Double], Double, |a, _| rounded(a, f64::trunc)),
    function("math.isInf", &[Double], Bool, |a, _| asked(a, f64::is_infinite)),
    function("math.isNaN", &[Double], Bool, |a, _| asked(a, f64::is_nan)),
    function("math.isFinite", &[Double], Bool, |a, _| asked(a, f64::is_finite)),
    function("math.abs", &[Int], Int, abs),
    function("math.abs", &[Uint], Uint, abs),
    function("math.abs", &[Double], Double, abs),
    function("math.sign", &[Int], Int, sign),
    function("math.sign", &[Uint], Uint, sign),
    function("math.sign", &[Double], Double, sign),
    function("math.sqrt", &[Int], Double, sqrt),
    function("math.sqrt", &[Uint], Double, sqrt),
    function("math.sqrt", &[Double], Double, sqrt),
    function("math.bitAnd", INTS, Int, |a, _| bits(a, |x, y| x & y)),
    function("math.bitAnd", UINTS, Uint, |a, _| bits(a, |x, y| x & y)),
    function("math.bitOr", INTS, Int, |a, _| bits(a, |x, y| x | y)),
    function("math.bitOr", UINTS, Uint, |a, _| bits(a, |x, y| x | y)),
    function("math.bitXor", INTS, Int, |a, _| bits(a, |x, y| x ^ y)),
    function("math.bitXor", UINTS, Uint, |a, _| bits(a, |x, y| x ^ y)),
    function("math.bitNot", &[Int], Int, bit_not),
    function("math.bitNot", &[Uint], Uint, bit_not),
    function("math.bitShiftLeft", INTS, Int, |a, _| shifted(a, u64::checked_shl)),
    function("math.bitShiftLeft", SHIFTED_UINT, Uint, |a, _| shifted(a, u64::checked_shl)),
    function("math.bitShiftRight", INTS, Int, |a, _| shifted(a, u64::checked_shr)),
    function("math.bitShiftRight", SHIFTED_UINT, Uint, |a, _| shifted(a, u64::checked_shr)),
];

/// The greatest or least of a list of numbers, of two, or of one; `worse` is how it would be ordered against a better one.
fn extreme<'r>(arguments: &[Value<'r>], budget: &mut Budget, worse: Ordering) -> Outcome<'r> {
    if let [list] = arguments
        && list.list_items().is_some()
    {
        let mut items = items(arguments, 0)?;
        let empty = || EvaluationError::new("the greatest or least of an empty list");
        let mut best = number(items.read_next(budget)?.ok_or_else(empty)?)?;
        while let Some(item) = items.read_next(budget)? {
            budget.step(1)?;
            best = better(best, number(item)?, worse);
        }
        return Ok(best);
    }
    match arguments {
        [one] => number(one.clone()),
        [a, b] => Ok(better(number(a.clone())?, number(b.clone())?, worse)),
        _ => Err(no_overload()),
    }
}

fn number(value: Value<'_>) -> Outcome<'_> {
    match value {
        Value::Int(_) | Value::Uint(_) | Value::Double(_) => Ok(value),
        _ => Err(no_overload()),
    }
}

fn better<'r>(best: Value<'r>, other: Value<'r>, worse: Ordering) -> Value<'r> {
    if order(&best, &other).flatten() == Some(worse) { other } else { best }
}

fn rounded<'r>(arguments: &[Value<'r>], round: impl Fn(f64) -> f64) -> Outcome<'r> {
    let [Value::Double(value)] = arguments else { return Err(no_overload()) };
    Ok(Value::Double(round(*value)))
}

fn asked<'r>(arguments: &[Value<'r>], ask: impl Fn(f64) -> bool) -> Outcome<'r> {
    let [Value::Double(value)] = arguments else { return Err(no_overload()) };
    Ok(Value::Bool(ask(*value)))
}

fn abs<'r>(arguments: &[Value<'r>], _: &mut Budget) -> Outcome<'r> {
    match arguments {
        [Value::Int(value)] => {
            let size = value.checked_abs().map(Value::Int);
            size.ok_or_else(|| EvaluationError::new("integer overflow"))
        }
        [Value::Uint(value)] => Ok(Value::Uint(*value)),
        [Value::Double(value)] => Ok(Value::Double(value.abs())),
        _ => Err(no_overload()),
    }
}

fn sign<'r>(arguments: &[Value<'r>], _: &mut Budget) -> Outcome<'r> {
    Ok(match arguments {
        [Value::Int(value)] => Value::Int(value.signum()),
        [Value::Uint(value)] => Value::Uint(u64::from(*value > 0)),
        // Of both zeros 0, of NaN NaN.
        [Value::Double(value)] if *value == 0.0 => Value::Double(0.0),
        [Value::Double(value)] => Value::Double(value.signum()),
        _ => return Err(no_overload()),
    })
}

#[allow(clippy::cast_precision_loss)]
fn sqrt<'r>(arguments: &[Value<'r>], _: &mut Budget) -> Outcome<'r> {
    Ok(Value::Double(match arguments {
        [Value::Int(value)] => (*value as f64).sqrt(),
        [Value::Uint(value)] => (*value as f64).sqrt(),
        [Value::Double(value)] => value.sqrt(),
        _ => return Err(no_overload()),
    }))
}

fn bits<'r>(arguments: &[Value<'r>], combine: impl Fn(u64, u64) -> u64) -> Outcome<'r> {
    match arguments {
        [Value::Int(a), Value::Int(b)] => {
            Ok(Value::Int(combine(a.cast_unsigned(), b.cast_unsigned()).cast_signed()))
        }
        [Value::Uint(a), Value::Uint(b)] => Ok(Value::Uint(combine(*a, *b))),
        _ => Err(no_overload()),
    }
}

fn bit_not<'r>(arguments: &[Value<'r>], _: &mut Budget) -> Outcome<'r> {
    match arguments {
        [Value::Int(value)] => Ok(Value::Int(!value)),
        [Value::Uint(value)] => Ok(Value::Uint(!value)),
        _ => Err(no_overload()),
    }
}

/// Without regard to the sign; of 64 places and more nothing is left.
fn shifted<'r>(arguments: &[Value<'r>], shift: impl Fn(u64, u32) -> Option<u64>) -> Outcome<'r> {
    let [_, Value::Int(places)] = arguments else { return Err(no_overload()) };
    if *places < 0 {
        return Err(EvaluationError::quoting("cannot shift by a negative number of places: ", places, ""));
    }
    let places = u32::try_from(*places).unwrap_or(u32::MAX);
    match arguments {
        [Value::Int(value), _] => {
            Ok(Value::Int(shift(value.cast_unsigned(), places).unwrap_or(0).cast_signed()))
        }
        [Value::Uint(value), _] => Ok(Value::Uint(shift(*value, places).unwrap_or(0))),
        _ => Err(no_overload()),
    }
}

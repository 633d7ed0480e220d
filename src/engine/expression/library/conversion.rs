//! Conversions between types.
//!
//! In: a value. Out: the same in another type, or an error where that cannot hold it. Must never know: rows.

use super::super::types::StaticType::{
    self, Bool, Bytes, Double, Duration as Span, Dyn, Int, String, Timestamp as Instant, Type, Uint,
};
use super::super::{Budget, Value};
use super::double::read_double;
use super::{Overload, function, no_overload};
use crate::error::EvaluationError;
use crate::scalar::{Duration, Offset, Timestamp};

pub(super) const TABLE: &[Overload] = &[
    to(&[Int], Int, same),
    to(&[Uint], Int, to_int),
    to(&[Double], Int, to_int),
    to(&[String], Int, to_int),
    to(&[Instant], Int, to_int),
    to(&[Span], Int, to_int),
    to(&[Uint], Uint, same),
    to(&[Int], Uint, to_uint),
    to(&[Double], Uint, to_uint),
    to(&[String], Uint, to_uint),
    to(&[Double], Double, same),
    to(&[Int], Double, to_double),
    to(&[Uint], Double, to_double),
    to(&[String], Double, to_double),
    to(&[String], String, same),
    to(&[Bool], String, to_string),
    to(&[Int], String, to_string),
    to(&[Uint], String, to_string),
    to(&[Double], String, to_string),
    to(&[Bytes], String, to_string),
    to(&[Instant], String, to_string),
    to(&[Span], String, to_string),
    to(&[Bytes], Bytes, same),
    to(&[String], Bytes, to_bytes),
    to(&[Bool], Bool, same),
    to(&[String], Bool, to_bool),
    function("timestamp", &[Instant], Instant, same),
    function("timestamp", &[String], Instant, to_timestamp).checking_literals(),
    function("timestamp", &[Int], Instant, to_timestamp).checking_literals(),
    function("duration", &[Span], Span, same),
    function("duration", &[String], Span, to_duration).checking_literals(),
    function("dyn", &[Dyn], Dyn, same),
    function("type", &[Dyn], Type, type_of),
];

/// A conversion is named like the type it gives.
const fn to(
    parameters: &'static [StaticType],
    result: StaticType,
    implementation: super::Implementation,
) -> Overload {
    let name = match result {
        Int => "int",
        Uint => "uint",
        Double => "double",
        String => "string",
        Bytes => "bytes",
        _ => "bool",
    };
    function(name, parameters, result, implementation).checking_literals()
}

fn same<'r>(arguments: &[Value<'r>], _: &mut Budget) -> Result<Value<'r>, EvaluationError> {
    arguments.first().cloned().ok_or_else(no_overload)
}

fn type_of<'r>(arguments: &[Value<'r>], _: &mut Budget) -> Result<Value<'r>, EvaluationError> {
    let [value] = arguments else { return Err(no_overload()) };
    Ok(Value::Type(value.type_name().into()))
}

#[allow(clippy::cast_possible_truncation)]
fn to_int<'r>(arguments: &[Value<'r>], budget: &mut Budget) -> Result<Value<'r>, EvaluationError> {
    let converted = match arguments {
        [Value::Uint(value)] => i64::try_from(*value).ok(),
        // The bounds themselves are refused: they are not exact as doubles.
        [Value::Double(value)] => (*value > -9_223_372_036_854_775_808.0
            && *value < 9_223_372_036_854_775_808.0)
            .then_some(*value as i64),
        [Value::String(text)] => {
            budget.read(text.as_str().len())?;
            let parsed = text.as_str().parse();
            return parsed.map(Value::Int).map_err(|_| invalid("int", text.as_str()));
        }
        [Value::Timestamp(instant, _)] => Some(instant.seconds),
        [Value::Duration(duration)] => Some(duration.nanos),
        _ => return Err(no_overload()),
    };
    converted.map(Value::Int).ok_or_else(|| EvaluationError::new("integer overflow"))
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn to_uint<'r>(arguments: &[Value<'r>], budget: &mut Budget) -> Result<Value<'r>, EvaluationError> {
    let converted = match arguments {
        [Value::Int(value)] => u64::try_from(*value).ok(),
        [Value::Double(value)] => {
            (*value >= 0.0 && *value < 18_446_744_073_709_551_616.0).then_some(*value as u64)
        }
        [Value::String(text)] => {
            budget.read(text.as_str().len())?;
            // Go takes no sign here, though it does for an int.
            let parsed = if text.as_str().starts_with('+') { "" } else { text.as_str() }.parse();
            return parsed.map(Value::Uint).map_err(|_| invalid("uint", text.as_str()));
        }
        _ => return Err(no_overload()),
    };
    converted.map(Value::Uint).ok_or_else(|| EvaluationError::new("unsigned integer overflow"))
}

#[allow(clippy::cast_precision_loss)]
fn to_double<'r>(arguments: &[Value<'r>], budget: &mut Budget) -> Result<Value<'r>, EvaluationError> {
    match arguments {
        [Value::Int(value)] => Ok(Value::Double(*value as f64)),
        [Value::Uint(value)] => Ok(Value::Double(*value as f64)),
        [Value::String(text)] => {
            budget.read(text.as_str().len())?;
            read_double(text.as_str()).map(Value::Double).ok_or_else(|| invalid("double", text.as_str()))
        }
        _ => Err(no_overload()),
    }
}

fn to_string<'r>(arguments: &[Value<'r>], budget: &mut Budget) -> Result<Value<'r>, EvaluationError> {
    let [value] = arguments else { return Err(no_overload()) };
    let text = written(value, budget)?.ok_or_else(no_overload)?;
    budget.build(text.len())?;
    Ok(Value::text(text))
}

/// What `string()` gives of a scalar of the CEL specification.
pub(super) fn written(
    value: &Value<'_>,
    budget: &mut Budget,
) -> Result<Option<std::string::String>, EvaluationError> {
    Ok(Some(match value {
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Uint(value) => value.to_string(),
        Value::Double(value) => format_double(*value),
        Value::String(text) => {
            budget.read(text.as_str().len())?;
            text.as_str().to_owned()
        }
        Value::Timestamp(value, offset) => value.at(*offset).to_string(),
        Value::Duration(value) => format_duration(*value),
        Value::Bytes(bytes) => {
            budget.read(bytes.len())?;
            let text = std::str::from_utf8(bytes);
            text.map_err(|_| EvaluationError::new("invalid UTF-8 in bytes"))?.to_owned()
        }
        _ => return Ok(None),
    }))
}

/// A duration in seconds, with no more digits than a double has.
#[allow(clippy::cast_precision_loss)]
fn format_duration(duration: Duration) -> std::string::String {
    let (seconds, nanos) = (duration.nanos / 1_000_000_000, duration.nanos % 1_000_000_000);
    format!("{}s", seconds as f64 + nanos as f64 / 1e9)
}

/// As Go's `%g`: the shortest digits that round-trip, with an exponent below 1e-4 and from 1e6.
fn format_double(value: f64) -> std::string::String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "+Inf".to_owned() } else { "-Inf".to_owned() };
    }
    let scientific = format!("{value:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..6).contains(&exponent) {
        return format!("{value}");
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.abs())
}

fn to_bytes<'r>(arguments: &[Value<'r>], budget: &mut Budget) -> Result<Value<'r>, EvaluationError> {
    let [Value::String(text)] = arguments else { return Err(no_overload()) };
    budget.build(text.as_str().len())?;
    Ok(Value::Bytes(text.as_str().as_bytes().into()))
}

fn to_bool<'r>(arguments: &[Value<'r>], _: &mut Budget) -> Result<Value<'r>, EvaluationError> {
    let [Value::String(text)] = arguments else { return Err(no_overload()) };
    match text.as_str() {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(Value::Bool(true)),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(Value::Bool(false)),
        other => Err(invalid("bool", other)),
    }
}

fn to_timestamp<'r>(arguments: &[Value<'r>], budget: &mut Budget) -> Result<Value<'r>, EvaluationError> {
    match arguments {
        [Value::String(text)] => {
            budget.read(text.as_str().len())?;
            let parsed = Timestamp::parse_with_offset(text.as_str());
            let parsed = parsed.map(|(instant, offset)| Value::Timestamp(instant, offset));
            parsed.map_err(|error| EvaluationError::new(error.0))
        }
        [Value::Int(seconds)] => {
            let instant = Timestamp::new(*seconds, 0);
            let instant = instant.map(|instant| Value::Timestamp(instant, Offset::default()));
            instant.ok_or_else(|| EvaluationError::new("timestamp overflow"))
        }
        _ => Err(no_overload()),
    }
}

fn to_duration<'r>(arguments: &[Value<'r>], budget: &mut Budget) -> Result<Value<'r>, EvaluationError> {
    match arguments {
        [Value::String(text)] => {
            budget.read(text.as_str().len())?;
            let parsed = Duration::parse_as_go(text.as_str());
            parsed.map(Value::Duration).map_err(|error| EvaluationError::new(error.0))
        }
        _ => Err(no_overload()),
    }
}

fn invalid(wanted: &str, text: &str) -> EvaluationError {
    EvaluationError::quoting("cannot convert ", format_args!("{text:.40?}"), &format!(" to {wanted}"))
}

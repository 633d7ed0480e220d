//! The number in what a value expression gave.
//!
//! In: an outcome and the kind of number wanted. Out: an exact amount, nothing, or an error that says what was found.
//! The rules for integers and timestamps are those of metrics-operator's `valueFrom`.

use serde_json::Value as Json;

use crate::definition::ValueKind;
use crate::error::EvaluationError;
use crate::expression::{Outcome, Value};
use crate::row::{Kind, NodeRef};
use crate::scalar::{Duration, Quantity, ScalarError, Timestamp};
use crate::series::{Amount, Nanos};

/// A number as it was found, before it is read as any kind.
enum Found<'a> {
    /// A literal of JSON.
    Literal(&'a str),
    Text(&'a str),
    Int(i128),
    Double(f64),
    Timestamp(Timestamp),
    Duration(Duration),
    Quantity(Quantity),
}

/// The amount that `outcome` holds; `None` where there is no value.
pub(super) fn of(outcome: &Outcome<'_>, kind: ValueKind) -> Result<Option<Amount>, EvaluationError> {
    match outcome {
        Outcome::Nodes(nodes) => match nodes.as_slice() {
            [] => Ok(None),
            [node] => of_node(*node, kind),
            several => Err(EvaluationError::plain(format!("{} values where one is needed", several.len()))),
        },
        Outcome::Value(value) => of_value(value, kind),
    }
}

/// The amount that stands for an absent one.
pub(super) fn of_default(json: &Json, kind: ValueKind) -> Result<Amount, EvaluationError> {
    let text;
    let found = match json {
        Json::String(text) => Found::Text(text),
        Json::Number(number) => {
            text = number.to_string();
            Found::Literal(&text)
        }
        _ => return Err(EvaluationError::new("a default is a string or a number")),
    };
    // Upstream's default of a timestamp may be Unix seconds in digits.
    if let (ValueKind::Timestamp, Found::Text(text) | Found::Literal(text)) = (kind, &found)
        && let Ok(seconds) = text.parse()
    {
        return Ok(Amount::Integer(seconds));
    }
    read(&found, kind)
}

fn of_node(node: NodeRef<'_>, kind: ValueKind) -> Result<Option<Amount>, EvaluationError> {
    let found = match node.kind() {
        Kind::Null => return Ok(None),
        Kind::Number => node.as_number().map(Found::Literal),
        Kind::String => node.as_str().map(Found::Text),
        Kind::Bool => return Err(no_number("a bool")),
        Kind::List => return Err(no_number("a list")),
        Kind::Map => return Err(no_number("a map")),
    };
    found.map(|found| read(&found, kind)).transpose()
}

fn of_value(value: &Value<'_>, kind: ValueKind) -> Result<Option<Amount>, EvaluationError> {
    let found = match value {
        Value::Null | Value::Optional(None) => return Ok(None),
        Value::Optional(Some(value)) => return of_value(value, kind),
        Value::Node(node) => return of_node(*node, kind),
        Value::Int(n) => Found::Int(i128::from(*n)),
        Value::Uint(n) => Found::Int(i128::from(*n)),
        Value::Double(n) => Found::Double(*n),
        Value::String(text) => Found::Text(text.as_str()),
        Value::Timestamp(time, _) => Found::Timestamp(*time),
        Value::Duration(duration) => Found::Duration(*duration),
        Value::Quantity(quantity, _) => Found::Quantity(*quantity),
        other => return Err(no_number(other.type_name())),
    };
    read(&found, kind).map(Some)
}

fn read(found: &Found<'_>, kind: ValueKind) -> Result<Amount, EvaluationError> {
    match kind {
        ValueKind::Integer => integer(found),
        ValueKind::Double => double(found),
        ValueKind::Quantity => quantity(found),
        ValueKind::Duration => duration(found),
        ValueKind::Timestamp => timestamp(found),
    }
}

fn integer(found: &Found<'_>) -> Result<Amount, EvaluationError> {
    let whole = match found {
        Found::Literal(text) => text.parse().ok().or_else(|| text.parse().ok().and_then(whole)),
        // Digits with a sign, as Go's ParseInt has it: no spaces, no underscores, no other base.
        Found::Text(text) => text.parse().ok(),
        Found::Int(n) => i64::try_from(*n).ok(),
        Found::Double(n) => whole(*n),
        Found::Quantity(quantity) => quantity.as_i64(),
        Found::Timestamp(_) => return Err(no_kind("a timestamp", "an integer")),
        Found::Duration(_) => return Err(no_kind("a duration", "an integer")),
    };
    whole.map(Amount::Integer).ok_or_else(|| no_integer(found))
}

fn double(found: &Found<'_>) -> Result<Amount, EvaluationError> {
    let number = match found {
        Found::Literal(text) => text.parse().ok(),
        Found::Text(text) => decimal(text).or_else(|| Quantity::parse(text).ok().map(Quantity::as_f64)),
        #[allow(clippy::cast_precision_loss)]
        Found::Int(n) => Some(*n as f64),
        Found::Double(n) => Some(*n),
        Found::Quantity(quantity) => Some(quantity.as_f64()),
        Found::Duration(duration) => Some(Quantity { nanos: i128::from(duration.nanos) }.as_f64()),
        Found::Timestamp(_) => return Err(no_kind("a timestamp", "a double")),
    };
    number.map(Amount::Double).ok_or_else(|| mismatch(found, "a double"))
}

fn quantity(found: &Found<'_>) -> Result<Amount, EvaluationError> {
    let nanos = match found {
        Found::Literal(text) | Found::Text(text) => {
            let parsed = Quantity::parse(text);
            parsed.map_err(|error| refused(found, &error))?.nanos
        }
        Found::Int(n) => n.checked_mul(1_000_000_000).ok_or_else(|| mismatch(found, "a quantity"))?,
        Found::Double(n) => Quantity::parse(&n.to_string()).map_err(|_| mismatch(found, "a quantity"))?.nanos,
        Found::Quantity(quantity) => quantity.nanos,
        Found::Duration(duration) => i128::from(duration.nanos),
        Found::Timestamp(_) => return Err(no_kind("a timestamp", "a quantity")),
    };
    let amount = Nanos::new(nanos).map(Amount::Nanos);
    amount.ok_or_else(|| quoting("", found, " is beyond what can be summed"))
}

fn duration(found: &Found<'_>) -> Result<Amount, EvaluationError> {
    match found {
        Found::Text(text) => {
            let parsed = Duration::parse_exact(text).map_err(|error| refused(found, &error))?;
            Ok(nanoseconds(parsed))
        }
        Found::Duration(duration) => Ok(nanoseconds(*duration)),
        // A bare number is seconds, the unit that durations are exported in.
        Found::Literal(_) | Found::Int(_) | Found::Double(_) | Found::Quantity(_) => quantity(found),
        Found::Timestamp(_) => Err(no_kind("a timestamp", "a duration")),
    }
}

fn nanoseconds(duration: Duration) -> Amount {
    let nanos = Nanos::new(i128::from(duration.nanos));
    Amount::Nanos(nanos.expect("64 bits of nanoseconds are within the range of amounts"))
}

fn timestamp(found: &Found<'_>) -> Result<Amount, EvaluationError> {
    match found {
        Found::Text(text) => {
            let parsed = Timestamp::parse(text).map_err(|error| refused(found, &error))?;
            Ok(Amount::Integer(parsed.seconds))
        }
        Found::Timestamp(time) => Ok(Amount::Integer(time.seconds)),
        other => Err(mismatch(other, "an RFC 3339 timestamp")),
    }
}

/// A decimal number, or one of the names that Go and Prometheus have for what is none.
fn decimal(text: &str) -> Option<f64> {
    match text {
        "NaN" => Some(f64::NAN),
        "Inf" | "+Inf" | "Infinity" => Some(f64::INFINITY),
        "-Inf" | "-Infinity" => Some(f64::NEG_INFINITY),
        text if text.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c)) => {
            text.parse().ok().filter(|n: &f64| n.is_finite())
        }
        _ => None,
    }
}

/// A double that is a whole number of 64 bits.
#[allow(clippy::cast_possible_truncation)]
fn whole(n: f64) -> Option<i64> {
    let range = -9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0;
    (n.fract() == 0.0 && range.contains(&n)).then_some(n as i64)
}

/// What was found is no value of the kind that is wanted.
fn mismatch(found: &Found<'_>, wanted: &str) -> EvaluationError {
    quoting("found ", found, &format!(" where {wanted} is needed"))
}

/// What was found is a value of another kind than is wanted.
fn no_kind(found: &str, wanted: &str) -> EvaluationError {
    EvaluationError::plain(format!("found {found} where {wanted} is needed"))
}

fn no_integer(found: &Found<'_>) -> EvaluationError {
    mismatch(found, "an integer of 64 bits")
}

fn no_number(found: &str) -> EvaluationError {
    no_kind(found, "a number")
}

/// What was found does not parse.
fn refused(found: &Found<'_>, error: &ScalarError) -> EvaluationError {
    quoting("", found, &format!(": {error}"))
}

/// An error that says what was found, as far as it is short enough for a message.
fn quoting(before: &str, found: &Found<'_>, after: &str) -> EvaluationError {
    let kind = |kind: &str| EvaluationError::plain(format!("{before}{kind}{after}"));
    match found {
        Found::Literal(text) => {
            EvaluationError::quoting(before, text.chars().take(64).collect::<String>(), after)
        }
        Found::Text(text) => {
            let end = text.floor_char_boundary(64);
            let rest = if end < text.len() { "…" } else { "" };
            EvaluationError::quoting(before, format_args!("{:?}{rest}", &text[..end]), after)
        }
        Found::Int(n) => EvaluationError::quoting(before, n, after),
        Found::Double(n) => EvaluationError::quoting(before, n, after),
        Found::Timestamp(_) => kind("a timestamp"),
        Found::Duration(_) => kind("a duration"),
        Found::Quantity(_) => kind("a quantity"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_finer_than_a_nanosecond_is_no_value() {
        let amount = |text: &str| of(&Outcome::Value(Value::text(text)), ValueKind::Duration);
        assert_eq!(amount("1.000000001s").unwrap(), Some(nanoseconds(Duration { nanos: 1_000_000_001 })));
        let error = amount("1.5ns").unwrap_err().to_string();
        assert_eq!(error, "\"1.5ns\": the duration is finer than a nanosecond");
    }
}

//! `format` of the strings extension: `'%s has %d'.format([name, count])`.
//!
//! In: a template, a list of arguments. Out: text, as the API server writes it in its locale: doubles with commas between
//! thousands, exponents as powers of ten. Must never know: rows.

use super::super::types::StaticType::{List, String};
use super::super::{Budget, Value};
use super::conversion::written as to_text;
use super::{Form, Overload, items, method, string};
use crate::error::EvaluationError;

pub(super) const TABLE: &[Overload] = &[method("format", &[String, List], String, format)
    .with_form(Form::Template(format))
    .checking_literals()];

/// The most digits behind the point that may be asked for.
const MAX_PRECISION: usize = 1000;

/// The digits behind the point where none are asked for.
const PRECISION: usize = 6;

/// A part of a template.
enum Part<'t> {
    Text(&'t str),
    /// `%.3f`: which letter, and the digits.
    Clause(char, Option<usize>),
}

/// Takes a template apart, from left to right.
struct Parts<'t> {
    rest: &'t str,
}

/// Checks a template that has so many arguments.
///
/// # Errors
/// What is wrong with it.
pub(in super::super) fn check(template: &str, given: usize) -> Result<(), std::string::String> {
    let mut taken = 0;
    let mut parts = Parts { rest: template };
    while let Some(part) = parts.next()? {
        taken += usize::from(matches!(part, Part::Clause(..)));
    }
    match taken.cmp(&given) {
        std::cmp::Ordering::Equal => Ok(()),
        _ => Err(wrong_count(taken, given)),
    }
}

fn wrong_count(taken: usize, given: usize) -> std::string::String {
    let plural = if taken == 1 { "" } else { "s" };
    format!("the format takes {taken} argument{plural}, found {given}")
}

fn format<'r>(arguments: &[Value<'r>], budget: &mut Budget) -> Result<Value<'r>, EvaluationError> {
    let template = string(arguments, 0)?;
    let mut given = items(arguments, 1)?;
    let count = arguments.get(1).and_then(Value::len).unwrap_or(0);
    budget.build(template.len())?;
    let mut out = std::string::String::new();
    let mut parts = Parts { rest: template };
    let mut taken = 0;
    while let Some(part) = parts.next().map_err(EvaluationError::new)? {
        match part {
            Part::Text(text) => out.push_str(text),
            Part::Clause(letter, precision) => {
                taken += 1;
                let argument = given.read_next(budget)?;
                let argument = argument.ok_or_else(|| EvaluationError::plain(wrong_count(taken, count)))?;
                budget.step(1)?;
                clause(letter, precision, &argument, &mut out, budget)?;
            }
        }
    }
    Ok(Value::text(out))
}

fn clause(
    letter: char,
    precision: Option<usize>,
    argument: &Value<'_>,
    out: &mut std::string::String,
    budget: &mut Budget,
) -> Result<(), EvaluationError> {
    let wrong = || EvaluationError::plain(format!("%{letter} does not format a {}", argument.type_name()));
    let text = match (letter, argument) {
        ('s', _) => return written(argument, out, budget),
        ('d', Value::Int(value)) => value.to_string(),
        ('d', Value::Uint(value)) => value.to_string(),
        ('b', Value::Int(value)) => format!("{}{:b}", minus(*value), value.unsigned_abs()),
        ('b', Value::Uint(value)) => format!("{value:b}"),
        ('b', Value::Bool(value)) => u8::from(*value).to_string(),
        ('o', Value::Int(value)) => format!("{}{:o}", minus(*value), value.unsigned_abs()),
        ('o', Value::Uint(value)) => format!("{value:o}"),
        ('x', Value::Int(value)) => format!("{}{:x}", minus(*value), value.unsigned_abs()),
        ('X', Value::Int(value)) => format!("{}{:X}", minus(*value), value.unsigned_abs()),
        ('x', Value::Uint(value)) => format!("{value:x}"),
        ('X', Value::Uint(value)) => format!("{value:X}"),
        ('x' | 'X', Value::String(text)) => hexadecimal(text.as_str().as_bytes(), letter == 'X', budget)?,
        ('x' | 'X', Value::Bytes(bytes)) => hexadecimal(bytes, letter == 'X', budget)?,
        ('f', _) => {
            let precision = precision.unwrap_or(PRECISION);
            budget.build(precision)?;
            fixed(double(argument).ok_or_else(wrong)?, precision)
        }
        // What looks like a precision is a width here, as it is there.
        ('e', _) => scientific(double(argument).ok_or_else(wrong)?, precision.unwrap_or(PRECISION)),
        _ => return Err(wrong()),
    };
    budget.build(text.len())?;
    out.push_str(&text);
    Ok(())
}

fn minus(value: i64) -> &'static str {
    if value < 0 { "-" } else { "" }
}

fn hexadecimal(
    bytes: &[u8],
    upper: bool,
    budget: &mut Budget,
) -> Result<std::string::String, EvaluationError> {
    budget.build(bytes.len().saturating_mul(2))?;
    let digits = bytes.iter().map(|byte| if upper { format!("{byte:02X}") } else { format!("{byte:02x}") });
    Ok(digits.collect())
}

/// A double, or a text that names one of those without digits.
fn double(argument: &Value<'_>) -> Option<f64> {
    match argument {
        Value::Double(value) => Some(*value),
        Value::String(text) => match text.as_str() {
            "NaN" => Some(f64::NAN),
            "Infinity" => Some(f64::INFINITY),
            "-Infinity" => Some(f64::NEG_INFINITY),
            _ => None,
        },
        _ => None,
    }
}

fn fixed(value: f64, precision: usize) -> std::string::String {
    if !value.is_finite() {
        return unwritable(value);
    }
    let text = format!("{value:.precision$}");
    let (whole, fraction) = text.split_at(text.find('.').unwrap_or(text.len()));
    let digits = whole.trim_start_matches('-');
    let mut out = whole[..whole.len() - digits.len()].to_owned();
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out.push_str(fraction);
    out
}

fn scientific(value: f64, width: usize) -> std::string::String {
    if !value.is_finite() {
        return format!("{:>width$}", unwritable(value));
    }
    let text = format!("{value:.PRECISION$e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, exponent) = exponent.strip_prefix('-').map_or(("", exponent), |exponent| ("⁻", exponent));
    const RAISED: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    let raised = format!("{exponent:0>2}");
    let raised = raised.chars().filter_map(|digit| digit.to_digit(10)).map(|digit| RAISED[digit as usize]);
    let text = format!("{digits}×10{sign}{}", raised.collect::<std::string::String>());
    format!("{text:>width$}")
}

fn unwritable(value: f64) -> std::string::String {
    let text = if value.is_nan() {
        "NaN"
    } else if value > 0.0 {
        "∞"
    } else {
        "-∞"
    };
    text.to_owned()
}

/// `%s`: strings as they are; lists and maps as a literal would be written.
fn written(
    value: &Value<'_>,
    out: &mut std::string::String,
    budget: &mut Budget,
) -> Result<(), EvaluationError> {
    if value.len().is_some() {
        return literal(value, out, budget);
    }
    let text = match value {
        Value::Null => "null".to_owned(),
        Value::Type(name) => name.to_string(),
        Value::Semver(_) | Value::Ip(_) | Value::Cidr(_) | Value::Url(_) | Value::Format(_) => {
            return Err(EvaluationError::plain(format!("%s does not format a {}", value.type_name())));
        }
        _ => match to_text(value, budget)? {
            Some(text) => text,
            None => {
                return Err(EvaluationError::plain(format!("%s does not format a {}", value.type_name())));
            }
        },
    };
    budget.build(text.len())?;
    out.push_str(&text);
    Ok(())
}

/// An element of a list or a map, or one of these. Recursion is bounded: what nests deeply is made by nested loops, or
/// lies in the row, whose depth is bounded.
fn literal(
    value: &Value<'_>,
    out: &mut std::string::String,
    budget: &mut Budget,
) -> Result<(), EvaluationError> {
    budget.step(1)?;
    let mut add = |text: &str| {
        budget.build(text.len())?;
        out.push_str(text);
        Ok::<_, EvaluationError>(())
    };
    match value {
        Value::String(text) => add(&quoted(text.as_str())),
        Value::Double(value) if value.is_finite() => add(&format!("{value:.PRECISION$}")),
        Value::Double(value) if value.is_nan() => add("\"NaN\""),
        Value::Double(value) => add(if *value > 0.0 { "\"+Inf\"" } else { "\"-Inf\"" }),
        Value::List(_) | Value::Node(_) | Value::Map(_) => nested(value, out, budget),
        Value::Bytes(_) | Value::Timestamp(..) | Value::Duration(_) => {
            let text = to_text(value, budget)?.unwrap_or_default();
            let text = quoted(&text);
            let text = match value {
                Value::Bytes(_) => format!("b{text}"),
                Value::Duration(_) => format!("duration({text})"),
                _ => format!("timestamp({text})"),
            };
            budget.build(text.len())?;
            out.push_str(&text);
            Ok(())
        }
        _ => written(value, out, budget),
    }
}

fn nested(
    value: &Value<'_>,
    out: &mut std::string::String,
    budget: &mut Budget,
) -> Result<(), EvaluationError> {
    budget.build(2)?;
    if let Some(mut items) = value.list_items() {
        out.push('[');
        let mut first = true;
        while let Some(item) = items.read_next(budget)? {
            if !first {
                budget.build(2)?;
                out.push_str(", ");
            }
            first = false;
            literal(&item, out, budget)?;
        }
        out.push(']');
        return Ok(());
    }
    let mut entries = Vec::new();
    for (key, member) in entries_of(value, budget)? {
        let mut text = std::string::String::new();
        literal(&key, &mut text, budget)?;
        entries.push((text, member));
    }
    // Sorted by how the keys are written.
    entries.sort_by(|(a, _), (b, _)| a.cmp(b));
    out.push('{');
    for (index, (key, member)) in entries.iter().enumerate() {
        if index > 0 {
            out.push_str(", ");
        }
        budget.build(key.len().saturating_add(3))?;
        out.push_str(key);
        out.push(':');
        literal(member, out, budget)?;
    }
    out.push('}');
    Ok(())
}

fn entries_of<'r>(
    value: &Value<'r>,
    budget: &mut Budget,
) -> Result<Vec<(Value<'r>, Value<'r>)>, EvaluationError> {
    budget.build_values(value.len().unwrap_or(0).saturating_mul(2))?;
    Ok(match value {
        Value::Map(map) => map.entries.clone(),
        Value::Node(node) => {
            let mut entries = Vec::with_capacity(node.len());
            for (name, member) in node.entries() {
                let key = Value::String(super::super::Text::Borrowed(name));
                entries.push((key, Value::read_node(member, budget)?));
            }
            entries
        }
        _ => Vec::new(),
    })
}

/// In double quotes as Go writes them.
fn quoted(text: &str) -> std::string::String {
    let mut out = std::string::String::with_capacity(text.len() + 2);
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{b}' => out.push_str("\\v"),
            _ if is_printable(character) => out.push(character),
            ' '..='\u{7f}' | '\0'..='\u{1f}' => out.push_str(&format!("\\x{:02x}", u32::from(character))),
            ..='\u{ffff}' => out.push_str(&format!("\\u{:04x}", u32::from(character))),
            _ => out.push_str(&format!("\\U{:08x}", u32::from(character))),
        }
    }
    out.push('"');
    out
}

/// Whether a character is seen. A mark that combines with the one before it is.
fn is_printable(character: char) -> bool {
    let mut probe = std::string::String::from("a");
    probe.push(character);
    probe.escape_debug().nth(1) == Some(character)
}

// === impl Parts ===

impl<'t> Parts<'t> {
    fn next(&mut self) -> Result<Option<Part<'t>>, std::string::String> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let Some(after) = self.rest.strip_prefix('%') else {
            let (text, rest) = self.rest.split_at(self.rest.find('%').unwrap_or(self.rest.len()));
            self.rest = rest;
            return Ok(Some(Part::Text(text)));
        };
        if let Some(rest) = after.strip_prefix('%') {
            self.rest = rest;
            return Ok(Some(Part::Text("%")));
        }
        let (precision, after) = match after.strip_prefix('.') {
            None => (None, after),
            Some(digits) => {
                let rest = digits.trim_start_matches(|c: char| c.is_ascii_digit());
                let number = digits[..digits.len() - rest.len()].parse().ok();
                let number = number.filter(|number| *number <= MAX_PRECISION);
                let number = number.ok_or_else(|| {
                    format!("the format wants a number of up to {MAX_PRECISION} after '%.'")
                })?;
                (Some(number), rest)
            }
        };
        let letter = after.chars().next().ok_or("the format ends in '%'")?;
        if !matches!(letter, 's' | 'd' | 'f' | 'e' | 'b' | 'x' | 'X' | 'o') {
            return Err(format!("the format knows no '%{letter}'"));
        }
        self.rest = &after[letter.len_utf8()..];
        Ok(Some(Part::Clause(letter, precision)))
    }
}

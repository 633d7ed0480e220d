//! The strings extension: what takes strings apart and puts them together.
//!
//! In: strings, positions that count code points. Out: the same. Must never know: rows.

use super::super::types::StaticType::{self, Int, List, String};
use super::super::{Budget, Value};
use super::strings::length;
use super::{Overload, function, int, items, method, string};
use crate::error::EvaluationError;

const ONE: &[StaticType] = &[String];
const TWO: &[StaticType] = &[String, String];
const THREE: &[StaticType] = &[String, String, String];
const TWO_AND_INT: &[StaticType] = &[String, String, Int];

pub(super) const TABLE: &[Overload] = &[
    method("charAt", &[String, Int], String, char_at),
    method("indexOf", TWO, Int, index_of),
    method("indexOf", TWO_AND_INT, Int, index_of),
    method("lastIndexOf", TWO, Int, last_index_of),
    method("lastIndexOf", TWO_AND_INT, Int, last_index_of),
    method("substring", &[String, Int], String, substring),
    method("substring", &[String, Int, Int], String, substring),
    method("replace", THREE, String, replace),
    method("replace", &[String, String, String, Int], String, replace),
    method("split", TWO, List, split),
    method("split", TWO_AND_INT, List, split),
    method("join", &[List], String, join),
    method("join", &[List, String], String, join),
    method("lowerAscii", ONE, String, |a, b| rewritten(a, b, str::to_ascii_lowercase)),
    method("upperAscii", ONE, String, |a, b| rewritten(a, b, str::to_ascii_uppercase)),
    method("trim", ONE, String, |a, b| rewritten(a, b, |text| text.trim().to_owned())),
    method("reverse", ONE, String, |a, b| rewritten(a, b, |text| text.chars().rev().collect())),
    function("strings.quote", ONE, String, quote),
];

/// Of these functions the result is no longer than the string.
fn rewritten<'r>(
    arguments: &[Value<'r>],
    budget: &mut Budget,
    rewrite: impl Fn(&str) -> std::string::String,
) -> Result<Value<'r>, EvaluationError> {
    let text = string(arguments, 0)?;
    budget.read(text.len())?;
    budget.build(text.len())?;
    Ok(Value::text(rewrite(text)))
}

fn char_at<'r>(arguments: &[Value<'r>], budget: &mut Budget) -> Result<Value<'r>, EvaluationError> {
    let (text, index) = (string(arguments, 0)?, int(arguments, 1)?);
    budget.read(text.len())?;
    let start = byte_at(text, index)?;
    Ok(Value::text(
        text[start..].chars().next().map_or(std::string::String::new(), std::string::String::from),
    ))
}

fn substring<'r>(arguments: &[Value<'r>], budget: &mut Budget) -> Result<Value<'r>, EvaluationError> {
    let (text, from) = (string(arguments, 0)?, int(arguments, 1)?);
    budget.read(text.len())?;
    let part = match arguments.get(2) {
        None => &text[byte_at(text, from)?..],
        Some(_) => {
            let to = int(arguments, 2)?;
            if from > to {
                return Err(EvaluationError::quoting("a substring cannot end before its start: ", to, ""));
            }
            &text[byte_at(text, from)?..byte_at(text, to)?]
        }
    };
    budget.build(part.len())?;
    Ok(Value::text(part))
}

/// Where the code point of this index begins; the end of the text is one too.
fn byte_at(text: &str, index: i64) -> Result<usize, EvaluationError> {
    find_byte(text, index).ok_or_else(|| EvaluationError::quoting("index out of range: ", index, ""))
}

fn find_byte(text: &str, index: i64) -> Option<usize> {
    let index = usize::try_from(index).ok()?;
    let starts = text.char_indices().map(|(start, _)| start);
    starts.chain([text.len()]).nth(index)
}

fn index_of<'r>(arguments: &[Value<'r>], budget: &mut Budget) -> Result<Value<'r>, EvaluationError> {
    let (text, part) = (string(arguments, 0)?, string(arguments, 1)?);
    budget.read(text.len())?;
    let from = if arguments.len() > 2 { int(arguments, 2)? } else { 0 };
    // Nothing is found wherever it is looked for.
    if part.is_empty() {
        return Ok(Value::Int(from));
    }
    check_offset(from)?;
    let Some(start) = find_byte(text, from) else { return Ok(Value::Int(-1)) };
    match text[start..].find(part) {
        Some(at) => length(text[..start + at].chars().count()),
        None => Ok(Value::Int(-1)),
    }
}

fn last_index_of<'r>(arguments: &[Value<'r>], budget: &mut Budget) -> Result<Value<'r>, EvaluationError> {
    let (text, part) = (string(arguments, 0)?, string(arguments, 1)?);
    budget.read(text.len())?;
    let count = i64::try_from(text.chars().count()).unwrap_or(i64::MAX);
    let from = if arguments.len() > 2 { Some(int(arguments, 2)?) } else { None };
    if part.is_empty() {
        return Ok(Value::Int(from.unwrap_or(count)));
    }
    if let Some(from) = from {
        check_offset(from)?;
        if from >= count {
            return Ok(Value::Int(-1));
        }
    }
    // It may begin at the offset and reach beyond it.
    let end = match from {
        Some(from) => find_byte(text, from + i64::try_from(part.chars().count()).unwrap_or(0)),
        None => None,
    };
    match text[..end.unwrap_or(text.len())].rfind(part) {
        Some(at) => length(text[..at].chars().count()),
        None => Ok(Value::Int(-1)),
    }
}

fn check_offset(offset: i64) -> Result<(), EvaluationError> {
    if offset < 0 { Err(EvaluationError::quoting("index out of range: ", offset, "")) } else { Ok(()) }
}

fn replace<'r>(arguments: &[Value<'r>], budget: &mut Budget) -> Result<Value<'r>, EvaluationError> {
    let (text, old, new) = (string(arguments, 0)?, string(arguments, 1)?, string(arguments, 2)?);
    budget.read(text.len())?;
    let most = if arguments.len() > 3 { limit(int(arguments, 3)?) } else { usize::MAX };
    let count = text.matches(old).take(most).count();
    let added = count.saturating_mul(new.len());
    budget.build((text.len() - count * old.len()).saturating_add(added))?;
    Ok(Value::text(text.replacen(old, new, count)))
}

/// A negative number is no limit.
fn limit(count: i64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

fn split<'r>(arguments: &[Value<'r>], budget: &mut Budget) -> Result<Value<'r>, EvaluationError> {
    let (text, separator) = (string(arguments, 0)?, string(arguments, 1)?);
    budget.read(text.len())?;
    let most = if arguments.len() > 2 { limit(int(arguments, 2)?) } else { usize::MAX };
    let parts: Vec<&str> = match (most, separator.is_empty()) {
        (0, _) => Vec::new(),
        (_, false) => text.splitn(most, separator).collect(),
        (_, true) => characters(text, most),
    };
    budget.build_values(parts.len())?;
    budget.build(text.len())?;
    Ok(Value::List(parts.into_iter().map(Value::text).collect()))
}

/// The code points of a text, the last of so many with all that follows.
fn characters(text: &str, most: usize) -> Vec<&str> {
    let mut rest = text;
    let mut parts = Vec::new();
    while let Some(first) = rest.chars().next() {
        if parts.len() + 1 == most {
            parts.push(rest);
            break;
        }
        let (part, after) = rest.split_at(first.len_utf8());
        parts.push(part);
        rest = after;
    }
    parts
}

fn join<'r>(arguments: &[Value<'r>], budget: &mut Budget) -> Result<Value<'r>, EvaluationError> {
    let mut items = items(arguments, 0)?;
    let separator = if arguments.len() > 1 { string(arguments, 1)? } else { "" };
    let mut joined = std::string::String::new();
    let mut first = true;
    while let Some(item) = items.read_next(budget)? {
        budget.step(1)?;
        let Value::String(part) = item else {
            return Err(EvaluationError::plain(format!("cannot join a {}", item.type_name())));
        };
        let separator = if first { "" } else { separator };
        first = false;
        budget.build(separator.len().saturating_add(part.as_str().len()))?;
        joined.push_str(separator);
        joined.push_str(part.as_str());
    }
    Ok(Value::text(joined))
}

/// In double quotes, with CEL's escapes.
fn quote<'r>(arguments: &[Value<'r>], budget: &mut Budget) -> Result<Value<'r>, EvaluationError> {
    let text = string(arguments, 0)?;
    budget.build(text.len().saturating_mul(2).saturating_add(2))?;
    let mut quoted = std::string::String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        let escape = match character {
            '\u{7}' => "\\a",
            '\u{8}' => "\\b",
            '\u{c}' => "\\f",
            '\n' => "\\n",
            '\r' => "\\r",
            '\t' => "\\t",
            '\u{b}' => "\\v",
            '\\' => "\\\\",
            '"' => "\\\"",
            _ => {
                quoted.push(character);
                continue;
            }
        };
        quoted.push_str(escape);
    }
    quoted.push('"');
    Ok(Value::text(quoted))
}

//! Lists and maps as JSON text: compact, members sorted by name.
//!
//! In: nodes of a row, values that expressions built. Out: JSON. Must never know: what the text is for.

use std::borrow::Cow;
use std::fmt::Write;

use super::number::{self, Place};
use super::{Found, ProjectionError};
use crate::definition::TextForm;
use crate::expression::{Budget, Value};
use crate::row::{Kind, NodeRef};

/// Something that JSON text is made of.
#[derive(Clone, Copy, Debug)]
pub(super) enum Item<'a, 'r> {
    Node(NodeRef<'r>),
    Value(&'a Value<'r>),
    Text(&'a str),
}

/// Writes JSON. Never recursive, since objects nest as deeply as their authors like; and never more than the budget has
/// bytes and steps for, each charged before the work is done.
pub(super) struct Writer<'a, 'r, 'b> {
    out: String,
    form: TextForm,
    budget: &'b mut Budget,
    /// The lists and maps that are not closed yet.
    open: Vec<Container<'a, 'r>>,
}

/// A list or map of which some is still to be written.
struct Container<'a, 'r> {
    entries: std::vec::IntoIter<(Option<Cow<'a, str>>, Item<'a, 'r>)>,
    close: char,
    first: bool,
}

/// Writes one item.
///
/// # Errors
/// If it holds what JSON has no form for: bytes, types, NaN, infinities.
pub(super) fn text<'a, 'r: 'a>(
    item: Item<'a, 'r>,
    form: TextForm,
    budget: &mut Budget,
) -> Result<String, ProjectionError> {
    let mut writer = Writer { out: String::new(), form, budget, open: Vec::new() };
    writer.run(item)?;
    Ok(writer.out)
}

/// Writes a list of these items.
///
/// # Errors
/// As [`text`].
pub(super) fn list<'a, 'r: 'a>(
    items: impl IntoIterator<Item = Item<'a, 'r>>,
    form: TextForm,
    budget: &mut Budget,
) -> Result<String, ProjectionError> {
    let mut out = String::from("[");
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        out.push_str(&text(item, form, budget)?);
    }
    out.push(']');
    Ok(out)
}

// === impl Writer ===

impl<'a, 'r: 'a> Writer<'a, 'r, '_> {
    fn run(&mut self, item: Item<'a, 'r>) -> Result<(), ProjectionError> {
        self.begin(item)?;
        while let Some(container) = self.open.last_mut() {
            let Some((name, item)) = container.entries.next() else {
                self.out.push(container.close);
                self.open.pop();
                continue;
            };
            if !std::mem::take(&mut container.first) {
                self.out.push(',');
            }
            if let Some(name) = name {
                self.string(&name)?;
                self.out.push(':');
            }
            self.begin(item)?;
        }
        Ok(())
    }

    /// Writes a scalar, or opens a list or map.
    fn begin(&mut self, item: Item<'a, 'r>) -> Result<(), ProjectionError> {
        self.budget.step(1)?;
        match item {
            Item::Node(node) => self.node(node),
            Item::Value(value) => self.value(value),
            Item::Text(text) => self.string(text),
        }
    }

    fn node(&mut self, node: NodeRef<'r>) -> Result<(), ProjectionError> {
        match node.kind() {
            Kind::Null => self.out.push_str("null"),
            Kind::Bool => self.out.push_str(if node.as_bool() == Some(true) { "true" } else { "false" }),
            Kind::Number => {
                let text = number::of_json(node.as_number().unwrap_or("0"), self.form, Place::Json)?;
                self.out.push_str(&text);
            }
            Kind::String => self.string(node.as_str().unwrap_or(""))?,
            Kind::List => {
                self.budget.step(node.len() as u64)?;
                self.open('[', ']', node.items().map(|item| (None, Item::Node(item))).collect());
            }
            Kind::Map => {
                self.budget.step(node.len() as u64)?;
                let mut members: Vec<_> = node.entries().collect();
                members.sort_unstable_by_key(|(name, _)| *name);
                let entries =
                    members.into_iter().map(|(name, member)| (Some(name.into()), Item::Node(member)));
                self.open('{', '}', entries.collect());
            }
        }
        Ok(())
    }

    fn value(&mut self, value: &'a Value<'r>) -> Result<(), ProjectionError> {
        match value {
            Value::Null | Value::Optional(None) => self.out.push_str("null"),
            Value::Bool(value) => self.out.push_str(if *value { "true" } else { "false" }),
            Value::Int(value) => self.display(value),
            Value::Uint(value) => self.display(value),
            Value::Double(value) if !value.is_finite() => {
                return Err(ProjectionError::NoJson("NaN or an infinity"));
            }
            Value::Double(value) => {
                let text = number::of_double(*value, self.form, Place::Json);
                self.out.push_str(&text);
            }
            Value::String(text) => self.string(text.as_str())?,
            Value::Timestamp(value, _) => self.string(&value.to_string())?,
            Value::Duration(value) => self.string(&value.to_cel())?,
            Value::Quantity(value, _) => self.string(&value.to_string())?,
            Value::Semver(value) => self.string(&value.to_string())?,
            Value::Ip(value) => self.string(&value.to_string())?,
            Value::Cidr(value) => self.string(&value.to_string())?,
            Value::Url(value) => self.string(&value.to_string())?,
            Value::Bytes(_) | Value::Type(_) | Value::Format(_) => {
                return Err(ProjectionError::NoJson(Found::of(value).name()));
            }
            Value::Optional(Some(value)) => return self.value(value),
            Value::Node(node) => return self.node(*node),
            Value::List(items) => self.open('[', ']', items.iter().map(|v| (None, Item::Value(v))).collect()),
            Value::Map(map) => {
                let mut entries = Vec::with_capacity(map.entries.len());
                for (key, value) in &map.entries {
                    entries.push((Some(member_name(key)?), Item::Value(value)));
                }
                entries.sort_by(|(a, _), (b, _)| a.cmp(b));
                self.open('{', '}', entries);
            }
        }
        Ok(())
    }

    fn open(&mut self, open: char, close: char, entries: Vec<(Option<Cow<'a, str>>, Item<'a, 'r>)>) {
        self.out.push(open);
        self.open.push(Container { entries: entries.into_iter(), close, first: true });
    }

    fn display(&mut self, value: impl std::fmt::Display) {
        // Writing into a String cannot fail.
        let _ = write!(self.out, "{value}");
    }

    /// Go escapes besides what JSON asks for whatever HTML or JavaScript could take amiss.
    fn string(&mut self, text: &str) -> Result<(), ProjectionError> {
        self.budget.read(text.len())?;
        self.budget.hold(text.len())?;
        self.out.push('"');
        for c in text.chars() {
            match c {
                '"' => self.out.push_str("\\\""),
                '\\' => self.out.push_str("\\\\"),
                '\u{8}' => self.out.push_str("\\b"),
                '\u{c}' => self.out.push_str("\\f"),
                '\n' => self.out.push_str("\\n"),
                '\r' => self.out.push_str("\\r"),
                '\t' => self.out.push_str("\\t"),
                '\0'..='\u{1f}' => self.display(format_args!("\\u{:04x}", u32::from(c))),
                '<' | '>' | '&' | '\u{2028}' | '\u{2029}' if self.form == TextForm::Go => {
                    self.display(format_args!("\\u{:04x}", u32::from(c)));
                }
                c => self.out.push(c),
            }
        }
        self.out.push('"');
        Ok(())
    }
}

/// A key of a map that an expression built, as JSON needs it.
fn member_name<'a>(key: &'a Value<'_>) -> Result<Cow<'a, str>, ProjectionError> {
    Ok(match key {
        Value::String(text) => Cow::Borrowed(text.as_str()),
        Value::Bool(value) => Cow::Borrowed(if *value { "true" } else { "false" }),
        Value::Int(value) => value.to_string().into(),
        Value::Uint(value) => value.to_string().into(),
        key => return Err(ProjectionError::NoJson(Found::of(key).name())),
    })
}

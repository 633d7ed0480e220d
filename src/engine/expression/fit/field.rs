//! A value of the object: its path, its members, and how it is spoken of.
//!
//! In: shapes. Out: what is known of parts. Must never know: syntax, what is computed.

use std::collections::BTreeSet;
use std::fmt;
use std::rc::Rc;

use super::super::StaticType;
use super::super::check::suggestion;
use super::super::explain::member;
use super::seen::{MOST_ALTERNATIVES, Parted, Seen};
use crate::schema::{Schema, Shape, ShapeId};

/// A value of the object.
#[derive(Clone, Debug)]
pub(crate) struct Field {
    pub(super) shape: ShapeId,
    /// Such as `spec.containers[*]`; empty for the object itself.
    pub(super) path: Rc<str>,
}

/// Paths in messages are no longer than this.
const LONGEST_PATH: usize = 80;

// === impl Field ===

impl Field {
    pub(super) fn member(&self, name: &str, schema: &Schema) -> Parted {
        match schema.get(self.shape) {
            Shape::Anything => Ok(Seen::Anything),
            Shape::Map { members, others } => {
                let found = members.get(name).or(others.as_ref());
                let unknown = || {
                    let meant = suggestion(name, members.keys().map(|known| &**known));
                    format!("{self} has no field '{name:.64}'{meant}")
                };
                found.map(|shape| self.below(&member(name), *shape)).ok_or_else(unknown)
            }
            Shape::List(element) => {
                let is_of_elements =
                    matches!(schema.get(*element), Shape::Map { members, .. } if members.contains_key(name));
                let whose = if is_of_elements { "; its elements have one" } else { "" };
                Err(format!("{self} is a list and has no field '{name:.64}'{whose}"))
            }
            _ => {
                let what = article(&Seen::Field(self.clone()), schema);
                Err(format!("{self} is {what} and has no fields"))
            }
        }
    }

    /// The members of this name of the field or of anything below.
    pub(super) fn member_below(&self, name: &str, schema: &Schema) -> Parted {
        let (mut found, mut known) = (BTreeSet::new(), BTreeSet::new());
        for shape in schema.below(self.shape) {
            match schema.get(shape) {
                Shape::Anything => return Ok(Seen::Anything),
                Shape::Map { members, others } => {
                    found.extend(members.get(name).or(others.as_ref()));
                    known.extend(members.keys().map(|name| &**name));
                }
                _ => {}
            }
        }
        if found.is_empty() {
            let meant = suggestion(name, known);
            return Err(format!("there is no field '{name:.64}' in {self} or below{meant}"));
        }
        Ok(Seen::any(found.into_iter().map(|shape| self.somewhere(name, shape))))
    }

    /// The elements of the field or of any list below.
    pub(super) fn elements_below(&self, schema: &Schema) -> Parted {
        let mut found = BTreeSet::new();
        for shape in schema.below(self.shape) {
            match schema.get(shape) {
                Shape::Anything => return Ok(Seen::Anything),
                Shape::List(element) => drop(found.insert(*element)),
                _ => {}
            }
        }
        if found.is_empty() {
            return Err(format!("there is no list in {self} or below"));
        }
        Ok(Seen::any(found.into_iter().map(|shape| self.somewhere("[*]", shape))))
    }

    /// A field of this name, somewhere below.
    fn somewhere(&self, name: &str, shape: ShapeId) -> Seen {
        Seen::Field(Field { shape, path: format!("{}..{name}", self.path).into() })
    }

    pub(super) fn each(&self, element: ShapeId) -> Seen {
        Seen::Field(Field { shape: element, path: format!("{}[*]", self.path).into() })
    }

    /// What the members of a map hold.
    pub(super) fn values(&self, schema: &Schema) -> Seen {
        let Shape::Map { members, others } = schema.get(self.shape) else { return Seen::Anything };
        if members.len() > MOST_ALTERNATIVES {
            return Seen::Below(self.clone());
        }
        let named = members.iter().map(|(name, shape)| self.below(&member(name), *shape));
        Seen::any(named.chain(others.map(|shape| self.below("*", shape))))
    }

    fn below(&self, name: &str, shape: ShapeId) -> Seen {
        let dot = if self.path.is_empty() || name.starts_with('[') { "" } else { "." };
        Seen::Field(Field { shape, path: format!("{}{dot}{name}", self.path).into() })
    }
}

impl fmt::Display for Field {
    /// Its path. Of a long one the end, where the trouble is.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() {
            return f.write_str("the object");
        }
        let characters = self.path.chars().count();
        match self.path.char_indices().nth(characters.saturating_sub(LONGEST_PATH)) {
            Some((start, _)) if start > 0 => write!(f, "…{}", &self.path[start..]),
            _ => f.write_str(&self.path),
        }
    }
}

/// A value in a sentence.
pub(super) fn article(seen: &Seen, schema: &Schema) -> &'static str {
    let shape = match seen {
        Seen::Field(field) => schema.get(field.shape),
        Seen::Kind(kind) => return computed(*kind),
        Seen::List(_) => return "a list",
        Seen::Map(_) | Seen::Members(_) => return "a map",
        Seen::Optional(_) => return "an optional",
        Seen::Below(_) | Seen::Either(_) | Seen::Anything | Seen::Nothing => return "a value",
    };
    match shape {
        Shape::Anything => "a value",
        Shape::Bool => "a bool",
        Shape::Integer => "an integer",
        Shape::Number => "a number",
        Shape::String | Shape::Time => "a string",
        Shape::NumberOrString => "a number or a string",
        Shape::List(_) => "a list",
        Shape::Map { .. } => "a map",
    }
}

fn computed(kind: StaticType) -> &'static str {
    match kind {
        StaticType::Null => "null",
        StaticType::Bool => "a bool",
        StaticType::Int | StaticType::Uint => "an integer",
        StaticType::Double => "a double",
        StaticType::String => "a string",
        StaticType::Bytes => "bytes",
        StaticType::Timestamp => "a timestamp",
        StaticType::Duration => "a duration",
        StaticType::Quantity => "a quantity",
        StaticType::Type => "a type",
        _ => "a value",
    }
}

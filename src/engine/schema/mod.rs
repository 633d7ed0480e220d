//! What is known of the objects of a kind before there is one: which members they have, and what those hold.
//!
//! In: shapes, which an embedder makes of whatever schema it has. Out: what of a definition cannot be right for such
//! objects. Must never know: how a schema was written down, rows. Nothing here decides a result: an expression
//! evaluates alike with a schema, without one, and with a wrong one.
//!
//! ```
//! use celemetry_engine::definition::Definition;
//! use celemetry_engine::schema::{Schema, Shape, misfits};
//!
//! let mut schema = Schema::new();
//! let phase = schema.add(Shape::String);
//! let status = schema.add(Shape::closed([("phase", phase)]));
//! schema.set(Schema::ROOT, Shape::closed([("status", status)]));
//!
//! let pods = Definition::count("pods").filter("object.status.phas == 'Running'");
//! let found = misfits(&pods, &schema);
//! assert_eq!(found[0].to_string(), "filter:1:15: status has no field 'phas' (did you mean 'phase'?)");
//! ```

mod misfits;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

pub use misfits::misfits;

/// The shape of the objects of a kind. Shapes refer to each other by number, so that one may be part of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schema {
    shapes: Vec<Shape>,
    is_dated: bool,
}

/// A shape of a [`Schema`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ShapeId(u32);

/// What a value may be. Whatever the shape, `null` may stand in its place: API servers write it for what is empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Nothing is known.
    Anything,
    /// `true` or `false`
    Bool,
    /// A whole number of 64 bits.
    Integer,
    /// Any number.
    Number,
    /// A text.
    String,
    /// A text that is a time as RFC 3339 has it.
    Time,
    /// A number or a text, such as a quantity or the name of a port.
    NumberOrString,
    /// A list of these.
    List(ShapeId),
    /// Members by name.
    Map {
        /// Those that are known; none of them needs to be there.
        members: BTreeMap<Box<str>, ShapeId>,
        /// What members of any other name hold; `None` where there are none.
        others: Option<ShapeId>,
    },
}

// === impl Schema ===

impl Schema {
    /// The shape of the objects themselves.
    pub const ROOT: ShapeId = ShapeId(0);

    /// A schema of which nothing is known yet.
    pub fn new() -> Self {
        Schema { shapes: vec![Shape::Anything], is_dated: false }
    }

    /// Adds a shape.
    ///
    /// # Panics
    /// Beyond 2^32 shapes.
    pub fn add(&mut self, shape: Shape) -> ShapeId {
        let id = u32::try_from(self.shapes.len()).expect("schemas are bounded by whoever makes them");
        self.shapes.push(shape);
        ShapeId(id)
    }

    /// Says what a shape is that was added, or the root.
    pub fn set(&mut self, id: ShapeId, shape: Shape) {
        if let Some(known) = self.shapes.get_mut(id.0 as usize) {
            *known = shape;
        }
    }

    /// A shape; of one that was not added nothing is known.
    pub fn get(&self, id: ShapeId) -> &Shape {
        self.shapes.get(id.0 as usize).unwrap_or(&Shape::Anything)
    }

    /// The same of an earlier release, say: objects may have members that it does not know. An expression that asks whether
    /// there is one is then right, and so is what else reads that one.
    #[must_use]
    pub fn dated(mut self) -> Self {
        self.is_dated = true;
        self
    }

    /// Whether objects may have members that it does not know.
    pub fn is_dated(&self) -> bool {
        self.is_dated
    }

    /// How many shapes there are.
    pub fn len(&self) -> usize {
        self.shapes.len()
    }

    /// A shape and all that are parts of it, each once.
    pub(crate) fn below(&self, id: ShapeId) -> Vec<ShapeId> {
        let mut is_known = vec![false; self.shapes.len()];
        let (mut open, mut all) = (vec![id], Vec::new());
        while let Some(id) = open.pop() {
            match is_known.get_mut(id.0 as usize) {
                Some(known) if !*known => *known = true,
                _ => continue,
            }
            all.push(id);
            match self.get(id) {
                Shape::List(element) => open.push(*element),
                Shape::Map { members, others } => open.extend(members.values().chain(others)),
                _ => {}
            }
        }
        all
    }

    /// Whether nothing is known of the objects.
    pub fn is_empty(&self) -> bool {
        *self.get(Schema::ROOT) == Shape::Anything
    }
}

impl Default for Schema {
    fn default() -> Self {
        Schema::new()
    }
}

// === impl Shape ===

impl Shape {
    /// A map of these members and no others.
    pub fn closed<'n>(members: impl IntoIterator<Item = (&'n str, ShapeId)>) -> Self {
        let members = members.into_iter().map(|(name, id)| (name.into(), id)).collect();
        Shape::Map { members, others: None }
    }

    /// A map whose members, whatever they are called, hold this.
    pub fn map_of(others: ShapeId) -> Self {
        Shape::Map { members: BTreeMap::new(), others: Some(others) }
    }
}

//! A schema as Kubernetes writes it → a schema of the engine.
//!
//! In: a node of OpenAPI v3 or of a structural schema, as JSON; the definitions that it may refer to. Out: shapes. Must
//! never know: which kind it is of.
//!
//! Every word that is not understood makes the node one of which nothing is known, never an error: a schema can say
//! too little. Size, depth and references are bounded, so that no document is dearer than it is long.

use std::collections::BTreeMap;

use celemetry_engine::schema::{Schema, Shape, ShapeId};
use serde_json::{Map, Value};

/// Definitions that a `$ref` may name.
pub(super) type Definitions = Map<String, Value>;

/// Beyond this depth nothing is known. Structural schemas of real kinds nest less than 40 deep.
const MOST_DEPTH: usize = 64;

/// Beyond this many shapes nothing more is known; a Pod has 1,500.
const MOST_SHAPES: usize = 50_000;

/// Makes shapes of one kind.
pub(super) struct Lowering<'d> {
    definitions: &'d Definitions,
    schema: Schema,
    /// The shapes of definitions, those that are under way included.
    known: BTreeMap<&'d str, ShapeId>,
    scalars: BTreeMap<Scalar, ShapeId>,
    /// What `metadata` is where a schema does not say it.
    metadata: Option<ShapeId>,
}

/// What has no parts, and needs to be there only once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Scalar {
    Anything,
    Bool,
    Integer,
    Number,
    String,
    Time,
    NumberOrString,
}

impl<'d> Lowering<'d> {
    /// Nothing yet. `metadata` is the schema of what every object has under that name.
    pub(super) fn new(definitions: &'d Definitions, metadata: Option<&'d Value>) -> Self {
        let (known, scalars) = (BTreeMap::new(), BTreeMap::new());
        let mut lowering = Lowering { definitions, schema: Schema::new(), known, scalars, metadata: None };
        lowering.metadata = metadata.map(|metadata| lowering.shape(metadata, 0));
        lowering
    }

    /// The schema of the objects that `root` describes.
    pub(super) fn object(mut self, root: &'d Value) -> Schema {
        let root = self.shape(root, 0);
        let shape = match self.schema.get(root).clone() {
            Shape::Map { members, others } => self.embedded(members, others),
            // What is no object cannot be that of a kind.
            _ => Shape::Anything,
        };
        self.schema.set(Schema::ROOT, shape);
        self.schema
    }

    /// An object with what every object of Kubernetes has.
    fn embedded(&mut self, mut members: BTreeMap<Box<str>, ShapeId>, others: Option<ShapeId>) -> Shape {
        let string = self.scalar(Scalar::String);
        for name in ["apiVersion", "kind"] {
            members.insert(name.into(), string);
        }
        match self.metadata {
            // Definitions of custom kinds may restrict it, and have no say in what it holds.
            Some(metadata) => drop(members.insert("metadata".into(), metadata)),
            None => {
                let anything = self.scalar(Scalar::Anything);
                members.entry("metadata".into()).or_insert(anything);
            }
        }
        Shape::Map { members, others }
    }

    fn shape(&mut self, node: &'d Value, depth: usize) -> ShapeId {
        let Some(node) = node.as_object() else { return self.scalar(Scalar::Anything) };
        if depth > MOST_DEPTH || self.schema.len() > MOST_SHAPES {
            return self.scalar(Scalar::Anything);
        }
        if let Some(reference) = node.get("$ref").and_then(Value::as_str) {
            return self.referenced(reference, depth);
        }
        let is_set = |name: &str| node.get(name).and_then(Value::as_bool) == Some(true);
        let format = node.get("format").and_then(Value::as_str);
        if is_set("x-kubernetes-int-or-string") || format == Some("int-or-string") {
            return self.scalar(Scalar::NumberOrString);
        }
        let scalar = match type_of(node) {
            Some("object") => return self.map(node, depth),
            Some("array") => {
                let element = match node.get("items") {
                    Some(items) => self.shape(items, depth + 1),
                    None => self.scalar(Scalar::Anything),
                };
                return self.schema.add(Shape::List(element));
            }
            Some("boolean") => Scalar::Bool,
            Some("integer") => Scalar::Integer,
            Some("number") => Scalar::Number,
            Some("string") if format == Some("date-time") => Scalar::Time,
            Some("string") => Scalar::String,
            Some(_) => Scalar::Anything,
            None => return self.untyped(node, depth),
        };
        self.scalar(scalar)
    }

    /// A node that says what it is in another way than by its type.
    fn untyped(&mut self, node: &'d Map<String, Value>, depth: usize) -> ShapeId {
        let branches = |name: &str| node.get(name).and_then(Value::as_array).map(Vec::as_slice);
        let scalars = ["oneOf", "anyOf"].iter().find_map(|name| branches(name)).unwrap_or_default();
        let is_number_or_string = |branch: &Value| {
            let kind = branch.as_object().and_then(type_of);
            kind.is_some_and(|kind| matches!(kind, "integer" | "number" | "string"))
        };
        match branches("allOf") {
            Some([only]) if scalars.is_empty() && !node.contains_key("properties") => {
                self.shape(only, depth + 1)
            }
            None if !scalars.is_empty() && scalars.iter().all(is_number_or_string) => {
                self.scalar(Scalar::NumberOrString)
            }
            _ => self.scalar(Scalar::Anything),
        }
    }

    fn map(&mut self, node: &'d Map<String, Value>, depth: usize) -> ShapeId {
        let declared = node.get("properties").and_then(Value::as_object);
        let is_set = |name: &str| node.get(name).and_then(Value::as_bool) == Some(true);
        let rest = node.get("additionalProperties").filter(|rest| **rest != Value::Bool(false));
        let is_embedded = is_set("x-kubernetes-embedded-resource");
        if declared.is_none_or(Map::is_empty) && rest.is_none() && !is_embedded {
            // Also written of what may be anything at all, such as the default of a schema.
            return self.scalar(Scalar::Anything);
        }
        let mut members = BTreeMap::new();
        for (name, node) in declared.into_iter().flatten() {
            members.insert(name.as_str().into(), self.shape(node, depth + 1));
        }
        let is_open = is_set("x-kubernetes-preserve-unknown-fields")
            || (is_embedded && declared.is_none_or(Map::is_empty))
            || COMPOSITES.iter().filter_map(|name| node.get(*name)).any(|part| adds(part, declared, 0));
        let others = match rest {
            _ if is_open => Some(self.scalar(Scalar::Anything)),
            Some(rest) => Some(self.shape(rest, depth + 1)),
            None => None,
        };
        let shape = match is_embedded {
            true => self.embedded(members, others),
            false => Shape::Map { members, others },
        };
        self.schema.add(shape)
    }

    /// A definition, made where it is met first. One that leads back to itself is there already.
    fn referenced(&mut self, reference: &str, depth: usize) -> ShapeId {
        let name = reference.rsplit('/').next().unwrap_or_default();
        let name = name.replace("~1", "/").replace("~0", "~");
        let Some((name, node)) = self.definitions.get_key_value(&name) else {
            return self.scalar(Scalar::Anything);
        };
        if let Some(known) = self.known.get(name.as_str()) {
            return *known;
        }
        let id = self.schema.add(Shape::Anything);
        self.known.insert(name, id);
        let made = self.shape(node, depth + 1);
        let shape = self.schema.get(made).clone();
        self.schema.set(id, shape);
        id
    }

    fn scalar(&mut self, scalar: Scalar) -> ShapeId {
        if let Some(known) = self.scalars.get(&scalar) {
            return *known;
        }
        let id = self.schema.add(match scalar {
            Scalar::Anything => Shape::Anything,
            Scalar::Bool => Shape::Bool,
            Scalar::Integer => Shape::Integer,
            Scalar::Number => Shape::Number,
            Scalar::String => Shape::String,
            Scalar::Time => Shape::Time,
            Scalar::NumberOrString => Shape::NumberOrString,
        });
        self.scalars.insert(scalar, id);
        id
    }
}

/// Words that put several schemas together.
const COMPOSITES: &[&str] = &["allOf", "anyOf", "oneOf"];

/// Whether a part of a schema may allow members that its properties do not name.
fn adds(part: &Value, declared: Option<&Map<String, Value>>, depth: usize) -> bool {
    if depth > MOST_DEPTH {
        return true;
    }
    let below = |part: &Value| adds(part, declared, depth + 1);
    match part {
        Value::Array(parts) => parts.iter().any(below),
        Value::Object(node) => {
            let is_new = |name: &String| !declared.is_some_and(|declared| declared.contains_key(name));
            let names = node.get("properties").and_then(Value::as_object);
            node.contains_key("$ref")
                || node.contains_key("additionalProperties")
                || names.is_some_and(|names| names.keys().any(is_new))
                || COMPOSITES.iter().filter_map(|name| node.get(*name)).any(below)
        }
        _ => false,
    }
}

/// The type of a node; of several, that which is not null.
fn type_of(node: &Map<String, Value>) -> Option<&str> {
    match node.get("type")? {
        Value::String(name) => Some(name),
        Value::Array(names) => {
            let mut names = names.iter().filter_map(Value::as_str).filter(|name| *name != "null");
            match (names.next(), names.next()) {
                (Some(only), None) => Some(only),
                // Nothing that is understood.
                _ => Some(""),
            }
        }
        _ => Some(""),
    }
}

//! How a projected value becomes the text of an attribute.
//!
//! In: what an expression gave for one object. Out: text, or why there is none. Must never know: which attribute it is,
//! other objects.

mod json;
mod number;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use crate::definition::{ProjectionKind, TextForm};
use crate::error::EvaluationError;
use crate::expression::{Budget, Outcome, Value};
use crate::row::{Kind, NodeRef};
use crate::scalar::{ScalarError, Timestamp};
use json::Item;
use number::Place;

/// What a projection gives for one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Rendered<'a> {
    /// Nothing there.
    Absent,
    /// An explicit `null`.
    Null,
    /// A text.
    Text(Cow<'a, str>),
}

/// Why a projection has no text for one object.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ProjectionError {
    /// The value is of the wrong kind.
    #[error("found {found} where {needed} is needed")]
    Kind { found: &'static str, needed: &'static str },
    /// A path selects several values.
    #[error("{0} values where one is needed")]
    Several(usize),
    /// A number that no double can hold.
    #[error("found a number beyond the range of a double")]
    NumberRange,
    /// Something inside a list or map.
    #[error("{0} cannot be written as JSON")]
    NoJson(&'static str),
    /// A text that is no timestamp.
    #[error(transparent)]
    Scalar(#[from] ScalarError),
    /// More text than the expression's budget has room for.
    #[error(transparent)]
    Budget(#[from] EvaluationError),
    /// A default of the wrong JSON type.
    #[error("the default must be a JSON string")]
    Default,
}

/// One value of either origin.
#[derive(Clone, Copy, Debug)]
enum Found<'a, 'r> {
    Null,
    Bool(bool),
    /// The text of a number of the object.
    Number(&'a str),
    String(&'a str),
    List(Item<'a, 'r>),
    Map(Item<'a, 'r>),
    /// Anything that only CEL has, and its numbers.
    Computed(&'a Value<'r>),
}

/// The text of a projected value.
///
/// | value | primitive | slice | map | timestamp |
/// | --- | --- | --- | --- | --- |
/// | scalar | its text | `[x]` | error | RFC 3339 or a CEL timestamp as Unix seconds, else error |
/// | list | error | JSON | error | error |
/// | map | error | `[{…}]`, but an error for the whole object | JSON | error |
/// | several | error | JSON of all | error | error |
/// | `null` | [`Rendered::Null`] | same | same | same |
/// | nothing | [`Rendered::Absent`] | same | same | same |
///
/// Numbers in [`TextForm::Native`]: whole numbers in their digits, doubles in the shortest decimal that reads back as the
/// same double, never with an exponent (`1000000.0` is `1000000`). In [`TextForm::Go`]: as `%v`, or `encoding/json`
/// within JSON text, would print what apimachinery decodes. CEL durations and quantities are written as CEL and Kubernetes
/// write them (`90s`, `500m`), timestamps as RFC 3339.
///
/// # Errors
/// As the table says, and where the JSON of a list or map is beyond `budget`.
pub(crate) fn render<'a>(
    outcome: &'a Outcome<'_>,
    kind: ProjectionKind,
    form: TextForm,
    budget: &mut Budget,
) -> Result<Rendered<'a>, ProjectionError> {
    match outcome {
        Outcome::Nodes(nodes) => match nodes.as_slice() {
            [] => Ok(Rendered::Absent),
            [node] if kind == ProjectionKind::Slice && node.is_root() => {
                Err(ProjectionError::Kind { found: "the whole object", needed: needed(kind) })
            }
            [node] => one(Found::of_node(*node), kind, form, budget),
            several if kind == ProjectionKind::Slice => {
                let text = json::list(several.iter().map(|node| Item::Node(*node)), form, budget)?;
                Ok(Rendered::Text(text.into()))
            }
            several => Err(ProjectionError::Several(several.len())),
        },
        Outcome::Value(Value::Optional(None)) => Ok(Rendered::Absent),
        Outcome::Value(value) => one(Found::of(value), kind, form, budget),
    }
}

/// The text of an explicit `null` for which no default stands in.
///
/// # Errors
/// For the kinds of which `null` is no value.
pub(crate) fn null_text(kind: ProjectionKind) -> Result<&'static str, ProjectionError> {
    match kind {
        ProjectionKind::Primitive => Ok("null"),
        ProjectionKind::Slice => Ok("[null]"),
        ProjectionKind::Map | ProjectionKind::Timestamp => {
            Err(ProjectionError::Kind { found: "null", needed: needed(kind) })
        }
    }
}

/// The text that a projection's default stands for: a JSON string for primitives and timestamps, used as it is; any JSON
/// for slices and maps, as its own text, so that a string keeps its quotes there.
///
/// # Errors
/// If it is no string where it must be one.
pub(crate) fn default_text(
    default: &serde_json::Value,
    kind: ProjectionKind,
) -> Result<String, ProjectionError> {
    match (kind, default) {
        (ProjectionKind::Slice | ProjectionKind::Map, default) => Ok(default.to_string()),
        (_, serde_json::Value::String(text)) => Ok(text.clone()),
        _ => Err(ProjectionError::Default),
    }
}

fn one<'a>(
    found: Found<'a, '_>,
    kind: ProjectionKind,
    form: TextForm,
    budget: &mut Budget,
) -> Result<Rendered<'a>, ProjectionError> {
    if matches!(found, Found::Null) {
        return Ok(Rendered::Null);
    }
    let wrong = || ProjectionError::Kind { found: found.name(), needed: needed(kind) };
    let text = match kind {
        ProjectionKind::Primitive => found.primitive(form)?.ok_or_else(wrong)?,
        ProjectionKind::Slice => found.slice(form, budget)?.into(),
        ProjectionKind::Map => match found {
            Found::Map(item) => json::text(item, form, budget)?.into(),
            _ => return Err(wrong()),
        },
        ProjectionKind::Timestamp => match found {
            Found::String(text) => Timestamp::parse(text)?.seconds.to_string().into(),
            Found::Computed(Value::Timestamp(timestamp, _)) => timestamp.seconds.to_string().into(),
            _ => return Err(wrong()),
        },
    };
    Ok(Rendered::Text(text))
}

fn needed(kind: ProjectionKind) -> &'static str {
    match kind {
        ProjectionKind::Primitive => "a primitive",
        ProjectionKind::Slice => "a list",
        ProjectionKind::Map => "a map",
        ProjectionKind::Timestamp => "a timestamp",
    }
}

// === impl ProjectionError ===

impl From<ProjectionError> for EvaluationError {
    /// None of these quotes a value, unless it is an evaluation error already.
    fn from(error: ProjectionError) -> Self {
        match error {
            ProjectionError::Budget(error) => error,
            other => EvaluationError::plain(other.to_string()),
        }
    }
}

// === impl Rendered ===

impl Rendered<'_> {
    /// The text of the attribute, with the default where it applies: to what is absent, and in
    /// [`TextForm::Native`] to an explicit `null` too. `None`: absent.
    ///
    /// # Errors
    /// For a `null` that is no value of this kind.
    pub(crate) fn or_default<'d>(
        self,
        default: Option<&'d Result<Box<str>, ProjectionError>>,
        kind: ProjectionKind,
        form: TextForm,
    ) -> Result<Option<Cow<'d, str>>, ProjectionError> {
        match (self, default) {
            (Rendered::Text(text), _) => Ok(Some(Cow::Owned(text.into_owned()))),
            (Rendered::Null, default) if default.is_none() || form == TextForm::Go => {
                null_text(kind).map(|text| Some(Cow::Borrowed(text)))
            }
            (Rendered::Absent | Rendered::Null, Some(Ok(default))) => Ok(Some(Cow::Borrowed(default))),
            (Rendered::Absent | Rendered::Null, Some(Err(error))) => Err(error.clone()),
            (Rendered::Absent | Rendered::Null, None) => Ok(None),
        }
    }
}

// === impl Found ===

impl<'a, 'r: 'a> Found<'a, 'r> {
    fn of_node(node: NodeRef<'r>) -> Self {
        match node.kind() {
            Kind::Null => Found::Null,
            Kind::Bool => Found::Bool(node.as_bool().unwrap_or(false)),
            Kind::Number => Found::Number(node.as_number().unwrap_or("0")),
            Kind::String => Found::String(node.as_str().unwrap_or("")),
            Kind::List => Found::List(Item::Node(node)),
            Kind::Map => Found::Map(Item::Node(node)),
        }
    }

    fn of(value: &'a Value<'r>) -> Self {
        match value {
            Value::Null | Value::Optional(None) => Found::Null,
            Value::Bool(value) => Found::Bool(*value),
            Value::String(text) => Found::String(text.as_str()),
            Value::List(_) => Found::List(Item::Value(value)),
            Value::Map(_) => Found::Map(Item::Value(value)),
            Value::Node(node) => Found::of_node(*node),
            Value::Optional(Some(value)) => Found::of(value),
            value => Found::Computed(value),
        }
    }

    /// The text of a scalar; `None` of anything else.
    fn primitive(self, form: TextForm) -> Result<Option<Cow<'a, str>>, ProjectionError> {
        Ok(Some(match self {
            Found::Null => Cow::Borrowed("null"),
            Found::Bool(value) => Cow::Borrowed(if value { "true" } else { "false" }),
            Found::Number(text) => number::of_json(text, form, Place::Bare)?,
            Found::String(text) => Cow::Borrowed(text),
            Found::List(_) | Found::Map(_) => return Ok(None),
            Found::Computed(value) => match value {
                Value::Int(value) => value.to_string().into(),
                Value::Uint(value) => value.to_string().into(),
                Value::Double(value) => number::of_double(*value, form, Place::Bare).into(),
                Value::Timestamp(value, _) => value.to_string().into(),
                Value::Duration(value) => value.to_cel().into(),
                Value::Quantity(value, _) => value.to_string().into(),
                Value::Semver(value) => value.to_string().into(),
                Value::Ip(value) => value.to_string().into(),
                Value::Cidr(value) => value.to_string().into(),
                Value::Url(value) => value.to_string().into(),
                _ => return Ok(None),
            },
        }))
    }

    /// The JSON text of a list, or of a list of the one value.
    fn slice(self, form: TextForm, budget: &mut Budget) -> Result<String, ProjectionError> {
        let wrong = || ProjectionError::Kind { found: self.name(), needed: needed(ProjectionKind::Slice) };
        match self {
            Found::List(item) => json::text(item, form, budget),
            Found::Map(item) => json::list([item], form, budget),
            Found::Computed(Value::Bytes(_) | Value::Type(_) | Value::Format(_)) => Err(wrong()),
            Found::Computed(value) => json::list([Item::Value(value)], form, budget),
            Found::Null => Ok("[null]".to_string()),
            Found::Bool(value) => Ok(format!("[{value}]")),
            Found::Number(text) => Ok(format!("[{}]", number::of_json(text, form, Place::Json)?)),
            Found::String(text) => json::list([Item::Text(text)], form, budget),
        }
    }

    /// What it is, with its article.
    fn name(self) -> &'static str {
        match self {
            Found::Null => "null",
            Found::Bool(_) => "a boolean",
            Found::Number(_) => "a number",
            Found::String(_) => "a string",
            Found::List(_) => "a list",
            Found::Map(_) => "a map",
            Found::Computed(value) => match value {
                Value::Int(_) | Value::Uint(_) | Value::Double(_) => "a number",
                Value::Timestamp(..) => "a timestamp",
                Value::Duration(_) => "a duration",
                Value::Quantity(..) => "a quantity",
                Value::Semver(_) => "a version",
                Value::Ip(_) => "an IP address",
                Value::Cidr(_) => "a CIDR",
                Value::Url(_) => "a URL",
                Value::Bytes(_) => "bytes",
                Value::Format(_) => "a format",
                _ => "a type",
            },
        }
    }
}

//! What is known of a value before there is one.
//!
//! In: literals, signatures. Out: answers of the checker. Must never know: syntax, trees.

use super::Value;
use crate::row::Kind;

/// The type of an expression, as far as it is known without an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StaticType {
    /// Not known: whatever an object holds, or whatever a JSONPath selects.
    Dyn,
    /// `null`
    Null,
    /// `bool`
    Bool,
    /// `int`
    Int,
    /// `uint`
    Uint,
    /// `double`
    Double,
    /// `string`
    String,
    /// `bytes`
    Bytes,
    /// `list`
    List,
    /// `map`
    Map,
    /// `google.protobuf.Timestamp`
    Timestamp,
    /// `google.protobuf.Duration`
    Duration,
    /// Kubernetes' `Quantity`
    Quantity,
    /// Kubernetes' `Semver`
    Semver,
    /// `net.IP`
    Ip,
    /// `net.CIDR`
    Cidr,
    /// Kubernetes' `URL`
    Url,
    /// Kubernetes' `NamedFormat`
    Format,
    /// A type itself.
    Type,
    /// `optional_type`
    Optional,
}

/// The names that stand for types in expressions.
const TYPE_NAMES: [&str; 19] = [
    "bool",
    "bytes",
    "double",
    "google.protobuf.Duration",
    "google.protobuf.Timestamp",
    "int",
    "kubernetes.NamedFormat",
    "kubernetes.Quantity",
    "kubernetes.Semver",
    "kubernetes.URL",
    "list",
    "map",
    "net.CIDR",
    "net.IP",
    "null_type",
    "optional_type",
    "string",
    "type",
    "uint",
];

impl StaticType {
    /// The type of a value.
    pub(super) fn of(value: &Value<'_>) -> StaticType {
        match value {
            Value::Null => StaticType::Null,
            Value::Bool(_) => StaticType::Bool,
            Value::Int(_) => StaticType::Int,
            Value::Uint(_) => StaticType::Uint,
            Value::Double(_) => StaticType::Double,
            Value::String(_) => StaticType::String,
            Value::Bytes(_) => StaticType::Bytes,
            Value::List(_) => StaticType::List,
            Value::Map(_) => StaticType::Map,
            Value::Timestamp(..) => StaticType::Timestamp,
            Value::Duration(_) => StaticType::Duration,
            Value::Quantity(..) => StaticType::Quantity,
            Value::Semver(_) => StaticType::Semver,
            Value::Ip(_) => StaticType::Ip,
            Value::Cidr(_) => StaticType::Cidr,
            Value::Url(_) => StaticType::Url,
            Value::Format(_) => StaticType::Format,
            Value::Type(_) => StaticType::Type,
            Value::Optional(_) => StaticType::Optional,
            Value::Node(node) => match node.kind() {
                Kind::List => StaticType::List,
                Kind::Map => StaticType::Map,
                Kind::Null | Kind::Bool | Kind::Number | Kind::String => StaticType::Dyn,
            },
        }
    }

    /// As `type()` names it.
    pub fn name(self) -> &'static str {
        match self {
            StaticType::Dyn => "dyn",
            StaticType::Null => "null_type",
            StaticType::Bool => "bool",
            StaticType::Int => "int",
            StaticType::Uint => "uint",
            StaticType::Double => "double",
            StaticType::String => "string",
            StaticType::Bytes => "bytes",
            StaticType::List => "list",
            StaticType::Map => "map",
            StaticType::Timestamp => "google.protobuf.Timestamp",
            StaticType::Duration => "google.protobuf.Duration",
            StaticType::Quantity => "kubernetes.Quantity",
            StaticType::Semver => "kubernetes.Semver",
            StaticType::Ip => "net.IP",
            StaticType::Cidr => "net.CIDR",
            StaticType::Url => "kubernetes.URL",
            StaticType::Format => "kubernetes.NamedFormat",
            StaticType::Type => "type",
            StaticType::Optional => "optional_type",
        }
    }

    /// Whether a value of this type may be one of `wanted`.
    pub fn may_be(self, wanted: StaticType) -> bool {
        self == wanted || self == StaticType::Dyn || wanted == StaticType::Dyn
    }

    /// Whether this is int, uint or double.
    pub fn is_number(self) -> bool {
        matches!(self, StaticType::Int | StaticType::Uint | StaticType::Double)
    }

    /// Whether `value` is of this type.
    pub(super) fn admits(self, value: &Value<'_>) -> bool {
        self == StaticType::Dyn || self == StaticType::of(value)
    }

    /// The type that either of two values has.
    pub(super) fn join(self, other: StaticType) -> StaticType {
        if self == other { self } else { StaticType::Dyn }
    }
}

/// The value of a name that stands for a type.
pub(super) fn type_named(name: &str) -> Option<Value<'static>> {
    TYPE_NAMES.contains(&name).then(|| Value::Type(name.into()))
}

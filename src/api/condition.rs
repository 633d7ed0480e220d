//! One aspect of an object's state, as Kubernetes writes it in a status.
//!
//! In: nothing. Out: a type with the limits of `metav1.Condition`. Must never know: who sets it, and when.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One aspect of an object's state.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(!default, extend("required" = ["lastTransitionTime", "message", "reason", "status", "type"]))]
pub struct Condition {
    /// The aspect, in CamelCase.
    #[serde(rename = "type")]
    #[schemars(extend("maxLength" = 316, "pattern" = TYPE_PATTERN))]
    pub type_: String,
    /// `True`, `False` or `Unknown`.
    #[schemars(extend("enum" = ["True", "False", "Unknown"]))]
    pub status: String,
    /// Why, as one word for programs.
    #[schemars(extend(
        "minLength" = 1,
        "maxLength" = 1024,
        "pattern" = "^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$",
    ))]
    pub reason: String,
    /// Why, for people. May be empty.
    #[schemars(extend("maxLength" = 32768))]
    pub message: String,
    /// When the status last changed, as RFC 3339.
    #[schemars(extend("format" = "date-time"))]
    pub last_transition_time: String,
    /// The generation of the spec that this was seen for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("minimum" = 0))]
    pub observed_generation: Option<i64>,
}

/// An optional DNS subdomain and a slash, then a name: the pattern of `metav1.Condition`.
const TYPE_PATTERN: &str = concat!(
    r"^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?",
    r"(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$",
);

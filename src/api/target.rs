//! Which resource a metric looks at.
//!
//! In: what users write. Out: a type. Must never know: discovery.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A kind of objects, partly or wholly named. A part that is absent or empty matches anything.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Target {
    /// Kind of the objects, such as `Pod`. Its case does not matter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// API group, such as `apps`. Absent for the core group, or where the kind says enough.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// API version, such as `v1`. Absent for the one that the API server prefers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// How long the answer of discovery may be kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache: Option<TargetCache>,
}

/// How long the answer of discovery may be kept. Accepted for metrics-operator's manifests; discovery is watched here.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct TargetCache {
    /// Whether the answer is kept; `auto` keeps it where discovery is slow.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("enum" = ["auto", "true", "false"], "default" = "auto"))]
    pub enabled: Option<String>,
    /// For how many minutes it is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = 10))]
    pub ttl_in_minutes: Option<i64>,
}

//! References from a metric to other objects.
//!
//! In: what users write. Out: types. Must never know: the objects that are named.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where the metric is pushed. Absent: nowhere, it is only served on `/metrics`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct DataSinkRef {
    /// Name of the DataSink.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "default"))]
    pub name: Option<String>,
}

/// The cluster to look at, if it is not the one that holds the metric.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct RemoteClusterAccessRef {
    /// Name of the RemoteClusterAccess.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Namespace of the RemoteClusterAccess.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
}

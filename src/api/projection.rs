//! What a metric takes from each object: attributes, a number, elements.
//!
//! In: what users write. Out: types. Must never know: how expressions are read.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One attribute. Skipped where the name, or both the path and the expression, are empty.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Projection {
    /// Name of the attribute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// JSONPath of the value. Give this or `expression`, not both.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field_path: Option<String>,
    /// CEL expression that gives the value; variable `object`, with `forEach` also `item` and `index` or `key`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expression: Option<String>,
    /// What `fieldPath` is written in. Default: a leading `$` is RFC 9535, anything else kubectl's JSONPath.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("enum" = ["Kubectl", "RFC9535"]))]
    pub dialect: Option<String>,
    /// How the value is written: a scalar, the JSON text of a list or of a map, or a time as Unix seconds.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    #[schemars(extend("enum" = ["primitive", "slice", "map", "timestamp"], "default" = "primitive"))]
    pub type_: Option<String>,
    /// Used where the value is absent. A string for the types primitive and timestamp, any JSON for slice and map.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "any_value")]
    pub default: Option<Value>,
}

/// The number that an object contributes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ValueFrom {
    /// JSONPath of the number. Give this or `expression`, not both.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field_path: Option<String>,
    /// CEL expression that gives a number, a quantity, a timestamp, a duration, or a string that holds one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expression: Option<String>,
    /// What `fieldPath` is written in. Default: a leading `$` is RFC 9535, anything else kubectl's JSONPath.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("enum" = ["Kubectl", "RFC9535"]))]
    pub dialect: Option<String>,
    /// How the value is read: a timestamp counts as Unix seconds, a duration as seconds, a quantity as `500m` or `2Gi`.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    #[schemars(extend(
        "enum" = ["integer", "timestamp", "double", "quantity", "duration"],
        "default" = "integer",
    ))]
    pub type_: Option<String>,
    /// How the numbers of one series are combined.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("enum" = ["sum", "max", "min", "mean", "count"], "default" = "sum"))]
    pub aggregation: Option<String>,
    /// Used where the value is absent: a string that holds a value of this type.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "any_value")]
    pub default: Option<Value>,
}

/// A list, or a map, of which every element contributes by itself.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("x-kubernetes-validations" = [{
    "rule": "has(self.fieldPath) != has(self.expression)",
    "message": "exactly one of fieldPath and expression is needed",
}]))]
pub struct ForEach {
    /// JSONPath of the list or map.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field_path: Option<String>,
    /// CEL expression that gives the list or map.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expression: Option<String>,
}

/// Any JSON at all, which a structural schema has to say in its own way.
fn any_value(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({ "x-kubernetes-preserve-unknown-fields": true })
}

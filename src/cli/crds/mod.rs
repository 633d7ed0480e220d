//! `celemetry crds`: the CustomResourceDefinitions of our kinds.
//!
//! In: nothing. Out: YAML documents, the same bytes every time. Must never know: clusters.

use std::io::{self, Write};

use serde_json::Value;

use crate::api::{self, Group};

/// Writes the definitions of every kind in both groups, each as a YAML document that begins with `---`.
///
/// # Errors
/// Those of `out`.
pub fn crds(out: &mut impl Write) -> io::Result<()> {
    definitions().iter().try_for_each(|definition| out.write_all(document(definition).as_bytes()))
}

/// The definitions of every kind in both groups, in the order in which they are installed.
pub fn definitions() -> Vec<Value> {
    let of_group = |group| {
        [
            api::custom_resource_definition::<api::Metric>(group),
            api::custom_resource_definition::<api::DataSink>(group),
        ]
    };
    Group::ALL.into_iter().flat_map(of_group).collect()
}

/// One definition as a YAML document.
pub fn document(definition: &Value) -> String {
    let yaml = serde_saphyr::to_string(definition).expect("invariant: JSON has a YAML form");
    format!("---\n{yaml}")
}

#[cfg(test)]
mod tests;

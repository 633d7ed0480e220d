//! What an installed definition has and ours has not.
//!
//! In: two definitions. Out: places. Must never know: clusters.

use std::collections::BTreeSet;

use serde_json::Value;

/// What `installed` serves and `ours` does not: versions, and fields of the versions that both have. A field is named
/// by its place in an object, such as `v1alpha1 spec.mode`; nothing is named below it.
pub(super) fn lost(installed: &Value, ours: &Value) -> Vec<String> {
    let mut lost = vec![];
    for version in versions(installed) {
        let name = version["name"].as_str().unwrap_or_default();
        match versions(ours).iter().find(|known| known["name"] == version["name"]) {
            None => lost.push(format!("version {name}")),
            Some(known) => {
                let schema = "/schema/openAPIV3Schema";
                if let (Some(installed), Some(known)) = (version.pointer(schema), known.pointer(schema)) {
                    let mut fields = BTreeSet::new();
                    compare(installed, known, "", &mut fields);
                    lost.extend(fields.into_iter().map(|field| format!("{name} {field}")));
                }
            }
        }
    }
    lost
}

fn versions(definition: &Value) -> &[Value] {
    definition["spec"]["versions"].as_array().map_or(&[], Vec::as_slice)
}

/// The depth is that of a schema that an API server took.
fn compare(installed: &Value, ours: &Value, place: &str, lost: &mut BTreeSet<String>) {
    // Whatever stands below such a node is kept.
    if ours["x-kubernetes-preserve-unknown-fields"] == Value::Bool(true) {
        return;
    }
    for (name, member) in installed["properties"].as_object().into_iter().flatten() {
        let place = if place.is_empty() { name.clone() } else { format!("{place}.{name}") };
        match ours["properties"].get(name) {
            Some(known) => compare(member, known, &place, lost),
            None => drop(lost.insert(place)),
        }
    }
    if let (Some(installed), Some(ours)) = (installed.get("items"), ours.get("items")) {
        compare(installed, ours, &format!("{place}[]"), lost);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::api;

    fn definition() -> Value {
        api::custom_resource_definition::<api::Metric>(api::Group::default())
    }

    fn check(edit: impl FnOnce(&mut Value), expected: &[&str]) {
        let mut installed = definition();
        edit(&mut installed);
        assert_eq!(lost(&installed, &definition()), expected);
    }

    #[test]
    fn what_only_the_installed_definition_has_is_named() {
        let spec = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties";
        check(|_| {}, &[]);
        check(|d| d["spec"]["versions"][0]["schema"] = json!({}), &[]);
        check(
            |d| d.pointer_mut(spec).unwrap()["joins"] = json!({ "properties": { "a": {} } }),
            &["v1alpha1 spec.joins"],
        );
        check(
            |d| {
                d.pointer_mut(&format!("{spec}/projections/items/properties")).unwrap()["unit"] = json!({});
                d.pointer_mut(&format!("{spec}/valueFrom/properties/default")).unwrap()["properties"] =
                    json!({ "x": {} });
                d.pointer_mut(spec).unwrap().as_object_mut().unwrap().remove("mode");
            },
            &["v1alpha1 spec.projections[].unit"],
        );
        check(
            |d| d["spec"]["versions"].as_array_mut().unwrap().push(json!({ "name": "v1" })),
            &["version v1"],
        );
    }
}

//! Which kinds there are, as an API server tells: all at once, or group by group.
//!
//! In: the kinds of the simulator. Out: JSON. Must never know: objects.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::refusal::Refusal;
use crate::simulator::state::Kind;

const VERBS: [&str; 3] = ["get", "list", "watch"];

/// The media type's parameter by which everything is asked for at once.
const AGGREGATED: &str = "as=APIGroupDiscoveryList";

/// The groups of `/api` or `/apis`, with all their kinds where that is accepted.
pub(super) fn groups(is_core: bool, accept: &str) -> String {
    let groups = by_group(is_core);
    if accept.contains(AGGREGATED) {
        let items: Vec<Value> = groups.iter().map(|(group, kinds)| aggregated(group, kinds)).collect();
        return json!({
            "kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items,
        })
        .to_string();
    }
    if is_core {
        return json!({"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []})
            .to_string();
    }
    let groups = groups.into_keys().map(|group| {
        let version = json!({"groupVersion": format!("{group}/v1"), "version": "v1"});
        json!({"name": group, "versions": [version], "preferredVersion": version})
    });
    json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups.collect::<Vec<_>>()}).to_string()
}

/// The type of the answer to [`groups`].
pub(super) fn content_type(accept: &str) -> &'static str {
    match accept.contains(AGGREGATED) {
        true => "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList",
        false => "application/json",
    }
}

/// The kinds of a `group/version`.
pub(super) fn kinds(api_version: &str) -> Result<String, Refusal> {
    let kinds = Kind::ALL.into_iter().filter(|kind| kind.api_version() == api_version);
    let resources: Vec<Value> = kinds
        .map(|kind| {
            json!({
                "name": kind.plural(), "singularName": singular(kind), "namespaced": kind.is_namespaced(),
                "kind": kind.name(), "verbs": VERBS,
            })
        })
        .collect();
    if resources.is_empty() {
        return Err(Refusal::not_found(api_version));
    }
    Ok(json!({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": api_version, "resources": resources})
        .to_string())
}

fn by_group(is_core: bool) -> BTreeMap<&'static str, Vec<Kind>> {
    let mut groups: BTreeMap<&str, Vec<Kind>> = BTreeMap::new();
    for kind in Kind::ALL {
        let (group, _) = kind.api_version().split_once('/').unwrap_or_default();
        if group.is_empty() == is_core {
            groups.entry(group).or_default().push(kind);
        }
    }
    groups
}

fn aggregated(group: &str, kinds: &[Kind]) -> Value {
    let resource = |kind: &Kind| {
        json!({
            "resource": kind.plural(), "singularResource": singular(*kind),
            "responseKind": {"group": group, "version": "v1", "kind": kind.name()},
            "scope": if kind.is_namespaced() { "Namespaced" } else { "Cluster" }, "verbs": VERBS,
        })
    };
    let resources: Vec<Value> = kinds.iter().map(resource).collect();
    let version = json!({"version": "v1", "freshness": "Current", "resources": resources});
    json!({"metadata": {"name": group}, "versions": [version]})
}

fn singular(kind: Kind) -> String {
    kind.name().to_lowercase()
}

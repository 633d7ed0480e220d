//! Namespaces and Databases.
//!
//! In: one of them. Out: JSON. Must never know: what happens to it.

use super::super::event::put;
use super::super::state::{Database, Namespace};
use super::{Managed, condition, metadata};

/// Writes a Namespace.
pub(in super::super) fn namespace(out: &mut String, namespace: &Namespace) {
    let Namespace { meta, team } = namespace;
    let labels = format!(r#""kubernetes.io/metadata.name":"{}","team":"{team}""#, meta.name);
    let fields = r#"{"f:metadata":{"f:labels":{".":{},"f:kubernetes.io/metadata.name":{},"f:team":{}}}}"#;
    let managed = [Managed { manager: "kubectl", time: meta.created, fields, is_of_status: false }];
    metadata(out, meta, &labels, "", None, &managed);
    let phase = if meta.deleted.is_some() { "Terminating" } else { "Active" };
    put(out, format_args!(r#","spec":{{"finalizers":["kubernetes"]}},"status":{{"phase":"{phase}"}}}}"#));
}

/// Writes a Database.
pub(in super::super) fn database(out: &mut String, database: &Database) {
    let Database { meta, engine, storage_gib, ready } = database;
    let fields = r#"{"f:spec":{".":{},"f:engine":{},"f:storage":{},"f:version":{}}}"#;
    let managed = [Managed { manager: "kubectl", time: meta.created, fields, is_of_status: false }];
    metadata(out, meta, &format!(r#""engine":"{engine}""#), "", None, &managed);
    put(out, format_args!(r#","spec":{{"engine":"{engine}","version":"16","storage":"{storage_gib}Gi"}}"#));
    if let Some((is_ready, since)) = ready {
        let (status, reason) = if *is_ready { ("True", "Serving") } else { ("False", "Unreachable") };
        put(out, format_args!(r#","status":{{"observedGeneration":{},"conditions":["#, meta.generation));
        condition(out, "", "Provisioned", "True", meta.created, "StorageBound");
        condition(out, ",", "Ready", status, *since, reason);
        out.push_str("]}");
    }
    out.push('}');
}

//! Objects as JSON, as full as an API server's.
//!
//! In: objects. Out: text from `"metadata":` to the end, without kind and apiVersion, which lists leave out. Must never
//! know: what happens to objects.
//!
//! Every text that is written here comes from the simulator and needs no escape.

mod pod;
mod node;
mod workload;
mod tenant;

pub(super) use node::node;
pub(super) use pod::pod;
pub(super) use tenant::{database, namespace};
pub(super) use workload::{deployment, job, replica_set};

use super::event::put;
use super::moment::Moment;
use super::state::{Meta, Owner};

/// The manager and time of one entry of `managedFields`, and the fields it owns as JSON.
struct Managed<'f> {
    manager: &'f str,
    time: Moment,
    fields: &'f str,
    is_of_status: bool,
}

/// Writes `"metadata":{…}`. `labels` and `annotations` are the insides of their maps.
fn metadata(
    out: &mut String,
    meta: &Meta,
    labels: &str,
    annotations: &str,
    owner: Option<&Owner>,
    managed: &[Managed<'_>],
) {
    put(out, format_args!(r#""metadata":{{"name":"{}","#, meta.name));
    if let (Some(owner), true) = (owner, labels.contains("pod-template-hash")) {
        put(out, format_args!(r#""generateName":"{}-","#, owner.name));
    }
    if let Some(namespace) = &meta.namespace {
        put(out, format_args!(r#""namespace":"{namespace}","#));
    }
    let Meta { uid, version, generation, created, .. } = meta;
    put(out, format_args!(r#""uid":"{uid}","resourceVersion":"{version}","generation":{generation},"#));
    put(out, format_args!(r#""creationTimestamp":"{created}","#));
    if let Some(deleted) = meta.deleted {
        put(out, format_args!(r#""deletionTimestamp":"{deleted}","deletionGracePeriodSeconds":30,"#));
    }
    put(out, format_args!(r#""labels":{{{labels}}},"annotations":{{{annotations}}},"#));
    if let Some(Owner { kind, name, uid, .. }) = owner {
        let (kind, api_version) = (kind.name(), kind.api_version());
        put(out, format_args!(r#""ownerReferences":[{{"apiVersion":"{api_version}","kind":"{kind}","#));
        put(out, format_args!(r#""name":"{name}","uid":"{uid}","controller":true,"#));
        out.push_str(r#""blockOwnerDeletion":true}],"#);
    }
    out.push_str(r#""managedFields":["#);
    for (at, Managed { manager, time, fields, is_of_status }) in managed.iter().enumerate() {
        let comma = if at > 0 { "," } else { "" };
        put(out, format_args!(r#"{comma}{{"manager":"{manager}","operation":"Update","apiVersion":"v1","#));
        put(out, format_args!(r#""time":"{time}","fieldsType":"FieldsV1","fieldsV1":{fields}"#));
        out.push_str(if *is_of_status { r#","subresource":"status"}"# } else { "}" });
    }
    out.push_str("]}");
}

/// Writes a condition as built-in kinds have it.
fn condition(out: &mut String, comma: &str, kind: &str, status: &str, since: Moment, reason: &str) {
    put(out, format_args!(r#"{comma}{{"type":"{kind}","status":"{status}","lastTransitionTime":"{since}""#));
    if !reason.is_empty() {
        put(out, format_args!(r#","reason":"{reason}","message":"{reason} since {since}""#));
    }
    out.push('}');
}

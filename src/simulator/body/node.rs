//! Nodes.
//!
//! In: a Node. Out: JSON. Must never know: what happens to it.

use super::super::event::put;
use super::super::state::Node;
use super::{Managed, condition, metadata};

const OWNED_BY_KUBELET: &str = r#"{"f:status":{"f:conditions":{"k:{\"type\":\"MemoryPressure\"}":{"f:lastHeartbeatTime":{}},"k:{\"type\":\"Ready\"}":{"f:lastHeartbeatTime":{},"f:lastTransitionTime":{},"f:message":{},"f:reason":{},"f:status":{}}},"f:images":{},"f:nodeInfo":{}}}"#;

/// Images that a Node says it has: they make most of its size, and are what nobody reads.
const IMAGES: usize = 12;

/// Writes a Node.
pub(in super::super) fn node(out: &mut String, node: &Node) {
    let Node { meta, zone, heartbeat, changed, .. } = node;
    let labels = format!(
        r#""kubernetes.io/arch":"amd64","kubernetes.io/hostname":"{}","kubernetes.io/os":"linux","node.kubernetes.io/instance-type":"standard-8","topology.kubernetes.io/zone":"{zone}""#,
        meta.name
    );
    let fields = OWNED_BY_KUBELET;
    let managed = [Managed { manager: "kubelet", time: *heartbeat, fields, is_of_status: true }];
    metadata(out, meta, &labels, r#""node.alpha.kubernetes.io/ttl":"0""#, None, &managed);
    let taints = match node.is_heard {
        true => "",
        false => r#","taints":[{"key":"node.kubernetes.io/unreachable","effect":"NoExecute"}]"#,
    };
    put(out, format_args!(r#","spec":{{"podCIDR":"10.42.0.0/24"{taints}}},"status":{{"#));
    out.push_str(r#""capacity":{"cpu":"8","ephemeral-storage":"101430960Ki","memory":"32780516Ki","pods":"110"},"allocatable":{"cpu":"7910m","ephemeral-storage":"93478772Ki","memory":"31653092Ki","pods":"110"},"conditions":["#);
    let (status, reason) = match node.is_heard {
        true => ("True", "KubeletReady"),
        false => ("Unknown", "NodeStatusUnknown"),
    };
    for (at, kind) in ["MemoryPressure", "DiskPressure", "PIDPressure"].into_iter().enumerate() {
        let (comma, status) =
            (if at > 0 { "," } else { "" }, if node.is_heard { "False" } else { "Unknown" });
        condition(out, comma, kind, status, meta.created, reason);
    }
    condition(out, ",", "Ready", status, *changed, reason);
    put(out, format_args!(r#"],"addresses":[{{"type":"Hostname","address":"{}"}}],"#, meta.name));
    put(out, format_args!(r#""nodeInfo":{{"bootID":"{}","osImage":"Example Linux 12","#, meta.uid));
    out.push_str(r#""kernelVersion":"6.12.0","kubeletVersion":"v1.34.1","architecture":"amd64","operatingSystem":"linux","containerRuntimeVersion":"containerd://2.1.4"},"images":["#);
    for image in 0..IMAGES {
        let comma = if image > 0 { "," } else { "" };
        let size = 20_000_000 + image * 7_340_032;
        put(out, format_args!(r#"{comma}{{"names":["registry.example.org/app-{image}:1.{image}.0","#));
        put(out, format_args!(r#""registry.example.org/app-{image}@sha256:{:064x}"],"#, meta.uid.0));
        put(out, format_args!(r#""sizeBytes":{size}}}"#));
    }
    out.push_str("]}}");
}

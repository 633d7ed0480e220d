//! Fields whose values have no bound, so that a series for each is too many.
//!
//! In: kinds and fields. Out: why their values have no bound. Must never know: Metrics.

/// Why there are as many values as there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unbounded {
    /// Nearly every object has its own.
    Own,
    /// A time: nearly every object has its own, and many change it.
    Time,
    /// Every rollout has its own.
    Rollout,
    /// Every build of an image has its own.
    Build,
    /// A sentence for people, which may hold anything.
    Words,
}

/// Kinds whose objects come and go under names of their own.
const FLEETING: &[&str] = &["Pod", "ReplicaSet", "Job", "Event", "EndpointSlice", "ControllerRevision"];

/// Fields of which nearly every object of a kind has its own value; of every kind where none is named.
const OWN: &[(&str, &[&str])] = &[
    (
        "",
        &[
            "",
            "metadata",
            "metadata.uid",
            "metadata.resourceVersion",
            "metadata.selfLink",
            "metadata.labels",
            "metadata.annotations",
            "metadata.managedFields",
            "metadata.ownerReferences",
            "metadata.ownerReferences[*].uid",
            "metadata.labels.controller-uid",
            "metadata.labels['batch.kubernetes.io/controller-uid']",
            "spec",
            "status",
        ],
    ),
    (
        "Pod",
        &[
            "spec.hostname",
            "spec.volumes[*].persistentVolumeClaim.claimName",
            "status.podIP",
            "status.podIPs",
            "status.podIPs[*]",
            "status.podIPs[*].ip",
            "metadata.labels['statefulset.kubernetes.io/pod-name']",
            "metadata.labels['apps.kubernetes.io/pod-index']",
        ],
    ),
    (
        "Node",
        &[
            "spec.podCIDR",
            "spec.podCIDRs",
            "spec.podCIDRs[*]",
            "spec.providerID",
            "status.addresses",
            "status.addresses[*].address",
            "status.nodeInfo.bootID",
            "status.nodeInfo.machineID",
            "status.nodeInfo.systemUUID",
        ],
    ),
    ("Service", &["spec.clusterIP", "spec.clusterIPs", "spec.clusterIPs[*]"]),
    ("PersistentVolumeClaim", &["spec.volumeName"]),
    ("PersistentVolume", &["spec.claimRef.name", "spec.claimRef.uid", "spec.csi.volumeHandle"]),
];

/// Fields of which every rollout has its own value.
const ROLLOUTS: &[&str] = &[
    "metadata.labels.pod-template-hash",
    "metadata.labels.controller-revision-hash",
    "metadata.annotations['deployment.kubernetes.io/revision']",
    "metadata.generation",
    "status.observedGeneration",
    "status.currentRevision",
    "status.updateRevision",
];

// === impl Unbounded ===

impl Unbounded {
    /// Why the values of `field` of the objects of `kind` have no bound, if so; an empty kind is every kind.
    pub(super) fn of(kind: &str, field: &str) -> Option<Unbounded> {
        let is = |known: &str| known.is_empty() || kind.is_empty() || known.eq_ignore_ascii_case(kind);
        let last = field.rsplit('.').next().unwrap_or_default();
        // What owns a Pod is mostly a ReplicaSet or a Job, which have names of their own.
        let is_owner = field == "metadata.ownerReferences[*].name" && is("Pod");
        match last {
            "containerID" => Some(Unbounded::Own),
            "imageID" => Some(Unbounded::Build),
            "message" => Some(Unbounded::Words),
            time if time.ends_with("Timestamp") || time.ends_with("Time") || time.ends_with("edAt") => {
                Some(Unbounded::Time)
            }
            _ if OWN.iter().any(|(known, fields)| is(known) && fields.contains(&field)) => {
                Some(Unbounded::Own)
            }
            "name" if field == "metadata.name" && FLEETING.iter().any(|known| is(known)) => {
                Some(Unbounded::Own)
            }
            _ if ROLLOUTS.contains(&field) || is_owner => Some(Unbounded::Rollout),
            _ => None,
        }
    }

    /// What follows the field in a sentence about it.
    pub(super) fn why(self, kind: &str) -> String {
        match self {
            Unbounded::Own => format!(", of which nearly every {kind} has its own"),
            Unbounded::Time => format!(", a time, of which nearly every {kind} has its own"),
            Unbounded::Rollout => ", of which every rollout has its own".to_owned(),
            Unbounded::Build => {
                ", which holds a digest, of which every build of an image has its own".to_owned()
            }
            Unbounded::Words => ", a sentence, which may hold anything".to_owned(),
        }
    }
}

/// Whether an expression in CEL takes from an image what stands behind its `@`, which is its digest.
pub(super) fn takes_digest(expression: &str, field: &str) -> bool {
    let is_image = field.rsplit('.').next() == Some("image");
    is_image && (expression.contains('@') || expression.contains("sha256"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use Unbounded::*;

    #[test]
    fn what_has_no_bound_is_known() {
        for (kind, field, expected) in [
            ("Pod", "metadata.name", Some(Own)),
            ("pod", "metadata.name", Some(Own)),
            ("", "metadata.name", Some(Own)),
            ("Node", "metadata.name", None),
            ("Deployment", "metadata.name", None),
            ("Node", "metadata.uid", Some(Own)),
            ("Node", "spec.providerID", Some(Own)),
            ("Pod", "metadata.namespace", None),
            ("Pod", "status.podIP", Some(Own)),
            ("Service", "status.podIP", None),
            ("Pod", "status.containerStatuses[*].imageID", Some(Build)),
            ("Pod", "status.containerStatuses[*].containerID", Some(Own)),
            ("Pod", "spec.containers[*].image", None),
            ("Pod", "metadata.creationTimestamp", Some(Time)),
            ("Pod", "status.containerStatuses[*].state.running.startedAt", Some(Time)),
            ("Database", "status.conditions[*].lastTransitionTime", Some(Time)),
            ("Database", "status.conditions[*].message", Some(Words)),
            ("Database", "status.conditions[*].reason", None),
            ("Pod", "metadata.labels", Some(Own)),
            ("Pod", "metadata.labels.app", None),
            ("Pod", "metadata.labels.pod-template-hash", Some(Rollout)),
            ("Pod", "metadata.ownerReferences[*].name", Some(Rollout)),
            ("ReplicaSet", "metadata.ownerReferences[*].name", None),
            ("Deployment", "status.observedGeneration", Some(Rollout)),
            ("Pod", "", Some(Own)),
        ] {
            assert_eq!(Unbounded::of(kind, field), expected, "{kind} {field}");
        }
    }

    #[test]
    fn a_digest_is_known_where_it_is_taken_out_of_an_image() {
        let image = "spec.containers[*].image";
        assert!(takes_digest("object.spec.containers[0].image.split('@')[1]", image));
        assert!(takes_digest("object.spec.containers[0].image.find('sha256:.*')", image));
        assert!(!takes_digest("object.spec.containers[0].image.split(':')[0]", image));
        assert!(!takes_digest("object.metadata.labels.owner.split('@')[1]", "metadata.labels.owner"));
    }
}

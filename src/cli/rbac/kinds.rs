//! Which resource a kind is.
//!
//! In: a target. Out: API groups and plurals, and how sure they are. Must never know: roles.

use std::collections::BTreeSet;

use crate::api::{self, Group, KINDS};

/// The kinds that are known.
#[derive(Clone, Debug)]
pub(super) struct Kinds {
    known: Vec<Kind>,
    /// Whether nothing else exists: they are what a cluster serves.
    complete: bool,
}

/// A kind, and the name that it has in URLs and roles.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Kind {
    pub(super) group: String,
    pub(super) kind: String,
    pub(super) plural: String,
}

/// What a role has to name for one target.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Named {
    /// The API group; `*` where it is not known.
    pub(super) group: String,
    /// The resource; `*` where it is not known.
    pub(super) resource: String,
    /// Why this may be wrong.
    pub(super) doubt: Option<Doubt>,
}

/// Why a name may be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Doubt {
    /// The plural is the regular one.
    Plural,
    /// Neither the group is known, nor the plural.
    Group,
    /// The target names no kind.
    EveryKind,
}

/// What Kubernetes 1.36 serves, all of whose plurals are regular but those of [`IRREGULAR`]; and what its usual add-ons do.
const BUILT_IN: &[(&str, &[&str])] = &[
    (
        "",
        &[
            "ComponentStatus",
            "ConfigMap",
            "Endpoints",
            "Event",
            "LimitRange",
            "Namespace",
            "Node",
            "PersistentVolume",
            "PersistentVolumeClaim",
            "Pod",
            "PodTemplate",
            "ReplicationController",
            "ResourceQuota",
            "Secret",
            "Service",
            "ServiceAccount",
        ],
    ),
    (
        "admissionregistration.k8s.io",
        &[
            "MutatingAdmissionPolicy",
            "MutatingAdmissionPolicyBinding",
            "MutatingWebhookConfiguration",
            "ValidatingAdmissionPolicy",
            "ValidatingAdmissionPolicyBinding",
            "ValidatingWebhookConfiguration",
        ],
    ),
    ("apiextensions.k8s.io", &["CustomResourceDefinition"]),
    ("apiregistration.k8s.io", &["APIService"]),
    ("apps", &["ControllerRevision", "DaemonSet", "Deployment", "ReplicaSet", "StatefulSet"]),
    ("autoscaling", &["HorizontalPodAutoscaler"]),
    ("batch", &["CronJob", "Job"]),
    ("certificates.k8s.io", &["CertificateSigningRequest", "ClusterTrustBundle", "PodCertificateRequest"]),
    ("coordination.k8s.io", &["Lease", "LeaseCandidate"]),
    ("discovery.k8s.io", &["EndpointSlice"]),
    ("events.k8s.io", &["Event"]),
    ("flowcontrol.apiserver.k8s.io", &["FlowSchema", "PriorityLevelConfiguration"]),
    ("metrics.k8s.io", &["NodeMetrics", "PodMetrics"]),
    ("networking.k8s.io", &["IPAddress", "Ingress", "IngressClass", "NetworkPolicy", "ServiceCIDR"]),
    ("node.k8s.io", &["RuntimeClass"]),
    ("policy", &["PodDisruptionBudget"]),
    ("rbac.authorization.k8s.io", &["ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"]),
    ("resource.k8s.io", &["DeviceClass", "ResourceClaim", "ResourceClaimTemplate", "ResourceSlice"]),
    ("scheduling.k8s.io", &["PriorityClass"]),
    (
        "storage.k8s.io",
        &[
            "CSIDriver",
            "CSINode",
            "CSIStorageCapacity",
            "StorageClass",
            "VolumeAttachment",
            "VolumeAttributesClass",
        ],
    ),
];

/// Built-in kinds whose plural is not the regular one.
const IRREGULAR: &[(&str, &str)] =
    &[("Endpoints", "endpoints"), ("NodeMetrics", "nodes"), ("PodMetrics", "pods")];

/// The plural that a kind has as a rule.
fn regular_plural(kind: &str) -> String {
    let kind = kind.to_lowercase();
    let vowel_before_y = ["ay", "ey", "iy", "oy", "uy"].iter().any(|end| kind.ends_with(end));
    if ["s", "x", "z", "ch", "sh"].iter().any(|end| kind.ends_with(end)) {
        format!("{kind}es")
    } else if let Some(stem) = kind.strip_suffix('y').filter(|_| !vowel_before_y) {
        format!("{stem}ies")
    } else {
        format!("{kind}s")
    }
}

// === impl Kinds ===

impl Kinds {
    /// What every cluster serves, and our own kinds.
    pub(super) fn built_in() -> Self {
        let plural = |kind: &str| {
            let irregular = IRREGULAR.iter().find(|(known, _)| *known == kind);
            irregular.map_or_else(|| regular_plural(kind), |(_, plural)| (*plural).to_owned())
        };
        let ours = Group::ALL.map(|group| (group.name(), KINDS.as_slice()));
        let all = BUILT_IN.iter().copied().chain(ours);
        let known = all.flat_map(|(group, kinds)| {
            kinds.iter().map(move |kind| Kind {
                group: group.to_owned(),
                kind: (*kind).to_owned(),
                plural: plural(kind),
            })
        });
        Kinds { known: known.collect(), complete: false }
    }

    /// What one cluster serves.
    pub(super) fn served(known: Vec<Kind>) -> Self {
        Kinds { known, complete: true }
    }

    /// What a role has to name so that `target` can be observed; nothing where nothing of that kind is served. As when
    /// Metrics are evaluated, a kind is compared without case, and one of the core group goes before its namesakes.
    pub(super) fn of_target(&self, target: &api::Target) -> BTreeSet<Named> {
        let part = |part: &Option<String>| part.clone().filter(|text| !text.is_empty());
        let (group, kind) = (part(&target.group), part(&target.kind));
        let Some(kind) = kind else {
            let doubt = Some(Doubt::EveryKind);
            let group = group.unwrap_or_else(|| "*".to_owned());
            return BTreeSet::from([Named { group, resource: "*".to_owned(), doubt }]);
        };
        let mut found: BTreeSet<Named> = self
            .known
            .iter()
            .filter(|known| known.kind.eq_ignore_ascii_case(&kind))
            .filter(|known| group.as_ref().is_none_or(|group| *group == known.group))
            .map(|known| Named { group: known.group.clone(), resource: known.plural.clone(), doubt: None })
            .collect();
        if group.is_none() && found.iter().any(|named| named.group.is_empty()) {
            found.retain(|named| named.group.is_empty());
        }
        if found.is_empty() && !self.complete {
            let doubt = Some(if group.is_some() { Doubt::Plural } else { Doubt::Group });
            let group = group.unwrap_or_else(|| "*".to_owned());
            found.insert(Named { group, resource: regular_plural(&kind), doubt });
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(kinds: &Kinds, group: &str, kind: &str, expected: &[(&str, &str, Option<Doubt>)]) {
        let text = |text: &str| Some(text.to_owned());
        let target = api::Target { group: text(group), kind: text(kind), ..api::Target::default() };
        let found: Vec<_> = kinds.of_target(&target).into_iter().collect();
        let found: Vec<_> =
            found.iter().map(|named| (named.group.as_str(), named.resource.as_str(), named.doubt)).collect();
        assert_eq!(found, expected, "{group}/{kind}");
    }

    #[test]
    fn built_in_kinds_are_known_and_others_guessed() {
        let kinds = Kinds::built_in();
        check(&kinds, "", "Pod", &[("", "pods", None)]);
        check(&kinds, "", "pod", &[("", "pods", None)]);
        check(&kinds, "", "Deployment", &[("apps", "deployments", None)]);
        check(&kinds, "", "Event", &[("", "events", None)]);
        check(&kinds, "events.k8s.io", "Event", &[("events.k8s.io", "events", None)]);
        check(&kinds, "", "Ingress", &[("networking.k8s.io", "ingresses", None)]);
        check(&kinds, "", "NetworkPolicy", &[("networking.k8s.io", "networkpolicies", None)]);
        check(&kinds, "", "StorageClass", &[("storage.k8s.io", "storageclasses", None)]);
        check(&kinds, "metrics.k8s.io", "PodMetrics", &[("metrics.k8s.io", "pods", None)]);
        check(&kinds, "metrics.openmcp.cloud", "Metric", &[("metrics.openmcp.cloud", "metrics", None)]);
        check(&kinds, "example.org", "Database", &[("example.org", "databases", Some(Doubt::Plural))]);
        check(&kinds, "example.org", "Gateway", &[("example.org", "gateways", Some(Doubt::Plural))]);
        check(&kinds, "", "Database", &[("*", "databases", Some(Doubt::Group))]);
        check(&kinds, "example.org", "", &[("example.org", "*", Some(Doubt::EveryKind))]);
        check(&kinds, "", "", &[("*", "*", Some(Doubt::EveryKind))]);
    }

    #[test]
    fn of_a_cluster_only_what_is_served_is_named() {
        let kind = |group: &str, kind: &str, plural: &str| Kind {
            group: group.to_owned(),
            kind: kind.to_owned(),
            plural: plural.to_owned(),
        };
        let kinds = Kinds::served(vec![
            kind("a.org", "Data", "data"),
            kind("b.org", "Data", "datas"),
            kind("", "Pod", "pods"),
        ]);
        check(&kinds, "", "data", &[("a.org", "data", None), ("b.org", "datas", None)]);
        check(&kinds, "b.org", "Data", &[("b.org", "datas", None)]);
        check(&kinds, "", "Deployment", &[]);
    }
}

//! Which kinds of objects are meant.
//!
//! In: what a user wrote. Out: whether an object is meant. Must never know: discovery, metrics.

/// A partial group, version and kind. An omitted part matches anything.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Target {
    /// API group; the core group cannot be told from an omitted one.
    pub group: Option<String>,
    /// API version.
    pub version: Option<String>,
    /// Kind, in any case.
    pub kind: Option<String>,
}

// === impl Target ===

impl Target {
    /// A target of these parts, where an empty part is an omitted one. The kind is held in lower case, so that equal
    /// targets are equal values.
    pub fn new(group: Option<&str>, version: Option<&str>, kind: Option<&str>) -> Self {
        let part = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
        Target {
            group: part(group),
            version: part(version),
            kind: part(kind).map(|kind| kind.to_lowercase()),
        }
    }

    /// Whether objects of this `apiVersion` and `kind` are meant.
    pub fn matches(&self, api_version: &str, kind: &str) -> bool {
        let (group, version) = group_and_version(api_version);
        self.group.as_deref().is_none_or(|wanted| wanted == group)
            && self.version.as_deref().is_none_or(|wanted| wanted == version)
            && self.kind.as_deref().is_none_or(|wanted| wanted == kind.to_lowercase())
    }
}

impl std::fmt::Display for Target {
    /// `kind pod, group apps, version v1`, without what is left open.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let parts = [("kind", &self.kind), ("group", &self.group), ("version", &self.version)];
        let named = parts.into_iter().filter_map(|(name, part)| Some(format!("{name} {}", part.as_ref()?)));
        f.write_str(&named.collect::<Vec<_>>().join(", "))
    }
}

/// Splits `apps/v1` into `apps` and `v1`, and `v1` into the core group's empty name and `v1`.
pub fn group_and_version(api_version: &str) -> (&str, &str) {
    api_version.split_once('/').unwrap_or(("", api_version))
}

/// Whether objects of this kind are known to live outside namespaces: those that the API server itself serves. A kind
/// that is not listed is taken for a namespaced one. Kubernetes 1.34, `kubectl api-resources --namespaced=false`.
pub fn is_cluster_scoped(api_version: &str, kind: &str) -> bool {
    let group = group_and_version(api_version).0;
    CLUSTER_SCOPED.iter().any(|(known, kinds)| *known == group && kinds.contains(&kind))
}

/// The same for a target as written: the kind in any case, the group perhaps left open.
pub fn is_kind_outside_namespaces(group: Option<&str>, kind: &str) -> bool {
    CLUSTER_SCOPED.iter().any(|(known, kinds)| {
        group.is_none_or(|group| group == *known)
            && kinds.iter().any(|known| known.eq_ignore_ascii_case(kind))
    })
}

const CLUSTER_SCOPED: &[(&str, &[&str])] = &[
    ("", &["ComponentStatus", "Namespace", "Node", "PersistentVolume"]),
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
    ("certificates.k8s.io", &["CertificateSigningRequest", "ClusterTrustBundle"]),
    ("flowcontrol.apiserver.k8s.io", &["FlowSchema", "PriorityLevelConfiguration"]),
    ("internal.apiserver.k8s.io", &["StorageVersion"]),
    ("networking.k8s.io", &["IPAddress", "IngressClass", "ServiceCIDR"]),
    ("node.k8s.io", &["RuntimeClass"]),
    ("rbac.authorization.k8s.io", &["ClusterRole", "ClusterRoleBinding"]),
    ("resource.k8s.io", &["DeviceClass", "DeviceTaintRule", "ResourceSlice"]),
    ("scheduling.k8s.io", &["PriorityClass"]),
    (
        "storage.k8s.io",
        &["CSIDriver", "CSINode", "StorageClass", "VolumeAttachment", "VolumeAttributesClass"],
    ),
    ("storagemigration.k8s.io", &["StorageVersionMigration"]),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn check(group: &str, version: &str, kind: &str, object: (&str, &str), matches: bool) {
        let target = Target::new(Some(group), Some(version), Some(kind));
        assert_eq!(target.matches(object.0, object.1), matches, "{target:?} {object:?}");
    }

    #[test]
    fn omitted_parts_match_anything_and_the_kind_any_case() {
        check("", "", "Pod", ("v1", "Pod"), true);
        check("", "", "pod", ("v1", "Pod"), true);
        check("", "", "POD", ("v1", "Pod"), true);
        check("", "", "Pods", ("v1", "Pod"), false);
        check("", "", "Pod", ("v1", "Node"), false);
        check("", "", "", ("example.org/v1", "Database"), true);
        check("", "v1", "", ("example.org/v1", "Database"), true);
        check("", "v2", "", ("example.org/v1", "Database"), false);
        check("example.org", "", "", ("example.org/v1", "Database"), true);
        check("example.org", "v1", "database", ("example.org/v1", "Database"), true);
        check("apps", "v1", "Deployment", ("v1", "Deployment"), false);
        check("", "", "Deployment", ("apps/v1", "Deployment"), true);
        check("Apps", "", "Deployment", ("apps/v1", "Deployment"), false);
    }

    #[test]
    fn targets_that_mean_the_same_are_equal() {
        assert_eq!(
            Target::new(None, Some("v1"), Some("Pod")),
            Target::new(Some(""), Some("v1"), Some("pod"))
        );
    }

    #[test]
    fn kinds_of_the_api_server_outside_namespaces_are_known() {
        for (api_version, kind, outside) in [
            ("v1", "Node", true),
            ("v1", "Pod", false),
            ("rbac.authorization.k8s.io/v1", "ClusterRole", true),
            ("rbac.authorization.k8s.io/v1", "Role", false),
            ("example.org/v1", "Node", false),
        ] {
            assert_eq!(is_cluster_scoped(api_version, kind), outside, "{api_version} {kind}");
            let group = group_and_version(api_version).0;
            assert_eq!(is_kind_outside_namespaces(Some(group), &kind.to_lowercase()), outside, "{kind}");
        }
    }
}

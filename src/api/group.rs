//! The two API groups that serve the same kinds.
//!
//! In: nothing. Out: names. Must never know: what the kinds hold.

/// The one version of all kinds.
pub const VERSION: &str = "v1alpha1";

/// Every kind of either group, whether this build evaluates it or not.
pub const KINDS: [&str; 7] = [
    "Metric",
    "ManagedMetric",
    "FederatedMetric",
    "FederatedManagedMetric",
    "DataSink",
    "RemoteClusterAccess",
    "FederatedClusterAccess",
];

/// An API group that serves our kinds. It is the dynamic type of every kind: one Rust type, two groups.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Group {
    /// `metrics.open-control-plane.io`
    #[default]
    OpenControlPlane,
    /// `metrics.openmcp.cloud`, the name before metrics-operator v1.0.0.
    OpenMcp,
}

impl Group {
    /// Both, the present one first.
    pub const ALL: [Group; 2] = [Group::OpenControlPlane, Group::OpenMcp];

    /// The group's name.
    pub const fn name(self) -> &'static str {
        match self {
            Group::OpenControlPlane => "metrics.open-control-plane.io",
            Group::OpenMcp => "metrics.openmcp.cloud",
        }
    }

    /// `group/version`.
    pub fn api_version(self) -> String {
        format!("{}/{VERSION}", self.name())
    }

    /// The group of this name.
    pub fn named(name: &str) -> Option<Group> {
        Group::ALL.into_iter().find(|group| group.name() == name)
    }
}

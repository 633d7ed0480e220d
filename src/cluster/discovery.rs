//! Which kinds an API server serves, and which of them a target means.
//!
//! In: the server's discovery documents. Out: a [`Catalog`]; of a target the resources to watch. Must never know: who
//! watches, metrics.

use kube::Client;
use kube::discovery::{ApiGroup, Discovery, Scope, verbs};

use super::fault::Fault;
use super::resource::Resource;
use super::target::Target;

/// Everything that can be listed, in the server's order of preference.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Catalog {
    /// Of each group and kind first the version that the server prefers, then the others by stability.
    resources: Vec<Resource>,
}

/// Why a target means nothing that can be watched.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unresolved {
    /// Nothing of that kind is served.
    #[error("the cluster serves nothing that matches {0}")]
    NotServed(String),
    /// More kinds than one metric may follow.
    #[error("{target} matches {found} kinds, at most {MOST_KINDS} are followed by one metric")]
    TooMany {
        /// What was asked for.
        target: String,
        /// How many kinds that is.
        found: usize,
    },
}

/// Kinds that one metric may follow: each is a connection of its own, and holds memory at the API server.
pub const MOST_KINDS: usize = 100;

/// Asks the server what it serves: by one request where it knows how to answer that, group by group otherwise.
///
/// # Errors
/// Where the server cannot be asked.
pub async fn discover(client: &Client) -> Result<Catalog, Fault> {
    let aggregated = Discovery::new(client.clone()).run_aggregated().await;
    let discovery = match aggregated {
        Ok(discovery) => discovery,
        Err(_) => Discovery::new(client.clone()).run().await.map_err(|error| Fault::of_kube(&error))?,
    };
    Ok(Catalog::of_groups(discovery.groups_alphabetical()))
}

// === impl Catalog ===

impl Catalog {
    /// A catalogue of these resources, the preferred version of each kind first.
    pub fn new(resources: Vec<Resource>) -> Self {
        Catalog { resources }
    }

    fn of_groups<'g>(groups: impl IntoIterator<Item = &'g ApiGroup>) -> Self {
        let mut resources = vec![];
        for group in groups {
            let preferred = group.preferred_version_or_latest();
            let others = group.versions().filter(|version| *version != preferred);
            for version in std::iter::once(preferred).chain(others) {
                for (resource, capabilities) in group.versioned_resources(version) {
                    if !capabilities.supports_operation(verbs::LIST) || resource.plural.contains('/') {
                        continue;
                    }
                    resources.push(Resource {
                        group: resource.group,
                        version: resource.version,
                        kind: resource.kind,
                        plural: resource.plural,
                        namespaced: capabilities.scope == Scope::Namespaced,
                        watchable: capabilities.supports_operation(verbs::WATCH),
                    });
                }
            }
        }
        Catalog { resources }
    }

    /// The resources that `target` means, each in one version: that which it names, or the preferred one. An object that
    /// is served in several versions is so counted once. Where the group is left open and the core group serves the
    /// kind, that is meant: an `Event` is served by two groups, and is one object.
    ///
    /// # Errors
    /// Where there is none, or where there are too many.
    pub fn resolve(&self, target: &Target) -> Result<Vec<Resource>, Unresolved> {
        let mut found: Vec<Resource> = vec![];
        for resource in &self.resources {
            let known = |other: &Resource| other.group == resource.group && other.kind == resource.kind;
            if target.matches(&resource.api_version(), &resource.kind) && !found.iter().any(known) {
                found.push(resource.clone());
            }
        }
        if target.group.is_none() && target.kind.is_some() && found.iter().any(|known| known.group.is_empty())
        {
            found.retain(|known| known.group.is_empty());
        }
        match found.len() {
            0 => Err(Unresolved::NotServed(target.to_string())),
            1..=MOST_KINDS => Ok(found),
            many => Err(Unresolved::TooMany { target: target.to_string(), found: many }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn catalog() -> Catalog {
        let rows = [
            ("", "v1", "Pod", "pods"),
            ("", "v1", "Event", "events"),
            ("", "v1", "Node", "nodes"),
            ("apps", "v1", "Deployment", "deployments"),
            ("events.k8s.io", "v1", "Event", "events"),
            ("example.org", "v2", "Database", "databases"),
            ("example.org", "v1", "Database", "databases"),
            ("example.org", "v1", "Cache", "caches"),
            ("other.org", "v1", "Database", "databases"),
        ];
        let resource = |(group, version, kind, plural): (&str, &str, &str, &str)| Resource {
            group: group.into(),
            version: version.into(),
            kind: kind.into(),
            plural: plural.into(),
            namespaced: true,
            watchable: true,
        };
        Catalog::new(rows.into_iter().map(resource).collect())
    }

    fn check(group: &str, version: &str, kind: &str, expected: &[&str]) {
        let target = Target::new(Some(group), Some(version), Some(kind));
        let found = match catalog().resolve(&target) {
            Ok(found) => found.iter().map(ToString::to_string).collect(),
            Err(error) => vec![error.to_string()],
        };
        assert_eq!(found, expected, "{target}");
    }

    #[test]
    fn a_target_means_one_version_of_every_kind_it_matches() {
        check("", "v1", "Pod", &["pods.v1"]);
        check("", "", "pod", &["pods.v1"]);
        check("apps", "v1", "deployment", &["deployments.v1.apps"]);
        check("", "", "deployment", &["deployments.v1.apps"]);
        check("example.org", "", "Database", &["databases.v2.example.org"]);
        check("example.org", "v1", "Database", &["databases.v1.example.org"]);
        check("", "", "Database", &["databases.v2.example.org", "databases.v1.other.org"]);
        check("example.org", "", "", &["databases.v2.example.org", "caches.v1.example.org"]);
    }

    #[test]
    fn a_kind_of_the_core_group_is_meant_where_the_group_is_left_open() {
        check("", "", "Event", &["events.v1"]);
        check("events.k8s.io", "", "Event", &["events.v1.events.k8s.io"]);
    }

    #[test]
    fn what_is_not_served_is_said() {
        check("", "v2", "Pod", &["the cluster serves nothing that matches kind pod, version v2"]);
        check("none.org", "", "", &["the cluster serves nothing that matches group none.org"]);
    }

    #[test]
    fn a_target_that_means_everything_is_refused() {
        let resource = |n: usize| Resource {
            group: "many.org".into(),
            version: "v1".into(),
            kind: format!("Kind{n}"),
            plural: format!("kind{n}s"),
            namespaced: true,
            watchable: true,
        };
        let catalog = Catalog::new((0..=MOST_KINDS).map(resource).collect());
        let target = Target::new(Some("many.org"), None, None);
        let refused = Unresolved::TooMany { target: "group many.org".into(), found: MOST_KINDS + 1 };
        assert_eq!(catalog.resolve(&target), Err(refused));
    }
}

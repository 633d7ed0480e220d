//! A kind of objects as an API server serves it, and the requests that show its objects.
//!
//! In: group, version, kind, plural. Out: HTTP requests. Must never know: who sends them, what comes back.

use std::fmt;
use std::time::Duration;

use http::Request;
use kube::core::params::{ListParams, WatchParams};

use super::fault::{Fault, FaultClass};

/// A kind of objects that is served.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Resource {
    /// API group; empty for the core group.
    pub group: String,
    /// API version.
    pub version: String,
    /// Kind, in the server's case.
    pub kind: String,
    /// The plural in paths.
    pub plural: String,
    /// Whether its objects are in namespaces.
    pub namespaced: bool,
    /// Whether it can be watched; what cannot is polled.
    pub watchable: bool,
}

/// The objects of a resource that a source stands for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Collection {
    pub(super) resource: Resource,
    /// Only objects that the server selects by these fields.
    pub(super) field_selector: Option<String>,
    /// Only the metadata of objects, so that nothing else of them ever comes here.
    pub(super) metadata_only: bool,
}

/// Which page of a list is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct PageRequest {
    /// Only objects of this namespace.
    pub(super) namespace: Option<String>,
    /// Only the object of this name. A list by name needs no other right than any list, and shows what a source sees of
    /// the object: nothing, where the source's own selection leaves it out.
    pub(super) name: Option<String>,
    /// At most so many; `None` is all at once.
    pub(super) limit: Option<u32>,
    /// Where the page before ended.
    pub(super) go_on: Option<String>,
}

// === impl Resource ===

impl Resource {
    /// `group/version`, or the version alone in the core group.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.clone() } else { format!("{}/{}", self.group, self.version) }
    }

    fn path(&self, namespace: Option<&str>) -> String {
        let root = if self.group.is_empty() { "/api" } else { "/apis" };
        let within = namespace.map(|namespace| format!("/namespaces/{namespace}")).unwrap_or_default();
        format!("{root}/{}{within}/{}", self.api_version(), self.plural)
    }
}

impl fmt::Display for Resource {
    /// `pods.v1` or `deployments.v1.apps`, as kubectl accepts it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.plural, self.version)?;
        if self.group.is_empty() { Ok(()) } else { write!(f, ".{}", self.group) }
    }
}

// === impl Collection ===

impl Collection {
    /// A page of the list. Without a resource version the server answers with its newest state: a value must never go
    /// back in time.
    pub(super) fn list(&self, page: &PageRequest) -> Result<Request<Vec<u8>>, Fault> {
        let request = kube::core::Request::new(self.resource.path(page.namespace.as_deref()));
        let params = ListParams {
            field_selector: self.selection(page.name.as_deref()),
            limit: page.limit,
            continue_token: page.go_on.clone(),
            ..ListParams::default()
        };
        let built = if self.metadata_only { request.list_metadata(&params) } else { request.list(&params) };
        built.map_err(|error| Fault::new(FaultClass::Malformed, error.to_string()))
    }

    /// The field selector, and `name` besides.
    fn selection(&self, name: Option<&str>) -> Option<String> {
        let Some(name) = name else { return self.field_selector.clone() };
        let own = self.field_selector.iter().cloned();
        let named = format!("metadata.name={}", escaped(name));
        Some(own.chain([named]).collect::<Vec<_>>().join(","))
    }

    /// A watch from `position` on, for at most `age`.
    pub(super) fn watch(&self, position: &str, age: Duration) -> Result<Request<Vec<u8>>, Fault> {
        let request = kube::core::Request::new(self.resource.path(None));
        let params = WatchParams {
            field_selector: self.field_selector.clone(),
            timeout: Some(u32::try_from(age.as_secs()).unwrap_or(u32::MAX).max(1)),
            bookmarks: true,
            ..WatchParams::default()
        };
        let built = if self.metadata_only {
            request.watch_metadata(&params, position)
        } else {
            request.watch(&params, position)
        };
        built.map_err(|error| Fault::new(FaultClass::Malformed, error.to_string()))
    }
}

/// A value in a field selector. Names of some kinds may hold what separates requirements.
fn escaped(value: &str) -> String {
    let is_special = |character| matches!(character, '\\' | ',' | '=');
    let escape = |character| is_special(character).then_some('\\').into_iter().chain([character]);
    value.chars().flat_map(escape).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resource(group: &str, version: &str, plural: &str) -> Resource {
        let [group, version, plural] = [group, version, plural].map(str::to_owned);
        Resource { group, version, kind: String::new(), plural, namespaced: true, watchable: true }
    }

    fn collection(resource: Resource) -> Collection {
        Collection { resource, field_selector: None, metadata_only: false }
    }

    #[test]
    fn resources_are_named_as_kubectl_takes_them() {
        assert_eq!(resource("", "v1", "pods").to_string(), "pods.v1");
        assert_eq!(resource("apps", "v1", "deployments").to_string(), "deployments.v1.apps");
    }

    #[test]
    fn lists_ask_for_the_newest_state_page_by_page() {
        let pods = collection(resource("", "v1", "pods"));
        let uri = |page| pods.list(&page).unwrap().uri().to_string();
        assert_eq!(uri(PageRequest::default()), "/api/v1/pods?");
        let page = PageRequest {
            limit: Some(500),
            go_on: Some("a&b".into()),
            namespace: Some("shop".into()),
            name: None,
        };
        assert_eq!(uri(page), "/api/v1/namespaces/shop/pods?&limit=500&continue=a%26b");
    }

    #[test]
    fn one_object_is_asked_for_by_its_name_within_the_source_s_selection() {
        let mut roles = collection(resource("rbac.authorization.k8s.io", "v1", "clusterroles"));
        let uri = |roles: &Collection, name: &str| {
            let one = PageRequest { name: Some(name.to_owned()), ..PageRequest::default() };
            roles.list(&one).unwrap().uri().to_string()
        };
        assert!(
            uri(&roles, "a").ends_with("/clusterroles?&fieldSelector=metadata.name%3Da"),
            "{}",
            uri(&roles, "a")
        );
        roles.field_selector = Some("a=b".into());
        assert!(
            uri(&roles, r"a,b=c\d")
                .ends_with(r"fieldSelector=a%3Db%2Cmetadata.name%3Da%5C%2Cb%5C%3Dc%5C%5Cd")
        );
    }

    #[test]
    fn watches_go_on_from_a_position_and_ask_for_bookmarks() {
        let mut deployments = collection(resource("apps", "v1", "deployments"));
        deployments.field_selector = Some("metadata.name=a".into());
        let uri = deployments.watch("17", Duration::from_secs(250)).unwrap().uri().to_string();
        assert!(uri.starts_with("/apis/apps/v1/deployments?"), "{uri}");
        for part in ["watch=true", "resourceVersion=17", "allowWatchBookmarks=true", "timeoutSeconds=250"] {
            assert!(uri.contains(part), "{uri}");
        }
        assert!(uri.contains("fieldSelector=metadata.name%3Da"), "{uri}");
    }

    #[test]
    fn metadata_alone_is_asked_for_by_the_accepted_type() {
        let secrets = Collection { metadata_only: true, ..collection(resource("", "v1", "secrets")) };
        let accept = |request: Request<Vec<u8>>| request.headers()["accept"].to_str().unwrap().to_owned();
        assert!(accept(secrets.list(&PageRequest::default()).unwrap()).contains("PartialObjectMetadataList"));
        assert!(accept(secrets.watch("1", Duration::ZERO).unwrap()).contains("PartialObjectMetadata"));
    }
}

//! Where a metric's objects are, and where its series go: what only a cluster can give.
//!
//! In: a spec as written. Out: selectors, references, and findings. Must never know: whether any of that exists.

use std::collections::{BTreeMap, BTreeSet};

use celemetry_engine::definition::{LabelOperator, LabelRequirement};

use super::findings::Findings;
use super::{LowerOptions, Lowered, Objects};
use crate::api;
use crate::controller::selector::parse_label_selector;

/// The access to a cluster other than the one that holds the metric.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteCluster {
    /// Name of the access.
    pub name: String,
    /// Namespace of the access; empty where it is left out.
    pub namespace: String,
}

/// The selector of namespaces; one that selects all is none. Without a cluster it is an error, since leaving it out
/// would give other numbers.
pub(super) fn namespace_selector(
    text: Option<&str>,
    options: LowerOptions<'_>,
    findings: &mut Findings,
) -> Option<Vec<LabelRequirement>> {
    let place = "spec.namespaceSelector";
    match parse_label_selector(text.unwrap_or_default()) {
        Err(error) => {
            findings.selector_error(place, &error);
            None
        }
        Ok(requirements) if requirements.is_empty() => None,
        Ok(_) if options.objects == Objects::Input => {
            findings.error(place, "needs the labels of namespaces, which are not available here");
            None
        }
        Ok(requirements) => Some(requirements),
    }
}

/// The name of the DataSink; a reference without a name means `default`, and no reference means none.
pub(super) fn data_sink(spec: &api::MetricSpec) -> Option<String> {
    let named = |sink: &api::DataSinkRef| sink.name.clone().filter(|name| !name.is_empty());
    spec.data_sink_ref.as_ref().map(|sink| named(sink).unwrap_or_else(|| "default".to_owned()))
}

/// The access to another cluster, if that is asked for.
pub(super) fn remote(spec: &api::MetricSpec) -> Option<RemoteCluster> {
    let access = spec.remote_cluster_access_ref.as_ref()?;
    let name = access.name.clone().unwrap_or_default();
    Some(RemoteCluster { name, namespace: access.namespace.clone().unwrap_or_default() })
}

/// Whether labels satisfy every requirement, as Kubernetes defines them.
pub fn matches(requirements: &[LabelRequirement], labels: &BTreeMap<String, String>) -> bool {
    let number = |value: &String| value.parse::<i64>().ok();
    requirements.iter().all(|requirement| {
        let value = labels.get(&requirement.key);
        match &requirement.operator {
            LabelOperator::In(values) => value.is_some_and(|value| values.contains(value)),
            LabelOperator::NotIn(values) => value.is_none_or(|value| !values.contains(value)),
            LabelOperator::Exists => value.is_some(),
            LabelOperator::DoesNotExist => value.is_none(),
            LabelOperator::GreaterThan(bound) => value.and_then(number).is_some_and(|value| value > *bound),
            LabelOperator::LessThan(bound) => value.and_then(number).is_some_and(|value| value < *bound),
        }
    })
}

// === impl Lowered ===

impl Lowered {
    /// The namespaces whose objects count, of `all` with their labels: those that are named and selected. `None` where
    /// every namespace counts, and what is in none.
    pub fn counted_namespaces<'n>(
        &self,
        all: impl IntoIterator<Item = (&'n str, &'n BTreeMap<String, String>)>,
    ) -> Option<BTreeSet<String>> {
        let named = self.definition.namespaces.as_ref();
        let Some(selector) = &self.namespace_selector else { return named.cloned() };
        let is_named = |name: &str| named.is_none_or(|named| named.contains(name));
        let selected = all.into_iter().filter(|(name, labels)| is_named(name) && matches(selector, labels));
        Some(selected.map(|(name, _)| name.to_owned()).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(selector: &str, labels: &[(&str, &str)], expected: bool) {
        let labels = labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        assert_eq!(
            matches(&parse_label_selector(selector).unwrap(), &labels),
            expected,
            "{selector} {labels:?}"
        );
    }

    #[test]
    fn labels_are_selected_as_kubernetes_selects_them() {
        check("", &[], true);
        check("a=b", &[("a", "b")], true);
        check("a=b", &[], false);
        check("a!=b", &[], true);
        check("a!=b", &[("a", "b")], false);
        check("a in (b,c)", &[("a", "c")], true);
        check("a notin (b,c)", &[("a", "d")], true);
        check("a", &[("a", "")], true);
        check("!a", &[("a", "")], false);
        check("a>3", &[("a", "4")], true);
        check("a>3", &[("a", "x")], false);
        check("a<3", &[], false);
        check("a=b,c", &[("a", "b")], false);
    }
}

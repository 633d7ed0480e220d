//! Warnings about Metrics that work.
//!
//! In: a Metric, what it means, what it reads. Out: warnings. Must never know: files, formats.

use celemetry_engine::definition::{Aggregation, ValueKind};
use celemetry_engine::explain::{Explanation, FormulaFacts, Role};

use super::names;
use crate::api;
use crate::cli::finding::{Finding, FindingKind};
use crate::cli::input::Place;
use crate::cli::output::Profile;
use crate::controller::Lowered;

/// Kinds whose objects come and go under names of their own.
const FLEETING: &[&str] = &["Pod", "ReplicaSet", "Job", "Event", "EndpointSlice", "ControllerRevision"];

/// Fields of any kind that nearly every object has a value of its own for.
const OWN: &[&str] = &[
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
    "metadata.labels.pod-template-hash",
    "metadata.labels.controller-revision-hash",
];

/// The same for Pods alone.
const OWN_OF_PODS: &[&str] = &[
    "status.podIP",
    "status.podIPs",
    "status.podIPs[*]",
    "status.podIPs[*].ip",
    "metadata.labels['statefulset.kubernetes.io/pod-name']",
];

/// Lists are taken to be of this length where an expression is too dear.
const LONG: u64 = 50;

/// Steps that one expression may take for an object.
const MOST_STEPS: u64 = 10_000;

/// Every warning.
pub(super) fn of(
    place: &Place,
    declared: &api::Metric,
    lowered: &Lowered,
    explanation: &Explanation,
    profile: Profile,
) -> Vec<Finding> {
    let mut advice = Advice { place, lowered, found: vec![] };
    advice.names(declared);
    advice.unit(declared, explanation, profile);
    for facts in &explanation.formulas {
        advice.unbounded(facts);
        advice.cost(facts);
    }
    if lowered.remote.is_some() {
        let message = "objects of other clusters cannot be followed yet";
        advice.warn(FindingKind::Other, "spec.remoteClusterAccessRef", message.to_owned());
    }
    advice.found
}

struct Advice<'a> {
    place: &'a Place,
    lowered: &'a Lowered,
    found: Vec<Finding>,
}

impl Advice<'_> {
    fn warn(&mut self, kind: FindingKind, path: &str, message: String) {
        self.found.push(Finding::new(kind, self.place, path, message));
    }

    fn names(&mut self, declared: &api::Metric) {
        let metric = ("spec.name".to_owned(), declared.spec.name.as_deref());
        let attributes = declared.spec.projections.iter().enumerate();
        let attributes =
            attributes.map(|(index, item)| (format!("spec.projections[{index}].name"), item.name.as_deref()));
        for (path, name) in std::iter::once(metric).chain(attributes) {
            let Some(name) = name.filter(|name| !name.is_empty()) else { continue };
            if let Some((what, meant)) = names::unusual(name) {
                let hint =
                    if meant.is_empty() { String::new() } else { format!(" (did you mean '{meant}'?)") };
                self.warn(FindingKind::Name, &path, format!("'{name}' {what}{hint}"));
            }
        }
    }

    fn unit(&mut self, declared: &api::Metric, explanation: &Explanation, profile: Profile) {
        let written = declared.spec.unit.as_deref().filter(|unit| !unit.is_empty());
        if let Some(unit) = written {
            if let Some(ucum) = names::ucum(unit) {
                let message = format!("'{unit}' is no unit of UCUM (did you mean '{ucum}'?)");
                self.warn(FindingKind::Unit, "spec.unit", message);
            }
            return;
        }
        let Some(value) = &self.lowered.definition.value else { return };
        // Times have one of their own, and metrics-operator sends none.
        let has_none = matches!(value.kind, ValueKind::Integer | ValueKind::Double | ValueKind::Quantity);
        if profile != Profile::Native || value.aggregation == Aggregation::Count || !has_none {
            return;
        }
        let facts = explanation.formulas.iter().find(|facts| facts.role == Role::Value);
        let likely = facts.and_then(|facts| names::likely_unit(&facts.origins));
        let message = match likely {
            Some(unit) => format!("is missing: the numbers have no unit (did you mean '{unit}'?)"),
            None => "is missing: the numbers have no unit; 'By', 's', '1' and '{thing}' are units".to_owned(),
        };
        self.warn(FindingKind::Unit, "spec.unit", message);
    }

    fn unbounded(&mut self, facts: &FormulaFacts) {
        let Role::Attribute(name) = &facts.role else { return };
        let kind = self.lowered.target.kind.as_deref().unwrap_or_default();
        let Some(origin) = facts.origins.iter().find(|origin| is_own(kind, origin)) else { return };
        let kind = if kind.is_empty() { "object" } else { kind };
        let most = self.lowered.definition.max_series;
        let message = format!(
            "attribute '{name}' comes from {origin}, of which nearly every {kind} has its own: a series for each; those \
             beyond {most} fold into one"
        );
        self.warn(FindingKind::Unbounded, &facts.formula.place, message);
    }

    fn cost(&mut self, facts: &FormulaFacts) {
        let steps = facts.estimate.at(LONG);
        if steps > MOST_STEPS {
            let message = format!(
                "takes about {} steps, n being the length of lists: where they have {LONG} elements, {steps}; an expression \
                 that needs more than {MOST_STEPS} fails",
                facts.estimate
            );
            self.warn(FindingKind::Cost, &facts.formula.place, message);
        }
    }
}

/// Whether nearly every object of `kind` has a value of its own at `field`.
fn is_own(kind: &str, field: &str) -> bool {
    let is = |known: &str| kind.is_empty() || known.eq_ignore_ascii_case(kind);
    let last = field.rsplit('.').next().unwrap_or_default();
    let is_time = last.ends_with("Timestamp") || last.ends_with("Time");
    let is_digest = matches!(last, "imageID" | "containerID");
    field.is_empty()
        || OWN.contains(&field)
        || (is("Pod") && OWN_OF_PODS.contains(&field))
        || (field == "metadata.name" && FLEETING.iter().any(|known| is(known)))
        || is_time
        || is_digest
}

#[cfg(test)]
mod tests {
    use super::is_own;

    #[test]
    fn what_only_one_object_has_is_known() {
        for (kind, field, expected) in [
            ("Pod", "metadata.name", true),
            ("pod", "metadata.name", true),
            ("", "metadata.name", true),
            ("Node", "metadata.name", false),
            ("Node", "metadata.uid", true),
            ("Pod", "metadata.namespace", false),
            ("Pod", "status.podIP", true),
            ("Service", "status.podIP", false),
            ("Pod", "status.containerStatuses[*].imageID", true),
            ("Pod", "spec.containers[*].image", false),
            ("Pod", "metadata.creationTimestamp", true),
            ("Pod", "metadata.labels", true),
            ("Pod", "metadata.labels.app", false),
            ("Pod", "", true),
        ] {
            assert_eq!(is_own(kind, field), expected, "{kind} {field}");
        }
    }
}

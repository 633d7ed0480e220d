//! Warnings about Metrics that work.
//!
//! In: a Metric, what it means, what it reads. Out: warnings. Must never know: files, formats.

use celemetry_engine::definition::{Aggregation, Language, ValueKind};
use celemetry_engine::explain::{Explanation, FormulaFacts, Role};

use super::bounds::{Unbounded, takes_digest};
use super::{names, units};
use crate::api;
use crate::cli::finding::{Finding, FindingKind};
use crate::cli::input::Place;
use crate::cli::output::Profile;
use crate::controller::Lowered;

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
        let named = |name: Option<&str>| name.filter(|name| !name.is_empty()).map(str::to_owned);
        for (path, name) in std::iter::once(metric).chain(attributes) {
            let Some(name) = named(name) else { continue };
            let is_metric = path == "spec.name";
            let unusual = names::unusual(&name, is_metric);
            if let Some((what, meant)) = unusual {
                let hint =
                    if meant.is_empty() { String::new() } else { format!(" (did you mean '{meant}'?)") };
                self.warn(FindingKind::Name, &path, format!("'{name}' {what}{hint}"));
            }
        }
    }

    fn unit(&mut self, declared: &api::Metric, explanation: &Explanation, profile: Profile) {
        let written = declared.spec.unit.as_deref().filter(|unit| !unit.is_empty());
        if let Some(unit) = written {
            if let Some((what, meant)) = self.wrong_unit(unit) {
                let message = format!("'{unit}' {what} (did you mean '{meant}'?)");
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
        let likely = facts.and_then(|facts| units::likely(&facts.origins));
        let message = match likely {
            Some(unit) => format!("is missing: the numbers have no unit (did you mean '{unit}'?)"),
            None => "is missing: the numbers have no unit; 'By', 's', '1' and '{thing}' are units".to_owned(),
        };
        self.warn(FindingKind::Unit, "spec.unit", message);
    }

    /// What is wrong with a unit, and which was probably meant.
    fn wrong_unit(&self, unit: &str) -> Option<(&'static str, String)> {
        let value = self.lowered.definition.value.as_ref();
        let is_time = value.is_some_and(|value| {
            let is_count = value.aggregation == Aggregation::Count;
            !is_count && matches!(value.kind, ValueKind::Duration | ValueKind::Timestamp)
        });
        match units::ucum(unit) {
            Some(ucum) => Some(("is no unit of UCUM", ucum)),
            None if is_time && unit != "s" => {
                Some(("is not what durations and timestamps are given in: seconds", "s".to_owned()))
            }
            None => None,
        }
    }

    fn unbounded(&mut self, facts: &FormulaFacts) {
        let Role::Attribute(name) = &facts.role else { return };
        let kind = self.lowered.target.kind.as_deref().unwrap_or_default();
        let is_cel = facts.formula.language == Language::Cel;
        let reason = |field: &str| match Unbounded::of(kind, field) {
            None if is_cel && takes_digest(&facts.formula.text, field) => Some(Unbounded::Build),
            reason => reason,
        };
        let found = facts.origins.iter().find_map(|origin| Some((origin, reason(origin)?)));
        let Some((origin, reason)) = found else { return };
        let why = reason.why(if kind.is_empty() { "object" } else { kind });
        let origin = if origin.is_empty() { "the whole object" } else { origin };
        let most = self.lowered.definition.max_series;
        let message = format!(
            "attribute '{name}' comes from {origin}{why}: a series for each; those beyond {most} fold into one"
        );
        self.warn(FindingKind::Unbounded, &facts.formula.place, message);
    }

    fn cost(&mut self, facts: &FormulaFacts) {
        let steps = facts.estimate.at(LONG);
        if steps > MOST_STEPS {
            let longest = facts.estimate.longest(MOST_STEPS).unwrap_or(LONG);
            let message = format!(
                "takes at most about {} steps, n being the length of lists: where they have {LONG} elements, {steps}; an \
                 expression has {MOST_STEPS}, so it may fail where lists have more than {longest} elements",
                facts.estimate
            );
            self.warn(FindingKind::Cost, &facts.formula.place, message);
        }
    }
}

//! What a Metric will do, for people.
//!
//! In: an explanation. Out: text. Must never know: objects.

use std::fmt::Write;

use celemetry_engine::explain::{Estimate, Extent, FormulaFacts, Role};
use celemetry_engine::expression::Budget;

use super::Explained;
use crate::controller::{Lowered, Mode, print_label_selector};

/// The width of the column of headings.
const HEAD: usize = 8;

/// Lists of objects are hardly ever longer: an object has at most 1.5 MB.
const LONGEST_LIST: u64 = 1_000;

/// The plan of one Metric.
pub(super) fn print(explained: &Explained) -> String {
    let Explained { lowered, explanation, rights, .. } = explained;
    let info = &lowered.definition.info;
    let unit = if info.unit.is_empty() { String::new() } else { format!(" in {}", info.unit) };
    let mut out = format!("{}: {}{unit}\n", info.source, info.name);
    let reads = explanation.fields.iter().map(|field| {
        let path = if field.path.is_empty() { "the object itself" } else { &field.path };
        match field.extent {
            Extent::Whole => path.to_owned(),
            Extent::Scalar => format!("{path} (unless it is a list or map)"),
            Extent::Presence => format!("{path} (whether it is there)"),
        }
    });
    let mut reads: Vec<String> = reads.collect();
    if reads.is_empty() {
        reads.push("nothing but what tells objects apart".to_owned());
    }
    section("reads", &reads, &mut out);
    let is_whole =
        explanation.fields.iter().any(|field| field.path.is_empty() && field.extent == Extent::Whole);
    let skips = if is_whole { "nothing" } else { "all else of an object, without parsing it" };
    section("skips", &[skips.to_owned()], &mut out);
    let mut index = explanation.index.clone();
    if index.is_empty() {
        index.push("every object is looked at".to_owned());
    }
    section("index", &index, &mut out);
    section("cost", &cost(&explanation.estimate, &explanation.formulas), &mut out);
    section("watch", &watch(lowered), &mut out);
    let rights = rights.iter().map(|right| {
        let note = right.note.as_ref().map(|note| format!(" ({note})")).unwrap_or_default();
        format!("{} on {}{note}", right.verbs.join(", "), right.resource())
    });
    section("rights", &rights.collect::<Vec<_>>(), &mut out);
    out
}

fn section(head: &str, lines: &[String], out: &mut String) {
    for (at, line) in lines.iter().enumerate() {
        let head = if at == 0 { head } else { "" };
        let _ = writeln!(out, "  {head:HEAD$}{line}");
    }
}

fn cost(total: &Estimate, formulas: &[FormulaFacts]) -> Vec<String> {
    let mut lines = vec![if total.factors.len() > 1 {
        format!("about {total} steps an object: {} where n, the length of lists, is 10", total.at(10))
    } else {
        let total = total.to_string();
        format!("about {total} {} an object", if total == "1" { "step" } else { "steps" })
    }];
    let place = formulas.iter().map(|facts| facts.formula.place.len()).max().unwrap_or(0);
    let steps = formulas.iter().map(|facts| steps(facts).len()).max().unwrap_or(0);
    for facts in formulas {
        let role = match &facts.role {
            Role::Attribute(name) => format!("{name}: "),
            _ => String::new(),
        };
        let text: String = facts.formula.text.split_whitespace().collect::<Vec<_>>().join(" ");
        lines.push(format!("{:place$}  {:>steps$}  {role}{text}", facts.formula.place, self::steps(facts)));
    }
    lines.extend(formulas.iter().filter_map(bound));
    lines
}

/// Where lists come to be too long for an expression, if lists are ever that long.
fn bound(facts: &FormulaFacts) -> Option<String> {
    let most = Budget::EXPRESSION.steps;
    let longest = facts.estimate.longest(most).filter(|longest| *longest < LONGEST_LIST)?;
    let place = &facts.formula.place;
    Some(format!("{place} may fail where lists have more than {longest} elements: it has {most} steps"))
}

fn steps(facts: &FormulaFacts) -> String {
    let once = facts.estimate.to_string();
    match once.as_str() {
        _ if !facts.each => once,
        "1" => "n".to_owned(),
        sum if sum.contains(' ') => format!("n × ({sum})"),
        factor => format!("n × {factor}"),
    }
}

/// How the objects are observed.
pub(super) fn watch(lowered: &Lowered) -> Vec<String> {
    let target = &lowered.target;
    let parts = [("group", &target.group), ("version", &target.version)];
    let named = parts.into_iter().filter_map(|(name, part)| Some(format!("{name} {}", part.as_ref()?)));
    let kind = target.kind.clone().unwrap_or_else(|| "every kind".to_owned());
    let kind = std::iter::once(kind).chain(named).collect::<Vec<_>>().join(", ");
    let how = match lowered.mode {
        Mode::EventDriven => "listed once and watched".to_owned(),
        Mode::Polling => format!("listed every {:?}", lowered.interval),
    };
    let mut lines =
        vec![format!("{kind}: {how}, in the whole cluster, once for all Metrics that want the same")];
    if let Some(selector) = &lowered.field_selector {
        lines.push(format!("fieldSelector {selector}: left to the API server, so by a watch of its own"));
    }
    if lowered.metadata_only {
        lines.push("metadata only".to_owned());
    }
    if let Some(selector) = &lowered.namespace_selector {
        lines.push(format!("Namespaces, metadata only, for {}", print_label_selector(selector)));
    }
    if lowered.remote.is_some() {
        lines.push("objects of other clusters cannot be followed yet".to_owned());
    }
    lines
}

//! How an object fares, for people.
//!
//! In: a trace. Out: text. Must never know: how it was evaluated.

use std::fmt::Write;

use celemetry_engine::explain::{Evaluated, Part, Requirement, Shown, Test, Trace, TracedElement};

use super::Verdict;
use super::namespaces::NamespaceTest;
use crate::controller::print_label_selector;

/// So many characters of a value are shown.
const VALUE: usize = 80;

/// So many characters of an expression are shown.
const TEXT: usize = 120;

/// So many elements are shown.
const ELEMENTS: usize = 20;

/// So many of the largest parts that are skipped are named.
const SKIPPED: usize = 5;

// === impl Verdict ===

impl Verdict {
    /// Why it does not count, if so, as far as can be told without a cluster.
    pub(super) fn reason(&self) -> Option<String> {
        let Trace { tests, filter, for_each, elements, .. } = &self.trace;
        let failing = tests.iter().find(|test| !test.holds);
        if !self.is_targeted {
            Some("it is no object of spec.target".to_owned())
        } else if let Some(test) = failing {
            Some(format!("{} does not hold", place_of(&test.requirement)))
        } else if self.namespace.as_ref().is_some_and(|test| test.holds == Some(false)) {
            Some("spec.namespaceSelector does not hold".to_owned())
        } else if let Some(Shown::Failed(_)) = filter.as_ref().map(|filter| &filter.made) {
            Some("spec.filter fails".to_owned())
        } else if !self.trace.matched {
            Some("spec.filter is false".to_owned())
        } else if let Some(Shown::Failed(_)) = for_each.as_ref().map(|elements| &elements.made) {
            Some("spec.forEach fails".to_owned())
        } else if elements.is_empty() {
            Some("it has no elements".to_owned())
        } else if elements.iter().all(|element| element.contribution.is_none()) {
            let what = if for_each.is_some() { "no element of it has a value" } else { "it has no value" };
            Some(what.to_owned())
        } else {
            None
        }
    }

    /// What must hold besides for it to count, and cannot be told without a cluster.
    pub(super) fn conditions(&self) -> Vec<String> {
        let namespace = self.namespace.iter().filter(|test| test.holds.is_none()).map(|test| {
            let name = test.namespace.as_deref().unwrap_or_default();
            format!("spec.namespaceSelector selects the namespace {name}")
        });
        let server = self.left_to_server.iter();
        namespace
            .chain(server.map(|_| "the API server selects it by spec.fieldSelector".to_owned()))
            .collect()
    }
}

/// The steps of one object.
pub(super) fn print(verdict: &Verdict, out: &mut String) {
    let trace = &verdict.trace;
    let counts = match (verdict.reason(), verdict.conditions()) {
        (Some(reason), _) => format!("does not count: {reason}"),
        (None, conditions) if conditions.is_empty() => "counts".to_owned(),
        (None, conditions) => format!("counts if {}", conditions.join(" and ")),
    };
    line(0, &format!("{}: {counts}", trace.object), out);
    if !verdict.is_targeted {
        return;
    }
    trace.tests.iter().for_each(|test| line(1, &self::test(test), out));
    if let Some(test) = &verdict.namespace {
        line(1, &namespace(test), out);
    }
    if let Some(selector) = &verdict.left_to_server {
        line(1, &format!("spec.fieldSelector {selector}: not known without the API server"), out);
    }
    if let Some(filter) = &trace.filter {
        step(1, "", filter, out);
    }
    if let Some(each) = &trace.for_each {
        step(1, "elements: ", each, out);
    }
    for element in trace.elements.iter().take(ELEMENTS) {
        self::element(element, out);
    }
    if trace.elements.len() > ELEMENTS {
        line(1, &format!("{} further elements; -o json shows all", trace.elements.len() - ELEMENTS), out);
    }
    skipped(verdict, out);
}

fn line(depth: usize, text: &str, out: &mut String) {
    let visible: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let _ = writeln!(out, "{}{visible}", "  ".repeat(depth));
}

fn test(test: &Test) -> String {
    let place = place_of(&test.requirement);
    let what = match &test.requirement {
        Requirement::Label(label) => print_label_selector(std::slice::from_ref(label)),
        Requirement::Namespaces(names) => names.join(", "),
        Requirement::Field(field) => {
            let operator = if field.equal { "=" } else { "!=" };
            format!("{}{operator}{}", field.path.join("."), field.value)
        }
    };
    let verdict = if test.holds { "holds" } else { "does not hold" };
    let found = match &test.found {
        Some(text) => format!("found {}", cut(&format!("{text:?}"), VALUE)),
        None => "nothing there".to_owned(),
    };
    format!("{place} {what}: {verdict}, {found}")
}

fn namespace(test: &NamespaceTest) -> String {
    let NamespaceTest { selector, namespace, found, holds } = test;
    let verdict = match holds {
        Some(true) => "holds",
        Some(false) => "does not hold",
        None => "not known without the namespace",
    };
    let found = match (namespace, found) {
        (None, _) => ", it is in no namespace".to_owned(),
        (Some(name), Some(labels)) if labels.is_empty() => format!(", {name} has no labels"),
        (Some(name), Some(labels)) => format!(", {name} has {}", cut(labels, VALUE)),
        (Some(_), None) => String::new(),
    };
    format!("spec.namespaceSelector {selector}: {verdict}{found}")
}

/// Where a requirement stands in the Metric.
fn place_of(requirement: &Requirement) -> &'static str {
    match requirement {
        Requirement::Label(_) => "spec.labelSelector",
        Requirement::Namespaces(_) => "spec.namespaces",
        Requirement::Field(_) => "spec.fieldSelector",
    }
}

fn element(element: &TracedElement, out: &mut String) {
    let depth = if let Some(position) = &element.position {
        let item = element.item.as_ref().map(ToString::to_string).unwrap_or_default();
        line(1, &format!("item {position} = {}", cut(&item, VALUE)), out);
        2
    } else {
        1
    };
    if let Some(value) = &element.value {
        step(depth, "value: ", value, out);
    }
    for (name, attribute) in &element.attributes {
        step(depth, &format!("attribute {name}: "), attribute, out);
    }
    let adds = match &element.contribution {
        Some((number, attributes)) => {
            let attributes: Vec<String> = attributes
                .iter()
                .map(|(name, text)| format!("{name}={}", cut(&format!("{text:?}"), VALUE)))
                .collect();
            format!("adds {number} to {{{}}}", attributes.join(", "))
        }
        None => "adds nothing: it has no value".to_owned(),
    };
    line(depth, &format!("→ {adds}"), out);
}

/// An expression, what was made of it, and its parts.
fn step(depth: usize, what: &str, step: &Evaluated, out: &mut String) {
    let text = cut(&step.part.text, TEXT);
    if step.made == Shown::Skipped {
        return line(depth, &format!("{} {text}: not needed", step.formula.place), out);
    }
    line(depth, &format!("{} {text}", step.formula.place), out);
    line(depth + 1, &format!("{what}{}", shown(&step.made)), out);
    // What the metric makes of a value may be the value itself.
    if step.part.shown != step.made {
        line(depth + 1, &format!("the expression: {}", shown(&step.part.shown)), out);
    }
    step.part.parts.iter().for_each(|part| self::part(depth + 1, part, out));
}

fn part(depth: usize, part: &Part, out: &mut String) {
    line(depth, &format!("{}: {}", cut(&part.text, TEXT), shown(&part.shown)), out);
    part.parts.iter().for_each(|part| self::part(depth + 1, part, out));
}

fn shown(shown: &Shown) -> String {
    match shown {
        Shown::Value(value) => cut(&value.to_string(), VALUE),
        Shown::Nothing => "nothing".to_owned(),
        Shown::Failed(message) => format!("fails: {message}"),
        Shown::Skipped => "not needed".to_owned(),
    }
}

fn skipped(verdict: &Verdict, out: &mut String) {
    let mut largest: Vec<_> = verdict.skipped.iter().collect();
    largest.sort_by(|a, b| b.bytes.cmp(&a.bytes).then(a.path.cmp(&b.path)));
    let total: usize = largest.iter().map(|skipped| skipped.bytes).sum();
    if total == 0 {
        return;
    }
    let named: Vec<String> =
        largest.iter().take(SKIPPED).map(|skipped| format!("{} ({})", skipped.path, skipped.bytes)).collect();
    let more = largest.len().saturating_sub(SKIPPED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    line(1, &format!("skipped: {total} bytes, {}{more}", named.join(", ")), out);
}

/// At most so many characters.
fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

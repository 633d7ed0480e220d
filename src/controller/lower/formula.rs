//! The expressions of a metric: which language each is in, and what it is for.
//!
//! In: paths and expressions as written. Out: formulas with their places. Must never know: how they are parsed.

use celemetry_engine::definition::{
    Aggregation, Formula, Language, Projection, ProjectionKind, ValueFrom, ValueKind,
};
use celemetry_engine::explain::{OtherReading, other_reading};

use crate::api;

use super::Profile;
use super::findings::Findings;
use crate::controller::warning::WarningKind;

pub(super) const PROJECTION_KINDS: &[(&str, ProjectionKind)] = &[
    ("primitive", ProjectionKind::Primitive),
    ("slice", ProjectionKind::Slice),
    ("map", ProjectionKind::Map),
    ("timestamp", ProjectionKind::Timestamp),
];

pub(super) const VALUE_KINDS: &[(&str, ValueKind)] = &[
    ("integer", ValueKind::Integer),
    ("timestamp", ValueKind::Timestamp),
    ("double", ValueKind::Double),
    ("quantity", ValueKind::Quantity),
    ("duration", ValueKind::Duration),
];

pub(super) const AGGREGATIONS: &[(&str, Aggregation)] = &[
    ("sum", Aggregation::Sum),
    ("max", Aggregation::Max),
    ("min", Aggregation::Min),
    ("mean", Aggregation::Mean),
    ("count", Aggregation::Count),
];

pub(super) const DIALECTS: &[(&str, Option<Language>)] =
    &[("Kubectl", Some(Language::Kubectl)), ("RFC9535", Some(Language::Rfc9535))];

/// A path or an expression, as written.
struct Source<'s> {
    place: &'s str,
    field_path: Option<&'s str>,
    expression: Option<&'s str>,
    dialect: Option<&'s str>,
}

/// The CEL expression `text`, unless it is empty.
pub(super) fn cel(place: &str, text: &str) -> Option<Formula> {
    let written = !text.trim().is_empty();
    written.then(|| Formula { language: Language::Cel, text: text.to_owned(), place: place.to_owned() })
}

/// What `spec.forEach` says.
pub(super) fn for_each(
    for_each: &api::ForEach,
    profile: Profile,
    findings: &mut Findings,
) -> Option<Formula> {
    let source = Source {
        place: "spec.forEach",
        field_path: for_each.field_path.as_deref(),
        expression: for_each.expression.as_deref(),
        dialect: None,
    };
    needed(&source, profile, findings)
}

/// What `spec.valueFrom` says.
pub(super) fn value(from: &api::ValueFrom, profile: Profile, findings: &mut Findings) -> Option<ValueFrom> {
    let place = "spec.valueFrom";
    let kind =
        findings.choose(&format!("{place}.type"), from.type_.as_deref(), VALUE_KINDS, ValueKind::Integer);
    let aggregation = from.aggregation.as_deref();
    let aggregation =
        findings.choose(&format!("{place}.aggregation"), aggregation, AGGREGATIONS, Aggregation::Sum);
    let default = from.default.clone().filter(|default| !default.is_null());
    if default.as_ref().is_some_and(|default| !default.is_string() && !default.is_number()) {
        findings.error(&format!("{place}.default"), "must be a string or a number");
    }
    let source = Source {
        place,
        field_path: from.field_path.as_deref(),
        expression: from.expression.as_deref(),
        dialect: from.dialect.as_deref(),
    };
    let formula = needed(&source, profile, findings)?;
    Some(ValueFrom { formula, kind, aggregation, default })
}

/// The attributes. Items without a name or without a formula are defects; upstream skips them, and so do its profiles. Of
/// two with one name the later stands.
pub(super) fn projections(
    items: &[api::Projection],
    profile: Profile,
    findings: &mut Findings,
) -> Vec<Projection> {
    let mut projections: Vec<Projection> = vec![];
    for (index, item) in items.iter().enumerate() {
        let place = format!("spec.projections[{index}]");
        let Some(projection) = projection(item, &place, profile, findings) else { continue };
        let earlier = projections.iter().position(|earlier| earlier.name == projection.name);
        if let Some(earlier) = earlier {
            findings.warn(
                &place,
                &format!("takes the place of an earlier projection named '{}'", projection.name),
            );
            projections.remove(earlier);
        }
        projections.push(projection);
    }
    projections
}

fn projection(
    item: &api::Projection,
    place: &str,
    profile: Profile,
    findings: &mut Findings,
) -> Option<Projection> {
    let source = Source {
        place,
        field_path: item.field_path.as_deref(),
        expression: item.expression.as_deref(),
        dialect: item.dialect.as_deref(),
    };
    let mut incomplete = |needs: &str, lacks: &str| match profile {
        Profile::Native => findings.error(place, needs),
        _ => findings.warn(place, &format!("{lacks}: left out, as metrics-operator does")),
    };
    let Some(name) = item.name.clone().filter(|name| !name.is_empty()) else {
        incomplete("needs a name", "has no name");
        return None;
    };
    if source.is_empty() {
        incomplete("needs fieldPath or expression", "has neither fieldPath nor expression");
        return None;
    }
    let formula = formula(&source, profile, findings)?;
    let kind = item.type_.as_deref();
    let kind = findings.choose(&format!("{place}.type"), kind, PROJECTION_KINDS, ProjectionKind::Primitive);
    let default = item.default.clone().filter(|default| !default.is_null());
    let takes_text = matches!(kind, ProjectionKind::Primitive | ProjectionKind::Timestamp);
    if takes_text && default.as_ref().is_some_and(|default| !default.is_string()) {
        let kind = item.type_.as_deref().unwrap_or("primitive");
        let message = format!("should be a string for type {kind}: as it is, an absent value is an error");
        findings.warn(&format!("{place}.default"), &message);
    }
    Some(Projection { name, formula, kind, default })
}

/// The formula of a source that must have one.
fn needed(source: &Source<'_>, profile: Profile, findings: &mut Findings) -> Option<Formula> {
    if source.is_empty() {
        findings.error(source.place, "needs fieldPath or expression");
    }
    formula(source, profile, findings)
}

/// The formula of a source; none where nothing is written.
fn formula(source: &Source<'_>, profile: Profile, findings: &mut Findings) -> Option<Formula> {
    let field_path = source.field_path.filter(|path| !path.is_empty());
    let expression = source.expression.and_then(|text| cel(&format!("{}.expression", source.place), text));
    let dialect = findings.choose(&format!("{}.dialect", source.place), source.dialect, DIALECTS, None);
    match (field_path, expression) {
        (Some(_), Some(_)) => {
            findings.error(source.place, "has both fieldPath and expression, of which one is needed");
            None
        }
        (None, expression) => {
            if expression.is_some() && dialect.is_some() {
                findings.warn(&format!("{}.dialect", source.place), "has no meaning beside an expression");
            }
            expression
        }
        (Some(path), None) => {
            let place = format!("{}.fieldPath", source.place);
            if dialect.is_none()
                && let Some(warning) = surprise(path, profile)
            {
                findings.warn_of(WarningKind::Readings, &place, &warning);
            }
            let language = dialect.unwrap_or_else(|| dialect_of(path));
            Some(Formula { language, text: path.to_owned(), place })
        }
    }
}

/// The dialect of a path that names none: a leading `$` is RFC 9535, anything else kubectl's.
fn dialect_of(path: &str) -> Language {
    if path.starts_with('$') { Language::Rfc9535 } else { Language::Kubectl }
}

/// Says so where metrics-operator, or the other dialect, reads a path without `dialect` differently.
fn surprise(path: &str, profile: Profile) -> Option<String> {
    let upstream = profile != Profile::Native;
    if path.starts_with('$') {
        if upstream {
            return Some("a leading '$' is RFC 9535; metrics-operator finds nothing there".to_owned());
        }
        let OtherReading { part, kubectl } = other_reading(path)?;
        return Some(format!(
            "'{part}' is read as RFC 9535, for the leading '$'; kubectl {kubectl}; `dialect` settles it"
        ));
    }
    let recursive = path.starts_with("..");
    (upstream && path.starts_with('.') && path != "." && !recursive)
        .then(|| "a leading '.' is the root; metrics-operator searches the whole object".to_owned())
}

// === impl Source ===

impl Source<'_> {
    fn is_empty(&self) -> bool {
        self.field_path.unwrap_or_default().is_empty()
            && self.expression.unwrap_or_default().trim().is_empty()
    }
}

//! Targets that name no kind that is known, and were probably meant to.
//!
//! In: a target, all kinds that are known. Out: a warning. Must never know: expressions, files.

use crate::cli::finding::{Finding, FindingKind};
use crate::cli::input::Place;
use crate::controller::{Target, is_near};

use crate::controller::schema::{KUBERNETES, Kind, KnownKinds};

/// What is wrong with a target that is none of the kinds that are known. Of groups that nobody has defined, and of versions
/// that come and go, nothing is known.
pub(super) fn of(known: &KnownKinds, place: &Place, target: &Target) -> Option<Finding> {
    let kind = target.kind.as_deref()?;
    let is_of = |part: &Option<String>, known: &str| part.as_deref().is_none_or(|part| part == known);
    let in_group = |known: &Kind| is_of(&target.group, &known.group);
    let in_version = |known: &Kind| is_of(&target.version, &known.version);
    let is_kind = |known: &Kind| known.kind.eq_ignore_ascii_case(kind);
    if known.all().any(|(known, _)| in_group(known) && in_version(known) && is_kind(known)) {
        return None;
    }
    let own: Vec<&Kind> = known.all().filter(|(_, is_own)| *is_own).map(|(kind, _)| kind).collect();
    let find = |wanted: &dyn Fn(&Kind) -> bool| own.iter().copied().find(|known| wanted(known));
    let warning = |part: &str, message: String| {
        Some(Finding::new(FindingKind::Schema, place, &format!("spec.target.{part}"), message))
    };
    if find(&in_group).is_none() {
        return of_others(known, place, target);
    }
    if let Some(known) = find(&|known| in_group(known) && is_kind(known)) {
        let version = target.version.as_deref().filter(|version| !version.contains(['a', 'b']))?;
        let (kind, meant) = (&known.kind, &known.version);
        let message =
            format!("Kubernetes {KUBERNETES} has no {kind} of '{version}' (did you mean '{meant}'?)");
        return warning("version", message);
    }
    if let Some(known) = find(&is_kind) {
        let group = if known.group.is_empty() { "the core group" } else { &known.group };
        return warning("group", format!("Kubernetes {KUBERNETES} has a {} in {group} only", known.kind));
    }
    let near = find(&|known| in_group(known) && is_near_kind(&known.kind, kind));
    if near.is_none() && target.group.is_none() {
        // It may be of any group.
        return None;
    }
    let hint = near.map(|known| format!(" (did you mean '{}'?)", known.kind)).unwrap_or_default();
    warning("kind", format!("Kubernetes {KUBERNETES} has no kind '{kind}'{hint}"))
}

/// The same of a group that somebody else has defined, as far as its definitions are known: of a kind all versions are, but
/// not all kinds of a group.
fn of_others(known: &KnownKinds, place: &Place, target: &Target) -> Option<Finding> {
    let (group, kind) = (target.group.as_deref()?, target.kind.as_deref()?);
    let in_group: Vec<&Kind> =
        known.all().map(|(kind, _)| kind).filter(|known| known.group == group).collect();
    let find = |wanted: &dyn Fn(&Kind) -> bool| in_group.iter().copied().find(|known| wanted(known));
    if let Some(found) = find(&|known| known.kind.eq_ignore_ascii_case(kind)) {
        let (version, meant) = (target.version.as_deref()?, &found.version);
        let message =
            format!("the definition of {} has no version '{version}' (did you mean '{meant}'?)", found.kind);
        return Some(Finding::new(FindingKind::Schema, place, "spec.target.version", message));
    }
    let near = find(&|known| is_near_kind(&known.kind, kind))?;
    let message = format!("{group} has no kind '{kind}' that is known (did you mean '{}'?)", near.kind);
    Some(Finding::new(FindingKind::Schema, place, "spec.target.kind", message))
}

/// Whether `written` may be meant for `known`, or is its plural.
fn is_near_kind(known: &str, written: &str) -> bool {
    is_near(known, written) || written.strip_suffix("es").is_some_and(|one| one.eq_ignore_ascii_case(known))
}

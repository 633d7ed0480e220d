//! The fields of a plan by their paths.
//!
//! In: a field plan. Out: paths such as `spec.containers[*].image`. Must never know: expressions.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use crate::expression::explain::member;
use crate::row::{FieldId, FieldPlan};

/// A field that is read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FieldRead {
    /// Such as `status.phase`; empty for the object itself.
    pub path: String,
    /// How much of it.
    pub extent: Extent,
}

/// How much of a field is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Extent {
    /// All of it, whatever it holds.
    Whole,
    /// Its value, if it is no list or map.
    Scalar,
    /// Whether it is there, what kind of thing it is, and how many elements it has.
    Presence,
}

/// The path of every field.
pub(super) fn names(plan: &FieldPlan) -> BTreeMap<FieldId, String> {
    let mut names = BTreeMap::new();
    let mut open = vec![(FieldId::ROOT, String::new())];
    while let Some((id, path)) = open.pop() {
        let field = plan.field(id);
        for (name, below) in &field.members {
            open.push((*below, joined(&path, &member(name))));
        }
        if let Some(each) = field.each {
            open.push((each, format!("{path}[*]")));
        }
        names.insert(id, path);
    }
    names
}

/// What is read, sorted by path. Of a field that is read whole, what lies below is not mentioned; nor are fields that
/// only lead to others.
pub(super) fn read(plan: &FieldPlan) -> Vec<FieldRead> {
    let names = names(plan);
    let mut found = vec![];
    let mut open = vec![FieldId::ROOT];
    while let Some(id) = open.pop() {
        let field = plan.field(id);
        // Of a list whose elements are only counted, nothing but the list is told.
        let each = field.each.filter(|each| !is_bare(plan, *each));
        let is_leaf = field.members.is_empty() && each.is_none();
        let extent = match (field.keeps > 0, field.scalars > 0) {
            (true, _) => Some(Extent::Whole),
            (false, true) => Some(Extent::Scalar),
            (false, false) => (is_leaf && id != FieldId::ROOT).then_some(Extent::Presence),
        };
        if extent != Some(Extent::Whole) {
            open.extend(field.members.values().copied().chain(each));
        }
        found.extend(extent.map(|extent| FieldRead { path: names[&id].clone(), extent }));
    }
    found.sort();
    found
}

/// Whether nothing is read of a field but that it is there.
fn is_bare(plan: &FieldPlan, id: FieldId) -> bool {
    let field = plan.field(id);
    field.members.is_empty() && field.each.is_none() && field.keeps + field.scalars == 0
}

/// A part of an object that is not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// Such as `spec.volumes`.
    pub path: String,
    /// How long it is as JSON.
    pub bytes: usize,
}

/// What tells objects apart, and so is always read.
const IDENTITY: &[&str] = &[
    "apiVersion",
    "kind",
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "metadata.resourceVersion",
];

/// What none of `fields` reads of an object: the largest parts that are skipped as a whole, in the order of their paths. What
/// is skipped of the elements of lists is not told.
pub(super) fn skipped(fields: &[FieldRead], object: &Json) -> Vec<Skipped> {
    let known = || fields.iter().map(|field| field.path.as_str()).chain(IDENTITY.iter().copied());
    let mut found = vec![];
    // A part, its path, and the paths of fields that mean it or lead to what is below: a member of a map is one of `[*]`, too.
    let mut open = vec![(object, String::new(), vec![String::new()])];
    while let Some((value, path, meant)) = open.pop() {
        let is_whole = |field: &FieldRead| field.extent == Extent::Whole && meant.contains(&field.path);
        match value {
            _ if fields.iter().any(is_whole) => {}
            _ if meant.is_empty() => found.push(Skipped { path, bytes: value.to_string().len() }),
            Json::Object(members) => {
                for (name, value) in members {
                    let name = member(name);
                    let below = meant.iter().flat_map(|path| [joined(path, &name), format!("{path}[*]")]);
                    let below = below.filter(|path| known().any(|known| leads_to(path, known))).collect();
                    open.push((value, joined(&path, &name), below));
                }
            }
            _ => {}
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

/// The path of a member, as it is written behind a dot or in brackets.
fn joined(path: &str, member: &str) -> String {
    let dot = if path.is_empty() || member.starts_with('[') { "" } else { "." };
    format!("{path}{dot}{member}")
}

/// Whether `known` is the path, or one below it.
fn leads_to(path: &str, known: &str) -> bool {
    let rest = known.strip_prefix(path);
    rest.is_some_and(|rest| path.is_empty() || rest.is_empty() || rest.starts_with(['.', '[']))
}

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
            let name = member(name);
            let dot = if path.is_empty() || name.starts_with('[') { "" } else { "." };
            open.push((*below, format!("{path}{dot}{name}")));
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
    let mut found = vec![];
    let mut open = vec![(String::new(), object)];
    while let Some((path, value)) = open.pop() {
        let reads = |known: &str| {
            let rest = known.strip_prefix(path.as_str());
            rest.is_some_and(|rest| path.is_empty() || rest.is_empty() || rest.starts_with(['.', '[']))
        };
        let is_whole = fields.iter().any(|field| field.path == path && field.extent == Extent::Whole);
        let is_read = path.is_empty()
            || fields.iter().any(|field| reads(&field.path))
            || IDENTITY.iter().any(|known| reads(known));
        match value {
            _ if is_whole => {}
            _ if !is_read => found.push(Skipped { path, bytes: value.to_string().len() }),
            Json::Object(members) => {
                for (name, value) in members {
                    let name = member(name);
                    let dot = if path.is_empty() || name.starts_with('[') { "" } else { "." };
                    open.push((format!("{path}{dot}{name}"), value));
                }
            }
            _ => {}
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

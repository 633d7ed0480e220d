//! The attributes that a profile gives every series of a metric, besides those of its projections.
//!
//! In: a profile, the target as its author wrote it, a cluster's name. Out: attributes. Must never know: objects, series.

use celemetry_engine::definition::{Projection, ProjectionKind};

use crate::api;

use super::Profile;

/// Whether the series of a metric get the profile's own attributes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BaseAttributes<'a> {
    /// Only what the projections give.
    #[default]
    LeftOut,
    /// The profile's own too.
    Added {
        /// The name of the cluster that is watched; empty where there is none.
        cluster: &'a str,
    },
}

/// The attributes of every series of a Metric, sorted by name; those without a text are left out. metrics-operator v1.0.0
/// writes the target as its author did, so `pod` stays `pod`, and an omitted version stays omitted.
pub fn base_attributes(
    profile: Profile,
    target: Option<&api::Target>,
    cluster: &str,
) -> Vec<(String, String)> {
    if profile == Profile::Native {
        return vec![];
    }
    let part = |part: fn(&api::Target) -> &Option<String>| {
        target.and_then(|target| part(target).as_deref()).unwrap_or_default()
    };
    let sorted = [
        ("cluster", cluster),
        ("group", part(|target| &target.group)),
        ("resource", part(|target| &target.kind)),
        ("version", part(|target| &target.version)),
    ];
    let written = sorted.into_iter().filter(|(_, text)| !text.is_empty());
    written.map(|(name, text)| (name.to_owned(), text.to_owned())).collect()
}

/// Takes out of `base` what a projection gives itself, and lets it give the same where the object has nothing there. So
/// what leaves is the same as if it stood behind the projection, and two series of one metric never become one.
pub(super) fn give_way(base: &mut Vec<(String, String)>, projections: &mut [Projection]) {
    for projection in projections {
        let Some(at) = base.iter().position(|(name, _)| *name == projection.name) else { continue };
        let (_, text) = base.remove(at);
        // A default of the other kinds is JSON, which this is not.
        if matches!(projection.kind, ProjectionKind::Primitive | ProjectionKind::Timestamp) {
            projection.default.get_or_insert(text.into());
        }
    }
}

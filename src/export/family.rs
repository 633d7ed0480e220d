//! The metrics of a snapshot by the name they are exported under.
//!
//! In: a snapshot. Out: families, each of all tables that share a name. Must never know: a wire format.

use std::collections::BTreeMap;

use celemetry_engine::definition::MetricInfo;
use celemetry_engine::snapshot::{MetricShape, MetricTable, Snapshot};

use crate::export::conflict::Register;
use crate::export::names::FamilyName;
use crate::export::profile::{PointKind, Profile};

/// All metrics of one name. They agree on everything but their source and their series.
pub(super) struct Family<'s> {
    /// The name in Prometheus.
    pub(super) prometheus: FamilyName,
    /// What its metrics agree on.
    pub(super) heading: Heading<'s>,
    /// In the order of their sources.
    pub(super) tables: Vec<&'s MetricTable>,
}

/// What stands above the series of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Heading<'s> {
    /// The name as declared.
    pub(super) name: &'s str,
    pub(super) description: &'s str,
    pub(super) unit: &'s str,
    pub(super) kind: PointKind,
}

/// The families that have series, in the order of their Prometheus names.
///
/// Who registers metrics settles conflicts by age before they get here; of those that are left the metric with the
/// lowest id, the one registered first, keeps the name, so that no output is ever invalid.
pub(super) fn families(snapshot: &Snapshot, profile: Profile) -> Vec<Family<'_>> {
    let mut register = Register::new(profile);
    let mut families: BTreeMap<String, Family<'_>> = BTreeMap::new();
    for table in snapshot.metrics.values() {
        let Ok(prometheus) = register.claim(&table.info, table.shape) else { continue };
        if table.is_empty() {
            continue;
        }
        let key = prometheus.name.clone();
        families.entry(key).or_insert_with(|| Family::of(table, prometheus, profile)).tables.push(table);
    }
    for family in families.values_mut() {
        family.tables.sort_by(|a, b| a.info.source.cmp(&b.info.source));
    }
    families.into_values().collect()
}

impl<'s> Family<'s> {
    fn of(table: &'s MetricTable, prometheus: FamilyName, profile: Profile) -> Self {
        Family { prometheus, heading: Heading::of(&table.info, table.shape, profile), tables: Vec::new() }
    }
}

impl<'s> Heading<'s> {
    pub(super) fn of(info: &'s MetricInfo, shape: MetricShape, profile: Profile) -> Self {
        Heading {
            name: &info.name,
            description: profile.description(info),
            unit: profile.unit(info, shape),
            kind: profile.point_kind(shape),
        }
    }
}

//! The metrics of a snapshot by the name they are exported under.
//!
//! In: a snapshot. Out: families, each of all tables that share a name. Must never know: a wire format.

use std::collections::BTreeMap;

use celemetry_engine::snapshot::{MetricTable, Snapshot};

use crate::export::conflict::Register;
use crate::export::names::FamilyName;
use crate::export::profile::{PointKind, Profile};

/// The attributes that tell two metrics of one name apart: the namespace and the name of the declaring object.
pub(super) const TELLING_APART: [&str; 2] = ["celemetry.metric.name", "celemetry.metric.namespace"];

/// All metrics of one name. They agree on everything but their source and their series.
pub(super) struct Family<'s> {
    /// The name in Prometheus.
    pub(super) prometheus: FamilyName,
    /// The name as declared.
    pub(super) name: &'s str,
    pub(super) description: &'s str,
    pub(super) unit: &'s str,
    pub(super) kind: PointKind,
    /// In the order of their sources.
    pub(super) tables: Vec<&'s MetricTable>,
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
        Family {
            prometheus,
            name: &table.info.name,
            description: profile.description(&table.info),
            unit: profile.unit(&table.info, table.shape),
            kind: profile.point_kind(table.shape),
            tables: Vec::new(),
        }
    }
}

//! What a page must say of a snapshot, whatever its format.
//!
//! In: a snapshot. Out: families and their series, under Prometheus' names. Must never know: how pages are written.

use std::collections::{BTreeMap, BTreeSet};

use celemetry::export::conflict::{Claim, resolve};
use celemetry::export::names::{FamilyName, family_name, label_name};
use celemetry::export::profile::Profile;
use celemetry_engine::snapshot::{MetricTable, Number, Series, Snapshot};

/// Labels by name.
pub(crate) type Labels = BTreeMap<String, String>;

/// A family as a page should show it, computed without regard to speed.
#[derive(Debug)]
pub(crate) struct Expected {
    pub(crate) name: FamilyName,
    pub(crate) help: String,
    pub(crate) samples: Vec<(Labels, Number)>,
}

/// The families of a page, in their order.
pub(crate) fn expected(snapshot: &Snapshot) -> Vec<Expected> {
    let mut families: BTreeMap<String, Vec<&MetricTable>> = BTreeMap::new();
    let claims: Vec<_> = snapshot
        .metrics
        .iter()
        .map(|(id, table)| Claim { id: *id, info: &table.info, shape: table.shape, precedence: id.0 as i64 })
        .collect();
    let conflicts = resolve(Profile::Native, &claims);
    for (_, table) in snapshot.metrics.iter().filter(|(id, _)| !conflicts.contains_key(id)) {
        families.entry(translated(table).name).or_default().push(table);
    }
    let families = families.into_values().map(|mut tables| {
        tables.sort_by_key(|table| table.info.source.clone());
        let name = translated(tables[0]);
        let help = tables[0].info.description.replace('\0', "");
        let help = String::from(help.trim_start_matches([' ', '\t']));
        Expected { name, help, samples: expected_samples(&tables) }
    });
    families.filter(|family| !family.samples.is_empty()).collect()
}

fn translated(table: &MetricTable) -> FamilyName {
    let profile = Profile::Native;
    family_name(&table.info.name, profile.unit(&table.info, table.shape), profile.point_kind(table.shape))
        .expect("a metric without conflict has a name")
}

fn expected_samples(tables: &[&MetricTable]) -> Vec<(Labels, Number)> {
    let mut owners: BTreeMap<Labels, BTreeSet<&str>> = BTreeMap::new();
    for table in tables {
        for series in table.iter() {
            owners.entry(labels(all(table, series).into_iter())).or_default().insert(&table.info.source);
        }
    }
    let mut samples: Vec<(Labels, Number)> = Vec::new();
    for table in tables {
        for series in table.sorted() {
            let attributes = all(table, series);
            let mut found = labels(attributes.clone().into_iter());
            if owners[&found].len() > 1 {
                let info = &table.info;
                let more = [
                    ("celemetry.metric.name", &*info.object),
                    ("celemetry.metric.namespace", &*info.namespace),
                ];
                found = labels(attributes.into_iter().chain(more));
            }
            if samples.iter().all(|(known, _)| *known != found) {
                samples.push((found, series.number));
            }
        }
    }
    samples
}

/// A series' own attributes and those of its metric that it lacks.
fn all<'a>(table: &'a MetricTable, series: Series<'a>) -> Vec<(&'a str, &'a str)> {
    let base = table.info.base_attributes.iter().map(|(name, text)| (name.as_str(), text.as_str()));
    let lacking = base.filter(|(name, _)| series.attributes.get(name).is_none());
    lacking.chain(series.attributes.iter()).collect()
}

fn labels<'a>(attributes: impl Iterator<Item = (&'a str, &'a str)>) -> Labels {
    let mut sorted: Vec<_> = attributes.filter(|(_, text)| !text.is_empty()).collect();
    sorted.sort_by_key(|(name, _)| *name);
    let mut labels = Labels::new();
    for (name, text) in sorted {
        let joined = labels.entry(label_name(name));
        joined.and_modify(|value| *value += &format!(";{text}")).or_insert_with(|| String::from(text));
    }
    labels
}

//! All series of a snapshot in the order in which people read them.
//!
//! In: a snapshot. Out: its series by metric name, source, attributes. Must never know: a format.

use celemetry_engine::snapshot::{MetricTable, Series, Snapshot};

/// Every series with the table it stands in, sorted by metric name, then source, then attributes.
pub(super) fn listing(snapshot: &Snapshot) -> impl Iterator<Item = (&MetricTable, Series<'_>)> {
    let mut tables: Vec<&MetricTable> = snapshot.metrics.values().map(|table| &**table).collect();
    tables.sort_by(|a, b| (&a.info.name, &a.info.source).cmp(&(&b.info.name, &b.info.source)));
    tables.into_iter().flat_map(|table| table.sorted().into_iter().map(move |series| (table, series)))
}

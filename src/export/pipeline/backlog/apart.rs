//! Which series of metrics of one name must be told apart.
//!
//! In: the tables of a name. Out: the series whose identity changes with who else is there. Must never know: requests.
//!
//! A series is told apart while another metric of its name has a series with the same attributes; so the identity under
//! which it leaves can change although nothing about it does. The old one is withdrawn and the new one sent.

use std::collections::HashMap;
use std::sync::Arc;

use celemetry_engine::snapshot::MetricId;
use tokio::time::Instant;

use super::{Backlog, News};
use crate::export::attributes::merged;
use crate::export::pipeline::withdrawals::Withdrawal;

impl Backlog {
    /// Looks at all series of a name again. Costs nothing where one metric has the name alone.
    pub(super) fn tell_apart(&mut self, name: &str, now: Instant, news: &mut News) {
        for (id, slot, is_apart) in self.turned(name) {
            let Some(metric) = self.metrics.get_mut(&id) else { continue };
            let Some(table) = &metric.table else { continue };
            let Some(series) = table.get(slot) else { continue };
            if metric.known.remove(slot) || !self.is_active {
                let (info, own) = (Arc::clone(&table.info), Arc::clone(series.attributes));
                let old = Withdrawal { info, shape: table.shape, own, is_apart: !is_apart };
                self.withdrawals.add(old, now);
            }
            metric.apart.set(slot, is_apart);
            metric.pending.insert(slot);
            news.appeared.push((id, slot));
        }
    }

    /// The series of a name that are told apart and need not be any more, or the other way round.
    fn turned(&self, name: &str) -> Vec<(MetricId, u32, bool)> {
        let sharing = self.names.get(name).into_iter().flatten();
        let sharing: Vec<_> = sharing
            .filter_map(|id| {
                let metric = self.metrics.get(id)?;
                Some((*id, metric, metric.table.as_deref()?))
            })
            .collect();
        if sharing.len() < 2 && sharing.iter().all(|(_, metric, _)| metric.apart.is_empty()) {
            return vec![];
        }
        // One metric has no attributes twice, so a second owner is another metric.
        let mut owners: HashMap<Vec<(&str, &str)>, usize> = HashMap::new();
        let attributes = || {
            sharing.iter().flat_map(|(id, metric, table)| {
                table.iter().map(move |series| {
                    let attributes: Vec<_> = merged(&table.info, series.attributes).collect();
                    (*id, series.slot, metric.apart.contains(series.slot), attributes)
                })
            })
        };
        for (.., attributes) in attributes() {
            *owners.entry(attributes).or_default() += 1;
        }
        let turned = attributes().filter_map(|(id, slot, was_apart, attributes)| {
            let is_apart = owners[&attributes] > 1;
            (is_apart != was_apart).then_some((id, slot, is_apart))
        });
        turned.collect()
    }
}

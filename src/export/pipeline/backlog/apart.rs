//! Which series of metrics of one name must be told apart.
//!
//! In: series that come, move and go, metric by metric. Out: the series whose identity changes with who else is there.
//! Must never know: requests.
//!
//! A series is told apart while another metric of its name has a series with the same attributes; so the identity under
//! which it leaves can change although nothing about it does. The old one is withdrawn and the new one sent. Costs what has
//! changed, however many metrics share a name.

use std::collections::{BTreeSet, HashMap};
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use celemetry_engine::definition::MetricInfo;
use celemetry_engine::snapshot::{Attributes, Difference, MetricId, MetricTable};
use tokio::time::Instant;

use super::{Backlog, News};
use crate::export::attributes::merged;
use crate::export::pipeline::withdrawals::Withdrawal;

/// The metrics of one name that have a table, and whose series these are.
#[derive(Default)]
pub(super) struct Sharing {
    metrics: BTreeSet<MetricId>,
    /// By identity the series that have it, one of each metric at most: a metric has no attributes twice. `None` while one
    /// metric has the name alone, since nothing is told apart then.
    owners: Option<Owners>,
}

type Owners = HashMap<Identity, Vec<(MetricId, u32)>>;

/// A keyed 128-bit hash of a series' attributes and its metric's: what its identity is without what tells metrics apart.
pub(super) type Identity = [u64; 2];

/// Makes identities. Keyed, since tenants choose attributes.
#[derive(Default)]
pub(super) struct Identities([RandomState; 2]);

// === impl Identities, Sharing ===

impl Identities {
    fn of(&self, info: &MetricInfo, own: &Attributes) -> Identity {
        let pairs: Vec<_> = merged(info, own).collect();
        [self.0[0].hash_one(&pairs), self.0[1].hash_one(&pairs)]
    }
}

impl Sharing {
    fn leave(&mut self, identity: Identity, metric: MetricId) {
        let Some(owners) = &mut self.owners else { return };
        if let Some(series) = owners.get_mut(&identity) {
            series.retain(|(owner, _)| *owner != metric);
            if series.is_empty() {
                owners.remove(&identity);
            }
        }
    }

    fn enter(&mut self, identity: Identity, metric: MetricId, slot: u32) {
        let Some(owners) = &mut self.owners else { return };
        let series = owners.entry(identity).or_default();
        match series.iter_mut().find(|(owner, _)| *owner == metric) {
            Some((_, at)) => *at = slot,
            None => series.push((metric, slot)),
        }
    }

    fn owners(&self, identity: Identity) -> &[(MetricId, u32)] {
        self.owners.as_ref().and_then(|owners| owners.get(&identity)).map_or(&[], |series| series)
    }
}

// === impl Backlog ===

impl Backlog {
    /// Takes note of what has become of a metric's table, which was `before` and is `after` by now.
    pub(super) fn share(
        &mut self,
        id: MetricId,
        [before, after]: [Option<&MetricTable>; 2],
        difference: &Difference,
        news: &mut News,
    ) {
        if let Some(before) = before
            && let Some(sharing) =
                self.names.get_mut(&before.info.name).filter(|sharing| sharing.owners.is_some())
        {
            for gone in &difference.vanished {
                let identity = self.identities.of(&before.info, &gone.attributes);
                sharing.leave(identity, id);
                news.touched.insert((before.info.name.clone(), identity));
            }
        }
        self.rename(id, before.map(|table| &table.info.name), after.map(|table| &table.info.name), news);
        if let Some(after) = after
            && let Some(sharing) =
                self.names.get_mut(&after.info.name).filter(|sharing| sharing.owners.is_some())
        {
            for changed in &difference.changed {
                let Some(series) = after.get(changed.slot).filter(|_| changed.was != Some(changed.slot))
                else {
                    continue;
                };
                let identity = self.identities.of(&after.info, series.attributes);
                sharing.enter(identity, id, changed.slot);
                if changed.was.is_none() {
                    news.touched.insert((after.info.name.clone(), identity));
                }
            }
        }
    }

    fn rename(&mut self, id: MetricId, before: Option<&String>, after: Option<&String>, news: &mut News) {
        if before == after {
            return;
        }
        if let Some(name) = before
            && let Some(sharing) = self.names.get_mut(name)
        {
            sharing.metrics.remove(&id);
            news.left.insert(name.clone());
        }
        let Some(name) = after else { return };
        let sharing = self.names.entry(name.clone()).or_default();
        sharing.metrics.insert(id);
        if sharing.metrics.len() > 1 && sharing.owners.is_none() {
            // Whoever has had the name alone shares it from now on.
            sharing.owners = Some(Owners::default());
            for other in sharing.metrics.clone().into_iter().filter(|other| *other != id) {
                let Some(table) = self.metrics.get(&other).and_then(|metric| metric.table.as_ref()) else {
                    continue;
                };
                for series in table.iter() {
                    sharing.enter(self.identities.of(&table.info, series.attributes), other, series.slot);
                }
            }
        }
    }

    /// Looks at the series again that have identities which others have come to have, or have no more.
    pub(super) fn tell_apart(&mut self, now: Instant, news: &mut News) {
        let mut turned = vec![];
        for (name, identity) in std::mem::take(&mut news.touched) {
            let owners = self.names.get(&name).map_or(&[][..], |sharing| sharing.owners(identity));
            let is_apart = owners.len() > 1;
            turned.extend(owners.iter().map(|(id, slot)| (*id, *slot, is_apart)));
        }
        // Identities come in no order.
        turned.sort_unstable();
        for (id, slot, is_apart) in turned {
            self.turn(id, slot, is_apart, now, news);
        }
        for name in std::mem::take(&mut news.left) {
            if let Some(sharing) = self.names.get_mut(&name) {
                match sharing.metrics.len() {
                    0 => drop(self.names.remove(&name)),
                    1 => sharing.owners = None,
                    _ => {}
                }
            }
        }
    }

    fn turn(&mut self, id: MetricId, slot: u32, is_apart: bool, now: Instant, news: &mut News) {
        let Some(metric) = self.metrics.get_mut(&id) else { return };
        let Some(table) = metric.table.as_ref().filter(|_| metric.apart.contains(slot) != is_apart) else {
            return;
        };
        let Some(series) = table.get(slot) else { return };
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

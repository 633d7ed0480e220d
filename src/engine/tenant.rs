//! Tenants: what the expressions of each may still cost for the event at hand, and how many series each may still open.
//!
//! In: the names that definitions carry, series that come and go. Out: a meter a tenant and event, room for series, both
//! found without a search. Must never know: what is evaluated.

use std::collections::HashMap;
use std::sync::Arc;

use crate::engine::SeriesLimits;
use crate::hash::Keyed;
use crate::plan::Meter;
use crate::row::HashSeed;

/// One tenant; reused once none of its metrics is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TenantId(u32);

/// All tenants that have metrics.
#[derive(Debug)]
pub(crate) struct Tenants {
    by_name: HashMap<Arc<str>, TenantId, Keyed>,
    tenants: Vec<Tenant>,
    free: Vec<TenantId>,
    /// The number of the event at hand: meters of earlier events are full again.
    event: u64,
    /// What each tenant may spend on one event, in steps.
    allowance: u64,
    limits: SeriesLimits,
    /// Live series of all.
    series: Count,
}

/// Live series of definitions that are at work, and of those that wait for their lists: an edit takes no room from the
/// rest, nor from what it replaces. So memory may hold twice the limit for as long as lists take.
type Count = [usize; 2];

#[derive(Debug)]
struct Tenant {
    name: Arc<str>,
    /// How many instances it has.
    instances: u32,
    /// Their live series.
    series: Count,
    /// The event that the meters are of.
    event: u64,
    /// Of definitions that are at work, and of those that wait for their lists: an edit takes nothing from the rest.
    meters: [Meter; 2],
}

/// See [`Tenants::is_crowded`].
const CROWDED_PERCENT: usize = 80;

impl Tenants {
    pub(crate) fn new(allowance: u64, limits: SeriesLimits, seed: HashSeed) -> Self {
        Tenants {
            by_name: HashMap::with_hasher(Keyed(seed)),
            tenants: Vec::new(),
            free: Vec::new(),
            event: 0,
            allowance,
            limits,
            series: [0, 0],
        }
    }

    /// The tenant of one more instance.
    pub(crate) fn enter(&mut self, name: &Arc<str>) -> TenantId {
        if let Some(id) = self.by_name.get(name) {
            self.tenants[id.0 as usize].instances += 1;
            return *id;
        }
        let full = [Meter::new(self.allowance); 2];
        let tenant =
            Tenant { name: name.clone(), instances: 1, series: [0, 0], event: self.event, meters: full };
        let id = match self.free.pop() {
            Some(id) => {
                self.tenants[id.0 as usize] = tenant;
                id
            }
            None => {
                self.tenants.push(tenant);
                TenantId(
                    u32::try_from(self.tenants.len() - 1)
                        .expect("tenants are no more than metrics, far below 2^32"),
                )
            }
        };
        self.by_name.insert(name.clone(), id);
        id
    }

    /// One instance of a tenant is gone, with its live series.
    pub(crate) fn leave(&mut self, id: TenantId, at_work: bool, series: usize) {
        self.count(id, at_work, series, 0);
        let tenant = &mut self.tenants[id.0 as usize];
        tenant.instances -= 1;
        if tenant.instances == 0 {
            self.by_name.remove(&tenant.name);
            self.free.push(id);
        }
    }

    /// An instance of the tenant had so many live series before, and has so many now.
    pub(crate) fn count(&mut self, id: TenantId, at_work: bool, before: usize, now: usize) {
        for count in [&mut self.tenants[id.0 as usize].series, &mut self.series] {
            let count = &mut count[usize::from(!at_work)];
            *count = *count + now - before;
        }
    }

    /// An instance of the tenant has come to work, with its live series.
    pub(crate) fn begin_work(&mut self, id: TenantId, series: usize) {
        self.count(id, false, series, 0);
        self.count(id, true, 0, series);
    }

    /// How many series the tenant may still open.
    pub(crate) fn room(&self, id: TenantId, at_work: bool) -> usize {
        let class = usize::from(!at_work);
        let of_tenant = self.limits.tenant.saturating_sub(self.tenants[id.0 as usize].series[class]);
        of_tenant.min(self.limits.total.saturating_sub(self.series[class]))
    }

    /// Whether there is so little room that folded series are not worth being told apart yet.
    pub(crate) fn is_crowded(&self, id: TenantId) -> bool {
        let above = |[series, _]: Count, limit: usize| {
            series.saturating_mul(100) > limit.saturating_mul(CROWDED_PERCENT)
        };
        above(self.tenants[id.0 as usize].series, self.limits.tenant) || above(self.series, self.limits.total)
    }

    /// From now on another event is evaluated.
    pub(crate) fn next_event(&mut self) {
        self.event += 1;
    }

    /// What the tenant may still spend on the event at hand.
    pub(crate) fn meter(&mut self, id: TenantId, at_work: bool) -> &mut Meter {
        let tenant = &mut self.tenants[id.0 as usize];
        if tenant.event != self.event {
            tenant.event = self.event;
            tenant.meters = [Meter::new(self.allowance); 2];
        }
        &mut tenant.meters[usize::from(!at_work)]
    }

    pub(crate) fn len(&self) -> usize {
        self.by_name.len()
    }
}

//! Whether something is a new Event, one that happens again, or too much.
//!
//! In: what is worth an Event, at what times. Out: what to do about it. Must never know: clocks, API servers. Pure: time
//! is an argument.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::{Notice, Said};
use crate::controller::status::bucket::Bucket;
use crate::controller::status::slot::ObjectRef;

/// Knows the Events of the last minutes.
#[derive(Debug, Default)]
pub(super) struct Correlation {
    known: BTreeMap<(Arc<ObjectRef>, Said), Known>,
    rates: BTreeMap<Arc<ObjectRef>, Bucket>,
}

/// What to do about a notice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Decision {
    /// Create an Event.
    Create,
    /// Say of an Event that it has happened this many times by now.
    Repeat {
        /// The Event's name.
        name: String,
        /// How many times.
        count: i32,
    },
    /// Nothing: this object has had too many.
    Drop,
}

/// An Event that exists.
#[derive(Debug)]
struct Known {
    name: String,
    count: i32,
    last: Instant,
}

/// What happens again within this time of the last time is the same Event, as for client-go.
const SERIES_ENDS_AFTER: Duration = Duration::from_secs(360);

/// The Events of one object: 25 at once, then one every 5 minutes. client-go's numbers.
const EVENTS_OF_ONE: Bucket = Bucket::full(Duration::from_secs(300), 25);

/// Events, and objects, that are remembered. Beyond it all are forgotten: what happens again is then a new Event, and
/// every object starts over.
const MEMORY: usize = 10_000;

// === impl Correlation ===

impl Correlation {
    /// What to do about a notice. Counts it against its object's rate.
    pub(super) fn decide(&mut self, notice: &Notice, now: Instant) -> Decision {
        self.forget(now);
        let rate = self.rates.entry(Arc::clone(&notice.object)).or_insert(EVENTS_OF_ONE);
        if rate.next(now, 0) > now {
            return Decision::Drop;
        }
        rate.take(now);
        match self.known.get_mut(&key(notice)) {
            Some(known) if !is_over(known, now) => {
                known.count = known.count.saturating_add(1);
                known.last = now;
                Decision::Repeat { name: known.name.clone(), count: known.count }
            }
            _ => Decision::Create,
        }
    }

    /// The Event of a notice was created.
    pub(super) fn created(&mut self, notice: &Notice, name: String, now: Instant) {
        self.known.insert(key(notice), Known { name, count: 1, last: now });
    }

    /// The Event of a notice is no more: API servers keep them for an hour or so.
    pub(super) fn expired(&mut self, notice: &Notice) {
        self.known.remove(&key(notice));
    }

    fn forget(&mut self, now: Instant) {
        if self.known.len() >= MEMORY {
            self.known.retain(|_, known| !is_over(known, now));
        }
        if self.known.len() >= MEMORY {
            self.known.clear();
        }
        if self.rates.len() >= MEMORY {
            self.rates.retain(|_, rate| !rate.is_full(now));
        }
        if self.rates.len() >= MEMORY {
            self.rates.clear();
        }
    }
}

fn key(notice: &Notice) -> (Arc<ObjectRef>, Said) {
    (Arc::clone(&notice.object), notice.said.clone())
}

fn is_over(known: &Known, now: Instant) -> bool {
    known.last + SERIES_ENDS_AFTER <= now
}

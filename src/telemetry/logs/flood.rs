//! Messages that repeat without end.
//!
//! In: which place in the code logs, and when. Out: whether it may. Must never know: what it says. Pure: time is an
//! argument.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tracing::callsite::Identifier;

/// How often one message is let through in each [`PERIOD`].
pub(super) const MOST: u64 = 60;

/// After this the count begins anew.
pub(super) const PERIOD: Duration = Duration::from_secs(60);

/// Lines of this process that were left out.
static LEFT_OUT: AtomicU64 = AtomicU64::new(0);

/// How often each message was said of late. A message is a place in the code: there are as many as were compiled.
#[derive(Debug, Default)]
pub(super) struct Floods(HashMap<Identifier, Flood>);

#[derive(Debug)]
struct Flood {
    began: Instant,
    said: u64,
    left_out: u64,
}

/// How many lines were left out since the start, because their message repeated too often.
pub fn left_out() -> u64 {
    LEFT_OUT.load(Ordering::Relaxed)
}

// === impl Floods ===

impl Floods {
    /// Whether the message may be said at `now`: `None` if not, otherwise how often it was left out before.
    pub(super) fn pass(&mut self, message: Identifier, now: Instant) -> Option<u64> {
        let flood = self.0.entry(message).or_insert(Flood { began: now, said: 0, left_out: 0 });
        let mut before = 0;
        if now.duration_since(flood.began) >= PERIOD {
            before = std::mem::take(&mut flood.left_out);
            (flood.began, flood.said) = (now, 0);
        }
        if flood.said == MOST {
            flood.left_out += 1;
            LEFT_OUT.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        flood.said += 1;
        Some(before)
    }
}

//! A rate with a burst.
//!
//! In: takings at times. Out: whether, and when, there is something to take. Must never know: what is taken. Pure:
//! time is an argument.

use std::time::Duration;

use tokio::time::Instant;

/// Holds up to a burst of tokens, and gains one every interval.
///
/// Invariant: at `full_at`, and not before, the bucket is full; every token that is missing at a time is one interval
/// between that time and `full_at`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bucket {
    interval: Duration,
    burst: u32,
    full_at: Option<Instant>,
}

// === impl Bucket ===

impl Bucket {
    /// Full.
    pub(super) const fn full(interval: Duration, burst: u32) -> Self {
        Bucket { interval, burst, full_at: None }
    }

    /// The first time, not before `now`, at which one token can be taken and `reserve` more are left.
    pub(super) fn next(&self, now: Instant, reserve: u32) -> Instant {
        let missing_allowed = self.interval * self.burst.saturating_sub(reserve + 1);
        match self.full_at.and_then(|full_at| full_at.checked_sub(missing_allowed)) {
            Some(ready) => ready.max(now),
            None => now,
        }
    }

    /// Takes a token, which may be one more than there is: the next one then comes later.
    pub(super) fn take(&mut self, now: Instant) {
        self.full_at = Some(self.full_at.map_or(now, |full_at| full_at.max(now)) + self.interval);
    }

    /// Whether nothing is missing.
    pub(super) fn is_full(&self, now: Instant) -> bool {
        self.full_at.is_none_or(|full_at| full_at <= now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_burst_leaves_at_once_and_the_rest_at_the_rate() {
        let (start, mut bucket) = (Instant::now(), Bucket::full(SECOND, 3));
        let mut taken = vec![];
        let mut now = start;
        for _ in 0..6 {
            now = bucket.next(now, 0);
            bucket.take(now);
            taken.push((now - start).as_secs());
        }
        assert_eq!(taken, [0, 0, 0, 1, 2, 3]);
        assert!(!bucket.is_full(start + 5 * SECOND));
        assert!(bucket.is_full(start + 6 * SECOND));
    }

    #[test]
    fn a_reserve_is_left_for_others() {
        let (start, mut bucket) = (Instant::now(), Bucket::full(SECOND, 3));
        assert_eq!(bucket.next(start, 2), start);
        bucket.take(start);
        assert_eq!(bucket.next(start, 2), start + SECOND);
        assert_eq!(bucket.next(start, 0), start);
    }
}

//! How long to wait after a failure.
//!
//! In: failures, what the sink asked for, a random number. Out: a time to wait. Must never know: clocks, requests.

use std::time::Duration;

/// Exponential, with full jitter: any time up to a bound that doubles with every failure in a row, so that many senders
/// whose sink comes back do not come back together.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Backoff {
    failures: u32,
}

/// The bound after the first failure. Short, since what waits is the current state and not a queue.
const FIRST: Duration = Duration::from_secs(1);
/// The greatest bound, as OpenTelemetry's exporters have it: a sink that is back gets the truth within this time.
const GREATEST: Duration = Duration::from_secs(30);
/// Never shorter than this, whatever the jitter says.
const SHORTEST: Duration = Duration::from_millis(100);
/// A sink cannot ask for a longer wait: after 5 minutes Prometheus would take our series for gone.
pub(super) const LONGEST_ASKED: Duration = Duration::from_secs(300);

impl Backoff {
    /// A request failed. `asked` is how long the sink wants to be left alone.
    pub(super) fn failed(&mut self, asked: Option<Duration>, random: u64) -> Duration {
        let bound = FIRST.saturating_mul(1 << self.failures.min(10)).min(GREATEST);
        self.failures = self.failures.saturating_add(1);
        match asked.filter(|asked| !asked.is_zero()) {
            Some(asked) => asked.min(LONGEST_ASKED),
            None => {
                let nanos = u64::try_from(bound.as_nanos()).expect("the bound is 30 s");
                Duration::from_nanos(random % (nanos + 1)).max(SHORTEST)
            }
        }
    }

    /// A request was answered as it should be.
    pub(super) fn succeeded(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bound_doubles_up_to_30_seconds_and_the_wait_is_anything_below() {
        let bounds = [1, 2, 4, 8, 16, 30, 30, 30].map(Duration::from_secs);
        for random in [0, 1, u64::MAX / 2, u64::MAX] {
            let mut backoff = Backoff::default();
            for bound in bounds {
                let wait = backoff.failed(None, random);
                assert!((SHORTEST..=bound).contains(&wait), "{wait:?} of {bound:?}");
            }
        }
        let waits: Vec<_> = (0..1000u64)
            .map(|n| Backoff { failures: 3 }.failed(None, n.wrapping_mul(0x9e37_79b9_7f4a_7c15)))
            .collect();
        assert!(waits.iter().any(|wait| *wait < Duration::from_secs(1)));
        assert!(waits.iter().any(|wait| *wait > Duration::from_secs(7)));
        assert!(waits.iter().all(|wait| *wait <= Duration::from_secs(8)));
    }

    #[test]
    fn what_the_sink_asks_for_is_kept_to_up_to_5_minutes() {
        let mut backoff = Backoff::default();
        assert_eq!(backoff.failed(Some(Duration::from_secs(7)), 0), Duration::from_secs(7));
        assert_eq!(backoff.failed(Some(Duration::MAX), 0), LONGEST_ASKED);
        assert!(backoff.failed(Some(Duration::ZERO), u64::MAX) >= SHORTEST);
    }

    #[test]
    fn it_never_overflows_and_begins_anew_after_a_success() {
        let mut backoff = Backoff { failures: u32::MAX };
        assert!(backoff.failed(None, u64::MAX) <= GREATEST);
        backoff.succeeded();
        assert!(backoff.failed(None, u64::MAX) <= FIRST);
    }
}

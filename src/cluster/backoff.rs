//! How long to wait after a failure.
//!
//! In: failures and successes in order, a random number. Out: pauses. Must never know: clocks, what failed. Pure.

use std::time::Duration;

/// Grows with every failure in a row. The figures are those of client-go's reflector, so that an API server that comes
/// back meets our clients as it meets its own: 0.8 s, doubled up to 30 s, spread over the upper half.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Backoff {
    failures: u32,
}

const FIRST: Duration = Duration::from_millis(800);
const LONGEST: Duration = Duration::from_secs(30);

/// After so long without a failure the next one counts as the first.
pub(super) const HEALTHY: Duration = Duration::from_secs(120);

// === impl Backoff ===

impl Backoff {
    /// The pause after one more failure. `random` is in 0..1; what the server asked for is the least.
    pub(super) fn failed(&mut self, asked: Option<Duration>, random: f64) -> Duration {
        let whole = FIRST.saturating_mul(1 << self.failures.min(10)).min(LONGEST);
        self.failures = self.failures.saturating_add(1);
        let spread = whole.div_f64(2.0) + whole.mul_f64(random.clamp(0.0, 1.0) / 2.0);
        spread.max(asked.unwrap_or_default())
    }

    /// Things went well for `so_long`.
    pub(super) fn worked(&mut self, so_long: Duration) {
        if so_long >= HEALTHY {
            self.reset();
        }
    }

    /// Things went well, beyond doubt.
    pub(super) fn reset(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_bound_and_begin_anew_after_health() {
        let mut backoff = Backoff::default();
        let millis: Vec<_> = (0..8).map(|_| backoff.failed(None, 1.0).as_millis()).collect();
        assert_eq!(millis, [800, 1_600, 3_200, 6_400, 12_800, 25_600, 30_000, 30_000]);
        backoff.worked(Duration::from_secs(119));
        assert_eq!(backoff.failed(None, 1.0), LONGEST);
        backoff.worked(HEALTHY);
        assert_eq!(backoff.failed(None, 0.0), FIRST / 2);
    }

    #[test]
    fn a_server_that_asks_for_more_gets_more() {
        assert_eq!(Backoff::default().failed(Some(Duration::from_secs(7)), 1.0), Duration::from_secs(7));
        assert_eq!(Backoff::default().failed(Some(Duration::from_millis(1)), 1.0), FIRST);
    }
}

//! What is known of a sink, for its status.
//!
//! In: outcomes of requests. Out: a state since a time, and counts. Must never know: what is sent, how.

use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use crate::export::transport::Failure;

/// What is known of a sink.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// Whether it takes what it gets.
    pub state: State,
    /// Whether its latest answer was that it does not accept our credentials, so that its owner should read them again.
    pub credentials_refused: bool,
    /// Since when it takes requests but not every point of them. That has ended once it has rejected none for longer than
    /// a heartbeat, in which every series was sent.
    pub rejecting: Option<SystemTime>,
    /// When it rejected a point last, by a clock that nobody sets.
    pub rejected: Option<Instant>,
    /// What happened since the pipeline was opened.
    pub counts: Counts,
}

/// Whether a sink takes what it gets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum State {
    /// Nothing was sent to this target yet.
    #[default]
    Untried,
    /// The latest request was taken.
    Healthy {
        /// The first of those that were taken in a row.
        since: SystemTime,
    },
    /// The latest request was not taken.
    Failing {
        /// The first of those that were not taken in a row.
        since: SystemTime,
        /// Why the latest was not.
        failure: Failure,
    },
}

/// What happened, counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Points that were acknowledged, those that the sink then rejected among them.
    pub sent: u64,
    /// Points that the sink rejected out of requests that it took.
    pub rejected: u64,
    /// Points of requests that must not be sent again, and withdrawals that were given up. The latest values of the
    /// series are sent at the next change or heartbeat.
    pub dropped: u64,
    /// Requests that were sent again, or are going to be.
    pub retries: u64,
}

// === impl Health ===

impl Health {
    /// The latest request was taken, perhaps not with every point. Every series is sent once a heartbeat.
    pub(super) fn succeeded(&mut self, rejects: bool, heartbeat: Duration, now: SystemTime) {
        self.credentials_refused = false;
        if rejects {
            self.rejecting.get_or_insert(now);
            self.rejected = Some(Instant::now());
        } else if self.rejected.is_some_and(|rejected| rejected.elapsed() > heartbeat + heartbeat / 2) {
            (self.rejecting, self.rejected) = (None, None);
        }
        if !matches!(self.state, State::Healthy { .. }) {
            self.state = State::Healthy { since: now };
        }
    }

    /// The latest request was not taken. Says whether that, or the reason, is news.
    pub(super) fn failed(&mut self, failure: Failure, now: SystemTime) -> bool {
        let (since, is_news) = match self.state {
            State::Failing { since, failure: earlier } => (since, failure != earlier),
            State::Untried | State::Healthy { .. } => (now, true),
        };
        self.state = State::Failing { since, failure };
        self.credentials_refused = failure.is_of_credentials();
        is_news
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_state_is_since_the_first_of_its_requests_in_a_row() {
        let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        let mut health = Health::default();
        assert!(health.failed(Failure::Http(401), at(1)) && health.credentials_refused);
        assert!(!health.failed(Failure::Http(401), at(2)));
        assert!(health.failed(Failure::Refused, at(3)) && !health.credentials_refused);
        assert_eq!(health.state, State::Failing { since: at(1), failure: Failure::Refused });
        health.failed(Failure::Grpc(16), at(4));
        let heartbeat = Duration::from_secs(2);
        health.succeeded(false, heartbeat, at(5));
        health.succeeded(false, heartbeat, at(6));
        assert_eq!((health.state, health.credentials_refused), (State::Healthy { since: at(5) }, false));
        assert!(health.failed(Failure::Refused, at(7)));
        assert_eq!(health.state, State::Failing { since: at(7), failure: Failure::Refused });
        health.succeeded(true, heartbeat, at(8));
        health.succeeded(true, heartbeat, at(9));
        // The next request may hold other series.
        health.succeeded(false, heartbeat, at(10));
        assert_eq!(health.rejecting, Some(at(8)));
        tokio::time::advance(heartbeat * 2).await;
        // The clock on the wall was set back meanwhile.
        health.succeeded(false, heartbeat, at(1));
        assert_eq!(health.rejecting, None);
    }
}

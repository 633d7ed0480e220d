//! When the API server is asked what it serves.
//!
//! In: what happened, and when. Out: when to ask. Must never know: clocks, requests, what is served. Pure: time is an
//! argument.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::Instant;

/// The moments at which the server is to be asked.
#[derive(Debug)]
pub(super) struct Asking {
    /// After changes of definitions.
    soon: BTreeSet<Instant>,
    /// Whatever happens. One moment however many wait for it, since every answer brings the next.
    anyway: Option<Instant>,
}

/// How long after a change of a definition the server is asked what it serves: it needs a moment to serve what was
/// declared.
const AFTER_DEFINITION: [Duration; 3] =
    [Duration::from_millis(200), Duration::from_secs(1), Duration::from_secs(4)];

/// How often the server is asked anyway, while some target means nothing or has vanished.
const WHILE_UNRESOLVED: Duration = Duration::from_secs(15);

/// How often the server is asked anyway.
const ANYWAY: Duration = Duration::from_secs(600);

/// The pause after an answer that was none.
const AFTER_FAILURE: Duration = Duration::from_secs(2);

// === impl Asking ===

impl Asking {
    /// The first time is at once.
    pub(super) fn new(now: Instant) -> Self {
        Asking { soon: BTreeSet::new(), anyway: Some(now) }
    }

    /// When to ask next; `None` while an answer is awaited that will say so.
    pub(super) fn next(&self) -> Option<Instant> {
        self.soon.first().copied().into_iter().chain(self.anyway).min()
    }

    /// A definition has changed.
    pub(super) fn redefined(&mut self, now: Instant) {
        self.soon.extend(AFTER_DEFINITION.map(|pause| now + pause));
    }

    /// A target means nothing.
    pub(super) fn unresolved(&mut self, now: Instant) {
        let soon = now + WHILE_UNRESOLVED;
        self.anyway = self.anyway.map(|at| at.min(soon));
    }

    /// The server is being asked. What was due until now is done with this.
    pub(super) fn asked(&mut self, now: Instant) {
        self.soon.retain(|at| *at > now);
        self.anyway = None;
    }

    /// It has answered. `is_something_missing`: some target means nothing, or has vanished.
    pub(super) fn answered(&mut self, is_something_missing: bool, now: Instant) {
        self.anyway = Some(now + if is_something_missing { WHILE_UNRESOLVED } else { ANYWAY });
    }

    /// It has not. `asked_for` is how long it wants to be left alone.
    pub(super) fn failed(&mut self, asked_for: Option<Duration>, now: Instant) {
        self.anyway = Some(now + AFTER_FAILURE.max(asked_for.unwrap_or_default()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How often the server is asked within `time`, where it answers at once.
    fn questions(asking: &mut Asking, is_something_missing: bool, mut now: Instant, time: Duration) -> usize {
        let end = now + time;
        let mut questions = 0;
        while let Some(at) = asking.next().filter(|at| *at <= end) {
            now = now.max(at);
            asking.asked(now);
            asking.answered(is_something_missing, now);
            questions += 1;
        }
        questions
    }

    const HOUR: Duration = Duration::from_secs(3600);

    #[test]
    fn it_is_asked_at_once_then_after_each_change_and_every_ten_minutes() {
        let start = Instant::now();
        let mut asking = Asking::new(start);
        assert_eq!(questions(&mut asking, false, start, HOUR), 7);
        let mut asking = Asking::new(start);
        asking.redefined(start);
        assert_eq!(questions(&mut asking, false, start, Duration::from_secs(10)), 4);
    }

    #[test]
    fn many_changes_and_many_targets_without_a_meaning_do_not_make_it_more_often_for_good() {
        let start = Instant::now();
        let mut asking = Asking::new(start);
        for second in 0..100 {
            let now = start + Duration::from_secs(second);
            asking.redefined(now);
            asking.unresolved(now);
        }
        let later = start + Duration::from_secs(200);
        questions(&mut asking, true, start, Duration::from_secs(200));
        assert_eq!(questions(&mut asking, true, later, HOUR), 240, "every 15 s, for all of them");
        let later = later + HOUR;
        questions(&mut asking, false, later, Duration::from_secs(15));
        assert_eq!(questions(&mut asking, false, later + Duration::from_secs(15), HOUR), 6);
    }

    #[test]
    fn a_failure_is_repeated_soon_but_not_sooner_than_the_server_wants() {
        let start = Instant::now();
        let mut asking = Asking::new(start);
        asking.asked(start);
        assert_eq!(asking.next(), None);
        asking.failed(None, start);
        assert_eq!(asking.next(), Some(start + AFTER_FAILURE));
        asking.asked(start + AFTER_FAILURE);
        asking.failed(Some(Duration::from_secs(30)), start);
        assert_eq!(asking.next(), Some(start + Duration::from_secs(30)));
    }
}

//! The simulated cluster as a stream: lists in pages, then events at a pace.
//!
//! In: a cluster, a pace. Out: the bytes of the watch protocol, to be read like a file. Must never know: who reads them.
//!
//! The reader is on a thread of its own and may sleep. Whoever ends the stream, it ends behind a whole step, so the
//! cluster is then what a reader knows who has read everything.

use std::io::Read;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::apiserver::Store;
use crate::simulator::event::{Event, Next, list};
use crate::simulator::state::{Kind, Selection};
use crate::simulator::{Cluster, Id};

/// How many events there are, and how fast.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// Events a second.
    pub(super) rate: u64,
    /// After how many of them it ends; `None` is never.
    pub(super) events: Option<u64>,
    /// After how long it ends though there were fewer: where the machine is too slow.
    pub(super) patience: Option<Duration>,
}

/// The end at which the stream is watched and ended.
#[derive(Clone, Debug)]
pub(super) struct Stage {
    shared: Arc<Shared>,
}

/// How far the stream has got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Progress {
    /// Events so far.
    pub(super) events: u64,
    /// Objects that are there.
    pub(super) objects: usize,
    /// How long there have been events.
    pub(super) elapsed: Duration,
}

/// The end that is read.
#[derive(Debug)]
pub(super) struct Feed {
    shared: Arc<Shared>,
    pace: Pace,
    /// What is listed next.
    listing: Option<Listing>,
    text: String,
    taken: usize,
}

/// How far the lists have got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Listing {
    /// Which of [`Kind::ALL`].
    number: usize,
    /// From which object on.
    first: Id,
    /// How many objects of the kind have been listed.
    listed: usize,
}

#[derive(Debug)]
struct Shared {
    store: Arc<Store>,
    state: Mutex<State>,
    /// Someone wants the end.
    ending: Condvar,
}

#[derive(Debug)]
struct State {
    events: u64,
    /// When the events began.
    began: Option<Instant>,
    is_over: bool,
}

/// Objects a page of a list, as client-go asks for them.
const PAGE: usize = 500;

/// Bytes that are made at once where events are late.
const BATCH_BYTES: usize = 64 * 1024;

/// A stream of the cluster in `store`, which it drives, and the end at which it is watched.
pub(super) fn feed(store: Arc<Store>, pace: Pace) -> (Feed, Stage) {
    let state = Mutex::new(State { events: 0, began: None, is_over: false });
    let shared = Arc::new(Shared { store, state, ending: Condvar::new() });
    let feed = Feed {
        shared: Arc::clone(&shared),
        pace,
        listing: Some(Listing { number: 0, first: Id(0), listed: 0 }),
        text: String::new(),
        taken: 0,
    };
    (feed, Stage { shared })
}

// === impl Stage ===

impl Stage {
    /// Ends the stream behind the step that is under way.
    pub(super) fn end(&self) {
        self.shared.lock().is_over = true;
        self.shared.ending.notify_all();
    }

    /// How far it has got.
    pub(super) fn progress(&self) -> Progress {
        let state = self.shared.lock();
        let elapsed = state.began.map_or(Duration::ZERO, |began| began.elapsed());
        Progress { events: state.events, objects: self.look(Cluster::len), elapsed }
    }

    /// Looks at the cluster, which stands still meanwhile.
    pub(super) fn look<T>(&self, look: impl FnOnce(&Cluster) -> T) -> T {
        self.shared.store.look(look)
    }
}

// === impl Feed ===

impl Feed {
    /// Makes the next text; none at the end.
    fn refill(&mut self) {
        self.text.clear();
        self.taken = 0;
        match self.listing {
            Some(listing) => self.listing = self.list(listing),
            None => self.events(),
        }
    }

    /// A page, and behind the last one of a kind the bookmark that ends its list. Gives what is listed next.
    fn list(&mut self, listing: Listing) -> Option<Listing> {
        let Listing { number, first, listed } = listing;
        let kind = Kind::ALL[number];
        // Nothing happens while lists are read, so they are of one moment.
        let (version, count, page) = self.shared.store.look(|cluster| {
            (cluster.version(), cluster.count(kind), cluster.page(&Selection::all(kind), first, PAGE))
        });
        let listed = listed + page.bodies.len();
        let more = page
            .next
            .map(|first| Next { token: first.0.to_string(), remaining: Some(count.saturating_sub(listed)) });
        list(kind, version, &page.bodies, more.as_ref(), &mut self.text);
        if let Some(first) = page.next {
            return Some(Listing { number, first, listed });
        }
        Event::bookmark(kind, version, true).write(&mut self.text);
        let number = number + 1;
        (number < Kind::ALL.len()).then_some(Listing { number, first: Id(0), listed: 0 })
    }

    /// Waits for the next event and makes all that are due.
    fn events(&mut self) {
        let mut state = self.shared.lock();
        let began = *state.began.get_or_insert_with(Instant::now);
        while !self.is_over(&state, began) {
            let wait = self.pace.due(state.events).saturating_sub(began.elapsed());
            if !wait.is_zero() && !self.text.is_empty() || self.text.len() > BATCH_BYTES {
                return;
            }
            if !wait.is_zero() {
                // Whether it was woken or time is up shows in the next round.
                let waited = self.shared.ending.wait_timeout(state, wait);
                state = waited.unwrap_or_else(PoisonError::into_inner).0;
                continue;
            }
            for event in self.shared.store.step() {
                event.write(&mut self.text);
                state.events += 1;
            }
        }
    }

    fn is_over(&self, state: &State, began: Instant) -> bool {
        let is_late = self.pace.patience.is_some_and(|patience| began.elapsed() >= patience);
        state.is_over || is_late || self.pace.events.is_some_and(|events| state.events >= events)
    }
}

impl Read for Feed {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.taken == self.text.len() {
            self.refill();
        }
        let rest = &self.text.as_bytes()[self.taken..];
        let length = rest.len().min(buffer.len());
        buffer[..length].copy_from_slice(&rest[..length]);
        self.taken += length;
        Ok(length)
    }
}

// === impl Pace, Shared ===

impl Pace {
    /// How long after the first event the event with this number is due.
    fn due(&self, number: u64) -> Duration {
        Duration::from_secs(number / self.rate)
            + Duration::from_nanos(number % self.rate * 1_000_000_000 / self.rate)
    }
}

impl Shared {
    /// A thread that panicked while it held the state has left it whole.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulator::Settings;

    fn cluster() -> Arc<Store> {
        Arc::new(Store::new(Cluster::new(Settings { objects: 100, seed: 1 }), 0))
    }

    #[test]
    fn lists_come_first_each_with_its_end_and_then_as_many_events_as_asked_for() {
        let pace = Pace { rate: 1_000_000, events: Some(500), patience: None };
        let (mut feed, stage) = feed(cluster(), pace);
        let mut text = String::new();
        feed.read_to_string(&mut text).unwrap();
        let lists = Kind::ALL.len();
        let ends = text.lines().take(2 * lists).filter(|line| line.contains("initial-events-end")).count();
        assert_eq!(ends, lists);
        let told = text.lines().count() - 2 * lists;
        assert!((500..600).contains(&told), "{told}");
        assert_eq!(stage.progress().events, told as u64);
        let versions =
            |line: &str| line.split_once(r#""resourceVersion":""#).map(|(_, rest)| rest.to_owned());
        let last = text.lines().last().and_then(versions).unwrap();
        assert!(last.starts_with(&format!("{}\"", stage.look(Cluster::version))));
    }

    #[test]
    fn a_stream_that_is_ended_ends_though_its_next_event_is_far_away() {
        let pace = Pace { rate: 1, events: None, patience: None };
        let (mut feed, stage) = feed(cluster(), pace);
        stage.end();
        let mut text = String::new();
        feed.read_to_string(&mut text).unwrap();
        assert_eq!(stage.progress().events, 0);
        assert_eq!(text.lines().count(), 2 * Kind::ALL.len());
    }

    #[test]
    fn events_are_due_at_their_rate() {
        let pace = Pace { rate: 400, events: None, patience: None };
        let millis: Vec<u128> = [0, 1, 399, 400, 1_000].map(|number| pace.due(number).as_millis()).into();
        assert_eq!(millis, [0, 2, 997, 1_000, 2_500]);
    }
}

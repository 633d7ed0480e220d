//! The cluster that is served, and what has happened lately.
//!
//! In: a cluster, steps of it. Out: its state; the events since any of the latest. Must never know: requests.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::simulator::Cluster;
use crate::simulator::event::Event;

/// A cluster that several look at.
#[derive(Debug)]
pub struct Store {
    shared: Mutex<Shared>,
    /// How many events there have been.
    news: watch::Sender<u64>,
}

#[derive(Debug)]
struct Shared {
    cluster: Cluster,
    /// The latest events.
    log: VecDeque<Arc<Event>>,
    /// How many events came before those in the log.
    forgotten: u64,
    /// The resourceVersion up to which nothing is in the log.
    forgotten_version: u64,
    capacity: usize,
}

/// What is asked for is not in the log any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Expired {
    /// From which resourceVersion on it is.
    pub(super) oldest: u64,
}

// === impl Store ===

impl Store {
    /// A store of `cluster`, which remembers so many events.
    pub fn new(cluster: Cluster, capacity: usize) -> Self {
        let forgotten_version = cluster.version();
        let shared = Shared { cluster, log: VecDeque::new(), forgotten: 0, forgotten_version, capacity };
        Store { shared: Mutex::new(shared), news: watch::Sender::new(0) }
    }

    /// Lets time go on until something happens, and gives what does.
    pub fn step(&self) -> Vec<Arc<Event>> {
        self.steps(1)
    }

    /// Lets time go on by so many steps at once, so that nobody sees what is between them, and gives what happens.
    pub fn steps(&self, steps: usize) -> Vec<Arc<Event>> {
        let mut shared = self.lock();
        let mut events: Vec<Arc<Event>> = vec![];
        for _ in 0..steps {
            events.extend(shared.cluster.step().into_iter().map(Arc::new));
        }
        shared.remember(&events);
        let count = shared.forgotten + shared.log.len() as u64;
        drop(shared);
        self.news.send_replace(count);
        events
    }

    /// Looks at the cluster, which stands still meanwhile.
    pub fn look<T>(&self, look: impl FnOnce(&Cluster) -> T) -> T {
        look(&self.lock().cluster)
    }

    /// The cluster, and after how many events it is so.
    pub(super) fn look_now<T>(&self, look: impl FnOnce(&Cluster, u64) -> T) -> T {
        let shared = self.lock();
        look(&shared.cluster, shared.forgotten + shared.log.len() as u64)
    }

    /// The number of the first event behind `version`.
    pub(super) fn position(&self, version: u64) -> Result<u64, Expired> {
        let shared = self.lock();
        if version < shared.forgotten_version {
            return Err(Expired { oldest: shared.forgotten_version });
        }
        let known = shared.log.partition_point(|event| event.version <= version);
        Ok(shared.forgotten + known as u64)
    }

    /// Hands out events from number `first` on until `take` breaks; gives the number behind the last one.
    pub(super) fn events_from(
        &self,
        first: u64,
        mut take: impl FnMut(&Event) -> bool,
    ) -> Result<u64, Expired> {
        let shared = self.lock();
        let Some(skip) = first.checked_sub(shared.forgotten) else {
            return Err(Expired { oldest: shared.forgotten_version });
        };
        let mut next = first;
        for event in shared.log.iter().skip(usize::try_from(skip).unwrap_or(usize::MAX)) {
            next += 1;
            if !take(event) {
                break;
            }
        }
        Ok(next)
    }

    /// How many events there have been, as it changes.
    pub(super) fn news(&self) -> watch::Receiver<u64> {
        self.news.subscribe()
    }

    /// A thread that panicked while it held the state has left it whole.
    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Shared ===

impl Shared {
    fn remember(&mut self, events: &[Arc<Event>]) {
        self.log.extend(events.iter().cloned());
        while self.log.len() > self.capacity {
            self.forgotten += 1;
            self.forgotten_version =
                self.log.pop_front().map_or(self.forgotten_version, |event| event.version);
        }
    }
}

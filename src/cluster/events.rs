//! Kinds that the program itself depends on, followed by kube's watcher.
//!
//! In: an API, how its server is treated. Out: watcher events, faults; everything anew where the server's history went
//! back, as after a restored backup: a watch would wait in silence for what will not come. Must never know: what the
//! objects mean.

use std::fmt::Debug;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use kube::api::ListParams;
use kube::runtime::utils::Backoff;
use kube::runtime::watcher::Event;
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, ResourceExt};
use serde::de::DeserializeOwned;
use tokio::time::{Instant, sleep_until, timeout};

use super::backoff::HEALTHY;
use super::fault::{Fault, FaultClass};
use super::informer::Pace;

/// The events of one kind, without end.
///
/// Invariant: an `Init` is followed by an `InitDone` before anything may be taken for gone, as kube's watcher promises.
pub struct Events<K> {
    start: Box<dyn Fn() -> Started<K> + Send>,
    newest_position: Box<dyn Fn() -> Asked + Send + Sync>,
    events: Started<K>,
    /// The latest position that any object has shown.
    newest: u64,
    check_every: Duration,
    check_at: Instant,
    /// The class of the last fault, so that one that goes on is told once.
    told: Option<FaultClass>,
}

type Started<K> = BoxStream<'static, Result<Event<K>, watcher::Error>>;
type Asked = futures_util::future::BoxFuture<'static, Option<u64>>;

/// A kind that is not there, or may not be seen.
#[derive(Clone, Debug)]
pub struct Missed {
    /// Why.
    pub fault: Fault,
    /// Whether it is of another class than the one before: one that goes on need not be told again.
    pub is_news: bool,
}

/// How long to wait after a failure.
#[derive(Clone, Debug)]
struct Pauses {
    longest: Duration,
    failures: u32,
    latest: Option<Instant>,
}

const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// How soon after a list it is looked how far the server's history has come.
const AFTER_LIST: Duration = Duration::from_secs(1);

/// How long a check of the server's history may take.
const CHECK_PATIENCE: Duration = Duration::from_secs(10);

/// The longest that kube's watcher asks a watch to last, in seconds.
const LONGEST_WATCH: u32 = 290;

/// A watcher takes a connection for dead that is silent for longer than a watch lasts.
fn config(pace: &Pace) -> watcher::Config {
    let age = u32::try_from(pace.watch_idle.as_secs()).unwrap_or(u32::MAX).clamp(1, LONGEST_WATCH);
    watcher::Config::default().timeout(age)
}

/// The position of the newest state, if it can be told.
fn ask<K>(api: Api<K>) -> Asked
where
    K: Clone + DeserializeOwned + Debug + Send + 'static,
{
    Box::pin(async move {
        let one = ListParams::default().limit(1);
        let list = timeout(CHECK_PATIENCE, api.list_metadata(&one)).await.ok()?.ok()?;
        list.metadata.resource_version?.parse().ok()
    })
}

// === impl Events ===

impl<K> Events<K>
where
    K: kube::Resource + Clone + DeserializeOwned + Debug + Send + 'static,
{
    /// The events of what `api` shows; an API of `PartialObjectMeta` asks for metadata alone. After a failure it is tried
    /// again within `longest_pause`.
    pub fn new(api: Api<K>, pace: &Pace, longest_pause: Duration) -> Self {
        let (pauses, config) = (Pauses { longest: longest_pause, failures: 0, latest: None }, config(pace));
        let asked = api.clone();
        let start = move || watcher(api.clone(), config.clone()).backoff(pauses.clone()).boxed();
        let newest_position = move || ask(asked.clone());
        let check_every = pace.rewind_check;
        Events {
            events: start(),
            start: Box::new(start),
            newest_position: Box::new(newest_position),
            newest: 0,
            check_every,
            check_at: Instant::now() + check_every,
            told: None,
        }
    }

    /// The next event. May be dropped before it is ready without losing any.
    ///
    /// # Errors
    /// Where nothing is seen for now; it is being tried again.
    pub async fn next(&mut self) -> Result<Event<K>, Missed> {
        loop {
            let event = tokio::select! {
                event = self.events.next() => event,
                () = sleep_until(self.check_at) => {
                    let newest = (self.newest_position)().await;
                    self.check_at = Instant::now() + self.check_every;
                    if newest.is_none_or(|newest| newest >= self.newest) {
                        // The watch may have come as far without showing an object: by bookmarks, which are not told.
                        self.newest = self.newest.max(newest.unwrap_or_default());
                        continue;
                    }
                    tracing::warn!(seen = self.newest, newest, "the API server's history went back: listing anew");
                    None
                }
            };
            match event {
                Some(Ok(event)) => {
                    self.note(&event);
                    return Ok(event);
                }
                Some(Err(error)) => {
                    let fault = Fault::of_watcher(&error);
                    let is_news = self.told.replace(fault.class) != Some(fault.class);
                    return Err(Missed { fault, is_news });
                }
                // It went back, or the stream has ended, which kube's never does.
                None => (self.events, self.newest) = ((self.start)(), 0),
            }
        }
    }

    fn note(&mut self, event: &Event<K>) {
        if let Event::InitDone | Event::Apply(_) | Event::Delete(_) = event {
            self.told = None;
        }
        if let Event::Init = event {
            // What the list shows is where everything begins anew.
            self.newest = 0;
        }
        if let Event::InitDone = event {
            // The position of the list is not told either.
            self.check_at = self.check_at.min(Instant::now() + AFTER_LIST);
        }
        if let Event::InitApply(object) | Event::Apply(object) | Event::Delete(object) = event {
            let position = object.resource_version().and_then(|position| position.parse().ok());
            self.newest = self.newest.max(position.unwrap_or_default());
        }
    }
}

// === impl Pauses ===

impl Iterator for Pauses {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        let pause = FIRST_PAUSE.saturating_mul(1 << self.failures.min(8)).min(self.longest);
        self.failures += 1;
        self.latest = Some(Instant::now());
        Some(pause)
    }
}

impl Backoff for Pauses {
    /// kube's watcher has an event for every list that it begins, so an event proves nothing; time without a failure
    /// does.
    fn reset(&mut self) {
        if self.latest.is_none_or(|latest| latest.elapsed() >= HEALTHY) {
            self.failures = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn pauses_grow_to_a_bound_until_all_was_well_for_long() {
        let mut pauses = Pauses { longest: Duration::from_secs(5), failures: 0, latest: None };
        let next = |pauses: &mut Pauses| {
            pauses.reset();
            pauses.next().unwrap().as_millis()
        };
        let millis: Vec<_> = (0..6).map(|_| next(&mut pauses)).collect();
        assert_eq!(millis, [500, 1_000, 2_000, 4_000, 5_000, 5_000]);
        tokio::time::advance(HEALTHY).await;
        assert_eq!(next(&mut pauses), 500);
    }
}

//! One source: list and watch as one ordered stream of changes.
//!
//! In: a collection, the source's field plans, namespaces to look at again. Out: changes on the bounded channel, and
//! how the source is doing. Must never know: metrics, who takes changes, which other sources there are.
//!
//! A list is `Begin`, upserts, `End`. It is the only way in: for the first objects, after a history that is too old, for
//! what was missed, and for a new field plan; in the last case the watch goes on beside it. The engine sorts out which
//! of a listed and a watched object is newer; order within each is kept here.
//!
//! ```text
//!           ┌──────────── expired, rewound, overflow ────────────┐
//!           ▼                                                    │
//!        listing ──► watching ──(new plan: list beside the watch)─┤
//!           ▲  │         │ ▲                                     │
//!  failed ◄─┘  └► polling  └─┴─ reconnect at the same position ──┘
//! ```

mod backlog;
mod lister;
mod outlet;
mod polling;
mod watching;
mod rewind;
mod sample;
mod audit;
mod following;

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use celemetry_engine::change::{Change, Origin};
use kube::Client;
use tokio::sync::watch;
use tokio::time::Instant;

use super::backoff::{Backoff, HEALTHY};
use super::fault::{Fault, FaultClass};
use super::feed::{Feed, Phase, Reviews, SourceState};
use super::handler::ResourceEventHandler;
use super::resource::Collection;
use audit::Audit;
pub(super) use audit::Turns;
use following::{Beside, Over};
use lister::{Lister, Listing, Page};
use outlet::Outlet;
use rewind::Rewind;

/// Keeps one source up to date until it is dropped.
pub(super) struct Informer {
    pub(super) client: Client,
    pub(super) collection: Collection,
    pub(super) pace: Pace,
    pub(super) mode: Mode,
    pub(super) reviews: Reviews,
    pub(super) turns: Arc<Turns>,
    pub(super) state: watch::Sender<SourceState>,
}

/// How objects are observed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Mode {
    /// Every change as it happens.
    Watch,
    /// By a list each period.
    Poll(Duration),
}

/// How informers treat API servers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Objects a page of a list. Default 500, client-go's: about 3 MB of Pods.
    pub page_size: u32,
    /// How long a watch lasts before it is opened anew: rights are only checked then. Default about 5 minutes, spread so
    /// that watches do not end together.
    pub watch_age: Range<Duration>,
    /// A watch that is silent for so long is dead. Default 90 s: servers send a bookmark each minute.
    pub watch_idle: Duration,
    /// How often it is checked that the server's history has not gone back, as after a restore of etcd. Default 3 minutes;
    /// a LIST of one object each time.
    pub rewind_check: Duration,
}

/// The state of a running informer.
struct Running {
    client: Client,
    collection: Collection,
    pace: Pace,
    reviews: Reviews,
    state: watch::Sender<SourceState>,
    feed: Feed,
    handler: ResourceEventHandler,
    outlet: Outlet,
    backoff: Backoff,
    /// Of lists that each end in another one.
    relists: Backoff,
    /// When the latest list ended.
    listed: Option<Instant>,
    /// Objects a page; `None` after the server had forgotten a list before its last page.
    page_size: Option<u32>,
    /// The latest position that any answer has shown.
    position: String,
    /// A list for a new plan, which outlives the connection of the watch.
    beside: Beside,
    beside_backoff: Backoff,
    /// Outlives connections as well: one that breaks often would never be checked.
    rewind: Rewind,
    /// So does this.
    audit: Audit,
}

/// Nobody takes changes any more.
#[derive(Clone, Copy, Debug)]
struct Closed;

// === impl Pace ===

impl Default for Pace {
    fn default() -> Self {
        Pace {
            page_size: 500,
            watch_age: Duration::from_secs(240)..Duration::from_secs(360),
            watch_idle: Duration::from_secs(90),
            rewind_check: Duration::from_secs(180),
        }
    }
}

// === impl Informer ===

impl Informer {
    /// Runs until nobody takes changes any more. A source is opened before anything is registered that reads its objects:
    /// until then there is nothing to list for.
    pub(super) async fn run(self, mut feed: Feed) {
        let opened = feed.opened;
        if feed.plans.wait_for(|plan| plan.epoch() > opened).await.is_err() {
            return;
        }
        let Informer { client, collection, pace, mode, reviews, turns, state } = self;
        let plan = feed.plans.borrow().clone();
        let handler = ResourceEventHandler::new(&collection.resource, plan);
        let outlet = Outlet::new(feed.source, feed.changes.clone());
        let page_size = Some(pace.page_size);
        let position = String::new();
        let rewind = Rewind::new(pace.rewind_check);
        let audit = Audit::new(feed.source, Arc::clone(&feed.auditor), turns, pace.watch_idle);
        let mut running = Running {
            client,
            collection,
            pace,
            reviews,
            state,
            feed,
            handler,
            outlet,
            backoff: Backoff::default(),
            relists: Backoff::default(),
            listed: None,
            page_size,
            position,
            beside: Beside::default(),
            beside_backoff: Backoff::default(),
            rewind,
            audit,
        };
        // It ends only where nobody takes changes any more.
        let _ = match mode {
            Mode::Watch if running.collection.resource.watchable => running.watch().await,
            Mode::Watch => running.poll(polling::SUBSTITUTE).await,
            Mode::Poll(period) => running.poll(period).await,
        };
    }
}

// === impl Running ===

impl Running {
    /// Lists, then watches; lists again where the watch cannot go on.
    async fn watch(&mut self) -> Result<(), Closed> {
        loop {
            self.sync().await?;
            match self.follow().await? {
                Over::Relist => self.pause_between_relists().await?,
                Over::CannotWatch(fault) => self.poll_instead(fault).await?,
            }
        }
    }

    /// A list that soon ends in another one waits longer each time: a server that declares every position too old, or
    /// objects that change faster than they are taken, would be listed without pause.
    async fn pause_between_relists(&mut self) -> Result<(), Closed> {
        if self.listed.is_none_or(|listed| listed.elapsed() >= HEALTHY) {
            self.relists.reset();
            return Ok(());
        }
        let pause = self.relists.failed(None, fastrand::f64());
        self.outlet.wait(pause).await
    }

    /// Lists until that has worked.
    async fn sync(&mut self) -> Result<(), Closed> {
        loop {
            match self.try_sync().await? {
                Ok(()) => {
                    self.backoff.reset();
                    return Ok(());
                }
                Err(fault) => self.failed(fault).await?,
            }
        }
    }

    /// Lists once, while nothing is watched. While nobody takes changes the list is not read.
    async fn try_sync(&mut self) -> Result<Result<(), Fault>, Closed> {
        self.stop_beside();
        self.outlet.drain().await?;
        self.begin().await?;
        let mut lister = self.lister(None);
        loop {
            let page = match lister.next().await {
                Some(Ok(page)) => page,
                Some(Err(fault)) => return Ok(Err(self.list_failed(fault))),
                None => return Ok(Err(Fault::new(FaultClass::Unreachable, "the list broke off"))),
            };
            self.page(&page, Origin::List).await?;
            if page.last {
                self.send(Change::End).await?;
                self.position = page.position;
                self.rewind = Rewind::new(self.pace.rewind_check);
                self.list_ended();
                return Ok(Ok(()));
            }
        }
    }

    /// Takes the newest field plan and begins a list with it.
    async fn begin(&mut self) -> Result<(), Closed> {
        let epoch = self.take_plan();
        self.send(Change::Begin { epoch }).await
    }

    /// Passes a change on; waits for room.
    async fn send(&mut self, change: Change) -> Result<(), Closed> {
        self.audit.notice(&change);
        self.outlet.send(change).await
    }

    /// Passes a change on, or lets it wait. Never blocks.
    fn offer(&mut self, change: Change) -> Result<(), Closed> {
        self.audit.notice(&change);
        self.outlet.offer(change)
    }

    /// What a list beside the watch has begun is void once another one begins.
    fn stop_beside(&mut self) {
        self.beside = Beside::default();
        self.beside_backoff.reset();
    }

    fn take_plan(&mut self) -> u32 {
        let plan = self.feed.plans.borrow_and_update().clone();
        let epoch = plan.epoch();
        self.handler.set_plan(plan);
        self.handler.list_begins();
        epoch
    }

    fn lister(&self, namespace: Option<String>) -> Lister {
        let listing = Listing { namespace, page_size: self.page_size };
        Lister::start(self.client.clone(), self.collection.clone(), listing)
    }

    async fn page(&mut self, page: &Page, origin: Origin) -> Result<(), Closed> {
        for item in page.items() {
            let change = self.handler.item(item, origin);
            self.send(change).await?;
        }
        Ok(())
    }

    /// A server whose history is shorter than a paged list takes is asked for everything at once, as client-go does.
    fn list_failed(&mut self, fault: Fault) -> Fault {
        match fault.class {
            FaultClass::Expired => self.page_size = None,
            // All at once may be more than is read.
            FaultClass::Malformed => self.page_size = Some(self.pace.page_size),
            _ => {}
        }
        fault
    }

    fn list_ended(&mut self) {
        self.page_size = Some(self.pace.page_size);
        self.listed = Some(Instant::now());
        self.handler.list_ends();
        self.update(|state| {
            state.synced = true;
            state.list_fault = None;
        });
    }

    /// Looks at the objects of namespaces again. Nothing is watched meanwhile, so that what is listed is at least as new
    /// as everything before it; older events that follow are followed by newer ones.
    async fn review(
        &mut self,
        namespaces: impl IntoIterator<Item = String>,
    ) -> Result<Result<(), Fault>, Closed> {
        if !self.collection.resource.namespaced {
            return Ok(Ok(()));
        }
        self.outlet.drain().await?;
        for namespace in namespaces {
            let mut lister = self.lister(Some(namespace));
            loop {
                match lister.next().await {
                    None => break,
                    Some(Ok(page)) => self.page(&page, Origin::Review).await?,
                    Some(Err(fault)) => return Ok(Err(self.list_failed(fault))),
                }
            }
        }
        Ok(Ok(()))
    }

    /// Says that the objects cannot be seen, and waits before the next try.
    async fn failed(&mut self, fault: Fault) -> Result<(), Closed> {
        let pause = self.backoff.failed(fault.retry_after, fastrand::f64());
        tracing::debug!(source = %self.collection.resource, %fault, ?pause, "the API server refuses");
        self.update(|state| state.fail(fault));
        self.outlet.wait(pause).await
    }

    fn set_phase(&self, phase: Phase) {
        self.update(|state| state.phase = phase);
    }

    /// Tells others, if that changes anything.
    fn update(&self, change: impl FnOnce(&mut SourceState)) {
        let undecodable = self.handler.undecodable();
        self.state.send_if_modified(|state| {
            let before = state.clone();
            change(state);
            state.undecodable = undecodable;
            *state != before
        });
    }
}

#[cfg(test)]
mod tests;

//! Follows a watch, reconnects it, and lists beside it.
//!
//! In: a position to begin at. Out: changes, until the history must be listed anew. Must never know: first lists.

use std::time::Duration;

use celemetry_engine::change::{Change, Origin};
use tokio::time::{Instant, sleep_until};

use super::lister::{Lister, Page};
use super::rewind::newest_position;
use super::watching::Watching;
use super::{Closed, Running};
use crate::cluster::fault::{Fault, FaultClass};
use crate::cluster::feed::Phase;
use crate::cluster::handler::Told;

/// Why a watch is not followed any further.
#[derive(Debug)]
pub(super) enum Over {
    /// The objects must be listed anew.
    Relist,
    /// The objects may be listed but not watched.
    CannotWatch(Fault),
}

/// How one connection ended.
pub(super) enum Ended {
    /// As it should: go on at the same position.
    Reconnect,
    /// It broke after it had worked: go on at the same position, which misses nothing if it can be opened again.
    Broke(Fault),
    /// It does not work.
    Failed(Fault),
    /// The objects must be listed anew.
    Relist,
}

/// A list that runs beside the watch.
#[derive(Debug, Default)]
pub(super) enum Beside {
    /// None is wanted.
    #[default]
    Idle,
    /// One is under way.
    Listing(Lister),
    /// One failed, and is begun again then.
    Failed(Instant),
}

/// What happened to a list beside the watch.
enum Step {
    Page(Option<Result<Page, Fault>>),
    Due,
}

/// While so many changes wait, a list beside the watch is not read.
const LIST_AHEAD: usize = 1024;

/// A watch that ended as it should is opened again after so long at most, so that servers are not met all at once.
const RECONNECT_SPREAD: Duration = Duration::from_millis(200);

impl Running {
    /// Follows the watch from the position of the last list until that is no longer possible.
    pub(super) async fn follow(&mut self) -> Result<Over, Closed> {
        loop {
            let ended = match self.open().await {
                Ok(watching) => {
                    self.audit.watch_opened();
                    let ended = self.consume(watching).await?;
                    self.audit.watch_closed();
                    ended
                }
                Err(fault) => match fault.class {
                    FaultClass::Expired => {
                        tracing::info!(source = %self.collection.resource, %fault, "listing anew");
                        return Ok(Over::Relist);
                    }
                    FaultClass::Forbidden if self.may_list().await => return Ok(Over::CannotWatch(fault)),
                    _ => Ended::Failed(fault),
                },
            };
            match ended {
                Ended::Relist => return Ok(Over::Relist),
                Ended::Failed(fault) => self.failed(fault).await?,
                Ended::Broke(fault) => {
                    tracing::debug!(source = %self.collection.resource, %fault, "the watch broke");
                    let pause = self.backoff.failed(fault.retry_after, fastrand::f64());
                    self.outlet.wait(pause).await?;
                }
                Ended::Reconnect => self.outlet.wait(RECONNECT_SPREAD.mul_f64(fastrand::f64())).await?,
            }
        }
    }

    async fn open(&self) -> Result<Watching, Fault> {
        let ages = &self.pace.watch_age;
        let age = ages.start + ages.end.saturating_sub(ages.start).mul_f64(fastrand::f64());
        Watching::open(&self.client, &self.collection, &self.position, age, self.pace.watch_idle).await
    }

    /// Whether a watch could be opened now.
    pub(super) async fn probe_watch(&self) -> Result<(), Fault> {
        self.open().await.map(drop)
    }

    async fn may_list(&self) -> bool {
        newest_position(&self.client, &self.collection).await.is_ok()
    }

    /// Follows one connection.
    async fn consume(&mut self, mut watching: Watching) -> Result<Ended, Closed> {
        let reviews = self.reviews.clone();
        loop {
            if self.feed.plans.has_changed().map_err(|_| Closed)? && self.beside.is_idle() {
                self.begin_beside()?;
            }
            let (idle, room) = (self.beside.is_idle(), self.outlet.waiting() < LIST_AHEAD);
            let (is_proven, proven_at) = (self.state.borrow().phase == Phase::Watching, watching.proven_at);
            tokio::select! {
                biased;
                sent = self.outlet.send_one() => sent?,
                step = self.beside.next(), if room => self.beside(step)?,
                more = watching.more() => {
                    if let Some(ended) = self.arrived(more, &mut watching)? {
                        return Ok(ended);
                    }
                }
                changed = self.feed.plans.changed(), if idle => {
                    changed.map_err(|_| Closed)?;
                    self.begin_beside()?;
                }
                namespaces = reviews.take(), if idle => {
                    if let Err(fault) = self.review(namespaces.clone()).await? {
                        reviews.ask(namespaces);
                        return Ok(Ended::Failed(fault));
                    }
                }
                () = sleep_until(proven_at), if !is_proven => self.set_phase(Phase::Watching),
                step = self.audit.next(&self.client, &self.collection, &self.position), if idle => {
                    if let Some(ended) = self.audited(step) {
                        return Ok(ended);
                    }
                }
                went_back = self.rewind.next(&self.client, &self.collection, &self.position) => {
                    if let Some(newest) = went_back {
                        let (source, seen) = (&self.collection.resource, &self.position);
                        tracing::warn!(%source, newest, seen, "the API server's history went back: listing anew");
                        return Ok(Ended::Relist);
                    }
                }
            }
        }
    }

    /// Takes what the watch has brought. Gives how the connection ended, if it did.
    fn arrived(
        &mut self,
        more: Option<Result<(), Fault>>,
        watching: &mut Watching,
    ) -> Result<Option<Ended>, Closed> {
        match more {
            // Followed at once by the next, such watches would be a flood of requests.
            None if !watching.is_proven() => {
                let fault = Fault::new(FaultClass::Unreachable, "the watch ends as soon as it has begun");
                Ok(Some(Ended::Failed(fault)))
            }
            None => Ok(Some(Ended::Reconnect)),
            Some(Err(fault)) => {
                self.backoff.worked(watching.since.elapsed());
                // A working watch has a bookmark each minute.
                Ok(Some(if watching.is_proven() { Ended::Broke(fault) } else { Ended::Failed(fault) }))
            }
            Some(Ok(())) => self.events(watching),
        }
    }

    /// Takes every event that is complete. Gives how the connection ended, if it did.
    fn events(&mut self, watching: &mut Watching) -> Result<Option<Ended>, Closed> {
        loop {
            let told = match watching.event() {
                None => break,
                Some(Ok(event)) => self.handler.event(event),
                // The same event would come again at the same position; a list shows its object otherwise.
                Some(Err(fault)) => {
                    tracing::warn!(source = %self.collection.resource, %fault, "the watch cannot be read");
                    return Ok(Some(Ended::Relist));
                }
            };
            match told {
                Told::Change(change, position) => {
                    self.offer(change)?;
                    if let Some(position) = position.filter(|position| !position.is_empty()) {
                        self.position = position;
                    }
                }
                Told::Position(position) => self.position = position,
                Told::Nothing => {}
                Told::Failed(fault) => return Ok(Some(self.watch_failed(fault, watching.since))),
            }
        }
        if self.outlet.gave_up() {
            tracing::warn!(source = %self.collection.resource, "changes come faster than they are taken: listing anew");
            return Ok(Some(Ended::Relist));
        }
        // A server that sends what is asked for is well, however soon the connection breaks.
        self.backoff.reset();
        self.set_phase(Phase::Watching);
        Ok(None)
    }

    fn watch_failed(&mut self, fault: Fault, since: Instant) -> Ended {
        self.backoff.worked(since.elapsed());
        match fault.class {
            FaultClass::Expired | FaultClass::Malformed => {
                tracing::info!(source = %self.collection.resource, %fault, "listing anew");
                Ended::Relist
            }
            _ => Ended::Failed(fault),
        }
    }

    /// Begins a list beside the watch: from here on both are decoded with the new plan.
    fn begin_beside(&mut self) -> Result<(), Closed> {
        let epoch = self.take_plan();
        self.offer(Change::Begin { epoch })?;
        self.beside = Beside::Listing(self.lister(None));
        Ok(())
    }

    /// Goes on with the list beside the watch. One that fails is begun again later: what it began is void then.
    fn beside(&mut self, step: Step) -> Result<(), Closed> {
        let fault = match step {
            Step::Due => return self.begin_beside(),
            Step::Page(Some(Ok(page))) => {
                for item in page.items() {
                    let change = self.handler.item(item, Origin::List);
                    self.offer(change)?;
                }
                if page.last {
                    // The position stays that of the watch, which goes on.
                    self.stop_beside();
                    self.offer(Change::End)?;
                    self.list_ended();
                }
                return Ok(());
            }
            Step::Page(Some(Err(fault))) => self.list_failed(fault),
            Step::Page(None) => Fault::new(FaultClass::Unreachable, "the list broke off"),
        };
        let pause = self.beside_backoff.failed(fault.retry_after, fastrand::f64());
        tracing::warn!(source = %self.collection.resource, %fault, ?pause, "a list beside the watch failed");
        self.beside = Beside::Failed(Instant::now() + pause);
        self.update(|state| state.list_fault = Some(fault));
        Ok(())
    }
}

// === impl Beside ===

impl Beside {
    pub(super) fn is_idle(&self) -> bool {
        matches!(self, Beside::Idle)
    }

    /// What happens next, if anything is under way. May be dropped before it is ready without losing anything.
    async fn next(&mut self) -> Step {
        match self {
            Beside::Idle => std::future::pending().await,
            Beside::Listing(lister) => Step::Page(lister.next().await),
            Beside::Failed(until) => {
                sleep_until(*until).await;
                Step::Due
            }
        }
    }
}

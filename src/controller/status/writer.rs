//! StatusWriter: the only task that writes statuses, and Events.
//!
//! In: the latest status of every object, Events, who leads. Out: requests to the API server, a few at a time. Must
//! never know: what a status says; when to write is decided next door, in `pacing`.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt};
use kube::Client;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};

use super::event::Publisher;
use super::pacing::{Outcome, Pacing, Write};
use super::request::{Complaints, Refusal, apply_status, send};
use super::slot::{Mailbox, ObjectRef, Post, StatusHandle};
use crate::controller::lease::Leadership;
use crate::telemetry::Telemetry;

/// Writes statuses and Events while it leads.
pub struct StatusWriter {
    statuses: Statuses,
    publisher: Publisher,
}

/// Writes statuses.
struct Statuses {
    client: Client,
    leadership: Leadership,
    leader: watch::Receiver<bool>,
    /// Whether whoever decides about the lead is still there; what it said last holds for ever after.
    leader_may_change: bool,
    telemetry: Arc<Telemetry>,
    mailbox: Arc<Mailbox>,
    bell: mpsc::Receiver<()>,
    pacing: Pacing,
    /// At most [`MOST_WRITES`].
    writes: FuturesUnordered<BoxFuture<'static, Ended>>,
    complaints: Complaints,
}

/// How a write ended.
struct Ended {
    object: Arc<ObjectRef>,
    result: Result<(), Refusal>,
}

/// Writes under way at a time: enough for the rate of `pacing` with answers that take most of a second, and few enough
/// that a hanging API server holds little.
const MOST_WRITES: usize = 8;

/// When to look again whether the lead holds; whoever has lost it is told by then.
const LOOK_AGAIN: Duration = Duration::from_millis(250);

// === impl StatusWriter ===

impl StatusWriter {
    /// A writer, and the handle that controllers get.
    pub fn new(client: Client, leadership: Leadership, telemetry: Arc<Telemetry>) -> (Self, StatusHandle) {
        let leader = leadership.watch();
        let (handle, Post { mailbox, bell, notices }) =
            StatusHandle::new(leader.clone(), Arc::clone(&telemetry));
        let publisher = Publisher::new(client.clone(), leadership.clone(), Arc::clone(&telemetry), notices);
        let pacing = Pacing::new(*leader.borrow());
        let statuses = Statuses {
            client,
            leadership,
            leader,
            leader_may_change: true,
            telemetry,
            mailbox,
            bell,
            pacing,
            writes: FuturesUnordered::new(),
            complaints: Complaints::default(),
        };
        (StatusWriter { statuses, publisher }, handle)
    }

    /// Events say that this instance reports them: the Pod's name. Default: `celemetry`.
    #[must_use]
    pub fn reporting_as(mut self, instance: impl Into<String>) -> Self {
        self.publisher.report_as(instance.into());
        self
    }

    /// Runs until every handle and slot is gone. Writes that are under way then are given up.
    pub async fn run(self) {
        tokio::join!(self.statuses.run(), self.publisher.run());
    }
}

// === impl Statuses ===

impl Statuses {
    async fn run(mut self) {
        loop {
            self.collect();
            self.start();
            let has_room = self.writes.len() < MOST_WRITES;
            let now = Instant::now();
            let at_once = if self.leadership.holds() { now } else { now + LOOK_AGAIN };
            let wake = self.pacing.wake(now).filter(|_| has_room).map(|wake| wake.max(at_once));
            let tick = async move {
                match wake {
                    Some(wake) => sleep_until(wake).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                ring = self.bell.recv() => if ring.is_none() { return },
                changed = self.leader.changed(), if self.leader_may_change => {
                    self.leader_may_change = changed.is_ok();
                    self.follow_the_lead();
                }
                Some(ended) = self.writes.next() => self.finish(&ended),
                () = tick => {}
            }
        }
    }

    /// Takes what the slots have put down.
    fn collect(&mut self) {
        let now = Instant::now();
        for (object, update) in self.mailbox.take() {
            if let Some(stored) = update.declared {
                self.pacing.declare(&object, stored, now);
            }
            if let Some(desired) = update.desired {
                self.pacing.set(&object, desired, now);
            }
            if update.removed {
                self.pacing.remove(&object);
            }
        }
    }

    fn follow_the_lead(&mut self) {
        let leader = *self.leader.borrow_and_update();
        if !leader {
            // Whoever leads now writes; what is on its way must not come after.
            self.writes.clear();
        }
        self.pacing.set_leader(leader, Instant::now());
    }

    /// Starts every write that is due. Whether this process leads is asked of the clock as well.
    fn start(&mut self) {
        while self.writes.len() < MOST_WRITES
            && self.leadership.holds()
            && let Some(Write { object, content }) = self.pacing.next(Instant::now())
        {
            let (client, request) = (self.client.clone(), apply_status(&object, &content));
            self.writes.push(Box::pin(async move { Ended { object, result: send(&client, request).await } }));
        }
        self.telemetry.set_statuses_waiting(self.pacing.waiting());
    }

    fn finish(&mut self, ended: &Ended) {
        let now = Instant::now();
        let outcome = match ended.result {
            Ok(()) => {
                self.telemetry.count_status_written();
                Outcome::Written
            }
            // Gone; so will its slot be.
            Err(Refusal::NotFound) => Outcome::Missing,
            Err(refusal) => {
                self.telemetry.count_status_failed();
                if let Some(count) = self.complaints.about(refusal, now) {
                    let ObjectRef { kind, namespace, name, .. } = &*ended.object;
                    tracing::warn!(kind, namespace, name, count, "a status was not written: {refusal}");
                }
                Outcome::Failed
            }
        };
        self.pacing.finished(&ended.object, outcome, now);
    }
}

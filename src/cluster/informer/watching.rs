//! A watch under way: its bytes, cut into events, and how long it may be silent.
//!
//! In: a collection and a position. Out: the bytes of events. Must never know: what events mean.

use std::time::Duration;

use celemetry_engine::row::Documents;
use kube::Client;
use kube::client::Body;
use tokio::time::{Instant, timeout, timeout_at};

use crate::cluster::answer::{next_bytes, send};
use crate::cluster::fault::{Fault, FaultClass};
use crate::cluster::resource::Collection;

/// A watch under way.
#[derive(Debug)]
pub(super) struct Watching {
    body: Body,
    documents: Documents,
    idle: Duration,
    /// When the connection counts as dead unless bytes come.
    deadline: Instant,
    /// When the watch began.
    pub(super) since: Instant,
    /// A watch that lasts until then works, even if it has brought nothing yet.
    pub(super) proven_at: Instant,
    /// Whether it has brought anything.
    has_told: bool,
    /// Whether it counts as dead because nothing came.
    is_silent: bool,
}

/// How long a server may take to open a watch, which is to say nothing yet. A connection that has died in silence since
/// it was last used is given up with the request.
const OPENING: Duration = Duration::from_secs(15);

/// A watch that lasts so long works, and so does one that lasts for half of what it was to.
const PROOF: Duration = Duration::from_secs(1);

// === impl Watching ===

impl Watching {
    /// Opens a watch from `position` on, that the server ends after `age`. A connection that is silent for `idle` counts
    /// as dead: servers send a bookmark each minute.
    pub(super) async fn open(
        client: &Client,
        collection: &Collection,
        position: &str,
        age: Duration,
        idle: Duration,
    ) -> Result<Self, Fault> {
        // Servers count whole ones.
        let age = Duration::from_secs(age.as_secs().max(1));
        let opening = timeout(idle.min(OPENING), send(client, collection.watch(position, age)?));
        let body = opening.await.map_err(|_| Fault::new(FaultClass::Unreachable, "no watch is opened"))??;
        let since = Instant::now();
        Ok(Watching {
            body,
            documents: Documents::new(Documents::LIMIT),
            idle,
            deadline: since + idle,
            since,
            proven_at: since + PROOF.min(age / 2),
            has_told: false,
            is_silent: false,
        })
    }

    /// Waits for bytes; `None` at the end of the watch. May be dropped before it is ready without losing any.
    pub(super) async fn more(&mut self) -> Option<Result<(), Fault>> {
        match timeout_at(self.deadline, next_bytes(&mut self.body)).await {
            Ok(None) => None,
            Ok(Some(Ok(bytes))) => {
                self.deadline = Instant::now() + self.idle;
                self.documents.push(&bytes);
                self.has_told = true;
                Some(Ok(()))
            }
            Ok(Some(Err(fault))) => Some(Err(fault)),
            Err(_) => {
                self.is_silent = true;
                Some(Err(Fault::new(FaultClass::Unreachable, "the watch has fallen silent")))
            }
        }
    }

    /// Whether it works, as far as can be known by now.
    pub(super) fn is_proven(&self) -> bool {
        self.has_told || (Instant::now() >= self.proven_at && !self.is_silent)
    }

    /// The next event that is complete.
    pub(super) fn event(&mut self) -> Option<Result<&[u8], Fault>> {
        let event = self.documents.next()?;
        Some(event.map_err(|error| Fault::new(FaultClass::Malformed, format!("the watch sends {error}"))))
    }
}

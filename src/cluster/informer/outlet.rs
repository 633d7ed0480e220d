//! The way of changes to whoever takes them.
//!
//! In: changes. Out: the bounded channel. Must never know: where changes come from.

use std::time::Duration;

use celemetry_engine::change::{Change, SourceId};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use super::Closed;
use super::backlog::Backlog;

/// The channel, and what waits for room in it.
#[derive(Debug)]
pub(super) struct Outlet {
    source: SourceId,
    changes: mpsc::Sender<(SourceId, Change)>,
    backlog: Backlog,
}

// === impl Outlet ===

impl Outlet {
    pub(super) fn new(source: SourceId, changes: mpsc::Sender<(SourceId, Change)>) -> Self {
        Outlet { source, changes, backlog: Backlog::default() }
    }

    /// Sends a change, after all that waits; waits for room.
    pub(super) async fn send(&mut self, change: Change) -> Result<(), Closed> {
        self.drain().await?;
        self.changes.send((self.source, change)).await.map_err(|_| Closed)
    }

    /// Sends a change if there is room; otherwise it waits. Never blocks.
    pub(super) fn offer(&mut self, change: Change) -> Result<(), Closed> {
        self.backlog.push(change);
        while !self.backlog.is_empty() {
            match self.changes.try_reserve() {
                Ok(permit) => {
                    if let Some(change) = self.backlog.pop() {
                        permit.send((self.source, change));
                    }
                }
                Err(mpsc::error::TrySendError::Full(())) => return Ok(()),
                Err(mpsc::error::TrySendError::Closed(())) => return Err(Closed),
            }
        }
        Ok(())
    }

    /// How many changes wait for room.
    pub(super) fn waiting(&self) -> usize {
        self.backlog.len()
    }

    /// Forgets what waits if it is more than may: then a list is needed.
    pub(super) fn gave_up(&mut self) -> bool {
        let gives_up = self.backlog.overflows();
        if gives_up {
            self.backlog.clear();
        }
        gives_up
    }

    /// Sends one change that waits, when there is room. Pending while nothing waits. May be dropped before it is ready.
    pub(super) async fn send_one(&mut self) -> Result<(), Closed> {
        if self.backlog.is_empty() {
            return std::future::pending().await;
        }
        let permit = self.changes.reserve().await.map_err(|_| Closed)?;
        if let Some(change) = self.backlog.pop() {
            permit.send((self.source, change));
        }
        Ok(())
    }

    /// Sends all that waits.
    pub(super) async fn drain(&mut self) -> Result<(), Closed> {
        while let Some(change) = self.backlog.pop() {
            self.changes.send((self.source, change)).await.map_err(|_| Closed)?;
        }
        Ok(())
    }

    /// Lets time pass, while what waits is sent.
    pub(super) async fn wait(&mut self, pause: Duration) -> Result<(), Closed> {
        let until = Instant::now() + pause;
        let changes = self.changes.clone();
        loop {
            tokio::select! {
                () = sleep_until(until) => return Ok(()),
                sent = self.send_one() => sent?,
                () = changes.closed() => return Err(Closed),
            }
        }
    }
}

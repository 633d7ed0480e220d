//! Objects of the simulated cluster that are shown again, and compared with what the engine holds of them.
//!
//! In: the cluster, the running program. Out: how many were compared, and which of them differ. Must never know: how
//! anything is compared.

use std::pin::pin;
use std::time::Duration;

use celemetry_engine::audit::Verdict;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use super::feed::Stage;
use crate::run::stream::{Auditor, Compared};
use crate::simulator::Id;
use crate::simulator::event::object;
use crate::simulator::state::Kind;

/// Looks at objects, one after the other.
pub(super) struct Audit {
    auditor: Auditor,
    stage: Stage,
    random: fastrand::Rng,
    tally: watch::Sender<Tally>,
}

/// What has come of it so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    /// Objects that were compared.
    pub(super) compared: u64,
    /// How many of them when everything had been applied.
    pub(super) at_last: u64,
    /// Objects of which something else is held than they give: `v1/Pod/shop/web-1`.
    pub(super) wrong: Vec<String>,
}

/// Between two looks. A real cluster is not asked as often.
const PAUSE: Duration = Duration::from_millis(100);

/// An event is never under way for so long: none is made before it can be read.
const PATIENCE: Duration = Duration::from_secs(10);

/// How many objects are compared at the end, when no event is under way.
const LAST: usize = 100;

// === impl Audit ===

impl Audit {
    pub(super) fn new(auditor: Auditor, stage: Stage, seed: u64) -> Self {
        Audit { auditor, stage, random: fastrand::Rng::with_seed(seed), tally: watch::Sender::default() }
    }

    /// What has come of it, as it goes on.
    pub(super) fn tally(&self) -> watch::Receiver<Tally> {
        self.tally.subscribe()
    }

    /// Looks at an object now and then, until `ended`.
    pub(super) async fn run(mut self, mut ended: watch::Receiver<bool>) -> Self {
        // A sender that is gone ends it, too.
        let mut end = pin!(async move { drop(ended.wait_for(|ended| *ended).await) });
        loop {
            tokio::select! {
                biased;
                () = &mut end => return self,
                () = self.look(PATIENCE) => sleep(PAUSE).await,
            }
        }
    }

    /// Looks at some objects once everything that has happened was applied: what differs then is wrong.
    pub(super) async fn conclude(mut self) -> Tally {
        let before = self.tally.borrow().compared;
        for _ in 0..LAST {
            self.look(Duration::ZERO).await;
        }
        self.tally.send_modify(|tally| tally.at_last = tally.compared - before);
        self.tally.borrow().clone()
    }

    /// Looks at any object until it is what is held of it, has become another, or has differed for too long.
    async fn look(&mut self, patience: Duration) {
        let Some((kind, id)) = self.stage.look(|cluster| cluster.any(self.random.u64(..))) else { return };
        let Some(text) = self.text(kind, id) else { return };
        let since = Instant::now();
        loop {
            let Some(Compared { object, verdict }) = self.auditor.compare(text.as_bytes()).await else {
                return;
            };
            match verdict {
                Verdict::Equal => return self.tally.send_modify(|tally| tally.compared += 1),
                Verdict::Unsettled => return,
                Verdict::Differs(_) if self.text(kind, id).as_ref() != Some(&text) => return,
                Verdict::Differs(_) if since.elapsed() >= patience => {
                    return self.tally.send_modify(|tally| {
                        tally.compared += 1;
                        tally.wrong.push(object);
                    });
                }
                Verdict::Differs(_) => sleep(PAUSE).await,
            }
        }
    }

    /// An object as it is now.
    fn text(&self, kind: Kind, id: Id) -> Option<String> {
        let body = self.stage.look(|cluster| cluster.body(kind, id))?;
        let mut text = String::new();
        object(kind, &body, &mut text);
        Some(text)
    }
}

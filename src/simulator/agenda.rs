//! What is going to happen, and when.
//!
//! In: things to be done at moments. Out: the next of them. Must never know: how they are done.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::shelf::Id;

/// Something that happens at a moment. What has lost its object by then does nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step {
    /// A Pod gets a node.
    Schedule(Id),
    /// A Pod's containers begin.
    Start(Id),
    /// A Pod becomes ready.
    BecomeReady(Id),
    /// A Pod that crashed runs again.
    Recover(Id),
    /// A Job's Pod ends.
    Finish(Id),
    /// A Pod is gone.
    Remove(Id),
    /// A Deployment moves towards what it wants.
    Reconcile(Id),
    /// A node reports.
    Heartbeat(Id),
    /// Pods leave a node that is not heard of.
    Evacuate(Id),
    /// A node is heard of again, or replaced.
    Return(Id),
    /// A finished Job is taken away.
    Expire(Id),
    /// A namespace that came for a while goes.
    Close(Id),
    /// A namespace that is empty is gone.
    Vanish(Id),
    /// A Database's controller has looked at it.
    Observe(Id),
    /// One of the things that happen now and then.
    Chance(Chance),
}

/// What happens now and then, to an object drawn at random.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Chance {
    /// A container crashes, or a Pod is evicted.
    Mishap,
    /// A Deployment gets a new version.
    Rollout,
    /// A Deployment wants more or fewer Pods.
    Scale,
    /// A Job begins.
    Job,
    /// A node is not heard of any more.
    Loss,
    /// A namespace comes for a while.
    Preview,
    /// A namespace changes hands.
    Handover,
    /// A Database changes.
    Database,
    /// Every kind's watchers are told how far they have got.
    Bookmark,
}

/// Steps by their moments, in milliseconds of simulated time; those of one moment in the order in which they were
/// planned.
#[derive(Clone, Debug, Default)]
pub(super) struct Agenda {
    steps: BinaryHeap<Reverse<(u64, u64, Step)>>,
    planned: u64,
}

// === impl Agenda ===

impl Agenda {
    pub(super) fn plan(&mut self, at: u64, step: Step) {
        self.planned += 1;
        self.steps.push(Reverse((at, self.planned, step)));
    }

    pub(super) fn next(&mut self) -> Option<(u64, Step)> {
        self.steps.pop().map(|Reverse((at, _, step))| (at, step))
    }
}

// === impl Chance ===

impl Chance {
    pub(super) const ALL: [Chance; 9] = [
        Chance::Mishap,
        Chance::Rollout,
        Chance::Scale,
        Chance::Job,
        Chance::Loss,
        Chance::Preview,
        Chance::Handover,
        Chance::Database,
        Chance::Bookmark,
    ];
}

//! Where controllers put what they know of one object.
//!
//! In: facts. Out: statuses for the writer, the latest of each object; Events for the publisher. Must never know: when
//! anything is written.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use k8s_openapi::jiff::Timestamp;
use tokio::sync::{mpsc, watch};

use super::content::Content;
use super::data_sink::data_sink_status;
use super::event::{self, Notice, Said};
use super::facts::{DataSinkFacts, MetricFacts};
use super::metric::metric_status;
use crate::api::{DataSinkStatus, Group, MetricStatus};
use crate::telemetry::Telemetry;

/// Gives out slots, one an object at a time; clone it freely. When the last handle and slot are gone the writer ends.
#[derive(Clone, Debug)]
pub struct StatusHandle {
    mailbox: Arc<Mailbox>,
    /// Holds one ring at most: a second one would say nothing new.
    bell: mpsc::Sender<()>,
    notices: mpsc::Sender<Notice>,
    leader: watch::Receiver<bool>,
    telemetry: Arc<Telemetry>,
}

/// One declared object.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectRef {
    /// The group that it is declared in.
    pub group: Group,
    /// Its kind.
    pub kind: &'static str,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its UID: one that is deleted and created again is another.
    pub uid: String,
}

/// Where the facts about a Metric go. Dropping it forgets the Metric; its status stays as it is.
#[derive(Debug)]
pub struct MetricStatusSlot {
    slot: Slot,
    status: MetricStatus,
}

/// Where the facts about a DataSink go. Dropping it forgets the DataSink; its status stays as it is.
#[derive(Debug)]
pub struct DataSinkStatusSlot {
    slot: Slot,
    status: DataSinkStatus,
}

/// The statuses that the writer has not looked at yet, the latest of each object: as many as there are objects.
///
/// A lock rather than a channel, because a later status takes the place of an earlier one; it is held for a look-up
/// and never across an await.
#[derive(Debug, Default)]
pub(super) struct Mailbox {
    updates: Mutex<BTreeMap<Arc<ObjectRef>, Update>>,
}

/// What has become of one object since the writer looked last, to be done in this order.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Update {
    /// It is there, with this status.
    pub(super) declared: Option<Option<Content>>,
    /// Its status should be this.
    pub(super) desired: Option<Content>,
    /// It is declared no more.
    pub(super) removed: bool,
}

/// What slots of every kind have in common.
#[derive(Debug)]
struct Slot {
    object: Arc<ObjectRef>,
    handle: StatusHandle,
    /// When this process was last seen not to lead: what it knew then, it had not tried.
    followed: Option<Timestamp>,
}

/// Events that may wait. When full, further ones are dropped and counted: the statuses say the same.
const NOTICE_CAPACITY: usize = 1024;

/// What the writer holds of its handles.
pub(super) struct Post {
    /// The statuses that wait.
    pub(super) mailbox: Arc<Mailbox>,
    /// Rings when there is something in it; closed once every handle and slot is gone.
    pub(super) bell: mpsc::Receiver<()>,
    /// The Events that wait; closed likewise.
    pub(super) notices: mpsc::Receiver<Notice>,
}

// === impl StatusHandle ===

impl StatusHandle {
    pub(super) fn new(leader: watch::Receiver<bool>, telemetry: Arc<Telemetry>) -> (Self, Post) {
        let mailbox = Arc::new(Mailbox::default());
        let (bell, bell_receiver) = mpsc::channel(1);
        let (notices, notice_receiver) = mpsc::channel(NOTICE_CAPACITY);
        let post = Post { mailbox: Arc::clone(&mailbox), bell: bell_receiver, notices: notice_receiver };
        (StatusHandle { mailbox, bell, notices, leader, telemetry }, post)
    }

    /// The slot of a Metric, whose status is `previous` at first sight.
    pub fn metric(&self, object: ObjectRef, previous: Option<&MetricStatus>) -> MetricStatusSlot {
        let stored = previous.map(|status| Content::Metric(Box::new(status.clone())));
        MetricStatusSlot { slot: self.slot(object, stored), status: previous.cloned().unwrap_or_default() }
    }

    /// The slot of a DataSink, whose status is `previous` at first sight.
    pub fn data_sink(&self, object: ObjectRef, previous: Option<&DataSinkStatus>) -> DataSinkStatusSlot {
        let stored = previous.cloned().map(Content::DataSink);
        DataSinkStatusSlot { slot: self.slot(object, stored), status: previous.cloned().unwrap_or_default() }
    }

    fn slot(&self, object: ObjectRef, stored: Option<Content>) -> Slot {
        let object = Arc::new(object);
        // A slot that was there before for the same object is over with this.
        self.update(&object, |update| *update = Update { declared: Some(stored), ..Update::default() });
        Slot { object, handle: self.clone(), followed: None }
    }

    fn update(&self, object: &Arc<ObjectRef>, change: impl FnOnce(&mut Update)) {
        self.mailbox.update(object, change);
        // Full: the writer has yet to look anyway. Closed: it has ended.
        let _ = self.bell.try_send(());
    }

    fn is_leader(&self) -> bool {
        *self.leader.borrow()
    }
}

// === impl Slot ===

impl Slot {
    /// Since when a generation counts as known that was seen first at `known_since`: not before this process led.
    fn known_since(&mut self, known_since: Timestamp, now: Timestamp) -> Timestamp {
        if !self.handle.is_leader() {
            self.followed = Some(now);
        }
        self.followed.map_or(known_since, |followed| followed.max(known_since))
    }

    fn set(&self, content: Content) {
        self.handle.update(&self.object, |update| update.desired = Some(content));
    }

    fn announce(&self, reporter: &'static str, said: impl IntoIterator<Item = Said>) {
        if !self.handle.is_leader() {
            return;
        }
        for said in said {
            let notice = Notice { object: Arc::clone(&self.object), reporter, said };
            if self.handle.notices.try_send(notice).is_err() {
                self.handle.telemetry.count_event_dropped();
            }
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.handle.update(&self.object, |update| *update = Update { removed: true, ..Update::default() });
    }
}

// === impl MetricStatusSlot ===

impl MetricStatusSlot {
    /// Computes the status and hands it over. Never waits; as often as you like.
    pub fn set(&mut self, facts: &MetricFacts) {
        let known_since = self.slot.known_since(facts.known_since, facts.now);
        let status = metric_status(&MetricFacts { known_since, ..facts.clone() }, &self.status);
        self.slot
            .announce(event::METRIC_REPORTER, event::of_metric(&self.status.conditions, &status.conditions));
        self.slot.set(Content::Metric(Box::new(status.clone())));
        self.status = status;
    }

    /// What the API server is known to hold: on a standby, what the leader wrote, so that a takeover keeps the times of
    /// its conditions. A leader knows what it wrote itself, and ignores this.
    pub fn stored(&mut self, status: &MetricStatus) {
        if !self.slot.handle.is_leader() {
            self.status.clone_from(status);
        }
    }

    /// Whether this process does not lead, so that somebody else may write the status.
    pub fn follows(&self) -> bool {
        !self.slot.handle.is_leader()
    }

    /// The status that was computed last, or stored.
    pub fn status(&self) -> &MetricStatus {
        &self.status
    }
}

// === impl DataSinkStatusSlot ===

impl DataSinkStatusSlot {
    /// Computes the status and hands it over. Never waits; as often as you like.
    pub fn set(&mut self, facts: &DataSinkFacts) {
        let known_since = self.slot.known_since(facts.known_since, facts.now);
        let status = data_sink_status(&DataSinkFacts { known_since, ..facts.clone() }, &self.status);
        let said = event::of_data_sink(&self.status.conditions, &status.conditions);
        self.slot.announce(event::DATA_SINK_REPORTER, said);
        self.slot.set(Content::DataSink(status.clone()));
        self.status = status;
    }

    /// What the API server is known to hold; see [`MetricStatusSlot::stored`].
    pub fn stored(&mut self, status: &DataSinkStatus) {
        if !self.slot.handle.is_leader() {
            self.status.clone_from(status);
        }
    }

    /// As [`MetricStatusSlot::follows`].
    pub fn follows(&self) -> bool {
        !self.slot.handle.is_leader()
    }

    /// The status that was computed last, or stored.
    pub fn status(&self) -> &DataSinkStatus {
        &self.status
    }
}

// === impl Mailbox ===

impl Mailbox {
    fn update(&self, object: &Arc<ObjectRef>, change: impl FnOnce(&mut Update)) {
        // Nothing that holds the lock can panic half-way through a change that matters.
        let mut updates = self.updates.lock().unwrap_or_else(PoisonError::into_inner);
        change(updates.entry(Arc::clone(object)).or_default());
    }

    /// Takes everything that has changed since the last time.
    pub(super) fn take(&self) -> BTreeMap<Arc<ObjectRef>, Update> {
        std::mem::take(&mut *self.updates.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

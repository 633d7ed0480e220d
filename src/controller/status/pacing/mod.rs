//! When which status is written: conditions at once, figures now and then, nothing twice.
//!
//! In: what statuses should be, who leads, how writes ended, at what times. Out: the next write, and when there is one.
//! Must never know: clocks, tasks, API servers. Pure: time is an argument.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::bucket::Bucket;
use super::content::{Content, Urgency};
use super::slot::ObjectRef;

/// Decides what is written when.
///
/// Invariant: `conditions` and `figures` hold exactly the times of the objects whose [`Object::due`] is there, the
/// former those that are urgent.
#[derive(Debug)]
pub(super) struct Pacing {
    leader: bool,
    objects: BTreeMap<Arc<ObjectRef>, Object>,
    conditions: BTreeSet<(Instant, Arc<ObjectRef>)>,
    figures: BTreeSet<(Instant, Arc<ObjectRef>)>,
    writes: Bucket,
}

/// A status to be written now.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Write {
    /// Whose.
    pub(super) object: Arc<ObjectRef>,
    /// What it is to be.
    pub(super) content: Content,
}

/// The next write of one kind.
struct Candidate {
    urgency: Urgency,
    /// When it is due, and the common rate allows it.
    at: Instant,
    object: Arc<ObjectRef>,
}

/// How a write ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The API server has it.
    Written,
    /// It has not, or nobody knows.
    Failed,
    /// There is no such object.
    Missing,
}

/// What is known of one object.
#[derive(Debug)]
struct Object {
    /// What its status should be; `None` before anybody has said so.
    desired: Option<Content>,
    /// What its status is, as far as is known.
    written: Option<Content>,
    /// How far its status may be from `written`, because of writes that failed: they may have arrived all the same.
    unsure: Option<Urgency>,
    /// What is on its way; at most one write of an object is.
    in_flight: Option<Content>,
    /// Since when `desired` differs from `written` in its conditions.
    urgent_since: Option<Instant>,
    /// When it was written last, or first seen.
    written_at: Instant,
    /// What bounds the writes of an object whose conditions flap.
    writes: Bucket,
    /// Writes that have failed in a row.
    failures: u32,
    /// After a failure, no write before this.
    not_before: Option<Instant>,
    /// Whether the API server said that it is gone: nothing is written until it is declared again.
    missing: bool,
    /// Whether it is declared no more, and only waits for the end of its last write.
    removed: bool,
    /// The time under which it is in one of the sets.
    due: Option<(Urgency, Instant)>,
}

/// All writes together: 10 a second after a burst of 50. That is a small part of what the least API server takes, and a
/// thousand Metrics whose sink fails are told within two minutes.
const WRITES: Bucket = Bucket::full(Duration::from_millis(100), 50);

/// Figures leave this many writes of the burst to conditions.
const RESERVE: u32 = 25;

/// The conditions of one object: five times in a row at once, then every 10 s, so that what flaps is told, but does
/// not keep others waiting.
const WRITES_OF_ONE: Bucket = Bucket::full(Duration::from_secs(10), 5);

/// Figures that changed are written this long after the last write of their object, or up to a quarter later.
const FIGURES: Duration = Duration::from_secs(60);

/// Times and costs that changed alone are written this long after the last write of their object, or up to a quarter
/// later. They change with every heartbeat, and say little more than that it beats.
const FRESHNESS: Duration = Duration::from_secs(300);

/// After a failure an object waits this long, then twice as long after each further one in a row.
const FIRST_BACK_OFF: Duration = Duration::from_secs(1);
/// But never longer than this, and a quarter.
const LONGEST_BACK_OFF: Duration = Duration::from_secs(300);

// === impl Pacing ===

impl Pacing {
    /// Without objects.
    pub(super) fn new(leader: bool) -> Self {
        Pacing {
            leader,
            objects: BTreeMap::new(),
            conditions: BTreeSet::new(),
            figures: BTreeSet::new(),
            writes: WRITES,
        }
    }

    /// A leader writes, others do not. Whoever becomes leader does not know what the one before wrote last, so every
    /// status is written once. Writes that are under way when the lead is lost are given up.
    pub(super) fn set_leader(&mut self, leader: bool, now: Instant) {
        if leader == self.leader {
            return;
        }
        self.leader = leader;
        let all: Vec<_> = self.objects.keys().cloned().collect();
        for key in all {
            self.change(&key, |object| {
                object.in_flight = None;
                object.written = None;
                object.unsure = None;
                object.note_urgency(now);
            });
        }
    }

    /// An object is there, with this status.
    pub(super) fn declare(&mut self, key: &Arc<ObjectRef>, stored: Option<Content>, now: Instant) {
        match self.objects.get(key) {
            // Its last write may still land after what is stored now, so nothing is known.
            Some(_) => self.change(key, |object| {
                let in_flight = object.in_flight.take();
                *object = Object { in_flight, ..Object::new(None, now) };
            }),
            None => drop(self.objects.insert(Arc::clone(key), Object::new(stored, now))),
        }
    }

    /// The status of a declared object should be this.
    pub(super) fn set(&mut self, key: &Arc<ObjectRef>, desired: Content, now: Instant) {
        self.change(key, |object| {
            object.desired = Some(desired);
            object.note_urgency(now);
        });
    }

    /// An object is declared no more: forget it.
    pub(super) fn remove(&mut self, key: &Arc<ObjectRef>) {
        self.change(key, |object| object.removed = true);
    }

    /// Takes the next write, if one is due and the rate allows it: conditions before figures, and of each the longest
    /// due first.
    pub(super) fn next(&mut self, now: Instant) -> Option<Write> {
        let possible = self.candidates().into_iter().flatten().find(|candidate| candidate.at <= now);
        let Candidate { urgency, object, .. } = possible?;
        self.writes.take(now);
        let mut content = None;
        self.change(&object, |object| {
            if urgency == Urgency::Conditions {
                object.writes.take(now);
            }
            object.in_flight.clone_from(&object.desired);
            content = object.in_flight.clone();
        });
        Some(Write { object, content: content? })
    }

    /// A write has ended. That of an object that is gone has reached whatever has its name now.
    pub(super) fn finished(&mut self, key: &Arc<ObjectRef>, outcome: Outcome, now: Instant) {
        if self.objects.get(key).is_some_and(|object| object.removed) {
            self.doubt_successors(key, now);
        }
        let jitter = |part: Duration, salt: u32| jitter(key, part, salt);
        self.change(key, |object| {
            let Some(content) = object.in_flight.take() else { return };
            match outcome {
                Outcome::Written => {
                    object.written = Some(content);
                    object.unsure = None;
                    object.written_at = now;
                    object.failures = 0;
                    object.not_before = None;
                    object.urgent_since = None;
                }
                Outcome::Failed => {
                    let doubled = FIRST_BACK_OFF * 2_u32.saturating_pow(object.failures.min(16));
                    let pause = doubled.min(LONGEST_BACK_OFF);
                    object.failures = object.failures.saturating_add(1);
                    object.not_before = Some(now + pause + jitter(pause / 4, object.failures));
                    object.unsure = object.unsure.max(object.distance(&content));
                }
                Outcome::Missing => object.missing = true,
            }
            object.note_urgency(now);
        });
    }

    /// The first time, not before `now`, at which [`next`](Self::next) gives something, if nothing else happens.
    pub(super) fn wake(&self, now: Instant) -> Option<Instant> {
        self.candidates().into_iter().flatten().map(|candidate| candidate.at.max(now)).min()
    }

    /// How many statuses wait to be written at once.
    pub(super) fn waiting(&self) -> usize {
        if self.leader { self.conditions.len() } else { 0 }
    }

    /// What may be written next: the conditions, and the figures, that have been due longest.
    fn candidates(&self) -> [Option<Candidate>; 2] {
        let of = |set: &BTreeSet<(Instant, Arc<ObjectRef>)>, urgency, reserve| {
            let (due, object) = set.first().filter(|_| self.leader)?;
            Some(Candidate { urgency, at: self.writes.next(*due, reserve), object: Arc::clone(object) })
        };
        [of(&self.conditions, Urgency::Conditions, 0), of(&self.figures, Urgency::Figures, RESERVE)]
    }

    /// Nobody knows any more what the status of an object is that has this one's name.
    fn doubt_successors(&mut self, key: &ObjectRef, now: Instant) {
        let first = ObjectRef { uid: String::new(), ..key.clone() };
        let same_name = |other: &ObjectRef| ObjectRef { uid: String::new(), ..other.clone() } == first;
        let from_first = self.objects.range::<ObjectRef, _>(&first..).map(|(other, _)| other);
        let successors: Vec<_> = from_first.take_while(|other| same_name(other)).cloned().collect();
        for successor in successors {
            self.change(&successor, |object| {
                object.unsure = Some(Urgency::Conditions);
                object.note_urgency(now);
            });
        }
    }

    /// Changes an object, and keeps the sets as their invariant says.
    fn change(&mut self, key: &Arc<ObjectRef>, change: impl FnOnce(&mut Object)) {
        let Some(object) = self.objects.get_mut(key) else { return };
        let before = object.due.take();
        change(object);
        let is_over = object.removed && object.in_flight.is_none();
        let after = object.next_write(key).filter(|_| !is_over);
        object.due = after;
        if is_over {
            self.objects.remove(key);
        }
        if let Some((urgency, at)) = before {
            self.set_of(urgency).remove(&(at, Arc::clone(key)));
        }
        if let Some((urgency, at)) = after {
            self.set_of(urgency).insert((at, Arc::clone(key)));
        }
    }

    fn set_of(&mut self, urgency: Urgency) -> &mut BTreeSet<(Instant, Arc<ObjectRef>)> {
        match urgency {
            Urgency::Conditions => &mut self.conditions,
            Urgency::Figures | Urgency::Freshness => &mut self.figures,
        }
    }
}

// === impl Object ===

impl Object {
    fn new(written: Option<Content>, now: Instant) -> Self {
        Object {
            desired: None,
            written,
            unsure: None,
            in_flight: None,
            urgent_since: None,
            written_at: now,
            writes: WRITES_OF_ONE,
            failures: 0,
            not_before: None,
            missing: false,
            removed: false,
            due: None,
        }
    }

    /// How urgent it is to write `desired`; `None` where that is what there is.
    fn urgency(&self) -> Option<Urgency> {
        let desired = self.desired.as_ref()?;
        self.distance(desired).max(self.unsure)
    }

    fn distance(&self, content: &Content) -> Option<Urgency> {
        match &self.written {
            Some(written) => content.urgency_over(written),
            None => Some(Urgency::Conditions),
        }
    }

    /// Only the first change since the last write begins the wait, so that who changes often loses no place.
    fn note_urgency(&mut self, now: Instant) {
        let is_urgent = self.urgency() == Some(Urgency::Conditions);
        self.urgent_since = if is_urgent { self.urgent_since.or(Some(now)) } else { None };
    }

    /// When it may be written next, the common rate aside.
    fn next_write(&self, key: &ObjectRef) -> Option<(Urgency, Instant)> {
        if self.in_flight.is_some() || self.missing || self.removed {
            return None;
        }
        let urgency = self.urgency()?;
        let after = |period: Duration| self.written_at + period + jitter(key, period / 4, 0);
        let at = match urgency {
            Urgency::Conditions => self.writes.next(self.urgent_since.unwrap_or(self.written_at), 0),
            Urgency::Figures => after(FIGURES),
            Urgency::Freshness => after(FRESHNESS),
        };
        Some((urgency, self.not_before.map_or(at, |not_before| not_before.max(at))))
    }
}

/// A part of `most` that is the same for an object each time, and another for each object: what became due at one time
/// is written at many.
fn jitter(key: &ObjectRef, most: Duration, salt: u32) -> Duration {
    let mut hasher = DefaultHasher::new();
    (key, salt).hash(&mut hasher);
    most * (hasher.finish() % 1024) as u32 / 1024
}

#[cfg(test)]
mod tests;

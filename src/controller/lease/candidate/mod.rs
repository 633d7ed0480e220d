//! Who leads: the decisions of one candidate for a Lease.
//!
//! In: what was read and written, and when. Out: what to do next, and whether this candidate leads. Must never know:
//! clocks, requests, Kubernetes. Pure: time is an argument.
//!
//! The rules are client-go's. No two clocks are ever compared. A holder leads from the moment that it *sent* a renewal
//! that was acknowledged, for [`Terms::renew_deadline`]; another candidate may take over once it has *seen* no renewal
//! for the Lease's whole duration, which is longer. Whatever lies between sending and seeing only widens the gap, and
//! clocks may differ in speed by the ratio of the two.

use std::time::Duration;

use tokio::time::Instant;

/// How long everything takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Others may take over when the Lease was not renewed for so long. Default 15 s, as controller-runtime.
    pub duration: Duration,
    /// A holder stops leading when no renewal was acknowledged for so long. Shorter than `duration`; default 10 s.
    pub renew_deadline: Duration,
    /// How often a holder renews and others look. Default 2 s.
    pub retry_period: Duration,
}

/// What a Lease says, as far as it matters here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Record {
    /// Who holds it; empty where nobody does.
    pub(super) holder: String,
    /// For how long from its last renewal.
    pub(super) duration: Duration,
    /// Text that changes with every renewal; never read as a time.
    pub(super) renewal: String,
}

/// What a candidate does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Look at the Lease.
    Read,
    /// Make it say that this candidate holds it, on the condition that it is as it was last seen.
    Claim,
    /// Nothing until then.
    Wait(Instant),
}

/// One candidate.
///
/// Invariant: `held` is the time at which the latest acknowledged claim was sent; it is `None` from the moment that the
/// Lease was seen to be another's.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    identity: String,
    terms: Terms,
    seen: Option<Seen>,
    held: Option<Instant>,
    next: Instant,
    must_read: bool,
}

/// The Lease as it was last seen.
#[derive(Clone, Debug)]
struct Seen {
    /// `None`: there is none.
    record: Option<Record>,
    /// When this renewal was first seen.
    since: Instant,
}

// === impl Terms ===

impl Default for Terms {
    fn default() -> Self {
        Terms {
            duration: Duration::from_secs(15),
            renew_deadline: Duration::from_secs(10),
            retry_period: Duration::from_secs(2),
        }
    }
}

impl Terms {
    /// Whether they are safe: client-go's conditions, with the names of the flags.
    ///
    /// # Errors
    /// The condition that does not hold.
    pub fn check(&self) -> Result<(), String> {
        let Terms { duration, renew_deadline, retry_period } = *self;
        if duration.subsec_nanos() > 0 || duration.is_zero() {
            return Err("--leader-elect-lease-duration: must be whole seconds, at least one".to_owned());
        }
        if duration <= renew_deadline {
            return Err(
                "--leader-elect-lease-duration: must be longer than --leader-elect-renew-deadline".to_owned()
            );
        }
        if retry_period.is_zero() || renew_deadline <= retry_period.mul_f64(1.2) {
            return Err(
                "--leader-elect-renew-deadline: must be longer than 1.2 times --leader-elect-retry-period, which must not be zero"
                    .to_owned(),
            );
        }
        Ok(())
    }
}

// === impl Candidate ===

impl Candidate {
    /// A candidate that knows nothing yet. `identity` must be its alone.
    pub(super) fn new(identity: String, terms: Terms, now: Instant) -> Self {
        Candidate { identity, terms, seen: None, held: None, next: now, must_read: true }
    }

    /// What to do at `now`.
    pub(super) fn step(&self, now: Instant) -> Step {
        // What was seen is worth nothing once it has to be read again.
        let takeover = self.takeover().filter(|_| !self.must_read);
        let due = takeover.map_or(self.next, |takeover| takeover.min(self.next));
        if due > now {
            return Step::Wait(due);
        }
        if self.must_read || !self.may_claim(now) { Step::Read } else { Step::Claim }
    }

    /// Whether this candidate leads at `now`.
    pub(super) fn leads(&self, now: Instant) -> bool {
        self.leads_until().is_some_and(|until| now < until)
    }

    /// When it stops leading unless it renews; `None` where it does not hold the Lease.
    pub(super) fn leads_until(&self) -> Option<Instant> {
        Some(self.held? + self.terms.renew_deadline)
    }

    /// Something about the Lease changed. Who does not lead looks at once.
    pub(super) fn nudge(&mut self, now: Instant) {
        if !self.leads(now) {
            self.next = self.next.min(now);
            self.must_read = true;
        }
    }

    /// The Lease was read; the answer arrived at `now`.
    pub(super) fn read(&mut self, record: Option<Record>, now: Instant) {
        let renewal = |record: &Option<Record>| {
            record.as_ref().map(|record| (record.holder.clone(), record.renewal.clone()))
        };
        let since = match &self.seen {
            Some(seen) if renewal(&seen.record) == renewal(&record) => seen.since,
            _ => now,
        };
        if record.as_ref().is_none_or(|record| record.holder != self.identity) {
            self.held = None;
        }
        self.seen = Some(Seen { record, since });
        self.must_read = false;
        self.next = if self.may_claim(now) { now } else { now + self.terms.retry_period };
    }

    /// A claim that was sent at `sent` was acknowledged with `record`.
    pub(super) fn claimed(&mut self, record: Record, sent: Instant, now: Instant) {
        self.held = Some(sent);
        self.seen = Some(Seen { record: Some(record), since: now });
        self.next = sent + self.terms.retry_period;
        self.must_read = false;
    }

    /// A request sent at `sent` was refused, because the Lease is no longer as it was seen.
    pub(super) fn outdated(&mut self, sent: Instant) {
        self.must_read = true;
        // At once, but never in a circle that is faster than an answer.
        self.next = sent;
    }

    /// A request sent at `sent` failed, or was not answered in time. Whether a claim arrived is not known, so the Lease
    /// is read before anything is written again.
    pub(super) fn failed(&mut self, sent: Instant) {
        self.must_read = true;
        self.next = sent + self.terms.retry_period;
    }

    /// When the Lease is free, as far as is known; `None` where it is this candidate's own, or unknown.
    fn takeover(&self) -> Option<Instant> {
        let seen = self.seen.as_ref()?;
        let record = seen.record.as_ref()?;
        (record.holder != self.identity).then(|| match record.holder.as_str() {
            "" => seen.since,
            _ => seen.since + record.duration,
        })
    }

    fn may_claim(&self, now: Instant) -> bool {
        match &self.seen {
            None => false,
            Some(Seen { record: None, .. }) => true,
            // One's own: renewed, or claimed once more where its acknowledgement was lost.
            Some(_) => self.takeover().is_none_or(|free| free <= now),
        }
    }
}

#[cfg(test)]
mod tests;

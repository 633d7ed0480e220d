//! The series that a sink still has to be told are gone.
//!
//! In: series that vanished or came back, acknowledgements, times. Out: what is to be sent. Must never know: tables, sinks.
//!
//! A withdrawal is kept until it is acknowledged, at most 15 minutes and at most as many as there are live series, but
//! never fewer than 10,000; beyond that the oldest go. So a sink that is away for long costs a bounded memory, and what
//! it forgets first is what its own staleness rules have dealt with by then.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use celemetry_engine::definition::MetricInfo;
use celemetry_engine::snapshot::{Attributes, MetricShape};
use tokio::time::Instant;

use crate::export::attributes::shared;

/// A series that is gone.
#[derive(Clone, Debug)]
pub(super) struct Withdrawal {
    pub(super) info: Arc<MetricInfo>,
    pub(super) shape: MetricShape,
    pub(super) own: Arc<Attributes>,
    pub(super) is_apart: bool,
}

/// All withdrawals of one sink.
///
/// Invariant: `by_identity` holds exactly the entries, and `waiting` some of them.
#[derive(Debug, Default)]
pub(super) struct Withdrawals {
    /// By number, so by age.
    entries: BTreeMap<u64, (Instant, Withdrawal)>,
    by_identity: HashMap<Identity, u64>,
    /// To be sent with the next request; the others are on their way, or rest.
    waiting: BTreeSet<u64>,
    /// When those that rest are to be sent again.
    wake: Option<Instant>,
    next: u64,
}

/// What a receiver knows a series by: the metric's name and the attributes as they leave. Kind and unit are not part of it:
/// whoever stores series by name must not be told that one is gone that lives on as another kind.
#[derive(Clone, Debug)]
struct Identity {
    info: Arc<MetricInfo>,
    attributes: Arc<Attributes>,
}

/// A withdrawal older than this is of no use: Prometheus forgets a silent series after 5 minutes.
const LONGEST: Duration = Duration::from_secs(15 * 60);

/// So many are kept however few series live.
const ALWAYS_KEPT: usize = 10_000;

// === impl Withdrawals ===

impl Withdrawals {
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether any is to be sent.
    pub(super) fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// A series is gone.
    pub(super) fn add(&mut self, withdrawal: Withdrawal, now: Instant) {
        let number = self.next;
        self.next += 1;
        if let Some(earlier) = self.by_identity.insert(Identity::of(&withdrawal), number) {
            self.entries.remove(&earlier);
            self.waiting.remove(&earlier);
        }
        self.entries.insert(number, (now, withdrawal));
        self.waiting.insert(number);
    }

    /// A series is there. Says whether it was to be withdrawn, which it no longer is.
    pub(super) fn cancel(&mut self, info: &Arc<MetricInfo>, own: &Arc<Attributes>, is_apart: bool) -> bool {
        let identity = Identity { info: Arc::clone(info), attributes: shared(info, own, is_apart) };
        let number = self.by_identity.get(&identity).copied();
        number.is_some_and(|number| self.remove(number))
    }

    /// What is to be sent, the oldest first.
    pub(super) fn waiting(&self) -> impl Iterator<Item = (u64, &Withdrawal)> {
        self.waiting.iter().map(|number| (*number, &self.entries[number].1))
    }

    /// These are on their way.
    pub(super) fn sent(&mut self, numbers: &[u64]) {
        for number in numbers {
            self.waiting.remove(number);
        }
    }

    /// These have arrived, or are given up.
    pub(super) fn forget(&mut self, numbers: &[u64]) {
        for number in numbers {
            self.remove(*number);
        }
    }

    /// These have not arrived, and are to be sent again: now, or not before `rest`.
    pub(super) fn put_back(&mut self, numbers: &[u64], rest: Option<Instant>) {
        match rest {
            Some(until) => self.wake = Some(self.wake.map_or(until, |wake| wake.min(until))),
            None => self.waiting.extend(numbers.iter().filter(|number| self.entries.contains_key(number))),
        }
    }

    /// Everything is to be sent again.
    pub(super) fn wake_all(&mut self) {
        self.wake = None;
        self.waiting = self.entries.keys().copied().collect();
    }

    /// When something is due by itself.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        let oldest = self.entries.first_key_value().map(|(_, (since, _))| *since + LONGEST);
        self.wake.into_iter().chain(oldest).min()
    }

    /// Wakes what has rested, and gives up what is too old or too much. Says how many were given up.
    pub(super) fn tidy(&mut self, live: usize, now: Instant) -> usize {
        if self.wake.is_some_and(|wake| wake <= now) {
            self.wake_all();
        }
        let mut given_up = 0;
        while let Some((number, (since, _))) = self.entries.first_key_value()
            && (*since + LONGEST <= now || self.entries.len() > live.max(ALWAYS_KEPT))
        {
            let number = *number;
            self.remove(number);
            given_up += 1;
        }
        given_up
    }

    fn remove(&mut self, number: u64) -> bool {
        self.waiting.remove(&number);
        let Some((_, withdrawal)) = self.entries.remove(&number) else { return false };
        self.by_identity.remove(&Identity::of(&withdrawal));
        true
    }
}

// === impl Identity ===

impl Identity {
    fn of(withdrawal: &Withdrawal) -> Self {
        let Withdrawal { info, own, is_apart, .. } = withdrawal;
        Identity { info: Arc::clone(info), attributes: shared(info, own, *is_apart) }
    }
}

impl PartialEq for Identity {
    fn eq(&self, other: &Self) -> bool {
        self.info.name == other.info.name && self.attributes == other.attributes
    }
}

impl Eq for Identity {}

impl Hash for Identity {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.info.name.hash(state);
        self.attributes.hash(state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn withdrawal(name: &str, value: usize) -> Withdrawal {
        let info = Arc::new(MetricInfo { name: name.to_owned(), ..MetricInfo::default() });
        let own = Arc::new(Attributes::new([(Arc::from("a"), value.to_string().into())]));
        Withdrawal { info, shape: MetricShape::CountOfObjects, own, is_apart: false }
    }

    fn waiting(withdrawals: &Withdrawals) -> Vec<u64> {
        withdrawals.waiting().map(|(number, _)| number).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn the_oldest_go_beyond_the_limit_and_all_after_15_minutes() {
        let (mut withdrawals, start) = (Withdrawals::default(), Instant::now());
        for value in 0..ALWAYS_KEPT + 5 {
            withdrawals.add(withdrawal("m", value), start);
        }
        assert_eq!(withdrawals.tidy(20_000, start), 0);
        assert_eq!(withdrawals.tidy(3, start), 5);
        assert_eq!((waiting(&withdrawals).len(), waiting(&withdrawals)[0]), (ALWAYS_KEPT, 5));
        assert_eq!(withdrawals.next_deadline(), Some(start + LONGEST));
        withdrawals.add(withdrawal("n", 0), start + LONGEST / 2);
        assert_eq!(withdrawals.tidy(20_000, start + LONGEST), ALWAYS_KEPT);
        assert_eq!(withdrawals.next_deadline(), Some(start + LONGEST / 2 + LONGEST));
        assert!(withdrawals.by_identity.len() == 1 && withdrawals.entries.len() == 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_series_that_returns_cancels_its_own_whatever_its_kind_and_one_on_its_way_is_not_sent_again() {
        let (mut withdrawals, now) = (Withdrawals::default(), Instant::now());
        let (first, second) = (withdrawal("m", 1), withdrawal("m", 2));
        withdrawals.add(first.clone(), now);
        withdrawals.add(second.clone(), now);
        withdrawals.sent(&[0, 1]);
        assert!(withdrawals.cancel(
            &Arc::new(MetricInfo { unit: "s".into(), ..(*first.info).clone() }),
            &first.own,
            false
        ));
        assert!(!withdrawals.cancel(&first.info, &first.own, false));
        assert!(!withdrawals.cancel(&second.info, &second.own, true));
        withdrawals.put_back(&[0, 1], None);
        assert_eq!(waiting(&withdrawals), [1]);
        withdrawals.add(second, now);
        assert_eq!(waiting(&withdrawals), [2]);
        withdrawals.forget(&[0, 1, 2]);
        assert!(withdrawals.is_empty() && withdrawals.by_identity.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn what_rests_wakes_at_the_first_time_that_was_asked_for() {
        let (mut withdrawals, now) = (Withdrawals::default(), Instant::now());
        for value in 0..2 {
            withdrawals.add(withdrawal("m", value), now);
        }
        withdrawals.sent(&[0, 1]);
        withdrawals.put_back(&[0], Some(now + Duration::from_secs(60)));
        withdrawals.put_back(&[1], Some(now + Duration::from_secs(90)));
        assert!(!withdrawals.is_waiting());
        assert_eq!(withdrawals.next_deadline(), Some(now + Duration::from_secs(60)));
        withdrawals.tidy(0, now + Duration::from_secs(59));
        assert!(!withdrawals.is_waiting());
        withdrawals.tidy(0, now + Duration::from_secs(60));
        assert_eq!(waiting(&withdrawals), [0, 1]);
    }
}

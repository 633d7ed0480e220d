//! What shared parts of expressions gave for the event at hand.
//!
//! In: a part, how to evaluate it, the budget of whoever needs it. Out: what it gives, evaluated once. Must never know: trees,
//! metrics, who else has needed it.
//!
//! Whoever finds a part evaluated is charged what that took, so its steps, its bytes and its errors are those that it would
//! have by itself: nobody's budget tells anything of others.

use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use super::{Budget, Outcome};
use crate::error::EvaluationError;

/// What evaluating a part gives.
type Evaluated<'r> = Result<Outcome<'r>, EvaluationError>;

/// The parts that were evaluated for one event. `'r` is the lifetime of the row and of the expressions.
#[derive(Debug, Default)]
pub(crate) struct Memo<'r>(RefCell<Entries<'r>>);

#[derive(Debug, Default)]
struct Entries<'r> {
    list: Vec<Remembered<'r>>,
    /// What they have built.
    bytes: u64,
}

/// The buffer of a [`Memo`], between events.
#[derive(Debug, Default)]
pub(crate) struct Memory(Vec<Remembered<'static>>);

/// What a part gave, and what that took.
#[derive(Debug)]
struct Remembered<'r> {
    mark: &'r Mark,
    outcome: Evaluated<'r>,
    steps: u64,
    bytes: u64,
}

/// Where a part is remembered, if it is.
///
/// Invariant: a memo's entry for a part names the mark of that part, so a place that is left from another event misleads
/// nobody.
#[derive(Debug, Default)]
pub(crate) struct Mark {
    /// Whether the part was met in several expressions; once it was, that stays.
    several: AtomicBool,
    place: AtomicU32,
}

/// How many bytes are remembered at most: what many tenants build for one event is not all held at once.
const MOST_BYTES: u64 = 1024 * 1024;

// === impl Memory ===

impl Memory {
    /// An empty memo in this buffer.
    pub(crate) fn take<'r>(&mut self) -> Memo<'r> {
        Memo(RefCell::new(Entries { list: emptied(std::mem::take(&mut self.0)), bytes: 0 }))
    }

    /// Keeps the buffer of a memo for the next.
    pub(crate) fn give_back(&mut self, memo: Memo<'_>) {
        self.0 = emptied(memo.0.into_inner().list);
    }
}

/// The same buffer with nothing in it, so without anything that lifetimes are about. Collected in place.
fn emptied<'to>(mut entries: Vec<Remembered<'_>>) -> Vec<Remembered<'to>> {
    entries.clear();
    let nothing = |_: Remembered<'_>| -> Remembered<'to> { unreachable!("it was cleared") };
    entries.into_iter().map(nothing).collect()
}

// === impl Memo ===

impl<'r> Memo<'r> {
    /// What a part gives: as it was, if it was evaluated before and the budget suffices for what that took; otherwise as
    /// `work` says.
    pub(super) fn once(
        &self,
        mark: &'r Mark,
        budget: &mut Budget,
        work: impl FnOnce(&mut Budget) -> Evaluated<'r>,
    ) -> Evaluated<'r> {
        let mut known = false;
        if let Some(entry) = self.0.borrow().find(mark) {
            if budget.afford(entry.steps, entry.bytes) {
                return entry.outcome.clone();
            }
            known = true;
        }
        let before = *budget;
        let outcome = work(budget);
        // What ended for want of budget would not have ended with another one.
        if !known && !budget.is_exhausted() {
            let (steps, bytes) = (before.steps - budget.steps, before.bytes - budget.bytes);
            self.0.borrow_mut().enter(mark, &outcome, steps, bytes);
        }
        outcome
    }

    /// How many parts were evaluated.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.borrow().list.len()
    }
}

// === impl Mark ===

impl Mark {
    /// Notes that the part is met in one more expression than before.
    pub(super) fn meet_again(&self) {
        self.several.store(true, Ordering::Relaxed);
    }

    /// Whether remembering what the part gives can pay.
    pub(super) fn is_met_again(&self) -> bool {
        self.several.load(Ordering::Relaxed)
    }
}

// === impl Entries ===

impl<'r> Entries<'r> {
    fn find(&self, mark: &Mark) -> Option<&Remembered<'r>> {
        let entry = self.list.get(mark.place.load(Ordering::Relaxed) as usize)?;
        std::ptr::eq(entry.mark, mark).then_some(entry)
    }

    fn enter(&mut self, mark: &'r Mark, outcome: &Evaluated<'r>, steps: u64, bytes: u64) {
        let (Ok(place), true) = (u32::try_from(self.list.len()), self.bytes + bytes <= MOST_BYTES) else {
            return;
        };
        mark.place.store(place, Ordering::Relaxed);
        self.bytes += bytes;
        self.list.push(Remembered { mark, outcome: outcome.clone(), steps, bytes });
    }
}

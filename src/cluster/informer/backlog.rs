//! Changes that wait because the engine is busy: of each object only the latest.
//!
//! In: changes in order. Out: changes in an order that ends in the same state. Must never know: channels, time. Pure.
//!
//! The reader of a watch never waits: an API server closes watches that are not read. What is between two borders
//! (the begin and the end of a list, an object that could not be identified) stays between them.

use std::collections::{HashMap, VecDeque};

use celemetry_engine::change::{Change, Origin};
use celemetry_engine::row::ObjectKey;

/// Changes that wait.
///
/// Invariant: `latest` holds exactly the changes that `order` names.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    order: VecDeque<Entry>,
    latest: HashMap<(u64, ObjectKey), Change>,
    /// How many borders were pushed: changes of one object on two sides of a border are two entries.
    borders: u64,
}

#[derive(Debug)]
enum Entry {
    Border(Change),
    Object(u64, ObjectKey),
}

/// Objects whose changes may wait, at about a kilobyte each. Beyond it a list is cheaper than what was missed.
pub(super) const MOST_WAITING: usize = 10_000;

// === impl Backlog ===

impl Backlog {
    /// Adds a change, or lets it take the place of an older one of its object.
    pub(super) fn push(&mut self, change: Change) {
        let Some(key) = object_of(&change) else {
            self.borders += 1;
            return self.order.push_back(Entry::Border(change));
        };
        let at = (self.borders, key);
        match self.latest.get_mut(&at) {
            None => {
                self.latest.insert(at, change);
                self.order.push_back(Entry::Object(self.borders, key));
            }
            Some(waiting) if replaces(&change, waiting) => *waiting = change,
            Some(_) => {}
        }
    }

    /// Takes the oldest change.
    pub(super) fn pop(&mut self) -> Option<Change> {
        match self.order.pop_front()? {
            Entry::Border(change) => Some(change),
            Entry::Object(border, key) => self.latest.remove(&(border, key)),
        }
    }

    /// How many changes wait.
    pub(super) fn len(&self) -> usize {
        self.order.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// Whether more wait than may: everything is to be forgotten, and listed again.
    pub(super) fn overflows(&self) -> bool {
        self.order.len() > MOST_WAITING
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.order.clear();
        self.latest.clear();
    }
}

fn object_of(change: &Change) -> Option<ObjectKey> {
    match change {
        Change::Upsert { row, .. } => Some(row.key()),
        Change::Delete { key } | Change::Undecodable { key: Some(key) } => Some(*key),
        Change::Begin { .. } | Change::End | Change::Undecodable { key: None } => None,
    }
}

/// Whether a later change says all that an earlier one did. What was listed may be older than what was watched, and an
/// object that cannot be read leaves what is known of it.
fn replaces(later: &Change, earlier: &Change) -> bool {
    match (later, earlier) {
        (Change::Undecodable { .. }, _) => false,
        (Change::Upsert { origin: Origin::List, .. }, Change::Upsert { origin, .. }) => {
            *origin == Origin::List
        }
        (Change::Upsert { origin: Origin::List, .. }, Change::Delete { .. }) => false,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use celemetry_engine::row::{Decoder, Defaults, FieldPlan, HashSeed, Row};
    use proptest::prelude::*;

    use super::*;

    fn row(uid: u8, version: u32) -> Row {
        let mut decoder = Decoder::new(Arc::new(FieldPlan::new(HashSeed::default())));
        let object =
            format!(r#"{{"kind":"Pod","metadata":{{"uid":"{uid}","resourceVersion":"{version}"}}}}"#);
        decoder.decode(object.as_bytes(), Defaults::default()).unwrap()
    }

    fn upsert(uid: u8, version: u32, origin: Origin) -> Change {
        Change::Upsert { row: row(uid, version), origin }
    }

    fn drain(backlog: &mut Backlog) -> Vec<Change> {
        std::iter::from_fn(|| backlog.pop()).collect()
    }

    #[test]
    fn of_each_object_only_the_latest_change_waits() {
        let mut backlog = Backlog::default();
        for version in 0..100_000 {
            backlog.push(upsert(1, version, Origin::Watch));
        }
        assert_eq!(backlog.len(), 1);
        let changes = drain(&mut backlog);
        assert!(matches!(&changes[..], [Change::Upsert { row, .. }] if row.resource_version() == "99999"));
    }

    #[test]
    fn nothing_is_merged_over_a_border() {
        let mut backlog = Backlog::default();
        backlog.push(upsert(1, 1, Origin::Watch));
        backlog.push(Change::Begin { epoch: 1 });
        backlog.push(upsert(1, 2, Origin::List));
        backlog.push(Change::End);
        backlog.push(upsert(1, 3, Origin::Watch));
        assert_eq!(drain(&mut backlog).len(), 5);
    }

    #[test]
    fn more_objects_than_may_wait_are_noticed() {
        let mut backlog = Backlog::default();
        for uid in 0..=u8::MAX {
            backlog.push(upsert(uid, 1, Origin::Watch));
        }
        assert!(!backlog.overflows());
        for _ in 0..MOST_WAITING {
            backlog.push(Change::Undecodable { key: None });
        }
        assert!(backlog.overflows());
        backlog.clear();
        assert!(backlog.is_empty() && backlog.pop().is_none());
    }

    /// What the engine's source keeps, read literally: the version of each object, and who has shown it since Begin.
    #[derive(Debug, Default, PartialEq)]
    struct Model {
        objects: std::collections::BTreeMap<ObjectKey, String>,
        watched: std::collections::BTreeSet<ObjectKey>,
        seen: std::collections::BTreeSet<ObjectKey>,
        listing: bool,
    }

    impl Model {
        fn apply(&mut self, change: &Change) {
            match change {
                Change::Begin { .. } => {
                    self.watched.clear();
                    self.seen.clear();
                    self.listing = true;
                }
                Change::Upsert { row, origin } => {
                    let known_better = self.listing && self.watched.contains(&row.key());
                    if *origin == Origin::Watch || !known_better {
                        self.objects.insert(row.key(), row.resource_version().to_owned());
                    }
                    self.seen.insert(row.key());
                    if *origin == Origin::Watch {
                        self.watched.insert(row.key());
                    }
                }
                Change::Delete { key } => {
                    self.objects.remove(key);
                    self.watched.insert(*key);
                }
                Change::Undecodable { key: Some(key) } => drop(self.seen.insert(*key)),
                Change::Undecodable { key: None } => {}
                Change::End => {
                    self.objects.retain(|key, _| !self.listing || self.seen.contains(key));
                    self.listing = false;
                }
            }
        }
    }

    fn change() -> impl Strategy<Value = Change> {
        prop_oneof![
            6 => (0..4u8, 0..100u32).prop_map(|(uid, version)| upsert(uid, version, Origin::Watch)),
            4 => (0..4u8, 0..100u32).prop_map(|(uid, version)| upsert(uid, version, Origin::List)),
            3 => (0..4u8).prop_map(|uid| Change::Delete { key: row(uid, 0).key() }),
            2 => (0..4u8).prop_map(|uid| Change::Undecodable { key: Some(row(uid, 0).key()) }),
            1 => Just(Change::Begin { epoch: 1 }),
            1 => Just(Change::End),
        ]
    }

    proptest! {
        /// Whenever the engine comes to take changes, it ends where it had ended with all of them.
        #[test]
        fn what_waits_ends_in_the_same_state(changes in prop::collection::vec((change(), 0..3usize), 1..60)) {
            let (mut all, mut coalesced) = (Model::default(), Model::default());
            let mut backlog = Backlog::default();
            for (change, taken) in changes {
                // Nothing is listed but between a Begin and its End.
                let is_listed = matches!(change, Change::Upsert { origin: Origin::List, .. });
                if is_listed && !all.listing {
                    continue;
                }
                all.apply(&change);
                backlog.push(change);
                for _ in 0..taken {
                    backlog.pop().iter().for_each(|change| coalesced.apply(change));
                }
            }
            drain(&mut backlog).iter().for_each(|change| coalesced.apply(change));
            prop_assert_eq!(all.objects, coalesced.objects);
        }
    }
}

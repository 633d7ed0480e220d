//! What a reader who has seen one table of a metric has to learn from a later one.
//!
//! In: two tables. Out: the series that changed and those that are gone. Must never know: what the reader does with it.
//!
//! Snapshots name their own changes, for whoever reads every one. Whoever skips some compares the last table it has
//! read with the latest: pages that both share are passed over, so this costs what has changed, not what is there.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Attributes, MetricTable, PAGE, Page, Series};

/// The differences between two tables of one metric.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Difference {
    /// Series of the later table that are new, have another number or stand elsewhere, in the order of their slots.
    pub changed: Vec<ChangedSeries>,
    /// Series that the later table lacks, in the order of their attributes.
    pub vanished: Vec<VanishedSeries>,
}

/// A series of the later table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChangedSeries {
    /// Where it stands.
    pub slot: u32,
    /// Where it stood in the earlier table; `None` for one that is new.
    pub was: Option<u32>,
}

/// A series of the earlier table.
#[derive(Clone, Debug, PartialEq)]
pub struct VanishedSeries {
    /// Where it stood.
    pub slot: u32,
    /// Which it was.
    pub attributes: Arc<Attributes>,
}

impl MetricTable {
    /// What changed since `earlier`, a table of the same metric. Where the metric's names or its shape have changed the
    /// two have nothing in common: everything old is gone, and everything is new.
    pub fn difference(&self, earlier: &MetricTable) -> Difference {
        if self.info != earlier.info || self.shape != earlier.shape {
            return Difference::between(self.iter(), earlier.iter());
        }
        let mut changed = Vec::new();
        let (mut came, mut gone) = (Vec::new(), Vec::new());
        for number in 0..self.pages.len().max(earlier.pages.len()) {
            let pages = (earlier.pages.get(number), self.pages.get(number));
            if let (Some(before), Some(after)) = pages
                && Arc::ptr_eq(before, after)
            {
                continue;
            }
            for slot in slots_of(number) {
                match (earlier.get(slot), self.get(slot)) {
                    (Some(before), Some(after)) if same_attributes(pages, before, after) => {
                        if before.number != after.number {
                            changed.push(ChangedSeries { slot, was: Some(slot) });
                        }
                    }
                    (before, after) => {
                        gone.extend(before);
                        came.extend(after);
                    }
                }
            }
        }
        let mut moved = Difference::matching(&came, &gone);
        moved.changed.append(&mut changed);
        moved.changed.sort_unstable_by_key(|series| series.slot);
        moved
    }
}

impl Difference {
    /// Whether the reader has nothing to learn.
    pub fn is_empty(&self) -> bool {
        self.changed.is_empty() && self.vanished.is_empty()
    }

    /// All of `after` is new, all of `before` is gone.
    fn between<'t>(
        after: impl Iterator<Item = Series<'t>>,
        before: impl Iterator<Item = Series<'t>>,
    ) -> Difference {
        let changed = after.map(|series| ChangedSeries { slot: series.slot, was: None }).collect();
        let mut vanished: Vec<_> = before.map(VanishedSeries::of).collect();
        vanished.sort_unstable_by(|a, b| a.attributes.cmp(&b.attributes));
        Difference { changed, vanished }
    }

    /// As [`between`](Self::between), but what is in both has moved.
    fn matching(after: &[Series<'_>], before: &[Series<'_>]) -> Difference {
        if before.is_empty() || after.is_empty() {
            return Difference::between(after.iter().copied(), before.iter().copied());
        }
        let mut left: BTreeMap<&Attributes, Series<'_>> =
            before.iter().map(|series| (&**series.attributes, *series)).collect();
        let changed = after
            .iter()
            .map(|series| {
                let was = left.remove(&**series.attributes).map(|before| before.slot);
                ChangedSeries { slot: series.slot, was }
            })
            .collect();
        Difference { changed, vanished: left.into_values().map(VanishedSeries::of).collect() }
    }
}

impl VanishedSeries {
    fn of(series: Series<'_>) -> Self {
        VanishedSeries { slot: series.slot, attributes: Arc::clone(series.attributes) }
    }
}

fn slots_of(page: usize) -> std::ops::Range<u32> {
    let slot = |page: usize| u32::try_from(page * PAGE).expect("series are limited far below 2^32");
    slot(page)..slot(page + 1)
}

/// Pages with other numbers mostly share their attributes.
fn same_attributes(pages: (Option<&Arc<Page>>, Option<&Arc<Page>>), a: Series<'_>, b: Series<'_>) -> bool {
    let shared = matches!(pages, (Some(a), Some(b)) if Arc::ptr_eq(&a.attributes, &b.attributes));
    shared || Arc::ptr_eq(a.attributes, b.attributes) || a.attributes == b.attributes
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::definition::{Aggregation, MetricInfo, ValueKind};
    use crate::snapshot::{MetricShape, Number};

    fn attributes(name: u8) -> Arc<Attributes> {
        Arc::new(Attributes::new([(Arc::from("name"), name.to_string().into())]))
    }

    fn empty() -> MetricTable {
        MetricTable::new(Arc::new(MetricInfo::default()), MetricShape::CountOfObjects)
    }

    /// Series of these slots, names and numbers.
    fn table(series: &[(u32, u8, i64)]) -> MetricTable {
        let mut table = empty();
        for (slot, name, number) in series {
            table.insert(*slot, attributes(*name), Number::Integer(*number));
        }
        table
    }

    /// As text: changed slots with where the series stood before, then the names of what is gone.
    fn told(difference: &Difference) -> String {
        let changed = difference.changed.iter().map(|series| match series.was {
            Some(was) => format!("{was}->{} ", series.slot),
            None => format!("new->{} ", series.slot),
        });
        let vanished = difference.vanished.iter().map(|series| {
            format!("gone {} from {} ", series.attributes.get("name").unwrap_or_default(), series.slot)
        });
        changed.chain(vanished).collect()
    }

    #[test]
    fn a_number_a_new_series_and_a_gone_one_are_told() {
        let before = table(&[(0, 1, 10), (1, 2, 20), (40, 3, 30)]);
        let mut after = before.clone();
        after.replace(0, Number::Integer(11));
        after.remove(1);
        after.insert(70, attributes(4), Number::Integer(0));
        assert_eq!(told(&after.difference(&before)), "0->0 new->70 gone 2 from 1 ");
        assert!(after.difference(&after.clone()).is_empty());
    }

    #[test]
    fn a_slot_that_another_series_has_taken_is_one_gone_and_one_new() {
        let before = table(&[(5, 1, 10)]);
        let mut after = before.clone();
        after.remove(5);
        after.insert(5, attributes(2), Number::Integer(10));
        assert_eq!(told(&after.difference(&before)), "new->5 gone 1 from 5 ");
    }

    #[test]
    fn a_series_that_moved_is_changed_not_gone() {
        let difference = table(&[(1, 1, 10), (0, 2, 20)]).difference(&table(&[(0, 1, 10), (1, 2, 20)]));
        assert_eq!(told(&difference), "1->0 0->1 ");
    }

    #[test]
    fn another_name_or_shape_has_nothing_in_common() {
        let before = table(&[(0, 1, 10)]);
        let mut renamed = before.clone();
        renamed.info = Arc::new(MetricInfo { name: "n".into(), ..MetricInfo::default() });
        let mut reshaped = before.clone();
        reshaped.shape = MetricShape::Aggregate(ValueKind::Integer, Aggregation::Max);
        for after in [renamed, reshaped] {
            assert_eq!(told(&after.difference(&before)), "new->0 gone 1 from 0 ");
        }
    }

    #[test]
    fn shared_pages_are_not_looked_at() {
        let before = table(&[(0, 1, 10), (40, 2, 20)]);
        let mut after = before.clone();
        after.replace(40, Number::Integer(21));
        // A page that is shared is the same page: what differs here cannot be seen.
        assert!(Arc::ptr_eq(&before.pages[0], &after.pages[0]));
        assert!(!Arc::ptr_eq(&before.pages[1], &after.pages[1]));
        assert!(Arc::ptr_eq(&before.pages[1].attributes, &after.pages[1].attributes));
        assert_eq!(told(&after.difference(&before)), "40->40 ");
    }

    #[derive(Clone, Debug)]
    enum Step {
        Put(u32, u8, i64),
        Take(u32),
        /// The table is built anew, every series elsewhere.
        Rebuild(u32),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            6 => (0..80u32, 0..40u8, 0..3i64).prop_map(|(slot, name, number)| Step::Put(slot, name, number)),
            3 => (0..80u32).prop_map(Step::Take),
            1 => (0..80u32).prop_map(Step::Rebuild),
        ]
    }

    /// No two series of a table have the same attributes.
    fn apply(table: &mut MetricTable, step: &Step) {
        match step {
            Step::Put(slot, name, number) => match table.get(*slot) {
                Some(_) => drop(table.replace(*slot, Number::Integer(*number))),
                None if table.iter().any(|series| *series.attributes == attributes(*name)) => {}
                None => table.insert(*slot, attributes(*name), Number::Integer(*number)),
            },
            Step::Take(slot) => drop(table.remove(*slot)),
            Step::Rebuild(shift) => {
                let mut rebuilt = empty();
                for series in table.iter() {
                    let attributes = Arc::new(Attributes::clone(series.attributes));
                    rebuilt.insert((series.slot + shift) % 80, attributes, series.number);
                }
                *table = rebuilt;
            }
        }
    }

    /// Every pair of series looked at, nothing shared made use of.
    fn naive(before: &MetricTable, after: &MetricTable) -> Difference {
        let mut difference = Difference::default();
        for series in after.iter() {
            let was = before.iter().find(|old| old.attributes == series.attributes);
            let same = was.is_some_and(|old| (old.slot, old.number) == (series.slot, series.number));
            if !same {
                let was = was.map(|old| old.slot);
                difference.changed.push(ChangedSeries { slot: series.slot, was });
            }
        }
        for series in before.sorted() {
            if !after.iter().any(|new| new.attributes == series.attributes) {
                difference.vanished.push(VanishedSeries::of(series));
            }
        }
        difference
    }

    proptest! {
        #[test]
        fn any_two_tables_differ_as_the_naive_comparison_says(
            first in prop::collection::vec(step(), 0..60),
            second in prop::collection::vec(step(), 0..40),
        ) {
            let mut before = empty();
            first.iter().for_each(|step| apply(&mut before, step));
            let mut after = before.clone();
            second.iter().for_each(|step| apply(&mut after, step));
            prop_assert_eq!(after.difference(&before), naive(&before, &after));
            prop_assert_eq!(before.difference(&after), naive(&after, &before));
        }
    }
}

//! The series of one metric: which there are, what each comes to, which have changed.
//!
//! In: attributes, and amounts added to and taken back from their series. Out: at a flush, rows of the metric's table.
//! Must never know: objects, expressions, when a flush is due.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::sync::Arc;

use super::accumulator::Accumulator;
use super::amount::Amount;
use super::identity::SeriesKey;
use crate::definition::{Aggregation, Definition, TextForm};
use crate::hash::Prehashed;
use crate::row::HashSeed;
use crate::snapshot::{Attributes, MetricShape, MetricTable, Number};

/// All series of one metric.
///
/// At most `max_series` series are live at a time. What is opened beyond goes to the overflow series, whose attribute is
/// [`crate::snapshot::OVERFLOW_ATTRIBUTE`]; a contribution stays where it went, so counts and sums over all series are right
/// whatever is taken back later.
///
/// A metric that counts and has no projections has one permanent series, with value 0 where nothing matches.
///
/// Invariant: between flushes, a slot that has been named by [`SeriesStore::open`] or in a table stays its series'. A
/// series without contributors is freed at the flush that names it vanished; its slot may then be another's.
#[derive(Debug)]
pub struct SeriesStore {
    shape: MetricShape,
    text: TextForm,
    max_series: usize,
    permanent: Option<u32>,
    /// The overflow series, while anything has gone there.
    overflow: Option<u32>,
    slots: Vec<Slot>,
    /// Slots that hold no series, the next to be used last.
    free: Vec<u32>,
    /// Every slot that holds a series. Never iterated, since its order means nothing.
    by_key: HashMap<SeriesKey, u32, Prehashed>,
    seed: HashSeed,
    /// Slots to look at in the next flush, each once.
    dirty: Vec<u32>,
    /// How many slots are [`Slot::live`], the permanent and the overflow series aside.
    live: usize,
    /// What attributes and accumulators hold outside their slots.
    outside: usize,
}

/// A place for a series. 80 bytes.
#[derive(Debug)]
struct Slot {
    /// Nothing where there is no series.
    key: Option<SeriesKey>,
    accumulator: Accumulator,
    /// Nothing where there is no series.
    attributes: Option<Arc<Attributes>>,
    /// Opened or contributed to, and not emptied since: counted against the limit.
    live: bool,
    /// In the table as of the last flush.
    published: bool,
    /// In the list of dirty slots.
    dirty: bool,
}

// === impl SeriesStore ===

impl SeriesStore {
    /// No series yet, except for the permanent one of a count without projections.
    /// `seed` keys the hashes of attributes, which tenants choose.
    pub fn new(definition: &Definition, seed: HashSeed) -> Self {
        let shape = MetricShape::of(definition);
        let mut store = SeriesStore {
            shape,
            text: definition.text,
            max_series: definition.max_series,
            permanent: None,
            overflow: None,
            slots: Vec::new(),
            free: Vec::new(),
            by_key: HashMap::with_hasher(Prehashed),
            seed,
            dirty: Vec::new(),
            live: 0,
            outside: 0,
        };
        let counts =
            matches!(shape, MetricShape::CountOfObjects | MetricShape::Aggregate(_, Aggregation::Count));
        if counts && definition.projections.is_empty() {
            store.permanent = Some(store.occupy(Attributes::default()));
        }
        store
    }

    /// The key of the series with these attributes. Names are sorted, each once.
    pub fn key<N: Borrow<Arc<str>>, T: AsRef<str>>(&self, pairs: &[(N, T)]) -> SeriesKey {
        SeriesKey::of(self.seed, pairs)
    }

    /// The slot of the series with this key, if it is known.
    pub fn find(&self, key: SeriesKey) -> Option<u32> {
        self.by_key.get(&key).copied()
    }

    /// Whether the series at `slot` has this key.
    pub fn is_at(&self, slot: u32, key: SeriesKey) -> bool {
        self.slots.get(slot as usize).is_some_and(|series| series.key == Some(key))
    }

    /// Whether `slot` is that of the overflow series.
    pub fn is_overflow(&self, slot: u32) -> bool {
        self.overflow == Some(slot)
    }

    /// The slot of the series with these attributes, which is made if it is not there; beyond the limit, the overflow
    /// series; and so beyond `most` live series, where others need the room. `key` is that of `pairs`. Nothing is allocated
    /// where the series is known.
    pub fn open<N: Borrow<Arc<str>>, T: AsRef<str>>(
        &mut self,
        key: SeriesKey,
        pairs: &[(N, T)],
        most: usize,
    ) -> u32 {
        match self.find(key) {
            Some(slot) if self.slots[slot as usize].live || !self.is_counted(slot) => slot,
            _ if self.live >= self.max_series.min(most) => self.open_overflow(),
            Some(slot) => {
                self.enliven(slot);
                slot
            }
            None => {
                self.reclaim();
                let owned =
                    pairs.iter().map(|(name, text)| (Arc::clone(name.borrow()), Box::from(text.as_ref())));
                let slot = self.occupy(Attributes::new(owned));
                self.enliven(slot);
                slot
            }
        }
    }

    /// Adds an amount to the series at `slot`.
    ///
    /// # Panics
    ///
    /// If no series has that slot, and as [`Accumulator::add`].
    pub fn add(&mut self, slot: u32, amount: Amount) {
        let accumulator = &mut self.slots[slot as usize].accumulator;
        let before = accumulator.outside();
        accumulator.add(amount);
        self.outside = self.outside + accumulator.outside() - before;
        self.enliven(slot);
        self.mark(slot);
    }

    /// Takes an amount back that was added to the series at `slot`.
    ///
    /// # Panics
    ///
    /// If no series has that slot, and as [`Accumulator::retract`].
    pub fn retract(&mut self, slot: u32, amount: Amount) {
        let accumulator = &mut self.slots[slot as usize].accumulator;
        let before = accumulator.outside();
        accumulator.retract(amount);
        self.outside = self.outside + accumulator.outside() - before;
        if accumulator.contributors() == 0 {
            self.deaden(slot);
        }
        self.mark(slot);
    }

    /// Whether a flush has anything to look at. What it finds may be that nothing changed.
    pub fn is_dirty(&self) -> bool {
        !self.dirty.is_empty()
    }

    /// Whether the overflow series stands for attributes that found no place.
    pub fn is_overflowing(&self) -> bool {
        self.overflow.is_some_and(|slot| self.slots[slot as usize].live)
    }

    /// How many series are live, the permanent and the overflow series included.
    pub fn len(&self) -> usize {
        self.live + usize::from(self.permanent.is_some()) + usize::from(self.is_overflowing())
    }

    /// How many series are live and count against limits: all but the permanent and the overflow series.
    pub fn live(&self) -> usize {
        self.live
    }

    /// What the series take, in bytes: slots, the index of keys, attributes, and what accumulators hold besides. Slots of
    /// series that are gone count, as their memory is kept.
    pub fn bytes(&self) -> usize {
        const OF_SLOT: usize = size_of::<Slot>();
        const OF_KEY: usize = size_of::<(SeriesKey, u32)>();
        self.slots.len() * OF_SLOT + self.by_key.len() * OF_KEY + self.outside
    }

    /// Whether no series is live.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether any live series is a sum of integers that 64 bits cannot hold. Looks at every series.
    pub fn is_beyond_64_bits(&self) -> bool {
        self.slots.iter().any(|slot| slot.accumulator.is_beyond_64_bits())
    }

    /// Brings `table` up to date, and tells the slots of series that are new or have another value than in the table, and
    /// the attributes of those that are gone. A series that came and went since the last flush is not named, nor one whose
    /// value is again what the table has. Takes time in the number of touched series, not of all.
    ///
    /// `table` must be the one of the previous flush, or a clone of it.
    pub fn flush(
        &mut self,
        table: &mut MetricTable,
        changed: &mut Vec<u32>,
        vanished: &mut Vec<Arc<Attributes>>,
    ) {
        let mut dirty = std::mem::take(&mut self.dirty);
        // Objects that a list has not shown are taken back in the order of a hash map, which must not show.
        dirty.sort_unstable();
        for &slot in &dirty {
            let series = &mut self.slots[slot as usize];
            series.dirty = false;
            let Some(attributes) = &series.attributes else { continue };
            let value = series.accumulator.value();
            let value = value.or_else(|| (self.permanent == Some(slot)).then_some(Number::Integer(0)));
            match (value, series.published) {
                (Some(number), true) => {
                    if table.replace(slot, number) {
                        changed.push(slot);
                    }
                }
                (Some(number), false) => {
                    table.insert(slot, Arc::clone(attributes), number);
                    series.published = true;
                    changed.push(slot);
                }
                (None, published) => {
                    if published {
                        vanished.extend(table.remove(slot));
                    }
                    self.vacate(slot);
                }
            }
        }
        self.recycle(dirty);
    }

    /// Keeps the memory of a list of dirty slots for the next.
    fn recycle(&mut self, mut dirty: Vec<u32>) {
        dirty.clear();
        self.dirty = dirty;
    }

    fn open_overflow(&mut self) -> u32 {
        if let Some(slot) = self.overflow {
            self.slots[slot as usize].live = true;
            return slot;
        }
        let key = SeriesKey::of_attributes(self.seed, &Attributes::overflow());
        let slot = match self.by_key.get(&key) {
            // A metric whose projections give just this attribute has one series for both.
            Some(&slot) => slot,
            None => self.occupy(Attributes::overflow()),
        };
        self.deaden(slot);
        self.overflow = Some(slot);
        self.slots[slot as usize].live = true;
        slot
    }

    /// Puts a series without contributors into a free slot.
    fn occupy(&mut self, attributes: Attributes) -> u32 {
        let attributes = Arc::new(attributes);
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot::vacant(self.shape, self.text));
            self.outside += self.slots.last().map_or(0, |slot| slot.accumulator.outside());
            u32::try_from(self.slots.len() - 1).expect("there are fewer than 2^32 slots")
        });
        let key = SeriesKey::of_attributes(self.seed, &attributes);
        self.outside += attributes.bytes();
        self.slots[slot as usize].key = Some(key);
        self.slots[slot as usize].attributes = Some(attributes);
        self.by_key.insert(key, slot);
        self.mark(slot);
        slot
    }

    /// Frees a slot without contributors.
    fn vacate(&mut self, slot: u32) {
        self.deaden(slot);
        if self.overflow == Some(slot) {
            self.overflow = None;
        }
        let series = &mut self.slots[slot as usize];
        series.published = false;
        self.outside -= series.attributes.take().map_or(0, |attributes| attributes.bytes());
        if let Some(key) = series.key.take() {
            self.by_key.remove(&key);
            self.free.push(slot);
        }
    }

    /// Frees series that came and went since the last flush, once they are more than those that count.
    fn reclaim(&mut self) {
        const ALWAYS_KEPT: usize = 64;
        if self.by_key.len() <= self.max_series.saturating_add(ALWAYS_KEPT).saturating_mul(3) {
            return;
        }
        let mut dirty = self.dirty.clone();
        dirty.sort_unstable();
        for slot in dirty {
            let series = &self.slots[slot as usize];
            if !series.live && !series.published && self.is_counted(slot) {
                self.vacate(slot);
            }
        }
    }

    /// Whether the series counts against the limit.
    fn is_counted(&self, slot: u32) -> bool {
        self.permanent != Some(slot) && self.overflow != Some(slot)
    }

    fn enliven(&mut self, slot: u32) {
        let counted = self.is_counted(slot);
        let series = &mut self.slots[slot as usize];
        self.live += usize::from(counted && !series.live);
        series.live = true;
    }

    fn deaden(&mut self, slot: u32) {
        let counted = self.is_counted(slot);
        let series = &mut self.slots[slot as usize];
        self.live -= usize::from(counted && series.live);
        series.live = false;
    }

    /// Whether what is held outside slots is what was counted.
    #[cfg(test)]
    pub(super) fn is_accounted(&self) -> bool {
        let attributes = |slot: &Slot| slot.attributes.as_ref().map_or(0, |attributes| attributes.bytes());
        let outside = self.slots.iter().map(|slot| slot.accumulator.outside() + attributes(slot));
        self.outside == outside.sum::<usize>()
    }

    /// Whether no memory of any series is left.
    #[cfg(test)]
    pub(super) fn holds_nothing(&self) -> bool {
        let vacant = |slot: &Slot| slot.attributes.is_none() && !slot.live && !slot.published && !slot.dirty;
        let no_index = self.by_key.is_empty() && self.dirty.is_empty() && self.overflow.is_none();
        no_index && self.live == 0 && self.free.len() == self.slots.len() && self.slots.iter().all(vacant)
    }

    fn mark(&mut self, slot: u32) {
        let series = &mut self.slots[slot as usize];
        if !series.dirty {
            series.dirty = true;
            self.dirty.push(slot);
        }
    }
}

// === impl Slot ===

impl Slot {
    fn vacant(shape: MetricShape, text: TextForm) -> Self {
        Slot {
            key: None,
            accumulator: Accumulator::new(shape, text),
            attributes: None,
            live: false,
            published: false,
            dirty: false,
        }
    }
}

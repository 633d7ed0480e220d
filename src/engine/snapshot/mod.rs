//! What a flush hands out: the full table of all series, and what changed in it.
//!
//! In: series. Out: immutable tables that any number of readers share. Must never know: how series are kept right,
//! or who exports them.

mod difference;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use difference::{ChangedSeries, Difference, VanishedSeries};

use crate::definition::{Aggregation, Definition, MetricInfo, ValueKind};

/// Identifies one registered metric for the life of an engine; never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MetricId(pub u64);

/// The state of all metrics as of their last flush, and what the latest flush changed.
///
/// Invariant: a reader that skips snapshots and takes only the latest misses no state, only the lists of changes; it gets
/// them from [`MetricTable::difference`].
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// Every metric whose first list is complete.
    pub metrics: BTreeMap<MetricId, Arc<MetricTable>>,
    /// Series that are new or have another value than at the metric's previous flush.
    pub changed: Vec<SeriesRef>,
    /// Series that are gone since the metric's previous flush.
    pub vanished: Vec<Vanished>,
}

/// All series of one metric.
#[derive(Clone, Debug)]
pub struct MetricTable {
    /// The metric's names.
    pub info: Arc<MetricInfo>,
    /// What its numbers are.
    pub shape: MetricShape,
    pages: Vec<Arc<Page>>,
    len: usize,
}

/// What the numbers of a metric are, which decides their OTLP kind and Prometheus name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MetricShape {
    /// A number of objects.
    CountOfObjects,
    /// An aggregate of a value.
    Aggregate(ValueKind, Aggregation),
}

/// Where a series stands in its metric's table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SeriesRef {
    /// Which metric.
    pub metric: MetricId,
    /// Which row of its table; reused once the series has vanished.
    pub slot: u32,
}

/// A series that is gone.
#[derive(Clone, Debug, PartialEq)]
pub struct Vanished {
    /// Which metric it belonged to.
    pub metric: MetricId,
    /// That metric's names, since the metric may be gone too.
    pub info: Arc<MetricInfo>,
    /// That metric's shape.
    pub shape: MetricShape,
    /// The series' attributes.
    pub attributes: Arc<Attributes>,
}

/// The identity of a series within its metric: (name, text) pairs, sorted by name, each name once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Attributes(Box<[(Arc<str>, Box<str>)]>);

/// The name of the attribute that marks the one series into which attribute sets beyond the limit fold. Value `true`.
/// OpenTelemetry, Metrics SDK specification, "Overflow attribute".
pub const OVERFLOW_ATTRIBUTE: &str = "otel.metric.overflow";

/// The value of a series at a flush.
#[derive(Clone, Copy, Debug)]
pub enum Number {
    /// A whole number.
    Integer(i64),
    /// Any other, and whole numbers beyond 64 bits.
    Double(f64),
}

/// One series of a table.
#[derive(Clone, Copy, Debug)]
pub struct Series<'t> {
    /// Its place, the same in every snapshot until it vanishes.
    pub slot: u32,
    /// Its identity.
    pub attributes: &'t Arc<Attributes>,
    /// Its value.
    pub number: Number,
}

/// Slots a page: a flush copies every page that it changes, and counts a reference of every page of the metric.
const PAGE: usize = 32;

/// A fixed run of slots. Attributes and numbers are shared apart: numbers change, attributes come and go.
#[derive(Clone, Debug)]
struct Page {
    attributes: Arc<[Option<Arc<Attributes>>; PAGE]>,
    numbers: Numbers,
}

/// As many [`Number`]s as fit a page, in half the space.
#[derive(Clone, Debug, Default)]
struct Numbers {
    /// Integers and doubles by their bits.
    bits: [u64; PAGE],
    /// Bit `i` is set where number `i` is a double.
    doubles: u32,
}

// === impl MetricShape ===

impl MetricShape {
    /// What the numbers of a metric that is defined so are.
    pub fn of(definition: &Definition) -> Self {
        match &definition.value {
            None => MetricShape::CountOfObjects,
            Some(value) => MetricShape::Aggregate(value.kind, value.aggregation),
        }
    }
}

// === impl MetricTable ===

impl MetricTable {
    /// A table without series.
    pub fn new(info: Arc<MetricInfo>, shape: MetricShape) -> Self {
        MetricTable { info, shape, pages: Vec::new(), len: 0 }
    }

    /// How many series there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is no series.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The series at `slot`, if there is one.
    pub fn get(&self, slot: u32) -> Option<Series<'_>> {
        let (page, index) = (slot as usize / PAGE, slot as usize % PAGE);
        let page = self.pages.get(page)?;
        let attributes = page.attributes[index].as_ref()?;
        Some(Series { slot, attributes, number: page.numbers.get(index) })
    }

    /// All series in the order of their slots, which is no order that means anything.
    pub fn iter(&self) -> impl Iterator<Item = Series<'_>> {
        let slots = u32::try_from(self.pages.len() * PAGE).expect("series are limited far below 2^32");
        (0..slots).filter_map(|slot| self.get(slot))
    }

    /// All series in the order of their attributes.
    pub fn sorted(&self) -> Vec<Series<'_>> {
        let mut all: Vec<_> = self.iter().collect();
        all.sort_by(|a, b| a.attributes.cmp(b.attributes));
        all
    }

    /// Sets the value at `slot`, where a series stands. Says whether it had another; if not, nothing is copied.
    pub fn replace(&mut self, slot: u32, number: Number) -> bool {
        let (page, index) = (&mut self.pages[slot as usize / PAGE], slot as usize % PAGE);
        let differs = page.numbers.get(index) != number;
        if differs {
            Arc::make_mut(page).numbers.set(index, number);
        }
        differs
    }

    /// Puts a series at `slot`, where none stands.
    pub fn insert(&mut self, slot: u32, attributes: Arc<Attributes>, number: Number) {
        while self.pages.len() * PAGE <= slot as usize {
            let attributes = Arc::new([const { None }; PAGE]);
            self.pages.push(Arc::new(Page { attributes, numbers: Numbers::default() }));
        }
        let page = Arc::make_mut(&mut self.pages[slot as usize / PAGE]);
        Arc::make_mut(&mut page.attributes)[slot as usize % PAGE] = Some(attributes);
        page.numbers.set(slot as usize % PAGE, number);
        self.len += 1;
    }

    /// Takes the series at `slot` out; pages without series at the end are freed.
    pub fn remove(&mut self, slot: u32) -> Option<Arc<Attributes>> {
        let page = Arc::make_mut(self.pages.get_mut(slot as usize / PAGE)?);
        let gone = Arc::make_mut(&mut page.attributes)[slot as usize % PAGE].take()?;
        self.len -= 1;
        while self.pages.last().is_some_and(|page| page.attributes.iter().all(Option::is_none)) {
            self.pages.pop();
        }
        Some(gone)
    }
}

// === impl Numbers ===

impl Numbers {
    fn get(&self, index: usize) -> Number {
        let bits = self.bits[index];
        if self.doubles & 1 << index == 0 {
            Number::Integer(bits.cast_signed())
        } else {
            Number::Double(f64::from_bits(bits))
        }
    }

    fn set(&mut self, index: usize, number: Number) {
        (self.bits[index], self.doubles) = match number {
            Number::Integer(integer) => (integer.cast_unsigned(), self.doubles & !(1 << index)),
            Number::Double(double) => (double.to_bits(), self.doubles | 1 << index),
        };
    }
}

// === impl Attributes ===

impl Attributes {
    /// Attributes from pairs in any order; of two pairs with one name the later stays.
    pub fn new(pairs: impl IntoIterator<Item = (Arc<str>, Box<str>)>) -> Self {
        let mut sorted: Vec<(Arc<str>, Box<str>)> = Vec::new();
        for (name, text) in pairs {
            match sorted.binary_search_by(|(known, _)| (**known).cmp(&name)) {
                Ok(at) => sorted[at].1 = text,
                Err(at) => sorted.insert(at, (name, text)),
            }
        }
        Attributes(sorted.into())
    }

    /// The identity of the overflow series.
    pub fn overflow() -> Self {
        Attributes::new([(Arc::from(OVERFLOW_ATTRIBUTE), Box::from("true"))])
    }

    /// What they take where they are shared, in bytes. The names are the definition's.
    pub(crate) fn bytes(&self) -> usize {
        let texts: usize = self.0.iter().map(|(_, text)| text.len()).sum();
        // Two counters, for those who share them.
        2 * size_of::<usize>() + size_of::<Self>() + size_of_val(&*self.0) + texts
    }

    /// The pairs in the order of their names.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, text)| (&**name, &**text))
    }

    /// The text of the attribute `name`.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.binary_search_by(|(known, _)| (**known).cmp(name)).ok().map(|at| &*self.0[at].1)
    }
}

// === impl Number ===

impl Number {
    /// The nearest double.
    #[allow(clippy::cast_precision_loss)]
    pub fn as_f64(self) -> f64 {
        match self {
            Number::Integer(n) => n as f64,
            Number::Double(n) => n,
        }
    }
}

impl PartialEq for Number {
    /// Bit for bit: NaN equals itself, 0.0 is not -0.0, and 1 is not 1.0.
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Number::Integer(a), Number::Integer(b)) => a == b,
            (Number::Double(a), Number::Double(b)) => a.to_bits() == b.to_bits(),
            _ => false,
        }
    }
}

impl std::fmt::Display for Number {
    /// Integers in digits, doubles in shortest round-trip form.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Number::Integer(n) => write!(f, "{n}"),
            Number::Double(n) => write!(f, "{n}"),
        }
    }
}

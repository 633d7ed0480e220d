//! What happened to the objects of one source, in order.
//!
//! In: whatever watches, polls or reads objects. Out: the engine. Must never know: metrics.

use crate::row::{ObjectKey, Row};

/// One ordered stream of changes of one (cluster, resource, scope).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SourceId(pub u32);

/// One step of a source. Last write wins: the engine compares no resource versions; order is the sender's duty.
#[derive(Clone, Debug)]
pub enum Change {
    /// A complete list begins, decoded with the field plan of `epoch`. Voids a list that has not ended.
    /// Everything known so far stands until it is replaced or found missing. What a watch shows from here on counts as
    /// seen, so a watch that loses events before the list has ended needs another Begin.
    Begin {
        /// The epoch of the field plan that this list, and all changes after it, are decoded with.
        epoch: u32,
    },
    /// The object is there and looks like this.
    Upsert {
        /// What plans read of it.
        row: Row,
        /// Where this was seen.
        origin: Origin,
    },
    /// The object is gone.
    Delete {
        /// Which one.
        key: ObjectKey,
    },
    /// An object could not be decoded: its last contribution stands, and it counts as seen.
    Undecodable {
        /// Which one, if that could be read.
        key: Option<ObjectKey>,
    },
    /// The list is complete: whatever neither it nor the watch has shown since its Begin is gone.
    End,
}

/// Where an object was seen, while a list and a watch run beside each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// In a list. Dropped if the watch has touched or deleted the object since Begin, because it may be older.
    List,
    /// In a watch event, which always wins.
    Watch,
    /// Asked for again, because a metric looks at other namespaces now: see [`Engine::set_namespaces`]. Must not be older
    /// than a watch event that was sent before it. It is evaluated even if it is as it was, and wins over what was known, but tells a list under way nothing: what
    /// that list's End finds missing is decided by the list and the watch alone, since the answer to a review may be older
    /// than the list's first page.
    ///
    /// [`Engine::set_namespaces`]: crate::Engine::set_namespaces
    Review,
}

//! The nodes and texts of the row that is being decoded.
//!
//! In: values in the order of the document. Out: the tables of a [`Row`](super::Row). Must never know: bytes of
//! JSON, hashes.

use super::projection::{Projection, TargetId};
use super::{ABSENT, Kind, Node, NodeKey, Span};

/// Buffers for one row, kept from object to object.
///
/// Invariant: `last[t]` is the node of target `t` that no later duplicate has replaced, [`ABSENT`] if there is none.
/// Of a target below list elements it is the latest one.
#[derive(Default)]
pub(super) struct Tape {
    pub(super) nodes: Vec<Node>,
    pub(super) text: String,
    /// Whether any node is [`NodeKey::Replaced`].
    pub(super) replaced: bool,
    /// The target of each node.
    targets: Vec<Option<TargetId>>,
    last: Vec<u32>,
    /// For sorting the members of big maps.
    names: Vec<u32>,
}

impl std::fmt::Debug for Tape {
    /// Never the texts: object bodies do not reach logs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "a tape of {} nodes", self.nodes.len())
    }
}

/// Up to this many names are compared pair by pair, beyond it they are sorted.
const PAIRWISE: usize = 16;

// === impl Tape ===

impl Tape {
    /// Empties the buffers for an object that is decoded with `projection`.
    pub(super) fn reset(&mut self, projection: &Projection) {
        self.nodes.clear();
        self.targets.clear();
        self.text.clear();
        self.replaced = false;
        self.last.clear();
        self.last.resize(projection.len(), ABSENT);
    }

    /// The slots of the row.
    pub(super) fn slots(&self, projection: &Projection) -> Box<[u32]> {
        let mut slots: Box<[u32]> = self.last[..projection.fields()].into();
        for id in projection.repeated() {
            slots[id.index()] = ABSENT;
        }
        slots
    }

    /// Adds a node whose subtree follows. Gives its index.
    #[inline]
    pub(super) fn open(&mut self, target: Option<TargetId>, key: NodeKey, kind: Kind, whole: bool) -> u32 {
        let index = self.nodes.len() as u32;
        self.nodes.push(Node { kind, whole, key, span: Span::default(), end: index + 1 });
        self.targets.push(target);
        if let Some(id) = target {
            self.last[id.index()] = index;
        }
        index
    }

    /// Ends the subtree of `index`, a list or map of `len` entries.
    #[inline]
    pub(super) fn close(&mut self, index: u32, len: u32) {
        let end = self.nodes.len() as u32;
        let node = &mut self.nodes[index as usize];
        node.end = end;
        node.span.len = len;
    }

    /// Adds text behind the text there is.
    #[inline]
    pub(super) fn push(&mut self, text: &str) -> Span {
        let start = self.text.len() as u32;
        self.text.push_str(text);
        Span { start, len: text.len() as u32 }
    }

    /// The text that was added since it was `start` bytes long.
    #[inline]
    pub(super) fn since(&self, start: usize) -> Span {
        Span { start: start as u32, len: (self.text.len() - start) as u32 }
    }

    #[inline]
    pub(super) fn slice(&self, span: Span) -> &str {
        &self.text[span.start as usize..][..span.len as usize]
    }

    /// The node of `target` within the map at `map`, if it has been met there already.
    #[inline]
    pub(super) fn met(&self, target: TargetId, map: u32) -> Option<u32> {
        let index = self.last[target.index()];
        // A node behind the map's own lies in the map, which is still open. It is a direct member, since a target
        // has one parent.
        (index != ABSENT && index > map).then_some(index)
    }

    /// Takes the subtree at `index` out of the object, because a later duplicate replaces it. Every node is taken
    /// out at most once, so the cost is bounded by the size of the object.
    #[cold]
    pub(super) fn replace(&mut self, index: u32) {
        let end = self.nodes[index as usize].end;
        for node in index..end {
            if let Some(id) = self.targets[node as usize]
                && self.last[id.index()] == node
            {
                self.last[id.index()] = ABSENT;
            }
        }
        self.nodes[index as usize].key = NodeKey::Replaced;
        self.replaced = true;
    }

    /// Takes out all but the last of the members that share a name, in the whole map at `map`. Gives how many
    /// members are left.
    #[cold]
    pub(super) fn drop_duplicates(&mut self, map: u32) -> u32 {
        let mut members = std::mem::take(&mut self.names);
        members.clear();
        let mut next = map + 1;
        while (next as usize) < self.nodes.len() {
            members.push(next);
            next = self.nodes[next as usize].end;
        }
        let count = members.len() as u32;
        let dropped = if members.len() <= PAIRWISE {
            self.drop_pairwise(&members)
        } else {
            members.sort_unstable_by(|a, b| self.name(*a).cmp(self.name(*b)).then(a.cmp(b)));
            self.drop_neighbours(&members)
        };
        self.names = members;
        count - dropped
    }

    fn drop_pairwise(&mut self, members: &[u32]) -> u32 {
        let mut dropped = 0;
        for (at, &member) in members.iter().enumerate() {
            if members[at + 1..].iter().any(|later| self.name(*later) == self.name(member)) {
                self.replace(member);
                dropped += 1;
            }
        }
        dropped
    }

    fn drop_neighbours(&mut self, sorted: &[u32]) -> u32 {
        let mut dropped = 0;
        for pair in sorted.windows(2) {
            if self.name(pair[0]) == self.name(pair[1]) {
                self.replace(pair[0]);
                dropped += 1;
            }
        }
        dropped
    }

    /// The name of a member of a whole map, until it is replaced.
    fn name(&self, node: u32) -> &str {
        match self.nodes[node as usize].key {
            NodeKey::Name(span) => self.slice(span),
            _ => "",
        }
    }
}

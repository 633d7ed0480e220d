//! The bytes of an object, cut down to the fields that live plans read.
//!
//! In: raw JSON and a [`FieldPlan`]. Out: a [`Row`], which answers every question about those fields as the
//! whole object would. Must never know: expressions, metrics, series.

mod fields;
mod projection;
mod scan;
mod fault;
mod string;
mod cursor;
mod skip;
mod tape;
mod identity;
mod digest;
mod decode;
mod envelope;
mod list;
mod documents;
#[cfg(test)]
mod tests;

pub use decode::{Decoder, Defaults};
pub use documents::{Documents, StreamError};
pub use envelope::{Envelope, Event};
pub use fault::DecodeError;
pub use fields::{FieldId, FieldPlan, FieldRecorder, FieldUses, HashSeed};
pub use list::List;
pub use skip::skim;

/// The identity of an object within its source: a keyed hash of its UID, or of kind, namespace and name where it
/// has none. Delete and recreate under one name is two keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectKey(pub u128);

/// The kept fields of one object: a tape of nodes in document order, their texts, and where each field lies.
///
/// Invariant: for every field of the plan it was decoded with, a row answers presence, kind, members, elements
/// and value exactly as the whole object does. Of a map that is not kept whole only the planned members are known,
/// of a scalar that is not kept only its kind.
#[derive(Clone)]
pub struct Row {
    pub(crate) key: ObjectKey,
    pub(crate) epoch: u32,
    /// Keyed hash of the namespace and the raw bytes of the labels: equal hash, equal answer of every selector.
    pub(crate) labels: u128,
    /// Keyed hash over all nodes and texts: equal hash at one epoch, equal row.
    pub(crate) digest: u128,
    pub(crate) identity: Identity,
    pub(crate) nodes: Box<[Node]>,
    pub(crate) text: Box<str>,
    /// The node of each field that is not repeated; [`ABSENT`] where there is none.
    pub(crate) slots: Box<[u32]>,
}

/// Where the always-kept identity lies in a row's text.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Identity {
    pub(crate) api_version: Span,
    pub(crate) kind: Span,
    pub(crate) namespace: Span,
    pub(crate) name: Span,
    pub(crate) uid: Span,
    pub(crate) resource_version: Span,
}

/// A piece of a row's text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start: u32,
    pub(crate) len: u32,
}

pub(crate) const ABSENT: u32 = u32::MAX;

/// What a node is in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// `null`
    Null,
    /// `true` or `false`
    Bool,
    /// A number; its text is kept.
    Number,
    /// A string.
    String,
    /// An array.
    List,
    /// An object.
    Map,
}

/// One value on the tape; its subtree lies between it and `end`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Node {
    pub(crate) kind: Kind,
    /// Scalars: whether the text was kept. Maps: whether every member was kept, with its name.
    pub(crate) whole: bool,
    pub(crate) key: NodeKey,
    /// Scalars: the text (`true` or `false` for a Bool). Lists and maps: `len` is the number of entries.
    pub(crate) span: Span,
    /// The index after the subtree.
    pub(crate) end: u32,
}

/// The name under which a node stands in its map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NodeKey {
    /// The root, or an element of a list.
    None,
    /// A planned member of a map that is not kept whole.
    Field(FieldId),
    /// A member of a map that is kept whole.
    Name(Span),
    /// A member that a later duplicate replaced: as if it were not there.
    Replaced,
}

/// A value inside a [`Row`].
#[derive(Clone, Copy)]
pub struct NodeRef<'r> {
    row: &'r Row,
    index: u32,
}

/// The elements of a list, see [`NodeRef::items`].
#[derive(Clone)]
pub struct Items<'r> {
    row: &'r Row,
    next: u32,
    end: u32,
}

// === impl Row ===

impl Row {
    /// The object's identity within its source.
    pub fn key(&self) -> ObjectKey {
        self.key
    }

    /// The epoch of the field plan that this row was decoded with.
    pub fn epoch(&self) -> u32 {
        self.epoch
    }

    /// `apiVersion`, or the default of the list the object came from.
    pub fn api_version(&self) -> &str {
        self.slice(self.identity.api_version)
    }

    /// `kind`, or the default of the list the object came from.
    pub fn kind(&self) -> &str {
        self.slice(self.identity.kind)
    }

    /// `metadata.namespace`; empty for a cluster-scoped object.
    pub fn namespace(&self) -> &str {
        self.slice(self.identity.namespace)
    }

    /// `metadata.name`
    pub fn name(&self) -> &str {
        self.slice(self.identity.name)
    }

    /// `metadata.uid`; empty where the object has none.
    pub fn uid(&self) -> &str {
        self.slice(self.identity.uid)
    }

    /// Keyed hash of the namespace and the labels: equal hash, equal answer of every label selector.
    pub fn labels_hash(&self) -> u128 {
        self.labels
    }

    /// Keyed hash of everything that this row can be asked, except for its identity: rows of one epoch with equal
    /// digests give equal answers.
    pub fn digest(&self) -> u128 {
        self.digest
    }

    /// `metadata.resourceVersion`: opaque, for resuming a watch and for nothing else.
    pub fn resource_version(&self) -> &str {
        self.slice(self.identity.resource_version)
    }

    /// What people call the object: `v1/Pod/shop/web-1`, without namespace `v1/Node/node-1`.
    pub fn label(&self) -> String {
        let parts = [self.api_version(), self.kind(), self.namespace(), self.name()];
        parts.iter().filter(|part| !part.is_empty()).copied().collect::<Vec<_>>().join("/")
    }

    /// The object itself.
    pub fn root(&self) -> NodeRef<'_> {
        NodeRef { row: self, index: 0 }
    }

    /// The value of a field that is not repeated; `None` if the object has none.
    #[inline]
    pub fn at(&self, field: FieldId) -> Option<NodeRef<'_>> {
        match self.slots.get(field.index()) {
            Some(&index) if index != ABSENT => Some(NodeRef { row: self, index }),
            _ => None,
        }
    }

    #[inline]
    fn slice(&self, span: Span) -> &str {
        &self.text[span.start as usize..(span.start + span.len) as usize]
    }
}

impl std::fmt::Debug for Row {
    /// Who it is, never what it holds: object bodies do not reach logs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} at epoch {} in {} nodes", self.label(), self.epoch, self.nodes.len())
    }
}

// === impl NodeRef ===

impl<'r> NodeRef<'r> {
    #[inline]
    fn node(self) -> &'r Node {
        &self.row.nodes[self.index as usize]
    }

    /// Whether this is the object itself.
    pub(crate) fn is_root(self) -> bool {
        self.index == 0
    }

    /// What the value is.
    pub fn kind(self) -> Kind {
        self.node().kind
    }

    /// Whether the value, or every member of the map, was kept.
    pub fn is_whole(self) -> bool {
        self.node().whole
    }

    /// The number of elements of a list, or of members of a map (of a whole map; otherwise of its planned members).
    /// 0 for a list that is not [whole](Self::is_whole): nothing reads its elements, so they were not counted.
    pub fn len(self) -> usize {
        match self.kind() {
            Kind::List | Kind::Map => self.node().span.len as usize,
            _ => 0,
        }
    }

    /// Whether [`len`](Self::len) is 0.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// Where the text of a scalar of this kind lies, if it was kept.
    #[inline]
    fn kept(self, kind: Kind) -> Option<Span> {
        let node = self.node();
        (node.kind == kind && node.whole).then_some(node.span)
    }

    /// The value of a kept Bool.
    pub fn as_bool(self) -> Option<bool> {
        self.kept(Kind::Bool).map(|span| self.row.slice(span) == "true")
    }

    /// The value of a kept String, escapes resolved.
    #[inline]
    pub fn as_str(self) -> Option<&'r str> {
        self.kept(Kind::String).map(|span| self.row.slice(span))
    }

    /// The bytes of a kept String, escapes resolved: for comparisons, which need no ends of characters.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "a call takes as long as this")]
    pub(crate) fn as_str_bytes(self) -> Option<&'r [u8]> {
        let Span { start, len } = self.kept(Kind::String)?;
        Some(&self.row.text.as_bytes()[start as usize..(start + len) as usize])
    }

    /// The text of a kept Number, as it stood in the object.
    pub fn as_number(self) -> Option<&'r str> {
        self.kept(Kind::Number).map(|span| self.row.slice(span))
    }

    /// The elements of a list in order; nothing for any other kind.
    pub fn items(self) -> Items<'r> {
        let node = self.node();
        let next = self.index + 1;
        Items { row: self.row, next, end: if node.kind == Kind::List { node.end } else { next } }
    }

    /// The members of a whole map in the order of the document; nothing for any other kind.
    pub fn entries(self) -> impl Iterator<Item = (&'r str, NodeRef<'r>)> + Clone {
        let node = self.node();
        let next = self.index + 1;
        let members =
            Items { row: self.row, next, end: if node.kind == Kind::Map { node.end } else { next } };
        members.filter_map(|member| match member.node().key {
            NodeKey::Name(span) => Some((member.row.slice(span), member)),
            _ => None,
        })
    }

    /// The member of a map that is planned as `field` under the name `name`. Looks at one member after another; a field
    /// that is not repeated is found at once by [`Row::at`].
    pub fn member(self, field: FieldId, name: &str) -> Option<NodeRef<'r>> {
        let node = self.node();
        if node.kind != Kind::Map {
            return None;
        }
        let mut members = Items { row: self.row, next: self.index + 1, end: node.end };
        members.find(|member| match member.node().key {
            NodeKey::Field(id) => id == field,
            NodeKey::Name(span) => self.row.slice(span) == name,
            NodeKey::None | NodeKey::Replaced => false,
        })
    }

    /// The member `name` of a whole map.
    pub fn get(self, name: &str) -> Option<NodeRef<'r>> {
        self.entries().find(|(key, _)| *key == name).map(|(_, value)| value)
    }
}

impl<'r> Iterator for Items<'r> {
    type Item = NodeRef<'r>;

    fn next(&mut self) -> Option<NodeRef<'r>> {
        if self.next >= self.end {
            return None;
        }
        let node = NodeRef { row: self.row, index: self.next };
        self.next = node.node().end;
        Some(node)
    }
}

impl std::fmt::Debug for NodeRef<'_> {
    /// Never the value: object bodies do not reach logs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?} at {}", self.kind(), self.index)
    }
}

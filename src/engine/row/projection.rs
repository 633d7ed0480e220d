//! A field plan compiled for decoding: only what is alive, with fast look-up of members by name.
//!
//! In: a [`FieldPlan`]. Out: a [`Projection`], which the decoder follows. Must never know: bytes, rows.

use std::sync::Arc;

use super::{FieldId, FieldPlan};

/// What the decoder follows through an object. A field that nothing reads hangs nowhere, so it is skipped like an
/// unknown one.
///
/// Invariant: the target of a field has the field's number; targets behind those are read for the identity only.
#[derive(Debug)]
pub(super) struct Projection {
    targets: Vec<Target>,
    /// How many field numbers the plan has.
    fields: usize,
    /// Fields that a row may hold several times and that therefore have no slot.
    repeated: Vec<TargetId>,
}

/// The number of a [`Target`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TargetId(u32);

/// One place in an object that is looked at.
#[derive(Clone, Debug, Default)]
pub(super) struct Target {
    /// Whether a plan reads it, rather than the identity alone.
    pub(super) planned: bool,
    /// Whether the subtree is kept whole.
    keep: bool,
    /// Whether a scalar is kept.
    scalar: bool,
    /// What is read of every element, if the value is a list.
    pub(super) each: Option<TargetId>,
    /// What is read of members, if the value is a map.
    pub(super) members: Members,
    /// What the identity takes from here.
    pub(super) role: Role,
}

/// The part that a place plays in the identity of an object.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Role {
    /// None.
    #[default]
    Plain,
    /// The object itself.
    Root,
    /// `metadata`
    Metadata,
    /// `metadata.labels`
    Labels,
    /// A string of the identity.
    Text(Part),
}

/// The strings of an identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// `apiVersion`
    ApiVersion,
    /// `kind`
    Kind,
    /// `metadata.namespace`
    Namespace,
    /// `metadata.name`
    Name,
    /// `metadata.uid`
    Uid,
    /// `metadata.resourceVersion`
    ResourceVersion,
}

/// Targets by name.
///
/// Invariant: once sorted, the names are ordered by length and then by bytes, and `lengths` has bit `n % 64` set for
/// every name of `n` bytes.
#[derive(Clone, Debug, Default)]
pub(super) struct Members {
    names: Vec<(Arc<str>, TargetId)>,
    lengths: u64,
}

/// Up to this many members are compared one by one, which is faster than bisecting while lengths differ.
const LINEAR: usize = 12;

// === impl Projection ===

impl Projection {
    /// Compiles `plan`.
    pub(super) fn new(plan: &FieldPlan) -> Self {
        let ids = (0..plan.len() as u32).map(FieldId);
        let targets = ids.clone().map(|id| target(plan, id)).collect();
        let repeated = ids.filter(|id| plan.field(*id).repeated).map(|id| TargetId(id.0)).collect();
        let mut projection = Projection { targets, fields: plan.len(), repeated };
        projection.add_identity();
        projection.targets.iter_mut().for_each(|target| target.members.sort());
        projection
    }

    /// How many targets there are.
    pub(super) fn len(&self) -> usize {
        self.targets.len()
    }

    /// How many of the targets are fields of the plan.
    pub(super) fn fields(&self) -> usize {
        self.fields
    }

    /// The fields without a slot.
    pub(super) fn repeated(&self) -> &[TargetId] {
        &self.repeated
    }

    #[inline]
    pub(super) fn target(&self, id: TargetId) -> &Target {
        &self.targets[id.index()]
    }

    /// Makes the identity's places targets, where the plan has not already.
    fn add_identity(&mut self) {
        self.targets[TargetId::ROOT.index()].role = Role::Root;
        self.add_role(TargetId::ROOT, "apiVersion", Role::Text(Part::ApiVersion));
        self.add_role(TargetId::ROOT, "kind", Role::Text(Part::Kind));
        let metadata = self.add_role(TargetId::ROOT, "metadata", Role::Metadata);
        self.add_role(metadata, "namespace", Role::Text(Part::Namespace));
        self.add_role(metadata, "name", Role::Text(Part::Name));
        self.add_role(metadata, "uid", Role::Text(Part::Uid));
        self.add_role(metadata, "resourceVersion", Role::Text(Part::ResourceVersion));
        self.add_role(metadata, "labels", Role::Labels);
    }

    fn add_role(&mut self, parent: TargetId, name: &str, role: Role) -> TargetId {
        let members = &self.targets[parent.index()].members.names;
        let id = match members.iter().find(|(known, _)| &**known == name) {
            Some((_, id)) => *id,
            None => {
                let id = TargetId(self.targets.len() as u32);
                self.targets.push(Target::default());
                self.targets[parent.index()].members.names.push((Arc::from(name), id));
                id
            }
        };
        self.targets[id.index()].role = role;
        id
    }
}

fn target(plan: &FieldPlan, id: FieldId) -> Target {
    let field = plan.field(id);
    Target {
        planned: true,
        keep: field.keeps > 0,
        scalar: field.scalars > 0,
        each: field.each.map(|id| TargetId(id.0)),
        members: Members {
            names: field.members.iter().map(|(name, id)| (name.clone(), TargetId(id.0))).collect(),
            lengths: 0,
        },
        role: Role::Plain,
    }
}

// === impl Target ===

impl Target {
    /// Whether a list or map, and whether a scalar, is kept here.
    #[inline]
    pub(super) fn kept(&self) -> (bool, bool) {
        (self.keep, self.keep || self.scalar)
    }
}

// === impl TargetId ===

impl TargetId {
    /// The object itself.
    pub(super) const ROOT: TargetId = TargetId(FieldId::ROOT.0);

    /// The place of the target in tables.
    pub(super) fn index(self) -> usize {
        self.0 as usize
    }

    /// The field of a planned target.
    pub(super) fn field(self) -> FieldId {
        FieldId(self.0)
    }
}

// === impl Members ===

impl Members {
    fn sort(&mut self) {
        self.names.sort_by(|(a, _), (b, _)| by_length(a.as_bytes(), b.as_bytes()));
        self.lengths = self.names.iter().fold(0, |lengths, (name, _)| lengths | 1 << (name.len() % 64));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// The target under `name`.
    #[inline]
    pub(super) fn find(&self, name: &[u8]) -> Option<TargetId> {
        // Most members of most maps are not planned, and most of those have a length that no planned one has.
        if self.lengths >> (name.len() % 64) & 1 == 0 {
            return None;
        }
        if self.names.len() <= LINEAR {
            return self.names.iter().find(|(known, _)| known.as_bytes() == name).map(|(_, id)| *id);
        }
        let found = self.names.binary_search_by(|(known, _)| by_length(known.as_bytes(), name));
        found.ok().map(|at| self.names[at].1)
    }
}

fn by_length(a: &[u8], b: &[u8]) -> std::cmp::Ordering {
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

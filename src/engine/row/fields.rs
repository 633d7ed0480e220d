//! Which parts of an object the live plans of a source read.
//!
//! In: the paths that expressions ask for while they are compiled. Out: a trie of fields that the decoder
//! follows, and a stable number for each of them. Must never know: expressions, metrics, bytes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The number of one field of a [`FieldPlan`]; stable for as long as any plan uses the field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FieldId(pub(crate) u32);

impl FieldId {
    /// The object itself.
    pub const ROOT: FieldId = FieldId(0);

    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

/// The key of every hash that an engine and its decoders share. Random in production, since hashed texts are
/// chosen by tenants; fixed in tests. It never shows in a result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HashSeed(pub u64, pub u64);

/// The union of the paths that the live plans of one source read, as a trie.
///
/// Invariant: a field keeps its number while any plan uses it, so compiled plans stay valid while the trie grows.
/// A row decoded with the plan of epoch E holds every field of every plan that was registered at or before E, and a
/// plan is only evaluated on rows of its own epoch or later, so a number that nothing uses any more may be given anew.
#[derive(Clone, Debug)]
pub struct FieldPlan {
    epoch: u32,
    seed: HashSeed,
    fields: Vec<Field>,
    /// Numbers that no plan uses, to be given anew from the lowest.
    free: BTreeSet<FieldId>,
}

/// One field of the trie.
#[derive(Clone, Debug)]
pub(crate) struct Field {
    /// Members by name, if the value is a map.
    pub(crate) members: BTreeMap<Arc<str>, FieldId>,
    /// What is read of every element, if the value is a list. A map met here is kept whole.
    pub(crate) each: Option<FieldId>,
    /// Plans that read the subtree as a whole.
    pub(crate) keeps: u32,
    /// Plans that read the value if it is a scalar, and no more than the kind of a list or map.
    pub(crate) scalars: u32,
    /// Plans that read presence, kind or length.
    pub(crate) touches: u32,
    /// Whether the field lies below list elements, so that a row may hold it several times.
    pub(crate) repeated: bool,
    /// Where the field hangs; `None` for the root.
    parent: Option<(FieldId, Branch)>,
}

/// Under what a field hangs at its parent.
#[derive(Clone, Debug)]
enum Branch {
    Member(Arc<str>),
    Each,
}

/// What one plan has asked of a [`FieldPlan`], to be given back when the plan goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldUses {
    keeps: Vec<FieldId>,
    scalars: Vec<FieldId>,
    touches: Vec<FieldId>,
}

/// Adds the paths of one plan to a [`FieldPlan`] and remembers them.
#[derive(Debug)]
pub struct FieldRecorder<'p> {
    plan: &'p mut FieldPlan,
    uses: FieldUses,
}

// === impl FieldPlan ===

impl FieldPlan {
    /// A plan that keeps nothing but the identity of objects, at epoch 0.
    pub fn new(seed: HashSeed) -> Self {
        FieldPlan { epoch: 0, seed, fields: vec![Field::new(false, None)], free: BTreeSet::new() }
    }

    /// A plan that keeps every object whole: what a row of it answers is what the object itself would answer.
    pub fn whole(seed: HashSeed) -> Self {
        let mut plan = FieldPlan::new(seed);
        plan.fields[0].keeps = 1;
        plan
    }

    /// The registration epoch that rows decoded with this plan belong to.
    pub fn epoch(&self) -> u32 {
        self.epoch
    }

    /// Sets the epoch; only the engine raises it.
    pub fn set_epoch(&mut self, epoch: u32) {
        self.epoch = epoch;
    }

    /// The key of the hashes in rows decoded with this plan.
    pub fn seed(&self) -> HashSeed {
        self.seed
    }

    /// Starts recording the paths of one plan.
    pub fn record(&mut self) -> FieldRecorder<'_> {
        FieldRecorder { plan: self, uses: FieldUses::default() }
    }

    /// How many field numbers exist.
    pub(crate) fn len(&self) -> usize {
        self.fields.len()
    }

    pub(crate) fn field(&self, id: FieldId) -> &Field {
        &self.fields[id.index()]
    }

    /// How many fields are in use, the root aside.
    pub(crate) fn live(&self) -> usize {
        self.fields.len() - self.free.len() - 1
    }

    /// Takes back what a plan had asked for, and frees the fields that nothing asks for any more.
    pub fn release(&mut self, uses: &FieldUses) {
        for id in &uses.keeps {
            self.fields[id.index()].keeps -= 1;
        }
        for id in &uses.scalars {
            self.fields[id.index()].scalars -= 1;
        }
        for id in &uses.touches {
            self.fields[id.index()].touches -= 1;
        }
        for id in uses.touches.iter().chain(&uses.scalars).chain(&uses.keeps) {
            self.prune(*id);
        }
        // Rows have a slot for every number: those at the end that nothing uses are given up.
        while self.free.last().is_some_and(|last| last.index() + 1 == self.fields.len()) {
            self.free.pop_last();
            self.fields.pop();
        }
    }

    /// Cuts `id` off, and then its ancestors, as long as nothing uses them.
    fn prune(&mut self, mut id: FieldId) {
        while self.fields[id.index()].is_unused() {
            let Some((parent, branch)) = self.fields[id.index()].parent.take() else { return };
            match branch {
                Branch::Member(name) => drop(self.fields[parent.index()].members.remove(&name)),
                Branch::Each => self.fields[parent.index()].each = None,
            }
            self.free.insert(id);
            id = parent;
        }
    }

    fn add(&mut self, parent: FieldId, branch: Branch) -> FieldId {
        let repeated = self.fields[parent.index()].repeated || matches!(branch, Branch::Each);
        let field = Field::new(repeated, Some((parent, branch)));
        if let Some(id) = self.free.pop_first() {
            self.fields[id.index()] = field;
            return id;
        }
        self.fields.push(field);
        FieldId(
            u32::try_from(self.fields.len() - 1)
                .expect("expressions are limited, so fields are far below 2^32"),
        )
    }
}

// === impl Field ===

impl Field {
    fn new(repeated: bool, parent: Option<(FieldId, Branch)>) -> Self {
        Field { members: BTreeMap::new(), each: None, keeps: 0, scalars: 0, touches: 0, repeated, parent }
    }

    fn is_unused(&self) -> bool {
        self.keeps + self.scalars + self.touches == 0 && self.members.is_empty() && self.each.is_none()
    }
}

// === impl FieldRecorder ===

impl FieldRecorder<'_> {
    /// The member `name` of the map at `parent`; asks for its presence and kind.
    pub fn member(&mut self, parent: FieldId, name: &str) -> FieldId {
        let id = match self.plan.fields[parent.index()].members.get(name) {
            Some(id) => *id,
            None => {
                let name: Arc<str> = Arc::from(name);
                let id = self.plan.add(parent, Branch::Member(name.clone()));
                self.plan.fields[parent.index()].members.insert(name, id);
                id
            }
        };
        self.touch(id);
        id
    }

    /// Every element of the list at `parent` (a map there is kept whole); asks for their number and kinds.
    pub fn each(&mut self, parent: FieldId) -> FieldId {
        let id = match self.plan.fields[parent.index()].each {
            Some(id) => id,
            None => {
                let id = self.plan.add(parent, Branch::Each);
                self.plan.fields[parent.index()].each = Some(id);
                id
            }
        };
        self.touch(id);
        id
    }

    /// Asks for the value at `id` if it is a scalar, and only for the kind of a list or map.
    pub fn keep_scalar(&mut self, id: FieldId) {
        self.plan.fields[id.index()].scalars += 1;
        self.uses.scalars.push(id);
    }

    /// Asks for the whole subtree at `id`.
    pub fn keep(&mut self, id: FieldId) {
        self.plan.fields[id.index()].keeps += 1;
        self.uses.keeps.push(id);
    }

    /// Asks for presence and kind of `id`.
    pub fn touch(&mut self, id: FieldId) {
        self.plan.fields[id.index()].touches += 1;
        self.uses.touches.push(id);
    }

    /// How much was asked for so far; see [`since`](Self::since).
    pub(crate) fn mark(&self) -> [usize; 3] {
        [self.uses.keeps.len(), self.uses.scalars.len(), self.uses.touches.len()]
    }

    /// What was asked for since [`mark`](Self::mark).
    pub(crate) fn since(&self, [keeps, scalars, touches]: [usize; 3]) -> FieldUses {
        FieldUses {
            keeps: self.uses.keeps[keeps..].to_vec(),
            scalars: self.uses.scalars[scalars..].to_vec(),
            touches: self.uses.touches[touches..].to_vec(),
        }
    }

    /// Asks once more for what a live plan has asked for.
    pub(crate) fn repeat(&mut self, uses: &FieldUses) {
        uses.touches.iter().for_each(|id| self.touch(*id));
        uses.scalars.iter().for_each(|id| self.keep_scalar(*id));
        uses.keeps.iter().for_each(|id| self.keep(*id));
    }

    /// Ends the recording: the caller owes these uses to [`FieldPlan::release`].
    pub fn finish(mut self) -> FieldUses {
        std::mem::take(&mut self.uses)
    }
}

impl Drop for FieldRecorder<'_> {
    /// A recording that was not finished, for a plan that did not compile, leaves nothing behind.
    fn drop(&mut self) {
        let uses = std::mem::take(&mut self.uses);
        self.plan.release(&uses);
    }
}

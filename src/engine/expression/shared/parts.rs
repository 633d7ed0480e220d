//! Equal parts of several expressions are one.
//!
//! In: the trees of expressions of one source. Out: the same trees, with the parts that can be shared put in common: what
//! depends on the object alone and is dear enough that remembering it for an event can pay. Must never know: metrics, rows.
//!
//! Each part is found by its identity, outermost first; of a part that is known already, nothing further is looked at.

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use super::super::Value;
use super::super::memo::Mark;
use super::super::syntax::Arithmetic;
use super::super::tree::{Base, Part, Path, Tree};
use super::FEW;
use super::identity::Identity;
use crate::hash::Prehashed;
use crate::row::HashSeed;

/// The parts of the live expressions of one source.
///
/// Invariant: an entry can be had as long as some expression holds its part.
#[derive(Debug)]
pub(super) struct Parts {
    seed: HashSeed,
    by_identity: HashMap<u128, Weak<Part>, Prehashed>,
    /// From this many entries on, those that nobody holds are dropped.
    sweep_at: usize,
}

/// How deep shared parts may lie within one another: so much deeper evaluating gets.
const MOST_NESTED: usize = 8;

/// What must be known of a part, and of the parts in it, to share it.
struct Facts {
    /// How many of the variables bound around it it may see; 0 if it sees none.
    reach: usize,
    /// Whether it reads the item, or where that stands.
    of_item: bool,
    is_dear: bool,
    parts: Vec<Facts>,
}

impl Parts {
    pub(super) fn new(seed: HashSeed) -> Self {
        Parts { seed, by_identity: HashMap::default(), sweep_at: FEW }
    }

    /// Puts the parts of an expression in common with those of others, and gives the outermost.
    pub(super) fn share(&mut self, tree: &mut Tree) -> Vec<Weak<Part>> {
        let facts = Facts::of(tree);
        let mut outermost = Vec::new();
        self.replace(tree, &facts, 0, &mut outermost);
        outermost
    }

    /// How many parts are held by an expression.
    pub(super) fn live(&self) -> usize {
        self.by_identity.values().filter(|part| part.strong_count() > 0).count()
    }

    fn replace(&mut self, tree: &mut Tree, facts: &Facts, nested: usize, outermost: &mut Vec<Weak<Part>>) {
        if !facts.is_dear || nested == MOST_NESTED {
            return;
        }
        if !facts.is_of_object() {
            self.replace_within(tree, facts, nested, outermost);
            return;
        }
        let part = self.common(tree, facts, nested);
        if nested == 0 {
            outermost.push(Arc::downgrade(&part));
        }
        *tree = Tree::Shared(part);
    }

    /// A sum within a sum stays what it is, since a chain of them is evaluated as one.
    fn replace_within(
        &mut self,
        tree: &mut Tree,
        facts: &Facts,
        nested: usize,
        outermost: &mut Vec<Weak<Part>>,
    ) {
        let is_sum = |tree: &Tree| matches!(tree, Tree::Arithmetic(Arithmetic::Add, _));
        let within_sum = is_sum(tree);
        for ((part, _), facts) in tree.parts_mut().into_iter().zip(&facts.parts) {
            if within_sum && is_sum(part) {
                self.replace_within(part, facts, nested, outermost);
            } else {
                self.replace(part, facts, nested, outermost);
            }
        }
    }

    /// The part that is known to be like `tree`, or a new one.
    fn common(&mut self, tree: &mut Tree, facts: &Facts, nested: usize) -> Arc<Part> {
        let Identity(identity) = Identity::of(tree, self.seed);
        if let Some(known) = self.by_identity.get(&identity).and_then(Weak::upgrade) {
            known.mark.meet_again();
            return known;
        }
        self.replace_within(tree, facts, nested + 1, &mut Vec::new());
        let tree = std::mem::replace(tree, Tree::Constant(Value::Null));
        let part = Arc::new(Part { mark: Mark::default(), tree });
        self.sweep();
        self.by_identity.insert(identity, Arc::downgrade(&part));
        part
    }

    fn sweep(&mut self) {
        if self.by_identity.len() >= self.sweep_at {
            self.by_identity.retain(|_, part| part.strong_count() > 0);
            self.sweep_at = FEW.max(2 * self.by_identity.len());
        }
    }
}

impl Facts {
    fn of(tree: &mut Tree) -> Self {
        let mut facts = Facts { reach: 0, of_item: false, is_dear: is_dear(tree), parts: Vec::new() };
        if let Tree::Path(path) | Tree::Has(path) = tree {
            facts.see(path);
        }
        for (part, bound) in tree.parts_mut() {
            let part = Facts::of(part);
            facts.reach = facts.reach.max(part.reach.saturating_sub(bound));
            facts.of_item |= part.of_item;
            facts.is_dear |= part.is_dear;
            facts.parts.push(part);
        }
        facts
    }

    fn see(&mut self, path: &Path) {
        match path.base {
            Base::Variable(depth) => self.reach = depth + 1,
            Base::Item | Base::ItemIndex | Base::ItemKey => self.of_item = true,
            Base::Object | Base::Value(_) => {}
        }
    }

    /// Whether it depends on the object alone.
    fn is_of_object(&self) -> bool {
        self.reach == 0 && !self.of_item
    }
}

/// Whether a node by itself makes its part worth remembering: a loop, a function, a pattern, a text that is joined. Reading
/// and comparing fields is not.
fn is_dear(tree: &Tree) -> bool {
    let is_text = |tree: &Tree| matches!(tree, Tree::Constant(Value::String(_)));
    match tree {
        Tree::Call(_) | Tree::Matches(_) | Tree::Search(_) | Tree::In(_) => true,
        Tree::Loop(_) | Tree::SortBy(_) | Tree::OptMap(_) | Tree::Bind(_) => true,
        Tree::Arithmetic(Arithmetic::Add, operands) => operands.iter().any(is_text),
        _ => false,
    }
}

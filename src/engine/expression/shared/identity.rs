//! What makes two trees one.
//!
//! In: a tree without shared parts. Out: its identity: trees that have the same give the same for every row, values and
//! errors, by the same steps. Must never know: what is done with it.
//!
//! How variables are called is in no tree, so it makes no difference.

use std::hash::Hash;
use std::mem::discriminant;

use siphasher::sip128::{Hasher128, SipHasher13};

use super::super::Value;
use super::super::library::Overload;
use super::super::matcher::Matcher;
use super::super::tree::{Base, Path, Step, Tree};
use crate::row::HashSeed;

/// A keyed hash of all that a tree is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Identity(pub(super) u128);

/// Takes in a tree, every node with its kind first and every list with its length.
struct Writer(SipHasher13);

impl Identity {
    pub(super) fn of(tree: &Tree, seed: HashSeed) -> Self {
        let mut writer = Writer(SipHasher13::new_with_keys(seed.0, seed.1));
        writer.tree(tree);
        Identity(writer.0.finish128().as_u128())
    }
}

impl Writer {
    fn put(&mut self, data: impl Hash) {
        data.hash(&mut self.0);
    }

    fn tree(&mut self, tree: &Tree) {
        self.put(discriminant(tree));
        match tree {
            Tree::Constant(value) => self.value(value),
            Tree::Path(path) | Tree::Has(path) => self.path(path),
            Tree::FieldIs(test) => {
                self.put((test.field, &test.text, test.equal));
                self.path(&test.path);
            }
            Tree::InSet(test) => {
                self.tree(&test.0);
                self.put(&test.1.texts);
                self.put(test.1.others.len());
                test.1.others.iter().for_each(|literal| self.value(literal));
            }
            Tree::And(terms) | Tree::Or(terms) => self.trees(terms.iter().map(|term| &term.tree)),
            Tree::Not(operand) | Tree::Negate(operand) => self.tree(operand),
            Tree::Conditional(parts) => self.trees(&**parts),
            Tree::Arithmetic(operator, operands) => {
                self.put(discriminant(operator));
                self.trees(&**operands);
            }
            Tree::Compare(comparison, operands) => {
                self.put(discriminant(comparison));
                self.trees(&**operands);
            }
            Tree::In(operands) => self.trees(&**operands),
            Tree::Call(call) => {
                self.put(call.overloads.len());
                call.overloads.iter().for_each(|overload| self.function(overload));
                self.trees(&call.arguments);
            }
            Tree::Matches(test) => {
                self.tree(&test.0);
                self.matcher(&test.1);
            }
            Tree::Search(call) => {
                self.function(call.overload);
                self.matcher(&call.matcher);
                self.trees(&call.arguments);
            }
            Tree::List(elements) => {
                self.put(elements.len());
                for (element, optional) in elements {
                    self.put(optional);
                    self.tree(element);
                }
            }
            Tree::Map(entries) => {
                self.put(entries.len());
                for (key, value, optional) in entries {
                    self.put(optional);
                    self.tree(key);
                    self.tree(value);
                }
            }
            _ => self.binder(tree),
        }
    }

    /// What binds variables, and what is shared already.
    fn binder(&mut self, tree: &Tree) {
        match tree {
            Tree::Loop(each) => {
                self.put((discriminant(&each.kind), each.pair));
                self.tree(&each.range);
                for part in [&each.condition, &each.result] {
                    self.put(part.is_some());
                    part.iter().for_each(|part| self.tree(part));
                }
            }
            Tree::SortBy(parts) | Tree::Bind(parts) => {
                self.tree(&parts.0);
                self.tree(&parts.1);
            }
            Tree::OptMap(map) => {
                self.put(map.flat);
                self.tree(&map.operand);
                self.tree(&map.body);
            }
            Tree::Shared(part) => self.tree(&part.tree),
            _ => {}
        }
    }

    fn trees<'t>(&mut self, trees: impl IntoIterator<Item = &'t Tree, IntoIter: ExactSizeIterator>) {
        let trees = trees.into_iter();
        self.put(trees.len());
        trees.for_each(|tree| self.tree(tree));
    }

    fn path(&mut self, path: &Path) {
        self.put((discriminant(&path.base), path.steps.len(), path.optional_from, path.slot));
        match &path.base {
            Base::Variable(depth) => self.put(depth),
            Base::Value(tree) => self.tree(tree),
            Base::Object | Base::Item | Base::ItemIndex | Base::ItemKey => {}
        }
        for step in &path.steps {
            self.put(discriminant(step));
            match step {
                Step::Member { field, name } => self.put((field, name)),
                Step::Index(index) => self.tree(index),
            }
        }
    }

    /// Every overload stands at a place of its own.
    fn function(&mut self, overload: &'static Overload) {
        self.put(std::ptr::from_ref(overload));
    }

    fn matcher(&mut self, matcher: &Matcher) {
        self.put(matcher.pattern());
    }

    /// Not by CEL's equality: `1` and `1.0` are two.
    fn value(&mut self, value: &Value<'_>) {
        self.put(discriminant(value));
        match value {
            Value::Null => {}
            Value::Bool(value) => self.put(value),
            Value::Int(value) => self.put(value),
            Value::Uint(value) => self.put(value),
            Value::Double(value) => self.put(value.to_bits()),
            Value::String(text) => self.put(text.as_str()),
            Value::Bytes(bytes) => self.put(bytes),
            // Seldom met. The derived notation shows every part.
            other => self.put(format!("{other:?}")),
        }
    }
}

//! The expression tree that is evaluated: names resolved, functions chosen, constants folded.
//!
//! In: built by the checker. Out: walked by the evaluator. Must never know: how an author wrote it, or which of the
//! languages in.

use std::sync::Arc;

use super::Value;
use super::library::{Overload, Search};
use super::literal::LiteralText;
use super::matcher::Matcher;
use super::memo::Mark;
use super::syntax::{Arithmetic, Comparison};
use crate::row::FieldId;

/// One node.
#[derive(Clone, Debug)]
pub(super) enum Tree {
    Constant(Value<'static>),
    /// The value at the end of a path.
    Path(Box<Path>),
    /// Whether the last step of a path exists. Invariant: it has at least one step.
    Has(Box<Path>),
    /// `field == "text"`, or `!=`
    FieldIs(Box<FieldIs>),
    /// `needle in [literals]`
    InSet(Box<(Tree, LiteralSet)>),
    And(Box<[Term]>),
    Or(Box<[Term]>),
    Not(Box<Tree>),
    Negate(Box<Tree>),
    /// condition, then, otherwise
    Conditional(Box<[Tree; 3]>),
    Arithmetic(Arithmetic, Box<[Tree; 2]>),
    Compare(Comparison, Box<[Tree; 2]>),
    In(Box<[Tree; 2]>),
    Call(Box<Call>),
    /// `text.matches("literal")`
    Matches(Box<(Tree, Matcher)>),
    /// `text.find("literal")`
    Search(Box<SearchCall>),
    /// Elements, and whether an optional without value is left out.
    List(Box<[(Tree, bool)]>),
    /// Keys, values, and whether an optional without value is left out.
    Map(Box<[(Tree, Tree, bool)]>),
    Loop(Box<Loop>),
    /// What is sorted, and by what of each element.
    SortBy(Box<(Tree, Tree)>),
    OptMap(Box<OptMap>),
    /// What a variable stands for, and where it does.
    Bind(Box<(Tree, Tree)>),
    /// A part that other expressions have too, or may come to have.
    Shared(Arc<Part>),
}

/// A part of `&&` or `||`.
#[derive(Clone, Debug)]
pub(super) struct Term {
    /// What the row may answer of it at once: the same as `tree`, without looking at that.
    pub(super) test: Option<Test>,
    pub(super) tree: Tree,
}

/// A test of one field, with all that it needs in one place.
#[derive(Clone, Debug)]
pub(super) struct Test {
    pub(super) asks: Asks,
    /// What the answer must be: false where the opposite is meant.
    pub(super) expected: bool,
}

/// What is asked of a field.
#[derive(Clone, Debug)]
pub(super) enum Asks {
    /// [`Tree::FieldIs`]
    Is { field: FieldId, text: LiteralText },
    /// [`Tree::InSet`] of few texts.
    In { field: FieldId, texts: Arc<[LiteralText]> },
    /// [`Tree::Has`] of a member of a field.
    Has { map: FieldId, field: FieldId },
    /// `c.member == "text"`, where `c` is the variable of the innermost loop.
    MemberIs { field: FieldId, name: Box<str>, text: LiteralText },
}

/// A part of expressions that depends on the object alone, so that it gives the same to all of them.
#[derive(Debug)]
pub(super) struct Part {
    /// Where its outcome is remembered.
    pub(super) mark: Mark,
    pub(super) tree: Tree,
}

/// A chain of selections and indices.
#[derive(Clone, Debug)]
pub(super) struct Path {
    pub(super) base: Base,
    pub(super) steps: Vec<Step>,
    /// From this step on, what is absent is no error: the path gives an optional.
    pub(super) optional_from: Option<usize>,
    /// Where the row holds the end of the path: only for members of the object, one below the other.
    pub(super) slot: Option<FieldId>,
    /// Where it holds as much of the path as it can without the last step, and how many steps that is.
    pub(super) start: Option<(FieldId, usize)>,
}

/// Where a path begins.
#[derive(Clone, Debug)]
pub(super) enum Base {
    /// `object`
    Object,
    /// `item`
    Item,
    /// `index`, the position of the item in a list
    ItemIndex,
    /// `key`, the position of the item in a map
    ItemKey,
    /// The variable of the loop that many loops further out.
    Variable(usize),
    Value(Tree),
}

/// One step of a path.
#[derive(Clone, Debug)]
pub(super) enum Step {
    /// A member of a map, by a name that is known. Without a field, the map is one that was kept whole or built.
    Member {
        field: Option<FieldId>,
        name: Box<str>,
    },
    Index(Tree),
}

/// A comparison of a field with a text, without making a value of either.
#[derive(Clone, Debug)]
pub(super) struct FieldIs {
    pub(super) field: FieldId,
    /// For the error where the field is absent.
    pub(super) path: Path,
    pub(super) text: LiteralText,
    /// `==` rather than `!=`
    pub(super) equal: bool,
}

/// The literals of a list that something is searched in.
#[derive(Clone, Debug)]
pub(super) struct LiteralSet {
    /// Where the row holds what is searched in it, if that is a field that must be there.
    pub(super) slot: Option<FieldId>,
    /// As their author has them if they are few, who knows best what is frequent; else sorted.
    pub(super) texts: Arc<[LiteralText]>,
    /// Those that are no strings.
    pub(super) others: Box<[Value<'static>]>,
}

/// So many texts are looked through one after the other.
const FEW_TEXTS: usize = 8;

/// A call of a function.
#[derive(Clone, Debug)]
pub(super) struct Call {
    /// Those that the static types leave; the first that takes the arguments is called.
    pub(super) overloads: Box<[&'static Overload]>,
    /// The receiver first.
    pub(super) arguments: Box<[Tree]>,
}

/// A call of a function whose second argument is a pattern that was compiled beforehand.
#[derive(Clone, Debug)]
pub(super) struct SearchCall {
    pub(super) overload: &'static Overload,
    pub(super) run: Search,
    pub(super) matcher: Matcher,
    /// The receiver first, without the pattern.
    pub(super) arguments: Box<[Tree]>,
}

/// A loop over the elements of a list or the keys of a map, each bound to a variable in turn; or over both indices or
/// keys and elements, bound to two.
#[derive(Clone, Debug)]
pub(super) struct Loop {
    pub(super) kind: LoopKind,
    pub(super) range: Tree,
    /// Whether two variables are bound.
    pub(super) pair: bool,
    /// What decides; absent only where everything is collected.
    pub(super) condition: Option<Tree>,
    /// What is collected: of [`LoopKind::Map`], [`LoopKind::TransformMap`] and [`LoopKind::TransformMapEntry`].
    pub(super) result: Option<Tree>,
}

/// What a loop gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LoopKind {
    All,
    Exists,
    ExistsOne,
    Filter,
    /// The number of elements that a filter would give.
    Count,
    Map,
    /// A map with the same keys.
    TransformMap,
    /// A map of the entries of many.
    TransformMapEntry,
}

/// `operand.optMap(variable, body)`
#[derive(Clone, Debug)]
pub(super) struct OptMap {
    pub(super) operand: Tree,
    pub(super) body: Tree,
    /// Whether the body gives an optional itself.
    pub(super) flat: bool,
}

impl Tree {
    /// The parts of this node in order, each with how many variables are bound for it here. Of one that is shared already,
    /// none.
    pub(super) fn parts_mut(&mut self) -> Vec<(&mut Tree, usize)> {
        match self {
            Tree::Constant(_) | Tree::FieldIs(_) | Tree::Shared(_) => Vec::new(),
            Tree::Path(path) | Tree::Has(path) => path.parts_mut(),
            Tree::InSet(test) => vec![(&mut test.0, 0)],
            Tree::Matches(test) => vec![(&mut test.0, 0)],
            Tree::And(terms) | Tree::Or(terms) => terms.iter_mut().map(|term| (&mut term.tree, 0)).collect(),
            Tree::Not(operand) | Tree::Negate(operand) => vec![(operand, 0)],
            Tree::Conditional(parts) => unbound(&mut **parts),
            Tree::Arithmetic(_, operands) | Tree::Compare(_, operands) | Tree::In(operands) => {
                unbound(&mut **operands)
            }
            Tree::Call(call) => unbound(&mut call.arguments),
            Tree::Search(call) => unbound(&mut call.arguments),
            Tree::List(elements) => elements.iter_mut().map(|(element, _)| (element, 0)).collect(),
            Tree::Map(entries) => {
                entries.iter_mut().flat_map(|(key, value, _)| [(key, 0), (value, 0)]).collect()
            }
            Tree::Loop(each) => {
                let bound = if each.pair { 2 } else { 1 };
                let inner = each.condition.iter_mut().chain(&mut each.result);
                std::iter::once((&mut each.range, 0)).chain(inner.map(|part| (part, bound))).collect()
            }
            Tree::SortBy(parts) | Tree::Bind(parts) => vec![(&mut parts.0, 0), (&mut parts.1, 1)],
            Tree::OptMap(map) => vec![(&mut map.operand, 0), (&mut map.body, 1)],
        }
    }
}

fn unbound(parts: &mut [Tree]) -> Vec<(&mut Tree, usize)> {
    parts.iter_mut().map(|part| (part, 0)).collect()
}

impl Path {
    fn parts_mut(&mut self) -> Vec<(&mut Tree, usize)> {
        let base = match &mut self.base {
            Base::Value(tree) => Some((tree, 0)),
            _ => None,
        };
        let steps = self.steps.iter_mut().filter_map(|step| match step {
            Step::Index(index) => Some((index, 0)),
            Step::Member { .. } => None,
        });
        base.into_iter().chain(steps).collect()
    }
}

impl Loop {
    /// Whether it gives a bool as soon as an element decides.
    pub(super) fn decides(&self) -> bool {
        matches!(self.kind, LoopKind::All | LoopKind::Exists)
    }
}

impl Term {
    /// A part of `&&` or `||` that is this.
    pub(super) fn new(tree: Tree) -> Term {
        Term { test: Test::of(&tree), tree }
    }
}

impl Test {
    /// What a row may answer of this at once, if it is such a test.
    pub(super) fn of(tree: &Tree) -> Option<Test> {
        let (asks, expected) = match tree {
            Tree::FieldIs(test) => (Asks::Is { field: test.field, text: test.text.clone() }, test.equal),
            Tree::InSet(test) if test.1.texts.len() <= FEW_TEXTS => {
                (Asks::In { field: test.1.slot?, texts: Arc::clone(&test.1.texts) }, true)
            }
            Tree::Has(path) => (Asks::Has { map: path.start?.0, field: path.slot? }, true),
            Tree::Compare(Comparison::Equal, operands) => (Asks::of_member(operands)?, true),
            Tree::Compare(Comparison::NotEqual, operands) => (Asks::of_member(operands)?, false),
            Tree::Not(operand) => {
                let Test { asks, expected } = Test::of(operand)?;
                (asks, !expected)
            }
            _ => return None,
        };
        Some(Test { asks, expected })
    }
}

impl Asks {
    /// Whether a member of the innermost variable is a text.
    fn of_member(operands: &[Tree; 2]) -> Option<Asks> {
        let [Tree::Path(path), Tree::Constant(Value::String(text))] = operands else { return None };
        let Path { base: Base::Variable(0), steps, optional_from: None, .. } = &**path else { return None };
        let [Step::Member { field: Some(field), name }] = &**steps else { return None };
        Some(Asks::MemberIs { field: *field, name: name.clone(), text: LiteralText::from(text.as_str()) })
    }
}

impl LiteralSet {
    /// The set of these literals, in which `needle` is searched.
    pub(super) fn new(needle: &Tree, literals: &[Value<'static>]) -> LiteralSet {
        let slot = match needle {
            Tree::Path(path) if path.optional_from.is_none() => path.slot,
            _ => None,
        };
        let texts = literals.iter().filter_map(Value::as_str);
        let mut texts: Vec<LiteralText> = texts.map(LiteralText::from).collect();
        if texts.len() > FEW_TEXTS {
            texts.sort_unstable_by(|a, b| a.as_str().cmp(b.as_str()));
        }
        let others = literals.iter().filter(|literal| literal.as_str().is_none());
        LiteralSet { slot, texts: texts.into(), others: others.cloned().collect() }
    }

    /// Whether a text of these bytes is in it.
    pub(super) fn has_text(&self, text: &[u8]) -> bool {
        if self.texts.len() <= FEW_TEXTS {
            return LiteralText::is_any(&self.texts, text);
        }
        self.texts.binary_search_by(|known| known.as_str().as_bytes().cmp(text)).is_ok()
    }
}

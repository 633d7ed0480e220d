//! The query tree: what a JSONPath of either dialect means.
//!
//! In: the front ends build it. Out: [`super::resolve`] fills in the field numbers, [`super::evaluate`] and
//! [`super::kubectl`] run it. Must never know: the texts that paths were written in, rows.

use std::sync::Arc;

use crate::expression::matcher::Matcher;
use crate::row::FieldId;

/// One step from a list of nodes to the next.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// The member of this name: all that a plain path consists of, the same in both dialects.
    Name(Name),
    /// A child segment of RFC 9535: every selector in turn, node by node.
    Children(Vec<Selector>),
    /// A descendant segment of RFC 9535: the selectors on the node itself and on everything below it.
    Descendants(Vec<Selector>),
    /// What kubectl's dialect has beside names, with client-go's rules.
    Kubectl(KubectlStep),
}

/// A member name, and the fields that such a member may be of.
#[derive(Clone, Debug)]
pub(crate) struct Name {
    pub(crate) text: Arc<str>,
    /// Filled in by resolution. Empty below a subtree that is kept whole, where names alone decide.
    pub(crate) fields: Vec<FieldId>,
}

/// A selector of RFC 9535.
#[derive(Clone, Debug)]
pub(crate) enum Selector {
    Name(Name),
    Wildcard,
    /// From the end where negative.
    Index(i64),
    Slice(Slice),
    Filter(Logical),
}

/// A slice of RFC 9535.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slice {
    pub(crate) start: Option<i64>,
    pub(crate) end: Option<i64>,
    pub(crate) step: i64,
}

/// A condition of an RFC 9535 filter.
#[derive(Clone, Debug)]
pub(crate) enum Logical {
    Any(Vec<Logical>),
    All(Vec<Logical>),
    Not(Box<Logical>),
    /// The query selects at least one node.
    Exists(Subquery),
    Compare(Box<Operand>, Comparison, Box<Operand>),
    Matches(Box<Matches>),
}

/// A query inside a filter.
#[derive(Clone, Debug)]
pub(crate) struct Subquery {
    pub(crate) anchor: Anchor,
    pub(crate) steps: Vec<Step>,
}

/// Where a query inside a filter begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Anchor {
    /// `$`, and once the fields are resolved the field that the names directly behind it lead to, which are then no
    /// steps any more.
    Object(FieldId),
    /// `@`
    Current,
}

/// What is compared, or given to a function: at most one value.
#[derive(Clone, Debug)]
pub(crate) enum Operand {
    Literal(Literal),
    /// A singular query: at most one node by its form.
    Singular(Subquery),
    /// `length(…)`
    Length(Box<Operand>),
    /// `count(…)`
    Count(Subquery),
    /// `value(…)`: the node, if there is exactly one.
    Value(Subquery),
}

/// A scalar written in a path.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Literal {
    Null,
    Bool(bool),
    Integer(i64),
    Double(f64),
    String(Arc<str>),
}

/// How two values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// `match(…)` or `search(…)`.
#[derive(Clone, Debug)]
pub(crate) struct Matches {
    pub(crate) subject: Operand,
    pub(crate) pattern: Pattern,
    pub(crate) extent: Extent,
}

/// Where the regular expression comes from.
#[derive(Clone, Debug)]
pub(crate) enum Pattern {
    /// Of a literal, compiled once.
    Compiled(Matcher),
    /// Of the object: compiled while the query runs.
    Computed(Operand),
}

/// How much of a text a regular expression has to match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    /// All of it: `match`.
    Whole,
    /// Any part: `search`.
    Part,
}

/// A step of kubectl's dialect.
#[derive(Clone, Debug)]
pub(crate) enum KubectlStep {
    /// `.*`
    Members,
    /// `[n]`, `[*]`, `[a:b:c]`
    Range(Range),
    /// `[?(…)]`
    Where(Box<Condition>),
    /// `[…,…]`: each alternative on all nodes, one after the other.
    Union(Vec<Vec<Step>>),
    /// `..`: the node and everything below it that is not empty.
    Descend,
}

/// The bounds of a [`KubectlStep::Range`] as written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Range {
    pub(crate) start: Option<i64>,
    pub(crate) end: End,
    pub(crate) step: Option<i64>,
}

/// The end of a [`Range`].
#[derive(Clone, Copy, Debug)]
pub(crate) enum End {
    /// One element is asked for, the one at the start.
    AfterStart,
    /// To the end of the list.
    Open,
    /// Before this one; from the end of the list where negative.
    At(i64),
}

/// A condition of kubectl's filter.
#[derive(Clone, Debug)]
pub(crate) enum Condition {
    /// The steps select something.
    Exists(Vec<Step>),
    Compare(KubectlOperand, Comparison, KubectlOperand),
}

/// One side of a comparison in kubectl's filter.
#[derive(Clone, Debug)]
pub(crate) enum KubectlOperand {
    Literal(Literal),
    /// From the current element.
    Steps(Vec<Step>),
}

// === impl Name ===

impl Name {
    pub(crate) fn new(text: impl Into<Arc<str>>) -> Self {
        Name { text: text.into(), fields: Vec::new() }
    }
}

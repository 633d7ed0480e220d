//! Runs the steps of a query over a row; those of RFC 9535 are here.
//!
//! In: nodes and steps. Out: the nodes that the steps select, in the order that RFC 9535 (section 2) gives; members
//! of maps, whose order it leaves open, by name. Must never know: field plans, the texts that paths were written in.

use super::filter::PatternCache;
use super::meter::{Meter, Stop};
use super::tree::{Name, Selector, Slice, Step};
use crate::row::{Kind, NodeRef, Row};

/// One evaluation of a query.
pub(super) struct Evaluator<'r, 'b> {
    pub(super) row: &'r Row,
    pub(super) meter: Meter<'b>,
    pub(super) patterns: PatternCache<'r>,
}

// === impl Evaluator ===

impl<'r, 'b> Evaluator<'r, 'b> {
    pub(super) fn new(row: &'r Row, meter: Meter<'b>) -> Self {
        Evaluator { row, meter, patterns: PatternCache::default() }
    }

    /// The nodes that `steps` lead to from `nodes`.
    pub(super) fn steps(
        &mut self,
        mut nodes: Vec<NodeRef<'r>>,
        steps: &[Step],
    ) -> Result<Vec<NodeRef<'r>>, Stop> {
        for step in steps {
            nodes = self.step(nodes, step)?;
        }
        Ok(nodes)
    }

    fn step(&mut self, nodes: Vec<NodeRef<'r>>, step: &Step) -> Result<Vec<NodeRef<'r>>, Stop> {
        let mut selected = Vec::new();
        match step {
            Step::Name(name) => {
                for node in nodes {
                    self.name(node, name, &mut selected)?;
                }
            }
            Step::Children(selectors) => {
                for node in nodes {
                    self.select(node, selectors, &mut selected)?;
                }
            }
            Step::Descendants(selectors) => {
                for node in nodes {
                    self.descend(node, selectors, &mut selected)?;
                }
            }
            Step::Kubectl(step) => return self.kubectl(nodes, step),
        }
        Ok(selected)
    }

    fn name(&mut self, node: NodeRef<'r>, name: &Name, selected: &mut Vec<NodeRef<'r>>) -> Result<(), Stop> {
        // One step, however large the map: what else a row holds of it depends on other plans.
        self.meter.steps(1)?;
        match name.find(node) {
            Some(member) => self.meter.push(selected, member),
            None => Ok(()),
        }
    }

    fn select(
        &mut self,
        node: NodeRef<'r>,
        selectors: &[Selector],
        selected: &mut Vec<NodeRef<'r>>,
    ) -> Result<(), Stop> {
        for selector in selectors {
            match selector {
                Selector::Name(name) => self.name(node, name, selected)?,
                Selector::Wildcard => {
                    for child in self.children(node)? {
                        self.meter.push(selected, child)?;
                    }
                }
                Selector::Index(index) => {
                    if let Some(item) = self.item(node, *index)? {
                        self.meter.push(selected, item)?;
                    }
                }
                Selector::Slice(slice) => self.slice(node, *slice, selected)?,
                Selector::Filter(condition) => {
                    for child in self.children(node)? {
                        if self.holds(condition, child)? {
                            self.meter.push(selected, child)?;
                        }
                    }
                }
            }
        }
        Ok(())
    }

    /// The elements of a list, the members of a map by name, nothing of a scalar.
    pub(super) fn children(&mut self, node: NodeRef<'r>) -> Result<Vec<NodeRef<'r>>, Stop> {
        self.meter.steps(1 + node.len())?;
        self.meter.nodes(node.len())?;
        Ok(match node.kind() {
            Kind::List => node.items().collect(),
            Kind::Map => sorted_members(node).into_iter().map(|(_, member)| member).collect(),
            Kind::Null | Kind::Bool | Kind::Number | Kind::String => Vec::new(),
        })
    }

    fn item(&mut self, node: NodeRef<'r>, index: i64) -> Result<Option<NodeRef<'r>>, Stop> {
        let Some(index) = position(index, node.len()).filter(|_| node.kind() == Kind::List) else {
            return Ok(None);
        };
        self.meter.steps(1 + index)?;
        Ok(node.items().nth(index))
    }

    /// Section 2.3.4.2.2 of RFC 9535.
    fn slice(
        &mut self,
        node: NodeRef<'r>,
        slice: Slice,
        selected: &mut Vec<NodeRef<'r>>,
    ) -> Result<(), Stop> {
        if node.kind() != Kind::List || slice.step == 0 {
            return Ok(());
        }
        let items = self.children(node)?;
        let len = items.len() as i64;
        let from_start = |bound: i64| if bound >= 0 { bound } else { len.saturating_add(bound) };
        let (mut next, last) = if slice.step > 0 {
            let lower = slice.start.map_or(0, from_start).clamp(0, len);
            (lower, slice.end.map_or(len, from_start).clamp(0, len))
        } else {
            let upper = slice.start.map_or(len - 1, from_start).clamp(-1, len - 1);
            (upper, slice.end.map_or(-1, from_start).clamp(-1, len - 1))
        };
        while if slice.step > 0 { next < last } else { next > last } {
            self.meter.push(selected, items[next as usize])?;
            next = next.saturating_add(slice.step);
        }
        Ok(())
    }

    /// The selectors on the node, then on its children from first to last, each followed by its own descendants.
    fn descend(
        &mut self,
        node: NodeRef<'r>,
        selectors: &[Selector],
        selected: &mut Vec<NodeRef<'r>>,
    ) -> Result<(), Stop> {
        let mut pending = vec![node];
        while let Some(node) = pending.pop() {
            self.select(node, selectors, selected)?;
            pending.extend(self.children(node)?.into_iter().rev());
        }
        Ok(())
    }
}

// === impl Name ===

impl Name {
    /// The member of this name.
    pub(super) fn find<'r>(&self, node: NodeRef<'r>) -> Option<NodeRef<'r>> {
        if node.is_whole() {
            return node.get(&self.text);
        }
        self.fields.iter().find_map(|&field| node.member(field, &self.text))
    }
}

/// The members of a whole map, by name.
pub(super) fn sorted_members(map: NodeRef<'_>) -> Vec<(&str, NodeRef<'_>)> {
    let mut members: Vec<_> = map.entries().collect();
    members.sort_unstable_by_key(|(name, _)| *name);
    members
}

/// The place in a list of `len` elements that an index means, which counts from the end where it is negative.
fn position(index: i64, len: usize) -> Option<usize> {
    let len = i64::try_from(len).ok()?;
    let position = if index < 0 { index.checked_add(len)? } else { index };
    if (0..len).contains(&position) { usize::try_from(position).ok() } else { None }
}

//! Macros: what they loop over, what they bind, what their parts must be.
//!
//! In: macros. Out: loops and bindings. Must never know: functions.

use super::super::fault::{Checked, fault};
use super::super::syntax::{BindSyntax, Macro, MacroSyntax};
use super::super::tree::{Loop, LoopKind, OptMap, Tree};
use super::super::types::StaticType;
use super::{Checker, Need, Operand, Typed, Variable};

impl Checker<'_, '_> {
    /// A macro. With `count`, a filter gives the number of its elements, of which nothing is kept.
    pub(super) fn each(&mut self, each: &MacroSyntax, target: Operand, count: bool) -> Checked<Typed> {
        match each.kind {
            Macro::OptMap | Macro::OptFlatMap => return self.map_optional(each, target),
            Macro::SortBy => return self.sort_by(each, target),
            _ => {}
        }
        let (range, field) = self.elements(target);
        if !matches!(range.kind, StaticType::Dyn | StaticType::List | StaticType::Map) {
            let message = format!("expected a list or a map to loop over, found {}", range.kind.name());
            return Err(fault(each.target.at, message));
        }
        let (kind, result_kind) = match each.kind {
            Macro::All => (LoopKind::All, StaticType::Bool),
            Macro::Exists => (LoopKind::Exists, StaticType::Bool),
            Macro::ExistsOne => (LoopKind::ExistsOne, StaticType::Bool),
            Macro::Filter if count => (LoopKind::Count, StaticType::Int),
            Macro::Filter => (LoopKind::Filter, StaticType::List),
            Macro::TransformMap => (LoopKind::TransformMap, StaticType::Map),
            Macro::TransformMapEntry => (LoopKind::TransformMapEntry, StaticType::Map),
            _ => (LoopKind::Map, StaticType::List),
        };
        if kind == LoopKind::Filter
            && let Some(collected) = field
        {
            // Whole elements are collected.
            self.fields.keep(collected);
        }
        let element = |name: &String| Variable { name: name.clone(), field, kind: StaticType::Dyn };
        match &each.second {
            None => self.variables.push(element(&each.variable)),
            Some(second) => {
                // A list has indices, a map has keys.
                let kind = if range.kind == StaticType::List { StaticType::Int } else { StaticType::Dyn };
                self.variables.push(Variable { name: each.variable.clone(), field: None, kind });
                self.variables.push(element(second));
            }
        }
        let parts = self.parts(each, kind);
        let outer = self.variables.len() - if each.second.is_some() { 2 } else { 1 };
        self.variables.truncate(outer);
        let (condition, result) = parts?;
        let each = Loop { kind, range: range.tree, pair: each.second.is_some(), condition, result };
        Ok(Typed { tree: Tree::Loop(Box::new(each)), kind: result_kind })
    }

    /// The condition and the result, with the variables bound.
    fn parts(&mut self, each: &MacroSyntax, kind: LoopKind) -> Checked<(Option<Tree>, Option<Tree>)> {
        let condition = each.condition.as_ref().map(|condition| self.truth(condition));
        let Some(syntax) = &each.result else { return Ok((condition, None)) };
        let result = self.value(syntax, Need::Whole);
        if kind == LoopKind::TransformMapEntry && !result.kind.may_be(StaticType::Map) {
            return Err(fault(syntax.at, format!("expected a map, found {}", result.kind.name())));
        }
        Ok((condition, Some(result.tree)))
    }

    fn sort_by(&mut self, each: &MacroSyntax, target: Operand) -> Checked<Typed> {
        // Whole elements are collected.
        let range = self.whole(target);
        if !range.kind.may_be(StaticType::List) {
            return Err(fault(
                each.target.at,
                format!("expected a list to sort, found {}", range.kind.name()),
            ));
        }
        let Some(key) = &each.result else { return Err(fault(each.target.at, "syntax error")) };
        let key =
            self.inside(&each.variable, None, StaticType::Dyn, |checker| checker.value(key, Need::Whole));
        Ok(Typed { tree: Tree::SortBy(Box::new((range.tree, key.tree))), kind: StaticType::List })
    }

    fn map_optional(&mut self, each: &MacroSyntax, target: Operand) -> Checked<Typed> {
        let operand = self.whole(target);
        if !operand.kind.may_be(StaticType::Optional) {
            let message = format!("expected an optional, found {}", operand.kind.name());
            return Err(fault(each.target.at, message));
        }
        let Some(result) = &each.result else { return Err(fault(each.target.at, "syntax error")) };
        let body =
            self.inside(&each.variable, None, StaticType::Dyn, |checker| checker.value(result, Need::Whole));
        let flat = each.kind == Macro::OptFlatMap;
        if flat && !body.kind.may_be(StaticType::Optional) {
            let message = format!("expected an optional, found {}", body.kind.name());
            return Err(fault(result.at, message));
        }
        let map = OptMap { operand: operand.tree, body: body.tree, flat };
        Ok(Typed { tree: Tree::OptMap(Box::new(map)), kind: StaticType::Optional })
    }

    /// `cel.bind(variable, value, body)`. Of a field, only what the body reads is kept.
    pub(super) fn bind(&mut self, bind: &BindSyntax) -> Checked<Operand> {
        let (value, field) = match self.operand(&bind.value) {
            Operand::Place(place) if place.path.optional_from.is_none() => {
                let field = place.field;
                (place.read(), Some(field))
            }
            operand => (self.whole(operand), None),
        };
        let body = self.inside(&bind.variable, field, value.kind, |checker| {
            // A place in the body begins at the variable, which is none outside.
            checker.value(&bind.body, Need::Whole)
        });
        let kind = body.kind;
        Ok(Operand::Value(Typed { tree: Tree::Bind(Box::new((value.tree, body.tree))), kind }))
    }

    /// Checks a part in which a variable is bound.
    fn inside<T>(
        &mut self,
        name: &str,
        field: Option<crate::row::FieldId>,
        kind: StaticType,
        part: impl FnOnce(&mut Self) -> T,
    ) -> T {
        self.variables.push(Variable { name: name.to_owned(), field, kind });
        let checked = part(self);
        self.variables.pop();
        checked
    }
}

//! Macros and what they bind.
//!
//! In: macros, and what is known of what they loop over. Out: what they give. Must never know: functions.

use std::rc::Rc;

use super::super::StaticType;
use super::super::syntax::{BindSyntax, Macro, MacroSyntax};
use super::cel::Fitter;
use super::seen::Seen;

impl Fitter<'_> {
    /// A macro over `target`.
    pub(super) fn each(&mut self, each: &MacroSyntax, target: &Seen) -> Seen {
        match each.kind {
            Macro::OptMap | Macro::OptFlatMap => return self.map_optional(each, target),
            Macro::SortBy => return self.sort_by(each, target),
            _ => {}
        }
        let bound = match &each.second {
            None => vec![(each.variable.clone(), self.looped(each, target))],
            Some(second) => {
                let keys = target.keys(self.schema);
                vec![(each.variable.clone(), keys), (second.clone(), self.elements(each, target))]
            }
        };
        let element = bound[bound.len() - 1].1.clone();
        let result = self.inside(bound, |fitter| {
            if let Some(condition) = &each.condition {
                fitter.truth(condition);
            }
            each.result.as_ref().map(|result| fitter.see(result))
        });
        match (each.kind, result) {
            (Macro::All | Macro::Exists | Macro::ExistsOne, _) => Seen::Kind(StaticType::Bool),
            (Macro::Filter, _) => Seen::list(element),
            (Macro::Map, Some(result)) => Seen::list(result),
            (Macro::TransformMap, Some(result)) => Seen::Map(Rc::new(result)),
            (Macro::TransformMapEntry, _) => Seen::of_kind(StaticType::Map),
            _ => Seen::Anything,
        }
    }

    fn looped(&mut self, each: &MacroSyntax, target: &Seen) -> Seen {
        let looped = target.looped(self.schema);
        looped.unwrap_or_else(|_| self.no_range(each, target))
    }

    fn elements(&mut self, each: &MacroSyntax, target: &Seen) -> Seen {
        let elements = target.elements(self.schema);
        elements.unwrap_or_else(|_| self.no_range(each, target))
    }

    fn no_range(&mut self, each: &MacroSyntax, target: &Seen) -> Seen {
        let message = target.contradicting("expected a list or a map to loop over", self.schema);
        self.faults.push(self.place_of(&each.target), message)
    }

    fn sort_by(&mut self, each: &MacroSyntax, target: &Seen) -> Seen {
        let element = if target.may_be(StaticType::List, self.schema) {
            target.at_number(self.schema).unwrap_or(Seen::Anything)
        } else {
            let message = target.contradicting("expected a list to sort", self.schema);
            self.faults.push(self.place_of(&each.target), message)
        };
        let bound = vec![(each.variable.clone(), element.clone())];
        self.inside(bound, |fitter| drop(each.result.as_ref().map(|key| fitter.see(key))));
        Seen::list(element)
    }

    fn map_optional(&mut self, each: &MacroSyntax, target: &Seen) -> Seen {
        let value = match target {
            Seen::Optional(value) => Seen::clone(value),
            _ => Seen::Anything,
        };
        let bound = vec![(each.variable.clone(), value)];
        let body = self.inside(bound, |fitter| each.result.as_ref().map(|body| fitter.see(body)));
        match (each.kind, body) {
            (Macro::OptFlatMap, Some(body @ Seen::Optional(_))) => body,
            (Macro::OptMap, Some(body)) => Seen::optional(body),
            _ => Seen::of_kind(StaticType::Optional),
        }
    }

    /// `cel.bind(variable, value, body)`
    pub(super) fn bind(&mut self, bind: &BindSyntax) -> Seen {
        let value = self.see(&bind.value);
        self.inside(vec![(bind.variable.clone(), value)], |fitter| fitter.see(&bind.body))
    }
}

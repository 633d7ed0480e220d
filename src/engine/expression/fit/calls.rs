//! Calls of functions.
//!
//! In: calls, and what is known of their arguments. Out: what they give. Must never know: what functions do, except
//! for those that hand on what they are given.

use super::super::StaticType;
use super::super::library::{Overload, overloads};
use super::super::syntax::{CallSyntax, Syntax, SyntaxKind};
use super::cel::Fitter;
use super::seen::Seen;

/// Methods that give a list of what their list holds.
const SAME_ELEMENTS: &[&str] = &["distinct", "reverse", "slice", "sort"];

impl Fitter<'_> {
    /// What stands before the dot of a call, if it is a value.
    pub(super) fn receiver<'s>(&self, call: &'s CallSyntax) -> Option<&'s Syntax> {
        let target = call.target.as_ref()?;
        let is_namespace = self.dotted(target).is_some_and(|namespace| {
            let qualified = format!("{namespace}.{}", call.name);
            overloads().any(|overload| overload.name == qualified)
        });
        (!is_namespace).then_some(target)
    }

    /// `a.b.c` as one name, if `a` is no variable.
    fn dotted(&self, syntax: &Syntax) -> Option<String> {
        match &syntax.kind {
            SyntaxKind::Identifier(name) if !self.is_variable(name) => Some(name.clone()),
            SyntaxKind::Select { operand, name, optional: false } => {
                Some(format!("{}.{name}", self.dotted(operand)?))
            }
            _ => None,
        }
    }

    /// `name(arguments)`, or `left.name(arguments)` with the left looked at already.
    pub(super) fn call(&mut self, at: u32, call: &CallSyntax, left: Option<Seen>) -> Seen {
        let receiver = left.is_some();
        let name = match &call.target {
            Some(target) if !receiver => match self.dotted(target) {
                Some(namespace) => format!("{namespace}.{}", call.name),
                None => return Seen::Anything,
            },
            _ => call.name.clone(),
        };
        let mut operands: Vec<Seen> = left.into_iter().collect();
        for argument in &call.arguments {
            operands.push(self.see(argument));
        }
        let is_meant = |overload: &&'static Overload| {
            overload.name == name
                && overload.receiver == receiver
                && overload.parameters.len() == operands.len()
        };
        let meant: Vec<_> = overloads().filter(is_meant).collect();
        let fits = |overload: &&'static Overload| {
            let mut pairs = overload.parameters.iter().zip(&operands);
            pairs.all(|(wanted, operand)| operand.may_be(*wanted, self.schema))
        };
        let fitting: Vec<_> = meant.iter().copied().filter(fits).collect();
        if fitting.is_empty() {
            return if meant.is_empty() {
                Seen::Anything
            } else {
                self.no_overload(at, &name, receiver, &operands)
            };
        }
        handed_on(&name, &operands, self).unwrap_or_else(|| {
            let mut results = fitting.iter().map(|overload| overload.result);
            let first = results.next().unwrap_or(StaticType::Dyn);
            if results.all(|kind| kind == first) { Seen::of_kind(first) } else { Seen::Anything }
        })
    }

    fn no_overload(&mut self, at: u32, name: &str, receiver: bool, operands: &[Seen]) -> Seen {
        let kinds: Vec<_> = operands.iter().map(|operand| operand.type_names(self.schema)).collect();
        let fields = self.fields_of(operands);
        let message = match kinds.split_first() {
            Some((target, rest)) if receiver => {
                format!("no such overload: {target}.{name}({}){fields}", rest.join(", "))
            }
            _ => format!("no such overload: {name}({}){fields}", kinds.join(", ")),
        };
        self.faults.push(at as usize, message)
    }
}

/// What a function gives that hands on what it is given.
fn handed_on(name: &str, operands: &[Seen], fitter: &Fitter<'_>) -> Option<Seen> {
    Some(match (name, operands) {
        ("optional.of" | "optional.ofNonZeroValue", [value]) => Seen::optional(value.clone()),
        ("value", [Seen::Optional(value)]) => Seen::clone(value),
        ("orValue", [Seen::Optional(value), other]) => Seen::clone(value).or(other.clone()),
        ("optional.none", []) => Seen::optional(Seen::Nothing),
        ("or", [Seen::Optional(value), Seen::Optional(other)]) => {
            Seen::optional(Seen::clone(value).or(Seen::clone(other)))
        }
        (name, [list, ..])
            if SAME_ELEMENTS.contains(&name) && !list.may_be(StaticType::String, fitter.schema) =>
        {
            Seen::list(list.at_number(fitter.schema).ok()?)
        }
        _ => return None,
    })
}

//! Functions: which is meant, and whether it takes these arguments.
//!
//! In: calls. Out: calls of chosen overloads. Must never know: what functions do, except for the forms that the
//! library tables name.

use super::super::cel::MACROS;
use super::super::evaluate::{Frame, evaluate};
use super::super::fault::{Checked, fault};
use super::super::library::{
    Form, MAX_ARGUMENTS, Overload, check_template, compile_regex, is_never, overloads,
};
use super::super::patterns::Patterns;
use super::super::syntax::{CallSyntax, Macro, MacroSyntax, Syntax, SyntaxKind};
use super::super::tree::{Call, SearchCall, Tree};
use super::super::types::StaticType;
use super::super::{Budget, Value};
use super::suggest::suggestion;
use super::{Checker, Need, Operand, Typed, Variable};

/// A call with its function found.
struct Chosen<'s> {
    name: String,
    arguments: Vec<&'s Syntax>,
    overloads: Vec<&'static Overload>,
}

impl Checker<'_, '_> {
    /// What stands before the dot of a call, if it is a value that can be checked before the call.
    pub(super) fn receiver<'s>(&self, call: &'s CallSyntax) -> Option<&'s Syntax> {
        let target = call.target.as_ref()?;
        let namespaced = self.qualified_name(target).is_some_and(|namespace| {
            let qualified = format!("{namespace}.{}", call.name);
            let is_known = overloads().any(|overload| overload.name == qualified);
            is_known || is_never(&qualified) || macro_counts(&qualified).is_some()
        });
        (!namespaced && counted(&call.name, &[target]).is_none()).then_some(target)
    }

    /// `name(arguments)`, or `left.name(arguments)` with the left checked already.
    pub(super) fn call(&mut self, at: u32, call: &CallSyntax, left: Option<Operand>) -> Checked<Typed> {
        let chosen = match self.choose(at, call, left.is_some()) {
            Ok(chosen) => chosen,
            Err(fault) => {
                self.arguments_of_none(call);
                return Err(fault);
            }
        };
        if let Some(filter) = counted(&chosen.name, &chosen.arguments) {
            let target = self.operand(&filter.target);
            return self.each(filter, target, true);
        }
        let mut operands = Vec::with_capacity(chosen.arguments.len());
        let mut left = left;
        for (index, argument) in chosen.arguments.iter().enumerate() {
            let operand = match left.take() {
                Some(left) => left,
                None => self.operand(argument),
            };
            operands.push(self.need(operand, need_of(&chosen.overloads, index)));
        }
        let fits = |overload: &&'static Overload| {
            let pairs = overload.parameters.iter().zip(&operands);
            pairs.into_iter().all(|(wanted, operand)| operand.kind.may_be(*wanted))
        };
        let overloads: Box<[_]> = chosen.overloads.iter().copied().filter(fits).collect();
        if overloads.is_empty() {
            return Err(fault(at, no_overload(&chosen, &operands)));
        }
        finish(at, overloads, operands, &mut self.patterns)
    }

    /// Arguments may be wrong too where there is no such function. What may have been meant as a macro binds the names before
    /// its last argument.
    fn arguments_of_none(&mut self, call: &CallSyntax) {
        let before_last =
            if call.target.is_some() { call.arguments.len().saturating_sub(1).min(2) } else { 0 };
        let name = |argument: &Syntax| match &argument.kind {
            SyntaxKind::Identifier(name) => Some(name.clone()),
            _ => None,
        };
        let names: Vec<_> = call.arguments[..before_last].iter().map_while(name).collect();
        let (first, outer) = (names.len(), self.variables.len());
        let variable = |name| Variable { name, field: None, kind: StaticType::Dyn };
        self.variables.extend(names.into_iter().map(variable));
        for argument in &call.arguments[first..] {
            self.operand(argument);
        }
        self.variables.truncate(outer);
    }

    /// Finds the function that a call means, by name, way of calling and number of arguments.
    fn choose<'s>(&mut self, at: u32, call: &'s CallSyntax, has_left: bool) -> Checked<Chosen<'s>> {
        let mut arguments: Vec<&Syntax> = call.arguments.iter().collect();
        let mut name = call.name.clone();
        let mut receiver = has_left;
        if let Some(target) = &call.target {
            match self.qualified_name(target) {
                Some(namespace) if !has_left => {
                    name = format!("{namespace}.{name}");
                }
                _ => {
                    receiver = true;
                    arguments.insert(0, target);
                }
            }
        }
        let named = || overloads().filter(|overload| overload.name == name);
        let styled: Vec<_> = named().filter(|overload| overload.receiver == receiver).collect();
        if styled.is_empty() {
            let message = match macro_counts(&name) {
                Some(counts) if receiver == is_method(&name) => takes(&name, counts, call.arguments.len()),
                Some(_) => otherwise(&name, receiver),
                None => unknown(&name, receiver, named().next()),
            };
            return Err(fault(at, message));
        }
        let counts = |overload: &&Overload| overload.parameters.len() == arguments.len();
        let fitting: Vec<_> = styled.iter().copied().filter(counts).collect();
        if fitting.is_empty() || arguments.len() > MAX_ARGUMENTS {
            return Err(fault(at, wrong_count(&name, receiver, &styled, arguments.len())));
        }
        Ok(Chosen { name, arguments, overloads: fitting })
    }
}

/// The filter in `size(list.filter(x, …))` and `list.filter(x, …).size()`.
fn counted<'s>(name: &str, arguments: &[&'s Syntax]) -> Option<&'s MacroSyntax> {
    match arguments {
        [Syntax { kind: SyntaxKind::Macro(each), .. }] if name == "size" && each.kind == Macro::Filter => {
            Some(each)
        }
        _ => None,
    }
}

/// What an argument is needed for: a parameter that is a scalar in every signature asks for no more.
fn need_of(overloads: &[&Overload], index: usize) -> Need {
    let wanted = |overload: &&Overload| overload.parameters.get(index).copied();
    if overloads.iter().all(|overload| matches!(overload.form, Form::Size(_))) {
        return Need::Length;
    }
    let collections = [StaticType::Dyn, StaticType::List, StaticType::Map, StaticType::Optional];
    if overloads.iter().filter_map(wanted).any(|kind| collections.contains(&kind)) {
        Need::Whole
    } else {
        Need::Scalar
    }
}

/// The call itself, or what is known of it already.
fn finish(
    at: u32,
    overloads: Box<[&'static Overload]>,
    operands: Vec<Typed>,
    patterns: &mut Patterns,
) -> Checked<Typed> {
    let kinds = overloads.iter().map(|overload| overload.result);
    let kind = kinds.reduce(StaticType::join).unwrap_or(StaticType::Dyn);
    // Of `dyn('')` nothing is known, though it is a constant.
    let forgotten = overloads.iter().any(|overload| overload.name == "dyn");
    let must_succeed = overloads.iter().any(|overload| overload.literal);
    let matches = overloads.iter().all(|overload| matches!(overload.form, Form::Matches(_)));
    let mut arguments: Vec<Tree> = operands.into_iter().map(|operand| operand.tree).collect();
    if matches && let [_, Tree::Constant(Value::String(pattern))] = arguments.as_slice() {
        let pattern = compile_regex(pattern.as_str(), patterns).map_err(|message| fault(at, message))?;
        arguments.truncate(1);
        let text = arguments.swap_remove(0);
        return Ok(Typed::new(Tree::Matches(Box::new((text, pattern))), kind));
    }
    if let [overload] = &*overloads
        && let Form::Search(_, run) = overload.form
        && let [_, Tree::Constant(Value::String(pattern)), ..] = arguments.as_slice()
    {
        let matcher = compile_regex(pattern.as_str(), patterns).map_err(|message| fault(at, message))?;
        arguments.remove(1);
        let call = SearchCall { overload, run, matcher, arguments: arguments.into() };
        return Ok(Typed::new(Tree::Search(Box::new(call)), kind));
    }
    if overloads.iter().all(|overload| matches!(overload.form, Form::Template(_)))
        && let [Tree::Constant(Value::String(template)), given] = arguments.as_slice()
        && let Some(count) = length(given)
    {
        check_template(template.as_str(), count).map_err(|message| fault(at, message))?;
    }
    let call = Tree::Call(Box::new(Call { overloads, arguments: arguments.into() }));
    if must_succeed && let Some(message) = failure(&call) {
        return Err(fault(at, message));
    }
    let typed = Typed::new(call, kind);
    Ok(if forgotten { Typed { kind, ..typed } } else { typed })
}

/// How many elements a list has that an author wrote out.
fn length(list: &Tree) -> Option<usize> {
    match list {
        Tree::List(elements) if elements.iter().all(|(_, optional)| !optional) => Some(elements.len()),
        Tree::Constant(Value::List(elements)) => Some(elements.len()),
        _ => None,
    }
}

/// Why a call on constants always fails.
fn failure(tree: &Tree) -> Option<String> {
    let Tree::Call(call) = tree else { return None };
    if !call.arguments.iter().all(|argument| matches!(argument, Tree::Constant(_))) {
        return None;
    }
    let result = evaluate(tree, &Frame::new(None, None), &mut { Budget::EXPRESSION });
    result.err().map(|error| error.message.into_owned())
}

fn unknown(name: &str, receiver: bool, other: Option<&Overload>) -> String {
    if other.is_some() {
        return otherwise(name, receiver);
    }
    if is_never(name) {
        return format!("function '{name}' is not supported: an expression sees its object and nothing else");
    }
    let known = overloads().map(|overload| overload.name).chain(MACROS.map(|(name, _)| name));
    format!("undeclared reference to function '{name:.64}'{}", suggestion(name, known))
}

fn wrong_count(name: &str, receiver: bool, styled: &[&Overload], found: usize) -> String {
    let before = usize::from(receiver);
    let mut counts: Vec<usize> = styled.iter().map(|overload| overload.parameters.len() - before).collect();
    counts.sort_unstable();
    counts.dedup();
    takes(name, &counts, found - before)
}

fn takes(name: &str, counts: &[usize], found: usize) -> String {
    if matches!(name, "math.greatest" | "math.least") {
        return format!("'{name}' takes one argument or more, found {found}");
    }
    let counts: Vec<String> = counts.iter().map(ToString::to_string).collect();
    let plural = if counts == ["1"] { "" } else { "s" };
    format!("'{name}' takes {} argument{plural}, found {found}", counts.join(" or "))
}

/// How a function is called, where it is called the other way.
fn otherwise(name: &str, receiver: bool) -> String {
    match receiver {
        true => format!("'{name}' is no method: write {name}(…)"),
        false => format!("'{name}' is a method: write x.{name}(…)"),
    }
}

/// Whether a macro is called as `x.name(…)`.
fn is_method(name: &str) -> bool {
    !matches!(name, "has" | "cel.bind")
}

/// How many arguments a macro takes.
fn macro_counts(name: &str) -> Option<&'static [usize]> {
    MACROS.iter().find(|(known, _)| *known == name).map(|(_, counts)| *counts)
}

fn no_overload(chosen: &Chosen<'_>, operands: &[Typed]) -> String {
    let kinds: Vec<_> = operands.iter().map(|operand| operand.kind.name()).collect();
    match (kinds.split_first(), chosen.overloads.first()) {
        (Some((target, rest)), Some(overload)) if overload.receiver => {
            format!("no such overload: {target}.{}({})", chosen.name, rest.join(", "))
        }
        _ => format!("no such overload: {}({})", chosen.name, kinds.join(", ")),
    }
}

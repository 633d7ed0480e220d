//! Tree × row → value.
//!
//! In: a checked tree, the variables of one evaluation, a budget. Out: a value that borrows from both, or an error.
//! Must never know: syntax, names of functions, what the value is for.
//!
//! Recursion is bounded by the depth of the tree, which the limits on the text bound.

mod direct;
mod loops;
mod operators;
mod path;
mod sum;
#[cfg(test)]
mod tests;
mod truth;

use std::sync::Arc;

use super::library::{Form, MAX_ARGUMENTS, Overload, is_no_overload};
use super::syntax::Arithmetic;
use super::tree::{Call, Part, SearchCall, Tree};
use super::{Budget, Environment, MapValue, Memo, Outcome, Text, Value};
use crate::error::EvaluationError;
use crate::row::NodeRef;
pub(super) use path::{NO_INDEX, NO_KEY};
use truth::text;
pub(super) use truth::{Asker, truth};

/// What evaluating gives.
type Evaluated<'r> = Result<Value<'r>, EvaluationError>;

/// The variables that a part of a tree sees: those of the evaluation, and of the loops around it, innermost first.
#[derive(Clone, Copy)]
pub(super) struct Frame<'f, 'r> {
    /// Absent while constants are folded.
    environment: Option<&'f Environment<'r>>,
    /// What shared parts have given, where there is more than one expression to share them.
    memo: Option<&'f Memo<'r>>,
    variable: Option<(Bound<'f, 'r>, &'f Frame<'f, 'r>)>,
}

/// What a variable stands for.
#[derive(Clone, Copy)]
pub(super) enum Bound<'f, 'r> {
    Value(&'f Value<'r>),
    /// An element of a list of the row, which is read where the variable is.
    Node(NodeRef<'r>),
    /// Of `cel.bind`: an error only where the variable is read.
    Failed(&'f EvaluationError),
}

impl<'f, 'r> Frame<'f, 'r> {
    /// Without loops.
    pub(super) fn new(environment: Option<&'f Environment<'r>>, memo: Option<&'f Memo<'r>>) -> Self {
        Frame { environment, memo, variable: None }
    }

    /// A frame inside this one, with one variable more.
    pub(super) fn bind(&'f self, value: &'f Value<'r>) -> Frame<'f, 'r> {
        self.bind_to(Bound::Value(value))
    }

    fn bind_to(&'f self, bound: Bound<'f, 'r>) -> Frame<'f, 'r> {
        Frame { variable: Some((bound, self)), ..*self }
    }
}

/// Evaluates a tree.
///
/// Every arm is a call that gives what this gives, and none is inlined here: so going down a tree takes no more stack, and
/// no more time, than what is done at each node.
pub(super) fn evaluate<'r>(tree: &'r Tree, frame: &Frame<'_, 'r>, budget: &mut Budget) -> Evaluated<'r> {
    match tree {
        Tree::Path(path) => path::read(path, frame, budget),
        Tree::FieldIs(_)
        | Tree::Has(_)
        | Tree::InSet(_)
        | Tree::And(_)
        | Tree::Or(_)
        | Tree::Not(_)
        | Tree::Compare(..)
        | Tree::In(_)
        | Tree::Matches(_) => truth::value(tree, frame, budget),
        Tree::Constant(value) => constant(value),
        Tree::Loop(each) => loops::run(each, frame, budget),
        Tree::Call(call) => self::call(call, frame, budget),
        Tree::Conditional(parts) => conditional(parts, frame, budget),
        Tree::Arithmetic(operator, operands) => operators::arithmetic(*operator, operands, frame, budget),
        Tree::Negate(operand) => operators::negate(operand, frame, budget),
        Tree::Search(call) => search(call, frame, budget),
        Tree::List(elements) => list(elements, frame, budget),
        Tree::Map(entries) => map(entries, frame, budget),
        Tree::SortBy(sort) => loops::sort_by(&sort.0, &sort.1, frame, budget),
        Tree::OptMap(map) => loops::map_optional(map, frame, budget),
        Tree::Bind(bind) => loops::bind(&bind.0, &bind.1, frame, budget),
        Tree::Shared(part) => shared(part, frame, budget),
    }
}

/// What a part gives that other expressions may have asked for already.
#[inline(never)]
fn shared<'r>(part: &'r Part, frame: &Frame<'_, 'r>, budget: &mut Budget) -> Evaluated<'r> {
    let Some(memo) = frame.memo.filter(|_| part.mark.is_met_again()) else {
        return evaluate(&part.tree, frame, budget);
    };
    match memo.once(&part.mark, budget, |budget| evaluate(&part.tree, frame, budget).map(Outcome::Value))? {
        Outcome::Value(value) => Ok(value),
        Outcome::Nodes(_) => Err(EvaluationError::new("a part of an expression is a value")),
    }
}

impl Part {
    /// Whether what it gives is remembered.
    fn is_remembered(&self, frame: &Frame<'_, '_>) -> bool {
        frame.memo.is_some() && self.mark.is_met_again()
    }
}

/// `left + right`
pub(super) fn add<'r>(left: &Value<'r>, right: &Value<'r>, budget: &mut Budget) -> Evaluated<'r> {
    operators::compute(Arithmetic::Add, left, right, budget)
}

/// A constant without its own copy.
#[inline(never)]
fn constant<'r>(value: &'r Value<'static>) -> Evaluated<'r> {
    Ok(match value {
        Value::String(text) => Value::String(Text::Borrowed(text.as_str())),
        other => other.clone(),
    })
}

/// Conditionals that follow on each other are walked along in a loop.
#[inline(never)]
fn conditional<'r>(parts: &'r [Tree; 3], frame: &Frame<'_, 'r>, budget: &mut Budget) -> Evaluated<'r> {
    let mut parts = parts;
    loop {
        let chosen =
            if truth(&parts[0], Asker::Operator("?:"), frame, budget)? { &parts[1] } else { &parts[2] };
        match chosen {
            Tree::Conditional(next) => parts = next,
            last => return evaluate(last, frame, budget),
        }
    }
}

#[inline(never)]
fn call<'r>(call: &'r Call, frame: &Frame<'_, 'r>, budget: &mut Budget) -> Evaluated<'r> {
    budget.step(1)?;
    if let [Overload { form: form @ (Form::Or | Form::OrValue), .. }] = *call.overloads {
        return or_else(call, matches!(form, Form::OrValue), frame, budget);
    }
    // No more places than there are arguments: most functions have one or two.
    match &*call.arguments {
        [one] => {
            let mut arguments = [const { Value::Null }; 1];
            fill(&mut arguments[0], one, frame, budget)?;
            apply(call, &arguments, budget)
        }
        [one, two] => {
            let mut arguments = [const { Value::Null }; 2];
            fill(&mut arguments[0], one, frame, budget)?;
            fill(&mut arguments[1], two, frame, budget)?;
            apply(call, &arguments, budget)
        }
        more => {
            let mut arguments = [const { Value::Null }; MAX_ARGUMENTS];
            for (place, argument) in arguments.iter_mut().zip(more) {
                fill(place, argument, frame, budget)?;
            }
            apply(call, &arguments[..more.len()], budget)
        }
    }
}

/// Evaluates an argument into its place. What is a text already is written there, and not moved.
fn fill<'r>(
    place: &mut Value<'r>,
    argument: &'r Tree,
    frame: &Frame<'_, 'r>,
    budget: &mut Budget,
) -> Result<(), EvaluationError> {
    if let Some(text) = text(argument, frame, budget)? {
        *place = Value::String(Text::Borrowed(text));
    } else {
        *place = evaluate(argument, frame, budget)?;
    }
    Ok(())
}

/// The result of the first overload that takes these arguments.
fn apply<'r>(call: &Call, arguments: &[Value<'r>], budget: &mut Budget) -> Evaluated<'r> {
    let takes = |overload: &&&Overload| {
        overload.parameters.iter().zip(arguments).all(|(wanted, argument)| wanted.admits(argument))
    };
    let Some(overload) = call.overloads.iter().find(takes) else { return Err(no_call(call, arguments)) };
    let run = match overload.form {
        Form::Eager(run)
        | Form::Test(run, _)
        | Form::Size(run)
        | Form::Matches(run)
        | Form::Search(run, _)
        | Form::Template(run) => run,
        Form::Or | Form::OrValue => return Err(no_call(call, arguments)),
    };
    run(arguments, budget)
        .map_err(|error| if is_no_overload(&error) { no_call(call, arguments) } else { error })
}

/// `optional.or(other)`, `optional.orValue(other)`: the other is evaluated only where it is needed.
#[inline(never)]
fn or_else<'r>(call: &'r Call, unwrap: bool, frame: &Frame<'_, 'r>, budget: &mut Budget) -> Evaluated<'r> {
    if let Tree::Path(path) = &call.arguments[0]
        && unwrap
        && path.optional_from.is_some()
    {
        // Without the optional in between.
        return match path::read_optional(path, frame, budget)? {
            Some(value) => Ok(value),
            None => evaluate(&call.arguments[1], frame, budget),
        };
    }
    match evaluate(&call.arguments[0], frame, budget)? {
        Value::Optional(Some(value)) if unwrap => Ok(Value::clone(&value)),
        some @ Value::Optional(Some(_)) => Ok(some),
        Value::Optional(None) => match evaluate(&call.arguments[1], frame, budget)? {
            other if unwrap || matches!(other, Value::Optional(_)) => Ok(other),
            other => Err(no_call(call, &[Value::Optional(None), other])),
        },
        other => Err(no_call(call, &[other])),
    }
}

#[inline(never)]
fn search<'r>(call: &'r SearchCall, frame: &Frame<'_, 'r>, budget: &mut Budget) -> Evaluated<'r> {
    budget.step(1)?;
    let mut arguments = Vec::with_capacity(call.arguments.len());
    for argument in &call.arguments {
        arguments.push(evaluate(argument, frame, budget)?);
    }
    let without_pattern =
        call.overload.parameters.iter().take(1).chain(call.overload.parameters.iter().skip(2));
    if without_pattern.zip(&arguments).all(|(wanted, argument)| wanted.admits(argument)) {
        return (call.run)(&call.matcher, &arguments, budget);
    }
    let types: Vec<_> = arguments.iter().map(Value::type_name).collect();
    let (name, text) = (call.overload.name, types.first().copied().unwrap_or_default());
    let more: String = types.iter().skip(1).map(|kind| format!(", {kind}")).collect();
    Err(EvaluationError::plain(format!("no such overload: {text}.{name}(string{more})")))
}

#[inline(never)]
fn list<'r>(elements: &'r [(Tree, bool)], frame: &Frame<'_, 'r>, budget: &mut Budget) -> Evaluated<'r> {
    budget.build_values(elements.len())?;
    let mut values = Vec::with_capacity(elements.len());
    for (element, optional) in elements {
        let value = evaluate(element, frame, budget)?;
        values.extend(if *optional { present(value)? } else { Some(value) });
    }
    Ok(Value::List(values.into()))
}

#[inline(never)]
fn map<'r>(entries: &'r [(Tree, Tree, bool)], frame: &Frame<'_, 'r>, budget: &mut Budget) -> Evaluated<'r> {
    budget.build_values(entries.len().saturating_mul(2))?;
    let mut map = MapValue::default();
    for (key, value, optional) in entries {
        let key = evaluate(key, frame, budget)?;
        let value = evaluate(value, frame, budget)?;
        if let Some(value) = if *optional { present(value)? } else { Some(value) } {
            if let Some(known) = map.key_like(&key)
                && known.type_name() != key.type_name()
            {
                let types = (known.type_name(), key.type_name());
                return Err(EvaluationError::plain(format!("a key comes as {} and as {}", types.0, types.1)));
            }
            map.insert(key, value)?;
        }
    }
    Ok(Value::Map(Arc::new(map)))
}

/// What an optional element of a literal adds.
fn present(value: Value<'_>) -> Result<Option<Value<'_>>, EvaluationError> {
    match value {
        Value::Optional(value) => Ok(value.map(|value| Value::clone(&value))),
        other => Err(no_unary("?", &other)),
    }
}

fn no_unary(operator: &str, operand: &Value<'_>) -> EvaluationError {
    EvaluationError::plain(format!("no such overload: {operator} of {}", operand.type_name()))
}

fn no_call(call: &Call, arguments: &[Value<'_>]) -> EvaluationError {
    let Some(overload) = call.overloads.first() else { return EvaluationError::new("no such overload") };
    let types: Vec<_> = arguments.iter().map(Value::type_name).collect();
    let text = match types.split_first() {
        Some((receiver, rest)) if overload.receiver => {
            format!("no such overload: {receiver}.{}({})", overload.name, rest.join(", "))
        }
        _ => format!("no such overload: {}({})", overload.name, types.join(", ")),
    };
    EvaluationError::plain(text)
}

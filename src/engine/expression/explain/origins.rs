//! Which fields reach the result of an expression.
//!
//! In: syntax. Out: paths. What only decides about the result, such as a filter or a comparison, does not reach it, and
//! neither does what a function makes something else of.

use super::super::query::{KubectlStep, Selector, Step};
use super::super::syntax::{Arithmetic, Macro, MacroSyntax, Syntax, SyntaxKind};

/// Functions whose result is, or holds, all of their receiver or first argument.
const KEEPING: &[&str] = &[
    "string",
    "dyn",
    "trim",
    "lowerAscii",
    "upperAscii",
    "optional.of",
    "optional.ofNonZeroValue",
    "value",
    "join",
];

/// Variables that stand for a field, the innermost last.
type Variables<'s> = Vec<(&'s str, Vec<String>)>;

pub(super) fn of(syntax: &Syntax, item: &[String]) -> Vec<String> {
    let mut found = collect(syntax, &mut vec![("object", vec![String::new()]), ("item", item.to_vec())]);
    found.sort();
    found.dedup();
    found
}

fn collect<'s>(syntax: &'s Syntax, variables: &mut Variables<'s>) -> Vec<String> {
    match &syntax.kind {
        SyntaxKind::Identifier(name) => {
            let variable = variables.iter().rev().find(|(known, _)| known == name);
            variable.map(|(_, fields)| fields.clone()).unwrap_or_default()
        }
        SyntaxKind::Select { operand, name, .. } => below(collect(operand, variables), &member(name)),
        SyntaxKind::Index { operand, index, .. } => {
            let step = match &index.kind {
                SyntaxKind::Literal(value) => value.as_str().map_or("[*]".to_owned(), member),
                _ => "[*]".to_owned(),
            };
            below(collect(operand, variables), &step)
        }
        SyntaxKind::Conditional(parts) => both(&parts[1], &parts[2], variables),
        SyntaxKind::Arithmetic(Arithmetic::Add, operands) => both(&operands[0], &operands[1], variables),
        SyntaxKind::Call(call) => {
            let first = call.target.as_ref().or(call.arguments.first());
            match (call.name.as_str(), first, call.arguments.first()) {
                ("or" | "orValue", Some(target), Some(other)) => both(target, other, variables),
                (name, Some(first), _) if KEEPING.contains(&name) => collect(first, variables),
                _ => Vec::new(),
            }
        }
        SyntaxKind::List(elements) => {
            elements.iter().flat_map(|(element, _)| collect(element, variables)).collect()
        }
        SyntaxKind::Map(entries) => {
            entries.iter().flat_map(|(_, value, _)| collect(value, variables)).collect()
        }
        SyntaxKind::Macro(each) => of_macro(each, variables),
        SyntaxKind::Bind(bind) => {
            let value = collect(&bind.value, variables);
            variables.push((&bind.variable, value));
            let found = collect(&bind.body, variables);
            variables.pop();
            found
        }
        _ => Vec::new(),
    }
}

fn of_macro<'s>(each: &'s MacroSyntax, variables: &mut Variables<'s>) -> Vec<String> {
    let fields = collect(&each.target, variables);
    let element = match each.kind {
        Macro::OptMap | Macro::OptFlatMap => fields.clone(),
        _ => below(fields.clone(), "[*]"),
    };
    let Some(result) = &each.result else {
        return if each.kind == Macro::Filter { fields } else { Vec::new() };
    };
    if each.kind == Macro::SortBy {
        return fields;
    }
    // Of two variables the first is the index or the key.
    let (first, second) = match &each.second {
        Some(second) => (Vec::new(), Some((second.as_str(), element))),
        None => (element, None),
    };
    let before = variables.len();
    variables.push((&each.variable, first));
    variables.extend(second);
    let found = collect(result, variables);
    variables.truncate(before);
    found
}

fn both<'s>(one: &'s Syntax, other: &'s Syntax, variables: &mut Variables<'s>) -> Vec<String> {
    let mut found = collect(one, variables);
    found.extend(collect(other, variables));
    found
}

pub(super) fn of_path(steps: &[Step]) -> Vec<String> {
    let mut path = String::new();
    for step in steps {
        path = match step {
            Step::Name(name) => join(&path, &member(&name.text)),
            Step::Children(selectors) => match selectors.as_slice() {
                [Selector::Name(name)] => join(&path, &member(&name.text)),
                _ => join(&path, "[*]"),
            },
            Step::Kubectl(KubectlStep::Members | KubectlStep::Range(_) | KubectlStep::Where(_)) => {
                join(&path, "[*]")
            }
            // Anything below, or several paths: not one field that could be named.
            Step::Descendants(_) | Step::Kubectl(KubectlStep::Union(_) | KubectlStep::Descend) => {
                return Vec::new();
            }
        };
    }
    vec![path]
}

fn below(fields: Vec<String>, step: &str) -> Vec<String> {
    fields.into_iter().map(|field| join(&field, step)).collect()
}

fn join(path: &str, step: &str) -> String {
    let dot = if path.is_empty() || step.starts_with('[') { "" } else { "." };
    format!("{path}{dot}{step}")
}

/// A member as a step of a path: `name`, or `['odd.name']`.
pub(crate) fn member(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if !name.is_empty() && name.chars().all(plain) { name.to_owned() } else { format!("['{name}']") }
}

#[cfg(test)]
mod tests {
    use crate::definition::{Formula, Language};
    use crate::expression::explain::origins;

    fn check(language: Language, text: &str, expected: &[&str]) {
        let formula = Formula { language, text: text.to_owned(), place: String::new() };
        assert_eq!(origins(&formula, &["spec.containers[*]".to_owned()]), expected, "{text}");
    }

    #[test]
    fn fields_reach_the_result_through_what_keeps_them() {
        let cel = |text, expected: &[&str]| check(Language::Cel, text, expected);
        cel("object.metadata.name", &["metadata.name"]);
        cel("object.metadata['name'] + '-' + object.?a.b.orValue('')", &["a.b", "metadata.name"]);
        cel("object.a == 'x' ? object.b : string(object.c)", &["b", "c"]);
        cel("item.image.lowerAscii()", &["spec.containers[*].image"]);
        cel("object.list.map(x, x.name)", &["list[*].name"]);
        cel("object.list.filter(x, x.ok)[0].name", &["list[*].name"]);
        cel("object.list.transformList(i, x, x.name + string(i))", &["list[*].name"]);
        cel("cel.bind(m, object.metadata, m.name + m.uid)", &["metadata.name", "metadata.uid"]);
        cel("object.metadata.labels['a.b/c']", &["metadata.labels['a.b/c']"]);
        cel("object.metadata.name.startsWith('a')", &[]);
        cel("object.metadata.name.split('-')[0]", &[]);
        cel("size(object.list)", &[]);
        check(
            Language::Kubectl,
            "{.status.conditions[?(@.type==\"a\")].status}",
            &["status.conditions[*].status"],
        );
        check(Language::Rfc9535, "$.metadata['name']", &["metadata.name"]);
        check(Language::Rfc9535, "$..name", &[]);
    }
}

//! How an expression came to its result for one object: every part of it with what it gave.
//!
//! In: a formula, the object, the variables that are bound. Out: parts with their values. Must never know: metrics.
//!
//! Every part is compiled and evaluated by itself, as text. That is slow, and the same as what the whole expression does:
//! expressions have no side effects.

use super::super::syntax::{BindSyntax, Macro, MacroSyntax, Syntax, SyntaxKind};
use super::super::{Binding, Budget, Outcome, Position, Standalone, Value, query};
use super::segments::{self, Segment};
use super::shown::{Shown, json_of};
use super::{Parsed, parse, text};
use crate::definition::Formula;
use crate::error::CONFIDENTIAL;

/// A part of an expression, or one pass of a loop in it.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// Its text; of a pass, with the variable in front: `c = {"name":"web"}: c.name == 'web'`.
    pub text: String,
    /// What it gave.
    pub shown: Shown,
    /// What it is made of.
    pub parts: Vec<Part>,
}

/// The names that parts may use, the innermost last, and what they stand for.
#[derive(Clone, Debug)]
pub(crate) struct Variables {
    bound: Vec<(String, Meaning)>,
    /// Whether no value may be shown.
    discreet: bool,
}

/// What a variable stands for.
#[derive(Clone, Debug)]
enum Meaning {
    Json(String),
    Value(Value<'static>),
}

/// So many passes of a loop are shown.
const MOST_PASSES: usize = 10;

/// So many steps of a path are shown.
const MOST_SEGMENTS: usize = 20;

/// So many parts of one expression are shown.
const MOST_PARTS: usize = 400;

/// Evaluates a formula and every part of it.
pub(crate) fn trace(formula: &Formula, variables: &Variables) -> Part {
    let mut tracer = Tracer { left: MOST_PARTS };
    match parse(formula) {
        // The whole is evaluated as it was written: printed anew it may have more parentheses than are allowed.
        Some(Parsed::Cel(syntax)) => {
            Part { shown: variables.shown(formula), ..tracer.part(&syntax, variables) }
        }
        Some(Parsed::Path(steps)) => tracer.path(formula, &steps, variables),
        None => Part { text: formula.text.clone(), shown: Shown::Skipped, parts: Vec::new() },
    }
}

struct Tracer {
    /// How many parts may still be shown.
    left: usize,
}

// === impl Variables ===

impl Variables {
    /// The variable `object`, a JSON text.
    pub(crate) fn object(json: String, discreet: bool) -> Self {
        Variables { bound: vec![("object".to_owned(), Meaning::Json(json))], discreet }
    }

    /// The same and one more, which hides another of its name.
    pub(crate) fn with(&self, name: &str, value: &Value<'_>) -> Self {
        let mut more = self.clone();
        more.bound.retain(|(known, _)| known != name);
        let meaning = match value.clone().into_owned() {
            Some(owned) => Meaning::Value(owned),
            None => Meaning::Json(json_of(value).to_string()),
        };
        more.bound.push((name.to_owned(), meaning));
        more
    }

    /// Evaluates a formula and hands over what it gives.
    fn evaluate<T>(
        &self,
        formula: &Formula,
        take: impl FnOnce(&Result<Outcome<'_>, crate::error::EvaluationError>) -> T,
    ) -> Result<T, String> {
        let names: Vec<&str> = self.bound.iter().map(|(name, _)| name.as_str()).collect();
        let expression = Standalone::compile(formula, &names).map_err(|error| error.message)?;
        let bindings: Vec<Binding<'_>> = self
            .bound
            .iter()
            .map(|(_, meaning)| match meaning {
                Meaning::Json(text) => Binding::Json(text),
                Meaning::Value(value) => Binding::Value(value.clone()),
            })
            .collect();
        let bound = expression.bind(&bindings).map_err(|error| error.to_string())?;
        let outcome = bound.evaluate(&mut Budget::EXPRESSION.clone());
        Ok(take(&outcome))
    }

    fn shown(&self, formula: &Formula) -> Shown {
        self.evaluate(formula, |outcome| Shown::of(outcome, self.discreet)).unwrap_or_else(Shown::Failed)
    }

    /// The elements of what a part gives, or what an optional holds.
    fn elements(&self, syntax: &Syntax, kind: Macro) -> Vec<(Value<'static>, Meaning)> {
        let meaning = |value: &Value<'_>| match value.clone().into_owned() {
            Some(owned) => Meaning::Value(owned),
            None => Meaning::Json(json_of(value).to_string()),
        };
        let position = |position: &Position<'_>| match position {
            Position::Index(index) => Value::Int(*index),
            Position::Key(key) => Value::text(key.as_str()),
        };
        let found = self.evaluate(&Formula::cel(&text::of(syntax), ""), |outcome| match (outcome, kind) {
            (Ok(Outcome::Value(Value::Optional(value))), Macro::OptMap | Macro::OptFlatMap) => {
                value.iter().map(|value| (Value::Null, meaning(value))).collect()
            }
            (Ok(Outcome::Value(value)), _) => {
                let items = value.items().unwrap_or_default();
                items.iter().map(|(at, item)| (position(at), meaning(item))).collect()
            }
            _ => Vec::new(),
        });
        found.unwrap_or_default()
    }

    /// The variables of one pass of a loop, and how they are shown.
    fn of_pass(&self, each: &MacroSyntax, position: Value<'static>, element: &Meaning) -> (Self, String) {
        let mut more = self.clone();
        let mut shown = vec![];
        let mut bind = |name: &str, meaning: Meaning| {
            let text = match &meaning {
                _ if self.discreet => CONFIDENTIAL.to_owned(),
                Meaning::Json(text) => text.clone(),
                Meaning::Value(value) => json_of(value).to_string(),
            };
            shown.push(format!("{name} = {text}"));
            more.bound.retain(|(known, _)| known != name);
            more.bound.push((name.to_owned(), meaning));
        };
        let is_key = matches!(position, Value::String(_));
        match &each.second {
            Some(second) => {
                bind(&each.variable, Meaning::Value(position));
                bind(second, element.clone());
            }
            // Of a map one variable is its keys.
            None if is_key => bind(&each.variable, Meaning::Value(position)),
            None => bind(&each.variable, element.clone()),
        }
        (more, shown.join(", "))
    }
}

// === impl Tracer ===

impl Tracer {
    fn part(&mut self, syntax: &Syntax, variables: &Variables) -> Part {
        let text = text::of(syntax);
        let shown = variables.shown(&Formula::cel(&text, ""));
        self.left = self.left.saturating_sub(1);
        let parts = if self.left > 0 { self.parts(syntax, &shown, variables) } else { Vec::new() };
        Part { text, shown, parts }
    }

    fn parts(&mut self, syntax: &Syntax, shown: &Shown, variables: &Variables) -> Vec<Part> {
        match &syntax.kind {
            SyntaxKind::And(terms) => self.terms(terms, false, variables),
            SyntaxKind::Or(terms) => self.terms(terms, true, variables),
            SyntaxKind::Not(operand) | SyntaxKind::Negate(operand) => self.all([&**operand], variables),
            SyntaxKind::Conditional(parts) => {
                let condition = self.part(&parts[0], variables);
                let chosen = condition.shown.clone();
                let mut branch = |syntax: &Syntax, taken: bool| match taken {
                    true => self.part(syntax, variables),
                    false => skipped(syntax),
                };
                let then = branch(&parts[1], chosen.is(true));
                let otherwise = branch(&parts[2], chosen.is(false));
                vec![condition, then, otherwise]
            }
            SyntaxKind::Arithmetic(_, operands)
            | SyntaxKind::Compare(_, operands)
            | SyntaxKind::In(operands) => self.all(operands.iter(), variables),
            SyntaxKind::Call(call) => {
                self.all(call.target.iter().filter(is_value).chain(&call.arguments), variables)
            }
            SyntaxKind::List(elements) => self.all(elements.iter().map(|(element, _)| element), variables),
            SyntaxKind::Map(entries) => {
                self.all(entries.iter().flat_map(|(key, value, _)| [key, value]), variables)
            }
            SyntaxKind::Macro(each) => self.passes(each, variables),
            SyntaxKind::Bind(bind) => self.bound(bind, variables),
            SyntaxKind::Select { .. } | SyntaxKind::Index { .. } | SyntaxKind::Has { .. } => {
                self.chain(syntax, shown, variables)
            }
            SyntaxKind::Literal(_) | SyntaxKind::Identifier(_) => Vec::new(),
        }
    }

    /// Parts that say something: literals and variables do not.
    fn all<'s>(&mut self, parts: impl IntoIterator<Item = &'s Syntax>, variables: &Variables) -> Vec<Part> {
        parts.into_iter().filter(|part| says_something(part)).map(|part| self.part(part, variables)).collect()
    }

    /// Terms up to the one that decides.
    fn terms(&mut self, terms: &[Syntax], decisive: bool, variables: &Variables) -> Vec<Part> {
        let mut parts: Vec<Part> = vec![];
        for term in terms {
            let is_decided =
                parts.last().is_some_and(|part| part.shown.is(decisive) || part.shown == Shown::Skipped);
            parts.push(if is_decided { skipped(term) } else { self.part(term, variables) });
        }
        parts
    }

    fn passes(&mut self, each: &MacroSyntax, variables: &Variables) -> Vec<Part> {
        let mut parts = vec![self.part(&each.target, variables)];
        let decisive = match each.kind {
            Macro::All => Some(false),
            Macro::Exists => Some(true),
            _ => None,
        };
        let elements = variables.elements(&each.target, each.kind);
        let count = elements.len();
        for (at, (position, element)) in elements.into_iter().enumerate() {
            if at == MOST_PASSES || self.left == 0 {
                parts.push(Part {
                    text: format!("{} more", count - at),
                    shown: Shown::Skipped,
                    parts: vec![],
                });
                break;
            }
            let (inner, bound) = variables.of_pass(each, position, &element);
            let mut passed = true;
            let mut decided = false;
            for body in [&each.condition, &each.result].into_iter().flatten() {
                if !passed {
                    break;
                }
                let part = self.part(body, &inner);
                passed = !part.shown.is(false);
                decided = decisive.is_some_and(|decisive| part.shown.is(decisive));
                parts.push(Part { text: format!("{bound}: {}", part.text), ..part });
            }
            if decided {
                break;
            }
        }
        parts
    }

    fn bound(&mut self, bind: &BindSyntax, variables: &Variables) -> Vec<Part> {
        let value = self.part(&bind.value, variables);
        let formula = Formula::cel(&text::of(&bind.value), "");
        let inner = variables.evaluate(&formula, |outcome| match outcome {
            Ok(Outcome::Value(value)) => Some(variables.with(&bind.variable, value)),
            _ => None,
        });
        let body = inner.ok().flatten().map(|inner| self.part(&bind.body, &inner));
        let value = Part { text: format!("{} = {}", bind.variable, value.text), ..value };
        std::iter::once(value).chain(body).collect()
    }

    /// Of a chain of selections what it hangs on, unless that is a variable, and the keys that it selects by; and of one
    /// that leads nowhere, what there is at the last place that there is.
    fn chain(&mut self, syntax: &Syntax, shown: &Shown, variables: &Variables) -> Vec<Part> {
        let mut chain = vec![];
        let mut keys = vec![];
        let mut base = syntax;
        while let Some(operand) = operand_of(base) {
            if let SyntaxKind::Index { index, .. } = &base.kind {
                keys.push(&**index);
            }
            chain.push(operand);
            base = operand;
        }
        let mut parts = self.all(std::iter::once(base).chain(keys.into_iter().rev()), variables);
        if matches!(shown, Shown::Failed(_) | Shown::Nothing) || shown.is(false) {
            chain.pop();
            let there = chain.into_iter().map(|prefix| self.part_alone(prefix, variables));
            parts.extend(there.into_iter().find(|part| matches!(part.shown, Shown::Value(_))));
        }
        parts
    }

    fn part_alone(&mut self, syntax: &Syntax, variables: &Variables) -> Part {
        let text = text::of(syntax);
        let shown = variables.shown(&Formula::cel(&text, ""));
        Part { text, shown, parts: Vec::new() }
    }

    /// A JSONPath step by step, each with what it selects, up to the one that selects nothing; and of one that selects
    /// nothing, what there is at the last of its leading names that there is.
    fn path(&mut self, formula: &Formula, steps: &[query::Step], variables: &Variables) -> Part {
        let shown = variables.shown(formula);
        let mut parts = self.segments(formula, variables);
        if shown == Shown::Nothing {
            let names: Vec<&str> = steps
                .iter()
                .map_while(|step| match step {
                    query::Step::Name(name) => Some(&*name.text),
                    _ => None,
                })
                .collect();
            let prefix = |count: usize| {
                let chain: String = names[..count].iter().map(|name| format!(".`{name}`")).collect();
                let text = names[..count].join(".");
                Part {
                    text,
                    shown: variables.shown(&Formula::cel(&format!("object{chain}"), "")),
                    parts: vec![],
                }
            };
            let is_known = parts.iter().any(|part| matches!(part.shown, Shown::Value(_)));
            let there = (1..=names.len()).rev().map(prefix);
            parts.extend(there.into_iter().find(|part| !is_known && matches!(part.shown, Shown::Value(_))));
        }
        Part { text: formula.text.clone(), shown, parts }
    }

    /// What each step of a path selects; the last selects what the path does.
    fn segments(&mut self, formula: &Formula, variables: &Variables) -> Vec<Part> {
        let mut parts = vec![];
        let mut segments = segments::of(formula);
        segments.pop();
        let count = segments.len();
        for (at, Segment { text, path }) in segments.into_iter().enumerate() {
            if at == MOST_SEGMENTS {
                let text = format!("{} more", count - at);
                parts.push(Part { text, shown: Shown::Skipped, parts: vec![] });
                break;
            }
            let prefix = Formula { text: path, ..formula.clone() };
            let shown = variables.shown(&prefix);
            let selected = variables.evaluate(&prefix, |outcome| match outcome {
                Ok(Outcome::Nodes(nodes)) => nodes.as_slice().len(),
                _ => 0,
            });
            // One list and several nodes are shown alike.
            let several = selected.ok().filter(|count| *count > 1);
            let text = several.map_or_else(|| text.clone(), |count| format!("{text} ({count} selected)"));
            let is_over = !matches!(shown, Shown::Value(_));
            parts.push(Part { text, shown, parts: vec![] });
            if is_over {
                break;
            }
        }
        parts
    }
}

/// What a selection selects from.
fn operand_of(syntax: &Syntax) -> Option<&Syntax> {
    match &syntax.kind {
        SyntaxKind::Select { operand, .. }
        | SyntaxKind::Has { operand, .. }
        | SyntaxKind::Index { operand, .. } => Some(operand),
        _ => None,
    }
}

/// Literals, lists of them and variables do not.
fn says_something(syntax: &Syntax) -> bool {
    match &syntax.kind {
        SyntaxKind::Literal(_) | SyntaxKind::Identifier(_) => false,
        SyntaxKind::List(elements) => elements.iter().any(|(element, _)| says_something(element)),
        SyntaxKind::Map(entries) => {
            entries.iter().any(|(key, value, _)| says_something(key) || says_something(value))
        }
        _ => true,
    }
}

fn skipped(syntax: &Syntax) -> Part {
    Part { text: text::of(syntax), shown: Shown::Skipped, parts: Vec::new() }
}

/// Whether what stands before the dot of a call is a value, rather than a part of the function's name: `math.abs(x)`.
#[allow(clippy::trivially_copy_pass_by_ref, reason = "a filter of references")]
fn is_value(target: &&Syntax) -> bool {
    !matches!(target.kind, SyntaxKind::Identifier(_))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definition::Language;

    /// The parts as lines, indented by two for each level.
    fn lines(part: &Part, indent: usize, out: &mut Vec<String>) {
        let shown = match &part.shown {
            Shown::Value(value) => value.to_string(),
            Shown::Nothing => "nothing".to_owned(),
            Shown::Failed(message) => format!("fails: {message}"),
            Shown::Skipped => "-".to_owned(),
        };
        out.push(format!("{}{} → {shown}", "  ".repeat(indent), part.text));
        part.parts.iter().for_each(|part| lines(part, indent + 1, out));
    }

    fn check(formula: &Formula, object: &str, discreet: bool, expected: &[&str]) {
        let variables = Variables::object(object.to_owned(), discreet).with("item", &Value::Int(7));
        let mut found = vec![];
        lines(&trace(formula, &variables), 0, &mut found);
        assert_eq!(found, expected, "{}", formula.text);
    }

    const POD: &str =
        r#"{"spec": {"n": 2, "list": [{"name": "a"}, {"name": "b"}, {"name": "c"}]}, "status": {}}"#;

    fn cel(text: &str, expected: &[&str]) {
        check(&Formula::cel(text, ""), POD, false, expected);
    }

    #[test]
    fn every_part_is_shown_with_its_value() {
        cel(
            "object.spec.n + item > 8 && has(object.status.phase)",
            &[
                "object.spec.n + item > 8 && has(object.status.phase) → false",
                "  object.spec.n + item > 8 → true",
                "    object.spec.n + item → 9",
                "      object.spec.n → 2",
                "  has(object.status.phase) → false",
                "    object.status → {}",
            ],
        );
        cel(
            "object.spec.n == 3 && object.x == 1 ? 'a' : string(object.spec.n)",
            &[
                "object.spec.n == 3 && object.x == 1 ? 'a' : string(object.spec.n) → \"2\"",
                "  object.spec.n == 3 && object.x == 1 → false",
                "    object.spec.n == 3 → false",
                "      object.spec.n → 2",
                "    object.x == 1 → -",
                "  'a' → -",
                "  string(object.spec.n) → \"2\"",
                "    object.spec.n → 2",
            ],
        );
    }

    #[test]
    fn loops_are_shown_pass_by_pass_up_to_the_one_that_decides() {
        cel(
            "object.spec.list.exists(c, c.name == 'b')",
            &[
                "object.spec.list.exists(c, c.name == 'b') → true",
                "  object.spec.list → [{\"name\":\"a\"},{\"name\":\"b\"},{\"name\":\"c\"}]",
                "  c = {\"name\":\"a\"}: c.name == 'b' → false",
                "    c.name → \"a\"",
                "  c = {\"name\":\"b\"}: c.name == 'b' → true",
                "    c.name → \"b\"",
            ],
        );
        cel(
            "object.spec.transformMap(k, v, k == 'n', v + 1)",
            &[
                "object.spec.transformMap(k, v, k == 'n', v + 1) → {\"n\":3}",
                "  object.spec → {\"list\":[{\"name\":\"a\"},{\"name\":\"b\"},{\"name\":\"c\"}],\"n\":2}",
                "  k = \"list\", v = [{\"name\":\"a\"},{\"name\":\"b\"},{\"name\":\"c\"}]: k == 'n' → false",
                "  k = \"n\", v = 2: k == 'n' → true",
                "  k = \"n\", v = 2: v + 1 → 3",
            ],
        );
        cel(
            "cel.bind(n, object.spec.n, n * n)",
            &["cel.bind(n, object.spec.n, n * n) → 4", "  n = object.spec.n → 2", "  n * n → 4"],
        );
        cel(
            "optional.of(2).optMap(x, x + 1).orValue(0)",
            &[
                "optional.of(2).optMap(x, x + 1).orValue(0) → 3",
                "  optional.of(2).optMap(x, x + 1) → 3",
                "    optional.of(2) → 2",
                "    x = 2: x + 1 → 3",
            ],
        );
    }

    #[test]
    fn keys_are_parts_too() {
        cel(
            "object.spec.list[object.spec.n].name",
            &["object.spec.list[object.spec.n].name → \"c\"", "  object.spec.n → 2"],
        );
        cel(
            "object.spec.list[?object.spec.n + 1].orValue(0) == 0",
            &[
                "object.spec.list[?object.spec.n + 1].orValue(0) == 0 → true",
                "  object.spec.list[?object.spec.n + 1].orValue(0) → 0",
                "    object.spec.list[?object.spec.n + 1] → nothing",
                "      object.spec.n + 1 → 3",
                "        object.spec.n → 2",
                "      object.spec.list → [{\"name\":\"a\"},{\"name\":\"b\"},{\"name\":\"c\"}]",
            ],
        );
        cel(
            "{object.spec.list[0].name: 1} == {'a': 1}",
            &[
                "{object.spec.list[0].name: 1} == {'a': 1} → true",
                "  {object.spec.list[0].name: 1} → {\"a\":1}",
                "    object.spec.list[0].name → \"a\"",
            ],
        );
    }

    #[test]
    fn what_fails_says_what_there_is() {
        cel(
            "object.status.phase.startsWith('R')",
            &[
                "object.status.phase.startsWith('R') → fails: no such key: phase",
                "  object.status.phase → fails: no such key: phase",
                "    object.status → {}",
            ],
        );
        let path = Formula { language: Language::Kubectl, ..Formula::cel("status.phase", "") };
        check(&path, POD, false, &["status.phase → nothing", "  status → {}"]);
    }

    #[test]
    fn a_path_is_shown_step_by_step() {
        let path = |language, text: &str, expected: &[&str]| {
            check(&Formula { language, ..Formula::cel(text, "") }, POD, false, expected);
        };
        path(
            Language::Rfc9535,
            "$.spec.list[?@.name != 'b'].name",
            &[
                "$.spec.list[?@.name != 'b'].name → [\"a\",\"c\"]",
                "  $.spec.list → [{\"name\":\"a\"},{\"name\":\"b\"},{\"name\":\"c\"}]",
                "  [?@.name != 'b'] (2 selected) → [{\"name\":\"a\"},{\"name\":\"c\"}]",
            ],
        );
        path(
            Language::Kubectl,
            "{.spec.list[?(@.name==\"d\")].name}",
            &[
                "{.spec.list[?(@.name==\"d\")].name} → nothing",
                "  .spec.list → [{\"name\":\"a\"},{\"name\":\"b\"},{\"name\":\"c\"}]",
                "  [?(@.name==\"d\")] → nothing",
            ],
        );
        path(
            Language::Rfc9535,
            "$.status.conditions[0].type",
            &["$.status.conditions[0].type → nothing", "  $.status.conditions → nothing", "  status → {}"],
        );
        let long = format!("$.spec.list{}", "[*]".repeat(40));
        let part = trace(
            &Formula { language: Language::Rfc9535, ..Formula::cel(&long, "") },
            &Variables::object(
                format!("{{\"spec\": {{\"list\": {}1{}}}}}", "[".repeat(60), "]".repeat(60)),
                false,
            ),
        );
        assert_eq!(part.parts.len(), MOST_SEGMENTS + 1);
        assert_eq!(part.parts[MOST_SEGMENTS].text, "20 more");
    }

    #[test]
    fn what_is_confidential_is_not_shown() {
        let formula = Formula::cel("object.data.all(k, object.data[k] == 'geheim')", "");
        let expected = [
            "object.data.all(k, object.data[k] == 'geheim') → true",
            "  object.data → \"(confidential)\"",
            "  k = (confidential): object.data[k] == 'geheim' → true",
            "    object.data[k] → \"(confidential)\"",
        ];
        check(&formula, r#"{"data": {"a": "geheim"}}"#, true, &expected);
        let path = Formula { language: Language::Rfc9535, ..Formula::cel("$.data.a", "") };
        check(&path, r#"{"data": {"a": "geheim"}}"#, true, &["$.data.a → \"(confidential)\""]);
    }

    #[test]
    fn a_large_expression_is_shown_in_part() {
        fn count(part: &Part) -> usize {
            1 + part.parts.iter().map(count).sum::<usize>()
        }
        let formula = Formula::cel(
            "[1, 2].all(a, [1, 2].all(b, [1, 2].all(c, [1, 2].all(d, [1, 2].all(e, [1, 2].all(f, [1, 2].all(g, a + b + c + d + e + f + g > 0)))))))",
            "",
        );
        let part = trace(&formula, &Variables::object("{}".to_owned(), false));
        assert!(part.shown.is(true));
        assert!((100..2 * MOST_PARTS).contains(&count(&part)), "{}", count(&part));
    }
}

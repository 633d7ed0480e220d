//! How many steps an expression takes, without an object.
//!
//! In: syntax. Out: a polynomial in the length of lists. Must never know: budgets.
//!
//! Both sides of `&&` and `||` are counted and the dearer branch of a conditional; loops and functions over lists as
//! often as a list has elements, nested ones accordingly. Texts are taken to be short, what is compared or looked up to be
//! a scalar, and what has one variable looped over it to be a list: an upper bound but for these.

use std::fmt;

use super::super::library::{Form, Overload, compile_regex, overloads};
use super::super::matcher::Matcher;
use super::super::patterns::Patterns;
use super::super::syntax::{Arithmetic, CallSyntax, Comparison, Macro, MacroSyntax, Syntax, SyntaxKind};
use super::super::{StaticType, Value};

/// Steps as a function of the number of elements that every list of the object has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Estimate {
    /// The factor of each power of that number, from the power 0; the last is not 0.
    pub factors: Vec<u64>,
}

/// Steps that an expression takes whatever the object holds.
pub(super) fn fixed(steps: u64) -> Estimate {
    Estimate { factors: vec![steps] }.trimmed()
}

pub(super) fn of(syntax: &Syntax) -> Estimate {
    match &syntax.kind {
        SyntaxKind::Literal(_) => Estimate::default(),
        SyntaxKind::Identifier(_) => fixed(1),
        SyntaxKind::Select { .. } | SyntaxKind::Has { .. } | SyntaxKind::Index { .. } => of_chain(syntax),
        SyntaxKind::Not(operand) | SyntaxKind::Negate(operand) => of(operand),
        SyntaxKind::And(terms) | SyntaxKind::Or(terms) => sum(terms),
        SyntaxKind::Conditional(parts) => of(&parts[0]).plus(&of(&parts[1]).or(&of(&parts[2]))),
        SyntaxKind::Arithmetic(_, operands) => {
            let is_joined = operands.iter().any(is_list);
            let length = if is_joined { length(syntax) } else { Estimate::default() };
            fixed(1).plus(&sum(operands.as_slice())).plus(&length.times(&fixed(BUILT)))
        }
        SyntaxKind::Compare(comparison, operands) => {
            // A field of the object is compared with a text where it lies.
            let is_equality = matches!(comparison, Comparison::Equal | Comparison::NotEqual);
            let is_at_once = is_equality && operands.iter().any(is_text) && operands.iter().any(is_field);
            let own = fixed(u64::from(!is_at_once));
            own.plus(&sum(operands.as_slice()))
        }
        SyntaxKind::In(operands) => {
            // Texts that are written out are looked up at once, all else is compared one by one.
            let compared = match &operands[1].kind {
                SyntaxKind::List(elements) => {
                    let others = elements.iter().filter(|(element, _)| !is_text(element)).count();
                    let is_set = elements.iter().all(|(element, _)| is_literal(element));
                    fixed(if is_set { others } else { elements.len() } as u64)
                }
                _ => length(&operands[1]),
            };
            fixed(1).plus(&compared).plus(&sum(operands.as_slice()))
        }
        SyntaxKind::Call(call) => of_call(call),
        SyntaxKind::List(elements) => {
            let parts = elements.iter().fold(Estimate::default(), |total, (part, _)| total.plus(&of(part)));
            // A list of literals is there already.
            let is_literal = elements.iter().all(|(part, _)| is_literal(part));
            if is_literal { parts } else { parts.plus(&fixed(BUILT * elements.len() as u64)) }
        }
        SyntaxKind::Map(entries) => {
            let both = |total: Estimate, key, value| total.plus(&of(key)).plus(&of(value));
            let parts =
                entries.iter().fold(Estimate::default(), |total, (key, value, _)| both(total, key, value));
            parts.plus(&fixed(2 * BUILT * entries.len() as u64))
        }
        SyntaxKind::Macro(each) => of_macro(each, true),
        SyntaxKind::Bind(bind) => {
            // What the variable stands for may be longer than the lists of the object.
            let longest = fixed(1).each().or(&length(&bind.value));
            fixed(1).plus(&of(&bind.value)).plus(&of(&bind.body).with(&longest))
        }
    }
}

/// Steps for each value of a list or map that is built.
const BUILT: u64 = (size_of::<Value<'_>>() / 16) as u64;

/// Comparisons of one element with others while a list is sorted, and reading what is compared: of a thousand elements.
const SORTING: u64 = 12;

/// A text that is short has no more bytes than this.
pub(super) const SHORT: u64 = 16;

/// A flattening goes no deeper than this for an estimate.
const DEEPEST: i64 = 8;

/// A macro. What a filter leaves may be `collected`, or only counted.
fn of_macro(each: &MacroSyntax, collected: bool) -> Estimate {
    let body = [&each.condition, &each.result].into_iter().flatten();
    let body = body.fold(fixed(1), |total, part| total.plus(&of(part)));
    let (own, length) = (of(&each.target), length(&each.target));
    // Of a map, of which both variables are, a list is made first.
    let pairs = if each.second.is_some() { BUILT } else { 0 };
    let built = match each.kind {
        Macro::OptMap | Macro::OptFlatMap => return own.plus(&body),
        Macro::Filter if !collected => 0,
        Macro::Filter | Macro::Map => BUILT,
        Macro::TransformMap | Macro::TransformMapEntry => 2 * BUILT,
        Macro::SortBy => 3 * BUILT + SORTING,
        Macro::All | Macro::Exists | Macro::ExistsOne => 0,
    };
    own.plus(&body.plus(&fixed(built + pairs)).times(&length))
}

/// A call with its arguments, and what the function does with every element of a list.
fn of_call(call: &CallSyntax) -> Estimate {
    let counted = call.target.iter().chain(&call.arguments).find_map(|part| match &part.kind {
        SyntaxKind::Macro(each) if call.name == "size" && each.kind == Macro::Filter => Some(each),
        _ => None,
    });
    if let Some(filter) = counted {
        return fixed(1).plus(&of_macro(filter, false));
    }
    let target = call.target.as_ref().map(of).unwrap_or_default();
    let parts = fixed(1).plus(&target).plus(&sum(&call.arguments));
    let list = match (&call.target, call.arguments.as_slice()) {
        // A namespace is no list.
        (Some(target), [first, second]) if is_name(target, "sets") => {
            let (first, second) = (length(first), length(second));
            let once = first.times(&second).plus(&first).plus(&second);
            return parts.plus(&if call.name == "equivalent" { once.plus(&once) } else { once });
        }
        (Some(target), [count]) if is_name(target, "lists") => {
            return parts.plus(&range(count).times(&fixed(1 + BUILT)));
        }
        (Some(target), [list]) if is_name(target, "optional") && call.name == "unwrap" => {
            return parts.plus(&length(list).times(&fixed(1 + BUILT)));
        }
        (Some(target), [first, ..]) if is_name(target, "math") => length(first),
        (Some(target), _) => length(target),
        (None, [first, ..]) => length(first),
        (None, []) => return parts,
    };
    if let Some(pattern) = patterned(call) {
        return parts.plus(&pattern);
    }
    if !takes_list(call) {
        return parts.plus(&of_texts(call));
    }
    parts.plus(&match call.name.as_str() {
        "sort" => list.times(&fixed(1 + SORTING + 2 * BUILT)),
        "distinct" => list.times(&list).plus(&list.times(&fixed(1 + BUILT))),
        "flatten" => {
            let levels = std::iter::successors(Some(list), |level| Some(level.each()));
            let all = levels.take(depth(call) + 1).reduce(|total, level| total.plus(&level));
            fixed(1).plus(&all.unwrap_or_default().times(&fixed(2 + 2 * BUILT)))
        }
        "slice" | "reverse" | "join" | "lastIndexOf" | "unwrapOpt" => list.times(&fixed(2 + BUILT)),
        _ => list,
    })
}

/// What a function takes for the texts that it makes, and for those that it takes apart.
fn of_texts(call: &CallSyntax) -> Estimate {
    let argument = call.arguments.first().map(|argument| &argument.kind);
    match (call.name.as_str(), argument) {
        // A text for each part of the template.
        ("format", Some(SyntaxKind::List(values))) => fixed(values.len() as u64),
        ("format", _) => fixed(1).each(),
        // A text that is cut is taken to be cut once, unless it is cut everywhere.
        ("split", Some(SyntaxKind::Literal(separator))) if separator.as_str() != Some("") => fixed(0),
        ("split", _) => fixed(SHORT * BUILT),
        ("isURL" | "url", _) => fixed(SHORT / 4),
        _ => Estimate::default(),
    }
}

/// What a function takes for its pattern, of a text that is short.
fn patterned(call: &CallSyntax) -> Option<Estimate> {
    let pattern = match (&call.target, call.arguments.as_slice()) {
        (Some(_), [pattern, ..]) | (None, [_, pattern]) => pattern,
        _ => return None,
    };
    let literal = match &pattern.kind {
        SyntaxKind::Literal(value) => value.as_str(),
        _ => None,
    };
    let compiled = literal.and_then(|text| compile_regex(text, &mut Patterns::default()).ok());
    let once = compiled.as_ref().map_or(Matcher::DEAREST, Matcher::factor);
    let compiling = if compiled.is_some() { 0 } else { Matcher::COMPILE_STEPS + SHORT };
    match call.name.as_str() {
        "matches" | "find" => Some(fixed(once + compiling)),
        // As many matches as there are bytes.
        "findAll" => Some(fixed(compiling + (SHORT + 2) * (once + BUILT))),
        _ => None,
    }
}

/// Whether a function looks at the elements of a list, and not only at how many there are.
fn takes_list(call: &CallSyntax) -> bool {
    let namespace = call.target.as_ref().filter(|target| is_name(target, "math"));
    let name = if namespace.is_some() { format!("math.{}", call.name) } else { call.name.clone() };
    let receiver = call.target.is_some() && namespace.is_none();
    let is_meant = |overload: &&Overload| overload.name == name && overload.receiver == receiver;
    let of_list = |overload: &Overload| match overload.parameters.first() {
        Some(StaticType::List) => !matches!(overload.form, Form::Size(_)),
        Some(StaticType::Dyn) => overload.name == "includes",
        _ => false,
    };
    overloads().filter(is_meant).any(of_list)
}

/// Whether a part is a list by its form.
fn is_list(syntax: &Syntax) -> bool {
    match &syntax.kind {
        SyntaxKind::List(_) => true,
        SyntaxKind::Macro(each) => matches!(each.kind, Macro::Filter | Macro::Map | Macro::SortBy),
        SyntaxKind::Arithmetic(Arithmetic::Add, operands) => operands.iter().any(is_list),
        SyntaxKind::Call(call) => {
            ["distinct", "flatten", "reverse", "slice", "sort", "split"].contains(&&*call.name)
        }
        _ => false,
    }
}

/// How many elements there are to loop over: of a list that is written out, so many.
fn length(syntax: &Syntax) -> Estimate {
    match &syntax.kind {
        SyntaxKind::List(elements) => fixed(elements.len() as u64),
        SyntaxKind::Map(entries) => fixed(entries.len() as u64),
        // A text has none.
        SyntaxKind::Literal(_) => Estimate::default(),
        SyntaxKind::Macro(each) => length(&each.target),
        SyntaxKind::Arithmetic(Arithmetic::Add, operands) => length(&operands[0]).plus(&length(&operands[1])),
        SyntaxKind::Conditional(parts) => length(&parts[1]).or(&length(&parts[2])),
        SyntaxKind::Call(call) => match (&call.target, call.name.as_str(), call.arguments.as_slice()) {
            (Some(target), "range", [count]) if is_name(target, "lists") => range(count),
            (Some(target), "distinct" | "reverse" | "slice" | "sort", _) => length(target),
            (Some(target), "flatten", _) => (0..depth(call)).fold(length(target), |length, _| length.each()),
            _ => fixed(1).each(),
        },
        _ => fixed(1).each(),
    }
}

/// How many numbers `lists.range` gives.
fn range(count: &Syntax) -> Estimate {
    let literal = integer(count).map(|count| u64::try_from(count).unwrap_or(0));
    literal.map_or_else(|| fixed(1).each(), fixed)
}

/// How deep a list is flattened.
fn depth(call: &CallSyntax) -> usize {
    let written = call.arguments.first().map_or(Some(1), integer).unwrap_or(DEEPEST);
    usize::try_from(written.clamp(1, DEEPEST)).unwrap_or(1)
}

fn is_name(syntax: &Syntax, name: &str) -> bool {
    matches!(&syntax.kind, SyntaxKind::Identifier(known) if known == name)
}

fn integer(syntax: &Syntax) -> Option<i64> {
    match &syntax.kind {
        SyntaxKind::Literal(Value::Int(value)) => Some(*value),
        _ => None,
    }
}

/// A chain of selections is one step, and what its indices take.
fn of_chain(syntax: &Syntax) -> Estimate {
    let mut total = fixed(1);
    let mut rest = syntax;
    loop {
        rest = match &rest.kind {
            SyntaxKind::Select { operand, .. } | SyntaxKind::Has { operand, .. } => operand,
            SyntaxKind::Index { operand, index, .. } => {
                total = total.plus(&of(index)).plus(&passed(index));
                operand
            }
            SyntaxKind::Identifier(_) => return total,
            _ => return total.plus(&of(rest)),
        };
    }
}

/// What is passed on the way to an index: elements of a list, or keys of a map.
fn passed(index: &Syntax) -> Estimate {
    match (&index.kind, integer(index)) {
        (_, Some(index)) => fixed(u64::try_from(index).unwrap_or(0) / 16 + 1),
        (SyntaxKind::Literal(_), None) => Estimate::default(),
        _ => fixed(1).plus(&fixed(1).each()),
    }
}

fn sum(parts: &[Syntax]) -> Estimate {
    parts.iter().fold(Estimate::default(), |total, part| total.plus(&of(part)))
}

fn is_text(syntax: &Syntax) -> bool {
    matches!(&syntax.kind, SyntaxKind::Literal(value) if value.as_str().is_some())
}

fn is_literal(syntax: &Syntax) -> bool {
    matches!(syntax.kind, SyntaxKind::Literal(_))
}

/// Whether a part is a member of the object, by names alone.
fn is_field(syntax: &Syntax) -> bool {
    let mut rest = syntax;
    while let SyntaxKind::Select { operand, optional: false, .. } = &rest.kind {
        rest = operand;
    }
    is_name(rest, "object")
}

// === impl Estimate ===

impl Estimate {
    /// Steps where every list has `length` elements.
    pub fn at(&self, length: u64) -> u64 {
        self.factors
            .iter()
            .rev()
            .fold(0, |total: u64, factor| total.saturating_mul(length).saturating_add(*factor))
    }

    /// One after the other.
    #[must_use]
    pub fn plus(&self, other: &Estimate) -> Estimate {
        let factor = |at: usize| {
            let of = |estimate: &Estimate| estimate.factors.get(at).copied().unwrap_or(0);
            of(self).saturating_add(of(other))
        };
        let length = self.factors.len().max(other.factors.len());
        Estimate { factors: (0..length).map(factor).collect() }.trimmed()
    }

    /// Once for every element of a list.
    #[must_use]
    pub fn each(&self) -> Estimate {
        let factors = std::iter::once(0).chain(self.factors.iter().copied()).collect();
        Estimate { factors }.trimmed()
    }

    /// The longest that lists may be so that no more than `most` steps are taken; `None` where their length does not
    /// matter, or does not matter up to 2^32.
    pub fn longest(&self, most: u64) -> Option<u64> {
        let (mut fits, mut beyond) = (0, u64::from(u32::MAX));
        if self.factors.len() < 2 || self.at(beyond) <= most {
            return None;
        }
        while beyond - fits > 1 {
            let middle = fits.midpoint(beyond);
            if self.at(middle) <= most { fits = middle } else { beyond = middle }
        }
        Some(fits)
    }

    /// Once for each of as many.
    pub(super) fn times(&self, other: &Estimate) -> Estimate {
        let mut total = Estimate::default();
        for (power, factor) in other.factors.iter().enumerate() {
            let mut term =
                Estimate { factors: self.factors.iter().map(|own| own.saturating_mul(*factor)).collect() };
            for _ in 0..power {
                term = term.each();
            }
            total = total.plus(&term);
        }
        total.trimmed()
    }

    /// The same where lists have `length` elements.
    fn with(&self, length: &Estimate) -> Estimate {
        let factors = self.factors.iter().rev();
        factors.fold(Estimate::default(), |total, factor| total.times(length).plus(&fixed(*factor)))
    }

    /// Whichever is the dearer, power by power.
    fn or(&self, other: &Estimate) -> Estimate {
        let factor = |at: usize| {
            let of = |estimate: &Estimate| estimate.factors.get(at).copied().unwrap_or(0);
            of(self).max(of(other))
        };
        let length = self.factors.len().max(other.factors.len());
        Estimate { factors: (0..length).map(factor).collect() }
    }

    fn trimmed(mut self) -> Estimate {
        while self.factors.last() == Some(&0) {
            self.factors.pop();
        }
        self
    }
}

impl fmt::Display for Estimate {
    /// `3 + 2n`, where n is the number of elements of a list.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let terms = self.factors.iter().enumerate().filter(|(_, factor)| **factor > 0);
        let texts: Vec<String> = terms
            .map(|(power, factor)| match (power, factor) {
                (0, factor) => factor.to_string(),
                (1, 1) => "n".to_owned(),
                (1, factor) => format!("{factor}n"),
                (power, 1) => format!("n^{power}"),
                (power, factor) => format!("{factor}n^{power}"),
            })
            .collect();
        f.write_str(if texts.is_empty() { "0".to_owned() } else { texts.join(" + ") }.as_str())
    }
}

#[cfg(test)]
mod tests {
    use crate::definition::{Formula, Language};
    use crate::expression::explain::estimate;
    use crate::expression::{Binding, Budget, Standalone};

    fn check(language: Language, text: &str, expected: &str) {
        let formula = Formula { language, text: text.to_owned(), place: String::new() };
        assert_eq!(estimate(&formula).to_string(), expected, "{text}");
    }

    #[test]
    fn steps_grow_with_lists() {
        let cel = |text, expected| check(Language::Cel, text, expected);
        cel("true", "0");
        cel("object.status.phase == 'Running'", "1");
        cel("object.spec.replicas > 3 && object.a.b.c == 1", "4");
        cel("object.status.phase in ['a', 'b']", "2");
        cel("has(object.a) ? object.a : object.b + 1", "3");
        cel("object.items.exists(c, c.name == 'a')", "1 + 3n");
        cel("object.s.contains('y')", "2");
        cel("object.items.all(c, c.ports.exists(p, p.port == 1))", "1 + 2n + 3n^2");
        cel("size(object.items)", "2");
        check(Language::Kubectl, "status.phase", "1");
        check(Language::Kubectl, "status.conditions[?(@.type==\"Ready\")].status", "1 + 8n");
        check(Language::Rfc9535, "$.a[*].b[0]", "2 + 6n");
        check(Language::Cel, "(", "0");
    }

    /// An object whose lists have so many elements, each a map with such a list of its own.
    fn object(n: usize) -> String {
        let list = |element: &str| format!("[{}]", vec![element; n].join(","));
        let inner = list(r#"{"p":1,"s":"x"}"#);
        let outer = list(&format!(r#"{{"b":1,"s":"x","c":{inner},"n":{}}}"#, list("1")));
        let map: Vec<String> = (0..n).map(|i| format!(r#""k{i}":1"#)).collect();
        format!(
            r#"{{"a":{outer},"n":{},"t":{},"m":{{{}}},"s":"x","one":1}}"#,
            list("1"),
            list(r#""x""#),
            map.join(",")
        )
    }

    #[test]
    fn no_expression_takes_more_steps_than_its_estimate_says() {
        for text in [
            "object.s == 'x' && object.one > 0 || object.one in [1, 2]",
            "object.a.exists(x, x.b == 2)",
            "object.a.exists(x, x.s == 'y')",
            "object.one in ['a', 2, 3, 4, 5]",
            "object.one in [object.n.distinct().size() + 100]",
            "object.a.filter(x, x.s in object.n).size()",
            "object.s.matches('^b')",
            "object.s.matches(r'\\pL{4}aa')",
            "object.s.matches(object.s)",
            "object.s.find(r'\\pL{4}aa') == ''",
            "object.s.findAll(r'\\pL{4}aa').size()",
            "object.s.findAll('').size()",
            "object.s.findAll(object.s).size()",
            "cel.bind(r, lists.range(60), r.all(i, r.all(j, i + j >= 0)))",
            "object.n[99]",
            "object.m[object.s]",
            "object.s.contains('y')",
            "object.s < 'y'",
            "object.?s == optional.of('y') || object['s'] == 'y'",
            "object.a.all(x, x.c.exists(y, y.p == 2) || true)",
            "object.a.map(x, x.c.map(y, object.a.map(z, z.b + y.p)).size()).sum()",
            "object.n.sum() + object.n.max() + object.n.min()",
            "object.n.isSorted() && object.n.indexOf(7) == object.n.lastIndexOf(7)",
            "object.n.sort().size()",
            "object.a.sortBy(x, x.b).size()",
            "object.n.distinct().size()",
            "object.n.map(x, x).distinct().map(x, x + 1).sum()",
            "[object.n, object.n].flatten().size()",
            "object.a.map(x, x.n).flatten().size()",
            "object.a.map(x, x.c.map(y, [y.p])).flatten(2).size()",
            "object.t.join(',').size()",
            "sets.contains(object.n, object.n)",
            "sets.equivalent(object.n, object.n)",
            "sets.intersects(object.n, [2, 3, 4])",
            "(object.n.filter(x, x > 0) + object.n).map(x, x + 1).sum()",
            "object.a.map(x, x.n).flatten().map(x, x + 1).distinct().sum()",
            "object.a.map(x, {'b': x.b, 'c': [x.s]}).size()",
            "size(object.a.filter(x, x.b == 1)) > 3",
            "object.m.transformMap(k, v, v + 1).size()",
            "object.a.transformList(i, x, x.b + i).sum()",
            "object.?a.optMap(a, a.filter(x, x.b == 1)).orValue([]).size()",
            "cel.bind(a, object.a, a.filter(x, a.exists(y, y.b == x.b)).size())",
            "lists.range(100).map(x, x * 2).sum()",
            "math.greatest(object.n) + 1",
            "object.n.slice(0, object.n.size()).reverse().size()",
            "object.a.filter(x, x.s in object.t).size()",
            "has(object.q) ? object.n.sum() : object.a.map(x, x.n.sum()).sum()",
            "optional.unwrap(object.a.map(x, optional.of(x))).size()",
            "object.a.map(x, '%s-%s'.format([x.s, x.b])).size()",
            "object.t.map(x, x.split('')).size()",
            "object.t.map(x, '0123456789abcdef'.split(x + 'a')).size()",
            "object.a.sortBy(x, x.s).size()",
            "object.t.all(x, isURL('http://a.b/' + x))",
            "object.t.all(x, url('https://a.b/' + x).getHost() == 'a.b')",
            "object.a.map(x, optional.of(x.b)).unwrapOpt().size()",
        ] {
            bounded(Language::Cel, text);
        }
    }

    #[test]
    fn no_path_takes_more_steps_than_its_estimate_says() {
        for text in [
            "s",
            "a[*].b",
            "a[?(@.b==1)].c[*].p",
            "a[?(@.c)].s",
            "a[1].b",
            "a[-1].b",
            "a[0:2].c[?(@.s==\"x\")].p",
            "a[*]['b','s']",
            "m.*",
            "m..k1",
        ] {
            bounded(Language::Kubectl, text);
        }
        for text in [
            "$.s",
            "$.a[*].b",
            "$.a[?@.b == 1 && @.s != 'y'].c[*].p",
            "$.a[?count(@.c[*]) > 1].s",
            "$.a[?@.c[?@.p == 1]].s",
            "$.a[?length(@.s) == $.one].b",
            "$.a[?match(@.s, 'x|y')].b",
            r"$.a[?search(@.s, '\\pL{4}aa')].b",
            "$.a[?search(@.s, $.s)].b",
            "$.a[1, 0, -1].b",
            "$.a[::2].c[-1].p",
            "$.a[*]['b', 's']",
            "$.m.*",
            "$.m..k1",
        ] {
            bounded(Language::Rfc9535, text);
        }
    }

    /// Takes the steps of an expression for lists of several lengths.
    fn bounded(language: Language, text: &str) {
        let formula = Formula { language, text: text.to_owned(), place: String::new() };
        let compiled = Standalone::compile(&formula, &["object"]).expect(text);
        let estimate = estimate(&formula);
        for n in [0, 1, 2, 5, 12, 30] {
            let bound = compiled.bind(&[Binding::Json(&object(n))]).expect("objects are JSON");
            let mut budget = Budget::new(1_000_000, 1 << 30);
            // One that fails has taken its steps as well.
            let _ = bound.evaluate(&mut budget);
            let (most, spent) = (estimate.at(n as u64), budget.spent());
            assert!(spent <= most, "{text} with lists of {n}: {spent} steps, estimated {estimate} = {most}");
        }
    }

    #[test]
    fn the_longest_lists_are_those_that_just_fit() {
        let longest = |text: &str, most| estimate(&Formula::cel(text, "")).longest(most);
        assert_eq!(longest("object.s == 'x'", 1), None);
        assert_eq!(longest("object.a.exists(x, x.b == 1)", 31), Some(10));
        assert_eq!(longest("object.a.exists(x, x.b == 1)", 33), Some(10));
        assert_eq!(longest("object.a.exists(x, x.b == 1)", 0), Some(0));
        assert_eq!(longest("object.a.exists(x, object.a.exists(y, y.b == x.b))", 10_000), Some(49));
    }

    #[test]
    fn an_estimate_is_a_number_for_a_length() {
        let formula = Formula::cel("object.items.all(c, c.ports.exists(p, p.port == 1))", "");
        assert_eq!(estimate(&formula).at(10), 1 + 20 + 300);
        assert_eq!(estimate(&formula).at(u64::MAX), u64::MAX);
    }
}

//! That nothing is found that an object could have.

use proptest::prelude::*;
use serde_json::{Map, Value as Json, json};

use super::super::{Schema, misfits};
use super::schema;
use crate::definition::{Definition, Formula, Language, Projection, ProjectionKind};
use crate::expression::{Binding, Budget, Outcome, Standalone, Value};

/// Names that schemas have; the last two they hardly have.
const NAMES: [&str; 5] = ["a", "b", "cc", "ccd", "x-y"];

const SCALARS: [&str; 6] = ["bool", "int", "number", "string", "numberOrString", "any"];

fn short() -> impl Strategy<Value = Json> {
    let leaf = proptest::sample::select(&SCALARS[..]).prop_map(Json::from);
    leaf.prop_recursive(4, 24, 4, |inner| {
        let names = proptest::sample::subsequence(&["a", "b", "cc", "*"][..], 0..=4);
        let values = proptest::collection::vec(inner.clone(), 4);
        let map = (names, values).prop_map(|(names, values)| {
            Json::Object(names.into_iter().map(str::to_owned).zip(values).collect())
        });
        prop_oneof![2 => map, 1 => inner.prop_map(|element| json!([element]))]
    })
}

/// A schema in short whose objects are maps.
fn kind() -> impl Strategy<Value = Json> {
    proptest::collection::btree_map(proptest::sample::select(&["a", "b", "cc"][..]), short(), 1..=3).prop_map(
        |members| Json::Object(members.into_iter().map(|(name, short)| (name.into(), short)).collect()),
    )
}

/// An object of a schema, made of numbers that are drawn one after the other.
fn object(short: &Json, draw: &mut dyn Iterator<Item = u32>, depth: u32) -> Json {
    let mut next = || draw.next().unwrap_or(0);
    if depth > 0 && next() % 16 == 0 {
        return Json::Null;
    }
    match short {
        Json::Array(elements) => {
            let length = next() % 3;
            (0..length).map(|_| object(&elements[0], draw, depth + 1)).collect()
        }
        Json::Object(members) => {
            let mut made = Map::new();
            for (name, short) in members {
                let names = if name == "*" { &NAMES[..] } else { &[name.as_str()][..] };
                for name in names {
                    let is_known = members.contains_key(*name) && names.len() > 1;
                    if !is_known && !draw.next().unwrap_or(0).is_multiple_of(4) {
                        made.insert((*name).to_owned(), object(short, draw, depth + 1));
                    }
                }
            }
            Json::Object(made)
        }
        name => match (name.as_str().unwrap_or_default(), next() % 4) {
            ("bool", n) => json!(n % 2 == 0),
            ("int", n) => json!(n),
            ("number", n) => {
                if n % 2 == 0 {
                    json!(n)
                } else {
                    json!(0.5)
                }
            }
            ("string", n) => json!(["", "a", "1", "true"][n as usize]),
            ("numberOrString", n) => {
                if n % 2 == 0 {
                    json!(n)
                } else {
                    json!("a")
                }
            }
            (_, n) => [json!(1), json!({"a": [{"b": 1}]}), json!([["a"]]), json!("a")][n as usize].clone(),
        },
    }
}

fn objects(short: &Json, seeds: &[u32]) -> Vec<Json> {
    seeds
        .iter()
        .map(|seed| {
            let mut state = *seed | 1;
            let mut draw = std::iter::repeat_with(move || {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                state >> 16
            });
            object(short, &mut draw, 0)
        })
        .collect()
}

/// What is found in an expression whose result may be anything.
fn found(formula: &Formula, schema: &Schema) -> Vec<String> {
    let mut definition = Definition::count("m");
    let (formula, kind) = (formula.clone(), ProjectionKind::Slice);
    definition.projections.push(Projection { name: "a".to_owned(), formula, kind, default: None });
    misfits(&definition, schema).iter().map(ToString::to_string).collect()
}

/// What an expression gives for an object: `None` for an error and for nothing.
fn answer(compiled: &Standalone, object: &Json) -> Option<String> {
    let bound = compiled.bind(&[Binding::Json(&object.to_string())]).expect("objects are JSON");
    let outcome = bound.evaluate(&mut { Budget::EXPRESSION }).ok()?;
    match outcome {
        Outcome::Value(Value::Optional(None)) => None,
        Outcome::Value(value) => Some(format!("{value:?}")),
        Outcome::Nodes(nodes) => (!nodes.as_slice().is_empty()).then(|| format!("{nodes:?}")),
    }
}

/// A step of a path: a name or an index.
#[derive(Clone, Debug)]
enum Step {
    Name(&'static str),
    Index(usize),
    /// `.*`, `[*]`, `..name`, `['a','b']`, `[?(@.a == 1)]`: in the languages that have them.
    Every,
    Elements,
    Below(&'static str),
    Union(&'static str, &'static str),
    Where(&'static str, &'static str),
    /// `[?(@.a < 1)]`, `[?(@.a)]`, `[?(@.a == @.b)]`, `..[0]`
    Ordered(&'static str, &'static str, &'static str),
    Has(&'static str),
    Alike(&'static str, &'static str, &'static str),
    FirstBelow,
    /// `..*`, `..[?@.a == 1]`, `[?length(@.a) > 0]`: in the one language that has them.
    EveryBelow,
    WhereBelow(&'static str, &'static str),
    Length(&'static str),
}

impl Step {
    /// Whether it can lead on although part of it never does what it was written for.
    fn may_be_right(&self, language: Language) -> bool {
        match self {
            // One of two names may be right, and then the other one is not all that there is.
            Step::Union(..) => true,
            // What is missing equals what is missing, and nothing else.
            Step::Ordered(_, is, _) => language == Language::Rfc9535 && *is == "!=",
            Step::Alike(_, is, _) => language == Language::Rfc9535 && is.contains('='),
            _ => false,
        }
    }
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let name = proptest::sample::select(&NAMES[..]).prop_map(Step::Name);
    let step = prop_oneof![4 => name, 1 => (0..2usize).prop_map(Step::Index)];
    proptest::collection::vec(step, 1..5)
}

/// Steps of JSONPaths.
fn path_steps() -> impl Strategy<Value = Vec<Step>> {
    let name = || proptest::sample::select(&NAMES[..]);
    let literal = || proptest::sample::select(&["1", "'a'", "true", "0.5"][..]);
    let operator = || proptest::sample::select(&["==", "!=", "<", "<=", ">="][..]);
    let step = prop_oneof![
        6 => name().prop_map(Step::Name),
        1 => (0..2usize).prop_map(Step::Index),
        1 => Just(Step::Every),
        1 => Just(Step::Elements),
        1 => name().prop_map(Step::Below),
        1 => (name(), name()).prop_map(|(a, b)| Step::Union(a, b)),
        1 => (name(), literal()).prop_map(|(name, literal)| Step::Where(name, literal)),
        1 => (name(), operator(), literal()).prop_map(|(a, is, b)| Step::Ordered(a, is, b)),
        1 => name().prop_map(Step::Has),
        1 => (name(), operator(), name()).prop_map(|(a, is, b)| Step::Alike(a, is, b)),
        1 => Just(Step::FirstBelow),
        1 => Just(Step::EveryBelow),
        1 => (name(), literal()).prop_map(|(name, literal)| Step::WhereBelow(name, literal)),
        1 => name().prop_map(Step::Length),
    ];
    proptest::collection::vec(step, 1..5)
}

fn written(language: Language, steps: &[Step], optional: bool) -> Formula {
    let mut text = String::from(match language {
        Language::Cel => "object",
        Language::Rfc9535 => "$",
        Language::Kubectl => "",
    });
    for step in steps {
        text.push_str(&match (language, step) {
            (Language::Cel, Step::Name(name)) => format!("[{}'{name}']", if optional { "?" } else { "" }),
            (Language::Rfc9535, Step::Name(name)) => format!("['{name}']"),
            (Language::Kubectl, Step::Name(name)) => format!(".{name}"),
            (_, Step::Index(index)) => format!("[{index}]"),
            (_, Step::Every) => ".*".to_owned(),
            (_, Step::Elements) => "[*]".to_owned(),
            (Language::Rfc9535, Step::Below(name)) => format!("..['{name}']"),
            (_, Step::Below(name)) => format!("..{name}"),
            (_, Step::Union(a, b)) => format!("['{a}','{b}']"),
            (Language::Rfc9535, Step::Where(name, literal)) => format!("[?@['{name}'] == {literal}]"),
            (_, Step::Where(name, literal)) => format!("[?(@.{name} == {literal})]"),
            (Language::Rfc9535, Step::Ordered(name, is, literal)) => format!("[?@['{name}'] {is} {literal}]"),
            (_, Step::Ordered(name, is, literal)) => format!("[?(@.{name} {is} {literal})]"),
            (Language::Rfc9535, Step::Has(name)) => format!("[?@['{name}']]"),
            (_, Step::Has(name)) => format!("[?(@.{name})]"),
            (Language::Rfc9535, Step::Alike(a, is, b)) => format!("[?@['{a}'] {is} @['{b}']]"),
            (_, Step::Alike(a, is, b)) => format!("[?(@.{a} {is} @.{b})]"),
            (_, Step::FirstBelow) => "..[0]".to_owned(),
            (_, Step::EveryBelow) => "..*".to_owned(),
            (_, Step::WhereBelow(name, literal)) => format!("..[?@['{name}'] == {literal}]"),
            (_, Step::Length(name)) => format!("[?length(@['{name}']) > 0]"),
        });
    }
    Formula { language, text, place: "at".to_owned() }
}

/// All paths to values of an object.
fn paths(value: &Json, before: &[Step], all: &mut Vec<Vec<Step>>) {
    let mut below = |step: Step, value: &Json| {
        let path: Vec<Step> = before.iter().cloned().chain([step]).collect();
        paths(value, &path, all);
        all.push(path);
    };
    match value {
        Json::Object(members) => {
            for (name, value) in members {
                if let Some(name) = NAMES.iter().find(|known| *known == name) {
                    below(Step::Name(name), value);
                }
            }
        }
        Json::Array(elements) => {
            for (index, value) in elements.iter().enumerate() {
                below(Step::Index(index), value);
            }
        }
        _ => {}
    }
}

/// Expressions around paths that are true only if every part of them that is evaluated has a value.
fn truth() -> impl Strategy<Value = String> {
    let name = || proptest::sample::select(&NAMES[..4]);
    let literal =
        proptest::sample::select(&["1", "0", "0.5", "'a'", "'1'", "true", "null", "[1]", "{'a': 1}"][..]);
    let path = || steps().prop_map(|steps| written(Language::Cel, &steps, false).text);
    (path(), path(), name(), name(), literal, 0..20usize).prop_map(|(p, q, x, y, l, form)| match form {
        0 => format!("{p} == {l}"),
        1 => format!("{p} < {q}"),
        2 => format!("{p} == {q}"),
        3 => format!("{p} in [{l}]"),
        4 => format!("{l} in {p}"),
        5 => format!("{p}.exists(v, v.{x} == {l})"),
        6 => format!("{p}.exists(k, v, v.{x} == {l})"),
        7 => format!("{p}.exists(k, v, k == {l} && v == {l})"),
        8 => format!("[{p}, {q}].exists(v, v.{x} == {l})"),
        9 => format!("cel.bind(v, {p}, v.{x} == {l})"),
        10 => format!("{p}.map(v, v.{x}).exists(w, w.{y} == {l})"),
        11 => format!("{p}.filter(v, true).exists(w, w.{x} == {l})"),
        12 => format!("{p}.transformMap(k, v, v.{x}).exists(k, v, v.{y} == {l})"),
        13 => format!("{p}.?{x}.optMap(v, v.{y} == {l}).orValue(false)"),
        14 => format!("{p}.?{x}.orValue({{}}).{y} == {l}"),
        15 => format!("{p} + {q} == {q} + {p}"),
        16 => format!("-{p} == {l}"),
        17 => format!("{p}.matches('a|1') && size({q}) > 0"),
        18 => format!("{{'k': {p}}}.k.{x} == {l} && has({q}.{y})"),
        _ => format!("{p}[{q}] == {l}"),
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_an_object_has_is_never_unknown(short in kind(), seed in any::<u32>()) {
        let schema = schema(&short);
        for object in objects(&short, &[seed]) {
            let mut all = Vec::new();
            paths(&object, &[], &mut all);
            for path in all {
                for language in [Language::Cel, Language::Rfc9535, Language::Kubectl] {
                    let formula = written(language, &path, false);
                    let found = found(&formula, &schema);
                    prop_assert!(found.is_empty(), "{}: {found:?} of {short} for {object}", formula.text);
                }
            }
        }
    }

    #[test]
    fn a_path_that_is_refused_leads_nowhere(
        short in kind(),
        path in steps(),
        optional in any::<bool>(),
        seeds in any::<[u32; 6]>(),
    ) {
        let schema = schema(&short);
        for language in [Language::Cel, Language::Rfc9535, Language::Kubectl] {
            let formula = written(language, &path, optional);
            let Ok(compiled) = Standalone::compile(&formula, &["object"]) else { continue };
            let found = found(&formula, &schema);
            for object in objects(&short, &seeds) {
                let answer = answer(&compiled, &object);
                prop_assert!(
                    found.is_empty() || answer.is_none(),
                    "{}: {found:?} of {short}, {answer:?} for {object}",
                    formula.text
                );
            }
        }
    }

    #[test]
    fn a_path_of_which_every_part_is_refused_leads_nowhere(
        short in kind(),
        path in path_steps(),
        seeds in any::<[u32; 6]>(),
    ) {
        let schema = schema(&short);
        for language in [Language::Rfc9535, Language::Kubectl] {
            let may_be_right = path.iter().any(|step| step.may_be_right(language));
            let formula = written(language, &path, false);
            let Ok(compiled) = Standalone::compile(&formula, &["object"]) else { continue };
            let found = found(&formula, &schema);
            for object in objects(&short, &seeds) {
                let answer = answer(&compiled, &object);
                prop_assert!(
                    found.is_empty() || may_be_right || answer.is_none(),
                    "{}: {found:?} of {short}, {answer:?} for {object}",
                    formula.text
                );
            }
        }
    }

    #[test]
    fn a_condition_that_is_refused_is_never_true(
        short in kind(),
        text in truth(),
        seeds in any::<[u32; 6]>(),
    ) {
        let schema = schema(&short);
        let formula = Formula::cel(&text, "at");
        if let Ok(compiled) = Standalone::compile(&formula, &["object"]) {
            let found = found(&formula, &schema);
            for object in objects(&short, &seeds) {
                let is_true = answer(&compiled, &object).is_some_and(|answer| answer == "Bool(true)");
                prop_assert!(found.is_empty() || !is_true, "{text}: {found:?} of {short}, true for {object}");
            }
        }
    }
}

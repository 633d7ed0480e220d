//! Expressions as people write them, and as they get them wrong, over objects as clusters have them: the cel crate's
//! interpreter gives the same value, or an error where there is one here. Texts of errors are Kubernetes' here, and not
//! compared.
//!
//! JSON's whole numbers are given to both as `int`, as Kubernetes has them; on its own the crate takes those that are not
//! negative for `uint`. Beyond that the two differ in what [`DEVIATIONS`] lists, and in nothing else. A test asks for
//! each of them, so that the list does not outlive its reasons. Of what does not compile here, the part that is refused is asked for
//! alone, so that no refusal hides behind an operator that need not evaluate it. Random expressions say them to each in words of its own,
//! where there are such words, and do without them where there are none; the last two are known when they are seen.
//!
//! `PROPTEST_CASES=1000000 cargo test -p celemetry-engine differential` asks more.

mod expressions;
mod objects;
mod refused;

use proptest::prelude::*;

use super::interpreter::theirs;
use super::{answer, answer_uncounted, bytes};
use expressions::{Reader, Writer};

/// Something that the two answer differently.
struct Deviation {
    text: &'static str,
    ours: &'static str,
    /// What an error of theirs holds; else their whole answer.
    theirs: &'static str,
    /// Why ours is as it is. No more than documentation, but there is none without.
    reason: &'static str,
}

const DEVIATIONS: [Deviation; 17] = [
    Deviation {
        text: "[1] + {'a': 1}",
        ours: "compile: spec.filter:1:5: no such overload: list + map",
        theirs: r#"[1, "a"]"#,
        reason: "CEL adds lists to lists only; they append a map's keys",
    },
    Deviation {
        text: "object.l + object.m",
        ours: "error: no such overload: list + map",
        theirs: r#"[1, "a"]"#,
        reason: "the same where it shows only when it is evaluated",
    },
    Deviation {
        text: "object.l[?'a']",
        ours: "error: unsupported index type 'string' in list",
        theirs: "none",
        reason: "an index of a wrong type is an error in Kubernetes, optional or not",
    },
    Deviation {
        text: "object.l.?a",
        ours: "error: unsupported index type 'string' in list",
        theirs: "none",
        reason: "the same, written as a field",
    },
    Deviation {
        text: "duration('1h' + object.s)",
        ours: "error: not a duration: the unit must be one of ns, us, µs, ms, s, m, h",
        theirs: "Duration(TimeDelta { secs: 3600, nanos: 0 })",
        reason: "they overlook what follows a duration",
    },
    Deviation {
        text: "has(object.n.a)",
        ours: "false",
        theirs: "error: found no matching overload",
        reason: "Kubernetes finds no field on what is no map, and that is no error",
    },
    Deviation {
        text: "[1] in {'a': 1}",
        ours: "false",
        theirs: "error: found no matching overload",
        reason: "what cannot be a key is no key in Kubernetes",
    },
    Deviation {
        text: "{?'a': dyn(1)}",
        ours: "error: no such overload: ? of int",
        theirs: r#"{"a": 1}"#,
        reason: "an optional entry needs an optional, as it does in a list",
    },
    Deviation {
        text: "object.?n.or(1)",
        ours: "compile: spec.filter:1:11: no such overload: optional_type.or(int)",
        theirs: "some(1)",
        reason: "the other of two optionals is one, whether it is needed or not",
    },
    Deviation {
        text: "object.?n.orValue(object.zz)",
        ours: "1",
        theirs: "error: No such key: zz",
        reason: "what stands for a missing value is evaluated only where it is missing, as in Kubernetes",
    },
    Deviation {
        text: "timestamp('2026-01-01T01:00:00+02:00').getHours()",
        ours: "23",
        theirs: "1",
        reason: "without a zone the parts of a time are those in UTC",
    },
    Deviation {
        text: "string(timestamp('2026-01-01T01:00:00+02:00'))",
        ours: r#""2026-01-01T01:00:00+02:00""#,
        theirs: r#""2025-12-31T23:00:00Z""#,
        reason: "Kubernetes writes a time with the offset that it was read with",
    },
    Deviation {
        text: "string(1.0 / 0.0)",
        ours: r#""+Inf""#,
        theirs: r#""inf""#,
        reason: "Go writes what is infinite like this",
    },
    Deviation {
        text: "'%s'.format([['a']])",
        ours: r#""[\"a\"]""#,
        theirs: r#""[a]""#,
        reason: "Kubernetes' version of the library quotes what stands in lists and maps",
    },
    Deviation {
        text: "[1, 2].indexOf(2)",
        ours: "1",
        theirs: "error: found no matching overload",
        reason: "a function of Kubernetes' own, for lists",
    },
    Deviation {
        text: "true || object.n + 'a' + 1 == 'x'",
        ours: "compile: spec.filter:1:24: no such overload: string + int",
        theirs: "true",
        reason: "what can never work is refused when a Metric is declared, even where it would never be evaluated",
    },
    Deviation {
        text: "'1' == 1",
        ours: "compile: spec.filter:1:5: no such overload: string == int",
        theirs: "false",
        reason: "so is a comparison of what can never be equal, as in Kubernetes",
    },
];

#[test]
fn every_deviation_is_one_and_has_a_reason() {
    let object = r#"{"n": 1, "s": "x", "l": [1], "m": {"a": 1}}"#;
    let mut wrong = String::new();
    for Deviation { text, ours, theirs: expected, reason } in DEVIATIONS {
        let (found, opinion) = (answer(text, object), theirs(text, object));
        let same = if fails(expected) { opinion.starts_with(expected) } else { opinion == expected };
        if found != ours || !same {
            wrong += &format!("{text}: {reason}\n  ours   {found}\n  theirs {opinion}\n");
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
    // The order is random: any will do but one that is always ours.
    let text = "{'a': 1, 'b': 1, 'c': 1, 'd': 1, 'e': 1, 'f': 1, 'g': 1}.map(k, k)";
    let ours = answer(text, "{}");
    assert_eq!(
        ours, r#"["a", "b", "c", "d", "e", "f", "g"]"#,
        "loops over maps go by keys, so that a text is one"
    );
    assert!((0..20).any(|_| theirs(text, "{}") != ours));
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: ProptestConfig::default().cases.max(3000), failure_persistence: None, ..ProptestConfig::default()
    })]

    #[test]
    fn the_cel_crate_gives_the_same_over_objects_as_they_are(
        expression in prop::collection::vec(any::<u8>(), 0..120),
        object in prop::collection::vec(any::<u8>(), 0..160),
    ) {
        let Asked { text, object, ours, theirs } = ask(&expression, &object);
        prop_assert!(agree(&text, &object, &ours, &theirs), "{text} on {object}\n  ours   {ours}\n  theirs {theirs}");
    }
}

/// A question, and what both say.
struct Asked {
    text: String,
    object: String,
    ours: String,
    theirs: String,
}

fn ask(expression: &[u8], object: &[u8]) -> Asked {
    let text = Writer::expression(expression, Reader::Ours);
    let object = objects::object(object);
    let ours = answer_uncounted(&text, &object);
    let theirs = theirs(&Writer::expression(expression, Reader::Theirs), &object);
    Asked { text, object, ours, theirs }
}

/// Refusals for what the crate has a value: what they say, and why that is right.
const REFUSED: [(&str, &str); 5] = [
    (" == ", "what can never be equal is not compared"),
    (" != ", "the same"),
    ("list + map", "CEL adds lists to lists only; they append a map's keys"),
    (".or(", "the other of two optionals is one, whether it is needed or not"),
    ("expected an optional after '?'", "an optional entry needs an optional"),
];

fn agree(text: &str, object: &str, ours: &str, theirs: &str) -> bool {
    if !ours.starts_with("compile:") {
        let infinite = ours.replace("+Inf", "inf").replace("-Inf", "-inf");
        return ours == theirs || infinite == theirs || (fails(ours) && fails(theirs));
    }
    // What is no expression, or names what is not there, is one for nobody.
    let is_of_form = ["syntax error", "undeclared"].iter().any(|word| ours.contains(word));
    if fails(theirs) || is_of_form {
        return fails(theirs);
    }
    // What can never work is refused even where it would never be evaluated: it is asked for alone.
    REFUSED.iter().any(|(message, _)| ours.contains(message)) || part_fails(text, object)
}

/// Whether the part for which an expression is refused fails for the crate, too, whatever is bound around it.
fn part_fails(text: &str, object: &str) -> bool {
    let Some(part) = refused::refusal(text).and_then(|error| refused::smallest(text, &error)) else {
        return false;
    };
    if !part.has_variables {
        return fails(&theirs(&part.text, object));
    }
    refused::ELEMENTS.iter().all(|element| {
        let bound: String = (0..10).map(|number| format!(", \"x{number}\": {element}")).collect();
        fails(&theirs(&part.text, &format!(r#"{{"bound": true{bound}}}"#)))
    })
}

fn fails(answer: &str) -> bool {
    answer.starts_with("error:")
}

/// The property would hold of nonsense, too, and of expressions that cannot fail.
#[test]
fn random_expressions_are_refused_and_fail_and_have_values() {
    let mut bytes = bytes();
    let (mut refused, mut failed, mut valued, mut texts) = (0, 0, 0, String::new());
    for _ in 0..2000 {
        let Asked { text, ours, .. } = ask(&bytes(100), &bytes(160));
        match &ours {
            ours if ours.starts_with("compile:") => refused += 1,
            ours if fails(ours) => failed += 1,
            _ => {
                valued += 1;
                texts += &text;
            }
        }
    }
    assert!(
        refused > 200 && failed > 400 && valued > 600,
        "{refused} refused, {failed} fail, {valued} have a value"
    );
    for part in [
        "exists(",
        "filter(",
        "timestamp(",
        "duration(",
        "matches(",
        "format(",
        ".?",
        "[?",
        "in ",
        "math.",
        "slice(",
    ] {
        assert!(texts.contains(part), "no expression with {part} has a value");
    }
}

/// The property would hold of refusals that are wrong, too, if those were only looked at with what stands around them.
#[test]
fn a_refusal_is_judged_by_what_is_refused() {
    let object = r#"{"l": []}"#;
    for (text, part) in [
        ("true || 'a' + 1 == 'x'", "'a' + 1"),
        ("object.l.map(x0, x0.size() + duration(x0.name).size())", "duration(object.x0.name).size()"),
        ("object.l.filter(x0, 1 + 2) == []", "(1 + 2) ? 1 : 2"),
        ("object.?z.orValue('é') == '' || ('b' - 1) == 0", "'b' - 1"),
    ] {
        let error = refused::refusal(text).unwrap_or_else(|| panic!("{text} is refused"));
        let found = refused::smallest(text, &error).unwrap_or_else(|| panic!("{text}: {error}"));
        assert_eq!(found.text, part, "{text}: {error}");
        assert!(agree(text, object, &format!("compile: {error}"), "true"), "{text}: {error}");
    }
    // Refused, say, for what is right.
    for text in
        ["true || 1 + 1 == 2", "false && duration('1h') > duration('1m')", "object.l.map(x0, x0 + 1) == []"]
    {
        let ours = "compile: spec.filter:1:9: no such overload: int + int";
        assert!(!agree(text, object, ours, "true"), "{text}");
    }
}

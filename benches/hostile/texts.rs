//! Small texts that ask for much: what stopped other implementations, or their process, and what comes near our limits.
//!
//! In: nothing. Out: texts, and how each must end. Must never know: how long it takes.

#![allow(dead_code, reason = "how a text ends is for the test, not for the bench")]

use celemetry_engine::definition::Language::{self, Cel, Kubectl, Rfc9535};

/// A text, and how it ends about [`object`].
pub(crate) struct Hostile {
    pub(crate) name: &'static str,
    pub(crate) language: Language,
    pub(crate) text: String,
    pub(crate) end: End,
}

/// How it must end.
#[derive(Clone, Copy)]
pub(crate) enum End {
    /// Before it runs, with an error that says this.
    Refused(&'static str),
    /// With an error that says this.
    Fails(&'static str),
    /// With a value, within its budget.
    Gives,
}

use End::{Fails, Gives, Refused};

const STEPS: End = Fails("needs more than 10000 steps");
const BYTES: End = Fails("needs more than 262144 bytes");
const CHAIN: End = Refused("operators hang on each other");
const NEST: End = Refused("brackets nest more than 32 deep");
const DEEP: End = Refused("the path nests too deeply");

/// The object that every text is about: long texts, a long list, a deep map, patterns.
pub(crate) fn object() -> String {
    let numbers: Vec<String> = (0..2_000).map(|number| number.to_string()).collect();
    let deep = format!("{}1{}", r#"{"a":"#.repeat(60), "}".repeat(60));
    let (long, half) = ("ab".repeat(100_000), "ab".repeat(15_000));
    format!(
        r#"{{"t": true, "m": [[0]], "x": "x", "s": "aaaaaaaa", "long": "{long}", "half": "{half}", "l": [{}], "deep": {deep},
            "digits": {}, "pattern": "((a{{100}}){{100}}){{100}}", "late": "(a|b)*c", "e": []}}"#,
        numbers.join(","),
        "1".repeat(200_000)
    )
}

/// All of them.
pub(crate) fn all() -> Vec<Hostile> {
    let mut texts = chains();
    texts.extend(loops());
    texts.extend(functions());
    texts.extend(paths());
    texts
}

fn cel(name: &'static str, text: String, end: End) -> Hostile {
    Hostile { name, language: Cel, text, end }
}

/// What overflows the stack of a parser, or of whatever walks over its tree.
fn chains() -> Vec<Hostile> {
    let numbers = |first: &str, link: &str, times| format!("{first}{}", link.repeat(times));
    vec![
        cel("1+1+… 1,400 terms", numbers("1", "+1", 1_400), CHAIN),
        cel("m[0][0]… 1,400 times", numbers("object.m", "[0]", 1_400), CHAIN),
        cel("x.size().size()… 900 times", numbers("object.x", ".size()", 900), CHAIN),
        cel("m.a.a… 4,000 times", numbers("object.m", ".a", 4_000), CHAIN),
        cel("m.a.a… 4,400 times", numbers("object.m", ".a", 4_400), Refused("longer than 8192 bytes")),
        cel("((((… 400 deep", format!("{}1{}", "(".repeat(400), ")".repeat(400)), NEST),
        cel("[[[[… 400 deep", format!("{}1{}", "[".repeat(400), "]".repeat(400)), NEST),
        cel("a && a && … 600 terms", vec!["object.t"; 600].join(" && "), Gives),
        cel("!!!!… 8,000 times", format!("{}object.t", "!".repeat(8_000)), CHAIN),
        cel("t ? t : t ? … 700 times", format!("{}1", "object.t?1:".repeat(700)), CHAIN),
        cel("an error at column 8,001", format!("{}1 $", " ".repeat(8_000)), Refused("syntax error")),
        cel(
            "an error at column 70,001",
            format!("{}1 $", " ".repeat(70_000)),
            Refused("longer than 8192 bytes"),
        ),
        cel("4,096 commas", format!("[{}]", ",".repeat(4_096)), Refused("syntax error")),
    ]
}

/// What needs much time or memory by loops.
fn loops() -> Vec<Hostile> {
    let numbers: Vec<String> = (0..100).map(|number| number.to_string()).collect();
    let list = format!("[{}]", numbers.join(","));
    let doubled = |seed: &str, step: &str| format!("[{seed}]{}", step.repeat(30));
    let lists = doubled("object.e", ".map(x,[x,x])");
    vec![
        cel("a text doubled 30 times", doubled("object.s", ".map(x,x+x)"), BYTES),
        cel("a constant text doubled 30 times", doubled("'aaaaaaaa'", ".map(x,x+x)"), BYTES),
        cel("a list doubled 30 times", doubled("[object.s]", ".map(x,x+x)"), BYTES),
        cel("3 loops of 100 elements", format!("{list}.map(x,{list}.map(y,{list}.map(z,x+y+z)))"), STEPS),
        cel(
            "3 loops, every error absorbed",
            format!("{list}.exists(x,{list}.exists(y,{list}.exists(z,object.nope)))"),
            STEPS,
        ),
        cel(
            "a loop over 2,000 elements squared",
            "object.l.all(x, object.l.all(y, x + y >= 0))".to_owned(),
            STEPS,
        ),
        cel("[x,x] nested 30 deep, compared", format!("{lists} == {lists}"), STEPS),
        cel("[x,x] nested 30 deep, formatted", format!("'%s'.format([{lists}])"), STEPS),
        cel("[x,x] nested 30 deep, flattened", format!("{lists}.flatten(100).size()"), STEPS),
        cel(
            "2,000 elements sorted by their place",
            "object.l.sortBy(x, object.l.indexOf(x))".to_owned(),
            STEPS,
        ),
    ]
}

/// What needs much time or memory by one call.
fn functions() -> Vec<Hostile> {
    let case = |name, text: &str, end| cel(name, text.to_owned(), end);
    let template = Refused("the format wants a number of up to 1000");
    vec![
        case("lists.range(100000000)", "lists.range(100000000).size()", STEPS),
        case("%.1000000000f", "'%.1000000000f'.format([1.0])", template),
        case("replace of all by all", "object.half.replace('a', object.half).size()", BYTES),
        case("split into characters", "object.long.split('').size()", STEPS),
        case("equality of long texts", "object.long == object.long + 'x'", STEPS),
        case("sets of 2,000 elements", "sets.equivalent(object.l, object.l)", STEPS),
        case("distinct of 2,000 elements", "object.l.distinct().size()", STEPS),
        case("a number of 200,000 digits", "object.digits > 0", STEPS),
        case("a pattern that explodes", "'a'.matches('((a{100}){100}){100}')", Refused("too large")),
        case("the same from the object", "'a'.matches(object.pattern)", Fails("too large")),
        cel(
            "240 large patterns",
            numbered(240, |number| format!(r"object.s.matches(r'\pL{{4}}{number}')")).join("||"),
            Refused("too large together"),
        ),
        cel(
            "one large pattern 90 times",
            numbered(90, |_| r"object.s.matches(r'\pL{4}0')".to_owned()).join("||"),
            Gives,
        ),
        case("a pattern that backtracks elsewhere", "object.long.matches('(a|b|ab)*c')", STEPS),
        case("a pattern of the object, 2,000 times", "object.l.all(x, !'a'.matches(object.late))", STEPS),
    ]
}

/// So many texts, each with its number.
fn numbered(count: usize, text: impl Fn(usize) -> String) -> Vec<String> {
    (0..count).map(text).collect()
}

/// What is hostile in JSONPath.
fn paths() -> Vec<Hostile> {
    let rfc9535 = |name, text: String, end| Hostile { name, language: Rfc9535, text, end };
    let kubectl = |name, text: String, end| Hostile { name, language: Kubectl, text, end };
    let filters = |times| format!("${}{}", "[?@".repeat(times), "]".repeat(times));
    vec![
        rfc9535("$[?((((… 2,000 deep", format!("$[?{}@{}]", "(".repeat(2_000), ")".repeat(2_000)), DEEP),
        rfc9535("500 nested filters", filters(500), DEEP),
        rfc9535("20 nested filters", filters(20), Gives),
        rfc9535("31 nested filters", filters(31), Gives),
        rfc9535("$..*..*… 6 times", format!("$.deep{}", "..*".repeat(6)), STEPS),
        rfc9535("search in a long text", "$[?search(@.long, 'c')]".to_owned(), Gives),
        rfc9535("search in long members", "$[?search(@, 'c')]".to_owned(), STEPS),
        rfc9535(
            "a pattern that explodes",
            "$[?match(@, 'a{1000}{1000}{1000}')]".to_owned(),
            Refused("too large"),
        ),
        rfc9535(
            "120 large patterns",
            format!("$[?{}]", numbered(120, |number| format!(r"match(@,'\\pL{{4}}{number}')")).join("||")),
            Refused("too large together"),
        ),
        rfc9535(
            "a union of 8, 100 times",
            format!("${}", "['a','b','c','d','e','f','g','h']".repeat(100)),
            Gives,
        ),
        kubectl("{..a..a..a..a..a..a}", "{.deep..a..a..a..a..a..a}".to_owned(), STEPS),
        kubectl(
            "filters in filters, never closed",
            format!("l{}", "[?(.x\\'".repeat(400)),
            Refused("missing"),
        ),
        kubectl("1,000 times ..b", format!("{{{}}}", "..b".repeat(1_000)), Gives),
        kubectl(
            "4,001 backslashes",
            "\\".repeat(4_001),
            Refused("a backslash must stand before a character"),
        ),
        kubectl("the bytes of a long text", "{.long.*}".to_owned(), STEPS),
    ]
}

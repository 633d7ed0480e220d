//! The worst texts that are accepted compile, evaluate and are dropped on a stack of 1 MiB, in a debug build too.

use super::super::limits;
use super::sharing::Together;
use super::{answer, compile};
use crate::definition::Definition;
use crate::row::{FieldPlan, HashSeed};
use crate::schema::{Schema, Shape, misfits};

/// The longest text `head + link × n + tail` that the limits accept, for a nesting of `open` and `close`.
fn worst(open: &str, link: &str, middle: &str, close: &str, nesting: usize) -> String {
    let text = |links: usize| {
        format!("{}{middle}{}{}", open.repeat(nesting), link.repeat(links), close.repeat(nesting))
    };
    let (mut accepted, mut refused) = (0, 8192);
    while refused - accepted > 1 {
        let half = (accepted + refused) / 2;
        if limits::check(&text(half)).is_ok() { accepted = half } else { refused = half }
    }
    text(accepted)
}

/// What makes chains long.
const LINKS: [&str; 15] = [
    "+1",
    "-1",
    "*1",
    "<1",
    "==1",
    ".a",
    ".?a",
    "[0]",
    "[?0]",
    ".size()",
    ".orValue(1)",
    " in [1]",
    "?1:1",
    "&&x",
    "||x",
];

/// What makes nests deep.
const BRACKETS: [(&str, &str); 16] = [
    ("(", ")"),
    ("[", "]"),
    ("{1:", "}"),
    ("dyn(", ")"),
    ("!(", ")"),
    ("-(", ")"),
    ("[1].map(x,", ")"),
    ("[1].exists(x,", ")"),
    ("[1].transformList(i,x,", ")"),
    ("[1].sortBy(x,", ")"),
    ("cel.bind(x,1,", ")"),
    ("cel.bind(x,", ",x)"),
    ("'%s'.format([", "])"),
    ("object.a[", "]"),
    ("1+(", ")"),
    ("1==1?1:(", ")"),
];

fn cases() -> Vec<String> {
    let mut cases = Vec::new();
    for (open, close) in BRACKETS {
        for nesting in [0, limits::MAX_NESTING / 2, limits::MAX_NESTING] {
            for link in LINKS {
                let text = |close: &str| {
                    let accepted =
                        limits::check(&format!("{}1{}", open.repeat(nesting), close.repeat(nesting)));
                    accepted.is_ok().then(|| worst(open, link, "object.x", close, nesting))
                };
                cases.extend(text(close));
                cases.extend(text(&format!("{close}{link}")));
            }
        }
    }
    cases.extend(
        ["!", "-", "- ", "! "].map(|sign| format!("{}x", sign.repeat(limits::MAX_BYTES / sign.len() - 1))),
    );
    cases.extend(["(", "[", "{", "f(", "[1].map(x,"].map(|open| open.repeat(limits::MAX_NESTING)));
    // What nests deeply at run time.
    let nested = worst("", ".map(x,[x])", "[1]", "", 0);
    for text in [
        format!("'%s'.format([{nested}])"),
        format!("{nested} == {nested}"),
        format!("[{nested}, {nested}].distinct()"),
        format!("{nested}.flatten(1000)"),
        format!("cel.bind(x, {nested}, sets.contains(x, x))"),
    ] {
        if limits::check(&text).is_ok() {
            cases.push(text);
        }
    }
    cases.extend(["&&", "||", ","].map(|sign| vec!["x"; 2700].join(sign)));
    cases
}

/// A schema whose objects hold objects of the same kind, and lists of them.
fn endless() -> Schema {
    let mut schema = Schema::new();
    let list = schema.add(Shape::List(Schema::ROOT));
    schema.set(Schema::ROOT, Shape::closed([("a", Schema::ROOT), ("x", list)]));
    schema
}

#[test]
fn the_worst_accepted_texts_compile_on_a_stack_of_one_mebibyte() {
    let cases = cases();
    assert!(cases.len() > 500, "{} cases", cases.len());
    let thread = std::thread::Builder::new().stack_size(1024 * 1024);
    let compiled = thread.spawn(move || {
        let mut compiled = 0;
        let schema = endless();
        // Most do not compile, and none may overflow; those that do are evaluated as well.
        for text in &cases {
            if compile(text, &mut FieldPlan::new(HashSeed(1, 2))).is_ok() {
                compiled += 1;
                answer(text, r#"{"x": 1, "a": {"a": [0]}}"#);
                // Twice, so that every part of it is one of several.
                Together::new().remembered(&[text, text], r#"{"x": 1, "a": {"a": [0]}}"#);
                misfits(&Definition::count("m").filter(text), &schema);
            }
        }
        compiled
    });
    let compiled = compiled.expect("a thread starts").join().expect("nothing panics");
    assert!(compiled > 100, "{compiled} compiled");
}

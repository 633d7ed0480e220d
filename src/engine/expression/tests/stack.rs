//! The worst texts that are accepted compile, evaluate and are dropped on a stack of 1 MiB, in a debug build too.

use super::super::limits;
use super::{answer, compile};
use crate::row::{FieldPlan, HashSeed};

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

fn cases() -> Vec<String> {
    let mut cases = Vec::new();
    let links = [
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
    let brackets = [
        ("(", ")"),
        ("[", "]"),
        ("{1:", "}"),
        ("dyn(", ")"),
        ("!(", ")"),
        ("-(", ")"),
        ("[1].map(x,", ")"),
        ("[1].exists(x,", ")"),
        ("object.a[", "]"),
        ("1+(", ")"),
        ("1==1?1:(", ")"),
    ];
    for (open, close) in brackets {
        for nesting in [0, 8, 16, 24, limits::MAX_NESTING / 2, limits::MAX_NESTING - 1, limits::MAX_NESTING] {
            for link in links {
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
    cases.extend(["&&", "||", ","].map(|sign| vec!["x"; 2700].join(sign)));
    cases
}

#[test]
fn the_worst_accepted_texts_compile_on_a_stack_of_one_mebibyte() {
    let cases = cases();
    assert!(cases.len() > 500);
    let thread = std::thread::Builder::new().stack_size(1024 * 1024);
    let compiled = thread.spawn(move || {
        let mut compiled = 0;
        // Most do not compile, and none may overflow; those that do are evaluated as well.
        for (index, text) in cases.iter().enumerate() {
            if std::env::var_os("SHOW_CASES").is_some() {
                eprintln!("{index}: {text:.60} … {}", text.len());
            }
            if compile(text, &mut FieldPlan::new(HashSeed(1, 2))).is_ok() {
                compiled += 1;
                answer(text, r#"{"x": 1, "a": {"a": [0]}}"#);
            }
        }
        compiled
    });
    let compiled = compiled.expect("a thread starts").join().expect("nothing panics");
    assert!(compiled > 100, "{compiled} compiled");
}

#[test]
#[ignore]
fn measure() {
    let n: usize = std::env::var("N").unwrap().parse().unwrap();
    let stage = std::env::var("STAGE").unwrap();
    let kind = std::env::var("KIND").unwrap();
    let text = match kind.as_str() {
        "plus" => vec!["object.x"; n].join("+"),
        "select" => format!("object{}", ".a".repeat(n)),
        "paren" => format!("{}1{}", "(".repeat(n), ")".repeat(n)),
        "dyn" => format!("{}object.x{}", "dyn(".repeat(n), ")".repeat(n)),
        "map" => format!("{}1{}", "[1].map(x,".repeat(n), ")".repeat(n)),
        "tern" => format!("{}1", "object.a?1:".repeat(n)),
        _ => panic!(),
    };
    std::thread::Builder::new()
        .stack_size(1024 * 1024)
        .spawn(move || {
            if stage == "antlr" {
                let parsed = ::cel::Env::default().parser().parse_with_source_info(&text).is_ok();
                eprintln!("{parsed}");
                return;
            }
            let syntax = super::super::cel::parse(&text);
            eprintln!("parsed {}", syntax.is_ok());
            if stage == "parse" {
                return;
            }
            let mut plan = FieldPlan::new(HashSeed(1, 2));
            let mut r = plan.record();
            let c = super::super::check::check(
                &syntax.unwrap(),
                &Default::default(),
                super::super::Demand::Whole,
                &mut r,
            );
            eprintln!("checked {}", c.is_ok());
        })
        .unwrap()
        .join()
        .unwrap();
}

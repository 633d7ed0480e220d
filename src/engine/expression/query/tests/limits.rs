//! Hostile texts and hostile objects end in an error, soon and on a small stack.

use serde_json::{Value, json};

use super::{BUDGET, formula, prepare, run};
use crate::definition::Language;
use crate::expression::{Budget, Demand};
use crate::row::{FieldId, FieldPlan, HashSeed};

/// Compiles, and if that succeeds evaluates, on a stack of 1 MiB.
#[allow(clippy::disallowed_methods, reason = "a small stack takes a thread")]
fn on_a_small_stack(language: Language, text: String) -> Result<Vec<Value>, String> {
    let work = move || run(language, &text, &json!({"a": [[[{"b": "x"}]]]}));
    std::thread::Builder::new().stack_size(1 << 20).spawn(work).unwrap().join().unwrap()
}

fn nested(open: &str, inner: &str, close: &str, times: usize) -> String {
    format!("{}{inner}{}", open.repeat(times), close.repeat(times))
}

#[test]
fn nesting_is_bounded() {
    let deep = "the path nests too deeply";
    for times in [2000, 500, 100] {
        for text in [
            format!("$[?{}]", nested("(", "@", ")", times)),
            format!("$[?{}]", nested("!(", "@", ")", times)),
            format!("${}", nested("[?@", "", "]", times)),
            format!("${}", nested("[?$", "", "]", times)),
            format!("$[?{}==1]", nested("length(", "@", ")", times)),
            format!("$[?{}]", nested("(", "", "", times)),
            format!("$[?{}", nested("count(@[?", "@", ")])", times)),
        ] {
            if text.len() < 4096 {
                let error = on_a_small_stack(Language::Rfc9535, text.clone()).unwrap_err();
                assert!(error.ends_with(deep), "{text} gives {error}");
            }
        }
    }
    let text = format!("l{}", "[?(.x\\'".repeat(400));
    on_a_small_stack(Language::Kubectl, text).unwrap_err();
}

#[test]
fn deepest_allowed_text_needs_little_stack_and_time() {
    for text in [
        format!("$[?{}]", nested("(", "@.a", ")", 31)),
        format!("$[?{}]", nested("!(", "@.a==1", ")", 31)),
        format!("${}", nested("[?@", "", "]", 31)),
        format!("${}", nested("[?@.a||@", "", "]", 31)),
        format!("${}", nested("[?$.a && (@", "", ")]", 15)),
        format!("$[?{}==1]", nested("length(", "@", ")", 6)),
    ] {
        on_a_small_stack(Language::Rfc9535, text.clone())
            .unwrap_or_else(|error| panic!("{text} gives {error}"));
    }
    // Wrong only at the end, where a parser that tries again pays most.
    for text in [
        format!("$[?{}", nested("(", "@.a)", "", 31)),
        format!("$[?{} x]", nested("(", "@.a", ")", 31)),
        format!("$[?{}==]", nested("length(", "@", ")", 6)),
        format!("$[?{}==]", nested("count(@[?", "@", "])", 6)),
        format!("${}", nested("[?@", "x y", "]", 31)),
        format!("$[?{}]", nested("(@.a==1 && ", "x", ")", 31)),
        format!("$[?{}]", nested("match(@.a, ", "x", ")", 6)),
    ] {
        on_a_small_stack(Language::Rfc9535, text).unwrap_err();
    }
}

#[test]
fn long_chains_need_no_stack() {
    for (text, fine) in [
        (format!("${}", ".a".repeat(2000)), true),
        (format!("${}", "[0]".repeat(1300)), true),
        (format!("$[?{}@]", "@||".repeat(1300)), true),
        (format!("$[?{}@]", "!@&&".repeat(1000)), true),
        (format!("$[{}0]", "0,".repeat(2000)), true),
        (format!("$[?@{}]", ".a".repeat(2000)), true),
        (format!("$['{}']", "\\u0041".repeat(600)), true),
        (format!("$[?{}@]", "!".repeat(2000)), false),
        (format!("${}", "..a".repeat(1300)), true),
    ] {
        assert_eq!(on_a_small_stack(Language::Rfc9535, text).is_ok(), fine);
    }
    for (text, fine) in [
        (".a".repeat(2000), true),
        (format!("a{}", "[*]".repeat(1300)), false),
        (format!("a{}", "..b".repeat(1000)), true),
        (format!("a[{}0]", "0,".repeat(2000)), true),
        (format!("a['{}']", "b.".repeat(2000)), true),
        ("\\".repeat(4001), false),
        ("a".repeat(5000), false),
    ] {
        assert_eq!(on_a_small_stack(Language::Kubectl, text.clone()).is_ok(), fine, "{text}");
    }
}

#[test]
fn unions_do_not_multiply_fields() {
    let union = "['a','b','c','d','e','f','g','h']";
    let count = |language, text: &str| {
        let mut plan = FieldPlan::new(HashSeed(1, 2));
        let mut fields = plan.record();
        super::super::compile_at(FieldId::ROOT, &formula(language, text), Demand::Whole, &mut fields)
            .unwrap();
        fields.finish();
        plan.len()
    };
    assert!(count(Language::Rfc9535, &format!("${}", union.repeat(100))) < 200);
    assert!(count(Language::Kubectl, &format!("{{{}}}", union.repeat(100))) < 200);
}

#[test]
fn work_is_bounded_by_steps() {
    let mut document = json!({"a": 1});
    for _ in 0..60 {
        document = json!({ "a": document });
    }
    let steps = Err("expression needs more than 10000 steps".to_string());
    assert_eq!(run(Language::Kubectl, "{..a..a..a..a..a..a}", &document), steps);
    assert_eq!(run(Language::Rfc9535, "$..a..a..a..a..a..a", &document), steps);
    let long: Vec<_> = (0..20_000).collect();
    assert_eq!(run(Language::Rfc9535, "$[*]", &json!(long)), steps);
    assert_eq!(run(Language::Kubectl, "{[*]}", &json!(long)), steps);
    assert_eq!(run(Language::Kubectl, "{[?(@>1)]}", &json!(long)), steps);
    assert_eq!(run(Language::Rfc9535, "$[?@>1]", &json!(long)), steps);
    assert_eq!(run(Language::Rfc9535, "$[-1]", &json!(long)), steps);
    let text = "a".repeat(50_000);
    assert_eq!(run(Language::Rfc9535, "$[?search(@, 'b')]", &json!([text, text, text, text])), steps);
    assert_eq!(run(Language::Rfc9535, "$[?@==$[0]]", &json!([text, text, text, text])), steps);
    let patterns: Vec<_> = (0..100).map(|n| json!({"p": format!("a{n}")})).collect();
    assert_eq!(run(Language::Rfc9535, "$[?match('a', @.p)]", &json!(patterns)), steps);
    // Existence in kubectl's dialect ignores what the object is like, but not this.
    assert_eq!(run(Language::Kubectl, "{[?(@..a)]}", &json!([long])), steps);
}

#[test]
fn work_is_bounded_by_bytes_and_charged_exactly() {
    let (query, row) = prepare(Language::Rfc9535, "$.l[*]", &json!({"l": [1, 2, 3]}), false).unwrap();
    let mut budget = BUDGET;
    assert_eq!(query.evaluate(&row, &mut budget).unwrap().len(), 3);
    let (steps, bytes) = (BUDGET.steps - budget.steps, BUDGET.bytes - budget.bytes);
    let mut exact = Budget::new(steps, bytes);
    assert!(query.evaluate(&row, &mut exact).is_ok());
    assert_eq!((exact.steps, exact.bytes), (0, 0));
    let few = query.evaluate(&row, &mut Budget::new(steps - 1, bytes)).unwrap_err();
    assert_eq!(few.to_string(), format!("expression needs more than {} steps", steps - 1));
    let few = query.evaluate(&row, &mut Budget::new(steps, bytes - 1)).unwrap_err();
    assert_eq!(few.to_string(), format!("expression needs more than {} bytes", bytes - 1));
}

//! A row that is cut down to what an expression reads answers like the whole object, whatever both are.

use proptest::prelude::*;

use super::random::{Dialect, Tape};
use super::{answer, bytes, compile, row};
use crate::expression::{Equality, ScalarKey};
use crate::row::{FieldPlan, HashSeed};

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    /// `answer` compares value and error text of the two.
    #[test]
    fn a_row_answers_like_the_whole_object(
        expression in prop::collection::vec(any::<u8>(), 0..80),
        object in prop::collection::vec(any::<u8>(), 0..120),
    ) {
        let (text, object) = (Tape::new(&expression).expression(Dialect::All), Tape::new(&object).object());
        let answer = answer(&text, &object);
        prop_assert!(!answer.contains("not kept"), "{text} on {object}: {answer}");
    }

    /// What the index may rely on.
    #[test]
    fn a_filter_that_is_true_fulfils_its_conditions(
        expression in prop::collection::vec(any::<u8>(), 0..60),
        object in prop::collection::vec(any::<u8>(), 0..120),
    ) {
        let (text, object) = (Tape::new(&expression).expression(Dialect::All), Tape::new(&object).object());
        let mut plan = FieldPlan::new(HashSeed(1, 2));
        if let Ok(compiled) = compile(&text, &mut plan) && answer(&text, &object) == "true" {
            let row = row(&plan, &object);
            let holds = |equality: &Equality| {
                row.at(equality.field).and_then(ScalarKey::of).is_some_and(|key| equality.keys.contains(&key))
            };
            for condition in compiled.conditions() {
                prop_assert!(condition.any.iter().any(holds), "{text} on {object}");
            }
        }
    }

    /// No text makes the compiler panic or overflow, whatever it is.
    #[test]
    fn any_text_compiles_or_is_refused(text in "\\PC{0,60}", tokens in prop::collection::vec(0usize..30, 0..40)) {
        let words = ["object", ".", "a", "(", ")", "[", "]", "{", "}", "?", ":", "&&", "||", "!", "-", "+", "==", "in",
            "'x'", "1", "2.5", "x", ",", "exists", "map", "has", "null", "\n", "b'", "`"];
        let tokens: String = tokens.into_iter().map(|token| words[token]).collect();
        let _ = compile(&text, &mut FieldPlan::new(HashSeed(1, 2)));
        let _ = compile(&tokens, &mut FieldPlan::new(HashSeed(1, 2)));
    }
}

/// The properties would hold of a generator that makes nonsense, too.
#[test]
fn random_expressions_are_not_all_nonsense() {
    let mut bytes = bytes();
    let (mut compiled, mut valued) = (0, 0);
    for _ in 0..1000 {
        let (expression, object) = (bytes(40), bytes(120));
        let answer = answer(&Tape::new(&expression).expression(Dialect::All), &Tape::new(&object).object());
        compiled += u32::from(!answer.starts_with("compile:"));
        valued += u32::from(!answer.starts_with("compile:") && !answer.starts_with("error:"));
    }
    assert!(compiled > 500 && valued > 180, "{compiled} of 1000 compile, {valued} have a value");
}

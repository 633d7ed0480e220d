//! Random expressions give what the cel crate's own interpreter gives, in the part of the language on which it and
//! Kubernetes agree.
//!
//! Left out, because the answers differ on purpose: `has` on what is no map (an error there, false in Kubernetes), loops
//! over maps (random order there), `+` (appends maps to lists there), optional selection with a wrong key, `type`, whose
//! results become plain strings there. Errors are compared as errors; the texts are Kubernetes' here.

use proptest::prelude::*;

use super::answer_uncounted;
use super::interpreter::theirs;
use super::random::{Dialect, Tape};

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_cel_crate_gives_the_same(
        expression in prop::collection::vec(any::<u8>(), 0..60),
        object in prop::collection::vec(any::<u8>(), 0..120),
    ) {
        let (text, object) = (Tape::new(&expression).expression(Dialect::Shared), Tape::new(&object).object());
        let ours = answer_uncounted(&text, &object);
        // Refused by our checker: nothing to compare.
        if !ours.starts_with("compile:") {
            let theirs = theirs(&text, &object);
            let both_fail = ours.starts_with("error:") && theirs.starts_with("error:");
            // There, NaN is neither less nor greater; in Kubernetes it cannot be asked.
            let same = ours == theirs || both_fail || ours == "error: NaN has no order";
            prop_assert!(same, "{text} on {object}\n  ours   {ours}\n  theirs {theirs}");
        }
    }
}

//! Any sequence of changes of objects, metrics and connections leaves the series that a naive recomputation of the
//! live objects gives, bit for bit; readers of changes end where readers of tables do; and nothing is left at the end.

use celemetry_engine::row::HashSeed;
use proptest::prelude::*;

use crate::trial::{SLOTS, Step, Trial};
use crate::world::{body, definition, namespaces};

fn step() -> impl Strategy<Value = Step> {
    let source = || 0..2_usize;
    let definition = || definition().prop_map(Box::new);
    prop_oneof![
        14 => (source(), 0..SLOTS, prop::bool::weighted(0.1), body())
            .prop_map(|(source, slot, recreate, body)| Step::Put { source, slot, recreate, body }),
        3 => (source(), 0..SLOTS).prop_map(|(source, slot)| Step::Remove { source, slot }),
        8 => (source(), 1..6_usize).prop_map(|(source, count)| Step::Watch { source, count }),
        1 => source().prop_map(|source| Step::Disconnect { source }),
        3 => source().prop_map(|source| Step::Begin { source }),
        4 => (source(), 1..6_usize).prop_map(|(source, count)| Step::List { source, count }),
        3 => source().prop_map(|source| Step::End { source }),
        3 => (source(), 1..4_usize).prop_map(|(source, count)| Step::Review { source, count }),
        3 => (definition(), any::<bool>()).prop_map(|(definition, both)| Step::Add { definition, both }),
        2 => (0..4_usize, definition(), any::<bool>()).prop_map(|(metric, definition, both)| Step::Edit { metric, definition, both }),
        1 => (0..4_usize).prop_map(|metric| Step::Drop { metric }),
        4 => (0..4_usize, namespaces()).prop_map(|(metric, namespaces)| Step::Look { metric, namespaces }),
        3 => Just(Step::Flush),
        2 => (0..4_usize).prop_map(|metric| Step::FlushOne { metric }),
        1 => source().prop_map(|source| Step::Readmit { source }),
        2 => Just(Step::Check),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, max_shrink_iters: 4000, ..ProptestConfig::default() })]

    #[test]
    fn incremental_equals_from_scratch(
        steps in prop::collection::vec(step(), 1..80),
        index in prop::bool::weighted(0.8),
        metrics_first in any::<bool>(),
    ) {
        let mut trial = Trial::new(index, HashSeed::default());
        for step in &steps {
            trial.take(step);
        }
        trial.check();
        trial.end(metrics_first);
    }

    /// Nothing but the changes decides what comes out, not even in which order: no clock, no entropy, no hash.
    #[test]
    fn the_same_changes_give_the_same_snapshots_whatever_the_seed(steps in prop::collection::vec(step(), 1..40)) {
        let mut trials = [HashSeed(1, 2), HashSeed(3, 4)].map(|seed| Trial::new(true, seed));
        for step in &steps {
            let [one, other] = trials.each_mut().map(|trial| {
                trial.take(step);
                let mut dirty = Vec::new();
                trial.engine.take_dirty(&mut dirty);
                let snapshot = trial.engine.flush(&dirty);
                trial.read(&snapshot);
                format!("{dirty:?} {snapshot:?}")
            });
            prop_assert_eq!(one, other);
        }
    }
}

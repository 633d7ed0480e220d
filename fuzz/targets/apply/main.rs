//! Changes of objects, metrics and connections, in any order: the series are bit for bit those that a naive recomputation
//! of the live objects gives, whoever reads only changes ends where the tables are, and nothing is left at the end.
//!
//! Input: choices. The objects, definitions and steps are those of the engine's own property tests.

#![no_main]

mod choices;
#[path = "../../../tests/engine/vocabulary.rs"]
mod vocabulary;
#[path = "../../../tests/engine/cluster.rs"]
mod cluster;
#[path = "../../../tests/engine/model.rs"]
mod model;
#[path = "../../../tests/engine/trial.rs"]
mod trial;

use celemetry_engine::row::HashSeed;
use libfuzzer_sys::arbitrary::Unstructured;
use libfuzzer_sys::fuzz_target;

use choices::Choices;
use trial::Trial;

/// More steps find nothing that fewer do not.
const STEPS: usize = 200;

fuzz_target!(|input: &[u8]| {
    let mut choices = Choices(Unstructured::new(input));
    let (index, metrics_first) = (!choices.one_in(4), choices.one_in(2));
    let mut trial = Trial::new(index, HashSeed(3, 5));
    for _ in 0..STEPS {
        if choices.0.is_empty() {
            break;
        }
        trial.take(&choices.step());
    }
    trial.check();
    trial.end(metrics_first);
});

//! celemetry on a real control plane, one binary.
//!
//! In: `cargo test`'s arguments. Out: every test's end. The control plane and the Collector are built with Go at the first
//! run (see `harness::binaries`); where that is impossible the tests that need them are reported as ignored.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use libtest_mimic::Arguments;

/// Lists the tests of a file for `main`: `tests![pods_are_counted, …]` beside them.
macro_rules! tests {
    ($($name:ident),* $(,)?) => {
        pub(crate) fn tests() -> Vec<crate::harness::Test> {
            vec![$(crate::harness::Test { name: concat!(module_path!(), "::", stringify!($name)), body: $name }),*]
        }
    };
}

// What the tests stand on.
mod harness;
// That the harness does what its names say.
mod ground;
// What a real API server makes of our kinds and our output.
mod kinds;
mod installing;
mod rights;
mod electing;
mod telling;
mod piped;
mod following;
mod readme;
mod status;
// What the operator makes of what happens.
mod lifecycle;
mod metrics;
mod kinds_come_and_go;
mod described;
mod modes;
mod refusals;
mod outages;
mod rare_answers;
mod auditing;
// What leaves, and what becomes of it.
mod exporting;
mod ending;
mod sinks_that_fail;
mod sinks_that_answer;
mod sinks_and_secrets;
mod trust;
mod replicas;
// Everything at once.
mod churn;

/// Tests mostly wait for a second to pass somewhere, so that more of them than cores can run at once.
const THREADS: usize = 4;

fn main() {
    let mut arguments = Arguments::from_args();
    let wanted = std::env::var("RUST_TEST_THREADS").ok().and_then(|threads| threads.parse().ok());
    arguments.test_threads = arguments.test_threads.or(wanted).or(Some(THREADS));
    let tests = [
        ground::tests(),
        kinds::tests(),
        installing::tests(),
        rights::tests(),
        electing::tests(),
        telling::tests(),
        piped::tests(),
        following::tests(),
        readme::tests(),
        status::tests(),
        lifecycle::tests(),
        metrics::tests(),
        kinds_come_and_go::tests(),
        described::tests(),
        modes::tests(),
        refusals::tests(),
        outages::tests(),
        rare_answers::tests(),
        auditing::tests(),
        exporting::tests(),
        ending::tests(),
        sinks_that_fail::tests(),
        sinks_that_answer::tests(),
        sinks_and_secrets::tests(),
        trust::tests(),
        replicas::tests(),
        churn::tests(),
    ];
    let trials = tests.into_iter().flatten().map(harness::Test::into_trial).collect();
    let conclusion = libtest_mimic::run(&arguments, trials);
    harness::stop(conclusion.has_failed());
    conclusion.exit();
}

//! Wiring only: channels and tasks in the order of the path, shutdown in reverse.
//!
//! In: settings, and Metrics or the place where they are declared. Out: a running program and, at its end, the last
//! snapshot. Must never know: how anything is done.

pub mod stream;
pub mod operator;
mod coordinated;

use std::hash::{BuildHasher, Hasher};

use celemetry_engine::Options;
use celemetry_engine::row::HashSeed;

/// How the engine of a program works. The seed is random, because the texts that are hashed come from strangers.
pub fn engine_options(index: bool) -> Options {
    let random = || std::collections::hash_map::RandomState::new().build_hasher().finish();
    Options { seed: HashSeed(random(), random()), index, tenant_steps: 100_000, ..Options::default() }
}

async fn until_true(mut flag: tokio::sync::watch::Receiver<bool>) {
    // A sender that is gone ends the wait as well.
    let _ = flag.wait_for(|set| *set).await;
}

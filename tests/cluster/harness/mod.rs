//! What the tests stand on: a control plane, clients of it, things between and behind them that can be made to fail.
//!
//! In: binaries from `binaries`, this checkout's `crds/` and `celemetry`. Out: blocking calls for tests, which end in a
//! panic that says what was waited for. All traffic stays on loopback; all processes end with the test or with this
//! process, however it ends.

#![allow(dead_code, unused_imports, reason = "a harness offers what the next test needs")]

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::PathBuf;
use std::sync::LazyLock;
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use libtest_mimic::{Completion, Trial};
use tokio::runtime::{Builder, Runtime};

// From nothing to processes.
pub(crate) mod binaries;
pub(crate) mod folder;
pub(crate) mod port;
pub(crate) mod process;
pub(crate) mod wait;
// The control plane.
pub(crate) mod authority;
pub(crate) mod plane;
pub(crate) mod client;
pub(crate) mod kind;
pub(crate) mod pod;
pub(crate) mod aggregated;
pub(crate) mod page;
// Between it and who reads it.
pub(crate) mod proxy;
pub(crate) mod relay;
// What is tested.
pub(crate) mod operator;
pub(crate) mod sampling;
pub(crate) mod scene;
// Where it exports to.
pub(crate) mod sink;
pub(crate) mod collector;

pub(crate) use aggregated::Aggregated;
pub(crate) use client::{Client, merge};
pub(crate) use collector::Collector;
pub(crate) use kind::Kind;
pub(crate) use operator::Operator;
pub(crate) use plane::audit::Request;
pub(crate) use plane::{Plane, rule};
pub(crate) use pod::pod;
pub(crate) use proxy::Proxy;
pub(crate) use relay::{End, Relay, Reply};
pub(crate) use scene::{GROUPS, Scene};
pub(crate) use sink::Sink;
pub(crate) use sink::answer::Answer;
pub(crate) use sink::point::{Point, Value};
pub(crate) use wait::{PATIENCE, stays, until, until_equal, until_within};

/// A test: its path, and what it does. It fails by panicking.
#[derive(Clone, Copy)]
pub(crate) struct Test {
    /// As `module_path!` and the function's name give it.
    pub(crate) name: &'static str,
    pub(crate) body: fn(),
}

/// No test runs longer than this, builds aside.
const LONGEST: Duration = Duration::from_secs(300);

/// Why a test cannot run on this machine. Thrown, so that a test needs no lines for it.
struct Unavailable(String);

/// Runs the harness' own servers and clients: proxies, sinks, HTTP. Tests themselves are plain blocking code.
pub(crate) fn runtime() -> &'static Runtime {
    static RUNTIME: LazyLock<Runtime> =
        LazyLock::new(|| Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap());
    &RUNTIME
}

/// The root of the checkout.
pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Ends the calling test as ignored.
pub(crate) fn ignore(reason: &str) -> ! {
    resume_unwind(Box::new(Unavailable(reason.to_owned())))
}

/// Ends what all tests share. Logs stay if a test failed.
pub(crate) fn stop(failed: bool) {
    plane::stop_shared();
    if !failed {
        folder::remove_run();
    }
}

// === impl Test ===

impl Test {
    /// The test for libtest-mimic. It runs on a thread of its own, so that a panic's message names it, and a test that
    /// hangs is left behind.
    pub(crate) fn into_trial(self) -> Trial {
        let name = self.name.trim_start_matches("cluster::");
        Trial::ignorable_test(name, move || {
            let (sender, end) = channel();
            let thread = thread::Builder::new().name(name.to_owned());
            let body = move || drop(sender.send(catch_unwind(AssertUnwindSafe(self.body))));
            let began = Instant::now();
            thread.spawn(body).unwrap();
            loop {
                match end.recv_timeout(PATIENCE) {
                    Ok(Ok(())) => return Ok(Completion::Completed),
                    Ok(Err(thrown)) => match thrown.downcast::<Unavailable>() {
                        Ok(unavailable) => return Ok(Completion::ignored_with(unavailable.0)),
                        Err(panic) => resume_unwind(panic),
                    },
                    Err(_) if began.max(binaries::last_build()).elapsed() > LONGEST => {
                        return Err(format!("it hangs: it is still running after {LONGEST:?}").into());
                    }
                    Err(_) => {}
                }
            }
        })
    }
}

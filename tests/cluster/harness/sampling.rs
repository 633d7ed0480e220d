//! What a page showed in the course of time: for what must not be seen, not even for a moment.
//!
//! In: a server, names of metrics. Out: every state of their series that was seen, in order, each told once.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{JoinHandle, sleep};
use std::time::Duration;

use super::page::Page;

/// The series of several metrics at one moment: `pods{phase="Running"}` → 7.
pub(crate) type State = BTreeMap<String, f64>;

/// A thread that looks at a page some hundred times a second.
pub(crate) struct Sampling {
    ends: Arc<AtomicBool>,
    thread: JoinHandle<Vec<State>>,
}

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(2);

// === impl Sampling ===

impl Sampling {
    /// Begins to look. A page that cannot be read fails the test at its end.
    pub(crate) fn begin(look: impl Fn() -> Page + Send + 'static, names: &[&str]) -> Self {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let ends = Arc::new(AtomicBool::new(false));
        let ending = Arc::clone(&ends);
        let thread = std::thread::spawn(move || {
            let mut states: Vec<State> = vec![];
            // The last look is one that began after the end was asked for.
            loop {
                let ending = ending.load(Ordering::Acquire);
                let now = state(&look(), &names);
                if states.last() != Some(&now) {
                    states.push(now);
                }
                if ending {
                    return states;
                }
                sleep(PAUSE);
            }
        });
        Self { ends, thread }
    }

    /// Ends it. Returns the states that were seen, without repetitions of the one before.
    #[track_caller]
    pub(crate) fn end(self) -> Vec<State> {
        self.ends.store(true, Ordering::Release);
        self.thread.join().expect("every page could be read")
    }
}

/// The series of these metrics on a page.
fn state(page: &Page, names: &[String]) -> State {
    let family = |name: &String| {
        let series = page.family(name).into_iter();
        let name = name.clone();
        series.map(move |(labels, value)| (format!("{name}{{{labels}}}"), value))
    };
    names.iter().flat_map(family).collect()
}

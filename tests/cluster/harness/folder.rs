//! Folders for what a run leaves: logs, keys, data.
//!
//! In: nothing. Out: folders below cargo's, of this process alone. They go when all tests passed, otherwise at the next
//! run.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Once;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustix::process::{Pid, test_kill_process};

/// A folder of its own for whatever is called `name`, empty.
pub(crate) fn fresh(name: &str) -> PathBuf {
    static NUMBER: AtomicUsize = AtomicUsize::new(1);
    static SWEEP: Once = Once::new();
    SWEEP.call_once(sweep);
    let folder = run().join(format!("{name}-{}", NUMBER.fetch_add(1, Ordering::Relaxed)));
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// Removes everything of this run.
pub(crate) fn remove_run() {
    // An error leaves it to the next run.
    let _ = fs::remove_dir_all(run());
}

fn all() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("cluster")
}

fn run() -> PathBuf {
    all().join(std::process::id().to_string())
}

/// Removes what runs left that are over.
fn sweep() {
    for entry in fs::read_dir(all()).into_iter().flatten().flatten() {
        let id = entry.file_name().to_str().and_then(|name| name.parse().ok()).and_then(Pid::from_raw);
        if id.is_none_or(|id| test_kill_process(id).is_err()) {
            // An error means that another run was faster.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

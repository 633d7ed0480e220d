//! Waiting for what happens elsewhere: for a condition, with a deadline, never for a time.
//!
//! In: a look at the world. Out: what was looked for, or a panic that says what was seen last.

use std::fmt::Debug;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long a test waits for something that takes seconds on an idle machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(25);

/// Looks until it finds, for at most [`PATIENCE`]. An `Err` says why it is not there yet.
#[track_caller]
pub(crate) fn until<T>(what: &str, look: impl FnMut() -> Result<T, String>) -> T {
    until_within(PATIENCE, what, look)
}

/// Looks until it finds. An `Err` says why it is not there yet.
#[track_caller]
pub(crate) fn until_within<T>(
    patience: Duration,
    what: &str,
    mut look: impl FnMut() -> Result<T, String>,
) -> T {
    let began = Instant::now();
    loop {
        match look() {
            Ok(found) => return found,
            Err(not_yet) if began.elapsed() > patience => {
                panic!("waited {patience:?} in vain for {what}; at last: {not_yet}")
            }
            Err(_) => sleep(PAUSE),
        }
    }
}

/// Looks until `look` gives `expected`.
#[track_caller]
pub(crate) fn until_equal<T: PartialEq + Debug>(what: &str, expected: &T, mut look: impl FnMut() -> T) {
    until(what, || {
        let seen = look();
        if seen == *expected { Ok(()) } else { Err(format!("{seen:#?}\ninstead of {expected:#?}")) }
    });
}

/// Looks again and again for `time`: at no look may `look` give an `Err`. For what must not happen meanwhile.
#[track_caller]
pub(crate) fn stays(time: Duration, what: &str, mut look: impl FnMut() -> Result<(), String>) {
    let began = Instant::now();
    while began.elapsed() < time {
        if let Err(wrong) = look() {
            panic!("after {:?} {what} no longer holds: {wrong}", began.elapsed());
        }
        sleep(PAUSE);
    }
}

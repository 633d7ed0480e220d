//! What is said on standard error.
//!
//! In: lines. Out: standard error, whose failures are ignored: there is nowhere to report them. Must never know: data.

use std::io::Write;
use std::time::{Duration, Instant};

use super::shown::visible;
use crate::cluster::router::Counts;
use crate::export::ErrorRecord;

/// Lets through so many lines a minute and counts the others.
#[derive(Debug)]
pub(super) struct RateLimit {
    minute_began: Option<Instant>,
    said: u32,
    left_out: u64,
}

/// Lines of one kind that are let through each minute.
const LINES_A_MINUTE: u32 = 20;

/// Failed expressions that `eval` names on standard error; the others are counted.
const ERRORS_NAMED: usize = 20;

/// Says one line, whatever is in it.
pub(super) fn say(line: &str) {
    let mut stderr = std::io::stderr().lock();
    let _ = writeln!(stderr, "{}", visible(line));
}

/// Says which expressions failed for which objects, the first ones by name.
pub(super) fn errors(errors: &[ErrorRecord]) {
    for error in errors.iter().take(ERRORS_NAMED) {
        say(&format!("{}: {}: {}: {}", error.source, error.path, error.object, error.message));
    }
    if errors.len() > ERRORS_NAMED {
        say(&format!("{} further errors; -o json shows all", errors.len() - ERRORS_NAMED));
    }
}

/// The warning about a sum that has left 64 bits.
pub(super) fn beyond_64_bits(metric: &str) -> String {
    format!("warning: {metric}: a sum of integers is beyond 64 bits: it is a double, and may be rounded")
}

/// Lines about what was in the input and counts nowhere.
pub(super) fn of_counts(counts: &Counts) -> Vec<String> {
    let mut lines = vec![];
    let total: u64 = counts.untargeted.values().sum();
    if total > 0 {
        let kinds: Vec<String> = counts.untargeted.iter().map(|(kind, n)| format!("{kind}: {n}")).collect();
        lines.push(format!("{total} {} that no Metric targets ({})", objects(total), kinds.join(", ")));
    }
    if counts.undecodable > 0 {
        let n = counts.undecodable;
        lines.push(format!("{n} {} could not be decoded", objects(n)));
    }
    if counts.unknown_events > 0 {
        let n = counts.unknown_events;
        lines.push(format!("{n} watch {} of unknown type ignored", if n == 1 { "event" } else { "events" }));
    }
    lines
}

fn objects(n: u64) -> &'static str {
    if n == 1 { "object" } else { "objects" }
}

// === impl RateLimit ===

impl RateLimit {
    /// Nothing said yet.
    pub(super) fn new() -> Self {
        RateLimit { minute_began: None, said: 0, left_out: 0 }
    }

    /// Whether a line may be said at `now`.
    pub(super) fn allows(&mut self, now: Instant) -> bool {
        let over = |began: Instant| now.duration_since(began) >= Duration::from_secs(60);
        if self.minute_began.is_none_or(over) {
            (self.minute_began, self.said) = (Some(now), 0);
        }
        if self.said == LINES_A_MINUTE {
            self.left_out += 1;
            return false;
        }
        self.said += 1;
        true
    }

    /// How many lines were not said.
    pub(super) fn left_out(&self) -> u64 {
        self.left_out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_cut_to_a_few_lines_each_minute_and_counted() {
        let (mut limit, start) = (RateLimit::new(), Instant::now());
        let said = (0..1_000).filter(|_| limit.allows(start)).count();
        assert_eq!((said, limit.left_out()), (20, 980));
        assert!(limit.allows(start + Duration::from_secs(60)));
    }

    #[test]
    fn objects_nobody_wants_are_told_by_kind() {
        let untargeted = [("v1/Node".to_owned(), 2), ("v1/Secret".to_owned(), 1)].into();
        let counts = Counts { untargeted, undecodable: 1, ..Counts::default() };
        let expected =
            ["3 objects that no Metric targets (v1/Node: 2, v1/Secret: 1)", "1 object could not be decoded"];
        assert_eq!(of_counts(&counts), expected);
    }
}

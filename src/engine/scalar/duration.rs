//! Durations in Go's grammar: `1h30m`, and `d` for 24 hours beside it.

/// A signed length of time, in Go's range of about 292 years.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Duration {
    /// Nanoseconds.
    pub nanos: i64,
}

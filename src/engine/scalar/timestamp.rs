//! Points in time as RFC 3339 writes them.
//!
//! In: text as Go's `time.Parse(time.RFC3339, …)` accepts it. Out: seconds and nanoseconds since 1970. Must never know:
//! the current time, time zones other than a text's own offset.

use chrono::{DateTime, Datelike, NaiveDate, Timelike};

use super::{Duration, GIGA, ScalarError, split_digits, write_fraction};

/// A point in time between the years 1 and 9999 of UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Timestamp {
    /// Seconds since 1970-01-01T00:00:00Z, rounded down.
    pub seconds: i64,
    /// Nanoseconds since then, below 1e9.
    pub nanos: u32,
}

/// How far a clock is from UTC.
///
/// Aligned, so that a value of an expression that can be a timestamp is copied in whole words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(align(8))]
pub struct Offset {
    /// East is positive.
    pub seconds: i32,
}

/// A point in time as a clock with this offset shows it.
struct Local(Timestamp, Offset);

const INVALID: ScalarError =
    ScalarError("not a timestamp: it must be RFC 3339, such as 2006-01-02T15:04:05Z");
const FIELD_RANGE: ScalarError =
    ScalarError("not a timestamp: the month, day, hour, minute, second or offset is out of range");
const OUT_OF_RANGE: ScalarError = ScalarError("the timestamp is beyond the years 1 to 9999 of UTC");

// === impl Timestamp ===

impl Timestamp {
    /// 0001-01-01T00:00:00Z, the earliest. It is also how Go writes a time that was never set.
    pub const MIN: Timestamp = Timestamp { seconds: -62_135_596_800, nanos: 0 };
    /// The last nanosecond of the year 9999.
    pub const MAX: Timestamp = Timestamp { seconds: 253_402_300_799, nanos: 999_999_999 };

    /// A point in time, if it is within the range and `nanos` is below 1e9.
    pub fn new(seconds: i64, nanos: u32) -> Option<Self> {
        let within = (Self::MIN.seconds..=Self::MAX.seconds).contains(&seconds) && i64::from(nanos) < GIGA;
        within.then_some(Timestamp { seconds, nanos })
    }

    /// Reads RFC 3339 as Go does: a fraction may follow a point or a comma, an hour may have one digit, an offset may be
    /// up to 24:60, a leap second and a lower-case `t` or `z` are refused. Digits beyond nanoseconds are cut off.
    ///
    /// # Errors
    ///
    /// If the text is none, or is beyond the years 1 to 9999.
    pub fn parse(text: &str) -> Result<Self, ScalarError> {
        Self::parse_with_offset(text).map(|(instant, _)| instant)
    }

    /// The same, and the offset that the text names.
    ///
    /// # Errors
    ///
    /// The same.
    pub fn parse_with_offset(text: &str) -> Result<(Self, Offset), ScalarError> {
        let mut rest = text;
        let year = number(&mut rest, 4..=4, "-")?;
        let month = number(&mut rest, 2..=2, "-")?;
        let day = number(&mut rest, 2..=2, "T")?;
        let hour = number(&mut rest, 1..=2, ":")?;
        let minute = number(&mut rest, 2..=2, ":")?;
        let second = number(&mut rest, 2..=2, "")?;
        let nanos = fraction(&mut rest);
        let offset = offset(rest)?;
        let year = i32::try_from(year).map_err(|_| OUT_OF_RANGE)?;
        let local = NaiveDate::from_ymd_opt(year, month, day)
            .and_then(|date| date.and_hms_opt(hour, minute, second))
            .ok_or(FIELD_RANGE)?;
        let seconds = local.and_utc().timestamp() - i64::from(offset.seconds);
        Timestamp::new(seconds, nanos).map(|instant| (instant, offset)).ok_or(OUT_OF_RANGE)
    }

    /// RFC 3339 with this offset.
    pub fn at(self, offset: Offset) -> impl std::fmt::Display {
        Local(self, offset)
    }

    /// The time from `earlier` to this one, if it fits a [`Duration`].
    pub fn since(self, earlier: Self) -> Option<Duration> {
        let seconds = i128::from(self.seconds) - i128::from(earlier.seconds);
        let nanos = i128::from(self.nanos) - i128::from(earlier.nanos);
        i64::try_from(seconds * i128::from(GIGA) + nanos).ok().map(|nanos| Duration { nanos })
    }

    /// This much later, if that is within the range.
    pub fn checked_add(self, duration: Duration) -> Option<Self> {
        let nanos = i64::from(self.nanos) + duration.nanos.rem_euclid(GIGA);
        let seconds = self.seconds + duration.nanos.div_euclid(GIGA) + nanos / GIGA;
        Timestamp::new(seconds, u32::try_from(nanos % GIGA).expect("a remainder of 1e9 fits 32 bits"))
    }

    /// This much earlier, if that is within the range.
    pub fn checked_sub(self, duration: Duration) -> Option<Self> {
        match duration.checked_neg() {
            Some(negative) => self.checked_add(negative),
            // The one duration whose negative is out of range: first all of it but a nanosecond.
            None => self.checked_add(Duration { nanos: i64::MAX })?.checked_add(Duration { nanos: 1 }),
        }
    }
}

impl std::fmt::Display for Timestamp {
    /// RFC 3339 in UTC, with as many digits after the point as it takes.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        Local(*self, Offset::default()).fmt(f)
    }
}

impl std::fmt::Display for Local {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Local(instant, offset) = self;
        let local =
            DateTime::from_timestamp(instant.seconds + i64::from(offset.seconds), 0).unwrap_or_default();
        write!(f, "{:04}-{:02}-{:02}T", local.year(), local.month(), local.day())?;
        write!(f, "{:02}:{:02}:{:02}", local.hour(), local.minute(), local.second())?;
        write_fraction(f, u64::from(instant.nanos))?;
        if offset.seconds == 0 {
            return f.write_str("Z");
        }
        let sign = if offset.seconds < 0 { '-' } else { '+' };
        let minutes = offset.seconds.abs() / 60;
        write!(f, "{sign}{:02}:{:02}", minutes / 60, minutes % 60)
    }
}

/// Takes a number of so many digits, and what separates it from the next.
fn number(
    rest: &mut &str,
    places: std::ops::RangeInclusive<usize>,
    separator: &str,
) -> Result<u32, ScalarError> {
    let (digits, _) = split_digits(rest);
    let taken = digits.len().min(*places.end());
    if taken < *places.start() {
        return Err(INVALID);
    }
    let value = rest[..taken].parse().map_err(|_| INVALID)?;
    *rest = rest[taken..].strip_prefix(separator).ok_or(INVALID)?;
    Ok(value)
}

/// Takes `.5` or `,5`, if it is there, as nanoseconds.
fn fraction(rest: &mut &str) -> u32 {
    let Some(after) = rest.strip_prefix(['.', ',']) else { return 0 };
    let (digits, after) = split_digits(after);
    if digits.is_empty() {
        return 0;
    }
    *rest = after;
    digits
        .bytes()
        .chain(std::iter::repeat(b'0'))
        .take(9)
        .fold(0, |nanos, byte| nanos * 10 + u32::from(byte - b'0'))
}

/// Go lets hours be up to 24 and minutes up to 60.
fn offset(text: &str) -> Result<Offset, ScalarError> {
    if text == "Z" {
        return Ok(Offset::default());
    }
    let (sign, mut rest) = match text.as_bytes().first() {
        Some(b'+') => (1, &text[1..]),
        Some(b'-') => (-1, &text[1..]),
        _ => return Err(INVALID),
    };
    let hours = number(&mut rest, 2..=2, ":")?;
    let minutes = number(&mut rest, 2..=2, "")?;
    if !rest.is_empty() {
        return Err(INVALID);
    }
    if hours > 24 || minutes > 60 {
        return Err(FIELD_RANGE);
    }
    let seconds = i32::try_from(hours * 3600 + minutes * 60).map_err(|_| FIELD_RANGE)?;
    Ok(Offset { seconds: sign * seconds })
}

//! Durations in Go's grammar: `1h30m`, and outside of expressions `d` for 24 hours beside it.
//!
//! In: text as Go's `time.ParseDuration` accepts it. Out: nanoseconds. Must never know: calendars, expressions.

use super::{GIGA, ScalarError, split_digits, write_fraction};

/// A signed length of time, in Go's range of about 292 years.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Duration {
    /// Nanoseconds.
    pub nanos: i64,
}

const INVALID: ScalarError =
    ScalarError("not a duration: it must be a sequence of numbers with units, such as 1h30m, 1.5s or 300ms");
const MISSING_UNIT: ScalarError = ScalarError("not a duration: a number lacks its unit");
const UNKNOWN_UNIT: ScalarError =
    ScalarError("not a duration: the unit must be one of ns, us, µs, ms, s, m, h, d");
const UNKNOWN_IN_GO: ScalarError =
    ScalarError("not a duration: the unit must be one of ns, us, µs, ms, s, m, h");
const TOO_FINE: ScalarError = ScalarError("the duration is finer than a nanosecond");
const OUT_OF_RANGE: ScalarError = ScalarError("the duration is beyond the range of ±292 years");

const DAY: u64 = 86_400_000_000_000;

/// Digits of a fraction that count: times the longest unit they fit 128 bits.
const FRACTION_DIGITS: usize = 24;

// === impl Duration ===

impl Duration {
    /// Reads a duration in Go's grammar, with the further unit `d`, 24 hours. What is finer than a nanosecond is cut off,
    /// as Go does; unlike Go's, the nanoseconds of a fraction are computed without rounding errors.
    ///
    /// # Errors
    ///
    /// If the text is none, or is beyond the range.
    pub fn parse(text: &str) -> Result<Self, ScalarError> {
        parse(text, Term::parse).map(|(duration, _)| duration)
    }

    /// As Go's `time.ParseDuration`: hours are the longest unit, and a fraction is computed in doubles.
    ///
    /// # Errors
    ///
    /// If the text is none, or is beyond the range.
    pub fn parse_as_go(text: &str) -> Result<Self, ScalarError> {
        parse(text, Term::parse_as_go).map(|(duration, _)| duration)
    }

    /// As [`Duration::parse`], but what is finer than a nanosecond is an error.
    ///
    /// # Errors
    ///
    /// If the text is none, is finer than a nanosecond, or is beyond the range.
    pub fn parse_exact(text: &str) -> Result<Self, ScalarError> {
        let (duration, exact) = parse(text, Term::parse)?;
        if exact { Ok(duration) } else { Err(TOO_FINE) }
    }

    /// The sum, if it is within the range.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.nanos.checked_add(other.nanos).map(|nanos| Duration { nanos })
    }

    /// The difference, if it is within the range.
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.nanos.checked_sub(other.nanos).map(|nanos| Duration { nanos })
    }

    /// The negative, if it is within the range.
    pub fn checked_neg(self) -> Option<Self> {
        self.nanos.checked_neg().map(|nanos| Duration { nanos })
    }

    /// As CEL's `string()` writes it: seconds with as many digits as it takes, such as `90s` and `1.5s`.
    pub fn to_cel(self) -> String {
        Seconds(self.nanos).to_string()
    }
}

impl std::fmt::Display for Duration {
    /// As Go's `Duration.String()`: `1h30m0s`, `1.5s`, `300ms`, `0s`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.nanos < 0 {
            f.write_str("-")?;
        }
        let size = self.nanos.unsigned_abs();
        let (unit, places) = match size {
            0 => return f.write_str("0s"),
            1..1_000 => ("ns", 1),
            1_000..1_000_000 => ("µs", 1_000),
            1_000_000..1_000_000_000 => ("ms", 1_000_000),
            1_000_000_000.. => return write_clock(f, size),
        };
        write!(f, "{}", size / places)?;
        write_fraction(f, (size % places) * (GIGA.unsigned_abs() / places))?;
        f.write_str(unit)
    }
}

/// Nanoseconds, written in seconds.
struct Seconds(i64);

impl std::fmt::Display for Seconds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (size, giga) = (self.0.unsigned_abs(), GIGA.unsigned_abs());
        write!(f, "{}{}", if self.0 < 0 { "-" } else { "" }, size / giga)?;
        write_fraction(f, size % giga)?;
        f.write_str("s")
    }
}

/// Writes hours, minutes and seconds from the first that is not 0.
fn write_clock(f: &mut std::fmt::Formatter<'_>, nanos: u64) -> std::fmt::Result {
    let giga = GIGA.unsigned_abs();
    let seconds = nanos / giga;
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    if hours > 0 {
        write!(f, "{hours}h")?;
    }
    if hours > 0 || minutes > 0 {
        write!(f, "{minutes}m")?;
    }
    write!(f, "{}", seconds % 60)?;
    write_fraction(f, nanos % giga)?;
    f.write_str("s")
}

/// The duration, and whether nothing was cut off.
fn parse<'t>(
    text: &'t str,
    term: impl Fn(&'t str) -> Result<Term<'t>, ScalarError>,
) -> Result<(Duration, bool), ScalarError> {
    let (negative, mut rest) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    if rest == "0" {
        return Ok((Duration { nanos: 0 }, true));
    }
    if rest.is_empty() {
        return Err(INVALID);
    }
    let (mut total, mut exact) = (0_u64, true);
    while !rest.is_empty() {
        let term = term(rest)?;
        total = total.checked_add(term.nanos).ok_or(OUT_OF_RANGE)?;
        exact &= term.exact;
        rest = term.rest;
    }
    let nanos = if negative { 0_i64.checked_sub_unsigned(total) } else { i64::try_from(total).ok() };
    Ok((Duration { nanos: nanos.ok_or(OUT_OF_RANGE)? }, exact))
}

/// One number with its unit.
struct Term<'t> {
    nanos: u64,
    exact: bool,
    rest: &'t str,
}

impl<'t> Term<'t> {
    fn parse(text: &'t str) -> Result<Self, ScalarError> {
        let (whole, fraction, unit, rest) = Self::split(text)?;
        let unit = unit_nanos(unit)?;
        let (part, exact) = fraction_nanos(fraction, unit);
        Ok(Term { nanos: total(whole, unit, part)?, exact, rest })
    }

    fn parse_as_go(text: &'t str) -> Result<Self, ScalarError> {
        let (whole, fraction, unit, rest) = Self::split(text)?;
        let unit = match unit_nanos(unit) {
            Ok(DAY) | Err(UNKNOWN_UNIT) => return Err(UNKNOWN_IN_GO),
            unit => unit?,
        };
        Ok(Term { nanos: total(whole, unit, fraction_as_go(fraction, unit))?, exact: false, rest })
    }

    /// The digits before and behind the point, the unit, and what follows.
    fn split(text: &'t str) -> Result<(&'t str, &'t str, &'t str, &'t str), ScalarError> {
        let (whole, rest) = split_digits(text);
        let (fraction, rest) = rest.strip_prefix('.').map_or(("", rest), split_digits);
        if whole.is_empty() && fraction.is_empty() {
            return Err(INVALID);
        }
        let end = rest.find(|c: char| c == '.' || c.is_ascii_digit()).unwrap_or(rest.len());
        let (unit, rest) = rest.split_at(end);
        Ok((whole, fraction, unit, rest))
    }
}

fn total(whole: &str, unit: u64, part: u64) -> Result<u64, ScalarError> {
    let whole = if whole.is_empty() { 0 } else { whole.parse().map_err(|_| OUT_OF_RANGE)? };
    unit.checked_mul(whole).and_then(|nanos| nanos.checked_add(part)).ok_or(OUT_OF_RANGE)
}

/// As Go computes them: a third of an hour with enough digits is 20 minutes.
#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn fraction_as_go(fraction: &str, unit: u64) -> u64 {
    let (mut digits, mut scale) = (0_u64, 1.0_f64);
    for byte in fraction.bytes() {
        let next = digits * 10 + u64::from(byte - b'0');
        if next > 1 << 63 {
            break;
        }
        (digits, scale) = (next, scale * 10.0);
        if digits > i64::MAX.unsigned_abs() / 10 {
            break;
        }
    }
    (digits as f64 * (unit as f64 / scale)) as u64
}

/// The nanoseconds in `0.fraction` of a unit, rounded down, and whether nothing was cut off.
fn fraction_nanos(fraction: &str, unit: u64) -> (u64, bool) {
    let fraction = fraction.trim_end_matches('0');
    let kept = fraction.get(..FRACTION_DIGITS).unwrap_or(fraction);
    let (mut digits, mut scale) = (0_u128, 1_u128);
    for byte in kept.bytes() {
        digits = digits * 10 + u128::from(byte - b'0');
        scale *= 10;
    }
    let scaled = digits * u128::from(unit);
    let nanos = u64::try_from(scaled / scale).expect("a fraction of a unit is less than the unit");
    (nanos, scaled.is_multiple_of(scale) && kept.len() == fraction.len())
}

/// Both ways to write micro are accepted: U+00B5 and U+03BC.
fn unit_nanos(unit: &str) -> Result<u64, ScalarError> {
    Ok(match unit {
        "ns" => 1,
        "us" | "\u{b5}s" | "\u{3bc}s" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        "d" => DAY,
        "" => return Err(MISSING_UNIT),
        _ => return Err(UNKNOWN_UNIT),
    })
}

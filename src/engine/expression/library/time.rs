//! The calendar: parts of timestamps and durations.
//!
//! In: timestamps, durations, IANA time zones and fixed offsets. Out: numbers. Must never know: clocks.

use chrono::{DateTime, Datelike, NaiveDateTime, Offset, TimeDelta, TimeZone, Timelike};

use super::super::Value;
use super::super::types::StaticType::{self, Duration as Span, Int, String, Timestamp as Instant};
use super::{Overload, method, no_overload};
use crate::error::EvaluationError;
use crate::scalar::Timestamp;

const UTC: &[StaticType] = &[Instant];
const ZONED: &[StaticType] = &[Instant, String];

pub(super) const TABLE: &[Overload] = &[
    method("getFullYear", UTC, Int, |a, _| part(a, |t| i64::from(t.year()))),
    method("getFullYear", ZONED, Int, |a, _| part(a, |t| i64::from(t.year()))),
    method("getMonth", UTC, Int, |a, _| part(a, |t| i64::from(t.month0()))),
    method("getMonth", ZONED, Int, |a, _| part(a, |t| i64::from(t.month0()))),
    method("getDate", UTC, Int, |a, _| part(a, |t| i64::from(t.day()))),
    method("getDate", ZONED, Int, |a, _| part(a, |t| i64::from(t.day()))),
    method("getDayOfMonth", UTC, Int, |a, _| part(a, |t| i64::from(t.day0()))),
    method("getDayOfMonth", ZONED, Int, |a, _| part(a, |t| i64::from(t.day0()))),
    method("getDayOfWeek", UTC, Int, |a, _| part(a, day_of_week)),
    method("getDayOfWeek", ZONED, Int, |a, _| part(a, day_of_week)),
    method("getDayOfYear", UTC, Int, |a, _| part(a, |t| i64::from(t.ordinal0()))),
    method("getDayOfYear", ZONED, Int, |a, _| part(a, |t| i64::from(t.ordinal0()))),
    method("getHours", UTC, Int, |a, _| part(a, |t| i64::from(t.hour()))),
    method("getHours", ZONED, Int, |a, _| part(a, |t| i64::from(t.hour()))),
    method("getMinutes", UTC, Int, |a, _| part(a, |t| i64::from(t.minute()))),
    method("getMinutes", ZONED, Int, |a, _| part(a, |t| i64::from(t.minute()))),
    method("getSeconds", UTC, Int, |a, _| part(a, |t| i64::from(t.second()))),
    method("getSeconds", ZONED, Int, |a, _| part(a, |t| i64::from(t.second()))),
    method("getMilliseconds", UTC, Int, |a, _| part(a, milliseconds)),
    method("getMilliseconds", ZONED, Int, |a, _| part(a, milliseconds)),
    method("getHours", &[Span], Int, |a, _| whole(a, 3_600_000_000_000)),
    method("getMinutes", &[Span], Int, |a, _| whole(a, 60_000_000_000)),
    method("getSeconds", &[Span], Int, |a, _| whole(a, 1_000_000_000)),
    method("getMilliseconds", &[Span], Int, |a, _| whole(a, 1_000_000)),
];

/// One part of a timestamp in UTC, or in the zone that the second argument names.
fn part<'r>(
    arguments: &[Value<'r>],
    read: impl Fn(NaiveDateTime) -> i64,
) -> Result<Value<'r>, EvaluationError> {
    let Some(Value::Timestamp(instant, _)) = arguments.first() else { return Err(no_overload()) };
    let utc = calendar(instant).ok_or_else(|| EvaluationError::new("timestamp overflow"))?;
    let local = match arguments.get(1) {
        Some(Value::String(zone)) => {
            let offset = offset(zone.as_str(), utc)?;
            utc.checked_add_signed(offset).ok_or_else(|| EvaluationError::new("timestamp overflow"))?
        }
        _ => utc,
    };
    Ok(Value::Int(read(local)))
}

fn calendar(instant: &Timestamp) -> Option<NaiveDateTime> {
    DateTime::from_timestamp(instant.seconds, instant.nanos).map(|time| time.naive_utc())
}

/// How far a zone is from UTC at that time: `Europe/Berlin`, `UTC`, `+02:00`, `-07:30`, `02:00`. As in cel-go, neither
/// hours nor minutes are bounded.
fn offset(zone: &str, utc: NaiveDateTime) -> Result<TimeDelta, EvaluationError> {
    let unknown = || EvaluationError::quoting("unknown time zone ", format_args!("{zone:.64}"), "");
    // The API server's own zone is UTC.
    if matches!(zone, "" | "UTC" | "Local") {
        return Ok(TimeDelta::zero());
    }
    if let Some((hours, minutes)) = zone.split_once(':') {
        let minutes: i32 = minutes.parse().map_err(|_| unknown())?;
        let west = hours.starts_with('-');
        let hours: i32 = hours.parse().map_err(|_| unknown())?;
        let minutes = if west { -i64::from(minutes) } else { i64::from(minutes) };
        return Ok(TimeDelta::minutes(i64::from(hours) * 60 + minutes));
    }
    let zone: chrono_tz::Tz = zone.parse().map_err(|_| unknown())?;
    Ok(TimeDelta::seconds(i64::from(zone.offset_from_utc_datetime(&utc).fix().local_minus_utc())))
}

fn day_of_week(time: NaiveDateTime) -> i64 {
    i64::from(time.weekday().num_days_from_sunday())
}

fn milliseconds(time: NaiveDateTime) -> i64 {
    i64::from(time.nanosecond() / 1_000_000)
}

/// A duration in whole units of so many nanoseconds.
fn whole<'r>(arguments: &[Value<'r>], unit: i64) -> Result<Value<'r>, EvaluationError> {
    let [Value::Duration(duration)] = arguments else { return Err(no_overload()) };
    Ok(Value::Int(duration.nanos / unit))
}

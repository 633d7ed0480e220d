//! Timestamps and durations.

use super::check;

const OBJECT: &str = r#"{"at": "2024-02-29T23:59:58.123456789Z", "later": "2024-03-01T01:00:00+01:00", "for": "1h30m", "zone": "Europe/Berlin"}"#;

#[test]
fn parts_of_timestamps_are_read_in_any_zone() {
    check(
        &[
            ("timestamp(object.at).getFullYear()", "2024"),
            ("timestamp(object.at).getMonth()", "1"),
            ("timestamp(object.at).getDate()", "29"),
            ("timestamp(object.at).getDayOfMonth()", "28"),
            ("timestamp(object.at).getDayOfWeek()", "4"),
            ("timestamp(object.at).getDayOfYear()", "59"),
            ("timestamp(object.at).getHours()", "23"),
            ("timestamp(object.at).getMinutes()", "59"),
            ("timestamp(object.at).getSeconds()", "58"),
            ("timestamp(object.at).getMilliseconds()", "123"),
            ("timestamp(object.at).getDate('Europe/Berlin')", "1"),
            ("timestamp(object.at).getHours(object.zone)", "0"),
            ("timestamp(object.at).getHours('-02:30')", "21"),
            ("timestamp(object.at).getMinutes('-02:30')", "29"),
            ("timestamp(object.at).getHours('+05:45')", "5"),
            ("timestamp(object.at).getHours('02:00')", "1"),
            ("timestamp(object.at).getHours('UTC')", "23"),
            ("timestamp(object.at).getHours('Nowhere/Land')", "error: unknown time zone Nowhere/Land"),
            ("timestamp(object.at).getHours('99:00')", "2"),
            ("timestamp('2024-07-01T12:00:00Z').getHours('Europe/Berlin')", "14"),
        ],
        OBJECT,
    );
}

#[test]
fn time_is_computed_within_its_range() {
    check(
        &[
            ("timestamp(object.later) - timestamp('2024-03-01T00:00:00Z')", "duration(0s)"),
            ("timestamp(object.at) < timestamp(object.later)", "true"),
            ("timestamp(object.at) + duration('2s') > timestamp(object.later)", "true"),
            ("timestamp(0) - duration('1ns')", "timestamp(1969-12-31T23:59:59.999999999Z)"),
            ("duration('1h') + timestamp(0)", "timestamp(1970-01-01T01:00:00Z)"),
            ("timestamp('9999-12-31T23:59:59Z') + duration('1s')", "error: timestamp overflow"),
            ("timestamp('0001-01-01T00:00:00Z') - duration('1s')", "error: timestamp overflow"),
            (
                "timestamp('9999-12-31T23:59:59Z') - timestamp('0001-01-01T00:00:00Z')",
                "error: duration overflow",
            ),
            ("timestamp(253402300800)", "compile: spec.filter:1:1: timestamp overflow"),
            ("int(timestamp('1970-01-01T00:01:00Z'))", "60"),
            ("string(timestamp(0))", r#""1970-01-01T00:00:00Z""#),
            ("string(timestamp(object.at))", r#""2024-02-29T23:59:58.123456789Z""#),
            ("duration(object.for)", "duration(5400s)"),
            ("duration(object.for).getHours()", "1"),
            ("duration(object.for).getMinutes()", "90"),
            ("duration(object.for).getSeconds()", "5400"),
            ("duration('1.5s').getMilliseconds()", "1500"),
            ("string(duration('90m'))", r#""5400s""#),
            ("string(duration('-1.5s'))", r#""-1.5s""#),
            ("duration('0.3333333333333333333h')", "duration(1200s)"),
            ("duration('1.5h0.5m')", "duration(5430s)"),
            (
                "duration('1d')",
                "compile: spec.filter:1:1: not a duration: the unit must be one of ns, us, µs, ms, s, m, h",
            ),
            ("timestamp(0).getHours('00:90')", "1"),
            ("timestamp(0).getMinutes('-00:-90')", "30"),
            ("timestamp(0).getHours('-01:90')", "21"),
            ("timestamp(0).getDate('999:-9')", "11"),
            ("duration('1h') - duration('1m')", "duration(3540s)"),
            ("duration('1h') > duration('59m')", "true"),
            ("-duration('1h')", "duration(-3600s)"),
            ("duration('2562047h') + duration('2562047h')", "error: duration overflow"),
            (
                "timestamp(object.for)",
                "error: not a timestamp: it must be RFC 3339, such as 2006-01-02T15:04:05Z",
            ),
            (
                "timestamp('nope')",
                "compile: spec.filter:1:1: not a timestamp: it must be RFC 3339, such as 2006-01-02T15:04:05Z",
            ),
            (
                "duration('nope')",
                "compile: spec.filter:1:1: not a duration: it must be a sequence of numbers with units, such as 1h30m, 1.5s or 300ms",
            ),
            ("timestamp(object.at) == timestamp(timestamp(object.at))", "true"),
        ],
        OBJECT,
    );
}

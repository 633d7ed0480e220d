//! Numbers as text.
//!
//! In: a number. Out: its shortest text that reads back as the same number. Must never know: what the number means.

use std::fmt::Write;

use celemetry_engine::snapshot::Number;

/// What differs between the formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// `3`, `NaN`, `+Inf`: Prometheus text, and tables for people.
    Plain,
    /// `3.0` for the double: OpenMetrics tells integers and floats apart.
    OpenMetrics,
    /// `3.0`, `"NaN"`, `"Infinity"`: JSON has no numbers for these; the strings are protobuf's.
    Json,
}

/// Appends `number`: integers in digits, doubles with as few digits as read back to the same bits, with an exponent
/// below 1e-5 and from 1e16 on.
pub(super) fn write_number(number: Number, style: Style, out: &mut String) {
    let written = match number {
        Number::Integer(n) => write!(out, "{n}"),
        Number::Double(n) if !n.is_finite() => out.write_str(not_finite(n, style)),
        Number::Double(n) => write_finite(n, style, out),
    };
    written.expect("writing to a String cannot fail");
}

fn write_finite(n: f64, style: Style, out: &mut String) -> std::fmt::Result {
    let magnitude = n.abs();
    if magnitude != 0.0 && !(1e-5..1e16).contains(&magnitude) {
        write!(out, "{n:e}")
    } else if style == Style::Plain {
        write!(out, "{n}")
    } else {
        write!(out, "{n:?}")
    }
}

fn not_finite(n: f64, style: Style) -> &'static str {
    match (style, n.is_nan(), n > 0.0) {
        (Style::Json, true, _) => "\"NaN\"",
        (Style::Json, false, true) => "\"Infinity\"",
        (Style::Json, false, false) => "\"-Infinity\"",
        (Style::Plain | Style::OpenMetrics, true, _) => "NaN",
        (Style::Plain | Style::OpenMetrics, false, true) => "+Inf",
        (Style::Plain | Style::OpenMetrics, false, false) => "-Inf",
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(number: Number, style: Style) -> String {
        let mut out = String::new();
        write_number(number, style, &mut out);
        out
    }

    #[test]
    fn numbers_are_as_short_as_their_format_allows() {
        use Number::{Double, Integer};
        for (number, plain, open, json) in [
            (Integer(0), "0", "0", "0"),
            (Integer(i64::MIN), "-9223372036854775808", "-9223372036854775808", "-9223372036854775808"),
            (Double(3.0), "3", "3.0", "3.0"),
            (Double(-0.0), "-0", "-0.0", "-0.0"),
            (Double(0.1), "0.1", "0.1", "0.1"),
            (Double(1e15), "1000000000000000", "1000000000000000.0", "1000000000000000.0"),
            (Double(1e16), "1e16", "1e16", "1e16"),
            (Double(1e-5), "0.00001", "1e-5", "1e-5"),
            (Double(1.5e-6), "1.5e-6", "1.5e-6", "1.5e-6"),
            (Double(f64::MAX), "1.7976931348623157e308", "1.7976931348623157e308", "1.7976931348623157e308"),
            (Double(f64::NAN), "NaN", "NaN", "\"NaN\""),
            (Double(f64::INFINITY), "+Inf", "+Inf", "\"Infinity\""),
            (Double(f64::NEG_INFINITY), "-Inf", "-Inf", "\"-Infinity\""),
        ] {
            let styles = [Style::Plain, Style::OpenMetrics, Style::Json];
            assert_eq!(styles.map(|style| written(number, style)), [plain, open, json], "{number}");
        }
    }

    proptest! {
        #[test]
        fn doubles_read_back_to_the_same_bits(bits in any::<u64>()) {
            let number = f64::from_bits(bits);
            prop_assume!(number.is_finite());
            for style in [Style::Plain, Style::OpenMetrics, Style::Json] {
                let text = written(Number::Double(number), style);
                prop_assert_eq!(text.parse::<f64>().map(f64::to_bits), Ok(bits));
                prop_assert!(serde_json::from_str::<f64>(&text).is_ok() && text.len() < 26);
            }
        }
    }
}

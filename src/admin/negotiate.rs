//! What a client asked for in its `Accept` and `Accept-Encoding` headers.
//!
//! In: the lines of the headers. Out: a format, an encoding. Must never know: pages, connections.
//!
//! Rules: RFC 9110, sections 12.4.2, 12.5.1 and 12.5.3. A client that accepts neither format gets Prometheus text, as
//! from every exporter, rather than an error.

use crate::export::prometheus::Format;

/// How well one range of an `Accept` header fits a format: how specific it is, then its weight in thousandths.
type Fit = (u8, u16);

/// The format with the greatest weight; among equals the one that was named more exactly, then text.
pub(super) fn format(accept: &[&str]) -> Format {
    let weight = |format| {
        let ranges = accept.iter().flat_map(|line| split_quoted(line, ','));
        let (specific, weight) = ranges.filter_map(|range| fit(range, format)).max().unwrap_or((0, 0));
        (weight, specific)
    };
    let (open_metrics, text) = (weight(Format::OpenMetrics), weight(Format::Text));
    if open_metrics.0 > 0 && open_metrics > text { Format::OpenMetrics } else { Format::Text }
}

/// Whether gzip is welcome: named with a weight above zero, or covered by `*` and not named.
pub(super) fn gzip(accept_encoding: &[&str]) -> bool {
    let weight = |wanted: &[&str]| {
        let codings = accept_encoding.iter().flat_map(|line| line.split(','));
        let mut weights = codings.filter_map(|coding| {
            let (name, parameters) = coding.split_once(';').unwrap_or((coding, ""));
            let named = wanted.iter().any(|known| known.eq_ignore_ascii_case(name.trim()));
            named.then(|| parameters.split(';').find_map(quality).unwrap_or(1000))
        });
        weights.next()
    };
    weight(&["gzip", "x-gzip"]).or_else(|| weight(&["*"])).is_some_and(|weight| weight > 0)
}

fn fit(range: &str, format: Format) -> Option<Fit> {
    let (main, sub, version) = match format {
        Format::Text => ("text", "plain", "0.0.4"),
        Format::OpenMetrics => ("application", "openmetrics-text", "1.0.0"),
    };
    let mut parts = split_quoted(range, ';').map(str::trim);
    let (range_main, range_sub) = parts.next()?.split_once('/')?;
    let mut specific = match (range_main, range_sub) {
        ("*", "*") => 1,
        (m, "*") if m.eq_ignore_ascii_case(main) => 2,
        (m, s) if m.eq_ignore_ascii_case(main) && s.eq_ignore_ascii_case(sub) => 3,
        _ => return None,
    };
    let mut weight = 1000;
    for parameter in parts {
        if let Some(q) = quality(parameter) {
            weight = q;
            // Whatever follows the weight is not about the media type.
            break;
        }
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        if name.trim().eq_ignore_ascii_case("version") {
            specific += 1;
            if value.trim().trim_matches('"') != version {
                return None;
            }
        }
    }
    Some((specific, weight))
}

/// The weight in thousandths, if `parameter` is one; a malformed one is 0.
fn quality(parameter: &str) -> Option<u16> {
    let (name, value) = parameter.split_once('=')?;
    if !name.trim().eq_ignore_ascii_case("q") {
        return None;
    }
    let value = value.trim();
    let (whole, fraction) = value.split_once('.').unwrap_or((value, ""));
    let digits = fraction.len() <= 3 && fraction.bytes().all(|byte| byte.is_ascii_digit());
    let thousandths = format!("{fraction:0<3}").parse().unwrap_or(0);
    match whole {
        "0" if digits => Some(thousandths),
        "1" if digits && thousandths == 0 => Some(1000),
        _ => Some(0),
    }
}

/// The parts of `text` between separators that stand outside quotes.
fn split_quoted(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let (mut quoted, mut escaped) = (false, false);
    text.split(move |c: char| {
        if escaped {
            escaped = false;
        } else if quoted && c == '\\' {
            escaped = true;
        } else if c == '"' {
            quoted = !quoted;
        } else if !quoted {
            return c == separator;
        }
        false
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_format(accept: &str, expected: Format) {
        assert_eq!(format(&[accept]), expected, "{accept}");
    }

    #[test]
    fn the_heaviest_format_is_chosen_then_the_one_named_most_exactly_then_text() {
        use Format::{OpenMetrics, Text};
        assert_eq!(format(&[]), Text);
        check_format("", Text);
        check_format("*/*", Text);
        check_format("text/*", Text);
        check_format("text/html, image/png", Text);
        check_format("application/json", Text);
        check_format("application/*", OpenMetrics);
        check_format("application/openmetrics-text", OpenMetrics);
        check_format("APPLICATION/OpenMetrics-Text; VERSION=1.0.0", OpenMetrics);
        check_format("application/openmetrics-text; version=\"1.0.0\"; charset=utf-8", OpenMetrics);
        check_format("application/openmetrics-text; version=0.0.1", Text);
        check_format(
            "application/openmetrics-text; version=0.0.1, application/openmetrics-text;q=0.1",
            OpenMetrics,
        );
        check_format("application/openmetrics-text;q=0", Text);
        check_format("application/openmetrics-text;q=0, */*", Text);
        check_format("application/openmetrics-text;q=0.5,text/plain;q=0.6", Text);
        check_format("application/openmetrics-text;q=0.6,text/plain;q=0.5", OpenMetrics);
        check_format("application/openmetrics-text;q=0.123,text/plain;q=0.12", OpenMetrics);
        check_format("application/openmetrics-text,text/plain", Text);
        check_format("application/openmetrics-text,*/*", OpenMetrics);
        check_format("text/plain;q=0.5, */*;q=0.1", Text);
        check_format("text/plain;version=0.0.4;q=0.2,*/*;q=0.1", Text);
        check_format("text/plain;q=0, */*", OpenMetrics);
        check_format("application/openmetrics-text;q=1.5", Text);
        check_format("application/openmetrics-text;q=x", Text);
        check_format("application/openmetrics-text;a=\"b,c;q=0\"", OpenMetrics);
        check_format(";;,,/,q=,\"", Text);
    }

    #[test]
    fn prometheus_gets_openmetrics() {
        // What Prometheus 3 sends; the protobuf format and OpenMetrics with UTF-8 names are not served as such.
        check_format(
            "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,\
             application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,\
             text/plain;version=0.0.4;q=0.2,*/*;q=0.1",
            Format::OpenMetrics,
        );
    }

    #[test]
    fn several_header_lines_are_one_list() {
        assert_eq!(format(&["text/plain;q=0.5", "application/openmetrics-text"]), Format::OpenMetrics);
        assert!(gzip(&["br", "gzip"]));
    }

    #[test]
    fn gzip_is_used_only_where_it_is_welcome() {
        for (accepted, expected) in [
            ("", false),
            ("identity", false),
            ("gzip", true),
            ("GZIP", true),
            ("x-gzip", true),
            ("deflate, gzip;q=0.5", true),
            ("gzip;q=0", false),
            ("gzip;q=0.000", false),
            ("gzip; q=0.001", true),
            ("*", true),
            ("*;q=0", false),
            ("*, gzip;q=0", false),
            ("gzipped", false),
        ] {
            assert_eq!(gzip(&[accepted]), expected, "{accepted}");
        }
    }
}

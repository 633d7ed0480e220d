//! OpenTelemetry names and units → Prometheus names, by OpenTelemetry's official translation.
//!
//! In: a metric's name and UCUM unit, an attribute's name. Out: names of `[a-zA-Z_:][a-zA-Z0-9_:]*`. Must never know:
//! series, profiles, formats.
//!
//! Rules: OpenTelemetry specification, "Prometheus and OpenMetrics Compatibility", "OTLP Metric points to
//! Prometheus". Where it leaves room, the Go module `github.com/prometheus/otlptranslator` decides, against which the
//! tests compare. Two deliberate additions: timestamps end in `_timestamp_seconds`, and no label begins with `__`,
//! which Prometheus keeps for itself.

use crate::export::profile::PointKind;

/// The name of a metric family, and how much of it is the unit.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FamilyName {
    /// The whole name, suffixes included.
    pub name: String,
    /// The unit as OpenMetrics names it; empty if there is none or the name does not end with it.
    pub unit: String,
}

/// UCUM units that have a name of their own in Prometheus; any other is used as it is.
const UNITS: &[(&str, &str)] = &[
    ("d", "days"),
    ("h", "hours"),
    ("min", "minutes"),
    ("s", "seconds"),
    ("ms", "milliseconds"),
    ("us", "microseconds"),
    ("ns", "nanoseconds"),
    ("By", "bytes"),
    ("KiBy", "kibibytes"),
    ("MiBy", "mebibytes"),
    ("GiBy", "gibibytes"),
    ("TiBy", "tibibytes"),
    ("KBy", "kilobytes"),
    ("MBy", "megabytes"),
    ("GBy", "gigabytes"),
    ("TBy", "terabytes"),
    ("m", "meters"),
    ("V", "volts"),
    ("A", "amperes"),
    ("J", "joules"),
    ("W", "watts"),
    ("g", "grams"),
    ("Cel", "celsius"),
    ("Hz", "hertz"),
    ("1", ""),
    ("%", "percent"),
];

/// The same for what stands after the `/`.
const UNITS_PER: &[(&str, &str)] = &[
    ("s", "second"),
    ("m", "minute"),
    ("h", "hour"),
    ("d", "day"),
    ("w", "week"),
    ("mo", "month"),
    ("y", "year"),
];

/// The name of a metric in Prometheus; `None` if nothing of it is left, which is so only where neither name nor unit
/// holds an ASCII letter, digit or colon.
///
/// Sums get no `_total`: ours are not monotonic, so Prometheus sees gauges. `1` is `_ratio` for gauges only.
pub fn family_name(name: &str, unit: &str, kind: PointKind) -> Option<FamilyName> {
    let mut tokens: Vec<&str> = name.split(|c| !is_metric_char(c)).filter(|t| !t.is_empty()).collect();
    let (main, per) = match kind {
        PointKind::Timestamp => (String::from("seconds"), String::new()),
        PointKind::Sum | PointKind::Gauge => unit_words(unit),
    };
    match kind {
        PointKind::Timestamp => push_timestamp(&mut tokens),
        PointKind::Sum | PointKind::Gauge => push_unit(&mut tokens, &main, &per),
    }
    let ratio = unit == "1" && kind == PointKind::Gauge;
    if ratio {
        tokens.retain(|token| *token != "ratio");
        tokens.push("ratio");
    }
    let mut name = tokens.join("_");
    if name.starts_with(|c: char| c.is_ascii_digit()) {
        name.insert(0, '_');
    }
    let unit = if ratio { String::from("ratio") } else { joined_unit(&main, &per) };
    let unit = if ends_with_unit(&name, &unit) { unit } else { String::new() };
    (!name.is_empty()).then_some(FamilyName { name, unit })
}

/// The name of an attribute as a label: every run of characters other than ASCII letters and digits is one `_`.
///
/// A name that begins with a digit gets the prefix `key_`; one of which nothing is left is `_`.
pub fn label_name(attribute: &str) -> String {
    let mut label = String::with_capacity(attribute.len());
    for c in attribute.chars() {
        if c.is_ascii_alphanumeric() {
            label.push(c);
        } else if !label.ends_with('_') {
            label.push('_');
        }
    }
    if label.is_empty() {
        label.push('_');
    } else if label.starts_with(|c: char| c.is_ascii_digit()) {
        label.insert_str(0, "key_");
    }
    label
}

fn is_metric_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == ':'
}

/// The words for both sides of a unit's `/`, each possibly empty; the second begins with `per_`.
/// Annotations such as `{pod}` say what is counted, not in what unit, and are left out.
fn unit_words(unit: &str) -> (String, String) {
    let (main, per) = unit.split_once('/').unwrap_or((unit, ""));
    let main = unit_word(main, UNITS);
    let per = unit_word(per, UNITS_PER);
    let per = if per.is_empty() { per } else { only_metric_chars(&format!("per_{per}")) };
    let per = if per == "per_" { String::new() } else { String::from(per.trim_end_matches('_')) };
    (only_metric_chars(&main), per)
}

fn unit_word(unit: &str, table: &[(&str, &str)]) -> String {
    let unit = unit.trim();
    if unit.contains(['{', '}']) {
        return String::new();
    }
    let known = table.iter().find(|(ucum, _)| *ucum == unit);
    String::from(known.map_or(unit, |(_, word)| word))
}

/// Every run of other characters as one `_`, none in front.
fn only_metric_chars(text: &str) -> String {
    let mut cleaned = String::with_capacity(text.len());
    for c in text.chars() {
        if is_metric_char(c) {
            cleaned.push(c);
        } else if !cleaned.is_empty() && !cleaned.ends_with('_') {
            cleaned.push('_');
        }
    }
    cleaned
}

/// Appends the words that the name does not hold yet.
fn push_unit<'t>(tokens: &mut Vec<&'t str>, main: &'t str, per: &'t str) {
    let add_main = !main.is_empty() && !tokens.contains(&main);
    let add_per = !per.is_empty() && !tokens.contains(&per);
    if add_main {
        tokens.push(if add_per { main.trim_end_matches('_') } else { main });
    }
    if add_per {
        tokens.push(per);
    }
}

fn push_timestamp(tokens: &mut Vec<&str>) {
    for suffix in ["seconds", "timestamp"] {
        if tokens.last() == Some(&suffix) {
            tokens.pop();
        }
    }
    tokens.extend(["timestamp", "seconds"]);
}

fn joined_unit(main: &str, per: &str) -> String {
    let joined = [main, per].iter().filter(|word| !word.is_empty()).copied().collect::<Vec<_>>().join("_");
    String::from(joined.trim_matches('_'))
}

/// OpenMetrics 1.0.0, "Unit": the name must end with the unit after an underscore.
fn ends_with_unit(name: &str, unit: &str) -> bool {
    !unit.is_empty() && name.strip_suffix(unit).is_some_and(|rest| rest.ends_with('_') && rest != "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, unit: &str, kind: PointKind, expected: &str, expected_unit: &str) {
        let found =
            family_name(name, unit, kind).map(|family| (family.name, family.unit)).unwrap_or_default();
        assert_eq!(found, (String::from(expected), String::from(expected_unit)), "{name:?} in {unit:?}");
    }

    #[test]
    fn units_become_suffixes() {
        use PointKind::{Gauge, Sum};
        check("k8s.pod.count", "{pod}", Sum, "k8s_pod_count", "");
        check("k8s.pod.count", "", Sum, "k8s_pod_count", "");
        check("k8s.pod.age", "s", Gauge, "k8s_pod_age_seconds", "seconds");
        check("k8s.pod.age", "ms", Gauge, "k8s_pod_age_milliseconds", "milliseconds");
        check("k8s.volume.size", "By", Sum, "k8s_volume_size_bytes", "bytes");
        check("k8s.volume.size", "MiBy", Sum, "k8s_volume_size_mebibytes", "mebibytes");
        check("k8s.node.load", "1", Gauge, "k8s_node_load_ratio", "ratio");
        check("k8s.node.load", "1", Sum, "k8s_node_load", "");
        check("disk.io", "By/s", Gauge, "disk_io_bytes_per_second", "bytes_per_second");
        check("restarts", "{restart}/h", Gauge, "restarts_per_hour", "per_hour");
        check("wheels", "furlong", Gauge, "wheels_furlong", "furlong");
        check("cpu", "{cpu}", Sum, "cpu", "");
        check("use", "%", Gauge, "use_percent", "percent");
    }

    #[test]
    fn a_unit_that_the_name_holds_is_not_repeated() {
        use PointKind::{Gauge, Sum};
        check("age.seconds", "s", Gauge, "age_seconds", "seconds");
        check("seconds.behind", "s", Gauge, "seconds_behind", "");
        check("load_ratio_max", "1", Gauge, "load_max_ratio", "ratio");
        check("seconds", "s", Sum, "seconds", "");
    }

    #[test]
    fn timestamps_end_in_timestamp_seconds() {
        use PointKind::Timestamp;
        check("k8s.pod.created", "s", Timestamp, "k8s_pod_created_timestamp_seconds", "seconds");
        check("k8s.pod.start_timestamp", "s", Timestamp, "k8s_pod_start_timestamp_seconds", "seconds");
        check("k8s.pod.start.timestamp.seconds", "", Timestamp, "k8s_pod_start_timestamp_seconds", "seconds");
    }

    #[test]
    fn what_prometheus_cannot_hold_becomes_one_underscore() {
        use PointKind::Sum;
        check("..a--b//c..", "", Sum, "a_b_c", "");
        check("9lives", "", Sum, "_9lives", "");
        check("a:b", "", Sum, "a:b", "");
        check("größe", "", Sum, "gr_e", "");
        check("é", "", Sum, "", "");
        check("", "", Sum, "", "");
        check("___", "", Sum, "", "");
    }

    #[test]
    fn labels_are_cleaned_and_none_is_prometheus_own() {
        for (attribute, expected) in [
            ("phase", "phase"),
            ("k8s.node.name", "k8s_node_name"),
            ("a..b", "a_b"),
            ("1a", "key_1a"),
            ("_a", "_a"),
            ("__name__", "_name_"),
            ("é", "_"),
            ("", "_"),
            ("a:b", "a_b"),
        ] {
            assert_eq!(label_name(attribute), expected, "{attribute}");
        }
    }
}

//! Units as UCUM has them, as far as metrics of a cluster need it.
//!
//! In: units. Out: what was probably meant by one that is none. Must never know: Metrics.

/// Units that people write, and what UCUM calls them.
const WORDS: &[(&str, &str)] = &[
    ("byte", "By"),
    ("bytes", "By"),
    ("kilobytes", "kBy"),
    ("kb", "kBy"),
    ("kib", "KiBy"),
    ("ki", "KiBy"),
    ("mb", "MBy"),
    ("mib", "MiBy"),
    ("mi", "MiBy"),
    ("gb", "GBy"),
    ("gib", "GiBy"),
    ("gi", "GiBy"),
    ("second", "s"),
    ("seconds", "s"),
    ("sec", "s"),
    ("milliseconds", "ms"),
    ("millis", "ms"),
    ("minute", "min"),
    ("minutes", "min"),
    ("hour", "h"),
    ("hours", "h"),
    ("day", "d"),
    ("days", "d"),
    ("percent", "%"),
    ("ratio", "1"),
    ("core", "{cpu}"),
    ("cores", "{cpu}"),
    ("cpus", "{cpu}"),
    ("millicores", "m{cpu}"),
    ("pods", "{pod}"),
    ("nodes", "{node}"),
    ("restarts", "{restart}"),
    ("replicas", "{replica}"),
    ("count", "1"),
];

/// The unit of numbers that stand at fields whose path holds a word.
const LIKELY: &[(&str, &str)] = &[
    ("memory", "By"),
    ("storage", "By"),
    ("bytes", "By"),
    ("cpu", "{cpu}"),
    ("restart", "{restart}"),
    ("replica", "{replica}"),
    ("seconds", "s"),
    ("pods", "{pod}"),
];

/// Units that take no prefix.
const ATOMS: &[&str] =
    &["%", "min", "h", "d", "wk", "mo", "a", "deg", "Cel", "[ppth]", "[ppm]", "[ppb]", "10*", "10^", "U"];

/// Units that take one.
const METRIC: &[&str] = &[
    "By", "bit", "s", "m", "g", "t", "L", "l", "Hz", "V", "A", "W", "J", "K", "C", "Pa", "N", "eV", "Bd",
    "B", "bar", "mol", "cd", "lm", "lx", "rad", "Ohm", "F", "H", "T",
];

const PREFIXES: &[&str] = &[
    "Ki", "Mi", "Gi", "Ti", "Pi", "Ei", "da", "k", "M", "G", "T", "P", "E", "h", "d", "c", "m", "u", "n",
    "p", "f",
];

/// What was probably meant by a unit that is none of UCUM; `None` for one that is.
pub(super) fn ucum(unit: &str) -> Option<String> {
    let lower = unit.to_lowercase();
    if let Some((_, ucum)) = WORDS.iter().find(|(known, ucum)| *known == lower && *ucum != unit) {
        return Some((*ucum).to_owned());
    }
    // Annotations hold anything, and so stand aside while the rest is read.
    let mut rest = String::new();
    let mut is_annotation = false;
    for character in unit.chars() {
        match character {
            '{' if !is_annotation => is_annotation = true,
            '}' if is_annotation => is_annotation = false,
            _ if is_annotation => {}
            other => rest.push(other),
        }
    }
    let is_alone = rest.is_empty() && !unit.is_empty();
    let is_unit = !is_annotation && (is_alone || rest.split(['.', '/']).all(is_term));
    (!is_unit).then(|| annotated(&lower))
}

/// The same with braces around what is no unit: `requests/s` → `{requests}/s`.
fn annotated(unit: &str) -> String {
    let plain = unit.replace(['{', '}'], "");
    let terms =
        plain.split('/').map(|term| if is_term(term) { term.to_owned() } else { format!("{{{term}}}") });
    terms.collect::<Vec<_>>().join("/")
}

/// The unit that numbers from these fields probably have.
pub(super) fn likely(fields: &[String]) -> Option<&'static str> {
    let lower: Vec<String> = fields.iter().map(|field| field.to_lowercase()).collect();
    let is_named = |word: &str| lower.iter().any(|field| field.contains(word));
    LIKELY.iter().find(|(word, _)| is_named(word)).map(|(_, unit)| *unit)
}

/// Nothing, which an annotation left or the place before a `/` has, a number, or a unit and perhaps its exponent.
fn is_term(term: &str) -> bool {
    if term.is_empty() || term.chars().all(|c| c.is_ascii_digit()) {
        return true;
    }
    let unit = term.trim_end_matches(|c: char| c.is_ascii_digit()).trim_end_matches(['+', '-']);
    let is_metric = |unit: &str| METRIC.contains(&unit);
    let is_known = |unit: &str| ATOMS.contains(&unit) || is_metric(unit);
    // A prefix may stand before an annotation: `m{cpu}`.
    let is_prefixed = PREFIXES
        .iter()
        .any(|prefix| unit.strip_prefix(prefix).is_some_and(|unit| unit.is_empty() || is_metric(unit)));
    is_known(term) || is_known(unit) || is_prefixed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_unit_has_one_that_is() {
        for (unit, expected) in [
            ("bytes", Some("By")),
            ("Seconds", Some("s")),
            ("Mi", Some("MiBy")),
            ("pods", Some("{pod}")),
            ("widget", Some("{widget}")),
            ("{pod", Some("{pod}")),
            ("requests/s", Some("{requests}/s")),
            ("By", None),
            ("MiBy", None),
            ("s", None),
            ("ms", None),
            ("1", None),
            ("%", None),
            ("{pod}", None),
            ("m{cpu}", None),
            ("{request}/s", None),
            ("By/s", None),
            ("/min", None),
            ("m2", None),
            ("s-1", None),
            ("10*6", None),
        ] {
            assert_eq!(ucum(unit).as_deref(), expected, "{unit}");
        }
        assert_eq!(likely(&["spec.containers[*].resources.requests.memory".to_owned()]), Some("By"));
        assert_eq!(likely(&["spec.x".to_owned()]), None);
    }
}

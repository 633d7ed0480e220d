//! Names and units as conventions have them.
//!
//! In: names and units. Out: what is unusual about them, and what was probably meant. Must never know: Metrics.

/// Units that people write, and what UCUM calls them.
const UNITS: &[(&str, &str)] = &[
    ("byte", "By"),
    ("bytes", "By"),
    ("kilobytes", "kBy"),
    ("kb", "kBy"),
    ("kib", "KiBy"),
    ("mb", "MBy"),
    ("mib", "MiBy"),
    ("gb", "GBy"),
    ("gib", "GiBy"),
    ("second", "s"),
    ("seconds", "s"),
    ("sec", "s"),
    ("milliseconds", "ms"),
    ("minutes", "min"),
    ("hours", "h"),
    ("days", "d"),
    ("percent", "%"),
    ("core", "{cpu}"),
    ("cores", "{cpu}"),
    ("cpu", "{cpu}"),
    ("pod", "{pod}"),
    ("pods", "{pod}"),
    ("count", "1"),
];

/// The unit of numbers that stand at fields whose path holds a word.
const LIKELY_UNITS: &[(&str, &str)] = &[
    ("memory", "By"),
    ("storage", "By"),
    ("bytes", "By"),
    ("cpu", "{cpu}"),
    ("restart", "{restart}"),
    ("replica", "{replica}"),
    ("seconds", "s"),
    ("pods", "{pod}"),
];

/// What UCUM calls a unit that people write otherwise.
pub(super) fn ucum(unit: &str) -> Option<&'static str> {
    let lower = unit.to_lowercase();
    UNITS.iter().find(|(known, ucum)| *known == lower && *ucum != unit).map(|(_, ucum)| *ucum)
}

/// The unit that numbers from these fields probably have.
pub(super) fn likely_unit(fields: &[String]) -> Option<&'static str> {
    let lower: Vec<String> = fields.iter().map(|field| field.to_lowercase()).collect();
    let is_named = |word: &str| lower.iter().any(|field| field.contains(word));
    LIKELY_UNITS.iter().find(|(word, _)| is_named(word)).map(|(_, unit)| *unit)
}

/// What is unusual about the name of a metric or an attribute, and the name that is not.
pub(super) fn unusual(name: &str) -> Option<(&'static str, String)> {
    let is_word = |word: &str| {
        word.starts_with(|c: char| c.is_ascii_lowercase())
            && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
            && !word.ends_with('_')
    };
    if !name.split('.').all(is_word) {
        return Some((
            "is not made of lower-case words, joined by '_' and grouped by '.'",
            conventional(name),
        ));
    }
    let stem = name.strip_suffix("_total").or_else(|| name.strip_suffix(".total"))?;
    Some(("ends in 'total', which Prometheus keeps for counters that never fall", stem.to_owned()))
}

/// `podsByPhase-Count` → `pods_by_phase_count`
fn conventional(name: &str) -> String {
    let mut words: Vec<String> = vec![];
    for group in name.split('.') {
        let mut word = String::new();
        let mut previous = '_';
        for character in group.chars() {
            if character.is_ascii_uppercase() && (previous.is_ascii_lowercase() || previous.is_ascii_digit())
            {
                word.push('_');
            }
            let plain = character.is_ascii_alphanumeric();
            let lower = if plain { character.to_ascii_lowercase() } else { '_' };
            if lower != '_' || !word.ends_with('_') {
                word.push(lower);
            }
            previous = character;
        }
        let word = word.trim_matches('_').to_owned();
        if !word.is_empty() {
            words.push(word);
        }
    }
    words.join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unusual_names_have_a_usual_one() {
        let meant = |name: &str| unusual(name).map(|(_, meant)| meant);
        for (name, expected) in [
            ("k8s.pod.count", None),
            ("phase", None),
            ("k8s.pod.not_ready2", None),
            ("podCount", Some("pod_count")),
            ("pods-by-phase", Some("pods_by_phase")),
            ("K8s.HTTPRequests", Some("k8s.httprequests")),
            ("pods/total", Some("pods_total")),
            ("a..b", Some("a.b")),
            ("_a_", Some("a")),
            ("restarts_total", Some("restarts")),
        ] {
            assert_eq!(meant(name).as_deref(), expected, "{name}");
        }
    }

    #[test]
    fn units_are_ucum_s() {
        for (unit, expected) in
            [("bytes", Some("By")), ("By", None), ("Seconds", Some("s")), ("{pod}", None), ("odd", None)]
        {
            assert_eq!(ucum(unit), expected, "{unit}");
        }
        assert_eq!(likely_unit(&["spec.containers[*].resources.requests.memory".to_owned()]), Some("By"));
        assert_eq!(likely_unit(&["spec.x".to_owned()]), None);
    }
}

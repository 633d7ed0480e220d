//! Names as conventions have them.
//!
//! In: names. Out: what is unusual about them, and what was probably meant. Must never know: Metrics.

/// Words for units at the end of a name, which say what `spec.unit` should.
const UNITS: &[&str] = &["bytes", "seconds", "milliseconds", "percent", "ratio"];

/// Names of labels that mean something to Prometheus.
const RESERVED: &[&str] = &["instance", "job", "le", "quantile"];

/// What is unusual about the name of a metric or an attribute, and the name that is not.
pub(super) fn unusual(name: &str, is_metric: bool) -> Option<(&'static str, String)> {
    let is_word = |word: &str| {
        word.starts_with(|c: char| c.is_ascii_lowercase())
            && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
            && !word.ends_with('_')
    };
    if !name.split('.').all(is_word) {
        let meant = conventional(name);
        // What is meant should be unusual in no other way.
        let better = ending(&meant, is_metric).map(|(_, stem)| stem).filter(|stem| !stem.is_empty());
        let what = "is not made of lower-case words, joined by '_' and grouped by '.'";
        let meant = better.unwrap_or(meant);
        // Some names nothing better can be made of.
        return Some((what, if meant == name { String::new() } else { meant }));
    }
    ending(name, is_metric)
}

/// What is unusual about how a name of lower-case words ends.
fn ending(name: &str, is_metric: bool) -> Option<(&'static str, String)> {
    if !is_metric {
        let is_reserved = RESERVED.contains(&name);
        return is_reserved
            .then_some(("is a label that Prometheus gives a meaning of its own", String::new()));
    }
    let before = |word: &str| {
        let stem = name.strip_suffix(word)?;
        stem.strip_suffix('_').or_else(|| stem.strip_suffix('.')).map(str::to_owned)
    };
    if let Some(stem) = before("total") {
        return Some(("ends in 'total', which Prometheus keeps for counters that never fall", stem));
    }
    let stem = UNITS.iter().find_map(|unit| before(unit))?;
    Some(("ends in a unit, which spec.unit says, and which Prometheus' names then get by themselves", stem))
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
        let meant = |name: &str| unusual(name, true).map(|(_, meant)| meant);
        for (name, expected) in [
            ("k8s.pod.count", None),
            ("phase", None),
            ("k8s.pod.not_ready2", None),
            ("podCount", Some("pod_count")),
            ("pods-by-phase", Some("pods_by_phase")),
            ("K8s.HTTPRequests", Some("k8s.httprequests")),
            ("pods/total", Some("pods")),
            ("a..b", Some("a.b")),
            ("_a_", Some("a")),
            ("restarts_total", Some("restarts")),
            ("k8s.pod.memory_bytes", Some("k8s.pod.memory")),
            ("k8s.pod.age.seconds", Some("k8s.pod.age")),
            ("total", None),
            ("shopMemory_bytes", Some("shop_memory")),
            ("pods-", Some("pods")),
            ("1st", Some("")),
        ] {
            assert_eq!(meant(name).as_deref(), expected, "{name}");
        }
        assert!(unusual("le", false).is_some() && unusual("le", true).is_none());
        assert!(unusual("memory_bytes", false).is_none());
    }
}

//! The steps of a JSONPath as its author wrote them.
//!
//! In: a path in either dialect that compiles. Out: its text cut into steps. Must never know: objects.

use crate::definition::{Formula, Language};

/// One step, or several names in a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Segment {
    /// The text of the step: `.spec.containers`, `[?@.name == 'web']`.
    pub(super) text: String,
    /// The path up to and including it.
    pub(super) path: String,
}

/// The steps in order; nothing of a path that is made of names alone.
pub(super) fn of(formula: &Formula) -> Vec<Segment> {
    let text = formula.text.trim();
    let is_block = formula.language == Language::Kubectl && text.starts_with('{');
    let inner = if is_block { text.trim_start_matches('{').trim_end_matches('}').trim() } else { text };
    let ends = ends(inner);
    let mut segments: Vec<Segment> = vec![];
    let (mut start, mut was_name) = (0, false);
    for end in ends {
        let text = inner[start..end].trim();
        let is_name = is_name(text);
        let path = &inner[..end];
        let path = if is_block { format!("{{{path}}}") } else { path.to_owned() };
        match segments.last_mut().filter(|_| is_name && was_name) {
            Some(last) => *last = Segment { text: format!("{}{text}", last.text), path },
            None => segments.push(Segment { text: text.to_owned(), path }),
        }
        (start, was_name) = (end, is_name);
    }
    if segments.len() > 1 || !was_name { segments } else { vec![] }
}

/// Where the steps end.
fn ends(path: &str) -> Vec<usize> {
    let mut ends = vec![];
    let mut depth = 0_usize;
    let mut quote = None;
    let mut previous = ' ';
    let mut characters = path.char_indices();
    while let Some((at, character)) = characters.next() {
        // Behind the anchor, and between the dots of `..` and what they reach, nothing ends.
        let is_open = at > 0 && !matches!(previous, '.' | '$' | '@');
        match (quote, character) {
            (_, '\\') => drop(characters.next()),
            (Some(open), character) if open == character => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(character),
            (None, '[' | '(') => {
                if depth == 0 && character == '[' && is_open {
                    ends.push(at);
                }
                depth += 1;
            }
            (None, ']' | ')') => depth = depth.saturating_sub(1),
            (None, '.') if depth == 0 && is_open => ends.push(at),
            _ => {}
        }
        previous = character;
    }
    ends.push(path.len());
    ends
}

/// Whether a step is the member of a name, which says as much as the path itself.
fn is_name(step: &str) -> bool {
    let step = step.trim_start_matches(['$', '@']);
    !step.starts_with("..") && !step.contains('*') && !step.starts_with('[')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(language: Language, text: &str, expected: &[(&str, &str)]) {
        let formula = Formula { language, ..Formula::cel(text, "") };
        let segments = of(&formula);
        let found: Vec<_> = segments.iter().map(|segment| (&*segment.text, &*segment.path)).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn a_path_is_cut_where_a_step_ends() {
        let rfc = |text: &str, expected: &[(&str, &str)]| check(Language::Rfc9535, text, expected);
        rfc("$.status.phase", &[]);
        rfc("$", &[]);
        rfc(
            "$.spec.containers[?@.name == 'a.b[']..image",
            &[
                ("$.spec.containers", "$.spec.containers"),
                ("[?@.name == 'a.b[']", "$.spec.containers[?@.name == 'a.b[']"),
                ("..image", "$.spec.containers[?@.name == 'a.b[']..image"),
            ],
        );
        rfc("$['a'][0]", &[("$['a']", "$['a']"), ("[0]", "$['a'][0]")]);
        rfc("$..[0]", &[("$..[0]", "$..[0]")]);
        rfc("$.*", &[("$.*", "$.*")]);
    }

    #[test]
    fn blocks_of_kubectl_stay_blocks() {
        let kubectl = |text: &str, expected: &[(&str, &str)]| check(Language::Kubectl, text, expected);
        kubectl("metadata.labels.app\\.kubernetes\\.io/name", &[]);
        kubectl(
            "{.spec.containers[*].image}",
            &[
                (".spec.containers", "{.spec.containers}"),
                ("[*]", "{.spec.containers[*]}"),
                (".image", "{.spec.containers[*].image}"),
            ],
        );
        kubectl(
            "spec.containers[?(@.name==\"a\")].image",
            &[
                ("spec.containers", "spec.containers"),
                ("[?(@.name==\"a\")]", "spec.containers[?(@.name==\"a\")]"),
                (".image", "spec.containers[?(@.name==\"a\")].image"),
            ],
        );
    }
}

//! What of a path with a leading `$` kubectl reads differently.
//!
//! In: the text of a path. Out: the first part that both dialects accept and that may select something else, or nothing.
//! Must never know: rows, which of the readings is taken.

use super::super::patterns::Patterns;
use super::super::query::{End, KubectlStep, Range, Selector, Step};
use super::super::{kubectl, rfc9535};

/// A part of a path that RFC 9535 and kubectl read in different ways.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtherReading {
    /// The part, such as `[5]`.
    pub part: String,
    /// What kubectl makes of it, as a sentence goes on.
    pub kubectl: &'static str,
}

const ORDER: &str = "gives the matches in another order";
const INDEX: &str = "refuses an index that is out of range";
const SLICE: &str = "refuses a slice that is out of range";
const FILTER: &str = "skips what lacks the field and refuses to compare values of different types";
const MAP: &str = "refuses a map, of which '.*' gives the members";
const QUOTED: &str = "reads a path in the quotes";

/// Fields of Kubernetes that hold maps of names that nobody knows beforehand.
const MAPS: &[&str] = &[
    "allocatable",
    "annotations",
    "binaryData",
    "capacity",
    "data",
    "hard",
    "labels",
    "limits",
    "matchLabels",
    "nodeSelector",
    "requests",
    "stringData",
    "used",
];

/// Where RFC 9535 and kubectl read a path differently for some object; `None` where they never do, or where one of them
/// refuses the path. An element at the beginning of a list, and all elements of what is no well-known map, are taken to
/// be there.
pub fn other_reading(path: &str) -> Option<OtherReading> {
    let (steps, theirs) = (rfc9535::parse(path, &mut Patterns::default()).ok()?, kubectl::parse(path).ok()?);
    // A name of no letters, as before the `$`, stays where it is.
    let mut theirs = theirs.iter().filter(|step| !matches!(step, Step::Name(name) if name.text.is_empty()));
    let (mut last, mut is_plural) = ("", false);
    for step in &steps {
        let selectors = match step {
            Step::Name(name) => {
                match theirs.next() {
                    Some(Step::Name(other)) if other.text == name.text => last = &name.text,
                    _ => return Some(quoted(&name.text)),
                }
                continue;
            }
            Step::Children(selectors) => selectors,
            Step::Descendants(_) | Step::Kubectl(_) => return Some(reading("..", ORDER)),
        };
        let found = match (selectors.as_slice(), theirs.next()) {
            ([selector], other) => of_selector(selector, other, last),
            (several, Some(Step::Kubectl(KubectlStep::Union(alternatives)))) => {
                let pairs = several.iter().zip(alternatives);
                let mut found = pairs.filter_map(|(selector, steps)| of_alternative(selector, steps, last));
                found.next().or_else(|| is_plural.then(|| reading("[…,…]", ORDER)))
            }
            _ => Some(reading("[…,…]", QUOTED)),
        };
        if found.is_some() {
            return found;
        }
        is_plural |= !matches!(selectors.as_slice(), [Selector::Name(_) | Selector::Index(_)]);
        last = "";
    }
    None
}

fn of_alternative(selector: &Selector, steps: &[Step], last: &str) -> Option<OtherReading> {
    match steps {
        [step] => of_selector(selector, Some(step), last),
        _ => of_selector(selector, None, last),
    }
}

/// What differs of a selector behind the field `last`, which is empty where it stands behind another selector.
fn of_selector(selector: &Selector, other: Option<&Step>, last: &str) -> Option<OtherReading> {
    match (selector, other) {
        (Selector::Name(name), Some(Step::Name(other))) if name.text == other.text => None,
        (Selector::Name(name), _) => Some(quoted(&name.text)),
        (Selector::Wildcard, Some(Step::Kubectl(KubectlStep::Range(Range { end: End::Open, .. })))) => {
            MAPS.contains(&last).then(|| reading("[*]", MAP))
        }
        (Selector::Wildcard, _) => None,
        (Selector::Index(0), _) => None,
        (Selector::Index(index), _) => Some(reading(&format!("[{index}]"), INDEX)),
        (Selector::Slice(_), _) => Some(reading(":", SLICE)),
        (Selector::Filter(_), _) => Some(reading("[?", FILTER)),
    }
}

fn quoted(name: &str) -> OtherReading {
    reading(&format!("['{name:.64}']"), QUOTED)
}

fn reading(part: &str, kubectl: &'static str) -> OtherReading {
    OtherReading { part: part.to_owned(), kubectl }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, expected: Option<(&str, &'static str)>) {
        assert_eq!(other_reading(path), expected.map(|(part, kubectl)| reading(part, kubectl)), "{path}");
    }

    #[test]
    fn what_both_dialects_accept_and_read_differently_is_found() {
        for same in ["$", "$.a.b", "$['a']['b']", "$.a[0].b", "$.a[*].b[*].c", "$.a.*", "$['a','b']"] {
            check(same, None);
        }
        check("$.metadata.labels['app.kubernetes.io/name']", Some(("['app.kubernetes.io/name']", QUOTED)));
        check("$.a['b.c','d']", Some(("['b.c']", QUOTED)));
        check("$['a..b']['c:d']", Some(("['a..b']", QUOTED)));
        check("$.spec.containers[5].name", Some(("[5]", INDEX)));
        check("$.a[-1]", Some(("[-1]", INDEX)));
        check("$.a[0,1]", Some(("[1]", INDEX)));
        check("$.a[1:2]", Some((":", SLICE)));
        check("$.a[*]['name','image']", Some(("[…,…]", ORDER)));
        check("$.metadata.labels[*]", Some(("[*]", MAP)));
        check("$..a", Some(("..", ORDER)));
        check("$.a[?(@.b=='c')]", Some(("[?", FILTER)));
    }

    #[test]
    fn what_one_of_the_dialects_refuses_has_one_reading() {
        for path in ["$.a[?@.b==true].c", "$.a[?@.b]", "$[\"a\"]", "$.a[", "status.phase", ""] {
            check(path, None);
        }
    }
}

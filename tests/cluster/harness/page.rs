//! A `/metrics` page, read.
//!
//! In: Prometheus text. Out: its samples, in order.

use std::collections::{BTreeMap, BTreeSet};

/// One sample line.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Sample {
    pub(crate) name: String,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) value: f64,
}

/// All samples of a page.
#[derive(Clone, Debug, PartialEq, Default)]
pub(crate) struct Page(pub(crate) Vec<Sample>);

// === impl Page ===

impl Page {
    /// # Panics
    ///
    /// At a line that is neither a comment nor a sample, and at a series that was there before: whoever scrapes refuses
    /// the whole page then.
    pub(crate) fn parse(text: &str) -> Self {
        let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        let page =
            Self(lines.map(|line| sample(line).unwrap_or_else(|| panic!("no sample: {line}"))).collect());
        let mut known = BTreeSet::new();
        for Sample { name, labels, .. } in &page.0 {
            assert!(known.insert((name, labels)), "twice: {name}{labels:?}\n{text}");
        }
        page
    }

    /// The samples of that name with all of these labels, whatever other labels they have.
    pub(crate) fn find(&self, name: &str, labels: &[(&str, &str)]) -> Vec<&Sample> {
        let has = |sample: &&Sample| {
            labels.iter().all(|(label, value)| sample.labels.get(*label).is_some_and(|own| own == value))
        };
        self.0.iter().filter(|sample| sample.name == name).filter(has).collect()
    }

    /// The sum over [`find`](Self::find): 0 if there are none.
    pub(crate) fn sum(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        // From positive zero, which an empty sum of floats is not.
        self.find(name, labels).iter().fold(0.0, |sum, sample| sum + sample.value)
    }

    /// The one value of exactly this series, if it is there.
    pub(crate) fn value(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        self.family(name).get(&text(labels.iter().copied())).copied()
    }

    /// Everything of one name: `phase="Running"` → 7. Labels are sorted and joined by commas.
    pub(crate) fn family(&self, name: &str) -> BTreeMap<String, f64> {
        let of_name = self.0.iter().filter(|sample| sample.name == name);
        let pairs = |sample: &Sample| text(sample.labels.iter().map(|(label, value)| (&**label, &**value)));
        of_name.map(|sample| (pairs(sample), sample.value)).collect()
    }
}

/// Labels as [`Page::family`] writes them.
fn text<'a>(labels: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let sorted: BTreeMap<&str, &str> = labels.collect();
    sorted.iter().map(|(label, value)| format!("{label}={value:?}")).collect::<Vec<_>>().join(",")
}

fn sample(line: &str) -> Option<Sample> {
    let name_ends = line.find(['{', ' '])?;
    let (name, mut rest) = line.split_at(name_ends);
    let mut labels = BTreeMap::new();
    if let Some(inside) = rest.strip_prefix('{') {
        rest = inside;
        while !rest.starts_with('}') {
            let (label, after) = rest.split_once("=\"")?;
            let (value, after) = quoted(after)?;
            labels.insert(label.to_owned(), value);
            rest = after.strip_prefix(',').unwrap_or(after);
        }
        rest = &rest[1..];
    }
    let value = rest.split_whitespace().next()?.parse().ok()?;
    Some(Sample { name: name.to_owned(), labels, value })
}

/// A label's value up to its closing quote, and what follows.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((value, &text[at + 1..])),
            '\\' => value.push(match characters.next()?.1 {
                'n' => '\n',
                escaped => escaped,
            }),
            plain => value.push(plain),
        }
    }
    None
}

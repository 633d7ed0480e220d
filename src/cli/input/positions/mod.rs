//! Where the parts of a document stand in its file.
//!
//! In: the text of a file, a place within one of its documents such as `spec.projections[2].expression`, and perhaps a
//! line and column of the text there. Out: a line and column of the file. Must never know: what a document means.

mod scalar;
mod shape;

use serde_saphyr::Location;

use self::scalar::Scalar;
use self::shape::{Located, Shape};
use super::{Lines, Place, on_own_stack, sound_part, yaml_options};

/// The positions of all documents of one file.
#[derive(Debug, Default)]
pub struct Positions {
    documents: Vec<Outline>,
}

/// A line and column of a file, both from 1, the column in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// From 1.
    pub line: u64,
    /// From 1.
    pub column: u64,
}

/// One document and its text.
#[derive(Debug)]
struct Outline {
    root: Located,
    /// What its positions are counted in.
    text: Box<str>,
    /// Lines of the file before that text.
    before: u64,
}

/// What a place names.
struct Found<'o> {
    value: &'o Located,
    /// The name of the member that it is.
    key: Option<&'o Located>,
    /// Whether it is all that was asked for, rather than the nearest part around it.
    exact: bool,
}

/// One step of a place.
#[derive(Debug, PartialEq, Eq)]
enum Step<'p> {
    Member(&'p str),
    Item(usize),
}

// === impl Positions ===

impl Positions {
    /// The positions in a text that [`parse_documents`](super::parse_documents) reads; of one that it does not read, or
    /// that is JSON beyond YAML, nothing is known.
    pub fn of(text: &str) -> Positions {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let documents = if text.trim_start().starts_with(['{', '[']) {
            json(text).or_else(|| yaml(text))
        } else {
            yaml(text)
        };
        let documents = documents.or_else(|| yaml(sound_part(text)));
        Positions { documents: documents.unwrap_or_default() }
    }

    /// Where the name of the member at `path` stands, as [`find`](Self::find).
    pub fn find_name(&self, place: &Place, path: &str) -> Position {
        let named = self.documents.get(place.document).and_then(|outline| {
            let found = outline.find(place.item, path);
            let key = found.key.filter(|_| found.exact)?;
            outline.located(key.defined.line(), key.defined.column())
        });
        named.unwrap_or_else(|| self.find(place, path, (0, 0)))
    }

    /// Where `path` stands in the document at `place`; if `within` is not (0, 0), where that line and column of the text
    /// there does. What is not there is where the part around it begins, and what is not known where the document does.
    pub fn find(&self, place: &Place, path: &str, within: (u32, u32)) -> Position {
        let beginning = Position { line: place.line, column: 1 };
        let Some(outline) = self.documents.get(place.document) else { return beginning };
        let found = outline.find(place.item, path);
        let within = if found.exact { within } else { (0, 0) };
        outline.position(&found, within).unwrap_or(beginning)
    }
}

fn yaml(text: &str) -> Option<Vec<Outline>> {
    let parse = || serde_saphyr::from_multiple_with_options(text, yaml_options(text.len()));
    let roots: Vec<Located> = on_own_stack(parse).ok()?.ok()?;
    Some(roots.into_iter().map(|root| Outline { root, text: text.into(), before: 0 }).collect())
}

/// JSON values one after another. Each is YAML by itself, but for a few escapes.
fn json(text: &str) -> Option<Vec<Outline>> {
    let mut stream = serde_json::Deserializer::from_str(text).into_iter::<serde::de::IgnoredAny>();
    let mut lines = Lines { text, at: 0, line: 1 };
    let mut outlines = vec![];
    loop {
        let begin = stream.byte_offset();
        let begin = text.len() - text[begin..].trim_start().len();
        let Some(value) = stream.next() else { return Some(outlines) };
        value.ok()?;
        // From the beginning of its line, so that columns are the file's.
        let line = text[..begin].rfind('\n').map_or(0, |end| end + 1);
        let blank: String = text[line..begin].chars().map(|_| ' ').collect();
        let own = format!("{blank}{}", &text[begin..stream.byte_offset()]);
        let before = lines.line_of(begin) - 1;
        let outline = yaml(&own).and_then(|mut outlines| outlines.pop())?;
        outlines.push(Outline { before, ..outline });
    }
}

// === impl Outline ===

impl Outline {
    fn find<'o>(&'o self, item: Option<usize>, path: &str) -> Found<'o> {
        let mut found = Found { value: &self.root, key: None, exact: true };
        if let Shape::Map(members) = &self.root.value
            && let [(one, _), (other, _)] = members.as_slice()
        {
            let names = [one, other].map(|key| key.value.text());
            let is_event = names.contains(&Some("type")) && names.contains(&Some("object"));
            if is_event {
                found.descend(&Step::Member("object"));
            }
        }
        if let Some(item) = item {
            found.descend(&Step::Member("items"));
            found.descend(&Step::Item(item));
        }
        for step in steps(path) {
            if !found.descend(&step) {
                found.exact = false;
                break;
            }
        }
        found
    }

    fn position(&self, found: &Found<'_>, within: (u32, u32)) -> Option<Position> {
        let is_container = found.value.value.text().is_none();
        let at = match found.key {
            // A map begins at its first member, far from what is meant.
            Some(key) if is_container || !found.exact => key,
            _ => found.value,
        };
        if within != (0, 0)
            && let Some(text) = found.value.value.text()
            && let Some(position) = self.within(found.value, text, within)
        {
            return Some(position);
        }
        self.located(at.defined.line(), at.defined.column())
    }

    fn within(&self, value: &Located, text: &str, within: (u32, u32)) -> Option<Position> {
        let location: Location = value.defined;
        let start = usize::try_from(location.span().byte_offset()?).ok()?;
        let source = self.text.get(start..)?;
        let (line, column) =
            Scalar { source, text, is_block: is_block(&self.text[..start]) }.place(within)?;
        let on_first_line = line == 0;
        let column = column + if on_first_line { location.column() } else { 1 };
        self.located(location.line() + line, column)
    }

    fn located(&self, line: u64, column: u64) -> Option<Position> {
        (line > 0).then_some(Position { line: line + self.before, column })
    }
}

/// Whether what stands before a scalar ends with the header of a block, such as `|` or `>-`, on a line before its own.
fn is_block(before: &str) -> bool {
    let head = before.trim_end();
    if !before[head.len()..].contains('\n') {
        return false;
    }
    let line = head.rsplit('\n').next().unwrap_or_default();
    let words = line.split_whitespace().take_while(|word| !word.starts_with('#'));
    let is_indicator = |c: char| c.is_ascii_digit() || matches!(c, '+' | '-');
    words.last().is_some_and(|last| {
        last.strip_prefix(['|', '>']).is_some_and(|indicators| indicators.chars().all(is_indicator))
    })
}

// === impl Found ===

impl Found<'_> {
    /// Goes one step down, if there is something.
    fn descend(&mut self, step: &Step<'_>) -> bool {
        let below = match (&self.value.value, step) {
            (Shape::Map(members), Step::Member(name)) => members
                .iter()
                .find(|(key, _)| key.value.text() == Some(name))
                .map(|(key, value)| (Some(key), value)),
            (Shape::List(items), Step::Item(index)) => items.get(*index).map(|item| (None, item)),
            _ => None,
        };
        let Some((key, value)) = below else { return false };
        (self.key, self.value) = (key, value);
        true
    }
}

/// The steps of `spec.projections[2].expression`, or of `metadata.labels['app.kubernetes.io/name']`.
fn steps(path: &str) -> Vec<Step<'_>> {
    let mut steps = vec![];
    let mut rest = path;
    while !rest.is_empty() {
        let (step, after) = if let Some(quoted) = rest.strip_prefix("['") {
            let (name, after) = quoted.split_once("']").unwrap_or((quoted, ""));
            (Some(Step::Member(name)), after)
        } else if let Some(index) = rest.strip_prefix('[') {
            let (index, after) = index.split_once(']').unwrap_or((index, ""));
            (index.parse().ok().map(Step::Item), after)
        } else {
            let end = rest.find(['.', '[']).unwrap_or(rest.len());
            (Some(&rest[..end]).filter(|name| !name.is_empty()).map(Step::Member), &rest[end..])
        };
        steps.extend(step);
        rest = after.strip_prefix('.').unwrap_or(after);
    }
    steps
}

#[cfg(test)]
mod tests;

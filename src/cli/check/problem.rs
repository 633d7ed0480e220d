//! A finding with its place in a file.
//!
//! In: findings and the texts that they are about. Out: the same with line, column and the line itself. Must never know:
//! formats.

use std::collections::BTreeMap;

use crate::cli::finding::{Finding, FindingKind};
use crate::cli::input::positions::Positions;
use crate::cli::input::{InputError, Text};

/// Something to be printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Problem {
    /// Whether the command fails of it.
    pub(super) is_error: bool,
    pub(super) kind: FindingKind,
    /// As it was named; empty where it is about no file.
    pub(super) file: String,
    /// Line and column in the file, both from 1; `None` where it is about all of it.
    pub(super) at: Option<(u64, u64)>,
    /// What it is about, such as `Metric pods-by-phase`.
    pub(super) subject: Option<String>,
    /// Where in the document, such as `spec.filter`.
    pub(super) path: String,
    /// Line and column within the text at `path`; (0, 0) where it is about all of it.
    pub(super) within: (u32, u32),
    /// Without the suggestion.
    pub(super) message: String,
    /// What was probably meant.
    pub(super) suggestion: Option<String>,
    /// The line that it is on.
    pub(super) excerpt: Option<String>,
}

/// The files that were read.
#[derive(Debug, Default)]
pub(super) struct Sources {
    files: BTreeMap<String, Source>,
}

#[derive(Debug)]
struct Source {
    /// Which of the files.
    order: usize,
    text: String,
    /// Found when they are first asked for.
    positions: Option<Positions>,
}

// === impl Problem ===

impl Problem {
    fn of_input(error: &InputError) -> Problem {
        let (file, at, message) = match error {
            InputError::Read { file, source } => (file.as_str(), None, source.to_string()),
            InputError::EmptyFolder { folder } => {
                let whole = error.to_string();
                let message = whole.strip_prefix(&format!("{folder}: ")).unwrap_or(&whole).to_owned();
                (folder.as_str(), None, message)
            }
            InputError::StandardInputTwice => ("-", None, "standard input can be read only once".to_owned()),
            InputError::Syntax { file, line, column, message } => {
                (file.as_str(), Some((*line, *column)), message.clone())
            }
        };
        Problem { file: file.to_owned(), at, ..Problem::of_everything(message) }
    }

    /// What is about no file.
    pub(super) fn of_everything(message: String) -> Problem {
        Problem {
            is_error: true,
            kind: FindingKind::Error,
            file: String::new(),
            at: None,
            subject: None,
            path: String::new(),
            within: (0, 0),
            message,
            suggestion: None,
            excerpt: None,
        }
    }

    /// The message behind what it is about: `Metric a: spec.filter:1:1: …`.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        for part in self.subject.iter().chain(Some(&self.path).filter(|path| !path.is_empty())) {
            text.push_str(part);
            if part == &self.path && self.within.0 > 0 {
                text.push_str(&format!(":{}:{}", self.within.0, self.within.1));
            }
            text.push_str(": ");
        }
        text.push_str(&self.message);
        if let Some(suggestion) = &self.suggestion {
            text.push_str(&format!(" (did you mean '{suggestion}'?)"));
        }
        text
    }
}

// === impl Sources ===

impl Sources {
    /// Remembers a file.
    pub(super) fn add(&mut self, text: Text) {
        let order = self.files.len();
        let source =
            Source { order, text: String::from_utf8_lossy(&text.bytes).into_owned(), positions: None };
        self.files.entry(text.file).or_insert(source);
    }

    /// Finds out where a finding stands.
    pub(super) fn locate(&mut self, finding: &Finding, is_error: bool) -> Problem {
        let Finding { kind, place, subject, path, within, message } = finding;
        let (message, suggestion) = split_suggestion(message);
        let mut problem = Problem {
            is_error,
            kind: *kind,
            file: place.file.to_string(),
            at: Some((place.line, 1)),
            subject: subject.clone(),
            path: path.clone(),
            within: *within,
            message: message.to_owned(),
            suggestion: suggestion.map(str::to_owned),
            excerpt: None,
        };
        let Some(source) = self.files.get_mut(&*place.file) else { return problem };
        let positions = source.positions.get_or_insert_with(|| Positions::of(&source.text));
        // What is odd about a field that does not exist is its name.
        let found = match kind {
            FindingKind::Field => positions.find_name(place, path),
            _ => positions.find(place, path, *within),
        };
        problem.at = Some((found.line, found.column));
        problem.excerpt = source.line(found.line);
        problem
    }

    /// The same of what keeps an input from being read.
    pub(super) fn locate_input(&self, error: &InputError) -> Problem {
        let problem = Problem::of_input(error);
        let source = self.files.get(&problem.file);
        let excerpt = source.zip(problem.at).and_then(|(source, (line, _))| source.line(line));
        Problem { excerpt, ..problem }
    }

    /// Files in the order in which they were read, lines in theirs; what is about no file comes first.
    pub(super) fn order(&self, problem: &Problem) -> (Option<usize>, Option<(u64, u64)>) {
        (self.files.get(&problem.file).map(|source| source.order), problem.at)
    }
}

impl Source {
    /// A line by its number, from 1.
    fn line(&self, number: u64) -> Option<String> {
        let index = usize::try_from(number).ok()?.checked_sub(1)?;
        self.text.lines().nth(index).map(str::to_owned)
    }
}

/// Takes ` (did you mean 'x'?)` off the end of a message.
fn split_suggestion(message: &str) -> (&str, Option<&str>) {
    let split = message.strip_suffix("'?)").and_then(|rest| rest.rsplit_once(" (did you mean '"));
    split.map_or((message, None), |(message, meant)| (message, Some(meant)))
}

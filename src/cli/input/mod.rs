//! Files, folders and standard input as JSON documents.
//!
//! In: paths, bytes. Out: documents that remember where they stand. Must never know: what a document means, except
//! that a List is its items.
//!
//! A file holds YAML 1.2 (several documents), or JSON values one after another. Of a folder the files named `*.yaml`,
//! `*.yml`, `*.json`, `*.jsonl` and `*.ndjson` are read, in the order of their names, without its own folders. `-` is standard input.

pub mod positions;

use std::fmt;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;
use serde_saphyr::{MessageFormatter, NonFiniteFloatPolicy, Spanned, UserMessageFormatter};

/// One document, or one item of a List.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// Where it stands.
    pub place: Place,
    /// What it holds.
    pub value: Value,
}

/// What a file holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// The file as it was named, or `-`.
    pub file: String,
    /// All of it.
    pub bytes: Vec<u8>,
}

/// Where a document stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file as it was named, or `-`.
    pub file: Arc<str>,
    /// Which document of the file, from 0; empty documents do not count.
    pub document: usize,
    /// The line on which the document begins, from 1.
    pub line: u64,
    /// Which item, from 0, if the document is a List.
    pub item: Option<usize>,
}

/// Why input cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum InputError {
    /// The file or folder is not there, or not for us.
    #[error("{file}: {source}")]
    Read {
        /// As it was named.
        file: String,
        /// What the system said.
        source: io::Error,
    },
    /// A folder without a file that could be read.
    #[error("{folder}: holds no .yaml, .yml, .json, .jsonl or .ndjson file")]
    EmptyFolder {
        /// As it was named.
        folder: String,
    },
    /// Standard input was asked for twice.
    #[error("-: standard input can be read only once")]
    StandardInputTwice,
    /// The text is neither YAML nor JSON.
    #[error("{file}:{line}:{column}: {message}")]
    Syntax {
        /// As it was named.
        file: String,
        /// From 1.
        line: u64,
        /// From 1.
        column: u64,
        /// What is wrong there.
        message: String,
    },
}

/// The documents of all `paths`, in their order; `-` is `standard_input`. What cannot be read keeps nothing else from
/// being read: it is among the errors.
pub fn read_documents(paths: &[String], standard_input: &mut dyn Read) -> (Vec<Document>, Vec<InputError>) {
    let (mut documents, mut errors) = (vec![], vec![]);
    for text in read_texts(paths, standard_input) {
        match text.and_then(|text| parse_documents(&text.file, &text.bytes)) {
            Ok(read) => documents.extend(read),
            Err(error) => errors.push(error),
        }
    }
    (documents, errors)
}

/// The files of all `paths`, in their order; `-` is `standard_input`.
pub fn read_texts(paths: &[String], standard_input: &mut dyn Read) -> Vec<Result<Text, InputError>> {
    let mut texts = vec![];
    let mut standard_input = Some(standard_input);
    for path in paths {
        if path == "-" {
            let input = standard_input.take().ok_or(InputError::StandardInputTwice);
            texts.push(input.and_then(|input| read_one(path, input)));
            continue;
        }
        match files(path) {
            Err(error) => texts.push(Err(error)),
            Ok(files) => texts.extend(files.iter().map(|file| read_file(file))),
        }
    }
    texts
}

fn read_file(file: &Path) -> Result<Text, InputError> {
    let name = file.to_string_lossy();
    let mut opened =
        fs::File::open(file).map_err(|source| InputError::Read { file: name.to_string(), source })?;
    read_one(&name, &mut opened)
}

fn read_one(name: &str, input: &mut dyn Read) -> Result<Text, InputError> {
    let mut bytes = vec![];
    input.read_to_end(&mut bytes).map_err(|source| InputError::Read { file: name.to_owned(), source })?;
    Ok(Text { file: name.to_owned(), bytes })
}

/// The documents of the text `bytes`, which `file` names in places and errors.
///
/// What begins with `{` or `[` is read as JSON, and as YAML only if it is no JSON and its name does not end in `.json`.
///
/// # Errors
/// Where the text is neither, nested too deeply, or grows too much by aliases.
pub fn parse_documents(file: &str, bytes: &[u8]) -> Result<Vec<Document>, InputError> {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.strip_prefix('\u{feff}').unwrap_or(text),
        Err(error) => {
            let (line, column) = line_and_column(&bytes[..error.valid_up_to()]);
            return Err(InputError::syntax(file, line, column, "is not UTF-8".to_owned()));
        }
    };
    if !text.trim_start().starts_with(['{', '[']) {
        return parse_yaml(file, text);
    }
    let json = parse_json(file, text);
    if json.is_ok() || file.ends_with(".json") {
        return json;
    }
    // Of two errors the one that stands further down is about what the author meant.
    parse_yaml(file, text).map_err(|yaml| match json {
        Err(json) if json.position() > yaml.position() => json,
        _ => yaml,
    })
}

/// The documents of the text `bytes`, as [`parse_documents`]; of YAML that breaks off, the documents before the one that
/// is none, and why it is not.
pub fn parse_in_part(file: &str, bytes: &[u8]) -> (Vec<Document>, Option<InputError>) {
    let error = match parse_documents(file, bytes) {
        Ok(documents) => return (documents, None),
        Err(error) => error,
    };
    let text = std::str::from_utf8(bytes).unwrap_or_default();
    let sound = parse_documents(file, sound_part(text).as_bytes()).unwrap_or_default();
    (sound, Some(error))
}

/// What of a text are whole documents of YAML before one that is none.
fn sound_part(text: &str) -> &str {
    let mut part = text;
    // What an opened bracket breaks may be documents further down.
    for _ in 0..MOST_CUTS {
        let Err(InputError::Syntax { line, .. }) = parse_documents("", part.as_bytes()) else { break };
        part = before_document(part, line);
    }
    part
}

/// What stands before the last `---` above the end of `line`.
fn before_document(text: &str, line: u64) -> &str {
    let (mut end, mut at) = (0, 0);
    for (number, content) in (1..=line).zip(text.split_inclusive('\n')) {
        if number > 1 && content.strip_prefix("---").is_some_and(|rest| rest.trim_start().len() < rest.len())
        {
            end = at;
        }
        at += content.len();
    }
    &text[..end]
}

/// The items of a List, in their order, with the `apiVersion` and `kind` that a typed list leaves out; any other
/// document as it is.
pub fn items(document: Document) -> Vec<Document> {
    let Document { place, value } = document;
    let Some(element) = list_element(&value) else { return vec![Document { place, value }] };
    let api_version = value["apiVersion"].clone();
    let Value::Object(mut list) = value else { return vec![] };
    let Some(Value::Array(items)) = list.remove("items") else { return vec![] };
    let item = |(index, mut value): (usize, Value)| {
        if let (Some(kind), Some(object)) = (&element, value.as_object_mut()) {
            object.entry("kind").or_insert_with(|| kind.as_str().into());
            object.entry("apiVersion").or_insert_with(|| api_version.clone());
        }
        Document { place: Place { item: Some(index), ..place.clone() }, value }
    };
    items.into_iter().enumerate().map(item).collect()
}

/// For a List: the kind of its items, if it says so. `PodList` holds Pods, `List` anything.
fn list_element(value: &Value) -> Option<Option<String>> {
    let element = value.get("kind")?.as_str()?.strip_suffix("List")?;
    value.get("items")?.as_array()?;
    Some((!element.is_empty()).then(|| element.to_owned()))
}

/// The file itself, or the files of a folder in the order of their names.
///
/// # Errors
/// Where the path cannot be read, or the folder holds no file for us.
pub fn files(path: &str) -> Result<Vec<PathBuf>, InputError> {
    let failed = |source| InputError::Read { file: path.to_owned(), source };
    if !fs::metadata(path).map_err(failed)?.is_dir() {
        return Ok(vec![PathBuf::from(path)]);
    }
    let mut files = vec![];
    for entry in fs::read_dir(path).map_err(failed)? {
        let file = entry.map_err(failed)?.path();
        if is_manifest(&file) && file.is_file() {
            files.push(file);
        }
    }
    if files.is_empty() {
        return Err(InputError::EmptyFolder { folder: path.to_owned() });
    }
    files.sort();
    Ok(files)
}

fn is_manifest(file: &Path) -> bool {
    let known = ["yaml", "yml", "json", "jsonl", "ndjson"];
    file.extension().is_some_and(|extension| known.iter().any(|known| extension == *known))
}

fn parse_json(file: &str, text: &str) -> Result<Vec<Document>, InputError> {
    let name: Arc<str> = file.into();
    let mut documents = vec![];
    let mut stream = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    let mut lines = Lines { text, at: 0, line: 1 };
    loop {
        let begin = stream.byte_offset();
        let begin = text.len() - text[begin..].trim_start().len();
        let Some(value) = stream.next() else { return Ok(documents) };
        let value = value.map_err(|error| {
            let (line, column) = (error.line() as u64, error.column() as u64);
            InputError::syntax(file, line, column, without_position(&error))
        })?;
        let place =
            Place { file: name.clone(), document: documents.len(), line: lines.line_of(begin), item: None };
        documents.push(Document { place, value });
    }
}

/// The message of an error of `serde_json` without the position at its end, which we print in front.
fn without_position(error: &serde_json::Error) -> String {
    let message = error.to_string();
    match message.rfind(" at line ") {
        Some(end) => message[..end].to_owned(),
        None => message,
    }
}

/// Parses on a stack of its own: the parser calls itself for every level, and the caller's stack may be small.
fn parse_yaml(file: &str, text: &str) -> Result<Vec<Document>, InputError> {
    on_own_stack(|| parse_yaml_here(file, text))
        .map_err(|source| InputError::Read { file: file.to_owned(), source })?
}

/// Does something that needs [`YAML_STACK`].
fn on_own_stack<T: Send>(work: impl FnOnce() -> T + Send) -> io::Result<T> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(YAML_STACK).spawn_scoped(scope, work)?;
        Ok(thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    })
}

fn parse_yaml_here(file: &str, text: &str) -> Result<Vec<Document>, InputError> {
    let name: Arc<str> = file.into();
    let parsed: Vec<Spanned<Value>> =
        serde_saphyr::from_multiple_with_options(text, yaml_options(text.len())).map_err(|error| {
            let (line, column) = error.location().map_or((1, 1), |at| (at.line(), at.column()));
            InputError::syntax(file, line, column, yaml_message(&error))
        })?;
    let document = |(document, spanned): (usize, Spanned<Value>)| {
        let place = Place { file: name.clone(), document, line: spanned.referenced.line(), item: None };
        Document { place, value: spanned.value }
    };
    Ok(parsed.into_iter().enumerate().map(document).collect())
}

/// So often is it tried to find documents before the one that is none.
const MOST_CUTS: usize = 4;
/// So deep may YAML nest; `serde_json` has the same limit for JSON.
const DEPTH: usize = 128;
/// Room for [`DEPTH`] levels: a level takes up to 30 KiB in a build without optimisation.
const YAML_STACK: usize = 16 << 20;
/// By so much may what a text holds exceed its length, through aliases.
const ALIAS_ALLOWANCE: usize = 1 << 20;

/// YAML 1.2's core schema, and limits that only hostile text meets.
fn yaml_options(length: usize) -> serde_saphyr::Options {
    let most = length.saturating_add(ALIAS_ALLOWANCE);
    serde_saphyr::options! {
        strict_booleans: true,
        underscored_numbers_as_strings: true,
        with_snippet: false,
        non_finite_float_policy: NonFiniteFloatPolicy::Reject,
        budget: serde_saphyr::budget! {
            max_depth: DEPTH,
            flow_nesting_limit: DEPTH,
            max_documents: most,
            max_events: most,
            max_nodes: most,
            max_total_scalar_bytes: most,
            enforce_alias_anchor_ratio: false,
        },
    }
}

/// One line, without the position that we print in front.
fn yaml_message(error: &serde_saphyr::Error) -> String {
    if let serde_saphyr::Error::DuplicateMappingKey { key: Some(key), .. } = error.without_snippet() {
        return format!("the key '{key}' stands here twice");
    }
    let message = UserMessageFormatter.format_message(error);
    if message.starts_with("YAML document too large") || message == "recursion limit exceeded" {
        return format!("nests deeper than {DEPTH} levels, or grows too much by aliases");
    }
    message.lines().next().unwrap_or_default().to_owned()
}

/// Line and column of the end of `before`, from 1, the column in characters.
fn line_and_column(before: &[u8]) -> (u64, u64) {
    let text = String::from_utf8_lossy(before);
    let line = text.matches('\n').count() as u64 + 1;
    let column = text.rsplit('\n').next().unwrap_or_default().chars().count() as u64 + 1;
    (line, column)
}

/// Counts lines of a text while going through it once.
struct Lines<'t> {
    text: &'t str,
    at: usize,
    line: u64,
}

// === impl Lines ===

impl Lines<'_> {
    /// The line of the byte `at`, which is not before the one last asked for.
    fn line_of(&mut self, at: usize) -> u64 {
        self.line += self.text[self.at..at].matches('\n').count() as u64;
        self.at = at;
        self.line
    }
}

// === impl InputError ===

impl InputError {
    fn syntax(file: &str, line: u64, column: u64, message: String) -> Self {
        InputError::Syntax { file: file.to_owned(), line, column, message }
    }

    fn position(&self) -> (u64, u64) {
        match self {
            InputError::Syntax { line, column, .. } => (*line, *column),
            _ => (0, 0),
        }
    }
}

// === impl Place ===

impl fmt::Display for Place {
    /// As compilers write places: `pods.yaml:12`, and the item of a List behind it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)?;
        self.item.map_or(Ok(()), |item| write!(f, " items[{item}]"))
    }
}

#[cfg(test)]
mod tests;

//! The page about expressions, `examples/expressions/README.md`: every example gives what stands beside it.
//!
//! An example is a row of a table that has a column `CEL`, `RFC 9535` or `kubectl`, with what it gives in the column `gives` that
//! follows; or a block of one of the languages, with what it gives behind `//` in its last line.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::program::{ends, output, root, scratch};

/// Columns of examples, and the languages of `expr`.
const COLUMNS: &[(&str, &str)] = &[("CEL", "cel"), ("RFC 9535", "jsonpath"), ("kubectl", "kubectl")];

/// An expression of the page.
pub(crate) struct Example {
    /// Of the page, from 1.
    pub(crate) line: usize,
    pub(crate) language: &'static str,
    pub(crate) text: String,
    /// As it is written: JSON, `nothing`, or `error: ` and the message.
    pub(crate) gives: String,
    /// What Kubernetes gives, where the page says so.
    pub(crate) elsewhere: Option<String>,
    /// Whether the page says that it is something of our own, or is not there at all.
    pub(crate) is_apart: bool,
}

/// What a line of the page means for the next one.
enum State {
    Prose,
    /// In a table of examples.
    Table(Header),
    /// In a block: where it began, what it is of, its lines.
    Block(usize, String, Vec<String>),
}

/// What the columns of a table are.
struct Header {
    /// Examples, and their languages.
    examples: Vec<(usize, &'static str)>,
    /// Kubernetes' answers.
    elsewhere: Option<usize>,
    /// Whether there is a reason for each row.
    has_reasons: bool,
}

/// What marks something that Kubernetes does not have.
const OURS: char = '⁺';

/// A block of the page that is none of a language.
struct Block {
    kind: String,
    text: String,
}

#[test]
fn every_example_of_the_page_gives_what_it_says() {
    let (examples, _) = read();
    assert!(examples.len() > 200, "only {} examples were found", examples.len());
    let variables = variables();
    let requests: String = examples
        .iter()
        .map(|example| json!({"language": example.language, "expression": example.text, "variables": seen(example, &variables)}))
        .map(|request| format!("{request}\n"))
        .collect();
    let answers = output(&["expr", "--batch"], requests.as_bytes());
    let answers = String::from_utf8(answers.stdout).unwrap();
    let mut wrong = String::new();
    for (example, answer) in examples.iter().zip(answers.lines()) {
        let found = shown(&serde_json::from_str(answer).unwrap());
        if !same(&example.gives, &found) {
            let Example { line, text, gives, .. } = example;
            writeln!(wrong, "line {line}: {text}\n  written {gives}\n  given   {found}").unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert_eq!(answers.lines().count(), examples.len());
}

/// Examples of what is never right of a Pod, which show what becomes of it.
const NEVER_RIGHT: &[&str] = &[
    // Of entries of a map; containers are a list.
    "key",
    "object.nope == 1 || object.status.phase == 'Running'",
    "object.?a.or(object.?kind).value()",
    "object.?a.orValue(0)",
    "quantity('1') == object.kind",
];

#[test]
fn what_has_a_value_for_a_pod_fits_pods() {
    let (examples, _) = read();
    let dialect = |example: &Example| if example.language == "kubectl" { "Kubectl" } else { "RFC9535" };
    let metric = |example: &Example| {
        let source = match example.language {
            "cel" => json!({"name": "a", "type": "slice", "expression": example.text}),
            _ => {
                json!({"name": "a", "type": "slice", "fieldPath": example.text, "dialect": dialect(example)})
            }
        };
        json!({
            "apiVersion": "metrics.open-control-plane.io/v1alpha1", "kind": "Metric",
            "metadata": {"name": format!("line-{}-{}", example.line, example.language)},
            "spec": {
                "name": "a", "target": {"kind": "Pod", "version": "v1"},
                "forEach": {"fieldPath": "spec.containers"}, "projections": [source],
            },
        })
    };
    let has_value = |example: &&Example| !example.gives.starts_with("error") && example.gives != "nothing";
    let tried: Vec<&Example> = examples.iter().filter(has_value).collect();
    let metrics: String = tried.iter().map(|example| format!("{}\n", metric(example))).collect();
    let out = output(&["check", "-f", "-", "-o", "json"], metrics.as_bytes());
    let found: Value = serde_json::from_slice(&out.stdout).unwrap();
    let problems = found["problems"].as_array().unwrap();
    assert_eq!(found["metrics"].as_array().unwrap().len(), tried.len(), "{problems:?}");
    let mut wrong = String::new();
    for problem in problems.iter().filter(|problem| problem["kind"] == "schema") {
        let line = usize::try_from(problem["line"].as_u64().unwrap()).unwrap();
        let Example { text, gives, .. } = tried[line - 1];
        if !NEVER_RIGHT.contains(&text.as_str()) {
            writeln!(wrong, "{text}\n  gives {gives}\n  found {}", problem["message"]).unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn the_metrics_of_the_page_give_the_series_that_follow() {
    let (_, blocks) = read();
    let object = scratch("documented-object.yaml", &block(&blocks, "yaml object"));
    let mut metrics = 0;
    for pair in blocks.windows(2) {
        let [Block { kind, text }, Block { kind: follows, text: series }] = pair else { continue };
        if kind == "yaml metric" {
            assert_eq!(follows, "text", "what a Metric gives stands behind it");
            let metric = scratch("documented-metric.yaml", text);
            let (out, err) = ends(&["eval", "-f", &metric, &object, "-o", "table"], "", 0);
            assert_eq!(out.trim_end(), series.trim_end(), "{err}");
            metrics += 1;
        }
    }
    assert!(metrics > 0);
}

#[test]
fn an_example_without_what_it_gives_is_an_error() {
    let panics = |page: &'static str| std::panic::catch_unwind(|| parse(page)).is_err();
    assert!(!panics("| CEL | gives |\n|---|---|\n| `1` | `1` |\n"));
    assert!(panics("| CEL | gives |\n|---|---|\n| `1` | |\n"));
    assert!(panics("| CEL | why |\n|---|---|\n| `1` | `1` |\n"));
    assert!(!panics("```cel\n1\n// 1\n```\n"));
    assert!(panics("```cel\n1\n```\n"));
}

/// The examples of the page that Kubernetes can be asked about, and the object that they are about.
pub(crate) fn asked() -> (Vec<Example>, Value) {
    let (examples, _) = read();
    let object = variables().remove("object").unwrap();
    let is_asked = |example: &Example| {
        let is_of_element =
            example.text == "key" || ["item.", "(index)"].iter().any(|name| example.text.contains(name));
        example.language != "jsonpath" && !is_of_element && !example.gives.contains("needs more than")
    };
    (examples.into_iter().filter(is_asked).collect(), object)
}

fn read() -> (Vec<Example>, Vec<Block>) {
    let page = root().join("examples/expressions/README.md");
    parse(&std::fs::read_to_string(page).unwrap())
}

/// The object of the page, and what stands for `item`, `index` and `key` in it.
fn variables() -> serde_json::Map<String, Value> {
    let (_, blocks) = read();
    let object = block(&blocks, "yaml object");
    let (object, _) = ends(&["expr", "jsonpath", "$"], &object, 0);
    let object: Value = serde_json::from_str(&object).unwrap();
    let item = object["spec"]["containers"][0].clone();
    let variables = json!({"object": object, "item": item, "index": 0, "key": "app"});
    variables.as_object().unwrap().clone()
}

/// The variables that an example sees: a path has one.
fn seen(example: &Example, variables: &serde_json::Map<String, Value>) -> Value {
    if example.language == "cel" { json!(variables) } else { json!({"object": variables["object"]}) }
}

fn block(blocks: &[Block], kind: &str) -> String {
    blocks.iter().find(|block| block.kind == kind).unwrap().text.clone()
}

/// Takes a page apart.
fn parse(page: &str) -> (Vec<Example>, Vec<Block>) {
    let (mut examples, mut blocks, mut state) = (Vec::new(), Vec::new(), State::Prose);
    for (line, text) in (1..).zip(page.lines()) {
        state = match (state, text.strip_prefix("```"), text.starts_with('|')) {
            (State::Block(from, kind, lines), Some(_), _) => {
                let (of, is_apart) = (kind.trim_end_matches([OURS, ' ']), kind.ends_with(OURS));
                match COLUMNS.iter().find(|(_, language)| of == *language) {
                    Some((_, language)) => examples.push(of_block(from, language, &lines, is_apart)),
                    None => blocks.push(Block { kind, text: lines.join("\n") + "\n" }),
                }
                State::Prose
            }
            (State::Block(from, kind, mut lines), None, _) => {
                lines.push(text.to_owned());
                State::Block(from, kind, lines)
            }
            (_, Some(kind), _) => State::Block(line, kind.to_owned(), Vec::new()),
            (State::Table(header), None, true) => {
                if !text.starts_with("|---") {
                    of_row(line, &cells(text), &header, &mut examples);
                }
                State::Table(header)
            }
            (_, None, true) => of_header(line, &cells(text)),
            _ => State::Prose,
        };
    }
    (examples, blocks)
}

/// The cells of a row. A bar within one is written with a backslash.
pub(crate) fn cells(row: &str) -> Vec<String> {
    let row = row.trim().trim_start_matches('|').strip_suffix('|').unwrap_or(row);
    let cells = row.replace("\\|", "\u{0}");
    cells.split('|').map(|cell| cell.trim().replace('\u{0}', "|")).collect()
}

fn of_header(line: usize, header: &[String]) -> State {
    let mut columns = Vec::new();
    for (at, name) in header.iter().enumerate() {
        let follows = header.get(at + 1).is_some_and(|next| next == "gives" || next == "why");
        if let Some((name, language)) = COLUMNS.iter().find(|(column, _)| column == name) {
            assert!(follows, "line {line}: no column says what examples of {name} give");
            assert_eq!(header[at + 1], "gives", "line {line}");
            columns.push((at, *language));
        }
    }
    let gives = header.iter().filter(|name| *name == "gives").count();
    assert_eq!(gives, columns.len(), "line {line}: what gives that?");
    let elsewhere = header.iter().position(|name| name == "in Kubernetes");
    let has_reasons = header.last().is_some_and(|last| last == "why");
    State::Table(Header { examples: columns, elsewhere, has_reasons })
}

fn of_row(line: usize, row: &[String], header: &Header, examples: &mut Vec<Example>) {
    let is_apart = header.has_reasons || row.iter().any(|cell| cell.contains(OURS));
    for &(at, language) in &header.examples {
        let text = code(&row[at]).unwrap_or_else(|| panic!("line {line}: there is no example"));
        let gives = code(&row[at + 1]).or((row[at + 1] == "nothing").then(|| "nothing".to_owned()));
        let gives = gives.unwrap_or_else(|| panic!("line {line}: nobody says what the example gives"));
        let elsewhere = header.elsewhere.map(|at| code(&row[at]).unwrap_or_else(|| row[at].clone()));
        examples.push(Example { line, language, text, gives, elsewhere, is_apart });
    }
}

fn of_block(line: usize, language: &'static str, lines: &[String], is_apart: bool) -> Example {
    let (last, text) = lines.split_last().unwrap_or_else(|| panic!("line {line}: the block is empty"));
    let gives = last.strip_prefix("// ");
    let gives = gives.unwrap_or_else(|| panic!("line {line}: nobody says what the example gives"));
    Example { line, language, text: text.join("\n"), gives: gives.to_owned(), elsewhere: None, is_apart }
}

/// What stands between backticks, one or more of them.
pub(crate) fn code(cell: &str) -> Option<String> {
    let fence = &cell[..cell.len() - cell.trim_start_matches('`').len()];
    let inner = cell.strip_prefix(fence)?.strip_suffix(fence)?;
    if fence.is_empty() {
        return None;
    }
    Some(if fence.len() > 1 { inner.trim() } else { inner }.to_owned())
}

/// An answer of `expr --batch` as the page writes it.
fn shown(answer: &Value) -> String {
    if let Some(error) = answer.get("error").and_then(Value::as_str) {
        return format!("error: {error}");
    }
    if let Some(nodes) = answer.get("values").and_then(Value::as_array) {
        let nodes: Vec<String> = nodes.iter().map(Value::to_string).collect();
        return if nodes.is_empty() { "nothing".to_owned() } else { nodes.join(" ") };
    }
    plain(&answer["value"]).to_string()
}

/// A typed value of `expr --batch` as plain JSON, as `expr` prints it.
pub(crate) fn plain(typed: &Value) -> Value {
    let (kind, content) = typed.as_object().and_then(|typed| typed.iter().next()).unwrap();
    match kind.as_str() {
        "int64Value" | "uint64Value" => serde_json::from_str(content.as_str().unwrap()).unwrap(),
        "listValue" => content["values"].as_array().unwrap().iter().map(plain).collect(),
        "mapValue" => {
            let entries = content["entries"].as_array().unwrap().iter();
            let entry = |entry: &Value| match plain(&entry["key"]) {
                Value::String(name) => (name, plain(&entry["value"])),
                key => (key.to_string(), plain(&entry["value"])),
            };
            Value::Object(entries.map(entry).collect())
        }
        // Where doubles were read as texts.
        "doubleValue" => {
            let number = content.as_str().and_then(|text| serde_json::from_str(text).ok());
            number.unwrap_or_else(|| content.clone())
        }
        "objectValue" => content["value"].clone(),
        "optionalValue" if content.is_null() => Value::Null,
        "optionalValue" => plain(content),
        _ => content.clone(),
    }
}

/// The same JSON, however it is spaced, or the same words.
pub(crate) fn same(written: &str, given: &str) -> bool {
    let read = |text: &str| {
        let values = serde_json::Deserializer::from_str(text).into_iter::<Value>();
        values.collect::<Result<Vec<_>, _>>().ok()
    };
    written == given || matches!((read(written), read(given)), (Some(a), Some(b)) if a == b)
}

//! Prometheus' own parsers, asked by way of `tests/prometheus`.
//!
//! In: a page, or names. Out: what Prometheus reads there. The program is built once a run, with Go, into cargo's
//! target directory; Go's build cache makes that a matter of a second from the second run on.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Mutex, OnceLock};

use serde::{Deserialize, Serialize};

/// The program, running until this process ends and with it the pipe it reads from.
struct Oracle {
    _program: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
}

#[derive(Serialize, Default)]
struct Request<'a> {
    content_type: &'a str,
    page: &'a str,
    metrics: &'a [Name],
    labels: &'a [String],
    otlp: &'a str,
}

#[derive(Deserialize)]
struct Answer {
    error: String,
    entries: Option<Vec<Entry>>,
    lint: Option<Vec<String>>,
    metrics: Option<Vec<String>>,
    labels: Option<Vec<String>>,
    points: Option<Vec<String>>,
}

/// A metric's name and unit as declared.
#[derive(Serialize, Clone, Debug)]
pub(crate) struct Name {
    pub(crate) name: String,
    pub(crate) unit: String,
    pub(crate) gauge: bool,
}

/// One line of a page.
#[derive(Deserialize, Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    /// `HELP`, `TYPE`, `UNIT` or `sample`.
    pub(crate) line: String,
    /// Of the family; empty for a sample.
    pub(crate) name: String,
    /// What HELP, TYPE or UNIT says.
    pub(crate) text: String,
    /// Of a sample, `__name__` among them.
    pub(crate) labels: Option<BTreeMap<String, String>>,
    bits: String,
}

/// What Prometheus reads on a page.
pub(crate) struct Page {
    pub(crate) entries: Vec<Entry>,
    /// What `promtool check metrics` would say.
    pub(crate) lint: Vec<String>,
}

impl Entry {
    /// The value of a sample.
    pub(crate) fn value(&self) -> f64 {
        f64::from_bits(u64::from_str_radix(&self.bits, 16).unwrap())
    }
}

/// Reads `page` as Prometheus would after a scrape with this `Content-Type`.
pub(crate) fn parse(page: &str, content_type: &str) -> Result<Page, String> {
    let answer = ask(&Request { content_type, page, ..Request::default() });
    if !answer.error.is_empty() {
        return Err(answer.error);
    }
    Ok(Page { entries: answer.entries.unwrap_or_default(), lint: answer.lint.unwrap_or_default() })
}

/// The names that OpenTelemetry's translation gives, empty where there is none.
pub(crate) fn translate(metrics: &[Name], labels: &[String]) -> (Vec<String>, Vec<String>) {
    let answer = ask(&Request { metrics, labels, ..Request::default() });
    (answer.metrics.unwrap_or_default(), answer.labels.unwrap_or_default())
}

/// The points of an OTLP/JSON export request as OpenTelemetry's own messages hold them, one a text.
pub(crate) fn points(otlp: &str) -> Result<Vec<String>, String> {
    let answer = ask(&Request { otlp, ..Request::default() });
    if answer.error.is_empty() { Ok(answer.points.unwrap_or_default()) } else { Err(answer.error) }
}

fn ask(request: &Request<'_>) -> Answer {
    static ORACLE: OnceLock<Mutex<Oracle>> = OnceLock::new();
    let mut oracle = ORACLE.get_or_init(|| Mutex::new(start())).lock().unwrap();
    let mut line = serde_json::to_vec(request).unwrap();
    line.push(b'\n');
    oracle.questions.write_all(&line).unwrap();
    let mut answer = String::new();
    oracle.answers.read_line(&mut answer).unwrap();
    serde_json::from_str(&answer).expect("the oracle answers every line, or says on standard error why not")
}

fn start() -> Oracle {
    let mut child = Command::new(build())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("what was just built runs");
    let (questions, answers) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    Oracle { _program: child, questions, answers: BufReader::new(answers) }
}

#[allow(clippy::print_stderr, reason = "a first build takes minutes, which nobody should wonder about")]
fn build() -> PathBuf {
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join("prometheus-oracle");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/prometheus");
    eprintln!(
        "building {} with Go from {}: pages are checked with Prometheus' own parsers",
        program.display(),
        folder.display()
    );
    let built = Command::new("go").arg("build").arg("-o").arg(&program).arg(".").current_dir(folder).status();
    let status = built.expect("these tests need Go, https://go.dev/dl, in PATH");
    assert!(status.success(), "Go could not build the program that checks pages");
    program
}

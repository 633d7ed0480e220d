//! `celemetry expr`: one expression, against one document; or many, one request a line.
//!
//! In: an expression and a document, or requests. Out: what they give, as JSON, a line a value. Must never know: Metrics.

mod answer;
mod batch;
mod request;
mod value;

use std::io::{IsTerminal, Read};

use celemetry_engine::definition::{Formula, Language};
use celemetry_engine::error::{CompileError, EvaluationError};
use celemetry_engine::expression::{Binding, Budget, Outcome, Standalone};
use clap::ValueEnum;

use super::input::parse_documents;
use super::shown::pointed_at;
use super::{Status, output, report};

/// Try an expression on one YAML or JSON document from standard input, which it sees as 'object'
#[derive(Debug, clap::Args)]
#[command(after_help = MORE)]
pub(super) struct Args {
    /// The language of the expression
    #[arg(required_unless_present = "batch")]
    language: Option<Dialect>,
    /// The expression
    #[arg(required_unless_present = "batch", allow_hyphen_values = true)]
    expression: Option<String>,
    /// Answer requests from standard input instead, one JSON object a line
    #[arg(long, conflicts_with_all = ["language", "expression"])]
    batch: bool,
}

const MORE: &str = "\
Examples:
  # What would this filter say of that Pod?
  kubectl get pod web-1 -o json | celemetry expr cel 'object.status.phase == \"Running\"'

  # Every image, a line each
  kubectl get pod web-1 -o yaml | celemetry expr kubectl '{.spec.containers[*].image}'

  # Many expressions, with variables of any name
  echo '{\"language\": \"cel\", \"expression\": \"a + 1\", \"variables\": {\"a\": 2}}' | celemetry expr --batch

Exit status: 1 if the expression is wrong, or has no value for the document. With --batch that is in the answers; a blank line has none.";

/// A language of expressions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Dialect {
    /// The Common Expression Language, with Kubernetes' libraries
    Cel,
    /// JSONPath as RFC 9535 has it
    Jsonpath,
    /// JSONPath as kubectl has it
    Kubectl,
}

/// How errors name the expression.
const PLACE: &str = "expression";

/// What every expression sees that is given a document.
const OBJECT: &str = "object";

/// Runs the command.
pub(super) fn expr(args: &Args) -> Status {
    if args.batch {
        return batch::batch();
    }
    match args.evaluate() {
        Ok(lines) => output::write(lines.as_bytes()),
        Err(lines) => {
            lines.iter().for_each(|line| report::say(line));
            Status::Input
        }
    }
}

// === impl Args ===

impl Args {
    /// A line for each value, or lines that say what is wrong.
    fn evaluate(&self) -> Result<String, Vec<String>> {
        let (Some(dialect), Some(text)) = (self.language, &self.expression) else { return Ok(String::new()) };
        let formula = dialect.formula(text);
        let compiled = Standalone::compile(&formula, &[OBJECT]).map_err(|error| pointed(&error, text))?;
        let document = document().map_err(|error| vec![error])?;
        let bound = compiled.bind(&[Binding::Json(&document)]);
        let bound = bound.map_err(|error| vec![format!("error: standard input: {error}")])?;
        let failed = |error: EvaluationError| vec![format!("error: {error}")];
        let outcome = bound.evaluate(&mut { Budget::EXPRESSION }).map_err(failed)?;
        let mut lines = String::new();
        match outcome {
            Outcome::Value(value) => {
                let plain = value::plain(&value).map_err(|error| vec![format!("error: {error}")])?;
                lines.push_str(&plain.to_string());
                lines.push('\n');
            }
            Outcome::Nodes(nodes) => {
                for node in nodes.as_slice() {
                    answer::write_node(*node, &mut lines);
                    lines.push('\n');
                }
            }
        }
        Ok(lines)
    }
}

/// The one document on standard input as JSON; null where there is none.
fn document() -> Result<String, String> {
    let mut stdin = std::io::stdin().lock();
    let mut bytes = Vec::new();
    if !stdin.is_terminal() {
        stdin.read_to_end(&mut bytes).map_err(|error| format!("error: standard input: {error}"))?;
    }
    // JSON is taken as it is written: a number loses nothing on the way.
    if let Ok(text) = std::str::from_utf8(&bytes)
        && celemetry_engine::row::skim(text.trim().as_bytes()).is_ok()
    {
        return Ok(text.trim().to_owned());
    }
    let documents = parse_documents("-", &bytes).map_err(|error| format!("error: {error}"))?;
    match documents.as_slice() {
        [] => Ok("null".to_owned()),
        [document] => Ok(document.value.to_string()),
        several => Err(format!("error: standard input holds {} documents; one is wanted", several.len())),
    }
}

/// The error, and below it the line of the expression with a caret under the place.
fn pointed(error: &CompileError, text: &str) -> Vec<String> {
    let line = usize::try_from(error.line).ok().and_then(|line| text.lines().nth(line.checked_sub(1)?));
    let pointed = line.map(|line| pointed_at(line, usize::try_from(error.column).unwrap_or(1)));
    let below = pointed.map(|(shown, caret)| [format!("  {shown}"), format!("  {caret}")]);
    std::iter::once(format!("error: {error}")).chain(below.into_iter().flatten()).collect()
}

// === impl Dialect ===

impl Dialect {
    fn formula(self, text: &str) -> Formula {
        let language = match self {
            Dialect::Cel => Language::Cel,
            Dialect::Jsonpath => Language::Rfc9535,
            Dialect::Kubectl => Language::Kubectl,
        };
        Formula { language, text: text.to_owned(), place: PLACE.to_owned() }
    }
}

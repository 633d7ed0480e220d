//! `celemetry explain`: what a Metric will do, and why an object counts or not.
//!
//! In: Metrics, and perhaps objects, from files. Out: the plan and the steps of each evaluation, on standard output. Must
//! never know: series, clusters.

mod namespaces;
mod objects;
mod plan;
mod tools;
mod verdict;

use celemetry_engine::explain::{Explanation, Skipped, Trace, explain as explained, trace};
use clap::ValueEnum;
use serde_json::Value;

use self::namespaces::{NamespaceTest, Namespaces};
use super::load::MetricsArgs;
use super::output::Profile;
use super::rbac::{Right, rights_of};
use super::{Status, output, report};
use crate::controller::{LowerOptions, Lowered, Objects};
use crate::run::engine_options;
use crate::run::stream::target_of;

/// Show what a Metric reads, watches and costs; with an object, why it counts or not, step by step
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    #[command(flatten)]
    metrics: MetricsArgs,
    /// Files or folders of objects: YAML, JSON, Lists; `-` is standard input
    #[arg(value_name = "OBJECT")]
    objects: Vec<String>,
    /// How it is printed
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    output: Format,
    /// Conventions that the Metrics are read by
    #[arg(long, value_name = "PROFILE", default_value = "native")]
    profile: Profile,
}

const EXAMPLES: &str = "\
Examples:
  # What does it read, what is it found by, which watch and which rights does it need?
  celemetry explain -f examples/busiest-nodes.yaml

  # Why does this Pod not count?
  kubectl get pod web-1 -o json | celemetry explain -f examples/busiest-nodes.yaml -";

/// How it is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// One document
    Json,
}

/// A Metric and what it will do.
#[derive(Debug)]
struct Explained {
    lowered: Lowered,
    explanation: Explanation,
    rights: Vec<Right>,
    objects: Vec<Verdict>,
}

/// An object and how it fares.
#[derive(Debug)]
struct Verdict {
    /// Whether it is of the kind that the Metric targets.
    is_targeted: bool,
    /// What `spec.namespaceSelector` says, if there is one.
    namespace: Option<NamespaceTest>,
    /// What only an API server can tell: `spec.fieldSelector`, if it is left to it.
    left_to_server: Option<String>,
    trace: Trace,
    /// What of it is not read.
    skipped: Vec<Skipped>,
}

/// Runs the command.
pub(super) fn explain(args: &Args) -> Status {
    match args.explain() {
        Ok(explained) => {
            let text = match args.output {
                Format::Text => explained.iter().map(print).collect::<Vec<_>>().join("\n"),
                Format::Json => tools::json(&explained),
            };
            output::write(text.as_bytes())
        }
        Err(status) => status,
    }
}

fn print(explained: &Explained) -> String {
    let mut out = plan::print(explained);
    for verdict in &explained.objects {
        out.push('\n');
        verdict::print(verdict, &mut out);
    }
    out
}

// === impl Args ===

impl Args {
    fn explain(&self) -> Result<Vec<Explained>, Status> {
        if self.metrics.use_stdin() && self.objects.iter().any(|path| path == "-") {
            report::say(
                "error: standard input can be read only once: name files for the Metrics or for the objects",
            );
            return Err(Status::Usage);
        }
        let options = LowerOptions {
            profile: self.profile.of_controller(),
            objects: Objects::Cluster,
            ..LowerOptions::default()
        };
        let profile = self.profile.of_export();
        let metrics = self.metrics.load_both(options, profile, engine_options(false))?;
        let objects = objects::read(&self.objects).map_err(|error| {
            report::say(&format!("error: {error}"));
            Status::Input
        })?;
        let namespaces = Namespaces::among(&objects);
        let mut all = vec![];
        for (lowered, declared) in metrics {
            // Loading has compiled it.
            let Ok(explanation) = explained(&lowered.definition) else { continue };
            let mut verdicts = vec![];
            for object in &objects {
                verdicts.push(verdict(&lowered, &explanation, object, &namespaces).map_err(|error| {
                    report::say(&format!("error: {error}"));
                    Status::Input
                })?);
            }
            all.push(Explained { rights: rights_of(&declared), lowered, explanation, objects: verdicts });
        }
        Ok(all)
    }
}

fn verdict(
    lowered: &Lowered,
    explanation: &Explanation,
    object: &Value,
    namespaces: &Namespaces,
) -> Result<Verdict, String> {
    let text = |name: &str| object[name].as_str().unwrap_or_default();
    let is_targeted = target_of(&lowered.target).matches(text("apiVersion"), text("kind"));
    // What the operator would be shown of it.
    let seen = if lowered.metadata_only { metadata_of(object) } else { object.clone() };
    let mut trace = trace(&lowered.definition, &seen).map_err(|error| error.to_string())?;
    let namespace = lowered.namespace_selector.as_ref().map(|selector| namespaces.test(selector, object));
    if namespace.as_ref().is_some_and(|test| test.holds == Some(false)) {
        // As where any other selector does not hold: nothing more is asked.
        trace = Trace { matched: false, filter: None, for_each: None, elements: vec![], ..trace };
    }
    let left_to_server = lowered.field_selector.clone();
    Ok(Verdict { is_targeted, namespace, left_to_server, trace, skipped: explanation.skipped(&seen) })
}

fn metadata_of(object: &Value) -> Value {
    let members = ["apiVersion", "kind", "metadata"].into_iter();
    let kept = members.filter_map(|name| Some((name.to_owned(), object.get(name)?.clone())));
    Value::Object(kept.collect())
}

//! `celemetry check`: whether Metrics and DataSinks work, before anything is applied.
//!
//! In: Metrics and DataSinks from files. Out: every error and every warning with its place in its file, and what each
//! Metric will cost, on standard output. Must never know: objects, clusters.

mod advice;
mod bounds;
mod identity;
mod names;
mod openapi;
mod partial;
mod people;
mod problem;
mod sinks;
mod tools;
mod units;
mod unknown;

use std::collections::BTreeSet;

use clap::ValueEnum;

use self::problem::{Problem, Sources};
use super::finding::{Finding, FindingKind};
use super::input::{parse_in_part, read_texts};
use super::load::{Findings, LEFT_OUT, MetricsArgs};
use super::output::Profile;
use super::{Status, kinds, output};
use crate::controller::schema::KnownKinds;
use crate::controller::{LowerOptions, Objects};
use crate::run::engine_options;

/// Compile Metrics and check DataSinks without a cluster: every error and warning, and what each Metric will cost
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    #[command(flatten)]
    metrics: MetricsArgs,
    /// Further files or folders of Metrics, so that `-f *.yaml` works
    #[arg(value_name = "METRICS")]
    more_metrics: Vec<String>,
    /// How the findings are printed
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    output: Format,
    /// Count these warnings as errors: of their kinds, those named, or `readings` and `schema`
    #[arg(
        long,
        value_name = "KINDS",
        value_delimiter = ',',
        num_args = 0..=1,
        require_equals = true,
        default_missing_values = ["readings", "schema"]
    )]
    strict: Vec<Strict>,
    /// An OpenAPI document of the API server with the kinds of the targets, as `kubectl get --raw /openapi/v3/apis/apps/v1`
    /// prints it. May be given several times
    #[arg(long, value_name = "FILE")]
    openapi: Vec<String>,
    /// Conventions that the Metrics are read by
    #[arg(long, value_name = "PROFILE", default_value = "native")]
    profile: Profile,
}

const EXAMPLES: &str = "\
Examples:
  # What is wrong, and where?
  celemetry check -f metrics/

  # In a pipeline of GitHub: findings become annotations of the lines that they are about
  celemetry check -f metrics/ -o github --strict=all

  # Fields of a custom kind are known from its definition
  celemetry check -f metrics/ -f crds/ --strict=schema

  # For an editor
  celemetry check -f - -o json <metric.yaml

Kinds of warnings:
  readings   a JSONPath that its two dialects, or metrics-operator, read
             differently
  field      a field of a Metric that does not exist, and so is ignored
  schema     what fits no object of its kind: a field that these do not
             have, a number that is compared with a text. Known are the
             kinds of Kubernetes, those of CustomResourceDefinitions among
             the files, and those of --openapi
  conflict   a name that another Metric has already
  unbounded  an attribute with a value of its own for nearly every object
  unit       a number without a unit, or with one that is not of UCUM
  name       a name that is not as OpenTelemetry's conventions have it
  cost       an expression that may need more steps than it may take
  other      anything else";

/// How findings are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people: the line, and a caret under the place
    Text,
    /// One document
    Json,
    /// Workflow commands, which GitHub shows beside the lines
    Github,
}

/// Warnings that count as errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Strict {
    Readings,
    Field,
    Schema,
    Conflict,
    Unbounded,
    Unit,
    Name,
    Cost,
    Other,
    All,
}

/// What a Metric will cost.
#[derive(Clone, Debug)]
struct Cost {
    /// `Metric/namespace/name`
    metric: String,
    /// The name of its series.
    name: String,
    /// Whether nothing is wrong with it; else the rest is about what is right of it.
    is_sound: bool,
    /// How many fields it reads.
    fields: usize,
    /// Steps for one object, where n is the length of lists.
    steps: String,
    /// The same for lists of ten.
    steps_at_ten: u64,
    /// Conditions that the index knows; of what is not sound, none.
    index: Vec<String>,
}

/// Everything that is to be printed.
#[derive(Debug)]
struct Report {
    problems: Vec<Problem>,
    costs: Vec<Cost>,
}

/// Runs the command.
pub(super) fn check(args: &Args) -> Status {
    let report = args.report();
    let text = match args.output {
        Format::Text => people::print(&report),
        Format::Json => tools::json(&report),
        Format::Github => tools::github(&report),
    };
    let printed = output::write(text.as_bytes());
    let is_refused = report.problems.iter().any(|problem| problem.is_error);
    if is_refused { Status::Input } else { printed }
}

// === impl Args ===

impl Args {
    fn report(&self) -> Report {
        let (mut documents, mut unread) = (vec![], vec![]);
        let mut sources = Sources::default();
        let paths = [&self.metrics.metrics[..], &self.more_metrics[..]].concat();
        for text in read_texts(&paths, &mut std::io::stdin().lock()) {
            let text = match text {
                Ok(text) => text,
                Err(error) => {
                    unread.push(error);
                    continue;
                }
            };
            let (found, error) = parse_in_part(&text.file, &text.bytes);
            documents.extend(found);
            unread.extend(error);
            sources.add(text);
        }
        let options = LowerOptions {
            profile: self.profile.of_controller(),
            objects: Objects::Cluster,
            ..LowerOptions::default()
        };
        let mut odd = vec![];
        let mut known = kinds::of_documents(&mut documents, &mut odd);
        let unusable = openapi::add(&self.openapi, &mut known);
        let mut findings = Findings::of(documents, options, self.profile.of_export(), engine_options(false));
        for conflict in findings.warnings.iter_mut().filter(|found| found.kind == FindingKind::Conflict) {
            conflict.message.push_str(&format!("; {LEFT_OUT}"));
        }
        findings.warnings.extend(odd);
        let costs = self.advise(&mut findings, &known);
        let unexportable = std::mem::take(&mut findings.unexportable).into_iter();
        findings.errors.extend(unexportable.map(|found| Finding { kind: FindingKind::Error, ..found }));
        findings.errors.extend(findings.sinks.iter().flat_map(sinks::errors));
        let identities = identities(&findings);
        findings.errors.extend(identities);
        let mut problems: Vec<Problem> = unread.iter().map(|error| sources.locate_input(error)).collect();
        problems.extend(unusable);
        if findings.declares_nothing() && unread.is_empty() {
            problems.push(Problem::of_everything(self.metrics.no_metric()));
        }
        let denied = self.denied();
        for finding in findings.errors.iter().chain(&findings.warnings) {
            let is_error = finding.kind == FindingKind::Error || denied.contains(&finding.kind);
            problems.push(sources.locate(finding, is_error));
        }
        problems.sort_by_key(|problem| sources.order(problem));
        Report { problems, costs }
    }

    /// Adds what only this command warns of, and says what each Metric costs.
    fn advise(&self, findings: &mut Findings, known: &KnownKinds) -> Vec<Cost> {
        let mut costs = vec![];
        let mut warnings: Vec<Finding> = vec![];
        let whole = findings.metrics.iter().zip(&findings.declared);
        let whole = whole.map(|((place, lowered), declared)| (place, lowered, declared, None));
        let rest = findings.remnants.iter();
        let rest =
            rest.map(|remnant| (&remnant.place, &remnant.lowered, &remnant.declared, Some(&remnant.lost)));
        for (place, lowered, declared, lost) in whole.chain(rest) {
            let Some((explanation, is_compiled)) = partial::explain(&lowered.definition) else { continue };
            let is_exportable = !findings.unexportable.iter().any(|found| found.place == *place);
            let is_sound = lost.is_none() && is_compiled && is_exportable;
            let mut found = advice::of(place, declared, lowered, &explanation, self.profile);
            if !lost.is_some_and(|lost| lost.affects("spec.target")) {
                found.extend(kinds::misfits(known, place, lowered));
                found.extend(unknown::of(known, place, &lowered.target));
            }
            found.retain(|finding| {
                let is_lost = lost.is_some_and(|lost| lost.affects(&finding.path));
                !is_lost && !findings.errors.iter().any(|error| error.covers(finding))
            });
            warnings.extend(found);
            // Of what is wrong everywhere nothing is left to be reckoned.
            if !is_sound && explanation.formulas.is_empty() {
                continue;
            }
            costs.push(Cost {
                metric: lowered.definition.info.source.clone(),
                name: lowered.definition.info.name.clone(),
                is_sound,
                fields: explanation.fields.len(),
                steps: explanation.estimate.to_string(),
                steps_at_ten: explanation.estimate.at(10),
                index: if is_sound { explanation.index } else { vec![] },
            });
        }
        findings.warnings.extend(warnings);
        costs
    }

    fn denied(&self) -> BTreeSet<FindingKind> {
        let kinds = |strict: &Strict| match strict {
            Strict::Readings => vec![FindingKind::Readings],
            Strict::Field => vec![FindingKind::Field],
            Strict::Schema => vec![FindingKind::Schema],
            Strict::Conflict => vec![FindingKind::Conflict],
            Strict::Unbounded => vec![FindingKind::Unbounded],
            Strict::Unit => vec![FindingKind::Unit],
            Strict::Name => vec![FindingKind::Name],
            Strict::Cost => vec![FindingKind::Cost],
            Strict::Other => vec![FindingKind::Other],
            Strict::All => FindingKind::WARNINGS.to_vec(),
        };
        self.strict.iter().flat_map(kinds).collect()
    }
}

/// What is wrong with the metadata of all that is declared.
fn identities(findings: &Findings) -> Vec<Finding> {
    let sound = findings.metrics.iter().map(|(place, _)| place).zip(&findings.declared);
    let rest = findings.remnants.iter().map(|remnant| (&remnant.place, &remnant.declared));
    let metrics =
        sound.chain(rest).flat_map(|(place, metric)| identity::errors(place, "Metric", &metric.metadata));
    let sinks = findings.sinks.iter();
    let sinks = sinks.flat_map(|placed| identity::errors(&placed.place, "DataSink", &placed.sink.metadata));
    metrics.chain(sinks).collect()
}

//! The Metrics that a command was given: read, lowered and compiled, with everything that is wrong said at once.
//!
//! In: files, folders, standard input. Out: lowered Metrics; problems and warnings on standard error, each with its
//! file and place. Must never know: objects, formats.

use std::collections::BTreeMap;
use std::io::Read;

use celemetry_engine::error::CompileError;
use celemetry_engine::snapshot::{MetricId, MetricShape};
use celemetry_engine::{Engine, Options};

use super::input::{Document, Place, read_documents};
use super::metrics::{Metrics, PlacedMetric, PlacedSink, read_metrics};
use super::{Status, report};
use crate::api;
use crate::controller::{LowerOptions, Lowered, lower_in_part};
use crate::export::conflict::{Claim, resolve};
use crate::export::profile::Profile;

/// Where Metrics come from, for all commands that take them.
#[derive(Debug, clap::Args)]
pub(super) struct MetricsArgs {
    /// File or folder of Metrics, YAML or JSON; `-` is standard input. May be given several times
    #[arg(short = 'f', long = "filename", value_name = "METRICS", required = true)]
    pub(super) metrics: Vec<String>,
}

/// What was found so far.
#[derive(Debug, Default)]
struct Findings {
    metrics: Vec<(Place, Lowered)>,
    /// The same as they were written.
    declared: Vec<api::Metric>,
    /// What is left of those with defects, to be compiled only for what else is wrong with them.
    remnants: Vec<(Place, Lowered)>,
    problems: Vec<String>,
}

/// What a conflict of names means for its loser.
const LEFT_OUT: &str = "its series are left out of /metrics and the formats prometheus, openmetrics and otlp, not of json and table";

// === impl MetricsArgs ===

impl MetricsArgs {
    /// Whether the Metrics come from standard input, so that nothing else can.
    pub(super) fn use_stdin(&self) -> bool {
        self.metrics.iter().any(|path| path == "-")
    }

    /// Reads, lowers and compiles every Metric.
    ///
    /// # Errors
    /// Where anything is wrong with any of them; all of it has been said.
    pub(super) fn load(
        &self,
        options: LowerOptions<'_>,
        profile: Profile,
        engine: Options,
    ) -> Result<Vec<Lowered>, Status> {
        let findings = self.find(options, profile, engine)?;
        Ok(findings.metrics.into_iter().map(|(_, lowered)| lowered).collect())
    }

    /// Reads every Metric as it was written, after it was checked as by [`load`](Self::load).
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub(super) fn load_declared(
        &self,
        options: LowerOptions<'_>,
        profile: Profile,
        engine: Options,
    ) -> Result<Vec<api::Metric>, Status> {
        Ok(self.find(options, profile, engine)?.declared)
    }

    fn find(&self, options: LowerOptions<'_>, profile: Profile, engine: Options) -> Result<Findings, Status> {
        let mut findings = Findings::default();
        let (documents, errors) =
            read_documents(&self.metrics, &mut std::io::stdin().lock() as &mut dyn Read);
        findings.problems.extend(errors.iter().map(ToString::to_string));
        findings.documents(documents, options);
        findings.compile(engine, profile);
        if findings.metrics.is_empty() && findings.problems.is_empty() {
            findings.problems.push(format!("{}: no Metric there", self.metrics.join(", ")));
        }
        for problem in &findings.problems {
            report::say(&format!("error: {problem}"));
        }
        if findings.problems.is_empty() { Ok(findings) } else { Err(Status::Input) }
    }
}

// === impl Findings ===

impl Findings {
    fn documents(&mut self, documents: Vec<Document>, options: LowerOptions<'_>) {
        let Metrics { metrics, sinks, notes, errors } = read_metrics(documents);
        warn(&notes);
        let unused = |sink: &PlacedSink| format!("{}: a DataSink has no meaning here, ignored", sink.place);
        warn(&sinks.iter().map(unused).collect::<Vec<_>>());
        self.problems.extend(errors);
        for PlacedMetric { place, metric } in metrics {
            let (lowered, errors) = lower_in_part(&metric, options);
            if errors.is_empty() {
                let located = |warning| format!("{place}: {warning}");
                warn(&lowered.warnings.iter().map(located).collect::<Vec<_>>());
                self.metrics.push((place, lowered));
                self.declared.push(metric);
            } else {
                self.refuse(&place, metric.metadata.name.as_deref(), &errors);
                self.remnants.push((place, lowered));
            }
        }
    }

    fn refuse(&mut self, place: &Place, name: Option<&str>, errors: &[CompileError]) {
        let name = name.filter(|name| !name.is_empty()).unwrap_or("without a name");
        self.problems.extend(errors.iter().map(|error| format!("{place}: Metric {name}: {error}")));
    }

    /// Compiles everything once before anything runs, so that all errors show together.
    fn compile(&mut self, options: Options, profile: Profile) {
        let mut engine = Engine::new(options);
        let source = engine.add_source();
        let mut compiled = BTreeMap::new();
        let mut refused = vec![];
        for (index, (place, lowered)) in self.metrics.iter().enumerate() {
            match engine.register(&lowered.definition, &[source]) {
                Ok(id) => drop(compiled.insert(id, index)),
                Err(errors) => {
                    refused.push((place.clone(), lowered.definition.info.object.clone(), errors));
                }
            }
        }
        for (place, lowered) in &self.remnants {
            if let Err(errors) = engine.register(&lowered.definition, &[source]) {
                refused.push((place.clone(), lowered.definition.info.object.clone(), errors));
            }
        }
        for (place, name, errors) in &refused {
            self.refuse(place, Some(name), errors);
        }
        self.warn_of_conflicts(&compiled, profile);
    }

    fn warn_of_conflicts(&self, compiled: &BTreeMap<MetricId, usize>, profile: Profile) {
        let claim = |(id, index): (&MetricId, &usize)| {
            let definition = &self.metrics[*index].1.definition;
            let value = definition.value.as_ref();
            let shape = value.map_or(MetricShape::CountOfObjects, |value| {
                MetricShape::Aggregate(value.kind, value.aggregation)
            });
            Claim { id: *id, info: &definition.info, shape, precedence: i64::from(*index as u32) }
        };
        let claims: Vec<_> = compiled.iter().map(claim).collect();
        for (id, conflict) in resolve(profile, &claims) {
            let place = &self.metrics[compiled[&id]].0;
            report::say(&format!("warning: {place}: NameConflict: {conflict}; {LEFT_OUT}"));
        }
    }
}

fn warn(notes: &[String]) {
    for note in notes {
        report::say(&format!("warning: {note}"));
    }
}

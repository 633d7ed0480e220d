//! The Metrics that a command was given: read, lowered and compiled, with everything that is wrong said at once.
//!
//! In: files, folders, standard input. Out: lowered Metrics; problems and warnings on standard error, each with its
//! file and place. Must never know: objects, formats.

use std::collections::BTreeMap;
use std::io::Read;

use celemetry_engine::error::CompileError;
use celemetry_engine::snapshot::{MetricId, MetricShape};
use celemetry_engine::{Engine, Options};

use super::finding::{Finding, FindingKind};
use super::input::{Document, InputError, Place, read_documents};
use super::metrics::{Lost, Metrics, PartlyRead, PlacedMetric, PlacedSink, read_metrics};
use super::{Status, kinds, report, secrets};
use crate::api;
use crate::controller::schema::KnownKinds;
use crate::controller::{LowerOptions, Lowered, Objects, lower_in_part};
use crate::export::conflict::{Claim, resolve};
use crate::export::profile::Profile;

/// Where Metrics come from, for all commands that take them.
#[derive(Debug, clap::Args)]
pub(super) struct MetricsArgs {
    /// File or folder of Metrics, YAML or JSON; `-` is standard input. May be given several times
    #[arg(short = 'f', long = "filename", value_name = "METRICS", required = true)]
    pub(super) metrics: Vec<String>,
}

/// What was read, and everything that is wrong with it or odd about it.
#[derive(Debug, Default)]
pub(super) struct Findings {
    /// What is sound.
    pub(super) metrics: Vec<(Place, Lowered)>,
    /// The same as they were written.
    pub(super) declared: Vec<api::Metric>,
    /// DataSinks, of which nothing is known but their shape.
    pub(super) sinks: Vec<PlacedSink>,
    /// What is left of those with defects, to be compiled only for what else can be said of them.
    pub(super) remnants: Vec<Remnant>,
    /// What could not be read at all.
    pub(super) unread: Vec<InputError>,
    pub(super) errors: Vec<Finding>,
    /// Names under which nothing can be exported: a Metric that has one is counted, and never Ready in a cluster.
    pub(super) unexportable: Vec<Finding>,
    pub(super) warnings: Vec<Finding>,
}

/// What could be made of a Metric with defects.
#[derive(Debug)]
pub(super) struct Remnant {
    pub(super) place: Place,
    pub(super) lowered: Lowered,
    pub(super) declared: api::Metric,
    /// What could not even be read of it.
    pub(super) lost: Lost,
}

/// What a conflict of names means for its loser.
pub(super) const LEFT_OUT: &str = "its series are left out of /metrics and the formats prometheus, openmetrics and otlp, not of json and table";

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
        let metrics = self.load_both(options, profile, engine)?;
        Ok(metrics.into_iter().map(|(lowered, _)| lowered).collect())
    }

    /// Both: what every Metric means, and how it was written.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub(super) fn load_both(
        &self,
        options: LowerOptions<'_>,
        profile: Profile,
        engine: Options,
    ) -> Result<Vec<(Lowered, api::Metric)>, Status> {
        let (mut findings, known) = self.find(options, profile, engine);
        let metrics = findings.metrics.iter();
        let misfits: Vec<_> =
            metrics.flat_map(|(place, lowered)| kinds::misfits(&known, place, lowered)).collect();
        findings.warnings.extend(misfits);
        self.sound(findings)
    }

    /// The same for a cluster, which knows best what objects its kinds have.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub(super) fn load_for_cluster(
        &self,
        options: LowerOptions<'_>,
        profile: Profile,
        engine: Options,
    ) -> Result<Vec<(Lowered, api::Metric)>, Status> {
        let (findings, _) = self.find(options, profile, engine);
        self.sound(findings)
    }

    fn find(&self, options: LowerOptions<'_>, profile: Profile, engine: Options) -> (Findings, KnownKinds) {
        let (mut documents, unread) =
            read_documents(&self.metrics, &mut std::io::stdin().lock() as &mut dyn Read);
        let mut odd = vec![];
        let known = kinds::of_documents(&mut documents, &mut odd);
        let mut findings = Findings { unread, ..Findings::of(documents, options, profile, engine) };
        findings.warnings.extend(odd);
        (findings, known)
    }

    /// Says everything, and gives the Metrics if nothing is wrong.
    fn sound(&self, findings: Findings) -> Result<Vec<(Lowered, api::Metric)>, Status> {
        for PlacedSink { place, .. } in &findings.sinks {
            report::say(&format!("warning: {place}: a DataSink has no meaning here, ignored"));
        }
        for warning in findings.warnings.iter().chain(&findings.unexportable) {
            let left_out =
                if warning.kind == FindingKind::Conflict { format!("; {LEFT_OUT}") } else { String::new() };
            report::say(&format!("warning: {warning}{left_out}"));
        }
        let unread = findings.unread.iter().map(ToString::to_string);
        let mut problems: Vec<String> =
            unread.chain(findings.errors.iter().map(ToString::to_string)).collect();
        if findings.metrics.is_empty() && problems.is_empty() {
            problems.push(self.no_metric());
        }
        for problem in &problems {
            report::say(&format!("error: {problem}"));
        }
        if !problems.is_empty() {
            return Err(Status::Input);
        }
        let Findings { metrics, declared, .. } = findings;
        Ok(metrics.into_iter().map(|(_, lowered)| lowered).zip(declared).collect())
    }

    /// What is said where nothing was found.
    pub(super) fn no_metric(&self) -> String {
        format!("{}: no Metric there", self.metrics.join(", "))
    }
}

// === impl Findings ===

impl Findings {
    /// Whether no document declares anything, not even wrongly.
    pub(super) fn declares_nothing(&self) -> bool {
        let is_sound = self.metrics.is_empty() && self.sinks.is_empty();
        is_sound && self.remnants.is_empty() && self.errors.is_empty()
    }

    /// Lowers and compiles every Metric of `documents`.
    pub(super) fn of(
        documents: Vec<Document>,
        options: LowerOptions<'_>,
        profile: Profile,
        engine: Options,
    ) -> Findings {
        let Metrics { metrics, partial, sinks, notes, errors } = read_metrics(documents);
        let mut findings = Findings { sinks, warnings: notes, errors, ..Findings::default() };
        for PlacedMetric { place, metric } in metrics {
            findings.lower(place, metric, options);
        }
        for partly in partial {
            findings.lower_rest(partly, options);
        }
        findings.compile(engine, profile);
        if options.objects == Objects::Input {
            findings.keep_secrets();
        }
        findings
    }

    fn lower(&mut self, place: Place, metric: api::Metric, options: LowerOptions<'_>) {
        let (lowered, errors) = lower_in_part(&metric, options);
        self.warnings.extend(lowered.warnings.iter().map(|warning| Finding::of_warning(&place, warning)));
        if errors.is_empty() {
            self.metrics.push((place, lowered));
            self.declared.push(metric);
        } else {
            self.refuse(&place, metric.metadata.name.as_deref(), &errors);
            self.remnants.push(Remnant { place, lowered, declared: metric, lost: Lost::default() });
        }
    }

    /// Lowers what could be read of a Metric; what is only so because of what could not is not said.
    fn lower_rest(&mut self, PartlyRead { place, metric, lost }: PartlyRead, options: LowerOptions<'_>) {
        let (mut lowered, mut errors) = lower_in_part(&metric, options);
        errors.retain(|error| !lost.affects(&error.place));
        let warnings = lowered.warnings.iter().filter(|warning| !lost.affects(&warning.place));
        self.warnings.extend(warnings.map(|warning| Finding::of_warning(&place, warning)));
        self.refuse(&place, metric.metadata.name.as_deref(), &errors);
        if lost.affects("spec.forEach") {
            // What these say of an element cannot be told without it.
            lowered.definition.projections.clear();
            lowered.definition.value = None;
        }
        self.remnants.push(Remnant { place, lowered, declared: metric, lost });
    }

    fn refuse(&mut self, place: &Place, name: Option<&str>, errors: &[CompileError]) {
        let name = name.filter(|name| !name.is_empty()).unwrap_or("without a name");
        let subject = format!("Metric {name}");
        self.errors.extend(errors.iter().map(|error| Finding::of_compiling(place, subject.clone(), error)));
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
        for Remnant { place, lowered, lost, .. } in &self.remnants {
            if let Err(mut errors) = engine.register(&lowered.definition, &[source]) {
                errors.retain(|error| !lost.affects(&error.place));
                refused.push((place.clone(), lowered.definition.info.object.clone(), errors));
            }
        }
        for (place, name, errors) in &refused {
            self.refuse(place, Some(name), errors);
        }
        self.find_conflicts(&compiled, profile);
    }

    /// Refuses what reads more of Secrets than an operator would.
    fn keep_secrets(&mut self) {
        let over_secrets = self.metrics.iter().filter(|(_, lowered)| lowered.target.are_secrets());
        let refused: Vec<_> = over_secrets
            .map(|(place, lowered)| {
                let definition = &lowered.definition;
                (place.clone(), definition.info.object.clone(), secrets::read_by(definition))
            })
            .collect();
        for (place, name, errors) in &refused {
            self.refuse(place, Some(name), errors);
        }
    }

    fn find_conflicts(&mut self, compiled: &BTreeMap<MetricId, usize>, profile: Profile) {
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
            let (place, lowered) = &self.metrics[compiled[&id]];
            let found = |reason: &str| {
                Finding::new(FindingKind::Conflict, place, "spec.name", format!("{reason}: {conflict}"))
            };
            if conflict.is_of_the_name_alone() {
                let subject = Some(format!("Metric {}", lowered.definition.info.object));
                self.unexportable.push(Finding { subject, ..found("InvalidMetricName") });
            } else {
                self.warnings.push(found("NameConflict"));
            }
        }
    }
}

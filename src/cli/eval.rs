//! `celemetry eval`: objects to series, once.
//!
//! In: Metrics and objects. Out: series and errors. Must never know: time, channels, networks.
//!
//! Evaluated without the index, so that every expression is tried on every object, and every error shows.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::ops::ControlFlow;
use std::time::{Instant, SystemTime};

use celemetry_engine::snapshot::MetricId;
use celemetry_engine::{Engine, Options};

use super::errors::ErrorLog;
use super::load::MetricsArgs;
use super::objects::read_objects;
use super::output::{Format, OutputArgs};
use super::report::RateLimit;
use super::{Status, report};
use crate::cluster::router::{Outbox, Route, Router};
use crate::cluster::stream::{Placed, Sink, StreamError};
use crate::controller::Lowered;
use crate::run::engine_options;
use crate::run::stream::{sources_by_target, target_of};

/// Evaluate Metrics over objects once and print the series
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    #[command(flatten)]
    metrics: MetricsArgs,
    /// Files or folders of objects: YAML, JSON, Lists, watch events; `-` is standard input [default: -]
    #[arg(value_name = "OBJECTS")]
    objects: Vec<String>,
    #[command(flatten)]
    output: OutputArgs,
}

const EXAMPLES: &str = "\
Examples:
  # What kubectl prints, as a table
  kubectl get pods -A -o json | celemetry eval -f examples/pods-by-phase.yaml -o table

  # Manifests that were never applied
  celemetry eval -f metrics/ deploy/

  # A test: no expression may fail
  celemetry eval -f metrics/ --fail-on-error fixtures/*.yaml";

/// Runs the command.
pub(super) fn eval(args: &Args) -> Status {
    match args.evaluate() {
        Ok(status) | Err(status) => status,
    }
}

// === impl Args ===

impl Args {
    fn evaluate(&self) -> Result<Status, Status> {
        let started = SystemTime::now();
        let objects = self.objects()?;
        let options = engine_options(false);
        let metrics = self.metrics.load(self.output.lowering(), self.output.profile.of_export(), options)?;
        let mut evaluation = Evaluation::new(options, metrics);
        evaluation.objects(&objects)?;
        for line in report::of_counts(evaluation.router.counts()) {
            report::say(&line);
        }
        let snapshot = evaluation.engine.flush_all();
        evaluation.warn_of_overflow();
        let errors = evaluation.log.records();
        if self.output.format() != Format::Json {
            report::errors(&errors);
        }
        let printed = self.output.print(&snapshot, &errors, started);
        Ok(if evaluation.failed { Status::Input } else { printed })
    }

    fn objects(&self) -> Result<Vec<String>, Status> {
        let objects = if self.objects.is_empty() { vec!["-".to_owned()] } else { self.objects.clone() };
        let reads = objects.iter().filter(|path| *path == "-").count();
        let wrong = if reads + usize::from(self.metrics.use_stdin()) > 1 {
            "standard input can be read only once: name files for the Metrics or for the objects"
        } else if self.objects.is_empty() && std::io::stdin().is_terminal() {
            "no objects: name files or folders, or pipe objects into standard input"
        } else {
            return Ok(objects);
        };
        report::say(&format!("error: {wrong}"));
        Err(Status::Usage)
    }
}

/// An engine and the way of objects into it.
struct Evaluation {
    engine: Engine,
    router: Router,
    /// The metrics, and the objects that declare them.
    metrics: Vec<(MetricId, String)>,
    log: ErrorLog,
    out: Outbox,
    limit: RateLimit,
    /// What the ERROR event said that was taken last, until it is told.
    reported: Option<String>,
    /// Whether an input ended in an ERROR event.
    failed: bool,
}

// === impl Evaluation ===

impl Evaluation {
    /// Invariant: the metrics compile, since they have been compiled before.
    fn new(options: Options, metrics: Vec<Lowered>) -> Self {
        let mut engine = Engine::new(options);
        let mut log = ErrorLog::new(usize::MAX);
        let mut names = vec![];
        let targets = sources_by_target(&metrics);
        let sources: BTreeMap<_, _> =
            targets.into_iter().map(|target| (target, engine.add_source())).collect();
        for metric in metrics {
            let source = sources[&target_of(&metric.target)];
            let name = metric.definition.info.source.clone();
            if let Ok(id) = engine.register(&metric.definition, &[source]) {
                log.name(id, &name);
                names.push((id, name));
            }
        }
        let mut route = |(target, source)| Some(Route { target, source, plan: engine.field_plan(source)? });
        let router = Router::new(sources.into_iter().filter_map(&mut route).collect());
        Evaluation {
            engine,
            router,
            metrics: names,
            log,
            out: Outbox::default(),
            limit: RateLimit::new(),
            reported: None,
            failed: false,
        }
    }

    fn objects(&mut self, paths: &[String]) -> Result<(), Status> {
        self.router.begin(&mut self.out);
        if let Err(error) = read_objects(paths, self) {
            report::say(&format!("error: {error}"));
            return Err(Status::Input);
        }
        self.router.complete(&mut self.out);
        self.apply();
        Ok(())
    }

    fn warn_of_overflow(&self) {
        for (metric, name) in &self.metrics {
            if self.engine.status(*metric).is_some_and(|status| status.beyond_64_bits) {
                report::say(&report::beyond_64_bits(name));
            }
        }
    }

    fn apply(&mut self) {
        for (source, change) in self.out.changes.drain(..) {
            self.log.applying(source, &change);
            self.engine.apply(source, change, &mut |failure| drop(self.log.note(failure)));
        }
    }
}

impl Sink for Evaluation {
    fn document(&mut self, document: &[u8]) -> ControlFlow<(), bool> {
        let flow = self.router.document(document, &mut self.out);
        self.apply();
        match flow {
            ControlFlow::Continue(()) => ControlFlow::Continue(!self.out.notices.is_empty()),
            ControlFlow::Break(message) => {
                self.reported = Some(message);
                ControlFlow::Break(())
            }
        }
    }

    fn place(&mut self, input: &str, line: u64) {
        for notice in self.out.notices.drain(..) {
            if self.limit.allows(Instant::now()) {
                let input = input.to_owned();
                report::say(&format!("warning: {}", Placed { input, line, notice }));
            }
        }
        if let Some(message) = self.reported.take() {
            self.failed = true;
            let error = StreamError::Reported { input: input.to_owned(), message };
            report::say(&format!("error: {error}"));
        }
    }
}

//! `celemetry run`: Metrics from files over a stream of objects, for as long as it lasts.
//!
//! In: Metrics and a stream of watch events. Out: `/metrics`, what changes on standard error, at the end the series on
//! standard output. Must never know: how anything is done.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use celemetry_engine::Failure;
use celemetry_engine::change::{Change, SourceId};
use celemetry_engine::snapshot::Snapshot;
use tokio::sync::{mpsc, watch};

use super::errors::ErrorLog;
use super::follow::{self, ClusterArgs};
use super::listen::ListenArgs;
use super::live::Live;
use super::load::MetricsArgs;
use super::output::OutputArgs;
use super::report::RateLimit;
use super::signals::Signals;
use super::values::duration;
use super::{Status, report};
use crate::admin::Server;
use crate::cluster::stream::{Input, Opened, Placed, StreamError, Summary};
use crate::controller::Lowered;
use crate::coordinator::FailureListener;
use crate::run::engine_options;
use crate::run::stream::{Running, Settings, StreamTask, start};

/// Keep Metrics up to date over a stream of watch events, show them and serve them to Prometheus
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    #[command(flatten)]
    metrics: MetricsArgs,
    /// Further files or folders of Metrics, so that `-f *.yaml` works
    #[arg(value_name = "METRICS")]
    more_metrics: Vec<String>,
    /// File or pipe of watch events, lists or objects; `-` is standard input [default: the kubeconfig's cluster]
    #[arg(long, value_name = "FILE")]
    events: Option<String>,
    #[command(flatten)]
    pub(super) listen: ListenArgs,
    /// The first list counts as complete after this long without input; also at the first MODIFIED or DELETED event, and
    /// after ten times this long at the latest
    #[arg(long, value_name = "DURATION", default_value = "1s", value_parser = duration)]
    sync_after: Duration,
    /// Go on serving after the end of the input, until SIGINT or SIGTERM
    #[arg(long)]
    linger: bool,
    /// Every series is sent again at least this often
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = duration)]
    pub(super) heartbeat: Duration,
    #[command(flatten)]
    pub(super) cluster: ClusterArgs,
    #[command(flatten)]
    pub(super) output: OutputArgs,
}

const EXAMPLES: &str = "\
Examples:
  # Your own cluster's numbers, live; nothing is installed there
  celemetry run -f examples/

  # The same from what kubectl sees
  kubectl get pods -A -o json --watch --output-watch-events | celemetry run -f examples/pods-by-phase.yaml --events -

  # A recorded stream: the series at its end
  celemetry run -f examples/pods-by-phase.yaml --events examples/events/shop.jsonl -o table

  # The same, served until Ctrl-C
  celemetry run -f examples/ --events examples/events/shop.jsonl --linger";

/// Expressions and objects whose failures are kept for the end; further ones are counted.
const MAX_ERRORS: usize = 10_000;

/// Notices that may wait to be said; further ones are dropped, and counted at the end.
const NOTICE_CAPACITY: usize = 64;

/// Failures and notices, shared by the tasks that meet them.
struct Told {
    log: Mutex<ErrorLog>,
    limit: Mutex<RateLimit>,
    live: Live,
    started: SystemTime,
}

/// Passes on what the coordinator tells.
struct Listener(Arc<Told>);

/// Why the command stopped waiting.
enum End {
    /// The end of the input. It is `None` where the task that read it panicked.
    Input(Option<Summary>),
    Signal,
}

/// Runs the command.
pub(super) fn run(args: &Args) -> Status {
    let metrics = MetricsArgs { metrics: [&args.metrics.metrics[..], &args.more_metrics].concat() };
    let Some(events) = &args.events else { return follow::follow(args, &metrics, &args.cluster) };
    if events == "-" && metrics.use_stdin() {
        report::say("error: standard input cannot hold both the Metrics and the events");
        return Status::Usage;
    }
    let loaded = metrics.load(args.output.lowering(), args.output.profile.of_export(), engine_options(true));
    let metrics = match loaded {
        Ok(metrics) => metrics,
        Err(status) => return status,
    };
    let input = Input::new(events);
    let opened = match input.open() {
        Ok(opened) => opened,
        Err(error) => {
            report::say(&format!("error: {error}"));
            return Status::Input;
        }
    };
    match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(args.drive(&input, opened, metrics)),
        Err(error) => {
            report::say(&format!("error: cannot start: {error}"));
            Status::Input
        }
    }
}

// === impl Args ===

impl Args {
    async fn drive(&self, input: &Input, opened: Opened, metrics: Vec<Lowered>) -> Status {
        let server = match self.listen.bind().await {
            Ok(server) => server,
            Err(status) => return status,
        };
        let live = Live::start(self.title(input, server.as_ref()));
        let told = Arc::new(Told::new(live.clone()));
        let sources: Vec<_> = metrics.iter().map(|m| m.definition.info.source.clone()).collect();
        let (notices, inbox) = mpsc::channel(NOTICE_CAPACITY);
        let listener = Arc::clone(&told);
        let started = start(Settings {
            metrics,
            heartbeat: self.heartbeat,
            server,
            profile: self.output.profile.of_export(),
            failures: Box::new(Listener(listener)),
        });
        let running = match started.await {
            Ok(running) => running,
            Err(error) => {
                live.finish(Arc::default());
                report::say(&format!("error: {error}"));
                return Status::Input;
            }
        };
        for (metric, source) in running.metrics.iter().zip(&sources) {
            told.log().name(*metric, source);
        }
        let notices_told = tokio::spawn(Arc::clone(&told).pass_on(inbox));
        tokio::spawn(show(running.snapshots(), live.clone()));
        let mut stream = running.read(opened, self.sync_after, notices);
        let end = self.wait(&running, &mut stream, &live).await;
        stream.abort();
        // The sender is gone with the stream. A task that panicked has told what it could.
        let _ = notices_told.await;
        let beyond = beyond_64_bits(&running, &sources).await;
        let last = running.finish().await;
        live.finish(Arc::clone(&last));
        beyond.iter().for_each(|line| report::say(line));
        self.conclude(end, &last, &told)
    }

    fn title(&self, input: &Input, server: Option<&Server>) -> String {
        let served = server.map(|server| format!(" · http://{}/metrics", server.address()));
        format!("celemetry · {}{}", input.name(), served.unwrap_or_default())
    }

    /// Waits for the end of the input, and with `--linger` on; or for a signal.
    async fn wait(&self, running: &Running, stream: &mut StreamTask, live: &Live) -> End {
        let mut signals = Signals::new();
        let summary = tokio::select! {
            end = stream => end.ok(),
            () = signals.next() => return End::Signal,
        };
        if self.linger && running.flush().await.is_ok() {
            if let Some(error) = summary.as_ref().and_then(|summary| summary.failure.as_ref()) {
                // Where there is no room for it now, it is said at the end all the same.
                live.say(&format!("error: {error}; what came before is still served"));
            }
            signals.next().await;
        }
        End::Input(summary)
    }

    /// Says how it went, prints the series and gives the exit status.
    fn conclude(&self, end: End, last: &Snapshot, told: &Told) -> Status {
        let input = match end {
            End::Signal => Status::Success,
            End::Input(None) => {
                report::say("error: reading the input broke off");
                Status::Input
            }
            End::Input(Some(summary)) => {
                report::of_counts(&summary.counts).iter().for_each(|line| report::say(line));
                match &summary.failure {
                    None => Status::Success,
                    Some(error) => {
                        report::say(&format!("error: {error}{}", hint(error)));
                        Status::Input
                    }
                }
            }
        };
        let log = told.log();
        if log.left_out() > 0 {
            report::say(&format!("{} further failures of expressions are not shown", log.left_out()));
        }
        let unsaid = told.limit.lock().unwrap_or_else(PoisonError::into_inner).left_out();
        if unsaid > 0 {
            report::say(&format!("{unsaid} further warnings are not shown"));
        }
        let printed = self.output.print(last, &log.records(), told.started);
        if input == Status::Success { printed } else { input }
    }
}

/// Warnings about sums, once everything that was read is applied.
async fn beyond_64_bits(running: &Running, sources: &[String]) -> Vec<String> {
    // A coordinator that has ended has no status either.
    let _ = running.flush().await;
    let mut lines = vec![];
    for (metric, source) in running.metrics.iter().zip(sources) {
        if running.status(*metric).await.is_some_and(|status| status.beyond_64_bits) {
            lines.push(report::beyond_64_bits(source));
        }
    }
    lines
}

/// What an author of events may not know.
fn hint(error: &StreamError) -> &'static str {
    match error {
        StreamError::Malformed { .. } => "; events must be JSON, `celemetry eval` reads YAML too",
        _ => "",
    }
}

/// Shows snapshots until there are none any more.
pub(super) async fn show(mut snapshots: watch::Receiver<Arc<Snapshot>>, live: Live) {
    while snapshots.changed().await.is_ok() {
        let snapshot = Arc::clone(&snapshots.borrow_and_update());
        live.show(snapshot);
    }
}

// === impl Listener, Told ===

impl FailureListener for Listener {
    fn applying(&mut self, source: SourceId, change: &Change) {
        self.0.log().applying(source, change);
    }

    fn failed(&mut self, failure: &Failure<'_>) {
        let line = self.0.log().note(failure);
        self.0.say(line);
    }
}

impl Told {
    fn new(live: Live) -> Self {
        Told {
            log: Mutex::new(ErrorLog::new(MAX_ERRORS)),
            limit: Mutex::new(RateLimit::new()),
            live,
            started: SystemTime::now(),
        }
    }

    /// A task that panicked while it held the log has left it whole.
    fn log(&self) -> std::sync::MutexGuard<'_, ErrorLog> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says a line, within the limit. Does not block.
    fn say(&self, line: Option<String>) {
        let mut limit = self.limit.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(line) = line
            && limit.allows(Instant::now())
        {
            self.live.say(&line);
        }
    }

    async fn pass_on(self: Arc<Self>, mut notices: mpsc::Receiver<Placed>) {
        while let Some(notice) = notices.recv().await {
            self.say(Some(format!("warning: {notice}")));
        }
    }
}

//! `celemetry demo`: the main job with no cluster.
//!
//! In: how large a cluster, how fast, for how long. Out: a live table, `/metrics`, at the end the series on standard
//! output and whether they are true. Must never know: how anything is done.

mod audit;
mod feed;
mod truth;
mod verdict;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use celemetry_engine::Failure;
use celemetry_engine::change::{Change, SourceId};
use celemetry_engine::snapshot::Snapshot;
use clap::value_parser;
use tokio::sync::{mpsc, watch};
use tokio::time::{MissedTickBehavior, interval};

use self::audit::{Audit, Tally};
use self::feed::{Pace, Progress, Stage, feed};
use self::truth::{METRICS, truth};
use self::verdict::differences;
use super::listen::ListenArgs;
use super::live::Live;
use super::run::show;
use super::signals::Signals;
use super::values::duration;
use super::{Status, output, report};
use crate::apiserver::{KUBECONFIG_HEAD, Server, Store};
use crate::cli::input::parse_documents;
use crate::cli::metrics::read_metrics;
use crate::cluster::stream::{Opened, Summary};
use crate::controller::{self, LowerOptions, Lowered};
use crate::coordinator::FailureListener;
use crate::export::profile::Profile;
use crate::export::table::write_table;
use crate::run::stream::{Running, Settings, start};
use crate::simulator::{self, Cluster};

/// Show Metrics at work over a simulated cluster, without any other
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// About how many objects there are
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = value_parser!(u64).range(Cluster::MIN_OBJECTS..=MOST_OBJECTS))]
    objects: u64,
    /// How many watch events there are each second; simulated time goes as fast as that takes
    #[arg(long, value_name = "EVENTS_PER_SECOND", default_value_t = 200, value_parser = value_parser!(u64).range(1..=1_000_000))]
    rate: u64,
    /// End after this long [default: at SIGINT or SIGTERM]
    #[arg(long = "for", value_name = "DURATION", value_parser = duration)]
    length: Option<Duration>,
    /// What chance does: with the same seed, objects, rate and duration the end is the same
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Serve the simulated cluster as an API server on loopback, and write a kubeconfig for it to this file
    #[arg(long, value_name = "FILE")]
    write_kubeconfig: Option<PathBuf>,
    #[command(flatten)]
    listen: ListenArgs,
}

const EXAMPLES: &str = "\
Pods, Deployments, ReplicaSets, Nodes, Jobs, namespaces and a custom resource come, change and go inside this process. Their \
watch events take the way that those of `celemetry run --events` take. At the end every series is compared with the \
simulated objects, counted by other means; exit status 1 if one differs.

Examples:
  # A live table until Ctrl-C
  celemetry demo

  # The same numbers each time
  celemetry demo --objects 200 --rate 500 --for 5s --seed 7

  # Under load
  celemetry demo --objects 100000 --rate 50000 --for 30s

  # What Prometheus would scrape meanwhile
  curl http://127.0.0.1:9464/metrics

  # Your own Metrics over the simulated cluster, and a look at it
  celemetry demo --write-kubeconfig demo.kubeconfig
  celemetry run -f examples/ --kubeconfig demo.kubeconfig --listen 127.0.0.1:9465
  kubectl --kubeconfig demo.kubeconfig get pods --watch";

/// Beyond this memory and patience would end.
const MOST_OBJECTS: u64 = 1_000_000;

/// Where the machine is too slow for the rate it may take this much longer than asked for, or twice as long.
const PATIENCE: Duration = Duration::from_secs(10);

/// Events that the API server remembers, 60 MB of them: whoever falls further behind has to list again.
const HISTORY: usize = 10_000;

/// How often the title tells how far it is.
const TITLE_EVERY: Duration = Duration::from_millis(500);

/// Differences that are named; the others are counted.
const DIFFERENCES_NAMED: usize = 10;

/// Counts expressions that have no value for an object: none of the demo's may.
struct Failures(Arc<AtomicU64>);

/// What heads the table.
struct Titles {
    stage: Stage,
    tally: watch::Receiver<Tally>,
    live: Live,
    served: String,
}

/// Runs the command.
pub(super) fn demo(args: &Args) -> Status {
    let metrics = match metrics() {
        Ok(metrics) => metrics,
        Err(problem) => {
            report::say(&format!("error: {problem}"));
            return Status::Input;
        }
    };
    match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => match runtime.block_on(args.drive(metrics)) {
            Ok(status) | Err(status) => status,
        },
        Err(error) => {
            report::say(&format!("error: cannot start: {error}"));
            Status::Input
        }
    }
}

/// The demo's Metrics, which are part of the binary.
fn metrics() -> Result<Vec<Lowered>, String> {
    let mut lowered = vec![];
    for (file, text) in METRICS {
        let documents = parse_documents(file, text.as_bytes()).map_err(|error| error.to_string())?;
        let read = read_metrics(documents);
        if let Some(error) = read.errors.into_iter().next() {
            return Err(error.to_string());
        }
        for placed in read.metrics {
            let metric = controller::lower(&placed.metric, LowerOptions::default());
            lowered.push(metric.map_err(|errors| format!("{file}: {errors:?}"))?);
        }
    }
    Ok(lowered)
}

// === impl Args ===

impl Args {
    async fn drive(&self, metrics: Vec<Lowered>) -> Result<Status, Status> {
        let api_server = serve_cluster(self.write_kubeconfig.as_deref()).await?;
        let server = self.listen.bind().await?;
        let served = server.as_ref().map(|server| format!(" · http://{}/metrics", server.address()));
        let served = served.unwrap_or_default();
        let live = Live::start(format!("celemetry demo{served}"));
        let failures = Arc::new(AtomicU64::new(0));
        let settings = Settings {
            metrics,
            heartbeat: Duration::from_secs(60),
            server,
            profile: Profile::Native,
            failures: Box::new(Failures(Arc::clone(&failures))),
        };
        let running = start(settings).await.map_err(|error| {
            live.finish(Arc::default());
            report::say(&format!("error: {error}"));
            Status::Input
        })?;
        let cluster = Cluster::new(simulator::Settings { objects: self.objects, seed: self.seed });
        let store = Arc::new(Store::new(cluster, if api_server.is_some() { HISTORY } else { 0 }));
        if let Some(api_server) = api_server {
            // It ends with the process, and every watch with it.
            tokio::spawn(api_server.serve(Arc::clone(&store)));
        }
        let (feed, stage) = feed(store, self.pace());
        tokio::spawn(show(running.snapshots(), live.clone()));
        let (ending, ended) = watch::channel(false);
        let audit = Audit::new(running.auditor(), stage.clone(), self.seed);
        let tally = audit.tally();
        let auditing = tokio::spawn(audit.run(ended));
        let titles = Titles { stage: stage.clone(), tally, live: live.clone(), served };
        let titles = tokio::spawn(self.clone().tell_progress(titles));
        let summary = read(&running, Opened::new("the simulated cluster", feed), &stage).await;
        titles.abort();
        ending.send_replace(true);
        // Everything that was read is applied by then; a coordinator that has ended shows in what it says.
        let _ = running.flush().await;
        let audited = match auditing.await {
            Ok(audit) => Some(audit.conclude().await),
            Err(_) => None,
        };
        let progress = stage.progress();
        let last = running.finish().await;
        live.finish(Arc::clone(&last));
        let is_sound = is_sound(summary.as_ref(), failures.load(Ordering::Relaxed));
        let is_sound = is_right(audited.as_ref()) && is_sound;
        Ok(self.conclude(&stage, progress, &last, is_sound))
    }

    fn pace(&self) -> Pace {
        let events = |length: Duration| {
            u64::try_from(length.as_millis() * u128::from(self.rate) / 1_000).unwrap_or(u64::MAX)
        };
        Pace {
            rate: self.rate,
            events: self.length.map(events),
            patience: self.length.map(|length| length.saturating_add(length.max(PATIENCE))),
        }
    }

    /// Heads the table with how far the demo is, until it is aborted.
    async fn tell_progress(self, titles: Titles) {
        let Titles { stage, tally, live, served } = titles;
        let mut ticks = interval(TITLE_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut before = stage.progress();
        loop {
            ticks.tick().await;
            let now = stage.progress();
            let audited = tally.borrow().compared;
            live.head(format!("celemetry demo · {} · {audited} audited{served}", self.title(before, now)));
            before = now;
        }
    }

    fn title(&self, before: Progress, now: Progress) -> String {
        let seconds = (now.elapsed - before.elapsed).as_secs_f64();
        let rate = (now.events - before.events) as f64 / seconds.max(0.001);
        let length = self.length.map_or(String::new(), |length| format!(" of {}s", length.as_secs()));
        let (objects, elapsed) = (now.objects, now.elapsed.as_secs());
        format!("{objects} objects · {rate:.0} events/s · {elapsed}s{length}")
    }

    /// Prints the series, and whether they are true.
    fn conclude(&self, stage: &Stage, progress: Progress, last: &Snapshot, is_sound: bool) -> Status {
        let found = differences(last, &stage.look(truth));
        let Progress { events, objects, elapsed } = progress;
        let seconds = elapsed.as_secs_f64();
        let rate = events as f64 / seconds.max(0.001);
        report::say(&format!("{events} events in {seconds:.1} s, {rate:.0} a second"));
        if self.pace().patience.is_some_and(|patience| elapsed >= patience) {
            report::say("warning: ended early: this machine is too slow for the rate asked for");
        }
        let mut out = String::new();
        write_table(last, &mut out);
        if found.is_empty() && is_sound {
            let series: usize = last.metrics.values().map(|table| table.len()).sum();
            let counts = format!("{events} events, {objects} objects, {series} series");
            out += &format!("\n{counts}: equal to the cluster's truth\n");
            return output::write(out.as_bytes());
        }
        let printed = output::write(out.as_bytes());
        for difference in found.iter().take(DIFFERENCES_NAMED) {
            report::say(&format!("error: {difference}"));
        }
        let more = found.len().saturating_sub(DIFFERENCES_NAMED);
        if more > 0 {
            report::say(&format!("error: {more} further differences"));
        }
        if printed == Status::Success { Status::Input } else { printed }
    }
}

/// An API server on a free port, and a kubeconfig for it, where that is wanted.
async fn serve_cluster(file: Option<&Path>) -> Result<Option<Server>, Status> {
    let Some(file) = file else { return Ok(None) };
    let refuse = |problem: String| {
        report::say(&format!("error: {problem}"));
        Status::Usage
    };
    let any_port = SocketAddr::from(([127, 0, 0, 1], 0));
    let server = Server::bind(any_port).await.map_err(|error| refuse(error.to_string()))?;
    // Somebody's credentials may be there.
    let is_foreign = |text: String| !text.starts_with(KUBECONFIG_HEAD);
    if file.exists() && std::fs::read_to_string(file).map_or(true, is_foreign) {
        return Err(refuse(format!("{}: is there, and was not written by a demo", file.display())));
    }
    std::fs::write(file, server.kubeconfig())
        .map_err(|error| refuse(format!("{}: {error}", file.display())))?;
    report::say(&format!("serving the simulated cluster at http://{}", server.address()));
    Ok(Some(server))
}

/// Reads to the end, which a signal brings about early. `None` where the task that read has panicked.
async fn read(running: &Running, input: Opened, stage: &Stage) -> Option<Summary> {
    // Nothing is odd about the simulator's events; if it were, the summary would count it.
    let (notices, _) = mpsc::channel(1);
    let mut signals = Signals::new();
    let mut stream = running.read(input, Duration::MAX, notices);
    tokio::select! {
        end = &mut stream => return end.ok(),
        () = signals.next() => stage.end(),
    }
    tokio::select! {
        end = stream => end.ok(),
        () = signals.next() => None,
    }
}

/// Says what was odd on the way, and whether nothing was.
fn is_sound(summary: Option<&Summary>, failures: u64) -> bool {
    let Some(summary) = summary else {
        report::say("error: reading the simulated cluster broke off");
        return false;
    };
    let problems = report::of_counts(&summary.counts);
    problems.iter().for_each(|line| report::say(&format!("error: {line}")));
    if let Some(error) = &summary.failure {
        report::say(&format!("error: {error}"));
    }
    if failures > 0 {
        report::say(&format!("error: expressions failed {failures} times"));
    }
    problems.is_empty() && summary.failure.is_none() && failures == 0
}

/// Says how many objects were looked at again, and whether each gives what is held of it.
fn is_right(audited: Option<&Tally>) -> bool {
    let Some(Tally { compared, at_last, wrong }) = audited else {
        report::say("error: looking at objects again broke off");
        return false;
    };
    // What was right on the way may be wrong at the end.
    if *at_last == 0 {
        report::say("error: no object could be looked at again at the end");
        return false;
    }
    if wrong.is_empty() {
        report::say(&format!("{compared} objects looked at again: each gives what is held of it"));
    }
    for object in wrong.iter().take(DIFFERENCES_NAMED) {
        report::say(&format!("error: {object} gives something else than what is held of it"));
    }
    if wrong.len() > DIFFERENCES_NAMED {
        report::say(&format!("error: so do {} further objects", wrong.len() - DIFFERENCES_NAMED));
    }
    wrong.is_empty()
}

// === impl Failures ===

impl FailureListener for Failures {
    fn applying(&mut self, _: SourceId, _: &Change) {}

    fn failed(&mut self, _: &Failure<'_>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests;

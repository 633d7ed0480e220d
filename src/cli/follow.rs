//! `celemetry run` without a stream: Metrics from files over the objects of a cluster, in which nothing is installed.
//!
//! In: Metrics, a kubeconfig. Out: `/metrics`, what changes and what is amiss on standard error, at the end the series on
//! standard output. Must never know: how anything is done.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use celemetry_engine::SeriesLimits;
use k8s_openapi::jiff::Timestamp;
use serde_json::Value;

use super::live::Live;
use super::load::MetricsArgs;
use super::pace::PaceArgs;
use super::run::Args;
use super::signals::Signals;
use super::values::duration;
use super::{Status, report};
use crate::api::{Condition, Group, Metric, MetricStatus};
use crate::cluster::connect::{self, Connected, connect};
use crate::controller::declared::ObjectName;
use crate::controller::lease::Election;
use crate::controller::metric::{self, Report, Reporter};
use crate::controller::status::{MetricFacts, metric_status};
use crate::controller::{LowerOptions, Lowered, Mode, Objects, Tenancy};
use crate::export::transport::AddressPolicy;
use crate::run::engine_options;
use crate::run::operator::{Declaring, Running, Settings, start};
use crate::telemetry::Telemetry;

/// Where the objects are, for commands that look at a cluster.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct ClusterArgs {
    /// Kubeconfig of the cluster to follow [default: $KUBECONFIG, the Pod's own cluster, or ~/.kube/config]
    #[arg(long, value_name = "FILE", conflicts_with = "events")]
    kubeconfig: Option<std::path::PathBuf>,
    /// What attributes call the cluster [default: the host of its API server]
    #[arg(long, value_name = "NAME", conflicts_with = "events")]
    cluster_name: Option<String>,
    /// Series whose objects cannot be seen any more are withdrawn after this long
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = duration)]
    stale_after: Duration,
    #[command(flatten)]
    pace: PaceArgs,
}

/// Tells on standard error what is amiss with each Metric, and when it is mended.
struct Terminal {
    live: Live,
    /// What was warned of when the Metrics were read, of each.
    warned: BTreeMap<ObjectName, BTreeSet<String>>,
}

/// What was told of one Metric.
struct Told {
    live: Live,
    source: String,
    status: MetricStatus,
    /// The condition that fails, by its type, as it was told.
    amiss: BTreeMap<String, String>,
    /// Every warning that was said. They come with what the cluster knows of its kinds, and may come again.
    warned: BTreeSet<String>,
}

/// Runs the command.
pub(super) fn follow(args: &Args, metrics: &MetricsArgs, cluster: &ClusterArgs) -> Status {
    let profile = args.output.profile;
    let lowering = LowerOptions { objects: Objects::Cluster, ..args.output.lowering() };
    let metrics = match metrics.load_for_cluster(lowering, profile.of_export(), engine_options(true)) {
        Ok(metrics) => metrics,
        Err(status) => return status,
    };
    match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(drive(args, cluster, metrics)),
        Err(error) => {
            report::say(&format!("error: cannot start: {error}"));
            Status::Input
        }
    }
}

async fn drive(args: &Args, cluster: &ClusterArgs, metrics: Vec<(Lowered, Metric)>) -> Status {
    let connected = match reach(cluster).await {
        Ok(connected) => connected,
        Err(status) => return status,
    };
    let server = match args.listen.bind().await {
        Ok(server) => server,
        Err(status) => return status,
    };
    let served = server.as_ref().map(|server| format!(" · http://{}/metrics", server.address()));
    let live = Live::start(format!("celemetry · {}{}", connected.cluster, served.unwrap_or_default()));
    let started = SystemTime::now();
    let warned = metrics.iter().filter_map(|(lowered, metric)| {
        let warnings = lowered.warnings.iter().map(ToString::to_string).collect();
        Some((name_of(metric)?, warnings))
    });
    let reporter = Arc::new(Terminal { live: live.clone(), warned: warned.collect() });
    let settings = Settings {
        metrics: metric::Settings {
            profile: args.output.profile.of_controller(),
            default_mode: Mode::EventDriven,
            cluster: connected.cluster.clone(),
            config_namespace: connected.namespace.clone(),
            tenancy: Tenancy::Open,
            allow_secret_data: false,
            stale_after: cluster.stale_after,
        },
        connected,
        declared: Declaring::Here(
            metrics.iter().filter_map(|(_, metric)| declared(metric)).collect(),
            reporter,
        ),
        profile: args.output.profile.of_export(),
        resource: vec![],
        heartbeat: args.heartbeat,
        series: SeriesLimits::default(),
        pace: cluster.pace.pace(),
        audits_per_minute: cluster.pace.audits_per_minute(),
        policy: AddressPolicy::default(),
        election: Election::always(),
        instance: String::new(),
        servers: server.into_iter().collect(),
        telemetry: Arc::new(Telemetry::default()),
    };
    let mut running = start(settings);
    tokio::spawn(super::run::show(running.snapshots(), live.clone()));
    let mut signals = Signals::new();
    tokio::select! {
        () = signals.next() => {}
        () = running.watch_over() => {}
    }
    conclude(args, running, &live, started).await
}

async fn conclude(args: &Args, running: Running, live: &Live, started: SystemTime) -> Status {
    let last = running.finish().await;
    live.finish(Arc::clone(&last));
    args.output.print(&last, &[], started)
}

/// The cluster, if it answers.
async fn reach(cluster: &ClusterArgs) -> Result<Connected, Status> {
    let settings = connect::Settings {
        kubeconfig: cluster.kubeconfig.clone(),
        cluster_name: cluster.cluster_name.clone(),
    };
    let unreachable = |error: connect::ConnectError| {
        report::say(&format!("error: {error}"));
        Status::Unreachable
    };
    let connected = connect(&settings).await.map_err(unreachable)?;
    connected.check().await.map_err(unreachable)?;
    Ok(connected)
}

/// A Metric of a file as if it were declared in a cluster.
fn declared(metric: &Metric) -> Option<(ObjectName, Value)> {
    let name = name_of(metric)?;
    let mut value = serde_json::to_value(metric).ok()?;
    // Both groups mean the same; the types of a file may be left out by now.
    value["apiVersion"] = Group::default().api_version().into();
    value["kind"] = "Metric".into();
    Some((name, value))
}

fn name_of(metric: &Metric) -> Option<ObjectName> {
    let name = metric.metadata.name.clone()?;
    Some(ObjectName { group: Group::default(), namespace: metric.namespace().to_owned(), name })
}

// === impl Terminal, Told ===

impl Reporter for Terminal {
    fn open(&self, name: &ObjectName, _: &Value) -> Box<dyn Report> {
        let (live, source) = (self.live.clone(), format!("Metric/{name}"));
        let warned = self.warned.get(name).cloned().unwrap_or_default();
        Box::new(Told { live, source, status: MetricStatus::default(), amiss: BTreeMap::new(), warned })
    }
}

impl Report for Told {
    fn set(&mut self, facts: &MetricFacts) {
        // Nothing was there before this process, so nothing is held back for a moment as after a restart.
        let facts = MetricFacts { known_since: Timestamp::UNIX_EPOCH, ..facts.clone() };
        self.status = metric_status(&facts, &self.status);
        let conditions = self.status.conditions.iter().filter(|condition| condition.type_ == "Ready");
        let amiss = conditions.filter(|condition| condition.status == "False").map(told).collect();
        for line in lines(&self.source, &self.amiss, &amiss) {
            self.live.say(&line);
        }
        self.amiss = amiss;
        for warning in facts.warnings {
            if !self.warned.contains(&warning) {
                self.live.say(&format!("warning: {}: {warning}", self.source));
                self.warned.insert(warning);
            }
        }
    }
}

fn told(condition: &Condition) -> (String, String) {
    (condition.type_.clone(), format!("{}: {}", condition.reason, condition.message.replace('\n', "; ")))
}

/// A line for each condition that begins to fail, fails for another reason, or is mended.
fn lines(source: &str, before: &BTreeMap<String, String>, now: &BTreeMap<String, String>) -> Vec<String> {
    let begun = now.iter().filter(|(kind, told)| before.get(*kind) != Some(told));
    let begun = begun.map(|(_, told)| format!("warning: {source}: {told}"));
    let mended = before.keys().filter(|kind| !now.contains_key(*kind));
    begun.chain(mended.map(|kind| format!("{source}: {kind} again"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_amiss_is_told_once_and_so_is_its_end() {
        let amiss = |text: &str| BTreeMap::from([("Ready".to_owned(), text.to_owned())]);
        let none = BTreeMap::new();
        assert_eq!(lines("m", &none, &amiss("a")), ["warning: m: a"]);
        assert_eq!(lines("m", &amiss("a"), &amiss("a")), [""; 0]);
        assert_eq!(lines("m", &amiss("a"), &amiss("b")), ["warning: m: b"]);
        assert_eq!(lines("m", &amiss("b"), &none), ["m: Ready again"]);
    }
}

//! `celemetry start`: the operator.
//!
//! In: metrics-operator's flags and environment, and ours. Out: a running operator; an exit status. Must never know: how
//! anything is done.

mod settings;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use celemetry_engine::SeriesLimits;
use celemetry_engine::snapshot::Snapshot;
use clap::ValueEnum;
use tokio::sync::watch;

use self::settings::{Environment, Settings};
use super::logs::LogArgs;
use super::output::Profile;
use super::pace::PaceArgs;
use super::signals::Signals;
use super::values::{bind_address, boolean, duration, period};
use super::{Status, report};
use crate::admin::{self, Server, Shows};
use crate::cluster::connect::{self, Connected};
use crate::controller::lease::{self, Election};
use crate::controller::metric;
use crate::export::resource::{self, Identity, Variables};
use crate::export::transport::AddressPolicy;
use crate::run::operator;
use crate::telemetry::Telemetry;
use crate::telemetry::logs;
use crate::telemetry::push::{Push, Readings};

/// Run the operator: Metrics and DataSinks of a cluster, kept up to date, served and pushed
#[derive(Debug, clap::Args)]
#[command(after_help = MORE)]
pub(super) struct Args {
    /// Address of /metrics; `:PORT` is every address of this host, `0` turns it off
    #[arg(long, value_name = "ADDRESS", default_value = ":8080", value_parser = bind_address)]
    metrics_bind_address: Listen,
    /// Address of /healthz and /readyz; `:PORT` is every address of this host, `0` turns it off
    #[arg(long, value_name = "ADDRESS", default_value = ":8081", value_parser = bind_address)]
    health_probe_bind_address: Listen,
    /// Kubeconfig of the cluster [default: that of KUBECONFIG, else the cluster that this runs in, else ~/.kube/config]
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
    /// The cluster's name in series [default: the host in the URL of its API server]
    #[arg(long, value_name = "NAME")]
    cluster_name: Option<String>,
    /// Conventions of everything that leaves
    #[arg(long, value_name = "PROFILE", default_value = "upstream-v1.2")]
    profile: Profile,
    /// How objects are observed where a Metric does not say it
    #[arg(long, value_name = "MODE", default_value = "EventDriven", ignore_case = true)]
    default_mode: DefaultMode,
    /// Every series is sent again at least this often
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = period)]
    heartbeat: Duration,
    /// Series of a target that is forbidden, absent or unreachable are withdrawn after this long
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = duration)]
    stale_after: Duration,
    /// Follow the Metrics of this namespace alone; may be given several times [default: those of all namespaces]
    #[arg(long, value_name = "NAMESPACE")]
    watch_namespace: Vec<String>,
    /// What a Metric may see: its own namespace alone, or the whole cluster as in metrics-operator
    #[arg(long, value_name = "TENANCY", default_value = "open")]
    tenancy: TenancyName,
    /// DataSinks may name addresses of this host, such as those of a sidecar
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_value = "false",
        default_missing_value = "true", value_parser = boolean, action = clap::ArgAction::Set)]
    allow_loopback_sinks: bool,
    /// Metrics over Secrets may use what Secrets hold, and so send it away
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_value = "false",
        default_missing_value = "true", value_parser = boolean, action = clap::ArgAction::Set)]
    allow_secret_data: bool,
    /// Beyond so many series of the Metrics of one namespace, new ones are folded into overflow series
    #[arg(long, value_name = "N", default_value_t = SeriesLimits::default().tenant)]
    max_series_per_namespace: usize,
    /// Beyond so many series of all Metrics, new ones are folded into overflow series: about a kilobyte each
    #[arg(long, value_name = "N", default_value_t = SeriesLimits::default().total)]
    max_series: usize,
    #[command(flatten)]
    pace: PaceArgs,
    #[command(flatten)]
    election: ElectionArgs,
    #[command(flatten)]
    logs: LogArgs,
}

/// Who works where several replicas run.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Leader election")]
struct ElectionArgs {
    /// Of several replicas only one exports and writes status; the others are ready to take over
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_value = "false",
        default_missing_value = "true", value_parser = boolean, action = clap::ArgAction::Set)]
    leader_elect: bool,
    /// Another takes over when the leader has not renewed its Lease for this long
    #[arg(long, value_name = "DURATION", default_value = "15s", value_parser = duration)]
    leader_elect_lease_duration: Duration,
    /// The leader stops when it could not renew its Lease for this long
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = duration)]
    leader_elect_renew_deadline: Duration,
    /// How often the leader renews its Lease, and others look at it
    #[arg(long, value_name = "DURATION", default_value = "2s", value_parser = duration)]
    leader_elect_retry_period: Duration,
}

/// Where to listen; `None`: nowhere. An alias, so that clap does not take it for an optional argument.
type Listen = Option<SocketAddr>;

/// How objects are observed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum DefaultMode {
    /// By watching them
    #[value(name = "EventDriven")]
    EventDriven,
    /// By listing them every interval
    #[value(name = "Polling")]
    Polling,
}

/// What a Metric may see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum TenancyName {
    /// Its own namespace, and nothing beyond it
    Namespaced,
    /// The whole cluster
    Open,
}

const MORE: &str = "\
Examples:
  # In a Pod, as metrics-operator is run
  celemetry start --leader-elect

  # On your own machine, against the cluster of the kubeconfig
  celemetry init && celemetry start --metrics-bind-address 127.0.0.1:8080 --log-format text

  # Each team sees its own namespace alone
  celemetry start --tenancy namespaced

Environment:
  OPERATOR_CONFIG_NAMESPACE  namespace of the DataSinks and their Secrets
                             [default: POD_NAMESPACE, else default]
  POD_NAMESPACE              the operator's own, which holds its Lease
                             [default: that of the service account,
                             else default]
  POD_NAME                   the operator's Pod, its name in elections
                             [default: the host's name]
  POD_SERVICE_ACCOUNT        the operator's ServiceAccount
  KUBECONFIG                 kubeconfigs, where --kubeconfig names none
  HTTPS_PROXY, NO_PROXY      the proxy to the API server, where the
                             kubeconfig names none
  RUST_LOG                   what is logged: `info,celemetry=debug`
  OTEL_*                     where celemetry's own metrics and traces
                             are sent, as OpenTelemetry specifies

The program may be called by any path, as /manager too. Unlike metrics-operator it takes no unknown first argument \
for `start`: that is an error.";

/// Runs the command.
pub(super) fn start(args: &Args) -> Status {
    let settings = match args.settings(Environment::of_process()) {
        Ok(settings) => settings,
        Err(error) => {
            report::say(&format!("error: {error}"));
            return Status::Usage;
        }
    };
    match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(watched(settings)),
        Err(error) => {
            report::say(&format!("error: cannot start: {error}"));
            Status::Input
        }
    }
}

/// Runs the operator with its logs, and with its own metrics and traces sent where the environment says so.
async fn watched(settings: Settings) -> Status {
    let push = Push::start(|name| std::env::var(name).ok(), &settings.service());
    let (push, refused) = match push {
        Ok(push) => (push, None),
        Err(error) => (Push::default(), Some(error)),
    };
    if let Err(error) = logs::install(&settings.logs, &push) {
        report::say(&format!("error: {error}"));
        return Status::Usage;
    }
    if let Some(error) = refused {
        // That nobody watches the operator is no reason to stop it.
        tracing::error!(%error, "own metrics and traces are not sent");
    }
    let status = operate(settings, &push).await;
    push.finish().await;
    status
}

/// Connects, and runs the operator until it is told to end.
async fn operate(settings: Settings, push: &Push) -> Status {
    let Settings { pod_name, service_account, operator_namespace, config_namespace, .. } = &settings;
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        pod = pod_name,
        service_account,
        operator_namespace,
        config_namespace,
        "starting"
    );
    let connected = match reach(&settings.connect).await {
        Ok(connected) => connected,
        Err(error) => {
            tracing::error!(%error, "cannot connect");
            return Status::Unreachable;
        }
    };
    let mut servers = vec![];
    for (listen, shows) in
        [(settings.metrics_listen, Shows::Metrics), (settings.health_listen, Shows::Probes)]
    {
        let Some(listen) = listen else { continue };
        match Server::bind(admin::Settings { listen, shows, ..admin::Settings::default() }).await {
            Ok(server) => {
                tracing::info!(address = %server.address(), ?shows, "serving");
                servers.push(server);
            }
            Err(error) => {
                tracing::error!(%error, "cannot serve");
                return Status::Usage;
            }
        }
    }
    let mut signals = Signals::new();
    let wired = settings.wire(connected, servers).await;
    let telemetry = Arc::clone(&wired.telemetry);
    let mut running = operator::start(wired);
    push.observe(&readings(telemetry, running.snapshots()));
    tokio::select! {
        () = signals.next() => {}
        () = running.watch_over() => {}
    }
    tracing::info!("ending");
    running.finish().await;
    Status::Success
}

async fn reach(settings: &connect::Settings) -> Result<Connected, connect::ConnectError> {
    let connected = connect::connect(settings).await?;
    let version = connected.check().await?;
    tracing::info!(server = connected.server, cluster = connected.cluster, version, "connected");
    Ok(connected)
}

/// The same readings as on `/metrics`, of one name.
fn readings(telemetry: Arc<Telemetry>, snapshots: watch::Receiver<Arc<Snapshot>>) -> Readings {
    Arc::new(move |name| {
        let snapshot = Arc::clone(&snapshots.borrow());
        let series = snapshot.metrics.values().map(|table| table.len()).sum();
        telemetry.readings_of(name, snapshot.metrics.len(), series)
    })
}

/// What OpenTelemetry's variables say about who sends.
fn variables() -> Variables {
    let variable = |name| std::env::var(name).ok();
    Variables {
        service_name: variable("OTEL_SERVICE_NAME"),
        attributes: variable("OTEL_RESOURCE_ATTRIBUTES"),
    }
}

// === impl Settings ===

impl Settings {
    /// Who sends the process's own metrics and traces. That is said before the cluster is known, unless a flag names it.
    fn service(&self) -> Vec<(String, String)> {
        let cluster = self.connect.cluster_name.clone().unwrap_or_default();
        let identity = Identity { instance: self.instance.clone(), cluster, cluster_uid: None };
        let mut attributes = resource::attributes(&identity, &variables());
        attributes.retain(|(_, value)| !value.is_empty());
        attributes
    }

    /// What is to run.
    async fn wire(self, connected: Connected, servers: Vec<Server>) -> operator::Settings {
        let identity = Identity {
            instance: self.instance.clone(),
            cluster: connected.cluster.clone(),
            cluster_uid: connected.uid().await,
        };
        let election = match self.election {
            Some(election) => lease::elect(connected.client.clone(), election),
            None => Election::always(),
        };
        operator::Settings {
            metrics: metric::Settings {
                profile: self.reading,
                default_mode: self.default_mode,
                cluster: connected.cluster.clone(),
                config_namespace: self.config_namespace,
                tenancy: self.tenancy,
                allow_secret_data: self.allow_secret_data,
                stale_after: self.stale_after,
            },
            connected,
            declared: operator::Declaring::Cluster { namespaces: self.watch_namespaces },
            profile: self.profile,
            resource: resource::attributes(&identity, &variables()),
            heartbeat: self.heartbeat,
            series: self.series,
            pace: self.pace,
            audits_per_minute: self.audits_per_minute,
            policy: AddressPolicy { allow_loopback: self.allow_loopback_sinks },
            election,
            instance: self.instance,
            servers,
            telemetry: Arc::default(),
        }
    }
}

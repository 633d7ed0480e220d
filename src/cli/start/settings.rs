//! What the operator was asked to do: flags and environment, read and checked.
//!
//! In: parsed flags, the process's surroundings. Out: [`Settings`]. Must never know: what is done with them.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

use celemetry_engine::SeriesLimits;

use super::{Args, DefaultMode, ElectionArgs, TenancyName};
use crate::cluster::connect;
use crate::cluster::informer::Pace;
use crate::controller::lease::{self, LEASE, Terms};
use crate::controller::{self, Mode, Tenancy};
use crate::export::profile;
use crate::telemetry::logs;

/// What the operator was asked to do, read and checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Settings {
    /// Where `/metrics` is served, if anywhere.
    pub metrics_listen: Option<SocketAddr>,
    /// Where `/healthz` and `/readyz` are served, if anywhere.
    pub health_listen: Option<SocketAddr>,
    /// Which cluster.
    pub connect: connect::Settings,
    /// The conventions of what leaves.
    pub profile: profile::Profile,
    /// The same conventions, by which Metrics are read.
    pub reading: controller::Profile,
    /// The mode of a Metric that names none.
    pub default_mode: Mode,
    /// At least this often every series is sent again.
    pub heartbeat: Duration,
    /// Series of a target that cannot be observed are withdrawn after this long.
    pub stale_after: Duration,
    /// How many series may be live.
    pub series: SeriesLimits,
    /// How API servers are treated.
    pub pace: Pace,
    /// How many objects are looked at again each minute.
    pub audits_per_minute: u32,
    /// Metrics of these namespaces alone are followed; of all where there are none.
    pub watch_namespaces: BTreeSet<String>,
    /// What a Metric may see.
    pub tenancy: Tenancy,
    /// Whether sinks may be on this host.
    pub allow_loopback_sinks: bool,
    /// Whether Metrics may use what Secrets hold.
    pub allow_secret_data: bool,
    /// Who stands for election, if there is one.
    pub election: Option<lease::Settings>,
    /// The operator's own namespace.
    pub operator_namespace: String,
    /// The namespace of DataSinks and their Secrets.
    pub config_namespace: String,
    /// The operator's Pod.
    pub pod_name: Option<String>,
    /// What tells this process from its replicas: the Pod's name, or something random.
    pub instance: String,
    /// The operator's ServiceAccount.
    pub service_account: Option<String>,
    /// How the process logs.
    pub logs: logs::Settings,
}

/// What the process's surroundings say.
#[derive(Clone, Debug, Default)]
pub(super) struct Environment {
    /// `OPERATOR_CONFIG_NAMESPACE`
    pub(super) config_namespace: Option<String>,
    /// `POD_NAMESPACE`
    pub(super) pod_namespace: Option<String>,
    /// `POD_NAME`
    pub(super) pod_name: Option<String>,
    /// `POD_SERVICE_ACCOUNT`
    pub(super) service_account: Option<String>,
    /// The namespace among the files of the service account.
    pub(super) mounted_namespace: Option<String>,
    /// This machine's name.
    pub(super) host: Option<String>,
    /// `RUST_LOG`
    pub(super) log_directives: Option<String>,
}

/// Where Kubernetes tells a container its namespace.
const NAMESPACE_FILE: &str = "/var/run/secrets/kubernetes.io/serviceaccount/namespace";

// === impl Args ===

impl Args {
    /// The settings of these flags in this environment.
    ///
    /// # Errors
    /// What is wrong, with the flag's or variable's name.
    pub(super) fn settings(&self, environment: Environment) -> Result<Settings, String> {
        let pod_namespace = namespace("POD_NAMESPACE", environment.pod_namespace.as_deref())?;
        let config_namespace =
            namespace("OPERATOR_CONFIG_NAMESPACE", environment.config_namespace.as_deref())?;
        let mounted = namespace(NAMESPACE_FILE, environment.mounted_namespace.as_deref())?;
        let or_default = |namespace: Option<String>| namespace.unwrap_or_else(|| "default".to_owned());
        let operator_namespace = or_default(pod_namespace.clone().or(mounted));
        let name = environment.pod_name.as_deref().or(environment.host.as_deref());
        Ok(Settings {
            metrics_listen: self.metrics_bind_address,
            health_listen: self.health_probe_bind_address,
            connect: connect::Settings {
                kubeconfig: self.kubeconfig.clone().filter(|file| !file.as_os_str().is_empty()),
                cluster_name: self.cluster_name.clone().filter(|name| !name.is_empty()),
            },
            profile: self.profile.of_export(),
            reading: self.profile.of_controller(),
            default_mode: match self.default_mode {
                DefaultMode::EventDriven => Mode::EventDriven,
                DefaultMode::Polling => Mode::Polling,
            },
            heartbeat: self.heartbeat,
            stale_after: self.stale_after,
            series: SeriesLimits { tenant: self.max_series_per_namespace, total: self.max_series },
            pace: self.pace.pace(),
            audits_per_minute: self.pace.audits_per_minute(),
            watch_namespaces: self.watch_namespace.iter().cloned().collect(),
            tenancy: match self.tenancy {
                TenancyName::Namespaced => Tenancy::Namespaced,
                TenancyName::Open => Tenancy::Open,
            },
            allow_loopback_sinks: self.allow_loopback_sinks,
            allow_secret_data: self.allow_secret_data,
            election: self.election.settings(&operator_namespace, name)?,
            config_namespace: or_default(config_namespace.or(pod_namespace)),
            operator_namespace,
            instance: environment.pod_name.clone().unwrap_or_else(|| format!("{:016x}", fastrand::u64(..))),
            pod_name: environment.pod_name,
            service_account: environment.service_account,
            logs: self.logs.settings(environment.log_directives),
        })
    }
}

/// A namespace that `origin` names; one that cannot be is no reason to guess.
fn namespace(origin: &str, name: Option<&str>) -> Result<Option<String>, String> {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let is_name = |name: &str| {
        name.len() <= 63 && name.bytes().all(inner) && !name.starts_with('-') && !name.ends_with('-')
    };
    match name.map(str::trim) {
        None | Some("") => Ok(None),
        Some(name) if is_name(name) => Ok(Some(name.to_owned())),
        Some(name) => Err(format!("{origin}: {name:?} cannot be the name of a namespace")),
    }
}

// === impl ElectionArgs ===

impl ElectionArgs {
    fn settings(&self, namespace: &str, name: Option<&str>) -> Result<Option<lease::Settings>, String> {
        let terms = Terms {
            duration: self.leader_elect_lease_duration,
            renew_deadline: self.leader_elect_renew_deadline,
            retry_period: self.leader_elect_retry_period,
        };
        terms.check()?;
        // Two processes must never share an identity, and a Pod's name returns: with the next container of the Pod, or
        // with the next Pod of a StatefulSet while the last one is cut off.
        let identity = format!("{}_{:016x}", name.unwrap_or("celemetry"), fastrand::u64(..));
        let settings =
            lease::Settings { namespace: namespace.to_owned(), name: LEASE.to_owned(), identity, terms };
        Ok(self.leader_elect.then_some(settings))
    }
}

// === impl Environment ===

impl Environment {
    /// What this process's surroundings say.
    pub(super) fn of_process() -> Self {
        let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        let line = |file| std::fs::read_to_string(file).ok().map(|text| text.trim().to_owned());
        Environment {
            config_namespace: variable("OPERATOR_CONFIG_NAMESPACE"),
            pod_namespace: variable("POD_NAMESPACE"),
            pod_name: variable("POD_NAME"),
            service_account: variable("POD_SERVICE_ACCOUNT"),
            mounted_namespace: line(NAMESPACE_FILE),
            host: variable("HOSTNAME").or_else(|| line("/proc/sys/kernel/hostname")),
            log_directives: variable("RUST_LOG"),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Command {
        #[command(flatten)]
        args: Args,
    }

    fn parse(flags: &str) -> Result<Args, clap::Error> {
        Command::try_parse_from(format!("x {flags}").split_whitespace()).map(|command| command.args)
    }

    fn settings(flags: &str, environment: Environment) -> Result<Settings, String> {
        parse(flags).expect(flags).settings(environment)
    }

    fn of_flags(flags: &str) -> Settings {
        settings(flags, Environment::default()).unwrap()
    }

    fn named(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn without_flags_everything_is_as_in_metrics_operator() {
        let settings = of_flags("");
        let port = |listen: Option<SocketAddr>| listen.map(|listen| listen.port());
        assert_eq!((port(settings.metrics_listen), port(settings.health_listen)), (Some(8080), Some(8081)));
        assert_eq!(settings.election, None);
        assert_eq!(settings.profile, profile::Profile::UpstreamV1_2);
        assert_eq!(settings.reading, controller::Profile::UpstreamV12);
        assert_eq!(settings.default_mode, Mode::EventDriven);
        assert_eq!(settings.tenancy, Tenancy::Open);
        assert!(!settings.allow_loopback_sinks && !settings.allow_secret_data);
        assert_eq!(settings.heartbeat, Duration::from_secs(60));
        assert_eq!(settings.stale_after, Duration::from_secs(300));
        assert_eq!(settings.pace.rewind_check, Duration::from_secs(180));
        assert!(settings.pace.watch_age.contains(&Duration::from_secs(300)));
        assert_eq!(settings.audits_per_minute, 6);
        assert!(settings.watch_namespaces.is_empty());
        assert_eq!(
            (settings.operator_namespace.as_str(), settings.config_namespace.as_str()),
            ("default", "default")
        );
        assert_eq!(settings.connect, connect::Settings::default());
        assert_eq!(settings.logs, logs::Settings::default());
    }

    #[test]
    fn every_flag_has_its_effect() {
        let check = |flags: &str, is: fn(&Settings) -> bool| assert!(is(&of_flags(flags)), "{flags}");
        check("--metrics-bind-address=0 --health-probe-bind-address=0", |s| {
            s.metrics_listen.is_none() && s.health_listen.is_none()
        });
        check("--kubeconfig k --cluster-name shop", |s| {
            s.connect.kubeconfig == Some("k".into()) && s.connect.cluster_name.as_deref() == Some("shop")
        });
        check("--profile native", |s| {
            s.profile == profile::Profile::Native && s.reading == controller::Profile::Native
        });
        check("--default-mode polling", |s| s.default_mode == Mode::Polling);
        check("--heartbeat 30s --stale-after 1m30s --rewind-check 1h", |s| {
            [s.heartbeat, s.stale_after, s.pace.rewind_check].map(|d| d.as_secs()) == [30, 90, 3600]
        });
        check("--audit-per-minute 0", |s| s.audits_per_minute == 0);
        check("--max-series 7 --max-series-per-namespace 5", |s| {
            s.series == SeriesLimits { tenant: 5, total: 7 }
        });
        check("--watch-namespace a --watch-namespace b", |s| s.watch_namespaces.len() == 2);
        check("--tenancy namespaced", |s| s.tenancy == Tenancy::Namespaced);
        check("--allow-loopback-sinks --allow-secret-data=true", |s| {
            s.allow_loopback_sinks && s.allow_secret_data
        });
        check("--leader-elect=false", |s| s.election.is_none());
        check("--log-format text --zap-log-level debug", |s| {
            s.logs.format == logs::Format::Text && s.logs.level == logs::Level::Debug
        });
    }

    #[test]
    fn a_candidate_s_identity_is_nobody_else_s() {
        let environment =
            Environment { pod_name: named("pod-1"), host: named("host"), ..Environment::default() };
        let identity = |environment: &Environment| {
            settings("--leader-elect", environment.clone()).unwrap().election.unwrap().identity
        };
        assert!(identity(&environment).starts_with("pod-1_"));
        assert_ne!(identity(&environment), identity(&environment));
        assert!(identity(&Environment { pod_name: None, ..environment }).starts_with("host_"));
        let election = of_flags("--leader-elect --leader-elect-lease-duration=30s").election.unwrap();
        assert_eq!(election.name, "82620e19.metrics.open-control-plane.io");
        assert_eq!(election.terms, Terms { duration: Duration::from_secs(30), ..Terms::default() });
    }

    #[test]
    fn namespaces_come_from_the_environment() {
        let of = |config: Option<&str>, pod: Option<&str>, mounted: Option<&str>| {
            let text = |text: Option<&str>| text.map(str::to_owned);
            let environment = Environment {
                config_namespace: text(config),
                pod_namespace: text(pod),
                mounted_namespace: text(mounted),
                ..Environment::default()
            };
            let settings = settings("--leader-elect", environment)?;
            assert_eq!(settings.election.unwrap().namespace, settings.operator_namespace);
            Ok::<_, String>((settings.operator_namespace, settings.config_namespace))
        };
        let both = |own: &str, config: &str| Ok((own.to_owned(), config.to_owned()));
        assert_eq!(of(Some("conf"), Some("pod"), Some("file")), both("pod", "conf"));
        assert_eq!(of(None, Some("pod"), Some("file")), both("pod", "pod"));
        assert_eq!(of(None, None, Some("file\n")), both("file", "default"));
        let error = of(Some("../secrets"), None, None).unwrap_err();
        assert_eq!(error, "OPERATOR_CONFIG_NAMESPACE: \"../secrets\" cannot be the name of a namespace");
    }

    #[test]
    fn what_cannot_be_is_refused() {
        for flags in [
            "--metrics-bind-address 8080",
            "--profile upstream",
            "--default-mode both",
            "--heartbeat 10ms",
            "--stale-after never",
            "--rewind-check 0s",
            "--tenancy none",
            "--leader-elect=maybe",
            "--leader-elect yes",
            "more",
        ] {
            assert!(parse(flags).is_err(), "{flags}");
        }
        let error = settings("--leader-elect --leader-elect-renew-deadline 20s", Environment::default());
        assert!(error.unwrap_err().starts_with("--leader-elect-lease-duration: "));
    }
}

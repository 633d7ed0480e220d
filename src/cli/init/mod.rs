//! `celemetry init`: the CustomResourceDefinitions of our kinds, installed or brought up to date.
//!
//! In: flags, a cluster. Out: definitions that the API server serves; a line each on standard output. Must never know:
//! objects of our kinds.

mod install;
mod loss;

use std::path::PathBuf;
use std::time::Duration;

use super::logs::LogArgs;
use super::values::{boolean, duration};
use super::{Status, crds, output, report};
use crate::cluster::connect::{self, Connected};
use crate::telemetry::logs;
use crate::telemetry::push::Push;

use self::install::{Change, InstallError, Installed};

/// Install the CustomResourceDefinitions of celemetry's kinds, or bring them up to date
#[derive(Debug, clap::Args)]
#[command(after_help = MORE)]
pub(super) struct Args {
    /// Install the definitions
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_value = "true",
        default_missing_value = "true", value_parser = boolean, action = clap::ArgAction::Set)]
    install_crds: bool,
    /// Kubeconfig of the cluster [default: that of KUBECONFIG, else the cluster that this runs in, else ~/.kube/config]
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
    /// How long to wait until the API server serves a definition
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = duration)]
    timeout: Duration,
    #[command(flatten)]
    ignored: IgnoredArgs,
    #[command(flatten)]
    logs: LogArgs,
}

/// Flags of metrics-operator for webhooks, which celemetry has none of.
#[derive(Debug, clap::Args)]
#[command(
    next_help_heading = "Accepted for metrics-operator's manifests, without effect: celemetry has no webhooks"
)]
struct IgnoredArgs {
    /// -
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    crd_conversion_without_ca: Option<String>,
    /// -
    #[arg(long, value_name = "URL")]
    crd_conversion_base_url: Option<String>,
    /// -
    #[arg(long, value_name = "PORT")]
    crd_conversion_service_port: Option<String>,
    /// -
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    install_webhooks: Option<String>,
    /// -
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    webhooks_without_ca: Option<String>,
    /// -
    #[arg(long, value_name = "URL")]
    webhooks_base_url: Option<String>,
    /// -
    #[arg(long, value_name = "PORT")]
    webhooks_service_port: Option<String>,
    /// -
    #[arg(long, value_name = "NAMES")]
    webhooks_additional_sans: Option<String>,
    /// -
    #[arg(long, value_name = "ADDRESS")]
    webhooks_bind_address: Option<String>,
}

const MORE: &str = "\
Examples:
  # Into the kubeconfig's cluster
  celemetry init

  # As metrics-operator's chart calls it
  celemetry init --install-crds --crd-conversion-without-ca

The definitions are those that `celemetry crds` prints. They are applied by the server, with the field manager celemetry; \
fields that others have set are taken over. Doing it again changes nothing. What an installed definition has and this \
version has not, because a newer one installed it, is named on standard error before it is taken away. The right to get, \
create and patch customresourcedefinitions of apiextensions.k8s.io is needed.";

/// Runs the command.
pub(super) fn init(args: &Args) -> Status {
    if let Err(error) = logs::install(&args.logs.settings(None), &Push::default()) {
        report::say(&format!("error: {error}"));
        return Status::Usage;
    }
    if !args.install_crds {
        report::say("nothing to do: --install-crds=false");
        return Status::Success;
    }
    match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(args.install()),
        Err(error) => {
            report::say(&format!("error: cannot start: {error}"));
            Status::Input
        }
    }
}

// === impl Args ===

impl Args {
    async fn install(&self) -> Status {
        let settings = connect::Settings { kubeconfig: self.kubeconfig.clone(), cluster_name: None };
        let connected = match connect_and_check(&settings).await {
            Ok(connected) => connected,
            Err(error) => {
                report::say(&format!("error: {error}"));
                return Status::Unreachable;
            }
        };
        let definitions = crds::definitions();
        // All of them before the first wait, so that the server works on them together.
        for definition in &definitions {
            match install::apply(&connected.client, definition).await {
                Ok(installed) => self.tell(&installed),
                Err(error) => return failed(&error),
            }
        }
        for definition in &definitions {
            if let Err(error) = install::established(&connected.client, definition, self.timeout).await {
                return failed(&error);
            }
        }
        output::write(
            format!("{} definitions are served by {}\n", definitions.len(), connected.server).as_bytes(),
        )
    }

    fn tell(&self, installed: &Installed) {
        let Installed { name, change, lost } = installed;
        if !lost.is_empty() {
            let lost = lost.join(", ");
            report::say(&format!(
                "warning: {name}: it was installed by a newer version, or changed: what this one does not know is taken away, \
                 and dropped from objects when they are next written: {lost}"
            ));
        }
        let change = match change {
            Change::Created => "created",
            Change::Configured => "configured",
            Change::Unchanged => "unchanged",
        };
        // Nobody reads it any more: the definitions matter all the same.
        let _ = output::write(
            format!("customresourcedefinition.apiextensions.k8s.io/{name} {change}\n").as_bytes(),
        );
    }
}

async fn connect_and_check(settings: &connect::Settings) -> Result<Connected, connect::ConnectError> {
    let connected = connect::connect(settings).await?;
    connected.check().await?;
    Ok(connected)
}

fn failed(error: &InstallError) -> Status {
    report::say(&format!("error: {error}"));
    match error {
        InstallError::Unreachable { .. } | InstallError::Late { .. } => Status::Unreachable,
        InstallError::Forbidden { .. } | InstallError::Refused { .. } | InstallError::Names { .. } => {
            Status::Input
        }
    }
}

//! Series on standard output.
//!
//! In: a snapshot and the errors. Out: bytes in the chosen format. Must never know: where the series come from.

use std::hash::{BuildHasher, Hasher};
use std::io::{IsTerminal, Write};
use std::time::SystemTime;

use celemetry_engine::snapshot::Snapshot;
use clap::ValueEnum;

use super::{Status, report};
use crate::controller::{self, BaseAttributes, LowerOptions};
use crate::export::json::write_json;
use crate::export::otlp_json::{Moments, write_otlp_json};
use crate::export::table::write_table;
use crate::export::{ErrorRecord, profile, prometheus};

/// How results are printed, for all commands that print series.
#[derive(Debug, clap::Args)]
pub(super) struct OutputArgs {
    /// Format of the series on standard output [default: table on a terminal, otherwise json]
    #[arg(short, long, value_name = "FORMAT")]
    pub(super) output: Option<Format>,
    /// Conventions of attribute texts, arithmetic, OTLP kinds and Prometheus names
    #[arg(long, value_name = "PROFILE", default_value = "native")]
    pub(super) profile: Profile,
    /// Add the profile's own attributes to those that the projections give: metrics-operator's resource, group and
    /// version; native has none
    #[arg(long)]
    pub(super) base_attributes: bool,
    /// Exit with status 1 if an expression failed for any object
    #[arg(long)]
    pub(super) fail_on_error: bool,
}

/// A format of series.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// One document with all series and errors, the same bytes for the same objects
    Json,
    /// Columns, for people
    Table,
    /// Prometheus text format 0.0.4
    Prometheus,
    /// OpenMetrics 1.0
    Openmetrics,
    /// OTLP/JSON: one ExportMetricsServiceRequest
    Otlp,
}

/// Conventions of what leaves the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Profile {
    /// OpenTelemetry's conventions
    Native,
    /// metrics-operator v1.0.0
    UpstreamV1,
    /// metrics-operator v1.2
    #[value(name = "upstream-v1.2")]
    UpstreamV12,
}

// === impl OutputArgs ===

impl OutputArgs {
    /// The format asked for, or the one that suits standard output.
    pub(super) fn format(&self) -> Format {
        let suitable = || if std::io::stdout().is_terminal() { Format::Table } else { Format::Json };
        self.output.unwrap_or_else(suitable)
    }

    /// How Metrics are lowered for what is printed.
    pub(super) fn lowering(&self) -> LowerOptions<'static> {
        // Without an API server there is no name of a cluster.
        let added = BaseAttributes::Added { cluster: "" };
        LowerOptions {
            profile: self.profile.of_controller(),
            base_attributes: if self.base_attributes { added } else { BaseAttributes::LeftOut },
            ..LowerOptions::default()
        }
    }

    /// Prints the series, and the errors where the format has room for them. `started` is when the numbers began.
    pub(super) fn print(&self, snapshot: &Snapshot, errors: &[ErrorRecord], started: SystemTime) -> Status {
        let status = write(self.render(self.format(), snapshot, errors, started).as_bytes());
        if self.fail_on_error && !errors.is_empty() { Status::Input } else { status }
    }

    fn render(
        &self,
        format: Format,
        snapshot: &Snapshot,
        errors: &[ErrorRecord],
        started: SystemTime,
    ) -> String {
        let mut out = String::new();
        let profile = self.profile.of_export();
        let mut page = |format| {
            let left_out = prometheus::render(snapshot, format, profile, &mut out).omitted;
            if left_out > 0 {
                report::say(&format!("warning: {left_out} series left out, whose labels equal another's"));
            }
        };
        match format {
            Format::Prometheus => page(prometheus::Format::Text),
            Format::Openmetrics => page(prometheus::Format::OpenMetrics),
            Format::Json => write_json(snapshot, errors, profile, &mut out),
            Format::Table => write_table(snapshot, &mut out),
            Format::Otlp => {
                let moments = Moments {
                    start_unix_nano: unix_nanos(started),
                    time_unix_nano: unix_nanos(SystemTime::now()),
                };
                write_otlp_json(snapshot, profile, &resource(), moments, &mut out);
            }
        }
        out
    }
}

/// Who sends: what is known of it without a cluster.
fn resource() -> [(String, String); 3] {
    let random = || std::collections::hash_map::RandomState::new().build_hasher().finish();
    let instance = format!("{:016x}{:016x}", random(), random());
    [
        ("service.name".to_owned(), "celemetry".to_owned()),
        ("service.version".to_owned(), env!("CARGO_PKG_VERSION").to_owned()),
        ("service.instance.id".to_owned(), instance),
    ]
}

/// Nanoseconds since 1970; 0 for a clock that stands before it.
fn unix_nanos(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

/// Writes to standard output. A reader that has gone has seen all that it wanted.
pub(super) fn write(bytes: &[u8]) -> Status {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Ok(()) => Status::Success,
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Status::Success,
        Err(error) => {
            report::say(&format!("error: standard output: {error}"));
            Status::Input
        }
    }
}

// === impl Profile ===

impl Profile {
    /// As `export` calls it.
    pub(super) fn of_export(self) -> profile::Profile {
        match self {
            Profile::Native => profile::Profile::Native,
            Profile::UpstreamV1 => profile::Profile::UpstreamV1,
            Profile::UpstreamV12 => profile::Profile::UpstreamV1_2,
        }
    }

    /// As `controller` calls it.
    pub(super) fn of_controller(self) -> controller::Profile {
        match self {
            Profile::Native => controller::Profile::Native,
            Profile::UpstreamV1 => controller::Profile::UpstreamV1,
            Profile::UpstreamV12 => controller::Profile::UpstreamV12,
        }
    }
}

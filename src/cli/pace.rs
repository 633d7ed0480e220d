//! How API servers are treated: flags of all commands that follow a cluster.
//!
//! In: flags. Out: settings of informers. Must never know: which commands have them.

use std::time::Duration;

use super::values::period;
use crate::cluster::informer::Pace;

/// How API servers are treated.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "API server")]
pub(super) struct PaceArgs {
    /// A watch is opened anew after about this long: rights that were taken away are noticed then
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = period)]
    watch_age: Duration,
    /// A watch that is silent for this long is taken for dead; API servers send a bookmark each minute
    #[arg(long, value_name = "DURATION", default_value = "90s", value_parser = period)]
    watch_idle: Duration,
    /// How often it is looked whether the API server's history was turned back, as by a restored backup
    #[arg(long, value_name = "DURATION", default_value = "3m", value_parser = period)]
    rewind_check: Duration,
    /// So many objects a minute are looked at again, each by a LIST of its name, and compared with what is held of them; 0 is
    /// none. Six are about 9,000 a day. Of each kind they are drawn from 512 objects, and from others after each list
    #[arg(long, value_name = "N", default_value_t = 6, value_parser = clap::value_parser!(u32).range(..=6_000))]
    audit_per_minute: u32,
}

impl PaceArgs {
    /// The pace of informers. Watches end within a fifth of their age before and after it, so that they do not end
    /// together.
    pub(super) fn pace(&self) -> Pace {
        Pace {
            watch_age: self.watch_age.mul_f64(0.8)..self.watch_age.mul_f64(1.2),
            watch_idle: self.watch_idle,
            rewind_check: self.rewind_check,
            ..Pace::default()
        }
    }

    /// How many objects are looked at again each minute.
    pub(super) fn audits_per_minute(&self) -> u32 {
        self.audit_per_minute
    }
}

//! How the process logs: metrics-operator's flags, and ours.
//!
//! In: flags, `RUST_LOG`. Out: settings of the logs. Must never know: what is logged.

use clap::ValueEnum;

use super::values::boolean;
use crate::telemetry::logs::{self, Level, TimeEncoding};

/// How the process logs, for all commands that do.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Logs")]
pub(super) struct LogArgs {
    /// Form of the log lines on standard error [default: json]
    #[arg(long, value_name = "FORMAT")]
    log_format: Option<LogFormat>,
    /// Least severe level that is logged: trace, debug, info, warn or error, or zap's verbosity as a number from 1 up.
    /// RUST_LOG, where it is set, says more finely what is logged, and replaces this [default: info]
    #[arg(long, value_name = "LEVEL", value_parser = level)]
    zap_log_level: Option<Level>,
    /// The form of the log lines as zap calls it; --log-format goes first
    #[arg(long, value_name = "ENCODER")]
    zap_encoder: Option<ZapEncoder>,
    /// Zap's development mode: text, level debug; --log-format, --zap-encoder and --zap-log-level go first
    #[arg(
        long,
        value_name = "BOOL",
        num_args = 0..=1,
        require_equals = true,
        default_value = "false",
        default_missing_value = "true",
        value_parser = boolean,
        action = clap::ArgAction::Set
    )]
    zap_devel: bool,
    /// Accepted for metrics-operator's manifests; log lines have no stack traces here
    #[arg(long, value_name = "LEVEL", value_parser = ["info", "error", "panic"])]
    zap_stacktrace_level: Option<String>,
    /// How times are written: rfc3339, rfc3339nano or iso8601 (all of them RFC 3339 with microseconds), epoch, millis
    /// or nano [default: rfc3339]
    #[arg(long, value_name = "ENCODING", value_parser = time_encoding)]
    zap_time_encoding: Option<TimeEncoding>,
}

/// A form of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum LogFormat {
    /// A JSON object a line
    Json,
    /// For people
    Text,
}

/// The same in zap's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ZapEncoder {
    /// A JSON object a line
    Json,
    /// For people
    Console,
}

/// A level by its name, or zap's verbosity: every number above 1 is more than `debug`.
fn level(text: &str) -> Result<Level, String> {
    Ok(match text.to_lowercase().as_str() {
        "trace" => Level::Trace,
        "debug" | "1" => Level::Debug,
        "info" => Level::Info,
        "warn" => Level::Warn,
        "error" | "panic" => Level::Error,
        number if number.parse::<u8>().is_ok_and(|verbosity| verbosity > 1) => Level::Trace,
        _ => return Err("must be trace, debug, info, warn, error or a number from 1 up".to_owned()),
    })
}

fn time_encoding(text: &str) -> Result<TimeEncoding, String> {
    Ok(match text.to_lowercase().as_str() {
        "rfc3339" | "rfc3339nano" | "iso8601" => TimeEncoding::Rfc3339,
        "epoch" => TimeEncoding::Epoch,
        "millis" => TimeEncoding::Millis,
        "nano" => TimeEncoding::Nanos,
        _ => return Err("must be rfc3339, rfc3339nano, iso8601, epoch, millis or nano".to_owned()),
    })
}

// === impl LogArgs ===

impl LogArgs {
    /// The settings; `directives` is the text of `RUST_LOG`, if that is set.
    pub(super) fn settings(&self, directives: Option<String>) -> logs::Settings {
        let is_text = match (self.log_format, self.zap_encoder) {
            (Some(format), _) => format == LogFormat::Text,
            (None, Some(encoder)) => encoder == ZapEncoder::Console,
            (None, None) => self.zap_devel,
        };
        let usual = if self.zap_devel { Level::Debug } else { Level::Info };
        logs::Settings {
            format: if is_text { logs::Format::Text } else { logs::Format::Json },
            time: self.zap_time_encoding.unwrap_or_default(),
            level: self.zap_log_level.unwrap_or(usual),
            directives: directives.filter(|directives| !directives.is_empty()),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Flags {
        #[command(flatten)]
        logs: LogArgs,
    }

    #[test]
    fn flags_of_zap_mean_what_they_say() {
        use crate::telemetry::logs::Format::{Json, Text};
        for (flags, format, level, time) in [
            ("", Json, Level::Info, TimeEncoding::Rfc3339),
            ("--zap-devel", Text, Level::Debug, TimeEncoding::Rfc3339),
            ("--zap-devel=false", Json, Level::Info, TimeEncoding::Rfc3339),
            ("--zap-devel --zap-encoder json", Json, Level::Debug, TimeEncoding::Rfc3339),
            ("--zap-encoder=console", Text, Level::Info, TimeEncoding::Rfc3339),
            ("--zap-encoder=console --log-format json", Json, Level::Info, TimeEncoding::Rfc3339),
            ("--zap-devel --zap-log-level=error", Text, Level::Error, TimeEncoding::Rfc3339),
            ("--zap-log-level 1", Json, Level::Debug, TimeEncoding::Rfc3339),
            ("--zap-log-level 5", Json, Level::Trace, TimeEncoding::Rfc3339),
            ("--zap-log-level panic --zap-stacktrace-level=panic", Json, Level::Error, TimeEncoding::Rfc3339),
            ("--zap-time-encoding=epoch", Json, Level::Info, TimeEncoding::Epoch),
            ("--zap-time-encoding=iso8601", Json, Level::Info, TimeEncoding::Rfc3339),
        ] {
            let parsed = Flags::try_parse_from(format!("x {flags}").split_whitespace()).expect(flags);
            let expected = logs::Settings { format, time, level, directives: None };
            assert_eq!(parsed.logs.settings(Some(String::new())), expected, "{flags}");
        }
        for flags in
            ["--zap-log-level=0", "--zap-log-level=loud", "--zap-time-encoding=x", "--zap-devel=maybe"]
        {
            assert!(Flags::try_parse_from(format!("x {flags}").split_whitespace()).is_err(), "{flags}");
        }
    }
}

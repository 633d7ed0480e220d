//! One file for each command, and what they share: reading input, printing.
//!
//! In: arguments, files, standard input. Out: data on standard output, everything else on standard error, an exit status.
//! Must never know: how anything is done.

mod check;
mod completions;
pub mod crds;
mod demo;
mod errors;
mod eval;
mod explain;
mod expr;
pub mod finding;
mod follow;
mod init;
pub mod input;
mod kinds;
mod listen;
mod live;
mod load;
mod logs;
mod man;
pub mod metrics;
mod objects;
mod output;
mod pace;
mod rbac;
mod report;
mod run;
mod screen;
mod secrets;
mod shown;
mod signals;
pub mod start;
mod values;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

/// The state of Kubernetes clusters as metrics: declared once, compiled, kept right after every event.
#[derive(Debug, Parser)]
#[command(name = "celemetry", version, max_term_width = 110, after_help = EXAMPLES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Demo(demo::Args),
    Eval(eval::Args),
    Explain(explain::Args),
    Expr(expr::Args),
    Check(check::Args),
    Run(run::Args),
    Start(start::Args),
    Init(init::Args),
    /// Print the CustomResourceDefinitions of celemetry's kinds as YAML
    #[command(after_help = "Example:\n  celemetry crds | kubectl apply --server-side -f -")]
    Crds,
    Rbac(rbac::Args),
    Completions(completions::Args),
    Man(man::Args),
}

const EXAMPLES: &str = "\
Examples:
  # See it at work, without a cluster.
  celemetry demo

  # How many Pods are in which phase? Once, from what kubectl prints.
  kubectl get pods -A -o json | celemetry eval -f examples/pods-by-phase.yaml

  # The same, kept up to date and served to Prometheus.
  kubectl get pods -A -o json --watch --output-watch-events | celemetry run -f examples/pods-by-phase.yaml --events -

Exit status:
  0  success; expressions that failed for some objects, SIGTERM and a closed pipe included
  1  the input is at fault
  2  wrong usage
  3  a cluster or sink could not be reached";

/// How the process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Status {
    /// Everything asked for was done.
    Success = 0,
    /// Something in the input is wrong; it has been said what.
    Input = 1,
    /// The command cannot be used like this; it has been said why.
    Usage = 2,
    /// A cluster or sink could not be reached; it has been said why.
    Unreachable = 3,
}

/// Parses `arguments`, the program's name first, runs the command and gives the exit status.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let status = match Cli::try_parse_from(arguments) {
        Ok(Cli { command: Command::Demo(args) }) => demo::demo(&args),
        Ok(Cli { command: Command::Eval(args) }) => eval::eval(&args),
        Ok(Cli { command: Command::Explain(args) }) => explain::explain(&args),
        Ok(Cli { command: Command::Expr(args) }) => expr::expr(&args),
        Ok(Cli { command: Command::Check(args) }) => check::check(&args),
        Ok(Cli { command: Command::Run(args) }) => run::run(&args),
        Ok(Cli { command: Command::Start(args) }) => start::start(&args),
        Ok(Cli { command: Command::Init(args) }) => init::init(&args),
        Ok(Cli { command: Command::Crds }) => print_crds(),
        Ok(Cli { command: Command::Rbac(args) }) => rbac::rbac(&args),
        Ok(Cli { command: Command::Completions(args) }) => completions::completions(&args, Cli::command()),
        Ok(Cli { command: Command::Man(args) }) => man::man(&args, Cli::command()),
        Err(error) => {
            // Help goes to standard output, which may be closed: then nobody wants it.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(Status::Usage as u8));
        }
    };
    ExitCode::from(status as u8)
}

fn print_crds() -> Status {
    let mut bytes = vec![];
    // Writing into memory does not fail.
    let _ = crds::crds(&mut bytes);
    output::write(&bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        Cli::command().debug_assert();
    }
}

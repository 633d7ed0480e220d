//! `celemetry completions`: what a shell needs to complete the command's arguments.
//!
//! In: the definitions of all arguments. Out: a script on standard output. Must never know: what arguments mean.

use clap_complete::Shell;

use super::{Status, output};

/// Print the completions of a shell
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// Which shell
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

const EXAMPLES: &str = "\
Examples:
  # bash, in this session
  source <(celemetry completions bash)

  # zsh, from now on, where that folder is in fpath
  celemetry completions zsh >~/.zfunc/_celemetry

  # fish, from now on
  celemetry completions fish >~/.config/fish/completions/celemetry.fish";

/// Runs the command.
pub(super) fn completions(args: &Args, mut definitions: clap::Command) -> Status {
    let mut script = vec![];
    clap_complete::generate(args.shell, &mut definitions, "celemetry", &mut script);
    output::write(&script)
}

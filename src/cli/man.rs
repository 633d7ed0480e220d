//! `celemetry man`: the manual, a page for each command.
//!
//! In: the definitions of all arguments. Out: a page on standard output, or all of them in a folder. Must never know: what
//! arguments mean.

use std::io;
use std::path::{Path, PathBuf};

use clap::Command;
use clap_mangen::Man;

use super::{Status, output, report};

/// Print a page of the manual, or write all of them
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// The command that the page is about [default: all of celemetry]
    #[arg(value_name = "COMMAND", conflicts_with = "out")]
    command: Option<String>,
    /// Write every page into this folder, which is made if it is not there
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  # Read one
  celemetry man run | man -l -

  # Install them
  celemetry man --out ~/.local/share/man/man1";

/// Runs the command.
pub(super) fn man(args: &Args, definitions: Command) -> Status {
    let pages = pages(definitions);
    if let Some(folder) = &args.out {
        return match write(folder, &pages) {
            Ok(()) => Status::Success,
            Err(error) => {
                report::say(&format!("error: {}: {error}", folder.display()));
                Status::Input
            }
        };
    }
    let wanted = args.command.as_ref().map_or("celemetry".to_owned(), |name| format!("celemetry-{name}"));
    match pages.iter().find(|(name, _)| *name == wanted) {
        Some((_, page)) => output::write(page),
        None => {
            let name = args.command.as_deref().unwrap_or_default();
            report::say(&format!("error: there is no command '{name}'"));
            Status::Usage
        }
    }
}

/// Every page by its name.
fn pages(definitions: Command) -> Vec<(String, Vec<u8>)> {
    // Pages about pages of help help nobody.
    let mut definitions = definitions.disable_help_subcommand(true);
    definitions.build();
    let commands = definitions.get_subcommands().map(|command| {
        let name = format!("celemetry-{}", command.get_name());
        // A page has one name for the title; what is typed stands in its synopsis.
        (name.clone(), command.clone().display_name(name).version(env!("CARGO_PKG_VERSION")))
    });
    let all = std::iter::once(("celemetry".to_owned(), definitions.clone())).chain(commands);
    all.map(|(name, command)| {
        let mut page = vec![];
        let source = format!("celemetry {}", env!("CARGO_PKG_VERSION"));
        // Writing into memory does not fail.
        let _ = Man::new(command).source(source).manual("celemetry").render(&mut page);
        (name, unfilled(&String::from_utf8_lossy(&page)).into_bytes())
    })
    .collect()
}

/// The page with its examples line by line, as they are written.
fn unfilled(page: &str) -> String {
    match page.split_once(".SH EXTRA\n") {
        Some((before, after)) => {
            let (examples, rest) = after.split_once("\n.SH ").unwrap_or((after, ""));
            let rest = if rest.is_empty() { String::new() } else { format!(".SH {rest}") };
            format!("{before}.SH EXAMPLES\n.nf\n{examples}\n.fi\n{rest}")
        }
        None => page.to_owned(),
    }
}

fn write(folder: &Path, pages: &[(String, Vec<u8>)]) -> io::Result<()> {
    std::fs::create_dir_all(folder)?;
    pages.iter().try_for_each(|(name, page)| std::fs::write(folder.join(format!("{name}.1")), page))
}

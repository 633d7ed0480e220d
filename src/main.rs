//! Parse, run, exit code.

fn main() -> std::process::ExitCode {
    celemetry::cli::main(std::env::args_os())
}

//! `celemetry expr --batch`: many expressions, for editors and conformance suites.
//!
//! In: one JSON request a line. Out: one JSON answer a line, in the same order. Must never know: documents.

use std::io::{BufRead, Write};

use super::answer;
use super::request::Request;
use crate::cli::{Status, report};

/// Answers requests until there are none, or nobody listens.
pub(super) fn batch() -> Status {
    let mut stdin = std::io::stdin().lock();
    let mut stdout = std::io::stdout().lock();
    let mut line = Vec::new();
    loop {
        line.clear();
        match stdin.read_until(b'\n', &mut line) {
            Ok(0) => return Status::Success,
            Ok(_) => {}
            Err(error) => {
                report::say(&format!("error: standard input: {error}"));
                return Status::Input;
            }
        }
        if line.trim_ascii().is_empty() {
            continue;
        }
        let mut answer = match Request::parse(&line) {
            Ok(request) => answer::to(&request),
            Err(message) => answer::failed(&message, "compile"),
        };
        answer.push('\n');
        // Whoever asks may wait for each answer.
        match stdout.write_all(answer.as_bytes()).and_then(|()| stdout.flush()) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => return Status::Success,
            Err(error) => {
                report::say(&format!("error: standard output: {error}"));
                return Status::Input;
            }
        }
    }
}

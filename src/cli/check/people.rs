//! Findings for people: the line, and a caret under the place.
//!
//! In: a report. Out: text. Must never know: where it goes.

use std::fmt::Write;

use super::problem::Problem;
use super::{Cost, Report};
use crate::cli::shown::{pointed_at, visible};

/// The whole report.
pub(super) fn print(report: &Report) -> String {
    let mut out = String::new();
    for problem in &report.problems {
        print_problem(problem, &mut out);
    }
    for cost in &report.costs {
        print_cost(cost, &mut out);
    }
    let errors = report.problems.iter().filter(|problem| problem.is_error).count();
    let warnings = report.problems.len() - errors;
    let _ = writeln!(
        out,
        "{}, {}, {}",
        counted(report.costs.iter().filter(|cost| cost.is_sound).count(), "sound Metric"),
        counted(errors, "error"),
        counted(warnings, "warning")
    );
    out
}

fn counted(count: usize, what: &str) -> String {
    let s = if count == 1 { "" } else { "s" };
    format!("{count} {what}{s}")
}

fn print_problem(problem: &Problem, out: &mut String) {
    let word = if problem.is_error { "error" } else { "warning" };
    let mut place = problem.file.clone();
    if let Some((line, column)) = problem.at {
        let _ = write!(place, ":{line}:{column}");
    }
    let colon = if place.is_empty() { "" } else { ": " };
    let _ = writeln!(out, "{word}: {}", visible(&format!("{place}{colon}{}", problem.text())));
    if let (Some(excerpt), Some((line, column))) = (&problem.excerpt, problem.at) {
        let number = line.to_string();
        let margin = " ".repeat(number.len());
        let (shown, caret) = pointed_at(excerpt, usize::try_from(column).unwrap_or(1));
        let _ = writeln!(out, "{margin} |\n{number} | {shown}\n{margin} | {caret}");
    }
    out.push('\n');
}

fn print_cost(cost: &Cost, out: &mut String) {
    let index = if cost.index.is_empty() { "every object".to_owned() } else { cost.index.join(", and ") };
    let steps = match cost.steps.contains('n') {
        true => format!(
            "{} steps an object ({} where n, the length of lists, is 10)",
            cost.steps, cost.steps_at_ten
        ),
        false => counted_steps(&cost.steps),
    };
    let what = if cost.is_sound { "" } else { "what is right of it " };
    let reads = counted(cost.fields, "field");
    let _ = write!(out, "{}: {}: {what}reads {reads}; at most about {steps}", cost.metric, cost.name);
    // What will be looked at hangs on all of it.
    let _ = if cost.is_sound { writeln!(out, "; looked at where: {index}") } else { writeln!(out) };
}

fn counted_steps(steps: &str) -> String {
    let s = if steps == "1" { "" } else { "s" };
    format!("{steps} step{s} an object")
}

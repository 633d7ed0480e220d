//! Findings for people: the line, and a caret under the place.
//!
//! In: a report. Out: text. Must never know: where it goes.

use std::fmt::Write;

use unicode_width::UnicodeWidthChar;

use super::problem::Problem;
use super::{Cost, Report};

/// So many characters of a line are shown.
const WIDTH: usize = 100;

/// What stands where a line was cut.
const CUT: char = '…';

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
    let _ = writeln!(out, "{word}: {place}{colon}{}", problem.text());
    if let (Some(excerpt), Some((line, column))) = (&problem.excerpt, problem.at) {
        let number = line.to_string();
        let margin = " ".repeat(number.len());
        let (shown, indent) = window(excerpt, usize::try_from(column).unwrap_or(1));
        let indent = " ".repeat(columns(&shown, indent));
        let _ = writeln!(out, "{margin} |\n{number} | {shown}\n{margin} | {indent}^");
    }
    out.push('\n');
}

/// What is shown of a line, and how many characters stand before the one at `column`.
fn window(line: &str, column: usize) -> (String, usize) {
    let visible = |c: char| if c == '\t' || c.is_control() { ' ' } else { c };
    let characters: Vec<char> = line.trim_end().chars().map(visible).collect();
    let at = column.saturating_sub(1);
    if characters.len() <= WIDTH {
        return (characters.into_iter().collect(), at.min(WIDTH));
    }
    // The place in the middle, unless the line begins or ends there.
    let start = at.saturating_sub(WIDTH / 2).min(characters.len() - WIDTH);
    let mut shown: Vec<char> = characters[start..start + WIDTH].to_vec();
    if start > 0 {
        shown[0] = CUT;
    }
    if start + WIDTH < characters.len() {
        shown[WIDTH - 1] = CUT;
    }
    (shown.into_iter().collect(), at.saturating_sub(start).min(WIDTH))
}

/// How many columns of a terminal the first so many characters of a line take, and as many spaces where it is shorter.
fn columns(line: &str, characters: usize) -> usize {
    let padded = line.chars().chain(std::iter::repeat(' '));
    padded.take(characters).map(|character| character.width().unwrap_or(0)).sum()
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

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, column: usize, shown: &str, indent: usize) {
        assert_eq!(window(line, column), (shown.to_owned(), indent), "{line:?} {column}");
    }

    #[test]
    fn a_caret_stands_under_its_character() {
        check("a: b", 4, "a: b", 3);
        check("\ta: é\u{1b}[2J!", 5, " a: é [2J!", 4);
        check("a: ", 4, "a:", 3);
        check("", 1, "", 0);
    }

    #[test]
    fn wide_characters_take_two_columns_and_those_that_combine_none() {
        assert_eq!(columns("a: 日本語🎉x", 7), 11);
        assert_eq!(columns("e\u{301}x", 2), 1);
        assert_eq!(columns("ab", 4), 4);
    }

    #[test]
    fn of_a_long_line_the_surroundings_are_shown() {
        let line: String = (0..300).map(|n| char::from(b'a' + (n % 26) as u8)).collect();
        for column in 1..=300 {
            let (shown, indent) = window(&line, column);
            assert_eq!(shown.chars().count(), WIDTH);
            assert_eq!(shown.chars().nth(indent), line.chars().nth(column - 1), "{column}");
        }
    }
}

//! Findings for programs: JSON, and the workflow commands of GitHub.
//!
//! In: a report. Out: text. Must never know: where it goes.

use std::fmt::Write;

use serde_json::{Value, json};

use super::Report;
use super::problem::Problem;

/// One document; what is not known is left out.
pub(super) fn json(report: &Report) -> String {
    let metrics: Vec<Value> = report
        .costs
        .iter()
        .map(|cost| {
            json!({
                "metric": cost.name,
                "source": cost.metric,
                "sound": cost.is_sound,
                "fields": cost.fields,
                "steps": cost.steps,
                "stepsForListsOfTen": cost.steps_at_ten,
                "index": cost.index,
            })
        })
        .collect();
    let problems: Vec<Value> = report.problems.iter().map(problem).collect();
    let mut text = format!("{:#}", json!({ "problems": problems, "metrics": metrics }));
    text.push('\n');
    text
}

fn problem(problem: &Problem) -> Value {
    let mut value = json!({
        "severity": if problem.is_error { "error" } else { "warning" },
        "kind": problem.kind.name(),
        "message": problem.message,
    });
    let texts = [
        ("file", Some(&problem.file).filter(|file| !file.is_empty())),
        ("subject", problem.subject.as_ref()),
        ("path", Some(&problem.path).filter(|path| !path.is_empty())),
        ("suggestion", problem.suggestion.as_ref()),
    ];
    for (name, text) in texts {
        if let Some(text) = text {
            value[name] = text.as_str().into();
        }
    }
    if let Some((line, column)) = problem.at {
        value["line"] = line.into();
        value["column"] = column.into();
    }
    if problem.within.0 > 0 {
        value["within"] = json!({ "line": problem.within.0, "column": problem.within.1 });
    }
    value
}

/// One command a line.
pub(super) fn github(report: &Report) -> String {
    let mut out = String::new();
    for problem in &report.problems {
        let command = if problem.is_error { "error" } else { "warning" };
        let mut properties = vec![];
        if !problem.file.is_empty() && problem.file != "-" {
            properties.push(format!("file={}", escaped(&problem.file, true)));
        }
        if let Some((line, column)) = problem.at {
            properties.push(format!("line={line},col={column}"));
        }
        let space = if properties.is_empty() { "" } else { " " };
        let _ =
            writeln!(out, "::{command}{space}{}::{}", properties.join(","), escaped(&problem.text(), false));
    }
    out
}

/// A text that cannot end a command, nor, in a property, that property.
fn escaped(text: &str, in_property: bool) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '%' => escaped.push_str("%25"),
            '\r' => escaped.push_str("%0D"),
            '\n' => escaped.push_str("%0A"),
            ':' if in_property => escaped.push_str("%3A"),
            ',' if in_property => escaped.push_str("%2C"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_user_wrote_ends_a_command() {
        let problem = Problem {
            file: "a,b:100%.yaml".to_owned(),
            at: Some((3, 7)),
            ..Problem::of_everything("50%\r\n::error::no: really, no".to_owned())
        };
        let report = Report { problems: vec![problem], costs: vec![] };
        let expected = "::error file=a%2Cb%3A100%25.yaml,line=3,col=7::50%25%0D%0A::error::no: really, no\n";
        assert_eq!(github(&report), expected);
    }

    #[test]
    fn what_is_about_no_file_names_none() {
        let report = Report { problems: vec![Problem::of_everything("no".to_owned())], costs: vec![] };
        assert_eq!(github(&report), "::error::no\n");
        let document: Value = serde_json::from_str(&json(&report)).unwrap();
        assert_eq!(document["problems"][0], json!({"severity": "error", "kind": "error", "message": "no"}));
    }
}

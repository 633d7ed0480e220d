//! The table that a bench ends with: each row of a group as a multiple of the group's floor.
//!
//! In: what criterion has written down of every row it has measured. Out: a table. Must never know: what was measured.
//! A group is what criterion calls so, apart by the parameter of its rows; its floor is the row whose name begins so.

#![allow(dead_code, reason = "each bench needs its part")]
#![allow(clippy::disallowed_methods, reason = "the engine does no I/O, its benches may")]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

/// Rows that are this much older than the newest are of another run.
const ONE_RUN: Duration = Duration::from_secs(2 * 60 * 60);

/// One row, as it was measured last.
struct Row {
    group: String,
    name: String,
    median: f64,
    /// Of all samples; of what does not vary, the same.
    fastest: f64,
    when: SystemTime,
}

/// Prints the rows of the groups whose names begin with `of`; of all groups for `""`.
#[allow(clippy::print_stdout, reason = "a benchmark talks to its user")]
pub(crate) fn print(of: &str) {
    let mut rows = Vec::new();
    collect(&folder(), &mut rows);
    let newest = rows.iter().map(|row| row.when).max();
    let is_of_run =
        |row: &Row| newest.and_then(|newest| newest.checked_sub(ONE_RUN)).is_none_or(|then| row.when > then);
    rows.retain(|row| row.group.starts_with(of) && is_of_run(row));
    rows.sort_by(|a, b| a.group.cmp(&b.group).then(a.median.total_cmp(&b.median)));
    println!("\n{:<52}{:>14}{:>11}{:>11}", "", "median", "× floor", "fastest ×");
    for group in rows.chunk_by(|a, b| a.group == b.group) {
        println!("{}", group[0].group);
        let floor = group.iter().find(|row| row.name.starts_with("floor"));
        for row in group {
            let (median, fastest) = match floor {
                Some(floor) => (ratio(row.median / floor.median), ratio(row.fastest / floor.fastest)),
                None => Default::default(),
            };
            println!("  {:<50}{:>14}{median:>11}{fastest:>11}", row.name, amount(row.median));
        }
    }
}

/// Writes down what criterion cannot measure, so that it stands in the table too.
pub(crate) fn record(group: &str, rows: &[(&str, f64)]) {
    for (at, (name, amount)) in rows.iter().enumerate() {
        let new = folder().join(group).join(at.to_string()).join("new");
        let benchmark = json!({"group_id": group, "function_id": name});
        let estimates = json!({"median": {"point_estimate": amount}});
        fs::create_dir_all(&new).expect("the target folder is writable");
        for (file, content) in [("benchmark.json", benchmark), ("estimates.json", estimates)] {
            fs::write(new.join(file), content.to_string()).expect("the target folder is writable");
        }
    }
}

/// Where criterion writes: in the target folder, of which this program is somewhere below.
fn folder() -> PathBuf {
    if let Some(home) = std::env::var_os("CRITERION_HOME") {
        return home.into();
    }
    let program = std::env::current_exe().expect("a running program has a file");
    let near = program.ancestors().map(|folder| folder.join("criterion")).find(|folder| folder.is_dir());
    near.unwrap_or_else(|| {
        program.ancestors().nth(3).expect("programs are built in target/release/deps").join("criterion")
    })
}

fn collect(folder: &Path, rows: &mut Vec<Row>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.file_name().is_some_and(|name| name == "new") {
            rows.extend(row(&path));
        } else if path.is_dir() {
            collect(&path, rows);
        }
    }
}

/// The row that criterion has written into `new`; `None` if it is not one, or half of one.
fn row(new: &Path) -> Option<Row> {
    let read = |name: &str| -> Option<Value> { serde_json::from_slice(&fs::read(new.join(name)).ok()?).ok() };
    let (benchmark, estimates) = (read("benchmark.json")?, read("estimates.json")?);
    let group = benchmark["group_id"].as_str()?;
    let group = benchmark["value_str"].as_str().map_or(group.to_owned(), |value| format!("{group}/{value}"));
    // What is done to several elements at once counts for each.
    let elements = benchmark["throughput"]["Elements"].as_f64().unwrap_or(1.0);
    let median = estimates["median"]["point_estimate"].as_f64()? / elements;
    let fastest =
        read("sample.json").and_then(|sample| fastest(&sample)).map_or(median, |fastest| fastest / elements);
    let when = fs::metadata(new.join("estimates.json")).ok()?.modified().ok()?;
    Some(Row { group, name: benchmark["function_id"].as_str()?.to_owned(), median, fastest, when })
}

fn fastest(sample: &Value) -> Option<f64> {
    let numbers = |name: &str| sample[name].as_array().into_iter().flatten().filter_map(Value::as_f64);
    numbers("times").zip(numbers("iters")).map(|(time, count)| time / count).min_by(f64::total_cmp)
}

fn ratio(ratio: f64) -> String {
    if ratio < 100.0 { format!("{ratio:.2}") } else { format!("{ratio:.0}") }
}

/// Nanoseconds, or bytes: with as many digits as matter.
fn amount(amount: f64) -> String {
    if amount < 100.0 { format!("{amount:.1}") } else { format!("{amount:.0}") }
}

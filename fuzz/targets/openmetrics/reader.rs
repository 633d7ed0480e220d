//! Reads a page by the letter of its format: Prometheus' text format 0.0.4, or OpenMetrics 1.0.0.
//!
//! In: a page of gauges without timestamps. Out: its families, or what is wrong. Must never know: how pages are written.

use std::collections::BTreeMap;

/// One family of a page.
#[derive(Debug)]
pub(crate) struct Family {
    pub(crate) name: String,
    pub(crate) help: String,
    pub(crate) unit: String,
    /// The text of each number, by labels.
    pub(crate) samples: BTreeMap<BTreeMap<String, String>, String>,
}

/// The families of a page, in order.
pub(crate) fn read(page: &str, is_open: bool) -> Result<Vec<Family>, String> {
    let body = if is_open { page.strip_suffix("# EOF\n").ok_or("no EOF at the end")? } else { page };
    let mut families: Vec<Family> = Vec::new();
    for line in body.split_terminator('\n') {
        line_of(line, is_open, &mut families).map_err(|error| format!("{error} in {line:?}"))?;
    }
    if !body.is_empty() && !body.ends_with('\n') {
        return Err("the last line does not end".to_owned());
    }
    match families.iter().find(|family| family.samples.is_empty()) {
        Some(family) => Err(format!("{} has no samples", family.name)),
        None => Ok(families),
    }
}

fn line_of(line: &str, is_open: bool, families: &mut Vec<Family>) -> Result<(), String> {
    let Some(comment) = line.strip_prefix("# ") else { return sample(line, families) };
    let (keyword, rest) = comment.split_once(' ').ok_or("no keyword")?;
    let (name, text) = rest.split_once(' ').ok_or("no name")?;
    if keyword == "HELP" {
        if families.iter().any(|family| family.name == name) {
            return Err("a family twice".to_owned());
        }
        let help = unescape(text, is_open)?;
        is_name(name, true)?;
        let samples = BTreeMap::new();
        families.push(Family { name: name.to_owned(), help, unit: String::new(), samples });
        return Ok(());
    }
    let family = families.last_mut().filter(|family| family.name == name && family.samples.is_empty());
    let family = family.ok_or("a line of another family")?;
    match keyword {
        "TYPE" if text == "gauge" => Ok(()),
        "UNIT" if is_open && name.ends_with(&format!("_{text}")) => {
            family.unit = text.to_owned();
            Ok(())
        }
        _ => Err(format!("a wrong {keyword}")),
    }
}

fn sample(line: &str, families: &mut [Family]) -> Result<(), String> {
    let family = families.last_mut().ok_or("a sample without a family")?;
    let rest = line.strip_prefix(&family.name).ok_or("a sample of another family")?;
    let (labels, number) = match rest.strip_prefix('{') {
        Some(rest) => labels(rest)?,
        None => (BTreeMap::new(), rest),
    };
    let number = number.strip_prefix(' ').ok_or("no space before the number")?;
    if number.is_empty() || number.contains(|c: char| !c.is_ascii_alphanumeric() && !"+-.".contains(c)) {
        return Err("no number".to_owned());
    }
    match family.samples.insert(labels, number.to_owned()) {
        Some(_) => Err("a series twice".to_owned()),
        None => Ok(()),
    }
}

/// The labels up to the closing brace, and what stands behind it.
fn labels(mut rest: &str) -> Result<(BTreeMap<String, String>, &str), String> {
    let mut labels = BTreeMap::new();
    loop {
        let (name, value) = rest.split_once("=\"").ok_or("no value of a label")?;
        is_name(name, false)?;
        let mut escaped = false;
        let end = value.bytes().position(|byte| {
            let is_end = byte == b'"' && !escaped;
            escaped = byte == b'\\' && !escaped;
            is_end
        });
        let end = end.ok_or("a label's value does not end")?;
        if labels.insert(name.to_owned(), unescape(&value[..end], true)?).is_some() {
            return Err(format!("the label {name} twice"));
        }
        rest = &value[end + 1..];
        if let Some(behind) = rest.strip_prefix('}') {
            return Ok((labels, behind));
        }
        rest = rest.strip_prefix(',').ok_or("nothing between labels")?;
    }
}

/// Names of metrics may have colons; those of labels may not, and none is Prometheus' own.
fn is_name(name: &str, of_metric: bool) -> Result<(), String> {
    let fine = |c: char| c.is_ascii_alphanumeric() || c == '_' || (of_metric && c == ':');
    let is_own = !of_metric && name.starts_with("__");
    if name.is_empty() || is_own || name.starts_with(|c: char| c.is_ascii_digit()) || !name.chars().all(fine)
    {
        return Err(format!("{name:?} is no name"));
    }
    Ok(())
}

/// `quotes` are escaped in label values, and in OpenMetrics' help.
fn unescape(text: &str, quotes: bool) -> Result<String, String> {
    let mut out = String::new();
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        match c {
            '\\' => out.push(match characters.next() {
                Some('n') => '\n',
                Some('\\') => '\\',
                Some('"') if quotes => '"',
                other => return Err(format!("an escape of {other:?}")),
            }),
            '"' if quotes => return Err("a quote that is not escaped".to_owned()),
            c => out.push(c),
        }
    }
    Ok(out)
}

//! What is asked of `expr --batch`.
//!
//! In: a line. Out: the parts of a request, values still as the texts they are. Must never know: what expressions mean.
//!
//! Values stay texts because a JSON number says more than a double holds: `-0` is an int, `1e400` an infinity.

use clap::ValueEnum;
use serde::de::IgnoredAny;

use super::Dialect;

/// One request.
#[derive(Debug)]
pub(super) struct Request<'l> {
    pub(super) dialect: Dialect,
    pub(super) expression: String,
    /// Names and JSON texts.
    pub(super) variables: Vec<(String, &'l str)>,
    /// Whether the texts are in the form of `cel.expr.Value`.
    pub(super) typed: bool,
}

// === impl Request ===

impl<'l> Request<'l> {
    /// Reads a request; members that it does not know are passed over.
    ///
    /// # Errors
    /// What is wrong with the line.
    pub(super) fn parse(line: &'l [u8]) -> Result<Self, String> {
        let text = std::str::from_utf8(line).map_err(|_| "the request is not UTF-8".to_owned())?;
        let (mut dialect, mut expression, mut variables, mut typed) = (None, None, Vec::new(), false);
        for (name, value) in
            members(text).map_err(|error| format!("the request is no JSON object: {error}"))?
        {
            let wrong = |wanted: &str| format!("'{name}' must be {wanted}");
            match name.as_str() {
                "language" => {
                    let known = string(value).and_then(|name| Dialect::from_str(&name, false).ok());
                    dialect = Some(known.ok_or_else(|| wrong("cel, jsonpath or kubectl"))?);
                }
                "expression" => expression = Some(string(value).ok_or_else(|| wrong("a string"))?),
                "variables" => variables = members(value).map_err(|_| wrong("an object"))?,
                "typed" => typed = serde_json::from_str(value).map_err(|_| wrong("true or false"))?,
                _ => {}
            }
        }
        Ok(Request {
            dialect: dialect.ok_or("the request has no 'language'")?,
            expression: expression.ok_or("the request has no 'expression'")?,
            variables,
            typed,
        })
    }
}

fn string(json: &str) -> Option<String> {
    serde_json::from_str(json).ok()
}

/// The members of a JSON object with their texts; of those with one name, the last.
fn members(text: &str) -> Result<Vec<(String, &str)>, String> {
    let mut found: Vec<(String, &str)> = Vec::new();
    let mut rest = text.trim_start().strip_prefix('{').ok_or("it does not begin with {")?.trim_start();
    if let Some(after) = rest.strip_prefix('}') {
        return end(after).map(|()| found);
    }
    loop {
        let (name, after) = take::<String>(rest)?;
        let (name, _) = name;
        rest = after.trim_start().strip_prefix(':').ok_or("a name is not followed by a colon")?;
        let ((_, value), after) = take::<IgnoredAny>(rest)?;
        match found.iter_mut().find(|(known, _)| *known == name) {
            Some(member) => member.1 = value,
            None => found.push((name, value)),
        }
        rest = after.trim_start();
        rest = match (rest.strip_prefix(','), rest.strip_prefix('}')) {
            (Some(more), _) => more,
            (None, Some(after)) => return end(after).map(|()| found),
            (None, None) => return Err("a value is followed neither by a comma nor by }".to_owned()),
        };
    }
}

fn end(rest: &str) -> Result<(), String> {
    if rest.trim().is_empty() { Ok(()) } else { Err("something follows it".to_owned()) }
}

/// The value that a text begins with, its own text, and what follows.
fn take<'t, T: serde::Deserialize<'t>>(text: &'t str) -> Result<((T, &'t str), &'t str), String> {
    let mut stream = serde_json::Deserializer::from_str(text).into_iter::<T>();
    let value = stream.next().ok_or("it ends too early")?.map_err(|error| error.to_string())?;
    let (own, rest) = text.split_at(stream.byte_offset());
    Ok(((value, own.trim()), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_keep_their_texts() {
        let line = br#" {"language":"cel", "expression":"a\n", "name":[{}], "variables":{"a":-0 ,"b":1e400, "a" : {"x":[1]} } } "#;
        let request = Request::parse(line).unwrap();
        assert_eq!(request.expression, "a\n");
        assert_eq!(request.variables, [("a".to_owned(), r#"{"x":[1]}"#), ("b".to_owned(), "1e400")]);
        assert!(!request.typed);
    }

    #[test]
    fn what_is_no_request_says_why() {
        for (line, expected) in [
            ("[]", "the request is no JSON object: it does not begin with {"),
            ("{}", "the request has no 'language'"),
            (r#"{"language":"cel"}"#, "the request has no 'expression'"),
            (r#"{"language":"sql"}"#, "'language' must be cel, jsonpath or kubectl"),
            (r#"{"language":"cel","expression":1}"#, "'expression' must be a string"),
            (r#"{"language":"cel","expression":"","variables":[]}"#, "'variables' must be an object"),
            (
                r#"{"language":"cel","expression":""} 1"#,
                "the request is no JSON object: something follows it",
            ),
        ] {
            assert_eq!(Request::parse(line.as_bytes()).unwrap_err(), expected, "{line}");
        }
    }
}

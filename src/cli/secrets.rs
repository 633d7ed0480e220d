//! Metrics over Secrets from files: of a Secret nothing but its metadata ever becomes a number or an attribute.
//!
//! In: a Metric that compiles. Out: an error for each field that it reads besides. Must never know: objects.
//!
//! In a cluster an operator asks for nothing else. A file holds all of them, so what a Metric reads decides.

use celemetry_engine::definition::Definition;
use celemetry_engine::error::CompileError;
use celemetry_engine::explain::explain;

/// What every object has, whatever it holds.
const ALLOWED: [&str; 3] = ["apiVersion", "kind", "metadata"];

/// What of the contents of Secrets a definition reads.
pub(super) fn read_by(definition: &Definition) -> Vec<CompileError> {
    let Ok(explanation) = explain(definition) else { return vec![] };
    let is_allowed = |path: &str| {
        let name = path.split(['.', '[']).next().unwrap_or_default();
        ALLOWED.contains(&name)
    };
    let read = explanation.fields.iter().map(|field| field.path.as_str()).filter(|path| !is_allowed(path));
    let error = |path: &str| {
        let what = if path.is_empty() { "the whole object" } else { path };
        CompileError {
            place: "spec.target".to_owned(),
            line: 0,
            column: 0,
            message: format!("of Secrets only the metadata is read, and this reads {what}"),
        }
    };
    read.map(error).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(definition: &Definition, expected: &[&str]) {
        let found: Vec<_> = read_by(definition).into_iter().map(|error| error.message).collect();
        let expected: Vec<_> = expected
            .iter()
            .map(|what| format!("of Secrets only the metadata is read, and this reads {what}"))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn metadata_may_be_read_and_nothing_else() {
        check(&Definition::count("secrets"), &[]);
        let owned = "object.metadata.ownerReferences.exists(o, o.kind == 'Job') && object.kind == 'Secret'";
        check(&Definition::count("secrets").filter(owned).by("app", "object.metadata.labels.app"), &[]);
        check(
            &Definition::count("secrets").by("type", "object.type").by("a", "object.data.token"),
            &["data.token", "type"],
        );
        check(&Definition::count("secrets").by("a", "object.data['token'].size()"), &["data.token"]);
        check(&Definition::count("secrets").filter("object.data.size() > 1"), &["data"]);
        check(&Definition::count("secrets").filter("object == {}"), &["the whole object"]);
        check(&Definition::count("secrets").each("object.data").by("a", "item"), &["data[*]"]);
        check(
            &Definition::count("secrets").filter("object[object.metadata.name] == ''"),
            &["the whole object"],
        );
    }
}

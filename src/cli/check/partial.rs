//! What can be said of a definition although parts of it are wrong.
//!
//! In: a definition. Out: what it will do, without the parts that do not compile. Must never know: files, formats.

use celemetry_engine::definition::{Definition, Formula};
use celemetry_engine::error::CompileError;
use celemetry_engine::explain::{self, Explanation};

/// Parts may hang on others, such as attributes on the elements that they are of; more often than that it is not tried.
const MOST_ROUNDS: usize = 8;

/// Explains what compiles of a definition, and says whether that is all of it.
pub(super) fn explain(definition: &Definition) -> Option<(Explanation, bool)> {
    let mut errors = match explain::explain(definition) {
        Ok(explanation) => return Some((explanation, true)),
        Err(errors) => errors,
    };
    let mut rest = definition.clone();
    for _ in 0..MOST_ROUNDS {
        remove(&mut rest, &errors);
        match explain::explain(&rest) {
            Ok(explanation) => return Some((explanation, false)),
            Err(further) => errors = further,
        }
    }
    None
}

/// Takes out every part that an error is about.
fn remove(definition: &mut Definition, errors: &[CompileError]) {
    let is_right = |formula: &Formula| !errors.iter().any(|error| is_about(&error.place, &formula.place));
    let Definition { filter, for_each, projections, value, .. } = definition;
    *filter = filter.take().filter(is_right);
    *for_each = for_each.take().filter(is_right);
    projections.retain(|projection| is_right(&projection.formula));
    *value = value.take().filter(|value| is_right(&value.formula));
}

/// Whether an error is about the part whose expression stands at `formula`: `spec.valueFrom.default` is about the part
/// of `spec.valueFrom.expression`, and `spec.forEach` too.
fn is_about(error: &str, formula: &str) -> bool {
    let part = match formula.rsplit_once('.') {
        Some((part, "fieldPath" | "expression")) => part,
        _ => formula,
    };
    error.strip_prefix(part).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_right_is_explained_without_what_is_wrong() {
        let definition = Definition::count("pods")
            .filter("object.status.phase == 'Running'")
            .by("node", "object.spec.nodeName")
            .by("odd", "objct.spec");
        let (explanation, is_all) = explain(&definition).unwrap();
        let fields: Vec<&str> = explanation.fields.iter().map(|field| field.path.as_str()).collect();
        assert_eq!((fields, is_all), (vec!["spec.nodeName", "status.phase"], false));
        let (_, is_all) = explain(&Definition::count("pods").by("name", "object.metadata.name")).unwrap();
        assert!(is_all);
    }

    #[test]
    fn what_hangs_on_what_is_wrong_goes_with_it() {
        let definition = Definition::count("pods")
            .each("objct")
            .by("name", "item.name")
            .by("phase", "object.status.phase");
        let (explanation, _) = explain(&definition).unwrap();
        assert_eq!(explanation.formulas.len(), 1);
    }

    #[test]
    fn errors_are_about_the_part_that_they_stand_in() {
        for (error, formula, expected) in [
            ("spec.filter", "spec.filter", true),
            ("spec.filter", "spec.forEach.fieldPath", false),
            ("spec.valueFrom.default", "spec.valueFrom.expression", true),
            ("spec.projections[1].expression", "spec.projections[1].expression", true),
            ("spec.projections[1].expression", "spec.projections[10].expression", false),
            ("spec.projections[10].default", "spec.projections[1].expression", false),
        ] {
            assert_eq!(is_about(error, formula), expected, "{error} {formula}");
        }
    }
}

//! What the index knows of a definition, in words.
//!
//! In: conditions and the names of their fields. Out: a line each. Must never know: where plans are filed.

use std::collections::BTreeMap;

use crate::definition::LabelOperator;
use crate::expression::{Condition, ScalarKey};
use crate::index::{Conditions, LabelTest};
use crate::row::FieldId;

type Names = BTreeMap<FieldId, String>;

/// Literals that a line names; the rest is counted.
const MOST: usize = 8;

/// Every necessary condition.
pub(super) fn of(conditions: &Conditions, names: &Names) -> Vec<String> {
    let selector = &conditions.selector;
    let namespaces = selector.namespaces.iter().map(|namespaces| {
        format!("metadata.namespace is {}", any(namespaces.iter().map(|name| format!("{name:?}"))))
    });
    let labels = selector.labels.iter().map(|test| label(test, names));
    let filters = conditions.filters.iter().map(|condition| filter(condition, names));
    namespaces.chain(labels).chain(filters).collect()
}

fn label(test: &LabelTest, names: &Names) -> String {
    let name = names.get(&test.field).map(String::as_str).unwrap_or_default();
    let texts = |values: &std::collections::BTreeSet<String>| any(values.iter().map(|v| format!("{v:?}")));
    match &test.operator {
        LabelOperator::In(values) => format!("{name} is {}", texts(values)),
        LabelOperator::NotIn(values) => format!("{name} is not {}", texts(values)),
        LabelOperator::Exists => format!("{name} is there"),
        LabelOperator::DoesNotExist => format!("{name} is not there"),
        LabelOperator::GreaterThan(bound) => format!("{name} is greater than {bound}"),
        LabelOperator::LessThan(bound) => format!("{name} is less than {bound}"),
    }
}

fn filter(condition: &Condition, names: &Names) -> String {
    let equalities = condition.any.iter().map(|equality| {
        let name = names.get(&equality.field).map(String::as_str).unwrap_or_default();
        format!("{name} is {}", any(equality.keys.iter().map(key)))
    });
    equalities.collect::<Vec<_>>().join(", or ")
}

fn key(key: &ScalarKey) -> String {
    match key {
        ScalarKey::Null => "null".to_owned(),
        ScalarKey::Bool(value) => value.to_string(),
        ScalarKey::Integer(value) => value.to_string(),
        ScalarKey::Double(bits) => f64::from_bits(*bits).to_string(),
        ScalarKey::String(text) => format!("{text:?}"),
    }
}

fn any(texts: impl ExactSizeIterator<Item = String>) -> String {
    let rest = texts.len().saturating_sub(MOST);
    let mut listed = texts.take(MOST).collect::<Vec<_>>().join(" or ");
    if rest > 0 {
        listed.push_str(&format!(" or one of {rest} more"));
    }
    listed
}

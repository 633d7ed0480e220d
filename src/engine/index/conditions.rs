//! What a row must meet for a plan to count it, as far as an index can tell.
//!
//! In: requirements with the fields they concern. Out: yes or no for a row. Must never know: where plans are filed.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::definition::LabelOperator;
use crate::expression::Condition;
use crate::row::{FieldId, Row};

/// Necessary conditions of one plan.
#[derive(Clone, Debug, Default)]
pub(crate) struct Conditions {
    /// Labels and namespace.
    pub(crate) selector: Selector,
    /// Every one of these holds, or the filter is not true.
    pub(crate) filters: Vec<Condition>,
}

/// Requirements that depend on labels and namespace alone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Selector {
    pub(crate) labels: Vec<LabelTest>,
    /// Shared by the plans of one definition, one a source.
    pub(crate) namespaces: Option<Arc<BTreeSet<String>>>,
}

/// One requirement of a label, and the field where rows hold that label.
#[derive(Clone, Debug)]
pub(crate) struct LabelTest {
    pub(crate) field: FieldId,
    pub(crate) operator: LabelOperator,
}

impl Selector {
    pub(crate) fn is_empty(&self) -> bool {
        self.labels.is_empty() && self.namespaces.is_none()
    }

    pub(crate) fn matches(&self, row: &Row) -> bool {
        self.namespaces.as_ref().is_none_or(|names| names.contains(row.namespace()))
            && self.labels.iter().all(|test| test.matches(row))
    }
}

impl LabelTest {
    fn matches(&self, row: &Row) -> bool {
        let value = row.at(self.field).and_then(|node| node.as_str());
        match (&self.operator, value) {
            (LabelOperator::In(values), Some(value)) => values.contains(value),
            (LabelOperator::NotIn(values), Some(value)) => !values.contains(value),
            (LabelOperator::GreaterThan(bound), Some(value)) => value.parse().is_ok_and(|n: i64| n > *bound),
            (LabelOperator::LessThan(bound), Some(value)) => value.parse().is_ok_and(|n: i64| n < *bound),
            (LabelOperator::Exists, value) => value.is_some(),
            (LabelOperator::NotIn(_) | LabelOperator::DoesNotExist, None) => true,
            _ => false,
        }
    }
}

impl LabelOperator {
    /// Whether an object without the label cannot meet it.
    pub(crate) fn needs_label(&self) -> bool {
        !matches!(self, LabelOperator::NotIn(_) | LabelOperator::DoesNotExist)
    }
}

//! Expressions that had no value for an object, collected for the end of a command.
//!
//! In: failures, as the engine tells them. Out: records in the order that `eval -o json` promises. Must never know:
//! formats, terminals.

use std::collections::BTreeMap;

use celemetry_engine::Failure;
use celemetry_engine::snapshot::MetricId;

use crate::export::ErrorRecord;

/// Which expression failed for which object, and how it failed last.
///
/// Invariant: at most `capacity` records; `left_out` counts the failures that found no room.
#[derive(Debug)]
pub(super) struct ErrorLog {
    sources: BTreeMap<MetricId, String>,
    records: BTreeMap<(String, String, String), String>,
    capacity: usize,
    left_out: u64,
}

// === impl ErrorLog ===

impl ErrorLog {
    /// An empty log with room for `capacity` records.
    pub(super) fn new(capacity: usize) -> Self {
        ErrorLog { sources: BTreeMap::new(), records: BTreeMap::new(), capacity, left_out: 0 }
    }

    /// Tells which object declares a metric.
    pub(super) fn name(&mut self, metric: MetricId, source: &str) {
        self.sources.insert(metric, source.to_owned());
    }

    /// Notes a failure. Gives a line about it if this expression had not failed for this object before.
    pub(super) fn note(&mut self, failure: &Failure<'_>) -> Option<String> {
        let source = self.sources.get(&failure.metric).cloned().unwrap_or_default();
        let (place, object, message) = (failure.place, failure.row.label(), failure.error.to_string());
        let line = format!("{source}: {place}: {object}: {message}");
        let key = (source, place.to_owned(), object);
        if self.records.len() >= self.capacity && !self.records.contains_key(&key) {
            self.left_out += 1;
            return None;
        }
        let known = self.records.insert(key, message);
        known.is_none().then_some(line)
    }

    /// Failures beyond the capacity.
    pub(super) fn left_out(&self) -> u64 {
        self.left_out
    }

    /// All records, sorted by metric, place and object.
    pub(super) fn records(&self) -> Vec<ErrorRecord> {
        let record = |((source, path, object), message): (&(String, String, String), &String)| ErrorRecord {
            source: source.clone(),
            path: path.clone(),
            object: object.clone(),
            message: message.clone(),
        };
        self.records.iter().map(record).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use celemetry_engine::error::EvaluationError;
    use celemetry_engine::row::{Decoder, Defaults, FieldPlan, HashSeed, Row};

    fn pod(name: &str) -> Row {
        let object = format!(
            r#"{{"apiVersion":"v1","kind":"Pod","metadata":{{"name":"{name}","namespace":"shop"}}}}"#
        );
        let mut decoder = Decoder::new(FieldPlan::new(HashSeed::default()).into());
        decoder.decode(object.as_bytes(), Defaults::default()).unwrap()
    }

    fn note(log: &mut ErrorLog, row: &Row, message: &'static str) -> Option<String> {
        let error = EvaluationError::new(message);
        log.note(&Failure { metric: MetricId(1), place: "spec.filter", row, error: &error })
    }

    #[test]
    fn an_object_that_fails_again_is_one_record_with_the_latest_message() {
        let mut log = ErrorLog::new(10);
        log.name(MetricId(1), "Metric/default/pods");
        let line = "Metric/default/pods: spec.filter: v1/Pod/shop/a: no such key: b";
        assert_eq!(note(&mut log, &pod("a"), "no such key: b").as_deref(), Some(line));
        assert_eq!(note(&mut log, &pod("a"), "no such key: c"), None);
        let records = log.records();
        assert_eq!(records.len(), 1);
        assert_eq!(records[0].source, "Metric/default/pods");
        assert_eq!(records[0].message, "no such key: c");
    }

    #[test]
    fn beyond_its_capacity_the_log_only_counts() {
        let mut log = ErrorLog::new(1);
        note(&mut log, &pod("a"), "x");
        assert_eq!(note(&mut log, &pod("b"), "x"), None);
        assert_eq!((log.records().len(), log.left_out()), (1, 1));
    }
}

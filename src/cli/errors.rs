//! Expressions that had no value for an object, collected for the end of a command.
//!
//! In: failures, as the engine tells them. Out: records in the order that `eval -o json` promises. Must never know:
//! formats, terminals.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use celemetry_engine::Failure;
use celemetry_engine::change::{Change, Origin, SourceId};
use celemetry_engine::row::ObjectKey;
use celemetry_engine::snapshot::MetricId;

use crate::export::ErrorRecord;

/// Which expression fails for which object, and how.
///
/// A record goes when its object is deleted, or evaluated again without this failure. An object that has not changed is
/// not evaluated again, so that its records stay.
///
/// Invariant: at most `capacity` records; `left_out` counts the failures that found no room. Every record is in
/// `by_object`, under the object it is about.
#[derive(Debug)]
pub(super) struct ErrorLog {
    sources: BTreeMap<MetricId, String>,
    records: BTreeMap<RecordKey, String>,
    by_object: HashMap<(SourceId, ObjectKey), Failing>,
    /// The object whose change is being applied.
    current: Option<((SourceId, ObjectKey), Failing)>,
    /// Records that the change took out, and may renew.
    leaving: BTreeSet<RecordKey>,
    capacity: usize,
    left_out: u64,
}

/// The source of the metric, the place of the expression, the object.
type RecordKey = (String, String, String);

/// An object for which expressions fail.
#[derive(Debug, Default)]
struct Failing {
    digest: u128,
    epoch: u32,
    records: Vec<RecordKey>,
}

// === impl ErrorLog ===

impl ErrorLog {
    /// An empty log with room for `capacity` records.
    pub(super) fn new(capacity: usize) -> Self {
        ErrorLog {
            sources: BTreeMap::new(),
            records: BTreeMap::new(),
            by_object: HashMap::new(),
            current: None,
            leaving: BTreeSet::new(),
            capacity,
            left_out: 0,
        }
    }

    /// Tells which object declares a metric.
    pub(super) fn name(&mut self, metric: MetricId, source: &str) {
        self.sources.insert(metric, source.to_owned());
    }

    /// Takes out what no longer holds once `change` is applied. The failures that it leads to are noted after this.
    pub(super) fn applying(&mut self, source: SourceId, change: &Change) {
        self.store();
        let (object, digest, epoch, origin) = match change {
            Change::Upsert { row, origin } => ((source, row.key()), row.digest(), row.epoch(), *origin),
            Change::Delete { key } => {
                self.take(&(source, *key));
                return;
            }
            // Whatever is missing from a list that a source repeats was deleted on the way; a file or pipe has one list.
            Change::Begin { .. } | Change::Undecodable { .. } | Change::End => return,
        };
        let known = self.by_object.get(&object);
        let reviewed = origin == Origin::Review;
        if reviewed || known.is_none_or(|known| (known.digest, known.epoch) != (digest, epoch)) {
            self.leaving = self.take(&object);
            self.current = Some((object, Failing { digest, epoch, records: vec![] }));
        }
    }

    /// Notes a failure. Gives a line about it if this expression did not fail for this object before.
    pub(super) fn note(&mut self, failure: &Failure<'_>) -> Option<String> {
        let source = self.sources.get(&failure.metric).cloned().unwrap_or_default();
        let (place, object, message) = (failure.place, failure.row.label(), failure.error.to_string());
        let line = format!("{source}: {place}: {object}: {message}");
        let key = (source, place.to_owned(), object);
        if self.records.len() >= self.capacity && !self.records.contains_key(&key) {
            self.left_out += 1;
            return None;
        }
        if let Some((_, failing)) = &mut self.current {
            failing.records.push(key.clone());
        }
        let is_known = self.leaving.contains(&key);
        let was_there = self.records.insert(key, message).is_some();
        (!is_known && !was_there).then_some(line)
    }

    /// Remembers the object whose change was applied, if anything failed for it.
    fn store(&mut self) {
        self.leaving.clear();
        if let Some((object, failing)) = self.current.take()
            && !failing.records.is_empty()
        {
            self.by_object.insert(object, failing);
        }
    }

    /// Takes out the records of an object.
    fn take(&mut self, object: &(SourceId, ObjectKey)) -> BTreeSet<RecordKey> {
        let records = self.by_object.remove(object).unwrap_or_default().records;
        for record in &records {
            self.records.remove(record);
        }
        records.into_iter().collect()
    }

    /// Failures beyond the capacity.
    pub(super) fn left_out(&self) -> u64 {
        self.left_out
    }

    /// All records, sorted by metric, place and object.
    pub(super) fn records(&self) -> Vec<ErrorRecord> {
        let record = |((source, path, object), message): (&RecordKey, &String)| ErrorRecord {
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
        in_phase(name, "Running")
    }

    fn in_phase(name: &str, phase: &str) -> Row {
        let object = format!(
            r#"{{"apiVersion":"v1","kind":"Pod","metadata":{{"name":"{name}","namespace":"shop"}},
                "status":{{"phase":"{phase}"}}}}"#
        );
        let mut decoder = Decoder::new(FieldPlan::whole(HashSeed::default()).into());
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

    fn upsert(log: &mut ErrorLog, source: u32, row: &Row) {
        log.applying(SourceId(source), &Change::Upsert { row: row.clone(), origin: Origin::Watch });
    }

    #[test]
    fn a_failure_that_no_longer_holds_leaves_the_log() {
        let mut log = ErrorLog::new(10);
        upsert(&mut log, 0, &in_phase("a", "Pending"));
        assert!(note(&mut log, &in_phase("a", "Pending"), "x").is_some());
        upsert(&mut log, 0, &in_phase("a", "Pending"));
        assert_eq!(log.records().len(), 1, "an object that did not change is not evaluated again");
        upsert(&mut log, 1, &in_phase("a", "Running"));
        upsert(&mut log, 0, &in_phase("b", "Running"));
        assert_eq!(log.records().len(), 1, "other sources and objects change nothing");
        upsert(&mut log, 0, &in_phase("a", "Failed"));
        assert_eq!(note(&mut log, &in_phase("a", "Failed"), "y"), None, "it failed before");
        assert_eq!(log.records()[0].message, "y");
        upsert(&mut log, 0, &in_phase("a", "Running"));
        assert!(log.records().is_empty());
    }

    #[test]
    fn a_deleted_object_takes_its_failures_with_it() {
        let mut log = ErrorLog::new(10);
        upsert(&mut log, 0, &pod("a"));
        note(&mut log, &pod("a"), "x");
        log.applying(SourceId(0), &Change::Delete { key: pod("a").key() });
        assert!(log.records().is_empty() && log.by_object.is_empty());
    }

    #[test]
    fn beyond_its_capacity_the_log_only_counts() {
        let mut log = ErrorLog::new(1);
        note(&mut log, &pod("a"), "x");
        assert_eq!(note(&mut log, &pod("b"), "x"), None);
        assert_eq!((log.records().len(), log.left_out()), (1, 1));
    }
}

//! Whether what celemetry says is true.
//!
//! In: the last snapshot, the truth. Out: every difference. Must never know: how either came about.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use celemetry_engine::snapshot::{Number, Snapshot};

use super::truth::{Key, Truth};

/// A series that is not as it should be.
#[derive(Clone, Debug)]
pub(super) struct Difference {
    series: Key,
    said: Option<Number>,
    truth: Option<i64>,
}

/// Every series of which the two do not say the same.
pub(super) fn differences(snapshot: &Snapshot, truth: &Truth) -> Vec<Difference> {
    let said: BTreeMap<Key, Number> = said(snapshot);
    let all: BTreeSet<&Key> = said.keys().chain(truth.series.keys()).collect();
    let compared = all.into_iter().map(|series| {
        let (said, truth) = (said.get(series).copied(), truth.series.get(series).copied());
        Difference { series: series.clone(), said, truth }
    });
    compared.filter(|difference| !difference.is_none()).collect()
}

fn said(snapshot: &Snapshot) -> BTreeMap<Key, Number> {
    let series = snapshot.metrics.values().flat_map(|table| {
        table.iter().map(|series| {
            let pairs = series.attributes.iter().map(|(name, text)| (name.to_owned(), text.to_owned()));
            ((table.info.source.clone(), pairs.collect()), series.number)
        })
    });
    series.collect()
}

// === impl Difference ===

impl Difference {
    /// Whether it is none.
    fn is_none(&self) -> bool {
        match (self.said, self.truth) {
            (Some(Number::Integer(said)), Some(truth)) => said == truth,
            // Whole numbers of this size are doubles without loss.
            (Some(Number::Double(said)), Some(truth)) => said.to_bits() == (truth as f64).to_bits(),
            (said, truth) => said.is_none() && truth.is_none(),
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (source, attributes) = &self.series;
        let pairs: Vec<String> = attributes.iter().map(|(name, text)| format!("{name}={text:?}")).collect();
        write!(f, "{source}{{{}}}: celemetry says ", pairs.join(","))?;
        match self.said {
            Some(number) => write!(f, "{number}")?,
            None => f.write_str("nothing")?,
        }
        match self.truth {
            Some(number) => write!(f, ", the truth is {number}"),
            None => f.write_str(", in truth there is no such series"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use celemetry_engine::definition::MetricInfo;
    use celemetry_engine::snapshot::{Attributes, MetricId, MetricShape, MetricTable};

    use super::*;

    /// A snapshot of one metric with these series.
    fn snapshot(series: &[(&str, Number)]) -> Snapshot {
        let info = MetricInfo { source: "Metric/default/m".into(), ..MetricInfo::default() };
        let mut table = MetricTable::new(Arc::new(info), MetricShape::CountOfObjects);
        for (slot, (phase, number)) in series.iter().enumerate() {
            let attributes = Attributes::new([("phase".into(), (*phase).into())]);
            table.insert(slot as u32, Arc::new(attributes), *number);
        }
        Snapshot { metrics: [(MetricId(1), Arc::new(table))].into(), ..Snapshot::default() }
    }

    fn truth(series: &[(&str, i64)]) -> Truth {
        let series = series.iter().map(|(phase, number)| {
            (("Metric/default/m".to_owned(), vec![("phase".to_owned(), (*phase).to_owned())]), *number)
        });
        Truth { series: series.collect() }
    }

    fn check(said: &[(&str, Number)], true_series: &[(&str, i64)], expected: &[&str]) {
        let found = differences(&snapshot(said), &truth(true_series));
        assert_eq!(found.iter().map(ToString::to_string).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn every_kind_of_difference_is_found() {
        let (one, two) = (("a", Number::Integer(1)), ("b", Number::Double(2.0)));
        check(&[one, two], &[("a", 1), ("b", 2)], &[]);
        check(&[], &[], &[]);
        let name = |phase: &str| format!("Metric/default/m{{phase={phase:?}}}: celemetry says ");
        check(&[one], &[("a", 2)], &[&(name("a") + "1, the truth is 2")]);
        check(&[two], &[("b", 3)], &[&(name("b") + "2, the truth is 3")]);
        check(&[one], &[], &[&(name("a") + "1, in truth there is no such series")]);
        check(&[], &[("a", 0)], &[&(name("a") + "nothing, the truth is 0")]);
        check(&[("b", Number::Double(f64::NAN))], &[("b", 0)], &[&(name("b") + "NaN, the truth is 0")]);
    }
}

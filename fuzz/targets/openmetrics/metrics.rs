//! Snapshots out of the fuzzer's bytes.

use std::collections::BTreeMap;
use std::sync::Arc;

use celemetry_engine::definition::{Aggregation, MetricInfo, ValueKind};
use celemetry_engine::snapshot::{Attributes, MetricId, MetricShape, MetricTable, Number, Snapshot};
use libfuzzer_sys::arbitrary::{self, Arbitrary};

/// Any metrics.
#[derive(Arbitrary, Debug)]
pub(crate) struct Metrics(Vec<Metric>);

#[derive(Arbitrary, Debug)]
struct Metric {
    name: Text,
    unit: Text,
    description: Text,
    namespace: Text,
    object: Text,
    base: Vec<(Text, Text)>,
    shape: u8,
    series: Vec<(Vec<(Text, Text)>, Value)>,
}

/// A word that is known to be special, or any.
#[derive(Arbitrary, Debug)]
enum Text {
    Name(u8),
    Unit(u8),
    Odd(u8),
    Joined(Box<Text>, Box<Text>),
    Any(String),
}

#[derive(Arbitrary, Debug)]
enum Value {
    Small(i8),
    Integer(i64),
    Double(f64),
}

const NAMES: &[&str] = &[
    "a",
    "b",
    "a.b",
    "a_b",
    "a-b",
    "a..b",
    "k8s.pod.count",
    "__name__",
    "_",
    "1a",
    "le",
    "x:y",
    "celemetry.metric.name",
    "celemetry_metric_namespace",
    "celemetry_up",
    "total",
    "_total",
    "_created",
    "_info",
    "_bucket",
    "_ratio",
    "_timestamp",
];

const UNITS: &[&str] =
    &["", "1", "s", "ms", "By", "{pod}", "By/s", "{pod}/s", "%", "m/h", "/s", "ratio", "_"];

const ODD: &[&str] = &[
    "",
    "\n",
    "\"",
    "\\",
    "\\n",
    ";",
    "\0",
    "\t",
    " ",
    "\r",
    "# EOF\n",
    "{}",
    "=",
    ",",
    "é",
    "\u{85}",
    "\u{2028}",
    "😀",
    "# TYPE a gauge",
];

// === impl Metrics ===

impl Metrics {
    /// What they are, as the engine would say it.
    pub(crate) fn snapshot(&self) -> Snapshot {
        let tables = self.0.iter().take(8).enumerate().map(|(number, metric)| Arc::new(metric.table(number)));
        Snapshot { metrics: (0..).map(MetricId).zip(tables).collect(), ..Snapshot::default() }
    }
}

impl Metric {
    fn table(&self, number: usize) -> MetricTable {
        let (namespace, object) = (self.namespace.written(), self.object.written());
        let base: BTreeMap<String, String> =
            self.base.iter().map(|(name, text)| (name.written(), text.written())).collect();
        let info = MetricInfo {
            source: format!("Metric/{namespace}/{object}/{number}"),
            namespace,
            object,
            name: self.name.written(),
            description: self.description.written(),
            unit: self.unit.written(),
            scope: "celemetry".to_owned(),
            base_attributes: base.into_iter().collect(),
        };
        let mut table = MetricTable::new(Arc::new(info), self.shape());
        for (slot, (attributes, number)) in (0..).step_by(3).zip(self.series()) {
            table.insert(slot, Arc::new(attributes), number);
        }
        table
    }

    fn series(&self) -> BTreeMap<Attributes, Number> {
        let series = self.series.iter().take(16).map(|(pairs, value)| {
            let pairs: BTreeMap<String, String> =
                pairs.iter().map(|(name, text)| (name.written(), text.written())).collect();
            let pairs = pairs.into_iter().map(|(name, text)| (Arc::from(name), Box::from(text)));
            (Attributes::new(pairs), value.number())
        });
        series.collect()
    }

    fn shape(&self) -> MetricShape {
        let kinds = [ValueKind::Integer, ValueKind::Double, ValueKind::Quantity, ValueKind::Timestamp];
        let ways = [Aggregation::Sum, Aggregation::Max, Aggregation::Mean, Aggregation::Count];
        let shape = usize::from(self.shape);
        if shape < 128 {
            return MetricShape::CountOfObjects;
        }
        MetricShape::Aggregate(kinds[shape % 4], ways[shape / 4 % 4])
    }
}

impl Text {
    fn written(&self) -> String {
        let mut out = String::new();
        self.write(&mut out);
        out
    }

    fn write(&self, out: &mut String) {
        let word = |list: &[&'static str], at: &u8| list[usize::from(*at) % list.len()];
        match self {
            Text::Name(at) => out.push_str(word(NAMES, at)),
            Text::Unit(at) => out.push_str(word(UNITS, at)),
            Text::Odd(at) => out.push_str(word(ODD, at)),
            Text::Joined(first, second) => {
                first.write(out);
                second.write(out);
            }
            Text::Any(text) => out.push_str(text),
        }
    }
}

impl Value {
    fn number(&self) -> Number {
        match self {
            Value::Small(number) => Number::Integer(i64::from(*number)),
            Value::Integer(number) => Number::Integer(*number),
            Value::Double(number) => Number::Double(*number),
        }
    }
}

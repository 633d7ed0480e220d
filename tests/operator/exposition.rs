//! Pages against the parsers of those who will read them: Prometheus itself, and an OpenMetrics parser from elsewhere.

use std::collections::{BTreeMap, BTreeSet};

use celemetry::export::names::{family_name, label_name};
use celemetry::export::profile::{PointKind, Profile};
use celemetry::export::prometheus::{Format, render, render_with};
use celemetry::telemetry::Telemetry;
use celemetry::telemetry::account::Account;
use celemetry_engine::definition::{Aggregation, ValueKind};
use celemetry_engine::snapshot::{MetricTable, Number, Snapshot};
use openmetrics_parser::openmetrics::parse_openmetrics;
use openmetrics_parser::{MetricNumber, OpenMetricsType, OpenMetricsValue};
use proptest::prelude::*;

use crate::expected::{Expected, Labels, expected};
use crate::oracle::{self, Entry, Name};
use crate::snapshots::{COUNT, aggregate, any_name, any_snapshot, any_unit, metric, snapshot};

fn page(snapshot: &Snapshot, format: Format) -> String {
    let mut page = String::new();
    let rendered = render(snapshot, format, Profile::Native, &mut page);
    let samples = page.lines().filter(|line| !line.starts_with('#')).count();
    assert_eq!(rendered.series, samples);
    page
}

/// Equal as numbers that a parser has read as doubles: NaN is NaN whatever its bits.
fn same(a: f64, b: f64) -> bool {
    (a.is_nan() && b.is_nan()) || a.to_bits() == b.to_bits()
}

fn check_prometheus(snapshot: &Snapshot, format: Format) {
    let page = page(snapshot, format);
    let read = oracle::parse(&page, format.content_type()).unwrap_or_else(|error| panic!("{error}\n{page}"));
    let mut entries = read.entries.into_iter().peekable();
    for family in expected(snapshot) {
        let mut head = |line: &str| {
            let entry = entries.next().unwrap_or_else(|| panic!("no {line} of {family:?}\n{page}"));
            assert_eq!((entry.line.as_str(), &entry.name), (line, &family.name.name), "{page}");
            entry.text
        };
        assert_eq!(head("HELP"), family.help, "{page}");
        assert_eq!(head("TYPE"), "gauge", "{page}");
        if format == Format::OpenMetrics && !family.name.unit.is_empty() {
            assert_eq!(head("UNIT"), family.name.unit, "{page}");
        }
        let mut read = BTreeMap::new();
        while let Some(Entry { labels: Some(labels), .. }) = entries.peek() {
            let mut labels = labels.clone();
            assert_eq!(labels.remove("__name__").as_ref(), Some(&family.name.name));
            let value = entries.next().expect("it was peeked at").value();
            assert!(read.insert(labels, value).is_none(), "a series twice\n{page}");
        }
        assert_eq!(read.len(), family.samples.len(), "{page}");
        for (labels, number) in &family.samples {
            let value = read.get(labels).unwrap_or_else(|| panic!("{labels:?} is not on\n{page}"));
            assert!(same(*value, number.as_f64()), "{labels:?} is {value}, not {number}");
        }
    }
    assert_eq!(entries.next(), None, "{page}");
}

/// The crate reads no page without a family, no carriage return within a label value (which the format allows), and
/// wants all series of a family to have the same labels (which the format only recommends).
fn crate_can_read(families: &[Expected]) -> bool {
    let uniform = |family: &Expected| {
        let names = |sample: &(Labels, Number)| sample.0.keys().cloned().collect::<Vec<_>>();
        family.samples.iter().all(|sample| names(sample) == names(&family.samples[0]))
    };
    let returns = |family: &Expected| {
        family.samples.iter().any(|(labels, _)| labels.values().any(|value| value.contains('\r')))
    };
    !families.is_empty() && families.iter().all(|family| uniform(family) && !returns(family))
}

/// Whether there was anything to check.
fn check_crate(snapshot: &Snapshot) -> bool {
    let families = expected(snapshot);
    if !crate_can_read(&families) {
        return false;
    }
    let page = page(snapshot, Format::OpenMetrics);
    let read = parse_openmetrics(&page).unwrap_or_else(|error| panic!("{error:?}\n{page}"));
    assert_eq!(read.families.len(), families.len(), "{page}");
    for family in families {
        let found = &read.families[&family.name.name];
        assert_eq!(found.family_type, OpenMetricsType::Gauge);
        assert_eq!((&found.help, &found.unit), (&family.help, &family.name.unit), "{page}");
        let mut samples: BTreeMap<Labels, MetricNumber> = BTreeMap::new();
        for sample in found.iter_samples() {
            let labels = sample.get_labelset().expect("labels");
            let labels = labels.iter().map(|(name, value)| (name.clone(), value.clone()));
            let OpenMetricsValue::Gauge(number) = sample.value else { panic!("{:?}", sample.value) };
            samples.insert(labels.collect(), number);
        }
        assert_eq!(samples.len(), family.samples.len(), "{page}");
        for (labels, number) in &family.samples {
            match (samples[labels], number) {
                (MetricNumber::Int(read), Number::Integer(put)) => assert_eq!(read, *put),
                (MetricNumber::Float(read), Number::Double(put)) => assert!(same(read, *put), "{read} {put}"),
                (read, put) => panic!("{read:?} was {put:?}"),
            }
        }
    }
    true
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn prometheus_reads_from_any_snapshot_what_was_put_in(snapshot in any_snapshot(true)) {
        check_prometheus(&snapshot, Format::Text);
        check_prometheus(&snapshot, Format::OpenMetrics);
    }

    #[test]
    fn another_openmetrics_parser_reads_the_same(snapshot in any_snapshot(false)) {
        prop_assume!(check_crate(&snapshot));
    }

    #[test]
    fn the_order_of_slots_does_not_show(snapshot in any_snapshot(true)) {
        let reversed = Snapshot {
            metrics: snapshot.metrics.iter().map(|(id, table)| (*id, reversed(table).into())).collect(),
            ..Snapshot::default()
        };
        for format in [Format::Text, Format::OpenMetrics] {
            prop_assert_eq!(page(&snapshot, format), page(&reversed, format));
        }
    }

    #[test]
    fn names_are_those_of_the_official_translation(
        metrics in proptest::collection::vec((any_name(), any_unit(), any::<bool>()), 1..50),
        labels in proptest::collection::vec(any_name(), 1..50),
    ) {
        check_names(&metrics, labels);
    }
}

fn reversed(table: &MetricTable) -> MetricTable {
    let mut reversed = MetricTable::new(table.info.clone(), table.shape);
    for series in table.iter() {
        reversed.insert(1000 - series.slot, series.attributes.clone(), series.number);
    }
    reversed
}

fn check_names(metrics: &[(String, String, bool)], labels: Vec<String>) {
    // Names that the translation refuses or that Prometheus keeps for itself become labels all the same.
    let labels: Vec<_> =
        labels.into_iter().filter(|name| name.contains(|c: char| c.is_ascii_alphanumeric())).collect();
    let labels: Vec<_> =
        labels.into_iter().filter(|name| !(name.starts_with("__") && name.ends_with("__"))).collect();
    let asked = metrics.iter().cloned().map(|(name, unit, gauge)| Name { name, unit, gauge });
    let (names, translated) = oracle::translate(&asked.collect::<Vec<_>>(), &labels);
    for ((name, unit, gauge), official) in metrics.iter().zip(names) {
        let kind = if *gauge { PointKind::Gauge } else { PointKind::Sum };
        let ours = family_name(name, unit, kind).map(|family| family.name).unwrap_or_default();
        assert_eq!(ours, official, "{name:?} in {unit:?}");
    }
    for (attribute, official) in labels.iter().zip(translated) {
        assert_eq!(label_name(attribute), official, "{attribute:?}");
    }
}

#[test]
fn a_page_is_exactly_this() {
    let counts = metric(
        "pods",
        ["k8s.pod.phases", "{pod}", "Pods by \"phase\",\nnow \\ here."],
        COUNT,
        &[
            (&[("phase", "Running"), ("k8s.node", "b\n\"\\")], Number::Integer(3)),
            (&[("phase", "Running"), ("k8s.node", "a")], Number::Integer(-1)),
            (&[], Number::Integer(0)),
        ],
    );
    let mean = metric(
        "ages",
        ["k8s.pod.age", "s", "How old."],
        aggregate(ValueKind::Duration, Aggregation::Mean),
        &[(&[], Number::Double(3.0))],
    );
    let empty = metric("none", ["a.none", "", "Nothing."], COUNT, &[]);
    let snapshot = snapshot([counts, mean, empty]);
    let text = r#"# HELP k8s_pod_age_seconds How old.
# TYPE k8s_pod_age_seconds gauge
k8s_pod_age_seconds 3
# HELP k8s_pod_phases Pods by "phase",\nnow \\ here.
# TYPE k8s_pod_phases gauge
k8s_pod_phases 0
k8s_pod_phases{k8s_node="a",phase="Running"} -1
k8s_pod_phases{k8s_node="b\n\"\\",phase="Running"} 3
"#;
    let open = r#"# HELP k8s_pod_age_seconds How old.
# TYPE k8s_pod_age_seconds gauge
# UNIT k8s_pod_age_seconds seconds
k8s_pod_age_seconds 3.0
# HELP k8s_pod_phases Pods by \"phase\",\nnow \\ here.
# TYPE k8s_pod_phases gauge
k8s_pod_phases 0
k8s_pod_phases{k8s_node="a",phase="Running"} -1
k8s_pod_phases{k8s_node="b\n\"\\",phase="Running"} 3
# EOF
"#;
    assert_eq!(page(&snapshot, Format::Text), text);
    assert_eq!(page(&snapshot, Format::OpenMetrics), open);
    let lint = oracle::parse(text, Format::Text.content_type()).expect("Prometheus reads it").lint;
    assert_eq!(lint, Vec::<String>::new());
}

#[test]
fn only_series_that_collide_tell_their_metrics_apart() {
    let names = ["k8s.pods", "", "Pods."];
    let series: &[(&[(&str, &str)], _)] =
        &[(&[("phase", "Running")], Number::Integer(1)), (&[("phase", "Failed")], Number::Integer(2))];
    let (first, second) = (metric("a", names, COUNT, series), metric("b", names, COUNT, &series[..1]));
    let text = "# HELP k8s_pods Pods.
# TYPE k8s_pods gauge
k8s_pods{celemetry_metric_name=\"a\",celemetry_metric_namespace=\"team\",phase=\"Running\"} 1
k8s_pods{celemetry_metric_name=\"b\",celemetry_metric_namespace=\"team\",phase=\"Running\"} 1
k8s_pods{phase=\"Failed\"} 2
";
    assert_eq!(page(&snapshot([first, second]), Format::Text), text);
}

#[test]
fn attributes_that_are_one_label_are_joined_in_the_order_of_their_names() {
    let series: &[(&[(&str, &str)], _)] = &[(
        &[("a_b", "3"), ("a.b", "1"), ("a-b", ""), ("celemetry_metric_name", "mine")],
        Number::Integer(1),
    )];
    let tables = ["x", "y"].map(|object| metric(object, ["k8s.pods", "", ""], COUNT, series));
    let text = "# HELP k8s_pods \n# TYPE k8s_pods gauge\n\
        k8s_pods{a_b=\"1;3\",celemetry_metric_name=\"x;mine\",celemetry_metric_namespace=\"team\"} 1\n\
        k8s_pods{a_b=\"1;3\",celemetry_metric_name=\"y;mine\",celemetry_metric_namespace=\"team\"} 1\n";
    assert_eq!(page(&snapshot(tables), Format::Text), text);
}

#[test]
fn series_of_one_metric_that_are_one_in_prometheus_are_counted() {
    let series: &[(&[(&str, &str)], _)] =
        &[(&[("a.b", "x;y")], Number::Integer(2)), (&[("a.b", "x"), ("a_b", "y")], Number::Integer(1))];
    let snapshot = snapshot([metric("a", ["k8s.pods", "", ""], COUNT, series)]);
    let mut page = String::new();
    let rendered = render(&snapshot, Format::Text, Profile::Native, &mut page);
    assert_eq!((rendered.series, rendered.omitted), (1, 1));
    assert!(page.ends_with("\nk8s_pods{a_b=\"x;y\"} 1\n"), "{page}");
}

/// Two Metrics as metrics-operator's own would be: one projection beside the attributes of the target, and a sum.
fn upstream() -> Snapshot {
    let base = [("cluster", "host"), ("group", "apps"), ("resource", "pod"), ("version", "v1")];
    let base = base.map(|(name, text)| (String::from(name), String::from(text)));
    let series: &[(&[(&str, &str)], _)] = &[
        (&[("phase", "<a>\"&\n"), ("kind", "Pod"), ("apiVersion", "v1")], Number::Integer(3)),
        (&[("phase", "b"), ("namespace", "shop"), ("group", "own")], Number::Integer(1)),
    ];
    let sum = aggregate(ValueKind::Integer, Aggregation::Sum);
    let tables = [
        metric("counts", ["k8s.pods", "{pod}", "Pods."], COUNT, series),
        metric("sums", ["k8s.age", "s", "Age."], sum, &[(&[], Number::Integer(7))]),
    ];
    snapshot(tables.map(|mut table| {
        let info = celemetry_engine::definition::MetricInfo {
            base_attributes: base.to_vec(),
            ..(*table.info).clone()
        };
        table.info = info.into();
        table
    }))
}

fn upstream_page(profile: Profile) -> String {
    let mut page = String::new();
    assert_eq!(render(&upstream(), Format::Text, profile, &mut page).omitted, 0);
    // Names that promtool would not choose are upstream's.
    oracle::parse(&page, Format::Text.content_type()).expect("Prometheus reads it");
    page
}

#[test]
fn the_page_of_metrics_operator_v1_is_one_family_with_what_has_no_label_as_json() {
    let help = "The number of matching resources, or an aggregate over them, of every Metric.";
    let name = "metrics_operator_resource_count";
    let samples = [
        r#"api_version="v1",cluster="host",extra_labels="{\"phase\":\"\\u003ca\\u003e\\\"\\u0026\\n\"}",group="apps",kind="Pod",metric_name="k8s.pods",namespace="team",resource="pod",version="v1"} 3"#,
        r#"cluster="host",extra_labels="{\"namespace\":\"shop\",\"phase\":\"b\"}",group="own",metric_name="k8s.pods",namespace="team",resource="pod",version="v1"} 1"#,
        r#"cluster="host",extra_labels="{}",group="apps",metric_name="k8s.age",namespace="team",resource="pod",version="v1"} 7"#,
    ];
    let samples = samples.map(|sample| format!("{name}{{{sample}\n")).concat();
    let expected = format!("# HELP {name} {help}\n# TYPE {name} gauge\n{samples}");
    assert_eq!(upstream_page(Profile::UpstreamV1), expected);
    let mut nothing = String::new();
    render(&Snapshot::default(), Format::Text, Profile::UpstreamV1, &mut nothing);
    assert_eq!(nothing, "");
}

#[test]
fn the_page_of_metrics_operator_v1_2_has_a_family_a_name_and_the_namespace_of_the_metric() {
    let expected = r#"# HELP k8s_age Age.
# TYPE k8s_age gauge
k8s_age{cluster="host",group="apps",namespace="team",resource="pod",version="v1"} 7
# HELP k8s_pods Pods.
# TYPE k8s_pods gauge
k8s_pods{apiVersion="v1",cluster="host",group="apps",kind="Pod",namespace="team",phase="<a>\"&\n",resource="pod",version="v1"} 3
k8s_pods{cluster="host",group="own",namespace="team",phase="b",resource="pod",version="v1"} 1
"#;
    assert_eq!(upstream_page(Profile::UpstreamV1_2), expected);
}

#[test]
fn metrics_of_one_name_and_namespace_are_told_apart_under_metrics_operator_s_names_too() {
    let series: &[(&[(&str, &str)], _)] = &[(&[], Number::Integer(1))];
    let tables = || ["a", "b"].map(|object| metric(object, ["k8s.pods", "", ""], COUNT, series));
    for profile in [Profile::UpstreamV1, Profile::UpstreamV1_2] {
        let mut page = String::new();
        assert_eq!(render(&snapshot(tables()), Format::Text, profile, &mut page).omitted, 0);
        for object in ["a", "b"] {
            assert!(page.contains(&format!("celemetry_metric_name=\"{object}\"")), "{page}");
        }
    }
}

#[test]
fn own_metrics_stand_in_order_and_please_promlint() {
    let around =
        ["a", "z"].map(|name| metric(name, [name, "", "Help."], COUNT, &[(&[], Number::Integer(1))]));
    let telemetry = Telemetry::default();
    let account = |name: &str| Account { name: name.into(), namespace: "a\"\n".into(), ..Account::default() };
    telemetry.accounts.set(["x", "y"].map(account));
    let readings = telemetry.readings(2, 2);
    for format in [Format::Text, Format::OpenMetrics] {
        let mut page = String::new();
        render_with(&snapshot(around.clone()), &readings, format, Profile::Native, &mut page);
        let read =
            oracle::parse(&page, format.content_type()).unwrap_or_else(|error| panic!("{error}\n{page}"));
        assert_eq!(read.lint, Vec::<String>::new());
        let families = page.lines().filter_map(|line| line.strip_prefix("# TYPE "));
        let families: Vec<_> = families.map(|line| line.split(' ').next().unwrap()).collect();
        let own: BTreeSet<&str> = readings.iter().map(|reading| reading.name).collect();
        assert!(families.is_sorted() && families.len() == 2 + own.len(), "{families:?}");
        if format == Format::OpenMetrics {
            parse_openmetrics(&page).unwrap_or_else(|error| panic!("{error:?}\n{page}"));
        }
    }
}

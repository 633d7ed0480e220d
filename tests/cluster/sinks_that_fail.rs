//! Sinks that refuse, hang, ask for patience or take half: each is told on the Metric and on the DataSink, is over as
//! soon as the sink is mended, and keeps nobody else waiting.

use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};
use tonic::Code;

use crate::harness::{Answer, Collector, Plane, Proxy, Scene, Sink, Value, until_within};

tests![
    every_answer_over_http_has_a_name_and_is_forgotten_when_it_is_mended,
    every_answer_over_grpc_has_a_name_and_is_forgotten_when_it_is_mended,
    a_sink_that_is_away_gets_the_latest_values_and_every_withdrawal,
    sinks_that_are_dead_delay_no_other,
    a_wire_that_breaks_costs_no_point,
];

/// A Metric over the Pods of its namespace that is sent to the DataSink `default`.
pub(super) fn exported() -> Json {
    json!({"dataSinkRef": {}})
}

/// Reads a condition's status of an object.
pub(super) fn status_of(scene: &Scene<'_>, declared: &Json, kind: &str) -> String {
    let object = scene.client().read(declared).unwrap();
    let conditions = object["status"]["conditions"].as_array().cloned().unwrap_or_default();
    let condition = conditions.into_iter().find(|condition| condition["type"] == kind);
    condition.map(|condition| condition["status"].as_str().unwrap().to_owned()).unwrap_or_default()
}

/// A sink that is to fail in its own way, and what goes there.
struct Case {
    answer: Answer,
    reason: &'static str,
    sink: Sink,
    data_sink: Json,
    metric: Json,
    name: String,
}

/// Makes a sink for each of these answers. All fail, which is told; all are mended, and get the truth.
#[track_caller]
fn fail_and_mend(scene: &Scene<'_>, endpoint: fn(&Sink) -> String, answers: Vec<(Answer, &'static str)>) {
    let client = scene.client();
    let case = |(number, (answer, reason)): (usize, (Answer, &'static str))| {
        let (sink, name) = (Sink::start(), format!("failing-{number}"));
        let data_sink = scene.declare_sink(&name, &endpoint(&sink));
        let metric = scene.declare(&name, json!({"dataSinkRef": {"name": name}}));
        Case { answer, reason, sink, data_sink, metric, name: name.replace('-', "_") }
    };
    let cases: Vec<Case> = answers.into_iter().enumerate().map(case).collect();
    cases.iter().for_each(|case| scene.wait_ready(&case.metric));
    cases.iter().for_each(|case| case.sink.answer(case.answer.clone()));
    scene.pod("a").create(client);
    for Case { answer, reason, data_sink, metric, name, .. } in &cases {
        scene.wait_reason(metric, "Exported", reason);
        scene.wait_reason(metric, "Ready", "MetricExportFailed");
        let told = scene.wait_reason(data_sink, "Ready", reason);
        assert!(told.contains(", since 2"), "{answer:?}: {told}");
        assert_eq!(status_of(scene, data_sink, "Ready"), "False", "{answer:?}");
        // Whoever scrapes is not concerned, nor is the list.
        scene.sees(name, &[("", 1.0)]);
        scene.wait_reason(metric, "Synced", "ListComplete");
    }
    assert_eq!(scene.operator.readyz().unwrap().0, 200);
    cases.iter().for_each(|case| case.sink.answer(Answer::Accept));
    for Case { sink, data_sink, metric, name, .. } in &cases {
        scene.wait_reason(data_sink, "Ready", "ExportSucceeded");
        scene.wait_reason(metric, "Exported", "ExportSucceeded");
        scene.wait_ready(metric);
        sink.wait_value(name, &[], Value::Integer(1));
    }
}

fn every_answer_over_http_has_a_name_and_is_forgotten_when_it_is_mended() {
    let plane = Plane::shared();
    let scene = Scene::on(&plane, "http").args(&["--heartbeat", "1s"]).start();
    fail_and_mend(
        &scene,
        Sink::http,
        vec![
            (Answer::Status(503), "SinkUnavailable"),
            (Answer::Status(500), "SinkUnavailable"),
            (Answer::RetryAfter(429, "1".to_owned()), "SinkThrottled"),
            (Answer::Status(400), "ExportRejected"),
            (Answer::Status(401), "Unauthenticated"),
            (Answer::Status(403), "PermissionDenied"),
            (Answer::Status(404), "EndpointNotFound"),
            (Answer::Status(413), "RequestTooLarge"),
            (Answer::Close, "EndpointRefused"),
            (Answer::Hang, "ExportTimeout"),
        ],
    );
}

fn every_answer_over_grpc_has_a_name_and_is_forgotten_when_it_is_mended() {
    let plane = Plane::shared();
    let scene = Scene::on(&plane, "grpc").args(&["--heartbeat", "1s"]).start();
    fail_and_mend(
        &scene,
        Sink::grpc,
        vec![
            (Answer::Grpc(Code::Unavailable), "SinkUnavailable"),
            (Answer::Grpc(Code::ResourceExhausted), "SinkThrottled"),
            (Answer::RetryInfo(Code::ResourceExhausted, Duration::from_secs(1)), "SinkThrottled"),
            (Answer::Grpc(Code::InvalidArgument), "ExportRejected"),
            (Answer::Grpc(Code::Unauthenticated), "Unauthenticated"),
            (Answer::Grpc(Code::PermissionDenied), "PermissionDenied"),
            (Answer::Grpc(Code::Unimplemented), "EndpointNotFound"),
            (Answer::Close, "EndpointRefused"),
            (Answer::HangAfterHeaders, "ExportTimeout"),
        ],
    );
}

fn a_sink_that_is_away_gets_the_latest_values_and_every_withdrawal() {
    let plane = Plane::shared();
    let scene = Scene::on(&plane, "away").args(&["--heartbeat", "10m"]).start();
    let sink = Sink::start();
    let client = scene.client();
    let data_sink = scene.declare_sink("default", &sink.http());
    let by_name = json!([{"name": "name", "fieldPath": "metadata.name"}]);
    let metric = scene.declare("away-pods", json!({"dataSinkRef": {}, "projections": by_name}));
    let total = scene.declare("away-total", exported());
    let pods: Vec<Json> = ["a", "b", "c"].iter().map(|name| scene.pod(name).create(client)).collect();
    let one = Value::Integer(1);
    sink.wait_series(
        "away_pods",
        &[(&[("name", "a")], one), (&[("name", "b")], one), (&[("name", "c")], one)],
    );
    sink.wait_value("away_total", &[], Value::Integer(3));
    let before = sink.points().len();

    // Nobody listens, while one series goes, one comes, one goes and comes back, and one comes and goes.
    sink.close();
    client.delete(&pods[0]);
    scene.sees("away_total", &[("", 2.0)]);
    scene.wait_reason(&metric, "Exported", "EndpointRefused");
    scene.wait_reason(&data_sink, "Ready", "EndpointRefused");
    client.delete(&pods[1]);
    scene.sees("away_total", &[("", 1.0)]);
    let passing = scene.pod("passing").create(client);
    scene.sees("away_total", &[("", 2.0)]);
    client.delete(&passing);
    for (name, total) in [("b", 2.0), ("d", 3.0)] {
        scene.pod(name).create(client);
        scene.sees("away_total", &[("", total)]);
    }
    sink.open();
    sink.wait_series(
        "away_pods",
        &[(&[("name", "b")], one), (&[("name", "c")], one), (&[("name", "d")], one)],
    );
    sink.wait_value("away_total", &[], Value::Integer(3));
    scene.wait_ready(&metric);
    scene.wait_ready(&total);
    // What was true for a moment only was never said.
    let after = sink.points().split_off(before);
    let totals: Vec<Value> =
        after.iter().filter(|point| point.name == "away_total").map(|point| point.value).collect();
    assert!(totals.iter().all(|value| *value == Value::Integer(3)), "{totals:?}");
    assert!(after.iter().all(|point| point.value != Value::Integer(0)), "{after:#?}");
}

fn sinks_that_are_dead_delay_no_other() {
    const CHANGES: i64 = 10;
    /// Less than any request to a sink that hangs takes.
    const PROMPT: Duration = Duration::from_secs(8);
    let plane = Plane::shared();
    let scene = Scene::on(&plane, "dead").args(&["--heartbeat", "1s"]).start();
    let client = scene.client();
    let sinks = ["hangs", "deaf", "refuses", "slow", "lives", "lives-too"].map(|name| (name, Sink::start()));
    let sink = |of: &str| &sinks.iter().find(|(name, _)| *name == of).unwrap().1;
    for (name, sink) in &sinks {
        let endpoint = if *name == "lives-too" { sink.grpc() } else { sink.http() };
        scene.declare_sink(name, &endpoint);
        scene.declare(&format!("dead-{name}"), json!({"dataSinkRef": {"name": name}}));
    }
    sink("hangs").answer(Answer::Hang);
    sink("deaf").deaf(true);
    sink("refuses").close();
    sink("slow").answer(Answer::HangAfterHeaders);
    for pods in 1..=CHANGES {
        scene.pod(&format!("p{pods}")).create(client);
        let began = Instant::now();
        for (living, name) in [("lives", "dead_lives"), ("lives-too", "dead_lives_too")] {
            until_within(PROMPT, "a living sink to hear of it", || match sink(living).latest(name, &[]) {
                Some(point) if point.value == Value::Integer(pods) => Ok(()),
                other => Err(format!("{other:?} after {:?}\n{}", began.elapsed(), scene.operator.tail())),
            });
        }
        scene.sees("dead_hangs", &[("", pods as f64)]);
    }
    for (name, reason) in [
        ("hangs", "ExportTimeout"),
        ("deaf", "ExportTimeout"),
        ("refuses", "EndpointRefused"),
        ("slow", "ExportTimeout"),
    ] {
        let metric = scene.metric(&format!("dead-{name}"), &json!({}));
        scene.wait_reason(&metric, "Exported", reason);
    }
    for name in ["lives", "lives-too"] {
        scene.wait_ready(&scene.metric(&format!("dead-{name}"), &json!({})));
    }
}

fn a_wire_that_breaks_costs_no_point() {
    let plane = Plane::shared();
    let scene = Scene::on(&plane, "wire").args(&["--heartbeat", "10m"]).start();
    let client = scene.client();
    let mut wires = vec![];
    for name in ["http", "grpc"] {
        let sink = Sink::start();
        let collector = Collector::before(&sink);
        let url = if name == "http" { collector.http() } else { collector.grpc() };
        let (_, rest) = url.split_once("://").unwrap();
        let address = rest.split('/').next().unwrap();
        let proxy = Proxy::before(address.parse().unwrap());
        scene.declare_sink(name, &url.replace(address, &proxy.address().to_string()));
        let metric = scene.declare(&format!("wire-{name}"), json!({"dataSinkRef": {"name": name}}));
        wires.push((sink, collector, proxy, metric, format!("wire_{name}")));
    }
    for pods in 1..=6 {
        for (_, _, proxy, ..) in &wires {
            match pods {
                2 => proxy.cut(),
                3 => proxy.refuse(),
                4 => proxy.black_hole(),
                _ => {}
            }
        }
        scene.pod(&format!("p{pods}")).create(client);
        for (sink, _, proxy, metric, name) in &wires {
            if let Some(reason) =
                [(3, "EndpointRefused"), (4, "ExportTimeout")].iter().find(|(at, _)| *at == pods)
            {
                scene.wait_reason(metric, "Exported", reason.1);
                proxy.pass();
            }
            sink.wait_value(name, &[], Value::Integer(pods));
            scene.wait_ready(metric);
        }
    }
}

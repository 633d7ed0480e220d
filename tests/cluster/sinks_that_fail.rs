//! Sinks that refuse, hang, ask for patience or take half: each is told on the Metric and on the DataSink, is over as
//! soon as the sink is mended, and keeps nobody else waiting.

use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};
use tonic::Code;

use crate::harness::{Answer, Plane, Scene, Sink, Value, stays, until, until_within};

tests![
    every_answer_over_http_has_a_name_and_is_forgotten_when_it_is_mended,
    every_answer_over_grpc_has_a_name_and_is_forgotten_when_it_is_mended,
    a_sink_that_is_away_gets_the_latest_values_and_every_withdrawal,
    a_sink_is_left_alone_for_as_long_as_it_asks,
    what_a_sink_refuses_for_good_is_not_sent_twice,
    points_that_a_sink_rejects_are_told_until_it_takes_all,
    points_that_a_sink_rejects_are_not_sent_again,
    what_a_sink_says_stands_in_the_log_beside_our_own_words,
    sinks_that_are_dead_delay_no_other,
];

/// A Metric over the Pods of its namespace that is sent to the DataSink `default`.
fn exported() -> Json {
    json!({"dataSinkRef": {}})
}

/// Reads a condition's status of an object.
fn status_of(scene: &Scene<'_>, declared: &Json, kind: &str) -> String {
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

fn a_sink_is_left_alone_for_as_long_as_it_asks() {
    const ASKED: Duration = Duration::from_secs(3);
    let plane = Plane::shared();
    let scene = Scene::on(&plane, "patience").args(&["--heartbeat", "1s"]).start();
    let (http, grpc) = (Sink::start(), Sink::start());
    scene.declare_sink("http", &http.http());
    scene.declare_sink("grpc", &grpc.grpc());
    scene.pod("a").create(scene.client());
    http.answer_once([Answer::RetryAfter(429, "3".to_owned()), Answer::RetryAfter(503, "3".to_owned())]);
    grpc.answer_once([
        Answer::RetryInfo(Code::ResourceExhausted, ASKED),
        Answer::RetryInfo(Code::Unavailable, ASKED),
    ]);
    for name in ["http", "grpc"] {
        scene.declare(&format!("patience-{name}"), json!({"dataSinkRef": {"name": name}}));
    }
    for (sink, name) in [(&http, "http"), (&grpc, "grpc")] {
        let requests = sink.wait_requests(3);
        for pair in requests[..3].windows(2) {
            let waited = pair[1].arrived - pair[0].arrived;
            // A busy machine makes it late, never early.
            assert!(waited >= ASKED && waited < ASKED * 3, "{name}: {waited:?}");
        }
        sink.wait_value(&format!("patience_{name}"), &[], Value::Integer(1));
    }
}

fn what_a_sink_refuses_for_good_is_not_sent_twice() {
    let plane = Plane::shared();
    let scene = Scene::on(&plane, "refused").args(&["--heartbeat", "10m"]).start();
    let client = scene.client();
    for (name, answer) in [("http", Answer::Status(400)), ("grpc", Answer::Grpc(Code::ResourceExhausted))] {
        let sink = Sink::start();
        let endpoint = if name == "http" { sink.http() } else { sink.grpc() };
        scene.declare_sink(name, &endpoint);
        sink.answer_once([answer]);
        let metric = scene.declare(&format!("refused-{name}"), json!({"dataSinkRef": {"name": name}}));
        let dropped = || scene.operator.metrics().sum("celemetry_export_dropped_points_total", &[]);
        let before = dropped();
        client.wait_condition(&metric, "Exported", "False");
        until("the point to be counted as dropped", || {
            if dropped() > 0.0 { Ok(()) } else { Err(format!("{before}")) }
        });
        assert_eq!(sink.requests().len(), 1, "{name}: it is not sent again by itself");
        // The next change carries the latest value, and ends it.
        scene.pod(name).create(client);
        scene.wait_reason(&metric, "Exported", "ExportSucceeded");
        let pods = if name == "http" { 1 } else { 2 };
        sink.wait_value(&format!("refused_{name}"), &[], Value::Integer(pods));
    }
}

/// A sink that rejects a point of every request.
fn rejecting() -> Sink {
    let sink = Sink::start();
    sink.answer(Answer::Partial { rejected: 1, message: "tenant 'canary' is over its limit".to_owned() });
    sink
}

fn points_that_a_sink_rejects_are_told_until_it_takes_all() {
    let plane = Plane::shared();
    for protocol in ["http", "grpc"] {
        let scene = Scene::on(&plane, &format!("partial-{protocol}")).args(&["--heartbeat", "1s"]).start();
        let sink = rejecting();
        let data_sink =
            scene.declare_sink("default", &if protocol == "http" { sink.http() } else { sink.grpc() });
        let metric = scene.declare("partial", exported());
        scene.pod("a").create(scene.client());
        let told = scene.wait_reason(&metric, "Exported", "PointsRejected");
        assert_eq!(status_of(&scene, &metric, "Exported"), "False");
        scene.wait_reason(&data_sink, "Ready", "PointsRejected");
        assert_eq!(status_of(&scene, &data_sink, "Ready"), "True", "it takes requests");
        scene.wait_ready(&metric);
        // What the sink says is for the log: a status must not show what stands somewhere in the network.
        assert!(!told.contains("canary"), "{told}");
        sink.wait_value("partial", &[], Value::Integer(1));
        sink.answer(Answer::Accept);
        scene.wait_reason(&metric, "Exported", "ExportSucceeded");
        scene.wait_reason(&data_sink, "Ready", "ExportSucceeded");
    }
}

fn points_that_a_sink_rejects_are_not_sent_again() {
    let plane = Plane::shared();
    let scene = Scene::on(&plane, "rejected").args(&["--heartbeat", "10m"]).start();
    let sinks = [("http", rejecting()), ("grpc", rejecting())];
    for (name, sink) in &sinks {
        scene.declare_sink(name, &if *name == "http" { sink.http() } else { sink.grpc() });
        scene.declare(&format!("rejected-{name}"), json!({"dataSinkRef": {"name": name}}));
    }
    for (name, _) in &sinks {
        let metric = scene.metric(&format!("rejected-{name}"), &json!({}));
        scene.wait_reason(&metric, "Exported", "PointsRejected");
    }
    until("the rejected points to be counted", || {
        let rejected = scene.operator.metrics().sum("celemetry_export_rejected_points_total", &[]);
        if rejected == 2.0 { Ok(()) } else { Err(format!("{rejected}")) }
    });
    stays(Duration::from_secs(3), "one request a sink", || {
        let requests: Vec<usize> = sinks.iter().map(|(_, sink)| sink.requests().len()).collect();
        if requests == [1, 1] { Ok(()) } else { Err(format!("{requests:?}")) }
    });
}

fn what_a_sink_says_stands_in_the_log_beside_our_own_words() {
    let plane = Plane::shared();
    let scene = Scene::on(&plane, "said").args(&["--heartbeat", "10m"]).start();
    let sink = Sink::start();
    sink.answer(Answer::Partial { rejected: 0, message: "mind the quota".to_owned() });
    scene.declare_sink("default", &sink.http());
    scene.declare("said", exported());
    let line = until("what the sink said", || {
        let log = scene.operator.log();
        log.lines().find(|line| line.contains("mind the quota")).map(str::to_owned).ok_or(log.clone())
    });
    assert!(line.contains("the sink rejected points or warns"), "{line}");
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

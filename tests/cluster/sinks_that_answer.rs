//! What a sink's answer means, as OpenTelemetry's specification has it: what is sent again, when, in what size, and what
//! is not.

use std::time::{Duration, Instant, SystemTime};

use serde_json::{Value as Json, json};
use tonic::Code;

use super::sinks_that_fail::{exported, status_of};
use crate::harness::{Answer, Plane, Scene, Sink, Value, stays, until};

tests![
    a_sink_is_left_alone_for_as_long_as_it_asks,
    a_sink_that_names_a_time_is_left_alone_until_then,
    what_a_sink_refuses_for_good_is_not_sent_twice,
    points_that_a_sink_rejects_are_told_until_it_takes_all,
    points_that_a_sink_rejects_are_not_sent_again,
    what_a_sink_says_stands_in_the_log_beside_our_own_words,
    a_sink_that_takes_small_requests_only_gets_everything_in_small_ones,
    an_answer_without_end_costs_neither_memory_nor_time,
];

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

fn a_sink_that_names_a_time_is_left_alone_until_then() {
    let plane = Plane::shared();
    let scene = Scene::on(&plane, "dated").args(&["--heartbeat", "1s"]).start();
    let sink = Sink::start();
    scene.declare_sink("default", &sink.http());
    let (now, began) = (SystemTime::now(), Instant::now());
    let date = httpdate::fmt_http_date(now + Duration::from_secs(6));
    sink.answer_once([Answer::RetryAfter(503, date)]);
    scene.declare("dated", exported());
    let requests = sink.wait_requests(2);
    // A date has whole seconds.
    let waited = requests[1].arrived - began;
    assert!(waited > Duration::from_millis(4_900) && waited < Duration::from_secs(20), "{waited:?}");
    sink.wait_value("dated", &[], Value::Integer(0));
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

fn a_sink_that_takes_small_requests_only_gets_everything_in_small_ones() {
    const SERIES: usize = 2_000;
    const LIMIT: usize = 20_000;
    let plane = Plane::shared();
    let scene = Scene::on(&plane, "small").args(&["--heartbeat", "10m"]).start();
    let client = scene.client();
    for (name, first) in [("many-1", 0), ("many-2", SERIES / 2)] {
        let data: Json =
            (first..first + SERIES / 2).map(|item| (format!("item-{item:04}"), json!(""))).collect();
        let metadata = json!({"namespace": scene.namespace, "name": name});
        client.create(&json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}));
    }
    for (name, sink) in [("http", Sink::start()), ("grpc", Sink::start())] {
        sink.answer(Answer::AtMost(LIMIT));
        let data_sink = scene.declare_sink(name, &if name == "http" { sink.http() } else { sink.grpc() });
        let metric = scene.declare(
            &format!("small-{name}"),
            json!({"target": {"kind": "ConfigMap", "version": "v1"}, "dataSinkRef": {"name": name},
                "filter": "object.metadata.name.startsWith('many')", "forEach": {"fieldPath": "data"},
                "projections": [{"name": "item", "expression": "key"}]}),
        );
        until("every series", || match sink.series(&format!("small_{name}")).len() {
            SERIES => Ok(()),
            series => Err(format!(
                "{series} series, {} requests\n{:#}",
                sink.requests().len(),
                client.read(&metric).unwrap()["status"]
            )),
        });
        scene.wait_reason(&data_sink, "Ready", "ExportSucceeded");
        scene.wait_ready(&metric);
        let requests = sink.requests();
        let refused = requests.iter().filter(|request| request.answer != Answer::Accept).count();
        assert!((1..=10).contains(&refused), "{name}: it halves until it fits, once: {refused}");
        let points: usize =
            requests.iter().filter(|one| one.answer == Answer::Accept).map(|one| one.points.len()).sum();
        assert_eq!(points, SERIES, "{name}: each is taken once");
    }
}

fn an_answer_without_end_costs_neither_memory_nor_time() {
    const ENDLESS: usize = 1 << 30;
    let plane = Plane::shared();
    let scene = Scene::on(&plane, "endless").args(&["--heartbeat", "1s"]).start();
    let sinks = [("http", Sink::start()), ("grpc", Sink::start())];
    for (name, sink) in &sinks {
        sink.answer(Answer::Huge(ENDLESS));
        scene.declare_sink(name, &if *name == "http" { sink.http() } else { sink.grpc() });
        scene.declare(&format!("endless-{name}"), json!({"dataSinkRef": {"name": name}}));
    }
    let before = scene.operator.usage().resident;
    // A request that was answered with success was taken, whatever else is said about it.
    for (name, reason) in [("http", "ExportSucceeded"), ("grpc", "InvalidResponse")] {
        let metric = scene.metric(&format!("endless-{name}"), &json!({}));
        scene.wait_reason(&metric, "Exported", reason);
    }
    sinks.iter().for_each(|(_, sink)| drop(sink.wait_requests(4)));
    let grown = scene.operator.usage().resident.saturating_sub(before);
    assert!(grown < 64 << 20, "{grown} bytes");
}

//! Operators that end and begin anew: what a sink hears of it, and how long it takes.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};

use super::exporting::{FAILED, RUNNING, by_phase, to};
use crate::harness::sink::point::attributes;
use crate::harness::{Answer, Operator, Plane, Point, Relay, Reply, Scene, Sink, Value, stays};

tests![
    an_operator_that_ends_sends_the_last_change_and_withdraws_nothing,
    an_operator_that_ends_waits_for_no_sink_that_hangs,
    an_operator_that_begins_anew_goes_on_with_the_same_series,
    a_data_sink_that_is_not_listed_yet_is_not_missing,
];

fn an_operator_that_ends_sends_the_last_change_and_withdraws_nothing() {
    let plane = Plane::shared();
    let mut scene = Scene::on(&plane, "ends").args(&["--heartbeat", "10m"]).start();
    let sink = Sink::start();
    scene.declare_sink("default", &sink.http());
    let client = plane.client();
    let web = scene.pod("web").phase("Running").create(client);
    let spec = |debounce: &str| json!({"projections": by_phase(), "dataSinkRef": {}, "flush": {"debounce": debounce}});
    scene.declare("ends-quick", spec("200ms"));
    let slow = scene.declare("ends-slow", spec("200ms"));
    sink.wait_series("ends_slow", &[(RUNNING, Value::Integer(1))]);
    // From here on it would take ten minutes.
    scene.declare("ends-slow", spec("10m"));
    scene.wait_ready(&slow);
    client.patch_status(&web, &json!({"phase": "Failed"}));
    sink.wait_series("ends_quick", &[(FAILED, Value::Integer(1))]);
    assert_eq!(sink.series("ends_slow"), BTreeMap::from([(attributes(RUNNING), Value::Integer(1))]));
    assert!(scene.operator.terminate().success());
    let left = BTreeMap::from([(attributes(FAILED), Value::Integer(1))]);
    assert_eq!(sink.series("ends_slow"), left, "{}", scene.operator.log());
    assert_eq!(sink.series("ends_quick"), left, "a successor goes on with these series");
}

fn an_operator_that_ends_waits_for_no_sink_that_hangs() {
    /// Far less than a request to such a sink takes, or than a kubelet waits.
    const AT_ONCE: Duration = Duration::from_secs(6);
    let plane = Plane::shared();
    let mut scene = Scene::on(&plane, "hurries").args(&["--heartbeat", "1s"]).start();
    let (hangs, deaf, lives) = (Sink::start(), Sink::start(), Sink::start());
    for (name, sink) in [("hangs", &hangs), ("deaf", &deaf), ("lives", &lives)] {
        scene.declare_sink(name, &sink.http());
        scene.declare(&format!("hurries-{name}"), json!({"dataSinkRef": to(name)}));
        sink.wait_value(&format!("hurries_{name}"), &[], Value::Integer(0));
    }
    hangs.answer(Answer::Hang);
    deaf.deaf(true);
    let heard = hangs.requests().len();
    hangs.wait_requests(heard + 1);
    scene.pod("a").create(plane.client());
    scene.sees("hurries_hangs", &[("", 1.0)]);
    let began = Instant::now();
    assert!(scene.operator.terminate().success());
    let took = began.elapsed();
    assert!(took < AT_ONCE, "{took:?}");
    assert_eq!(lives.latest("hurries_lives", &[]).unwrap().value, Value::Integer(1));
}

fn an_operator_that_begins_anew_goes_on_with_the_same_series() {
    let plane = Plane::shared();
    let mut scene = Scene::on(&plane, "anew").env("POD_NAME", "replica-1").start();
    let (client, sink) = (plane.client(), Sink::start());
    let data_sink = scene.declare_sink("default", &sink.grpc());
    let pods: Vec<Json> =
        ["a", "b"].iter().map(|name| scene.pod(name).phase("Running").create(client)).collect();
    let metric = scene.declare("anew-pods", json!({"projections": by_phase(), "dataSinkRef": {}}));
    sink.wait_series("anew_pods", &[(RUNNING, Value::Integer(2))]);
    scene.wait_ready(&metric);
    scene.wait_reason(&metric, "Exported", "ExportSucceeded");
    scene.wait_reason(&data_sink, "Ready", "ExportSucceeded");
    let before = [client.read(&metric).unwrap(), client.read(&data_sink).unwrap()];
    assert!(scene.operator.terminate().success());
    // What happens meanwhile is found in the first list, and nothing is shown before that is complete.
    client.delete(&pods[0]);
    let old = sink.requests().len();
    let mut operator = Operator::on(&plane.kubeconfig(&scene.user))
        .args(&["--watch-namespace", &scene.namespace])
        .env("OPERATOR_CONFIG_NAMESPACE", scene.namespace.clone())
        .env("POD_NAME", "replica-1")
        .start();
    operator.wait_ready();
    sink.wait_series("anew_pods", &[(RUNNING, Value::Integer(1))]);
    let points: Vec<Point> =
        sink.requests().into_iter().skip(old).flat_map(|request| request.points).collect();
    let first = &sink.requests()[0].points[0];
    for point in &points {
        assert_eq!(
            (point.value, &point.resource),
            (Value::Integer(1), &first.resource),
            "no dip, no other source"
        );
        assert!(point.start > first.start, "the time of the process");
    }
    // Nothing that holds has begun to hold anew.
    let conditions = |object: &Json| {
        let conditions = object["status"]["conditions"].as_array().unwrap().iter();
        let told = ["type", "status", "lastTransitionTime"];
        conditions.map(|condition| told.map(|field| condition[field].to_string())).collect::<Vec<_>>()
    };
    for (declared, before) in [&metric, &data_sink].into_iter().zip(&before) {
        stays(Duration::from_secs(2), "the conditions", || {
            let now = client.read(declared).unwrap();
            if conditions(&now) == conditions(before) { Ok(()) } else { Err(format!("{:#}", now["status"])) }
        });
    }
}

fn a_data_sink_that_is_not_listed_yet_is_not_missing() {
    let plane = Plane::shared();
    let mut scene = Scene::on(&plane, "unlisted-sinks").start();
    let (client, sink) = (plane.client(), Sink::start());
    scene.declare_sink("default", &sink.http());
    let metric = scene.declare("unlisted-sinks", json!({"dataSinkRef": {}}));
    scene.wait_ready(&metric);
    scene.wait_reason(&metric, "Exported", "ExportSucceeded");
    let before = client.read(&metric).unwrap()["status"]["conditions"].clone();
    assert!(scene.operator.terminate().success());
    let relay = Relay::before(&plane);
    relay.always("list", "datasinks", Reply::Hang);
    let mut operator = Operator::on(&plane.kubeconfig_at(&scene.user, relay.address()))
        .args(&["--watch-namespace", &scene.namespace])
        .env("OPERATOR_CONFIG_NAMESPACE", scene.namespace.clone())
        .start();
    operator.wait_family("unlisted_sinks", &[("", 0.0)]);
    stays(Duration::from_secs(3), "what was said before", || {
        let now = client.read(&metric).unwrap()["status"]["conditions"].clone();
        if now == before { Ok(()) } else { Err(format!("{now:#}")) }
    });
    let heard = sink.requests().len();
    relay.pass();
    operator.wait_ready();
    sink.wait_requests(heard + 1);
}

//! DataSinks and Secrets that are missing, wrong, edited, taken away and given: told by name, followed by themselves, and
//! never known by more than was asked for.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value as Json, json};

use super::modes::own_rights;
use crate::harness::{GROUPS, Plane, Scene, Sink, Value, rule, until, until_within};

tests![
    a_metric_waits_for_its_data_sink_and_outlives_it,
    an_edited_endpoint_takes_effect_at_once,
    a_data_sink_of_the_other_group_will_do_and_one_of_its_own_goes_before_it,
    a_secret_or_a_key_that_is_missing_is_told_and_used_once_it_is_there,
    a_key_that_is_refused_is_read_again,
    a_key_that_is_changed_is_noticed_within_a_minute,
    secrets_are_read_by_name_and_never_listed_or_watched,
    tenants_that_are_kept_apart_have_sinks_of_their_own,
];

/// How an API key is asked for.
fn key_of(secret: &str, key: &str) -> Json {
    json!({"apiKey": {"secretKeyRef": {"name": secret, "key": key}}})
}

/// The keys with which the sink was asked, in order, each once in a row.
fn keys(sink: &Sink) -> Vec<String> {
    let headers = sink.requests().into_iter().map(|request| request.headers.get("authorization").cloned());
    let mut keys: Vec<String> = headers.map(Option::unwrap_or_default).collect();
    keys.dedup();
    keys
}

/// Waits until the latest request came with this key.
#[track_caller]
fn wait_key(sink: &Sink, patience: Duration, key: &str) {
    until_within(patience, key, || match keys(sink).last() {
        Some(last) if *last == format!("Api-Token {key}") => Ok(()),
        other => Err(format!("{other:?}")),
    });
}

fn a_metric_waits_for_its_data_sink_and_outlives_it() {
    let plane = Plane::shared();
    let scene = Scene::on(&plane, "missing").start();
    let (client, sink) = (scene.client(), Sink::start());
    scene.pod("a").create(client);
    let metric = scene.declare("missing-pods", json!({"dataSinkRef": {"name": "later"}}));
    let other = scene.declare("missing-other", json!({}));
    for _ in 0..2 {
        let told = scene.wait_reason(&metric, "Exported", "DataSinkNotFound");
        assert!(told.contains(&format!("{}/later", scene.namespace)), "{told}");
        scene.wait_reason(&metric, "Ready", "DataSinkUnavailable");
        client.wait_condition(&metric, "Error", "True");
        // Whoever scrapes gets it all the same, and who wants no sink is not concerned.
        scene.sees("missing_pods", &[("", 1.0)]);
        scene.wait_ready(&other);
        let heard = sink.requests().len();
        let data_sink = scene.declare_sink("later", &sink.http());
        scene.wait_ready(&metric);
        scene.wait_reason(&data_sink, "Ready", "ExportSucceeded");
        until(
            "a request",
            || if sink.requests().len() > heard { Ok(()) } else { Err(scene.operator.tail()) },
        );
        sink.wait_value("missing_pods", &[], Value::Integer(1));
        client.delete(&data_sink);
    }
    scene.wait_reason(&metric, "Ready", "DataSinkUnavailable");
    let heard = sink.requests().len();
    scene.pod("b").create(client);
    scene.sees("missing_pods", &[("", 2.0)]);
    assert_eq!(sink.requests().len(), heard, "nothing is sent where nothing may be sent");
}

fn an_edited_endpoint_takes_effect_at_once() {
    let plane = Plane::shared();
    let scene = Scene::on(&plane, "endpoint").args(&["--heartbeat", "10m"]).start();
    let client = scene.client();
    let sinks = [Sink::start(), Sink::start(), Sink::start()];
    scene.pod("a").create(client);
    let metric = scene.declare("endpoint-pods", json!({"dataSinkRef": {}}));
    let one = Value::Integer(1);
    scene.declare_sink("default", &sinks[0].http());
    sinks[0].wait_value("endpoint_pods", &[], one);
    scene.declare_sink("default", &sinks[1].grpc());
    sinks[1].wait_value("endpoint_pods", &[], one);
    // What is none is told, and nothing is sent to where it was before.
    for (endpoint, reason) in
        [("http://", "InvalidEndpoint"), ("https://me:canary@sink.test", "InvalidEndpoint")]
    {
        let data_sink = scene.declare_sink("default", endpoint);
        let told = scene.wait_reason(&data_sink, "Ready", reason);
        assert!(!told.contains("canary"), "{told}");
        scene.wait_reason(&metric, "Exported", reason);
        scene.wait_reason(&metric, "Ready", "OTLPClientCreationFailed");
    }
    let refused = scene.metric("refused", &json!({}));
    let mut refused = json!({"apiVersion": refused["apiVersion"], "kind": "DataSink", "metadata": refused["metadata"],
        "spec": {"connection": {"endpoint": "ftp://sink.test"}}});
    client.refused(&refused);
    refused["spec"] = json!({"connection": {"endpoint": "http://sink.test"}, "authentication": {}});
    client.refused(&refused);
    let heard = sinks[1].requests().len();
    scene.declare_sink("default", &sinks[2].http());
    sinks[2].wait_value("endpoint_pods", &[], one);
    scene.wait_ready(&metric);
    assert_eq!(sinks[1].requests().len(), heard);
    assert!(!scene.operator.log().contains("canary"));
}

fn a_data_sink_of_the_other_group_will_do_and_one_of_its_own_goes_before_it() {
    let plane = Plane::shared();
    let scene = Scene::on(&plane, "groups-of-sinks").args(&["--heartbeat", "10m"]).start();
    let client = scene.client();
    let (old, new) = (Sink::start(), Sink::start());
    let of_old = json!({
        "apiVersion": format!("{}/v1alpha1", GROUPS[1]), "kind": "DataSink",
        "metadata": {"namespace": scene.namespace, "name": "default"},
        "spec": {"connection": {"endpoint": old.http()}},
    });
    client.apply(&of_old);
    let metric = scene.declare("groups-of-sinks", json!({"dataSinkRef": {}}));
    let series: [(&[(&str, &str)], Value); 1] = [(&[], Value::Integer(0))];
    old.wait_series("groups_of_sinks", &series);
    scene.wait_ready(&metric);
    let of_new = scene.declare_sink("default", &new.http());
    new.wait_series("groups_of_sinks", &series);
    old.wait_series("groups_of_sinks", &[]);
    client.delete(&of_new);
    old.wait_series("groups_of_sinks", &series);
    scene.wait_ready(&metric);
}

fn a_secret_or_a_key_that_is_missing_is_told_and_used_once_it_is_there() {
    let plane = Plane::shared();
    let scene = Scene::on(&plane, "secretless").start();
    let client = scene.client();
    for (protocol, sink) in [("http", Sink::start()), ("grpc", Sink::start())] {
        let endpoint = if protocol == "http" { sink.http() } else { sink.grpc() };
        let secret = scene.secret(protocol, &json!({"other": "canary-other"}));
        let data_sink = scene.declare_sink_with(protocol, &endpoint, &key_of(protocol, "key"));
        let metric =
            scene.declare(&format!("secretless-{protocol}"), json!({"dataSinkRef": {"name": protocol}}));
        let name = format!("{}/{protocol}", scene.namespace);
        let missing = |reason: &str, ready: &str, told: &[&str]| {
            for (declared, kind) in [(&data_sink, "Ready"), (&metric, "Exported")] {
                let message = scene.wait_reason(declared, kind, reason);
                assert!(told.iter().all(|told| message.contains(told)), "{told:?}: {message}");
                assert!(!message.contains("canary"), "{message}");
            }
            scene.wait_reason(&metric, "Ready", ready);
        };
        missing("SecretNotFound", "DataSinkUnavailable", &[&name]);
        client.create(&secret);
        missing("SecretKeyNotFound", "DataSinkUnavailable", &[&name, "'key'"]);
        client.patch(&secret, &json!({"stringData": {"key": "canary\nin two lines"}}));
        missing("InvalidCredentials", "OTLPClientCreationFailed", &[&name]);
        assert!(sink.requests().is_empty(), "nothing is sent without the key that is asked for");
        client.patch(&secret, &json!({"stringData": {"key": "canary-key"}}));
        scene.wait_ready(&metric);
        scene.wait_reason(&data_sink, "Ready", "ExportSucceeded");
        assert_eq!(keys(&sink), ["Api-Token canary-key"], "{protocol}");
        // A Secret that was deleted was meant to be.
        client.delete(&secret);
        scene.declare_sink_with(protocol, &endpoint, &key_of(protocol, "another"));
        missing("SecretNotFound", "DataSinkUnavailable", &[&name]);
    }
    assert!(!scene.operator.log().contains("canary"), "{}", scene.operator.log());
}

fn a_key_that_is_refused_is_read_again() {
    let plane = Plane::shared();
    let scene = Scene::on(&plane, "rotated").args(&["--heartbeat", "1s"]).start();
    let (client, sink) = (scene.client(), Sink::start());
    let secret = scene.secret("token", &json!({"key": "first"}));
    client.create(&secret);
    let data_sink = scene.declare_sink_with("default", &sink.http(), &key_of("token", "key"));
    let metric = scene.declare("rotated-pods", json!({"dataSinkRef": {}}));
    scene.wait_ready(&metric);
    sink.answer(crate::harness::Answer::Status(401));
    scene.wait_reason(&data_sink, "Ready", "Unauthenticated");
    scene.wait_reason(&metric, "Exported", "Unauthenticated");
    client.patch(&secret, &json!({"stringData": {"key": "second"}}));
    // Long before it would be read by itself.
    wait_key(&sink, Duration::from_secs(30), "second");
    sink.answer(crate::harness::Answer::Accept);
    scene.wait_ready(&metric);
    scene.wait_reason(&data_sink, "Ready", "ExportSucceeded");
    assert_eq!(keys(&sink), ["Api-Token first", "Api-Token second"]);
}

fn a_key_that_is_changed_is_noticed_within_a_minute() {
    let plane = Plane::shared();
    let scene = Scene::on(&plane, "changed").args(&["--heartbeat", "1s"]).start();
    let (client, sink) = (scene.client(), Sink::start());
    let secret = scene.secret("token", &json!({"key": "first"}));
    client.create(&secret);
    scene.declare_sink_with("default", &sink.grpc(), &key_of("token", "key"));
    let metric = scene.declare("changed-pods", json!({"dataSinkRef": {}}));
    scene.wait_ready(&metric);
    client.patch(&secret, &json!({"stringData": {"key": "second"}}));
    wait_key(&sink, Duration::from_secs(90), "second");
    scene.wait_ready(&metric);
    let reads = scene.requests("get", "secrets").len();
    assert!(reads <= 3, "{reads} reads");
}

fn secrets_are_read_by_name_and_never_listed_or_watched() {
    let plane = Plane::shared();
    let rights = |more: &[_]| [&own_rights()[..], &[rule("", "pods", "list,watch")], more].concat();
    let user = plane.user_with(&rights(&[]));
    let scene = Scene::on(&plane, "named").user(user.clone()).start();
    let (client, sink) = (scene.client(), Sink::start());
    for name in ["token", "unrelated"] {
        client.create(&scene.secret(name, &json!({"key": "canary"})));
    }
    let data_sink = scene.declare_sink_with("default", &sink.http(), &key_of("token", "key"));
    let metric = scene.declare("named-pods", json!({"dataSinkRef": {}}));
    let told = scene.wait_reason(&metric, "Exported", "SecretForbidden");
    assert!(told.contains(&format!("{}/token", scene.namespace)) && told.contains("get"), "{told}");
    scene.wait_reason(&data_sink, "Ready", "SecretForbidden");
    scene.wait_reason(&metric, "Ready", "DataSinkUnavailable");
    plane.allow(&user, &rights(&[rule("", "secrets", "get")]));
    scene.wait_ready(&metric);
    scene.wait_reason(&data_sink, "Ready", "ExportSucceeded");
    assert_eq!(keys(&sink), ["Api-Token canary"]);
    let requests = plane.requests(&user).into_iter().filter(|request| request.resource == "secrets");
    let asked: BTreeSet<(String, String, String)> =
        requests.map(|request| (request.verb, request.namespace, request.name)).collect();
    let expected = ("get".to_owned(), scene.namespace.clone(), "token".to_owned());
    assert_eq!(asked, BTreeSet::from([expected]));
    let page = format!("{:?}", scene.operator.metrics());
    assert!(!scene.operator.log().contains("canary") && !page.contains("canary"));
}

fn tenants_that_are_kept_apart_have_sinks_of_their_own() {
    let plane = Plane::shared();
    let other = plane.namespace("tenant-b");
    let scene =
        Scene::on(&plane, "tenant-a").args(&["--tenancy", "namespaced", "--watch-namespace", &other]).start();
    let client = scene.client();
    let (of_scene, of_other) = (Sink::start(), Sink::start());
    scene.declare_sink("default", &of_scene.http());
    let elsewhere = |mut object: Json| {
        object["metadata"]["namespace"] = json!(other);
        object
    };
    for (namespace, pods) in [(&scene.namespace, 1), (&other, 2)] {
        (0..pods).for_each(|pod| drop(crate::harness::pod(namespace, &format!("p{pod}")).create(client)));
    }
    // What a tenant asks for beyond its own namespace it does not get.
    let spec = json!({"dataSinkRef": {}, "namespaces": null});
    let own = scene.declare("tenant-pods-a", spec.clone());
    let others = elsewhere(scene.metric("tenant-pods-b", &spec));
    client.apply(&others);
    of_scene.wait_value("tenant_pods_a", &[], Value::Integer(1));
    scene.wait_ready(&own);
    let told = scene.wait_reason(&others, "Exported", "DataSinkNotFound");
    assert!(told.contains(&format!("{other}/default")), "{told}");
    let metadata = json!({"namespace": other, "name": "default"});
    let spec = json!({"connection": {"endpoint": of_other.http()}, "authentication": key_of("token", "key")});
    client.create(&json!({
        "apiVersion": format!("{}/v1alpha1", GROUPS[0]), "kind": "DataSink", "metadata": metadata, "spec": spec,
    }));
    // A Secret of the same name in another's namespace is not its own.
    client.create(&scene.secret("token", &json!({"key": "canary"})));
    scene.wait_reason(&others, "Exported", "SecretNotFound");
    client.create(&elsewhere(scene.secret("token", &json!({"key": "own"}))));
    of_other.wait_value("tenant_pods_b", &[], Value::Integer(2));
    scene.wait_ready(&others);
    assert_eq!(keys(&of_other), ["Api-Token own"]);
    assert!(
        of_scene.history("tenant_pods_b", &[]).is_empty()
            && of_other.history("tenant_pods_a", &[]).is_empty()
    );
}

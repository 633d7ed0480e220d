//! What a running operator tells of itself: own metrics over OTLP, logs, readiness, exit statuses.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::sync::mpsc;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;
use serde_json::{Value as Json, json};

use crate::harness::{Operator, Plane, Relay, Reply, Sink, Value, pod, port, until};

tests![
    own_metrics_leave_over_either_protocol_as_the_page_has_them,
    own_traces_name_what_is_reconciled_listed_and_exported,
    every_line_of_the_log_is_json_and_no_stranger_adds_one,
    an_operator_that_cannot_start_says_why_and_how,
    an_operator_is_ready_when_every_first_list_is_there,
    a_source_that_fails_by_name_keeps_nobody_from_being_ready,
];

fn metric(namespace: &str, name: &str, spec: &Json) -> Json {
    json!({"apiVersion": "metrics.open-control-plane.io/v1alpha1", "kind": "Metric",
        "metadata": {"namespace": namespace, "name": name}, "spec": spec})
}

fn own_metrics_leave_over_either_protocol_as_the_page_has_them() {
    let plane = Plane::shared();
    let (namespace, user) = (plane.namespace("telling"), plane.operator_user());
    let spec = json!({"name": "telling.pods", "target": {"kind": "Pod"}, "namespaces": [namespace],
        "projections": [{"name": "name", "fieldPath": "metadata.name"}]});
    plane.client().create(&metric(&namespace, "pods", &spec));
    ["a", "b"].iter().for_each(|name| drop(pod(&namespace, name).create(plane.client())));
    for protocol in ["http/protobuf", "grpc"] {
        let sink = Sink::start();
        let endpoint = if protocol == "grpc" { format!("http://{}", sink.address()) } else { sink.http() };
        let mut operator = Operator::on(&plane.kubeconfig(&user))
            .args(&["--watch-namespace", &namespace])
            .env("POD_NAME", "pod-1")
            .env("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", endpoint)
            .env("OTEL_EXPORTER_OTLP_METRICS_PROTOCOL", protocol)
            .env("OTEL_EXPORTER_OTLP_HEADERS", "x-team=a")
            .env("OTEL_METRIC_EXPORT_INTERVAL", "300")
            .env("OTEL_RESOURCE_ATTRIBUTES", "team=a")
            .start();
        operator.wait_ready();
        operator.wait_family("telling_pods", &[("name=\"a\"", 1.0), ("name=\"b\"", 1.0)]);
        sink.wait_value("celemetry_series", &[], Value::Integer(2));
        let point = sink.wait_value("celemetry_metrics", &[], Value::Integer(1));
        let resource = |key: &str| point.resource.get(key).map(String::as_str);
        assert_eq!(resource("service.name"), Some("celemetry"));
        assert_eq!(resource("service.instance.id"), Some("pod-1"));
        assert_eq!(resource("team"), Some("a"));
        assert_eq!(sink.requests()[0].headers["x-team"], "a", "{protocol}");
        let flushes = sink.latest("celemetry_flushes_total", &[]).unwrap();
        assert_eq!(flushes.kind, "sum cumulative monotonic");
        let page = operator.metrics();
        let names: Vec<_> = sink.points().into_iter().map(|point| point.name).collect();
        for name in ["celemetry_build_info", "celemetry_statuses_waiting", "celemetry_export_requests_total"]
        {
            assert!(names.iter().any(|known| known == name) && !page.find(name, &[]).is_empty(), "{name}");
        }
        assert!(operator.terminate().success());
    }
}

/// A receiver that takes everything, one request a connection, and passes on the bodies.
fn receiver() -> (String, mpsc::Receiver<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/v1/traces", listener.local_addr().unwrap());
    let (sender, bodies) = mpsc::channel();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let (mut bytes, mut buffer) = (vec![], [0; 4096]);
            let body = loop {
                let length = stream.read(&mut buffer).unwrap();
                bytes.extend_from_slice(&buffer[..length]);
                let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
                let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
                let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
                if bytes.len() - end - 4 >= length.parse().unwrap() {
                    break bytes.split_off(end + 4);
                }
            };
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").unwrap();
            if sender.send(body).is_err() {
                return;
            }
        }
    });
    (url, bodies)
}

fn own_traces_name_what_is_reconciled_listed_and_exported() {
    let plane = Plane::shared();
    let (namespace, user, sink) = (plane.namespace("telling"), plane.operator_user(), Sink::start());
    let (url, bodies) = receiver();
    let data_sink = json!({"apiVersion": "metrics.open-control-plane.io/v1alpha1", "kind": "DataSink",
        "metadata": {"namespace": namespace, "name": "default"}, "spec": {"connection": {"endpoint": sink.http()}}});
    plane.client().create(&data_sink);
    let spec = json!({"name": "traced.pods", "target": {"kind": "Pod"}, "dataSinkRef": {}, "namespaces": [namespace]});
    plane.client().create(&metric(&namespace, "pods", &spec));
    let mut operator = Operator::on(&plane.kubeconfig(&user))
        .args(&["--watch-namespace", &namespace])
        .env("OPERATOR_CONFIG_NAMESPACE", &namespace)
        .env("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", url)
        .env("OTEL_BSP_SCHEDULE_DELAY", "200")
        .start();
    sink.wait_value("traced.pods", &[], Value::Integer(0));
    let mut spans = BTreeSet::new();
    let expected = ["reconcile Metric", "reconcile DataSink", "list pods.v1", "export"];
    until("the spans", || {
        while let Ok(body) = bodies.try_recv() {
            let request = ExportTraceServiceRequest::decode(&body[..]).unwrap();
            let scopes = request.resource_spans.into_iter().flat_map(|resource| resource.scope_spans);
            for span in scopes.flat_map(|scope| scope.spans) {
                let about =
                    span.attributes.iter().find(|pair| ["kind", "resource"].contains(&pair.key.as_str()));
                let about = about.map(|pair| format!("{:?}", pair.value)).unwrap_or_default();
                let about = about.split('"').nth(1).unwrap_or_default().to_owned();
                spans.insert(format!("{} {about}", span.name).trim_end().to_owned());
            }
        }
        let missing = expected.into_iter().find(|name| !spans.contains(*name));
        missing.map_or(Ok(()), |missing| Err(format!("{missing} is not among {spans:?}")))
    });
    assert!(operator.terminate().success());
    assert!(operator.log().contains("\"connected\""));
}

fn every_line_of_the_log_is_json_and_no_stranger_adds_one() {
    let plane = Plane::shared();
    let (namespace, user) = (plane.namespace("telling"), plane.operator_user());
    let spec = json!({"name": "telling.odd", "target": {"kind": "Odd\n{\"level\":\"error\"}"},
        "labelSelector": "a in (\n\u{1b}[31m"});
    let odd = metric(&namespace, "odd", &spec);
    plane.client().create(&odd);
    let mut operator = Operator::on(&plane.kubeconfig(&user))
        .args(&["--watch-namespace", &namespace, "--zap-log-level", "debug"])
        .env("RUST_LOG", "debug,celemetry=trace")
        .start();
    plane.client().wait_condition(&odd, "Ready", "False");
    assert!(operator.terminate().success());
    let log = operator.log();
    let mut messages = vec![];
    for line in log.lines() {
        let line: Json = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        for key in ["time", "level", "target", "message"] {
            assert!(line[key].is_string(), "{key}: {line}");
        }
        messages.push(line["message"].as_str().unwrap().to_owned());
    }
    assert_eq!(messages.first().map(String::as_str), Some("starting"));
    assert!(messages.contains(&"connected".to_owned()) && messages.contains(&"ending".to_owned()), "{log}");
    assert!(!log.contains('\u{1b}') && !log.contains(&user.token()));
}

fn an_operator_that_cannot_start_says_why_and_how() {
    let plane = Plane::shared();
    let (user, nobody) = (plane.user(), port::free());
    let unreachable = plane.kubeconfig_at(&user, nobody);
    let start = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_celemetry"));
        for name in ["KUBECONFIG", "KUBERNETES_SERVICE_HOST", "HTTPS_PROXY"] {
            command.env_remove(name);
        }
        let output =
            command.arg("start").args(arguments).env("HOME", "/none").stdin(Stdio::null()).output().unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    for (arguments, status, said) in [
        (vec!["--kubeconfig", unreachable.to_str().unwrap()], 3, "nobody listens there (connection refused)"),
        (vec!["--kubeconfig", "/none/config"], 3, "kubeconfig /none/config: No such file or directory"),
        (vec![], 3, "no cluster to connect to"),
        (vec!["--heartbeat", "0s"], 2, "must be at least 1s"),
        (vec!["--leader-elect-lease-duration", "1s"], 2, "--leader-elect-lease-duration: must be longer"),
    ] {
        let (found, text) = start(&arguments);
        assert_eq!(found, status, "{arguments:?}: {text}");
        assert!(text.contains(said), "{arguments:?}: {text}");
    }
    let busy = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = busy.local_addr().unwrap().to_string();
    let kubeconfig = plane.kubeconfig(&plane.operator_user());
    let (status, text) =
        start(&["--kubeconfig", kubeconfig.to_str().unwrap(), "--metrics-bind-address", &address]);
    assert_eq!(status, 2, "{text}");
    assert!(text.contains(&format!("cannot listen on {address}")), "{text}");
}

/// Two Metrics, over Pods and over ConfigMaps, that are there before their operator.
fn two_metrics(plane: &Plane, namespace: &str) {
    for kind in ["Pod", "ConfigMap"] {
        let name = format!("ready.{}", kind.to_lowercase());
        let spec = json!({"name": name, "target": {"kind": kind}, "namespaces": [namespace]});
        plane.client().create(&metric(namespace, &kind.to_lowercase(), &spec));
    }
}

/// Starts an operator by way of a relay. It need not be ready.
fn start_behind(relay: &Relay, plane: &Plane, namespace: &str) -> Operator {
    let kubeconfig = plane.kubeconfig_at(&plane.operator_user(), relay.address());
    Operator::on(&kubeconfig).args(&["--watch-namespace", namespace]).start()
}

fn an_operator_is_ready_when_every_first_list_is_there() {
    let plane = Plane::shared();
    let (namespace, relay) = (plane.namespace("ready"), Relay::before(&plane));
    two_metrics(&plane, &namespace);
    pod(&namespace, "a").create(plane.client());
    relay.always("list", "pods", Reply::Hang);
    let mut operator = start_behind(&relay, &plane, &namespace);
    operator.wait_family("ready_configmap", &[("", 0.0)]);
    until("to wait for the Pods alone", || match operator.readyz() {
        Ok((503, page)) if page.contains("/pod") && !page.contains("/configmap") => Ok(()),
        other => Err(format!("{other:?}")),
    });
    assert_eq!(operator.healthz().unwrap().0, 200, "nobody would be helped by a restart");
    // A zero would be a lie.
    operator.wait_family("ready_pod", &[]);
    relay.pass();
    operator.wait_ready();
    operator.wait_family("ready_pod", &[("", 1.0)]);
    // Who is ready stays so: a Metric that comes later must not take away the series of the others.
    relay.always("list", "services", Reply::Hang);
    let later = json!({"name": "ready.service", "target": {"kind": "Service"}, "namespaces": [namespace]});
    let later = metric(&namespace, "service", &later);
    plane.client().create(&later);
    plane.client().wait_condition(&later, "Ready", "Unknown");
    assert_eq!(operator.readyz().unwrap().0, 200);
    relay.pass();
    operator.wait_family("ready_service", &[("", 0.0)]);
}

fn a_source_that_fails_by_name_keeps_nobody_from_being_ready() {
    let plane = Plane::shared();
    let (namespace, relay) = (plane.namespace("ready"), Relay::before(&plane));
    two_metrics(&plane, &namespace);
    relay.always("list", "pods", Reply::status(500, "InternalError"));
    let mut operator = start_behind(&relay, &plane, &namespace);
    operator.wait_ready();
    let of_pods = metric(&namespace, "pod", &json!({}));
    until("the source's failure by name", || {
        let synced = plane.client().wait_condition(&of_pods, "Synced", "False");
        if synced["reason"] == "TargetUnreachable" { Ok(()) } else { Err(synced.to_string()) }
    });
    operator.wait_family("ready_configmap", &[("", 0.0)]);
    operator.wait_family("ready_pod", &[]);
    relay.pass();
    plane.client().wait_condition(&of_pods, "Ready", "True");
    operator.wait_family("ready_pod", &[("", 0.0)]);
}

//! Whom an operator sends to: certificates are checked, and addresses that only the operator can reach are refused.

use std::net::TcpListener;

use serde_json::{Value as Json, json};

use crate::harness::authority::Authority;
use crate::harness::{Answer, Plane, Scene, Sink, Value, folder};

tests![
    a_certificate_is_taken_from_a_trusted_authority_for_its_own_name_only,
    an_authority_and_a_client_certificate_come_from_a_secret,
    what_is_no_tls_is_told_as_such,
    metadata_and_link_addresses_are_never_connected_to,
    addresses_of_this_host_are_refused_unless_they_are_allowed,
    redirects_are_not_followed,
];

/// A Metric that is sent to the DataSink of this name.
fn declare(scene: &Scene<'_>, prefix: &str, sink: &str) -> Json {
    scene.declare(&format!("{prefix}-{sink}"), json!({"dataSinkRef": {"name": sink}}))
}

fn a_certificate_is_taken_from_a_trusted_authority_for_its_own_name_only() {
    let plane = Plane::shared();
    let (ours, other) = (Authority::new(), Authority::new());
    let bundle = ours.write(&folder::fresh("trust"));
    let scene = Scene::on(&plane, "trust").args(&["--heartbeat", "1s"]).env("SSL_CERT_FILE", bundle).start();
    let good = Sink::start_tls(&ours.identity(&["127.0.0.1"]));
    let elsewhere = Sink::start_tls(&ours.identity(&["elsewhere.test"]));
    let unknown = Sink::start_tls(&other.identity(&["127.0.0.1"]));
    for (protocol, endpoint) in [("https", good.http()), ("grpcs", good.grpc())] {
        assert!(endpoint.starts_with(&format!("{protocol}://")));
        scene.declare_sink(protocol, &endpoint);
        let metric = declare(&scene, "trust", protocol);
        good.wait_value(&format!("trust_{protocol}"), &[], Value::Integer(0));
        scene.wait_ready(&metric);
    }
    let names = ["elsewhere-https", "elsewhere-grpcs", "unknown-https", "unknown-grpcs"];
    for name in names {
        let (sink, what) = match name.split_once('-').unwrap() {
            ("elsewhere", _) => (&elsewhere, "another name"),
            _ => (&unknown, "nobody who is trusted"),
        };
        let data_sink =
            scene.declare_sink(name, &if name.ends_with("https") { sink.http() } else { sink.grpc() });
        let metric = declare(&scene, "trust", name);
        for (declared, kind) in [(&data_sink, "Ready"), (&metric, "Exported")] {
            let told = scene.wait_reason(declared, kind, "TLSError");
            assert!(told.contains(what), "{name}: {told}");
        }
        scene.wait_reason(&metric, "Ready", "MetricExportFailed");
        assert!(sink.requests().is_empty(), "{name}");
        // Mended by its author, it is over.
        scene.declare_sink(name, &good.http());
        scene.wait_ready(&metric);
        good.wait_value(&format!("trust_{}", name.replace('-', "_")), &[], Value::Integer(0));
    }
}

fn an_authority_and_a_client_certificate_come_from_a_secret() {
    let plane = Plane::shared();
    let authority = Authority::new();
    let scene = Scene::on(&plane, "mutual").start();
    let sink = Sink::start_tls(&authority.identity(&["127.0.0.1"]));
    let files = authority.identity(&["celemetry.test"]).write(&folder::fresh("mutual"), "client");
    let read = |path| std::fs::read_to_string(path).unwrap();
    let entries =
        json!({"tls.crt": read(files.certificate), "tls.key": read(files.key), "ca.crt": authority.pem()});
    let secret = scene.client().create(&scene.secret("client", &entries));
    let key = |key: &str| json!({"name": "client", "key": key});
    let certificate = json!({"certificate": {"clientCertSecretKeyRef": key("tls.crt"),
        "clientKeySecretKeyRef": key("tls.key"), "caCertSecretKeyRef": key("ca.crt")}});
    let data_sink = scene.declare_sink_with("default", &sink.grpc(), &certificate);
    let metric = declare(&scene, "mutual", "default");
    sink.wait_value("mutual_default", &[], Value::Integer(0));
    scene.wait_ready(&metric);
    // An authority that is none ends it, without a word of what stands there.
    scene.client().patch(&secret, &json!({"stringData": {"ca.crt": "canary"}}));
    scene.declare_sink_with("default", &sink.http(), &certificate);
    let told = scene.wait_reason(&data_sink, "Ready", "InvalidCredentials");
    assert!(told.contains("client") && !told.contains("canary"), "{told}");
    scene.client().patch(&secret, &json!({"stringData": {"ca.crt": authority.pem()}}));
    scene.wait_reason(&data_sink, "Ready", "ExportSucceeded");
    scene.wait_ready(&metric);
    assert!(!scene.operator.log().contains("canary") && !scene.operator.log().contains("PRIVATE KEY"));
}

fn what_is_no_tls_is_told_as_such() {
    let plane = Plane::shared();
    let scene = Scene::on(&plane, "plain").start();
    let sink = Sink::start();
    let endpoint = sink.http().replace("http://", "https://");
    let data_sink = scene.declare_sink("default", &endpoint);
    let metric = declare(&scene, "plain", "default");
    let told = scene.wait_reason(&metric, "Exported", "TLSError");
    assert!(told.contains("no TLS"), "{told}");
    scene.wait_reason(&data_sink, "Ready", "TLSError");
    assert!(sink.requests().is_empty());
}

fn metadata_and_link_addresses_are_never_connected_to() {
    let plane = Plane::shared();
    let scene = Scene::on(&plane, "metadata").start();
    for (name, endpoint) in [
        ("v4", "http://169.254.169.254/v1/metrics"),
        ("grpc", "grpc://169.254.169.254:4317"),
        ("mapped", "http://[::ffff:169.254.169.254]:80"),
        ("zero", "http://0.0.0.0:4318"),
    ] {
        let data_sink = scene.declare_sink(name, endpoint);
        let metric = declare(&scene, "metadata", name);
        for (declared, kind) in [(&data_sink, "Ready"), (&metric, "Exported")] {
            let told = scene.wait_reason(declared, kind, "EndpointForbidden");
            assert!(told.contains("an address that sinks may not have"), "{name}: {told}");
        }
        scene.client().wait_condition(&metric, "Ready", "False");
    }
}

fn addresses_of_this_host_are_refused_unless_they_are_allowed() {
    let plane = Plane::shared();
    let scene = Scene::on(&plane, "loopback").no_loopback_sinks().start();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    for (name, host) in [("address", "127.0.0.1"), ("name", "localhost"), ("mapped", "[::ffff:127.0.0.1]")] {
        for scheme in ["http", "grpc"] {
            let name = format!("{name}-{scheme}");
            scene.declare_sink(&name, &format!("{scheme}://{host}:{port}"));
            let metric = declare(&scene, "loopback", &name);
            scene.wait_reason(&metric, "Exported", "EndpointForbidden");
            scene.client().wait_condition(&metric, "Ready", "False");
        }
    }
    listener.set_nonblocking(true).unwrap();
    let heard = listener.accept().map(|_| ()).map_err(|error| error.kind());
    assert_eq!(heard, Err(std::io::ErrorKind::WouldBlock), "not even a connection was made");
    // With the flag the name will do as well.
    let scene = Scene::on(&plane, "loopback").start();
    let sink = Sink::start();
    scene.declare_sink("default", &format!("http://localhost:{}", sink.address().port()));
    let metric = declare(&scene, "loopback", "default");
    sink.wait_value("loopback_default", &[], Value::Integer(0));
    scene.wait_ready(&metric);
}

fn redirects_are_not_followed() {
    let plane = Plane::shared();
    let scene = Scene::on(&plane, "redirected").args(&["--heartbeat", "1s"]).start();
    let (sink, elsewhere) = (Sink::start(), Sink::start());
    sink.answer(Answer::Redirect(elsewhere.http()));
    let data_sink = scene.declare_sink("default", &sink.http());
    let metric = declare(&scene, "redirected", "default");
    scene.wait_reason(&metric, "Exported", "ExportRejected");
    scene.wait_reason(&data_sink, "Ready", "ExportRejected");
    sink.wait_requests(2);
    assert!(elsewhere.requests().is_empty());
    sink.answer(Answer::Accept);
    scene.wait_ready(&metric);
}

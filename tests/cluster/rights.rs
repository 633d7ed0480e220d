//! `celemetry rbac` knows the names that a real API server has, and what it prints is all that an operator needs.

use std::fmt::Write;
use std::fs;
use std::process::Command;

use celemetry::cli::input::parse_documents;
use http::Method;
use serde_json::json;

use crate::harness::{Kind, Operator, Plane, Sink, Value, folder, pod, until};

tests![
    every_built_in_kind_is_known_offline,
    custom_kinds_are_known_where_the_cluster_is_asked,
    an_operator_needs_no_right_that_is_not_printed,
];

/// What `celemetry rbac` prints of the targets in a file of Metrics.
fn rbac(file: &std::path::Path, flags: &[&str]) -> String {
    all_of_rbac(file, &[&["--targets-only"], flags].concat())
}

fn all_of_rbac(file: &std::path::Path, flags: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_celemetry"));
    let output = command.args(["rbac", "-f"]).arg(file).args(flags).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn metric(number: usize, group: &str, kind: &str) -> String {
    format!(
        "---\napiVersion: metrics.open-control-plane.io/v1alpha1\nkind: Metric\nmetadata: {{name: m{number}}}\n\
         spec: {{name: m{number}, target: {{kind: {kind}, group: \"{group}\"}}}}\n"
    )
}

fn every_built_in_kind_is_known_offline() {
    let plane = Plane::shared();
    let client = plane.client();
    let groups = client.get("/apis");
    let groups = groups["groups"].as_array().unwrap().iter();
    let versions = groups
        .flat_map(|group| group["versions"].as_array().unwrap())
        .map(|version| format!("/apis/{}", version["groupVersion"].as_str().unwrap()));
    let mut text = String::new();
    let mut kinds = 0;
    for path in std::iter::once("/api/v1".to_owned()).chain(versions) {
        let group = path.strip_prefix("/apis/").and_then(|path| path.split('/').next()).unwrap_or_default();
        // Other tests' kinds come and go.
        if group.contains('.') && !group.ends_with(".k8s.io") {
            continue;
        }
        for resource in client.get(&path)["resources"].as_array().unwrap() {
            if resource["verbs"].as_array().unwrap().iter().any(|verb| verb == "list") {
                write!(text, "{}", metric(kinds, group, resource["kind"].as_str().unwrap())).unwrap();
                kinds += 1;
            }
        }
    }
    assert!(kinds > 50, "{kinds}");
    let file = folder::fresh("rights").join("metrics.yaml");
    fs::write(&file, text).unwrap();
    let user = plane.user();
    let kubeconfig = plane.kubeconfig(&user);
    let asked = rbac(&file, &["--kubeconfig", kubeconfig.to_str().unwrap()]);
    assert_eq!(rbac(&file, &[]), asked);
}

fn custom_kinds_are_known_where_the_cluster_is_asked() {
    let plane = Plane::shared();
    let kind = Kind::new("Octopus").install(plane.client());
    let definition = kind.definition();
    let (group, plural) = (&definition["spec"]["group"], &definition["spec"]["names"]["plural"]);
    let (group, plural) = (group.as_str().unwrap(), plural.as_str().unwrap());
    let file = folder::fresh("rights").join("metric.yaml");
    fs::write(&file, metric(0, group, "octopus")).unwrap();
    assert!(rbac(&file, &[]).contains("# 'octopuses' is a guess"), "{}", rbac(&file, &[]));
    let user = plane.user();
    let kubeconfig = plane.kubeconfig(&user);
    let asked = rbac(&file, &["--kubeconfig", kubeconfig.to_str().unwrap()]);
    assert!(asked.contains(&format!("  resources: [{plural}]\n")) && !asked.contains("guess"), "{asked}");
    kind.remove(plane.client());
}

fn an_operator_needs_no_right_that_is_not_printed() {
    let plane = Plane::shared();
    let (client, namespace, user) = (plane.client(), plane.namespace("rights"), plane.user());
    let sink = Sink::start();
    let group = "metrics.open-control-plane.io/v1alpha1";
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"namespace": namespace, "name": "token"},
        "stringData": {"key": "s3cret"}});
    let data_sink = json!({"apiVersion": group, "kind": "DataSink",
        "metadata": {"namespace": namespace, "name": "default"},
        "spec": {"connection": {"endpoint": sink.http()},
            "authentication": {"apiKey": {"secretKeyRef": {"name": "token", "key": "key"}}}}});
    let metric = json!({"apiVersion": group, "kind": "Metric", "metadata": {"namespace": namespace, "name": "pods"},
        "spec": {"name": "rights.pods", "target": {"kind": "Pod"}, "dataSinkRef": {},
            "namespaceSelector": format!("kubernetes.io/metadata.name={namespace}")}});
    let file = folder::fresh("rights").join("declared.json");
    fs::write(&file, format!("{metric}\n{data_sink}\n")).unwrap();

    let printed = all_of_rbac(&file, &["--name", &namespace, "--namespace", &namespace]);
    for document in parse_documents("printed", printed.as_bytes()).unwrap() {
        let mut role = document.value;
        client.apply(&role);
        let kind = role["kind"].as_str().unwrap().to_owned();
        role.as_object_mut().unwrap().remove("rules");
        role["roleRef"] =
            json!({"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": role["metadata"]["name"]});
        role["subjects"] =
            json!([{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user.name}]);
        role["kind"] = json!(format!("{kind}Binding"));
        client.apply(&role);
    }
    let lease = format!(
        "/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases/{}",
        celemetry::controller::lease::LEASE
    );
    for path in ["/api/v1/pods", &format!("/apis/{group}/metrics"), &lease] {
        until("the rights", || {
            let answer =
                plane.client_of(&user).send(&Method::GET, path, "application/json", String::new())?;
            if answer.status.as_u16() == 403 { Err(path.to_owned()) } else { Ok(()) }
        });
    }
    let before = plane.requests(&user).len();
    [&secret, &data_sink, &metric].iter().for_each(|object| drop(client.create(object)));
    pod(&namespace, "web").phase("Running").create(client);

    let mut operator = Operator::on(&plane.kubeconfig(&user))
        .args(&["--leader-elect", "--watch-namespace", &namespace])
        .env("POD_NAMESPACE", &namespace)
        .env("OPERATOR_CONFIG_NAMESPACE", &namespace)
        .start();
    operator.wait_ready();
    client.wait_condition(&metric, "Ready", "True");
    sink.wait_value("rights.pods", &[], Value::Integer(1));
    let headers = &sink.requests()[0].headers;
    assert_eq!(headers["authorization"], "Api-Token s3cret");
    assert!(operator.terminate().success());
    let requests = plane.requests(&user).split_off(before);
    assert!(requests.len() > 10);
    let refused: Vec<_> = requests.iter().filter(|request| request.code == 403).collect();
    assert!(refused.is_empty(), "{refused:#?}");
    assert!(!operator.log().contains("s3cret"));
}

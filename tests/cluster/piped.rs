//! What kubectl prints of a real cluster, piped into `celemetry run`: the README's second way to try it.

use std::process::Stdio;
use std::time::Duration;

use serde_json::json;

use crate::harness::{Operator, Plane, pod, rule};

tests![a_watch_of_kubectl_becomes_series];

fn a_watch_of_kubectl_becomes_series() {
    let plane = Plane::shared();
    let client = plane.client();
    let namespace = plane.namespace("piped");
    let user = plane.user_with(&[rule("", "pods", "list,watch")]);
    let first = pod(&namespace, "a").phase("Running").create(client);
    let second = pod(&namespace, "b").phase("Running").create(client);
    let mut kubectl = plane
        .kubectl(&user)
        .args(["get", "pods", "--namespace", &namespace, "--output=json", "--watch", "--output-watch-events"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut celemetry = Operator::run()
        .args(&["-f", "examples/pods-by-phase.yaml", "--events", "-"])
        .input(kubectl.stdout.take().unwrap())
        .start();
    celemetry.wait_ready();
    celemetry.wait_family("k8s_pod_count", &[("phase=\"Running\"", 2.0)]);
    assert_eq!(celemetry.healthz().unwrap().0, 200);
    client.patch_status(&first, &json!({"phase": "Failed"}));
    celemetry.wait_family("k8s_pod_count", &[("phase=\"Failed\"", 1.0), ("phase=\"Running\"", 1.0)]);

    celemetry.pause();
    client.delete(&second);
    celemetry.resume();
    celemetry.wait_family("k8s_pod_count", &[("phase=\"Failed\"", 1.0)]);
    let usage = celemetry.usage();
    assert!(usage.resident > 1 << 20 && usage.cpu < Duration::from_secs(60), "{usage:?}");

    kubectl.kill().unwrap();
    kubectl.wait().unwrap();
    assert!(celemetry.ends().success());
    let table = celemetry.log();
    assert!(table.contains("k8s.pod.count"), "{table}");
}

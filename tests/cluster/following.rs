//! `celemetry run -f` on a kubeconfig: the same numbers from a cluster in which nothing is installed and nothing written.

use std::collections::BTreeSet;
use std::fs;

use serde_json::{Value as Json, json};

use crate::harness::{Operator, Plane, Request, folder, pod, rule, until};

tests![
    a_cluster_is_followed_without_a_trace,
    what_is_amiss_is_told_and_heals_by_itself,
    what_fits_no_object_of_the_cluster_is_told_once,
];

fn a_cluster_is_followed_without_a_trace() {
    let plane = Plane::bare(&[]);
    let client = plane.client();
    let namespace = plane.namespace("followed");
    let user = plane.user_with(&[rule("", "pods", "list,watch")]);
    let web = pod(&namespace, "web").phase("Running").create(client);
    pod(&namespace, "database").phase("Running").create(client);
    let before: Vec<Json> = client.list("apiextensions.k8s.io/v1", "CustomResourceDefinition", None);
    let kubeconfig = plane.kubeconfig(&user);
    let mut celemetry = Operator::run()
        .args(&["-f", "examples/pods-by-phase.yaml", "--kubeconfig"])
        .arg(&kubeconfig)
        // As a user's own shell may have it.
        .env("OPERATOR_CONFIG_NAMESPACE", namespace.clone())
        .start();
    celemetry.wait_ready();
    celemetry.wait_family("k8s_pod_count", &[("phase=\"Running\"", 2.0)]);
    client.patch_status(&web, &json!({"phase": "Failed"}));
    celemetry.wait_family("k8s_pod_count", &[("phase=\"Failed\"", 1.0), ("phase=\"Running\"", 1.0)]);
    client.delete(&web);
    celemetry.wait_family("k8s_pod_count", &[("phase=\"Running\"", 1.0)]);
    assert!(celemetry.terminate().success());
    let said = celemetry.log();
    let row = said.lines().rev().find(|line| line.contains("k8s.pod.count"));
    assert!(row.is_some_and(|row| row.contains("Running")), "the series at the end: {said}");

    // The harness asks for the user what it may.
    let requests =
        plane.requests(&user).into_iter().filter(|request| request.group != "authorization.k8s.io");
    let requests: Vec<Request> = requests.collect();
    let verbs: BTreeSet<&str> = requests.iter().map(|request| &*request.verb).collect();
    assert!(verbs.iter().all(|verb| ["get", "list", "watch"].contains(verb)), "{verbs:?}");
    let read: BTreeSet<&str> =
        requests.iter().filter(|one| one.code == 200).map(|one| &*one.resource).collect();
    assert!(read.contains("pods") && read.iter().all(|of| of.is_empty() || *of == "pods"), "{read:?}");
    let lists = requests.iter().filter(|request| request.resource == "pods" && request.reads_all()).count();
    assert_eq!(lists, 1, "{requests:#?}");
    assert_eq!(client.list("apiextensions.k8s.io/v1", "CustomResourceDefinition", None), before);
    for kind in ["Event", "ConfigMap", "Secret"] {
        assert!(client.list("v1", kind, Some(&namespace)).is_empty(), "{kind}");
    }
}

fn what_is_amiss_is_told_and_heals_by_itself() {
    let plane = Plane::shared();
    let namespace = plane.namespace("amiss");
    let user = plane.user();
    pod(&namespace, "a").create(plane.client());
    let metric = |name: &str, spec: Json| json!({"apiVersion": "metrics.open-control-plane.io/v1alpha1", "kind": "Metric", "metadata": {"name": name}, "spec": spec});
    let pods = json!({"name": "amiss.pods", "target": {"kind": "Pod"}, "namespaces": [namespace],
        // Where to push is a matter of an operator.
        "dataSinkRef": {"name": "anywhere"}});
    let file = folder::fresh("following").join("metrics.json");
    let unicorns = json!({"name": "amiss.unicorns", "target": {"kind": "Unicorn"}});
    fs::write(&file, format!("{}\n{}", metric("pods", pods), metric("unicorns", unicorns))).unwrap();
    let mut celemetry =
        Operator::run().arg("-f").arg(&file).arg("--kubeconfig").arg(plane.kubeconfig(&user)).start();
    celemetry.wait_ready();
    let says = |celemetry: &Operator, what: &str| {
        until(what, || {
            let log = celemetry.log();
            if log.contains(what) { Ok(()) } else { Err(log) }
        });
    };
    says(&celemetry, "warning: Metric/default/pods: MonitoringFailed: ");
    says(&celemetry, "warning: Metric/default/unicorns: MonitoringFailed: ");
    celemetry.wait_family("amiss_pods", &[]);
    plane.allow(&user, &[rule("", "pods", "list,watch")]);
    celemetry.wait_family("amiss_pods", &[("", 1.0)]);
    says(&celemetry, "Metric/default/pods: Ready again");
    assert!(celemetry.terminate().success());
    assert!(!celemetry.log().contains("anywhere"), "{}", celemetry.log());
}

fn what_fits_no_object_of_the_cluster_is_told_once() {
    let plane = Plane::shared();
    let namespace = plane.namespace("misfits");
    let user = plane.user_with(&[rule("", "pods", "list,watch")]);
    pod(&namespace, "a").create(plane.client());
    let metric = json!({"apiVersion": "metrics.open-control-plane.io/v1alpha1", "kind": "Metric", "metadata": {"name": "pods"},
        "spec": {"name": "misfits.pods", "target": {"kind": "Pod"}, "namespaces": [namespace],
            // The first is read otherwise by another dialect, which loading tells.
            "projections": [{"name": "a", "fieldPath": "$.metadata.labels['app.kubernetes.io/name']"}, {"name": "b", "expression": "object.spec.nodeNam"}]}});
    let file = folder::fresh("misfits").join("metric.json");
    fs::write(&file, metric.to_string()).unwrap();
    let mut celemetry =
        Operator::run().arg("-f").arg(&file).arg("--kubeconfig").arg(plane.kubeconfig(&user)).start();
    celemetry.wait_ready();
    let line = "warning: Metric/default/pods: spec.projections[1].expression:1:13: Pod of v1: spec has no field 'nodeNam' (did you mean 'nodeName'?)";
    until("the warning", || {
        let log = celemetry.log();
        if log.contains(line) { Ok(()) } else { Err(log) }
    });
    assert!(celemetry.terminate().success());
    let log = celemetry.log();
    assert_eq!(log.matches("nodeNam'").count(), 1, "{log}");
    assert_eq!(log.matches("projections[0]").count(), 1, "{log}");
}

//! `celemetry init` on API servers that have none of our kinds, some, and newer ones.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::json;

use crate::harness::plane::our_definitions;
use crate::harness::{Plane, port, rule};

tests![
    init_installs_what_is_not_there_and_changes_nothing_the_second_time,
    init_says_what_is_missing_to_install_anything,
];

/// The flags are those of metrics-operator's chart.
fn init(kubeconfig: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_celemetry"));
    command.args(["init", "--install-crds", "--crd-conversion-without-ca", "--kubeconfig"]).arg(kubeconfig);
    command.output().unwrap()
}

/// What was printed, and what was said.
fn texts(output: &Output) -> (String, String) {
    (String::from_utf8(output.stdout.clone()).unwrap(), String::from_utf8(output.stderr.clone()).unwrap())
}

fn init_installs_what_is_not_there_and_changes_nothing_the_second_time() {
    let plane = Plane::bare(&[]);
    let user =
        plane.user_with(&[rule("apiextensions.k8s.io", "customresourcedefinitions", "get,create,patch")]);
    let kubeconfig = plane.kubeconfig(&user);
    let definitions = our_definitions();
    let names: Vec<_> = definitions.iter().map(|one| one["metadata"]["name"].as_str().unwrap()).collect();
    let lines = |what: &str| -> String {
        let line = |name: &&str| format!("customresourcedefinition.apiextensions.k8s.io/{name} {what}\n");
        let end = format!("{} definitions are served by https://{}\n", names.len(), plane.address());
        names.iter().map(line).chain([end]).collect()
    };
    let first = init(&kubeconfig);
    let (printed, said) = texts(&first);
    let mut sorted: Vec<_> = printed.lines().collect();
    let expected = lines("created");
    let mut expected: Vec<_> = expected.lines().collect();
    sorted.sort_unstable();
    expected.sort_unstable();
    assert!(first.status.success() && said.is_empty(), "{said}");
    assert_eq!(sorted, expected);
    // It is served by now: nothing has to be waited for.
    let namespace = plane.namespace("installed");
    for kind in ["Metric", "DataSink"] {
        let object = json!({"apiVersion": "metrics.openmcp.cloud/v1alpha1", "kind": kind,
            "metadata": {"namespace": namespace, "name": "one"},
            "spec": {"target": {"kind": "Pod"}, "connection": {"endpoint": "grpc://sink:4317"}}});
        plane.client().create(&object);
    }
    let second = init(&kubeconfig);
    let (printed, said) = texts(&second);
    assert!(second.status.success() && said.is_empty(), "{said}");
    assert_eq!(printed.matches(" unchanged\n").count(), names.len(), "{printed}");

    // As a newer version would have left it.
    let metrics =
        definitions.iter().find(|one| one["metadata"]["name"] == "metrics.metrics.openmcp.cloud").unwrap();
    let mut versions = metrics["spec"]["versions"].clone();
    let spec = versions.pointer_mut("/0/schema/openAPIV3Schema/properties/spec/properties").unwrap();
    spec["joins"] = json!({"type": "string"});
    plane.client().patch(metrics, &json!({"spec": {"versions": versions}}));
    let third = init(&kubeconfig);
    let (printed, said) = texts(&third);
    assert!(third.status.success());
    assert!(printed.contains("/metrics.metrics.openmcp.cloud configured\n"), "{printed}");
    assert_eq!(printed.matches(" unchanged\n").count(), names.len() - 1, "{printed}");
    assert!(said.starts_with("warning: metrics.metrics.openmcp.cloud: "), "{said}");
    assert!(said.ends_with(": v1alpha1 spec.joins\n") && said.lines().count() == 1, "{said}");
    let stored = plane.client().read(metrics).unwrap();
    let joins = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/joins";
    assert_eq!(stored.pointer(joins), None);
    let managers = stored["metadata"]["managedFields"].as_array().unwrap();
    assert!(
        managers.iter().any(|one| one["manager"] == "celemetry" && one["operation"] == "Apply"),
        "{managers:?}"
    );
}

fn init_says_what_is_missing_to_install_anything() {
    let plane = Plane::shared();
    let user = plane.user();
    let output = init(&plane.kubeconfig(&user));
    let (printed, said) = texts(&output);
    assert_eq!((output.status.code(), printed.as_str()), (Some(1), ""));
    assert!(
        said.contains("forbidden: the right to get, create and patch customresourcedefinitions"),
        "{said}"
    );
    let nobody = port::free();
    let output = init(&plane.kubeconfig_at(&user, nobody));
    let (_, said) = texts(&output);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert_eq!(said, format!("error: https://{nobody}: nobody listens there (connection refused)\n"));
}

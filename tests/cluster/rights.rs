//! `celemetry rbac` knows the names that a real API server has, with it and without it.

use std::fmt::Write;
use std::fs;
use std::process::Command;

use crate::harness::{Kind, Plane, folder};

tests![every_built_in_kind_is_known_offline, custom_kinds_are_known_where_the_cluster_is_asked];

/// What `celemetry rbac` prints for a file of Metrics.
fn rbac(file: &std::path::Path, flags: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_celemetry"));
    let output = command.args(["rbac", "--targets-only", "-f"]).arg(file).args(flags).output().unwrap();
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

//! Roles as they are printed, whole.

use clap::Parser;

use super::super::input::parse_documents;
use super::*;

#[derive(Debug, Parser)]
struct Command {
    #[command(flatten)]
    args: Args,
}

/// The roles for `text`, or the problems with it.
fn printed(flags: &str, text: &str, kinds: &Kinds) -> Result<String, Vec<String>> {
    let flags = format!("x -f f.yaml {flags}");
    let args = Command::try_parse_from(flags.split_whitespace()).unwrap().args;
    let found = read_metrics(parse_documents("f.yaml", text.as_bytes()).unwrap());
    assert_eq!(found.errors, []);
    let needs = Needs::of(&found, kinds);
    if needs.problems.is_empty() { Ok(args.render(&needs)) } else { Err(needs.problems) }
}

const METRIC: &str = "\n---\napiVersion: metrics.open-control-plane.io/v1alpha1\nkind: Metric\n";

fn metrics() -> String {
    format!(
        "{METRIC}metadata: {{name: pods, namespace: shop}}\nspec: {{target: {{kind: Pod}}, namespaceSelector: team=a}}\n\
         {METRIC}metadata: {{name: more-pods}}\nspec: {{target: {{kind: pod, version: v1}}}}\n\
         {METRIC}metadata: {{name: databases}}\nspec: {{target: {{kind: Database, group: example.org}}}}\n\
         {METRIC}metadata: {{name: far}}\nspec: {{target: {{kind: Node}}, remoteClusterAccessRef: {{name: b}}}}\n\
         {METRIC}metadata: {{name: secrets}}\nspec: {{target: {{kind: Secret}}}}\n"
    )
}

const TARGETS: &str = "\
---
# What the Metrics look at.
# Not in it: what default/far look at, which is in another cluster.
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: celemetry-targets
rules:
# default/more-pods, shop/pods
- apiGroups: [\"\"]
  resources: [pods]
  verbs: [get, list, watch]
# default/secrets
# The right shows what Secrets hold; celemetry asks for their metadata alone, unless --allow-secret-data
- apiGroups: [\"\"]
  resources: [secrets]
  verbs: [get, list, watch]
# default/databases
# 'databases' is a guess, the regular plural: --kubeconfig or --discover asks the cluster
- apiGroups: [example.org]
  resources: [databases]
  verbs: [get, list, watch]
# Labels of namespaces, for the namespaceSelector of shop/pods
- apiGroups: [\"\"]
  resources: [namespaces]
  verbs: [list, watch]
";

#[test]
fn targets_get_exactly_their_rights() {
    let printed = printed("--targets-only", &metrics(), &Kinds::built_in()).unwrap();
    assert_eq!(printed, TARGETS);
}

const OWN: &str = "\
---
# What the operator itself needs, whatever the Metrics are.
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: m
rules:
# Metrics and DataSinks
- apiGroups: [metrics.open-control-plane.io, metrics.openmcp.cloud]
  resources: [datasinks, metrics]
  verbs: [get, list, watch]
# Their status
- apiGroups: [metrics.open-control-plane.io, metrics.openmcp.cloud]
  resources: [datasinks/status, metrics/status]
  verbs: [patch]
# Events about them
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, patch]
# Kinds that come, go and change version
- apiGroups: [apiextensions.k8s.io]
  resources: [customresourcedefinitions]
  verbs: [get, list, watch]
# The same, of API servers behind the API server
- apiGroups: [apiregistration.k8s.io]
  resources: [apiservices]
  verbs: [get, list, watch]
# The cluster's UID
- apiGroups: [\"\"]
  resources: [namespaces]
  resourceNames: [kube-system]
  verbs: [get]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata:
  name: m
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: ClusterRole
  name: m
subjects:
- kind: ServiceAccount
  name: robot
  namespace: monitoring
---
# Credentials of DataSinks, read by name; Secrets are never listed or watched.
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: m-sinks
  namespace: sinks
rules:
- apiGroups: [\"\"]
  resources: [secrets]
  resourceNames: [ca, pair, token]
  verbs: [get]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: m-sinks
  namespace: sinks
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: Role
  name: m-sinks
subjects:
- kind: ServiceAccount
  name: robot
  namespace: monitoring
---
# Leader election, with --leader-elect.
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: m-lease
  namespace: monitoring
rules:
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  verbs: [create]
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  resourceNames: [\"82620e19.metrics.open-control-plane.io\"]
  verbs: [get, update, watch]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: m-lease
  namespace: monitoring
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: Role
  name: m-lease
subjects:
- kind: ServiceAccount
  name: robot
  namespace: monitoring
";

#[test]
fn the_operator_s_own_rights_are_documents_of_their_own() {
    let sink = |name: &str, authentication: &str| {
        format!(
            "\n---\napiVersion: metrics.openmcp.cloud/v1alpha1\nkind: DataSink\nmetadata: {{name: {name}}}\n\
             spec: {{connection: {{endpoint: http://a}}, authentication: {authentication}}}\n"
        )
    };
    let text = [
        metrics(),
        sink("a", "{apiKey: {secretKeyRef: {name: token, key: k}}}"),
        sink(
            "b",
            "{certificate: {clientCertSecretKeyRef: {name: pair, key: c}, clientKeySecretKeyRef: {name: pair, key: k}, \
             caCertSecretKeyRef: {name: ca, key: c}}}",
        ),
    ];
    let flags = "--name m --namespace monitoring --config-namespace sinks --service-account robot";
    let printed = printed(flags, &text.concat(), &Kinds::built_in()).unwrap();
    let own = printed.find("---\n# What the operator").unwrap();
    assert_eq!(&printed[own..], OWN);
    assert!(printed[..own].ends_with("kind: ClusterRole\n  name: m-targets\nsubjects:\n- kind: ServiceAccount\n  name: robot\n  namespace: monitoring\n"));
}

#[test]
fn what_is_printed_is_yaml_that_says_the_same() {
    let printed = printed("--service-account robot", &metrics(), &Kinds::built_in()).unwrap();
    let documents = parse_documents("printed", printed.as_bytes()).unwrap();
    assert_eq!(documents.len(), 8);
    let names: Vec<_> = documents.iter().map(|document| &document.value["metadata"]["name"]).collect();
    let twice =
        ["celemetry-targets", "celemetry", "celemetry-sinks", "celemetry-lease"].map(|name| [name; 2]);
    assert_eq!(names, twice.concat());
    assert_eq!(documents[4].value["rules"][0].get("resourceNames"), None, "no DataSink was given");
}

#[test]
fn many_metrics_on_one_kind_are_counted() {
    let metric = |n| format!("{METRIC}metadata: {{name: m{n}}}\nspec: {{target: {{kind: Pod}}}}\n");
    let text: String = (0..7).map(metric).collect();
    let printed = printed("--targets-only", &text, &Kinds::built_in()).unwrap();
    let comment = "# default/m0, default/m1, default/m2, default/m3, default/m4 and 2 more\n";
    assert!(printed.contains(comment), "{printed}");
}

#[test]
fn targets_that_are_nothing_are_problems() {
    let text = format!(
        "{METRIC}metadata: {{name: a}}\nspec: {{}}\n{METRIC}metadata: {{name: b}}\nspec: {{target: {{kind: Odd}}}}"
    );
    let problems = printed("", &text, &Kinds::served(vec![])).unwrap_err();
    let expected = [
        "f.yaml:3: Metric default/a: spec.target names nothing",
        "f.yaml:9: Metric default/b: the cluster serves nothing like spec.target",
    ];
    assert_eq!(problems, expected);
}

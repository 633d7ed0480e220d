//! `celemetry explain`: the plan of a Metric, and how objects fare with it.

use serde_json::{Value, json};

use crate::program::{ends, scratch};

const BUSIEST: &str = "examples/busiest-nodes.yaml";

fn pod(phase: &str, tier: &str) -> String {
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "web-1", "namespace": "shop", "labels": {"tier": tier}},
        "spec": {"nodeName": "n1", "containers": [{"name": "web"}, {"name": "proxy"}]},
        "status": {"phase": phase, "podIP": "10.0.0.1"},
    })
    .to_string()
}

fn text(arguments: &[&str], input: &str) -> String {
    let (out, err) = ends(&[&["explain"], arguments].concat(), input, 0);
    assert_eq!(err, "");
    out
}

fn json_of(arguments: &[&str], input: &str) -> Value {
    serde_json::from_str(&text(&[arguments, &["-o", "json"]].concat(), input)).unwrap()
}

#[test]
fn the_plan_says_what_is_read_watched_needed_and_paid() {
    let expected = "\
Metric/default/busiest-nodes: shop.node.pods in {pod}
  reads   metadata.labels.tier
          metadata.namespace
          spec.containers[*].name (unless it is a list or map)
          spec.nodeName
          status.phase (unless it is a list or map)
  skips   all else of an object, without parsing it
  index   metadata.namespace is \"shop\"
          metadata.labels.tier is \"backend\" or \"frontend\"
          status.phase is \"Running\"
  cost    about 3 + 3n steps an object: 33 where n, the length of lists, is 10
          spec.filter                          1  object.status.phase == 'Running'
          spec.projections[0].fieldPath        1  node: spec.nodeName
          spec.projections[1].expression  1 + 3n  meshed: object.spec.containers.exists(c, c.name == 'proxy')
  watch   Pod, version v1: listed once and watched, in the whole cluster, once for all Metrics that want the same
  rights  get, list, watch on pods
";
    assert_eq!(text(&["-f", BUSIEST], ""), expected);
}

#[test]
fn an_object_that_counts_is_explained_part_by_part() {
    let out = text(&["-f", BUSIEST, "-"], &pod("Running", "frontend"));
    let expected = "
v1/Pod/shop/web-1: counts
  spec.namespaces shop: holds, found \"shop\"
  spec.labelSelector tier in (backend,frontend): holds, found \"frontend\"
  spec.filter object.status.phase == 'Running'
    true
    object.status.phase: \"Running\"
  spec.projections[0].fieldPath spec.nodeName
    attribute node: \"n1\"
  spec.projections[1].expression object.spec.containers.exists(c, c.name == 'proxy')
    attribute meshed: \"true\"
    the expression: true
    object.spec.containers: [{\"name\":\"web\"},{\"name\":\"proxy\"}]
    c = {\"name\":\"web\"}: c.name == 'proxy': false
      c.name: \"web\"
    c = {\"name\":\"proxy\"}: c.name == 'proxy': true
      c.name: \"proxy\"
  → adds 1 to {meshed=\"true\", node=\"n1\"}
  skipped: 10 bytes, status.podIP (10)
";
    assert!(out.ends_with(expected), "{out}");
}

#[test]
fn an_object_that_does_not_count_is_explained_up_to_where_it_falls_out() {
    let fate = |input: &str, reason: &str, part: &str| {
        let out = text(&["-f", BUSIEST, "-"], input);
        assert!(out.contains(&format!(": does not count: {reason}\n")), "{out}");
        assert_eq!(json_of(&["-f", BUSIEST, "-"], input)["metrics"][0]["objects"][0]["reason"], reason);
        assert!(out.contains(part), "{out}");
        assert!(!out.contains("adds"), "{out}");
    };
    fate(
        &pod("Failed", "frontend"),
        "spec.filter is false",
        "\n    false\n    object.status.phase: \"Failed\"\n",
    );
    fate(
        &pod("Running", "db"),
        "spec.labelSelector does not hold",
        "spec.labelSelector tier in (backend,frontend): does not hold, found \"db\"\n",
    );
    let node = r#"{"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n"}}"#;
    fate(node, "it is no object of spec.target", "v1/Node/n: ");
    let bare = r#"{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}}"#;
    fate(bare, "spec.namespaces does not hold", "spec.namespaces shop: does not hold, found \"default\"\n");
}

#[test]
fn elements_that_fail_or_have_no_value_are_told_apart() {
    let metric = scratch(
        "explain-each.yaml",
        "
apiVersion: metrics.open-control-plane.io/v1alpha1
kind: Metric
metadata: {name: cpu}
spec:
  name: cpu
  unit: '{cpu}'
  target: {kind: Pod}
  forEach: {fieldPath: spec.containers}
  projections: [{name: at, expression: index}]
  valueFrom: {expression: item.?cpu, type: quantity}
",
    );
    let pod = r#"{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"},
        "spec": {"containers": [{"cpu": "1500m"}, {}, {"cpu": "much"}]}}"#;
    let found = json_of(&["-f", &metric, "-"], pod);
    let object = &found["metrics"][0]["objects"][0];
    assert_eq!(object["object"], "v1/Pod/default/p");
    assert_eq!(object["counts"], true);
    assert_eq!(object["forEach"]["made"], json!({"value": 3}));
    let elements = object["elements"].as_array().unwrap();
    assert_eq!(elements[0]["adds"], json!({"value": "1.5", "attributes": {"at": "0"}}));
    assert_eq!(elements[1]["value"]["made"], json!({"nothing": true}));
    assert_eq!(elements[1]["adds"], Value::Null);
    assert!(elements[2]["value"]["made"]["error"].as_str().unwrap().contains("\"much\""));
    assert_eq!(elements[2]["value"]["expression"]["result"], json!({"value": "much"}));
    let out =
        text(&["-f", &metric, "-"], r#"{"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [{}]}}"#);
    assert!(out.contains(": does not count: no element of it has a value\n"), "{out}");
    assert!(out.contains("\n    spec.projections[0].expression index: not needed\n"), "{out}");
}

#[test]
fn paths_are_shown_step_by_step() {
    let metric = scratch(
        "explain-path.yaml",
        "
apiVersion: metrics.open-control-plane.io/v1alpha1
kind: Metric
metadata: {name: ready}
spec:
  name: ready
  target: {kind: Pod}
  projections:
  - {name: ready, fieldPath: '{.status.conditions[?(@.type==\"Ready\")].status}'}
",
    );
    let pod = r#"{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"},
        "status": {"conditions": [{"type": "Ready", "status": "True"}, {"type": "Initialized"}]}}"#;
    let out = text(&["-f", &metric, "-"], pod);
    let expected = "  spec.projections[0].fieldPath {.status.conditions[?(@.type==\"Ready\")].status}
    attribute ready: \"True\"
    .status.conditions: [{\"status\":\"True\",\"type\":\"Ready\"},{\"type\":\"Initialized\"}]
    [?(@.type==\"Ready\")]: {\"status\":\"True\",\"type\":\"Ready\"}
";
    assert!(out.contains(expected), "{out}");
    let out = text(&["-f", &metric, "-"], &pod.replace("Ready", "Scheduled"));
    assert!(out.contains("    [?(@.type==\"Ready\")]: nothing\n"), "{out}");
}

#[test]
fn tools_get_the_plan_too() {
    let found = json_of(&["-f", BUSIEST], "");
    let plan = &found["metrics"][0];
    assert_eq!(plan["fields"][2], json!({"path": "spec.containers[*].name", "extent": "scalar"}));
    assert_eq!(plan["watch"]["kind"], "Pod");
    assert_eq!(plan["rights"][0]["resource"], "pods");
    assert_eq!(plan["expressions"][1]["origins"], json!(["spec.nodeName"]));
    assert_eq!(plan["objects"], json!([]));
}

#[test]
fn a_metric_that_reads_all_of_an_object_skips_nothing() {
    let metric = |filter: &str| {
        let text = std::fs::read_to_string(BUSIEST).unwrap();
        let (start, _) = text.split_once("  namespaces:").unwrap();
        scratch("explain-whole.yaml", &format!("{start}  filter: {filter}\n"))
    };
    let out = text(&["-f", &metric("dyn(object) == object")], "");
    assert!(out.contains("  reads   the object itself\n  skips   nothing\n"), "{out}");
    let out = text(&["-f", &metric("has(object.status)")], "");
    assert!(out.contains("  cost    about 1 step an object\n"), "{out}");
    assert!(out.contains("  skips   all else"), "{out}");
}

#[test]
fn what_needs_a_cluster_is_said_to() {
    let metric = scratch(
        "explain-cluster.yaml",
        "
apiVersion: metrics.open-control-plane.io/v1alpha1
kind: Metric
metadata: {name: odd}
spec:
  name: odd
  target: {group: example.org, kind: Database}
  fieldSelector: spec.engine=x
  namespaceSelector: team
  mode: Polling
  interval: 5m
",
    );
    let database = r#"{"apiVersion": "example.org/v1", "kind": "Database", "metadata": {"name": "d"}}"#;
    let out = text(&["-f", &metric, "-"], database);
    for part in [
        "Database, group example.org: listed every 300s",
        "fieldSelector spec.engine=x: left to the API server",
        "Namespaces, metadata only, for team",
        "get, list, watch on databases.example.org ('databases' is a guess",
        "list, watch on namespaces",
        "counts if spec.namespaceSelector selects the namespace default and the API server selects it by spec.fieldSelector\n",
        "spec.namespaceSelector team: not known without the namespace",
        "spec.fieldSelector spec.engine=x: not known without the API server",
    ] {
        assert!(out.contains(part), "{part}: {out}");
    }
    let found = json_of(&["-f", &metric, "-"], database);
    let object = &found["metrics"][0]["objects"][0];
    assert_eq!((&object["counts"], &object["reason"]), (&Value::Null, &Value::Null));
    assert_eq!(object["countsIf"].as_array().unwrap().len(), 2);
    let holds = |selectors: &Value| -> Vec<Value> {
        selectors.as_array().unwrap().iter().map(|selector| selector["holds"].clone()).collect()
    };
    assert_eq!(holds(&object["selectors"]), [Value::Null, Value::Null]);
}

#[test]
fn a_namespace_among_the_objects_is_asked() {
    let metric = std::fs::read_to_string(BUSIEST).unwrap();
    let metric = scratch("explain-namespace.yaml", &format!("{metric}  namespaceSelector: a=b\n"));
    let fate = |labels: Value| {
        let namespace = json!({
            "apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop", "labels": labels},
        });
        let input = format!("{}\n---\n{namespace}\n", pod("Running", "frontend"));
        let found = json_of(&["-f", &metric, "-"], &input);
        (text(&["-f", &metric, "-"], &input), found["metrics"][0]["objects"][0].clone())
    };
    let (out, object) = fate(json!({"a": "c"}));
    assert!(
        out.contains("v1/Pod/shop/web-1: does not count: spec.namespaceSelector does not hold\n"),
        "{out}"
    );
    assert!(out.contains("  spec.namespaceSelector a=b: does not hold, shop has a=c\n"), "{out}");
    assert!(!out.contains("adds"), "{out}");
    assert_eq!(object["counts"], false);
    let (out, object) = fate(json!({}));
    assert!(out.contains("a=b: does not hold, shop has no labels\n"), "{out}");
    assert_eq!(object["counts"], false);
    let (out, object) = fate(json!({"a": "b"}));
    assert!(out.contains("v1/Pod/shop/web-1: counts\n"), "{out}");
    assert!(out.contains("a=b: holds, shop has a=b\n") && out.contains("adds 1"), "{out}");
    assert_eq!(object["counts"], true);
}

#[test]
fn secrets_are_explained_by_their_metadata_alone() {
    let metric = scratch(
        "explain-secrets.yaml",
        "
apiVersion: metrics.open-control-plane.io/v1alpha1
kind: Metric
metadata: {name: secrets}
spec:
  name: secrets
  target: {kind: Secret}
  filter: size(object.data.token) > 3
  projections: [{name: token, expression: object.data.token + item}, {name: type, fieldPath: type}]
  forEach: {expression: '[object.data.token]'}
",
    );
    let secret = r#"{"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "data": {"token": "aGVpbWxpY2g="}}"#;
    for format in ["text", "json"] {
        let (out, err) = ends(&["explain", "-f", &metric, "-", "-o", format], secret, 0);
        assert!(err.contains("of Secrets only the metadata is read"), "{err}");
        assert!(out.contains("no such key: data") && !out.contains("aGVpbWxpY2g"), "{out}");
    }
    assert!(text_of_plan(&metric).contains("metadata only\n"));
}

fn text_of_plan(metric: &str) -> String {
    ends(&["explain", "-f", metric], "", 0).0
}

#[test]
fn how_long_lists_may_be_is_said_where_it_matters() {
    let dear = std::fs::read_to_string(BUSIEST).unwrap().replace(
        "object.status.phase == 'Running'",
        "object.spec.containers.all(c, object.spec.containers.exists(d, c.name == d.name))",
    );
    let dear = scratch("explain-dear.yaml", &dear);
    let bound = "          spec.filter may fail where lists have more than 49 elements: it has 10000 steps\n";
    assert!(text_of_plan(&dear).contains(bound), "{}", text_of_plan(&dear));
    assert!(!text_of_plan(BUSIEST).contains("may fail"));
    let longest =
        |metric: &str| json_of(&["-f", metric], "")["metrics"][0]["expressions"][0]["longestLists"].clone();
    assert_eq!((longest(&dear), longest(BUSIEST)), (49.into(), Value::Null));
}

#[test]
fn what_cannot_be_explained_is_an_error() {
    let wrong = scratch(
        "explain-wrong.yaml",
        &std::fs::read_to_string(BUSIEST).unwrap().replace("object.status", "objct"),
    );
    let (out, err) = ends(&["explain", "-f", &wrong], "", 1);
    assert!(out.is_empty() && err.contains("undeclared reference to 'objct'"), "{err}");
    for (input, message) in [("", "no object there"), ("- 1\n", "is no object"), ("{", "-:1:")] {
        let (_, err) = ends(&["explain", "-f", BUSIEST, "-"], input, 1);
        assert!(err.contains(message), "{err}");
    }
}

//! `celemetry check`: every error and warning at once, at its place in its file, in every format.

use serde_json::Value;

use crate::program::{ends, scratch};

/// Everything that can be wrong, in the ways in which YAML may be written.
const WRONG: &str = r#"# A comment, so that lines are not those of the document
apiVersion: metrics.open-control-plane.io/v1alpha1
kind: Metric
metadata: {name: one}
spec:
  name: shop.pods
  traget: {kind: Pod}
  target: {kind: Pod}
  filter: >-
    object.status.phase == 'Running' &&

    objct.spec.nodeName != ''
  labelSelector: "tier in (a"
  projections:
  - {name: ready, expression: "object.status.conditions.exist(c, c.type == 'Ready')"}
---
apiVersion: metrics.open-control-plane.io/v1alpha1
kind: Metric
metadata: {name: two}
spec:
  name: shop.odd
  target: {kind: Pod}
  mode: Sometimes
  interval: 5m
  projections:
  - name: ready
    fieldPath: "{.status.conditions[?(@.type==\"Ready\")"
---
apiVersion: metrics.open-control-plane.io/v1alpha1
kind: Metric
metadata: {name: three}
spec: {name: shop.shape, interval: 5}
---
apiVersion: metrics.open-control-plane.io/v1alpha1
kind: DataSink
metadata: {name: sink}
spec: {connection: {endpoint: "ftp://collector"}}
"#;

/// Works, and could be better in every way.
const ODD: &str = "
apiVersion: metrics.open-control-plane.io/v1alpha1
kind: Metric
metadata: {name: odd}
spec:
  name: shopMemory
  target: {kind: Pod}
  forEach: {fieldPath: spec.containers}
  projections:
  - {name: pod, fieldPath: metadata.name}
  - {name: image, fieldPath: \"$.spec.containers[?(@.name == 'x')].image\"}
  valueFrom:
    expression: item.?resources.?requests.?memory
    type: quantity
";

fn json(arguments: &[&str], input: &str, status: i32) -> Value {
    let (out, err) = ends(&[&["check", "-o", "json"], arguments].concat(), input, status);
    assert_eq!(err, "");
    serde_json::from_str(&out).unwrap()
}

/// `line:column path: kind` of every problem.
fn places(document: &Value) -> Vec<String> {
    let problems = document["problems"].as_array().unwrap();
    let text = |problem: &Value, name: &str| problem[name].as_str().unwrap_or_default().to_owned();
    let place = |problem: &Value| {
        let (line, column) = (&problem["line"], &problem["column"]);
        format!("{line}:{column} {}: {}", text(problem, "path"), text(problem, "kind"))
    };
    problems.iter().map(place).collect()
}

#[test]
fn every_error_is_said_at_once_at_its_place() {
    let file = scratch("check-wrong.yaml", WRONG);
    let found = json(&["-f", &file], "", 1);
    assert_eq!(
        places(&found),
        [
            "7:3 spec.traget: field",
            "12:5 spec.filter: error",
            "13:29 spec.labelSelector: error",
            "15:57 spec.projections[0].expression: error",
            "23:9 spec.mode: error",
            "27:57 spec.projections[0].fieldPath: error",
            "32:1 spec.target: error",
            "32:36 spec.interval: error",
            "37:31 spec.connection.endpoint: error",
        ]
    );
    let filter = &found["problems"][1];
    assert_eq!(filter["subject"], "Metric one");
    assert_eq!(filter["message"], "undeclared reference to 'objct'");
    assert_eq!(filter["suggestion"], "object");
    assert_eq!(filter["within"], serde_json::json!({"line": 2, "column": 1}));
    let sound = found["metrics"].as_array().unwrap().iter().filter(|metric| metric["sound"] == true);
    assert_eq!(sound.count(), 0);
}

#[test]
fn what_kubernetes_would_not_take_is_an_error() {
    let file = scratch(
        "check-identity.yaml",
        "
apiVersion: metrics.open-control-plane.io/v1alpha1
kind: Metric
metadata: {name: UPPER_bad name, namespace: team a, labels: {app: we b}}
spec: {name: pods, target: {kind: Pod, version: v1}, unit: '{pod}'}
",
    );
    let found = json(&["-f", &file], "", 1);
    let expected =
        ["4:18 metadata.name: error", "4:45 metadata.namespace: error", "4:67 metadata.labels['app']: error"];
    assert_eq!(places(&found), expected);
    let message = found["problems"][0]["message"].as_str().unwrap();
    assert!(
        message.starts_with("'UPPER_bad name': a lowercase RFC 1123 subdomain must consist of"),
        "{message}"
    );
}

/// Values of the wrong type beside expressions that are wrong.
const SHAPES: &str = "
apiVersion: metrics.open-control-plane.io/v1alpha1
kind: Metric
metadata: {name: shapes}
spec:
  name: shop.shapes
  unit: 5
  unti: 's'
  target: {kind: Pod}
  interval: 10
  filter: objct.a == 1
  projections:
  - {name: a, expression: 7}
  - {name: b, expression: objct.b}
  - just text
  valueFrom: {type: integer, fieldPath: [spec]}
";

#[test]
fn a_value_of_the_wrong_type_hides_no_other_error() {
    assert_eq!(
        places(&json(&["-f", "-"], SHAPES, 1)),
        [
            "7:9 spec.unit: error",
            "8:3 spec.unti: field",
            "10:13 spec.interval: error",
            "11:11 spec.filter: error",
            "13:27 spec.projections[0].expression: error",
            "14:27 spec.projections[1].expression: error",
            "15:5 spec.projections[2]: error",
            "16:30 spec.valueFrom.fieldPath: error",
        ]
    );
    // Of what there is no element of, nothing is said that only the lack of it makes wrong.
    let elements = "
apiVersion: metrics.open-control-plane.io/v1alpha1
kind: Metric
metadata: {name: elements}
spec: {name: shop.a, target: {kind: Pod, version: 1}, forEach: 5, projections: [{name: b, expression: item.c}]}
";
    assert_eq!(
        places(&json(&["-f", "-"], elements, 1)),
        ["5:51 spec.target.version: error", "5:64 spec.forEach: error"]
    );
}

/// Wrong in one place, and odd in all others.
const HALF: &str = "
apiVersion: metrics.open-control-plane.io/v1alpha1
kind: Metric
metadata: {name: half}
spec:
  name: shopMemory
  target: {kind: Pod}
  filter: objct.status.phase == 'Running'
  forEach: {fieldPath: spec.containers}
  projections:
  - {name: pod, fieldPath: metadata.name}
  - {name: odd, expression: item.name +}
  valueFrom:
    expression: item.?resources.?requests.?memory
    type: quantity
";

#[test]
fn what_is_right_of_a_wrong_metric_is_warned_of_and_reckoned() {
    let file = scratch("check-half.yaml", HALF);
    let found = json(&["-f", &file], "", 1);
    let expected = [
        "5:1 spec.unit: unit",
        "6:9 spec.name: name",
        "8:11 spec.filter: error",
        "11:28 spec.projections[0].fieldPath: unbounded",
        "12:40 spec.projections[1].expression: error",
    ];
    assert_eq!(places(&found), expected);
    let cost = &found["metrics"][0];
    assert_eq!((&cost["sound"], &cost["fields"]), (&false.into(), &2.into()), "{cost}");
    let (out, _) = ends(&["check", "-f", &file], "", 1);
    assert!(out.contains("\nMetric/default/half: shopMemory: what is right of it reads 2 fields; "), "{out}");
    assert!(out.ends_with("\n0 sound Metrics, 2 errors, 3 warnings\n"), "{out}");
    let labels = HALF.replace("  filter: objct.status.phase == 'Running'", "  labelSelector: 'a in ('");
    let found = json(&["-f", "-"], &labels, 1);
    assert!(places(&found).contains(&"11:28 spec.projections[0].fieldPath: unbounded".to_owned()), "{found}");
}

#[test]
fn units_and_names_are_held_to_their_conventions() {
    let metric = |name: &str, unit: &str, kind: &str, attribute: &str| {
        format!(
            "apiVersion: metrics.open-control-plane.io/v1alpha1\nkind: Metric\nmetadata: {{name: a}}\nspec:\n  \
             name: {name}\n  unit: '{unit}'\n  target: {{kind: Machine}}\n  projections:\n  - {{name: {attribute}, \
             fieldPath: spec.role}}\n  valueFrom: {{fieldPath: spec.x, type: {kind}}}\n"
        )
    };
    let message = |name: &str, unit: &str, kind: &str, attribute: &str| {
        let found = json(&["-f", "-"], &metric(name, unit, kind, attribute), 0);
        let problems = found["problems"].as_array().unwrap();
        let problem = problems.first().cloned().unwrap_or_default();
        assert!(problems.len() <= 1, "{found}");
        let text = |name: &str| problem[name].as_str().unwrap_or_default().to_owned();
        (text("message"), text("suggestion"))
    };
    let texts = |what: &str, meant: &str| (what.to_owned(), meant.to_owned());
    assert_eq!(message("shop.x", "By", "integer", "role"), texts("", ""));
    assert_eq!(
        message("shop.x", "widget", "integer", "role"),
        texts("'widget' is no unit of UCUM", "{widget}")
    );
    assert_eq!(
        message("shop.x", "ms", "duration", "role"),
        texts("'ms' is not what durations and timestamps are given in: seconds", "s")
    );
    let ends_in_unit = "'shop.x_bytes' ends in a unit, which spec.unit says, and which Prometheus' names then get by themselves";
    assert_eq!(message("shop.x_bytes", "By", "integer", "role"), texts(ends_in_unit, "shop.x"));
    let reserved = "'instance' is a label that Prometheus gives a meaning of its own";
    assert_eq!(message("shop.x", "By", "integer", "instance"), texts(reserved, ""));
}

#[test]
fn people_see_the_line_and_a_caret() {
    let file = scratch("check-people.yaml", WRONG);
    let (out, _) = ends(&["check", "-f", &file], "", 1);
    let expected = format!(
        "error: {file}:12:5: Metric one: spec.filter:2:1: undeclared reference to 'objct' (did you mean 'object'?)\n   \
         |\n12 |     objct.spec.nodeName != ''\n   |     ^\n"
    );
    assert!(out.contains(&expected), "{out}");
    assert!(out.ends_with("\n0 sound Metrics, 8 errors, 1 warning\n"), "{out}");
}

#[test]
fn github_gets_a_command_a_line() {
    let file = scratch("check-github.yaml", WRONG);
    let (out, _) = ends(&["check", "-f", &file, "-o", "github"], "", 1);
    assert_eq!(out.lines().count(), 9, "{out}");
    let expected =
        format!("::error file={file},line=23,col=9::Metric two: spec.mode: 'Sometimes' is none of ");
    assert!(out.lines().any(|line| line.starts_with(&expected)), "{out}");
    let expected = format!("::warning file={file},line=7,col=3::spec.traget: no such field");
    assert!(out.lines().any(|line| line.starts_with(&expected)), "{out}");
}

#[test]
fn warnings_are_status_0_unless_they_are_asked_to_be_errors() {
    let file = scratch("check-odd.yaml", ODD);
    let expected = [
        "5:1 spec.unit: unit",
        "6:9 spec.name: name",
        "10:28 spec.projections[0].fieldPath: unbounded",
        "11:30 spec.projections[1].fieldPath: readings",
    ];
    assert_eq!(places(&json(&["-f", &file], "", 0)), expected);
    let errors = |arguments: &[&str], status: i32| -> Vec<String> {
        let found = json(&[&["-f", &file], arguments].concat(), "", status);
        let problems = found["problems"].as_array().unwrap().iter();
        let errors = problems.filter(|problem| problem["severity"] == "error");
        errors.map(|problem| problem["kind"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(errors(&["--strict"], 1), ["readings"]);
    assert_eq!(errors(&["--strict=unit,name"], 1), ["unit", "name"]);
    assert_eq!(errors(&["--strict=all"], 1), ["unit", "name", "unbounded", "readings"]);
    assert_eq!(errors(&["--strict=conflict"], 0), [""; 0]);
}

#[test]
fn names_that_two_metrics_claim_are_warned_of() {
    let metric = |name: &str, unit: &str| {
        format!(
            "apiVersion: metrics.open-control-plane.io/v1alpha1\nkind: Metric\nmetadata: {{name: {name}}}\n\
             spec:\n  name: shop.pods\n  unit: '{unit}'\n  target: {{kind: Pod}}\n"
        )
    };
    let file = scratch("check-conflict.yaml", &(metric("a", "{pod}") + "---\n" + &metric("b", "s")));
    assert_eq!(places(&json(&["-f", &file], "", 0)), ["13:9 spec.name: conflict"]);
    let reserved = metric("a", "{pod}").replace("shop.pods", "celemetry_pods");
    let found = json(&["-f", "-"], &reserved, 1);
    assert_eq!(places(&found), ["5:9 spec.name: error"]);
    let message = found["problems"][0]["message"].as_str().unwrap();
    assert!(message.starts_with("InvalidMetricName: ") && message.contains(" is reserved: "), "{found}");
    assert_eq!(found["metrics"], serde_json::json!([]), "nothing of it is sound");
    // Counted all the same, where a cluster does not decide.
    let reserved = scratch("check-reserved.yaml", &reserved);
    let (out, err) = ends(&["eval", "-f", &reserved, "-o", "table"], "", 0);
    assert!(
        err.contains(":1: Metric a: spec.name: InvalidMetricName: ")
            && err.contains("; its series are left out of /metrics"),
        "{err}"
    );
    assert!(out.contains("celemetry_pods"), "{out}");
}

#[test]
fn costs_are_estimated() {
    let found = json(&["-f", "examples/busiest-nodes.yaml"], "", 0);
    let expected = serde_json::json!([{
        "metric": "shop.node.pods",
        "source": "Metric/default/busiest-nodes",
        "sound": true,
        "fields": 5,
        "steps": "3 + 3n",
        "stepsForListsOfTen": 33,
        "index": [
            "metadata.namespace is \"shop\"",
            "metadata.labels.tier is \"backend\" or \"frontend\"",
            "status.phase is \"Running\"",
        ],
    }]);
    assert_eq!(found["metrics"], expected);
    let dear = ODD.replace(
        "item.?resources.?requests.?memory",
        "object.a.map(x, object.a.map(y, object.a.map(z, z.b + 1)).size()).size()",
    );
    let file = scratch("check-dear.yaml", &dear);
    let places = places(&json(&["-f", &file], "", 0));
    assert!(places.contains(&"13:17 spec.valueFrom.expression: cost".to_owned()), "{places:?}");
}

#[test]
fn the_examples_have_nothing_to_warn_of() {
    let found = json(&["-f", "examples", "--strict=all"], "", 0);
    assert_eq!(found["problems"], Value::Array(vec![]));
}

#[test]
fn lists_json_and_standard_input_have_places_too() {
    let list = "{\"kind\": \"List\", \"apiVersion\": \"v1\", \"items\": [\n  \
        {\"apiVersion\": \"metrics.open-control-plane.io/v1alpha1\", \"kind\": \"Metric\",\n   \
        \"metadata\": {\"name\": \"a\"},\n   \
        \"spec\": {\"name\": \"a\", \"target\": {\"kind\": \"Pod\"}, \"filter\": \"objct.a == 1\"}}]}";
    let found = json(&["-f", "-"], list, 1);
    assert_eq!(places(&found), ["4:64 spec.filter: error"]);
    let (out, _) = ends(&["check", "-f", "-", "-o", "github"], list, 1);
    assert!(out.starts_with("::error line=4,col=64::Metric a: "), "{out}");
}

#[test]
fn what_cannot_be_read_is_an_error_with_its_place() {
    let broken = scratch("check-broken.yaml", "a: 1\nb: [}\n");
    let missing = format!("{broken}.missing");
    let found = json(&["-f", &broken, &missing, "examples/pods-by-phase.yaml"], "", 1);
    let problems = found["problems"].as_array().unwrap();
    assert_eq!(problems.len(), 2, "{problems:?}");
    assert!(problems.iter().any(|problem| problem["file"] == broken.as_str() && problem["line"] == 2));
    assert!(problems.iter().any(|problem| problem["file"] == missing.as_str()));
    assert_eq!(found["metrics"].as_array().unwrap().len(), 1);
    let (out, _) = ends(&["check", "-f", "-"], "", 1);
    assert_eq!(out, "error: -: no Metric there\n\n0 sound Metrics, 1 error, 0 warnings\n");
}

#[test]
fn a_document_that_is_none_hides_nothing_before_it() {
    let text = format!("{SHAPES}---\n{SHAPES}---\na: [\n---\nb: 1\n");
    let alone = places(&json(&["-f", "-"], &SHAPES.replace("shapes", "other"), 1));
    let found = places(&json(&["-f", "-"], &text, 1));
    assert_eq!(found.len(), 2 * alone.len() + 1, "{found:?}");
    assert_eq!(found[..alone.len()], alone);
    assert!(found.contains(&"28:11 spec.filter: error".to_owned()), "{found:?}");
}

#[test]
fn a_data_sink_is_enough() {
    let sink = "apiVersion: metrics.open-control-plane.io/v1alpha1\nkind: DataSink\nmetadata: {name: s}\n";
    let sound = format!("{sink}spec: {{connection: {{endpoint: 'grpc://collector:4317'}}}}\n");
    assert_eq!(places(&json(&["-f", "-"], &sound, 0)), [""; 0]);
    let spec = "spec:\n  authentication: {apiKey: {}, certificate: {}}\n";
    let found = json(&["-f", "-"], &format!("{sink}{spec}"), 1);
    assert_eq!(
        places(&found),
        [
            "4:1 spec.connection.endpoint: error",
            "5:3 spec.authentication: error",
            "5:20 spec.authentication.apiKey: error",
            "5:32 spec.authentication.certificate: error",
            "5:32 spec.authentication.certificate: error",
        ]
    );
}

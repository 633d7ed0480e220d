//! `celemetry check`: expressions that fit no object of their kind.

use serde_json::{Value, json};

use crate::program::{ends, scratch};

fn metric(name: &str, target: &str, spec: &str) -> String {
    format!(
        "apiVersion: metrics.open-control-plane.io/v1alpha1\nkind: Metric\nmetadata: {{name: {name}}}\n\
         spec:\n  name: shop.{name}\n  target: {target}\n{spec}---\n"
    )
}

const WIDGETS: &str = "
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.shop.example}
spec:
  group: shop.example
  names: {kind: Widget, plural: widgets}
  scope: Namespaced
  versions:
  - name: v1alpha1
    served: true
    schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {colour: {type: string}}}}}}
  - name: v1
    served: true
    schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {color: {type: string}}}}}}
";

#[test]
fn a_target_that_is_none_of_the_known_kinds_is_warned_of() {
    let said = |target: &str| {
        let file = scratch("check-unknown.yaml", &metric("a", target, ""));
        problems(&["-f", &file], 0)
    };
    for (target, expected) in [
        ("{kind: Podd, version: v1}", "Kubernetes 1.34 has no kind 'Podd' [Pod]"),
        ("{kind: pods, version: v1}", "Kubernetes 1.34 has no kind 'pods' [Pod]"),
        ("{kind: ingresses}", "Kubernetes 1.34 has no kind 'ingresses' [Ingress]"),
        ("{kind: Pod, version: v7}", "Kubernetes 1.34 has no Pod of 'v7' [v1]"),
        ("{kind: Pod, group: apps}", "Kubernetes 1.34 has a Pod in the core group only []"),
        ("{kind: Widget, group: apps}", "Kubernetes 1.34 has no kind 'Widget' []"),
    ] {
        let found = said(target);
        assert!(found.len() == 1 && found[0].ends_with(expected), "{target}: {found:?}");
        assert!(found[0].starts_with("warning 6:") && found[0].contains(" schema: "), "{found:?}");
    }
    for target in [
        "{kind: pod}",
        "{kind: Widget, version: v1}",
        "{kind: Pod, group: shop.example}",
        "{kind: FlowSchema, version: v1beta3}",
    ] {
        assert_eq!(said(target), [""; 0], "{target}");
    }
}

#[test]
fn a_target_that_its_groups_definitions_do_not_have_is_warned_of() {
    let definitions = scratch("kinds-defined.yaml", WIDGETS);
    let said = |target: &str| {
        let file = scratch("kinds-undefined.yaml", &metric("a", target, ""));
        problems(&["-f", &file, "-f", &definitions], 0)
    };
    let kind = "warning 6:18 schema: shop.example has no kind 'Wigdet' that is known [Widget]";
    assert_eq!(said("{kind: Wigdet, group: shop.example}"), [kind]);
    let version = "warning 6:35 schema: the definition of Widget has no version 'v2' [v1]";
    assert_eq!(said("{kind: Widget, version: v2, group: shop.example}"), [version]);
    for target in [
        "{kind: Widget, group: shop.example}",
        "{kind: widget, version: v1alpha1, group: shop.example}",
        "{kind: Gadget, group: shop.example}",
        "{kind: Wigdet, group: else.example}",
    ] {
        assert_eq!(said(target), [""; 0], "{target}");
    }
}

#[test]
fn what_is_an_error_is_no_warning_as_well() {
    let spec =
        "  filter: \"true ? 1 : 2\"\n  valueFrom: {expression: object.metadata.name == 'a'}\n  unit: '1'\n";
    let file = scratch("kinds-once.yaml", &metric("a", "{kind: Pod}", spec));
    let found = problems(&["-f", &file], 1);
    let errors = [
        "error 7:11 error: a filter is a bool, this is int []",
        "error 8:27 error: a value is a number, a quantity, a timestamp or a duration, this is bool []",
    ];
    assert_eq!(found, errors);
}

const TARGET: &str = "{group: shop.example, kind: Widget}";

fn problems(arguments: &[&str], status: i32) -> Vec<String> {
    let (out, err) = ends(&[&["check", "-o", "json"], arguments].concat(), "", status);
    assert_eq!(err, "");
    let found: Value = serde_json::from_str(&out).unwrap();
    let said = |problem: &Value| {
        let text = |name: &str| problem[name].as_str().unwrap_or_default().to_owned();
        let place = format!("{}:{}", problem["line"], problem["column"]);
        format!("{} {place} {}: {} [{}]", text("severity"), text("kind"), text("message"), text("suggestion"))
    };
    found["problems"].as_array().unwrap().iter().map(said).collect()
}

#[test]
fn fields_that_pods_do_not_have_are_warned_of_and_refused_if_strict() {
    let spec = "  filter: >-\n    object.status.phase == 'Running' &&\n\n    object.spec.nodeNam != ''\n  \
                projections:\n  - {name: node, fieldPath: \"spec.nodName\"}\n  - {name: x, expression: object.spec.priority == '1'}\n";
    let file = scratch("kinds-pods.yaml", &metric("a", "{kind: Pod}", spec));
    let pod = "Pod of v1 in Kubernetes 1.34";
    let expected = |severity: &str| {
        vec![
            format!("{severity} 10:17 schema: {pod}: spec has no field 'nodeNam' [nodeName]"),
            format!("{severity} 12:35 schema: {pod}: spec has no field 'nodName' [nodeName]"),
            format!(
                "{severity} 13:48 schema: {pod}: spec.priority is an integer, which never equals a string []"
            ),
        ]
    };
    assert_eq!(problems(&["-f", &file], 0), expected("warning"));
    assert_eq!(problems(&["-f", &file, "--strict"], 1), expected("error"));
    assert_eq!(problems(&["-f", &file, "--strict=schema"], 1), expected("error"));
    assert_eq!(problems(&["-f", &file, "--strict=field"], 0), expected("warning"));
    let (out, _) = ends(&["check", "-f", &file], "", 0);
    let shown = format!(
        "warning: {file}:10:17: spec.filter:2:13: {pod}: spec has no field 'nodeNam' (did you mean 'nodeName'?)\n   \
         |\n10 |     object.spec.nodeNam != ''\n   |                 ^\n"
    );
    assert!(out.contains(&shown), "{out}");
    let (out, _) = ends(&["check", "-f", &file, "-o", "github", "--strict"], "", 1);
    assert!(
        out.starts_with(&format!("::error file={file},line=10,col=17::spec.filter:2:13: {pod}")),
        "{out}"
    );
}

#[test]
fn whoever_evaluates_is_warned_too() {
    let spec = "  filter: object.spec.nodeNam == ''\n";
    let file = scratch("kinds-evaluated.yaml", &metric("a", "{kind: Pod}", spec));
    let own = scratch(
        "kinds-evaluated-widgets.yaml",
        &metric("b", TARGET, "  filter: object.spec.colr == 'red'\n"),
    );
    let definitions = scratch("kinds-evaluated-definitions.yaml", WIDGETS);
    let pod = format!(
        "warning: {file}:1: spec.filter:1:13: Pod of v1 in Kubernetes 1.34: spec has no field 'nodeNam'"
    );
    let widget = format!("warning: {own}:1: spec.filter:1:13: Widget of ");
    for command in [&["eval"][..], &["run", "--events", "-"], &["explain"]] {
        let arguments = [command, &["-f", &file, "-f", &own, "-f", &definitions]].concat();
        let (_, err) = ends(&arguments, "", 0);
        assert!(err.contains(&pod) && err.contains(&widget), "{command:?}: {err}");
    }
}

#[test]
fn definitions_among_the_files_tell_of_their_kinds() {
    let spec = "  filter: object.spec.colr == 'red'\n";
    let metrics = scratch("kinds-widgets.yaml", &metric("a", TARGET, spec));
    let definitions = scratch("kinds-definitions.yaml", WIDGETS);
    assert_eq!(problems(&["-f", &metrics, "--strict"], 0), [""; 0], "nothing is known of the kind");
    let expected = "error 7:23 schema: Widget of shop.example/v1: spec has no field 'colr' [color]";
    assert_eq!(problems(&["-f", &metrics, "-f", &definitions, "--strict"], 1), [expected]);
    // The version that is named counts, not the preferred one.
    let old = "{group: shop.example, version: v1alpha1, kind: Widget}";
    let metrics = scratch("kinds-old.yaml", &metric("a", old, "  filter: object.spec.colour == 'red'\n"));
    assert_eq!(problems(&["-f", &definitions, "-f", &metrics, "--strict"], 0), [""; 0]);
    // Alone they are no Metrics.
    let found = problems(&["-f", &definitions], 1);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].ends_with("no Metric there []"), "{found:?}");
}

#[test]
fn a_definition_that_says_nothing_is_told() {
    let text = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nspec: {group: a}\n---\n";
    let file = scratch("kinds-empty.yaml", &(text.to_owned() + &metric("a", TARGET, "")));
    let message = "a CustomResourceDefinition that says nothing: spec.names.kind is missing";
    assert_eq!(problems(&["-f", &file], 0), [format!("warning 1:1 other: {message} []")]);
}

#[test]
fn a_saved_openapi_document_tells_of_its_kinds() {
    let spec = "  filter: object.spec.colr == 'red'\n";
    let metrics = scratch("kinds-openapi.yaml", &metric("a", TARGET, spec));
    let document = json!({"openapi": "3.0.0", "components": {"schemas": {"example.Widget": {
        "type": "object",
        "properties": {
            "metadata": {"type": "object"},
            "spec": {"type": "object", "properties": {"color": {"type": "string"}}},
        },
        "x-kubernetes-group-version-kind": [{"group": "shop.example", "version": "v1", "kind": "Widget"}],
    }}}});
    let saved = scratch("kinds-openapi.json", &document.to_string());
    let expected = "error 7:23 schema: Widget of shop.example/v1: spec has no field 'colr' [color]";
    assert_eq!(problems(&["-f", &metrics, "--openapi", &saved, "--strict"], 1), [expected]);
    let found = problems(&["-f", &metrics, "--openapi", &metrics], 1);
    assert!(found[0].contains("--openapi") && found[0].contains("is no JSON"), "{found:?}");
    let other = scratch("kinds-other.json", "{}");
    let found = problems(&["-f", &metrics, "--openapi", &other], 1);
    assert!(found[0].contains("no OpenAPI v3 document"), "{found:?}");
}

/// The Metrics that the README shows.
#[test]
fn what_the_readme_shows_fits_its_kinds() {
    let readme = std::fs::read_to_string("README.md").unwrap();
    let blocks: Vec<&str> =
        readme.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    let metrics: Vec<&str> = blocks.into_iter().filter(|block| block.contains("kind: Metric")).collect();
    assert!(!metrics.is_empty());
    let file = scratch("kinds-readme.yaml", &metrics.join("---\n"));
    assert_eq!(problems(&["-f", &file, "--strict=schema,readings,field"], 0), [""; 0]);
    assert_eq!(problems(&["-f", "examples/demo", "--strict=all"], 0), [""; 0]);
}

//! Schemas as they are written, and what is made of them.

use celemetry_engine::definition::Definition;
use celemetry_engine::schema::{Schema, misfits};
use serde_json::{Value, json};

use super::builtin::BUILTIN;
use super::lowering::{Definitions, Lowering};
use super::{Kind, is_definition, misfits_of_all, of_definition, of_document};

fn found(schema: &Schema, filter: &str) -> Vec<String> {
    misfits(&Definition::count("m").filter(filter), schema).into_iter().map(|error| error.message).collect()
}

/// What is found in each filter, for objects of a root.
fn check(root: &Value, definitions: &Value, cases: &[(&str, &[&str])]) {
    let definitions: Definitions = definitions.as_object().cloned().unwrap_or_default();
    let schema = Lowering::new(&definitions, None).object(root);
    for (filter, expected) in cases {
        assert_eq!(found(&schema, filter), *expected, "{filter} with {root}");
    }
}

fn object(properties: &Value) -> Value {
    json!({"type": "object", "properties": properties})
}

#[test]
fn every_word_of_structural_schemas_is_understood() {
    let root = object(&json!({
        "spec": {"type": "object", "nullable": true, "properties": {
            "size": {"type": "integer", "format": "int32"},
            "port": {"x-kubernetes-int-or-string": true, "anyOf": [{"type": "integer"}, {"type": "string"}]},
            "labels": {"type": "object", "additionalProperties": {"type": "string"}},
            "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
            "half": {"type": "object", "x-kubernetes-preserve-unknown-fields": true,
                     "properties": {"known": {"type": "boolean"}}},
            "any": {"x-kubernetes-preserve-unknown-fields": true},
            "bare": {"type": "object"},
            "template": {"type": "object", "x-kubernetes-embedded-resource": true,
                         "properties": {"spec": {"type": "object", "properties": {"a": {"type": "string"}}}}},
            "raw": {"type": "object", "x-kubernetes-embedded-resource": true,
                    "x-kubernetes-preserve-unknown-fields": true},
            "items": {"type": "array", "items": {"type": "object", "properties": {"name": {"type": "string"}}}},
            "one": {"allOf": [{"type": "object", "properties": {"b": {"type": "number"}}}]},
            "rules": {"type": "object", "properties": {"c": {"type": "string"}},
                      "anyOf": [{"required": ["c"]}, {"properties": {"c": {"minLength": 1}}}]},
            "mixed": {"type": "object", "properties": {"d": {"type": "string"}},
                      "oneOf": [{"properties": {"e": {"type": "string"}}}]},
            "nothing": {"type": "object", "properties": {"f": {"type": "string"}}, "additionalProperties": false},
        }},
    }));
    check(
        &root,
        &Value::Null,
        &[
            ("object.spec.size == 1 && object.spec.port == 'a' && object.spec.port == 1", &[]),
            ("object.spec.size == 'a'", &["spec.size is an integer, which never equals a string"]),
            ("object.spec.labels.a == 1", &["spec.labels.a is a string, which never equals an integer"]),
            ("object.spec.free.x.y == 1 || object.spec.half.x == 1 || object.spec.any == 1", &[]),
            ("object.spec.half.known == 1", &["spec.half.known is a bool, which never equals an integer"]),
            ("object.spec.bare.x == 1 || object.spec.bare == 1", &[]),
            ("object.spec.template.metadata.name == 'a' && object.spec.template.kind == ''", &[]),
            ("object.spec.template.spec.b == ''", &["spec.template.spec has no field 'b'"]),
            ("object.spec.raw.anything == 1", &[]),
            ("object.spec.raw.kind == 1", &["spec.raw.kind is a string, which never equals an integer"]),
            ("object.spec.items[0].nam == ''", &["spec.items[*] has no field 'nam' (did you mean 'name'?)"]),
            ("object.spec.one.b == 1.5", &[]),
            ("object.spec.one.bb == 1.5", &["spec.one has no field 'bb'"]),
            ("object.spec.rules.d == ''", &["spec.rules has no field 'd'"]),
            ("object.spec.mixed.e == ''", &[]),
            ("object.spec.nothing.g == ''", &["spec.nothing has no field 'g'"]),
            ("object.apiVersion == '' && object.kind == '' && object.metadata.anything == 1", &[]),
            ("object.stauts.x == 1", &["the object has no field 'stauts'"]),
        ],
    );
}

#[test]
fn references_are_followed_also_to_themselves() {
    let definitions = json!({
        "a.b/c": object(&json!({"next": {"$ref": "#/components/schemas/a.b~1c"}, "name": {"type": "string"}})),
        "Wrapped": {"allOf": [{"$ref": "#/x/Twice"}], "default": {}},
        "Twice": {"$ref": "#/x/a.b~1c"},
        "Loop": {"$ref": "#/x/Pool"},
        "Pool": {"$ref": "#/x/Loop"},
    });
    let root = object(&json!({
        "spec": {"$ref": "#/x/Wrapped"},
        "loop": {"$ref": "#/x/Loop"},
        "gone": {"$ref": "#/x/Nowhere"},
    }));
    check(
        &root,
        &definitions,
        &[
            ("object.spec.next.next.next.name == ''", &[]),
            (
                "object.spec.next.next.nam == ''",
                &["spec.next.next has no field 'nam' (did you mean 'name'?)"],
            ),
            ("object.loop.x == 1 && object.gone.x == 1", &[]),
        ],
    );
}

#[test]
fn what_is_not_understood_says_nothing() {
    for spec in [
        json!(true),
        json!({}),
        json!({"type": "file"}),
        json!({"type": ["string", "integer"]}),
        json!({"type": 7}),
        json!({"type": "object", "properties": 7}),
        json!({"oneOf": [{"type": "object"}, {"type": "string"}]}),
        json!({"allOf": [{"type": "object", "properties": {}}, {"type": "string"}]}),
        json!({"type": "array"}),
    ] {
        let cases: &[(&str, &[&str])] = &[("object.spec[0].x == 1", &[])];
        check(&object(&json!({ "spec": spec })), &Value::Null, cases);
    }
    for root in [json!(null), json!([]), json!({"type": "string"}), json!({"type": "object"})] {
        check(&root, &Value::Null, &[("object.spec.x == 1", &[])]);
    }
}

#[test]
fn hostile_schemas_are_cut_where_they_become_too_large() {
    let mut deep = json!({"type": "string"});
    for _ in 0..100 {
        deep = object(&json!({ "a": deep }));
    }
    check(&deep, &Value::Null, &[("object.a.a.a.b == 1", &["a.a.a has no field 'b'"])]);
    let beyond = format!("object{}.b == 1", ".a".repeat(90));
    check(&deep, &Value::Null, &[(&beyond, &[])]);
    // Each of 40 definitions has the next one twice: a tree of 2^40 nodes, and 40 definitions.
    let definition = |n: u32| {
        let next = json!({"$ref": format!("#/{}", n + 1)});
        (n.to_string(), object(&json!({"a": next, "b": next})))
    };
    let definitions = Value::Object((0..40).map(definition).collect());
    check(&json!({"$ref": "#/0"}), &definitions, &[("object.a.b.a.b.c == 1", &["a.b.a.b has no field 'c'"])]);
    let wide = Value::Object((0..200_000).map(|n| (format!("f{n}"), json!({"type": "array"}))).collect());
    let schema = Lowering::new(&Definitions::new(), None).object(&object(&wide)).len();
    assert!(schema < 60_000, "{schema} shapes");
}

/// A definition of a kind in two versions.
fn widgets() -> Value {
    let version = |name: &str, served: bool, properties: Value| json!({"name": name, "served": served, "schema": {"openAPIV3Schema": object(&properties)}});
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "widgets.shop.example"},
        "spec": {
            "group": "shop.example",
            "names": {"kind": "Widget", "plural": "widgets"},
            "versions": [
                version("v1", true, json!({"metadata": {"type": "object"}, "spec": object(&json!({"size": {"type": "integer"}}))})),
                version("v2", true, json!({"spec": object(&json!({"color": {"type": "string"}}))})),
                version("v0", false, json!({})),
            ],
        },
    })
}

#[test]
fn a_definition_tells_of_each_version_that_is_served() {
    assert!(is_definition(&widgets()));
    let kinds = of_definition(&widgets()).unwrap();
    let names: Vec<_> = kinds.iter().map(|(kind, _)| kind.to_string()).collect();
    assert_eq!(names, ["Widget of shop.example/v1", "Widget of shop.example/v2"]);
    let (first, second) = (&kinds[0].1, &kinds[1].1);
    assert_eq!(found(first, "object.spec.color == ''"), ["spec has no field 'color'"]);
    assert_eq!(found(second, "object.spec.color == ''"), Vec::<String>::new());
    assert_eq!(
        found(first, "object.metadata.nam == ''"),
        ["metadata has no field 'nam' (did you mean 'name'?)"]
    );
    assert_eq!(found(first, "object.metadata.labels.a == '' && object.kind == ''"), Vec::<String>::new());
    let mut open = widgets();
    open["spec"]["preserveUnknownFields"] = json!(true);
    assert_eq!(found(&of_definition(&open).unwrap()[0].1, "object.spec.color == ''"), Vec::<String>::new());
}

#[test]
fn a_defective_definition_says_what_is_wrong() {
    for (manifest, expected) in [
        (json!({}), "spec.group is missing"),
        (json!({"spec": {"group": "a"}}), "spec.names.kind is missing"),
        (json!({"spec": {"group": "a", "names": {"kind": "B"}}}), "spec.versions is missing"),
        (json!({"spec": {"group": "a", "names": {"kind": "B"}, "versions": [1]}}), "a version has no name"),
    ] {
        assert_eq!(of_definition(&manifest).unwrap_err(), expected);
    }
    let without_schema =
        json!({"spec": {"group": "a", "names": {"kind": "B"}, "versions": [{"name": "v1"}]}});
    assert!(of_definition(&without_schema).unwrap()[0].1.is_empty());
}

#[test]
fn what_one_of_several_kinds_has_is_right() {
    let kinds = of_definition(&widgets()).unwrap();
    let all = || kinds.iter().map(|(kind, schema)| (kind.to_string(), schema));
    let found = |filter: &str| misfits_of_all(&Definition::count("m").filter(filter), all());
    assert_eq!(found("object.spec.color == ''"), []);
    let messages: Vec<_> = found("object.spec.colour == ''").into_iter().map(|error| error.message).collect();
    assert_eq!(messages, ["Widget of shop.example/v1: spec has no field 'colour'"]);
}

#[test]
fn a_document_tells_of_its_kinds() {
    let document = json!({"openapi": "3.0.0", "paths": {}, "components": {"schemas": {
        "io.Thing": {
            "type": "object",
            "properties": {"metadata": {"allOf": [{"$ref": "#/components/schemas/io.Meta"}], "default": {}},
                           "size": {"$ref": "#/components/schemas/io.Quantity"}},
            "x-kubernetes-group-version-kind": [{"group": "", "version": "v1", "kind": "Thing"}],
        },
        "io.Meta": object(&json!({"name": {"type": "string"}})),
        "io.Quantity": {"oneOf": [{"type": "string"}, {"type": "number"}]},
        "io.Options": {
            "type": "object",
            "properties": {"metadata": {"type": "object"}},
            "x-kubernetes-group-version-kind": [
                {"group": "", "version": "v1", "kind": "Options"}, {"group": "a", "version": "v1", "kind": "Options"},
            ],
        },
    }}});
    let kinds = of_document(&document, |_| true).unwrap();
    let [(kind, schema)] = kinds.as_slice() else { panic!("{kinds:?}") };
    assert_eq!(kind.to_string(), "Thing of v1");
    assert_eq!(
        found(schema, "object.metadata.nam == '' || object.size == 1"),
        ["metadata has no field 'nam' (did you mean 'name'?)"]
    );
    assert_eq!(of_document(&document, |kind| *kind == Kind::new("", "v2", "Thing")).unwrap(), []);
    let error = |document: Value| of_document(&document, |_| true).unwrap_err().to_string();
    assert_eq!(error(json!({})), "this is no OpenAPI v3 document: components.schemas is missing");
    assert_eq!(error(json!({"components": {"schemas": {}}})), "none of its schemas is that of a kind");
}

#[test]
fn the_kinds_of_kubernetes_are_known_once_each() {
    let mut names: Vec<_> = BUILTIN.iter().map(|known| (known.group, known.version, known.kind)).collect();
    names.sort_unstable();
    let count = names.len();
    names.dedup();
    assert_eq!(names.len(), count);
    for builtin in BUILTIN {
        let schema = builtin.schema();
        let name = builtin.kind;
        assert!(schema.len() < 5_000, "{name} has {} shapes", schema.len());
        let fine =
            "object.metadata.labels['a.b/c'] == '' && object.metadata.creationTimestamp == object.kind";
        assert_eq!(found(&schema, fine), Vec::<String>::new(), "{name}");
        assert_eq!(found(&schema, "object.nothing == 1"), ["the object has no field 'nothing'"], "{name}");
    }
}

#[test]
fn what_a_later_kubernetes_may_have_is_right_where_it_is_asked_for() {
    let node = BUILTIN.iter().find(|known| known.kind == "Node").unwrap().schema();
    for filter in [
        "has(object.status.later) && object.status.later.size() > 1",
        "!has(object.status.later) || object.status.later == 1 && has(object.status.later)",
        "object.status.?later.orValue(1) == 1",
        "object.status[?'later'].hasValue()",
    ] {
        assert_eq!(found(&node, filter), Vec::<String>::new(), "{filter}");
    }
    for (filter, expected) in [
        ("object.status.later == 1", "status has no field 'later'"),
        ("has(object.status.later.x)", "status has no field 'later'"),
        ("has(object.status.phas)", "status has no field 'phas' (did you mean 'phase'?)"),
        ("has(object.kind.later)", "kind is a string and has no fields"),
    ] {
        assert_eq!(found(&node, filter), [expected], "{filter}");
    }
    let mut asked = Definition::count("m").filter("has(object.status.later)");
    asked = asked.by("later", "object.status.later").by("other", "object.status.other");
    let messages: Vec<_> = misfits(&asked, &node).into_iter().map(|error| error.message).collect();
    assert_eq!(messages, ["status has no field 'other'"]);
    let exact = Lowering::new(&Definitions::new(), None).object(&object(&json!({"a": {"type": "string"}})));
    assert_eq!(found(&exact, "has(object.later)"), ["the object has no field 'later'"]);
}

#[test]
fn the_parts_of_well_known_kinds_are_what_they_are() {
    let schema = |kind: &str, version: &str| {
        let known = BUILTIN.iter().find(|known| known.kind == kind && known.version == version);
        known.unwrap().schema()
    };
    for (kind, version, filter, expected) in [
        ("Pod", "v1", "object.spec.containers.exists(c, c.resources.limits.cpu == '1')", ""),
        ("Pod", "v1", "object.spec.containers[0].ports[0].containerPort == 80", ""),
        ("Pod", "v1", "object.spec.containers[0].livenessProbe.httpGet.port in [80, 'http']", ""),
        ("Pod", "v1", "object.metadata.managedFields[0].fieldsV1['f:spec'] == {}", ""),
        (
            "Pod",
            "v1",
            "object.spec.container[0].name == ''",
            "spec has no field 'container' (did you mean 'containers'?)",
        ),
        (
            "Deployment",
            "v1",
            "object.spec.template.spec.containers[0].imag == ''",
            "spec.template.spec.containers[*] has no field 'imag' (did you mean 'image'?)",
        ),
        (
            "Deployment",
            "v1",
            "object.spec.replicas == '3'",
            "spec.replicas is an integer, which never equals a string",
        ),
        (
            "HorizontalPodAutoscaler",
            "v2",
            "object.spec.metrics[0].resource.target.averageUtilization > 1",
            "",
        ),
        (
            "CustomResourceDefinition",
            "v1",
            "object.spec.versions[0].schema.openAPIV3Schema.properties.a.properties.b.type == ''",
            "",
        ),
        (
            "CustomResourceDefinition",
            "v1",
            "object.spec.versions[0].schema.openAPIV3Schema.properties.a.items.x == '' && object.spec.versions[0].schema.openAPIV3Schema.default == 1",
            "",
        ),
        (
            "CustomResourceDefinition",
            "v1",
            "object.spec.versions[0].schema.openAPIV3Schema.properties.a.properties.b.typ == ''",
            "spec.versions[*].schema.openAPIV3Schema.properties.a.properties.b has no field 'typ' (did you mean 'type'?)",
        ),
        ("ControllerRevision", "v1", "object.data.anything == 1", ""),
        ("ConfigMap", "v1", "object.data.size == 1", "data.size is a string, which never equals an integer"),
        ("Event", "v1", "object.involvedObject.kind == '' && object.count > 1", ""),
    ] {
        let found = found(&schema(kind, version), filter).join("; ");
        assert_eq!(found, expected, "{kind}: {filter}");
    }
}

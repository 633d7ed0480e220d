//! Kinds that the API server describes: expressions that fit none of their objects are warned of, and work as before.

use serde_json::{Value, json};

use crate::harness::{Kind, Plane, Scene, kind};

tests![
    a_field_that_pods_do_not_have_is_warned_of_with_what_was_meant,
    a_definition_that_comes_to_have_the_field_clears_the_warning,
];

/// The reason of the condition ExpressionsValid.
fn reason(scene: &Scene<'_>, metric: &Value) -> String {
    let object = scene.client().read(metric).unwrap();
    let conditions = object["status"]["conditions"].as_array().cloned().unwrap_or_default();
    let valid = conditions.into_iter().find(|condition| condition["type"] == "ExpressionsValid");
    valid.unwrap_or_default()["reason"].as_str().unwrap_or_default().to_owned()
}

fn a_field_that_pods_do_not_have_is_warned_of_with_what_was_meant() {
    let plane = Plane::shared();
    let scene = Scene::on(&plane, "described").start();
    let by = |path: &str| json!({"projections": [{"name": "phase", "fieldPath": path, "default": "none"}]});
    let right = scene.declare("described-right", by("status.phase"));
    let wrong = scene.declare("described-wrong", by("status.phas"));
    let message = scene.wait_reason(&wrong, "ExpressionsValid", "ValidWithWarnings");
    let expected =
        "spec.projections[0].fieldPath:1:8: Pod of v1: status has no field 'phas' (did you mean 'phase'?)";
    assert!(message.contains(expected), "{message}");
    // What is evaluated is what is written.
    scene.pod("one").create(scene.client());
    scene.sees("described_wrong", &[("phase=\"none\"", 1.0)]);
    scene.wait_ready(&wrong);
    assert_eq!(reason(&scene, &right), "Valid");
    let mended = scene.declare("described-wrong", by("status.phase"));
    scene.wait_reason(&mended, "ExpressionsValid", "Valid");
    // A document is fetched once, however many Metrics are about its kinds.
    let documents = scene.plane.requests(&scene.user).into_iter();
    let fetched = documents.filter(|request| request.path.contains("/openapi/v3/api/v1")).count();
    assert_eq!(fetched, 1);
}

/// A kind whose objects have these fields and no others.
fn closed(kind: &Kind) -> Value {
    let mut definition = kind.definition();
    let versions = definition["spec"]["versions"].as_array_mut().unwrap();
    for version in versions {
        let spec = &mut version["schema"]["openAPIV3Schema"]["properties"]["spec"];
        spec.as_object_mut().unwrap().remove("x-kubernetes-preserve-unknown-fields");
    }
    definition
}

fn a_definition_that_comes_to_have_the_field_clears_the_warning() {
    let plane = Plane::shared();
    let scene = Scene::on(&plane, "redefined").start();
    let old = Kind::new("Gadget").field("colour", "string");
    kind::install(scene.client(), &closed(&old));
    let open = Kind::new("Gizmo").field("size", "integer").install(scene.client());
    let target = json!({"group": open.group, "kind": open.kind});
    let of_open = json!({"target": target, "filter": "object.spec.whatever == 1 && object.status.more == 1"});
    let open = scene.declare("redefined-gizmos", of_open);
    let target = json!({"group": old.group, "kind": old.kind});
    let reads = json!({"target": target, "filter": "object.spec.color == 'red' || object.spec.colour == 7"});
    let metric = scene.declare("redefined-gadgets", reads);
    let message = scene.wait_reason(&metric, "ExpressionsValid", "ValidWithWarnings");
    let kind = format!("Gadget of {}/v1", old.group);
    for expected in [
        format!("spec.filter:1:13: {kind}: spec has no field 'color' (did you mean 'colour'?)"),
        format!("spec.filter:1:50: {kind}: spec.colour is a string, which never equals an integer"),
    ] {
        assert!(message.contains(&expected), "{message}");
    }
    assert_eq!(reason(&scene, &open), "Valid", "what a definition leaves open may be there");
    let mut new = old.clone().field("color", "string");
    new = new.field("colour", "integer");
    kind::install(scene.client(), &closed(&new));
    scene.wait_reason(&metric, "ExpressionsValid", "Valid");
}
